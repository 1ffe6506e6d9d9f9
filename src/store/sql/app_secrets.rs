//! What apps encrypt with their secret, in the tables of Better Auth and of its plugins.

use jiff::Timestamp;

use super::SqlStore;
use super::inventory::Inventory;
use super::plugins::{is_over, quoted, quoted_to_write, time_encoding};
use crate::auth::AuthError;
use crate::auth::audit::{Event, counted};
use crate::auth::storage::{
    DecideSecret, SecretChange, SecretChanges, SecretColumn, SecretStore, SecretValue, StoreError,
};
use crate::store::engine::{Tx, Value, ignored};
use crate::store::mapping::{SchemaMapping, TimeEncoding, identifier};

/// How many values are in memory at once.
const PAGE: u32 = 1_000;

/// A column in the names of the database, as SQL spells them.
struct Place {
    table: String,
    id: String,
    column: String,
    /// The end of a row, with the encoding that its type shows.
    expires: Option<(String, Option<TimeEncoding>)>,
}

/// `None` if the database lacks the column.
fn place(inventory: &Inventory, mapping: &SchemaMapping, column: SecretColumn) -> Option<Place> {
    let (table, name) = column.place();
    if table == "account" {
        return Some(Place {
            table: identifier(mapping.table(table)),
            id: identifier(mapping.column(table, "id")?),
            column: identifier(mapping.column(table, name)?),
            expires: None,
        });
    }
    let found = inventory.plugin(table)?;
    let is_key = column == SecretColumn::SigningKey;
    let expires = quoted_to_write(found, "expiresAt").filter(|_| is_key);
    Some(Place {
        table: identifier(&found.table),
        id: quoted(found, "id")?,
        column: quoted(found, name)?,
        expires: expires.map(|expires| (expires, found.time_encoding("expiresAt", &mapping.times))),
    })
}

impl Place {
    /// Reads the values of the rows that a condition selects, with the ids of the rows. Returns the id of the last row.
    fn each(
        &self,
        tx: &mut dyn Tx,
        column: SecretColumn,
        (condition, values): (&str, &[Value]),
        now: Timestamp,
        mut found: impl FnMut(Value, SecretValue<'_>),
    ) -> Result<Option<Value>, StoreError> {
        let Self { table, id, column: name, expires } = self;
        let end = expires.as_ref().map_or("NULL", |(end, _)| end.as_str());
        let sql = format!("SELECT {id}, {name}, {end} FROM {table} WHERE {name} IS NOT NULL AND {condition}");
        let mut last = None;
        tx.each(&sql, values, |row| {
            let is_expired = is_over(row.value(2)?, expires.as_ref().and_then(|(_, encoding)| *encoding), now);
            let id = row.value(0)?.to_value();
            last = Some(id.clone());
            if let Some(text) = row.value(1)?.as_text() {
                found(id, SecretValue { column, text, is_expired });
            }
            Ok(())
        })?;
        Ok(last)
    }

    fn change(
        &self,
        tx: &mut dyn Tx,
        mapping: &SchemaMapping,
        (id, before): (Value, String),
        change: &SecretChange,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Self { table, id: key, column, expires } = self;
        let (changed, value) = match (change, expires) {
            (SecretChange::Keep, _) => return Ok(()),
            (SecretChange::Write(text), _) => (column, text.as_str().into()),
            (SecretChange::Expire, Some((end, _))) => (end, time_encoding(tx, mapping, table, &[end])?.write(now)),
            (SecretChange::Expire, None) => return Err(StoreError::Engine(format!("{table} has no end of a key"))),
        };
        let sql = format!("UPDATE {table} SET {changed} = ?3 WHERE {key} = ?1 AND {column} = ?2");
        if tx.change(&sql, &[id, before.into(), value])? == 0 {
            return Err(ignored("skips the change of an encrypted value"));
        }
        Ok(())
    }
}

impl Place {
    /// Decides about the values of some rows and changes them. Returns the id of the last row.
    fn change_part(
        &self,
        tx: &mut dyn Tx,
        mapping: &SchemaMapping,
        (column, rows): (SecretColumn, (&str, &[Value])),
        now: Timestamp,
        decide: &mut DecideSecret<'_>,
        changes: &mut SecretChanges,
    ) -> Result<Result<Option<Value>, AuthError>, StoreError> {
        let (mut decided, mut refused) = (Vec::new(), None);
        let last = self.each(tx, column, rows, now, |id, value| match decide(value) {
            Ok(SecretChange::Keep) => {}
            Ok(change) => decided.push(((id, value.text.to_owned()), change)),
            Err(error) => refused = refused.take().or(Some(error)),
        })?;
        if let Some(refused) = refused {
            return Ok(Err(refused));
        }
        for (row, decision) in decided {
            self.change(tx, mapping, row, &decision, now)?;
            match decision {
                SecretChange::Expire => changes.expired += 1,
                SecretChange::Write(_) | SecretChange::Keep => changes.written += 1,
            }
        }
        Ok(Ok(last))
    }
}

impl SecretStore for SqlStore {
    fn each_secret(&mut self, now: Timestamp, found: &mut dyn FnMut(SecretValue<'_>)) -> Result<(), StoreError> {
        self.read(|tx, mapping| {
            if !mapping.is_guest() {
                return Ok(());
            }
            let inventory = Inventory::read(tx, mapping)?;
            for column in SecretColumn::ALL {
                if let Some(place) = place(&inventory, mapping, column) {
                    place.each(tx, column, ("TRUE", &[]), now, |_, value| found(value))?;
                }
            }
            Ok(())
        })
    }

    fn change_secrets(
        &mut self,
        now: Timestamp,
        decide: &mut DecideSecret<'_>,
    ) -> Result<Result<SecretChanges, AuthError>, StoreError> {
        self.write_tx(|tx, mapping, log| {
            let changed = change(tx, mapping, now, decide)?;
            if let Ok(SecretChanges { written, expired }) = &changed
                && written + expired > 0
            {
                let values = counted(*written, "value");
                let keys = counted(*expired, "key");
                log.push(Event::new("app-secret.rotated").with(format!("{values} encrypted again, {keys} expired")));
            }
            Ok(changed)
        })
    }
}

fn change(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    now: Timestamp,
    decide: &mut DecideSecret<'_>,
) -> Result<Result<SecretChanges, AuthError>, StoreError> {
    let mut changes = SecretChanges::default();
    if !mapping.is_guest() {
        return Ok(Ok(changes));
    }
    let inventory = Inventory::read(tx, mapping)?;
    for column in SecretColumn::ALL {
        let Some(place) = place(&inventory, mapping, column) else { continue };
        let id = &place.id;
        // Rows without an id, whose change is an error, and then a page after the other.
        let mut parts =
            vec![(format!("{id} IS NOT NULL ORDER BY {id} LIMIT {PAGE}"), vec![]), (format!("{id} IS NULL"), vec![])];
        while let Some((condition, values)) = parts.pop() {
            let rows = (condition.as_str(), values.as_slice());
            match place.change_part(tx, mapping, (column, rows), now, decide, &mut changes)? {
                Ok(None | Some(Value::Null)) => {}
                Ok(Some(last)) => parts.push((format!("{id} > ?1 ORDER BY {id} LIMIT {PAGE}"), vec![last])),
                Err(refused) => return Ok(Err(refused)),
            }
        }
    }
    Ok(Ok(changes))
}
