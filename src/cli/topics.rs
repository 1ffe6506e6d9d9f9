//! Help beyond single commands: the groups of the first page, the topics, and the table of who may run which
//! command. The docs and the man page use the same text.

use std::fmt::Write as _;

use clap::Command;

use crate::error::ExitCode;

/// The topics of `help`.
pub const NAMES: [&str; 3] = ["environment", "exit-codes", "security"];

pub const ENVIRONMENT: &[(&str, &str)] = &[
    ("AUTHCTL_DB", "database as --db takes it, when --db is not given"),
    ("AUTHCTL_TOKEN", "session token or API token, in place of the stored session"),
    ("AUTHCTL_TOKEN_FILE", "file that holds such a token, in place of the stored session"),
    ("AUTHCTL_USER_ID", "set by `guard`: user whom it let in; when set, only that user is signed in"),
    ("AUTHCTL_USER_DB", "set by `guard`: database of that user; when set, sessions of others are refused"),
    ("AUTHCTL_USER_IMPERSONATED_BY", "set by `guard` in an impersonated session: who acts as that user"),
    ("AUTHCTL_USER_SESSION", "set by `guard --drop-session`: no user is signed in"),
    ("AUTHCTL_USER_EMAIL", "set by `guard`, for the command only"),
    ("AUTHCTL_USER_ROLE", "set by `guard`, for the command only"),
    ("AUTHCTL_KEY_FILE", "file of the keys that encrypt the secrets of second factors, in place of the default one"),
    ("AUTHCTL_SCHEMA", "file that says what a Better Auth app's database does not show, when --schema is not given"),
    (
        "BETTER_AUTH_SECRET",
        "secret of a Better Auth app, for its second factors, `secret` and `sessions issue --cookie`",
    ),
    ("BETTER_AUTH_SECRETS", "secrets that the app rotates, VERSION:SECRET,...; the first counts, and before the above"),
    ("XDG_DATA_HOME", "directory of authctl/auth.db, when it is an absolute path [default: ~/.local/share]"),
    (
        "XDG_CONFIG_HOME",
        "directory of authctl/sessions and config.toml, when it is an absolute path [default: ~/.config]",
    ),
    (
        "XDG_STATE_HOME",
        "directory of authctl/*.db and authctl/keys, when it is an absolute path [default: ~/.local/state]",
    ),
    ("HOME", "home directory, for the three defaults above"),
    ("CI", "when set and not false: never ask, as with --no-input"),
    ("AUTHCTL_PAGER", "pager for lists longer than the screen, when it is a terminal; cat for none"),
    ("PAGER", "the same, when AUTHCTL_PAGER is not set [default: less, with LESS=FRX]"),
    ("TZ", "time zone of local times, in place of the machine's"),
    ("NO_COLOR", "when set: no colours"),
    ("TERM", "when dumb: no colours"),
    ("LC_ALL", "when no UTF-8 locale: charts in ASCII; else LC_CTYPE, else LANG"),
    ("LC_CTYPE", "see LC_ALL"),
    ("LANG", "see LC_ALL"),
];

pub const FILES: &[(&str, &str)] = &[
    ("$XDG_DATA_HOME/authctl/auth.db", "the default database, with -wal and -shm beside it while it is in use"),
    ("DATABASE.lock", "empty; held while a database is made, migrated, backed up, restored or converted"),
    ("DATABASE.before-restore-TIME", "the database as it was before `db restore`; remove it when you are sure"),
    ("DATABASE.before-convert-TIME", "the same for `db convert`, with all password hashes and the audit log"),
    ("$XDG_STATE_HOME/authctl/*.db", "log, attempts and rules for the databases of Better Auth apps, one file each"),
    ("$XDG_STATE_HOME/authctl/*.app", "marks of addresses where such a database was found on a server"),
    ("$XDG_CONFIG_HOME/authctl/config.toml", "the databases that --db @NAME knows; only you may write to it"),
    (
        "$XDG_STATE_HOME/authctl/keys/second-factors",
        "keys that encrypt the secrets of second factors; back it up elsewhere",
    ),
    ("$XDG_CONFIG_HOME/authctl/sessions/*.json", "stored sessions, one file per database, readable by you alone"),
    ("$XDG_CONFIG_HOME/authctl/sessions/*.own.json", "your own session, kept while you act as another user"),
];

pub const SECURITY: &str = "\
authctl enforces its rules for people who use authctl. It cannot enforce them
against a person who can write the database file or its directory: that person
is the administrator. A person who can read the file can copy it and guess
passwords offline. Protect the file, its directory and every backup; `doctor`
checks their permissions.

Stolen copies: authctl stores passwords as argon2id (19 MiB, 2 passes) and
session tokens as SHA-256. A copy of the file gives access to no account. Weak
passwords can still be guessed, at the cost of one such hash per guess. A hash
that came from an app stays as it was until its owner signs in; until then, the
time of an answer can reveal that the user exists. In a Better Auth database,
authctl stores everything the way the app does, and session tokens in clear: a
copy of that file lets its holder act as every user who is signed in.

