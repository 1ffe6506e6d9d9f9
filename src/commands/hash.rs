//! `hash`: makes and checks password hashes without a database.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::session_start::PasswordArgs;
use crate::auth::AuthError;
use crate::auth::audit::counted;
use crate::auth::password::{self, HashFormat, HashParams, ImportedHash, NoPeppers, Scheme, Verdict, strength};
use crate::auth::policy::Argon2Cost;
use crate::auth::secret::{Password, StoredHash};
use crate::cli::values;
use crate::context::Context;
use crate::error::CommandError;
use crate::output::table::facts;
use crate::output::text::yes_no;
use crate::output::{Outcome, Page, Report, Style};

pub(crate) const EXAMPLES: &str = "Examples:
  authctl hash generate --password-file pw
  authctl hash calibrate --target 250ms";

#[derive(Debug, Subcommand)]
pub enum HashCommand {
    /// Print the argon2id hash of a password
    #[command(after_help = "Example:\n  authctl hash generate --password-file pw")]
    Generate(GenerateArgs),
    /// Compare a password with a hash; exit code 0 when it is right, 1 when not
    #[command(after_help = "Example:\n  printf '%s\\n%s\\n' \"$HASH\" \"$PASSWORD\" | authctl hash verify --stdin")]
    Verify {
        /// Read the hash and the password from standard input, one per line
        #[arg(long)]
        stdin: bool,
    },
    /// Say what kind of hash standard input holds, and whether a sign-in would accept it
    #[command(after_help = "Example:\n  echo \"$HASH\" | authctl hash identify --json")]
    Identify,
    /// Find the cost that takes the wished time on this machine
    #[command(after_help = "Example:\n  authctl hash calibrate --target 250ms --max-memory 256MiB")]
    Calibrate(CalibrateArgs),
}

#[derive(Debug, Args)]
pub struct GenerateArgs {
    #[command(flatten)]
    pub password: PasswordArgs,
}

#[derive(Debug, Args)]
pub struct CalibrateArgs {
    /// How long one hash may take
    #[arg(long, value_name = "DURATION", default_value = "250ms", value_parser = values::target)]
    pub target: SignedDuration,
    /// How much memory one hash may take, in KiB, MiB or GiB
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = values::memory_kib)]
    pub max_memory: u32,
}

pub(super) fn run(command: &HashCommand, context: &mut Context) -> anyhow::Result<Outcome> {
    match command {
        HashCommand::Generate(args) => generate(args, context).context("could not hash the password"),
        HashCommand::Verify { stdin } => verify(*stdin, context),
        HashCommand::Identify => identify(context).context("could not identify the hash"),
        HashCommand::Calibrate(args) => calibrate(args, context).context("could not measure a hash"),
    }
}

fn generate(args: &GenerateArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let password = context.prompt().new_password(&args.password.source(), &|_| Ok(()))?;
    strength::check_form(&password, &context.policy.password).map_err(AuthError::from)?;
    let hash = password::hash(&password, &Scheme::Native, &context.policy.password, &mut context.entropy)?;
    Ok(HashReport::Made(hash).into())
}

fn verify(stdin: bool, context: &mut Context) -> anyhow::Result<Outcome> {
    let asked = context.prompt().hash_and_password(stdin);
    let (hash, password) = asked.context("could not compare the password")?;
    let verdict = match ImportedHash::parse(hash.expose(), None) {
        // No sign-in verifies a weak hash. An import may wrap it.
        Ok(weak) if weak.is_weak() => weak
            .verify(&password, &NoPeppers)
            .map(|right| if right { Verdict::Right { outdated: true } } else { Verdict::Wrong }),
        _ => password::verify(&password, &hash, &Scheme::Native, &context.policy.password, &NoPeppers),
    };
    match verdict.context("could not compare the password")? {
        Verdict::Right { outdated } => Ok(HashReport::Right { outdated }.into()),
        Verdict::Wrong => Err(CommandError::No("the password is not the one of this hash").into()),
        Verdict::Unacceptable => Err(CommandError::Usage {
            message: format!("a hash of this kind is not accepted here ({})", HashFormat::of(&hash).name()),
            hint: "`authctl hash identify` tells more",
        }
        .into()),
    }
}

fn identify(context: &mut Context) -> anyhow::Result<Outcome> {
    let hash = context.prompt().hash()?;
    let kind = HashFormat::of(&hash);
    Ok(HashReport::Identified { kind, outdated: kind.is_outdated(&context.policy.password) }.into())
}

/// Finds the most memory within the target and then the most passes: memory costs an attacker most (RFC 9106,
/// section 4).
fn calibrate(args: &CalibrateArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let floor = Argon2Cost::default();
    let mut best = (floor, time(floor, context)?);
    let mut memory_kib = floor.memory_kib;
    while let Some(doubled) = memory_kib.checked_mul(2).map(|kib| kib.min(args.max_memory))
        && doubled > memory_kib
    {
        memory_kib = doubled;
        let cost = Argon2Cost { memory_kib, ..floor };
        let took = time(cost, context)?;
        if took > args.target {
            break;
        }
        best = (cost, took);
    }
    while best.0.passes < 10 {
        let cost = Argon2Cost { passes: best.0.passes + 1, ..best.0 };
        let took = time(cost, context)?;
        if took > args.target {
            break;
        }
        best = (cost, took);
    }
    Ok(HashReport::Calibrated { cost: best.0, took: best.1, within: best.1 <= args.target }.into())
}

/// Returns the faster of two runs: other work on the machine only makes a run slower.
fn time(cost: Argon2Cost, context: &Context) -> anyhow::Result<SignedDuration> {
    let password = Password::from_bytes(b"correct horse battery staple").map_err(anyhow::Error::new)?;
    let mut fastest = SignedDuration::MAX;
    for _ in 0..2 {
        let (result, took) = context.stopwatch(|| password::work(&password, HashParams::Argon2id(cost)));
        result?;
        fastest = fastest.min(took);
    }
    Ok(fastest)
}

#[derive(Debug)]
enum HashReport {
    Made(StoredHash),
    Right {
        outdated: bool,
    },
    Identified {
        kind: HashFormat,
        outdated: bool,
    },
    Calibrated {
        cost: Argon2Cost,
        /// The time of one hash.
        took: SignedDuration,
        /// `false` when even the lowest allowed cost takes longer than the target.
        within: bool,
    },
}

impl Report for HashReport {
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
    if is_weak(kind) {
        known.push(("weak", yes_no(true)));
    }
    if is_wrapped(kind) {
        known.push(("wrapped", yes_no(true)));
    }
    facts(&known)
}

fn is_weak(kind: HashFormat) -> bool {
    matches!(kind, HashFormat::Weak(_))
}

fn is_wrapped(kind: HashFormat) -> bool {
    matches!(kind, HashFormat::Imported { is_wrapped: true, .. })
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
        "weak": is_weak(kind),
        "wrapped": is_wrapped(kind),
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
