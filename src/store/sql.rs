//! The storage port in SQL: each method is one query, or one act in a transaction. Every statement is written once
//! for all engines and mappings.

pub(in crate::store) mod access;
pub(in crate::store) mod accounts;
pub(in crate::store) mod api_tokens;
mod app_factor;
mod app_keys;
mod app_secrets;
pub(in crate::store) mod audit;
pub(in crate::store) mod codes;
mod complete;
mod constraints;
mod deletion;
pub(in crate::store) mod doctor;
pub(in crate::store) mod expired;
mod export;
mod filter;
mod import;
pub(in crate::store) mod inventory;
mod key_owners;
mod legacy;
mod members;
mod native_factor;
mod odd_rows;
mod organizations;
mod plugins;
pub(in crate::store) mod policy;
mod prune;
mod reach;
mod read;
mod roles;
pub(in crate::store) mod rows;
pub(in crate::store) mod sample;
pub(in crate::store) mod search;
mod second_factor;
pub(in crate::store) mod sessions;
mod set_rows;
mod stats;
pub(in crate::store) mod steps;
pub(in crate::store) mod throttle;
mod user_list;
pub(in crate::store) mod users;
mod write_tx;

use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::auth::audit::{Acting, AuditUsers, Changes, Entry, Event, Subject};
use crate::auth::codes::{Purpose, StoredCode};
use crate::auth::password::Scheme;
use crate::auth::policy::{Key, Policy, PolicyError, ThrottleRules};
use crate::auth::prune::Pruning;
use crate::auth::secret::{Code, StoredHash, Token};
use crate::auth::session::Session;
use crate::auth::stats::{Period, Series, Stats};
use crate::auth::storage::{
    Account, AdminGuard, AppTraces, CodeEffect, CodeUse, Completed, DatabaseInfo, Deletion, DeletionRequest,
    FoundSession, GuestSchema, LooseEnds, Maintenance, NewCodeRow, NewPassword, NewSessionRow, NewUserRow, Orphans,
    PasswordChange, PolicySet, RightOtp, SessionQuery, StatePlace, Store, StoreError, UserChange, UserPage, UserQuery,
    UserUpdated, Which,
};
use crate::auth::throttle::{AttemptKey, Attempts, Decision};
use crate::auth::user::{User, UserRef};
use crate::auth::{ActAs, AuthError, Caller};
use crate::store::engine::{EngineInfo, Tx};
use audit::{LIFE, begun_of, ended_of, subject};
use sessions::Verified;

pub(in crate::store) use write_tx::{Both, OwnTables, retrying};
pub use write_tx::{SqlStore, State};

/// How often a process that waits for its turn reads the attempts again.
const UNDECIDED_POLL: Duration = Duration::from_millis(50);

impl Store for SqlStore {
    fn act_as(&mut self, acting: Acting) {
        self.acting = acting;
    }

    fn end_with_process(&mut self) {
        self.engine.end_with_process();
    }

    fn require_caller(&mut self, caller: Option<Caller>) {
        self.caller = caller.map(Box::new);
    }

    fn record(&mut self, event: Event) -> Result<(), StoreError> {
        self.state_tx(|_, _, log| {
            log.push(event.clone());
            Ok(())
        })
    }

    fn user(&mut self, who: &UserRef) -> Result<Option<User>, StoreError> {
        self.read(|tx, mapping| users::find(tx, mapping, who))
    }

    fn users_with_address(&mut self, address: &str) -> Result<Vec<User>, StoreError> {
        self.read(|tx, mapping| users::with_address(tx, mapping, address))
    }

    fn password_hash(&mut self, user_id: &str) -> Result<Option<StoredHash>, StoreError> {
        self.read(|tx, mapping| accounts::password_hash(tx, mapping, user_id))
    }

    fn scheme(&mut self) -> Result<Scheme, StoreError> {
        if self.guest.is_some() { self.read_without_times(accounts::scheme) } else { Ok(Scheme::Native) }
    }

    fn session(&mut self, token: &Token) -> Result<Option<(Session, User)>, StoreError> {
        self.read(|tx, mapping| sessions::find(tx, mapping, token))
    }

    fn session_by_id(&mut self, id: &str) -> Result<Option<Session>, StoreError> {
        self.read(|tx, mapping| {
            rows::require_found_by(mapping, "session", &["id"])?;
            sessions::by_id(tx, mapping, id)
        })
    }

