//! Real connections: to a private server, and to listeners on loopback that answer as a script says.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;

use rcgen::{CertificateParams, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::super::address::{Libpq, LibpqEnv, LibpqFile, LibpqFiles};
use super::super::server::{self, NAME, Server};
use super::*;

pub(super) const WAIT: Duration = Duration::from_secs(20);

/// No files and no environment.
struct Nothing;

impl LibpqFiles for Nothing {
    fn read(&self, _: &Path) -> io::Result<LibpqFile> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn exists(&self, _: &Path) -> bool {
        false
    }
}

pub(in crate::store) fn address(text: &str) -> Address {
    let env = LibpqEnv { os_user: || Some("me".into()), ..LibpqEnv::default() };
    Address::parse(text, &Libpq { env: &env, files: &Nothing }).unwrap()
}

fn open(text: &str) -> Result<Client, ConnectError> {
    connect(&address(text), WAIT, None)
}

pub(super) fn refusal(text: &str) -> ConnectError {
    open(text).err().unwrap_or_else(|| panic!("connected to {text}"))
}

/// The error of a single attempt, also where a later one may succeed.
fn first_refusal(text: &str) -> ConnectError {
    connect(&address(&format!("{text}&connect_timeout=20")), Duration::ZERO, None).unwrap_err()
}

fn tls_error(text: &str) -> TlsError {
    match refusal(text) {
        ConnectError::Tls { source, .. } => source,
        other => panic!("{text}: {other:?}"),
    }
}

fn batch(client: &Client, statements: &str) -> Result<(), tokio_postgres::Error> {
    client.wait_for(WAIT, async |driver| driver.batch_execute(statements).await)
}

fn one(client: &Client, question: &str) -> String {
    let messages = client.wait_for(WAIT, async |driver| driver.simple_query(question).await).unwrap();
    let found = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    found.unwrap()
}

const HAS_TLS: &str = "SELECT ssl FROM pg_catalog.pg_stat_ssl WHERE pid = pg_catalog.pg_backend_pid()";

/// Creates a role for a test, if another test has not yet.
fn role(server: &Server, name: &str, password: &str) {
    server.execute(&format!(
        "DO $$ BEGIN CREATE ROLE {name} LOGIN PASSWORD '{password}';
         EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
    ));
}

#[test]
fn socket_connects_under_the_name_authctl() {
    let Some(database) = server::database() else { return };
    let client = open(database.url()).unwrap();
    assert_eq!(one(&client, "SELECT pg_catalog.current_database()"), database.name);
    assert_eq!(one(&client, "SHOW application_name"), "authctl");
    let client = open(&database.url_with("application_name=tool&options=-c%20lock_timeout%3D7")).unwrap();
    assert_eq!(one(&client, "SHOW application_name"), "tool");
    assert_eq!(one(&client, "SHOW lock_timeout"), "7ms");
}

#[test]
fn each_test_has_an_empty_database_or_a_copy() {
    let fill = |url: &str| batch(&open(url).unwrap(), "CREATE TABLE t (n int); INSERT INTO t VALUES (7)").unwrap();
    let Some(first) = server::database_like("seven", fill) else { return };
    let Some(second) = server::database_like("seven", fill) else { return };
    let Some(empty) = server::database() else { return };
    batch(&open(first.url()).unwrap(), "DELETE FROM t").unwrap();
    assert_eq!(one(&open(second.url()).unwrap(), "SELECT n FROM t"), "7");
    assert!(batch(&open(empty.url()).unwrap(), "SELECT n FROM t").is_err());
    let gone = empty.url().to_owned();
    drop(empty);
    assert!(matches!(refusal(&gone), ConnectError::NoDatabase { .. }));
}

/// Set for a process that only keeps its server until it is killed.
const KEEPS: &str = "AUTHCTL_TEST_KEEPS_SERVER";

#[test]
#[expect(clippy::disallowed_methods, reason = "the other half of the next test")]
fn kept_server_waits_for_the_kill() {
    if std::env::var_os(KEEPS).is_none() {
        return;
    }
    let Some(server) = server::private() else { return };
    println!("\ndirectory {}", server.directory.display());
    let _ = io::stdin().read(&mut [0]);
}

#[test]
fn server_ends_with_a_killed_process() {
    if server::private().is_none() {
        return;
    }
    let mut tests = Command::new(std::env::current_exe().unwrap());
    tests.args(["--exact", "store::postgres::connect::tests::kept_server_waits_for_the_kill", "--nocapture"]);
    let mut process = tests.env(KEEPS, "1").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let directory = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("directory ").map(PathBuf::from));
    let directory = directory.unwrap();
    assert!(directory.join("data/postmaster.pid").exists());
    process.kill().unwrap();
    process.wait().unwrap();
    let is_gone = |_: &u32| {
        std::thread::sleep(Duration::from_millis(50));
        !directory.exists()
    };
    assert!((0..400).find(is_gone).is_some(), "{} is still there", directory.display());
}

