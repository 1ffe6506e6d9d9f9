//! Everything read once from outside: environment variables, the clock, and which user runs authctl on which
//! host.

use std::cell::Cell;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::SystemTime;

use jiff::Timestamp;
use rustix::process::geteuid;
use zeroize::Zeroizing;

use super::authenticate::Guarded;
use crate::auth::app_secrets::{AppSecrets, VersionedSecret};
use crate::auth::duration::whole_second;
use crate::auth::policy::LONGEST_LIFE;
use crate::auth::secret::{AppSecret, SecretError};
use crate::auth::storage::ClientInfo;
use crate::getent;
use crate::mail::handover;
use crate::paths::PathEnv;
use crate::store::postgres::LibpqEnv;

/// The pager of users who name none.
const DEFAULT_PAGER: &str = "less";

#[derive(Debug, Clone, Default)]
pub struct Environment {
    pub(super) places: PathEnv,
    /// `AUTHCTL_TOKEN`.
    pub(super) token: Option<OsString>,
    /// `AUTHCTL_TOKEN_FILE`.
    pub(super) token_file: Option<PathBuf>,
    /// `CI` is set, and neither `false` nor `0`.
    pub(super) ci: bool,
    pub(super) client_info: ClientEnv,
    pub(super) guarded: Guarded,
    /// `AUTHCTL_SCHEMA`.
    pub(super) schema: Option<PathBuf>,
    pub(super) app_secret: Option<GivenSecret>,
    /// `BETTER_AUTH_SECRETS` and `BETTER_AUTH_SECRET`.
    pub(super) app_secrets: AppSecretVars,
    /// `AUTHCTL_KEY_FILE`.
    pub(super) key_file: Option<PathBuf>,
    /// The environment of a mailer.
    pub(super) of_mailer: Vec<(OsString, OsString)>,
    /// The variables of libpq.
    libpq: LibpqEnv,
    no_color: bool,
    /// `AUTHCTL_PAGER`, else `PAGER`, else [`DEFAULT_PAGER`] if `TERM` names a terminal that can do more than print
    /// lines.
    pub(super) pager: Option<OsString>,
    is_utf8: bool,
}

/// The secret of the app, or why the value of the variable is not one.
#[derive(Debug, Clone)]
pub struct GivenSecret {
    pub variable: &'static str,
    pub secret: Result<AppSecret, SecretError>,
}

impl GivenSecret {
    /// Chooses as Better Auth does: the first of the rotated secrets (`VERSION:SECRET,...`), else the single secret.
    fn choose(rotated: Option<&OsStr>, alone: Option<&OsStr>) -> Option<Self> {
        let (variable, value) = match (rotated, alone) {
            (Some(rotated), _) => ("BETTER_AUTH_SECRETS", first_of(rotated.as_encoded_bytes())),
            (None, Some(alone)) => ("BETTER_AUTH_SECRET", alone.as_encoded_bytes()),
            (None, None) => return None,
        };
        Some(Self { variable, secret: AppSecret::from_bytes(value) })
    }
}

/// The variables with the secrets of an app.
#[derive(Clone, Default)]
pub(super) struct AppSecretVars {
    rotated: Option<OsString>,
    alone: Option<OsString>,
}

impl std::fmt::Debug for AppSecretVars {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AppSecretVars(***)")
    }
}

impl AppSecretVars {
    /// The rotated secrets with their versions, the first of which encrypts, then the single one. A value that cannot be
    /// a secret is left out, because it reads nothing.
    pub(super) fn read(&self) -> AppSecrets {
        let mut secrets = AppSecrets::default();
        for entry in
            self.rotated.as_deref().map(OsStr::as_encoded_bytes).unwrap_or_default().split(|byte| *byte == b',')
        {
            let entry = entry.trim_ascii();
            let version = entry.split(|byte| *byte == b':').next().and_then(|digits| std::str::from_utf8(digits).ok());
            if let Some(version) = version.and_then(|digits| digits.parse().ok())
                && let Ok(secret) = AppSecret::from_bytes(first_of(entry))
            {
                let name = format!("version {version} of BETTER_AUTH_SECRETS");
                secrets.push(VersionedSecret::new(Some(version), name, &secret));
            }
        }
        if let Some(Ok(secret)) = self.alone.as_ref().map(|alone| AppSecret::from_bytes(alone.as_encoded_bytes())) {
            secrets.push(VersionedSecret::new(None, "BETTER_AUTH_SECRET", &secret));
        }
        secrets
    }
}

