//! Transactions, and connections that the server ends between and in them.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::{address_of, connected, connected_for, create, open_own, server, version};
use super::tx::FETCHED;
use super::*;
use crate::store::engine::Row;
use crate::store::sql::{policy, retrying};

pub(super) const WAIT: Duration = Duration::from_secs(20);

pub(super) fn opened(database: &server::TestDatabase) -> Postgres {
    let address = address_of(database.url());
    create(&address, WAIT).unwrap();
    open_own(&address, WAIT).unwrap()
}

/// As when the server restarts: ends every connection of authctl with the database.
fn end_connections(database: &server::TestDatabase) {
    let theirs = format!("FROM pg_stat_activity WHERE datname = '{}' AND application_name = 'authctl'", database.name);
    let ended = server::run(&format!("SELECT count(pg_terminate_backend(pid)) {theirs}"));
    // One that was closed before may still be there.
    assert_ne!(ended.as_deref(), Some("0"));
    let left = || server::run(&format!("SELECT count(*) {theirs}"));
    assert!((0..500).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        left().as_deref() == Some("0")
    }));
}

#[test]
fn connection_that_ends_with_the_process_is_there_until_then() {
    let Some(database) = server::database() else { return };
    let mut engine = opened(&database);
    engine.end_with_process();
    drop(engine);
    // The server notices the end of one that was closed within milliseconds.
    std::thread::sleep(Duration::from_millis(200));
    end_connections(&database);
}

const WRITE: &str = r#"INSERT INTO "authctl_policy" VALUES ('key', 'value', 1)"#;

fn written(engine: &mut Postgres) -> u64 {
    let engine: &mut dyn Engine = engine;
    engine.query(|tx| tx.count(r#"SELECT count(*) FROM "authctl_policy""#, &[])).unwrap()
}

#[test]
fn connection_ended_between_acts_is_made_again() {
    let Some(database) = server::database() else { return };
    let mut engine = opened(&database);
    assert_eq!(written(&mut engine), 0);
    end_connections(&database);
    assert_eq!(written(&mut engine), 0);
    end_connections(&database);
    retrying(WAIT, || {
        let mut tx = engine.begin()?;
        tx.execute(WRITE, &[])?;
        tx.commit()
    })
    .unwrap();
    assert_eq!(written(&mut engine), 1);
}

#[test]
fn act_whose_connection_ends_before_the_commit_runs_again() {
    let Some(database) = server::database() else { return };
    let mut engine = opened(&database);
    let mut runs = 0;
    retrying(WAIT, || {
        runs += 1;
        let mut tx = engine.begin()?;
        tx.execute(WRITE, &[])?;
        if runs == 1 {
            end_connections(&database);
        }
        tx.execute("SELECT 1", &[])?;
        tx.commit()
    })
    .unwrap();
    assert_eq!((runs, written(&mut engine)), (2, 1));
}

#[test]
fn commit_over_an_ended_connection_is_unknown() {
    let Some(database) = server::database() else { return };
    let mut engine = opened(&database);
    let mut tx = engine.begin().unwrap();
    tx.execute(WRITE, &[]).unwrap();
    end_connections(&database);
    assert!(matches!(tx.commit(), Err(StoreError::Unanswered(_))));
    assert_eq!(written(&mut engine), 0);
}

#[test]
fn held_transaction_is_not_ended_for_its_silence() {
    let Some(database) = server::database() else { return };
    let mut engine = opened(&database);
    let mut tx = engine.begin().unwrap();
    let limit = |tx: &mut dyn Tx| {
        let setting = "SELECT current_setting('idle_in_transaction_session_timeout')";
        tx.query_one(setting, &[], |row| row.text(0)).unwrap().unwrap()
    };
    assert_eq!(limit(&mut *tx), "10s");
    tx.hold().unwrap();
    assert_eq!(limit(&mut *tx), "0");
}

#[test]
fn cancelled_queries_whose_rows_were_not_seen_run_again() {
    let Some(database) = server::database() else { return };
    let mut engine = opened(&database);
    // As a replica does it.
    let cancel = "DO $$ BEGIN RAISE 'conflict with recovery' USING ERRCODE = '40001'; END $$";
    let mut runs = 0;
    let read = engine.read(&mut |tx| {
        runs += 1;
        tx.execute(if runs == 1 { cancel } else { "SELECT 1" }, &[]).map(drop)
    });
    read.unwrap();
    assert_eq!(runs, 2);
}

#[test]
fn queries_whose_rows_were_seen_do_not_run_again() {
    let Some(database) = server::database() else { return };
    let mut engine = opened(&database);
    let mut runs = 0;
    let engine: &mut dyn Engine = &mut engine;
    let read = engine.query(|tx| {
        runs += 1;
        tx.count("SELECT count(*) FROM \"user\"", &[])?;
        end_connections(&database);
        tx.count("SELECT count(*) FROM \"user\"", &[])
    });
    assert!(matches!(read, Err(StoreError::Disconnected(_))), "{read:?}");
    assert_eq!(runs, 1);
}

#[test]
fn server_that_only_reads_stays_so() {
    let Some(database) = server::database() else { return };
    let mut engine = opened(&database);
    server::run(&format!("ALTER DATABASE {} SET default_transaction_read_only = on", database.name));
    end_connections(&database);
    let read_only = retrying(WAIT, || engine.begin()?.execute(WRITE, &[]));
    assert!(matches!(read_only, Err(StoreError::ReadOnlyServer)), "{read_only:?}");
    assert_eq!(written(&mut engine), 0);
}

#[test]
fn connection_is_idle_between_transactions() {
    let Some(database) = server::database() else { return };
    let mut engine = opened(&database);
    assert_eq!(written(&mut engine), 0);
    engine.begin().unwrap().execute(WRITE, &[]).unwrap();
    let sql = format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND state = 'idle'", database.name);
    // The server needs a moment to do what is not waited for.
    assert!((0..500).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        server::run(&sql).as_deref() != Some("0")
    }));
}

