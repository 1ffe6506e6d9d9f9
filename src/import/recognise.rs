//! Recognises the system of a file by its first bytes.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::csv::{COMMA, SEPARATORS, cells_of};
use super::error::ImportError;
use super::format::Format;
use super::input::Bytes;
use super::json::{Walk, Walked};
use super::{COLUMNS_MAX, DEPTH_MAX, LINE_BYTES_MAX, RECORD_BYTES_MAX};

/// The bytes at the start of a file by which it is recognised.
const SAMPLE_BYTES: usize = 256 << 10;
/// The records of a table by which a file is recognised.
const SAMPLE_RECORDS: usize = 20;
/// The fewest columns of Firebase's table, which has no header.
const FIREBASE_COLUMNS: usize = 27;
/// The number of fields in a line of `/etc/shadow`.
const SHADOW_FIELDS: usize = 9;
/// The statements before the first table of a dump, in lines.
const DUMP_LINES: usize = 2000;

/// How the text of a file is divided into records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// An array, or an object with arrays.
    JsonTree,
    /// An array of objects with arrays.
    JsonTrees,
    /// An object a line.
    JsonLines,
    /// A table with a header, and the separator of its cells.
    Csv(u8),
    /// A table without a header.
    CsvColumns,
    Sql,
    Ldif,
    /// Fields between colons.
    Colons,
}

/// What the start of a file shows.
#[derive(Debug)]
pub(super) struct Recognised {
    pub(super) layout: Layout,
    /// All formats that it can be, none of them plain if another fits.
    pub(super) formats: Vec<Format>,
    /// The bytes that the first record exceeds, if it is too long to show a format.
    pub(super) exceeds: Option<usize>,
}

impl Recognised {
    fn new(layout: Layout, formats: Vec<Format>) -> Self {
        Self { layout, formats, exceeds: None }
    }
}

pub(super) fn recognise(bytes: &mut Bytes) -> Result<Recognised, ImportError> {
    let file = bytes.name().to_owned();
    let (sample, is_whole) = bytes.sample(SAMPLE_BYTES)?;
    let text = String::from_utf8_lossy(sample);
    let text = text.trim_start();
    if text.is_empty() {
        return Err(ImportError::Empty { file });
    }
    if !matches!(text.as_bytes()[0], b'{' | b'[') {
        let is_too_long = text.lines().next().is_some_and(|line| line.len() > LINE_BYTES_MAX);
        let recognised = lines(text);
        let header = text.lines().next().unwrap_or_default();
        let has_too_many = |separator: &u8| header.bytes().filter(|byte| byte == separator).count() >= COLUMNS_MAX;
        if !is_too_long && recognised.formats.is_empty() && SEPARATORS.iter().any(has_too_many) {
            return Err(ImportError::TooManyColumns { file, line: 1 });
        }
        let exceeds = (is_too_long && recognised.formats.is_empty()).then_some(LINE_BYTES_MAX);
        return Ok(Recognised { exceeds, ..recognised });
    }
    let recognised = json(text, is_whole);
    if !recognised.formats.is_empty() {
        return Ok(recognised);
    }
    if let (length, Walked::TooDeep) = Walk::default().through(text.as_bytes(), DEPTH_MAX) {
        let lines = text[..length].matches('\n').count();
        return Err(ImportError::TooDeep { file, line: 1 + lines as u64 });
    }
    if is_whole {
        return Ok(recognised);
    }
    // The first record may be longer than the sample.
    let (sample, is_whole) = bytes.sample(RECORD_BYTES_MAX + SAMPLE_BYTES)?;
    let text = String::from_utf8_lossy(sample);
    let text = text.trim_start();
    let recognised = json(text, is_whole);
    let is_too_long = recognised.formats.is_empty() && begins_with_endless_record(text);
    Ok(Recognised { exceeds: is_too_long.then_some(RECORD_BYTES_MAX), ..recognised })
}

/// Whether a text of JSON that goes on has no record that ends in it.
fn begins_with_endless_record(text: &str) -> bool {
    let is_endless = |text: &str| Walk::default().through(text.as_bytes(), DEPTH_MAX).1 == Walked::Within;
    match text.strip_prefix('[') {
        Some(items) => is_endless(items.trim_start()),
        None => is_endless(text) && shape(text, false).1.records().next().is_none(),
    }
}

/// The columns of a table or the names of the records of JSON, in lower case.
struct Names(Vec<String>);

impl Names {
    fn have(&self, names: &[&str]) -> bool {
        names.iter().all(|name| self.0.iter().any(|own| own == name))
    }
}

/// A condition under which a file is of a format.
type Rule = (Format, &'static [&'static str]);

