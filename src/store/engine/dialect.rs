//! What the SQL of engines has different words for.

use super::Value;
use crate::store::mapping::SchemaMapping;

/// Words that engines spell differently.
#[derive(Debug)]
pub(in crate::store) struct Dialect {
    /// The function that returns the position of its second text in its first, from 1, or 0.
    pub(in crate::store) position: &'static str,
    /// A column that follows the order of insertion and needs no sorting, in tables that have one. It orders
    /// rows of the same second.
    pub(in crate::store) insertion: &'static str,
    /// The operator that compares a text with a pattern, without regard to the case of ASCII letters.
    pub(in crate::store) like: &'static str,
    /// Stands before a column that is read from its table and not from an index.
    pub(in crate::store) unindexed: &'static str,
    /// A column as a search reads it.
    pub(in crate::store) searched: fn(&str) -> String,
    /// False and true, as a native database stores them.
    pub(in crate::store) truths: [&'static str; 2],
    /// The condition for rows in which a column holds text. A column of SQLite may hold anything.
    pub(in crate::store) is_text: fn(&str) -> String,
    /// The text of a column of any type, for conditions.
    pub(in crate::store) text: fn(&str) -> String,
    /// Orders texts and compares them by their bytes, whatever the language of the database.
    pub(in crate::store) bytewise: fn(&str) -> String,
    /// The condition for rows in which a column holds a whole number.
    pub(in crate::store) is_integer: fn(&str) -> String,
    /// The condition for rows in which a column holds 0 or 1, as a number or text. Takes the digit.
    pub(in crate::store) is_digit: fn(column: &str, digit: char) -> String,
    /// The condition for rows in which a column holds a number that may be an instant and is no boolean.
    pub(in crate::store) is_late: fn(&str) -> String,
    /// A value of a key among those of other tables, which have other types and collations.
    pub(in crate::store) key: fn(&str) -> String,
    /// A column that is compared with such values.
    pub(in crate::store) beside_keys: fn(&str) -> String,
    /// The part of a recursive query that follows its first one. Each [`Step`] is joined with the rows found so far.
    pub(in crate::store) recursion: fn(found: &str, steps: &[Step]) -> String,
    /// The condition for rows in which a column holds a text, without regard to the case of ASCII letters.
    pub(in crate::store) is_spelled: fn(column: &str, text: &str) -> String,
    /// Whether text may have the character NUL.
    pub(in crate::store) has_nul: bool,
    /// How a statement meets many rows; `None` if a statement for each row costs no more.
    pub(in crate::store) many: Option<Many>,
    /// The index for searches, in databases that authctl made; `None` if the engine needs none.
    pub(in crate::store) search: Option<&'static SearchIndex>,
}

/// How a statement meets many rows.
#[derive(Debug)]
pub(in crate::store) struct Many {
    /// How many at most.
    pub(in crate::store) rows: usize,
    /// The condition for rows in which a column holds one of the values that a parameter lists.
    pub(in crate::store) is_listed: fn(column: &str, parameter: &str) -> String,
    /// The parameter that lists some values.
    pub(in crate::store) list: fn(&mut dyn Iterator<Item = &Value>) -> Value,
}

/// One of the ways from the rows that a recursive query has found to others.
#[derive(Debug)]
pub(in crate::store) struct Step {
    /// What it selects of a row.
    pub(in crate::store) select: String,
    /// The tables, and the condition that joins them with the rows found so far.
    pub(in crate::store) from: String,
}

/// An index of the names and addresses of users. It finds every user with a text, and may find others.
#[derive(Debug)]
pub(in crate::store) struct SearchIndex {
    /// The statement that adds the user with an id.
    pub(in crate::store) add: &'static str,
    /// The statement that adds the users behind a place.
    pub(in crate::store) add_since: &'static str,
    /// Selects the place of the user who was added last.
    pub(in crate::store) last_place: &'static str,
    /// The statement that adds all users to an empty index.
    pub(in crate::store) fill: &'static str,
    /// The statement that removes the user with an id.
    pub(in crate::store) remove: &'static str,
    /// Selects the value of [`Dialect::insertion`] of the users whom a term finds.
    pub(in crate::store) rows: &'static str,
    /// Counts the users whom a term finds, up to a limit.
    pub(in crate::store) count: &'static str,
    /// Two statements that select the addresses and places of some users at each end of the table.
    pub(in crate::store) ends: [&'static str; 2],
    /// Selects the address and place of the user who was added last.
    pub(in crate::store) last: &'static str,
    /// Counts the users at a place whom a term finds: one or none.
    pub(in crate::store) has: &'static str,
    /// The term for a text; `None` if the index cannot find it.
    pub(in crate::store) term: fn(&str) -> Option<String>,
}

impl Dialect {
    /// The column by which rows of a table are ordered by insertion, or at least always in the same way.
    pub(in crate::store) fn order(&self, mapping: &SchemaMapping, table: &str) -> &'static str {
        if mapping.without_insertion_order.contains(&table) { r#""id""# } else { self.insertion }
    }

    /// How many rows a statement meets at most, where acts meet many.
    pub(in crate::store) fn rows_per_statement(&self) -> usize {
        self.many.as_ref().map_or(1, |many| many.rows)
    }

    /// The condition for rows in which a column holds one of the values of a parameter of [`Self::lists`].
    pub(in crate::store) fn is_listed(&self, column: &str, parameter: &str) -> String {
        match &self.many {
            Some(many) => (many.is_listed)(column, parameter),
            None => format!("{column} = {parameter}"),
        }
    }

    /// The parameters of the statements that find the rows of some keys: one for each column of the keys.
    pub(in crate::store) fn lists<K: AsRef<[Value]>>(&self, keys: &[K]) -> impl Iterator<Item = Vec<Value>> {
        keys.chunks(self.rows_per_statement()).map(|keys| {
            let first = keys[0].as_ref();
            let Some(many) = &self.many else { return first.to_vec() };
            let column = |place| keys.iter().filter_map(move |key| key.as_ref().get(place));
            (0..first.len()).map(|place| (many.list)(&mut column(place))).collect()
        })
    }
}
