//! What becomes of a row of an export: a user with checked values, or a refusal.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use jiff::Timestamp;

use super::latest_creation;
use super::row::{
    About, Credential, FactorProblem, ProviderAccount, Reason, RowFault, SourceBan, SourceFactor, SourceUser,
};
use super::stage::{Claim, StagedRow};
use crate::auth::account::check_role;
use crate::auth::app_secrets::AppSecrets;
use crate::auth::email::{Email, is_same_address, without_blanks};
use crate::auth::password::{HashParams, HashRefusal, ImportedHash, Scheme};
use crate::auth::second_factor::totp::TotpSecret;
use crate::auth::secret::{StoredHash, digest};
use crate::auth::storage::{ImportedAccount, ImportedUser, NewBan, NewUserRow, OnConflict};
use crate::auth::user::{check_image, check_name};

/// What is done with passwords whose hashes are cheap to guess (`--weak-hashes`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeakHashes {
    /// They are hashed again, so that no weak hash is stored.
    Wrap,
    /// The users are imported without a password.
    Drop,
}

/// What is done with users who sign in with a second factor (`--second-factor`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondFactors {
    /// Those that can be are kept, and users with another one are refused.
    Keep,
    /// They are imported without it.
    Drop,
}

/// How rows become users.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command")]
pub struct Rules {
    /// What identifies the import in the log.
    pub key: String,
    /// The name of the other system.
    pub system: &'static str,
    pub on_conflict: OnConflict,
    pub weak_hashes: Option<WeakHashes>,
    /// Whether users whose hash cannot be taken are imported without a password.
    pub drops_unusable: bool,
    /// The name of the pepper with which bcrypt hashes were made.
    pub pepper: Option<String>,
    /// Roles of the other system with those that their users get.
    pub roles: Vec<(String, String)>,
    /// Whether roles and bans of the export are those of Better Auth, which are taken as they are.
    pub takes_roles: bool,
    /// The domain for users who have a name and no address.
    pub email_domain: Option<String>,
    /// Whether users without an address get one that receives no mail.
    pub placeholder_email: bool,
    pub second_factors: Option<SecondFactors>,
    /// The secrets of the app that the export is of.
    pub app_secrets: AppSecrets,
    /// How many weak hashes are hashed again at a time.
    pub jobs: NonZeroUsize,
    /// Whether all users are imported in one transaction.
    pub is_atomic: bool,
    /// Whether the app verifies bcrypt, although its database does not show that.
    pub app_verifies_bcrypt: bool,
    /// How the database stores passwords.
    pub scheme: Scheme,
    pub now: Timestamp,
}

/// The domain of addresses that receive no mail (RFC 2606, section 2).
const PLACEHOLDER_DOMAIN: &str = "users.invalid";
/// The longest id in characters.
const ID_CHARS_MAX: usize = 255;
/// Users of earlier years do not exist: seconds and milliseconds are mixed up.
const FIRST_YEAR: i16 = 1990;

/// What a report says of a row that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warning {
    /// The address was in other letters.
    EmailLowered,
    OtherEmails,
    /// The address receives no mail.
    PlaceholderEmail,
    /// The name is made of the address.
    NameFromEmail,
    /// The picture has no web address.
    ImageDropped,
    /// The export does not say when the user was created.
    NoCreationTime,
    RolesLeftOut,
    PasswordDropped,
    SecondFactorDropped,
}

impl Warning {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::EmailLowered => "email-lowered",
            Self::OtherEmails => "other-emails",
            Self::PlaceholderEmail => "placeholder-email",
            Self::NameFromEmail => "name-from-email",
            Self::ImageDropped => "image-dropped",
            Self::NoCreationTime => "no-creation-time",
            Self::RolesLeftOut => "roles-left-out",
            Self::PasswordDropped => "password-dropped",
            Self::SecondFactorDropped => "second-factor-dropped",
        }
    }
}

