//! Who may run which command, and which commands ask before they act. One table, shown by `help
//! security` and tried line by line by a test; a command without a line fails it.

use std::fmt::Write as _;

/// Who may run a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Anybody who can run authctl; secrets that the command asks for decide the rest.
    Anyone,
    /// Whoever has a live session.
    SignedIn,
    /// Whoever signed in not long ago (`session.fresh-for`).
    Fresh,
    /// Whoever can write the database file: no sign-in is asked for.
    Operator,
}

impl Who {
    /// As the table shows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Anyone => "anyone",
            Self::SignedIn => "signed in",
            Self::Fresh => "signed in, fresh",
            Self::Operator => "operator",
        }
    }
}

/// A command, with the flags that make it another one, and what it takes to run it.
#[derive(Debug, Clone, Copy)]
pub struct Authority {
    /// The words of the command.
    pub command: &'static str,
    /// Who may run it.
    pub who: Who,
    /// It cannot be undone: it asks, and needs `--yes` without a terminal.
    pub destructive: bool,
}

const fn may(who: Who, command: &'static str) -> Authority {
    Authority { command, who, destructive: false }
}

const fn destroys(who: Who, command: &'static str) -> Authority {
    Authority { command, who, destructive: true }
}

/// Every command.
pub const AUTHORITIES: &[Authority] = &[
    may(Who::Anyone, "signup"),
    may(Who::Anyone, "signin"),
    may(Who::SignedIn, "whoami"),
    may(Who::SignedIn, "sessions"),
    may(Who::SignedIn, "sessions list"),
    may(Who::Operator, "sessions list --user"),
    may(Who::Operator, "sessions list --all-users"),
    may(Who::SignedIn, "sessions revoke"),
    may(Who::Operator, "sessions revoke --user"),
    may(Who::Operator, "sessions revoke --all-users"),
    may(Who::Operator, "sessions prune"),
    may(Who::Operator, "sessions issue"),
    may(Who::Anyone, "signout"),
    may(Who::SignedIn, "password change"),
    may(Who::SignedIn, "passwd"),
    may(Who::Anyone, "password forgot"),
    may(Who::Anyone, "password reset"),
    may(Who::Anyone, "email verify"),
    may(Who::Anyone, "email verify --send"),
    may(Who::Fresh, "email change"),
    may(Who::SignedIn, "account update"),
    destroys(Who::Fresh, "account delete"),
    may(Who::SignedIn, "guard"),
    may(Who::Anyone, "hash generate"),
    may(Who::Anyone, "hash verify"),
    may(Who::Anyone, "hash identify"),
    may(Who::Anyone, "hash calibrate"),
    may(Who::Operator, "users list"),
    may(Who::Operator, "users show"),
    may(Who::Operator, "users explain"),
    may(Who::Operator, "users exists"),
    may(Who::Operator, "users create"),
    may(Who::Operator, "users update"),
    destroys(Who::Operator, "users delete"),
    may(Who::Operator, "users set-password"),
    may(Who::Operator, "users reset-code"),
    may(Who::Operator, "users set-role"),
    may(Who::Operator, "users verify-email"),
    may(Who::Operator, "users ban"),
    may(Who::Operator, "users unban"),
    may(Who::Operator, "users unlock"),
    may(Who::Operator, "users impersonate"),
    may(Who::SignedIn, "users impersonate --stop"),
    may(Who::Operator, "policy show"),
    may(Who::Operator, "policy set"),
    may(Who::Operator, "policy unset"),
    may(Who::Operator, "audit list"),
    may(Who::Operator, "audit tail"),
    may(Who::Operator, "audit verify"),
    may(Who::Operator, "audit export"),
    may(Who::Operator, "db init"),
    may(Who::Operator, "db status"),
    may(Who::Operator, "db migrate"),
    may(Who::Operator, "db check"),
    may(Who::Operator, "db backup"),
    destroys(Who::Operator, "db restore"),
    may(Who::Operator, "doctor"),
    destroys(Who::Operator, "doctor --fix"),
    may(Who::Anyone, "completions"),
    may(Who::Anyone, "help"),
];

/// The table, for `help security`.
pub(super) fn page() -> String {
    let mut page = String::new();
    for line in AUTHORITIES {
        let asks = if line.destructive { ", asks first" } else { "" };
        // Writing to a `String` cannot fail.
        let _ = writeln!(page, "  {:<28} {}{asks}", line.command, line.who.name());
    }
    page
}
