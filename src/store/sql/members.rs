//! Members and invitations of the organizations of an app, in the tables of its plugin.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::inventory::Inventory;
use super::organizations::{Organizations, lower_member_counts};
use super::plugins::{instant, is_over, new_id, quoted, time_encoding};
use super::{SqlStore, rows, users};
use crate::auth::AuthError;
use crate::auth::audit::{Event, Subject};
use crate::auth::organization::{Invitation, Member, OrganizationInfo, has_owner};
use crate::auth::storage::{NewInvitation, NewMember, OrganizationStore, StoreError};
use crate::auth::user::{User, UserRef};
use crate::store::engine::{Tx, Value, ignored, insertion};
use crate::store::mapping::{FoundPlugin, SchemaMapping, identifier};

/// The state of an invitation that can be accepted.
const PENDING: &str = "pending";

type Refusable<T> = Result<Result<T, AuthError>, StoreError>;

impl OrganizationStore for SqlStore {
    fn organizations(&mut self, now: Timestamp) -> Refusable<Vec<OrganizationInfo>> {
        self.read(|tx, mapping| with_tables(tx, mapping, |tx, tables| tables.list(tx, mapping, None, now).map(Ok)))
    }

    fn members(&mut self, named: &str, now: Timestamp) -> Refusable<(OrganizationInfo, Vec<Member>)> {
        self.read(|tx, mapping| {
            with_organization(tx, mapping, named, now, |tx, tables, found| {
                let members = tables.members(tx, mapping, &found.id)?;
                Ok(Ok((found, members)))
            })
        })
    }

    fn add_member(&mut self, new: &NewMember<'_>) -> Refusable<(OrganizationInfo, Member)> {
        self.write_tx(|tx, mapping, log| {
            with_organization(tx, mapping, new.organization, new.now, |tx, tables, found| {
                let Some(user) = users::find(tx, mapping, &UserRef::Id(new.user_id.to_owned()))? else {
                    return Ok(Err(AuthError::NoSuchUser(new.user_id.to_owned())));
                };
                if tables.member(tx, mapping, &found.id, new.user_id)?.is_some() {
                    return Ok(Err(AuthError::AlreadyMember(user.email)));
                }
                let place = std::iter::once((found.id.clone(), new.id.to_owned()));
                tables.organizations.insert(tx, mapping, new.user_id, new.role, place, new.now)?;
                tables.told(tx, mapping, log, "member.added", (found, &user), new.now)
            })
        })
    }

    fn remove_member(&mut self, named: &str, user_id: &str, now: Timestamp) -> Refusable<(OrganizationInfo, Member)> {
        self.write_tx(|tx, mapping, log| {
            with_organization(tx, mapping, named, now, |tx, tables, found| {
                let (before, subject) = match tables.membership(tx, mapping, &found, user_id)? {
                    Ok(membership) => membership,
                    Err(refused) => return Ok(Err(refused)),
                };
                if tables.is_last_owner(tx, mapping, &found.id, user_id)? {
                    return Ok(Err(AuthError::LastOwner(found.name)));
                }
                tables.leave(tx, mapping, &found.id, user_id)?;
                let detail = format!("the organization {}, roles: {}", found.name, before.role);
                log.push(Event::user("member.removed", subject).with(detail));
                let found = tables.find(tx, mapping, &found.id, now)?.unwrap_or(found);
                Ok(Ok((found, before)))
            })
        })
    }

    fn set_member_role(
        &mut self,
        named: &str,
        user_id: &str,
        role: &str,
        now: Timestamp,
    ) -> Refusable<(OrganizationInfo, Member)> {
        self.write_tx(|tx, mapping, log| {
            with_organization(tx, mapping, named, now, |tx, tables, found| {
                let (before, subject) = match tables.membership(tx, mapping, &found, user_id)? {
                    Ok(membership) => membership,
                    Err(refused) => return Ok(Err(refused)),
                };
                if !has_owner(role) && tables.is_last_owner(tx, mapping, &found.id, user_id)? {
                    return Ok(Err(AuthError::LastOwner(found.name)));
                }
                if before.role != role {
                    tables.organizations.set_role(tx, mapping, (&found.id, user_id), role)?;
                    let detail = format!("the organization {}, roles: {} -> {role}", found.name, before.role);
                    log.push(Event::user("member.role-set", subject).with(detail));
                }
                let after = tables.member(tx, mapping, &found.id, user_id)?;
                let after = after.filter(|after| after.role == role).ok_or_else(|| ignored("undoes the change"))?;
                let found = tables.find(tx, mapping, &found.id, now)?.unwrap_or(found);
                Ok(Ok((found, after)))
            })
        })
    }

