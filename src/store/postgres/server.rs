//! A PostgreSQL server for tests: one private cluster for each test process, started by the first test that needs it.
//!
//! A test begins with `let Some(database) = server::database() else { return };` and connects to `database.url()`. The
//! database is empty, belongs to the test alone and is dropped with the value. Without a server the test says that it
//! is skipped, and fails where `CI` is set. `AUTHCTL_TEST_POSTGRES=postgres://...` names a server for databases, as a
//! role that may create databases. `AUTHCTL_TEST_POSTGRES_BIN` names the directory of the programs that a private cluster
//! runs.
//!
//! The server ends with the process, however that ends: a shell watches a pipe whose other end only the process has.
//!
//! The file knows no other file than `scratch.rs`, so that the unit tests and `tests/it` can both include it.

#![allow(dead_code, unreachable_pub, reason = "each test program that includes the file uses a part of it")]
#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]

use std::fs::{self, Permissions};
use std::io::Read as _;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use nix::unistd::User;
use postgres::{Client, NoTls, SimpleQueryMessage};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

use crate::scratch;

/// The superuser of a private cluster, who needs no password at the socket.
pub const SUPERUSER: &str = "postgres";
/// The name in the server's certificate.
pub const NAME: &str = "db.example.com";

/// Names the directory of the programs that a private cluster runs.
const PROGRAMS: &str = "AUTHCTL_TEST_POSTGRES_BIN";

/// Who may connect to a private cluster, and how. The roles do not exist before a test creates them.
const ACCESS: &str = "\
local   all,replication all           trust
hostssl all authctl_cert 127.0.0.1/32 cert
hostssl all authctl_tls  127.0.0.1/32 scram-sha-256
host    all authctl_tls  127.0.0.1/32 reject
host    all authctl_md5  127.0.0.1/32 md5
host    all authctl_text 127.0.0.1/32 password
host    all authctl_none 127.0.0.1/32 reject
host    all all          127.0.0.1/32 scram-sha-256
";

/// Fast, and without regard for a crash of the machine.
const SETTINGS: &str = "\
password_encryption = 'scram-sha-256'
max_connections = 200
shared_buffers = 32MB
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_size = 128MB
max_wal_senders = 0
autovacuum = off
listen_addresses = '127.0.0.1'
ssl = on
ssl_ca_file = 'root.crt'
";

/// What a cluster needs that others repeat.
const REPLICATED: &str = "\
wal_level = replica
max_wal_senders = 4
synchronous_commit = on
";

/// The version that calls the functions of a backup by other names.
const BACKUP_RENAMED: u32 = 150_000;

/// How often a test asks whether the server is ready, and how often it asks at most.
const POLL: Duration = Duration::from_millis(20);
const POLLS_MAX: u32 = 3_000;

/// A private cluster.
pub struct Server {
    /// Holds the socket, `root.crt` and, in `data`, the cluster.
    pub directory: PathBuf,
    pub port: u16,
    authority: Issuer<'static, KeyPair>,
    /// While it is open, the server runs.
    _watched: ChildStdin,
}

/// Where databases are made.
enum Base {
    Private(&'static Server),
    /// The URL of a server that `AUTHCTL_TEST_POSTGRES` names.
    Named(String),
}

fn named() -> Option<String> {
    variable("AUTHCTL_TEST_POSTGRES")
}

#[allow(clippy::disallowed_methods, reason = "tests have no context that reads the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The private cluster, for tests of the connection itself. They are skipped where only a named server can be had.
pub fn private() -> Option<&'static Server> {
    static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
    let problem = match SERVER.get_or_init(|| Server::start("")) {
        Ok(server) => return Some(server),
        Err(problem) => problem,
    };
    assert!(!is_chosen(), "{problem}");
    let is_ci = variable("CI").is_some_and(|value| value != "false" && value != "0");
    assert!(!is_ci || named().is_some(), "CI is set, so nothing is skipped: {problem}");
    let thread = std::thread::current();
    eprintln!("skipped: {}: {problem}", thread.name().unwrap_or("a test"));
    None
}

