//! Sessions: when one is live, fresh or due to be extended, and how an operator selects and ends sessions.

mod count;

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};

use super::id_prefix::session_among;
use super::odd::{OddValue, UNREADABLE, is_id};
use super::policy::{LONGEST_LIFE, SessionRules};
use super::storage::{SessionQuery, Which};

use super::{Auth, AuthError, InPerson, Person};
pub use count::ChosenCount;
/// A pattern of text: `*` stands for any characters, `?` for one.
pub use wildmatch::WildMatch as Pattern;

/// A stored session, without its token: a `Session` gives no access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The row id, which `sessions list` shows and `sessions revoke` takes.
    pub id: String,
    pub user_id: String,
    /// The session is over at this time, and if the time cannot be read.
    pub expires_at: Timestamp,
    pub created_at: Timestamp,
    /// When the session began or was last extended.
    pub updated_at: Timestamp,
    /// The address of the client, if the client is remote.
    pub ip_address: Option<String>,
    /// The program, user and host of the client. Text from outside; escape it.
    pub user_agent: Option<String>,
    /// The impersonator: the user id of an administrator, or a name of [`super::audit::Actor::os_name`].
    pub impersonated_by: Option<String>,
    /// The values that cannot be read. Their fields have values that grant nothing.
    pub odd: Vec<OddValue>,
}

/// How far a clock may be behind another before a session seems to begin in the future. Clocks kept by NTP differ
/// by far less.
pub const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// How far in the future the times of a valid row may be. Later times are from a wrong clock. A day is more than
/// the clocks of machines differ, and more than the offset of a time zone, for apps that write local time as UTC.
pub const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_hours(24);

/// The latest time at which a row that is valid now can have been written.
pub fn latest(now: Timestamp) -> Timestamp {
    now.saturating_add(CLOCK_TOLERANCE).unwrap_or(Timestamp::MAX)
}

/// The latest end that any policy gives to a session that is extended now.
pub fn last_end(now: Timestamp) -> Timestamp {
    latest(now).saturating_add(LONGEST_LIFE).unwrap_or(Timestamp::MAX)
}

impl Session {
    /// Whether acts find the row by its id.
    pub fn has_id(&self) -> bool {
        is_id(&self.id)
    }

    /// Whether the session is live. **Every** check of expiry in the program calls this. A session is over at
    /// `expiresAt`. A session that a wrong clock made years ahead is over too, because its end does not show how
    /// long it was meant to live.
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires_at && !self.is_from_the_future(now)
    }

    /// Whether an operator sees and ends the session: it is live, or the app may take it for live, because its end
    /// cannot be read here.
    pub fn may_be_live(&self, now: Timestamp) -> bool {
        self.expires_at == UNREADABLE || self.is_live(now)
    }

    /// Whether a clock that was ahead made the session, or extended it beyond every policy. The end alone does not
    /// show it, because an app may give its sessions any life.
    pub fn is_from_the_future(&self, now: Timestamp) -> bool {
        let latest = latest(now);
        self.created_at > latest || (self.updated_at > latest && self.expires_at > last_end(now))
    }

    /// Whether the sign-in is recent enough for acts that cannot be undone. A session from the future (the clock
    /// was set back) is not fresh, and neither is an impersonated one.
    pub fn is_fresh(&self, now: Timestamp, rules: &SessionRules) -> bool {
        let age = now.duration_since(self.created_at);
        !self.is_impersonated() && age < rules.fresh_for && age >= -CLOCK_SKEW
    }

    /// Whether an operator acts as the user. Use does not extend such a session.
    pub fn is_impersonated(&self) -> bool {
        self.impersonated_by.is_some()
    }

    /// The id of the impersonator, or of the user if the session is not impersonated.
    pub fn actor(&self) -> &str {
        self.impersonated_by.as_deref().unwrap_or(&self.user_id)
    }

    /// Whether use extends the session now.
    ///
    /// A short session (`--no-remember`) is never extended. It is known by the time from `updatedAt` to
    /// `expiresAt`, because both are written together.
    pub fn is_due_to_move(&self, now: Timestamp, rules: &SessionRules) -> bool {
        let granted = self.expires_at.duration_since(self.updated_at);
        !self.is_impersonated() && granted > rules.short_for && now.duration_since(self.updated_at) >= rules.move_after
    }
}

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

/// The users whose sessions are meant.
#[derive(Debug, Clone)]
pub enum Scope {
    /// The caller.
    Own(Person),
    /// The user with this id, for an operator.
    User(String),
    /// All users, for an operator.
    AllUsers,
}

impl Scope {
    /// The id of the user; `None` for all users.
    pub fn user_id(&self) -> Option<&str> {
        match self {
            Self::Own(me) => Some(me.user_id()),
            Self::User(id) => Some(id),
            Self::AllUsers => None,
        }
    }
}

