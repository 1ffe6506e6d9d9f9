//! The conditions by which an operator selects sessions: age, idle time, network and program.

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};
/// A pattern of text: `*` stands for any characters, `?` for one.
pub use wildmatch::WildMatch as Pattern;

use super::Session;

/// Conditions, all of which a session must meet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SessionFilter {
    /// The least time since the sign-in.
    pub older_than: Option<SignedDuration>,
    /// The least time since the last extension.
    pub idle: Option<SignedDuration>,
    pub network: Option<Network>,
    pub user_agent: Option<Pattern>,
    pub except: Option<String>,
}

impl SessionFilter {
    pub fn matches(&self, session: &Session, now: Timestamp) -> bool {
        let at_least = |since: Timestamp, least: Option<SignedDuration>| {
            least.is_none_or(|least| now.duration_since(since) >= least)
        };
        let address = || session.ip_address.as_deref().and_then(client_address);
        at_least(session.created_at, self.older_than)
            && at_least(session.updated_at, self.idle)
            && self.network.is_none_or(|Network(network)| address().is_some_and(|address| network.contains(&address)))
            && self
                .user_agent
                .as_ref()
                .is_none_or(|pattern| pattern.matches(session.user_agent.as_deref().unwrap_or_default()))
            && self.except.as_ref() != Some(&session.id)
    }
}

/// Reads the address of a client as servers write it: also as the first of the list in `X-Forwarded-For`.
fn client_address(text: &str) -> Option<IpAddr> {
    read_address(text.split(',').next()?.trim())
}

/// Reads an address in any spelling: also in brackets, with a port, with a zone, or as IPv4 in IPv6. The zone is left
/// out, because it names an interface of one machine.
fn read_address(text: &str) -> Option<IpAddr> {
    let is_port = |port: &str| port.parse::<u16>().is_ok();
    let address = match text.strip_prefix('[').map(|rest| rest.split_once(']')) {
        Some(bracketed) => {
            let (inner, port) = bracketed?;
            let has_rest = !port.is_empty() && !port.strip_prefix(':').is_some_and(is_port);
            IpAddr::V6(read_ipv6(inner).filter(|_| !has_rest)?)
        }
        None => match text.split_once(':') {
            // A second colon makes it IPv6, which has a port only after brackets.
            Some((inner, port)) if is_port(port) => IpAddr::V4(inner.parse().ok()?),
            Some(_) => IpAddr::V6(read_ipv6(text)?),
            None => IpAddr::V4(text.parse().ok()?),
        },
    };
    Some(address.to_canonical())
}

fn read_ipv6(text: &str) -> Option<Ipv6Addr> {
    let (address, zone) = text.split_once('%').unwrap_or((text, "0"));
    address.parse().ok().filter(|_| !zone.is_empty())
}

/// A network, or a single address (RFC 4632).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network(IpNet);

/// The bits in front of an IPv4 address in IPv6.
const MAPPED_BITS: u8 = 96;

impl Network {
    fn read(text: &str) -> Option<IpNet> {
        let Some((address, bits)) = text.rsplit_once('/') else { return read_address(text).map(IpNet::from) };
        // Other programs take leading zeros for octal numbers.
        let bits: u8 = bits.parse().ok().filter(|number: &u8| number.to_string() == bits)?;
        let network = read_address(address)?;
        // An IPv4 network may have the spelling of IPv6, and the number of its bits then counts those in front.
        let bits =
            if network.is_ipv4() && address.matches(':').count() > 1 { bits.checked_sub(MAPPED_BITS)? } else { bits };
        IpNet::new(network, bits).ok()
    }

    /// The text with which every IPv4 address of the network begins, such as `10.`; empty for other networks.
    pub fn leading_octets(&self) -> String {
        let IpNet::V4(network) = self.0 else { return String::new() };
        let octets = usize::from(network.prefix_len() / 8).min(3);
        let texts = network.network().octets().map(|octet| octet.to_string() + ".");
        texts[..octets].concat()
    }
}

impl FromStr for Network {
    type Err = String;

    /// Reads `10.0.0.0/8`, `2001:db8::/32` or a single address, each in any spelling.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "expected an address or a network, such as 192.0.2.7 or 10.0.0.0/8".to_owned();
        Self::read(text).map(Self).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fixtures::{at, session};

