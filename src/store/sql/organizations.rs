//! The organizations of a Better Auth app and their owners: an organization that loses its last owner cannot be managed
//! in the app any more.

use jiff::Timestamp;

use super::inventory::Inventory;
use super::plugins::{self, quoted};
use super::rows;
use crate::auth::organization::OWNER;
use crate::auth::secret::digest;
use crate::auth::storage::{Organization, StoreError};
use crate::store::engine::{Tx, Value, ignored};
use crate::store::mapping::{SchemaMapping, identifier};

/// The length of the ids that Better Auth makes.
const ID_LENGTH: usize = 32;

/// The tables of organizations and their members. Names are quoted for SQL.
pub(super) struct Organizations {
    pub(super) table: String,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) slug: String,
    pub(super) members: String,
    member_id: String,
    pub(super) of: String,
    pub(super) user: String,
    pub(super) role: String,
    pub(super) joined: Option<String>,
    /// The ids of all users, as a subquery.
    pub(super) users: String,
}

impl Organizations {
    /// Finds the tables; `None` if the app has no organizations.
    pub(super) fn find(inventory: &Inventory, mapping: &SchemaMapping) -> Option<Self> {
        let (organization, member) = inventory.plugin("organization").zip(inventory.plugin("member"))?;
        Some(Self {
            table: identifier(&organization.table),
            id: quoted(organization, "id")?,
            name: quoted(organization, "name")?,
            slug: quoted(organization, "slug")?,
            members: identifier(&member.table),
            member_id: quoted(member, "id")?,
            of: quoted(member, "organizationId")?,
            user: quoted(member, "userId")?,
            role: quoted(member, "role")?,
            joined: quoted(member, "createdAt"),
            users: mapping.sql(r#"SELECT "id" FROM "user""#.to_owned()).into_owned(),
        })
    }

    /// The organizations of which members that a condition selects are owners, as a subquery. A member whose user is
    /// gone owns nothing.
    fn owned(&self, tx: &dyn Tx, members: &str) -> String {
        let Self { members: table, of, user, users, .. } = self;
        let exists = format!("{user} IN ({users})");
        format!("SELECT {of} FROM {table} WHERE {of} IS NOT NULL AND {members} AND {exists} AND {}", self.is_owner(tx))
    }

    /// The condition for members who are owners. The roles of a member are separated by commas.
    fn is_owner(&self, tx: &dyn Tx) -> String {
        let roles = format!("',' || replace(coalesce({}, ''), ' ', '') || ','", self.role);
        format!("({}({roles}, ',{OWNER},') > 0)", tx.dialect().position)
    }

    /// The condition for the organizations in which a user, whose id is the first parameter, is an owner and no other
    /// member is.
    fn is_owned_only_by(&self, tx: &dyn Tx) -> String {
        let Self { id, members, of, user, .. } = self;
        let own = self.owned(tx, &format!("{user} = ?1"));
        // Those of the user's organizations are few, whatever the table has.
        let is_same = format!("{of} IN (SELECT {of} FROM {members} WHERE {user} = ?1)");
        let others = self.owned(tx, &format!("{user} <> ?1 AND {is_same}"));
        format!("{id} IN ({own}) AND {id} NOT IN ({others})")
    }

    /// The organizations in which a user is an owner and no other member is.
    pub(super) fn owned_only_by(
        &self,
        tx: &mut dyn Tx,
        mapping: &SchemaMapping,
        user_id: &str,
    ) -> Result<Vec<Organization>, StoreError> {
        let Self { table, id, name, .. } = self;
        let sql = format!("SELECT {id}, {name} FROM {table} WHERE {} ORDER BY {name}", self.is_owned_only_by(tx));
        tx.query_all(&sql, &[mapping.key("user", user_id)], |row| {
            let id = rows::key(row, 0, mapping, "organization")?;
            Ok(Organization { name: row.value(1)?.as_text().map_or_else(|| id.clone(), str::to_owned), id })
        })
    }

    /// The slugs of organizations without an owner. An app may name its owners otherwise: if no organization has one,
    /// no organization lacks one.
    pub(super) fn without_owner(&self, tx: &mut dyn Tx) -> Result<Vec<String>, StoreError> {
        let Self { table, id, slug, members, .. } = self;
        let (owned, is_owner) = (self.owned(tx, "TRUE"), self.is_owner(tx));
        let sql = format!(
            "SELECT {slug} FROM {table} WHERE {id} NOT IN ({owned}) AND EXISTS (SELECT 1 FROM {members} WHERE {is_owner})
             ORDER BY {slug}"
        );
        tx.query_all(&sql, &[], |row| Ok(row.value(0)?.as_text().unwrap_or("(unreadable)").to_owned()))
    }

    /// Makes a user an owner of the organizations in which another user is the only one, and returns these. Ids of new
    /// members are made of `random`.
    pub(super) fn hand_over(
        &self,
        tx: &mut dyn Tx,
        mapping: &SchemaMapping,
        [from, to]: [&str; 2],
        random: &str,
        now: Timestamp,
    ) -> Result<Vec<Organization>, StoreError> {
        let Self { table, id, members, of, user, role, .. } = self;
        let handed = self.owned_only_by(tx, mapping, from)?;
        if handed.is_empty() {
            return Ok(handed);
        }
        // A member keeps the other roles.
        let roles = format!("CASE WHEN octet_length({role}) > 0 THEN {role} || ',' || ?3 ELSE ?3 END");
        let change = format!("({role}) = (SELECT {roles})");
        let lacks = format!("{user} = ?2 AND {of} IN (SELECT {id} FROM {table} WHERE {})", self.is_owned_only_by(tx));
        let ids = [from, to].map(|id| mapping.key("user", id));
        tx.update_until_none(members, &change, &lacks, &ids, &[OWNER.into()])?;
        // The user is no member of the others.
        let others = self.owned_only_by(tx, mapping, from)?;
        let new = others.into_iter().enumerate().map(|(number, organization)| {
            let random = if number == 0 { random.to_owned() } else { digest(format!("{random}{number}")) };
            (organization.id, random.chars().take(ID_LENGTH).collect())
        });
        self.insert(tx, mapping, to, OWNER, new, now)?;
        if self.owned_only_by(tx, mapping, from)?.is_empty() { Ok(handed) } else { Err(ignored("skips a new row")) }
    }

    /// Makes a user a member of organizations. Each comes with random text, which becomes the id of the row. The caller reads
    /// the rows back.
    pub(super) fn insert(
        &self,
        tx: &mut dyn Tx,
        mapping: &SchemaMapping,
        user_id: &str,
        roles: &str,
        organizations: impl Iterator<Item = (String, String)>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Self { members, member_id, of, user, role, joined, .. } = self;
        let mut organizations = organizations.peekable();
        if organizations.peek().is_none() {
            return Ok(());
        }
        let strategy = plugins::id_strategy(tx, mapping, (members, member_id))?;
        let joined = match joined {
            Some(column) => Some((column, plugins::time_encoding(tx, mapping, members, &[column])?.write(now))),
            None => None,
        };
        let columns = [of, user, role].into_iter().chain(joined.as_ref().map(|(column, _)| *column));
        let columns: Vec<&str> = columns.chain(strategy.map(|_| member_id)).map(String::as_str).collect();
        let mut rows = organizations.map(|(organization, random)| {
            let keys = [mapping.key("organization", &organization), mapping.key("user", user_id), roles.into()];
            let joined = joined.iter().map(|(_, now)| now.clone());
            let id = strategy.map(|strategy| strategy.write(&strategy.make(&random)));
            Ok(keys.into_iter().chain(joined).chain(id).collect())
        });
        tx.insert_rows(&format!("{members} ({})", columns.join(", ")), &mut rows).map(drop)
    }

    /// Sets the roles of a member.
    pub(super) fn set_role(
        &self,
        tx: &mut dyn Tx,
        mapping: &SchemaMapping,
        (organization, user_id): (&str, &str),
        roles: &str,
    ) -> Result<(), StoreError> {
        let Self { members, of, user, role, .. } = self;
        let values = [mapping.key("organization", organization), mapping.key("user", user_id), roles.into()];
        tx.change(&format!("UPDATE {members} SET {role} = ?3 WHERE {of} = ?1 AND {user} = ?2"), &values).map(drop)
    }
}

/// Counts the members out who leave their teams: a team keeps the number of its members in a column.
pub(super) fn lower_member_counts(
    tx: &mut dyn Tx,
    inventory: &Inventory,
    (table, condition): (&str, &str),
    values: &[Value],
) -> Result<(), StoreError> {
    let Some(members) = inventory.plugin("teamMember").filter(|members| members.table == table) else {
        return Ok(());
    };
    let Some(team) = inventory.plugin("team") else { return Ok(()) };
    let (Some(count), Some(id), Some(of)) = (team.column("memberCount"), team.column("id"), members.column("teamId"))
    else {
        return Ok(());
    };
    let [count, id, of] = [count, id, of].map(identifier);
    let (team, members) = (identifier(&team.table), identifier(&members.table));
    let leaving = format!("SELECT count(*) FROM {members} WHERE {of} IN ({team}.{id}) AND ({condition})");
    let sql = format!(
        "UPDATE {team} SET ({count}) = (SELECT {count} - ({leaving}))
         WHERE {id} IN (SELECT {of} FROM {members} WHERE {condition})"
    );
    tx.change(&sql, values).map(drop)
}
