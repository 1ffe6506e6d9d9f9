//! What messages say of servers on this machine.

use super::ConnectError;
use super::tests::{listener, refusal};

#[test]
fn missing_socket_is_told_by_its_path() {
    let error = refusal("postgres://%2Fnowhere:5433/x");
    assert!(error.to_string().starts_with("/nowhere/.s.PGSQL.5433 cannot be reached"), "{error}");
}

#[test]
fn silence_of_one_address_is_told_before_the_refusal_of_another() {
    // Nothing listens on the port at ::1.
    let (port, _) = listener(|stream, _| std::mem::forget(stream), 1);
    let error = refusal(&format!("postgres://localhost:{port}/x?connect_timeout=1"));
    assert!(matches!(error, ConnectError::Silent { .. }), "{error:?}");
}
