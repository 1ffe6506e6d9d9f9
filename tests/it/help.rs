//! Help pages: every command has one, with examples that parse.

use std::sync::LazyLock;

use authctl::cli::{self, GROUPS};
use insta::assert_snapshot;

use crate::sandbox::Sandbox;

/// The paths of all commands, including groups.
fn every_command() -> Vec<Vec<String>> {
    fn walk(command: &clap::Command, words: &[String], found: &mut Vec<Vec<String>>) {
        found.push(words.to_vec());
        for below in command.get_subcommands() {
            walk(below, &[words, &[below.get_name().to_owned()]].concat(), found);
        }
    }
    let mut found = Vec::new();
    walk(&authctl::cli::command(), &[], &mut found);
    found
}

/// What each command shows for `--help`, made once for all tests, with a canary in every variable that authctl reads paths
/// or tokens from.
static PAGES: LazyLock<Vec<(Vec<String>, String)>> = LazyLock::new(|| {
    let sandbox = Sandbox::new();
    let page = |words: &[String]| {
        let mut command = sandbox.command(words);
        command.arg("--help");
        for variable in ["AUTHCTL_DB", "AUTHCTL_TOKEN", "AUTHCTL_TOKEN_FILE", "XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
            command.env(variable, "/canary");
        }
        sandbox.finish(&mut command).success()
    };
    let with_page = |words: Vec<String>| {
        let page = page(&words);
        (words, page)
    };
    let pages = every_command().into_iter().map(with_page).collect();
    assert_eq!(std::fs::read_dir(sandbox.home()).unwrap().count(), 0, "help touches nothing");
    pages
});

#[test]
fn every_command_has_a_help_page_with_an_example() {
    let sandbox = Sandbox::new();
    assert!(PAGES.len() >= 18, "{}", PAGES.len());
    for (words, page) in &*PAGES {
        let words = words.join(" ");
        assert!(page.contains(&format!("Usage: authctl {words}").trim_end().to_owned()), "{words}:\n{page}");
        assert!(page.contains("\nExample"), "{words} has no example:\n{page}");
        assert!(!page.contains('\x1b'), "{words}");
        assert_eq!(sandbox.run(&format!("help {words}")).success(), *page, "help {words}");
        let short = sandbox.run(&format!("{words} -h")).success();
        assert!(short.contains("Usage: authctl"), "{words}:\n{short}");
    }
    assert_eq!(std::fs::read_dir(sandbox.home()).unwrap().count(), 0, "help touches nothing");
}

#[test]
fn help_shows_no_values_of_the_environment() {
    for (words, page) in &*PAGES {
        assert!(!page.contains("canary"), "{words:?}:\n{page}");
    }
}

#[test]
fn examples_parse() {
    let mut examples = 0;
    for (_, page) in &*PAGES {
        let Some((_, after)) = page.split_once("\nExample") else { continue };
        for line in after.lines().filter_map(|line| line.strip_prefix("  authctl ")) {
            // Ends at the first shell operator.
            let line = line.split(['|', '>', '&', '#']).next().unwrap().replace("'Ada Lovelace'", "Ada");
            let line = line.replace("'Ada King'", "Ada");
            let words =
                std::iter::once("authctl").chain(line.split_whitespace()).map(|word| word.trim_matches('\'').into());
            let parsed = authctl::cli::parse(words);
            assert!(matches!(parsed, authctl::cli::Parsed::Command(_)), "authctl {line}: {parsed:?}");
            examples += 1;
        }
    }
    assert!(examples >= 20, "{examples}");
}