#[test]
fn password_is_proven_by_scram_over_tcp() {
    let Some(server) = server::private() else { return };
    role(server, "scram", "s3cret");
    let port = server.port;
    let client = open(&format!("postgres://scram:s3cret@localhost:{port}/postgres")).unwrap();
    assert_eq!(one(&client, HAS_TLS), "t", "TLS is used where it is offered");
    let client = open(&format!("postgres://scram:s3cret@127.0.0.1:{port}/postgres?sslmode=disable")).unwrap();
    assert_eq!(one(&client, HAS_TLS), "f");
    let wrong = refusal(&format!("postgres://scram:canary@127.0.0.1:{port}/postgres"));
    assert!(matches!(wrong, ConnectError::Authentication { .. }), "{wrong:?}");
    assert!(!format!("{wrong} {wrong:?}").contains("canary"));
    assert!(wrong.to_string().starts_with(&format!("127.0.0.1:{port} refused the role `scram`: ")), "{wrong}");
    let missing = refusal(&format!("postgres://scram@127.0.0.1:{port}/postgres"));
    assert!(matches!(missing, ConnectError::NoPassword { .. }), "{missing:?}");
    let unknown = refusal(&format!("postgres://stranger:x@127.0.0.1:{port}/postgres"));
    assert!(matches!(unknown, ConnectError::Authentication { .. }), "{unknown:?}");
}

#[test]
fn other_ways_to_authenticate_work_or_are_named() {
    let Some(server) = server::private() else { return };
    let port = server.port;
    server.execute(
        "SET password_encryption = 'md5'; CREATE ROLE authctl_md5 LOGIN PASSWORD 'p'; CREATE ROLE authctl_text LOGIN PASSWORD 'p'",
    );
    for role in ["authctl_md5", "authctl_text"] {
        open(&format!("postgres://{role}:p@127.0.0.1:{port}/postgres")).unwrap();
        // SCRAM alone has channel binding.
        let bound = refusal(&format!("postgres://{role}:p@127.0.0.1:{port}/postgres?channel_binding=require"));
        assert!(matches!(bound, ConnectError::NoChannelBinding { .. }), "{bound:?}");
    }
    let rule = refusal(&format!("postgres://authctl_none@127.0.0.1:{port}/postgres"));
    assert!(matches!(rule, ConnectError::Authentication { .. }), "{rule:?}");
}

#[test]
fn missing_database_is_named() {
    let Some(server) = server::private() else { return };
    let error = refusal(&server.url("absent"));
    assert!(matches!(&error, ConnectError::NoDatabase { database, .. } if database == "absent"), "{error:?}");
}

#[test]
fn mode_decides_which_certificate_is_accepted() {
    let Some(server) = server::private() else { return };
    role(server, "scram", "s3cret");
    let root = server.root_certificate();
    let directory = tempfile::tempdir().unwrap();
    let other = directory.path().join("other.crt");
    fs::write(&other, server::authority().0).unwrap();
    let (root, other) = (root.display(), other.display());
    let url = |name: &str, rest: &str| {
        format!("postgres://scram:s3cret@{name}:{}/postgres?hostaddr=127.0.0.1&{rest}", server.port)
    };
    for mode in ["allow", "prefer", "require"] {
        let client = open(&url("wrong.example.com", &format!("sslmode={mode}"))).unwrap();
        assert_eq!(one(&client, HAS_TLS), "t", "{mode}");
        // With roots the chain is verified, as in libpq.
        open(&url("wrong.example.com", &format!("sslmode={mode}&sslrootcert={root}"))).unwrap();
        assert_eq!(tls_error(&url(NAME, &format!("sslmode={mode}&sslrootcert={other}"))), TlsError::UnknownRoot);
    }
    let verify_ca = |rest: &str| format!("sslmode=verify-ca&sslrootcert={rest}");
    open(&url("wrong.example.com", &verify_ca(&root.to_string()))).unwrap();
    assert_eq!(tls_error(&url(NAME, &verify_ca(&other.to_string()))), TlsError::UnknownRoot);
    let full = format!("sslmode=verify-full&channel_binding=require&sslrootcert={root}");
    assert_eq!(one(&open(&url(NAME, &full)).unwrap(), HAS_TLS), "t");
    open(&url(NAME, &format!("ssl_min_protocol_version=TLSv1.3&sslsni=0&{full}"))).unwrap();
    assert_eq!(tls_error(&url("wrong.example.com", &full)), TlsError::WrongName);
    let missing = tls_error(&url(NAME, "sslmode=verify-full&sslrootcert=/absent"));
    assert!(matches!(missing, TlsError::File { .. }), "{missing:?}");
    let bound = refusal(&url(NAME, "sslmode=disable&channel_binding=require"));
    assert!(matches!(bound, ConnectError::NoChannelBinding { .. }), "{bound:?}");
}

