//! Organizations in the databases of apps.

use super::audit::entries;
use super::plugins::on_apps;
use super::*;
use crate::auth::organization::{Member, OrganizationInfo};
use crate::auth::storage::{NewInvitation, NewMember};

const TABLES: &str = "
    CREATE TABLE {organization} (id TEXT PRIMARY KEY, name TEXT, slug TEXT, {createdAt} [time]);
    CREATE TABLE {member} (id TEXT PRIMARY KEY, {organizationId} TEXT, {userId} TEXT, role TEXT, {createdAt} [time]);
    CREATE TABLE {invitation} (id TEXT PRIMARY KEY, {organizationId} TEXT, email TEXT, role TEXT, status TEXT, {expiresAt} [time],
      {inviterId} TEXT);
    CREATE TABLE {team} (id TEXT PRIMARY KEY, name TEXT, {organizationId} TEXT, {memberCount} INTEGER);
    CREATE TABLE {teamMember} (id TEXT PRIMARY KEY, {teamId} TEXT, {userId} TEXT);
    INSERT INTO {organization} VALUES ('o1', 'Acme', 'acme', [30]), ('o2', 'Beta', 'beta', [30]);
    INSERT INTO {member} VALUES ('m1', 'o1', 'ada', 'owner', [30]), ('m2', 'o1', 'bob', 'member', [30]), ('m3', 'o2', 'ada', 'owner', [30]),
      ('m4', 'o1', 'gone', 'admin', [30]);
    INSERT INTO {invitation} VALUES ('i1', 'o1', 'old@example.com', 'member', 'pending', [-60], 'ada'),
      ('i2', 'o1', 'eve@example.com', 'member', 'pending', [600], 'ada');
    INSERT INTO {team} VALUES ('t1', 'Team', 'o1', 2), ('t2', 'Other', 'o2', 1);
    INSERT INTO {teamMember} VALUES ('a', 't1', 'bob'), ('b', 't1', 'ada'), ('c', 't2', 'bob')";

