//! The readers of all systems as one.

use super::date::{self, Units};
use super::error::ImportError;
use super::firebase::HashConfig;
use super::format::Format;
use super::record::{Read, Record, is_named};
use super::{
    auth0, authctl, authjs, better_auth, clerk, cognito, devise, django, firebase, fusionauth, htpasswd, keycloak,
    kratos, laravel, ldif, lucia, pocketbase, shadow, supabase, table, wordpress, workos,
};

/// What is known beside the record.
#[derive(Default)]
pub(super) struct Context {
    pub(super) file: String,
    pub(super) units: Units,
    pub(super) hash_config: Option<HashConfig>,
    /// Whether tokens of accounts at providers are read.
    pub(super) keeps_tokens: bool,
    /// The number of users that the first line of an export of authctl says, and that of the lines read.
    pub(super) expected: Option<u64>,
    pub(super) found: u64,
}

/// Columns of dates whose numbers may be seconds or milliseconds.
const DATES: [&str; 10] = [
    "createdat",
    "updatedat",
    "banexpires",
    "emailverified",
    "emailverifiedat",
    "confirmedat",
    "created",
    "updated",
    "accesstokenexpiresat",
    "refreshtokenexpiresat",
];

impl Context {
    /// Takes the dates of a record into account, so that the unit of each column is known before the first is read.
    pub(super) fn learn(&mut self, record: &Record) {
        for (name, value) in record.fields() {
            let Some(number) = date::number(value) else { continue };
            if let Some(column) = DATES.iter().find(|column| is_named(name, column)) {
                self.units.learn(record.table(), column, number);
            }
        }
    }

    /// Checks at the end of a file that no user is missing.
    pub(super) fn check_count(&mut self) -> Result<(), ImportError> {
        let found = std::mem::take(&mut self.found);
        match self.expected.take() {
            Some(expected) if expected != found => Err(ImportError::Count { file: self.file.clone(), expected, found }),
            _ => Ok(()),
        }
    }
}

/// Reads a record of the system.
pub(super) fn read(format: Format, record: &Record, context: &mut Context) -> Read {
    match format {
        Format::Auth0 => auth0::read(record, context),
        Format::Authctl => authctl::read(record, context),
        Format::Authjs => authjs::read(record, context),
        Format::BetterAuth => better_auth::read(record, context),
        Format::Clerk => clerk::read(record, context),
        Format::Cognito => cognito::read(record),
        Format::Csv | Format::JsonLines => table::read(record, context),
        Format::Devise => devise::read(record, context),
        Format::Django => django::read(record, context),
        Format::Firebase => firebase::read(record, context),
        Format::FusionAuth => fusionauth::read(record),
        Format::Htpasswd => htpasswd::read(record),
        Format::Keycloak => keycloak::read(record),
        Format::Kratos => kratos::read(record, context),
        Format::Laravel => laravel::read(record, context),
        Format::Ldif => ldif::read(record),
        Format::Lucia => lucia::read(record, context),
        Format::PocketBase => pocketbase::read(record, context),
        Format::Shadow => shadow::read(record),
        Format::Supabase => supabase::read(record, context),
        Format::WordPress => wordpress::read(record, context),
        Format::WorkOs => workos::read(record, context),
    }
}

/// The arrays of an object that hold records of the system.
pub(super) fn wanted(format: Format) -> fn(&str) -> bool {
    match format {
        Format::BetterAuth => better_auth::is_table,
        Format::Cognito | Format::Firebase | Format::FusionAuth | Format::Keycloak => |name| is_named(name, "users"),
        Format::Lucia => lucia::is_table,
        Format::WorkOs => |name| name == "data",
        Format::Authjs => |name| ["user", "users", "account", "accounts"].iter().any(|own| is_named(name, own)),
        Format::Kratos => |name| name == "identities",
        Format::PocketBase => |name| name == "items",
        Format::Supabase => |name| ["users", "identities", "mfa_factors"].contains(&name),
        _ => |_| true,
    }
}
