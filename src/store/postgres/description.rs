//! Describes an app's tables to the recognition. One query reads what the recognition needs of the tables that may be those
//! of Better Auth; the other tables are read when no name fits.

use std::cell::OnceCell;

use serde::Deserialize;

use super::SCHEMA;
use super::engine::Postgres;
use super::migrate::HISTORY;
use super::statement::array;
use crate::auth::storage::{GuestTrigger, StoreError};
use crate::store::better_auth::{ColumnType, Description, FoundColumn, FoundTable, SchemaOverrides, Signs};
use crate::store::engine::{Tx, Value};
use crate::store::mapping::{IdStrategy, IntegerType, TABLES, identifier};

/// Describes the tables with certain names, or all, in a schema, in those of the path or in all, as JSON.
/// Schemas with tables of authctl's own are left out. Names of the catalogue are qualified,
/// and its operators get exactly the types that they are made for, so that nothing in the database takes their place.
const DESCRIBED: &str = r#"
    WITH "place" AS (
        SELECT n.oid, n.nspname, n.nspowner, pg_catalog.has_schema_privilege(n.oid, 'USAGE') AS "is_open"
        FROM pg_catalog.pg_namespace AS n
        WHERE CASE WHEN ?2::text IS NOT NULL THEN n.nspname = ?2
            WHEN ?3::boolean THEN n.nspname = ANY (pg_catalog.current_setting('authctl.path')::name[])
            ELSE n.nspname <> 'information_schema' AND pg_catalog.left(n.nspname::text, 3) <> 'pg_' END
            AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_class AS own
                WHERE own.relnamespace = n.oid AND own.relname = 'authctl_audit')),
    "relation" AS (
        SELECT c.oid, p.nspname, p."is_open", c.relname, c.relkind, c.relowner
        FROM "place" AS p JOIN pg_catalog.pg_class AS c ON c.relnamespace = p.oid
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
            AND (?1::text[] IS NULL OR pg_catalog.lower(c.relname::text) = ANY (?1::text[]))),
    "replaced" AS (
        SELECT p.nspname, f.proname AS "name", f.proowner AS "owner"
        FROM "place" AS p JOIN pg_catalog.pg_proc AS f ON f.pronamespace = p.oid
        WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS d WHERE d.classid = 1255::oid AND d.objid = f.oid AND d.deptype = 'e')
            AND EXISTS (SELECT 1 FROM pg_catalog.pg_proc AS own WHERE own.pronamespace = 11::oid AND own.proname = f.proname)
        UNION
        SELECT p.nspname, o.oprname, o.oprowner
        FROM "place" AS p JOIN pg_catalog.pg_operator AS o ON o.oprnamespace = p.oid
        WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS d WHERE d.classid = 2617::oid AND d.objid = o.oid AND d.deptype = 'e')
            AND EXISTS (SELECT 1 FROM pg_catalog.pg_operator AS own WHERE own.oprnamespace = 11::oid AND own.oprname = o.oprname))
    SELECT pg_catalog.json_build_object(
        'is_native', CASE WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_class AS c
                JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = ?5
                AND c.relname IN ('user', 'session', 'account', 'verification'))
            THEN pg_catalog.to_regclass(?4) IS NOT NULL ELSE false END,
        'own', (SELECT pg_catalog.json_build_object(
            'is_open', pg_catalog.has_schema_privilege(n.oid, 'USAGE'),
            'tables', ARRAY(SELECT c.relname FROM pg_catalog.pg_class AS c WHERE c.relnamespace = n.oid AND c.relkind = 'r'),
            'owners', ARRAY(SELECT o.oid::bigint FROM pg_catalog.pg_roles AS o
                WHERE (o.oid = n.nspowner OR EXISTS (SELECT 1 FROM pg_catalog.pg_class AS c
                    WHERE c.relnamespace = n.oid AND c.relowner = o.oid))
                AND NOT o.rolsuper AND o.rolname <> current_user
                AND o.oid <> (SELECT d.datdba FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())))
            FROM pg_catalog.pg_namespace AS n WHERE n.nspname = ?6),
        'role', current_user,
        'database', (SELECT d.oid::bigint FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()),
        'tells_system', pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE'),
        'path', pg_catalog.current_setting('authctl.path')::name[],
        'tools', ARRAY(SELECT DISTINCT c.relname FROM pg_catalog.pg_class AS c
            WHERE c.relname IN ('_prisma_migrations', '__drizzle_migrations') AND c.relkind = 'r'),
        'replaced', ARRAY(SELECT pg_catalog.json_build_object('schema', r.nspname, 'name', r."name", 'owner', r."owner"::bigint)
            FROM "replaced" AS r JOIN "place" AS p ON p.nspname = r.nspname JOIN pg_catalog.pg_roles AS o ON o.oid = r."owner"
            WHERE NOT o.rolsuper AND o.rolname <> current_user AND r."owner" <> p.nspowner
                AND r."owner" <> (SELECT d.datdba FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())),
        'relations', ARRAY(SELECT pg_catalog.json_build_object(
            'schema', r.nspname, 'name', r.relname, 'kind', r.relkind, 'owner', r.relowner::bigint, 'is_open', r."is_open",
            'rights', ARRAY(SELECT p FROM pg_catalog.unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS p
                WHERE pg_catalog.has_table_privilege(r.oid, p)),
            'hides_rows', pg_catalog.row_security_active(r.oid),
            'rules', ARRAY(SELECT w.rulename FROM pg_catalog.pg_rewrite AS w WHERE w.ev_class = r.oid AND w.rulename <> '_RETURN'),
            'triggers', ARRAY(SELECT g.tgname FROM pg_catalog.pg_trigger AS g WHERE g.tgrelid = r.oid AND NOT g.tgisinternal
                ORDER BY g.tgname),
            'constraints', ARRAY(SELECT pg_catalog.json_build_object('name', k.conname, 'follows',
                CASE WHEN k.confupdtype = 'c' THEN (SELECT f.relname FROM pg_catalog.pg_class AS f WHERE f.oid = k.confrelid) END)
                FROM pg_catalog.pg_constraint AS k WHERE k.conrelid = r.oid AND k.contype IN ('u', 'f')),
            'columns', ARRAY(SELECT pg_catalog.json_build_object(
                'name', a.attname,
                'declared', pg_catalog.format_type(a.atttypid, a.atttypmod),
                'base', CASE WHEN t.typtype = 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) END,
                'alike', (SELECT l.collname FROM pg_catalog.pg_collation AS l
                    WHERE l.oid = a.attcollation AND NOT l.collisdeterministic),
                'not_null', a.attnotnull OR t.typnotnull,
                'default', CASE WHEN a.attgenerated = '' THEN
                    coalesce(pg_catalog.pg_get_expr(e.adbin, e.adrelid), t.typdefault,
                        CASE WHEN a.attidentity <> '' THEN 'identity' END) END,
                'is_key', EXISTS (SELECT 1 FROM pg_catalog.pg_index AS i
                    WHERE i.indrelid = r.oid AND i.indisprimary AND a.attnum = ANY (i.indkey)),
                'is_computed', a.attgenerated <> '')
                FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
                LEFT JOIN pg_catalog.pg_attrdef AS e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
                WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum))
            FROM "relation" AS r ORDER BY r.nspname, r.relname))::text"#;

