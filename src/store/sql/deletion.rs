//! The deletion of a user, with every row that names the user, and what others lose by it.

use jiff::Timestamp;

use super::inventory::Inventory;
use super::key_owners::KeyOwners;
use super::organizations::Organizations;
use super::plugins::quoted;
use super::rows::RowKey;
use super::{access, codes, constraints, rows, search, sessions, steps, users};
use crate::auth::AuthError;
use crate::auth::audit::{Changes, Event, counted};
use crate::auth::storage::{AdminGuard, Deletion, DeletionRequest, Organization, SharedRow, StoreError};
use crate::auth::user::{User, UserRef};
use crate::store::engine::{Tx, Value};
use crate::store::mapping::{FoundPlugin, SchemaMapping, identifier};
use crate::store::sql::audit::LIFE;

/// Deletes a user as the request says, and returns what was done.
pub(in crate::store) fn delete(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    request: &DeletionRequest<'_>,
) -> Result<Result<Deletion, AuthError>, StoreError> {
    let DeletionRequest { id, guard, now, .. } = *request;
    let Some(user) = users::find(tx, mapping, &UserRef::Id(id.to_owned()))? else {
        return Ok(Err(AuthError::NoSuchUser(id.to_owned())));
    };
    if guard == AdminGuard::KeepLastAdmin && users::is_last_admin(tx, mapping, &user, now)? {
        return Ok(Err(AuthError::LastAdmin));
    }
    let inventory = Inventory::read(tx, mapping)?;
    let first = log.len();
    let mut deletion = Deletion::default();
    if let Some(owner) = &request.new_owner {
        let Some(to) = users::find(tx, mapping, &UserRef::Id(owner.user_id.to_owned()))? else {
            return Ok(Err(AuthError::NoSuchUser(owner.user_id.to_owned())));
        };
        let from = HandOver { inventory: &inventory, user: &user, to: &to, random: owner.random, now };
        (deletion.moved_organizations, deletion.moved) = from.run(tx, mapping, log)?;
    }
    deletion.shared = shared(tx, mapping, &inventory, id)?;
    if !deletion.shared.is_empty() && !request.force_shared {
        return Ok(Err(AuthError::SharedWithOthers(deletion.shared)));
    }
    deletion.ownerless = owned_only_by(tx, mapping, &inventory, id)?;
    let (taken, values) = (inventory.steps_for_row(mapping, "user")?, [mapping.key("user", id)]);
    deletion.tables = steps::reach(tx, &taken, &values)?;
    let mut take = |table: &str| {
        let place = deletion.tables.iter().position(|rows| rows.table == mapping.table(table));
        place.map_or(0, |place| deletion.tables.remove(place).deleted)
    };
    (deletion.sessions, deletion.accounts) = (take("session"), take("account"));
    let pending =
        if mapping.is_guest() { access::pending_of(tx, mapping, &inventory, &user, now)? } else { Vec::new() };
    let pending: Vec<RowKey> = pending.into_iter().map(|row| row.key).collect();
    if let Some(owners) = KeyOwners::of(&inventory, mapping) {
        owners.tell_doubtful(tx, &inventory, mapping, id)?;
    }
    deletion.codes = rows::delete_rows(tx, mapping, "verification", &pending)?;
    if !mapping.is_guest() {
        deletion.codes += codes::delete_of_user(tx, mapping, id)?;
    }
    sessions::end_impersonations(tx, mapping, log, id, now)?;
    steps::make_way(tx, &inventory, &taken, &values)?;
    search::reindexing(tx, mapping, id, |tx| rows::delete(tx, mapping, "user", id))
        .map_err(|error| constraints::explain_deletion(tx, &taken, &values, error))?;
    let event = Event::user("user.deleted", &user).with(format!("with {}", counted(deletion.sessions, "session")));
    // The first entry is the one that an interrupted act shows.
    log.insert(first, event.changing(Changes::between(Some(&user), None).only(LIFE)));
    Ok(Ok(deletion))
}

/// The organizations of which a user is the only owner.
fn owned_only_by(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    inventory: &Inventory,
    id: &str,
) -> Result<Vec<Organization>, StoreError> {
    Organizations::find(inventory, mapping).map_or(Ok(Vec::new()), |found| found.owned_only_by(tx, mapping, id))
}

