//! The catalog of a schema: its tables with their columns, keys and conditions.

use crate::auth::storage::{KeyFault, StoreError};
use crate::store::engine::{CatalogCheck, CatalogColumn, CatalogTable, ForeignKey, OnDelete, Row, Tx, Value};

const COLUMNS: &str = "SELECT c.relname, a.attname, NOT a.attnotnull, a.attgenerated <> '' OR a.attidentity = 'a',
    EXISTS (SELECT 1 FROM pg_catalog.pg_constraint AS k
            WHERE k.conrelid = c.oid AND k.contype = 'p' AND a.attnum = ANY (k.conkey))
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
    WHERE n.nspname = ?1 AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY c.oid, a.attnum";

/// The foreign keys, with a row for each pair of columns.
const KEYS: &str = "SELECT c.relname, k.conname, p.relname, a.attname, r.attname, k.confdeltype::text
    FROM pg_catalog.pg_constraint AS k JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_catalog.pg_class AS p ON p.oid = k.confrelid
    CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey))
        WITH ORDINALITY AS pair (own, referred, place)
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = pair.own
    JOIN pg_catalog.pg_attribute AS r ON r.attrelid = k.confrelid AND r.attnum = pair.referred
    WHERE n.nspname = ?1 AND k.contype = 'f' AND k.conparentid = 0 ORDER BY c.oid, k.oid, pair.place";

/// The conditions, with a row for each of their columns.
const CHECKS: &str = "SELECT c.relname, k.conname, pg_catalog.pg_get_expr(k.conbin, k.conrelid), a.attname
    FROM pg_catalog.pg_constraint AS k JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
    WHERE n.nspname = ?1 AND k.contype = 'c' ORDER BY c.oid, k.oid, a.attnum";

/// Names the columns that an index of a schema keeps unique, by its name, which is also that of its constraint.
pub(super) const UNIQUE: &str =
    "SELECT string_agg(t.relname || '.' || a.attname, ', ' ORDER BY array_position(i.indkey::int2[], a.attnum))
    FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid AND a.attnum > 0
    WHERE n.nspname = ?1 AND c.relname = ?2 AND (a.attnum = ANY (i.indkey)
        OR EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS d WHERE d.classid = 'pg_catalog.pg_class'::regclass
            AND d.refclassid = d.classid AND d.objid = c.oid AND d.refobjid = t.oid AND d.refobjsubid = a.attnum))";

/// Reads the catalog of a schema.
pub(super) fn read(tx: &mut dyn Tx, schema: &str) -> Result<Vec<CatalogTable>, StoreError> {
    let mut tables: Vec<CatalogTable> = Vec::new();
    let of_schema = [Value::from(schema)];
    tx.each(COLUMNS, &of_schema, |row| {
        let (name, column) = (row.text(0)?, column(row)?);
        match tables.last_mut().filter(|table| table.name == name) {
            Some(table) => table.columns.push(column),
            None => {
                tables.push(CatalogTable { name, columns: vec![column], foreign_keys: Vec::new(), checks: Vec::new() });
            }
        }
        Ok(())
    })?;
    let mut last = String::new();
    tx.each(KEYS, &of_schema, |row| {
        let (table, name, parent) = (row.text(0)?, row.text(1)?, row.text(2)?);
        let (own, referred, action) = (row.text(3)?, row.text(4)?, on_delete(row)?);
        let Some(table) = tables.iter_mut().find(|known| known.name == table) else { return Ok(()) };
        let name = [&table.name, ".", &name].concat();
        let is_never_null = table.columns.iter().any(|column| column.name == own && !column.is_nullable);
        let fault = (action == OnDelete::Clear && is_never_null).then_some(KeyFault::NeverNull);
        match table.foreign_keys.last_mut().filter(|_| last == name) {
            Some(key) => {
                key.columns.push((own, referred));
                key.fault = key.fault.or(fault);
            }
            None => {
                table.foreign_keys.push(ForeignKey {
                    parent,
                    columns: vec![(own, referred)],
                    on_delete: action,
                    fault,
                });
            }
        }
        last = name;
        Ok(())
    })?;
    tx.each(CHECKS, &of_schema, |row| {
        let (table, label, condition, column) = (row.text(0)?, row.text(1)?, row.text(2)?, row.text(3)?);
        let Some(table) = tables.iter_mut().find(|known| known.name == table) else { return Ok(()) };
        match table.checks.iter_mut().find(|known| known.label == label) {
            Some(check) => check.names.push(column),
            None => table.checks.push(CatalogCheck { label, condition, names: vec![column], quoted: Vec::new() }),
        }
        Ok(())
    })?;
    Ok(tables)
}

fn column(row: &Row<'_>) -> Result<CatalogColumn, StoreError> {
    Ok(CatalogColumn {
        name: row.text(1)?,
        is_nullable: row.truth(2)?,
        is_computed: row.truth(3)?,
        is_key: row.truth(4)?,
    })
}

/// The action of a key, as its letter in the catalog says.
fn on_delete(row: &Row<'_>) -> Result<OnDelete, StoreError> {
    Ok(match row.text(5)?.as_str() {
        "c" => OnDelete::Cascade,
        "n" | "d" => OnDelete::Clear,
        "r" => OnDelete::Refuse,
        _ => OnDelete::RefuseAtEnd,
    })
}
