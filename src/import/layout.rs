//! The readers of all layouts as one.

use super::csv::{COMMA, CsvColumns, CsvTable};
use super::error::ImportError;
use super::format::Format;
use super::input::Bytes;
use super::json::{JsonTree, Realms};
use super::ldif::LdifEntries;
use super::lines::RecordLines;
use super::recognise::Layout;
use super::record::Item;
use super::sql::SqlDump;
use super::system;

/// Divides the text of a file into records.
pub(super) enum Reader {
    JsonTree(JsonTree),
    Lines(RecordLines),
    Csv(CsvTable),
    CsvColumns(CsvColumns),
    Sql(SqlDump),
    Ldif(LdifEntries),
}

impl Reader {
    /// `realm` is the realm of Keycloak whose users are wanted.
    pub(super) fn new(bytes: Bytes, format: Format, layout: Layout, realm: Option<&str>) -> Result<Self, ImportError> {
        let Some(layout) = layout_for(format, layout) else {
            return Err(ImportError::WrongForm { file: bytes.name().to_owned(), format });
        };
        let tree = |bytes, realms| JsonTree::new(bytes, system::wanted(format), realms);
        Ok(match layout {
            Layout::JsonTree | Layout::JsonTrees if format == Format::Keycloak => {
                Self::JsonTree(tree(bytes, Some(Realms::new(realm, layout == Layout::JsonTrees))))
            }
            Layout::JsonTree | Layout::JsonTrees => Self::JsonTree(tree(bytes, None)),
            Layout::JsonLines => Self::Lines(RecordLines::json(bytes)),
            Layout::Csv(separator) => Self::Csv(CsvTable::new(bytes, separator)?),
            Layout::CsvColumns => Self::CsvColumns(CsvColumns::new(bytes)),
            Layout::Sql => Self::Sql(SqlDump::new(bytes)),
            Layout::Ldif => Self::Ldif(LdifEntries::new(bytes)),
            Layout::Colons => Self::Lines(RecordLines::colons(bytes)),
        })
    }

    pub(super) fn next(&mut self) -> Result<Option<Item>, ImportError> {
        match self {
            Self::JsonTree(reader) => reader.next(),
            Self::Lines(reader) => reader.next(),
            Self::Csv(reader) => reader.next(),
            Self::CsvColumns(reader) => reader.next(),
            Self::Sql(reader) => reader.next(),
            Self::Ldif(reader) => reader.next(),
        }
    }

    /// The realms with users that were found.
    pub(super) fn realms(&self) -> &[String] {
        match self {
            Self::JsonTree(reader) => reader.realms(),
            _ => &[],
        }
    }

    pub(super) fn bytes(&self) -> &Bytes {
        match self {
            Self::JsonTree(reader) => reader.bytes(),
            Self::Lines(reader) => reader.bytes(),
            Self::Csv(reader) => reader.bytes(),
            Self::CsvColumns(reader) => reader.bytes(),
            Self::Sql(reader) => reader.bytes(),
            Self::Ldif(reader) => reader.bytes(),
        }
    }

    pub(super) fn into_bytes(self) -> Bytes {
        match self {
            Self::JsonTree(reader) => reader.into_bytes(),
            Self::Lines(reader) => reader.into_bytes(),
            Self::Csv(reader) => reader.into_bytes(),
            Self::CsvColumns(reader) => reader.into_bytes(),
            Self::Sql(reader) => reader.into_bytes(),
            Self::Ldif(reader) => reader.into_bytes(),
        }
    }
}

/// The layout of a file whose format is known. `None` if the format has no such layout.
fn layout_for(format: Format, seen: Layout) -> Option<Layout> {
    let is_json = matches!(seen, Layout::JsonTree | Layout::JsonTrees | Layout::JsonLines);
    let layout = match format {
        Format::Htpasswd | Format::Shadow => (!is_json).then_some(Layout::Colons)?,
        Format::Ldif => (!is_json).then_some(Layout::Ldif)?,
        Format::Authctl => (seen == Layout::JsonLines).then_some(seen)?,
        Format::Kratos | Format::Keycloak | Format::FusionAuth | Format::WorkOs | Format::JsonLines => {
            is_json.then_some(seen)?
        }
        Format::Firebase if !is_json => Layout::CsvColumns,
        Format::Supabase if seen == Layout::Sql => seen,
        Format::Csv if is_json => return None,
        _ if is_json || matches!(seen, Layout::Csv(_)) => seen,
        _ => Layout::Csv(COMMA),
    };
    Some(layout)
}
