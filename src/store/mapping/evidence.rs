//! What the values of an app's columns and its schema show of the columns' encodings, and what follows from it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;

use super::encoding::{TimeEncoding, TimeEncodings};
use super::text_time::TextForm;
use super::truth::TruthEncoding;
use super::votes::{Elected, Encoding as _, Votes};
use crate::auth::storage::{WriteBlocker, WriteScope};
use crate::store::engine::ValueRef;

/// The evidence of what the user says.
const BY_FILE: &str = "the --schema file";

/// The number of unknown values that a message shows, and how much of each.
const SHOWN: usize = 3;
const SHOWN_LENGTH: usize = 20;

/// What the columns of an app's database show.
#[derive(Debug, Default)]
pub(in crate::store) struct Evidence {
    /// The encoding that the `--schema` file names for all times.
    pub(in crate::store) named: Option<TimeEncoding>,
    pub(in crate::store) times: Vec<TimeEvidence>,
    pub(in crate::store) truths: Vec<TruthEvidence>,
}

/// A column of one of Better Auth's tables.
#[derive(Debug, Clone)]
pub(in crate::store) struct Place {
    pub(in crate::store) table: &'static str,
    pub(in crate::store) column: &'static str,
    /// The table and the column as the database names them.
    pub(in crate::store) name: String,
    /// Whether the values that were read decide. Those of a sample do not if they differ or if there are none: then all
    /// are read before the column is written.
    pub(in crate::store) is_settled: bool,
}

/// A column whose values are read, some of them or all.
pub(in crate::store) trait Observed {
    fn place(&mut self) -> &mut Place;

    fn add(&mut self, value: ValueRef<'_>);

    /// Forgets the values.
    fn forget(&mut self);

    /// Whether the values that were read have the same encoding.
    fn is_unanimous(&self) -> bool;
}

/// What a column of times shows.
#[derive(Debug)]
pub(in crate::store) struct TimeEvidence {
    pub(in crate::store) place: Place,
    pub(in crate::store) votes: Votes<TimeEncoding>,
    /// A whole number that was read.
    pub(in crate::store) number: Option<i64>,
    /// The encoding that the `--schema` file names for this column.
    pub(in crate::store) named: Option<TimeEncoding>,
    /// The encoding that the schema implies, and by what.
    pub(in crate::store) schema: Option<(TimeEncoding, &'static str)>,
    /// Whether a default of the database writes times as SQLite does, and not as the app does.
    pub(in crate::store) has_default_of_sqlite: bool,
    /// The encoding of a column whose type shows it, and by what. Its values are not read.
    pub(in crate::store) typed: Option<(TimeEncoding, String)>,
}

/// What a column of booleans shows.
#[derive(Debug)]
pub(in crate::store) struct TruthEvidence {
    pub(in crate::store) place: Place,
    pub(in crate::store) values: TruthValues,
    /// The encoding that the schema implies.
    pub(in crate::store) schema: DeclaredTruth,
    /// The encoding of a column whose type shows it.
    pub(in crate::store) typed: Option<TruthEncoding>,
}

/// The booleans of a column.
#[derive(Debug, Default)]
pub(in crate::store) struct TruthValues {
    votes: Votes<TruthEncoding>,
    /// The votes of zeros, which are false in a column of dates too.
    zeros: Votes<TruthEncoding>,
    nulls: u64,
    /// Some of the text and blobs that are no booleans, as literals of SQL.
    unknown: Vec<String>,
}

/// What the default and the type of a column of booleans say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum DeclaredTruth {
    Encoding(TruthEncoding),
    /// A date, in the encoding of the other times.
    Date,
}

/// The encodings of a database.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::store) struct Verdict {
    pub(in crate::store) times: TimeEncodings,
    /// The columns whose booleans are not 0 and 1, by table and name.
    pub(in crate::store) truths: Vec<(&'static str, &'static str, TruthEncoding)>,
    /// Columns whose values are all read before they are written, by table and name.
    pub(in crate::store) unsettled: Vec<(&'static str, &'static str)>,
    /// Describes the encodings of times.
    pub(in crate::store) name: String,
    /// What shows them.
    pub(in crate::store) evidence: String,
    /// Reasons not to write a column.
    pub(in crate::store) blockers: Vec<WriteBlocker>,
}

impl Evidence {
    /// The columns of a table.
    pub(in crate::store) fn of_table(&mut self, table: &str) -> Vec<&mut dyn Observed> {
        let times = self.times.iter_mut().map(|column| column as &mut dyn Observed);
        let all = times.chain(self.truths.iter_mut().map(|column| column as &mut dyn Observed));
        all.filter_map(|column| (column.place().table == table).then_some(column)).collect()
    }

