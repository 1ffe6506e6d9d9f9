//! The help topics that are not about one command. The docs and the man page carry the same words.

use std::fmt::Write as _;

use super::authority;
use crate::exit_code::ExitCode;

/// A variable of the environment and what it means.
pub const ENVIRONMENT: &[(&str, &str)] = &[
    ("AUTHCTL_DB", "database file, when --db is not given"),
    ("AUTHCTL_TOKEN", "session token, in place of the stored session"),
    ("AUTHCTL_TOKEN_FILE", "file that holds a session token, in place of the stored session"),
    ("AUTHCTL_USER_ID", "set by `guard`: user whom it let in; when set, only that user is signed in"),
    ("AUTHCTL_USER_DB", "set by `guard`: database of that user; when set, sessions of others are refused"),
    ("AUTHCTL_USER_IMPERSONATED_BY", "set by `guard` in an impersonated session: who acts as that user"),
    ("AUTHCTL_USER_EMAIL", "set by `guard`, for the command only"),
    ("AUTHCTL_USER_ROLE", "set by `guard`, for the command only"),
    ("AUTHCTL_SCHEMA", "file that says what a Better Auth app's database does not show, when --schema is not given"),
    ("BETTER_AUTH_SECRET", "secret of a Better Auth app, for `sessions issue --cookie` only"),
    ("BETTER_AUTH_SECRETS", "secrets that the app rotates, VERSION:SECRET,...; the first counts, and before the above"),
    ("XDG_DATA_HOME", "directory of authctl/auth.db, when it is an absolute path [default: ~/.local/share]"),
    ("XDG_CONFIG_HOME", "directory of authctl/sessions, when it is an absolute path [default: ~/.config]"),
    ("XDG_STATE_HOME", "directory of authctl/*.db, when it is an absolute path [default: ~/.local/state]"),
    ("HOME", "home directory, for the three defaults above"),
    ("CI", "when set and not false: never ask, as with --no-input"),
    ("NO_COLOR", "when set: no colours"),
];

/// A file and what is in it.
pub const FILES: &[(&str, &str)] = &[
    ("$XDG_DATA_HOME/authctl/auth.db", "the default database, with -wal and -shm beside it while it is in use"),
    ("DATABASE.lock", "empty; held while a database is made, migrated, backed up or restored"),
    ("DATABASE.before-restore-TIME", "the database as it was before `db restore`; remove it when you are sure"),
    ("$XDG_STATE_HOME/authctl/*.db", "log, attempts and rules for the databases of Better Auth apps, one file each"),
    ("$XDG_CONFIG_HOME/authctl/sessions/*.json", "stored sessions, one file per database, readable by you alone"),
    ("$XDG_CONFIG_HOME/authctl/sessions/*.own.json", "your own session, kept while you act as another user"),
];

/// What authctl protects against and what it cannot.
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

Guessing: each address has five free attempts, then a wait that doubles from 15
seconds to 15 minutes. An unknown address gets the same answer as a wrong
password, at the cost of the same work. Wrong uses of a user's code (for another
act, expired, with a wrong password) count for the user in the same way. Codes
that name no user wait at most 5 seconds and delay no right code: a code has 24
random characters. `users unlock` forgets all failed attempts of a user.

Leaks: authctl never takes a secret from the command line. It prints a secret
only when that is the answer: a token (`--print-token`, `sessions issue`), a
code (`users reset-code`) or a new password (`--generate`). The session file
holds the token in clear, and only you can read it (mode 0600). Keep the
database in a directory that only you can write; authctl refuses others.

Unnoticed changes: every act that changes something, and every failed sign-in,
is an entry of the audit log in the same transaction. The log for a Better Auth
database is in another file; there, an entry `act.intended` comes before the
act, and the entries of what was done come after it. The hash of each entry
covers the entry before it, so `audit verify` finds entries that were edited,
removed or moved. It does not find that the newest entries were cut off, or
that a person who can write the file made the whole chain anew: note the hash
that it prints in another place, and ask for it later with `audit verify
--contains`. `db restore` puts an older log in place and records in it the last
hash of the replaced log, which is kept with its database. An entry names users
by id and by their address at that time, with the old and new values of what
changed, and never a secret.

Not covered: root, programs that run as you, a keylogger, and a file system that
loses what it was told to keep. A person who can write the file can also remove
its end: SQLite cannot distinguish a log that was cut off from one that ended
there.
";

/// The page on security.
pub fn security() -> String {
    format!(
        "{SECURITY}\nWho may run which command (an operator is a person who can write the database\nfile):\n\n{}",
        authority::page()
    )
}

/// The page on exit codes.
pub fn exit_codes() -> String {
    let mut page = "Failure codes:\n\n".to_owned();
    for (code, meaning) in ExitCode::TABLE {
        // Writing to a `String` cannot fail.
        let _ = writeln!(page, "{:>5}  {meaning}", code.number());
    }
    page.push_str(CLOSED_OUTPUT);
    page
}

/// The standard library opens /dev/null in place of a standard output that is closed, with the flags that
/// Python and Node use where a caller wants no output. So this is all that can be known.
const CLOSED_OUTPUT: &str = "
A closed standard output counts as /dev/null: answers are thrown away, and that is
no failure. Passwords, codes, tokens and exports are refused there with 2, before
anything is changed.
";

/// The page on the environment and files.
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
