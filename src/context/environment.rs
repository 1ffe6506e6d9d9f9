//! The variables of the environment that mean something to authctl, read once.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use super::client_info::ClientEnv;
use super::guarded::Guarded;
use crate::auth::secret::{AppSecret, SecretError};
use crate::mail::handover;
use crate::paths::PathEnv;

/// What the environment says.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    pub(super) places: PathEnv,
    /// `AUTHCTL_TOKEN`.
    pub(super) token: Option<OsString>,
    /// `AUTHCTL_TOKEN_FILE`.
    pub(super) token_file: Option<PathBuf>,
    /// `CI`, unless it says no.
    pub(super) ci: bool,
    pub(super) client_info: ClientEnv,
    pub(super) guarded: Guarded,
    /// `AUTHCTL_SCHEMA`.
    pub(super) schema: Option<PathBuf>,
    pub(super) app_secret: Option<GivenSecret>,
    /// What a mailer finds in its environment.
    pub(super) of_mailer: Vec<(OsString, OsString)>,
    no_color: bool,
}

/// The secret of the app whose database it is, or why what the variable holds is none.
#[derive(Debug, Clone)]
pub struct GivenSecret {
    /// The variable that holds it.
    pub variable: &'static str,
    /// What it holds.
    pub secret: Result<AppSecret, SecretError>,
}

impl GivenSecret {
    /// As Better Auth chooses: of the secrets that are being rotated the first, each written as
    /// `VERSION:SECRET`; else the one that stands alone.
    fn choose(rotated: Option<&OsStr>, alone: Option<&OsStr>) -> Option<Self> {
        let (variable, value) = match (rotated, alone) {
            (Some(rotated), _) => ("BETTER_AUTH_SECRETS", first_of(rotated.as_encoded_bytes())),
            (None, Some(alone)) => ("BETTER_AUTH_SECRET", alone.as_encoded_bytes()),
            (None, None) => return None,
        };
        Some(Self { variable, secret: AppSecret::from_bytes(value) })
    }
}

/// The first secret of a list; nothing when there is none.
fn first_of(list: &[u8]) -> &[u8] {
    let first = list.split(|byte| *byte == b',').next().unwrap_or_default();
    let colon = first.iter().position(|byte| *byte == b':').map_or(first.len(), |colon| colon + 1);
    first[colon..].trim_ascii()
}

impl Environment {
    /// Reads the environment: the one place that does. An empty variable is as good as none.
    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    pub fn read() -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let path = |name: &str| set(name).map(PathBuf::from);
        let text = |name: &str| set(name).and_then(|value| value.into_string().ok());
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
            },
            schema: path("AUTHCTL_SCHEMA"),
            app_secret: GivenSecret::choose(
                set("BETTER_AUTH_SECRETS").as_deref(),
                set("BETTER_AUTH_SECRET").as_deref(),
            ),
            of_mailer: std::env::vars_os().filter(|(name, _)| handover::is_passed_on(name)).collect(),
            no_color: set("NO_COLOR").is_some(),
        }
    }

    /// What a mailer finds in its environment, and nothing else.
    pub fn of_mailer(&self) -> &[(OsString, OsString)] {
        &self.of_mailer
    }

    /// Whether colours are unwanted.
    pub fn no_color(&self) -> bool {
        self.no_color
    }

    /// Which variable overrides the stored session, if one does.
    pub(super) fn overriding_variable(&self) -> Option<&'static str> {
        match (&self.token, &self.token_file) {
            (Some(_), _) => Some("AUTHCTL_TOKEN"),
            (None, Some(_)) => Some("AUTHCTL_TOKEN_FILE"),
            (None, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(rotated: Option<&str>, alone: Option<&str>) -> Option<String> {
        let given = GivenSecret::choose(rotated.map(OsStr::new), alone.map(OsStr::new))?;
        let secret = given.secret.map_or_else(|problem| format!("{problem}"), |secret| secret.expose().to_owned());
        Some(format!("{}: {secret}", given.variable))
    }

    #[test]
    fn of_the_secrets_of_an_app_the_one_counts_that_the_app_signs_with() {
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
}
