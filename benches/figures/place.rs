//! The benchmark's home directory: a database with so many users, a session each, and as many audit entries. It is on
//! the file system of the build, because a temporary directory may be in memory, where writes cost nothing.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use authctl::auth::audit::{Actor, Entry, Event, FORM, Subject};
use jiff::Timestamp;
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// A copy of the program, as an installation makes it. The file that a linker writes is kept in smaller pieces, and a start
/// from it takes a millisecond more.
const PROGRAM: &str = "authctl";

/// Gives the first user an id like that of the others.
const NAME_FIRST: &str = r#"
    PRAGMA foreign_keys = OFF;
    UPDATE "user" SET "id" = printf('user%028d', 1);
    UPDATE "account" SET "userId" = printf('user%028d', 1), "accountId" = printf('user%028d', 1);
    UPDATE "session" SET "userId" = printf('user%028d', 1);
    PRAGMA foreign_keys = ON;"#;
const FILL: &str = r#"
    WITH RECURSIVE "n" ("i") AS (SELECT 2 UNION ALL SELECT "i" + 1 FROM "n" WHERE "i" < ?1)
    INSERT INTO "user" ("id", "name", "email", "emailVerified", "createdAt", "updatedAt")
    SELECT printf('user%028d', "i"), 'User ' || "i", 'user' || "i" || '@example.com', 0, "createdAt", "updatedAt"
    FROM "n", (SELECT * FROM "user" LIMIT 1)"#;
const FILL_ACCOUNTS: &str = r#"
    INSERT INTO "account" ("id", "accountId", "providerId", "userId", "password", "createdAt", "updatedAt")
    SELECT "user"."id", "user"."id", 'credential', "user"."id", "one"."password", "user"."createdAt", "user"."updatedAt"
    FROM "user", (SELECT * FROM "account" LIMIT 1) AS "one" WHERE "user"."id" <> "one"."userId""#;
const FILL_SESSIONS: &str = r#"
    INSERT INTO "session" ("id", "token", "userId", "expiresAt", "createdAt", "updatedAt")
    SELECT "user"."id", "user"."id" || "user"."id", "user"."id", "one"."expiresAt", "one"."createdAt", "one"."updatedAt"
    FROM "user", (SELECT * FROM "session" LIMIT 1) AS "one" WHERE "user"."id" <> "one"."userId""#;

pub(crate) struct Place {
    /// Users, sessions and, but for a few, entries of the audit log.
    pub(crate) users: usize,
    directory: TempDir,
    /// How often a new user has signed up.
    newcomers: AtomicUsize,
    /// The database as `AUTHCTL_DB` names it.
    database: String,
    /// The server, when the database is copied there.
    server: Option<String>,
    /// The query of `whoami`.
    question: String,
}

impl Place {
    pub(crate) fn new(users: usize) -> Self {
        let directory = TempDir::with_prefix_in("figures-", env!("CARGO_TARGET_TMPDIR")).unwrap();
        fs::write(directory.path().join("password"), PASSWORD).unwrap();
        fs::write(directory.path().join("wrong-password"), "nine purple umbrellas sing").unwrap();
        fs::copy(env!("CARGO_BIN_EXE_authctl"), directory.path().join(PROGRAM)).unwrap();
        let file = directory.path().join("auth.db");
        let name = file.to_str().unwrap().to_owned();
        let mut first = authctl(&directory, &name, &["signup", "user1@example.com", "--name", "User 1"]);
        first.arg("--password-file").arg(directory.path().join("password"));
        assert!(first.stdin(Stdio::null()).stderr(Stdio::null()).status().unwrap().success());
        let database = rusqlite::Connection::open(file).unwrap();
        // The triggers of a native database refuse rows of other programs.
        database.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false).unwrap();
        let token: String = database.query_row(r#"SELECT "token" FROM "session""#, [], |row| row.get(0)).unwrap();
        database.execute_batch(NAME_FIRST).unwrap();
        database.execute(FILL, [i64::try_from(users).unwrap()]).unwrap();
        database.execute(FILL_ACCOUNTS, []).unwrap();
        database.execute(FILL_SESSIONS, []).unwrap();
        database.execute_batch(authctl::store::sqlite::FILL_SEARCH).unwrap();
        fill_log(&database, users);
        let question = question("", &token);
        Self { users, directory, newcomers: AtomicUsize::new(0), database: name, server: None, question }
    }

