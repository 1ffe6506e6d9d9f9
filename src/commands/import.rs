//! `import`: users of another system, with their passwords.

mod report;
mod report_file;

use std::cell::Cell;
use std::fs::File;
use std::io::Read;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use jiff::SignedDuration;

use super::codes_file::{CodesFile, WrittenCodes};
use super::{activity, confirm, progress};
use crate::auth::audit::counted;
use crate::auth::email::Email;
use crate::auth::import::examine::{Rules, SecondFactors, WeakHashes};
use crate::auth::import::row::Reason;
use crate::auth::import::stage::Stage as _;
use crate::auth::import::{BatchSize, Counts, Import, Plan, RowReport, about};
use crate::auth::password::{NoPeppers, Peppers, Scheme};
use crate::auth::secret::{Pepper, digest, hex};
use crate::auth::storage::OnConflict;
use crate::auth::user::is_role;
use crate::auth::{Auth, AuthError};
use crate::cli::values;
use crate::context::Context;
use crate::error::CommandError;
use crate::import::{Export, Format, HashConfig, Input, ReadOptions};
use crate::input_file;
use crate::interrupt::Interrupts;
use crate::output::Outcome;
use crate::output::text::shown;
use crate::paths::resolve;
use crate::prompt::Source;
use crate::store::sqlite::SqliteStage;
use report::{ImportReport, described, refused_factors};
use report_file::{ReportFile, line_of};

