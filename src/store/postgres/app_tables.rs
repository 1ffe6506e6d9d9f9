//! Tables that statements about an app's database name, and that the schema of the app does not have. authctl makes no
//! tables there, not even temporary ones: a pooler may give the next transaction to another process.

use std::borrow::Cow;

use super::SCHEMA;
use super::migrate::OWN_TABLES;
use crate::store::better_auth::name_of_absent;
use crate::store::mapping::{Ids, Table, identifier};

/// A table whose rows are not reached, because the app keeps them outside of the database or the table lacks essential
/// columns. Statements find no rows in it and write none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct AbsentTable {
    /// What statements call it.
    pub(in crate::store) name: String,
    /// Each column with its type.
    columns: Vec<(&'static str, &'static str)>,
}

impl AbsentTable {
    /// The table in the place of one of Better Auth's. Columns of ids have the types of the ids that they are compared with.
    pub(in crate::store) fn of(table: &Table, ids: &Ids) -> Self {
        let columns = table.columns.iter().map(|column| {
            let kind = match column.name {
                "id" | "userId" => ids.of_column(table.name, column.name).type_name(),
                _ => "text",
            };
            (column.name, kind)
        });
        Self { name: name_of_absent(table), columns: columns.collect() }
    }

    fn quoted(&self) -> String {
        identifier(&self.name)
    }

    /// Whether a statement writes to the table.
    fn is_written(&self, sql: &str) -> bool {
        ["INSERT INTO ", "UPDATE ", "DELETE FROM "]
            .iter()
            .any(|verb| sql.starts_with(&[verb, &*self.quoted()].concat()))
    }

    /// An empty relation with the name of the table.
    fn relation(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|(name, _)| identifier(name)).collect();
        let nulls: Vec<String> = self.columns.iter().map(|(_, kind)| format!("NULL::{kind}")).collect();
        format!("{} ({}) AS (SELECT {} WHERE FALSE)", self.quoted(), names.join(", "), nulls.join(", "))
    }
}

/// authctl's own tables in the database of an app: their names in statements, each as SQL spells it. Their schema is not in the
/// path, so that no function that is there takes the place of one of the server's.
pub(super) fn own_tables() -> Vec<[String; 2]> {
    OWN_TABLES.iter().map(|table| [(*table).to_owned(), [SCHEMA, table].map(identifier).join(".")]).collect()
}

/// The statement with the tables of other schemas as SQL spells them. Takes their names in the catalog, each with that.
pub(super) fn with_schemas<'s>(elsewhere: &[[String; 2]], sql: &'s str) -> Cow<'s, str> {
    elsewhere.iter().fold(sql.into(), |sql: Cow<'s, str>, [name, spelled]| {
        let named = identifier(name);
        if sql.contains(&named) { Cow::Owned(sql.replace(&named, spelled)) } else { sql }
    })
}

/// The statement as the server can run it: with an empty relation for each absent table that it names. `None` if it writes
/// to an absent table.
pub(super) fn with_absent<'s>(absent: &[AbsentTable], sql: &'s str) -> Option<Cow<'s, str>> {
    let named: Vec<&AbsentTable> = absent.iter().filter(|table| sql.contains(&table.quoted())).collect();
    if named.is_empty() {
        return Some(sql.into());
    }
    if named.iter().any(|table| table.is_written(sql)) {
        return None;
    }
    let relations = named.iter().map(|table| table.relation()).collect::<Vec<_>>().join(", ");
    Some(Cow::Owned(match sql.strip_prefix("WITH RECURSIVE ") {
        Some(rest) => format!("WITH RECURSIVE {relations}, {rest}"),
        None => format!("WITH {relations} {sql}"),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::mapping::{IdStrategy, IntegerType, TABLES};

    fn sessions() -> [AbsentTable; 1] {
        let serial = IdStrategy::TypedSerial(IntegerType::Integer);
        let ids = Ids { default: IdStrategy::Text, tables: vec![("user", serial)], impersonator_is_reference: false };
        let table = TABLES.iter().find(|table| table.name == "session").unwrap();
        [AbsentTable::of(table, &ids)]
    }

    #[test]
    fn absent_table_is_an_empty_relation() {
        let sessions = sessions();
        let relation = r#""authctl_absent_session" ("id", "expiresAt", "token", "createdAt", "updatedAt", "ipAddress", "userAgent", "userId", "impersonatedBy") AS (SELECT NULL::text, NULL::text, NULL::text, NULL::text, NULL::text, NULL::text, NULL::text, NULL::integer, NULL::text WHERE FALSE)"#;
        let query = r#"SELECT 1 FROM "authctl_absent_session""#;
        assert_eq!(with_absent(&sessions, query).unwrap(), format!("WITH {relation} {query}"));
        let rest = r#"a AS (SELECT 1) SELECT 1 FROM "authctl_absent_session", a"#;
        assert_eq!(
            with_absent(&sessions, &["WITH RECURSIVE ", rest].concat()).unwrap(),
            format!("WITH RECURSIVE {relation}, {rest}")
        );
        let update = r#"UPDATE "member" SET "of" = NULL WHERE "of" IN (SELECT "id" FROM "authctl_absent_session")"#;
        assert_eq!(with_absent(&sessions, update).unwrap(), format!("WITH {relation} {update}"));
        assert_eq!(with_absent(&sessions, r#"SELECT 1 FROM "user""#).unwrap(), r#"SELECT 1 FROM "user""#);
    }

    #[test]
    fn table_of_another_schema_is_named_with_it() {
        let elsewhere = [["blog.post".to_owned(), r#""blog"."post""#.to_owned()]];
        let sql = r#"DELETE FROM "blog.post" WHERE "blog.post"."author" = ?1"#;
        assert_eq!(with_schemas(&elsewhere, sql), r#"DELETE FROM "blog"."post" WHERE "blog"."post"."author" = ?1"#);
        assert_eq!(with_schemas(&elsewhere, "SELECT 1"), "SELECT 1");
    }

    #[test]
    fn absent_table_is_not_written() {
        for sql in [
            r#"INSERT INTO "authctl_absent_session" ("id") VALUES (?1)"#,
            r#"UPDATE "authctl_absent_session" SET "token" = ?1"#,
            r#"DELETE FROM "authctl_absent_session" WHERE "id" = ?1"#,
        ] {
            assert_eq!(with_absent(&sessions(), sql), None, "{sql}");
        }
    }
}
