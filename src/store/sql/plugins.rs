//! The tables of plugins: what the checks of `doctor` read in them, and how they encode instants and booleans. Each has
//! the encoding of its app, and no mapping lists them.

use jiff::Timestamp;

use super::inventory::{Inventory, Referring};
use super::organizations::Organizations;
use super::{SqlStore, prune};
use crate::auth::prune::{Expiring, Pruning};
use crate::auth::storage::{BrokenKey, BrokenReference, OddFactors, PluginStore, StoreError};
use crate::store::engine::{CatalogTable, Tx, Value, ValueRef};
use crate::store::mapping::{
    Elected, FoundPlugin, IdStrategy, SchemaMapping, TimeEncoding, TruthEncoding, TruthValues, Votes, identifier,
    is_uuid, spells_false,
};

impl PluginStore for SqlStore {
    fn count_expired_rows(&mut self, kind: Expiring, now: Timestamp) -> Result<u64, StoreError> {
        self.read(|tx, mapping| prune::count(tx, mapping, kind, now))
    }

    fn prune_rows(&mut self, kind: Expiring, now: Timestamp, pruning: &mut Pruning) -> Result<u64, StoreError> {
        let expired = self.read(|tx, mapping| prune::find(tx, mapping, kind, now, pruning.wanted()))?;
        self.prune_part(pruning, &expired.ids, |tx, mapping, log, ids| {
            expired.tell(tx);
            prune::delete(tx, mapping, log, ids, kind, now)
        })
    }

    fn broken_references(&mut self) -> Result<Vec<BrokenReference>, StoreError> {
        self.read_without_times(broken_references)
    }

    fn broken_keys(&mut self) -> Result<Vec<BrokenKey>, StoreError> {
        self.read_without_times(|tx, _| Ok(tx.catalog()?.iter().flat_map(CatalogTable::broken_keys).collect()))
    }

    fn odd_factors(&mut self) -> Result<OddFactors, StoreError> {
        self.read_without_times(odd_factors)
    }

    fn tables_with_too_many_keys(&mut self) -> Result<Vec<String>, StoreError> {
        self.read_without_times(tables_with_too_many_keys)
    }

    fn organizations_without_owner(&mut self) -> Result<Vec<String>, StoreError> {
        self.read_without_times(organizations_without_owner)
    }
}

