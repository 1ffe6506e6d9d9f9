//! Searches for rows that are wrong, and corrections where only one meaning is possible.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::accounts::{PASSWORD, corrected_of};
use super::audit::{interrupted_of, subjects};
use super::codes::VALUE;
use super::write_tx::Guest;
use super::{SqlStore, api_tokens, audit, codes, legacy, native_factor, odd_rows, policy, read, rows, set_rows};
use crate::auth::audit::{Changes, Entry, Event, Subject, counted};
use crate::auth::codes::Purpose;
use crate::auth::doctor::lowered;
use crate::auth::odd::OddRows;
use crate::auth::prune::Pruning;
use crate::auth::secret::{DIGEST_LENGTH, StoredHash};
use crate::auth::storage::{
    Account, AppTraces, Credential, Depth, DoctorStore, Orphans, SchemaDifference, Server, StoreError, StrayAccounts,
    WrittenAfter,
};
use crate::auth::user::User;
use crate::store::engine::{CatalogTable, Dialect, Tx, Value};
use crate::store::mapping::{IdStrategy, ORM_TABLES, OWN_TIME, SchemaMapping, TABLES, find_plugins};

/// The number of users whose accounts have no fix that are named.
const NAMED_MAX: usize = 5;

impl DoctorStore for SqlStore {
    fn damage(&mut self, depth: Depth) -> Result<Vec<String>, StoreError> {
        let mut damage = self.engine.check(depth)?;
        if let Some(state) = self.guest.as_mut().and_then(Guest::state) {
            let own = state.engine.check(depth)?;
            let path = state.path.display();
            damage.extend(own.into_iter().map(|line| format!("in authctl's own file {path}: {line}")));
        }
        Ok(damage)
    }

    fn tables_only_the_app_checks(&mut self) -> Result<Vec<(String, String)>, StoreError> {
        self.engine.tables_only_the_app_checks()
    }

    fn server(&mut self) -> Result<Option<Server>, StoreError> {
        self.engine.server()
    }

    fn schema_differences(&mut self) -> Result<Vec<SchemaDifference>, StoreError> {
        if self.guest.as_mut().is_some_and(|guest| guest.state().is_some()) {
            // An app migrates its own schema; `db status` shows the part that authctl uses.
            return Ok(Vec::new());
        }
        self.engine.schema_differences()
    }

    fn app_traces(&mut self) -> Result<AppTraces, StoreError> {
        if self.guest.is_some() {
            return Ok(AppTraces::default());
        }
        self.read(|tx, mapping| app_traces(tx, mapping))
    }

    fn delete_app_rows(&mut self) -> Result<AppTraces, StoreError> {
        if self.guest.is_some() {
            return Ok(AppTraces::default());
        }
        self.write_tx(|tx, mapping, log| {
            let found = delete_app_rows(tx, mapping)?;
            if found.rows() > 0 {
                let rows = AppTraces { tables: Vec::new(), ..found.clone() };
                log.push(Event::new("app-rows.deleted").with(rows.in_words().unwrap_or_default()));
            }
            Ok(found)
        })
    }

    fn orphans(&mut self) -> Result<Orphans, StoreError> {
        self.read_without_times(|tx, mapping| count_orphans(tx, mapping))
    }

    fn delete_orphans(&mut self) -> Result<Orphans, StoreError> {
        self.write_tx(|tx, mapping, log| {
            let gone = delete_orphans(tx, mapping)?;
            if gone.count() > 0 {
                let Orphans { sessions, accounts, codes } = gone;
                let detail = [(sessions, "session"), (accounts, "account"), (codes, "code")]
                    .map(|(count, noun)| counted(count, noun));
                let detail = format!("{} of no user", detail.join(", "));
                log.push(Event::new("orphans.deleted").with(detail));
            }
            Ok(gone)
        })
    }

    fn odd_rows(&mut self, limit: usize) -> Result<OddRows, StoreError> {
        self.read(|tx, mapping| odd_rows::find(tx, mapping, limit))
    }

    fn each_user(&mut self, found: &mut dyn FnMut(User)) -> Result<(), StoreError> {
        self.read(|tx, mapping| each_user(tx, mapping, found))
    }

    fn each_credential(&mut self, found: &mut dyn FnMut(Credential)) -> Result<(), StoreError> {
        self.read_without_times(|tx, mapping| each_credential(tx, mapping, found))
    }

    fn stray_accounts(&mut self) -> Result<StrayAccounts, StoreError> {
        self.read_without_times(|tx, mapping| stray_accounts(tx, mapping))
    }