/// The columns of tables. Names are in lower case, `_` stays: that tells `emailVerified` from `email_verified`.
const TABLES: &[Rule] = &[
    (Format::Supabase, &["encrypted_password", "aud"]),
    (Format::Supabase, &["identity_data", "provider", "user_id"]),
    (Format::Supabase, &["factor_type", "status", "user_id"]),
    // The answers and the requests of its API.
    (Format::Supabase, &["aud", "app_metadata", "user_metadata"]),
    (Format::Supabase, &["email_confirm", "app_metadata", "user_metadata"]),
    (Format::Devise, &["encrypted_password", "reset_password_token"]),
    (Format::Clerk, &["password_digest", "password_hasher"]),
    // The answers of its API, and what its own script imports.
    (Format::Clerk, &["email_addresses", "primary_email_address_id"]),
    (Format::Clerk, &["userid", "passwordhasher"]),
    (Format::Django, &["is_superuser", "date_joined"]),
    (Format::Django, &["verified", "primary", "user_id", "email"]),
    (Format::WordPress, &["user_pass", "user_login"]),
    (Format::WordPress, &["umeta_id", "user_id", "meta_key"]),
    (Format::Laravel, &["email_verified_at", "remember_token"]),
    (Format::PocketBase, &["tokenkey", "emailvisibility"]),
    (Format::PocketBase, &["recordid", "provider", "providerid"]),
    (Format::PocketBase, &["recordref", "provider", "providerid"]),
    (Format::BetterAuth, &["emailverified", "createdat"]),
    (Format::BetterAuth, &["accountid", "providerid", "userid"]),
    (Format::BetterAuth, &["account_id", "provider_id", "user_id"]),
    (Format::BetterAuth, &["secret", "backupcodes", "userid"]),
    (Format::BetterAuth, &["secret", "backup_codes", "user_id"]),
    (Format::Authjs, &["provider", "provideraccountid"]),
    (Format::Authjs, &["provider", "provider_account_id"]),
    (Format::Lucia, &["id", "hashed_password", "user_id"]),
    (Format::Cognito, &["cognito:username"]),
    (Format::Kratos, &["traits", "schema_id"]),
    (Format::Auth0, &["custom_password_hash"]),
    (Format::Auth0, &["user_id", "email_verified", "app_metadata"]),
    (Format::Auth0, &["_id", "passwordhash"]),
    (Format::FusionAuth, &["encryptionscheme"]),
    (Format::FusionAuth, &["insertinstant"]),
];

/// Columns of passwords.
const PASSWORDS: [&str; 5] = ["password", "passwordhash", "password_hash", "hashedpassword", "hash"];

/// The formats whose rules the names fulfil.
fn of_names(names: &Names, plain: Format) -> Vec<Format> {
    let mut formats: Vec<Format> =
        TABLES.iter().filter(|(_, rule)| names.have(rule)).map(|(format, _)| *format).collect();
    // Better Auth has no passwords in its table of users, so the app is another with the same taste in names.
    if !names.have(&["accountid"]) && PASSWORDS.iter().any(|name| names.have(&[*name])) {
        formats.retain(|format| *format != Format::BetterAuth);
    }
    formats.sort_unstable();
    formats.dedup();
    if formats.is_empty() && ["email", "e-mail", "email_address", "mail"].iter().any(|name| names.have(&[*name])) {
        formats.push(plain);
    }
    formats
}

fn lines(text: &str) -> Recognised {
    let is_comment = |line: &&str| line.trim().is_empty() || line.starts_with('#');
    let line = text.lines().find(|line| !is_comment(line)).unwrap_or_default();
    let starts = |word: &str| line.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    if starts("version:") || starts("dn:") {
        return Recognised::new(Layout::Ldif, vec![Format::Ldif]);
    }
    if text.lines().take(DUMP_LINES).any(super::sql::begins_table) {
        return Recognised::new(Layout::Sql, vec![Format::Supabase]);
    }
    // No more than one separator makes columns of the header that are known.
    let tables = SEPARATORS.map(|separator| {
        let names = cells_of(line, separator).iter().map(|name| name.to_lowercase()).collect();
        (separator, of_names(&Names(names), Format::Csv))
    });
    let mut tables = tables.into_iter().filter(|(_, formats)| !formats.is_empty());
    if let Some((separator, formats)) = tables.next() {
        return Recognised::new(Layout::Csv(separator), formats);
    }
    let row = cells_of(line, COMMA);
    let is_firebase = row.len() >= FIREBASE_COLUMNS && row.len() <= COLUMNS_MAX && line.trim_end().ends_with(',');
    if is_firebase && matches!(row[2].as_str(), "true" | "false") {
        return Recognised::new(Layout::CsvColumns, vec![Format::Firebase]);
    }
    let fields: Vec<&str> = line.split(':').collect();
    if fields.len() == SHADOW_FIELDS && fields[2..].iter().all(|field| field.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return Recognised::new(Layout::Colons, vec![Format::Shadow]);
    }
    let is_htpasswd = fields.len() >= 2 && !fields[0].is_empty() && !fields[0].contains([' ', ',', '"']);
    let has_hash = || fields[1].starts_with(['$', '{']) || fields[1].len() == DES_CHARACTERS;
    let formats = if is_htpasswd && has_hash() { vec![Format::Htpasswd] } else { Vec::new() };
    let layout = if formats.is_empty() && line.contains(',') { Layout::Csv(COMMA) } else { Layout::Colons };
    Recognised::new(layout, formats)
}