    #[test]
    fn address_of_a_client_is_read_in_every_spelling() {
        for (text, address) in [
            ("10.1.2.3", "10.1.2.3"),
            ("::ffff:10.1.2.3", "10.1.2.3"),
            ("::FFFF:0a01:0203", "10.1.2.3"),
            ("10.1.2.3:443", "10.1.2.3"),
            ("[::ffff:10.1.2.3]:443", "10.1.2.3"),
            ("[2001:DB8::1]:443", "2001:db8::1"),
            (" 10.1.2.3 , 192.0.2.1", "10.1.2.3"),
            ("[::1]", "::1"),
            ("[::1]:443", "::1"),
            ("fe80::1%eth0", "fe80::1"),
            ("[fe80::1%eth0]:443", "fe80::1"),
            ("[fe80::1%eth0], 10.1.2.3", "fe80::1"),
        ] {
            assert_eq!(client_address(text), Some(address.parse().unwrap()), "{text}");
        }
        for text in [
            "",
            "unknown",
            "10.1.2",
            "010.1.2.3",
            ", 10.1.2.3",
            "[10.1.2.3]",
            "[::1",
            "[::1]x",
            "[::1]:x",
            "::1]",
            "10.1.2.3:",
            "10.1.2.3:70000",
            "10.1.2.3%eth0",
            "fe80::1%",
        ] {
            assert_eq!(client_address(text), None, "{text}");
        }
    }

    #[test]
    fn network_is_read_in_every_spelling_of_its_address() {
        for (text, network) in [
            ("::ffff:10.1.2.3", "10.1.2.3"),
            ("10.1.2.3:443", "10.1.2.3"),
            ("[::1]", "::1"),
            ("[::1]:443", "::1"),
            ("fe80::1%eth0", "fe80::1"),
            ("fe80::%eth0/64", "fe80::/64"),
            ("[2001:db8::]/32", "2001:db8::/32"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("[::ffff:a00:0]/104", "10.0.0.0/8"),
            ("::ffff:0:0/96", "0.0.0.0/0"),
        ] {
            assert_eq!(text.parse::<Network>(), network.parse(), "{text}");
        }
    }

    #[test]
    fn network_contains_addresses_with_its_leading_bits() {
        let holds = |network: &str, address: &str| {
            network.parse::<Network>().unwrap().0.contains(&address.parse::<IpAddr>().unwrap())
        };
        assert!(holds("10.0.0.0/8", "10.255.1.2") && !holds("10.0.0.0/8", "11.0.0.1"));
        assert!(holds("192.0.2.7", "192.0.2.7") && !holds("192.0.2.7", "192.0.2.8"));
        assert!(holds("2001:db8::/32", "2001:db8:ffff::1") && !holds("2001:db8::/32", "2001:db9::1"));
        assert!(holds("0.0.0.0/0", "203.0.113.9") && !holds("0.0.0.0/0", "::1"));
        for wrong in [
            "",
            "10.0.0.0/33",
            "10.0.0/8",
            "::1/129",
            "host",
            "10.0.0.0/-1",
            "10.0.0.0/+8",
            "10.0.0.0/",
            "010.0.0.1/8",
            "10.0.0.0/8/8",
            "10.0.0.0/08",
            "::ffff:10.0.0.0/8",
            "::ffff:10.0.0.0/129",
            "[10.0.0.0]/8",
        ] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn pattern_matches_the_whole_text() {
        let matches = |pattern: &str, text: &str| Pattern::new(pattern).matches(text);
        assert!(matches("curl*", "curl/8.0") && !matches("curl*", "a curl"));
        assert!(matches("*@laptop; *", "authctl (ada@laptop; pts/3)"));
        assert!(matches("a?c", "abc") && !matches("a?c", "ac"));
        assert!(matches("*", "") && matches("", "") && !matches("", "a"));
        assert!(matches("*a*b*", "xxaxxbxx") && !matches("*a*b*", "xxbxxaxx"));
        assert!(!matches(&"*a".repeat(40), &"a".repeat(39)));
    }

    #[test]
    fn filter_requires_every_condition() {
        let mut one = session(0, 1_000_000);
        one.ip_address = Some("192.0.2.7".into());
        one.user_agent = Some("curl/8".into());
        one.updated_at = at(500);
        let day = SignedDuration::from_secs;
        let filter = |change: fn(&mut SessionFilter)| {
            let mut filter = SessionFilter::default();
            change(&mut filter);
            filter
        };
        let now = at(1_000);
        assert!(SessionFilter::default().matches(&one, now));
        assert!(SessionFilter { older_than: Some(day(1_000)), ..SessionFilter::default() }.matches(&one, now));
        assert!(!SessionFilter { older_than: Some(day(1_001)), ..SessionFilter::default() }.matches(&one, now));
        assert!(SessionFilter { idle: Some(day(500)), ..SessionFilter::default() }.matches(&one, now));
        assert!(!SessionFilter { idle: Some(day(501)), ..SessionFilter::default() }.matches(&one, now));
        assert!(filter(|filter| filter.network = "192.0.2.0/24".parse().ok()).matches(&one, now));
        assert!(!filter(|filter| filter.network = "198.51.100.0/24".parse().ok()).matches(&one, now));
        assert!(!filter(|filter| filter.user_agent = Some(Pattern::new("wget*"))).matches(&one, now));
        assert!(!filter(|filter| filter.except = Some("session-1".into())).matches(&one, now));
        one.ip_address = None;
        assert!(!filter(|filter| filter.network = "0.0.0.0/0".parse().ok()).matches(&one, now));
    }
}