/// The columns that tell tables of Better Auth from those of other programs with the same name.
const MARKS: &[(&str, &str)] =
    &[("user", "email"), ("session", "token"), ("account", "providerId"), ("verification", "identifier")];

/// What the catalogue says of some tables.
#[derive(Debug, Deserialize)]
pub(super) struct Found {
    /// Whether authctl made the database: its schema has the list of migrations.
    pub(super) is_native: bool,
    /// The role of the connection.
    pub(super) role: String,
    /// The number of the database on the server.
    pub(super) database: i64,
    /// Whether the role may ask for the identifier of the server.
    pub(super) tells_system: bool,
    /// The schemas in which the session looks tables up.
    pub(super) path: Vec<String>,
    /// The tables that the tools of Prisma and Drizzle make for themselves.
    tools: Vec<String>,
    /// Functions and operators with the name of one of the server's.
    replaced: Vec<Replaced>,
    relations: Vec<Relation>,
    /// The schema with the name of authctl's.
    own: Option<OwnSchema>,
}

/// A schema with the name of authctl's.
#[derive(Debug, Deserialize)]
pub(super) struct OwnSchema {
    /// Whether the role may use the schema.
    pub(super) is_open: bool,
    tables: Vec<String>,
    /// The owners of the schema and of what is in it, without superusers, the owner of the database and the role itself.
    owners: Vec<i64>,
}