    fn sessions(&mut self, user_id: &str) -> Result<Vec<Session>, StoreError> {
        self.read(|tx, mapping| sessions::of_user(tx, mapping, user_id))
    }

    fn each_session(
        &mut self,
        query: &SessionQuery<'_>,
        found: &mut dyn FnMut(FoundSession) -> bool,
    ) -> Result<(), StoreError> {
        self.read(|tx, mapping| sessions::each(tx, mapping, query, found))
    }

    fn end_sessions_by_id(&mut self, ids: &[String], without_id_of: &[String]) -> Result<Vec<Session>, StoreError> {
        let now = self.time_of_act();
        self.write_tx(|tx, mapping, log| {
            let mut ended = sessions::delete_by_ids(tx, mapping, ids, now)?;
            for user_id in without_id_of {
                ended.extend(sessions::delete_without_id(tx, mapping, user_id, now)?);
            }
            log.extend(audit::ended_of_users(tx, mapping, &ended)?);
            Ok(ended)
        })
    }

    fn count_attempt(
        &mut self,
        key: &AttemptKey,
        now: Timestamp,
        rules: &ThrottleRules,
    ) -> Result<Decision, StoreError> {
        self.state_tx(|tx, _, _| throttle::count(tx, key, now, rules))
    }

    /// Waits for other undecided attempts, as long as for a lock.
    #[expect(clippy::disallowed_methods, reason = "measures the wait; the time of day stays an argument")]
    fn reserve_attempt(
        &mut self,
        key: &AttemptKey,
        now: Timestamp,
        rules: &ThrottleRules,
    ) -> Result<Decision, StoreError> {
        let start = Instant::now();
        let mut waited = Duration::ZERO;
        loop {
            // The reservation begins now, and not when the wait began.
            let present = throttle::later(now, waited);
            // A crash of the machine that takes a reservation back gives one guess more.
            let decision = self.state_tx_unsynced(|tx| throttle::reserve(tx, key, present, rules))?;
            if decision != Decision::Undecided {
                return Ok(decision);
            }
            // Polls without a write lock: the others need it to decide.
            loop {
                if waited >= self.engine.wait() {
                    return Ok(Decision::Undecided);
                }
                std::thread::sleep(UNDECIDED_POLL);
                waited = start.elapsed();
                if self.read_state(|tx| throttle::is_turn(tx, key, throttle::later(now, waited), rules))? {
                    break;
                }
            }
        }
    }

    fn fail_attempt(
        &mut self,
        key: &AttemptKey,
        now: Timestamp,
        rules: &ThrottleRules,
        event: Option<Event>,
    ) -> Result<(), StoreError> {
        self.state_tx(|tx, _, log| {
            log.extend(event.clone());
            throttle::fail(tx, key, now, rules)
        })
    }

    fn release_attempt(&mut self, key: &AttemptKey) -> Result<(), StoreError> {
        self.state_tx(|tx, _, _| throttle::release(tx, key))
    }

    fn clear_attempts(&mut self, key: &AttemptKey) -> Result<(), StoreError> {
        self.state_tx(|tx, _, _| throttle::clear(tx, key).map(drop))
    }

    fn create_user(
        &mut self,
        user: &NewUserRow,
        hash: Option<&StoredHash>,
        session: Option<&NewSessionRow>,
    ) -> Result<(User, Option<Session>), StoreError> {
        self.write_tx(|tx, mapping, log| {
            let tables = [Some("user"), hash.map(|_| "account"), session.map(|_| "session")];
            rows::require_new_rows(mapping, &tables.into_iter().flatten().collect::<Vec<_>>())?;
            let made = users::insert(tx, mapping, user, hash)?;
            // The database may have chosen another id.
            let of_made = |session: &NewSessionRow| NewSessionRow { user_id: made.id.clone(), ..session.clone() };
            let session = session.map(|session| sessions::insert(tx, mapping, &of_made(session))).transpose()?;
            let event = Event::user("user.created", &made).with(format!("roles: {}", made.roles()));
            log.push(event.changing(Changes::between(None, Some(&made)).only(LIFE)));
            log.extend(session.as_ref().map(|session| begun_of(&Subject::from(&made), session)));
            Ok((made, session))
        })
    }