pub(super) fn with_organizations(db: &Database) -> Box<dyn Store> {
    db.edit_plugins(TABLES);
    let session = if db.engine.fixture == "plural" { "sessions" } else { "session" };
    db.edit_plugins(&format!(r#"ALTER TABLE "{session}" ADD COLUMN {{activeOrganizationId}} TEXT"#));
    let store = two_users(db);
    db.edit_plugins(&format!(r#"UPDATE "{session}" SET {{activeOrganizationId}} = 'o1'"#));
    store
}

fn add(
    store: &mut dyn Store,
    organization: &str,
    user: &str,
    role: &str,
) -> Result<(OrganizationInfo, Member), AuthError> {
    let new = NewMember { organization, user_id: user, role, id: "0123456789abcdef0123456789abcdef", now: at(60) };
    store.add_member(&new).unwrap()
}

fn invite(store: &mut dyn Store, email: &str, inviter: Option<&str>) -> Result<String, AuthError> {
    let email = Email::parse(email).unwrap();
    let (id, expires_at) = (format!("id-for-{}", email.local_part()), at(600));
    let new = NewInvitation {
        organization: "acme",
        email: &email,
        role: "member",
        id: &id,
        inviter_id: inviter,
        now: at(60),
        expires_at,
    };
    store.invite(&new).unwrap().map(|(_, invitation)| invitation.id)
}

#[test]
fn organizations_are_listed_with_their_members() {
    on_apps(|db| {
        let mut store = with_organizations(db);
        let all = store.organizations(at(60)).unwrap().unwrap();
        let numbers: Vec<_> =
            all.iter().map(|one| (one.slug.as_str(), one.members, one.owners, one.invitations)).collect();
        assert_eq!(numbers, [("acme", 3, 1, 1), ("beta", 1, 1, 0)]);
        assert_eq!(all[0].created_at, Some(at(30)));
        for named in ["o1", "acme"] {
            let (found, members) = store.members(named, at(60)).unwrap().unwrap();
            let shown: Vec<_> = members.iter().map(|one| (one.email.as_deref(), one.role.as_str())).collect();
            assert_eq!(found, all[0]);
            assert_eq!(shown[0], (Some("ada@example.com"), "owner"));
            assert!(shown.contains(&(None, "admin")) && shown.len() == 3, "{shown:?}");
        }
        let unknown = store.members("gamma", at(60)).unwrap();
        assert!(matches!(unknown, Err(AuthError::NoSuchOrganization(_))));
    });
}

#[test]
fn member_is_added_once_and_the_last_owner_stays() {
    on_apps(|db| {
        let mut store = with_organizations(db);
        assert!(matches!(add(&mut *store, "acme", "ada", "member"), Err(AuthError::AlreadyMember(_))));
        assert!(matches!(add(&mut *store, "beta", "unknown", "member"), Err(AuthError::NoSuchUser(_))));
        let (found, member) = add(&mut *store, "beta", "bob", "member").unwrap();
        assert_eq!((found.members, member.role.as_str(), member.joined_at), (2, "member", Some(at(60))));
        let last = store.set_member_role("beta", "ada", "admin", at(60)).unwrap();
        assert!(matches!(last, Err(AuthError::LastOwner(name)) if name == "Beta"));
        assert!(matches!(store.remove_member("beta", "ada", at(60)).unwrap(), Err(AuthError::LastOwner(_))));
        let (found, member) = store.set_member_role("beta", "bob", "owner,admin", at(60)).unwrap().unwrap();
        assert_eq!((found.owners, member.role.as_str()), (2, "owner,admin"));
        store.set_member_role("beta", "ada", "member", at(60)).unwrap().unwrap();
        let (found, before) = store.remove_member("beta", "ada", at(60)).unwrap().unwrap();
        assert_eq!((found.members, before.role.as_str()), (1, "member"));
        assert!(matches!(store.remove_member("beta", "ada", at(60)).unwrap(), Err(AuthError::NotAMember(_))));
        let names: Vec<String> = entries(&mut *store, 0).into_iter().map(|entry| entry.event).collect();
        for name in ["member.added", "member.role-set", "member.removed"] {
            assert!(names.iter().any(|event| event == name), "{names:?}");
        }
    });
}

/// The table has no unique index, and keys without an action leave the rows of users who are gone.
#[test]
fn last_owner_with_several_rows_or_beside_a_deleted_one_stays() {
    on_apps(|db| {
        let mut store = with_organizations(db);
        db.edit_plugins(
            "INSERT INTO {member} VALUES ('m5', 'o1', 'ada', 'owner', [30]), ('m6', 'o2', 'gone', 'owner', [30]),
             ('m0', 'o2', 'ada', 'member', [30])",
        );
        let all = store.organizations(at(60)).unwrap().unwrap();
        assert_eq!(all.iter().map(|one| one.owners).collect::<Vec<_>>(), [1, 1]);
        for organization in ["acme", "beta"] {
            let role = store.set_member_role(organization, "ada", "member", at(60)).unwrap();
            assert!(matches!(role, Err(AuthError::LastOwner(_))), "{organization}");
            let removed = store.remove_member(organization, "ada", at(60)).unwrap();
            assert!(matches!(removed, Err(AuthError::LastOwner(_))), "{organization}");
        }
        store.remove_member("beta", "gone", at(60)).unwrap().unwrap();
    });
}

#[test]
fn removed_member_leaves_teams_and_sessions_forget_the_organization() {
    on_apps(|db| {
        let mut store = with_organizations(db);
        store.remove_member("acme", "bob", at(60)).unwrap().unwrap();
        assert_eq!(db.ask_plugins("SELECT CAST({memberCount} AS TEXT) FROM {team} WHERE id = 't1'"), "1");
        assert_eq!(db.ask_plugins("SELECT CAST({memberCount} AS TEXT) FROM {team} WHERE id = 't2'"), "1");
        assert_eq!(db.ask_plugins("SELECT CAST(count(*) AS TEXT) FROM {teamMember}"), "2");
        let session = if db.engine.fixture == "plural" { "sessions" } else { "session" };
        let active = format!(r#"SELECT CAST(count(*) AS TEXT) FROM "{session}" WHERE {{activeOrganizationId}} = 'o1'"#);
        assert_eq!(db.ask_plugins(&active), "1", "that of ada");
    });
}

#[test]
fn invitation_is_stored_once_for_an_address() {
    on_apps(|db| {
        let mut store = with_organizations(db);
        assert!(matches!(invite(&mut *store, "eve@example.com", None), Err(AuthError::AlreadyInvited(_))));
        assert!(matches!(invite(&mut *store, "bob@example.com", None), Err(AuthError::AlreadyMember(_))));
        assert!(matches!(invite(&mut *store, "new@example.com", Some("eve")), Err(AuthError::NotAMember(_))));
        assert_eq!(invite(&mut *store, "new@example.com", Some("bob")).unwrap(), "id-for-new");
        // The invitation before has expired.
        assert_eq!(invite(&mut *store, "old@example.com", None).unwrap(), "id-for-old");
        let made = "SELECT status || ' ' || role || ' ' || {inviterId} FROM {invitation} WHERE id = 'id-for-new'";
        assert_eq!(db.ask_plugins(made), "pending member bob");
        assert_eq!(store.organizations(at(60)).unwrap().unwrap()[0].invitations, 3);
    });
}

#[test]
fn database_without_organizations_says_so() {
    on_every_engine(|db| {
        let mut store = two_users(db);
        assert!(matches!(store.organizations(at(60)).unwrap(), Err(AuthError::NoOrganizations)));
        assert!(matches!(add(&mut *store, "acme", "ada", "member"), Err(AuthError::NoOrganizations)));
    });
}