/// The password of a user who is imported.
#[derive(Debug)]
pub enum TakenPassword {
    None,
    /// With the kind of the hash.
    Taken(&'static str),
    /// A weak hash, which is hashed again before it is stored.
    Wrapped(ImportedHash),
    /// With the kind of the hash, or why it is not one.
    Dropped(&'static str),
}

impl TakenPassword {
    /// The kind of the hash in the file.
    pub fn kind(&self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Taken(kind) | Self::Dropped(kind) => Some(kind),
            Self::Wrapped(hash) => Some(hash.kind().name()),
        }
    }
}

/// A row that can be taken.
#[derive(Debug)]
pub struct Examined {
    /// Without the hash of [`TakenPassword::Wrapped`].
    pub user: ImportedUser,
    pub password: TakenPassword,
    /// The secret of the second factor that is kept.
    pub factor: Option<TotpSecret>,
    /// Roles of the other system that the user does not get.
    pub roles_left_out: Vec<String>,
    /// Fields of the file that have no place.
    pub left_out: Vec<String>,
    pub warnings: Vec<Warning>,
}

impl Examined {
    /// Goes through what only this user can have.
    pub fn claims<E>(&self, claim: &mut impl FnMut(Claim<'_>) -> Result<(), E>) -> Result<(), E> {
        let user = &self.user.user;
        claim(Claim::Address(user.email.as_str()))?;
        if self.user.keeps_id {
            claim(Claim::Id(&user.id))?;
        }
        self.user
            .accounts
            .iter()
            .try_for_each(|account| claim(Claim::Account(&account.provider_id, &account.account_id)))
    }
}

/// Why a row is refused.
type Refusal = (Reason, String);

fn refused<T>(reason: Reason, detail: impl Into<String>) -> Result<T, Refusal> {
    Err((reason, detail.into()))
}

impl Rules {
    /// Examines a row together with what other rows say of its user. The values of a row that is taken move to its user.
    pub(super) fn examine(&self, row: &mut StagedRow) -> Result<Examined, RowFault> {
        let source = row.user.as_mut().map_err(|fault| fault.clone())?;
        merge(source, std::mem::take(&mut row.about));
        self.examined(row.number, source).map_err(|(reason, detail)| {
            let (id, email) = (source.id.clone(), source.email.clone());
            RowFault { reason, detail, id, email }
        })
    }

    /// Leaves the id and the address, by which a refused row is known.
    fn examined(&self, number: u64, source: &mut SourceUser) -> Result<Examined, Refusal> {
        let mut warnings = Vec::new();
        let id = match &source.id {
            Some(id) => checked_id(id)?.to_owned(),
            None => self.new_id(number, "user"),
        };
        let email = self.email(source, &id, &mut warnings)?;
        let name = if let Some(name) = source.name.take() {
            name
        } else {
            warnings.push(Warning::NameFromEmail);
            email.local_part().to_owned()
        };
        check_name(&name).or_else(|problem| refused(Reason::BadName, problem.to_string()))?;
        let (had_image, image) =
            (source.image.is_some(), source.image.take().filter(|image| check_image(image).is_ok()));
        if image.is_none() && had_image {
            warnings.push(Warning::ImageDropped);
        }
        if !source.other_emails.is_empty() {
            warnings.push(Warning::OtherEmails);
        }
        let created_at = self.creation(source, &mut warnings)?;
        let (role, roles_left_out) = self.roles(&source.roles)?;
        if !roles_left_out.is_empty() {
            warnings.push(Warning::RolesLeftOut);
        }
        let factor = if source.second_factor { self.factor(source.factor.as_ref())? } else { None };
        if source.second_factor && factor.is_none() {
            warnings.push(Warning::SecondFactorDropped);
        }
        let (password, hash) = self.password(&source.password)?;
        if matches!(password, TakenPassword::Dropped(_)) {
            warnings.push(Warning::PasswordDropped);
        }
        let user = ImportedUser {
            user: NewUserRow {
                account_id: self.account_id(number, 0),
                email_verified: source.verified && !warnings.contains(&Warning::PlaceholderEmail),
                ban: source.ban.as_ref().map(|ban| self.ban(ban)),
                // Not before the creation: another system may have both from different clocks.
                updated_at: source.updated_at.unwrap_or(created_at).clamp(created_at, self.now.max(created_at)),
                id,
                email,
                name,
                image,
                role,
                created_at,
            },
            keeps_id: source.id.is_some(),
            replaces_role: source.roles.iter().any(|role| self.roles.iter().any(|(from, _)| from == role)),
            hash,
            accounts: self.accounts(number, &source.accounts, created_at)?,
            factor: None,
        };
        Ok(Examined {
            user,
            password,
            factor,
            roles_left_out,
            left_out: std::mem::take(&mut source.left_out),
            warnings,
        })
    }

