//! Which sessions an operator means: by age, idleness, address, program.

use std::net::IpAddr;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};

use super::session::Session;

/// Conditions that a session must all meet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// These ids, if any are given.
    pub ids: Vec<String>,
    /// Signed in at least this long ago.
    pub older_than: Option<SignedDuration>,
    /// Not moved forward for at least this long.
    pub idle: Option<SignedDuration>,
    /// From an address of this network.
    pub network: Option<Network>,
    /// From a program whose description matches.
    pub user_agent: Option<Pattern>,
    /// Not this one.
    pub except: Option<String>,
}

impl SessionFilter {
    /// Whether a session meets every condition.
    pub fn matches(&self, session: &Session, now: Timestamp) -> bool {
        let at_least = |since: Timestamp, least: Option<SignedDuration>| {
            least.is_none_or(|least| now.duration_since(since) >= least)
        };
        let address = || session.ip_address.as_deref().and_then(|text| text.parse().ok());
        (self.ids.is_empty() || self.ids.contains(&session.id))
            && at_least(session.created_at, self.older_than)
            && at_least(session.updated_at, self.idle)
            && self.network.is_none_or(|network| address().is_some_and(|address| network.contains(address)))
            && self
                .user_agent
                .as_ref()
                .is_none_or(|pattern| pattern.matches(session.user_agent.as_deref().unwrap_or_default()))
            && self.except.as_ref() != Some(&session.id)
    }
}

/// A network: an address and how many of its leading bits count (RFC 4632).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl FromStr for Network {
    type Err = String;

    /// Reads `10.0.0.0/8`, `2001:db8::/32` or a single address.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "expected an address or a network, such as 192.0.2.7 or 10.0.0.0/8".to_owned();
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(width), |bits| {
            // A sign in front would be a number to Rust and is none to RFC 4632.
            let digits = Some(bits).filter(|bits| bits.bytes().all(|b| b.is_ascii_digit()));
            digits.and_then(|digits| digits.parse().ok()).ok_or_else(wrong)
        })?;
        if bits > width { Err(wrong()) } else { Ok(Self { address, bits }) }
    }
}

impl Network {
    fn contains(self, other: IpAddr) -> bool {
        let number = |address: IpAddr| match address {
            IpAddr::V4(address) => u128::from(u32::from(address)) << 96,
            IpAddr::V6(address) => u128::from(address),
        };
        let differing = number(self.address) ^ number(other);
        self.address.is_ipv4() == other.is_ipv4() && differing.leading_zeros() >= u32::from(self.bits)
    }
}

/// A pattern of text: `*` stands for any characters, `?` for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Vec<char>);

impl Pattern {
    /// Takes a pattern as written.
    pub fn new(text: &str) -> Self {
        Self(text.chars().collect())
    }

    /// Whether all of a text matches.
    fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let (mut at, mut seen) = (0, 0);
        // Where the last `*` is, and how much of the text it has swallowed so far.
        let mut star: Option<(usize, usize)> = None;
        while seen < text.len() {
            match self.0.get(at) {
                Some('*') => {
                    star = Some((at, seen));
                    at += 1;
                }
                Some(c) if *c == '?' || *c == text[seen] => {
                    at += 1;
                    seen += 1;
                }
                _ => match star {
                    Some((place, swallowed)) => {
                        star = Some((place, swallowed + 1));
                        (at, seen) = (place + 1, swallowed + 1);
                    }
                    None => return false,
                },
            }
        }
        self.0[at..].iter().all(|c| *c == '*')
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fixtures::{at, session};

    #[test]
    fn a_network_holds_the_addresses_that_share_its_leading_bits() {
        let holds =
            |network: &str, address: &str| network.parse::<Network>().unwrap().contains(address.parse().unwrap());
        assert!(holds("10.0.0.0/8", "10.255.1.2") && !holds("10.0.0.0/8", "11.0.0.1"));
        assert!(holds("192.0.2.7", "192.0.2.7") && !holds("192.0.2.7", "192.0.2.8"));
        assert!(holds("2001:db8::/32", "2001:db8:ffff::1") && !holds("2001:db8::/32", "2001:db9::1"));
        assert!(holds("0.0.0.0/0", "203.0.113.9") && !holds("0.0.0.0/0", "::1"));
        for wrong in ["", "10.0.0.0/33", "10.0.0/8", "::1/129", "host", "10.0.0.0/-1", "10.0.0.0/"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_pattern_matches_the_whole_text() {
        let matches = |pattern: &str, text: &str| Pattern::new(pattern).matches(text);
        assert!(matches("curl*", "curl/8.0") && !matches("curl*", "a curl"));
        assert!(matches("*@laptop; *", "authctl (ada@laptop; pts/3)"));
        assert!(matches("a?c", "abc") && !matches("a?c", "ac"));
        assert!(matches("*", "") && matches("", "") && !matches("", "a"));
        assert!(matches("*a*b*", "xxaxxbxx") && !matches("*a*b*", "xxbxxaxx"));
        assert!(!matches(&"*a".repeat(40), &"a".repeat(39)));
    }

    #[test]
    fn a_session_must_meet_every_condition() {
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
        assert!(!filter(|filter| filter.ids = vec!["other".into()]).matches(&one, now));
        one.ip_address = None;
        assert!(!filter(|filter| filter.network = "0.0.0.0/0".parse().ok()).matches(&one, now));
    }
}
