//! The index of names and addresses, in databases that authctl made.

use super::filter::Filter;
use super::user_list::PATTERN_MAX;
use crate::auth::storage::StoreError;
use crate::store::engine::{SearchIndex, Tx};
use crate::store::mapping::SchemaMapping;

fn index(tx: &dyn Tx, mapping: &SchemaMapping) -> Option<&'static SearchIndex> {
    tx.dialect().search.filter(|_| !mapping.is_guest())
}

/// Adds a new user to the index.
pub(super) fn add(tx: &mut dyn Tx, mapping: &SchemaMapping, id: &str) -> Result<(), StoreError> {
    // Names of other programs may be of any size.
    index(tx, mapping).map_or(Ok(()), |index| tx.change(index.add, &[id.into()]).map(drop))
}

/// The place of the user who was added last, before others are added that [`add_since`] adds to the index.
pub(super) fn last_place(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<i64, StoreError> {
    let Some(index) = index(tx, mapping) else { return Ok(0) };
    Ok(tx.query_one(index.last_place, &[], |row| row.integer(0))?.unwrap_or(0))
}

/// Adds the users behind a place to the index. Many at once cost a part of what each of them costs alone.
///
/// # Errors
/// [`StoreError::Engine`] if there are not `count` of them: the database has no place left behind the last one.
pub(super) fn add_since(tx: &mut dyn Tx, mapping: &SchemaMapping, place: i64, count: usize) -> Result<(), StoreError> {
    let Some(index) = index(tx, mapping) else { return Ok(()) };
    if tx.change(index.add_since, &[place.into()])? == count as u64 {
        return Ok(());
    }
    Err(StoreError::Engine("new users are not at the end of their table".into()))
}

/// Changes or deletes the user with an id, and keeps the index up to date.
pub(super) fn reindexing<T>(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    id: &str,
    act: impl FnOnce(&mut dyn Tx) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let Some(index) = index(tx, mapping) else { return act(tx) };
    tx.change(index.remove, &[id.into()])?;
    let done = act(tx)?;
    add(tx, mapping, id)?;
    Ok(done)
}

/// Adds to a filter, which selects all users with a text, that the index finds them. Returns `false` and leaves the
/// filter as it is if the index finds `max` users or more, cannot find the text, or lacks users.
pub(super) fn narrow(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    filter: &mut Filter,
    text: &str,
    max: u64,
) -> Result<bool, StoreError> {
    if text.len() > PATTERN_MAX {
        // It is not sought by a pattern, which sees less than the function that seeks it.
        return Ok(false);
    }
    let Some((index, term)) = index(tx, mapping).and_then(|index| Some((index, (index.term)(text)?))) else {
        return Ok(false);
    };
    if lacks_users(tx, index, &[index.last])? {
        return Ok(false);
    }
    let limit = i64::try_from(max).unwrap_or(i64::MAX);
    if tx.count(index.count, &[term.as_str().into(), limit.into()])? >= max {
        return Ok(false);
    }
    filter.add(&format!(r#""{}" IN ({})"#, tx.dialect().insertion, index.rows), term);
    Ok(true)
}

/// Whether the index lacks users: another program turned its triggers off, or made the table of users anew, so that they
/// have other places. Looks up the users of some statements, each of whom costs a pass over all who share characters.
pub(in crate::store) fn lacks_users(tx: &mut dyn Tx, index: &SearchIndex, of: &[&str]) -> Result<bool, StoreError> {
    for some in of {
        let users = tx.query_all(some, &[], |row| {
            // A text that is not UTF-8 is not looked up.
            Ok((row.value(0)?.as_text().and_then(index.term), row.value(1)?.to_value()))
        })?;
        for (term, place) in users {
            let Some(term) = term else { continue };
            if tx.count(index.has, &[term.into(), place])? == 0 {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
