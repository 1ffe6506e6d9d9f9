//! Which rows refer to a user or session: by the foreign keys of all tables, whatever their names, and by the columns
//! of known plugins, whether the database has keys for them or not.

use super::constraints::explain_deletion;
use super::organizations::lower_member_counts;
use crate::auth::storage::{CHAINS_MAX, Holder, StoreError, TableRows};
use crate::store::engine::{Catalog, OnDelete, Tx, Value};
use crate::store::mapping::{FoundPlugin, SchemaMapping, find_plugins, identifier, is_same};

/// The columns of Better Auth's own tables that refer to users.
const CORE: &[(&str, &str)] = &[("session", "userId"), ("session", "impersonatedBy"), ("account", "userId")];

/// The tables of a database and what they are.
#[derive(Debug)]
pub(in crate::store) struct Inventory {
    catalog: Catalog,
    plugins: Vec<FoundPlugin>,
    references: Vec<Reference>,
}

/// Columns of a table that refer to rows of another one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reference {
    table: String,
    parent: String,
    /// Each column with the one of the parent that it refers to.
    columns: Vec<(String, String)>,
    effect: Effect,
}

/// Columns of a table that refer to a row of one of several tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct Referring {
    /// The table, in the name of the database.
    pub(in crate::store) table: String,
    pub(in crate::store) columns: Vec<String>,
    /// Each table with its columns that are referred to.
    pub(in crate::store) parents: Vec<(String, Vec<String>)>,
}

/// What happens to a row when the row that it refers to is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Effect {
    /// The act deletes it.
    Delete,
    /// The act writes NULL.
    Clear,
    /// The database deletes it.
    Cascade,
    /// The database writes NULL or a default.
    Cleared,
    /// The database refuses to delete the other row.
    Hold,
    /// The database refuses it unless this row is gone at the end of the same statement.
    HoldToEnd,
}

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
    /// Whether the database reaches the other row in the statement that deletes the first one.
    is_same_statement: bool,
}

impl Inventory {
    pub(in crate::store) fn read(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<Self, StoreError> {
        Ok(Self::of(tx.catalog()?, mapping))
    }

    fn of(catalog: Catalog, mapping: &SchemaMapping) -> Self {
        let plugins = find_plugins(&catalog, mapping.table("user"));
        let mut inventory = Self { catalog, plugins, references: Vec::new() };
        inventory.references = inventory.known(mapping);
        let declared = inventory.declared(mapping);
        inventory.references.extend(declared);
        inventory
    }

    /// As it is for a connection that enforces no foreign keys: the act does what the database would do.
    pub(in crate::store) fn without_keys(mut self) -> Self {
        for reference in &mut self.references {
            reference.effect = match reference.effect {
                Effect::Cascade => Effect::Delete,
                Effect::Cleared => Effect::Clear,
                other => other,
            };
        }
        self
    }

    /// The table of a plugin, by Better Auth's name.
    pub(in crate::store) fn plugin(&self, name: &str) -> Option<&FoundPlugin> {
        self.plugins.iter().find(|found| found.plugin.name == name)
    }

    /// A column of a table of the database, by Better Auth's name of the column.
    pub(in crate::store) fn column(&self, table: &str, name: &str) -> Option<&str> {
        let table = self.catalog.iter().find(|known| known.name == table)?;
        table.columns.iter().find(|column| is_same(&column.name, name)).map(|column| column.name.as_str())
    }

    /// Whether a foreign key lets a column of a table hold ids of other rows only. Takes the database's names.
    pub(in crate::store) fn is_foreign_key(&self, table: &str, column: &str) -> bool {
        let found = self.catalog.iter().find(|known| known.name == table);
        let mut keys = found.into_iter().flat_map(|table| &table.foreign_keys);
        keys.any(|key| key.columns.iter().any(|(own, _)| own == column))
    }

    /// The references of Better Auth's own tables and of plugins.
    fn known(&self, mapping: &SchemaMapping) -> Vec<Reference> {
        let physical = |name: &str| match self.plugin(name) {
            Some(found) => Some(found.table.clone()),
            None if ["user", "session"].contains(&name) => Some(mapping.table(name).to_owned()),
            None => None,
        };
        let column = |table: &str, name: &'static str| match self.plugin(table) {
            Some(found) => found.column(name).map(str::to_owned),
            None => mapping.column(table, name).map(str::to_owned),
        };
        let core = CORE.iter().map(|(table, column)| (*table, (*column, "user", "id")));
        let plugins = self.plugins.iter().flat_map(|found| {
            let of_table = |reference: &(_, _, _)| (found.plugin.name, *reference);
            found.plugin.references.iter().map(of_table)
        });
        core.chain(plugins)
            .filter_map(|(table, (own, parent_table, referred))| {
                let name = physical(table).unwrap_or_else(|| mapping.table(table).to_owned());
                let (own, parent) = (column(table, own)?, physical(parent_table)?);
                let referred = column(parent_table, referred)?;
                // A token without its session stays a token; the act that ends the session revokes it.
                let is_clearable = parent_table == "session" && self.is_nullable(&name, &own);
                let effect = if is_clearable { Effect::Clear } else { Effect::Delete };
                Some(Reference { table: name, parent, columns: vec![(own, referred)], effect })
            })
            .collect()
    }

