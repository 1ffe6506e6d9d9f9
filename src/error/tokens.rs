//! The failures of a caller without a usable token, and those of API tokens and organizations.

use super::{ExitCode, Failure};
use crate::auth::{AuthError, SignedOut};
use crate::context::NoToken;

pub(super) fn of_no_token(error: &NoToken) -> Failure {
    let failure = Failure::new(ExitCode::NotSignedIn, "UNAUTHORIZED");
    match error {
        NoToken::None(_) => failure.hint("sign in with `authctl signin`"),
        NoToken::Unusable { variable, .. } => failure.hint(unset(variable)),
        NoToken::Mistyped { variable, .. } => {
            failure.hint(format!("`unset {variable}`, or give it the token as `authctl tokens create` printed it"))
        }
        NoToken::File { .. } => failure.hint(unset("AUTHCTL_TOKEN_FILE")),
    }
}

fn unset(variable: &str) -> String {
    format!("`unset {variable}`, or give it the token of a live session")
}

/// The failure of an act on tokens or organizations, or of an act by a token.
pub(super) fn of_token(error: &AuthError) -> Failure {
    match error {
        AuthError::NoSuchToken(_) => Failure::new(ExitCode::NoSuch, "API_TOKEN_NOT_FOUND")
            .hint("`authctl tokens list` lists tokens with their ids; nothing was changed"),
        AuthError::ScopeMissing(scope) => Failure::new(ExitCode::Refused, "FORBIDDEN")
            .hint(format!("make a token that has it: `authctl tokens create --scope {scope}`")),
        AuthError::MachineUser => Failure::new(ExitCode::Refused, "MACHINE_USER")
            .hint("`authctl tokens create --user` makes a token with which it acts"),
        AuthError::NotAPermission(_) => Failure::new(ExitCode::Usage, "USAGE")
            .hint("in the database of an app a scope is a resource and an action, such as files:read"),
        AuthError::NoOrganizations => Failure::new(ExitCode::NoSuch, "ORGANIZATIONS_MISSING")
            .hint("an app has them with the organization plugin and its tables `organization` and `member`"),
        AuthError::NoSuchOrganization(_) => {
            Failure::new(ExitCode::NoSuch, "ORGANIZATION_NOT_FOUND").hint("`authctl orgs list` lists ids and slugs")
        }
        AuthError::AlreadyMember(_) => {
            Failure::new(ExitCode::Exists, "USER_IS_ALREADY_A_MEMBER_OF_THIS_ORGANIZATION")
                .hint("`authctl orgs set-role` changes the roles of a member")
        }
        AuthError::AlreadyInvited(_) => {
            Failure::new(ExitCode::Exists, "USER_IS_ALREADY_INVITED_TO_THIS_ORGANIZATION")
                .hint("the app lists and cancels invitations")
        }
        AuthError::NotAMember(_) => Failure::new(ExitCode::NoSuch, "MEMBER_NOT_FOUND")
            .hint("`authctl orgs members` lists them, and `authctl orgs add` makes one"),
        AuthError::LastOwner(_) => {
            Failure::new(ExitCode::Refused, "YOU_CANNOT_LEAVE_THE_ORGANIZATION_AS_THE_ONLY_OWNER")
                .hint("make another member an owner first, with `authctl orgs set-role`")
        }
        AuthError::NoApiKeys => Failure::new(ExitCode::NoSuch, "API_KEYS_MISSING")
            .hint("an app has API keys with the plugin @better-auth/api-key and its table `apikey`"),
        _ => Failure::new(ExitCode::Refused, "FORBIDDEN").hint(
            "`unset AUTHCTL_TOKEN AUTHCTL_TOKEN_FILE`, then sign in with `authctl signin`; `authctl tokens --help` lists what a \
             token may do",
        ),
    }
}

/// The hint about an API token that is refused.
pub(super) fn hint(why: SignedOut) -> &'static str {
    match why {
        SignedOut::TokenExpired => "the API token has expired: its owner makes another with `authctl tokens rotate`",
        SignedOut::TokenOfApp => {
            "it is an API key, which the app checks and authctl only administers: `unset AUTHCTL_TOKEN AUTHCTL_TOKEN_FILE`, \
             then sign in with `authctl signin`"
        }
        _ => "the API token was revoked or never was in this database: make another with `authctl tokens create`",
    }
}
