//! What the recognition reads of a database. An engine reads each part when it is asked for, so that an app with
//! hundreds of tables costs no more than one with four.

use crate::auth::storage::{GuestTrigger, StoreError};
use crate::store::engine::{Catalog, Tx};
use crate::store::mapping::{IdStrategy, IntegerType};

/// A table of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct FoundTable {
    /// The name as the database spells it.
    pub(in crate::store) name: String,
    /// Whether the engine can tell the order in which rows were inserted.
    pub(in crate::store) has_insertion_order: bool,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct FoundColumn {
    pub(in crate::store) name: String,
    /// The declared type, as the database spells it.
    pub(in crate::store) declared: String,
    pub(in crate::store) not_null: bool,
    /// The expression that fills it, as the database spells it.
    pub(in crate::store) default: Option<String>,
    /// Whether the column is part of the primary key.
    pub(in crate::store) key: bool,
    /// Whether the database computes the values from other columns.
    pub(in crate::store) is_computed: bool,
    /// What its type can hold.
    pub(in crate::store) holds: ColumnType,
}

/// What a type of the database can hold, as far as that decides how a column is read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum ColumnType {
    /// Numbers and texts: only the values show what they mean.
    ShownByValues,
    Boolean,
    /// Instants.
    Instant,
    /// Dates with a time of day, in a zone that the type does not tell.
    LocalTime {
        /// Whether it has exactly the digits of milliseconds.
        has_milliseconds: bool,
    },
    Uuid,
    Integer(IntegerType),
    /// Texts that the database compares without regard to letters that differ.
    AlikeText,
    /// Several texts.
    Texts,
    /// Neither instants nor booleans, such as dates without a time of day.
    Other,
}

/// What shows that a tool made the tables.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::store) struct Signs {
    pub(in crate::store) is_of_prisma: bool,
    pub(in crate::store) is_of_drizzle: bool,
}

/// The tables of a database.
pub(in crate::store) trait Description {
    /// Finds a table, also if the case of letters differs.
    fn table(&self, name: &str) -> Result<Option<FoundTable>, StoreError>;

    /// The columns of a table, in their order; none if it does not exist.
    fn columns(&self, table: &str) -> Result<Vec<FoundColumn>, StoreError>;

    /// The triggers on a table, by name.
    fn triggers(&self, table: &str) -> Result<Vec<GuestTrigger>, StoreError>;

    /// The names of all tables, and of all views, in the order of the alphabet.
    fn table_names(&self) -> Result<Vec<String>, StoreError>;
    fn view_names(&self) -> Result<Vec<String>, StoreError>;

    /// A table as a statement spells it.
    fn place(&self, table: &str) -> String;

    /// How a column stores ids, if its type alone says it. Takes the table and its columns too.
    fn ids_of_type(&self, column: &FoundColumn, table: &FoundTable, columns: &[FoundColumn]) -> Option<IdStrategy>;

    /// What shows that a tool made the tables.
    fn signs(&self) -> Signs {
        Signs::default()
    }

    /// Runs queries that change nothing.
    fn read(&self, queries: &mut dyn FnMut(&mut dyn Tx) -> Result<(), StoreError>) -> Result<(), StoreError>;
}

impl dyn Description + '_ {
    /// Every table that holds rows of its own, with its keys.
    pub(super) fn catalog(&self) -> Result<Catalog, StoreError> {
        let mut catalog = Catalog::from([]);
        self.read(&mut |tx| {
            catalog = tx.catalog()?;
            Ok(())
        })?;
        Ok(catalog)
    }
}
