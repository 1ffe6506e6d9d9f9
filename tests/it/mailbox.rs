//! Receives the mail of a database with a test server or a `sendmail` script.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::mail::program::script;
use crate::mail::server::{Behaviour, Closed, POLITE, Server, Session};
use crate::sandbox::{Ran, Sandbox};

/// The timeout for delivery after the command has returned. Only a failing test reaches it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Polls for the effect of a process that the test does not wait for.
#[track_caller]
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A `sendmail` that notes its recipients, and then waits until it may go on.
pub struct SlowSendmail {
    home: PathBuf,
}

impl SlowSendmail {
    /// Lets one call continue, and returns its message.
    #[track_caller]
    pub fn release(&self) -> String {
        use rustix::fs::{CWD, Mode, OFlags, openat};
        let mail = self.home.join("mail");
        assert!(!mail.exists(), "the command waited for its mailer");
        // Opening fails until the script reads.
        let open = || openat(CWD, self.home.join("gate"), OFlags::WRONLY | OFlags::NONBLOCK, Mode::empty()).ok();
        drop(eventually("a call of sendmail", open));
        let message = eventually("the mail", || std::fs::read_to_string(&mail).ok());
        std::fs::remove_file(mail).unwrap();
        message
    }

    /// The recipients so far.
    pub fn calls(&self) -> Vec<String> {
        let calls = std::fs::read_to_string(self.home.join("calls")).unwrap_or_default();
        calls.lines().map(str::to_owned).collect()
    }
}

impl Sandbox {
    /// Configures the database to send its next mail to a test server, which serves one session.
    pub fn mailbox(&self) -> Server {
        self.mailbox_of(POLITE)
    }

    /// As [`Self::mailbox`], with a server that behaves as given.
    pub fn mailbox_of(&self, behaviour: Behaviour) -> Server {
        let server = Server::start(behaviour);
        self.mail_to_port(server.port);
        server
    }

    /// Configures the database to send its mail to a server that does not answer yet.
    pub fn closed_mailbox(&self) -> Closed {
        let server = Closed::start(POLITE);
        self.mail_to_port(server.port);
        server
    }

    /// Has the database send its mail to a closed port.
    pub fn without_mailbox(&self) {
        self.mail_to_port(9);
    }

    /// Configures the database to send its mail through a shell script. `$here` is a directory for the script.
    pub fn mail_through(&self, text: &str) {
        let home = self.path("mailer");
        std::fs::create_dir_all(&home).unwrap();
        let program = script(&home, &format!("here=${{0%/*}}\n{text}"));
        self.mail_to(&format!("sendmail:{}", program.display()));
    }

    /// Configures the database to send its mail through a `sendmail` script that waits.
    pub fn slow_sendmail(&self) -> SlowSendmail {
        self.mail_through(
            "echo \"$5\" >> \"$here/calls\"\nread -r go < \"$here/gate\"\n\
             cat > \"$here/partial\" && mv \"$here/partial\" \"$here/mail\"",
        );
        let home = self.path("mailer");
        assert!(std::process::Command::new("mkfifo").arg(home.join("gate")).status().unwrap().success());
        SlowSendmail { home }
    }

    /// Waits for this many failed deliveries in the audit log and returns their details.
    #[track_caller]
    pub fn failed_mails(&self, count: usize) -> Vec<String> {
        eventually("entries of failed mail", || {
            let sql = self.sql();
            let mut statement =
                sql.prepare("SELECT detail FROM authctl_audit WHERE event = 'mail.failed' ORDER BY seq").unwrap();
            let details: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
            (details.len() >= count).then_some(details)
        })
    }

    fn mail_to_port(&self, port: u16) {
        self.mail_to(&format!("smtp://127.0.0.1:{port}"));
    }

    fn mail_to(&self, url: &str) {
        self.run(&format!("policy set mail.url {url}")).success();
        self.run_words(&["policy", "set", "mail.from", "Accounts <accounts@example.com>"]).success();
    }

    /// Runs a command that mails a code, and returns the code.
    #[track_caller]
    pub fn mailed_code(&self, words: &str) -> String {
        let server = self.mailbox();
        self.run(words).success();
        server.session().code()
    }

    /// Runs `email verify` with the code as the signed-in user.
    pub fn verify(&self, code: &str) -> Ran {
        self.run_with_input("email verify --code-stdin", code)
    }

    /// Runs `password reset` with a code and a password.
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

    /// The recipient of the message, and its text without the code.
    pub fn recipient_and_text(&self) -> String {
        let (headers, body) = self.parts();
        let answer = |line: &&str| line.starts_with("To: ") || line.starts_with("Subject: ");
        let headers: Vec<&str> = headers.lines().filter(answer).collect();
        let body = body.replace("\r\n", "\n");
        let body = if body.contains("The code: ") { body.replace(&self.code(), "[CODE]") } else { body };
        format!("{}\n\n{}", headers.join("\n"), body.trim_end())
    }

    /// Whether a message was handed over.
    pub fn has_message(&self) -> bool {
        self.commands.iter().any(|command| command == "DATA")
    }
}