/// The first secret of a list, without its version.
fn first_of(list: &[u8]) -> &[u8] {
    let first = list.split(|byte| *byte == b',').next().unwrap_or_default();
    let colon = first.iter().position(|byte| *byte == b':').map_or(first.len(), |colon| colon + 1);
    first[colon..].trim_ascii()
}

impl Environment {
    /// Reads the environment. An empty variable counts as unset.
    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    pub fn read() -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let path = |name: &str| set(name).map(PathBuf::from);
        let text = |name: &str| set(name).and_then(|value| value.into_string().ok());
        let (of_mailer, others): (Vec<_>, Vec<_>) =
            std::env::vars_os().partition(|(name, _)| handover::is_passed_on(name));
        let variables = others.into_iter().filter_map(libpq_variable).collect();
        Self {
            places: PathEnv {
                home: path("HOME"),
                data_home: path("XDG_DATA_HOME"),
                config_home: path("XDG_CONFIG_HOME"),
                state_home: path("XDG_STATE_HOME"),
                database: path("AUTHCTL_DB"),
            },
            token: set("AUTHCTL_TOKEN"),
            token_file: path("AUTHCTL_TOKEN_FILE"),
            ci: set("CI").is_some_and(|value| value != "false" && value != "0"),
            client_info: ClientEnv::from(text),
            guarded: Guarded {
                user_id: set("AUTHCTL_USER_ID").map(|id| id.to_string_lossy().into_owned()),
                impersonated_by: set("AUTHCTL_USER_IMPERSONATED_BY").map(|by| by.to_string_lossy().into_owned()),
                database: path("AUTHCTL_USER_DB"),
                is_dropped: set("AUTHCTL_USER_SESSION").is_some(),
            },
            schema: path("AUTHCTL_SCHEMA"),
            app_secret: GivenSecret::choose(
                set("BETTER_AUTH_SECRETS").as_deref(),
                set("BETTER_AUTH_SECRET").as_deref(),
            ),
            app_secrets: AppSecretVars { rotated: set("BETTER_AUTH_SECRETS"), alone: set("BETTER_AUTH_SECRET") },
            key_file: path("AUTHCTL_KEY_FILE"),
            of_mailer,
            libpq: LibpqEnv { variables, os_user: os_user_name, home: path("HOME") },
            pager: set("AUTHCTL_PAGER").or_else(|| set("PAGER")).or_else(|| {
                let has_screen = set("TERM").is_some_and(|terminal| terminal != "dumb");
                has_screen.then(|| DEFAULT_PAGER.into())
            }),
            is_utf8: is_utf8(["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(text).as_deref()),
            no_color: set("NO_COLOR").is_some() || set("TERM").is_some_and(|terminal| terminal == "dumb"),
        }
    }

    /// The whole environment of a mailer.
    pub fn of_mailer(&self) -> &[(OsString, OsString)] {
        &self.of_mailer
    }

    /// The environment in which `AUTHCTL_DB` names a database. Its address may have a password, which an argument may not.
    #[must_use]
    pub fn naming(mut self, database: PathBuf) -> Self {
        self.places.database = Some(database);
        self
    }

    /// The environment of the delivery process, which also opens the database: it gets the variables of libpq, and a
    /// mailer does not.
    pub fn of_delivery(&self) -> Vec<(OsString, OsString)> {
        let libpq = self.libpq.variables.iter().map(|(name, value)| (name.into(), value.as_str().into()));
        self.of_mailer.iter().cloned().chain(libpq).collect()
    }

    /// What libpq takes from the environment.
    pub fn libpq(&self) -> &LibpqEnv {
        &self.libpq
    }

    /// Whether the environment asks for no colours.
    pub fn no_color(&self) -> bool {
        self.no_color
    }

    /// Whether the terminal shows UTF-8.
    pub fn is_utf8(&self) -> bool {
        self.is_utf8
    }

    /// The variable that overrides the stored session.
    pub(super) fn overriding_variable(&self) -> Option<&'static str> {
        match (&self.token, &self.token_file) {
            (Some(_), _) => Some("AUTHCTL_TOKEN"),
            (None, Some(_)) => Some("AUTHCTL_TOKEN_FILE"),
            (None, None) => None,
        }
    }
}

