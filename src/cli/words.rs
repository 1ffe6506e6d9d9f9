//! Words of similar tools, and what authctl calls them. A word in this table is not a typing error and not a secret,
//! so an error repeats it.

use clap::Command;

/// Commands: where the word was typed, the words, and the command that does it. Values stand as placeholders.
const COMMANDS: &[(&str, &[&str], &str)] = &[
    ("authctl", &["version"], "authctl --version"),
    ("authctl", &["get", "list", "ls", "show", "describe"], "authctl users list"),
    ("authctl", &["add", "create", "new", "adduser", "useradd"], "authctl users create EMAIL"),
    ("authctl", &["delete", "remove", "rm", "userdel"], "authctl users delete USER"),
    ("authctl", &["promote", "demote", "grant"], "authctl users set-role USER ROLE"),
    ("authctl", &["disable", "block", "suspend", "ban"], "authctl users ban USER"),
    ("authctl", &["enable", "unblock", "unban"], "authctl users unban USER"),
    ("authctl", &["unlock"], "authctl users unlock USER"),
    ("authctl", &["revoke", "kick"], "authctl sessions revoke ID"),
    ("authctl", &["init"], "authctl db init"),
    ("authctl", &["backup", "dump"], "authctl db backup FILE"),
    ("authctl", &["restore"], "authctl db restore FILE"),
    ("authctl", &["log", "logs", "history"], "authctl audit list"),
    ("authctl", &["config", "settings"], "authctl policy show"),
    ("authctl", &["me", "who"], "authctl whoami"),
    ("authctl", &["reset-password", "forgot"], "authctl password forgot EMAIL"),
    ("authctl", &["exec", "run"], "authctl guard -- COMMAND"),
    ("authctl users", &["get", "describe", "info", "view", "find"], "authctl users show USER"),
    ("authctl users", &["search", "count"], "authctl users list --search TEXT"),
    ("authctl users", &["promote", "demote", "grant", "role"], "authctl users set-role USER ROLE"),
    ("authctl users", &["disable", "block", "suspend", "lock"], "authctl users ban USER"),
    ("authctl users", &["enable", "unblock", "activate"], "authctl users unban USER"),
    ("authctl users", &["new", "invite"], "authctl users create EMAIL"),
    ("authctl users", &["remove", "del", "destroy"], "authctl users delete USER"),
    ("authctl users", &["edit", "modify", "rename", "change"], "authctl users update USER"),
    ("authctl users", &["passwd", "password", "reset-password"], "authctl users set-password USER"),
    ("authctl users", &["verify", "confirm"], "authctl users verify-email USER"),
    ("authctl sessions", &["get", "show"], "authctl sessions list"),
    ("authctl sessions", &["kill", "end", "delete", "remove", "close"], "authctl sessions revoke ID"),
    ("authctl sessions", &["clean", "cleanup", "gc", "expire"], "authctl sessions prune --dry-run"),
    ("authctl policy", &["get", "list", "describe", "view"], "authctl policy show"),
    ("authctl policy", &["reset", "remove", "delete"], "authctl policy unset KEY"),
    ("authctl policy", &["edit", "change", "update"], "authctl policy set KEY VALUE"),
    ("authctl audit", &["show", "get", "log"], "authctl audit list"),
    ("authctl audit", &["follow", "watch"], "authctl audit tail --follow"),
    ("authctl audit", &["check"], "authctl audit verify"),
    ("authctl db", &["create", "new"], "authctl db init"),
    ("authctl db", &["info", "show"], "authctl db status"),
    ("authctl db", &["upgrade"], "authctl db migrate"),
    ("authctl db", &["dump", "save"], "authctl db backup FILE"),
    ("authctl db", &["verify"], "authctl db check"),
    ("authctl password", &["set", "update"], "authctl password change"),
    ("authctl password", &["recover"], "authctl password forgot EMAIL"),
    ("authctl account", &["edit", "change", "set"], "authctl account update"),
    ("authctl account", &["remove", "close"], "authctl account delete"),
    ("authctl account", &["show"], "authctl whoami"),
    ("authctl email", &["confirm"], "authctl email verify"),
    ("authctl email", &["update", "set"], "authctl email change NEW"),
    ("authctl hash", &["create", "make"], "authctl hash generate"),
    ("authctl hash", &["check"], "authctl hash verify"),
];

