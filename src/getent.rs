//! Names that the system knows: of its users and of other machines.
//!
//! The name service of glibc loads modules, such as those for LDAP, which belong to the glibc of the machine. The program for
//! shipping is linked statically and has a glibc of its own, into which such a module must not be loaded. It asks `getent`,
//! the system's program for this.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::process::{Command, Stdio};

/// The name of a user. Most are in the file of the system, which needs no name service.
pub fn user_name(id: u32) -> Option<String> {
    let in_file = std::fs::read("/etc/passwd").ok();
    let in_file = in_file.and_then(|file| name_in(&String::from_utf8_lossy(&file), id));
    in_file.or_else(|| name_in(&getent("passwd", &id.to_string())?.ok()?, id))
}

/// Finds the name of a user in lines as `/etc/passwd` has them.
fn name_in(lines: &str, id: u32) -> Option<String> {
    lines.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number.parse() == Ok(id) && !name.is_empty()).then(|| name.to_owned())
    })
}

/// The addresses of a machine.
///
/// # Errors
/// When it has none, or nothing answers who could know them.
pub fn addresses(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let asked = if cfg!(target_feature = "crt-static") { getent("ahosts", host) } else { None };
    match asked {
        Some(answer) => Ok(addresses_in(&answer?, port)),
        None => (host, port).to_socket_addrs().map(Iterator::collect),
    }
}

/// Reads the answer of `getent ahosts`: a line for each address and kind of socket.
fn addresses_in(answer: &str, port: u16) -> Vec<SocketAddr> {
    let of_streams = answer.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let address = words.next()?.parse::<IpAddr>().ok()?;
        (words.next()? == "STREAM").then_some(address)
    });
    of_streams.map(|address| SocketAddr::new(address, port)).collect()
}

/// Asks `getent` for a name of one of its databases; `None` on a system without the program. It answers nothing, with another
/// exit code, for a name that it does not find. It gets no secret of the environment, and is the program of the system whatever
/// `PATH` says.
fn getent(database: &str, name: &str) -> Option<io::Result<String>> {
    let mut getent = Command::new("getent");
    getent.args(["--", database, name]).env_clear().stdin(Stdio::null()).stderr(Stdio::null());
    match getent.output() {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        asked => Some(asked.and_then(|answer| {
            let found = answer.status.success();
            let unknown = || io::Error::new(ErrorKind::NotFound, "the name is not known");
            found.then(|| String::from_utf8_lossy(&answer.stdout).into_owned()).ok_or_else(unknown)
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_is_found_by_number() {
        let lines = "# users\nroot:x:0:0:root:/root:/bin/bash\nodd\nada:x:1000:1000::/home/ada:/bin/sh\n";
        assert_eq!([0, 1000, 1001].map(|id| name_in(lines, id)), [Some("root".into()), Some("ada".into()), None]);
        assert_eq!(user_name(0).as_deref(), Some("root"));
    }

    #[test]
    fn answer_of_getent_is_read() {
        let answer = "192.0.2.7       STREAM db.example.com\n192.0.2.7       DGRAM\n192.0.2.7       RAW\n\
                      2001:db8::7     STREAM\nfe80::1%eth0    STREAM\n";
        let expected = ["192.0.2.7:5432", "[2001:db8::7]:5432"].map(|address| address.parse().unwrap());
        assert_eq!(addresses_in(answer, 5432), expected);
    }

    #[test]
    fn getent_knows_the_names_of_the_system() {
        let Some(answer) = getent("ahosts", "localhost") else { return };
        assert!(addresses_in(&answer.unwrap(), 1).iter().any(|address| address.ip().is_loopback()));
        for unknown in ["no-such-host.invalid", "--help"] {
            assert_eq!(getent("ahosts", unknown).unwrap().unwrap_err().kind(), ErrorKind::NotFound, "{unknown}");
        }
    }
}