    fn fix_stray_accounts(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        self.write_tx(|tx, mapping, log| fix_stray_accounts(tx, mapping, log, now))
    }

    fn twins(&mut self) -> Result<Vec<String>, StoreError> {
        self.read_without_times(|tx, mapping| twins(tx, mapping))
    }

    fn lower_addresses(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        self.write_tx(|tx, mapping, log| lower_addresses(tx, mapping, log, now))
    }

    fn interrupted(&mut self) -> Result<Option<Entry>, StoreError> {
        let Some(state) = self.guest.as_mut().and_then(Guest::state) else { return Ok(None) };
        let state = &mut *state.engine;
        if state.query(audit::interrupted)?.is_none() {
            return Ok(None);
        }
        // A process that is committing holds the lock until the end of its act is logged.
        audit::interrupted(&mut *state.begin()?)
    }

    fn close_interrupted(&mut self) -> Result<u64, StoreError> {
        if self.guest.is_none() {
            return Ok(0);
        }
        // No act is between its intention and its end while the app's database is locked.
        self.state_tx_alone(|tx, _, log| {
            let interrupted = audit::interrupted(tx)?;
            log.extend(interrupted.as_ref().map(interrupted_of));
            Ok(u64::from(interrupted.is_some()))
        })
    }

    fn written_after(&mut self, instant: Timestamp) -> Result<WrittenAfter, StoreError> {
        let rows = self.read(|tx, mapping| rows_written_after(tx, mapping, instant))?;
        let (entries, is_newest_before) = self.read_state(|tx| entries_written_after(tx, instant))?;
        Ok(WrittenAfter { rows, entries, is_newest_before })
    }

    fn count_expired_codes(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        let is_clock_sane = self.read_state(|tx| audit::shows_sane_clock(tx, now))?;
        self.read(|tx, mapping| codes::count_over(tx, mapping, now, is_clock_sane))
    }

    fn prune_codes(&mut self, now: Timestamp, pruning: &mut Pruning) -> Result<u64, StoreError> {
        let is_clock_sane = self.read_state(|tx| audit::shows_sane_clock(tx, now))?;
        let keys = self.read(|tx, mapping| codes::find_over(tx, mapping, now, is_clock_sane, pruning.wanted()))?;
        self.prune_part(pruning, &keys, |tx, mapping, log, keys| {
            codes::delete_over(tx, mapping, log, keys, now, is_clock_sane)
        })
    }

    fn count_legacy_passwords(&mut self) -> Result<u64, StoreError> {
        self.read(|tx, mapping| Ok(legacy::find(tx, mapping, usize::MAX)?.len() as u64))
    }

    fn prune_legacy_passwords(&mut self, pruning: &mut Pruning) -> Result<u64, StoreError> {
        let keys = self.read(|tx, mapping| legacy::find(tx, mapping, pruning.wanted()))?;
        self.prune_part(pruning, &keys, legacy::delete)
    }

    fn settings(&mut self) -> Result<Vec<(String, String)>, StoreError> {
        self.read_state(|tx| policy::settings(tx))
    }

    fn remove_settings(&mut self, keys: &[String]) -> Result<(), StoreError> {
        self.state_tx(|tx, _, log| {
            for (key, value) in policy::remove_all(tx, keys)? {
                let event = Event::new("policy.removed").with(format!("{key}, whose value made no sense"));
                let changes = Changes::default().field(&key, policy::without_credentials(&value), None::<String>);
                log.push(event.changing(changes));
            }
            Ok(())
        })
    }
}