/// Writes a certificate and its key, and returns the parameters that name them.
fn client_files(directory: &Path, (certificate, key): (String, KeyPair), mode: u32) -> String {
    let (crt, pem) = (directory.join("client.crt"), directory.join("client.key"));
    fs::write(&crt, certificate).unwrap();
    fs::write(&pem, key.serialize_pem()).unwrap();
    fs::set_permissions(&pem, fs::Permissions::from_mode(mode)).unwrap();
    format!("sslcert={}&sslkey={}", crt.display(), pem.display())
}

#[test]
fn client_certificate_replaces_the_password() {
    let Some(server) = server::private() else { return };
    role(server, "authctl_cert", "unused");
    let directory = tempfile::tempdir().unwrap();
    let url =
        |files: &str| format!("postgres://authctl_cert@127.0.0.1:{}/postgres?sslmode=require&{files}", server.port);
    let none = refusal(&url(""));
    assert!(matches!(none, ConnectError::Authentication { .. }), "{none:?}");
    let files = client_files(directory.path(), server.issue("authctl_cert", |_| {}), 0o600);
    open(&url(&files)).unwrap();
    let files = client_files(directory.path(), server.issue("another_role", |_| {}), 0o600);
    let other = refusal(&url(&files));
    assert!(matches!(other, ConnectError::Authentication { .. }), "{other:?}");
    let foreign = server::issue(&server::authority().1, "authctl_cert", |_| {});
    assert_eq!(tls_error(&url(&client_files(directory.path(), foreign, 0o600))), TlsError::ClientCertificate);
    let open_key = client_files(directory.path(), server.issue("authctl_cert", |_| {}), 0o644);
    assert!(matches!(tls_error(&url(&open_key)), TlsError::File { path, .. } if path.ends_with("client.key")));
}

#[test]
fn state_of_the_server_is_checked() {
    let Some(database) = server::database() else { return };
    let url = |target: &str| database.url_with(&format!("target_session_attrs={target}"));
    for target in ["any", "read-write", "primary", "prefer-standby"] {
        open(&url(target)).unwrap();
    }
    for (target, wanted) in [("read-only", "read-only"), ("standby", "a standby server")] {
        let error = refusal(&url(target));
        assert!(matches!(&error, ConnectError::WrongState { wanted: found, .. } if *found == wanted), "{error:?}");
    }
}

/// A port at which nothing listens.
fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn unreachable_server_is_named_and_the_next_one_serves() {
    let closed = closed_port();
    let error = refusal(&format!("postgres://127.0.0.1:{closed}/x"));
    assert!(matches!(&error, ConnectError::Unreachable { host, source }
        if *host == format!("127.0.0.1:{closed}") && source.kind() == io::ErrorKind::ConnectionRefused));
    assert!(matches!(refusal("host=/absent"), ConnectError::Unreachable { .. }));
    assert!(matches!(refusal("host=name.invalid sslmode=disable"), ConnectError::Unreachable { .. }));
    let error = refusal(&format!("host=localhost,/absent port={closed},5432"));
    assert!(matches!(&error, ConnectError::Several(errors) if errors.len() == 2), "{error:?}");
    assert!(error.to_string().starts_with(&format!("localhost:{closed} cannot be reached: ")), "{error}");
    let Some(server) = server::private() else { return };
    let socket = server.directory.display();
    for balance in ["disable", "random"] {
        let hosts = format!("host=127.0.0.1,{socket} port={closed},{} user=postgres", server.port);
        open(&format!("{hosts} dbname=postgres load_balance_hosts={balance}")).unwrap();
        // A server that refuses the role or the database ends the search.
        let error = refusal(&format!("host={socket},127.0.0.1 port={},{closed} user=postgres dbname=no", server.port));
        assert!(matches!(error, ConnectError::NoDatabase { .. }), "{error:?}");
    }
}