    /// The references that only foreign keys show.
    fn declared(&self, mapping: &SchemaMapping) -> Vec<Reference> {
        let is_ours = |name: &str| {
            ["user", "session", "account", "verification"].iter().any(|core| mapping.table(core) == name)
                || self.plugins.iter().any(|found| found.table == name)
        };
        let keys = self.catalog.iter().flat_map(|table| table.foreign_keys.iter().map(move |key| (table, key)));
        let unknown = keys.filter(|(table, key)| {
            !self.references.iter().any(|known| {
                known.table == table.name
                    && known.parent.eq_ignore_ascii_case(&key.parent)
                    && known.columns.iter().map(|(own, _)| own).eq(key.columns.iter().map(|(own, _)| own))
            })
        });
        unknown
            .map(|(table, key)| {
                let effect = match key.on_delete {
                    OnDelete::Cascade => Effect::Cascade,
                    OnDelete::Clear => Effect::Cleared,
                    OnDelete::Refuse | OnDelete::RefuseAtEnd if is_ours(&table.name) => Effect::Delete,
                    OnDelete::Refuse => Effect::Hold,
                    OnDelete::RefuseAtEnd => Effect::HoldToEnd,
                };
                let (parent, columns) = (key.parent.clone(), key.columns.clone());
                Reference { table: table.name.clone(), parent, columns, effect }
            })
            .collect()
    }

    fn is_nullable(&self, table: &str, column: &str) -> bool {
        let found = self.catalog.iter().find(|known| known.name == table);
        let found = found.and_then(|table| table.columns.iter().find(|known| known.name == column));
        found.is_some_and(|column| column.is_nullable)
    }

    /// The columns that refer to rows of other tables, each with the tables in one of which the row must be.
    pub(in crate::store) fn referring(&self) -> Vec<Referring> {
        let mut all: Vec<Referring> = Vec::new();
        // The id of an ended session stays in its tokens where no foreign key clears it, and does no harm.
        for reference in self.references.iter().filter(|reference| reference.effect != Effect::Clear) {
            let (columns, referred): (Vec<_>, Vec<_>) = reference.columns.iter().cloned().unzip();
            let parent = (reference.parent.clone(), referred);
            match all.iter_mut().find(|known| known.table == reference.table && known.columns == columns) {
                Some(known) => known.parents.push(parent),
                None => all.push(Referring { table: reference.table.clone(), columns, parents: vec![parent] }),
            }
        }
        // A key may name a table that the database does not have.
        let exists = |name: &str| self.catalog.iter().any(|table| table.name.eq_ignore_ascii_case(name));
        all.retain(|referring| referring.parents.iter().all(|(parent, _)| exists(parent)));
        all
    }