    /// An id for a row of this import. A second run of the same import gives the same.
    fn new_id(&self, number: u64, purpose: &str) -> String {
        let mut id = digest(format!("{}:{number}:{purpose}", self.key));
        id.truncate(32);
        id
    }

    /// An id for an account of a row of this import. Those of one row after the other are in order, so that an index takes
    /// them at its end.
    fn account_id(&self, number: u64, place: usize) -> String {
        format!("{:.17}{number:011x}{place:04x}", self.key)
    }

    fn email(&self, source: &SourceUser, id: &str, warnings: &mut Vec<Warning>) -> Result<Email, Refusal> {
        let invalid =
            |address: &str| Email::parse(address).or_else(|_| refused(Reason::BadEmail, "the address is not valid"));
        if let Some(address) = source.email.as_deref().map(without_blanks).filter(|address| !address.is_empty()) {
            let email = invalid(address)?;
            if email.as_str() != address {
                warnings.push(Warning::EmailLowered);
            }
            return Ok(email);
        }
        if let (Some(domain), Some(name)) = (&self.email_domain, &source.username) {
            return invalid(&format!("{}@{domain}", name.trim()));
        }
        if self.placeholder_email {
            warnings.push(Warning::PlaceholderEmail);
            // An id may have any character, and an address may not.
            let local = if id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
                id.to_owned()
            } else {
                digest(id).chars().take(32).collect()
            };
            return invalid(&format!("{local}@{PLACEHOLDER_DOMAIN}"));
        }
        refused(Reason::NoEmail, "the user has no address")
    }

    fn creation(&self, source: &SourceUser, warnings: &mut Vec<Warning>) -> Result<Timestamp, Refusal> {
        let Some(created_at) = source.created_at else {
            warnings.push(Warning::NoCreationTime);
            return Ok(self.now);
        };
        let year = jiff::tz::Offset::UTC.to_datetime(created_at).year();
        if year < FIRST_YEAR || created_at > latest_creation(self.now) {
            return refused(
                Reason::Syntax,
                format!("the time of creation is in the year {year}: seconds and milliseconds may be mixed up"),
            );
        }
        Ok(created_at)
    }

    /// The role of a user, and the roles of the file that count for nothing.
    fn roles(&self, roles: &[String]) -> Result<(Option<String>, Vec<String>), Refusal> {
        let (mut given, mut left_out) = (Vec::<&str>::new(), Vec::new());
        for role in roles {
            let mapped: Vec<&str> =
                self.roles.iter().filter(|(from, _)| from == role).map(|(_, to)| to.as_str()).collect();
            if !mapped.is_empty() {
                let new = mapped.into_iter().filter(|to| !given.contains(to)).collect::<BTreeSet<_>>();
                given.extend(new);
            } else if self.takes_roles {
                given.extend(role.split(',').map(str::trim).filter(|role| !role.is_empty()));
            } else {
                left_out.push(role.clone());
            }
        }
        if given.is_empty() {
            return Ok((None, left_out));
        }
        match check_role(&given.join(","), true) {
            Ok(role) => Ok((Some(role), left_out)),
            Err(problem) => refused(Reason::Syntax, problem.to_string()),
        }
    }