/// The length of a hash of the old `crypt`.
const DES_CHARACTERS: usize = 13;

/// The start of a JSON file.
#[derive(Default)]
struct Shape {
    /// The records of each array by its name, which is empty for the outer one.
    tables: BTreeMap<String, Vec<Map<String, Value>>>,
    /// The names of the outer object.
    names: Vec<String>,
}

impl Shape {
    fn records(&self) -> impl Iterator<Item = &Map<String, Value>> {
        self.tables.values().flatten()
    }

    fn has_table(&self, name: &str) -> bool {
        self.tables.contains_key(name)
    }

    /// Whether the outer object is a realm of Keycloak, and not a user of a system that has realms too.
    fn is_realm(&self) -> bool {
        let is = |name: &str| self.names.iter().any(|own| own == name);
        is("realm") && !is("username") && !is("email")
    }

    /// The names of all records of a table.
    fn names_of(&self, table: &str) -> Names {
        let records = self.tables.get(table).into_iter().flatten();
        Names(records.flat_map(|record| record.keys()).map(|name| name.to_lowercase()).collect())
    }
}

fn json(text: &str, is_whole: bool) -> Recognised {
    let (layout, shape) = shape(text, is_whole);
    let mut formats = match layout {
        Layout::JsonLines => of_records(&shape, Format::JsonLines),
        Layout::JsonTrees => vec![Format::Keycloak],
        _ if text.starts_with('[') => of_records(&shape, Format::JsonLines),
        _ => of_tables(&shape),
    };
    formats.sort_unstable();
    formats.dedup();
    Recognised::new(layout, formats)
}

/// The formats of an object with arrays.
fn of_tables(shape: &Shape) -> Vec<Format> {
    let names = Names(shape.names.iter().map(|name| name.to_lowercase()).collect());
    let users = shape.names_of("users");
    let mut formats = Vec::new();
    if shape.has_table("users") {
        if users.have(&["localid"]) {
            formats.push(Format::Firebase);
        }
        // A partial import names what it does with users that exist, and no realm.
        let is_of_realm = names.have(&["realm"]) || names.have(&["ifresourceexists"]);
        if is_of_realm && (users.have(&["username"]) || users.0.is_empty()) {
            formats.push(Format::Keycloak);
        }
        // Files of `keycloak export --users different_files` say the realm too; users of its API do not.
        if !users.have(&["localid"]) && (users.have(&["encryptionscheme"]) || users.have(&["insertinstant"])) {
            formats.push(Format::FusionAuth);
        }
        if shape.tables["users"].iter().any(|user| user.contains_key("Attributes")) {
            formats.push(Format::Cognito);
        }
    }
    if shape.has_table("Users") && shape.names_of("Users").have(&["attributes"]) {
        formats.push(Format::Cognito);
    }
    if shape.has_table("auth_user") || shape.has_table("user_key") {
        formats.push(Format::Lucia);
    }
    if shape.has_table("user") && shape.has_table("account") {
        formats.push(Format::BetterAuth);
    }
    if names.have(&["object"]) && shape.has_table("data") {
        let is_workos = |record: &Map<String, Value>| text_of(record, "id").starts_with("user_");
        if shape.records().any(is_workos) {
            formats.push(Format::WorkOs);
        }
    }
    if names.have(&["realm"]) && formats.is_empty() {
        formats.push(Format::Keycloak);
    }
    if formats.is_empty() {
        let tables = shape.tables.keys().flat_map(|table| of_names(&shape.names_of(table), Format::JsonLines));
        formats.extend(tables.filter(|format| !format.is_plain()));
    }
    formats
}

fn text_of<'a>(record: &'a Map<String, Value>, name: &str) -> &'a str {
    record.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The formats of records that are not in tables.