/// A listener that serves its first connections one after the other.
pub(super) fn listener(serve: impl Fn(TcpStream, usize) + Send + 'static, connections: usize) -> (u16, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = std::thread::spawn(move || {
        for number in 0..connections {
            let Ok((stream, _)) = listener.accept() else { return };
            serve(stream, number);
        }
    });
    (port, thread)
}

/// Reads one message without a type: the request for TLS or the start of a session.
pub(super) fn read_start(stream: &mut impl io::Read) {
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    let mut rest = vec![0; u32::from_be_bytes(length) as usize - 4];
    stream.read_exact(&mut rest).unwrap();
}

/// A listener without TLS that answers the start of a session with some bytes.
fn answering(answers: Vec<Vec<u8>>) -> String {
    let connections = answers.len();
    let serve = move |mut stream: TcpStream, number: usize| {
        read_start(&mut stream);
        let _ = stream.write_all(&answers[number]);
        let _ = stream.shutdown(Shutdown::Write);
        let _ = stream.read(&mut [0]);
    };
    format!("postgres://ada:canary@127.0.0.1:{}/app?sslmode=disable", listener(serve, connections).0)
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap();
    [&[kind], &length.to_be_bytes()[..], body].concat()
}

/// An error of the server, in a language that no test depends on.
pub(super) fn error(code: &str) -> Vec<u8> {
    message(b'E', format!("SFATAL\0VFATAL\0C{code}\0Mnon è possibile\0\0").as_bytes())
}

/// A session that is ready.
pub(super) fn ready() -> Vec<u8> {
    [message(b'R', &[0, 0, 0, 0]), message(b'Z', b"I")].concat()
}

#[test]
#[expect(clippy::disallowed_methods, reason = "measures the wait")]
fn silent_server_ends_at_the_limit() {
    let (port, _) = listener(|stream, _| std::mem::forget(stream), 1);
    let start = Instant::now();
    let error = refusal(&format!("postgres://127.0.0.1:{port}/x?connect_timeout=1"));
    let limit = Duration::from_secs(2);
    assert!(matches!(error, ConnectError::Silent { limit: found, .. } if found == limit), "{error:?}");
    assert!((limit..limit * 4).contains(&start.elapsed()));
}

#[test]
fn refusals_are_told_apart_by_sqlstate() {
    let told = |code: &str| refusal(&answering(vec![error(code)]));
    assert!(matches!(told("28P01"), ConnectError::Authentication { .. }));
    assert!(matches!(told("28000"), ConnectError::Authentication { .. }));
    assert!(matches!(told("3D000"), ConnectError::NoDatabase { .. }));
    let ConnectError::NoRight { grant, .. } = told("42501") else { panic!("a right is missing") };
    assert!(grant.starts_with("GRANT CONNECT ON DATABASE "), "{grant}");
    assert!(matches!(told("08P01"), ConnectError::Refused { code, .. } if code == "08P01"));
    assert!(matches!(
        connect(&address(&answering(vec![error("53300")])), Duration::ZERO, None),
        Err(ConnectError::TooManyConnections { .. })
    ));
    assert!(matches!(
        connect(&address(&answering(vec![error("57P03")])), Duration::ZERO, None),
        Err(ConnectError::NotReady { .. })
    ));
}

#[test]
fn server_that_starts_up_is_asked_again() {
    open(&answering(vec![error("57P03"), error("53300"), Vec::new(), ready()])).unwrap();
}

/// The answer to `SHOW transaction_read_only`.
fn read_only(value: &str) -> Vec<u8> {
    let row = [&[0, 1, 0, 0, 0, u8::try_from(value.len()).unwrap()], value.as_bytes()].concat();
    let column = [b"\0\x01transaction_read_only\0".as_slice(), &[0; 18]].concat();
    [message(b'T', &column), message(b'D', &row), message(b'C', b"SHOW\0"), message(b'Z', b"I")].concat()
}

