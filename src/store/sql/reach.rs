//! What a deletion takes along, as one query over the foreign keys between all tables.

use super::inventory::{Inventory, Reference};
use super::steps::Step;
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
        let going = self.references.iter().filter(|reference| reference.goes());
        let followed: usize = going.map(|reference| keys(&reference.table)).sum();
        let looked_at = |table: &str| {
            let of_table = self.references.iter().filter(|one| one.table == table && !self.is_first(one));
            of_table.filter(|one| !one.goes() || keys(table) == 0).count() + keys(table).min(1)
        };
        followed * self.references.iter().map(|one| looked_at(&one.table)).max().unwrap_or(0)
    }

    /// Whether the rows of a reference refer to the first rows only.
    fn is_first(&self, reference: &Reference) -> bool {
        let is_start = |table: &str| table.eq_ignore_ascii_case(self.start.0);
        is_start(&reference.parent) && !self.references.iter().any(|one| one.goes() && is_start(&one.table))
    }

    /// Selects the rows of a table whose key is in the table of those that go.
    fn by_key(&self, going: &str, columns: &str, is_it: impl Fn(&(&str, Vec<&str>)) -> bool) -> Option<String> {
        let number = self.keys.iter().position(is_it)?;
        let values: Vec<String> = (0..self.keys[number].1.len()).map(|place| format!("k{place}")).collect();
        let values = values.join(", ");
        Some(format!("({columns}) IN ({going} SELECT {values} FROM authctl_going WHERE key IN ({number}))"))
    }

    /// Selects the rows of a reference.
    fn condition(&self, going: &str, reference: &Reference) -> String {
        let referred = list(reference.referred());
        let by_key = || self.by_key(going, &referred, |key| is_key_of(key, reference)).unwrap_or_default();
        let goes = if self.is_first(reference) { self.start.1.to_owned() } else { by_key() };
        let (own, parent) = (list(reference.own()), identifier(&reference.parent));
        let refers = format!("({own}) IN (SELECT {referred} FROM {parent} WHERE {goes})");
        self.inventory.besides(reference).map_or(refers.clone(), |besides| format!("{refers} AND {besides}"))
    }

    /// Selects all rows of a table that go.
    fn gone(&self, going: &str, table: &str) -> String {
        let of_table = self.references.iter().filter(|one| one.goes() && one.table.eq_ignore_ascii_case(table));
        let of_table: Vec<_> = of_table.collect();
        let key = self.keys.iter().find(|(of, _)| of.eq_ignore_ascii_case(table));
        let is_start = table.eq_ignore_ascii_case(self.start.0);
        match key {
            _ if is_start && of_table.is_empty() => self.start.1.to_owned(),
            Some(key) if of_table.iter().any(|reference| !self.is_first(reference)) => {
                self.by_key(going, &list(key.1.iter().copied()), |one| one == key).unwrap_or_default()
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
        // The sign takes the type of a column away: the keys of all tables are in the same columns.
        let selects = |of: &str| {
            let keys = self.keys.iter().enumerate().filter(|(_, (table, _))| table.eq_ignore_ascii_case(of));
            let select = |(number, (table, columns)): (usize, &(&str, Vec<&str>))| {
                let table = identifier(table);
                let mut values: Vec<String> =
                    columns.iter().map(|column| format!("+{table}.{}", identifier(column))).collect();
                values.resize(width, "NULL".to_owned());
                format!("SELECT {number}, {}", values.join(", "))
            };
            keys.map(select).collect::<Vec<_>>()
        };
        let (start, condition) = self.start;
        let first = selects(start);
        let mut parts: Vec<String> =
            first.iter().map(|select| format!("{select} FROM {} WHERE {condition}", identifier(start))).collect();
        for reference in self.references.iter().filter(|reference| reference.goes()) {
            let from = self.followed(reference);
            parts.extend(selects(&reference.table).iter().map(|select| format!("{select} FROM {from}")));
        }
        format!("WITH RECURSIVE authctl_going (key, {}) AS ({})", names.join(", "), parts.join(" UNION "))
    }

    /// The rows of a reference to a row that goes, as tables of a query.
    fn followed(&self, reference: &Reference) -> String {
        let number = self.keys.iter().position(|key| is_key_of(key, reference)).unwrap_or_default();
        let (table, parent) = (identifier(&reference.table), identifier(&reference.parent));
        let mut conditions = vec![format!("authctl_going.key IN ({number})")];
        for (place, (own, referred)) in reference.columns.iter().enumerate() {
            let (own, referred) = (identifier(own), identifier(referred));
            conditions.push(format!("authctl_gone.{referred} = authctl_going.k{place}"));
            conditions.push(format!("{table}.{own} = authctl_gone.{referred}"));
        }
        conditions.extend(self.inventory.besides(reference));
        format!("authctl_going, {parent} AS authctl_gone, {table} WHERE {}", conditions.join(" AND "))
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

fn list<'c>(columns: impl Iterator<Item = &'c str>) -> String {
    columns.map(identifier).collect::<Vec<_>>().join(", ")
}