/// Whether the programs of the server were named.
pub fn is_chosen() -> bool {
    variable(PROGRAMS).is_some()
}

fn base() -> Option<&'static Base> {
    static NAMED: OnceLock<Option<Base>> = OnceLock::new();
    static PRIVATE: OnceLock<Base> = OnceLock::new();
    match NAMED.get_or_init(|| named().map(Base::Named)) {
        Some(named) => Some(named),
        None => private().map(|server| PRIVATE.get_or_init(|| Base::Private(server))),
    }
}

/// The URL of the database `postgres`, for tests that make a schema of their own there.
pub fn shared() -> Option<String> {
    Some(base()?.url("postgres"))
}

/// The URL of a database for the schemas of apps, beside which authctl makes none of its own.
pub fn apps() -> Option<String> {
    static IS_MADE: OnceLock<()> = OnceLock::new();
    const NAME: &str = "authctl_apps";
    let base = base()?;
    IS_MADE.get_or_init(|| {
        let mut client = Client::connect(&base.url("postgres"), NoTls).expect("the test server is reachable");
        // A server that is kept has it already.
        let _made = client.batch_execute(&format!("CREATE DATABASE {NAME} TEMPLATE template0"));
    });
    Some(base.url(NAME))
}

/// Runs statements in the database of [`shared`]; returns the text that a single query selects.
pub fn run(statements: &str) -> Option<String> {
    static KEPT: Mutex<Vec<Client>> = Mutex::new(Vec::new());
    run_kept(&KEPT, &shared()?, statements)
}

/// As [`run`], in the database of [`apps`].
pub fn run_in_apps(statements: &str) -> Option<String> {
    static KEPT: Mutex<Vec<Client>> = Mutex::new(Vec::new());
    run_kept(&KEPT, &apps()?, statements)
}

/// The major version of the server, for what older ones lack; 0 without a server.
pub fn version() -> u32 {
    let found = run("SELECT current_setting('server_version_num')::int / 10000");
    found.map_or(0, |version| version.parse().expect("a number"))
}

/// Runs statements in a database; returns the text that a single query selects.
pub fn run_in(url: &str, statements: &str) -> Option<String> {
    let mut client = Client::connect(url, NoTls).expect("the test server is reachable");
    run_on(&mut client, statements)
}

/// Runs statements on a connection that is kept for later ones: a new one costs the server more than most statements.
fn run_kept(kept: &Mutex<Vec<Client>>, url: &str, statements: &str) -> Option<String> {
    let kept = || kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let free = kept().pop();
    let mut client = free.unwrap_or_else(|| Client::connect(url, NoTls).expect("the test server is reachable"));
    let found = run_on(&mut client, statements);
    client.batch_execute("DISCARD ALL").expect("no transaction is open");
    kept().push(client);
    found
}

fn run_on(client: &mut Client, statements: &str) -> Option<String> {
    let found = client.simple_query(statements).unwrap_or_else(|error| panic!("{statements}: {error:?}"));
    found.iter().find_map(|one| match one {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    })
}

/// An empty database.
pub fn database() -> Option<TestDatabase> {
    Some(TestDatabase::create(base()?, None))
}

/// A database as `fill` makes it. A private server calls `fill` once for each name and copies the result; a named one
/// keeps nothing and calls it each time. `fill` gets the URL and must end its connections.
pub fn database_like(name: &'static str, fill: impl FnOnce(&str)) -> Option<TestDatabase> {
    static TEMPLATES: Mutex<Vec<(&str, TestDatabase)>> = Mutex::new(Vec::new());
    let base = base()?;
    if matches!(base, Base::Named(_)) {
        let database = TestDatabase::create(base, None);
        fill(database.url());
        return Some(database);
    }
    let mut templates = TEMPLATES.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if !templates.iter().any(|(known, _)| *known == name) {
        let made = TestDatabase::create(base, None);
        fill(made.url());
        templates.push((name, made));
    }
    let template = templates.iter().find(|(known, _)| *known == name)?.1.name.clone();
    drop(templates);
    Some(TestDatabase::create(base, Some(&template)))
}

/// A database of one test.
pub struct TestDatabase {
    base: &'static Base,
    pub name: String,
    url: String,
}