#[test]
fn cluster_without_a_leader_is_asked_again() {
    let answers = |leads_at: usize| {
        let serve = move |mut stream: TcpStream, number: usize| {
            read_start(&mut stream);
            stream.write_all(&ready()).unwrap();
            let _ = stream.read(&mut [0; 64]);
            let _ = stream.write_all(&read_only(if number < leads_at { "on" } else { "off" }));
            let _ = stream.read(&mut [0]);
        };
        listener(serve, 3).0
    };
    let hosts = |ports: [u16; 2]| {
        let rest = "host=127.0.0.1,127.0.0.1 user=ada dbname=app sslmode=disable target_session_attrs=read-write";
        format!("{rest} port={},{}", ports[0], ports[1])
    };
    open(&hosts([answers(9), answers(2)])).unwrap();
    let none = connect(&address(&hosts([answers(9), answers(9)])), Duration::ZERO, None);
    assert!(matches!(none, Err(ConnectError::Several(errors)) if errors.len() == 2));
}

#[test]
fn answers_that_are_not_understood_are_told_apart() {
    let gss = message(b'R', &[0, 0, 0, 7]);
    assert!(matches!(refusal(&answering(vec![gss])), ConnectError::UnsupportedAuthentication { .. }));
    let sasl = message(b'R', b"\0\0\0\x0aOAUTHBEARER\0\0");
    assert!(matches!(refusal(&answering(vec![sasl])), ConnectError::UnsupportedAuthentication { .. }));
    for nonsense in [&b""[..], b"HTTP/1.1 400 Bad Request\r\n\r\n"] {
        let error = first_refusal(&answering(vec![nonsense.to_vec()]));
        assert!(matches!(error, ConnectError::NoAnswer { .. }), "{error:?}");
        assert!(!format!("{error:?}").contains("canary"));
    }
}

#[test]
fn server_without_tls_gets_nothing_where_tls_is_required() {
    let serve = |mut stream: TcpStream, _| {
        read_start(&mut stream);
        stream.write_all(b"N").unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        assert!(rest.is_empty());
    };
    for mode in ["require", "verify-full"] {
        let (port, thread) = listener(serve, 1);
        let url = format!("postgres://ada:canary@127.0.0.1:{port}/x?sslmode={mode}");
        assert_eq!(tls_error(&url), TlsError::NotOffered);
        thread.join().unwrap();
    }
}

/// A listener that speaks TLS with a certificate and ends after the handshake. `direct` expects no request before it.
fn tls_listener(certificate: String, key: KeyPair, direct: bool) -> u16 {
    let serve = move |mut stream: TcpStream, _| {
        if !direct {
            read_start(&mut stream);
            stream.write_all(b"S").unwrap();
        }
        let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let mut config = builder.with_no_client_auth().with_single_cert(chain, key).unwrap();
        if direct {
            config.alpn_protocols = vec![b"postgresql".to_vec()];
        }
        let mut session = StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), stream);
        let _ = session.read(&mut [0; 512]);
        if direct {
            assert_eq!(session.conn.alpn_protocol(), Some(&b"postgresql"[..]));
            session.write_all(&ready()).unwrap();
        }
    };
    listener(serve, 1).0
}

/// A file with a certificate, in a directory that must outlive it.
fn root_file(directory: &tempfile::TempDir, certificate: &str) -> PathBuf {
    let path = directory.path().join("root.crt");
    fs::write(&path, certificate).unwrap();
    path
}

fn verified(port: u16, root: &Path, rest: &str) -> String {
    format!("postgres://ada@{NAME}:{port}/x?hostaddr=127.0.0.1&sslrootcert={}{rest}", root.display())
}

#[test]
fn certificate_out_of_its_dates_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (root, authority): (String, Issuer<'static, KeyPair>) = server::authority();
    let root = root_file(&directory, &root);
    let issued = |change: fn(&mut CertificateParams)| server::issue(&authority, NAME, change);
    for (change, error) in [
        ((|params| params.not_after = date_time_ymd(2020, 1, 1)) as fn(&mut CertificateParams), TlsError::Expired),
        (|params| params.not_before = date_time_ymd(3000, 1, 1), TlsError::NotYetValid),
    ] {
        for rest in ["", "&sslmode=verify-ca", "&sslmode=require"] {
            let (certificate, key) = issued(change);
            let port = tls_listener(certificate, key, false);
            assert_eq!(tls_error(&verified(port, &root, rest)), error);
        }
    }
}

