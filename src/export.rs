//! Users in the shapes that other systems and authctl itself import.
//!
//! A [`Writer`] takes one user after another, so that an export of any size takes no memory. The same users give the same
//! bytes: fields have a fixed order, and nothing says when the export was made.

use std::fs::File;
use std::io::{self, BufWriter, Seek as _, SeekFrom, Write as _};

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::auth::duration::rfc3339;
use crate::auth::odd::readable;
use crate::auth::password::{HashFormat, HashParams};
use crate::auth::secret::StoredHash;
use crate::auth::storage::{Account, ExportedUser, Sink};
use crate::auth::user::User;
use crate::import::authctl as own;
use crate::output::csv;
use crate::output::json::line;

/// What reads the export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `authctl import`: JSON lines with everything that users have.
    Authctl,
    /// A spreadsheet.
    Csv,
    /// The tables of an app.
    BetterAuth,
    Auth0,
    Clerk,
    Keycloak,
    Supabase,
}

impl Shape {
    /// All shapes, that of authctl first.
    pub const ALL: [Self; 7] =
        [Self::Authctl, Self::Csv, Self::BetterAuth, Self::Auth0, Self::Clerk, Self::Keycloak, Self::Supabase];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Authctl => "authctl",
            Self::Csv => "csv",
            Self::BetterAuth => "better-auth",
            Self::Auth0 => "auth0",
            Self::Clerk => "clerk",
            Self::Keycloak => "keycloak",
            Self::Supabase => "supabase",
        }
    }
}

/// What an export leaves out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    pub users: u64,
    /// Users with a password hash in the export.
    pub hashes: u64,
    /// Users whose password hash the other system cannot use.
    pub hashes_left_out: u64,
    /// Users with a second factor. No export holds it: its key is not in the database.
    pub second_factors: u64,
}

/// Writes users in a shape.
#[derive(Debug)]
pub struct Writer {
    shape: Shape,
    with_hashes: bool,
    /// The version of the database's schema; 0 for that of an app.
    schema: u32,
    output: BufWriter<File>,
    /// The second table of an export that has two.
    second: Option<BufWriter<File>>,
    written: Written,
    accounts: u64,
    /// Why nothing more is written.
    failed: Option<io::Error>,
}

impl Sink for Writer {
    fn begin(&mut self, users: u64) {
        self.failed = self.head(users).err();
    }

    fn user(&mut self, user: ExportedUser) -> bool {
        if self.failed.is_none() {
            self.failed = self.add(&user).err();
        }
        self.failed.is_none()
    }
}

impl Writer {
    /// `second` is an empty file for the second table.
    pub fn new(shape: Shape, with_hashes: bool, schema: u32, output: File, second: File) -> Self {
        Self {
            shape,
            with_hashes,
            schema,
            output: BufWriter::new(output),
            second: (shape == Shape::BetterAuth).then(|| BufWriter::new(second)),
            written: Written::default(),
            accounts: 0,
            failed: None,
        }
    }

    /// Writes what stands before the users.
    fn head(&mut self, users: u64) -> io::Result<()> {
        let schema = self.schema;
        let head = match self.shape {
            Shape::Authctl => {
                let head = json!(own::ExportHead { authctl: own::VERSION, schema, count: users });
                line(&head) + "\n"
            }
            Shape::Csv => CSV_HEADER.to_owned(),
            Shape::BetterAuth => "{\"user\": [".to_owned(),
            Shape::Auth0 | Shape::Clerk | Shape::Supabase => "[".to_owned(),
            Shape::Keycloak => "{\"ifResourceExists\": \"FAIL\", \"users\": [".to_owned(),
        };
        self.output.write_all(head.as_bytes())
    }

    fn add(&mut self, exported: &ExportedUser) -> io::Result<()> {
        let given = exported.hash.as_ref().filter(|_| self.with_hashes);
        let hash = given.filter(|hash| self.shape.takes(hash));
        self.written.hashes += u64::from(hash.is_some());
        self.written.hashes_left_out += u64::from(given.is_some() && hash.is_none());
        self.written.second_factors += u64::from(exported.user.two_factor_enabled);
        let text = match self.shape {
            Shape::Csv => csv_line(&exported.user),
            Shape::Authctl => line(&own_line(exported, hash)) + "\n",
            shape => {
                let separator = if self.written.users == 0 { "\n" } else { ",\n" };
                format!("{separator}{}", line(&shape.document(exported, hash)))
            }
        };
        self.written.users += 1;
        self.output.write_all(text.as_bytes())?;
        if let Some(second) = &mut self.second {
            for account in account_rows(exported, hash) {
                let separator = if self.accounts == 0 { "\n" } else { ",\n" };
                self.accounts += 1;
                second.write_all(format!("{separator}{}", line(&account)).as_bytes())?;
            }
        }
        Ok(())
    }