fn of_records(shape: &Shape, plain: Format) -> Vec<Format> {
    let names = shape.names_of("");
    let any = |test: &dyn Fn(&Map<String, Value>) -> bool| shape.records().any(test);
    if names.have(&["authctl"]) {
        return vec![Format::Authctl];
    }
    if names.have(&["model", "fields"]) {
        return vec![Format::Django];
    }
    if any(&|record| matches!(text_of(record, "table"), "user" | "account" | "users" | "accounts")) {
        return vec![Format::BetterAuth];
    }
    let mut formats = of_names(&names, plain);
    let is_plain = formats.iter().all(|format| format.is_plain());
    // Auth.js has a date or nothing in a field of that name, and no date of creation.
    let is_date =
        |record: &Map<String, Value>| record["emailVerified"].is_null() || record["emailVerified"].is_string();
    if is_plain
        && !names.have(&["createdat"])
        && shape.records().all(|record| record.contains_key("emailVerified") && is_date(record))
        && shape.records().next().is_some()
    {
        return vec![Format::Authjs];
    }
    if any(&|record| text_of(record, "user_id").contains('|')) {
        formats.retain(|format| !format.is_plain());
        formats.push(Format::Auth0);
    } else if is_plain && names.have(&["email_verified"]) && names.have(&["password_hash"]) {
        let is_lucia = |record: &Map<String, Value>| is_lucia_scrypt(text_of(record, "password_hash"));
        if any(&is_lucia) {
            formats = vec![Format::Lucia];
        } else if !names.have(&["id"]) {
            formats = vec![Format::Auth0];
        }
    }
    formats
}

/// Whether the text is a hash of Lucia 3: salt and key in hexadecimal.
fn is_lucia_scrypt(text: &str) -> bool {
    let is_hex = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split_once(':').is_some_and(|(salt, key)| salt.len() == 32 && key.len() == 128 && is_hex(salt) && is_hex(key))
}

fn shape(text: &str, is_whole: bool) -> (Layout, Shape) {
    let mut shape = Shape::default();
    if let Some(items) = text.strip_prefix('[') {
        if let Some(first) = items.trim_start().strip_prefix('{') {
            // A realm may be longer than the sample.
            entries(first, &mut shape);
            if shape.is_realm() {
                return (Layout::JsonTrees, shape);
            }
            shape = Shape::default();
        }
        shape.tables.insert(String::new(), records(items));
        return (Layout::JsonTree, shape);
    }
    let (length, end) = Walk::default().through(text.as_bytes(), DEPTH_MAX);
    let rest = text[length..].trim_start();
    let first = (end == Walked::Done).then(|| serde_json::from_str(&text[..length]).ok()).flatten();
    let has_tables = |object: &Map<String, Value>| {
        object.values().any(|value| value.as_array().is_some_and(|list| list.iter().all(Value::is_object)))
    };
    let has_more = rest.starts_with('{') || !rest.is_empty() && !text[..length].contains('\n');
    let is_lines = match &first {
        Some(Value::Object(object)) => has_more || is_whole && rest.is_empty() && !is_tree(object, has_tables(object)),
        _ => false,
    };
    if is_lines {
        let lines = text.lines().take(SAMPLE_RECORDS).filter_map(|line| serde_json::from_str(line).ok()).collect();
        shape.tables.insert(String::new(), lines);
        return (Layout::JsonLines, shape);
    }
    entries(&text[1..], &mut shape);
    (Layout::JsonTree, shape)
}

/// Whether the only object of a file is one with tables, and not the only line of a file with a record a line.
fn is_tree(object: &Map<String, Value>, has_tables: bool) -> bool {
    has_tables && !object.contains_key("user_id") && !object.contains_key("email") && !object.contains_key("traits")
}

/// Reads the entries of the outer object as far as the sample goes.
fn entries(mut rest: &str, shape: &mut Shape) {
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
        let Some((name, after)) = value(rest) else { return };
        let Ok(name) = serde_json::from_str::<String>(name) else { return };
        let Some(after) = after.trim_start().strip_prefix(':') else { return };
        let after = after.trim_start();
        shape.names.push(name.clone());
        if let Some(items) = after.strip_prefix('[') {
            shape.tables.insert(name, records(items));
        }
        let Some((_, after)) = value(after) else { return };
        rest = after;
    }
}

/// The first records of an array, up to a value of another kind.
fn records(mut rest: &str) -> Vec<Map<String, Value>> {
    let mut found = Vec::new();
    while found.len() < SAMPLE_RECORDS {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
        let Some((record, after)) = value(rest) else { break };
        let Ok(Value::Object(fields)) = serde_json::from_str(record) else { break };
        found.push(fields);
        rest = after;
    }
    found
}

/// The first value of a text, and what follows it.
fn value(text: &str) -> Option<(&str, &str)> {
    let (length, end) = Walk::default().through(text.as_bytes(), DEPTH_MAX);
    (end == Walked::Done && length > 0).then(|| text.split_at(length))
}