Second factors: authctl encrypts the secret of an authenticator app with a key
that the database does not have ($XDG_STATE_HOME/authctl/keys, or
AUTHCTL_KEY_FILE), and stores digests of recovery codes. A copy of the database,
or of its backups, gives no secret. A person who can also read the key file gets
all of them, and a person who can write the database can remove a second factor.
Without the key file no code of an app is accepted: keep a copy of it, away from
the backups of the database. Codes by mail are not offered as a second factor:
who reads the mail of a user can reset the password too, so that both factors
would be one.

API tokens: a token of `tokens create` is shown once, and the database has its
SHA-256. It is no sign-in: it does what its scopes say, with the roles that its
owner has then, and changes nothing. It ends with its time, with `tokens revoke`
and with a ban, lockdown or deletion of its owner. It limits programs that use
authctl, and not a person who can write the database. A token ends in check
digits, so a typo is refused before the database is read, and scanners for
secrets can tell a token from other text that begins with authctl_.

Guessing: each address has five free attempts, then a wait that doubles from 15
seconds to 15 minutes. An unknown address gets the same answer as a wrong
password, at the cost of the same work. Wrong uses of a user's code (for another
act, expired, with a wrong password) count for the user in the same way, and so
do wrong codes of the second factor, of which ten in a row also lock it for 15
minutes. Codes that name no user wait at most 5 seconds and delay no right code:
a code has at least 142 random bits. `users unlock` forgets all failed attempts
of a user.

Leaks: authctl never takes a secret from the command line. It prints a secret
only when that is the answer: a token (`--print-token`, `sessions issue`,
`tokens create`), a code (`users reset-code`) or a new password (`--generate`). `db convert
--reset-codes` writes codes to a new file. The session file holds the token in
clear. Only you can read these files (mode 0600). Keep the database in a
directory that only you can write; authctl refuses others.

Unnoticed changes: every act that changes something, and every failed sign-in,
is an entry of the audit log in the same transaction. The log for a Better Auth
database is in another file; there, an entry `act.intended` comes before the
act, and the entries of what was done come after it. The hash of each entry
covers the entry before it, so `audit verify` finds entries that were edited,
removed or moved. It does not find that the newest entries were cut off, or
that a person who can write the file made the whole chain anew: note the hash
that it prints in another place, and ask for it later with `audit verify
--contains`. `db restore` puts an older log in place and records in it the last
hash of the replaced log, which is kept with its database, and so does `db
convert`. An entry names users by id and by their address at that time, with
the old and new values of what changed, and never a secret.

Not covered: root, programs that run as you, a keylogger, and a file system that
loses what it was told to keep. A person who can write the file can also remove
its end: SQLite cannot distinguish a log that was cut off from one that ended
there.
";

pub fn security() -> String {
    format!(
        "{SECURITY}\nWho may run which command (an operator is a person who can write the database\nfile):\n\n{}",
        authorities()
    )
}

pub fn exit_codes() -> String {
    let mut page = "Exit codes:\n\n".to_owned();
    for (code, meaning) in ExitCode::TABLE {
        // Writing to a `String` cannot fail.
        let _ = writeln!(page, "{:>5}  {meaning}", code.number());
    }
    page.push_str(CLOSED_OUTPUT);
    page
}

/// The standard library opens /dev/null in place of a standard output that is closed, with the flags that Python and
/// Node use to discard output. The two cases cannot be distinguished.
const CLOSED_OUTPUT: &str = "
A closed standard output counts as /dev/null: answers are thrown away, and that is
no failure. Passwords, codes, tokens and exports are refused there with 2, before
anything is changed.
";

pub fn environment() -> String {
    let mut page = String::new();
    for (title, entries) in [("Environment:", ENVIRONMENT), ("Files:", FILES)] {
        let _ = writeln!(page, "{title}\n");
        for (name, meaning) in entries {
            let _ = writeln!(page, "  {name}\n      {meaning}");
        }
        page.push('\n');
    }
    page.truncate(page.trim_end().len());
    page.push('\n');
    page
}

/// The commands of the first page of help, each under one heading.
pub const GROUPS: &[(&str, &[&str])] = &[
    (
        "Your account",
        &[
            "signup", "signin", "whoami", "sessions", "signout", "password", "passwd", "email", "2fa", "tokens",
            "account",
        ],
    ),
    ("In scripts", &["guard", "hash"]),
    ("Administration", &["users", "roles", "orgs", "policy", "audit", "stats"]),
    ("The database", &["import", "export", "secret", "db", "doctor"]),
    ("About authctl", &["completions", "help"]),
];

/// Gives the first page of help its headings. Parsing does not depend on them.
pub(super) fn group(root: Command) -> Command {
    let usage = format!("{} [OPTIONS] <COMMAND>", root.get_name());
    let mut page = String::from("{about-with-newline}\n{usage-heading} {usage}\n\n");
    for (heading, names) in GROUPS {
        page.push_str(heading);
        page.push_str(":\n");
        for command in names.iter().filter_map(|name| root.find_subcommand(name)) {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            // Writing to a `String` cannot fail.
            let _ = writeln!(page, "  {:<13}{about}", command.get_name());
        }
        page.push('\n');
    }
    page.push_str("{all-args}{after-help}");
    // Hidden, so that clap does not list them a second time.
    root.mut_subcommands(|command| with_aliases(command).hide(true)).override_usage(usage).help_template(page)
}

