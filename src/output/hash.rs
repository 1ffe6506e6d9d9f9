//! Password hashes, told.

use jiff::SignedDuration;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::page::{Page, Style};
use super::report::Report;
use super::table::facts;
use super::words::yes_no;
use crate::auth::audit::counted;
use crate::auth::password::HashFormat;
use crate::auth::password::HashParams;
use crate::auth::policy::Argon2Cost;
use crate::auth::secret::StoredHash;

/// What `hash` did.
#[derive(Debug)]
pub enum HashOutcome {
    /// A password hash.
    Made(StoredHash),
    /// The password is the one of the hash.
    Right {
        /// The hash is weaker than the policy asks for.
        outdated: bool,
    },
    /// A hash's kind.
    Identified {
        /// The kind.
        kind: HashFormat,
        /// It is weaker than the policy asks for.
        outdated: bool,
    },
    /// What a hash may cost on this machine.
    Calibrated {
        /// The cost.
        cost: Argon2Cost,
        /// How long one hash took.
        took: SignedDuration,
        /// Within the wished time; if not, the least cost that is allowed took longer.
        within: bool,
    },
}

impl Report for HashOutcome {
    fn text(&self, _now: Timestamp, _style: Style) -> Page {
        match self {
            Self::Made(hash) => Page::answer(format!("{}\n", hash.expose())),
            Self::Right { outdated: false } => Page::note("the password is right".to_owned()),
            Self::Right { outdated: true } => {
                Page::note("the password is right; the hash is weaker than the policy asks for".to_owned())
            }
            Self::Identified { kind, outdated } => Page::answer(identified(*kind, *outdated)),
            Self::Calibrated { cost, took, within } => calibrated(*cost, *took, *within),
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Made(hash) => json!({ "hash": hash.expose() }),
            Self::Right { outdated } => json!({ "right": true, "outdated": outdated }),
            Self::Identified { kind, outdated } => identified_json(*kind, *outdated),
            Self::Calibrated { cost, took, within } => json!({
                "memoryKib": cost.memory_kib,
                "passes": cost.passes,
                "lanes": cost.lanes,
                "milliseconds": took.as_millis(),
                "withinTarget": within,
            }),
        }
    }
}

fn identified(kind: HashFormat, outdated: bool) -> String {
    let mut known = vec![("kind", kind.name().to_owned())];
    match kind {
        HashFormat::Accepted(HashParams::Argon2id(cost)) => {
            let (passes, lanes) = (counted(cost.passes.into(), "pass"), counted(cost.lanes.into(), "lane"));
            known.push(("cost", format!("{} KiB, {passes}, {lanes}", cost.memory_kib)));
        }
        HashFormat::Accepted(HashParams::Bcrypt(cost)) => known.push(("cost", cost.to_string())),
        _ => {}
    }
    known.push(("accepted", yes_no(kind.is_accepted())));
    known.push(("outdated", yes_no(outdated)));
    facts(&known)
}

fn identified_json(kind: HashFormat, outdated: bool) -> Value {
    let cost = match kind {
        HashFormat::Accepted(HashParams::Argon2id(cost)) => Some(cost),
        _ => None,
    };
    let bcrypt_cost = match kind {
        HashFormat::Accepted(HashParams::Bcrypt(cost)) => Some(cost),
        _ => None,
    };
    json!({
        "kind": kind.name(),
        "accepted": kind.is_accepted(),
        "outdated": outdated,
        "memoryKib": cost.map(|cost| cost.memory_kib),
        "passes": cost.map(|cost| cost.passes),
        "lanes": cost.map(|cost| cost.lanes),
        "bcryptCost": bcrypt_cost,
    })
}

fn calibrated(cost: Argon2Cost, took: SignedDuration, within: bool) -> Page {
    let answer = facts(&[
        ("password.argon2-memory", cost.memory_kib.to_string()),
        ("password.argon2-passes", cost.passes.to_string()),
        ("password.argon2-lanes", cost.lanes.to_string()),
    ]);
    let mut notes = vec![format!("one hash takes {} ms; set each with `authctl policy set`", took.as_millis())];
    if !within {
        notes.push("that is longer than the target, but no lower cost is allowed".to_owned());
    }
    Page { answer, notes, ..Page::default() }
}