    /// What the deletion of rows of a table does to others, in the order in which it happens: rows that refer to others
    /// go before them. `table` is the database's name.
    ///
    /// # Errors
    /// [`StoreError::TooManyChains`].
    pub(in crate::store) fn steps(&self, table: &str, condition: &str) -> Result<Vec<Step>, StoreError> {
        let mut steps = Vec::new();
        self.add_steps((table, condition), true, &mut vec![table.to_owned()], &mut steps);
        if steps.len() > CHAINS_MAX { Err(StoreError::TooManyChains(table.to_owned())) } else { Ok(steps) }
    }

    /// What the deletion of the row with the id `?1` does to others. `table` is Better Auth's name.
    pub(in crate::store) fn steps_for_row(
        &self,
        mapping: &SchemaMapping,
        table: &str,
    ) -> Result<Vec<Step>, StoreError> {
        let id = identifier(mapping.column(table, "id").unwrap_or("id"));
        self.steps(mapping.table(table), &format!("{id} = ?1"))
    }

    /// Prepares the deletion of rows of a table. Takes the database's names of the table and of its ids.
    ///
    /// # Errors
    /// [`StoreError::TooManyChains`].
    pub(in crate::store) fn deletion(&self, table: &str, id: &str) -> Result<RowDeletion<'_>, StoreError> {
        let condition = format!("{} = ?1", identifier(id));
        let delete = format!("DELETE FROM {} WHERE {condition}", identifier(table));
        Ok(RowDeletion { inventory: self, steps: self.steps(table, &condition)?, delete })
    }

    /// Adds the steps of rows that refer to those of a table that a condition selects. `is_same_statement` tells whether
    /// cascades alone lead from the first row to these.
    fn add_steps(
        &self,
        (table, condition): (&str, &str),
        is_same_statement: bool,
        path: &mut Vec<String>,
        steps: &mut Vec<Step>,
    ) {
        for reference in self.references.iter().filter(|reference| reference.parent.eq_ignore_ascii_case(table)) {
            if steps.len() > CHAINS_MAX {
                return;
            }
            let condition = self.condition(reference, table, condition);
            let goes = matches!(reference.effect, Effect::Delete | Effect::Cascade);
            if goes && !path.contains(&reference.table) {
                path.push(reference.table.clone());
                let is_same_statement = is_same_statement && reference.effect == Effect::Cascade;
                self.add_steps((&reference.table, &condition), is_same_statement, path, steps);
                path.pop();
            }
            steps.push(Step {
                table: reference.table.clone(),
                columns: reference.columns.iter().map(|(own, _)| own.clone()).collect(),
                condition,
                effect: reference.effect,
                is_same_statement,
            });
        }
    }

    /// Selects the rows that refer to rows of the parent.
    fn condition(&self, reference: &Reference, parent: &str, condition: &str) -> String {
        let list = |of: fn(&(String, String)) -> &String| {
            reference.columns.iter().map(|pair| identifier(of(pair))).collect::<Vec<_>>().join(", ")
        };
        let (own, referred) = (list(|(own, _)| own), list(|(_, referred)| referred));
        let refers = format!("({own}) IN (SELECT {referred} FROM {} WHERE {condition})", identifier(parent));
        // A key of an organization is not one of the user who has the same number.
        let is_key = self.plugin("apikey").is_some_and(|keys| keys.table == reference.table);
        match self.plugin("organization").filter(|_| is_key) {
            Some(organization) if organization.table != parent => {
                let id = identifier(organization.column("id").unwrap_or("id"));
                format!("{refers} AND {own} NOT IN (SELECT {id} FROM {})", identifier(&organization.table))
            }
            _ => refers,
        }
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
                lower_member_counts(tx, inventory, step, values)?;
                tx.delete(&format!("DELETE FROM {table} WHERE {condition}"), values)
                    .map_err(|error| explain_deletion(tx, steps, values, error))?;
            }
            Effect::Clear => {
                let columns: Vec<_> =
                    step.columns.iter().map(|column| format!("{} = NULL", identifier(column))).collect();
                tx.update_until_none(&table, &columns.join(", "), condition, values, &[])?;
            }
            Effect::Cascade | Effect::Cleared | Effect::Hold | Effect::HoldToEnd => {}
        }
    }
    Ok(())
}

