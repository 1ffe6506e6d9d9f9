//! Schemas that another program changed, and errors of the server.

use super::super::migrate::{self, Contents, Failed};
use super::super::schema::differences;
use super::super::{
    ServerError, address_of, create, create_with, migrate as migrate_all, open, open_own, open_to_complete,
};
use super::tests::{WAIT, opened};
use super::*;
use crate::auth::audit::{Actor, Event};
use crate::auth::storage::{Differs, Maintenance as _};
use crate::store::postgres::server;
use crate::store::sql::audit;
use crate::store::{OpenError, SchemaOverrides};

/// Runs a statement as another program does.
fn damage(engine: &Postgres, sql: &str) {
    let mut tx = engine.migration();
    tx.batch(sql).unwrap();
    tx.commit().unwrap();
}

fn found(engine: &Postgres) -> Vec<(String, Differs)> {
    let found = differences(&mut engine.snapshot(), SCHEMA, Contents::Native).unwrap();
    found.into_iter().map(|difference| (difference.object, difference.how)).collect()
}

#[test]
fn own_tables_that_were_dropped_are_made_again() {
    let Some(database) = server::database() else { return };
    let mut engine = opened(&database);
    let tables =
        ["authctl_apikey", "authctl_audit", "authctl_head", "authctl_policy", "authctl_throttle", "authctl_twoFactor"];
    for table in tables {
        damage(&engine, &format!("DROP TABLE {}", identifier(table)));
    }
    let lost = found(&engine);
    assert!(lost.iter().all(|(_, how)| *how == Differs::Missing), "{lost:?}");
    let (_, restored) = migrate::run(&engine, Contents::Native).unwrap();
    for table in tables {
        assert!(restored.contains(&format!("table {table}")), "{table}: {restored:?}");
    }
    assert_eq!(found(&engine), []);
    begin(&mut engine).unwrap();
}

/// Begins to write, with a query.
fn begin(engine: &mut Postgres) -> Result<(), StoreError> {
    let settings = r#"SELECT count(*) FROM "authctl_policy""#;
    (&mut *engine.begin()? as &mut dyn Tx).count(settings, &[]).map(drop)
}