/// Whether a locale is one of UTF-8, such as `de_DE.UTF-8`. Without a locale, the language of the terminal is unknown, and
/// nearly all terminals show UTF-8.
fn is_utf8(locale: Option<&str>) -> bool {
    locale.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.ends_with("utf-8") || locale.ends_with("utf8")
    })
}

/// The clock is outside the supported range. Times written now could not be read back, or would expire at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    /// A time that jiff can represent.
    #[error("the clock of this machine is wrong: it says {0}")]
    At(Timestamp),
    /// A time before the first that jiff can represent.
    #[error("the clock of this machine is wrong: it says a time before {}", Timestamp::MIN)]
    Before,
    /// A time after the last that jiff can represent.
    #[error("the clock of this machine is wrong: it says a time after {}", whole_second(Timestamp::MAX))]
    After,
}

/// A reading of the clock, kept until [`Clock::forget`].
#[derive(Debug)]
pub(super) struct Clock(Cell<Option<Reading>>);

type Reading = Result<Timestamp, ClockError>;

impl Clock {
    pub(super) fn start() -> Self {
        Self(Cell::new(Some(read_clock())))
    }

    /// The kept reading, or a new one.
    pub(super) fn now(&self) -> Result<Timestamp, ClockError> {
        let reading = self.0.get().unwrap_or_else(read_clock);
        self.0.set(Some(reading));
        reading
    }