/// Counts rows whose references lead nowhere, by table and column.
fn broken_references(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<Vec<BrokenReference>, StoreError> {
    let inventory = Inventory::read(tx, mapping)?;
    let mut broken = Vec::new();
    for Referring { table, columns, parents } in inventory.referring() {
        // `orphans` reports the rows of these tables.
        if ["session", "account"].iter().any(|core| mapping.table(core) == table) && !is_impersonator(mapping, &columns)
        {
            continue;
        }
        let child = identifier(&table);
        let mut conditions: Vec<String> =
            columns.iter().map(|column| format!("{child}.{} IS NOT NULL", identifier(column))).collect();
        if is_impersonator(mapping, &columns) {
            // An operator of the operating system has no row.
            let by = (inventory.dialect.text)(&format!("{child}.{}", identifier(&columns[0])));
            conditions.push(format!("{by} NOT LIKE 'os:%'"));
        }
        for (parent, referred) in &parents {
            // A table may refer to itself.
            let same: Vec<String> = columns
                .iter()
                .zip(referred)
                .map(|(own, referred)| {
                    let [referred, own] = inventory.compared(
                        (parent, referred, format!("parent.{}", identifier(referred))),
                        (&table, own, format!("{child}.{}", identifier(own))),
                    );
                    format!("{referred} = {own}")
                })
                .collect();
            conditions.push(format!(
                "NOT EXISTS (SELECT 1 FROM {} AS parent WHERE {})",
                identifier(parent),
                same.join(" AND ")
            ));
        }
        let sql = format!("SELECT count(*) FROM {child} WHERE {}", conditions.join(" AND "));
        let rows = tx.count(&sql, &[])?;
        if rows > 0 {
            let parents = parents.into_iter().map(|(parent, _)| parent).collect();
            broken.push(BrokenReference { table, column: columns.join(", "), parents, rows });
        }
    }
    Ok(broken)
}

fn is_impersonator(mapping: &SchemaMapping, columns: &[String]) -> bool {
    matches!(columns, [column] if mapping.column("session", "impersonatedBy") == Some(column.as_str()))
}

/// Counts users whose flag and whose second factor do not fit.
fn odd_factors(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<OddFactors, StoreError> {
    let inventory = Inventory::read(tx, mapping)?;
    let (Some(found), true) = (inventory.plugin("twoFactor"), mapping.has("user", "twoFactorEnabled")) else {
        return Ok(OddFactors::default());
    };
    let Some(owner) = quoted(found, "userId") else { return Ok(OddFactors::default()) };
    let table = identifier(&found.table);
    let verified = quoted(found, "verified").unwrap_or_else(|| "NULL".to_owned());
    let of_user = format!(r#"FROM {table} WHERE {table}.{owner} = "user"."id""#);
    let is_confirmed = format!("NOT {}", spells_false(&verified, inventory.dialect));
    let flag = r#""user"."twoFactorEnabled""#;
    let flag = format!("({flag} IS NOT NULL AND NOT {})", spells_false(flag, inventory.dialect));
    let mut users = |condition: &str| {
        let sql = format!(r#"SELECT count(*) FROM "user" WHERE {condition}"#);
        tx.count(&mapping.sql(sql), &[])
    };
    Ok(OddFactors {
        missing: users(&format!("{flag} AND NOT EXISTS (SELECT 1 {of_user})"))?,
        unverified: users(&format!(
            "{flag} AND EXISTS (SELECT 1 {of_user}) AND NOT EXISTS (SELECT 1 {of_user} AND {is_confirmed})"
        ))?,
        left: users(&format!("NOT {flag} AND EXISTS (SELECT 1 {of_user} AND {is_confirmed})"))?,
    })
}

/// The tables whose rows no act can delete.
fn tables_with_too_many_keys(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<Vec<String>, StoreError> {
    let inventory = Inventory::read(tx, mapping)?;
    let core = ["user", "session"].map(|table| mapping.table(table));
    let plugins = Expiring::ALL.iter().filter_map(|kind| inventory.plugin(kind.table())).map(|found| &*found.table);
    let is_too_much = |table: &&str| matches!(inventory.steps(table, "TRUE"), Err(StoreError::TooManyKeys(_)));
    Ok(core.into_iter().chain(plugins).filter(is_too_much).map(str::to_owned).collect())
}

/// The slugs of organizations without an owner.
fn organizations_without_owner(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<Vec<String>, StoreError> {
    let inventory = Inventory::read(tx, mapping)?;
    Organizations::find(&inventory, mapping).map_or(Ok(Vec::new()), |found| found.without_owner(tx))
}

/// The name of a plugin's column, quoted for SQL; `None` if the database lacks it.
pub(super) fn quoted(found: &FoundPlugin, column: &str) -> Option<String> {
    found.column(column).map(identifier)
}

/// As [`quoted`], for a column that is written; `None` if the database computes it.
pub(super) fn quoted_to_write(found: &FoundPlugin, column: &str) -> Option<String> {
    found.written_column(column).map(identifier)
}

/// Reads an instant in the encoding that the type of its column shows, else in whatever encoding it shows itself.
pub(super) fn instant(value: ValueRef<'_>, declared: Option<TimeEncoding>) -> Option<Timestamp> {
    declared.or_else(|| TimeEncoding::shown_by(value)).and_then(|encoding| encoding.read(value))
}

/// Whether an instant has come. A value that cannot be read has not.
pub(super) fn is_over(value: ValueRef<'_>, declared: Option<TimeEncoding>, now: Timestamp) -> bool {
    instant(value, declared).is_some_and(|instant| instant <= now)
}

/// The encoding of times of the first column whose type or values show one, else the usual one of the database. Takes the
/// names as SQL spells them.
pub(super) fn time_encoding(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    table: &str,
    columns: &[&str],
) -> Result<TimeEncoding, StoreError> {
    let catalog = tx.catalog()?;
    let mut all = catalog.iter().filter(|found| identifier(&found.name) == table).flat_map(|found| &found.columns);
    let kind = columns.first().and_then(|column| all.find(|found| identifier(&found.name) == **column));
    let kind = kind.map(|column| column.kind.as_str()).unwrap_or_default();
    if let Some(encoding) = mapping.times.of_type(kind) {
        return Ok(encoding);
    }
    for column in columns {
        let mut votes = Votes::default();
        each_value(tx, table, column, |value| {
            if let Some(encoding) = TimeEncoding::shown_by(value) {
                votes.add(encoding);
            }
        })?;
        if let Some(Elected::One(encoding) | Elected::Tie(encoding, _)) = votes.elected() {
            return Ok(encoding);
        }
    }
    Ok(mapping.times.of_empty(kind))
}

/// How ids of new rows are made: as those of other rows are, else as those of users; `None` where the database chooses them.
/// Takes the table and its column as SQL spells them.
pub(super) fn id_strategy(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    (table, id): (&str, &str),
) -> Result<Option<IdStrategy>, StoreError> {
    let sample = tx.query_one(&format!("SELECT {id} FROM {table} LIMIT 1"), &[], |row| Ok(row.value(0)?.to_value()))?;
    Ok(match &sample {
        None => Some(mapping.ids.of("user")).filter(|strategy| !strategy.is_chosen_by_database()),
        Some(Value::Integer(_)) => None,
        Some(Value::Blob(_)) => Some(IdStrategy::UuidBytes),
        Some(Value::Text(text)) if is_uuid(text) => Some(IdStrategy::Uuid),
        Some(_) => Some(IdStrategy::Text),
    })
}

/// The id of a new row, made of random text as [`id_strategy`] says.
pub(super) fn new_id(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    place: (&str, &str),
    random: &str,
) -> Result<Option<Value>, StoreError> {
    let strategy = id_strategy(tx, mapping, place)?;
    Ok(strategy.map(|strategy| strategy.write(&strategy.make(random))))
}

/// The encoding of booleans of a column.
pub(super) fn truth_encoding(tx: &mut dyn Tx, table: &str, column: &str) -> Result<TruthEncoding, StoreError> {
    let mut values = TruthValues::default();
    each_value(tx, table, column, |value| values.add(value))?;
    Ok(match values.elected() {
        Some(Elected::One(encoding) | Elected::Tie(encoding, _)) => encoding,
        None => TruthEncoding::Number,
    })
}

fn each_value(
    tx: &mut dyn Tx,
    table: &str,
    column: &str,
    mut found: impl FnMut(ValueRef<'_>),
) -> Result<(), StoreError> {
    tx.each(&format!("SELECT {column} FROM {table}"), &[], |row| {
        found(row.value(0)?);
        Ok(())
    })
}
