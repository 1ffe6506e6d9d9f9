//! What a deletion takes along, as one query over the foreign keys between all tables.

use super::inventory::{Inventory, Reference};
use super::steps::Step;
use crate::store::engine;
use crate::store::mapping::identifier;

/// The rows that a deletion takes along, through any number of references, circles of them included.
pub(super) struct Reach<'i> {
    inventory: &'i Inventory,
    /// The table of the first rows, and the condition that selects them.
    start: (&'i str, &'i str),
    /// The references to tables of which rows go: those to rows that go later come later.
    pub(super) references: Vec<&'i Reference>,
    /// What references refer to: a table and its columns.
    keys: Vec<(&'i str, Vec<&'i str>)>,
}

impl<'i> Reach<'i> {
    pub(super) fn new(inventory: &'i Inventory, table: &'i str, condition: &'i str) -> Self {
        let mut reach = Self { inventory, start: (table, condition), references: Vec::new(), keys: Vec::new() };
        reach.follow(table, &mut vec![table]);
        for reference in &reach.references {
            if !reach.keys.iter().any(|key| is_key_of(key, reference)) {
                reach.keys.push((&reference.parent, reference.referred().collect()));
            }
        }
        reach
    }

    /// Adds the references to a table, after those to tables whose rows go with it.
    fn follow(&mut self, table: &str, seen: &mut Vec<&'i str>) {
        let references = self.inventory.references.iter();
        for reference in references.filter(|reference| reference.parent.eq_ignore_ascii_case(table)) {
            let is_seen = seen.iter().any(|seen| seen.eq_ignore_ascii_case(&reference.table));
            if reference.goes() && !is_seen {
                seen.push(&reference.table);
                self.follow(&reference.table, seen);
            }
            self.references.push(reference);
        }
    }

    /// How many keys the largest query follows: one that counts the rows of a table follows all of them once for each
    /// reference that it looks at.
    pub(super) fn parts(&self) -> usize {
        let keys = |table: &str| self.keys.iter().filter(|(of, _)| of.eq_ignore_ascii_case(table)).count();
        let has_sure = |table: &str| self.sure_key(table).is_some();
        let going = self.references.iter().filter(|reference| reference.goes());
        let followed: usize = going.map(|reference| keys(&reference.table)).sum();
        let looked_at = |table: &str| {
            let of_table = self.references.iter().filter(|one| one.table == table && !self.is_first(one));
            of_table.filter(|one| !one.goes() || !has_sure(table)).count() + usize::from(has_sure(table))
        };
        followed * self.references.iter().map(|one| looked_at(&one.table)).max().unwrap_or(0)
    }

    /// Whether the rows of a reference refer to the first rows only.
    fn is_first(&self, reference: &Reference) -> bool {
        let is_start = |table: &str| table.eq_ignore_ascii_case(self.start.0);
        is_start(&reference.parent) && !self.references.iter().any(|one| one.goes() && is_start(&one.table))
    }

    /// A key that every row of a table has.
    fn sure_key(&self, table: &str) -> Option<&(&'i str, Vec<&'i str>)> {
        let mut of_table = self.keys.iter().filter(|(of, _)| of.eq_ignore_ascii_case(table));
        of_table.find(|(of, columns)| columns.iter().all(|column| self.inventory.always_has_value(of, column)))
    }