#[test]
fn table_of_users_that_was_dropped_is_not_made_again() {
    let Some(database) = server::database() else { return };
    let engine = opened(&database);
    damage(&engine, r#"DROP TABLE "verification""#);
    assert!(found(&engine).contains(&("table verification".to_owned(), Differs::Lost)));
    assert!(matches!(migrate::run(&engine, Contents::Native), Err(Failed::Store(StoreError::SchemaChanged(_)))));
}

#[test]
fn nothing_is_written_without_the_row_of_the_head() {
    let Some(database) = server::database() else { return };
    let mut engine = opened(&database);
    damage(&engine, r#"DELETE FROM "authctl_head""#);
    assert!(matches!(begin(&mut engine), Err(StoreError::SchemaChanged(_))));
    assert_eq!(found(&engine), [("row of authctl_head".to_owned(), Differs::Missing)]);
    migrate::run(&engine, Contents::Native).unwrap();
    begin(&mut engine).unwrap();
}

#[test]
fn schema_that_the_role_may_not_use_gets_no_temporary_tables() {
    let Some(database) = server::database() else { return };
    let role = format!("{}_role", database.name);
    let engine = opened(&database);
    for rights in ["", "USAGE", "CREATE"] {
        let grant = if rights.is_empty() { String::new() } else { format!("GRANT {rights} ON SCHEMA shut TO {role};") };
        damage(&engine, &format!("CREATE ROLE {role}; CREATE SCHEMA shut; {grant}"));
        let address = address_of(&database.url_with(&format!("options=-c%20role%3D{role}&schema=shut")));
        let copied = create_with(&address, WAIT, |_| Ok::<_, Box<dyn std::error::Error>>(()));
        let refused = copied.unwrap_err();
        assert!(
            matches!(
                refused.downcast_ref(),
                Some(OpenError::Server(error)) if matches!(**error, ServerError::NoRights { .. })
            ),
            "{rights}: {refused:?}"
        );
        assert!(matches!(create(&address, WAIT), Err(ServerError::NoRights { .. })), "{rights}");
        damage(&engine, &format!("DROP OWNED BY {role}; DROP ROLE {role}; DROP SCHEMA shut"));
    }
}

#[test]
fn unlogged_table_is_a_difference() {
    let Some(database) = server::database() else { return };
    let engine = opened(&database);
    damage(&engine, r#"ALTER TABLE "session" SET UNLOGGED"#);
    assert_eq!(found(&engine), [("table session".to_owned(), Differs::Changed)]);
}

#[test]
fn list_that_lacks_a_migration_is_damage() {
    let Some(database) = server::database() else { return };
    let engine = opened(&database);
    damage(&engine, r#"DELETE FROM "authctl_schema_history" WHERE "version" = 12"#);
    assert!(matches!(migrate::run(&engine, Contents::Native), Err(Failed::History(_))));
}

/// The hint for a schema that does not exist would lead to a command that fails.
#[test]
fn lost_list_of_migrations_is_made_again_where_the_schema_is_the_newest() {
    let Some(database) = server::database() else { return };
    let engine = opened(&database);
    let address = address_of(database.url());
    let overrides = SchemaOverrides::default();
    let losses = [r#"DELETE FROM "authctl_schema_history""#, r#"DROP TABLE "authctl_schema_history""#];
    for lost in losses {
        damage(&engine, lost);
        let unopened = open(&address, None, None, WAIT, &overrides, false).map(drop);
        let uncompleted = open_to_complete(&address, WAIT, &overrides, false).map(drop);
        let others = [open_own(&address, WAIT).map(drop), create(&address, WAIT).map(drop)];
        for refused in others.map(|other| other.map_err(OpenError::from)).into_iter().chain([unopened, uncompleted]) {
            assert!(
                matches!(&refused, Err(OpenError::Server(error)) if matches!(**error, ServerError::ListLost { .. })),
                "{lost}: {refused:?}"
            );
        }
        assert_eq!(migrate_all(&address, WAIT).unwrap().restored, ["rows of authctl_schema_history"], "{lost}");
        assert_eq!(found(&engine), [], "{lost}");
        open_own(&address, WAIT).unwrap();
    }
    // As a later version may have it, and as an older one.
    for (change, differs) in [
        (r#"ALTER TABLE "user" ADD COLUMN "more" text"#, "column user.more"),
        (r#"ALTER TABLE "user" DROP COLUMN "more", DROP COLUMN "image""#, "column user.image"),
    ] {
        damage(&engine, &format!(r#"DELETE FROM "authctl_schema_history"; {change}"#));
        let refused = migrate_all(&address, WAIT).map(drop);
        assert!(
            matches!(&refused, Err(ServerError::History { problem, .. }) if problem.contains(differs)),
            "{change}: {refused:?}"
        );
        assert!(matches!(open_own(&address, WAIT), Err(ServerError::ListLost { .. })), "{change}");
    }
}

#[test]
fn act_whose_entry_a_trigger_skips_fails() {
    let Some(database) = server::database() else { return };
    let mut engine = opened(&database);
    damage(
        &engine,
        r#"CREATE FUNCTION "skip"() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
           CREATE TRIGGER "skip" BEFORE INSERT ON "authctl_audit" FOR EACH ROW EXECUTE FUNCTION "skip"()"#,
    );
    let mut tx = engine.begin().unwrap();
    let logged = audit::append(&mut *tx, &Actor::default(), vec![Event::new("database.pruned")]);
    assert!(matches!(logged, Err(StoreError::Trigger(_))), "{logged:?}");
}

#[test]
fn description_without_a_table_says_which() {
    let Some(database) = server::database() else { return };
    let engine = opened(&database);
    damage(&engine, r#"ALTER TABLE "session" RENAME TO "other""#);
    let described = engine.into_store().info(jiff::Timestamp::UNIX_EPOCH);
    assert!(matches!(&described, Err(StoreError::SchemaChanged(why)) if why.contains("session")), "{described:?}");
}

#[test]
fn errors_of_the_server_are_told_apart() {
    let Some(database) = server::database() else { return };
    let mut engine = opened(&database);
    let mut error = |sql: &str| {
        let mut tx = engine.begin().unwrap();
        tx.execute(sql, &[]).unwrap_err()
    };
    let in_function = "DO $$ BEGIN PERFORM * FROM absent; END $$";
    assert!(matches!(error(in_function), StoreError::Trigger(_)));
    assert!(matches!(error("DO $$ BEGIN ASSERT FALSE; END $$"), StoreError::Trigger(_)));
    assert!(matches!(error("SELECT * FROM absent"), StoreError::SchemaChanged(_)));
    assert!(
        matches!(error("SELECT * FROM authctl_absent"), StoreError::Incomplete(table) if table == "authctl_absent")
    );
    assert!(matches!(error("SELECT absent FROM authctl_head"), StoreError::SchemaChanged(_)));
    assert!(matches!(error("SELECT 'x'::integer"), StoreError::Constraint(_)));
    assert!(matches!(error("SELECT 100000::smallint"), StoreError::Constraint(_)));
    assert!(matches!(error("SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(9)"), StoreError::Canceled));
}