    fn ban(&self, ban: &SourceBan) -> NewBan {
        let origin = || (!self.takes_roles).then(|| format!("disabled in {}", self.system));
        NewBan { reason: ban.reason.clone().or_else(origin), until: ban.until }
    }

    fn accounts(
        &self,
        number: u64,
        accounts: &[ProviderAccount],
        created_at: Timestamp,
    ) -> Result<Vec<ImportedAccount>, Refusal> {
        let is_plain = |text: &str| !text.is_empty() && text.len() <= 255 && !text.chars().any(char::is_control);
        let mut taken: Vec<ImportedAccount> = Vec::new();
        for account in accounts {
            let ProviderAccount { provider, subject, created_at: since, tokens } = account;
            if !is_plain(provider) || !is_plain(subject) {
                return refused(Reason::Syntax, "an account at a provider has no name or no subject");
            }
            if tokens.iter().flat_map(|tokens| tokens.texts()).any(|token| token.contains(char::is_control)) {
                return refused(Reason::BadValue, "a token of an account at a provider is not printable");
            }
            if taken.iter().any(|one| one.provider_id == *provider && one.account_id == *subject) {
                continue;
            }
            taken.push(ImportedAccount {
                id: self.account_id(number, taken.len() + 1),
                provider_id: provider.clone(),
                account_id: subject.clone(),
                created_at: since.unwrap_or(created_at).clamp(created_at.min(self.now), self.now.max(created_at)),
                tokens: tokens.clone(),
            });
        }
        Ok(taken)
    }
}

fn checked_id(id: &str) -> Result<&str, Refusal> {
    let chars = id.chars().count();
    if chars == 0 || chars > ID_CHARS_MAX || id.chars().any(char::is_control) {
        return refused(
            Reason::BadId,
            format!("the id is empty, longer than {ID_CHARS_MAX} characters or not printable"),
        );
    }
    if is_exponential(id) {
        return refused(Reason::BadId, "a spreadsheet has rounded the id");
    }
    Ok(id)
}

/// Whether a text is a number with an exponent, such as `1.23457E+17`.
fn is_exponential(id: &str) -> bool {
    let Some((number, exponent)) = id.split_once(['E', 'e']) else { return false };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (whole, part) = number.split_once(['.', ',']).unwrap_or((number, "0"));
    exponent.strip_prefix('+').is_some_and(is_digits) && is_digits(whole) && is_digits(part)
}

/// Adds to the user of a row what other rows say.
fn merge(user: &mut SourceUser, about: Vec<About>) {
    for fact in about {
        match fact {
            About::Password(password) if user.password == Credential::None => user.password = password,
            About::Password(_) => {}
            About::Account(account) => user.accounts.push(account),
            About::SecondFactor(factor) => {
                user.second_factor = true;
                // The first one that can be kept counts.
                if !user.factor.as_ref().is_some_and(|known| !matches!(known, SourceFactor::Unusable(_))) {
                    user.factor = factor.or(user.factor.take());
                }
            }
            About::Verified(address) => {
                user.verified |= user.email.as_deref().is_some_and(|email| is_same_address(email, &address));
            }
        }
    }
}

impl Rules {
    /// The secret of a second factor that is kept; `None` for one that is dropped.
    fn factor(&self, factor: Option<&SourceFactor>) -> Result<Option<TotpSecret>, Refusal> {
        if self.second_factors == Some(SecondFactors::Drop) {
            return Ok(None);
        }
        let secret = factor.map_or(Err(FactorProblem::NoSecret), |factor| factor.secret(&self.app_secrets));
        let problem = match (secret, self.second_factors) {
            (Ok(secret), Some(_)) => return Ok(Some(secret)),
            (Ok(_), None) => FactorProblem::NotAsked,
            (Err(problem), _) => problem,
        };
        refused(Reason::SecondFactor(problem), problem.detail())
    }