    /// Writes what stands behind the users.
    ///
    /// # Errors
    /// What went wrong first.
    pub fn finish(mut self) -> io::Result<Written> {
        if let Some(failed) = self.failed.take() {
            return Err(failed);
        }
        match self.shape {
            Shape::Authctl | Shape::Csv => {}
            Shape::Auth0 | Shape::Clerk | Shape::Supabase => self.output.write_all(b"\n]\n")?,
            Shape::Keycloak => self.output.write_all(b"\n]}\n")?,
            Shape::BetterAuth => {
                self.output.write_all(b"\n], \"account\": [")?;
                if let Some(second) = &mut self.second {
                    second.seek(SeekFrom::Start(0))?;
                    io::copy(second.get_mut(), &mut self.output)?;
                }
                self.output.write_all(b"\n]}\n")?;
            }
        }
        self.output.flush()?;
        Ok(self.written)
    }
}

impl Shape {
    /// Whether the other system can use a hash.
    fn takes(self, hash: &StoredHash) -> bool {
        let takes_bcrypt = matches!(self, Self::Auth0 | Self::Clerk | Self::Supabase);
        match HashParams::of(hash) {
            _ if self == Self::Csv => false,
            _ if matches!(self, Self::Authctl | Self::BetterAuth) => true,
            Some(HashParams::Argon2id(_)) => true,
            Some(HashParams::Bcrypt(_)) => takes_bcrypt,
            _ => false,
        }
    }

    fn document(self, exported: &ExportedUser, hash: Option<&StoredHash>) -> Value {
        match self {
            Self::Auth0 => auth0(&exported.user, hash),
            Self::Clerk => clerk(&exported.user, hash),
            Self::Keycloak => keycloak(exported, hash),
            Self::Supabase => supabase(&exported.user, hash),
            _ => user_row(&exported.user),
        }
    }
}

/// The kind of a hash, for exports that do not have the hash itself.
fn kind(exported: &ExportedUser) -> Option<&'static str> {
    exported.hash.as_ref().map(|hash| HashFormat::of(hash).name())
}

fn own_line(exported: &ExportedUser, hash: Option<&StoredHash>) -> Value {
    let ExportedUser { user, accounts, .. } = exported;
    let accounts = accounts.iter().map(|account| own::ExportedAccount {
        provider_id: account.provider_id.clone(),
        account_id: account.account_id.clone(),
        created_at: account.created_at,
    });
    json!(own::ExportedUser {
        id: user.id.clone(),
        email: user.email.clone(),
        name: user.name.clone(),
        image: user.image.clone(),
        email_verified: user.email_verified,
        created_at: readable(user.created_at),
        updated_at: readable(user.updated_at),
        role: user.role.clone(),
        banned: user.banned,
        ban_reason: user.ban_reason.clone(),
        ban_expires: user.ban_expires,
        accounts: accounts.collect(),
        second_factor: user.two_factor_enabled,
        has_password: exported.hash.is_some(),
        password_kind: kind(exported).map(str::to_owned),
        password_hash: hash.map(|hash| hash.expose().to_owned()),
    })
}

/// The last word says that cells which a spreadsheet would compute begin with an apostrophe.
const CSV_HEADER: &str = "id,email,name,image,email_verified,created_at,updated_at,role,banned,ban_reason,ban_expires,two_factor_enabled,escaped\n";

fn csv_line(user: &User) -> String {
    let time = |instant: Timestamp| readable(instant).map_or_else(String::new, rfc3339);
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let cells = [
        user.id.clone(),
        user.email.clone(),
        user.name.clone(),
        text(&user.image),
        user.email_verified.to_string(),
        time(user.created_at),
        time(user.updated_at),
        text(&user.role),
        user.banned.to_string(),
        text(&user.ban_reason),
        user.ban_expires.map_or_else(String::new, rfc3339),
        user.two_factor_enabled.to_string(),
        String::new(),
    ];
    // Ids of digits are no numbers.
    let cell = |(index, text): (usize, &String)| if index == 0 { csv::quoted(text) } else { csv::cell(text) };
    cells.iter().enumerate().map(cell).collect::<Vec<_>>().join(",") + "\n"
}

/// A row of Better Auth's table of users.
fn user_row(user: &User) -> Value {
    let time = |instant: Timestamp| readable(instant).map(rfc3339);
    json!({
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "emailVerified": user.email_verified,
        "image": user.image,
        "createdAt": time(user.created_at),
        "updatedAt": time(user.updated_at),
        "role": user.role,
        "banned": user.banned,
        "banReason": user.ban_reason,
        "banExpires": user.ban_expires.map(rfc3339),
    })
}

