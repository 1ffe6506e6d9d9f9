//! What an import says: the plan and the result.

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::super::codes_file::WrittenCodes;
use super::VerifierChoice;
use super::report_file::line_of;
use crate::auth::audit::counted;
use crate::auth::import::{Counts, Plan, Tally};
use crate::error::ExitCode;
use crate::import::Format;
use crate::output::table::facts;
use crate::output::text::{escape, escaped, rfc3339, shown};
use crate::output::{Page, Report, Style};
use crate::paths::DatabaseLocation;

/// What an import did, or would do.
#[derive(Debug)]
pub(super) struct ImportReport {
    pub(super) format: Format,
    pub(super) files: Vec<String>,
    /// SHA-256 of what all files hold.
    pub(super) digest: String,
    /// The file of `--report`.
    pub(super) report: Option<PathBuf>,
    pub(super) database: DatabaseLocation,
    pub(super) plan: Plan,
    /// `None` if nothing was to be written.
    pub(super) done: Option<Counts>,
    pub(super) dry_run: bool,
    /// The kind that the app verifies by its configuration.
    pub(super) app_verifies: Option<VerifierChoice>,
    /// The codes for users whose password was left out.
    pub(super) codes: Option<WrittenCodes>,
}

/// What an app needs to verify bcrypt beside the hashes of Better Auth.
const BCRYPT_CONFIG: &str = "\
the app verifies these passwords with this in its configuration:
  import { verifyPassword } from \"better-auth/crypto\"; import bcrypt from \"bcryptjs\";
  emailAndPassword: { enabled: true, password: { verify: ({ hash, password }) =>
    hash.startsWith(\"$2\") ? bcrypt.compare(password, hash) : verifyPassword({ hash, password }) } }";

impl ImportReport {
    /// The refused rows by reason, such as `3 no-email, 1 hash-weak`.
    pub(super) fn reasons(&self) -> String {
        let reasons = self.plan.reasons().into_iter().map(|(reason, count)| format!("{count} {reason}"));
        reasons.collect::<Vec<_>>().join(", ")
    }

    fn file_names(&self) -> String {
        self.files.iter().map(escaped).collect::<Vec<_>>().join(", ")
    }
}

/// The numbers of a tally, such as `3 bcrypt, 1 argon2id`.
fn listed(tally: &Tally) -> String {
    tally.0.iter().map(|(name, count)| format!("{count} {}", escape(name))).collect::<Vec<_>>().join(", ")
}

/// The second factors of refused rows, by the reason why they are not kept.
pub(super) fn refused_factors(plan: &Plan) -> Option<String> {
    let tally = plan.second_factors_refused();
    (tally.total() > 0).then(|| format!("second factors that are not taken: {}", listed(&tally)))
}

/// The plan in lines.
pub(super) fn described(report: &ImportReport) -> String {
    let plan = &report.plan;
    let Counts { created, updated, unchanged, skipped, .. } = plan.counts;
    let mut users = vec![format!("{created} new")];
    for (count, what) in [(updated, "to update"), (unchanged, "unchanged"), (skipped, "skipped")] {
        users.extend((count > 0).then(|| format!("{count} {what}")));
    }
    users.push(format!("{} verified", plan.verified));
    users.push(format!("{} banned", plan.banned));
    let mut lines = vec![
        ("export", format!("{} from {}", report.format.name(), report.file_names())),
        ("rows", plan.rows.to_string()),
        ("users", users.join(", ")),
    ];
    let without = plan.without_password + plan.dropped.total();
    let mut passwords = vec![listed(&plan.passwords)];
    passwords.extend((plan.wrapped.total() > 0).then(|| format!("{}, hashed again", listed(&plan.wrapped))));
    passwords.extend((without > 0).then(|| format!("{without} without")));
    passwords.retain(|part| !part.is_empty());
    lines.push(("passwords", passwords.join("; ")));
    let optional = [
        ("dropped", &plan.dropped),
        ("accounts", &plan.accounts),
        ("roles", &plan.roles),
        ("roles left out", &plan.roles_left_out),
        ("fields left out", &plan.left_out),
    ];
    lines
        .extend(optional.into_iter().filter(|(_, tally)| tally.total() > 0).map(|(name, tally)| (name, listed(tally))));
    if plan.accounts_with_tokens > 0 {
        lines.push(("tokens", format!("of {}", counted(plan.accounts_with_tokens, "account"))));
    }
    if plan.second_factors_kept > 0 {
        lines.push(("second factors", format!("{} kept", plan.second_factors_kept)));
    }
    if plan.second_factors_dropped > 0 {
        let count = plan.second_factors_dropped;
        lines.push(("second factors", format!("{count} cannot be taken: these users must enable them again")));
    }
    if plan.strays > 0 {
        lines.push(("strays", format!("{} about users whom the export does not have", counted(plan.strays, "row"))));
    }
    if plan.refused_rows() > 0 {
        lines.push(("refused", report.reasons()));
    }
    if plan.done_before() > 0 {
        lines.push(("done before", counted(plan.done_before(), "row")));
    }
    facts(&lines)
}

impl Report for ImportReport {
    fn text(&self, now: Timestamp, style: Style) -> Page {
        let Self { plan, .. } = self;
        let mut notes: Vec<String> = plan.refusals.iter().map(|row| line_of(row, &self.files)).collect();
        notes.extend(self.app_verifies.iter().map(|VerifierChoice::Bcrypt| BCRYPT_CONFIG.to_owned()));
        let Some(counts) = &self.done else {
            if !self.dry_run {
                let at = plan.before.as_ref().map_or(now, |before| before.at);
                notes.push(format!(
                    "this export was imported before ({}): 0 rows to do; --on-conflict skip looks at each row again",
                    style.when(at, now)
                ));
            }
            let done = self.codes.iter().map(|codes| codes.sentence(true)).collect();
            return Page { answer: described(self), done, notes, ..Page::default() };
        };
        let without = plan.without_password + plan.dropped.total();
        let of_them = [(plan.wrapped.total(), "wrapped"), (without, "without a password")];
        let of_them: Vec<String> =
            of_them.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        let of_them = if of_them.is_empty() { String::new() } else { format!(" ({})", of_them.join(", ")) };
        let imported =
            format!("imported {} into {}{of_them}", counted(counts.created, "user"), escaped(&self.database));
        let others = [
            ("updated", counts.updated),
            ("unchanged", counts.unchanged),
            ("skipped", counts.skipped),
            ("refused", plan.refused_rows()),
        ];
        let others = others.iter().filter(|(_, count)| *count > 0).map(|(what, count)| format!("{what} {count}"));
        let sentence: Vec<String> = std::iter::once(imported).chain(others).collect();
        let report = self.report.as_ref().map(|path| format!("report: {}", shown(path)));
        let done = std::iter::once(sentence.join(", ")).chain(report).collect::<Vec<_>>().join("; ");
        if plan.passwords.total() + plan.wrapped.total() > 0 {
            notes.push("the files of the export still hold every hash: remove them when they are of no use".to_owned());
        }
        if plan.second_factors_dropped > 0 {
            let users = counted(plan.second_factors_dropped, "user");
            notes.push(format!(
                "{users} had a second factor and must enable it again: until then, the password is enough"
            ));
        }
        let codes = self.codes.as_ref().map(|codes| codes.sentence(true));
        if codes.is_none() && plan.dropped.total() > 0 {
            notes.push(
                "run the same command with --reset-codes FILE for codes with which the users whose password was left out set a \
                 new one"
                    .to_owned(),
            );
        }
        Page { done: std::iter::once(done).chain(codes).collect(), notes, ..Page::default() }
    }

    fn json(&self) -> Value {
        let plan = &self.plan;
        let counts = self.done.unwrap_or(plan.counts);
        let map =
            |tally: &Tally| tally.0.iter().map(|(name, count)| (name.clone(), (*count).into())).collect::<Map<_, _>>();
        let refused: Map<String, Value> =
            plan.reasons().into_iter().map(|(reason, count)| (reason.to_owned(), count.into())).collect();
        json!({
            "format": self.format.name(),
            "files": self.files,
            "digest": self.digest,
            "rows": plan.rows,
            "created": counts.created,
            "updated": counts.updated,
            "unchanged": counts.unchanged,
            "skipped": counts.skipped,
            "refused": plan.refused_rows(),
            "reasons": refused,
            "sessionsEnded": counts.sessions,
            "verified": plan.verified,
            "banned": plan.banned,
            "passwords": map(&plan.passwords),
            "wrapped": map(&plan.wrapped),
            "dropped": map(&plan.dropped),
            "withoutPassword": plan.without_password,
            "accounts": map(&plan.accounts),
            "accountsWithTokens": plan.accounts_with_tokens,
            "roles": map(&plan.roles),
            "rolesLeftOut": map(&plan.roles_left_out),
            "fieldsLeftOut": map(&plan.left_out),
            "secondFactorsKept": plan.second_factors_kept,
            "secondFactorsRefused": map(&plan.second_factors_refused()),
            "secondFactorsDropped": plan.second_factors_dropped,
            "strays": plan.strays,
            "doneBefore": plan.done_before(),
            "resetCodes": self.codes.as_ref().map(|codes| shown(&codes.path)),
            "resetCodesWritten": self.codes.as_ref().map(|codes| codes.count),
            "dryRun": self.dry_run,
            "report": self.report.as_deref().map(shown),
            "at": plan.before.as_ref().map(|before| rfc3339(before.at)),
        })
    }

    fn exit_code(&self) -> ExitCode {
        if self.plan.refused_rows() > 0 { ExitCode::Failed } else { ExitCode::Done }
    }
}