    fn begin_session(
        &mut self,
        session: &NewSessionRow,
        verified: &StoredHash,
        upgraded: Option<&StoredHash>,
        code: Option<&RightOtp>,
        attempts: &AttemptKey,
    ) -> Result<Option<Session>, StoreError> {
        // The second factor of an app has a table of its own.
        let needs_catalog = self.guest.is_some() && code.is_some();
        self.write_tx_with(
            needs_catalog,
            |tx, mapping, log| {
                sessions::begin_session(tx, mapping, log, session, &Verified { hash: verified, upgraded, code })
            },
            |begun| begun.is_some().then_some(attempts),
        )
    }

    fn issue_session(
        &mut self,
        session: &NewSessionRow,
        whom: ActAs,
    ) -> Result<Result<(User, Session), AuthError>, StoreError> {
        self.write_tx(|tx, mapping, log| sessions::issue(tx, mapping, log, session, whom))
    }

    fn move_session(&mut self, id: &str, now: Timestamp, expires_at: Timestamp) -> Result<Option<Session>, StoreError> {
        self.write_tx(|tx, mapping, log| {
            let Some(before) = sessions::by_id(tx, mapping, id)? else { return Ok(None) };
            let moved = sessions::set_end(tx, mapping, id, now, expires_at)?;
            if let Some(session) = &moved {
                let event = Event::session("session.moved", subject(tx, mapping, &session.user_id)?, &session.id);
                let ends = [before.expires_at, session.expires_at].map(Some);
                log.push(event.changing(Changes::default().time("expiresAt", ends[0], ends[1])));
            }
            Ok(moved)
        })
    }

    fn end_session(&mut self, token: &Token) -> Result<Option<Session>, StoreError> {
        let now = self.time_of_act();
        self.write_tx(|tx, mapping, log| {
            let ended = sessions::delete_by_token(tx, mapping, token, now)?;
            if let Some(session) = &ended {
                log.push(ended_of(&subject(tx, mapping, &session.user_id)?, session));
            }
            Ok(ended)
        })
    }

    fn end_sessions(&mut self, user_id: &str, which: &Which) -> Result<Result<Vec<Session>, AuthError>, StoreError> {
        let now = self.time_of_act();
        self.write_tx(|tx, mapping, log| {
            let ended = sessions::delete(tx, mapping, user_id, which, now)?;
            if let Ok(sessions) = &ended {
                let user = subject(tx, mapping, user_id)?;
                log.extend(sessions.iter().map(|session| ended_of(&user, session)));
            }
            Ok(ended)
        })
    }

    fn replace_password(&mut self, change: &PasswordChange<'_>) -> Result<Option<Vec<Session>>, StoreError> {
        self.write_tx_clearing(change.attempts, |tx, mapping, log| accounts::replace_password(tx, mapping, log, change))
    }

    fn set_password(&mut self, new: &NewPassword<'_>) -> Result<Option<Vec<Session>>, StoreError> {
        self.write_tx_clearing(new.attempts, |tx, mapping, log| accounts::set_password(tx, mapping, log, new))
    }

    fn create_code(&mut self, new: &NewCodeRow<'_>) -> Result<(), StoreError> {
        self.write_tx(|tx, mapping, log| codes::create(tx, mapping, log, new))
    }

    fn rehearse_code(&mut self, new: &NewCodeRow<'_>) -> Result<(), StoreError> {
        self.rehearse(|tx, mapping, log| codes::create(tx, mapping, log, new))
    }

    fn code(&mut self, purpose: Purpose, code: &Code) -> Result<Option<StoredCode>, StoreError> {
        self.read(|tx, mapping| codes::find(tx, mapping, purpose, code))
    }

    fn use_code(&mut self, request: &CodeUse<'_>) -> Result<Result<(User, Vec<Session>), AuthError>, StoreError> {
        let key = match request.effect {
            CodeEffect::Password(new) => Some(new.attempts),
            CodeEffect::User(_) => None,
        };
        self.write_tx_and_clear(
            |tx, mapping, log| codes::use_up(tx, mapping, log, request),
            |used| used.as_ref().ok().and(key),
        )
    }

    fn update_user(
        &mut self,
        id: &str,
        change: &UserChange,
        guard: AdminGuard,
        now: Timestamp,
    ) -> Result<Result<UserUpdated, AuthError>, StoreError> {
        self.write_tx(|tx, mapping, log| users::update(tx, mapping, log, id, change, guard, now))
    }

    fn delete_user(&mut self, request: &DeletionRequest<'_>) -> Result<Result<Deletion, AuthError>, StoreError> {
        self.write_tx_by_catalog(|tx, mapping, log| deletion::delete(tx, mapping, log, request))
    }