/// The deletion of rows of a table by their ids, each with what must go before it.
pub(in crate::store) struct RowDeletion<'i> {
    inventory: &'i Inventory,
    steps: Vec<Step>,
    delete: String,
}

impl RowDeletion<'_> {
    /// Deletes the row with an id, and returns the number of deleted rows: 0 if it is gone.
    ///
    /// # Errors
    /// As for [`make_way`]. Then some of the rows that refer to it may be gone.
    pub(in crate::store) fn run(&self, tx: &mut dyn Tx, id: &Value) -> Result<u64, StoreError> {
        let id = std::slice::from_ref(id);
        make_way(tx, self.inventory, &self.steps, id)?;
        let deleted = tx.delete(&self.delete, id);
        deleted.map_err(|error| explain_deletion(tx, &self.steps, id, error))
    }
}

/// The rows of the app that keep the others.
fn holders(tx: &mut dyn Tx, steps: &[Step], values: &[Value]) -> Result<Vec<Holder>, StoreError> {
    let mut holders = Vec::new();
    for step in steps.iter().filter(|step| matches!(step.effect, Effect::Hold | Effect::HoldToEnd)) {
        let goes = |other: &&Step| {
            step.effect == Effect::HoldToEnd
                && other.effect == Effect::Cascade
                && step.is_same_statement
                && other.is_same_statement
                && other.table == step.table
        };
        let going = steps.iter().filter(goes).map(|other| format!(" AND ({}) IS NOT TRUE", other.condition));
        let condition = format!("({}){}", step.condition, going.collect::<String>());
        let rows = count(tx, &step.table, &condition, values)?;
        if rows > 0 {
            holders.push(Holder { table: step.table.clone(), column: step.columns.join(", "), rows });
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
        let rows = |effects: &[Effect]| {
            let of_table = steps.iter().filter(|one| one.table == step.table && effects.contains(&one.effect));
            let conditions: Vec<_> = of_table.map(|one| format!("({})", one.condition)).collect();
            (!conditions.is_empty()).then(|| conditions.join(" OR "))
        };
        let deleted = rows(&[Effect::Delete, Effect::Cascade]);
        let cleared = rows(&[Effect::Clear, Effect::Cleared]).map(|cleared| match &deleted {
            Some(deleted) => format!("({cleared}) AND NOT ({deleted})"),
            None => cleared,
        });
        let mut rows =
            |condition: Option<String>| condition.map_or(Ok(0), |condition| count(tx, &step.table, &condition, values));
        let (deleted, cleared) = (rows(deleted)?, rows(cleared)?);
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

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::store::mapping::NATIVE;
    use crate::store::sqlite::engine::SqliteTx;

    /// Tables of an app and its plugins, with a foreign key where `KEY` is.
    const TABLES: &str = "
        CREATE TABLE user (id TEXT PRIMARY KEY);
        CREATE TABLE account (id TEXT PRIMARY KEY, userId TEXT KEY(user.id));
        CREATE TABLE session (id TEXT PRIMARY KEY, userId TEXT KEY(user.id), impersonatedBy TEXT);
        CREATE TABLE organization (id TEXT PRIMARY KEY, name TEXT, slug TEXT);
        CREATE TABLE member (id TEXT PRIMARY KEY, organizationId TEXT KEY(organization.id), userId TEXT KEY(user.id), role TEXT);
        CREATE TABLE team (id TEXT PRIMARY KEY, name TEXT, memberCount INTEGER, organizationId TEXT KEY(organization.id));
        CREATE TABLE teamMember (id TEXT PRIMARY KEY, teamId TEXT KEY(team.id), userId TEXT KEY(user.id));
        CREATE TABLE apikey (id TEXT PRIMARY KEY, key TEXT, referenceId TEXT);
        CREATE TABLE oauthClient (id TEXT PRIMARY KEY, clientId TEXT UNIQUE, redirectUris TEXT, userId TEXT KEY(user.id));
        CREATE TABLE oauthRefreshToken (id TEXT PRIMARY KEY, clientId TEXT KEY(oauthClient.clientId),
          sessionId TEXT KEY(session.id), userId TEXT KEY(user.id));
        CREATE TABLE oauthAccessToken (id TEXT PRIMARY KEY, clientId TEXT KEY(oauthClient.clientId),
          sessionId TEXT KEY(session.id), userId TEXT KEY(user.id), refreshId TEXT KEY(oauthRefreshToken.id));
        INSERT INTO user VALUES ('ada'), ('bob');
        INSERT INTO account VALUES ('a', 'ada'), ('b', 'bob');
        INSERT INTO session VALUES ('as', 'ada', NULL), ('bs', 'bob', NULL), ('ab', 'ada', 'bob');
        INSERT INTO organization VALUES ('o', 'O', 'o'), ('bob', 'Bob', 'b');
        INSERT INTO member VALUES ('am', 'o', 'ada', 'owner'), ('bm', 'o', 'bob', 'member');
        INSERT INTO team VALUES ('t', 'T', 2, 'o');
        INSERT INTO teamMember VALUES ('at', 't', 'ada'), ('bt', 't', 'bob');
        INSERT INTO apikey VALUES ('ak', '1', 'ada'), ('bk', '2', 'bob');
        INSERT INTO oauthClient VALUES ('bc', 'bc', '', 'bob');
        INSERT INTO oauthRefreshToken VALUES ('ar', 'bc', 'as', 'ada'), ('br', 'bc', 'bs', 'bob');
        INSERT INTO oauthAccessToken VALUES ('at', 'bc', 'as', 'ada', 'ar'), ('bt', 'bc', 'bs', 'bob', 'br');";

    /// The three shapes in which apps have foreign keys.
    const SHAPES: [&str; 3] = ["REFERENCES $1 ($2) ON DELETE CASCADE", "REFERENCES $1 ($2)", ""];

    fn database(shape: &str, more: &str) -> Connection {
        let mut sql = String::new();
        let mut parts = TABLES.split("KEY(");
        sql.push_str(parts.next().unwrap());
        for part in parts {
            let (named, rest) = part.split_once(')').unwrap();
            let (table, column) = named.split_once('.').unwrap();
            sql.push_str(&shape.replace("$1", table).replace("$2", column));
            sql.push_str(rest);
        }
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(&format!("PRAGMA foreign_keys = ON; {sql} {more}")).unwrap();
        connection
    }

    fn delete(connection: &Connection, user: &str) -> Result<Vec<TableRows>, StoreError> {
        let mut tx = SqliteTx::new(connection);
        let inventory = Inventory::read(&mut tx, &NATIVE)?;
        let steps = inventory.steps_for_row(&NATIVE, "user")?;
        let reached = reach(&mut tx, &steps, &[user.into()])?;
        make_way(&mut tx, &inventory, &steps, &[user.into()])?;
        tx.change("DELETE FROM user WHERE id = ?1", &[user.into()])?;
        Ok(reached)
    }

    fn ids(connection: &Connection, table: &str) -> String {
        let sql = format!("SELECT coalesce(group_concat(id, ' '), '') FROM {table}");
        connection.query_row(&sql, [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn deletion_leaves_nothing_of_a_user_in_any_shape() {
        for shape in SHAPES {
            let db = database(shape, "DELETE FROM organization WHERE id = 'bob'");
            let reached = delete(&db, "bob").unwrap();
            let tables =
                ["account", "session", "member", "teamMember", "apikey", "oauthClient", "team", "organization"];
            let left = tables.map(|table| ids(&db, table)).join(", ");
            assert_eq!(left, "a, as, am, at, ak, , t, o", "{shape}");
            // The client was bob's, and with it go the tokens of all its users.
            assert_eq!(ids(&db, "oauthAccessToken") + &ids(&db, "oauthRefreshToken"), "", "{shape}");
            let members: u32 = db.query_row("SELECT memberCount FROM team", [], |row| row.get(0)).unwrap();
            assert_eq!(members, 1, "{shape}");
            let told = reached.iter().find(|rows| rows.table == "oauthAccessToken").unwrap();
            assert_eq!((told.deleted, told.cleared), (2, 0), "{shape}");
        }
    }

    #[test]
    fn key_of_an_organization_is_not_one_of_a_user() {
        let db = database(SHAPES[1], "");
        delete(&db, "bob").unwrap();
        assert_eq!(ids(&db, "apikey"), "ak bk");
    }

    #[test]
    fn row_of_the_app_keeps_the_user_and_is_counted() {
        let posts = "CREATE TABLE post (id INTEGER PRIMARY KEY, author REFERENCES user (id));
                     INSERT INTO post VALUES (1, 'bob'), (2, 'bob'), (3, 'ada');";
        let db = database(SHAPES[0], posts);
        let Err(StoreError::Held(holders)) = delete(&db, "bob") else { panic!("nothing keeps bob") };
        assert_eq!(holders, [Holder { table: "post".into(), column: "author".into(), rows: 2 }]);
        assert_eq!(ids(&db, "member"), "am bm");
    }

    #[test]
    fn rows_that_a_cascade_reaches_keep_and_count() {
        let posts = "CREATE TABLE post (id INTEGER PRIMARY KEY, author REFERENCES user ON DELETE CASCADE);
                     CREATE TABLE comment (id INTEGER PRIMARY KEY, post REFERENCES post, by REFERENCES user ON DELETE SET NULL);
                     INSERT INTO post VALUES (1, 'bob'), (2, 'ada'); INSERT INTO comment VALUES (1, 2, 'bob');";
        let db = database(SHAPES[2], posts);
        let reached = delete(&db, "bob").unwrap();
        let of = |table: &str| reached.iter().find(|rows| rows.table == table).map(|rows| (rows.deleted, rows.cleared));
        assert_eq!((of("post"), of("comment")), (Some((1, 0)), Some((0, 1))));
        assert_eq!(of("oauthAccessToken"), Some((2, 0)), "a row that goes is not counted twice");
        let db = database(SHAPES[2], &posts.replace("(1, 2, 'bob')", "(1, 1, 'ada')"));
        let Err(StoreError::Held(holders)) = delete(&db, "bob") else { panic!("nothing keeps the post") };
        assert_eq!((holders[0].table.as_str(), holders[0].column.as_str()), ("comment", "post"));
    }

    /// SQLite looks at keys without an action at the end of the statement, and so do we.
    #[test]
    fn rows_that_go_in_the_same_statement_keep_nothing() {
        let comments = "CREATE TABLE comment (id INTEGER PRIMARY KEY, author REFERENCES user ON DELETE CASCADE,
                          parent REFERENCES comment);
                        INSERT INTO comment VALUES (1, 'bob', NULL), (2, 'bob', 1), (3, 'ada', NULL);";
        let likes = "CREATE TABLE post (id INTEGER PRIMARY KEY, author REFERENCES user ON DELETE CASCADE);
                     CREATE TABLE liking (id INTEGER PRIMARY KEY, author REFERENCES user ON DELETE CASCADE, post REFERENCES post);
                     INSERT INTO post VALUES (1, 'bob'); INSERT INTO liking VALUES (1, 'bob', 1);";
        for (tables, left) in [(comments, "SELECT id FROM comment"), (likes, "SELECT 3 + count(*) FROM liking")] {
            let db = database(SHAPES[0], tables);
            delete(&db, "bob").unwrap();
            assert_eq!(db.query_row(left, [], |row| row.get(0)), Ok(3), "{tables}");
        }
        for (tables, held) in [
            (comments.replace("(3, 'ada', NULL)", "(3, 'ada', 1)"), "comment"),
            (comments.replace("(3, 'ada', NULL)", "(3, NULL, 1)"), "comment"),
            (comments.replace("REFERENCES comment", "REFERENCES comment ON DELETE RESTRICT"), "comment"),
            (likes.replace("(1, 'bob', 1)", "(1, 'ada', 1)"), "liking"),
        ] {
            let db = database(SHAPES[0], &tables);
            let Err(StoreError::Held(holders)) = delete(&db, "bob") else { panic!("{tables}") };
            assert_eq!((holders[0].table.as_str(), holders[0].rows), (held, 1), "{tables}");
            assert!(db.execute("DELETE FROM user WHERE id = 'bob'", []).is_err(), "SQLite refuses too: {tables}");
        }
    }

    #[test]
    fn end_of_a_session_clears_it_from_tokens() {
        for shape in SHAPES {
            let db = database(shape, "");
            let mut tx = SqliteTx::new(&db);
            let inventory = Inventory::read(&mut tx, &NATIVE).unwrap();
            let steps = inventory.steps_for_row(&NATIVE, "session").unwrap();
            make_way(&mut tx, &inventory, &steps, &["as".into()]).unwrap();
            tx.change("DELETE FROM session WHERE id = 'as'", &[]).unwrap();
            let sql = "SELECT group_concat(id || coalesce(sessionId, '-'), ' ') FROM oauthAccessToken";
            let tokens: String = db.query_row(sql, [], |row| row.get(0)).unwrap();
            assert_eq!(tokens, "at- btbs", "{shape}");
        }
    }

    /// Tables that all refer to each other and to users.
    fn circle(tables: u32) -> String {
        let table = |own| {
            let others = (0..tables).filter(|other| *other != own);
            let keys = others.map(|other| format!("c{other} REFERENCES circle{other} (id) ON DELETE CASCADE"));
            let keys = keys.collect::<Vec<_>>().join(", ");
            format!("CREATE TABLE circle{own} (id TEXT PRIMARY KEY, u REFERENCES user (id) ON DELETE CASCADE, {keys})")
        };
        (0..tables).map(table).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn too_many_chains_of_keys_are_refused_and_nothing_is_deleted() {
        let steps = |more: &str| {
            let db = database(SHAPES[1], more);
            let inventory = Inventory::read(&mut SqliteTx::new(&db), &NATIVE).unwrap();
            inventory.steps_for_row(&NATIVE, "user").map(|steps| steps.len())
        };
        // Every table refers to the user, and at the end of each path of 1 to 4 tables the three others refer to the last.
        let paths = 4 + 4 * 3 + 4 * 3 * 2 + 4 * 3 * 2;
        assert_eq!(steps(&circle(4)).unwrap() - steps("").unwrap(), 4 + 3 * paths);
        let Err(StoreError::TooManyChains(table)) = steps(&circle(5)) else { panic!("no limit") };
        assert_eq!(table, "user");
        let db = database(SHAPES[1], &circle(5));
        assert!(matches!(delete(&db, "bob"), Err(StoreError::TooManyChains(_))));
        assert_eq!(ids(&db, "user") + &ids(&db, "member"), "ada bobam bm");
    }

    #[test]
    fn tables_of_all_plugins_are_far_from_the_limit_of_chains() {
        let drizzle = include_str!("../../../tests/fixtures/better-auth/drizzle-ms.sql");
        let plugins = include_str!("../../../tests/fixtures/plugin-tables/drizzle.sql");
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(drizzle).unwrap();
        connection.execute_batch(plugins).unwrap();
        let inventory = Inventory::read(&mut SqliteTx::new(&connection), &NATIVE).unwrap();
        let chains = inventory.steps_for_row(&NATIVE, "user").unwrap().len();
        assert!(chains < CHAINS_MAX / 4, "{chains}");
    }
}
