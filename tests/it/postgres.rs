//! The real program on a real PostgreSQL server.

use std::process::{Child, Command, Stdio};

use ::postgres::{Client, NoTls};

use crate::sandbox::{PASSWORD, Ran, Sandbox};

mod copy;
mod crowd;
mod faults;
mod guest;
mod hostile;
mod kills;
mod pooler;
mod proxy;
mod races;
mod rights;
#[path = "../../src/store/postgres/server.rs"]
mod server;
mod state;
mod tour;

use server::TestDatabase;

/// A home in which `AUTHCTL_DB` names a database of its own on the server.
pub struct Place {
    pub sandbox: Sandbox,
    url: String,
    /// Dropped with the place.
    database: Option<TestDatabase>,
}

impl Place {
    /// Without tables. `None` skips the test.
    pub fn empty() -> Option<Self> {
        Some(Self::of(server::database()?))
    }

    fn of(database: TestDatabase) -> Self {
        Self { sandbox: Sandbox::new(), url: database.url().to_owned(), database: Some(database) }
    }

    /// A home of its own for a database that the test makes and drops.
    pub fn at(url: &str) -> Self {
        Self { sandbox: Sandbox::new(), url: url.to_owned(), database: None }
    }

    /// A home of its own for another role of the same database, which needs no password.
    pub fn as_role(&self, role: &str) -> Self {
        Self::at(&as_role(&self.url, role))
    }

    /// With tables and without users.
    pub fn new() -> Option<Self> {
        Self::like("tables", |_| {})
    }

    /// As `fill` makes it after the tables, once for each name.
    pub fn like(name: &'static str, fill: impl FnOnce(&Self)) -> Option<Self> {
        let database = server::database_like(name, |url| {
            let place = Self::at(url);
            place.run("db init").success();
            fill(&place);
        })?;
        Some(Self::of(database))
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// The name of the database.
    pub fn name(&self) -> &str {
        &self.database.as_ref().unwrap().name
    }

    pub fn command(&self, words: &str) -> Command {
        self.command_at(self.url(), words)
    }

    /// A command with another address of the database.
    pub fn command_at(&self, url: &str, words: &str) -> Command {
        let mut command = self.sandbox.command(words.split_whitespace());
        command.env("AUTHCTL_DB", url);
        command
    }

    /// A command of a shell with a number, which has a session file of its own.
    pub fn command_of(&self, shell: usize, words: &str) -> Command {
        let mut command = self.command(words);
        command.env("XDG_CONFIG_HOME", self.sandbox.path(&format!("config-{shell}")));
        command
    }

    pub fn run(&self, words: &str) -> Ran {
        self.sandbox.finish(&mut self.command(words))
    }

    pub fn run_with_input(&self, words: &str, input: &str) -> Ran {
        self.sandbox.finish_with_input(&mut self.command(words), input)
    }

    /// Signs a user up, with [`PASSWORD`].
    pub fn sign_up(&self, email: &str) -> Ran {
        self.run_with_input(&format!("signup {email} --name Somebody --password-stdin"), PASSWORD)
    }

    /// Makes a user who has [`PASSWORD`] and no session.
    pub fn create(&self, email: &str, more: &str) {
        let words = format!("users create {email} --name Somebody --password-stdin {more}");
        self.run_with_input(&words, PASSWORD).success();
    }

    /// A connection of the test itself, which finds authctl's tables without their schema.
    pub fn sql(&self) -> Client {
        let mut client = Client::connect(self.url(), NoTls).unwrap();
        client.batch_execute("SET search_path = authctl").unwrap();
        client
    }

    pub fn execute(&self, statements: &str) {
        self.sql().batch_execute(statements).expect(statements);
    }

    /// Queries one number.
    pub fn number(&self, query: &str) -> i64 {
        self.sql().query_one(query, &[]).expect(query).get(0)
    }

    /// The audit log is one chain, every user has a password account, and every session a user.
    pub fn assert_whole(&self) {
        self.run("audit verify").success();
        self.run("db check").success();
        let without = r#"SELECT count(*) FROM "user" AS u WHERE 1 <> (SELECT count(*) FROM account AS a
            WHERE a."userId" = u.id AND a."providerId" = 'credential' AND a.password IS NOT NULL)"#;
        assert_eq!(self.number(without), 0, "a user without an account");
    }

    /// Starts all commands and then waits for them. They have no input.
    pub fn at_once(&self, commands: impl IntoIterator<Item = Command>) -> Vec<Ran> {
        let start = |mut command: Command| command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let children: Vec<Child> = commands.into_iter().map(start).collect();
        children.into_iter().map(|child| self.sandbox.ran(&child.wait_with_output().unwrap())).collect()
    }
}

/// The address of the private server, for another role.
pub fn as_role(url: &str, role: &str) -> String {
    url.replacen(&format!("//{}@", server::SUPERUSER), &format!("//{role}@"), 1)
}

/// How many runs ended with a code.
pub fn count(runs: &[Ran], code: i32) -> usize {
    runs.iter().filter(|run| run.code == code).count()
}
