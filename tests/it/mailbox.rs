//! What a database mails, caught by a server of the test's own.

use crate::mail::server::{Manners, POLITE, Server, Session};
use crate::sandbox::{Ran, Sandbox};

impl Sandbox {
    /// Has the database's next mail sent to a server, which takes one session.
    pub fn mailbox(&self) -> Server {
        self.mailbox_of(POLITE)
    }

    /// The same, of a server of these manners.
    pub fn mailbox_of(&self, manners: Manners) -> Server {
        let server = Server::start(manners);
        self.mail_to_port(server.port);
        server
    }

    /// Has the database send its mail where nobody listens.
    pub fn without_mailbox(&self) {
        self.mail_to_port(9);
    }

    fn mail_to_port(&self, port: u16) {
        self.run(&format!("policy set mail.url smtp://127.0.0.1:{port}")).success();
        self.run_words(&["policy", "set", "mail.from", "Accounts <accounts@example.com>"]).success();
    }

    /// Runs words that have a code mailed, and returns the code.
    #[track_caller]
    pub fn mailed_code(&self, words: &str) -> String {
        let server = self.mailbox();
        self.run(words).success();
        server.session().code()
    }

    /// Types a code into `email verify` as whoever is signed in.
    pub fn verify(&self, code: &str) -> Ran {
        self.run_with_input("email verify --code-stdin", code)
    }

    /// Types a code and a password.
    pub fn verify_with(&self, code: &str, password: &str) -> Ran {
        self.run_with_input("email verify --code-stdin --password-stdin", format!("{code}\n{password}\n"))
    }
}

impl Session {
    /// The code in the message.
    #[track_caller]
    pub fn code(&self) -> String {
        let (_, after) = self.message.split_once("The code: ").expect("a message with a code");
        after.lines().next().unwrap().trim_end().to_owned()
    }

    /// To whom the message goes, and what it says, without the code.
    pub fn letter(&self) -> String {
        let (headers, body) = self.parts();
        let told = |line: &&str| line.starts_with("To: ") || line.starts_with("Subject: ");
        let headers: Vec<&str> = headers.lines().filter(told).collect();
        let body = body.replace("\r\n", "\n");
        let body = if body.contains("The code: ") { body.replace(&self.code(), "[CODE]") } else { body };
        format!("{}\n\n{}", headers.join("\n"), body.trim_end())
    }

    /// Whether a message was handed over.
    pub fn has_message(&self) -> bool {
        self.commands.iter().any(|command| command == "DATA")
    }
}
