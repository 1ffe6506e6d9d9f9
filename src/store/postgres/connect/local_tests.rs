//! Servers on this machine: connections that are begun early, and what messages say of the servers.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixListener;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use super::tests::{WAIT, address, error, listener, read_start, ready, refusal};
use super::{ConnectError, begin, connect};

/// A connection that was begun is the first that is used, and only there.
#[test]
fn connection_is_begun_on_the_socket_of_the_only_server() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().display();
    let of_socket = format!("host={place} port=5432 user=ada dbname=app");
    assert!(begin(&address(&of_socket)).is_none(), "nothing listens");
    let listener = UnixListener::bind(directory.path().join(".s.PGSQL.5432")).unwrap();
    assert!(begin(&address("postgres://ada@127.0.0.1/app")).is_none());
    assert!(begin(&address(&format!("host={place},{place} port=5432,5432 user=ada dbname=app"))).is_none());
    let answers = [error("57P03"), ready()];
    let serve = std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            read_start(&mut stream);
            stream.write_all(&answer).unwrap();
        }
    });
    let address = address(&of_socket);
    let begun = begin(&address);
    assert!(begun.is_some());
    connect(&address, WAIT, begun).unwrap();
    serve.join().unwrap();
}

/// The server has no reason to complain of a connection that ends.
#[test]
fn unused_connection_has_said_who_asks_and_ends_when_it_is_let_in() {
    let directory = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(directory.path().join(".s.PGSQL.5432")).unwrap();
    let (sender, receiver) = sync_channel(1);
    let serve = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        read_start(&mut stream);
        sender.send(()).unwrap();
        // The other side could end meanwhile.
        std::thread::sleep(Duration::from_millis(10));
        stream.write_all(&ready()).unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        rest
    });
    let begun = begin(&address(&format!("host={} port=5432 user=ada dbname=app", directory.path().display())));
    receiver.recv_timeout(WAIT).expect("the server knows who asks before an answer is waited for");
    drop(begun);
    assert!(serve.join().unwrap().is_empty());
}

#[test]
fn missing_socket_is_named_by_its_path() {
    let error = refusal("postgres://%2Fnowhere:5433/x");
    assert!(error.to_string().starts_with("/nowhere/.s.PGSQL.5433 cannot be reached"), "{error}");
}

#[test]
fn silence_of_one_address_is_reported_before_the_refusal_of_another() {
    // Nothing listens on the port at ::1.
    let (port, _) = listener(|stream, _| std::mem::forget(stream), 1);
    let error = refusal(&format!("postgres://localhost:{port}/x?connect_timeout=1"));
    assert!(matches!(error, ConnectError::Silent { .. }), "{error:?}");
}