    pub(super) fn forget(&self) {
        self.0.set(None);
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
fn read_clock() -> Reading {
    reading(SystemTime::now())
}

/// Converts the system's time. `Timestamp::now` would panic outside its range.
fn reading(time: SystemTime) -> Reading {
    let outside = |_| if time < SystemTime::UNIX_EPOCH { ClockError::Before } else { ClockError::After };
    let now = Timestamp::try_from(time).map_err(outside)?;
    if is_in_range(now) { Ok(now) } else { Err(ClockError::At(now)) }
}

/// From 1970 until the last time from which the longest lifetime ends within the calendar.
fn is_in_range(now: Timestamp) -> bool {
    now >= Timestamp::UNIX_EPOCH && now.checked_add(LONGEST_LIFE).is_ok()
}

/// The longest stored description, in characters.
const USER_AGENT_CHARS_MAX: usize = 512;

/// The variables that name a remote client or a CI run.
#[derive(Debug, Clone, Default)]
pub(super) struct ClientEnv {
    ssh_connection: Option<String>,
    ci_run: Option<String>,
}

impl ClientEnv {
    pub(super) fn from(variable: impl Fn(&str) -> Option<String>) -> Self {
        let github = || {
            let [server, repository, run] = ["GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"].map(&variable);
            Some(format!("{}/{}/actions/runs/{}", server?, repository?, run?))
        };
        let ci_run = github()
            .or_else(|| variable("CI_JOB_URL"))
            .or_else(|| variable("BUILD_URL"))
            .or_else(|| variable("CI").filter(|value| value != "false" && value != "0").map(|_| "CI".to_owned()));
        Self { ssh_connection: variable("SSH_CONNECTION"), ci_run }
    }

    pub(super) fn client_info(&self) -> ClientInfo {
        let (os_user, host) = who();
        let place = self.ci_run.clone().or_else(terminal).unwrap_or_else(|| "no terminal".to_owned());
        let described = format!("authctl/{} ({}@{host}; {place})", env!("CARGO_PKG_VERSION"), os_user);
        ClientInfo {
            ip_address: self.client_address(),
            user_agent: Some(described.chars().filter(|c| !c.is_control()).take(USER_AGENT_CHARS_MAX).collect()),
        }
    }

    /// The SSH client's address: the first word of `SSH_CONNECTION`, if it is an address.
    fn client_address(&self) -> Option<String> {
        let first = self.ssh_connection.as_deref()?.split_whitespace().next()?;
        first.parse::<std::net::IpAddr>().ok().map(|address| address.to_string())
    }
}

/// The terminal, as `who` names it.
fn terminal() -> Option<String> {
    let name = rustix::termios::ttyname(rustix::stdio::stdin(), Vec::new()).ok()?;
    let name = name.to_string_lossy();
    Some(name.strip_prefix("/dev/").unwrap_or(&name).to_owned())
}

/// The width of the terminal that standard error is.
pub fn error_columns() -> Option<u16> {
    rustix::termios::tcgetwinsize(rustix::stdio::stderr()).ok().map(|size| size.ws_col).filter(|columns| *columns > 0)
}

/// The names of the operating system's user and of the host.
pub(super) fn who() -> (String, String) {
    (os_user(), rustix::system::uname().nodename().to_string_lossy().into_owned())
}

/// The effective user's name or number.
fn os_user() -> String {
    os_user_name().unwrap_or_else(|| format!("uid {}", geteuid().as_raw()))
}

/// The effective user's name. `USER` is not used, because the caller can set it.
fn os_user_name() -> Option<String> {
    getent::user_name(geteuid().as_raw())
}

/// A variable of libpq, if it is one and is valid text.
fn libpq_variable((name, value): (OsString, OsString)) -> Option<(String, Zeroizing<String>)> {
    let name = name.into_string().ok().filter(|name| LibpqEnv::is_read(name))?;
    Some((name, Zeroizing::new(value.into_string().ok()?)))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::auth::policy::{KEYS, Range};

    fn chosen(rotated: Option<&str>, alone: Option<&str>) -> Option<String> {
        let given = GivenSecret::choose(rotated.map(OsStr::new), alone.map(OsStr::new))?;
        let secret = given.secret.map_or_else(|problem| format!("{problem}"), |secret| secret.expose().to_owned());
        Some(format!("{}: {secret}", given.variable))
    }

    #[test]
    fn app_secret_is_the_first_rotated_one_else_the_single_one() {
        assert_eq!(chosen(None, None), None);
        assert_eq!(chosen(None, Some(" a,b:c ")).unwrap(), "BETTER_AUTH_SECRET:  a,b:c ");
        for rotated in ["2:new,1:old", " 2: new , 1:old", "2:new"] {
            assert_eq!(chosen(Some(rotated), Some("alone")).unwrap(), "BETTER_AUTH_SECRETS: new");
        }
        assert_eq!(chosen(Some("2:a:b=,1:old"), None).unwrap(), "BETTER_AUTH_SECRETS: a:b=");
        for none in ["2:,1:old", "new", ","] {
            assert_eq!(chosen(Some(none), Some("alone")).unwrap(), "BETTER_AUTH_SECRETS: it is empty", "{none}");
        }
    }

    #[test]
    fn utf8_is_a_part_of_the_locale() {
        for (locale, expected) in [
            (None, true),
            (Some("de_DE.UTF-8"), true),
            (Some("C.utf8"), true),
            (Some("C"), false),
            (Some("POSIX"), false),
            (Some("de_DE.ISO-8859-1"), false),
        ] {
            assert_eq!(is_utf8(locale), expected, "{locale:?}");
        }
    }

    #[test]
    fn clock_is_accepted_from_1970_to_9998() {
        let is_accepted = |text: &str| is_in_range(text.parse().unwrap());
        for valid in ["1970-01-01T00:00:00Z", "2038-01-19T03:14:08Z", "9998-01-01T00:00:00Z"] {
            assert!(is_accepted(valid), "{valid}");
        }
        for bad in ["-000001-01-01T00:00:00Z", "1969-12-31T23:59:59.999Z", "9999-01-01T00:00:00Z"] {
            assert!(!is_accepted(bad), "{bad}");
        }
    }

    #[test]
    fn clock_error_names_the_time_or_the_limit() {
        let says = |seconds: i64| {
            let distance = std::time::Duration::from_secs(seconds.unsigned_abs());
            let epoch = SystemTime::UNIX_EPOCH;
            let time = if seconds < 0 { epoch.checked_sub(distance) } else { epoch.checked_add(distance) };
            let error = reading(time.unwrap()).unwrap_err().to_string();
            error.strip_prefix("the clock of this machine is wrong: it says ").unwrap().to_owned()
        };
        assert_eq!(says(-1), "1969-12-31T23:59:59Z");
        assert_eq!(says(-377_705_023_201), "-009999-01-02T01:59:59Z");
        for before in [-377_705_023_202, i64::MIN] {
            assert_eq!(says(before), "a time before -009999-01-02T01:59:59Z");
        }
        assert_eq!(says(253_402_207_200), "9999-12-30T22:00:00Z");
        // The end of 9999-12-30 in the westernmost zone, 9999-12-31 and the end of the range.
        for after in [253_402_207_201, 253_402_214_400, 253_402_300_799, i64::MAX] {
            assert_eq!(says(after), "a time after 9999-12-30T22:00:00Z");
        }
    }

    #[test]
    fn policy_durations_are_at_most_the_longest_lifetime() {
        for key in KEYS {
            if let Range::Seconds(_, most) = key.range {
                assert!(SignedDuration::from_secs(most) <= LONGEST_LIFE, "{}", key.name);
            }
        }
    }

    #[test]
    fn clock_is_read_again_only_after_it_was_forgotten() {
        let clock = Clock::start();
        let first = clock.now().unwrap();
        assert_eq!(clock.now().unwrap(), first);
        clock.forget();
        assert!(clock.now().unwrap() > first);
    }

    fn hints(variables: &'static [(&str, &str)]) -> ClientEnv {
        ClientEnv::from(|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn ssh_connection_without_an_address_is_ignored() {
        let address = |text| ClientEnv { ssh_connection: Some(text), ci_run: None }.client_address();
        assert_eq!(address("192.0.2.7 50022 192.0.2.1 22".into()).as_deref(), Some("192.0.2.7"));
        assert_eq!(address("2001:db8::7 50022 ::1 22".into()).as_deref(), Some("2001:db8::7"));
        assert_eq!(address("\u{1b}[2J 1 2 3".into()), None);
        assert_eq!(hints(&[]).client_address(), None);
    }

    #[test]
    fn ci_run_is_named_by_its_url() {
        let github = hints(&[
            ("CI", "true"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "a/b"),
            ("GITHUB_RUN_ID", "7"),
        ]);
        assert_eq!(github.ci_run.as_deref(), Some("https://github.com/a/b/actions/runs/7"));
        assert_eq!(hints(&[("CI", "1")]).ci_run.as_deref(), Some("CI"));
        assert_eq!(hints(&[("CI", "false")]).ci_run, None);
    }

    #[test]
    fn client_info_names_program_user_host_and_place() {
        let described = hints(&[("CI_JOB_URL", "https://ci.example/1")]).client_info().user_agent.unwrap();
        let expected = format!("authctl/{} (", env!("CARGO_PKG_VERSION"));
        assert!(described.starts_with(&expected) && described.ends_with("; https://ci.example/1)"), "{described}");
    }
}