impl OwnSchema {
    /// Whether somebody owns a part of it who may not own the table of the app's users. Triggers there run with the rights
    /// of the role.
    pub(super) fn is_of_another(&self, users: &Relation) -> bool {
        self.owners.iter().any(|owner| *owner != users.owner)
    }
}

/// A function or operator that none of these owns: a superuser, the owner of the database, the owner of the schema and the
/// role of the connection.
#[derive(Debug, Deserialize)]
struct Replaced {
    schema: String,
    name: String,
    owner: i64,
}

/// A table, or what takes the place of one.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Relation {
    schema: String,
    pub(super) name: String,
    /// The letter of its kind in the catalogue.
    kind: String,
    owner: i64,
    /// Whether the role may use the schema.
    pub(super) is_open: bool,
    /// What the role may do: `SELECT`, `INSERT`, `UPDATE`, `DELETE`.
    pub(super) rights: Vec<String>,
    /// Whether policies decide which rows the role sees.
    pub(super) hides_rows: bool,
    pub(super) rules: Vec<String>,
    triggers: Vec<String>,
    constraints: Vec<Named>,
    columns: Vec<Attribute>,
}

/// A unique constraint or a foreign key.
#[derive(Debug, Clone, Deserialize)]
struct Named {
    name: String,
    /// The table that a foreign key refers to, if the key follows when an id there changes.
    follows: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Attribute {
    name: String,
    declared: String,
    /// The type under a domain.
    base: Option<String>,
    /// Its collation, if that takes different texts for equal.
    alike: Option<String>,
    not_null: bool,
    /// The expression that fills it, or `identity`.
    default: Option<String>,
    is_key: bool,
    is_computed: bool,
}

impl Found {
    /// Reads the tables that may be those of Better Auth: in a named schema, else in those of the session's path, and in all
    /// only if none of these has the tables of an app. A database may have a thousand schemas.
    pub(super) fn read(
        engine: &Postgres,
        schema: Option<&str>,
        overrides: &SchemaOverrides,
    ) -> Result<Self, StoreError> {
        let names = overrides.table_names();
        let usual = Self::of(engine, schema, true, Some(&names))?;
        if schema.is_some() || !usual.schemas_of_apps(overrides).is_empty() {
            return Ok(usual);
        }
        Self::everywhere(engine, overrides)
    }

    /// Reads the tables that may be those of Better Auth in all schemas.
    pub(super) fn everywhere(engine: &Postgres, overrides: &SchemaOverrides) -> Result<Self, StoreError> {
        Self::of(engine, None, false, Some(&overrides.table_names()))
    }

    /// Whether a schema has the tables of an app, under the usual names.
    pub(super) fn has_app(engine: &Postgres) -> Result<bool, StoreError> {
        let usual = SchemaOverrides::default();
        Ok(!Self::everywhere(engine, &usual)?.schemas_of_apps(&usual).is_empty())
    }

    fn of(
        engine: &Postgres,
        schema: Option<&str>,
        is_of_path: bool,
        names: Option<&[String]>,
    ) -> Result<Self, StoreError> {
        let names = names.map(|names| names.iter().map(Value::from).collect::<Vec<_>>());
        let history = [&identifier(engine.schema()), ".", &identifier(HISTORY)].concat();
        let values = [
            names.as_ref().map(|names| array(names.iter())).into(),
            schema.into(),
            Value::Text(is_of_path.to_string()),
            history.into(),
            engine.schema().into(),
            SCHEMA.into(),
        ];
        let mut tx = engine.discovery();
        let found = (&mut tx as &mut dyn Tx).query_one(DESCRIBED, &values, |row| row.text(0))?;
        let text = found.ok_or_else(|| StoreError::Engine("the server does not describe its tables".into()))?;
        serde_json::from_str(&text)
            .map_err(|error| StoreError::Engine(format!("the server describes its tables: {error}")))
    }

