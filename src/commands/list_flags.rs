//! The flags of every list: its format and its columns.

use clap::{Args, ValueEnum};

use crate::error::CommandError;
use crate::output::list::{Format, Layout};

#[derive(Debug, Clone, Default, Args)]
pub struct ListFlags {
    /// Format: table, tsv, csv, jsonl (a document per line) or json (as --json)
    #[arg(short, long, value_enum, hide_possible_values = true, value_name = "FORMAT", help_heading = "Output")]
    pub output: Option<ListFormat>,
    /// Only these columns, in this order, such as email,id; an error about a wrong name lists all
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', help_heading = "Output")]
    pub columns: Vec<String>,
    /// Leave the line with the names of the columns out
    #[arg(long, help_heading = "Output")]
    pub no_header: bool,
    /// Whole ids and all columns on a terminal, however narrow it is
    #[arg(long, help_heading = "Output")]
    pub wide: bool,
}

/// Formats of lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// Aligned columns
    Table,
    /// A line per row, with tabs between whole values
    Tsv,
    /// As tsv, for spreadsheets
    Csv,
    /// One JSON document per line
    Jsonl,
    /// One JSON document, as --json
    Json,
}

impl ListFlags {
    pub fn is_json(&self) -> bool {
        self.output == Some(ListFormat::Json)
    }

    /// Refuses the flags where a command prints no list.
    ///
    /// # Errors
    /// A usage error.
    pub(super) fn require_list(&self, is_list: bool) -> anyhow::Result<()> {
        let is_given = self.output.is_some_and(|format| format != ListFormat::Json)
            || !self.columns.is_empty()
            || self.no_header
            || self.wide;
        if is_given && !is_list {
            let message = "-o, --columns, --no-header and --wide are about the list of --dry-run".to_owned();
            return Err(CommandError::Usage { message, hint: "add --dry-run, or leave them out" }.into());
        }
        Ok(())
    }

    /// Two flags that exclude each other. `json` if `--json` is given.
    pub fn conflict(&self, json: bool) -> Option<(&'static str, &'static str)> {
        let format = match self.output {
            Some(ListFormat::Json) => Some("-o json"),
            Some(ListFormat::Jsonl) => Some("-o jsonl"),
            Some(ListFormat::Table) => Some("-o table"),
            Some(ListFormat::Tsv) => Some("-o tsv"),
            Some(ListFormat::Csv) => Some("-o csv"),
            None => None,
        };
        if json && !self.is_json() && format.is_some() {
            return Some(("--json", format?));
        }
        let documents = match self.output {
            Some(ListFormat::Json | ListFormat::Jsonl) => format?,
            _ if json => "--json",
            _ => return None,
        };
        let flags = [(!self.columns.is_empty(), "--columns"), (self.no_header, "--no-header"), (self.wide, "--wide")];
        flags.into_iter().find_map(|(is_given, flag)| is_given.then_some((flag, documents)))
    }

    pub(super) fn layout(&self) -> Layout {
        let format = match self.output {
            None | Some(ListFormat::Table) => Format::Table,
            Some(ListFormat::Tsv) => Format::Tsv,
            Some(ListFormat::Csv) => Format::Csv,
            Some(ListFormat::Jsonl) => Format::Lines,
            Some(ListFormat::Json) => Format::Document,
        };
        Layout { format, columns: self.columns.clone(), without_header: self.no_header, is_wide: self.wide }
    }
}
