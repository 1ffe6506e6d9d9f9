//! Answers the completion scripts of bash, zsh and fish: commands, options, and what the database knows.
//!
//! It never asks and never writes: a database that is missing, of a newer schema, busy or slow has no values.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use clap::{Arg, ArgAction, ValueHint};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, complete};

use crate::auth::policy::KEYS;
use crate::auth::storage::{Completed, Store, StoreError};
use crate::cli::{self, topics};
use crate::context::{Context, Environment, GlobalOptions};

/// The first argument with which a script asks. The second is the shell, the third `--`, and then come the words.
pub(crate) const REQUEST: &str = "--internal-complete";

/// The longest wait for a busy database.
const WAIT: Duration = Duration::from_millis(50);

/// The longest wait for a database, such as one on a server that is silent. A shell waits for the answer.
const PATIENCE: Duration = Duration::from_millis(500);

/// The roles of Better Auth's admin plugin.
const ROLES: [&str; 2] = ["admin", "user"];

/// Answers a request: one candidate per line, in the form of the shell. The last word is completed.
pub(crate) fn answer(shell: &OsStr, mut words: Vec<OsString>) -> String {
    let mut answer = String::new();
    let Some(last) = words.len().checked_sub(1) else { return answer };
    let data = Data::of(&words);
    let command = cli::command();
    resolve_aliases(&command, &mut words[..last]);
    let mut command = with_data(command, "", &data);
    let directory = std::env::current_dir().ok();
    for candidate in complete(&mut command, words, last, directory.as_deref()).unwrap_or_default() {
        let Some(value) = candidate.get_value().to_str().filter(|value| !value.chars().any(char::is_control)) else {
            continue;
        };
        let help = candidate.get_help().map(ToString::to_string).unwrap_or_default();
        let help = help.lines().next().unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = match shell.to_str() {
            Some("zsh") => writeln!(answer, "{}:{help}", value.replace('\\', r"\\").replace(':', r"\:")),
            Some("fish") => writeln!(answer, "{value}\t{help}"),
            _ => writeln!(answer, "{value}"),
        };
    }
    answer
}

/// Replaces other names of commands by their own.
fn resolve_aliases(root: &clap::Command, words: &mut [OsString]) {
    let mut command = root;
    for word in words.iter_mut().skip(1) {
        if let Some(inner) = command.find_subcommand(&word) {
            command = inner;
            *word = inner.get_name().into();
        }
    }
}

/// Which database the words name.
#[derive(Debug, Clone, Default)]
struct Data {
    database: Option<PathBuf>,
    schema: Option<PathBuf>,
}

impl Data {
    fn of(words: &[OsString]) -> Self {
        let value = |flag: &str| {
            let joined = format!("{flag}=");
            let joined = words.iter().find_map(|word| word.to_str()?.strip_prefix(&joined).map(PathBuf::from));
            joined.or_else(|| words.windows(2).find(|pair| pair[0] == *flag).map(|pair| PathBuf::from(&pair[1])))
        };
        Self { database: value("--db"), schema: value("--schema") }
    }

    /// Reads from the database; nothing where that is not possible or takes too long.
    fn read(
        &self,
        read: impl FnOnce(&mut dyn Store) -> Result<Vec<String>, StoreError> + Send + 'static,
    ) -> Vec<String> {
        let (found, finds) = sync_channel(1);
        let data = self.clone();
        // What is not done in time ends with the process.
        let begun = thread::Builder::new().spawn(move || {
            let read = data.open().ok().and_then(|mut store| read(&mut *store).ok());
            found.send(read.unwrap_or_default())
        });
        begun.ok().and_then(|_| finds.recv_timeout(PATIENCE).ok()).unwrap_or_default()
    }

    fn open(&self) -> anyhow::Result<Box<dyn Store>> {
        let options = GlobalOptions {
            database: self.database.clone(),
            schema: self.schema.clone(),
            wait: WAIT,
            no_input: true,
            ..GlobalOptions::default()
        };
        Ok(Box::new(Context::new(options, Environment::read()).open_to_complete()?))
    }
}

