//! The pooler `pgbouncer` in transaction mode, with fewer connections of the server than processes.

use std::fs::Permissions;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ::postgres::{Client, NoTls, SimpleQueryMessage};

use super::{Place, count, crowd, server, state};
use crate::machine::skip;
use crate::sandbox::PASSWORD;

const PROCESSES: usize = 16;

/// A running pooler before the private server.
struct Pooler {
    child: Child,
    port: u16,
    _directory: tempfile::TempDir,
}

impl Pooler {
    /// `None` if the pooler is not installed.
    fn start(server: &server::Server, database: &str) -> Option<Self> {
        Self::start_as(server, database, "transaction")
    }

    /// `mode` says what a session of the server is given to a client for.
    fn start_as(server: &server::Server, database: &str, mode: &str) -> Option<Self> {
        let known = ["/usr/sbin", "/usr/bin", "/usr/local/bin"].map(|directory| Path::new(directory).join("pgbouncer"));
        let Some(pgbouncer) = known.iter().find(|path| path.is_file()) else {
            skip("pgbouncer is not installed");
            return None;
        };
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let directory = tempfile::Builder::new().prefix("authctl-").tempdir_in("/tmp").unwrap();
        std::fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
        let settings = directory.path().join("pgbouncer.ini");
        let text = format!(
            "[databases]\n{database} = host={socket} port={} user={user}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = {mode}\ndefault_pool_size = 2\n\
             max_client_conn = 200\n",
            server.port,
            socket = server.directory.display(),
            user = server::SUPERUSER,
        );
        std::fs::write(&settings, text).unwrap();
        let mut command = Command::new(pgbouncer);
        command.arg(&settings).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // It refuses to run as root.
        let child = server::as_user(&mut command, server::user().unwrap().as_ref()).spawn().unwrap();
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(20), "pgbouncer does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(Self { child, port, _directory: directory })
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://{}@127.0.0.1:{}/{database}", server::SUPERUSER, self.port)
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn crowd_works_with_the_state_of_an_app_through_a_pooler() {
    let Some(server) = server::private() else { return };
    let direct = state::app_with_state().unwrap();
    direct.create("ada@example.com", "");
    let Some(pooler) = Pooler::start(server, direct.name()) else { return };
    let homes: Vec<Place> = (0..10).map(|_| Place::at(&pooler.url(direct.name()))).collect();
    let command = |(n, home): (usize, &Place)| {
        home.sandbox.file("pw", PASSWORD);
        home.command(&match n % 5 {
            0 => format!("users create u{n}@example.com --name U --password-file pw --wait 60s"),
            1 => format!("policy set throttle.free-attempts {} --wait 60s", n + 10),
            2 => "signin ada@example.com --password-file pw --wait 60s".to_owned(),
            3 => "db check --wait 60s".to_owned(),
            _ => "audit verify --wait 60s".to_owned(),
        })
    };
    let runs = direct.at_once(homes.iter().enumerate().map(command));
    assert_eq!(count(&runs, 0), homes.len(), "{runs:?}");
    direct.run("audit verify").success();
    let acts = direct
        .number("SELECT count(*) FROM authctl_audit WHERE event IN ('user.created', 'policy.set', 'session.begun')");
    assert_eq!(acts, 1 + 2 + 2 + 2);
}

#[test]
fn crowd_shares_two_connections_of_a_pooler() {
    let Some(server) = server::private() else { return };
    let direct = Place::new().unwrap();
    direct.sandbox.file("pw", PASSWORD);
    direct.create("user0@example.com", "");
    direct.execute(&crowd::copies(1..PROCESSES + 1));
    let Some(pooler) = Pooler::start(server, direct.name()) else { return };
    let place = Place::at(&pooler.url(direct.name()));
    place.sandbox.file("pw", PASSWORD);
    for round in 0..3 {
        let command = |n: usize| {
            let words = match (n + round) % 9 {
                0 => format!("signin user{n}@example.com --password-file pw"),
                1 => format!("users ban user{n}@example.com"),
                2 => "users list --sort name".to_owned(),
                3 => format!("users create new{n}-{round}@example.com --name New --password-file pw"),
                4 => "sessions prune".to_owned(),
                5 => "audit verify".to_owned(),
                6 => "db check".to_owned(),
                7 => format!("tokens create --name t{round} --user user{n}@example.com"),
                _ => format!("users unban user{n}@example.com"),
            };
            let mut command = place.command_of(n, &words);
            command.args(["--wait", "60s"]);
            command
        };
        for ran in place.at_once((1..=PROCESSES).map(command)) {
            assert!(ran.code == 0 || ran.code == 5 && ran.stderr.contains("banned"), "{ran}");
        }
    }
    direct.assert_whole();
    // What a transaction sets ends with it.
    let shown = |client: &mut Client, name: &str| {
        let answer = client.simple_query(&format!("SHOW {name}")).unwrap();
        answer.iter().find_map(|one| match one {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        })
    };
    let mut both: Vec<Client> = (0..2).map(|_| Client::connect(&pooler.url(direct.name()), NoTls).unwrap()).collect();
    let mut fresh = Client::connect(direct.url(), NoTls).unwrap();
    for client in &mut both {
        client.batch_execute("BEGIN").unwrap();
    }
    for name in
        ["search_path", "lock_timeout", "row_security", "idle_in_transaction_session_timeout", "synchronous_commit"]
    {
        let expected = shown(&mut fresh, name);
        for client in &mut both {
            assert_eq!(shown(client, name), expected, "{name}");
        }
    }
}

#[test]
fn pooler_of_statements_is_refused() {
    let Some(server) = server::private() else { return };
    let direct = Place::new().unwrap();
    let Some(pooler) = Pooler::start_as(server, direct.name(), "statement") else { return };
    let place = Place::at(&pooler.url(direct.name()));
    for words in ["users list", "users ban ada@example.com", "db status"] {
        let error = place.run(&format!("{words} --json")).json_error(9);
        assert_eq!(error["code"], "POOLER_UNSUITABLE", "{error}");
    }
}