impl TestDatabase {
    fn create(base: &'static Base, template: Option<&str>) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("authctl_test_{}_{number}", std::process::id());
        let template = template.unwrap_or("template0");
        base.execute(&format!("CREATE DATABASE {name} TEMPLATE {template}"));
        let url = base.url(&name);
        Self { base, name, url }
    }

    /// The address, as the superuser or as `AUTHCTL_TEST_POSTGRES` names the role.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The address with parameters, such as `connect_timeout=3`.
    pub fn url_with(&self, parameters: &str) -> String {
        let separator = if self.url.contains('?') { '&' } else { '?' };
        format!("{}{separator}{parameters}", self.url)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        self.base.execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

impl Base {
    fn url(&self, database: &str) -> String {
        match self {
            Self::Private(server) => server.url(database),
            Self::Named(url) => {
                let (place, query) =
                    url.split_once('?').map_or((url.as_str(), None), |(place, query)| (place, Some(query)));
                let (scheme, rest) = place.split_once("://").expect("AUTHCTL_TEST_POSTGRES is a URL");
                let server = rest.split_once('/').map_or(rest, |(server, _)| server);
                let query = query.map(|query| format!("?{query}")).unwrap_or_default();
                format!("{scheme}://{server}/{database}{query}")
            }
        }
    }

    fn execute(&self, statement: &str) {
        let mut client = Client::connect(&self.url("postgres"), NoTls).expect("the test server is reachable");
        client.batch_execute(statement).expect(statement);
    }
}

impl Server {
    /// The URL of a database at the socket, as the superuser.
    pub fn url(&self, database: &str) -> String {
        let directory = self.directory.to_string_lossy().replace('/', "%2F");
        format!("postgres://{SUPERUSER}@{directory}:{}/{database}", self.port)
    }

    /// Runs statements as the superuser.
    pub fn execute(&self, statements: &str) {
        let mut client = Client::connect(&self.url("postgres"), NoTls).expect("the test server is reachable");
        client.batch_execute(statements).expect(statements);
    }

    /// The file with the authority that issued the server's certificate.
    pub fn root_certificate(&self) -> PathBuf {
        self.directory.join("root.crt")
    }

    /// A certificate of the server's authority with its key, both in PEM. `change` may change its names and dates.
    pub fn issue(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> (String, KeyPair) {
        issue(&self.authority, name, change)
    }

    /// A cluster of one test, of which there can be a [`Self::standby`]. Takes lines for its configuration.
    pub fn primary(settings: &str) -> Option<Self> {
        private()?;
        Some(Self::start(&[REPLICATED, settings].concat()).expect("another one runs"))
    }

    /// A copy of the cluster that repeats its changes. It needs no other program than the server, because some packages of it
    /// have no `pg_basebackup`.
    pub fn standby(&self) -> Self {
        let programs = programs().expect("another one runs");
        let user = user().expect("another one runs");
        let directory = directory(user.as_ref()).expect("/tmp can be written").keep();
        let data = directory.join("data");
        let mut client = Client::connect(&self.url("postgres"), NoTls).expect("the test server is reachable");
        let version = run_on(&mut client, "SHOW server_version_num").and_then(|text| text.parse::<u32>().ok());
        let [begin, end] = if version < Some(BACKUP_RENAMED) {
            ["pg_start_backup('standby', true, false)", "pg_stop_backup(false, false)"]
        } else {
            ["pg_backup_start('standby', true)", "pg_backup_stop(false)"]
        };
        run_on(&mut client, &format!("SELECT {begin}"));
        // A temporary file of the server may vanish meanwhile. The copy does not start when it lacks another one.
        let _status =
            Command::new("cp").arg("-a").arg(self.directory.join("data")).arg(&data).stderr(Stdio::null()).status();
        let label =
            run_on(&mut client, &format!("SELECT labelfile FROM {end}")).expect("the server was told of a backup");
        fs::remove_file(data.join("postmaster.pid")).expect("the other one runs");
        let settings = format!(
            "unix_socket_directories = '{}'\nprimary_conninfo = 'host={} port={} user={SUPERUSER}'\n",
            directory.display(),
            self.directory.display(),
            self.port
        );
        let old = fs::read_to_string(data.join("postgresql.conf")).expect("it was copied");
        let file = |name: &str, text: &str| write_private(&data.join(name), text, user.as_ref());
        file("postgresql.conf", &[&old, "\n", &*settings].concat());
        file("backup_label", &label);
        file("standby.signal", "");
        Self::run(&programs, &directory, user.as_ref(), authority().1).expect("the copy is whole")
    }

    fn start(more: &str) -> Result<Self, String> {
        let programs = programs()?;
        let user = user()?;
        let directory = directory(user.as_ref())?;
        let data = directory.path().join("data");
        let mut initdb = Command::new(programs.join("initdb"));
        initdb.arg("--pgdata").arg(&data).args(["--username", SUPERUSER, "--auth", "trust", "--encoding", "UTF8"]);
        initdb.args(["--locale", "C", "--no-sync"]);
        let made = as_user(&mut initdb, user.as_ref()).stdin(Stdio::null()).output().map_err(|e| e.to_string())?;
        if !made.status.success() {
            return Err(format!("initdb failed: {}", String::from_utf8_lossy(&made.stderr)));
        }
        let authority = authority();
        let (certificate, key) = issue(&authority.1, NAME, |_| {});
        let file = |name: &str, text: &str| write_private(&data.join(name), text, user.as_ref());
        file("server.crt", &certificate);
        file("server.key", &key.serialize_pem());
        file("root.crt", &authority.0);
        fs::write(directory.path().join("root.crt"), &authority.0).map_err(|e| e.to_string())?;
        file("pg_hba.conf", ACCESS);
        // The directory belongs to the server from now on; its watcher removes it.
        let directory = directory.keep();
        let settings = format!("{SETTINGS}{more}unix_socket_directories = '{}'\n", directory.display());
        let old = fs::read_to_string(data.join("postgresql.conf")).map_err(|e| e.to_string())?;
        file("postgresql.conf", &format!("{old}\n{settings}"));
        Self::run(&programs, &directory, user.as_ref(), authority.1)
    }

    fn run(
        programs: &Path,
        directory: &Path,
        user: Option<&User>,
        authority: Issuer<'static, KeyPair>,
    ) -> Result<Self, String> {
        // Another process may take the port between the choice and the start.
        let port =
            TcpListener::bind(("127.0.0.1", 0)).and_then(|socket| socket.local_addr()).map_err(|e| e.to_string())?;
        let port = port.port();
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", WATCHER, "watcher"]).arg(programs.join("postgres")).arg(directory).arg(port.to_string());
        shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).current_dir("/");
        // Ctrl-C at the tests must not stop the watcher before it cleans up.
        shell.process_group(0);
        // The messages of a role whose `lc_messages` is another locale than C are German.
        let mut watcher = as_user(&mut shell, user).env("LANGUAGE", "de").spawn().map_err(|e| e.to_string())?;
        let pipe = watcher.stdin.take().ok_or("the watcher has no input")?;
        let server = Self { directory: directory.to_owned(), port, authority, _watched: pipe };
        server.await_ready(&mut watcher)?;
        Ok(server)
    }

    fn await_ready(&self, watcher: &mut Child) -> Result<(), String> {
        for _ in 0..POLLS_MAX {
            if Client::connect(&self.url("postgres"), NoTls).is_ok() {
                return Ok(());
            }
            if watcher.try_wait().map_err(|e| e.to_string())?.is_some() {
                break;
            }
            std::thread::sleep(POLL);
        }
        let mut log = String::new();
        // The watcher ends with the end of the log. One that still runs has it in the file.
        if let (Ok(Some(_)), Some(mut end)) = (watcher.try_wait(), watcher.stdout.take()) {
            end.read_to_string(&mut log).map_err(|e| e.to_string())?;
        } else {
            log = fs::read_to_string(self.directory.join("log")).unwrap_or_default();
        }
        Err(format!("PostgreSQL did not start: {log}"))
    }
}

/// Runs the server until the pipe at its input closes, and removes its directory. It also ends when the server does.
const WATCHER: &str = r#"
exec 3<&0
"$1" -D "$2/data" -p "$3" >"$2/log" 2>&1 </dev/null 3<&- &
server=$!
{ cat <&3 >/dev/null; kill -QUIT "$server"; } 2>/dev/null &
waiting=$!
exec 3<&- </dev/null
wait "$server"
kill "$waiting" 2>/dev/null
[ -s "$2/data/postmaster.pid" ] && sleep 1
tail -n 20 "$2/log"
rm -rf "$2"
"#;

/// A directory for a cluster.
fn directory(user: Option<&User>) -> Result<tempfile::TempDir, String> {
    // The path of a socket has at most 107 bytes.
    let parent = scratch::memory().unwrap_or_else(|| "/tmp".into());
    let directory = tempfile::Builder::new().prefix("authctl-pg-").tempdir_in(parent).map_err(|e| e.to_string())?;
    own(directory.path(), user);
    Ok(directory)
}

/// The directory of `initdb` and `postgres`: the one that `AUTHCTL_TEST_POSTGRES_BIN` names, or else the first in the path, the
/// newest of Debian's, or the usual one of another system.
fn programs() -> Result<PathBuf, String> {
    let is_whole = |directory: &Path| ["initdb", "postgres"].iter().all(|program| directory.join(program).is_file());
    if let Some(named) = variable(PROGRAMS) {
        let problem = || format!("{PROGRAMS}: {named} does not hold initdb and postgres");
        return Some(PathBuf::from(&named)).filter(|directory| is_whole(directory)).ok_or_else(problem);
    }
    let in_path = variable("PATH").unwrap_or_default();
    let mut debian: Vec<PathBuf> =
        fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|e| e.path()).collect();
    debian.sort_by_key(|path| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()));
    let debian = debian.into_iter().rev().map(|version| version.join("bin"));
    let others = ["/usr/local/pgsql/bin", "/usr/local/bin", "/opt/homebrew/bin"].map(PathBuf::from);
    let mut all = std::env::split_paths(&in_path).chain(debian).chain(others);
    all.find(|directory| is_whole(directory))
        .ok_or_else(|| "PostgreSQL is not installed: initdb was not found".to_owned())
}