/// The rows of Better Auth's table of accounts. Ids of rows are made of what they hold, so that they are always the same.
fn account_rows(exported: &ExportedUser, hash: Option<&StoredHash>) -> Vec<Value> {
    let ExportedUser { user, accounts, .. } = exported;
    let row = |provider: &str, subject: &str, created_at: Timestamp, password: Option<&str>| {
        let id: String = crate::auth::secret::digest(format!("{provider}:{subject}")).chars().take(32).collect();
        json!({
            "id": id,
            "accountId": subject,
            "providerId": provider,
            "userId": user.id,
            "password": password,
            "createdAt": readable(created_at).map(rfc3339),
            "updatedAt": readable(created_at).map(rfc3339),
        })
    };
    let credential = hash.map(|hash| row(Account::CREDENTIAL, &user.id, user.created_at, Some(hash.expose())));
    let others = accounts.iter().map(|account| {
        row(&account.provider_id, &account.account_id, account.created_at.unwrap_or(user.created_at), None)
    });
    credential.into_iter().chain(others).collect()
}

fn auth0(user: &User, hash: Option<&StoredHash>) -> Value {
    let mut document = json!({
        "user_id": user.id,
        "email": user.email,
        "email_verified": user.email_verified,
        "name": user.name,
        "blocked": user.banned,
        "app_metadata": { "role": user.roles() },
    });
    if let Some(image) = &user.image {
        document["picture"] = json!(image);
    }
    if let Some(hash) = hash {
        let algorithm = match HashParams::of(hash) {
            Some(HashParams::Bcrypt(_)) => "bcrypt",
            _ => "argon2",
        };
        document["custom_password_hash"] =
            json!({ "algorithm": algorithm, "hash": { "value": hash.expose(), "encoding": "utf8" } });
    }
    document
}

fn clerk(user: &User, hash: Option<&StoredHash>) -> Value {
    let mut document = json!({ "userId": user.id, "email": user.email, "firstName": user.name });
    if let Some(hash) = hash {
        document["passwordHasher"] = json!(HashFormat::of(hash).name());
        document["password"] = json!(hash.expose());
    }
    document
}

/// How long a user without an end of the ban is banned: a hundred years, as the service itself writes it.
const FOR_EVER: &str = "876000h";

fn supabase(user: &User, hash: Option<&StoredHash>) -> Value {
    let mut document = json!({
        "id": user.id,
        "email": user.email,
        "email_confirm": user.email_verified,
        "user_metadata": { "name": user.name, "avatar_url": user.image },
        "app_metadata": { "role": user.roles() },
    });
    if user.banned {
        document["ban_duration"] = json!(FOR_EVER);
    }
    if let Some(hash) = hash {
        document["password_hash"] = json!(hash.expose());
    }
    document
}

fn keycloak(exported: &ExportedUser, hash: Option<&StoredHash>) -> Value {
    let ExportedUser { user, accounts, .. } = exported;
    let identities: Vec<Value> = accounts
        .iter()
        .map(|account| {
            json!({
                "identityProvider": account.provider_id,
                "userId": account.account_id,
                "userName": user.email,
            })
        })
        .collect();
    json!({
        "id": user.id,
        "username": user.email,
        "email": user.email,
        "emailVerified": user.email_verified,
        "firstName": user.name,
        "enabled": !user.banned,
        "createdTimestamp": readable(user.created_at).map(Timestamp::as_millisecond),
        "credentials": hash.and_then(argon2_of_keycloak).into_iter().collect::<Vec<_>>(),
        "federatedIdentities": identities,
        "realmRoles": user.roles().split(',').map(str::trim).collect::<Vec<_>>(),
    })
}

/// An argon2id hash in pieces, as JSON inside of texts.
fn argon2_of_keycloak(hash: &StoredHash) -> Option<Value> {
    let Some(HashParams::Argon2id(cost)) = HashParams::of(hash) else { return None };
    let mut parts = hash.expose().rsplit('$');
    let (tag, salt) = (parts.next()?, parts.next()?);
    let [tag, salt] = [tag, salt].map(|part| BASE64_STANDARD_NO_PAD.decode(part).ok());
    let (tag, salt) = (tag?, salt?);
    let secret = json!({
        "value": BASE64_STANDARD.encode(&tag),
        "salt": BASE64_STANDARD.encode(salt),
        "additionalParameters": {},
    });
    let data = json!({
        "hashIterations": cost.passes,
        "algorithm": "argon2",
        "additionalParameters": {
            "hashLength": [tag.len().to_string()],
            "memory": [cost.memory_kib.to_string()],
            "type": ["id"],
            "version": ["1.3"],
            "parallelism": [cost.lanes.to_string()],
        },
    });
    Some(json!({ "type": "password", "secretData": secret.to_string(), "credentialData": data.to_string() }))
}

#[cfg(test)]
mod tests;