    /// Selects the rows of a table whose key is in the table of those that go.
    fn by_key<'c>(
        &self,
        going: &str,
        columns: impl Iterator<Item = &'c str>,
        is_it: impl Fn(&(&str, Vec<&str>)) -> bool,
    ) -> Option<String> {
        let number = self.keys.iter().position(is_it)?;
        let columns: Vec<String> =
            columns.map(|column| (self.inventory.dialect.beside_keys)(&identifier(column))).collect();
        let columns = columns.join(", ");
        let values: Vec<String> = (0..self.keys[number].1.len()).map(|place| format!("k{place}")).collect();
        let values = values.join(", ");
        Some(format!("({columns}) IN ({going} SELECT {values} FROM authctl_going WHERE key IN ({number}))"))
    }

    /// Selects the rows of a reference.
    fn condition(&self, going: &str, reference: &Reference) -> String {
        let by_key = || self.by_key(going, reference.referred(), |key| is_key_of(key, reference)).unwrap_or_default();
        let goes = if self.is_first(reference) { self.start.1.to_owned() } else { by_key() };
        let (mut own, mut referred) = (Vec::new(), Vec::new());
        for (column, other) in &reference.columns {
            let [column, other] = self.inventory.compared(
                (&reference.table, column, identifier(column)),
                (&reference.parent, other, identifier(other)),
            );
            own.push(column);
            referred.push(other);
        }
        let (own, referred, parent) = (own.join(", "), referred.join(", "), identifier(&reference.parent));
        let refers = format!("({own}) IN (SELECT {referred} FROM {parent} WHERE {goes})");
        self.inventory.besides(reference).map_or(refers.clone(), |besides| format!("{refers} AND {besides}"))
    }

    /// Selects all rows of a table that go.
    fn gone(&self, going: &str, table: &str) -> String {
        let of_table = self.references.iter().filter(|one| one.goes() && one.table.eq_ignore_ascii_case(table));
        let of_table: Vec<_> = of_table.collect();
        let is_start = table.eq_ignore_ascii_case(self.start.0);
        match self.sure_key(table) {
            _ if is_start && of_table.is_empty() => self.start.1.to_owned(),
            Some(key) if of_table.iter().any(|reference| !self.is_first(reference)) => {
                self.by_key(going, key.1.iter().copied(), |one| one == key).unwrap_or_default()
            }
            _ => {
                let conditions = of_table.iter().map(|one| format!("({})", self.condition(going, one)));
                conditions.chain(is_start.then(|| self.start.1.to_owned())).collect::<Vec<_>>().join(" OR ")
            }
        }
    }

    /// A table of the rows that go, each by the number of a key and its values. It has each row once, so circles of
    /// references end.
    pub(super) fn going(&self) -> String {
        let width = self.keys.iter().map(|(_, columns)| columns.len()).max().unwrap_or(1);
        let names: Vec<String> = (0..width).map(|place| format!("k{place}")).collect();
        let as_key = self.inventory.dialect.key;
        // The keys of all tables are in the same columns.
        let selects = |of: &str| {
            let keys = self.keys.iter().enumerate().filter(|(_, (table, _))| table.eq_ignore_ascii_case(of));
            let select = |(number, (table, columns)): (usize, &(&str, Vec<&str>))| {
                let table = identifier(table);
                let mut values: Vec<String> =
                    columns.iter().map(|column| as_key(&format!("{table}.{}", identifier(column)))).collect();
                values.resize(width, as_key("NULL"));
                format!("SELECT {number}, {}", values.join(", "))
            };
            keys.map(select).collect::<Vec<_>>()
        };
        let (start, condition) = self.start;
        let first = selects(start);
        let mut parts: Vec<String> =
            first.iter().map(|select| format!("{select} FROM {} WHERE {condition}", identifier(start))).collect();
        let mut steps = Vec::new();
        for reference in self.references.iter().filter(|reference| reference.goes()) {
            let from = self.followed(reference);
            steps.extend(
                selects(&reference.table).into_iter().map(|select| engine::Step { select, from: from.clone() }),
            );
        }
        if !steps.is_empty() {
            parts.push((self.inventory.dialect.recursion)("authctl_going", &steps));
        }
        format!("WITH RECURSIVE authctl_going (key, {}) AS ({})", names.join(", "), parts.join(" UNION "))
    }

    /// The rows of a reference to a row that goes, as tables of a query beside the rows that go.
    fn followed(&self, reference: &Reference) -> String {
        let number = self.keys.iter().position(|key| is_key_of(key, reference)).unwrap_or_default();
        let (table, parent) = (identifier(&reference.table), identifier(&reference.parent));
        let mut conditions = vec![format!("authctl_going.key IN ({number})")];
        for (place, (own, referred)) in reference.columns.iter().enumerate() {
            let gone = format!("authctl_gone.{}", identifier(referred));
            conditions.push(format!("{} = authctl_going.k{place}", (self.inventory.dialect.beside_keys)(&gone)));
            let [own, gone] = self.inventory.compared(
                (&reference.table, own, format!("{table}.{}", identifier(own))),
                (&reference.parent, referred, gone),
            );
            conditions.push(format!("{own} = {gone}"));
        }
        conditions.extend(self.inventory.besides(reference));
        format!("{parent} AS authctl_gone, {table} WHERE {}", conditions.join(" AND "))
    }

    pub(super) fn step(&self, going: &str, reference: &Reference) -> Step {
        Step {
            table: reference.table.clone(),
            columns: reference.own().map(str::to_owned).collect(),
            condition: self.condition(going, reference),
            effect: reference.effect,
            gone: self.gone(going, &reference.table),
            release: self.inventory.release(reference),
        }
    }
}