    fn invite(&mut self, new: &NewInvitation<'_>) -> Refusable<(OrganizationInfo, Invitation)> {
        self.write_tx(|tx, mapping, log| {
            with_organization(tx, mapping, new.organization, new.now, |tx, tables, found| {
                tables.invite(tx, mapping, log, found, new)
            })
        })
    }
}

/// Runs queries or an act on the tables of the plugin.
fn with_tables<T>(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    act: impl FnOnce(&mut dyn Tx, &Tables<'_>) -> Refusable<T>,
) -> Refusable<T> {
    let inventory = Inventory::read(tx, mapping)?;
    let found = if mapping.is_guest() { Organizations::find(&inventory, mapping) } else { None };
    match found.zip(inventory.plugin("organization")) {
        Some((organizations, found)) => act(tx, &Tables { inventory: &inventory, organizations, found }),
        None => Ok(Err(AuthError::NoOrganizations)),
    }
}

/// As [`with_tables`], with the organization that an id or a slug names.
fn with_organization<T>(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    named: &str,
    now: Timestamp,
    act: impl FnOnce(&mut dyn Tx, &Tables<'_>, OrganizationInfo) -> Refusable<T>,
) -> Refusable<T> {
    with_tables(tx, mapping, |tx, tables| match tables.find(tx, mapping, named, now)? {
        Some(found) => act(tx, tables, found),
        None => Ok(Err(AuthError::NoSuchOrganization(named.to_owned()))),
    })
}

struct Tables<'i> {
    inventory: &'i Inventory,
    organizations: Organizations,
    found: &'i FoundPlugin,
}

impl Tables<'_> {
    /// Organizations by name: all, or the one with an id or slug.
    fn list(
        &self,
        tx: &mut dyn Tx,
        mapping: &SchemaMapping,
        named: Option<(&str, &Value)>,
        now: Timestamp,
    ) -> Result<Vec<OrganizationInfo>, StoreError> {
        let Organizations { table, id, name, slug, .. } = &self.organizations;
        let made = quoted(self.found, "createdAt").unwrap_or_else(|| "NULL".to_owned());
        let (condition, values) = match named {
            Some((column, value)) => (format!("{column} = ?1"), vec![value.clone()]),
            None => ("TRUE".to_owned(), vec![]),
        };
        let sql = format!("SELECT {id}, {name}, {slug}, {made} FROM {table} WHERE {condition} ORDER BY {name}, {id}");
        let encoding = self.found.time_encoding("createdAt", &mapping.times);
        let mut all = tx.query_all(&sql, &values, |row| {
            let text = |index: usize| Ok::<_, StoreError>(row.value(index)?.as_text().unwrap_or("?").to_owned());
            Ok(OrganizationInfo {
                id: rows::key(row, 0, mapping, "organization")?,
                name: text(1)?,
                slug: text(2)?,
                created_at: instant(row.value(3)?, encoding),
                members: 0,
                owners: 0,
                invitations: 0,
            })
        })?;
        let only = named.and(all.first()).map(|found| found.id.clone());
        let [members, owners] = self.counts(tx, mapping, only.as_deref())?;
        let invitations = self.pending(tx, mapping, only.as_deref(), now)?;
        for found in &mut all {
            let of = |counts: &BTreeMap<String, u64>| counts.get(&found.id).copied().unwrap_or_default();
            (found.members, found.owners) = (of(&members), of(&owners));
            found.invitations = of(&invitations);
        }
        Ok(all)
    }

    fn find(
        &self,
        tx: &mut dyn Tx,
        mapping: &SchemaMapping,
        named: &str,
        now: Timestamp,
    ) -> Result<Option<OrganizationInfo>, StoreError> {
        let Organizations { id, slug, .. } = &self.organizations;
        let by_id = self.list(tx, mapping, Some((id, &mapping.key("organization", named))), now)?.pop();
        match by_id {
            None => Ok(self.list(tx, mapping, Some((slug, &named.into())), now)?.pop()),
            found => Ok(found),
        }
    }

    /// The numbers of members and of owners, by organization.
    fn counts(
        &self,
        tx: &mut dyn Tx,
        mapping: &SchemaMapping,
        only: Option<&str>,
    ) -> Result<[BTreeMap<String, u64>; 2], StoreError> {
        let Organizations { members, of, role, user, users, .. } = &self.organizations;
        let (condition, values) = of_organization(mapping, of, only);
        let (mut counts, mut owners) = ([BTreeMap::new(), BTreeMap::new()], BTreeSet::new());
        let exists = format!("CASE WHEN {user} IN ({users}) THEN 1 ELSE 0 END");
        tx.each(&format!("SELECT {of}, {role}, {user}, {exists} FROM {members} WHERE {condition}"), &values, |row| {
            let organization = rows::key(row, 0, mapping, "organization")?;
            *counts[0].entry(organization.clone()).or_default() += 1;
            // A user may have several rows, and a row may have no user any more.
            if row.integer(3)? != 0 && row.value(1)?.as_text().is_some_and(has_owner) {
                owners.insert((organization, mapping.ids.of("user").read(row.value(2)?)));
            }
            Ok(())
        })?;
        for (organization, _) in owners {
            *counts[1].entry(organization).or_default() += 1;
        }
        Ok(counts)
    }

    /// The numbers of invitations that can be accepted, by organization.
    fn pending(
        &self,
        tx: &mut dyn Tx,
        mapping: &SchemaMapping,
        only: Option<&str>,
        now: Timestamp,
    ) -> Result<BTreeMap<String, u64>, StoreError> {
        let mut counts = BTreeMap::new();
        let Some(invitations) = self.inventory.plugin("invitation") else { return Ok(counts) };
        let columns = ["organizationId", "status", "expiresAt"].map(|name| quoted(invitations, name));
        let [Some(of), Some(status), Some(expires)] = columns else { return Ok(counts) };
        let (condition, mut values) = of_organization(mapping, &of, only);
        values.push(PENDING.into());
        let last = values.len();
        let encoding = invitations.time_encoding("expiresAt", &mapping.times);
        let table = identifier(&invitations.table);
        let sql = format!("SELECT {of}, {expires} FROM {table} WHERE {condition} AND {status} = ?{last}");
        tx.each(&sql, &values, |row| {
            if !is_over(row.value(1)?, encoding, now) {
                *counts.entry(rows::key(row, 0, mapping, "organization")?).or_default() += 1;
            }
            Ok(())
        })?;
        Ok(counts)
    }

    /// The members of an organization, the owners first.
    fn members(&self, tx: &mut dyn Tx, mapping: &SchemaMapping, organization: &str) -> Result<Vec<Member>, StoreError> {
        let Organizations { members, of, user, role, joined, .. } = &self.organizations;
        let joined = joined.as_deref().unwrap_or("NULL");
        let encoding =
            self.inventory.plugin("member").and_then(|found| found.time_encoding("createdAt", &mapping.times));
        let sql = format!("SELECT {user}, {role}, {joined} FROM {members} WHERE {of} = ?1");
        let mut found = tx.query_all(&sql, &[mapping.key("organization", organization)], |row| {
            Ok(Member {
                user_id: mapping.ids.of("user").read(row.value(0)?).unwrap_or_default(),
                email: None,
                role: row.value(1)?.as_text().unwrap_or_default().to_owned(),
                joined_at: instant(row.value(2)?, encoding),
            })
        })?;
        let ids: Vec<[Value; 1]> = found.iter().map(|member| [mapping.key("user", &member.user_id)]).collect();
        let known = users::find_all(tx, mapping, "id", &ids)?;
        let addresses: BTreeMap<String, String> = known.into_iter().map(|user| (user.id, user.email)).collect();
        for member in &mut found {
            member.email = addresses.get(&member.user_id).cloned();
        }
        found.sort_by(|one, other| {
            let order = |member: &Member| (!member.is_owner(), member.email.clone(), member.user_id.clone());
            order(one).cmp(&order(other))
        });
        Ok(found)
    }

    fn member(
        &self,
        tx: &mut dyn Tx,
        mapping: &SchemaMapping,
        organization: &str,
        user_id: &str,
    ) -> Result<Option<Member>, StoreError> {
        let all = self.members(tx, mapping, organization)?;
        Ok(all.into_iter().find(|member| member.user_id == user_id))
    }

    /// Whether a user is an owner of an organization and no other user is. The table may have several rows for a member,
    /// and rows of users who are gone.
    fn is_last_owner(
        &self,
        tx: &mut dyn Tx,
        mapping: &SchemaMapping,
        organization: &str,
        user_id: &str,
    ) -> Result<bool, StoreError> {
        let mut owners = self.members(tx, mapping, organization)?;
        owners.retain(|member| member.is_owner() && member.email.is_some());
        Ok(!owners.is_empty() && owners.iter().all(|owner| owner.user_id == user_id))
    }

    /// A member of an organization, and the member as the subject of an entry.
    fn membership(
        &self,
        tx: &mut dyn Tx,
        mapping: &SchemaMapping,
        found: &OrganizationInfo,
        user_id: &str,
    ) -> Refusable<(Member, Subject)> {
        Ok(match self.member(tx, mapping, &found.id, user_id)? {
            Some(member) => {
                let subject = Subject::read(user_id, member.email.clone());
                Ok((member, subject))
            }
            None => Err(AuthError::NotAMember(user_id.to_owned())),
        })
    }

    /// Reads a new member back, and adds the entry about it.
    fn told(
        &self,
        tx: &mut dyn Tx,
        mapping: &SchemaMapping,
        log: &mut Vec<Event>,
        event: &'static str,
        (found, user): (OrganizationInfo, &User),
        now: Timestamp,
    ) -> Refusable<(OrganizationInfo, Member)> {
        let member = self.member(tx, mapping, &found.id, &user.id)?.ok_or_else(|| ignored("skips a new row"))?;
        let detail = format!("the organization {}, roles: {}", found.name, member.role);
        log.push(Event::user(event, user).with(detail));
        let found = self.find(tx, mapping, &found.id, now)?.unwrap_or(found);
        Ok(Ok((found, member)))
    }

    /// Deletes the rows of a member: of the teams of the organization, and of the organization. Sessions of the user
    /// forget the organization and its teams.
    fn leave(
        &self,
        tx: &mut dyn Tx,
        mapping: &SchemaMapping,
        organization: &str,
        user_id: &str,
    ) -> Result<(), StoreError> {
        let Self { inventory, .. } = self;
        let values = [mapping.key("organization", organization), mapping.key("user", user_id)];
        let teams = inventory.plugin("team").and_then(|team| {
            let [id, of] = ["id", "organizationId"].map(|name| quoted(team, name));
            Some(format!("SELECT {} FROM {} WHERE {} = ?1", id?, identifier(&team.table), of?))
        });
        let of_team = inventory.plugin("teamMember").zip(teams.as_ref()).and_then(|(found, teams)| {
            let [team, user] = ["teamId", "userId"].map(|name| quoted(found, name));
            Some((found, format!("{} IN ({teams}) AND {} = ?2", team?, user?)))
        });
        if let Some((found, condition)) = of_team {
            lower_member_counts(tx, inventory, (&found.table, &condition), &values)?;
            tx.delete(&format!("DELETE FROM {} WHERE {condition}", identifier(&found.table)), &values)?;
        }
        let Organizations { of, user, .. } = &self.organizations;
        let Some(member) = inventory.plugin("member") else { return Ok(()) };
        inventory.deletion(&member.table, &format!("{of} = ?1 AND {user} = ?2"))?.run(tx, &values)?;
        self.forget(tx, mapping, organization, user_id)
    }

    /// Clears the active organization, and the active team with it, in sessions of a user.
    fn forget(
        &self,
        tx: &mut dyn Tx,
        mapping: &SchemaMapping,
        organization: &str,
        user_id: &str,
    ) -> Result<(), StoreError> {
        let session = mapping.table("session");
        let active = |name: &str| self.inventory.column(session, name).map(identifier);
        let (Some(chosen), Some(user)) = (active("activeOrganizationId"), mapping.column("session", "userId")) else {
            return Ok(());
        };
        // The column is text whatever the ids are.
        let is_chosen = format!("{} = ?1 AND {} = ?2", (self.inventory.dialect.text)(&chosen), identifier(user));
        let cleared: Vec<String> = [Some(chosen), active("activeTeamId")]
            .into_iter()
            .flatten()
            .map(|column| format!("{column} = NULL"))
            .collect();
        let values = [organization.into(), mapping.reference("session", "userId", user_id)];
        tx.update_until_none(&identifier(session), &cleared.join(", "), &is_chosen, &values, &[]).map(drop)
    }

    fn invite(
        &self,
        tx: &mut dyn Tx,
        mapping: &SchemaMapping,
        log: &mut Vec<Event>,
        found: OrganizationInfo,
        new: &NewInvitation<'_>,
    ) -> Refusable<(OrganizationInfo, Invitation)> {
        let Some(invitations) = self.inventory.plugin("invitation") else { return Ok(Err(AuthError::NoOrganizations)) };
        let names = ["id", "organizationId", "email", "role", "status", "expiresAt", "inviterId"];
        let [Some(id), Some(of), Some(email), Some(role), Some(status), Some(expires), Some(inviter)] =
            names.map(|name| quoted(invitations, name))
        else {
            return Ok(Err(AuthError::NoOrganizations));
        };
        let members = self.members(tx, mapping, &found.id)?;
        let is_invited = |address: &str| address.eq_ignore_ascii_case(new.email.as_str());
        if members.iter().any(|member| member.email.as_deref().is_some_and(is_invited)) {
            return Ok(Err(AuthError::AlreadyMember(new.email.to_string())));
        }
        let by = match new.inviter_id {
            Some(id) => members.iter().find(|member| member.user_id == id),
            None => members.iter().find(|member| member.is_owner() && member.email.is_some()),
        };
        let Some(by) = by else {
            return Ok(Err(AuthError::NotAMember(new.inviter_id.unwrap_or("an owner").to_owned())));
        };
        let table = identifier(&invitations.table);
        let encoding = invitations.time_encoding("expiresAt", &mapping.times);
        let pending = format!("SELECT {email}, {expires} FROM {table} WHERE {of} = ?1 AND {status} = ?2");
        let mut is_pending = false;
        tx.each(&pending, &[mapping.key("organization", &found.id), PENDING.into()], |row| {
            let is_same = row.value(0)?.as_text().is_some_and(is_invited);
            is_pending |= is_same && !is_over(row.value(1)?, encoding, new.now);
            Ok(())
        })?;
        if is_pending {
            return Ok(Err(AuthError::AlreadyInvited(new.email.to_string())));
        }
        let (mut columns, mut values) = (vec![&of, &email, &role, &status, &inviter, &expires], Vec::new());
        values.extend([mapping.key("organization", &found.id), new.email.as_str().into(), new.role.into()]);
        values.extend([PENDING.into(), mapping.key("user", &by.user_id)]);
        let encoding = time_encoding(tx, mapping, &table, &[&expires])?;
        values.push(encoding.write(new.expires_at));
        let made = quoted(invitations, "createdAt");
        if let Some(made) = &made {
            columns.push(made);
            values.push(time_encoding(tx, mapping, &table, &[made, &expires])?.write(new.now));
        }
        let made_id = new_id(tx, mapping, (&table, &id), new.id)?;
        if let Some(made_id) = &made_id {
            columns.push(&id);
            values.push(made_id.clone());
        }
        let columns: Vec<&str> = columns.into_iter().map(String::as_str).collect();
        tx.change(&insertion(&format!("{table} ({})", columns.join(", ")), values.len(), 1), &values)?;
        let newest = format!("SELECT {id} FROM {table} WHERE {of} = ?1 AND {email} = ?2 AND {status} = ?3");
        let of_new = [mapping.key("organization", &found.id), new.email.as_str().into(), PENDING.into()];
        let ids = tx.query_all(&newest, &of_new, |row| rows::key(row, 0, mapping, "invitation"))?;
        // Older ones of the address have expired.
        let is_new = |id: &&String| made_id.as_ref().is_none_or(|made| mapping.key("invitation", id) == *made);
        let Some(id) = ids.iter().rfind(is_new) else { return Err(ignored("skips a new row")) };
        let detail = format!("{} to the organization {}, roles: {}", new.email, found.name, new.role);
        log.push(Event::user("member.invited", Subject::read(&by.user_id, by.email.clone())).with(detail));
        let invitation = Invitation {
            id: id.clone(),
            email: new.email.to_string(),
            role: new.role.to_owned(),
            expires_at: new.expires_at,
        };
        Ok(Ok((found, invitation)))
    }
}

/// The condition for rows of one organization, or of all.
fn of_organization(mapping: &SchemaMapping, of: &str, only: Option<&str>) -> (String, Vec<Value>) {
    match only {
        Some(id) => (format!("{of} = ?1"), vec![mapping.key("organization", id)]),
        None => (format!("{of} IS NOT NULL"), vec![]),
    }
}