    fn rehearse_deletion(&mut self, request: &DeletionRequest<'_>) -> Result<Result<Deletion, AuthError>, StoreError> {
        self.dry_run(|tx, mapping, log| deletion::delete(tx, mapping, log, request))
    }

    fn unlock(
        &mut self,
        id: &str,
        keys: &dyn Fn(&User) -> Vec<AttemptKey>,
    ) -> Result<Option<(User, bool)>, StoreError> {
        let clear = |tx: &mut dyn Tx, log: &mut Vec<Event>, user: User| {
            let mut changed = false;
            for key in keys(&user) {
                changed |= throttle::clear(tx, &key)?;
            }
            if changed {
                log.push(Event::user("user.unlocked", &user));
            }
            Ok(Some((user, changed)))
        };
        let who = UserRef::Id(id.to_owned());
        if self.guest.is_none() {
            return self.write_tx(|tx, mapping, log| match users::find(tx, mapping, &who)? {
                Some(user) => clear(tx, log, user),
                None => Ok(None),
            });
        }
        // The attempts are in authctl's own database; the app's is not locked for them.
        match self.read(|tx, mapping| users::find(tx, mapping, &who))? {
            Some(user) => self.state_tx(|tx, _, log| clear(tx, log, user.clone())),
            None => Ok(None),
        }
    }

    fn users(&mut self, query: &UserQuery) -> Result<UserPage, StoreError> {
        self.read(|tx, mapping| user_list::page(tx, mapping, query))
    }

    fn accounts(&mut self, user_id: &str) -> Result<Vec<Account>, StoreError> {
        self.read(|tx, mapping| accounts::accounts(tx, mapping, user_id))
    }

    fn attempts(&mut self, key: &AttemptKey) -> Result<Option<Attempts>, StoreError> {
        self.read_state(|tx| throttle::read(tx, key))
    }
}

impl Maintenance for SqlStore {
    fn each_entry(&mut self, after: u64, found: &mut dyn FnMut(Entry) -> bool) -> Result<(), StoreError> {
        self.read_state(|tx| audit::each(tx, after, found))
    }

    fn each_entry_of(
        &mut self,
        users: &AuditUsers,
        after: u64,
        found: &mut dyn FnMut(Entry) -> bool,
    ) -> Result<(), StoreError> {
        self.read_state(|tx| audit::each_of(tx, users, after, found))
    }

    fn each_entry_back(
        &mut self,
        users: Option<&AuditUsers>,
        before: Option<u64>,
        found: &mut dyn FnMut(Entry) -> bool,
    ) -> Result<(), StoreError> {
        self.read_state(|tx| match users {
            Some(users) => audit::each_of_back(tx, users, before, found),
            None => audit::each_back(tx, before, found),
        })
    }

    fn newest_entries(&mut self, count: usize) -> Result<Vec<Entry>, StoreError> {
        self.read_state(|tx| audit::newest(tx, count))
    }

    fn with_prefix(&mut self, what: Completed, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.read(|tx, mapping| complete::with_prefix(tx, mapping, what, prefix))
    }

    fn logged_users_with_prefix(&mut self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.read_state(|tx| complete::logged_users(tx, prefix))
    }

    fn roles_with_prefix(&mut self, prefix: &str) -> Result<Vec<String>, StoreError> {
        // An app has no index of roles.
        if self.guest().is_some() {
            return Ok(Vec::new());
        }
        self.read(|tx, mapping| complete::roles(tx, mapping, prefix))
    }

    fn role_texts(&mut self) -> Result<Vec<(String, u64)>, StoreError> {
        self.read(|tx, mapping| user_list::roles(tx, mapping))
    }

    fn policy(&mut self) -> Result<Policy, StoreError> {
        self.read_state(|tx| policy::read(tx))
    }

    fn set_policy(
        &mut self,
        key: &Key,
        value: Option<&str>,
        now: Timestamp,
    ) -> Result<Result<PolicySet, PolicyError>, StoreError> {
        self.state_tx(|tx, _, log| policy::write(tx, log, key, value, now))
    }

    fn count_expired(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        let is_clock_sane = self.read_state(|tx| audit::shows_sane_clock(tx, now))?;
        self.read(|tx, mapping| expired::count_prunable(tx, mapping, now, is_clock_sane))
    }

