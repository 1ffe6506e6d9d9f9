//! Random sequences of acts: the sessions always match a small model.

use authctl::auth::SignedOut;
use proptest::prelude::*;

use super::*;

/// One step. A session is identified by its number among all sessions created so far.
#[derive(Debug, Clone)]
enum Step {
    SignIn(Lifetime),
    Use(usize),
    SignOut(usize),
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let exactly = prop::sample::select(vec![1, DAY - 1, DAY, DAY + 1, 6 * DAY, 7 * DAY - 1, 7 * DAY]);
    prop_oneof![
        1 => prop::sample::select(vec![Lifetime::Remembered, Lifetime::Short]).prop_map(Step::SignIn),
        4 => (0..4_usize).prop_map(Step::Use),
        1 => (0..4_usize).prop_map(Step::SignOut),
        2 => exactly.prop_map(Step::Wait),
        1 => (0..8 * DAY).prop_map(Step::Wait),
    ]
}

/// The state of a session in the model, in seconds.
#[derive(Debug)]
struct Known {
    token: Token,
    short: bool,
    moved: i64,
    end: i64,
    ended: bool,
}

impl Known {
    fn is_live(&self, now: i64) -> bool {
        !self.ended && now < self.end
    }

    /// The expiry after the session is used now.
    fn used(&mut self, now: i64) -> Result<i64, SignedOut> {
        if self.ended {
            return Err(SignedOut::Ended);
        }
        if now >= self.end {
            return Err(SignedOut::Expired);
        }
        if !self.short && now >= self.moved + DAY {
            (self.moved, self.end) = (now, now + 7 * DAY);
        }
        Ok(self.end)
    }
}

fn follow(steps: &[Step]) -> Result<(), TestCaseError> {
    let mut world = World::new();
    let ada = world.sign_up("ada").id;
    let mut known: Vec<Known> = Vec::new();
    let mut now = 0;
    for step in steps {
        match step {
            Step::Wait(seconds) => now += seconds,
            Step::SignIn(lifetime) => {
                let token = world.sign_in("ada", now, *lifetime);
                let short = *lifetime == Lifetime::Short;
                let end = now + if short { DAY } else { 7 * DAY };
                known.push(Known { token, short, moved: now, end, ended: false });
            }
            Step::Use(number) => {
                let Some(session) = known.get_mut(*number) else { continue };
                let used = match world.at(now).authenticate(&session.token) {
                    Ok(signed_in) => Ok(signed_in.session.expires_at),
                    Err(AuthError::NotSignedIn(how)) => Err(how),
                    Err(error) => return Err(TestCaseError::fail(error.to_string())),
                };
                prop_assert_eq!(used, session.used(now).map(at));
            }
            Step::SignOut(number) => {
                let Some(session) = known.get_mut(*number) else { continue };
                let ended = world.store.end_session(&session.token).unwrap().is_some();
                prop_assert_eq!(ended, !session.ended);
                session.ended = true;
            }
        }
        let mut live: Vec<_> =
            world.at(now).live_sessions(&ada).unwrap().iter().map(|session| session.expires_at).collect();
        let mut expected: Vec<_> =
            known.iter().filter(|session| session.is_live(now)).map(|session| at(session.end)).collect();
        live.sort();
        expected.sort();
        prop_assert_eq!(live, expected);
    }
    Ok(())
}

proptest! {
    // Each case creates a database and hashes several passwords, so there are few cases.
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sessions_match_the_model_after_random_acts(steps in prop::collection::vec(step(), 1..24)) {
        // Starts with a sign-in, so that a session exists.
        let steps = [vec![Step::SignIn(Lifetime::Remembered)], steps].concat();
        follow(&steps)?;
    }
}