/// Adds the aliases of a command to its own page.
fn with_aliases(command: Command) -> Command {
    let aliases: Vec<&str> = command.get_visible_aliases().collect();
    match command.get_after_help() {
        Some(after) if !aliases.is_empty() => {
            let after = format!("{after}\n\nOther names: {}", aliases.join(", "));
            command.after_help(after)
        }
        _ => command,
    }
}

/// Who may run a command. `help security` shows [`AUTHORITIES`], and a test tries each line of it; a command without
/// a line fails the test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Everyone who can run authctl; secrets that the command asks for decide the rest.
    Anyone,
    /// A live session.
    SignedIn,
    /// A session of a recent sign-in (`session.fresh-for`).
    Fresh,
    /// Write access to the database file; no sign-in.
    Operator,
}

impl Who {
    pub fn name(self) -> &'static str {
        match self {
            Self::Anyone => "anyone",
            Self::SignedIn => "signed in",
            Self::Fresh => "signed in, fresh",
            Self::Operator => "operator",
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Authority {
    /// The words of the command, with the flags that change who may run it.
    pub command: &'static str,
    pub who: Who,
    /// The command cannot be undone: it asks first, and needs `--yes` without a terminal.
    pub destructive: bool,
}

const fn may(who: Who, command: &'static str) -> Authority {
    Authority { command, who, destructive: false }
}

const fn destroys(who: Who, command: &'static str) -> Authority {
    Authority { command, who, destructive: true }
}

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
    may(Who::SignedIn, "2fa status"),
    may(Who::SignedIn, "2fa enable"),
    may(Who::SignedIn, "2fa disable"),
    may(Who::SignedIn, "2fa recovery-codes"),
    may(Who::Fresh, "tokens create"),
    may(Who::Operator, "tokens create --user"),
    may(Who::SignedIn, "tokens list"),
    may(Who::Operator, "tokens list --user"),
    may(Who::Operator, "tokens list --all-users"),
    may(Who::SignedIn, "tokens revoke"),
    may(Who::Operator, "tokens revoke --user"),
    may(Who::Operator, "tokens revoke --all-users"),
    may(Who::Fresh, "tokens rotate"),
    may(Who::Operator, "tokens rotate --user"),
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
    destroys(Who::Operator, "users apply"),
    may(Who::Operator, "users update"),
    destroys(Who::Operator, "users delete"),
    may(Who::Operator, "users set-password"),
    may(Who::Operator, "users reset-code"),
    may(Who::Operator, "users set-role"),
    may(Who::Operator, "users verify-email"),
    may(Who::Operator, "users ban"),
    may(Who::Operator, "users unban"),
    may(Who::Operator, "users unlock"),
    destroys(Who::Operator, "users lockdown"),
    destroys(Who::Operator, "users reset-2fa"),
    may(Who::Operator, "users impersonate"),
    may(Who::SignedIn, "users impersonate --stop"),
    may(Who::Operator, "roles list"),
    may(Who::Operator, "orgs list"),
    may(Who::Operator, "orgs show"),
    may(Who::Operator, "orgs members"),
    may(Who::Operator, "orgs add"),
    may(Who::Operator, "orgs remove"),
    may(Who::Operator, "orgs set-role"),
    may(Who::Operator, "orgs invite"),
    may(Who::Operator, "policy show"),
    may(Who::Operator, "policy set"),
    may(Who::Operator, "policy unset"),
    may(Who::Operator, "audit list"),
    may(Who::Operator, "audit tail"),
    may(Who::Operator, "audit verify"),
    may(Who::Operator, "audit export"),
    may(Who::Operator, "stats"),
    may(Who::Operator, "import"),
    may(Who::Operator, "export"),
    destroys(Who::Operator, "export --with-hashes"),
    may(Who::Operator, "secret check"),
    destroys(Who::Operator, "secret rotate"),
    may(Who::Operator, "db init"),
    may(Who::Operator, "db status"),
    may(Who::Anyone, "db list"),
    may(Who::Operator, "db migrate"),
    may(Who::Operator, "db check"),
    may(Who::Operator, "db prune"),
    may(Who::Operator, "db backup"),
    may(Who::Operator, "db copy"),
    destroys(Who::Operator, "db restore"),
    destroys(Who::Operator, "db convert"),
    may(Who::Operator, "doctor"),
    destroys(Who::Operator, "doctor --fix"),
    may(Who::Anyone, "completions"),
    may(Who::Anyone, "help"),
];

fn authorities() -> String {
    let mut page = String::new();
    for line in AUTHORITIES {
        let asks = if line.destructive { ", asks first" } else { "" };
        // Writing to a `String` cannot fail.
        let _ = writeln!(page, "  {:<28} {}{asks}", line.command, line.who.name());
    }
    page
}
