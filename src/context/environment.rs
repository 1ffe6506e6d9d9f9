//! The variables of the environment that mean something to authctl, read once.

use std::ffi::OsString;
use std::path::PathBuf;

use super::origin::OriginHints;
use crate::paths::PlaceHints;

/// What the environment says.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    pub(super) places: PlaceHints,
    /// `AUTHCTL_TOKEN`.
    pub(super) token: Option<OsString>,
    /// `AUTHCTL_TOKEN_FILE`.
    pub(super) token_file: Option<PathBuf>,
    /// `CI`, unless it says no.
    pub(super) ci: bool,
    pub(super) origin: OriginHints,
    /// `AUTHCTL_SCHEMA`.
    pub(super) schema: Option<PathBuf>,
    no_color: bool,
}

impl Environment {
    /// Reads the environment: the one place that does. An empty variable is as good as none.
    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    pub fn read() -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let path = |name: &str| set(name).map(PathBuf::from);
        let text = |name: &str| set(name).and_then(|value| value.into_string().ok());
        Self {
            places: PlaceHints {
                home: path("HOME"),
                data_home: path("XDG_DATA_HOME"),
                config_home: path("XDG_CONFIG_HOME"),
                state_home: path("XDG_STATE_HOME"),
                database: path("AUTHCTL_DB"),
            },
            token: set("AUTHCTL_TOKEN"),
            token_file: path("AUTHCTL_TOKEN_FILE"),
            ci: set("CI").is_some_and(|value| value != "false" && value != "0"),
            origin: OriginHints::from(text),
            schema: path("AUTHCTL_SCHEMA"),
            no_color: set("NO_COLOR").is_some(),
        }
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
