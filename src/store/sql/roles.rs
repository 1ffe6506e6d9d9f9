//! The words that an app's column of roles takes, where a `CHECK` or a table of roles limits them.

use super::constraints::columns_of;
use crate::auth::storage::{Constraint, StoreError};
use crate::auth::user::is_role;
use crate::store::engine::Tx;
use crate::store::mapping::{SchemaMapping, identifier};

/// The role that Better Auth gives a new user.
const USUAL: &str = "user";
/// The most words that an error names.
const NAMED_MAX: usize = 10;
/// The most words of a table of roles or of a `CHECK` that are tried.
const TRIED_MAX: usize = 50;

/// Writes a row with a role. It may run several times, and all but the last are taken back.
pub(in crate::store) type Write<'w, T> = dyn FnMut(&mut dyn Tx, Option<&str>) -> Result<T, StoreError> + 'w;

/// What limits the roles of users.
struct Limits {
    /// The column, such as `user.role`.
    place: String,
    is_nullable: bool,
    /// The texts in its conditions, and the words of its type.
    texts: Vec<String>,
    /// The tables whose rows it must name, each with the column of the words.
    parents: Vec<(String, String)>,
}

impl Limits {
    /// `None` if the column takes every word.
    fn read(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<Option<Self>, StoreError> {
        let Some(role) = mapping.column("user", "role").filter(|_| mapping.is_guest()) else { return Ok(None) };
        let catalog = tx.catalog()?;
        let Some(table) = catalog.iter().find(|table| table.name == mapping.table("user")) else { return Ok(None) };
        let is_own = |column: &str| column.eq_ignore_ascii_case(role);
        let checks: Vec<_> = table.checks.iter().filter(|check| columns_of(table, check).any(is_own)).collect();
        let keys = table.working_keys().flat_map(|key| {
            let own = key.columns.iter().filter(|(own, _)| is_own(own));
            own.map(|(_, referred)| (key.parent.clone(), referred.clone()))
        });
        let parents: Vec<_> = keys.collect();
        let column = table.columns.iter().find(|column| is_own(&column.name));
        let words = column.map(|column| &column.words[..]).unwrap_or_default();
        if checks.is_empty() && parents.is_empty() && words.is_empty() {
            return Ok(None);
        }
        let is_nullable = column.is_some_and(|column| column.is_nullable);
        let texts = checks.iter().flat_map(|check| &check.quoted).chain(words);
        let texts = texts.filter(|text| is_role(text)).cloned().collect();
        Ok(Some(Self { place: format!("{}.{role}", table.name), is_nullable, texts, parents }))
    }

    /// Whether the tables of roles have a word. A foreign key may be checked only at the end of the transaction.
    fn has_parents(&self, tx: &mut dyn Tx, role: &str) -> Result<bool, StoreError> {
        for (parent, column) in &self.parents {
            let sql = format!("SELECT count(*) FROM {} WHERE {} = ?1", identifier(parent), identifier(column));
            if tx.count(&sql, &[role.into()])? == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether the database takes a row with a role. Nothing is left of it.
    fn takes<T>(&self, tx: &mut dyn Tx, role: Option<&str>, write: &mut Write<'_, T>) -> Result<bool, StoreError> {
        if let Some(role) = role
            && !self.has_parents(tx, role)?
        {
            return Ok(false);
        }
        match tx.rehearse(|tx| write(tx, role)) {
            Ok(_) => Ok(true),
            Err(StoreError::Constraint(_) | StoreError::Trigger(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The words that the column may take.
    fn words(&self, tx: &mut dyn Tx) -> Result<Vec<String>, StoreError> {
        let mut words = self.texts.clone();
        for (parent, column) in &self.parents {
            let (parent, column) = (identifier(parent), identifier(column));
            let sql = format!("SELECT {column} FROM {parent} ORDER BY {column} LIMIT {TRIED_MAX}");
            tx.each(&sql, &[], |row| {
                words.extend(row.value(0)?.as_text().map(str::to_owned));
                Ok(())
            })?;
        }
        words.truncate(TRIED_MAX);
        Ok(words)
    }

    /// The error about a role that the column does not take; `None` if no word changes that.
    fn refusal<T>(
        &self,
        tx: &mut dyn Tx,
        refused: &str,
        write: &mut Write<'_, T>,
    ) -> Result<Option<StoreError>, StoreError> {
        let mut taken: Vec<String> = Vec::new();
        for word in self.words(tx)? {
            if taken.len() < NAMED_MAX && !taken.contains(&word) && self.takes(tx, Some(&word), write)? {
                taken.push(word);
            }
        }
        let refused = refused.to_owned();
        let role = |taken| StoreError::Constraint(Constraint::Role { place: self.place.clone(), refused, taken });
        Ok((!taken.is_empty()).then(|| role(taken)))
    }
}

/// The role of a new user who gets none: `user` if the column takes it, as it is or in other letters such as `USER`, else
/// NULL.
///
/// # Errors
/// [`StoreError::Constraint`] with the words that the column takes.
pub(in crate::store) fn usual<T>(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    write: &mut Write<'_, T>,
) -> Result<Option<String>, StoreError> {
    let usual = || Some(USUAL.to_owned());
    let Some(limits) = Limits::read(tx, mapping)? else { return Ok(usual()) };
    if limits.takes(tx, Some(USUAL), write)? {
        return Ok(usual());
    }
    let same = limits.words(tx)?.into_iter().find(|word| word.eq_ignore_ascii_case(USUAL));
    if let Some(same) = same
        && limits.takes(tx, Some(&same), write)?
    {
        return Ok(Some(same));
    }
    if limits.is_nullable && limits.takes(tx, None, write)? {
        return Ok(None);
    }
    match limits.refusal(tx, USUAL, write)? {
        Some(refusal) => Err(refusal),
        // The write says what else is wrong.
        None => Ok(usual()),
    }
}

/// Writes a role, and tells a refusal by the words that the column takes.
pub(in crate::store) fn write<T>(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    role: &str,
    write: &mut Write<'_, T>,
) -> Result<T, StoreError> {
    if let Some(limits) = Limits::read(tx, mapping)?
        && !limits.takes(tx, Some(role), write)?
        && let Some(refusal) = limits.refusal(tx, role, write)?
    {
        return Err(refusal);
    }
    write(tx, Some(role))
}