/// Connects as if the server were on another machine.
fn guarded(text: &str) -> Result<Client, ConnectError> {
    let address = address(text);
    let host = &address.hosts()[0];
    let ip = addresses(host, WAIT).unwrap()[0];
    Search { address: &address, limit: WAIT, begun: None }.attempt(host, ip, TargetSession::Any, true)
}

#[test]
fn password_goes_to_another_machine_only_by_scram_or_tls() {
    let ask = |code: u8| answering(vec![message(b'R', &[0, 0, 0, code, 1, 2, 3, 4])]);
    for code in [3, 5] {
        let error = guarded(&ask(code)).err().unwrap();
        assert!(matches!(error, ConnectError::ClearTextPassword { .. }), "{error:?}");
    }
    guarded(&answering(vec![ready()])).unwrap();
    let refused = guarded(&answering(vec![error("28P01")])).err().unwrap();
    assert!(matches!(refused, ConnectError::Authentication { .. }), "{refused:?}");
    // A server that declines TLS and then asks for the password.
    let serve = |mut stream: TcpStream, _| {
        read_start(&mut stream);
        stream.write_all(b"N").unwrap();
        read_start(&mut stream);
        stream.write_all(&message(b'R', &[0, 0, 0, 3])).unwrap();
        assert_eq!(stream.read(&mut [0; 64]).unwrap(), 0, "the client sends nothing more");
    };
    let (port, thread) = listener(serve, 1);
    let error = guarded(&format!("postgres://a:canary@127.0.0.1:{port}/x?sslmode=prefer")).err().unwrap();
    assert!(matches!(error, ConnectError::ClearTextPassword { .. }), "{error:?}");
    thread.join().unwrap();
    let Some(server) = server::private() else { return };
    role(server, "scram", "s3cret");
    let url = |mode: &str| format!("postgres://scram:s3cret@127.0.0.1:{}/postgres?sslmode={mode}", server.port);
    for (mode, has_tls) in [("disable", "f"), ("allow", "t"), ("prefer", "t"), ("prefer&channel_binding=require", "t")]
    {
        assert_eq!(one(&guarded(&url(mode)).unwrap(), HAS_TLS), has_tls, "{mode}");
    }
}

#[test]
fn balanced_servers_are_asked_in_any_order() {
    let address = address("host=/absent/1,/absent/2 load_balance_hosts=random");
    let first = |_: u32| match (Search { address: &address, limit: WAIT, begun: None }).once() {
        Err(ConnectError::Several(errors)) => errors[0].to_string(),
        other => panic!("{:?}", other.err()),
    };
    let firsts: std::collections::BTreeSet<String> = (0..64).map(first).collect();
    assert_eq!(firsts.len(), 2);
}

#[test]
fn self_signed_certificate_is_its_own_root() {
    for is_authority in [false, true] {
        for (end, error) in [(3000, None), (2020, Some(TlsError::Expired))] {
            let directory = tempfile::tempdir().unwrap();
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
            if is_authority {
                params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            }
            params.not_after = date_time_ymd(end, 1, 1);
            let certificate = params.self_signed(&key).unwrap().pem();
            let root = root_file(&directory, &certificate);
            let port = tls_listener(certificate, key, false);
            let found = first_refusal(&verified(port, &root, ""));
            match (found, error) {
                (ConnectError::Tls { source, .. }, Some(error)) => assert_eq!(source, error),
                // The listener ends after the handshake.
                (ConnectError::NoAnswer { .. }, None) => {}
                (found, _) => panic!("{is_authority} {end}: {found:?}"),
            }
        }
    }
}

#[test]
fn direct_tls_begins_without_a_request() {
    let directory = tempfile::tempdir().unwrap();
    let (root, authority) = server::authority();
    let (certificate, key) = server::issue(&authority, NAME, |_| {});
    let port = tls_listener(certificate, key, true);
    open(&verified(port, &root_file(&directory, &root), "&sslmode=verify-full&sslnegotiation=direct")).unwrap();
}

#[test]
fn public_roots_do_not_cover_a_private_authority() {
    let (_, authority) = server::authority();
    let (certificate, key) = server::issue(&authority, NAME, |_| {});
    let port = tls_listener(certificate, key, false);
    let found = tls_error(&format!("postgres://ada@{NAME}:{port}/x?hostaddr=127.0.0.1&sslrootcert=system"));
    assert!(matches!(found, TlsError::UnknownRoot | TlsError::NoRoots), "{found:?}");
}