pub(crate) const EXAMPLES: &str = "Examples:
  authctl import users.csv --dry-run
  authctl import users.ndjson passwords.ndjson --report import.jsonl
  authctl import realm.json --map-role admin=admin --skip-invalid
  authctl import firebase.json --hash-config hash-config.txt --try ada@example.com
  gunzip -c export.json.gz | authctl import - --format keycloak";

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct ImportArgs {
    /// The files of one export, in any order; - for standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Say what the first file is, such as clerk or keycloak
    #[arg(long, value_name = "NAME")]
    pub format: Option<String>,
    /// Check everything, say what would be imported, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Write what becomes of each row to a file, as JSON lines
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// What to do when a user is there already: fail, skip the user, or update the one with the same id
    #[arg(long, value_enum, default_value = "fail", value_name = "WHAT")]
    pub on_conflict: ConflictChoice,
    /// Import the rows that can be imported, and report the others
    #[arg(long)]
    pub skip_invalid: bool,
    /// Take users whose hash is cheap to guess: hash it again, or drop it
    #[arg(long, value_enum, value_name = "WHAT")]
    pub weak_hashes: Option<WeakHashChoice>,
    /// How many weak hashes to hash again at a time; each takes the memory of a password hash, 19 MiB by default
    #[arg(long, value_name = "N", default_value = "1", value_parser = jobs)]
    pub jobs: NonZeroUsize,
    /// Take users whose hash cannot be used without a password
    #[arg(long, value_enum, value_name = "WHAT")]
    pub unusable_hashes: Option<DropChoice>,
    /// Firebase's password hash parameters
    #[arg(long, value_name = "FILE")]
    pub hash_config: Option<PathBuf>,
    /// The pepper that bcrypt hashes were made with, on one line
    #[arg(long, value_name = "FILE")]
    pub pepper_file: Option<PathBuf>,
    /// First prove that the password of this user verifies
    #[arg(long = "try", value_name = "EMAIL")]
    pub trial: Option<String>,
    /// Read the password of --try from standard input
    #[arg(long, requires = "trial")]
    pub password_stdin: bool,
    /// Give users with a role of the other system a role here
    #[arg(long, value_name = "FROM=TO", value_parser = role_pair)]
    pub map_role: Vec<(String, String)>,
    /// Make addresses for users who have a name only
    #[arg(long, value_name = "DOMAIN")]
    pub email_domain: Option<String>,
    /// Give users without an address one that receives no mail
    #[arg(long, conflicts_with = "email_domain")]
    pub placeholder_email: bool,
    /// Import all users in one transaction, or none
    #[arg(long)]
    pub atomic: bool,
    /// Take the hashes that the app verifies by its own configuration
    #[arg(long, value_enum, value_name = "KIND")]
    pub app_verifies: Option<VerifierChoice>,
    /// The realm to import, of a file with several of Keycloak
    #[arg(long, value_name = "NAME")]
    pub realm: Option<String>,
    /// Keep the tokens of accounts at other providers
    #[arg(long)]
    pub oauth_tokens: bool,
    /// Take users with a second factor: keep it where the export has its secret, or drop it
    #[arg(long, value_enum, value_name = "WHAT")]
    pub second_factor: Option<FactorChoice>,
    /// Make a code for each user whose password is left out and who is not banned, and write all to a new file, a JSON document per line
    #[arg(long, value_name = "FILE")]
    pub reset_codes: Option<PathBuf>,
    /// How long the codes count, up to 24h
    #[arg(long, value_name = "DURATION", default_value = "1h", requires = "reset_codes", value_parser = values::ttl)]
    pub ttl: SignedDuration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ConflictChoice {
    Fail,
    Skip,
    Update,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WeakHashChoice {
    Wrap,
    Drop,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VerifierChoice {
    Bcrypt,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FactorChoice {
    Keep,
    Drop,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DropChoice {
    Drop,
}

/// The most hashes at a time.
const JOBS_MAX: usize = 64;

fn jobs(text: &str) -> Result<NonZeroUsize, String> {
    text.parse()
        .ok()
        .filter(|jobs: &NonZeroUsize| jobs.get() <= JOBS_MAX)
        .ok_or_else(|| format!("give a number from 1 to {JOBS_MAX}"))
}

/// Reads `FROM=TO`.
fn role_pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((from, to)) if !from.is_empty() && is_role(to) => Ok((from.to_owned(), to.to_owned())),
        _ => Err("give a role of the export and one of letters, digits, - and _, such as editor=author".to_owned()),
    }
}

/// The name of the pepper before it is kept beside the database.
const PLANNED_PEPPER: &str = "pepper";

/// The longest file with a pepper in bytes.
const PEPPER_BYTES_MAX: usize = 1_024;

fn pepper(path: &Path) -> anyhow::Result<Pepper> {
    let bytes = input_file::read(&opened(path)?, PEPPER_BYTES_MAX)?;
    Pepper::from_bytes(bytes.trim_ascii_end()).map_err(|problem| {
        let message = format!("the pepper in {} cannot be used: {problem}", shown(path));
        CommandError::Usage { message, hint: "give a file with the pepper on one line" }.into()
    })
}

/// The meaning of rows. It changes when the same file would be imported in another way, so that no import goes on that
/// another version began.
const MEANING: &str = "1";

pub(super) fn run(args: &ImportArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    // Before an export of any size is read.
    context.now()?;
    context.database()?;
    context.refuse_to_take_the_place_of_an_app()?;
    let codes_path = args.reset_codes.as_deref().map(resolve).transpose()?;
    codes_path.as_deref().map_or(Ok(()), CodesFile::require_creatable)?;
    let (mut stage, export) = read(args, context)?;
    let is_there = context.open_if_it_exists()?;
    let pepper = args.pepper_file.as_deref().map(pepper).transpose()?;
    let mut rules = rules(args, &export, is_there, context)?;
    let mut file = match &args.report {
        Some(path) => Some(ReportFile::open(path, &export.names)?),
        None => None,
    };
    let mut import = Import { stage: &mut stage, rules: &rules };
    let plan = plan(&mut import, is_there, &mut file, context)?;
    let report = ImportReport {
        format: export.format,
        files: export.names.clone(),
        digest: export.digest.clone(),
        report: args.report.clone(),
        database: context.database()?.location,
        done: None,
        dry_run: args.dry_run,
        app_verifies: args.app_verifies,
        plan,
        codes: None,
    };
    refuse(args, &report, context)?;
    if args.atomic && report.plan.rows > BatchSize::ATOMIC.rows() {
        let message = format!("--atomic takes at most {}", counted(BatchSize::ATOMIC.rows(), "row"));
        let hint = "leave it out: batches are committed whole, and the same command goes on behind the last one";
        return Err(CommandError::Usage { message, hint }.into());
    }
    if args.dry_run {
        return Ok(report.into());
    }
    if report.plan.is_done() && rules.on_conflict == OnConflict::Fail {
        let codes = codes_path.map(CodesFile::create).transpose()?;
        let codes = codes.map(|file| give_codes(file, &mut import, args.ttl, context)).transpose()?;
        return Ok(ImportReport { codes, ..report }.into());
    }
    if let Some(email) = &args.trial {
        prove(email, args, pepper.as_ref(), &mut import, context)?;
    }
    if context.prompt().can_ask() && !context.is_confirmed() {
        confirm(&described(&report), "Import these users?", context)?;
    }
    if let Some(pepper) = &pepper {
        context.auth_or_create()?;
        rules.pepper = Some(context.add_pepper(pepper)?);
    }
    let mut import = Import { stage: &mut stage, rules: &rules };
    let codes = codes_path.map(CodesFile::create).transpose()?;
    let counts = write(&mut import, &report, &mut file, context).inspect_err(|_| {
        codes.iter().for_each(CodesFile::remove);
    })?;
    let codes = codes.map(|file| give_codes(file, &mut import, args.ttl, context)).transpose()?;
    Ok(ImportReport { done: Some(counts), codes, ..report }.into())
}

/// Makes a code for each user whose password was left out.
fn give_codes(
    mut file: CodesFile,
    import: &mut Import<'_>,
    ttl: SignedDuration,
    context: &mut Context,
) -> anyhow::Result<WrittenCodes> {
    let _line = activity("making codes", context);
    let mut auth = context.auth()?;
    auth.reset_codes_of_import(import, ttl, |user, code, at| Ok::<_, anyhow::Error>(file.add(user, code, at)?))?;
    Ok(file.finish(ttl)?)
}

/// An export whose rows are in a stage.
struct Staged {
    format: Format,
    takes_roles: bool,
    names: Vec<String>,
    /// The digest of the contents of all files.
    digest: String,
}

/// Keeps the rows of all files.
fn read(args: &ImportArgs, context: &mut Context) -> anyhow::Result<(SqliteStage, Staged)> {
    let format = args.format.as_deref().map(format_named).transpose()?;
    let hash_config = args.hash_config.as_deref().map(hash_config).transpose()?;
    let mut inputs = Vec::new();
    for path in &args.files {
        let bytes: Box<dyn Read> = if path == Path::new("-") {
            if args.password_stdin {
                let message = "standard input holds both the export and the password".to_owned();
                return Err(CommandError::Usage { message, hint: "give the export as a file" }.into());
            }
            Box::new(std::io::stdin())
        } else {
            Box::new(opened(path)?)
        };
        let name = if path == Path::new("-") { "standard input".to_owned() } else { shown(path) };
        inputs.push(Input { name, bytes });
    }
    let names = inputs.iter().map(|input| input.name.clone()).collect();
    let _line = activity("reading the export", context);
    let mut export = Export::open(
        inputs,
        ReadOptions { format, hash_config, keeps_tokens: args.oauth_tokens, realm: args.realm.clone() },
    )?;
    let mut stage = SqliteStage::new().map_err(AuthError::from)?;
    while let Some(row) = export.next_row()? {
        stage.keep(row).map_err(AuthError::from)?;
    }
    let digest = hex(&export.digest());
    let staged = Staged { format: export.format(), takes_roles: export.takes_roles(), names, digest };
    Ok((stage, staged))
}

fn opened(path: &Path) -> anyhow::Result<File> {
    input_file::open(path).map_err(|error| {
        let message = format!("could not read {}: {error}", shown(path));
        CommandError::Usage { message, hint: "name the files of the export, or - for standard input" }.into()
    })
}

fn format_named(name: &str) -> Result<Format, CommandError> {
    Format::from_name(name).ok_or_else(|| {
        let names: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
        CommandError::Usage {
            message: format!("no export has the format {name}: it is one of {}", names.join(", ")),
            hint: "leave out --format, and authctl recognises most exports by their shape",
        }
    })
}

/// The longest file with parameters of hashes in bytes.
const CONFIG_BYTES_MAX: usize = 65_536;

fn hash_config(path: &Path) -> anyhow::Result<HashConfig> {
    let bytes = input_file::read(&opened(path)?, CONFIG_BYTES_MAX)?;
    Ok(HashConfig::parse(&String::from_utf8_lossy(&bytes))?)
}

fn rules(args: &ImportArgs, export: &Staged, is_there: bool, context: &mut Context) -> anyhow::Result<Rules> {
    let scheme = if is_there { context.auth()?.store.scheme()? } else { Scheme::Native };
    if args.app_verifies.is_some() && scheme == Scheme::Native {
        let message = "--app-verifies is for the database of an app".to_owned();
        let hint = "leave it out: authctl verifies all strong hashes itself";
        return Err(CommandError::Usage { message, hint }.into());
    }
    if args.second_factor == Some(FactorChoice::Keep) && scheme != Scheme::Native {
        let message =
            "--second-factor keep is for databases of authctl's own: an app keeps its second factors itself".to_owned();
        let hint = "--second-factor drop imports these users without it";
        return Err(CommandError::Usage { message, hint }.into());
    }
    let on_conflict = match args.on_conflict {
        ConflictChoice::Fail => OnConflict::Fail,
        ConflictChoice::Skip => OnConflict::Skip,
        ConflictChoice::Update => OnConflict::Update,
    };
    // Whatever changes what becomes of a row.
    let options = format!(
        "{MEANING};{};{};{:?};{};{:?};{:?};{:?};{:?};{};{:?};{};{:?};{:?}",
        export.digest,
        args.pepper_file.is_some(),
        args.on_conflict,
        args.skip_invalid,
        args.weak_hashes,
        args.unusable_hashes,
        args.map_role,
        args.email_domain,
        args.placeholder_email,
        args.second_factor,
        args.oauth_tokens,
        args.app_verifies,
        args.realm,
    );
    let mut key = digest(options);
    key.truncate(32);
    Ok(Rules {
        key,
        system: export.format.name(),
        on_conflict,
        weak_hashes: args.weak_hashes.map(|choice| match choice {
            WeakHashChoice::Wrap => WeakHashes::Wrap,
            WeakHashChoice::Drop => WeakHashes::Drop,
        }),
        drops_unusable: args.unusable_hashes.is_some(),
        pepper: args.pepper_file.as_ref().map(|_| PLANNED_PEPPER.to_owned()),
        roles: args.map_role.clone(),
        takes_roles: export.takes_roles,
        email_domain: args.email_domain.clone(),
        placeholder_email: args.placeholder_email,
        second_factors: args.second_factor.map(|choice| match choice {
            FactorChoice::Keep => SecondFactors::Keep,
            FactorChoice::Drop => SecondFactors::Drop,
        }),
        app_secrets: context.app_secrets().clone(),
        jobs: args.jobs,
        is_atomic: args.atomic,
        app_verifies_bcrypt: args.app_verifies.is_some(),
        scheme,
        now: context.now()?,
    })
}

fn plan(
    import: &mut Import<'_>,
    is_there: bool,
    file: &mut Option<ReportFile>,
    context: &mut Context,
) -> anyhow::Result<Plan> {
    let _line = activity("checking the rows", context);
    let before = if is_there { context.auth()?.store.import_progress(&import.rules.key)? } else { None };
    if let Some(file) = file {
        file.keep(before.as_ref().map_or(0, |before| before.rows))?;
    }
    let told = file.as_mut().map(|file| |rows: &[RowReport]| Ok(file.add(rows)?));
    if is_there {
        let Auth { store, .. } = context.auth()?;
        import.plan(Some(store), before, told)
    } else {
        import.plan(None, None, told)
    }
}

/// Refuses an import of which a row is refused, unless that is allowed.
///
/// # Errors
/// [`CommandError::ImportRefused`] and [`CommandError::ImportExists`]. Nothing was written.
fn refuse(args: &ImportArgs, report: &ImportReport, context: &mut Context) -> Result<(), CommandError> {
    let plan = &report.plan;
    let exists = plan.refused.get(&Reason::Exists).copied().unwrap_or_default();
    let refused = plan.refused_rows();
    let is_conflict = exists > 0 && args.on_conflict == ConflictChoice::Fail;
    if refused == 0 || (args.skip_invalid && !is_conflict) {
        return Ok(());
    }
    context.notices.extend(refused_factors(plan));
    context.notices.extend(plan.refusals.iter().map(|row| line_of(row, &report.files)));
    let left = refused.saturating_sub(plan.refusals.len() as u64);
    if left > 0 {
        context.notices.push(format!("{left} more rows: --report FILE lists all"));
    }
    if is_conflict && (exists == refused || args.skip_invalid) {
        return Err(CommandError::ImportExists { users: exists });
    }
    let hint = if plan.refused.contains_key(&Reason::HashWeak) {
        "weak hashes: --weak-hashes wrap hashes them again, drop leaves them out; --skip-invalid imports the other rows"
    } else if plan.refused.contains_key(&Reason::HashNotTheApps) {
        "--app-verifies bcrypt takes bcrypt if the app verifies it; --unusable-hashes drop imports these users without a \
         password, and --reset-codes FILE makes a code for each of them"
    } else if plan.second_factors_refused().total() > 0 {
        "--second-factor keep takes the factors along whose secrets the export has; --second-factor drop imports all of these \
         users without them, and they have to enable them again"
    } else {
        "correct these rows, or import the others with --skip-invalid"
    };
    Err(CommandError::ImportRefused { rows: plan.rows, refused, reasons: report.reasons(), hint })
}

/// Proves before anything is written that a known password is right.
fn prove(
    email: &str,
    args: &ImportArgs,
    pepper: Option<&Pepper>,
    import: &mut Import<'_>,
    context: &mut Context,
) -> anyhow::Result<()> {
    let email = Email::typed(email).map_err(AuthError::from)?;
    let source = if args.password_stdin { Source::Stdin } else { Source::Terminal };
    let password = context.prompt().password(&source)?;
    let peppers = pepper.map_or(&NoPeppers as &dyn Peppers, |pepper| pepper);
    let kind = import.prove(&email, &password, peppers).context("nothing was imported")?;
    context.notices.push(format!("the password of {email} is right: its hash is of the kind {kind}"));
    Ok(())
}

/// Imports what the plan takes.
fn write(
    import: &mut Import<'_>,
    report: &ImportReport,
    file: &mut Option<ReportFile>,
    context: &mut Context,
) -> anyhow::Result<Counts> {
    let plan = &report.plan;
    if let Some(file) = file {
        file.keep(plan.done_before())?;
    }
    let line = progress("importing users", context, |_| Ok(plan.rows - plan.done_before()))?;
    let about = about(report.format.name(), &report.files, &report.digest);
    let done = Cell::new(plan.done_before());
    let told = file.as_mut().map(|file| |rows: &[RowReport]| Ok(file.put(done.get(), rows)?));
    let auth = &mut context.auth_or_create()?;
    // Ctrl-C cannot end one transaction behind a batch.
    let interrupts = (!import.rules.is_atomic).then(Interrupts::watch);
    let has_come = || interrupts.as_ref().is_some_and(|interrupts| interrupts.came().is_some());
    let imported = auth.import::<anyhow::Error>(import, plan, &about, told, |rows| {
        let rows = rows as u64;
        done.set(done.get() + rows);
        line.advance(rows);
        if has_come() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    drop(line);
    let done = done.get();
    let what = || format!("{done} of {} were imported", counted(plan.rows, "row"));
    if let Some(interrupts) = interrupts.filter(|_| imported.is_ok() && done < plan.rows) {
        interrupts.check(what)?;
    }
    if imported.is_err() && done > 0 {
        context.did(what(), "run the same command again: it goes on behind them");
    }
    let counts = imported?;
    if let Some(file) = file {
        file.finish()?;
    }
    Ok(counts)
}
