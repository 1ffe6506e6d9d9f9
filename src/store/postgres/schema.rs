//! Compares the schema with the one that the migrations make, which is kept as a list: the role that runs authctl may not
//! make another schema to compare with.

use std::collections::BTreeMap;

use super::migrate::Contents;
use crate::auth::storage::{Differs, SchemaDifference, StoreError};
use crate::store::engine::{Tx, Value};
use crate::store::mapping::identifier;

/// The objects of a native schema, each with its definition.
const EXPECTED: &str = include_str!("../../../migrations/postgres/schema.txt");

/// The same of a schema that exists. Whatever another program may add runs with authctl's statements, or changes what they
/// find: triggers, rules, policies and views.
const OBJECTS: &str = r#"
    WITH "relation" AS (SELECT c.* FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = ?1)
    SELECT CASE r.relkind WHEN 'r' THEN 'table ' WHEN 'v' THEN 'view ' ELSE 'relation ' END || r.relname,
        CASE WHEN r.relrowsecurity THEN 'with row security' ELSE '' END
        || CASE r.relpersistence WHEN 'u' THEN 'unlogged' ELSE '' END
        FROM "relation" AS r WHERE r.relkind NOT IN ('i', 'S', 't')
    UNION ALL
    SELECT 'column ' || r.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod)
        || CASE WHEN a.attcollation <> t.typcollation THEN ' COLLATE ' || l.collname ELSE '' END
        || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
        || CASE a.attidentity WHEN '' THEN '' ELSE ' IDENTITY' END
        || coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '')
        FROM "relation" AS r JOIN pg_attribute AS a ON a.attrelid = r.oid JOIN pg_type AS t ON t.oid = a.atttypid
        LEFT JOIN pg_collation AS l ON l.oid = a.attcollation
        LEFT JOIN pg_attrdef AS d ON d.adrelid = r.oid AND d.adnum = a.attnum
        WHERE r.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT 'constraint ' || k.conname, r.relname || ' ' || pg_get_constraintdef(k.oid)
        FROM "relation" AS r JOIN pg_constraint AS k ON k.conrelid = r.oid WHERE k.contype IN ('p', 'u', 'f', 'c', 'x')
    UNION ALL
    SELECT 'index ' || r.relname || CASE WHEN x.indisvalid THEN '' ELSE ' (not valid)' END,
        replace(pg_get_indexdef(x.indexrelid), quote_ident(?1) || '.', '')
        FROM "relation" AS r JOIN pg_index AS x ON x.indexrelid = r.oid
        WHERE NOT EXISTS (SELECT 1 FROM pg_constraint AS k WHERE k.conindid = r.oid AND k.contype IN ('p', 'u', 'x'))
    UNION ALL
    SELECT 'trigger ' || g.tgname, '' FROM "relation" AS r JOIN pg_trigger AS g ON g.tgrelid = r.oid
        WHERE NOT g.tgisinternal
    UNION ALL
    SELECT 'rule ' || w.rulename, '' FROM "relation" AS r JOIN pg_rewrite AS w ON w.ev_class = r.oid
        WHERE w.rulename <> '_RETURN'
    UNION ALL
    SELECT 'policy ' || p.polname, '' FROM "relation" AS r JOIN pg_policy AS p ON p.polrelid = r.oid
    UNION ALL
    SELECT 'function ' || f.proname, '' FROM pg_proc AS f JOIN pg_namespace AS n ON n.oid = f.pronamespace
        WHERE n.nspname = ?1"#;

/// The differences, by the names of the objects.
pub(super) fn differences(
    tx: &mut dyn Tx,
    schema: &str,
    contents: Contents,
) -> Result<Vec<SchemaDifference>, StoreError> {
    let found = objects(tx, schema)?;
    let expected: BTreeMap<&str, &str> = expected(contents).collect();
    let missing = expected.keys().filter(|object| !found.contains_key(**object));
    let missing = missing.map(|object| {
        let is_made_again = !holds_rows(object) || own_table(object).is_some_and(|table| !found.contains_key(&table));
        (*object, if is_made_again { Differs::Missing } else { Differs::Lost })
    });
    let lacks_row = found.contains_key(HEAD) && tx.count(ROWS_OF_HEAD, &[])? == 0;
    let missing = missing.chain(lacks_row.then_some((ROW_OF_HEAD, Differs::Missing)));
    let others = found.iter().filter_map(|(object, definition)| match expected.get(object.as_str()) {
        None => (!is_plain_index(object, definition)).then_some((object.as_str(), Differs::Unexpected)),
        Some(expected) => (definition != expected).then_some((object.as_str(), Differs::Changed)),
    });
    Ok(missing.chain(others).map(|(object, how)| SchemaDifference { object: object.to_owned(), how }).collect())
}

/// Whether an object is an index of columns alone, which refuses no row and runs no function of another program: one that
/// searches by trigrams, for example.
fn is_plain_index(object: &str, definition: &str) -> bool {
    object.starts_with("index ")
        && !object.ends_with("(not valid)")
        && definition.starts_with("CREATE INDEX ")
        && definition.matches('(').count() == 1
        && !definition.contains(" WHERE ")
}

