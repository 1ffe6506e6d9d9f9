//! What the checks of `doctor` read in the tables of plugins.

use super::inventory::{Inventory, Referring};
use super::organizations::Organizations;
use super::plugin_values::{FALSE, quoted};
use crate::auth::prune::Expiring;
use crate::auth::storage::{BrokenReference, OddFactors, StoreError};
use crate::store::engine::Tx;
use crate::store::mapping::{SchemaMapping, identifier};

/// Counts rows whose references lead nowhere, by table and column.
pub(super) fn broken_references(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<Vec<BrokenReference>, StoreError> {
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
            conditions.push(format!("{child}.{} NOT LIKE 'os:%'", identifier(&columns[0])));
        }
        for (parent, referred) in &parents {
            // A table may refer to itself.
            let same: Vec<String> = columns
                .iter()
                .zip(referred)
                .map(|(own, referred)| format!("parent.{} = {child}.{}", identifier(referred), identifier(own)))
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
pub(super) fn odd_factors(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<OddFactors, StoreError> {
    let inventory = Inventory::read(tx, mapping)?;
    let (Some(found), true) = (inventory.plugin("twoFactor"), mapping.has("user", "twoFactorEnabled")) else {
        return Ok(OddFactors::default());
    };
    let Some(owner) = quoted(found, "userId") else { return Ok(OddFactors::default()) };
    let table = identifier(&found.table);
    let verified = quoted(found, "verified").unwrap_or_else(|| "NULL".to_owned());
    let of_user = format!(r#"FROM {table} WHERE {table}.{owner} = "user"."id""#);
    let is_confirmed = format!("({verified} IS NULL OR {verified} NOT IN ({FALSE}))");
    let flag = format!(r#"("user"."twoFactorEnabled" IS NOT NULL AND "user"."twoFactorEnabled" NOT IN ({FALSE}))"#);
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
pub(super) fn tables_in_too_many_chains(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<Vec<String>, StoreError> {
    let inventory = Inventory::read(tx, mapping)?;
    let core = ["user", "session"].map(|table| mapping.table(table));
    let plugins = Expiring::ALL.iter().filter_map(|kind| inventory.plugin(kind.table())).map(|found| &*found.table);
    let is_too_much = |table: &&str| matches!(inventory.steps(table, "TRUE"), Err(StoreError::TooManyChains(_)));
    Ok(core.into_iter().chain(plugins).filter(is_too_much).map(str::to_owned).collect())
}

/// The slugs of organizations without an owner.
pub(super) fn organizations_without_owner(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<Vec<String>, StoreError> {
    let inventory = Inventory::read(tx, mapping)?;
    Organizations::find(&inventory).map_or(Ok(Vec::new()), |found| found.without_owner(tx))
}