    /// Decides the encoding of each column. Where values do not show it, the `--schema` file does, else the schema of the
    /// database, else the other columns.
    pub(in crate::store) fn verdict(&self) -> Verdict {
        let mut verdict = self.verdict_on_times();
        for column in &self.truths {
            let Place { table, column: name, is_settled, .. } = column.place;
            let of_times = || TruthEncoding::Time(verdict.times.of(table, "createdAt"));
            let (encoding, blocker) = column.known(of_times);
            if encoding != TruthEncoding::Number {
                verdict.truths.push((table, name, encoding));
            }
            if let Some(blocker) = blocker.filter(|_| is_settled) {
                verdict.times.read_only.push((table, name, blocker.clone()));
                verdict.blockers.push(blocker);
            }
        }
        let unsettled = self.places().filter(|place| !place.is_settled);
        verdict.unsettled = unsettled.map(|place| (place.table, place.column)).collect();
        verdict
    }

    fn places(&self) -> impl Iterator<Item = &Place> {
        self.times.iter().map(|column| &column.place).chain(self.truths.iter().map(|column| &column.place))
    }

    fn verdict_on_times(&self) -> Verdict {
        let known: Vec<Known> = self.times.iter().map(|column| column.known(self.named)).collect();
        let shown: Vec<Decided<'_>> =
            self.times.iter().zip(&known).filter_map(|(one, known)| known.decided(one)).collect();
        let mut blockers: Vec<WriteBlocker> =
            self.named.and_then(|named| self.contradiction(named)).into_iter().collect();
        let mut columns = Vec::new();
        let mut read_only = Vec::new();
        for (column, known) in self.times.iter().zip(&known) {
            let place = &column.place;
            let of_others = || single(&shown, Some(place.table)).or_else(|| single(&shown, None));
            let blocker = match known {
                Known::Shown(encoding, _) => {
                    columns.push((column, *encoding));
                    None
                }
                Known::Unclear(first, second, blocker) => {
                    let encoding = of_others().filter(|others| others == second).unwrap_or(*first);
                    columns.push((column, encoding));
                    Some(blocker.clone())
                }
                Known::Silent => match of_others() {
                    Some(encoding) => {
                        columns.push((column, encoding));
                        None
                    }
                    None => Some(column.unknown()),
                },
            };
            read_only.extend(blocker.filter(|_| place.is_settled).map(|blocker| (place.table, place.column, blocker)));
        }
        if columns.is_empty() && self.places().all(|place| place.is_settled) {
            blockers.push(no_encoding());
        } else {
            // No act writes the others.
            let written = read_only.iter().filter(|(_, column, _)| !NEVER_WRITTEN.contains(column));
            blockers.extend(written.map(|(_, _, blocker)| blocker.clone()));
        }
        let (name, evidence) = described(&columns, &known);
        let default = single(&columns, None).unwrap_or(TimeEncoding::Milliseconds);
        let columns = columns.into_iter().filter(|(_, encoding)| *encoding != default);
        let columns = columns.map(|(column, encoding)| (column.place.table, column.place.column, encoding)).collect();
        let times = TimeEncodings { default, columns, read_only };
        Verdict { times, truths: Vec::new(), unsettled: Vec::new(), name, evidence, blockers }
    }

    /// Refuses to write when the values contradict the unit of the `--schema` file: it is the unit of no column, and
    /// another one is shown.
    fn contradiction(&self, named: TimeEncoding) -> Option<WriteBlocker> {
        let shown = || {
            self.times.iter().filter_map(|column| match column.elected()? {
                Elected::One(encoding) => Some((column, encoding)),
                Elected::Tie(..) => None,
            })
        };
        if shown().any(|(_, encoding)| is_named(encoding, named)) {
            return None;
        }
        let (column, encoding) = shown().next()?;
        Some(WriteBlocker {
            problem: format!(
                "the --schema file says that times are {}, and {}",
                named.plural(),
                column.holds(encoding, named)
            ),
            remedy: "leave \"time\" out of the --schema file, or name the unit of the values".to_owned(),
            scope: WriteScope::Everything,
        })
    }
}

/// The times that authctl leaves to the app.
const NEVER_WRITTEN: [&str; 2] = ["accessTokenExpiresAt", "refreshTokenExpiresAt"];

/// What is known of a column without the others.
enum Known {
    /// Its encoding, and what shows it.
    Shown(TimeEncoding, String),
    /// Two encodings that it may have, and why it is not written.
    Unclear(TimeEncoding, TimeEncoding, WriteBlocker),
    Silent,
}

