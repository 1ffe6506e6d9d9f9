//! A proxy on loopback before the server's socket, which knows the messages of the protocol and cuts or freezes the
//! connection after one of them.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use super::server::{SUPERUSER, Server};

/// What happens after the last message that is passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection ends. The next one works.
    CutOnce,
    /// The connection ends, and so does each later one.
    Cut,
    /// Nothing more is passed on, on any connection.
    Freeze,
}

/// A running proxy. Its threads end with the connections.
pub struct Proxy {
    gate: Arc<Gate>,
    port: u16,
}

/// Decides about each message, whichever connection and direction it is of.
struct Gate {
    socket: PathBuf,
    /// How many messages are passed on before the fault.
    allowed: usize,
    fault: Fault,
    seen: Mutex<Seen>,
}

/// What the proxy has passed on.
#[derive(Debug, Default, Clone)]
pub struct Seen {
    pub messages: usize,
    /// The numbers of the messages by which a client commits.
    pub commits: Vec<usize>,
    is_faulty: bool,
    is_over: bool,
}

#[derive(PartialEq, Eq)]
enum Verdict {
    Pass,
    PassAndEnd,
    Swallow,
    End,
}

impl Proxy {
    pub fn start(server: &Server, allowed: usize, fault: Fault) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let socket = server.directory.join(format!(".s.PGSQL.{}", server.port));
        let gate = Arc::new(Gate { socket, allowed, fault, seen: Mutex::default() });
        let of_thread = Arc::clone(&gate);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                if of_thread.seen.lock().unwrap().is_over {
                    return;
                }
                of_thread.serve(&client.unwrap());
            }
        });
        Self { gate, port }
    }

    pub fn url(&self, database: &str) -> String {
        format!("postgres://{SUPERUSER}@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }

    pub fn seen(&self) -> Seen {
        self.gate.seen.lock().unwrap().clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.gate.seen.lock().unwrap().is_over = true;
        // Wakes the listener.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Gate {
    fn serve(self: &Arc<Self>, client: &TcpStream) {
        client.set_nodelay(true).unwrap();
        let server = UnixStream::connect(&self.socket).unwrap();
        let is_later = self.seen.lock().unwrap().is_faulty;
        for is_client in [true, false] {
            let (gate, client, server) = (Arc::clone(self), client.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || {
                if is_client {
                    gate.pass(&client, &server, true, is_later);
                } else {
                    gate.pass(&server, &client, false, is_later);
                }
                let _ = client.shutdown(Shutdown::Both);
                let _ = server.shutdown(Shutdown::Both);
            });
        }
    }

    /// Passes messages on in one direction, until the connection is to end.
    fn pass(&self, mut from: impl Read, mut to: impl Write, is_client: bool, is_later: bool) {
        // The first message of a client has no type.
        let mut has_type = !is_client;
        while let Ok(message) = read(&mut from, has_type) {
            has_type = true;
            let is_commit = is_client && message.starts_with(b"Q") && message.windows(6).any(|part| part == b"COMMIT");
            let verdict = self.verdict(is_commit, is_later);
            if verdict == Verdict::End {
                return;
            }
            // What a frozen network takes from one side does not come out on the other.
            let is_passed = verdict == Verdict::Swallow || to.write_all(&message).is_ok();
            if !is_passed || verdict == Verdict::PassAndEnd {
                return;
            }
        }
    }

    fn verdict(&self, is_commit: bool, is_later: bool) -> Verdict {
        let mut seen = self.seen.lock().unwrap();
        if seen.is_faulty {
            return match self.fault {
                Fault::CutOnce if is_later => Verdict::Pass,
                Fault::CutOnce | Fault::Cut => Verdict::End,
                Fault::Freeze => Verdict::Swallow,
            };
        }
        seen.messages += 1;
        if is_commit {
            let number = seen.messages;
            seen.commits.push(number);
        }
        seen.is_faulty = seen.messages == self.allowed;
        if seen.is_faulty && self.fault != Fault::Freeze { Verdict::PassAndEnd } else { Verdict::Pass }
    }
}

/// Reads a message, with its head.
fn read(from: &mut impl Read, has_type: bool) -> std::io::Result<Vec<u8>> {
    let head = if has_type { 5 } else { 4 };
    let mut message = vec![0; head];
    from.read_exact(&mut message)?;
    let length = u32::from_be_bytes(message[head - 4..].try_into().unwrap()) as usize;
    message.resize(head - 4 + length, 0);
    from.read_exact(&mut message[head..])?;
    Ok(message)
}
