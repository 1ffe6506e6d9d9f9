//! The vote of the values of a column on its encoding.

use super::encoding::TimeEncoding;
use super::truth::TruthEncoding;

/// An encoding that values can vote for.
pub(in crate::store) trait Encoding: Copy + PartialEq {
    /// Whether the same program may write both, so that votes for the one are votes for the other.
    fn is_alike(self, other: Self) -> bool;

    /// How exact the encoding is. Of equally many like votes, those for the most exact win.
    fn digits(self) -> u8;
}

impl Encoding for TimeEncoding {
    /// The same number in whatever type it is stored, or text that differs in the digits of the fraction or in the
    /// offset alone.
    fn is_alike(self, other: Self) -> bool {
        let number = |encoding| if encoding == Self::RealMilliseconds { Self::Milliseconds } else { encoding };
        match (self, other) {
            (Self::Text(one), Self::Text(other)) => one.is_alike(other),
            _ => number(self) == number(other),
        }
    }

    fn digits(self) -> u8 {
        match self {
            Self::Text(form) => form.digits(),
            _ => 0,
        }
    }
}

impl Encoding for TruthEncoding {
    fn is_alike(self, other: Self) -> bool {
        let number = |encoding| if encoding == Self::Real { Self::Number } else { encoding };
        match (self, other) {
            (Self::Time(one), Self::Time(other)) => one.is_alike(other),
            _ => number(self) == number(other),
        }
    }

    fn digits(self) -> u8 {
        match self {
            Self::Time(encoding) => encoding.digits(),
            _ => 0,
        }
    }
}

/// What the values of a column show together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Elected<E> {
    /// The encoding of most values.
    One(E),
    /// Equally many values have these two, and no others have more.
    Tie(E, E),
}

/// The encodings of values, with their counts, in the order of their first values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct Votes<E>(Vec<(E, u64)>);

impl<E> Default for Votes<E> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<E: Encoding> Votes<E> {
    pub(in crate::store) fn add(&mut self, encoding: E) {
        self.add_many(encoding, 1);
    }

    fn add_many(&mut self, encoding: E, votes: u64) {
        match self.0.iter_mut().find(|(known, _)| *known == encoding) {
            Some((_, count)) => *count += votes,
            None => self.0.push((encoding, votes)),
        }
    }

    /// The votes for some encodings alone.
    pub(in crate::store) fn only(&self, is_meant: impl Fn(E) -> bool) -> Self {
        Self(self.0.iter().copied().filter(|(encoding, _)| is_meant(*encoding)).collect())
    }

    /// These votes and others.
    pub(in crate::store) fn and(&self, others: &Self) -> Self {
        let mut all = self.clone();
        for (encoding, count) in &others.0 {
            all.add_many(*encoding, *count);
        }
        all
    }

    pub(in crate::store) fn count(&self) -> u64 {
        self.0.iter().map(|(_, count)| count).sum()
    }

    /// Whether all votes are alike.
    pub(in crate::store) fn is_unanimous(&self) -> bool {
        self.0.first().is_some_and(|(first, _)| self.0.iter().all(|(encoding, _)| encoding.is_alike(*first)))
    }

    /// The winner; `None` without votes. Like encodings win together, and the one of them with most votes stands for all.
    pub(in crate::store) fn elected(&self) -> Option<Elected<E>> {
        let alike = |encoding: E| self.0.iter().filter(move |(other, _)| other.is_alike(encoding));
        let together = |encoding: E| alike(encoding).map(|(_, count)| count).sum::<u64>();
        let most = self.0.iter().map(|(encoding, _)| together(*encoding)).max()?;
        let mut winners = self.0.iter().map(|(encoding, _)| *encoding).filter(|encoding| together(*encoding) == most);
        let first = winners.next()?;
        let second = winners.find(|other| !other.is_alike(first));
        // The last of equal elements is the greatest.
        let best = |winner| alike(winner).rev().max_by_key(|(one, count)| (*count, one.digits())).map(|(one, _)| *one);
        let first = best(first)?;
        Some(second.and_then(best).map_or(Elected::One(first), |second| Elected::Tie(first, second)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::engine::ValueRef;

    fn elected(texts: &str) -> Option<Elected<TimeEncoding>> {
        let mut votes = Votes::default();
        for text in texts.split_terminator(", ") {
            votes.add(encoding(text));
        }
        votes.elected()
    }

    /// The encoding of a number or text.
    fn encoding(text: &str) -> TimeEncoding {
        let number = text.parse().map(ValueRef::Integer).or_else(|_| text.parse().map(ValueRef::Real));
        TimeEncoding::shown_by(number.unwrap_or(ValueRef::Text(text.as_bytes()))).unwrap()
    }

    #[test]
    fn most_votes_win_and_like_votes_count_together() {
        for (votes, winner) in [
            ("1790000000, 1790000000302, 1790000001302", "1790000000302"),
            // Three numbers of milliseconds outvote two of seconds.
            ("1790000000, 1790000001, 1790000000302, 1790000000302.0, 1790000000303.0", "1790000000302.0"),
            ("1790000000302, 1790000000302.0", "1790000000302"),
            ("1790000000302.0, 1790000000302", "1790000000302.0"),
            ("2026-11-23T13:28:40Z, 2026-11-23T13:28:40.5Z, 2026-11-23T13:28:40.25Z", "2026-11-23T13:28:40.25Z"),
            ("2026-11-23T13:28:40.5Z, 2026-11-23T13:28:40Z, 2026-11-23T13:28:41Z", "2026-11-23T13:28:40Z"),
            (
                "2026-11-23T13:28:40-05:00, 2026-07-23T13:28:40-04:00, 2026-07-23T13:28:41-04:00",
                "2026-07-23T13:28:40-04:00",
            ),
        ] {
            assert_eq!(elected(votes), Some(Elected::One(encoding(winner))), "{votes}");
        }
        assert_eq!(elected(""), None);
    }

    #[test]
    fn equally_many_unlike_votes_tie() {
        let text = "2026-11-23 13:28:40";
        let both = Elected::Tie(encoding("1790000000"), encoding(text));
        assert_eq!(elected(&format!("1790000000, {text}, 1790000001, {text}")), Some(both));
        assert_eq!(elected(&format!("1790000000, {text}, {text}")), Some(Elected::One(encoding(text))));
    }

    #[test]
    fn votes_are_unanimous_if_they_are_alike() {
        let of = |texts: &[&str]| {
            let mut votes = Votes::default();
            for text in texts {
                votes.add(encoding(text));
            }
            (votes.is_unanimous(), votes.only(TimeEncoding::is_text).count() == 0)
        };
        assert_eq!(of(&["1790000000302", "1790000000302.0"]), (true, true));
        assert_eq!(of(&["1790000000302", "2026-11-23 13:28:40"]), (false, false));
        assert_eq!(of(&[]), (false, true));
    }
}