/// A column and its encoding.
type Decided<'e> = (&'e TimeEvidence, TimeEncoding);

impl Known {
    fn decided<'e>(&self, column: &'e TimeEvidence) -> Option<Decided<'e>> {
        match self {
            Self::Shown(encoding, _) => Some((column, *encoding)),
            Self::Unclear(..) | Self::Silent => None,
        }
    }
}

/// The encoding of all columns, or of all in a table; `None` when they are different numbers or texts, or none has one.
fn single(columns: &[Decided<'_>], table: Option<&str>) -> Option<TimeEncoding> {
    let mut encodings = columns.iter().filter(|(column, _)| table.is_none_or(|table| column.place.table == table));
    let (_, first) = encodings.next()?;
    encodings.all(|(_, encoding)| encoding.is_alike(*first)).then_some(*first)
}

/// Whether a unit in the `--schema` file means an encoding. All texts have the same word there.
fn is_named(encoding: TimeEncoding, named: TimeEncoding) -> bool {
    encoding.is_alike(named) || encoding.is_text() && named.is_text()
}

/// The unit of an encoding, as the `--schema` file names it.
fn unit(encoding: TimeEncoding) -> &'static str {
    match encoding {
        TimeEncoding::Seconds | TimeEncoding::FractionalSeconds => "seconds",
        TimeEncoding::Milliseconds | TimeEncoding::RealMilliseconds => "milliseconds",
        TimeEncoding::Text(_) => "text",
        TimeEncoding::Calendar | TimeEncoding::CalendarSeconds => "instants",
        TimeEncoding::LocalTime(_) => "local times",
    }
}

/// The encodings that the `--schema` file can name.
pub(in crate::store) const NAMED: [TimeEncoding; 3] =
    [TimeEncoding::Seconds, TimeEncoding::Milliseconds, TimeEncoding::Text(TextForm::ZULU)];