/// Flags: the words, and the flags and arguments that mean it. The first that the command takes is the answer.
const FLAGS: &[(&[&str], &[&str])] = &[
    (&["--email", "--mail", "--address", "-e"], &["EMAIL", "NEW", "USER"]),
    (&["--user", "--username", "--id", "-u"], &["--user", "USER", "EMAIL", "ID"]),
    (&["--force", "-f", "--assume-yes", "--noconfirm"], &["--yes"]),
    (&["--output", "--format", "-o"], &["--output", "--json"]),
    (&["--limit", "--count", "--max", "-n"], &["--limit", "--lines"]),
    (&["--filter", "--query"], &["--search", "--event"]),
    (&["--database", "--file", "--path", "-d"], &["--db"]),
    (&["--from", "--begin"], &["--since"]),
    (&["--to", "--before"], &["--until"]),
    (&["--dryrun", "--simulate"], &["--dry-run"]),
    (&["--fullname", "--full-name", "--display-name"], &["--name"]),
    (&["--admin"], &["--role"]),
    (&["--silent"], &["--quiet"]),
    (&["--non-interactive", "--batch"], &["--no-input"]),
    (&["--message", "--comment", "-m"], &["--reason"]),
    (&["--timeout"], &["--wait"]),
];

/// The command that a word of another tool means below this one.
pub(super) fn command(typed: &str, below: &str) -> Option<&'static str> {
    COMMANDS.iter().find(|(place, words, _)| *place == below && words.contains(&typed)).map(|(_, _, right)| *right)
}

/// What to write instead of a flag of another tool, as the start of a hint. `address` is the value that was typed for it.
pub(super) fn flag(typed: &str, address: Option<&str>, of: &Command) -> Option<String> {
    let (_, rights) = FLAGS.iter().find(|(words, _)| words.contains(&typed))?;
    let name = of.get_bin_name().unwrap_or("authctl");
    rights.iter().find_map(|right| match right.strip_prefix("--") {
        Some(long) => of.get_arguments().any(|flag| flag.get_long() == Some(long)).then(|| format!("use --{long}")),
        None => of
            .get_positionals()
            .any(|one| one.get_value_names().is_some_and(|names| names.iter().any(|name| name == right)))
            .then(|| format!("give it without a flag: {name} {}", address.unwrap_or(right))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::parse::tests::tree;

    #[test]
    fn every_command_of_the_table_exists_and_no_word_does() {
        let tree = tree();
        let find = |name: &str| tree.iter().find(|one| one.get_bin_name().unwrap_or("authctl") == name);
        for (place, words, right) in COMMANDS {
            let parent = find(place).unwrap();
            for word in *words {
                assert!(parent.find_subcommand(word).is_none(), "{place} {word} is a command");
            }
            let mut at = &tree[0];
            for word in right.split(' ').skip(1) {
                match word.strip_prefix("--") {
                    Some("") => break,
                    Some("version") => {}
                    Some(long) => {
                        assert!(at.get_arguments().any(|flag| flag.get_long() == Some(long)), "{right}");
                    }
                    None if word.chars().all(char::is_uppercase) => {}
                    None => at = at.find_subcommand(word).unwrap_or_else(|| unreachable!("{right}")),
                }
            }
        }
    }

    #[test]
    fn every_flag_of_the_table_is_the_answer_somewhere() {
        let tree = tree();
        for (words, rights) in FLAGS {
            let answered = |word: &&str| tree.iter().any(|command| flag(word, None, command).is_some());
            assert!(words.iter().all(answered), "{words:?} {rights:?}");
        }
    }
}