/// Makes the missing tables of authctl's own, indexes and constraints again, and returns them.
pub(super) fn restore(tx: &mut dyn Tx, schema: &str, contents: Contents) -> Result<Vec<String>, StoreError> {
    let found = objects(tx, schema)?;
    let mut restored = Vec::new();
    for (table, name) in expected(contents).filter_map(|(object, _)| Some((object, object.strip_prefix("table ")?))) {
        if own_table(table).is_some_and(|table| !found.contains_key(&table)) {
            let columns = format!("column {name}.");
            let columns = expected(contents).filter_map(|(object, definition)| {
                let definition = definition.replace(" COLLATE C", r#" COLLATE "C""#);
                Some([&identifier(object.strip_prefix(&columns)?), " ", &definition].concat())
            });
            let columns = columns.collect::<Vec<_>>().join(", ");
            tx.execute(&format!("CREATE TABLE {} ({columns})", identifier(name)), &[])?;
            restored.push(table.to_owned());
        }
    }
    if tx.count(ROWS_OF_HEAD, &[])? == 0 {
        tx.execute(r#"INSERT INTO "authctl_head" DEFAULT VALUES"#, &[])?;
        restored.push(ROW_OF_HEAD.to_owned());
    }
    let missing = expected(contents).filter(|(object, _)| !found.contains_key(*object) && !holds_rows(object));
    // A foreign key needs the unique columns that it refers to.
    let (keys, others): (Vec<_>, Vec<_>) = missing.partition(|(_, definition)| definition.contains(" FOREIGN KEY "));
    for (object, definition) in others.into_iter().chain(keys) {
        let made = match (object.split_once(' '), definition.split_once(' ')) {
            (Some(("constraint", name)), Some((table, rest))) => {
                &format!("ALTER TABLE {} ADD CONSTRAINT {} {rest}", identifier(table), identifier(name))
            }
            _ => definition,
        };
        tx.execute(made, &[])?;
        restored.push(object.to_owned());
    }
    Ok(restored)
}

/// What the migrations make: each object with its definition.
fn expected(contents: Contents) -> impl Iterator<Item = (&'static str, &'static str)> {
    EXPECTED.lines().filter_map(|line| line.split_once('\t')).filter(move |(object, _)| contents.has(object))
}

/// Whether rows, or values of them, are gone with an object.
fn holds_rows(object: &str) -> bool {
    object.starts_with("table ") || object.starts_with("column ")
}

/// The object for the table of an object, if it is one of authctl's own, which `drizzle-kit push` drops: it can be made again,
/// and a table of an app holds more than authctl knows.
fn own_table(object: &str) -> Option<String> {
    let (_, name) = object.split_once(' ')?;
    let table = name.split('.').next()?;
    table.starts_with("authctl_").then(|| format!("table {table}"))
}

/// The table with the row at which writers go one after the other, and the row.
const HEAD: &str = "table authctl_head";
const ROW_OF_HEAD: &str = "row of authctl_head";
const ROWS_OF_HEAD: &str = r#"SELECT count(*) FROM "authctl_head" WHERE "one""#;

fn objects(tx: &mut dyn Tx, schema: &str) -> Result<BTreeMap<String, String>, StoreError> {
    let all = tx.query_all(OBJECTS, &[Value::from(schema)], |row| Ok((row.text(0)?, row.text(1)?)))?;
    Ok(all.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::super::{address_of, create, open_own, server};
    use super::*;
    use crate::store::engine::Engine as _;
    use std::time::Duration;

    #[test]
    fn only_an_index_that_refuses_no_row_and_runs_no_function_may_be_added() {
        let Some(database) = server::database() else { return };
        let (address, wait) = (address_of(database.url()), Duration::from_secs(20));
        create(&address, wait).unwrap();
        let mut engine = open_own(&address, wait).unwrap();
        let mut edit = |sql: &str| {
            let mut tx = engine.begin().unwrap();
            tx.execute(sql, &[]).unwrap();
            tx.commit().unwrap();
            let found = engine.schema_differences().unwrap();
            found.into_iter().map(|difference| (difference.object, difference.how)).collect::<Vec<_>>()
        };
        assert_eq!(edit(r#"CREATE INDEX "plain" ON "user" ("email" text_pattern_ops, "name")"#), []);
        for (definition, name) in [
            (r#"CREATE UNIQUE INDEX "single" ON "user" ("name")"#, "single"),
            (r#"CREATE INDEX "computed" ON "user" (lower("email"))"#, "computed"),
            (r#"CREATE INDEX "part" ON "user" ("email") WHERE "name" <> 'x'"#, "part"),
        ] {
            assert_eq!(edit(definition), [(format!("index {name}"), Differs::Unexpected)]);
            assert_eq!(edit(&format!(r#"DROP INDEX "{name}""#)), []);
        }
    }
}