fn is_key_of(key: &(&str, Vec<&str>), reference: &Reference) -> bool {
    let (table, columns) = key;
    reference.parent.eq_ignore_ascii_case(table) && reference.referred().eq(columns.iter().copied())
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::auth::storage::{FOLLOWED_MAX, StoreError, TableRows};
    use crate::store::engine::Value;
    use crate::store::mapping::NATIVE;
    use crate::store::sql::inventory::tests::{SHAPES, database, delete, holders, ids, of};
    use crate::store::sql::steps::reach;
    use crate::store::sqlite::engine::SqliteTx;

    /// What goes with the row of a table that has an id, and what keeps it.
    fn delete_row(db: &Connection, table: &str, id: impl Into<Value>) -> Result<Vec<TableRows>, StoreError> {
        let mut tx = SqliteTx::new(db);
        let inventory = Inventory::read(&mut tx, &NATIVE).unwrap();
        let (deletion, id) = (inventory.deletion(table, "id = ?1").unwrap(), id.into());
        let reached = reach(&mut tx, &deletion.steps, std::slice::from_ref(&id)).unwrap();
        deletion.run(&mut tx, std::slice::from_ref(&id)).map(|rows| assert_eq!(rows, 1))?;
        Ok(reached)
    }

    #[test]
    fn tables_whose_rows_stay_are_not_followed() {
        let db = database(
            SHAPES[0],
            "CREATE TABLE post (id INTEGER PRIMARY KEY, editor REFERENCES user ON DELETE SET NULL);
             CREATE TABLE comment (id INTEGER PRIMARY KEY, post REFERENCES post ON DELETE CASCADE);",
        );
        let inventory = Inventory::read(&mut SqliteTx::new(&db), &NATIVE).unwrap();
        let steps = inventory.steps_for_row(&NATIVE, "user").unwrap();
        let has = |table: &str| steps.iter().any(|step| step.table == table);
        assert_eq!((has("post"), has("comment")), (true, false));
    }

    #[test]
    fn rows_of_the_first_table_are_followed_too() {
        let comments = "CREATE TABLE comment (id INTEGER PRIMARY KEY, parent REFERENCES comment ON DELETE CASCADE);
                        CREATE TABLE attachment (id INTEGER PRIMARY KEY, c REFERENCES comment);
                        INSERT INTO comment VALUES (1, NULL), (2, 1), (3, 2), (4, NULL); INSERT INTO attachment VALUES (1, 4);";
        let db = database(SHAPES[2], comments);
        assert_eq!(of(&delete_row(&db, "comment", 1_i64).unwrap(), "comment"), Some((3, 0)));
        assert_eq!(ids(&db, "comment"), "4");
        let db = database(SHAPES[2], &format!("{comments} UPDATE attachment SET c = 3;"));
        assert!(matches!(delete_row(&db, "comment", 1_i64), Err(StoreError::Held(_))));
    }

    #[test]
    fn numbers_and_texts_with_their_digits_are_different_keys() {
        let db = database(
            SHAPES[2],
            "CREATE TABLE post (id INTEGER PRIMARY KEY);
             CREATE TABLE note (id TEXT PRIMARY KEY, post INTEGER REFERENCES post ON DELETE CASCADE);
             CREATE TABLE mark (id TEXT PRIMARY KEY, note TEXT REFERENCES note ON DELETE CASCADE);
             INSERT INTO post VALUES (7), (8); INSERT INTO note VALUES ('007', 7), ('7', 8);
             INSERT INTO mark VALUES ('a', '007'), ('b', '7');",
        );
        let reached = delete_row(&db, "post", 7_i64).unwrap();
        assert_eq!(["note", "mark"].map(|table| of(&reached, table)), [Some((1, 0)); 2]);
        assert_eq!(ids(&db, "mark"), "b");
    }

    #[test]
    fn keys_of_other_tables_are_compared_without_the_collation_of_the_first() {
        let db = database(
            SHAPES[2],
            "CREATE TABLE post (id TEXT PRIMARY KEY COLLATE NOCASE);
             CREATE TABLE note (id TEXT PRIMARY KEY, post TEXT REFERENCES post ON DELETE CASCADE);
             CREATE TABLE mark (id TEXT PRIMARY KEY, note TEXT REFERENCES note ON DELETE CASCADE);
             INSERT INTO post VALUES ('p'); INSERT INTO note VALUES ('n', 'p'), ('N', 'p');
             INSERT INTO mark VALUES ('a', 'n'), ('b', 'N');",
        );
        let reached = delete_row(&db, "post", "p").unwrap();
        assert_eq!(["note", "mark"].map(|table| of(&reached, table)), [Some((2, 0)); 2]);
    }

    #[test]
    fn several_keys_of_a_table_and_keys_of_several_columns_are_followed() {
        let db = database(
            SHAPES[1],
            "UPDATE oauthClient SET id = 'other'; DELETE FROM organization WHERE id = 'bob';
             CREATE TABLE grants (id TEXT PRIMARY KEY, client REFERENCES oauthClient (id) ON DELETE CASCADE);
             INSERT INTO grants VALUES ('g', 'other');
             CREATE TABLE page (site TEXT, path TEXT, author REFERENCES user ON DELETE CASCADE, PRIMARY KEY (site, path));
             CREATE TABLE link (id INTEGER PRIMARY KEY, site TEXT, path TEXT,
               FOREIGN KEY (site, path) REFERENCES page ON DELETE CASCADE);
             CREATE TABLE click (id INTEGER PRIMARY KEY, link REFERENCES link ON DELETE CASCADE);
             INSERT INTO page VALUES ('a', '/', 'bob'), ('a', '/x', 'ada'), ('b', '/', 'ada');
             INSERT INTO link VALUES (1, 'a', '/'), (2, 'a', '/x'), (3, 'b', '/'); INSERT INTO click VALUES (1, 1), (2, 2), (3, 3);",
        );
        let reached = delete(&db, "bob").unwrap();
        assert_eq!(["grants", "page", "link", "click"].map(|table| of(&reached, table)), [Some((1, 0)); 4]);
        assert_eq!(ids(&db, "click"), "2 3");
        let tables: Vec<&str> = reached.iter().map(|rows| rows.table.as_str()).collect();
        assert!(tables.iter().all(|table| tables.iter().filter(|other| *other == table).count() == 1), "{tables:?}");
    }

    #[test]
    fn row_without_a_key_that_others_refer_to_goes_too() {
        let db = database(
            SHAPES[0],
            "CREATE TABLE thread (id INTEGER PRIMARY KEY, author REFERENCES user ON DELETE CASCADE, slug TEXT UNIQUE);
             CREATE TABLE post (id INTEGER PRIMARY KEY, slug TEXT UNIQUE, thread REFERENCES thread ON DELETE CASCADE);
             CREATE TABLE liking (id INTEGER PRIMARY KEY, thread REFERENCES thread (slug) ON DELETE CASCADE,
               post REFERENCES post (slug) ON DELETE CASCADE);
             INSERT INTO thread VALUES (1, 'bob', NULL), (2, 'ada', 's'); INSERT INTO post VALUES (1, NULL, 1), (2, 'p', 2);
             INSERT INTO liking VALUES (1, 's', NULL), (2, NULL, 'p');",
        );
        let reached = delete(&db, "bob").unwrap();
        assert_eq!(["thread", "post", "liking"].map(|table| of(&reached, table)), [Some((1, 0)), Some((1, 0)), None]);
    }

    #[test]
    fn first_row_is_counted_beside_those_that_refer_to_it() {
        let db = database(
            SHAPES[2],
            "CREATE TABLE comment (id INTEGER PRIMARY KEY, slug TEXT UNIQUE, parent REFERENCES comment (slug) ON DELETE CASCADE);
             INSERT INTO comment VALUES (1, 'a', NULL), (2, NULL, 'a'), (3, NULL, NULL);",
        );
        assert_eq!(of(&delete_row(&db, "comment", 1_i64).unwrap(), "comment"), Some((2, 0)));
        assert_eq!(ids(&db, "comment"), "3");
    }

    #[test]
    fn rows_of_a_key_of_an_organization_stay() {
        let usage = "CREATE TABLE usage (id TEXT PRIMARY KEY, key REFERENCES apikey (id) ON DELETE CASCADE);
                     INSERT INTO usage VALUES ('a', 'ak'), ('b', 'bk'); UPDATE apikey SET configId = 'x' WHERE id = 'bk';";
        for (more, usages, left) in
            [("", None, "a b"), ("DELETE FROM organization WHERE id = 'bob'", Some((1, 0)), "a")]
        {
            let db = database(SHAPES[0], &format!("{usage} {more}"));
            let reached = delete(&db, "bob").unwrap();
            assert_eq!((of(&reached, "usage"), ids(&db, "usage").as_str()), (usages, left), "{more}");
        }
    }

    #[test]
    fn only_columns_that_may_be_null_lose_a_reference() {
        let db = database(
            SHAPES[0],
            "ALTER TABLE user ADD COLUMN tenant TEXT NOT NULL DEFAULT 't'; CREATE UNIQUE INDEX whole ON user (tenant, id);
             DROP TABLE member;
             CREATE TABLE member (id TEXT PRIMARY KEY, organizationId TEXT, userId TEXT, role TEXT, tenant TEXT NOT NULL,
               invitedBy TEXT, FOREIGN KEY (tenant, invitedBy) REFERENCES user (tenant, id));
             INSERT INTO member VALUES ('am', 'o', 'ada', 'owner', 't', 'bob');",
        );
        delete(&db, "bob").unwrap();
        assert_eq!(
            db.query_row("SELECT tenant || coalesce(invitedBy, '-') FROM member", [], |row| row.get(0)),
            Ok("t-".to_owned())
        );
    }

    #[test]
    fn rows_that_would_be_cleared_and_must_not_be_keep_a_row() {
        let db = database(
            SHAPES[2],
            "CREATE TABLE usage (id INTEGER PRIMARY KEY, key TEXT NOT NULL REFERENCES apikey (id) ON DELETE SET NULL);
             INSERT INTO usage VALUES (1, 'ak');",
        );
        let Err(StoreError::Held(found)) = delete_row(&db, "apikey", "ak") else { panic!("nothing keeps the key") };
        assert_eq!((found.len(), found[0].table.as_str(), found[0].rows), (1, "usage", 1));
        assert_eq!(holders(&db, "ada"), [("usage.key".to_owned(), 1)]);
    }

    #[test]
    fn as_many_keys_as_the_limit_are_followed() {
        let tables = |count: usize| {
            let table = |number| {
                format!(
                    "CREATE TABLE t{number} (id INTEGER PRIMARY KEY, u REFERENCES user ON DELETE CASCADE);
                     CREATE TABLE of{number} (t REFERENCES t{number} ON DELETE CASCADE);"
                )
            };
            let sql: String = (0..count).map(table).collect();
            let db = Connection::open_in_memory().unwrap();
            db.execute_batch(&format!("CREATE TABLE user (id TEXT PRIMARY KEY); {sql}")).unwrap();
            Inventory::read(&mut SqliteTx::new(&db), &NATIVE).unwrap()
        };
        let parts = |inventory: &Inventory| Reach::new(inventory, "user", "id = ?1").parts();
        let one = parts(&tables(1));
        let count = (FOLLOWED_MAX - one) / (parts(&tables(2)) - one) + 1;
        let inventory = tables(count);
        assert_eq!(parts(&inventory), FOLLOWED_MAX);
        assert!(inventory.steps_for_row(&NATIVE, "user").is_ok());
        let more = tables(count + 1).steps_for_row(&NATIVE, "user");
        assert!(matches!(more, Err(StoreError::TooManyKeys(_))), "{more:?}");
    }
}
