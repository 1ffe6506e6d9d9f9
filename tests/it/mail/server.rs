//! A small SMTP server on loopback that follows a script for one session and records it.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// The timeout for a client that does not connect or does not answer.
const PATIENCE: Duration = Duration::from_secs(30);

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// When TLS begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    Never,
    Offered,
    FromTheStart,
}

/// How the server behaves. The default accepts everything.
#[derive(Debug, Clone)]
pub struct Behaviour {
    /// The loopback address to listen at.
    pub address: &'static str,
    pub tls: Tls,
    /// The login it accepts, encoded as for AUTH PLAIN; without one it offers no AUTH.
    pub login: Option<&'static str>,
    /// The reply to commands with this prefix; `.` is the end of a message.
    pub refuses: Option<(&'static str, &'static str)>,
    /// The command at which it closes the connection.
    pub hangs_up_at: Option<&'static str>,
    /// The command that it never answers.
    pub silent_at: Option<&'static str>,
    /// Bytes that an attacker writes into the connection after the answer to STARTTLS.
    pub early: &'static str,
    /// The AUTH mechanism that it offers.
    pub mechanism: &'static str,
}

pub const POLITE: Behaviour = Behaviour {
    address: "127.0.0.1",
    tls: Tls::Never,
    login: None,
    refuses: None,
    hangs_up_at: None,
    silent_at: None,
    early: "",
    mechanism: "PLAIN",
};

#[derive(Debug, Default)]
pub struct Session {
    /// The commands; `(TLS)` marks the start of TLS.
    pub commands: Vec<String>,
    /// The message as received, with dot-stuffing removed.
    pub message: String,
}

impl Session {
    /// The headers, unfolded, and the body.
    pub fn parts(&self) -> (String, &str) {
        let (headers, body) = self.message.split_once("\r\n\r\n").unwrap();
        (headers.replace("\r\n ", " ").replace("\r\n", "\n"), body)
    }
}

pub struct Server {
    pub port: u16,
    /// The certificate authority of the server, in PEM.
    pub root: String,
    thread: JoinHandle<Session>,
}

/// A server at which connections wait: the operating system accepts them, and no process answers.
pub struct Closed {
    pub port: u16,
    listener: TcpListener,
    behaviour: Behaviour,
}

impl Closed {
    pub fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind((behaviour.address, 0)).unwrap();
        Self { port: listener.local_addr().unwrap().port(), listener, behaviour }
    }

    /// Answers the first connection.
    pub fn open(self) -> Server {
        let Self { port, listener, behaviour } = self;
        let (config, root) = identity();
        let thread = std::thread::spawn(move || {
            let stream = accept(&listener);
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let mut session = Session::default();
            serve(stream, &behaviour, &config, &mut session);
            session
        });
        Server { port, root, thread }
    }
}

impl Server {
    pub fn start(behaviour: Behaviour) -> Self {
        Closed::start(behaviour).open()
    }

    /// Waits until the session has ended.
    pub fn session(self) -> Session {
        self.thread.join().unwrap()
    }
}

/// Waits until the client connects.
fn accept(listener: &TcpListener) -> TcpStream {
    listener.set_nonblocking(true).unwrap();
    let start = Instant::now();
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false).unwrap();
                return stream;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock && start.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(error) => panic!("no mail came: {error}"),
        }
    }
}

/// A certificate for `localhost` and 127.0.0.2 by an authority that no other program trusts.
fn identity() -> (Arc<ServerConfig>, String) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let root = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let names = ["localhost".to_owned(), "127.0.0.2".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    (Arc::new(config), root)
}

fn encrypted(stream: TcpStream, config: &Arc<ServerConfig>) -> impl Stream {
    StreamOwned::new(ServerConnection::new(Arc::clone(config)).unwrap(), stream)
}

fn serve(stream: TcpStream, behaviour: &Behaviour, config: &Arc<ServerConfig>, session: &mut Session) {
    if behaviour.tls == Tls::FromTheStart {
        session.commands.push("(TLS)".into());
        talk(&mut encrypted(stream, config), behaviour, false, true, session);
        return;
    }
    let mut clear = stream.try_clone().unwrap();
    if talk(&mut clear, behaviour, behaviour.tls == Tls::Offered, true, session) {
        session.commands.push("(TLS)".into());
        talk(&mut encrypted(stream, config), behaviour, false, false, session);
    }
}

/// Serves commands until the session ends or TLS starts; true when TLS starts.
fn talk(stream: &mut dyn Stream, behaviour: &Behaviour, offers_tls: bool, greets: bool, session: &mut Session) -> bool {
    if greets && say(stream, "220 here").is_none() {
        return false;
    }
    let mut in_message = false;
    while let Some(line) = read_line(stream) {
        if in_message && line != "." {
            session.message.push_str(line.strip_prefix('.').unwrap_or(&line));
            session.message.push_str("\r\n");
            continue;
        }
        in_message = false;
        session.commands.push(line.clone());
        let is = |word: Option<&str>| word.is_some_and(|word| line.starts_with(word));
        if is(behaviour.hangs_up_at) {
            return false;
        }
        if is(behaviour.silent_at) {
            continue;
        }
        let answer = match line.split(' ').next().unwrap() {
            _ if is(behaviour.refuses.map(|(command, _)| command)) => behaviour.refuses.unwrap().1.to_owned(),
            "EHLO" => {
                let tls = if offers_tls { "250-STARTTLS\r\n" } else { "" };
                let auth = if behaviour.login.is_some() {
                    format!("250-AUTH {}\r\n", behaviour.mechanism)
                } else {
                    String::new()
                };
                format!("250-here\r\n{tls}{auth}250 HELP")
            }
            // One write, so that the client reads it in one piece.
            "STARTTLS" if !behaviour.early.is_empty() => format!("220 go on\r\n{}", behaviour.early.trim_end()),
            "STARTTLS" => "220 go on".into(),
            "AUTH" if behaviour.mechanism == "LOGIN" && line == "AUTH LOGIN" => "334 VXNlcm5hbWU6".into(),
            "YWRh" if behaviour.mechanism == "LOGIN" => "334 UGFzc3dvcmQ6".into(),
            "Y29ycmVjdCBob3JzZQ==" if behaviour.mechanism == "LOGIN" => "235 welcome".into(),
            "AUTH" if behaviour.login.is_some_and(|login| line == format!("AUTH PLAIN {login}")) => {
                "235 welcome".into()
            }
            // Quotes the refused command, as servers do.
            "AUTH" => format!("535 5.7.8 not with {line}"),
            "DATA" => {
                in_message = true;
                "354 go on".into()
            }
            "QUIT" => "221 bye".into(),
            _ => "250 ok".into(),
        };
        if say(stream, &answer).is_none() || line == "QUIT" {
            return false;
        }
        if line == "STARTTLS" && answer.starts_with("220") {
            return true;
        }
    }
    false
}

fn say(stream: &mut dyn Stream, line: &str) -> Option<()> {
    stream.write_all(format!("{line}\r\n").as_bytes()).ok()?;
    stream.flush().ok()
}

/// Reads a line byte by byte, so that nothing after STARTTLS is consumed.
fn read_line(stream: &mut dyn Stream) -> Option<String> {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        line.push(byte[0]);
    }
    Some(String::from_utf8(line[..line.len() - 2].to_vec()).unwrap())
}