    /// Decides what becomes of a password, and returns the hash to store as it is.
    fn password(&self, password: &Credential) -> Result<(TakenPassword, Option<StoredHash>), Refusal> {
        let (reason, kind) = match password {
            Credential::None | Credential::Refused(Reason::NoPassword) => return Ok((TakenPassword::None, None)),
            Credential::Plain => (Reason::PlainPassword, "plain"),
            Credential::Refused(reason) => (*reason, "unknown"),
            Credential::Hash { text, claimed } => match self.imported_hash(text, claimed.as_deref()) {
                Ok(hash) => return self.hash(hash),
                Err(HashRefusal::NoPassword) => return Ok((TakenPassword::None, None)),
                Err(HashRefusal::Unknown) => (Reason::HashUnknown, "unknown"),
                Err(HashRefusal::Cost) => (Reason::HashCost, "too costly"),
                Err(HashRefusal::PlainPassword) => (Reason::PlainPassword, "plain"),
            },
        };
        if self.drops_unusable {
            return Ok((TakenPassword::Dropped(kind), None));
        }
        refused(reason, why(reason))
    }

    fn hash(&self, hash: ImportedHash) -> Result<(TakenPassword, Option<StoredHash>), Refusal> {
        let (kind, stored) = (hash.kind().name(), hash.stored());
        if !self.is_the_apps(stored.as_ref()) {
            if self.drops_unusable {
                return Ok((TakenPassword::Dropped(kind), None));
            }
            return refused(Reason::HashNotTheApps, format!("the app does not verify {kind}"));
        }
        match (stored, self.weak_hashes) {
            (Some(stored), _) => Ok((TakenPassword::Taken(kind), Some(stored))),
            (None, Some(WeakHashes::Wrap)) => Ok((TakenPassword::Wrapped(hash), None)),
            (None, Some(WeakHashes::Drop)) => Ok((TakenPassword::Dropped(kind), None)),
            (None, None) => refused(Reason::HashWeak, format!("{kind} is cheap to guess")),
        }
    }

    /// Reads a hash, with the name of its pepper.
    fn imported_hash(&self, text: &str, claimed: Option<&str>) -> Result<ImportedHash, HashRefusal> {
        let hash = ImportedHash::parse(text, claimed)?;
        let peppered = self.pepper.as_deref().and_then(|name| hash.peppered(name));
        Ok(peppered.unwrap_or(hash))
    }

    /// The hash of the user of a row, if the row has the address; `None` inside without a hash.
    #[expect(clippy::option_option, reason = "no such user is not no hash")]
    pub(super) fn hash_of(&self, row: &mut StagedRow, email: &Email) -> Option<Option<ImportedHash>> {
        let user = row.user.as_mut().ok()?;
        merge(user, std::mem::take(&mut row.about));
        let id = user.id.clone().unwrap_or_else(|| self.new_id(row.number, "user"));
        self.email(user, &id, &mut Vec::new()).ok().filter(|of_row| of_row == email)?;
        Some(match &user.password {
            Credential::Hash { text, claimed } => self.imported_hash(text, claimed.as_deref()).ok(),
            _ => None,
        })
    }

    /// Whether the owner of the database verifies a hash.
    fn is_the_apps(&self, stored: Option<&StoredHash>) -> bool {
        if self.scheme == Scheme::Native {
            return true;
        }
        let of = stored.and_then(HashParams::of);
        match &self.scheme {
            _ if self.app_verifies_bcrypt && matches!(of, Some(HashParams::Bcrypt(_))) => true,
            Scheme::Guest(params) | Scheme::Named { params, .. } => of.is_some_and(|of| of.name() == params.name()),
            Scheme::Native | Scheme::Unclear(_) => false,
        }
    }
}

/// Why a password cannot be taken.
fn why(reason: Reason) -> &'static str {
    match reason {
        Reason::HashCost => "the hash costs more than a sign-in may, or less than a hash does",
        Reason::PlainPassword => "the password is not hashed",
        _ => "no function verifies the hash",
    }
}

#[cfg(test)]
mod tests;