#[test]
fn scan_reads_all_rows_in_parts_and_stops_early() {
    let Some(database) = server::database() else { return };
    let mut engine = opened(&database);
    for (wanted, expected) in [(1_700, 1_234), (3, 3), (FETCHED, FETCHED)] {
        let mut rows = 0;
        let each = &mut |_: &Row<'_>| {
            rows += 1;
            Ok(if rows == wanted { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        };
        // One cursor after the other in a transaction.
        let read = engine.read(&mut |tx| {
            tx.scan("SELECT generate_series(1, ?1::int)", &[Value::from(1_234_u32)], each)?;
            tx.scan("SELECT 1", &[], &mut |_| Ok(ControlFlow::Continue(())))
        });
        read.unwrap();
        assert_eq!(rows, expected);
    }
}

/// The plan of a page costs as much as the whole table would, and the server compiles costly plans.
#[test]
fn server_compiles_no_statement() {
    let Some(database) = server::database() else { return };
    let mut engine = opened(&database);
    let compiles = |tx: &mut dyn Tx| tx.query_one("SELECT current_setting('jit')", &[], |row| row.text(0)).unwrap();
    let mut found = Vec::new();
    engine
        .read(&mut |tx| {
            found.push(compiles(tx));
            Ok(())
        })
        .unwrap();
    found.push(compiles(&mut *engine.begin().unwrap()));
    assert_eq!(found, [Some("off".to_owned()), Some("off".to_owned())]);
}

#[test]
fn transaction_with_a_failed_statement_is_not_committed() {
    let Some(database) = server::database() else { return };
    let mut engine = opened(&database);
    let mut tx = engine.begin().unwrap();
    assert_eq!(tx.execute(WRITE, &[]).unwrap(), 1);
    assert!(matches!(tx.execute(WRITE, &[]), Err(StoreError::NotUnique(_))));
    assert!(tx.commit().is_err());
    let mut tx = engine.begin().unwrap();
    tx.execute(WRITE, &[]).unwrap();
    let undone = (&mut *tx as &mut dyn Tx).attempt(|tx| tx.execute(WRITE, &[]));
    assert!(undone.is_err());
    tx.commit().unwrap();
    assert_eq!(written(&mut engine), 1);
}

#[test]
fn what_opening_asked_ahead_is_answered_once_and_not_in_an_act_that_writes() {
    let Some(database) = server::database() else { return };
    let settings = |engine: &mut Postgres| (engine as &mut dyn Engine).query(policy::settings).unwrap().len();
    let write = |engine: &mut Postgres, sql| {
        let mut tx = engine.begin().unwrap();
        tx.execute(sql, &[]).unwrap();
        tx.commit().unwrap();
    };
    let address = address_of(database.url());
    let mut other = opened(&database);
    let open = || {
        let engine = connected_for(None, "authctl", &address, None, WAIT).unwrap();
        version(&engine, &address).unwrap();
        engine
    };
    let mut engine = open();
    write(&mut other, WRITE);
    assert_eq!([(); 2].map(|()| settings(&mut engine)), [0, 1], "the first answer is that of the opening");
    let mut writer = open();
    write(&mut writer, r#"DELETE FROM "authctl_policy""#);
    assert_eq!(settings(&mut writer), 0, "not as at the opening");
}

/// Counts the rows of a table, as the act of a transaction sees them.
fn counted(tx: &mut dyn Tx, table: &str) -> Result<u64, StoreError> {
    tx.count(&format!(r#"SELECT count(*) FROM "{table}""#), &[])
}

#[test]
fn answer_that_was_asked_along_is_kept_until_its_table_is_written_to() {
    let Some(database) = server::database() else { return };
    let mut engine = opened(&database);
    let mut other = ::postgres::Client::connect(database.url(), ::postgres::NoTls).unwrap();
    let tables = ["authctl_policy", "authctl_throttle"];
    let mut tx = engine.begin().unwrap();
    tx.ask_along(&tables.map(|table| (format!(r#"SELECT count(*) FROM "{table}""#), Vec::new())));
    tx.execute("SELECT 1", &[]).unwrap();
    let insert = r#"INSERT INTO authctl."authctl_policy" VALUES ('other', 'value', 1);
                    INSERT INTO authctl."authctl_throttle" VALUES ('other', 1, 1, 1)"#;
    other.batch_execute(insert).unwrap();
    tx.execute_later(WRITE, &[]).unwrap();
    assert_eq!(tables.map(|table| counted(&mut *tx, table).unwrap()), [2, 0], "the second answer is from before");
    assert_eq!(tables.map(|table| counted(&mut *tx, table).unwrap()), [2, 1], "an answer is handed out once");
}

#[test]
fn failure_of_a_statement_that_was_not_waited_for_ends_the_transaction() {
    let Some(database) = server::database() else { return };
    let mut engine = opened(&database);
    let is_duplicate = |error: &StoreError| matches!(error, StoreError::NotUnique(_));
    for then in [
        |tx: Box<dyn WriteTx + '_>| tx.commit(),
        |mut tx: Box<dyn WriteTx + '_>| {
            let read = counted(&mut *tx, "authctl_policy").map(drop);
            assert!(matches!(tx.commit(), Err(StoreError::Engine(_))));
            read
        },
    ] {
        let mut tx = engine.begin().unwrap();
        for _ in 0..2 {
            tx.execute_later(WRITE, &[]).unwrap();
        }
        let failed = then(tx).unwrap_err();
        assert!(is_duplicate(&failed), "{failed:?}");
        assert_eq!(written(&mut engine), 0);
    }
    let mut tx = engine.begin().unwrap();
    tx.ask_along(&[(r#"SELECT 1 FROM "authctl_missing""#.to_owned(), Vec::new())]);
    let failed = tx.execute(WRITE, &[]);
    assert!(matches!(&failed, Err(StoreError::Incomplete(table)) if table == "authctl_missing"), "{failed:?}");
    assert!(matches!(tx.commit(), Err(StoreError::Engine(_))));
    assert_eq!(written(&mut engine), 0);
}

#[test]
fn nothing_is_written_outside_of_a_transaction_that_cannot_begin() {
    let Some(database) = server::database() else { return };
    let mut engine = opened(&database);
    let write = r#"INSERT INTO authctl."authctl_policy" VALUES ('key', 'value', 1)"#;
    for is_waited_for in [true, false] {
        let mut tx = engine.transaction(None);
        tx.begin = Some("SELECT 1 / 0".to_owned().into());
        let done = if is_waited_for { tx.execute(write, &[]).map(drop) } else { tx.execute_later(write, &[]) };
        assert!(matches!(done, Err(StoreError::Constraint(_))), "{done:?}");
        tx.commit().unwrap_err();
        assert_eq!(written(&mut engine), 0);
    }
}

/// Makes the tables of an app and the engine for them.
fn of_app(database: &server::TestDatabase) -> Postgres {
    let mut admin = ::postgres::Client::connect(database.url(), ::postgres::NoTls).unwrap();
    let made = admin.batch_execute(
        r#"CREATE SCHEMA auth;
           CREATE TABLE auth."user" (id integer PRIMARY KEY, email text, role text CHECK (role <> 'king'));
           CREATE UNIQUE INDEX one_address ON auth."user" (lower(email), role)"#,
    );
    made.unwrap();
    engine_of_app(database, WAIT)
}

fn engine_of_app(database: &server::TestDatabase, wait: Duration) -> Postgres {
    connected(&address_of(database.url()), wait).unwrap().of_app("auth".into(), Vec::new())
}

#[test]
fn failed_statement_leaves_the_transaction_of_an_app_as_it_was() {
    let Some(database) = server::database() else { return };
    let mut engine = of_app(&database);
    let mut tx = engine.begin().unwrap();
    let add = r#"INSERT INTO "user" VALUES (?1, ?2, ?3)"#;
    let mut add = |id: i64, email: &str, role: &str| tx.execute(add, &[id.into(), email.into(), role.into()]);
    assert_eq!(add(1, "ada", "user").unwrap(), 1);
    let taken = |error| if let StoreError::NotUnique(columns) = error { columns } else { panic!("{error:?}") };
    let same = add(2, "Ada", "user").map_err(taken);
    assert_eq!(same, Err("user.role, user.email".to_owned()));
    assert_eq!(add(1, "bob", "user").map_err(taken), Err("user.id".to_owned()));
    assert!(matches!(add(2, "bob", "king"), Err(StoreError::Constraint(_))));
    assert_eq!(add(2, "bob", "user").unwrap(), 1);
    tx.commit().unwrap();
    let engine: &mut dyn Engine = &mut engine;
    assert_eq!(engine.query(|tx| tx.count(r#"SELECT count(*) FROM "user""#, &[])).unwrap(), 2);
}

#[test]
fn catalog_that_an_act_expects_is_read_before_it() {
    let Some(database) = server::database() else { return };
    let mut admin = ::postgres::Client::connect(database.url(), ::postgres::NoTls).unwrap();
    for mut engine in [of_app(&database), opened(&database)] {
        let schema = engine.schema().to_owned();
        engine.expect_catalog().unwrap();
        admin.batch_execute(&format!(r#"CREATE TABLE "{schema}".later (id text)"#)).unwrap();
        let mut has_later = |expects: bool| {
            if expects {
                engine.expect_catalog().unwrap();
            }
            engine.begin().unwrap().catalog().unwrap().iter().any(|table| table.name == "later")
        };
        assert_eq!([false, true].map(&mut has_later), [false, true], "{schema}");
    }
}

#[test]
fn one_writer_after_the_other_writes_to_an_app() {
    let Some(database) = server::database() else { return };
    let mut engine = of_app(&database);
    let mut impatient = engine_of_app(&database, Duration::ZERO);
    let tx = engine.begin().unwrap();
    assert!(matches!(impatient.begin().map(drop), Err(StoreError::Busy)));
    tx.commit().unwrap();
    let mut tx = impatient.begin().unwrap();
    let zone = "SELECT current_setting('timezone') || ', ' || current_setting('transaction_isolation')";
    let set = (&mut *tx as &mut dyn Tx).query_one(zone, &[], |row| row.text(0)).unwrap();
    assert_eq!(set.as_deref(), Some("GMT, serializable"));
}

/// An empty store on a cluster of its own.
fn primary(settings: &str) -> Option<(server::Server, Postgres)> {
    let primary = server::Server::primary(settings)?;
    let url = primary.url("postgres");
    create(&address_of(&format!("{url}?options=-c%20synchronous_commit%3Dlocal")), WAIT).unwrap();
    let engine = open_own(&address_of(&url), WAIT).unwrap();
    Some((primary, engine))
}

#[test]
fn commit_that_stopped_waiting_for_its_standby_is_unknown() {
    let Some((primary, mut engine)) = primary("synchronous_standby_names = 'absent'\n") else { return };
    let is_over = AtomicBool::new(false);
    let committed = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                primary.execute("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        let mut tx = engine.begin().unwrap();
        tx.execute(WRITE, &[]).unwrap();
        let committed = tx.commit();
        is_over.store(true, Ordering::Relaxed);
        committed
    });
    assert!(matches!(committed, Err(StoreError::Unanswered(_))), "{committed:?}");
    assert_eq!(written(&mut engine), 1);
}

#[test]
fn standby_reads_and_says_how_far_it_is_behind() {
    let Some((primary, mut engine)) = primary("") else { return };
    let standby = primary.standby();
    let both = format!(
        "host={},{} port={},{} user=postgres dbname=postgres",
        standby.directory.display(),
        primary.directory.display(),
        standby.port,
        primary.port
    );
    let at = |target: &str| open_own(&address_of(&format!("{both} target_session_attrs={target}")), WAIT).unwrap();
    for (target, is_standby) in [("any", true), ("standby", true), ("primary", false), ("read-write", false)] {
        assert_eq!(at(target).is_standby(), is_standby, "{target}");
    }
    let mut reader = at("standby");
    let write = |engine: &mut Postgres| {
        let mut tx = engine.begin()?;
        tx.execute(WRITE, &[])?;
        tx.commit()
    };
    assert!(matches!(write(&mut reader), Err(StoreError::ReadOnlyServer)));
    // Acts in the database of an app, with authctl's own tables in a file and in the database.
    let of_app = || at("standby").of_app("public".to_owned(), Vec::new());
    for mut of_app in [of_app(), of_app().with_state()] {
        let written = of_app.begin().and_then(|mut tx| tx.execute(WRITE, &[]));
        assert!(matches!(written, Err(StoreError::ReadOnlyServer)), "{written:?}");
    }
    write(&mut engine).unwrap();
    let eventually = |is_so: &mut dyn FnMut() -> bool| {
        assert!((0..1_000).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            is_so()
        }));
    };
    eventually(&mut || written(&mut reader) == 1 && reader.behind().unwrap().is_none());
    assert_eq!(engine.behind().unwrap(), None);
    drop(primary);
    eventually(&mut || reader.behind().unwrap().is_some());
    let server = Engine::server(&mut reader).unwrap().unwrap();
    assert!(server.is_replica && server.behind.is_some(), "{server:?}");
}

const POLICY: &str = r#""authctl_policy" ("key", "value", "updatedAt")"#;
const VALUE: &str = "a\tb\\N\n";

/// Rows that need more than one statement.
fn many(name: &str) -> impl Iterator<Item = Result<Vec<Value>, StoreError>> {
    (0..1_203).map(move |number| Ok(vec![format!("{name}{number}").into(), VALUE.into(), Value::Integer(number)]))
}

#[test]
fn many_rows_are_written_also_where_the_names_of_statements_are_taken() {
    let Some(database) = server::database() else { return };
    let mut engine = opened(&database);
    let mut tx = engine.begin().unwrap();
    tx.insert_rows(POLICY, &mut many("copied")).unwrap();
    tx.commit().unwrap();
    let mut tx = engine.begin().unwrap();
    // The driver numbers the names in the whole process.
    for number in 0..500 {
        tx.execute(&format!("PREPARE s{number} AS SELECT 1"), &[]).unwrap();
    }
    tx.insert_rows(POLICY, &mut many("inserted")).unwrap();
    tx.commit().unwrap();
    assert_eq!(written(&mut engine), 2 * 1_203);
    let engine: &mut dyn Engine = &mut engine;
    let as_they_were = r#"SELECT count(*) FROM "authctl_policy" WHERE "value" = ?1"#;
    assert_eq!(engine.query(|tx| tx.count(as_they_were, &[VALUE.into()])).unwrap(), 2 * 1_203);
}

#[test]
fn row_that_cannot_be_made_takes_back_those_before_it() {
    let Some(database) = server::database() else { return };
    let mut engine = opened(&database);
    let mut tx = engine.begin().unwrap();
    let mut rows = many("copied").chain([Err(StoreError::LogFull(7))]);
    assert!(matches!(tx.insert_rows(POLICY, &mut rows), Err(StoreError::LogFull(7))));
    assert!(tx.commit().is_err());
    assert_eq!(written(&mut engine), 0);
    let mut tx = engine.begin().unwrap();
    let twice = tx.insert_rows(POLICY, &mut many("copied").chain(many("copied")));
    assert!(matches!(twice, Err(StoreError::NotUnique(_))), "{twice:?}");
    drop(tx);
    assert_eq!(written(&mut engine), 0);
}

#[test]
fn only_a_schema_with_rows_is_waited_for() {
    let Some(database) = server::database() else { return };
    let address = address_of(database.url());
    let engine = super::super::connected(&address, WAIT).unwrap();
    let mut tx = engine.migration();
    migrate::apply(&mut tx, SCHEMA, migrate::Contents::Native).unwrap();
    assert_eq!(tx.limit, WAIT + ANSWER_MAX);
    tx.commit().unwrap();
    let mut again = engine.migration();
    migrate::apply(&mut again, SCHEMA, migrate::Contents::Native).unwrap();
    assert!(again.limit > WAIT + ANSWER_MAX, "{:?}", again.limit);
}
