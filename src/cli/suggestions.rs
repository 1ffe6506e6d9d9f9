//! "Did you mean": the command or flag that somebody meant who mistyped one.
//!
//! A hint is run without a second look, so what is listed here does no harm when it was not meant: it
//! deletes nothing, ends nothing, gives nobody rights, changes nobody's identity and overrides no
//! refusal. What is not listed is never suggested.

use clap::Command;

/// Commands that may be suggested, of any level.
const COMMANDS: &[&str] = &[
    "account",
    "audit",
    "calibrate",
    "check",
    "completions",
    "create",
    "db",
    "doctor",
    "email",
    "exists",
    "explain",
    "export",
    "forgot",
    "generate",
    "guard",
    "hash",
    "help",
    "identify",
    "init",
    "list",
    "password",
    "policy",
    "sessions",
    "show",
    "signin",
    "signup",
    "status",
    "tail",
    "users",
    "verify",
    "whoami",
];

/// Flags that may be suggested, of any command.
const FLAGS: &[&str] = &[
    "after",
    "at",
    "check",
    "code-stdin",
    "color",
    "contains",
    "dry-run",
    "event",
    "follow",
    "fresh",
    "help",
    "image",
    "json",
    "limit",
    "lines",
    "max-memory",
    "name",
    "no-input",
    "older-than",
    "password-file",
    "password-stdin",
    "quiet",
    "reason",
    "schema",
    "search",
    "send",
    "since",
    "sort",
    "stdin",
    "target",
    "ttl",
    "until",
    "version",
    "wait",
];

/// The one subcommand that differs from a word by a slip.
pub(super) fn command<'a>(typed: &str, of: &'a Command) -> Option<&'a str> {
    let spellings = of.get_subcommands().flat_map(|command| {
        let name = command.get_name();
        std::iter::once(name).chain(command.get_visible_aliases()).map(move |spelling| (spelling, name))
    });
    nearest(typed, spellings, COMMANDS)
}

/// The one flag that differs from a word by a slip; both with their dashes.
pub(super) fn flag(typed: &str, of: &Command) -> Option<String> {
    let typed = typed.strip_prefix("--")?;
    let names = of.get_arguments().filter_map(clap::Arg::get_long);
    nearest(typed, names.map(|name| (name, name)), FLAGS).map(|name| format!("--{name}"))
}

/// The spelling nearest to a word, when that of no other name is as near and its name may be suggested.
/// Names that may not be are compared too: a slip of one of them is no slip of another name.
fn nearest<'a>(typed: &str, spellings: impl Iterator<Item = (&'a str, &'a str)>, allowed: &[&str]) -> Option<&'a str> {
    // One slip in a short word makes another word.
    let most = match typed.len() {
        0..4 => return None,
        4..8 => 1,
        _ => 2,
    };
    let mut near: Vec<(usize, &str, &str)> =
        spellings.map(|(spelling, name)| (strsim::osa_distance(typed, spelling), spelling, name)).collect();
    near.sort_unstable();
    let (distance, spelling, name) = near.first()?;
    let is_ambiguous = near.iter().any(|(other, _, of)| other == distance && of != name);
    (*distance <= most && !is_ambiguous && allowed.contains(name)).then_some(*spelling)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every command of the tree, with what may follow it.
    fn tree() -> Vec<Command> {
        let mut root = crate::cli::command();
        root.build();
        let mut all = vec![root];
        let mut next = 0;
        while next < all.len() {
            let below: Vec<Command> = all[next].get_subcommands().cloned().collect();
            all.extend(below);
            next += 1;
        }
        all
    }

    /// A word with each single slip of the fingers, and with each two letters less.
    fn slips(word: &str) -> Vec<String> {
        let mut slips = vec![format!("{word}s"), format!("x{word}")];
        for at in 0..word.len() {
            let (before, rest) = word.split_at(at);
            slips.push(format!("{before}{}", &rest[1..]));
            slips.push(format!("{before}z{rest}"));
            slips.push(format!("{before}q{}", &rest[1..]));
            if rest.len() > 1 {
                slips.push(format!("{before}{}{}{}", &rest[1..2], &rest[..1], &rest[2..]));
                slips.push(format!("{before}{}", &rest[2..]));
            }
        }
        slips.retain(|slip| slip != word);
        slips
    }

    const HARMFUL_COMMANDS: &[&str] = &[
        "backup",
        "ban",
        "change",
        "delete",
        "impersonate",
        "issue",
        "migrate",
        "passwd",
        "prune",
        "reset",
        "reset-code",
        "restore",
        "revoke",
        "rm",
        "set",
        "set-password",
        "set-role",
        "signout",
        "unban",
        "unlock",
        "unset",
        "update",
        "verify-email",
        "sign-out",
        "logout",
    ];

    const HARMFUL_FLAGS: &[&str] = &[
        "all",
        "all-users",
        "allow-weak",
        "cookie",
        "db",
        "email",
        "except-current",
        "fix",
        "force",
        "force-last-admin",
        "generate",
        "hash-stdin",
        "if-exists",
        "if-missing",
        "keep-sessions",
        "local",
        "no-password",
        "no-signin",
        "others",
        "print-token",
        "role",
        "undo",
        "user",
        "verified",
        "yes",
    ];

    #[test]
    fn no_slip_is_answered_with_what_does_harm() {
        let mut suggested = 0;
        for command in tree() {
            let commands: Vec<&str> =
                command.get_subcommands().flat_map(Command::get_name_and_visible_aliases).collect();
            let strangers = ["promote", "force", "import", "get", "kick", "grant", "admin", "remove", "revert"];
            for typed in commands.iter().flat_map(|name| slips(name)).chain(strangers.map(str::to_owned)) {
                if let Some(one) = super::command(&typed, &command) {
                    assert!(!HARMFUL_COMMANDS.contains(&one), "{} {typed}: {one}", command.get_name());
                    suggested += 1;
                }
            }
            let flags: Vec<&str> = command.get_arguments().filter_map(clap::Arg::get_long).collect();
            for typed in flags.iter().flat_map(|name| slips(name)).chain(strangers.map(str::to_owned)) {
                if let Some(one) = flag(&format!("--{typed}"), &command) {
                    let name = one.trim_start_matches('-');
                    assert!(!HARMFUL_FLAGS.contains(&name), "{} --{typed}: {one}", command.get_name());
                    suggested += 1;
                }
            }
        }
        assert!(suggested > 1_000, "{suggested}");
    }

    #[test]
    fn every_name_that_may_be_suggested_exists() {
        let tree = tree();
        for name in COMMANDS {
            assert!(tree.iter().any(|command| command.get_name() == *name), "{name}");
        }
        for name in FLAGS {
            let takes = |command: &Command| command.get_arguments().any(|flag| flag.get_long() == Some(name));
            assert!(tree.iter().any(takes), "--{name}");
        }
    }

    #[test]
    fn a_slip_of_a_harmless_name_is_recognised() {
        let root = &tree()[0];
        assert_eq!(super::command("sesions", root), Some("sessions"));
        assert_eq!(super::command("whomai", root), Some("whoami"));
        assert_eq!(flag("--jsno", root).as_deref(), Some("--json"));
        assert_eq!(super::command("singout", root), None);
        assert_eq!(super::command("xyzzy", root), None);
    }
}
