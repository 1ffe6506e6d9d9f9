//! The catalog of a schema: its tables with their columns, keys and conditions.

use crate::auth::storage::{KeyFault, StoreError};
use crate::store::engine::{CatalogCheck, CatalogColumn, CatalogTable, ForeignKey, OnDelete, Row, Tx, Value};
use crate::store::mapping::identifier;

/// The tables of the schema `?1`, and those of other schemas whose foreign keys lead to them, through others or not. The
/// names of the latter begin with their schema, and the role may have no rights there.
const TABLES: &str = "WITH RECURSIVE reached (oid) AS (
    SELECT c.oid FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = ?1 AND c.relkind IN ('r', 'p')
    UNION SELECT k.conrelid FROM reached JOIN pg_catalog.pg_constraint AS k ON k.confrelid = reached.oid
    WHERE k.contype = 'f' AND k.conparentid = 0),
    named (oid, name, schema, own) AS (
    SELECT c.oid, CASE WHEN n.nspname = ?1 THEN c.relname::text ELSE n.nspname || '.' || c.relname END,
        n.nspname::text, c.relname::text
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace)";

/// The columns of the tables.
const COLUMNS: &str =
    "SELECT t.name, t.schema, t.own, a.attname, NOT a.attnotnull, a.attgenerated <> '' OR a.attidentity = 'a',
    EXISTS (SELECT 1 FROM pg_catalog.pg_constraint AS k
            WHERE k.conrelid = t.oid AND k.contype = 'p' AND a.attnum = ANY (k.conkey)),
    pg_catalog.format_type(a.atttypid, a.atttypmod),
    (SELECT string_agg(e.enumlabel, E'\\n' ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum AS e
     WHERE e.enumtypid = a.atttypid)
    FROM reached JOIN named AS t ON t.oid = reached.oid JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid
    WHERE a.attnum > 0 AND NOT a.attisdropped ORDER BY t.oid, a.attnum";

/// The foreign keys that the server enforces, with a row for each pair of columns and whether a deletion would write NULL to one
/// that is never NULL. Since version 15 `SET NULL` may name some of the columns, and since version 18 the server need not enforce a
/// constraint.
const KEYS: &str = "SELECT t.name, k.conname, p.name, a.attname, r.attname, k.confdeltype::text,
        a.attnotnull AND k.confdeltype = 'n' AND coalesce(NULLIF(of.columns, 'null') @> pg_catalog.to_jsonb(a.attnum), TRUE)
    FROM reached JOIN named AS t ON t.oid = reached.oid JOIN pg_catalog.pg_constraint AS k ON k.conrelid = t.oid
    JOIN named AS p ON p.oid = k.confrelid
    CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey))
        WITH ORDINALITY AS pair (own, referred, place)
    CROSS JOIN LATERAL (SELECT pg_catalog.to_jsonb(k) -> 'confdelsetcols', pg_catalog.to_jsonb(k) ->> 'conenforced')
        AS of (columns, enforced)
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = pair.own
    JOIN pg_catalog.pg_attribute AS r ON r.attrelid = k.confrelid AND r.attnum = pair.referred
    WHERE k.contype = 'f' AND k.conparentid = 0 AND of.enforced IS DISTINCT FROM 'false'
    ORDER BY t.oid, k.oid, pair.place";

/// The conditions that the server enforces, with a row for each of their columns.
const CHECKS: &str = "SELECT t.name, k.conname, pg_catalog.pg_get_expr(k.conbin, k.conrelid), a.attname
    FROM reached JOIN named AS t ON t.oid = reached.oid JOIN pg_catalog.pg_constraint AS k ON k.conrelid = t.oid
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
    WHERE k.contype = 'c' AND pg_catalog.to_jsonb(k) ->> 'conenforced' IS DISTINCT FROM 'false' ORDER BY t.oid, k.oid, a.attnum";

/// Names the columns that an index of a schema keeps unique, by its name, which is also that of its constraint.
pub(super) const UNIQUE: &str =
    "SELECT string_agg(t.relname || '.' || a.attname, ', ' ORDER BY array_position(i.indkey::int2[], a.attnum))
    FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid AND a.attnum > 0
    WHERE n.nspname = ?1 AND c.relname = ?2 AND (a.attnum = ANY (i.indkey)
        OR EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS d WHERE d.classid = 'pg_catalog.pg_class'::regclass
            AND d.refclassid = d.classid AND d.objid = c.oid AND d.refobjid = t.oid AND d.refobjsubid = a.attnum))";

