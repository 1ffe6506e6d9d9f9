//! Where a session comes from: program, person, host, and terminal or CI run, so that a list of
//! sessions tells its reader which one was the laptop.

use crate::auth::storage::ClientInfo;

/// The longest description kept, in characters.
const USER_AGENT_CHARS_MAX: usize = 512;

/// The variables that name a remote client or a CI run.
#[derive(Debug, Clone, Default)]
pub(super) struct ClientEnv {
    ssh_connection: Option<String>,
    ci_run: Option<String>,
}

impl ClientEnv {
    /// Picks the variables out of the environment.
    pub(super) fn from(variable: impl Fn(&str) -> Option<String>) -> Self {
        let github = || {
            let [server, repository, run] = ["GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"].map(&variable);
            Some(format!("{}/{}/actions/runs/{}", server?, repository?, run?))
        };
        let ci_run = github()
            .or_else(|| variable("CI_JOB_URL"))
            .or_else(|| variable("BUILD_URL"))
            .or_else(|| variable("CI").filter(|value| value != "false" && value != "0").map(|_| "CI".to_owned()));
        Self { ssh_connection: variable("SSH_CONNECTION"), ci_run }
    }

    /// Describes this process.
    pub(super) fn client_info(&self) -> ClientInfo {
        let (os_user, host) = who();
        let place = self.ci_run.clone().or_else(terminal).unwrap_or_else(|| "no terminal".to_owned());
        let described = format!("authctl/{} ({}@{host}; {place})", env!("CARGO_PKG_VERSION"), os_user);
        ClientInfo {
            ip_address: self.client_address(),
            user_agent: Some(described.chars().filter(|c| !c.is_control()).take(USER_AGENT_CHARS_MAX).collect()),
        }
    }

    /// The SSH client's address: the first word of `SSH_CONNECTION`, if it is an address.
    fn client_address(&self) -> Option<String> {
        let first = self.ssh_connection.as_deref()?.split_whitespace().next()?;
        first.parse::<std::net::IpAddr>().ok().map(|address| address.to_string())
    }
}

/// The terminal, as `who` names it.
fn terminal() -> Option<String> {
    let name = rustix::termios::ttyname(rustix::stdio::stdin(), Vec::new()).ok()?;
    let name = name.to_string_lossy();
    Some(name.strip_prefix("/dev/").unwrap_or(&name).to_owned())
}

/// The operating system's user and the host.
pub(super) fn who() -> (String, String) {
    (os_user(), rustix::system::uname().nodename().to_string_lossy().into_owned())
}

/// The name of the operating system's user who runs this process; the environment may lie.
fn os_user() -> String {
    let id = nix::unistd::Uid::effective();
    match nix::unistd::User::from_uid(id) {
        Ok(Some(user)) => user.name,
        _ => format!("uid {id}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hints(variables: &'static [(&str, &str)]) -> ClientEnv {
        ClientEnv::from(|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn the_ssh_client_is_the_address_and_nonsense_is_none() {
        let address = |text| ClientEnv { ssh_connection: Some(text), ci_run: None }.client_address();
        assert_eq!(address("192.0.2.7 50022 192.0.2.1 22".into()).as_deref(), Some("192.0.2.7"));
        assert_eq!(address("2001:db8::7 50022 ::1 22".into()).as_deref(), Some("2001:db8::7"));
        assert_eq!(address("\u{1b}[2J 1 2 3".into()), None);
        assert_eq!(hints(&[]).client_address(), None);
    }

    #[test]
    fn a_ci_run_is_named_by_its_address_where_there_is_one() {
        let github = hints(&[
            ("CI", "true"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "a/b"),
            ("GITHUB_RUN_ID", "7"),
        ]);
        assert_eq!(github.ci_run.as_deref(), Some("https://github.com/a/b/actions/runs/7"));
        assert_eq!(hints(&[("CI", "1")]).ci_run.as_deref(), Some("CI"));
        assert_eq!(hints(&[("CI", "false")]).ci_run, None);
    }

    #[test]
    fn a_description_names_program_person_host_and_place() {
        let described = hints(&[("CI_JOB_URL", "https://ci.example/1")]).client_info().user_agent.unwrap();
        let expected = format!("authctl/{} (", env!("CARGO_PKG_VERSION"));
        assert!(described.starts_with(&expected) && described.ends_with("; https://ci.example/1)"), "{described}");
    }
}