    /// Copies the database into a schema of its own on a server, and signs the first user in there. Returns how long the
    /// copy takes.
    pub(crate) fn copy_to_server(&mut self, address: &str) -> Duration {
        let schema = format!("figures{}_{}", self.users, std::process::id());
        let copy = format!("{address}{}schema={schema}", if address.contains('?') { '&' } else { '?' });
        let start = Instant::now();
        assert!(succeeds(self.authctl(&["db", "copy", &self.database]).arg(&copy)), "{copy}");
        let took = start.elapsed();
        self.database = copy;
        self.server = Some(address.to_owned());
        // What the server does by itself, some time later.
        for table in ["user", "session", "account", "authctl_audit"] {
            self.psql(&format!(r#"VACUUM ANALYZE {schema}."{table}""#));
        }
        let mut sign_in = self.authctl(&["signin", "user1@example.com", "--password-file"]);
        assert!(succeeds(sign_in.arg(self.path("password"))));
        let newest = format!(r#"SELECT "token" FROM {schema}."session" ORDER BY "seq" DESC LIMIT 1"#);
        self.question = question(&format!("{schema}."), &self.psql(&newest));
        took
    }

    /// Drops the copy on a server.
    pub(crate) fn leave_server(&self) {
        let (_, schema) = self.database.rsplit_once('=').unwrap();
        self.psql(&format!("DROP SCHEMA {schema} CASCADE"));
    }

    /// Asks the server as a shell script does.
    pub(crate) fn psql_question(&self) -> Command {
        psql(self.server.as_ref().unwrap(), &self.question)
    }

    fn psql(&self, sql: &str) -> String {
        let output = psql(self.server.as_ref().unwrap(), sql).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub(crate) fn authctl(&self, words: &[impl AsRef<OsStr>]) -> Command {
        authctl(&self.directory, &self.database, words)
    }

    /// Signs in from another shell, to keep the session of `whoami`.
    pub(crate) fn sign_in(&self, email: &str, password_file: &str) -> Command {
        let mut command = self.authctl(&["signin", email, "--password-file"]);
        command.arg(self.path(password_file)).env("XDG_CONFIG_HOME", self.path("other-config"));
        command
    }

    /// Signs up a new user.
    pub(crate) fn sign_up(&self) -> Command {
        let number = 1 + self.newcomers.fetch_add(1, Ordering::Relaxed);
        let email = format!("new{number}@example.com");
        let mut command = self.authctl(&["signup", &email, "--name", "New", "--password-file"]);
        command.arg(self.path("password")).env("XDG_CONFIG_HOME", self.path("other-config"));
        command
    }

    pub(crate) fn sqlite3(&self) -> Command {
        let mut command = peer("sqlite3");
        command.arg(self.path("auth.db")).arg(&self.question);
        command
    }

    /// The time of the cheapest durable write.
    pub(crate) fn write_and_sync(&self) -> Duration {
        let start = Instant::now();
        let mut file = fs::File::create(self.path("synced")).unwrap();
        file.write_all(&[1; 4096]).unwrap();
        file.sync_all().unwrap();
        start.elapsed()
    }

    /// Makes ready for the next run. On a server, it waits until the process of the run before has ended, which goes on after
    /// its client. In a file, it deletes failed attempts, so that earlier runs do not throttle later ones, and closes the
    /// database, because the last connection has more work to do when it closes.
    pub(crate) fn prepare(&self) {
        if self.server.is_some() {
            std::thread::sleep(SERVER_END);
            return;
        }
        let database = rusqlite::Connection::open(self.path("auth.db")).unwrap();
        database.execute(r#"DELETE FROM "authctl_throttle""#, []).unwrap();
    }

    /// The type of the file system, where `stat` reports it.
    pub(crate) fn file_system(&self) -> String {
        let stat = Command::new("stat").args(["-f", "-c", "%T"]).arg(self.directory.path()).output();
        let kind = stat.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
        if kind.is_empty() { "a file system of unknown kind".to_owned() } else { kind }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

/// Writes a long audit log, chained as authctl chains it.
fn fill_log(database: &rusqlite::Connection, entries: usize) {
    let last = r#"SELECT "seq", "at", "event", "osUser", "host", "userId", "hash" FROM "authctl_audit""#;
    let mut last = database
        .query_row(&format!(r#"{last} ORDER BY "seq" DESC LIMIT 1"#), [], |row| {
            Ok(Entry {
                seq: row.get::<_, i64>(0)?.unsigned_abs(),
                at: Timestamp::from_second(row.get(1)?).unwrap(),
                event: row.get(2)?,
                os_user: row.get(3)?,
                host: row.get(4)?,
                form: FORM,
                actor_id: None,
                actor_email: None,
                user_id: row.get(5)?,
                user_email: None,
                session_id: None,
                reason: None,
                detail: None,
                changes: None,
                hash: row.get(6)?,
            })
        })
        .unwrap();
    let tx = database.unchecked_transaction().unwrap();
    let insert = r#"INSERT INTO "authctl_audit" ("seq", "at", "event", "osUser", "host", "userId", "hash", "form")
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"#;
    let mut statement = tx.prepare(insert).unwrap();
    for number in 0..entries {
        let event = Event::user("user.updated", Subject::read(&format!("user{number:028}"), None));
        last = Entry::following(Some(&last), &Actor::default(), event);
        let seq = i64::try_from(last.seq).unwrap();
        let Entry { event, os_user, host, user_id, hash, .. } = &last;
        let values = (seq, last.at.as_second(), event, os_user, host, user_id, hash, last.form);
        statement.execute(values).unwrap();
    }
    drop(statement);
    tx.commit().unwrap();
}

fn authctl(directory: &TempDir, database: &str, words: &[impl AsRef<OsStr>]) -> Command {
    let mut command = Command::new(directory.path().join(PROGRAM));
    command.args(words).env_clear().env("HOME", directory.path()).env("AUTHCTL_DB", database);
    command
}

/// The query of `whoami`, with what precedes the name of a table.
fn question(schema: &str, token: &str) -> String {
    format!(
        r#"SELECT * FROM {schema}"session" AS "s" JOIN {schema}"user" AS "u" ON "u"."id" = "s"."userId"
           WHERE "token" = '{token}'"#
    )
}

/// Debian's `psql` in the path of users is a script that starts another program.
fn psql(address: &str, sql: &str) -> Command {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found = versions.map(|version| version.path().join("bin/psql")).filter(|path| path.exists());
    let mut command = peer(found.next().unwrap_or_else(|| "psql".into()));
    command.args(["-XAtc", sql, address]);
    command
}

/// Longer than the process of a connection takes to end.
const SERVER_END: Duration = Duration::from_millis(5);

/// A program that is compared with authctl, and has no more of an environment. In that of cargo it would look for its libraries
/// in other places first.
fn peer(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    command
}

pub(crate) fn sqlite3_is_here() -> bool {
    succeeds(Command::new("sqlite3").arg("--version"))
}

/// A program that loads libsodium, under its name in Debian, and computes one hash with the default parameters of authctl, or nothing.
pub(crate) fn libsodium(computes: bool) -> Command {
    let hash = format!(
        "import ctypes\n\
         sodium = ctypes.CDLL('libsodium.so.23')\n\
         sodium.sodium_init()\n\
         tag = ctypes.create_string_buffer(32)\n\
         if {}: sodium.crypto_pwhash(tag, ctypes.c_ulonglong(32), b'{PASSWORD}', ctypes.c_ulonglong({}), b'0123456789abcdef', \
         ctypes.c_ulonglong(2), ctypes.c_size_t(19456 * 1024), 2)\n",
        if computes { "True" } else { "False" },
        PASSWORD.len(),
    );
    let mut command = Command::new("python3");
    command.arg("-c").arg(hash);
    command
}

pub(crate) fn libsodium_is_here() -> bool {
    succeeds(&mut libsodium(false))
}

fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