/// Reads the catalog of a schema. Returns also the tables of other schemas in it: their names there, and as SQL spells them.
pub(super) fn read(tx: &mut dyn Tx, schema: &str) -> Result<(Vec<CatalogTable>, Vec<[String; 2]>), StoreError> {
    let (mut tables, mut elsewhere): (Vec<CatalogTable>, Vec<[String; 2]>) = (Vec::new(), Vec::new());
    let of_schema = [Value::from(schema)];
    let of_tables = |sql: &str| [TABLES, sql].join(" ");
    tx.ask_along(&[KEYS, CHECKS].map(|sql| (of_tables(sql), of_schema.to_vec())));
    tx.each(&of_tables(COLUMNS), &of_schema, |row| {
        let (name, place, column) = (row.text(0)?, row.text(1)?, column(row)?);
        if let Some(table) = tables.last_mut().filter(|table| table.name == name) {
            table.columns.push(column);
        } else {
            if place != schema {
                let spelled = [place, row.text(2)?].map(|part| identifier(&part)).join(".");
                elsewhere.push([name.clone(), spelled]);
            }
            tables.push(CatalogTable { name, columns: vec![column], foreign_keys: Vec::new(), checks: Vec::new() });
        }
        Ok(())
    })?;
    let mut last = String::new();
    tx.each(&of_tables(KEYS), &of_schema, |row| {
        let (table, name, parent) = (row.text(0)?, row.text(1)?, row.text(2)?);
        let (own, referred, action) = (row.text(3)?, row.text(4)?, on_delete(row)?);
        let Some(table) = tables.iter_mut().find(|known| known.name == table) else { return Ok(()) };
        let name = [&table.name, ".", &name].concat();
        let fault = row.truth(6)?.then_some(KeyFault::NeverNull);
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
    tx.each(&of_tables(CHECKS), &of_schema, |row| {
        let (table, label, condition, column) = (row.text(0)?, row.text(1)?, row.text(2)?, row.text(3)?);
        let Some(table) = tables.iter_mut().find(|known| known.name == table) else { return Ok(()) };
        if let Some(check) = table.checks.iter_mut().find(|known| known.label == label) {
            check.names.push(column);
        } else {
            let quoted = literals(&condition);
            table.checks.push(CatalogCheck { label, condition, names: vec![column], quoted });
        }
        Ok(())
    })?;
    Ok((tables, elsewhere))
}

/// The texts in a condition as the server spells it, such as `(role = ANY (ARRAY['USER'::text, 'ADMIN'::text]))`.
fn literals(condition: &str) -> Vec<String> {
    // A quote in a text is doubled, and so ends it and begins another one, which no role needs.
    condition.split('\'').skip(1).step_by(2).map(str::to_owned).collect()
}

fn column(row: &Row<'_>) -> Result<CatalogColumn, StoreError> {
    Ok(CatalogColumn {
        name: row.text(3)?,
        is_nullable: row.truth(4)?,
        is_computed: row.truth(5)?,
        is_key: row.truth(6)?,
        kind: row.text(7)?,
        words: row.optional_text(8)?.iter().flat_map(|words| words.lines()).map(str::to_owned).collect(),
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{address_of, connected, server};
    use super::*;

    /// The foreign keys of the table `t` in a new database, as far as the server can make it.
    fn keys_of(constraints: &str) -> Option<Vec<ForeignKey>> {
        let database = server::database()?;
        let parent = "CREATE TABLE p (a int UNIQUE, b int, UNIQUE (a, b))";
        server::run_in(
            database.url(),
            &format!("{parent}; CREATE TABLE t (a int, b int NOT NULL DEFAULT 1, {constraints})"),
        );
        let engine = connected(&address_of(database.url()), Duration::from_secs(20)).unwrap();
        let (tables, _) = read(&mut engine.snapshot(), "public").unwrap();
        Some(tables.into_iter().find(|table| table.name == "t")?.foreign_keys)
    }

    #[test]
    fn only_null_in_a_column_that_is_never_null_is_a_fault() {
        let never_null = Some(KeyFault::NeverNull);
        let both = "FOREIGN KEY (a, b) REFERENCES p (a, b)";
        for (constraint, fault) in [
            (format!("{both} ON DELETE SET NULL"), never_null),
            (format!("{both} ON DELETE SET DEFAULT"), None),
            (format!("{both} ON DELETE CASCADE"), None),
            ("FOREIGN KEY (a) REFERENCES p (a) ON DELETE SET NULL".to_owned(), None),
        ] {
            let Some(keys) = keys_of(&constraint) else { return };
            assert_eq!(keys.iter().map(|key| key.fault).collect::<Vec<_>>(), [fault], "{constraint}");
        }
        if server::version() < 15 {
            return;
        }
        let [one, other] = ["a", "b"].map(|column| keys_of(&format!("{both} ON DELETE SET NULL ({column})")).unwrap());
        assert_eq!([one[0].fault, other[0].fault], [None, never_null]);
    }

    #[test]
    fn constraint_that_is_not_enforced_is_not_read() {
        if server::version() < 18 {
            return;
        }
        let key = "FOREIGN KEY (a) REFERENCES p (a) ON DELETE CASCADE";
        assert_eq!(keys_of(key).unwrap().len(), 1);
        assert_eq!(keys_of(&format!("{key} NOT ENFORCED")).unwrap(), []);
    }

    #[test]
    fn texts_of_a_condition_are_read() {
        let condition = "((role)::text = ANY (ARRAY['USER'::text, 'it''s'::text]))";
        assert_eq!(literals(condition), ["USER", "it", "s"]);
        assert_eq!(literals("(length(role) > 2)"), Vec::<String>::new());
    }
}
