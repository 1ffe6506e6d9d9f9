//! Mail delivery through the library to a server on loopback. This module covers SMTP without TLS.

mod file;
pub mod program;
pub mod server;
mod tls;

use std::path::Path;
use std::time::Duration;

use authctl::auth::email::Email;
use authctl::mail::{Failure, MailError, Mailer, Step};
use server::{Behaviour, POLITE, Server, Session};

const FROM: &str = "Accounts <accounts@example.com>";
/// `\0ada\0correct horse` in Base64.
const LOGIN: &str = "AGFkYQBjb3JyZWN0IGhvcnNl";

fn ada() -> Email {
    Email::parse("ada@example.com").unwrap()
}

fn mailer(url: &str, credentials: Option<&Path>) -> Mailer {
    Mailer::new(url, FROM, credentials).unwrap()
}

/// A file with a user and a password.
fn credentials(password: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("ada\n{password}\n")).unwrap();
    file
}

/// Sends a short message to a server that behaves as given.
fn send_to(behaviour: Behaviour) -> (Result<(), MailError>, Session) {
    let server = Server::start(behaviour);
    let sent = mailer(&format!("smtp://127.0.0.1:{}", server.port), None).send(&ada(), "Your code", "code 4711\n");
    (sent, server.session())
}

/// The failed step and the whole error message.
fn failure(sent: Result<(), MailError>) -> (Step, Failure, String) {
    let error = sent.unwrap_err();
    let debug = format!("{error:?}");
    match error {
        MailError::Smtp { step, source, .. } => {
            let words = format!("{source} {debug}");
            (step, source, words)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn message_arrives_with_its_headers() {
    let server = Server::start(POLITE);
    let body = "Hello Ada,\n\n.this line begins with a dot\n.\nthe code is 4711\n";
    mailer(&format!("smtp://localhost:{}", server.port), None).send(&ada(), "Your code", body).unwrap();
    let session = server.session();
    let commands =
        ["EHLO [127.0.0.1]", "MAIL FROM:<accounts@example.com>", "RCPT TO:<ada@example.com>", "DATA", ".", "QUIT"];
    assert_eq!(session.commands, commands);
    let (headers, arrived) = session.parts();
    assert_eq!(arrived.replace("\r\n", "\n").trim_end(), body.trim_end());
    let mut settings = insta::Settings::clone_current();
    settings.add_filter("Date: .* \\+0000", "Date: DATE");
    settings.add_filter("[A-Za-z0-9]{36}@", "ID@");
    settings.bind(|| {
        insta::assert_snapshot!(headers, @r"
        From: Accounts <accounts@example.com>
        To: ada@example.com
        Subject: Your code
        Message-ID: <ID@example.com>
        Auto-Submitted: auto-generated
        Content-Type: text/plain; charset=utf-8
        Content-Transfer-Encoding: 7bit
        Date: DATE
        ");
    });
}

#[test]
fn letters_beyond_ascii_survive_in_subject_name_and_text() {
    let server = Server::start(POLITE);
    let url = format!("smtp://127.0.0.1:{}", server.port);
    let mailer = Mailer::new(&url, "Zoë <accounts@example.com>", None).unwrap();
    mailer.send(&ada(), "Grüße 🎉", "Grüße an Ada: der Code ist 4711 und gilt eine Stunde lang\n").unwrap();
    let session = server.session();
    let (headers, body) = session.parts();
    assert!(headers.contains("\nSubject: =?utf-8?b?R3LDvMOfZSDwn46J?="), "{headers}");
    assert!(headers.contains("From: =?utf-8?b?Wm/Dqw==?= <accounts@example.com>"), "{headers}");
    assert!(headers.contains("\nContent-Transfer-Encoding: quoted-printable"), "{headers}");
    assert_eq!(body.trim_end(), "Gr=C3=BC=C3=9Fe an Ada: der Code ist 4711 und gilt eine Stunde lang");
}

#[test]
fn header_injection_is_refused() {
    let server = Server::start(POLITE);
    let mailer = mailer(&format!("smtp://127.0.0.1:{}", server.port), None);
    for subject in ["Hi\r\nBcc: eve@example.com", "Hi\nBcc: eve@example.com", "Hi\rBcc: eve@example.com", "Hi\0"] {
        let error = mailer.send(&ada(), subject, "text").unwrap_err();
        assert!(matches!(error, MailError::Text("subject")), "{error:?}");
    }
    // Some servers take a lone CR for a line end, so this could end the message and begin another.
    let error = mailer.send(&ada(), "Hi", "text\r.\rMAIL FROM:<eve@example.com>\r").unwrap_err();
    assert!(matches!(error, MailError::Text("text")), "{error:?}");
    mailer.send(&ada(), "Hi", "text\r\n.\r\nMAIL FROM:<eve@example.com>\r\n").unwrap();
    let session = server.session();
    assert_eq!(session.commands.iter().filter(|command| command.starts_with("MAIL")).count(), 1);
    assert_eq!(session.parts().1.trim_end(), "text\r\n.\r\nMAIL FROM:<eve@example.com>");
}

#[test]
fn credentials_reach_only_the_server() {
    let file = credentials("correct horse");
    let server = Server::start(Behaviour { login: Some(LOGIN), ..POLITE });
    let mailer = mailer(&format!("smtp://127.0.0.1:{}", server.port), Some(file.path()));
    assert!(!format!("{mailer:?}").contains("horse"));
    mailer.send(&ada(), "Hi", "text").unwrap();
    assert_eq!(server.session().commands[1], format!("AUTH PLAIN {LOGIN}"));
}

#[test]
fn wrong_credentials_are_reported_without_server_text() {
    let file = credentials("wrong horse");
    let server = Server::start(Behaviour { login: Some(LOGIN), ..POLITE });
    let mailer = mailer(&format!("smtp://127.0.0.1:{}", server.port), Some(file.path()));
    let (step, source, words) = failure(mailer.send(&ada(), "Hi", "text"));
    assert_eq!(step, Step::SignIn);
    assert_eq!(source.to_string(), "the server refused it: 535 5.7.8");
    let sent = server.session().commands[1].replace("AUTH PLAIN ", "");
    assert!(!words.contains("horse") && !words.contains(&sent), "{words}");
}

#[test]
fn server_without_auth_gets_no_password() {
    let file = credentials("correct horse");
    let server = Server::start(POLITE);
    let mailer = mailer(&format!("smtp://127.0.0.1:{}", server.port), Some(file.path()));
    let (step, _, words) = failure(mailer.send(&ada(), "Hi", "text"));
    assert_eq!(step, Step::SignIn);
    assert!(words.contains("the server offers neither AUTH PLAIN nor AUTH LOGIN"), "{words}");
    assert_eq!(server.session().commands, ["EHLO [127.0.0.1]"]);
}

#[test]
fn auth_login_is_supported() {
    let file = credentials("correct horse");
    let server = Server::start(Behaviour { login: Some(LOGIN), mechanism: "LOGIN", ..POLITE });
    let mailer = mailer(&format!("smtp://127.0.0.1:{}", server.port), Some(file.path()));
    mailer.send(&ada(), "Hi", "text").unwrap();
    let commands = server.session().commands;
    assert_eq!(commands[1..5], ["AUTH LOGIN", "YWRh", "Y29ycmVjdCBob3JzZQ==", "MAIL FROM:<accounts@example.com>"]);
}

#[test]
fn refused_recipient_is_an_error_with_the_reason() {
    let (sent, session) = send_to(Behaviour { refuses: Some(("RCPT", "550 5.1.1 no such user here")), ..POLITE });
    assert!(!sent.as_ref().unwrap_err().may_have_been_sent());
    let (step, source, _) = failure(sent);
    assert_eq!(step, Step::To);
    assert_eq!(source.to_string(), "the server refused it: 550 5.1.1 no such user here");
    assert_eq!(session.commands.last().unwrap(), "QUIT");
    assert_eq!(session.message, "");
}

#[test]
fn refusal_that_quotes_the_message_is_not_shown() {
    let (sent, _) = send_to(Behaviour { refuses: Some((".", "554 5.6.0 not this: code 4711")), ..POLITE });
    assert!(!sent.as_ref().unwrap_err().may_have_been_sent());
    let (step, source, words) = failure(sent);
    assert_eq!(step, Step::Content);
    assert_eq!(source.to_string(), "the server refused it: 554 5.6.0");
    assert!(!words.contains("4711"), "{words}");
}

#[test]
fn hang_up_is_an_error_with_its_step() {
    for (command, step) in [("EHLO", Step::Connect), ("MAIL", Step::From), ("DATA", Step::Content)] {
        let (sent, _) = send_to(Behaviour { hangs_up_at: Some(command), ..POLITE });
        let (at, source, _) = failure(sent);
        assert_eq!(at, step, "{source}");
    }
}

#[test]
fn missing_final_reply_may_have_sent_the_message() {
    let (sent, session) = send_to(Behaviour { hangs_up_at: Some("."), ..POLITE });
    assert!(sent.unwrap_err().may_have_been_sent());
    assert_ne!(session.message, "");
}

#[test]
fn silent_server_times_out() {
    let server = Server::start(Behaviour { silent_at: Some("MAIL"), ..POLITE });
    let patience = Duration::from_millis(200);
    let mailer = mailer(&format!("smtp://127.0.0.1:{}", server.port), None);
    let sent = mailer.waiting(patience, Duration::from_secs(30)).send(&ada(), "Hi", "text");
    let (step, source, _) = failure(sent);
    assert!(matches!((step, &source), (Step::From, Failure::Silent(waited)) if *waited == patience), "{source:?}");
    assert_eq!(source.to_string(), "no answer within 0.2 seconds");
}

#[test]
fn endless_delivery_times_out() {
    let server = Server::start(Behaviour { silent_at: Some("MAIL"), ..POLITE });
    let mailer = mailer(&format!("smtp://127.0.0.1:{}", server.port), None);
    let mailer = mailer.waiting(Duration::from_secs(5), Duration::from_millis(200));
    let error = mailer.send(&ada(), "Hi", "text").unwrap_err();
    assert!(matches!(error, MailError::TooSlow { .. }), "{error:?}");
    assert!(error.may_have_been_sent());
}

#[test]
fn closed_port_is_named_in_the_error() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = mailer(&format!("smtp://127.0.0.1:{port}"), None).send(&ada(), "Hi", "text").unwrap_err();
    assert_eq!(error.to_string(), format!("mail was not sent: 127.0.0.1:{port}: could not connect"));
    let (step, source, _) = failure(Err(error));
    assert_eq!(step, Step::Connect);
    assert!(source.to_string().starts_with("Connection refused"), "{source}");
}