    /// The schemas that hold an app's tables, those of the session's path first, each with whether it is in the path. A table
    /// of users is an app's only beside one of sessions, or of accounts if the app keeps sessions elsewhere.
    pub(super) fn schemas_of_apps(&self, overrides: &SchemaOverrides) -> Vec<(&str, bool)> {
        let mut schemas: Vec<(&str, bool)> = self.path.iter().map(|schema| (schema.as_str(), true)).collect();
        for relation in &self.relations {
            if !schemas.iter().any(|(known, _)| *known == relation.schema) {
                schemas.push((&relation.schema, false));
            }
        }
        let has = |schema: &str, table: &str| {
            let mut relations = self.relations.iter().filter(|relation| relation.schema == schema);
            relations.any(|relation| relation.is_like(table, overrides))
        };
        let is_whole = |schema: &str| has(schema, "user") && has(schema, "session");
        let has_accounts = |schema: &str| has(schema, "user") && has(schema, "account");
        let whole: Vec<_> = schemas.iter().filter(|(schema, _)| is_whole(schema)).copied().collect();
        if whole.iter().any(|(_, is_in_path)| *is_in_path) {
            return whole;
        }
        let others = schemas.iter().filter(|(schema, is_in_path)| *is_in_path && has_accounts(schema));
        others.chain(&whole).copied().collect()
    }

    /// authctl's schema, if it has authctl's own tables alone, about the app of this database.
    pub(super) fn state(&self) -> Option<&OwnSchema> {
        let has = |own: &OwnSchema, table: &str| own.tables.iter().any(|one| one == table);
        self.own.as_ref().filter(|own| has(own, HISTORY) && !TABLES.iter().any(|table| has(own, table.name)))
    }

    /// The functions and operators of others in a schema that could run in the place of the server's own. Takes a table
    /// whose owner is trusted: the owner can change every row.
    pub(super) fn replacing(&self, table: &Relation) -> Vec<&str> {
        let others = self.replaced.iter().filter(|one| one.schema == table.schema && one.owner != table.owner);
        others.map(|one| one.name.as_str()).collect()
    }
}

impl Relation {
    /// Whether it may be one of Better Auth's tables: by its name, and by the column by which its rows are found.
    pub(super) fn is_like(&self, table: &str, overrides: &SchemaOverrides) -> bool {
        let column = MARKS.iter().find(|(of, _)| *of == table).map_or("id", |(_, column)| *column);
        overrides.may_be(&self.name, table)
            && self.columns.iter().any(|found| overrides.may_be_column(&found.name, table, column))
    }

    /// Whether it holds rows of its own.
    pub(super) fn is_table(&self) -> bool {
        ["r", "p"].contains(&&*self.kind)
    }

    pub(super) fn columns(&self) -> Vec<FoundColumn> {
        self.columns.iter().map(Attribute::found).collect()
    }
}

impl Attribute {
    fn found(&self) -> FoundColumn {
        let is_null = |default: &&String| default.to_ascii_uppercase().starts_with("NULL::");
        FoundColumn {
            name: self.name.clone(),
            declared: self.declared.clone(),
            not_null: self.not_null,
            default: self.default.clone().filter(|default| !is_null(&default)),
            key: self.is_key,
            is_computed: self.is_computed,
            holds: match column_type(self.base.as_deref().unwrap_or(&self.declared)) {
                ColumnType::ShownByValues if self.alike.is_some() => ColumnType::AlikeText,
                holds => holds,
            },
        }
    }
}

/// What a type holds, by its name.
fn column_type(name: &str) -> ColumnType {
    let is_timestamp = name.starts_with("timestamp");
    let is_shown_by_values =
        ["text", "character", "citext", "real", "double precision"].iter().any(|kind| name.starts_with(kind));
    match name {
        _ if name.ends_with("[]") => ColumnType::Texts,
        "boolean" => ColumnType::Boolean,
        "uuid" => ColumnType::Uuid,
        _ if is_timestamp && name.ends_with("with time zone") => ColumnType::Instant,
        _ if is_timestamp => ColumnType::LocalTime { has_milliseconds: name.starts_with("timestamp(3)") },
        _ if is_shown_by_values => ColumnType::ShownByValues,
        _ => IntegerType::named(name).map_or(ColumnType::Other, ColumnType::Integer),
    }
}

/// A schema with an app's tables.
pub(super) struct Described<'e> {
    pub(super) engine: &'e Postgres,
    pub(super) schema: &'e str,
    pub(super) found: &'e Found,
    /// The names of the tables in `found`, and those of tables of users, in small letters.
    names: Vec<String>,
    users: Vec<String>,
    /// Every table of the schema.
    all: OnceCell<Vec<Relation>>,
}

impl<'e> Described<'e> {
    pub(super) fn new(engine: &'e Postgres, schema: &'e str, found: &'e Found, overrides: &SchemaOverrides) -> Self {
        let names = overrides.table_names();
        let users = names.iter().filter(|name| overrides.may_be(name, "user")).cloned().collect();
        Self { engine, schema, found, names, users, all: OnceCell::new() }
    }

