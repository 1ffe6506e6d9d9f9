//! What a deletion does to the rows of other tables: it counts them, makes way, and names what keeps a row.

use super::constraints::explain_deletion;
use super::inventory::{Effect, Inventory};
use super::organizations::lower_member_counts;
use crate::auth::storage::{Holder, Release, StoreError, TableRows};
use crate::store::engine::{Tx, Value};
use crate::store::mapping::identifier;

/// What a deletion does to rows of another table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct Step {
    /// The table, in the name of the database.
    pub(in crate::store) table: String,
    /// The columns that refer to the rows that go.
    pub(in crate::store) columns: Vec<String>,
    /// Selects the rows. It holds until the rows of the following steps are deleted.
    pub(in crate::store) condition: String,
    pub(in crate::store) effect: Effect,
    /// Selects all rows of the table that go.
    pub(super) gone: String,
    /// What helps where the rows keep others.
    pub(in crate::store) release: Release,
}

impl Step {
    /// Its rows, as what keeps others.
    pub(super) fn holder(&self, rows: u64) -> Holder {
        let (table, column) = (self.table.clone(), self.columns.join(", "));
        Holder { table, column, rows, release: self.release.clone() }
    }

    /// Selects those of some rows of the table that do not go.
    fn staying(&self, rows: &str) -> String {
        if self.gone.is_empty() { rows.to_owned() } else { format!("({rows}) AND ({}) IS NOT TRUE", self.gone) }
    }
}

/// Deletes and changes the rows that must go before the rows that they refer to. `values` are those of the condition
/// that the steps were made for.
///
/// # Errors
/// [`StoreError::Held`] when rows of the app keep the others.
pub(in crate::store) fn make_way(
    tx: &mut dyn Tx,
    inventory: &Inventory,
    steps: &[Step],
    values: &[Value],
) -> Result<(), StoreError> {
    let holders = holders(tx, steps, values)?;
    if !holders.is_empty() {
        return Err(StoreError::Held(holders));
    }
    for step in steps {
        let (table, condition) = (identifier(&step.table), &step.condition);
        match step.effect {
            Effect::Delete => {
                lower_member_counts(tx, inventory, (&step.table, condition), values)?;
                tx.delete(&format!("DELETE FROM {table} WHERE {condition}"), values)
                    .map_err(|error| explain_deletion(tx, steps, values, error))?;
            }
            Effect::Clear => {
                let clearable = step.columns.iter().filter(|column| inventory.is_nullable(&step.table, column));
                let columns: Vec<_> = clearable.map(|column| format!("{} = NULL", identifier(column))).collect();
                tx.update_until_none(&table, &columns.join(", "), condition, values, &[])
                    .map_err(|error| explain_deletion(tx, steps, values, error))?;
            }
            Effect::Cascade | Effect::Cleared | Effect::Hold | Effect::HoldToEnd => {}
        }
    }
    Ok(())
}

/// The deletion of the rows of a table that a condition selects, with what must go before them.
pub(in crate::store) struct RowDeletion<'i> {
    pub(super) inventory: &'i Inventory,
    pub(super) steps: Vec<Step>,
    pub(super) delete: String,
}

impl RowDeletion<'_> {
    /// Whether one statement deletes a row, so that a failure leaves nothing half done.
    pub(super) fn is_one_statement(&self) -> bool {
        self.steps.iter().all(|step| !matches!(step.effect, Effect::Delete | Effect::Clear))
    }

    /// Deletes the rows, and returns their number: 0 if they are gone. `values` are those of the condition.
    ///
    /// # Errors
    /// As for [`make_way`]. Then some of the rows that refer to them may be gone.
    pub(in crate::store) fn run(&self, tx: &mut dyn Tx, values: &[Value]) -> Result<u64, StoreError> {
        make_way(tx, self.inventory, &self.steps, values)?;
        let deleted = tx.delete(&self.delete, values);
        deleted.map_err(|error| explain_deletion(tx, &self.steps, values, error))
    }

    /// As [`Self::run`], for the rows of some keys.
    pub(in crate::store) fn run_for<K: AsRef<[Value]>>(&self, tx: &mut dyn Tx, keys: &[K]) -> Result<u64, StoreError> {
        tx.dialect().lists(keys).try_fold(0, |deleted, lists| Ok(deleted + self.run(tx, &lists)?))
    }
}

/// The rows of the app that keep the others.
fn holders(tx: &mut dyn Tx, steps: &[Step], values: &[Value]) -> Result<Vec<Holder>, StoreError> {
    let mut holders = Vec::new();
    for step in steps.iter().filter(|step| matches!(step.effect, Effect::Hold | Effect::HoldToEnd)) {
        // Within a statement, SQLite looks at keys without an action at its end.
        let is_late = step.effect == Effect::HoldToEnd;
        let condition = if is_late { step.staying(&step.condition) } else { step.condition.clone() };
        let rows = count(tx, &step.table, &condition, values)?;
        if rows > 0 {
            holders.push(step.holder(rows));
        }
    }
    Ok(holders)
}

/// Counts the rows that steps delete and change, by table.
pub(in crate::store) fn reach(tx: &mut dyn Tx, steps: &[Step], values: &[Value]) -> Result<Vec<TableRows>, StoreError> {
    let mut tables: Vec<TableRows> = Vec::new();
    for step in steps {
        if tables.iter().any(|known| known.table == step.table) {
            continue;
        }
        let of_table = steps.iter().filter(|one| one.table == step.table);
        let cleared = of_table.filter(|one| matches!(one.effect, Effect::Clear | Effect::Cleared));
        let cleared: Vec<String> = cleared.map(|one| format!("({})", one.condition)).collect();
        let cleared =
            if cleared.is_empty() { 0 } else { count(tx, &step.table, &step.staying(&cleared.join(" OR ")), values)? };
        let goes = steps.iter().any(|one| one.table == step.table && one.effect.goes());
        let deleted = if goes { count(tx, &step.table, &step.gone, values)? } else { 0 };
        tables.push(TableRows { table: step.table.clone(), deleted, cleared });
    }
    tables.retain(|table| table.deleted + table.cleared > 0);
    Ok(tables)
}

/// Counts the rows of a table of the database.
pub(in crate::store) fn count(
    tx: &mut dyn Tx,
    table: &str,
    condition: &str,
    values: &[Value],
) -> Result<u64, StoreError> {
    tx.count(&format!("SELECT count(*) FROM {} WHERE {condition}", identifier(table)), values)
}