#[test]
fn the_topics_have_their_pages() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.run("help environment"), @"
    Environment:

      AUTHCTL_DB
          database as --db takes it, when --db is not given
      AUTHCTL_TOKEN
          session token or API token, in place of the stored session
      AUTHCTL_TOKEN_FILE
          file that holds such a token, in place of the stored session
      AUTHCTL_USER_ID
          set by `guard`: user whom it let in; when set, only that user is signed in
      AUTHCTL_USER_DB
          set by `guard`: database of that user; when set, sessions of others are refused
      AUTHCTL_USER_IMPERSONATED_BY
          set by `guard` in an impersonated session: who acts as that user
      AUTHCTL_USER_SESSION
          set by `guard --drop-session`: no user is signed in
      AUTHCTL_USER_EMAIL
          set by `guard`, for the command only
      AUTHCTL_USER_ROLE
          set by `guard`, for the command only
      AUTHCTL_KEY_FILE
          file of the keys that encrypt the secrets of second factors, in place of the default one
      AUTHCTL_SCHEMA
          file that says what a Better Auth app's database does not show, when --schema is not given
      BETTER_AUTH_SECRET
          secret of a Better Auth app, for its second factors, `secret` and `sessions issue --cookie`
      BETTER_AUTH_SECRETS
          secrets that the app rotates, VERSION:SECRET,...; the first counts, and before the above
      XDG_DATA_HOME
          directory of authctl/auth.db, when it is an absolute path [default: ~/.local/share]
      XDG_CONFIG_HOME
          directory of authctl/sessions and config.toml, when it is an absolute path [default: ~/.config]
      XDG_STATE_HOME
          directory of authctl/*.db and authctl/keys, when it is an absolute path [default: ~/.local/state]
      HOME
          home directory, for the three defaults above
      CI
          when set and not false: never ask, as with --no-input
      AUTHCTL_PAGER
          pager for lists longer than the screen, when it is a terminal; cat for none
      PAGER
          the same, when AUTHCTL_PAGER is not set [default: less, with LESS=FRX]
      TZ
          time zone of local times, in place of the machine's
      NO_COLOR
          when set: no colours
      TERM
          when dumb: no colours
      LC_ALL
          when no UTF-8 locale: charts in ASCII; else LC_CTYPE, else LANG
      LC_CTYPE
          see LC_ALL
      LANG
          see LC_ALL

    Files:

      $XDG_DATA_HOME/authctl/auth.db
          the default database, with -wal and -shm beside it while it is in use
      DATABASE.lock
          empty; held while a database is made, migrated, backed up, restored or converted
      DATABASE.before-restore-[TIME]
          the database as it was before `db restore`; remove it when you are sure
      DATABASE.before-convert-[TIME]
          the same for `db convert`, with all password hashes and the audit log
      $XDG_STATE_HOME/authctl/*.db
          log, attempts and rules for the databases of Better Auth apps, one file each
      $XDG_STATE_HOME/authctl/*.app
          marks of addresses where such a database was found on a server
      $XDG_CONFIG_HOME/authctl/config.toml
          the databases that --db @NAME knows; only you may write to it
      $XDG_STATE_HOME/authctl/keys/second-factors
          keys that encrypt the secrets of second factors; back it up elsewhere
      $XDG_CONFIG_HOME/authctl/sessions/*.json
          stored sessions, one file per database, readable by you alone
      $XDG_CONFIG_HOME/authctl/sessions/*.own.json
          your own session, kept while you act as another user
    ");
    assert_eq!(sandbox.run("help security").success(), authctl::cli::topics::security());
    for (variable, _) in authctl::cli::topics::ENVIRONMENT {
        assert!(sandbox.run("help environment").success().contains(variable));
    }
    assert_snapshot!(sandbox.run("help no such thing"), @"
    ------- stderr -------
    error: there is no command and no topic of this name
    hint: see authctl --help; topics are exit-codes, environment and security
    [exit status: 2]
    ");
}

#[test]
fn the_version_is_the_one_of_the_package() {
    let sandbox = Sandbox::new();
    let expected = format!("authctl {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(sandbox.run("--version").success(), expected);
    assert_eq!(sandbox.run("-V").success(), expected);
}

#[test]
fn every_command_stands_under_one_heading() {
    let command = cli::command();
    let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    let mut known: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
    grouped.sort_unstable();
    known.sort_unstable();
    assert_eq!(grouped, known);
}

#[test]
fn first_page_has_each_heading_and_command_once() {
    let page = Sandbox::new().run("--help").success();
    let (listing, _) = page.split_once("\nOptions:\n").unwrap();
    for (heading, names) in GROUPS {
        assert_eq!(listing.matches(&format!("\n{heading}:\n")).count(), 1, "{page}");
        for name in *names {
            assert_eq!(listing.matches(&format!("\n  {name} ")).count(), 1, "{name}:\n{page}");
        }
    }
    assert!(!page.contains("Commands:"), "{page}");
    assert!(listing.lines().all(|line| line.chars().count() <= 80), "{page}");
}

#[test]
fn help_page_lists_aliases() {
    let page = Sandbox::new().run("signin --help").success();
    assert!(page.trim_end().ends_with("Other names: sign-in, login"), "{page}");
}

#[test]
fn mistakes_point_to_the_help_of_the_command() {
    let sandbox = Sandbox::new();
    for (words, hint) in [
        ("users ban ada@example.com --for abc", "see authctl users ban --help"),
        ("--db users audit list --since never", "see authctl audit list --help"),
        ("--wait x db prune", "see authctl db prune --help"),
        (
            "signup --email ada@example.com",
            "give it without a flag: authctl signup ada@example.com; see authctl signup --help",
        ),
        (
            "signup --email=ada@example.com",
            "give it without a flag: authctl signup ada@example.com; see authctl signup --help",
        ),
        // What may be a secret is not repeated.
        ("signup --email s3cret@pass", "give it without a flag: authctl signup EMAIL; see authctl signup --help"),
    ] {
        let error = sandbox.run(&format!("{words} --json")).json_error(2);
        assert_eq!(error["hint"], hint, "{words}");
    }
}