/// Live sessions to list or to end.
#[derive(Debug)]
pub struct Selection {
    pub scope: Scope,
    pub filter: SessionFilter,
    /// The place where the page before ended.
    pub after: Option<String>,
}

impl Selection {
    /// Whether every session is chosen that has no id. One alone cannot be ended, so that a selection that has
    /// conditions, or the caller's own session, leaves them.
    pub fn chooses_without_id(&self) -> bool {
        let SessionFilter { older_than, idle, network, user_agent, except: _ } = &self.filter;
        let is_own = matches!(self.scope, Scope::Own(_));
        !is_own && older_than.is_none() && idle.is_none() && network.is_none() && user_agent.is_none()
    }
}

/// A page of sessions, the newest first.
#[derive(Debug, Default)]
pub struct SessionPage {
    /// Each with the address of its user.
    pub sessions: Vec<(String, Session)>,
    pub has_more: bool,
}

impl Auth<'_> {
    /// Lists a user's live sessions, newest first.
    ///
    /// # Errors
    /// [`AuthError::Store`].
    pub fn live_sessions(&mut self, user_id: &str) -> Result<Vec<Session>, AuthError> {
        let sessions = self.store.sessions(user_id)?;
        Ok(self.only_live(sessions))
    }

    /// Ends sessions of the caller and returns those that were live. The first characters of an id stand for it.
    ///
    /// # Errors
    /// [`AuthError::NoSuchSession`] if one of the ids is not a live session of the user, and
    /// [`AuthError::AmbiguousId`]; then no session ends.
    /// As for [`super::Caller::check`].
    pub fn end_sessions(&mut self, me: InPerson<'_>, which: &Which) -> Result<Vec<Session>, AuthError> {
        let which = match which {
            Which::Ids(_) => &Which::Ids(self.choose_sessions(me, which)?.into_iter().map(|one| one.id).collect()),
            which => which,
        };
        let ended = self.act_for(&me, |auth| auth.store.end_sessions(&me.user.id, which)?)?;
        Ok(self.only_live(ended))
    }

    /// Lists the live sessions that [`Auth::end_sessions`] would end.
    ///
    /// # Errors
    /// [`AuthError::NoSuchSession`] and [`AuthError::AmbiguousId`] as for [`Auth::end_sessions`].
    pub fn choose_sessions(&mut self, me: InPerson<'_>, which: &Which) -> Result<Vec<Session>, AuthError> {
        let live = self.live_sessions(&me.user.id)?;
        let which = match which {
            Which::Ids(ids) => &Which::Ids(ids.iter().map(|id| session_among(id, &live)).collect::<Result<_, _>>()?),
            which => which,
        };
        Ok(live.into_iter().filter(|session| which.means(&session.id)).collect())
    }

    /// Reads a page of the live sessions that a selection has, at most `limit`, and continues the selection after it.
    /// A page is larger only if no later session has a place.
    ///
    /// # Errors
    /// [`AuthError::Store`]; [`StoreError::NoSuchPlace`] if [`Selection::after`] is no place.
    ///
    /// [`StoreError::NoSuchPlace`]: super::storage::StoreError::NoSuchPlace
    pub fn sessions_page(&mut self, selection: &mut Selection, limit: usize) -> Result<SessionPage, AuthError> {
        let Selection { scope, filter, after } = selection;
        let query = SessionQuery { user_id: scope.user_id(), filter, after: after.as_deref(), now: self.now };
        let (mut page, mut place) = (SessionPage::default(), None);
        self.store.each_session(&query, &mut |found| {
            if !found.session.may_be_live(query.now) || !filter.matches(&found.session, query.now) {
                return true;
            }
            page.has_more = page.sessions.len() >= limit && place.is_some();
            if !page.has_more {
                place = found.place;
                page.sessions.push((found.email, found.session));
            }
            !page.has_more
        })?;
        *after = place.or(after.take());
        Ok(page)
    }

    /// Finds the live sessions with these ids, or with ids that begin with them, that are in a scope and meet every
    /// condition.
    ///
    /// # Errors
    /// [`AuthError::NoSuchSession`] if one of the ids has no such session; [`AuthError::AmbiguousId`].
    pub fn sessions_with_ids(
        &mut self,
        ids: &[String],
        scope: &Scope,
        filter: &SessionFilter,
    ) -> Result<Vec<Session>, AuthError> {
        let mut chosen: Vec<Session> = Vec::new();
        for id in ids {
            let now = self.now;
            let is_meant = |session: &Session| {
                scope.user_id().is_none_or(|user_id| user_id == session.user_id)
                    && session.may_be_live(now)
                    && filter.matches(session, now)
            };
            let session = self.session_with_id(id, is_meant)?;
            let session = session.ok_or_else(|| AuthError::NoSuchSession(id.clone()))?;
            if !chosen.iter().any(|known| known.id == session.id) {
                chosen.push(session);
            }
        }
        Ok(chosen)
    }

    /// Ends sessions that were chosen in this scope, in one transaction. Returns those that still existed. A session
    /// without an id ends with all others without one of the same user: see [`Selection::chooses_without_id`].
    ///
    /// # Errors
    /// For sessions of the caller, as for [`super::Caller::check`].
    pub fn end_chosen(&mut self, scope: &Scope, chosen: &[Session]) -> Result<Vec<Session>, AuthError> {
        let (named, nameless): (Vec<&Session>, Vec<&Session>) = chosen.iter().partition(|session| session.has_id());
        let ids: Vec<String> = named.into_iter().map(|session| session.id.clone()).collect();
        let mut users: Vec<String> = nameless.into_iter().map(|session| session.user_id.clone()).collect();
        users.sort();
        users.dedup();
        let ended = match scope {
            Scope::Own(me) => {
                self.act_for(&me.in_person(), |auth| Ok(auth.store.end_sessions_by_id(&ids, &users)?))?
            }
            Scope::User(_) | Scope::AllUsers => self.store.end_sessions_by_id(&ids, &users)?,
        };
        Ok(self.only_live(ended))
    }

    pub(super) fn only_live(&self, sessions: Vec<Session>) -> Vec<Session> {
        sessions.into_iter().filter(|session| session.may_be_live(self.now)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fixtures::{at, session};

    const DAY: i64 = 86_400;

    #[test]
    fn session_is_over_at_its_end() {
        let session = session(0, 7 * DAY);
        assert!(session.is_live(at(7 * DAY - 1)));
        assert!(!session.is_live(at(7 * DAY)));
        assert!(!session.is_live(at(7 * DAY + 1)));
    }

    #[test]
    fn session_made_by_a_clock_that_was_ahead_is_over() {
        const YEAR: i64 = 365 * DAY;
        let ahead = session(10 * YEAR, 10 * YEAR + 7 * DAY);
        for (now, is_live) in [
            (0, false),
            (10 * YEAR - DAY - 1, false),
            (10 * YEAR - DAY, true),
            (10 * YEAR, true),
            (10 * YEAR + 7 * DAY - 1, true),
            (10 * YEAR + 7 * DAY, false),
        ] {
            assert_eq!(ahead.is_live(at(now)), is_live, "{now}");
        }
    }

    #[test]
    fn session_extended_beyond_every_policy_is_over() {
        let moved = |updated: i64, expires| Session { updated_at: at(updated), ..session(0, expires) };
        assert!(!moved(399 * DAY, 799 * DAY).is_live(at(DAY)));
        assert!(moved(DAY, 401 * DAY).is_live(at(DAY)));
        // A life that a policy can allow is valid, because the user may have signed in before the clock jumped.
        assert!(moved(5 * DAY, 12 * DAY).is_live(at(DAY)));
        // An app may give its sessions any life.
        assert!(moved(0, 3_650 * DAY).is_live(at(DAY)));
    }

    #[test]
    fn session_is_fresh_for_a_day_and_not_in_the_future() {
        let rules = SessionRules::default();
        let session = session(0, 7 * DAY);
        assert!(session.is_fresh(at(0), &rules));
        assert!(session.is_fresh(at(DAY - 1), &rules));
        assert!(!session.is_fresh(at(DAY), &rules));
        assert!(session.is_fresh(at(-200), &rules));
        assert!(!session.is_fresh(at(-DAY), &rules));
    }

    #[test]
    fn session_is_extended_a_day_after_the_last_extension() {
        let rules = SessionRules::default();
        let session = session(0, 7 * DAY);
        assert!(!session.is_due_to_move(at(DAY - 1), &rules));
        assert!(session.is_due_to_move(at(DAY), &rules));
    }

    #[test]
    fn short_session_is_never_extended() {
        let rules = SessionRules::default();
        let session = session(0, DAY);
        for now in [0, DAY / 2, DAY - 1, DAY, 3 * DAY] {
            assert!(!session.is_due_to_move(at(now), &rules), "{now}");
        }
    }

    #[test]
    fn impersonated_session_is_never_fresh_or_extended() {
        let rules = SessionRules { short_for: SignedDuration::from_mins(1), ..SessionRules::default() };
        let own = session(0, 7 * DAY);
        let other = Session { impersonated_by: Some("root".into()), ..own.clone() };
        assert!(own.is_fresh(at(0), &rules) && own.is_due_to_move(at(DAY), &rules));
        for now in [0, 1, DAY - 1, DAY, 6 * DAY] {
            assert!(!other.is_fresh(at(now), &rules), "{now}");
            assert!(!other.is_due_to_move(at(now), &rules), "{now}");
            assert!(other.is_live(at(now)));
        }
    }

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
