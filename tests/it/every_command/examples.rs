//! One complete run of every command, in a sandbox where the administrator Ada is signed in and Bob has an
//! account.

use crate::sandbox::{OTHER_PASSWORD, PASSWORD, Sandbox};

pub(super) struct Example {
    /// Its line in the table of required authority.
    pub(super) command: &'static str,
    /// The arguments.
    pub(super) words: &'static str,
    /// Its standard input.
    pub(super) input: Option<fn(&Sandbox) -> String>,
    pub(super) effect: Effect,
}

/// The evidence that a command succeeded.
pub(super) enum Effect {
    /// A text on standard output.
    Answer,
    /// An entry in the audit log.
    Event(&'static str),
    /// The exit code.
    Code,
    /// An existing file.
    File(&'static str),
    /// The command cannot succeed here and fails with this exit code.
    Refused(i32),
}

impl Example {
    const fn new(command: &'static str, words: &'static str, effect: Effect) -> Self {
        Self { command, words, input: None, effect }
    }

    const fn reads(mut self, input: fn(&Sandbox) -> String) -> Self {
        self.input = Some(input);
        self
    }
}

fn password(_: &Sandbox) -> String {
    PASSWORD.to_owned()
}

fn passwords(_: &Sandbox) -> String {
    format!("{PASSWORD}\n{OTHER_PASSWORD}\n")
}

fn wrong_code_and_password(_: &Sandbox) -> String {
    format!("a code that was never sent\n{PASSWORD}\n")
}

/// A table of users, as another system exports it.
fn table(_: &Sandbox) -> String {
    "email,name\neve@example.com,Eve\n".to_owned()
}

fn hash(sandbox: &Sandbox) -> String {
    sandbox.run_with_input("hash generate --password-stdin", PASSWORD).success()
}

fn hash_and_password(sandbox: &Sandbox) -> String {
    format!("{}{PASSWORD}\n", hash(sandbox))
}

fn code_and_password(sandbox: &Sandbox) -> String {
    format!("{}{OTHER_PASSWORD}\n", sandbox.run("users reset-code bob@example.com").success())
}

pub(super) const EXAMPLES: &[Example] = &[
    Example::new("signup", "signup eve@example.com --name Eve --password-stdin", Effect::Event("user.created"))
        .reads(password),
    Example::new("signin", "signin bob@example.com --password-stdin", Effect::Event("session.begun")).reads(password),
    Example::new("whoami", "whoami", Effect::Answer),
    Example::new("sessions", "sessions", Effect::Answer),
    Example::new("sessions list", "sessions list", Effect::Answer),
    Example::new("sessions list --user", "sessions list --user ada@example.com", Effect::Answer),
    Example::new("sessions list --all-users", "sessions list --all-users", Effect::Answer),
    Example::new("sessions revoke", "sessions revoke --all", Effect::Event("session.ended")),
    Example::new("sessions revoke --user", "sessions revoke --user ada@example.com", Effect::Event("session.ended")),
    Example::new("sessions revoke --all-users", "sessions revoke --all-users --all", Effect::Event("session.ended")),
    Example::new("sessions prune", "sessions prune", Effect::Event("sessions.pruned")),
    Example::new("sessions issue", "sessions issue --user bob@example.com", Effect::Event("session.issued")),
    Example::new("signout", "signout", Effect::Event("session.ended")),
    Example::new("password change", "password change --password-stdin", Effect::Event("password.changed"))
        .reads(passwords),
    Example::new("passwd", "passwd --password-stdin", Effect::Event("password.changed")).reads(passwords),
    // The database has no mailer.
    Example::new("password forgot", "password forgot bob@example.com", Effect::Refused(1)),
    Example::new("password reset", "password reset --code-stdin --password-stdin", Effect::Event("password.set"))
        .reads(code_and_password),
    Example::new("email verify", "email verify --code-stdin --password-stdin", Effect::Refused(7))
        .reads(wrong_code_and_password),
    // The database has no mailer.
    Example::new("email verify --send", "email verify --send bob@example.com", Effect::Refused(1)),
    Example::new("email change", "email change augusta@example.com", Effect::Refused(1)),
    Example::new("2fa status", "2fa status", Effect::Answer),
    Example::new("2fa enable", "2fa enable --password-stdin", Effect::Event("second-factor.begun")).reads(password),
    // Ada has no second factor.
    Example::new("2fa disable", "2fa disable --password-stdin --otp-stdin", Effect::Refused(3)),
    Example::new("2fa recovery-codes", "2fa recovery-codes --password-stdin --otp-stdin", Effect::Refused(3)),
    Example::new("tokens create", "tokens create --name ci", Effect::Event("token.created")),
    Example::new("tokens create --user", "tokens create --user bob@example.com", Effect::Event("token.created")),
    Example::new("tokens list", "tokens list", Effect::Answer),
    Example::new("tokens list --user", "tokens list --user bob@example.com", Effect::Answer),
    Example::new("tokens list --all-users", "tokens list --all-users", Effect::Answer),
    Example::new("tokens revoke", "tokens revoke of-ada", Effect::Event("token.revoked")),
    Example::new("tokens revoke --user", "tokens revoke --user bob@example.com --all", Effect::Event("token.revoked")),
    Example::new("tokens revoke --all-users", "tokens revoke --all-users of-bob", Effect::Event("token.revoked")),
    Example::new("tokens rotate", "tokens rotate of-ada", Effect::Event("token.rotated")),
    Example::new("tokens rotate --user", "tokens rotate --user bob@example.com of-bob", Effect::Event("token.rotated")),
    Example::new("account update", "account update --name Augusta", Effect::Event("user.updated")),
    Example::new("account delete", "account delete --yes --force-last-admin", Effect::Event("user.deleted")),
    Example::new("guard", "guard -- echo ran", Effect::Answer),
    Example::new("hash generate", "hash generate --password-stdin", Effect::Answer).reads(password),
    Example::new("hash verify", "hash verify --stdin", Effect::Code).reads(hash_and_password),
    Example::new("hash identify", "hash identify", Effect::Answer).reads(hash),
    Example::new("hash calibrate", "hash calibrate --target 10ms --max-memory 19MiB", Effect::Answer),
    Example::new("users list", "users list", Effect::Answer),
    Example::new("users show", "users show bob@example.com", Effect::Answer),
    Example::new("users explain", "users explain bob@example.com", Effect::Answer),
    Example::new("users exists", "users exists bob@example.com", Effect::Code),
    Example::new("users create", "users create eve@example.com --name Eve --generate", Effect::Event("user.created")),
    Example::new("users apply", "users apply list.csv --yes", Effect::Event("user.created")),
    Example::new("users update", "users update bob@example.com --name Robert", Effect::Event("user.updated")),
    Example::new("users delete", "users delete bob@example.com --yes", Effect::Event("user.deleted")),
    Example::new("users set-password", "users set-password bob@example.com --generate", Effect::Event("password.set")),
    Example::new("users reset-code", "users reset-code bob@example.com", Effect::Event("code.created")),
    Example::new("users set-role", "users set-role bob@example.com editor", Effect::Event("role.set")),
    Example::new("users verify-email", "users verify-email bob@example.com", Effect::Event("email.verified")),
    Example::new("users ban", "users ban bob@example.com --reason spam", Effect::Event("user.banned")),
    Example::new("users unban", "users unban carl@example.com", Effect::Event("user.unbanned")),
    Example::new("users unlock", "users unlock bob@example.com", Effect::Event("user.unlocked")),
    Example::new("users lockdown", "users lockdown ada@example.com --yes", Effect::Event("user.locked-down")),
    Example::new("users reset-2fa", "users reset-2fa carl@example.com --yes", Effect::Event("second-factor.reset")),
    Example::new("users impersonate", "users impersonate bob@example.com", Effect::Event("session.impersonated")),
    Example::new("users impersonate --stop", "users impersonate --stop", Effect::Refused(4)),
    Example::new("roles list", "roles list", Effect::Answer),
    // The database is authctl's own, and has no organizations.
    Example::new("orgs list", "orgs list", Effect::Refused(3)),
    Example::new("orgs show", "orgs show acme", Effect::Refused(3)),
    Example::new("orgs members", "orgs members acme", Effect::Refused(3)),
    Example::new("orgs add", "orgs add acme bob@example.com", Effect::Refused(3)),
    Example::new("orgs remove", "orgs remove acme bob@example.com", Effect::Refused(3)),
    Example::new("orgs set-role", "orgs set-role acme bob@example.com admin", Effect::Refused(3)),
    Example::new("orgs invite", "orgs invite acme bob@example.com", Effect::Refused(3)),
    Example::new("policy show", "policy show", Effect::Answer),
    Example::new("policy set", "policy set session.lifetime 30d", Effect::Event("policy.set")),
    Example::new("policy unset", "policy unset session.short-lifetime", Effect::Event("policy.set")),
    Example::new("audit list", "audit list", Effect::Answer),
    Example::new("audit tail", "audit tail", Effect::Answer),
    Example::new("audit verify", "audit verify", Effect::Answer),
    Example::new("audit export", "audit export", Effect::Answer),
    Example::new("stats", "stats", Effect::Answer),
    Example::new("import", "import -", Effect::Event("users.imported")).reads(table),
    Example::new("export", "export", Effect::Answer),
    Example::new("export --with-hashes", "export --with-hashes --yes", Effect::Event("export.secrets")),
    Example::new("secret check", "secret check", Effect::Answer),
    Example::new("secret rotate", "secret rotate --yes", Effect::Event("second-factor.key-changed")),
    Example::new("db init", "db init --db other.db", Effect::File("other.db")),
    // The sandbox has no configuration file.
    Example::new("db list", "db list", Effect::Code),
    Example::new("db status", "db status", Effect::Answer),
    Example::new("db migrate", "db migrate", Effect::Code),
    Example::new("db check", "db check", Effect::Answer),
    Example::new("db prune", "db prune", Effect::Event("sessions.pruned")),
    Example::new("db backup", "db backup new.db", Effect::Event("database.backed-up")),
    Example::new("db copy", "db copy .local/share/authctl/auth.db new.db", Effect::Event("database.copied")),
    Example::new("db restore", "db restore backup.db --yes", Effect::Code),
    Example::new("db convert", "db convert --to better-auth --yes", Effect::Code),
    Example::new("doctor", "doctor", Effect::Answer),
    Example::new("doctor --fix", "doctor --fix --yes", Effect::Event("sessions.pruned")),
    Example::new("completions", "completions bash", Effect::Answer),
    Example::new("help", "help signin", Effect::Answer),
];