/// The user that runs the server, because PostgreSQL refuses root; `None` is the user of this process.
pub fn user() -> Result<Option<User>, String> {
    if !nix::unistd::Uid::effective().is_root() {
        return Ok(None);
    }
    let mut known = ["postgres", "nobody"].iter().filter_map(|name| User::from_name(name).ok().flatten());
    known.next().map(Some).ok_or_else(|| "no user other than root can run PostgreSQL".to_owned())
}

pub fn as_user<'a>(command: &'a mut Command, user: Option<&User>) -> &'a mut Command {
    if let Some(user) = user {
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    command.env_clear().env("PATH", "/usr/bin:/bin")
}

/// Writes a file that the server alone may read.
fn write_private(path: &Path, text: &str, user: Option<&User>) {
    fs::write(path, text).expect("the directory can be written");
    fs::set_permissions(path, Permissions::from_mode(0o600)).expect("the file is ours");
    own(path, user);
}

fn own(path: &Path, user: Option<&User>) {
    if let Some(user) = user {
        chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw())).expect("root may give files away");
    }
}

/// A certificate authority: its certificate in PEM, and what issues others.
pub fn authority() -> (String, Issuer<'static, KeyPair>) {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    // Two authorities of one name would be taken for one another.
    let name = format!("Test authority {}", NUMBER.fetch_add(1, Ordering::Relaxed));
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&key).expect("a certificate").pem();
    (certificate, Issuer::new(params, key))
}

/// A certificate for a name, and its key.
pub fn issue(
    authority: &Issuer<'static, KeyPair>,
    name: &str,
    change: impl FnOnce(&mut CertificateParams),
) -> (String, KeyPair) {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    params.distinguished_name.push(DnType::CommonName, name);
    change(&mut params);
    (params.signed_by(&key, authority).expect("a certificate").pem(), key)
}