    fn prune(&mut self, now: Timestamp, pruning: &mut Pruning) -> Result<u64, StoreError> {
        let is_clock_sane = self.read_state(|tx| audit::shows_sane_clock(tx, now))?;
        let keys = self.read(|tx, mapping| expired::find(tx, mapping, now, is_clock_sane, pruning.wanted()))?;
        self.prune_part(pruning, &keys, |tx, mapping, log, keys| {
            expired::delete_over(tx, mapping, log, keys, now, is_clock_sane)
        })
    }

    fn without_id(&self, table: &'static str, row: &str) -> StoreError {
        rows::without_id(&self.mapping, table, row)
    }

    fn take_loose_ends(&mut self) -> LooseEnds {
        std::mem::take(&mut self.loose_ends)
    }

    fn guest(&self) -> Option<&GuestSchema> {
        self.guest.as_ref().map(|guest| &guest.schema)
    }

    fn state_place(&self) -> Option<StatePlace> {
        Some(match &self.guest.as_ref()?.own_tables {
            OwnTables::Beside(state) if state.path.as_os_str().is_empty() => StatePlace::Nowhere,
            OwnTables::Beside(state) => StatePlace::File(state.path.display().to_string()),
            OwnTables::Inside(schema) => StatePlace::Schema(schema),
        })
    }

    fn settle(&mut self) -> Result<(), StoreError> {
        self.settle_all()
    }

    fn info(&mut self, now: Timestamp) -> Result<DatabaseInfo, StoreError> {
        self.settle()?;
        let is_guest = self.guest.is_some();
        let has_sessions = self.guest().is_none_or(|schema| schema.counts("session"));
        let (users, sessions, expired, app_traces) = self.read_without_times(|tx, mapping| {
            let (users, sessions) = (rows::count(tx, mapping, "user")?, rows::count(tx, mapping, "session")?);
            let traces = (!is_guest).then(|| doctor::sampled_app_traces(tx, mapping)).transpose()?;
            let expired = if has_sessions { expired::count_over(tx, mapping, now)? } else { 0 };
            Ok((users, sessions, expired, traces))
        })?;
        let EngineInfo { storage, bytes } = self.engine.info()?;
        Ok(DatabaseInfo {
            schema_version: if is_guest { None } else { Some(self.engine.schema_version()?) },
            guest: self.guest().cloned(),
            app_traces,
            users,
            live_sessions: has_sessions.then(|| sessions.saturating_sub(expired)),
            expired_sessions: has_sessions.then_some(expired),
            storage,
            bytes,
        })
    }

    fn stats(&mut self, period: &Period, now: Timestamp) -> Result<Stats, StoreError> {
        self.settle()?;
        let is_guest = self.guest.is_some();
        let has_sessions = self.guest().is_none_or(|schema| schema.counts("session"));
        let (users, flags, live_sessions, sign_ups) = self.read(|tx, mapping| {
            let (users, flags) = stats::users(tx, mapping)?;
            let live = has_sessions.then(|| stats::live_sessions(tx, mapping, now)).transpose()?;
            Ok((users, flags, live, stats::sign_ups(tx, mapping, period)?))
        })?;
        let logged = self.read_state(|tx| stats::logged(tx, period))?;
        // A native database has its log from the beginning.
        let log_begins = logged.begins;
        let series = |counts: &[u64]| match log_begins.filter(|_| is_guest) {
            None if is_guest => Series::unknown(period),
            known => Series::known_since(known, counts, period),
        };
        let [verified, second_factor] = flags;
        let (sign_ins, failures) = (series(&logged.sign_ins), series(&logged.failures));
        Ok(Stats { users, verified, second_factor, live_sessions, sign_ups, sign_ins, failures, log_begins, is_guest })
    }
}

/// The answer of an act, and whether the act did something. A refusal rolls back what was written before it.
pub(in crate::store) trait Answer {
    /// Whether to commit.
    fn is_done(&self) -> bool {
        true
    }
}

impl<T> Answer for Option<T> {
    fn is_done(&self) -> bool {
        self.is_some()
    }
}

impl<T, E> Answer for Result<T, E> {
    fn is_done(&self) -> bool {
        self.is_ok()
    }
}

/// A decision to wait is committed too: it may have shortened a wait that a wrong clock had set.
impl Answer for Decision {}
impl Answer for () {}
impl Answer for prune::Part {}
impl Answer for AppTraces {}
impl Answer for Orphans {}
impl Answer for u64 {}
impl Answer for Vec<Session> {}
impl Answer for (User, Option<Session>) {}
