//! Opens the database when a command first needs it, with authctl's state beside that of an app.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use anyhow::Context as _;

use super::Context;
use super::create::not_ready;
use super::pepper_file::PepperFile;
use crate::auth::Auth;
use crate::auth::policy::Policy;
use crate::auth::secret::{Pepper, Token};
use crate::auth::storage::{GuestSchema, NoState, Store, WriteBlocker};
use crate::paths::{self, DatabaseLocation, DatabasePlace};
use crate::store::sqlite::{self, Conversion, ConvertOptions, Converted};
use crate::store::{GuestDatabase, OpenError, Opened, SqlStore, State};

impl Context {
    /// Opens the database, which must exist, and returns the rules for it.
    pub fn auth(&mut self) -> anyhow::Result<Auth<'_>> {
        self.auth_about(None)
    }

    /// As [`Context::auth`], for an act that begins with the look-up of a token.
    pub(super) fn auth_about(&mut self, token: Option<&Token>) -> anyhow::Result<Auth<'_>> {
        self.open_for(token)?;
        if let Some(WriteBlocker { problem, remedy, .. }) = self.guest().and_then(GuestSchema::unclear_times).cloned() {
            let place = self.database()?;
            let path = place.location.to_string().into();
            let error = OpenError::Ambiguous { path, problem, remedy };
            return Err(error).with_context(|| not_opened(&place));
        }
        self.at_work()
    }

    /// As [`Context::auth`], for a command that needs no time of an app: its database may not show how it stores them.
    pub fn auth_without_times(&mut self) -> anyhow::Result<Auth<'_>> {
        self.open_for(None)?;
        self.at_work()
    }

    fn open_for(&mut self, token: Option<&Token>) -> anyhow::Result<()> {
        if self.store.is_none() {
            let mut opened = self.open(token)?;
            self.policy = opened.policy()?;
            self.store = Some(opened);
        }
        Ok(())
    }

    /// As [`Context::auth_without_times`], but ignores invalid values of the policy, so that a command can fix them.
    pub fn auth_under_any_policy(&mut self) -> anyhow::Result<Auth<'_>> {
        if self.store.is_none() {
            let mut opened = self.open(None)?;
            (self.policy, _) = Policy::sound(&opened.settings()?);
            self.store = Some(opened);
        }
        self.at_work()
    }

    fn open(&mut self, token: Option<&Token>) -> anyhow::Result<Box<dyn Store>> {
        let place = self.database()?;
        // Read first, because a migration is dated too.
        let acting = self.acting()?;
        let opened = self.open_at(&place.location, token).map_err(|error| match error.downcast_ref() {
            Some(OpenError::Missing(_)) => not_ready(&place, false).unwrap_or(error),
            Some(OpenError::Empty(_)) => not_ready(&place, true).unwrap_or(error),
            _ => error,
        });
        let mut opened = opened.with_context(|| not_opened(&place))?;
        opened.act_as(acting);
        self.peppers = PepperFile::of(&self.environment.places, &place.location);
        Ok(Box::new(opened))
    }

    /// Keeps a pepper in a file beside the open database. Returns the name that hashes have for it.
    pub fn add_pepper(&mut self, pepper: &Pepper) -> anyhow::Result<String> {
        self.peppers.add(pepper, &mut self.entropy).context("could not keep the pepper beside the database")
    }

    fn at_work(&mut self) -> anyhow::Result<Auth<'_>> {
        let now = self.now()?;
        let store = self.store.as_deref_mut().context("the store is not open")?;
        Ok(Auth {
            store,
            policy: &self.policy,
            now,
            entropy: &mut self.entropy,
            peppers: &self.peppers,
            factor_keys: &self.factor_keys,
            app_secrets: &self.app_secrets,
        })
    }

    /// Opens a native database, or an app's database with authctl's state beside it.
    fn open_at(&mut self, location: &DatabaseLocation, token: Option<&Token>) -> anyhow::Result<SqlStore> {
        let (overrides, wait) = (self.schema_overrides()?, self.options.wait);
        let opened = match location {
            DatabaseLocation::File(path) => sqlite::open(path, wait, &overrides)?,
            DatabaseLocation::Url(url) => self.open_on_server(url, location, token, &overrides)?,
        };
        match opened {
            Opened::Own(store) => Ok(store),
            Opened::Guest(app) => {
                self.open_guest(app).context("could not open what authctl keeps about this app's database")
            }
        }
    }

    fn open_guest(&mut self, app: GuestDatabase) -> Result<SqlStore, OpenError> {
        if let Some(place) = app.unsafe_place() {
            let notice = format!("{place}, so the database may be forged; it is read and not written");
            // A command may open the database again.
            if !self.notices.contains(&notice) {
                self.notices.push(notice);
            }
        }
        app.with(|key| self.state_about(key))
    }

    /// Opens authctl's state about an app's database, which a text tells from others. Reading needs no state, so a home that
    /// is missing or cannot be written to is an error of the acts that write.
    fn state_about(&mut self, database: &OsStr) -> Result<State, OpenError> {
        let wait = self.options.wait;
        let state = match paths::guest_state(&self.environment.places, database) {
            Ok(state) => state,
            Err(no_home) => return State::without_file(NoState { path: None, problem: no_home.to_string() }, wait),
        };
        if let Err(error) = paths::make_private(state.parent().unwrap_or(Path::new("/"))) {
            if state.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied) {
                self.notices.push(format!(
                    "the directory of {} cannot be searched, so authctl's own log, policy and counts of failed \
                     attempts for this database are not known here",
                    state.display()
                ));
            }
            return State::without_file(NoState::unwritable(&state, error), wait);
        }
        State::open(&state, wait)
    }

    /// Turns a native database into one of an app. Its log is then in authctl's state about that app.
    pub fn convert_database(&mut self, options: &ConvertOptions<'_>) -> anyhow::Result<Converted> {
        let acting = self.acting()?;
        let native = sqlite::open_to_convert(options.path, options.overrides, options.wait)?;
        let state =
            self.state_about(options.path.as_os_str()).context("could not open what authctl keeps about the app")?;
        let converted = sqlite::convert(Conversion::new(native, state, acting, &mut self.loose_ends), options)?;
        sqlite::remove_log(options.path);
        Ok(converted)
    }
}

/// What failed when a database could not be opened.
fn not_opened(place: &DatabasePlace) -> String {
    match place.location.name() {
        Some(name) => format!("could not open the database @{name}"),
        None => format!("could not open the database ({})", place.chosen_by.as_str()),
    }
}