    fn all(&self) -> Result<&[Relation], StoreError> {
        if self.all.get().is_none() {
            let read = Found::of(self.engine, Some(self.schema), true, None)?.relations;
            return Ok(self.all.get_or_init(|| read));
        }
        Ok(self.all.get().map_or(&[], Vec::as_slice))
    }

    /// The table with exactly this name, among those that were read at once.
    pub(super) fn relation(&self, name: &str) -> Option<&Relation> {
        self.known().find(|relation| relation.name == name)
    }

    pub(super) fn known(&self) -> impl Iterator<Item = &Relation> {
        self.found.relations.iter().filter(|relation| relation.schema == self.schema)
    }

    fn names(&self, is_wanted: fn(&Relation) -> bool) -> Result<Vec<String>, StoreError> {
        Ok(self.all()?.iter().filter(|relation| is_wanted(relation)).map(|relation| relation.name.clone()).collect())
    }
}

impl Description for Described<'_> {
    /// The exact name wins over one in other letters.
    fn table(&self, name: &str) -> Result<Option<FoundTable>, StoreError> {
        let is_known = self.names.contains(&name.to_lowercase());
        let among: Vec<&Relation> = if is_known { self.known().collect() } else { self.all()?.iter().collect() };
        let mut alike = among.iter().filter(|relation| relation.name.eq_ignore_ascii_case(name));
        let exact = among.iter().find(|relation| relation.name == name);
        Ok(exact
            .or_else(|| alike.next())
            .map(|found| FoundTable { name: found.name.clone(), has_insertion_order: false }))
    }

    fn columns(&self, table: &str) -> Result<Vec<FoundColumn>, StoreError> {
        if let Some(known) = self.relation(table) {
            return Ok(known.columns());
        }
        if self.names.contains(&table.to_lowercase()) {
            return Ok(Vec::new());
        }
        Ok(self.all()?.iter().find(|relation| relation.name == table).map(Relation::columns).unwrap_or_default())
    }

    fn triggers(&self, table: &str) -> Result<Vec<GuestTrigger>, StoreError> {
        let names = self.relation(table).map_or(&[][..], |relation| &relation.triggers);
        Ok(names.iter().map(|name| GuestTrigger { name: name.clone(), table: table.to_owned() }).collect())
    }

    fn table_names(&self) -> Result<Vec<String>, StoreError> {
        self.names(Relation::is_table)
    }

    fn view_names(&self) -> Result<Vec<String>, StoreError> {
        self.names(|relation| !relation.is_table())
    }

    fn place(&self, table: &str) -> String {
        [&*identifier(self.schema), ".", &identifier(table)].concat()
    }

    /// A number is the database's if the column has a default.
    fn ids_of_type(&self, column: &FoundColumn, _: &FoundTable, _: &[FoundColumn]) -> Option<IdStrategy> {
        match column.holds {
            ColumnType::Uuid => Some(IdStrategy::TypedUuid),
            ColumnType::Integer(kind) if column.default.is_some() => Some(IdStrategy::TypedSerial(kind)),
            ColumnType::Integer(kind) => Some(IdStrategy::TypedNumber(kind)),
            _ => None,
        }
    }

    /// Tables that another tool made may stand beside those of an app that has Prisma or Drizzle for its own.
    fn signs(&self) -> Signs {
        let constraints = || self.known().flat_map(|relation| &relation.constraints);
        let ends = |suffixes: [&str; 2]| constraints().any(|one| suffixes.iter().any(|end| one.name.ends_with(end)));
        let is_users = |name: &String| self.users.contains(&name.to_lowercase());
        let is_of_another = ends(["_key", "_fkey"]);
        let has_tool = |name: &str| !is_of_another && self.found.tools.iter().any(|tool| tool == name);
        let follows_users = constraints().any(|one| one.follows.as_ref().is_some_and(is_users));
        Signs {
            is_of_prisma: has_tool("_prisma_migrations") || follows_users,
            is_of_drizzle: has_tool("__drizzle_migrations") || ends(["_unique", "_fk"]),
        }
    }

    fn read(&self, queries: &mut dyn FnMut(&mut dyn Tx) -> Result<(), StoreError>) -> Result<(), StoreError> {
        queries(&mut self.engine.snapshot())
    }
}
