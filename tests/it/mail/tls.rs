//! Mail delivery with TLS from the start and with STARTTLS.

use authctl::mail::{Failure, Step};

use super::server::{Behaviour, POLITE, Server, Tls};
use super::{LOGIN, ada, credentials, failure, mailer};

#[test]
fn smtps_speaks_tls_with_a_trusted_server() {
    let file = credentials("correct horse");
    let server = Server::start(Behaviour { tls: Tls::FromTheStart, login: Some(LOGIN), ..POLITE });
    let mailer = mailer(&format!("smtps://localhost:{}", server.port), Some(file.path()));
    mailer.trusting(server.root.as_bytes()).send(&ada(), "Hi", "text").unwrap();
    let session = server.session();
    assert_eq!(session.commands[..3], ["(TLS)", "EHLO [127.0.0.1]", &format!("AUTH PLAIN {LOGIN}")]);
    assert_eq!(session.parts().1.trim_end(), "text");
}

#[test]
fn untrusted_server_gets_no_mail() {
    for (host, known) in [("localhost", false), ("127.0.0.1", true)] {
        let server = Server::start(Behaviour { tls: Tls::FromTheStart, ..POLITE });
        let mut mailer = mailer(&format!("smtps://{host}:{}", server.port), None);
        if known {
            mailer = mailer.trusting(server.root.as_bytes());
        }
        let (step, source, _) = failure(mailer.send(&ada(), "Hi", "text"));
        assert_eq!(step, Step::Connect);
        assert!(source.to_string().starts_with("invalid peer certificate"), "{source}");
        assert_eq!(server.session().commands, ["(TLS)"]);
    }
}

// 127.0.0.2 may not omit TLS, and is reachable without configuration. Only Linux has it.
#[cfg(target_os = "linux")]
mod starttls {
    use super::*;

    const SECOND: Behaviour = Behaviour { address: "127.0.0.2", ..POLITE };

    #[test]
    fn starttls_comes_before_anything_worth_reading() {
        let file = credentials("correct horse");
        let server = Server::start(Behaviour { tls: Tls::Offered, login: Some(LOGIN), ..SECOND });
        let mailer = mailer(&format!("smtp://127.0.0.2:{}", server.port), Some(file.path()));
        mailer.trusting(server.root.as_bytes()).send(&ada(), "Hi", "text").unwrap();
        let session = server.session();
        let before = ["EHLO [127.0.0.1]", "STARTTLS", "(TLS)", "EHLO [127.0.0.1]", &format!("AUTH PLAIN {LOGIN}")];
        assert_eq!(session.commands[..5], before);
        assert_eq!(session.parts().1.trim_end(), "text");
    }

    #[test]
    fn a_server_that_offers_no_starttls_gets_nothing() {
        let file = credentials("correct horse");
        let server = Server::start(Behaviour { login: Some(LOGIN), ..SECOND });
        let mailer = mailer(&format!("smtp://127.0.0.2:{}", server.port), Some(file.path()));
        let (step, source, _) = failure(mailer.send(&ada(), "Hi", "text"));
        assert!(matches!((step, &source), (Step::Encrypt, Failure::NoStartTls)), "{source:?}");
        assert_eq!(server.session().commands, ["EHLO [127.0.0.1]", "QUIT"]);
    }

    #[test]
    fn a_certificate_of_an_unknown_authority_ends_starttls() {
        let server = Server::start(Behaviour { tls: Tls::Offered, ..SECOND });
        let mailer = mailer(&format!("smtp://127.0.0.2:{}", server.port), None);
        let (step, source, _) = failure(mailer.send(&ada(), "Hi", "text"));
        assert_eq!(step, Step::Encrypt);
        assert!(source.to_string().starts_with("invalid peer certificate"), "{source}");
        assert_eq!(server.session().commands, ["EHLO [127.0.0.1]", "STARTTLS", "(TLS)"]);
    }

    #[test]
    fn answers_from_before_starttls_are_not_taken_for_later_ones() {
        // All replies of a session, one reply, two, half of one.
        for early in [
            "250-here\r\n250 AUTH PLAIN\r\n235 welcome\r\n250 ok\r\n250 ok\r\n354 go on\r\n250 taken\r\n221 bye\r\n",
            "250-here\r\n250 AUTH PLAIN\r\n",
            "250 here\r\n250 ok\r\n",
            "2",
        ] {
            for login in [None, Some(LOGIN)] {
                let file = credentials("correct horse");
                let server = Server::start(Behaviour { tls: Tls::Offered, login, early, ..SECOND });
                let with_login = login.map(|_| file.path());
                let mailer = mailer(&format!("smtp://127.0.0.2:{}", server.port), with_login);
                let sent = mailer.trusting(server.root.as_bytes()).send(&ada(), "Hi", "secret text");
                let (step, source, _) = failure(sent);
                assert!(matches!((step, &source), (Step::Encrypt, Failure::EarlyAnswer)), "{early:?}: {source:?}");
                // The connection ends before TLS starts.
                let session = server.session();
                assert_eq!(session.commands[..2], ["EHLO [127.0.0.1]", "STARTTLS"], "{early:?}");
                assert!(session.commands[2..].iter().all(|command| command == "(TLS)"), "{early:?}: {session:?}");
            }
        }
    }
}