/// The OAuth clients and SSO providers of a user with which others sign in.
fn shared(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    inventory: &Inventory,
    id: &str,
) -> Result<Vec<SharedRow>, StoreError> {
    let mut shared = Vec::new();
    for (kind, table, key) in SHARED {
        let Some(owned) = inventory.plugin(table).filter(|owned| inventory.goes_with_user(owned)) else { continue };
        let Some(((key, of_user), row_id)) = quoted(owned, key).zip(quoted(owned, "userId")).zip(quoted(owned, "id"))
        else {
            continue;
        };
        let users = uses(mapping, inventory, table);
        if users.is_empty() {
            continue;
        }
        let users: Vec<String> = users
            .iter()
            .map(|(table, by, user)| format!("SELECT {user} FROM {table} WHERE {by} = owned.{key} AND {user} <> ?1"))
            .collect();
        let sql = format!(
            "SELECT owned.{row_id}, owned.{key}, (SELECT count(*) FROM ({}) AS used) FROM {} AS owned WHERE owned.{of_user} = ?1
             ORDER BY owned.{key}",
            users.join(" UNION "),
            identifier(&owned.table)
        );
        tx.each(&sql, &[mapping.key("user", id)], |row| {
            let users = row.integer(2)?.unsigned_abs();
            if users > 0 {
                let (id, name) =
                    (rows::key(row, 0, mapping, table)?, row.value(1)?.as_text().unwrap_or("?").to_owned());
                shared.push(SharedRow { kind, table: owned.table.clone(), id, name, users });
            }
            Ok(())
        })?;
    }
    Ok(shared)
}

/// What belongs to a user and serves others: the words for it, its table, and the column by which others refer to it.
const SHARED: [(&str, &str, &str); 3] = [
    ("OAuth client", "oauthClient", "clientId"),
    ("OAuth client", "oauthApplication", "clientId"),
    ("SSO provider", "ssoProvider", "providerId"),
];

/// The tables whose rows show who uses a client or provider, each with its column for that and the one of the user.
fn uses(mapping: &SchemaMapping, inventory: &Inventory, table: &str) -> Vec<(String, String, String)> {
    if table == "ssoProvider" {
        let columns = ["providerId", "userId"].map(|column| mapping.column("account", column).map(identifier));
        let [Some(by), Some(user)] = columns else { return Vec::new() };
        return vec![(identifier(mapping.table("account")), by, user)];
    }
    let tokens = ["oauthAccessToken", "oauthRefreshToken", "oauthConsent"];
    let used =
        |found: &FoundPlugin| Some((identifier(&found.table), quoted(found, "clientId")?, quoted(found, "userId")?));
    tokens.iter().filter_map(|name| inventory.plugin(name)).filter_map(used).collect()
}

/// Makes another user the owner of what others would lose.
struct HandOver<'a> {
    inventory: &'a Inventory,
    user: &'a User,
    to: &'a User,
    /// Random text for the ids of new rows.
    random: &'a str,
    now: Timestamp,
}

impl HandOver<'_> {
    fn run(
        &self,
        tx: &mut dyn Tx,
        mapping: &SchemaMapping,
        log: &mut Vec<Event>,
    ) -> Result<(Vec<Organization>, Vec<SharedRow>), StoreError> {
        let mut organizations = Vec::new();
        if let Some(found) = Organizations::find(self.inventory, mapping) {
            let both = [&*self.user.id, &*self.to.id];
            organizations = found.hand_over(tx, mapping, both, self.random, self.now)?;
            let moved = |organization: &Organization| format!("the organization {}", organization.name);
            log.extend(organizations.iter().map(|one| Event::user("ownership.moved", self.to).with(moved(one))));
        }
        let shared = shared(tx, mapping, self.inventory, &self.user.id)?;
        for owned in SHARED.iter().filter_map(|(_, table, _)| self.inventory.plugin(table)) {
            let Some((of_user, id)) = quoted(owned, "userId").zip(quoted(owned, "id")) else { continue };
            let rows = shared.iter().filter(|row| row.table == owned.table);
            let keys: Vec<[Value; 1]> = rows.clone().map(|row| [mapping.key(&row.table, &row.id)]).collect();
            let is_row = tx.dialect().is_listed(&id, "?1");
            let (change, condition) = (format!("{of_user} = ?3"), format!("{is_row} AND {of_user} = ?2"));
            let [from, to] = [self.user, self.to].map(|user| mapping.key("user", &user.id));
            for mut lists in tx.dialect().lists(&keys) {
                lists.push(from.clone());
                let to = std::slice::from_ref(&to);
                tx.update_until_none(&identifier(&owned.table), &change, &condition, &lists, to)?;
            }
            let moved = |row: &SharedRow| format!("the {} {}", row.kind, row.name);
            log.extend(rows.map(|row| Event::user("ownership.moved", self.to).with(moved(row))));
        }
        Ok((organizations, shared))
    }
}