pub(in crate::store) fn each_user(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    found: &mut dyn FnMut(User),
) -> Result<(), StoreError> {
    let sql = format!(r#"SELECT {} FROM "user" WHERE TRUE"#, read::USER);
    tx.each(&mapping.sql(sql), &[], |row| {
        found(read::user(row, 0, mapping)?);
        Ok(())
    })
}

pub(in crate::store) fn each_credential(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    found: &mut dyn FnMut(Credential),
) -> Result<(), StoreError> {
    let sql = format!(r#"SELECT "userId", {PASSWORD}, "updatedAt" FROM "account" WHERE "providerId" = ?1"#);
    let times = mapping.times.of("account", "updatedAt");
    tx.each(&mapping.sql(sql), &[Account::CREDENTIAL.into()], |row| {
        let hash = row.value(1)?.as_bytes().and_then(|bytes| StoredHash::from_bytes(bytes).ok());
        let updated_at = times.read(row.value(2)?);
        found(Credential { user_id: rows::key(row, 0, mapping, "user")?, hash, updated_at });
        Ok(())
    })
}

/// Counts the users, accounts, sessions and codes that were written after an instant.
pub(in crate::store) fn rows_written_after(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    instant: Timestamp,
) -> Result<u64, StoreError> {
    let mut rows = 0;
    for table in ["user", "session", "account", "verification"] {
        // What is after all instants is no time.
        let sql = format!(
            r#"SELECT count(*) FROM "{table}"
               WHERE "createdAt" > ?1 AND "createdAt" <= ?2 OR "updatedAt" > ?3 AND "updatedAt" <= ?4"#
        );
        let time = |column, instant| mapping.time(table, column, instant);
        let bounds =
            ["createdAt", "updatedAt"].map(|column| [time(column, instant), time(column, Timestamp::MAX)]).concat();
        rows += tx.count(&mapping.sql(sql), &bounds)?;
    }
    Ok(rows)
}

/// Counts the entries of the audit log that were written after an instant, and tells whether the newest entry
/// was written before it.
pub(in crate::store) fn entries_written_after(tx: &mut dyn Tx, instant: Timestamp) -> Result<(u64, bool), StoreError> {
    let instant = [OWN_TIME.write(instant)];
    let entries = tx.count(r#"SELECT count(*) FROM "authctl_audit" WHERE "at" > ?1"#, &instant)?;
    let newest = r#"SELECT count(*) FROM (SELECT "at" FROM "authctl_audit" ORDER BY "seq" DESC LIMIT 1) AS "newest"
           WHERE "at" <= ?1"#;
    Ok((entries, tx.count(newest, &instant)? == 1))
}

/// Tables, each with a condition for rows that an app wrote into a native database: no digest, of length ?1, is there
/// in place of the token or the code.
fn rows_of_app(dialect: &Dialect) -> [(&'static str, String); 2] {
    let position = dialect.position;
    let purposes = purposes();
    let ours = format!(
        r#"substr("identifier", 1, {position}("identifier", ':')) IN ({purposes})
           AND octet_length("identifier") - {position}("identifier", ':') = ?1"#
    );
    [("session", r#"octet_length("token") <> ?1"#.to_owned()), ("verification", ["NOT (", &ours, ")"].concat())]
}

/// The number of rows at each end of a table among which rows of an app are looked for.
const SAMPLE: u32 = 1000;

/// As [`app_traces`], but without rows if none is near an end of its table.
pub(in crate::store) fn sampled_app_traces(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<AppTraces, StoreError> {
    let mut has_rows = false;
    for (table, condition) in rows_of_app(tx.dialect()) {
        let order = tx.dialect().order(mapping, table);
        for direction in ["ASC", "DESC"] {
            let sql = format!(
                r#"SELECT count(*) FROM (SELECT * FROM "{table}" ORDER BY {order} {direction} LIMIT {SAMPLE}) AS "sample"
                   WHERE {condition}"#
            );
            has_rows |= tx.count(&mapping.sql(sql), &[DIGEST_LENGTH.into()])? > 0;
        }
    }
    if has_rows {
        app_traces(tx, mapping)
    } else {
        Ok(AppTraces { tables: app_tables(tx, mapping)?, ..AppTraces::default() })
    }
}

/// The tables of an app in a native database: those of plugins and ORMs, and those whose foreign keys refer to one of
/// authctl's tables.
fn app_tables(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<Vec<String>, StoreError> {
    let catalog = tx.catalog()?;
    let plugins = find_plugins(&catalog, mapping.table("user")).into_iter().map(|found| found.table);
    let mut tables: Vec<String> = plugins.collect();
    let is_own = |name: &str| {
        [native_factor::TABLE, api_tokens::TABLE].contains(&name)
            || TABLES.iter().any(|own| own.name.eq_ignore_ascii_case(name))
    };
    let is_of_app = |table: &&CatalogTable| {
        ORM_TABLES.contains(&table.name.as_str())
            || !is_own(&table.name) && table.foreign_keys.iter().any(|key| is_own(&key.parent))
    };
    for table in catalog.iter().filter(is_of_app) {
        if !tables.contains(&table.name) {
            tables.push(table.name.clone());
        }
    }
    Ok(tables)
}

/// Finds the traces of an app in a native database. It reads every row.
pub(in crate::store) fn app_traces(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<AppTraces, StoreError> {
    let tables = app_tables(tx, mapping)?;
    let [sessions, codes] = rows_of_app(tx.dialect()).map(|(table, condition)| {
        let sql = format!(r#"SELECT count(*) FROM "{table}" WHERE {condition}"#);
        tx.count(&mapping.sql(sql), &[DIGEST_LENGTH.into()])
    });
    Ok(AppTraces { tables, sessions: sessions?, codes: codes? })
}

pub(in crate::store) fn delete_app_rows(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<AppTraces, StoreError> {
    let found = app_traces(tx, mapping)?;
    for (table, condition) in rows_of_app(tx.dialect()) {
        let sql = format!(r#"DELETE FROM "{table}" WHERE {condition}"#);
        tx.delete(&mapping.sql(sql), &[DIGEST_LENGTH.into()])?;
    }
    Ok(found)
}

/// The words of the purposes of authctl's codes, each with its colon, as a list for `IN`.
fn purposes() -> String {
    Purpose::ALL.map(|purpose| ["'", purpose.word(), ":'"].concat()).join(", ")
}

/// Tables, each with a condition for rows whose user does not exist. A program that did not enforce foreign
/// keys left them. The same conditions select the rows to count and to delete, with and without foreign keys
/// in the schema.
fn orphans(dialect: &Dialect, mapping: &SchemaMapping) -> [(&'static str, String); 3] {
    let position = dialect.position;
    // A row without a user id is not an orphan; only the app knows its meaning.
    let of = |table: &str| {
        let user = [r#""user"."id" = ""#, table, r#""."userId""#].concat();
        [r#""userId" IS NOT NULL AND NOT EXISTS (SELECT 1 FROM "user" WHERE "#, &user, ")"].concat()
    };
    // The first line of the value of a code is a user id. An app stores other values of several lines in the
    // same table, so the purpose is checked too.
    let purposes = purposes();
    let named = format!("substr({VALUE}, 1, {position}({VALUE}, ?1) - 1)");
    let is_named = mapping.ids.of("user").equals_text(r#""user"."id""#, &named);
    let code = format!(
        r#"{position}({VALUE}, ?1) > 0 AND substr("identifier", 1, {position}("identifier", ':')) IN ({purposes})
        AND NOT EXISTS
        (SELECT 1 FROM "user" WHERE {is_named})"#
    );
    [("session", of("session")), ("account", of("account")), ("verification", code)]
}

pub(in crate::store) fn count_orphans(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<Orphans, StoreError> {
    each_orphanage(tx.dialect(), mapping, |table, condition, values| {
        let sql = format!(r#"SELECT count(*) FROM "{table}" WHERE {condition}"#);
        tx.count(&mapping.sql(sql), values)
    })
}

pub(in crate::store) fn delete_orphans(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<Orphans, StoreError> {
    each_orphanage(tx.dialect(), mapping, |table, condition, values| {
        let sql = format!(r#"DELETE FROM "{table}" WHERE {condition}"#);
        tx.delete(&mapping.sql(sql), values)
    })
}

fn each_orphanage(
    dialect: &Dialect,
    mapping: &SchemaMapping,
    mut rows: impl FnMut(&str, &str, &[Value]) -> Result<u64, StoreError>,
) -> Result<Orphans, StoreError> {
    let line_end = [Value::from("\n")];
    let [sessions, accounts, codes] = orphans(dialect, mapping)
        .map(|(table, condition)| rows(table, &condition, if table == "verification" { &line_end } else { &[] }));
    Ok(Orphans { sessions: sessions?, accounts: accounts?, codes: codes? })
}

pub(in crate::store) fn twins(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<Vec<String>, StoreError> {
    let sql = r#"SELECT lower("email") FROM "user" WHERE octet_length("email") <= 100000
                 GROUP BY 1 HAVING count(*) > 1"#;
    let mut twins = Vec::new();
    tx.each(&mapping.sql(sql), &[], |row| {
        // An address that is not text is no twin.
        twins.extend(row.value(0)?.as_text().map(str::to_owned));
        Ok(())
    })?;
    Ok(twins)
}

pub(in crate::store) fn lower_addresses(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let twins: BTreeSet<String> = twins(tx, mapping)?.into_iter().collect();
    let sql = r#"SELECT "id", "email" FROM "user"
                 WHERE CASE WHEN octet_length("email") <= 100000 THEN "email" <> lower("email") END"#;
    let mut changes = Vec::new();
    tx.each(&mapping.sql(sql), &[], |row| {
        if let Some(before) = row.value(1)?.as_text() {
            let id = rows::key(row, 0, mapping, "user")?;
            changes.extend(lowered(before, &twins).map(|email| (id, before.to_owned(), email)));
        }
        Ok(())
    })?;
    // Addresses are lowered by their ASCII letters, whatever the language of the database.
    let lower = format!("lower({})", (tx.dialect().bytewise)(r#""email""#));
    let ids = changes.iter().map(|(id, _, _)| id.as_str());
    set_rows::set_all(tx, mapping, "user", ids, ("email", &lower), now)?;
    for (id, before, email) in &changes {
        let event = Event::user("email.changed", Subject::read(id, Some(before.clone())));
        let change = Changes::default().field("email", before.as_str(), email.as_str());
        log.push(event.with("written in lower case").changing(change));
    }
    Ok(changes.len() as u64)
}

/// The statement for stray accounts, each with its user, whether its right place is free, and whether the user has
/// another account with a password in that place.
fn stray_sql(mapping: &SchemaMapping) -> String {
    let is_of = |account_id| mapping.ids.of("user").equals_text(r#""account"."userId""#, account_id);
    let (is_own, is_other) = (is_of(r#""account"."accountId""#), is_of(r#""other"."accountId""#));
    let is_right = is_of(r#""own"."accountId""#);
    let own = r#""own"."userId" = "account"."userId" AND "own"."providerId" = ?1"#;
    let sql = format!(
        r#"SELECT "id", "userId", "accountId", (SELECT count(*) FROM "account" AS "own" WHERE {own}) = 1 AND NOT EXISTS
           (SELECT 1 FROM "account" AS "other" WHERE "other"."providerId" = ?1 AND {is_other}), EXISTS
           (SELECT 1 FROM "account" AS "own" WHERE {own} AND {is_right} AND octet_length("own"."password") > 0)
           FROM "account" WHERE "providerId" = ?1 AND NOT ({is_own})
           AND EXISTS (SELECT 1 FROM "user" WHERE "user"."id" = "account"."userId")"#
    );
    mapping.sql(sql).into_owned()
}

/// Counts the stray accounts, and names the first users whose accounts have no fix.
pub(in crate::store) fn stray_accounts(tx: &mut dyn Tx, mapping: &SchemaMapping) -> Result<StrayAccounts, StoreError> {
    let mut stray = StrayAccounts::default();
    tx.each(&stray_sql(mapping), &[Account::CREDENTIAL.into()], |row| {
        let (is_correctable, is_surplus) = (row.truth(3)?, row.truth(4)?);
        stray.all += 1;
        stray.correctable += u64::from(is_correctable);
        stray.surplus += u64::from(is_surplus);
        if !is_correctable && !is_surplus && stray.unclear.len() < NAMED_MAX {
            let user_id = rows::key(row, 1, mapping, "user")?;
            if !stray.unclear.contains(&user_id) {
                stray.unclear.push(user_id);
            }
        }
        Ok(())
    })?;
    Ok(stray)
}

pub(in crate::store) fn fix_stray_accounts(
    tx: &mut dyn Tx,
    mapping: &SchemaMapping,
    log: &mut Vec<Event>,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let (mut correctable, mut surplus) = (Vec::new(), Vec::new());
    tx.each(&stray_sql(mapping), &[Account::CREDENTIAL.into()], |row| {
        let (is_correctable, is_surplus) = (row.truth(3)?, row.truth(4)?);
        if is_correctable || is_surplus {
            let [id, user_id] =
                [(0, "account"), (1, "user")].map(|(index, table)| rows::key(row, index, mapping, table));
            let account_id = IdStrategy::Text.read(row.value(2)?).unwrap_or_default();
            let fixed = if is_correctable { &mut correctable } else { &mut surplus };
            fixed.push((id?, user_id?, account_id));
        }
        Ok(())
    })?;
    let user_id = (tx.dialect().text)(r#""userId""#);
    let ids = correctable.iter().map(|(id, _, _)| id.as_str());
    set_rows::set_all(tx, mapping, "account", ids, ("accountId", &user_id), now)?;
    let users = correctable.iter().chain(&surplus).map(|(_, user_id, _)| user_id.as_str());
    let users = subjects(tx, mapping, users)?;
    let subject = |id: &String| users.get(id).cloned().unwrap_or_else(|| Subject::read(id, None));
    log.extend(correctable.iter().map(|(_, id, before)| corrected_of(subject(id), before, id)));
    rows::delete_all(tx, mapping, "account", surplus.iter().map(|(id, _, _)| id.as_str()))?;
    for (_, user_id, account_id) in &surplus {
        let event = Event::user("account.deleted", subject(user_id));
        let change = Changes::default().field("accountId", account_id.as_str(), None::<String>);
        log.push(event.with("the user has another account for the password").changing(change));
    }
    Ok((correctable.len() + surplus.len()) as u64)
}