/// The `--schema` files that name these encodings of a column.
pub(in crate::store) fn files_with_unit(table: &str, column: &str, encodings: &[TimeEncoding]) -> String {
    let file = |encoding: &TimeEncoding| format!(r#"{{"times": {{"{table}.{column}": "{}"}}}}"#, unit(*encoding));
    let mut files: Vec<String> = encodings.iter().map(file).collect();
    files.dedup();
    format!("in the --schema file: {}", files.join(" or "))
}

/// Describes the encodings of a database, and what shows them.
fn described(columns: &[Decided<'_>], known: &[Known]) -> (String, String) {
    let shown_by = known.iter().find_map(|known| match known {
        Known::Shown(_, evidence) => Some(evidence.clone()),
        Known::Unclear(..) | Known::Silent => None,
    });
    match (single(columns, None), shown_by) {
        (Some(encoding), Some(evidence)) => (encoding.name().into_owned(), evidence),
        _ if columns.is_empty() => ("not known".to_owned(), "nothing: there are no rows".to_owned()),
        _ => ("mixed".to_owned(), by_column(columns)),
    }
}

/// The reason not to write to a database without any instant.
fn no_encoding() -> WriteBlocker {
    WriteBlocker {
        problem: "nothing in the file shows how it writes instants: in seconds or in milliseconds".to_owned(),
        remedy: r#"name it in the --schema file: {"time": "seconds"}, {"time": "milliseconds"} or {"time": "text"}"#
            .to_owned(),
        scope: WriteScope::Everything,
    }
}

/// The date of a number in each unit.
fn readings(number: i64) -> String {
    const DAY: i64 = 86_400;
    let (seconds, milliseconds) = (number.div_euclid(DAY), number.div_euclid(1000 * DAY));
    format!("{} as seconds, {} as milliseconds", date(seconds), date(milliseconds))
}

/// The date of a day, as its number after 1970-01-01. A number in the wrong unit is in a year that is beyond all calendars
/// of libraries.
fn date(day: i64) -> String {
    /// The days of 400 years, after which the calendar repeats, and those before 1970-01-01 since a March 1.
    const ERA: i64 = 146_097;
    const BEFORE: i64 = 719_468;
    let day = day.saturating_add(BEFORE);
    let (era, of_era) = (day.div_euclid(ERA), day.rem_euclid(ERA));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / (ERA - 1)) / 365;
    // The year begins in March, so that a leap day is its last one.
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{of_month:02}", 400 * era + year + next)
}

impl Place {
    fn read_only(&self, problem: String, remedy: String) -> WriteBlocker {
        WriteBlocker { problem, remedy, scope: WriteScope::Column(self.name.clone()) }
    }
}

impl Observed for TimeEvidence {
    fn place(&mut self) -> &mut Place {
        &mut self.place
    }

    fn add(&mut self, value: ValueRef<'_>) {
        if let Some(encoding) = TimeEncoding::shown_by(value) {
            if let ValueRef::Integer(number) = value {
                self.number.get_or_insert(number);
            }
            self.votes.add(encoding);
        }
    }

    fn forget(&mut self) {
        self.votes = Votes::default();
        self.number = None;
    }

    fn is_unanimous(&self) -> bool {
        self.votes.is_unanimous()
    }
}

impl TimeEvidence {
    fn known(&self, of_all: Option<TimeEncoding>) -> Known {
        let name = &self.place.name;
        if let Some((encoding, what)) = &self.typed {
            return Known::Shown(*encoding, what.clone());
        }
        let named = self.named.or(of_all);
        match (self.elected(), named) {
            (Some(Elected::One(encoding)), _) => match self.named.filter(|named| !is_named(encoding, *named)) {
                Some(named) => Known::Unclear(encoding, encoding, self.contradicts(encoding, named)),
                None => Known::Shown(encoding, format!("the values of {name}")),
            },
            (None, Some(named)) => Known::Shown(named, BY_FILE.to_owned()),
            (Some(Elected::Tie(one, other)), named) => {
                let is_right = |one: &TimeEncoding| named.is_some_and(|named| is_named(*one, named));
                match [one, other].into_iter().find(is_right) {
                    Some(encoding) => Known::Shown(encoding, BY_FILE.to_owned()),
                    None => Known::Unclear(one, other, self.differ(one, other)),
                }
            }
            (None, None) => match self.schema {
                Some((encoding, what)) => Known::Shown(encoding, format!("the {what} of {name}")),
                None => Known::Silent,
            },
        }
    }

    /// What the values show. Those that a default wrote count only where there are no others.
    fn elected(&self) -> Option<Elected<TimeEncoding>> {
        let spaced = TimeEncoding::Text(TextForm::SPACED);
        let by_app = self.votes.only(|encoding| !self.has_default_of_sqlite || encoding != spaced);
        by_app.elected().or_else(|| self.votes.elected())
    }

    /// No value shows the encoding, and the other columns differ.
    fn unknown(&self) -> WriteBlocker {
        let problem = format!("no value shows how {} encodes instants, and other columns differ", self.place.name);
        let Place { table, column, name, .. } = &self.place;
        let scope = WriteScope::Silent { column: name.clone(), key: format!("{table}.{column}") };
        let remedy = format!("name it {}", files_with_unit(table, column, &NAMED));
        WriteBlocker { problem, remedy, scope }
    }

    /// Equally many values have two encodings.
    fn differ(&self, one: TimeEncoding, other: TimeEncoding) -> WriteBlocker {
        let (name, some, others) = (&self.place.name, one.plural(), other.plural());
        let problem = format!("some of the values of {name} are {some}, others are {others}");
        let files = files_with_unit(self.place.table, self.place.column, &[one, other]);
        self.place.read_only(problem, format!("correct the rows, or name the right encoding {files}"))
    }

    /// The `--schema` file names another encoding than the values have.
    fn contradicts(&self, encoding: TimeEncoding, named: TimeEncoding) -> WriteBlocker {
        let (name, holds, named) = (&self.place.name, self.holds(encoding, named), named.plural());
        let problem = format!("the --schema file says that the values of {name} are {named}, and {holds}");
        let key = format!("{}.{}", self.place.table, self.place.column);
        self.place
            .read_only(problem, format!("leave \"{key}\" out of the --schema file, or name the unit of the values"))
    }

    /// Describes the values beside another encoding, and a number as the date that it is in each unit.
    fn holds(&self, encoding: TimeEncoding, named: TimeEncoding) -> String {
        let name = &self.place.name;
        match self.number {
            Some(number) if named.is_text() => {
                format!("the values of {name} are numbers such as {number}: {}", readings(number))
            }
            Some(number) => format!("{name} holds {number}: {}", readings(number)),
            None => format!("the values of {name} are {}", encoding.plural()),
        }
    }
}

/// Lists the columns of each encoding.
fn by_column(columns: &[Decided<'_>]) -> String {
    let mut places: BTreeMap<Cow<'_, str>, Vec<&str>> = BTreeMap::new();
    for (column, encoding) in columns {
        places.entry(encoding.plural()).or_default().push(&column.place.name);
    }
    let listed = places.into_iter().map(|(encoding, places)| format!("{encoding} in {}", places.join(", ")));
    listed.collect::<Vec<_>>().join("; ")
}

impl Observed for TruthEvidence {
    fn place(&mut self) -> &mut Place {
        &mut self.place
    }

    fn add(&mut self, value: ValueRef<'_>) {
        self.values.add(value);
    }

    fn forget(&mut self) {
        self.values = TruthValues::default();
    }

    fn is_unanimous(&self) -> bool {
        self.values.of_app().is_unanimous()
    }
}

impl TruthEvidence {
    /// The encoding, and why it is not written. Takes that of a column of dates without values.
    fn known(&self, of_times: impl Fn() -> TruthEncoding) -> (TruthEncoding, Option<WriteBlocker>) {
        let name = &self.place.name;
        if let Some(encoding) = self.typed {
            return (encoding, None);
        }
        match self.values.elected() {
            Some(Elected::One(encoding)) => (encoding, None),
            Some(Elected::Tie(first, second)) => {
                let problem =
                    format!("some of the values of {name} are {}, others are {}", first.plural(), second.plural());
                let remedy = format!("correct the rows, so that {name} holds the ones or the others");
                (first, Some(self.place.read_only(problem, remedy)))
            }
            None if self.values.unknown.is_empty() => match self.schema {
                DeclaredTruth::Encoding(encoding) => (encoding, None),
                DeclaredTruth::Date => (of_times(), None),
            },
            None => {
                let values = self.values.unknown.join(", ");
                let problem = format!("no value of {name} is a boolean that authctl knows: it holds {values}");
                let remedy = format!("let the app write 0 and 1 to {name}, or true and false as text");
                (TruthEncoding::Number, Some(self.place.read_only(problem, remedy)))
            }
        }
    }
}

impl TruthValues {
    /// A number that is no boolean is a fault of its row. Text and blobs may be booleans of the app.
    pub(in crate::store) fn add(&mut self, value: ValueRef<'_>) {
        match (TruthEncoding::shown_by(value), value) {
            (Some(encoding), _) if encoding.write(false, Timestamp::UNIX_EPOCH) == value.to_value() => match encoding {
                TruthEncoding::Number | TruthEncoding::Real | TruthEncoding::Digit => self.zeros.add(encoding),
                _ => self.votes.add(encoding),
            },
            (Some(encoding), _) => self.votes.add(encoding),
            (None, ValueRef::Null) => self.nulls += 1,
            (None, ValueRef::Text(_) | ValueRef::Blob(_)) if self.unknown.len() < SHOWN => {
                let literal = literal(value);
                if !self.unknown.contains(&literal) {
                    self.unknown.push(literal);
                }
            }
            (None, _) => {}
        }
    }

    /// The votes that tell how the app writes. Where there are dates, a zero is their false.
    fn of_app(&self) -> Votes<TruthEncoding> {
        let dates = self.votes.only(|encoding| matches!(encoding, TruthEncoding::Time(_)));
        if dates.count() > 0 { self.votes.clone() } else { self.votes.and(&self.zeros) }
    }

    /// What the values show; `None` if they are none, or not known.
    pub(in crate::store) fn elected(&self) -> Option<Elected<TruthEncoding>> {
        Some(match self.of_app().elected()? {
            Elected::One(TruthEncoding::Time(encoding)) if self.zeros.count() > self.nulls => {
                Elected::One(TruthEncoding::TimeOrZero(encoding))
            }
            elected => elected,
        })
    }
}

/// The start of a text or blob, as SQL spells it.
fn literal(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Blob(bytes) => {
            let hex: Vec<String> = bytes.iter().take(SHOWN_LENGTH).map(|byte| format!("{byte:02X}")).collect();
            format!("X'{}'", hex.concat())
        }
        value => {
            let text = String::from_utf8_lossy(value.as_bytes().unwrap_or_default());
            let start: String = text.chars().take(SHOWN_LENGTH).collect();
            format!("'{}'", start.replace('\'', "''"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn date_is_that_of_the_calendar_also_in_far_years() {
        for day in -719_528..2_932_896 {
            if day % 97 == 0 || (-800..800).contains(&day) {
                let epoch = jiff::civil::date(1970, 1, 1);
                let expected = epoch.checked_add(jiff::Span::new().days(day)).unwrap();
                assert_eq!(date(day), expected.to_string(), "{day}");
            }
        }
        // As `date --date=@N` has them.
        assert_eq!(date(2_932_897), "10000-01-01");
        assert_eq!(readings(1_795_708_367_559), "58873-09-24 as seconds, 2026-11-26 as milliseconds");
        assert!(readings(i64::MAX).starts_with("292277026596-12-04 as seconds"), "{}", readings(i64::MAX));
    }
}