/// Gives the arguments of a command, and of those below it, the values of the database. The name of a value says what it
/// is, and the command with the one above it.
fn with_data(command: clap::Command, above: &str, data: &Data) -> clap::Command {
    let name = command.get_name().to_owned();
    command
        // A command is offered once.
        .visible_alias(None)
        .mut_args(|argument| argument_with_data(argument, [above, &name], data))
        .mut_subcommands(|inner| with_data(inner, &name, data))
}

fn argument_with_data(argument: Arg, commands: [&str; 2], data: &Data) -> Arg {
    if !argument.get_action().takes_values() || matches!(argument.get_action(), ArgAction::Help | ArgAction::Version) {
        return argument;
    }
    let names = argument.get_value_names().unwrap_or_default().join(" ");
    let value = if names.is_empty() { argument.get_id().as_str().to_uppercase() } else { names };
    let data = data.clone();
    let with = |find: fn(&Data, &str) -> Vec<String>| {
        ArgValueCompleter::new(move |typed: &OsStr| {
            let typed = typed.to_str().unwrap_or_default();
            find(&data, typed).into_iter().map(CompletionCandidate::new).collect()
        })
    };
    match value.as_str() {
        "USER" => argument.add(with(users)),
        "USER ROLE" => argument.add(with(users_and_roles)),
        // The other addresses are new ones.
        "EMAIL" if argument.get_long() == Some("try") || matches!(commands[1], "signin" | "forgot") => {
            argument.add(with(users))
        }
        "ID" if argument.is_positional() && commands[0] == "tokens" => argument.add(with(tokens)),
        "ID" if argument.is_positional() => argument.add(with(sessions)),
        "ROLE" => argument.add(with(roles)),
        "KEY" if argument.is_positional() => {
            argument.add(with(|_, typed| beginning(KEYS.iter().map(|key| key.name), typed)))
        }
        "COMMAND or TOPIC" => argument.add(with(|_, typed| beginning(help_words(), typed))),
        "PATH" | "FILE" | "FROM" | "TO" => argument.value_hint(ValueHint::AnyPath),
        _ => argument,
    }
}

/// The commands and the topics that `help` takes as its first word.
fn help_words() -> impl Iterator<Item = &'static str> {
    let commands = cli::GROUPS.iter().flat_map(|(_, names)| names.iter().copied());
    commands.chain(topics::NAMES.iter().copied())
}

fn beginning<'a>(values: impl Iterator<Item = &'a str>, typed: &str) -> Vec<String> {
    values.filter(|value| value.starts_with(typed)).map(str::to_owned).collect()
}

/// Addresses, and ids where a part of one is typed.
fn users(data: &Data, typed: &str) -> Vec<String> {
    let typed = typed.to_owned();
    data.read(move |store| {
        let mut found = store.with_prefix(Completed::Address, &typed)?;
        if !typed.is_empty() {
            found.extend(store.with_prefix(Completed::User, &typed)?);
        }
        Ok(found)
    })
}

fn sessions(data: &Data, typed: &str) -> Vec<String> {
    let typed = typed.to_owned();
    data.read(move |store| store.with_prefix(Completed::Session, &typed))
}

fn tokens(data: &Data, typed: &str) -> Vec<String> {
    let typed = typed.to_owned();
    data.read(move |store| store.with_prefix(Completed::Token, &typed))
}

/// Users, and the roles that come after them.
fn users_and_roles(data: &Data, typed: &str) -> Vec<String> {
    let mut found = users(data, typed);
    found.extend(roles(data, typed));
    found
}

fn roles(data: &Data, typed: &str) -> Vec<String> {
    let mut found = beginning(ROLES.into_iter(), typed);
    // A user may have several.
    let typed = typed.to_owned();
    let of_users = data.read(move |store| store.roles_with_prefix(&typed));
    found.extend(of_users.into_iter().filter(|role| !role.contains(',')));
    found.sort();
    found.dedup();
    found
}
