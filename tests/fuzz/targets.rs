//! Properties of the parsers. Each target takes any bytes and panics when a property does not hold. The
//! corpus test, the property test and the fuzz run use the same targets.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use authctl::auth::duration;
use authctl::auth::email::Email;
use authctl::auth::password::{HashFormat, HashParams, ImportedHash, NoPeppers, Scheme, Verdict, verify};
use authctl::auth::policy::{KEYS, Key, PasswordRules, Policy};
use authctl::auth::secret::{Password, StoredHash};
use authctl::auth::session::{Network, Pattern};
use authctl::auth::storage::{Store, UserQuery, UserSort};
use authctl::cli::{Parsed, parse};
use authctl::import::{Export, Format, HashConfig, Input, ReadOptions};
use authctl::mail::{Route, Sender};
use authctl::output::text::rfc3339;
use authctl::session_file::{SessionFile, SessionFileError};
use authctl::store::postgres::{Address, Libpq, LibpqEnv, LibpqFile, LibpqFiles};
use authctl::store::{SchemaOverrides, sqlite};

/// A parser. Its name is also the name of its folder in `tests/corpus/`.
pub struct Target {
    pub name: &'static str,
    pub check: fn(&Ground, &[u8]),
}

pub const TARGETS: &[Target] = &[
    Target { name: "session_file", check: session_file },
    Target { name: "hash", check: hash },
    Target { name: "email", check: email },
    Target { name: "duration", check: duration_text },
    Target { name: "instant", check: instant },
    Target { name: "cursor", check: cursor },
    Target { name: "schema_file", check: schema_file },
    Target { name: "mail_url", check: mail_url },
    Target { name: "mail_sender", check: mail_sender },
    Target { name: "database_address", check: database_address },
    Target { name: "policy", check: policy },
    Target { name: "session_filter", check: session_filter },
    Target { name: "command_line", check: command_line },
    Target { name: "import", check: import },
];

/// The maximum length of an input, in bytes.
pub const BYTES_MAX: usize = 1 << 16;

/// The files of targets that need them.
pub struct Ground {
    directory: tempfile::TempDir,
    database: PathBuf,
    /// All users: id, email address, name, role.
    users: Vec<[String; 4]>,
}

/// Users whose names contain wildcards and other characters with a meaning in a search.
const NAMES: &[&str] = &["100%_x", "O'Neil \\ \"q\"", "Zoë Ωmega", "ada", "ADA [a-z]*", "?"];

impl Ground {
    /// Creates a home directory with a sessions directory and a database of a few users.
    pub fn new(program: &Path) -> Self {
        let directory = tempfile::Builder::new().prefix("authctl-").tempdir().unwrap();
        fs::create_dir(directory.path().join("sessions")).unwrap();
        fs::set_permissions(directory.path().join("sessions"), fs::Permissions::from_mode(0o700)).unwrap();
        let database = directory.path().canonicalize().unwrap().join("auth.db");
        for (number, name) in NAMES.iter().enumerate() {
            let email = format!("user{number}@example.com");
            let role = ["user", "admin", "editor,admin"][number % 3];
            let mut create = Command::new(program);
            create
                .args(["users", "create", &email, "--name", name, "--no-password", "--role", role, "--db"])
                .arg(&database);
            let made = create.env_clear().env("HOME", directory.path()).output().unwrap();
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        }
        let sql = rusqlite::Connection::open(&database).unwrap();
        let mut rows = sql.prepare(r#"SELECT "id", "email", "name", "role" FROM "user""#).unwrap();
        let users = rows.query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?])).unwrap();
        let users = users.map(Result::unwrap).collect();
        Self { directory, database, users }
    }
}

fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// A session file is accepted or reported as damaged. An accepted file has the values that a JSON parser reads.
fn session_file(ground: &Ground, data: &[u8]) {
    let config = ground.directory.path();
    let file = SessionFile::new(config, "0123456789abcdef0123456789abcdef", "/auth.db".into(), Duration::ZERO);
    if !file.path().exists() {
        fs::write(file.path(), b"").unwrap();
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o600)).unwrap();
    }
    fs::write(file.path(), data).unwrap();
    match file.read() {
        Ok(Some(stored)) => {
            // The reader skips unknown fields, even when they are not valid text. The JSON parser may fail on those.
            if let Ok(json) = serde_json::from_slice::<serde_json::Value>(data) {
                assert_eq!(json["email"].as_str(), Some(stored.email.as_str()));
                assert!(json["token"].is_string() && json["database"].is_string());
            }
        }
        Ok(None) => panic!("the file is there"),
        Err(error) => assert!(matches!(error, SessionFileError::Damaged(_)), "{error}"),
    }
    assert_eq!(file.read().is_ok(), file.read_to_end_session().is_some() && data.len() <= 4096);
}

/// A stored hash has one format within bounds; a hash without a format is never computed.
fn hash(_: &Ground, data: &[u8]) {
    let Ok(stored) = StoredHash::from_bytes(data) else { return };
    let kind = HashFormat::of(&stored);
    assert!(!kind.name().is_empty());
    if let Some(canonical) = ImportedHash::parse(stored.expose(), None).ok().and_then(|hash| hash.stored()) {
        let again = ImportedHash::parse(canonical.expose(), None).unwrap();
        assert_eq!(again.stored().unwrap().expose(), canonical.expose(), "reading is stable");
    }
    let HashFormat::Accepted(params) = kind else {
        let password = Password::from_bytes(b"correct horse battery staple").unwrap();
        let verdict =
            verify(&password, &stored, &Scheme::of_hashes([], None), &PasswordRules::default(), &NoPeppers).unwrap();
        assert!(matches!(verdict, Verdict::Unacceptable), "{kind:?}");
        return;
    };
    match params {
        HashParams::Argon2id(cost) => {
            assert!((7_168..=262_144).contains(&cost.memory_kib), "{cost:?}");
            assert!((1..=10).contains(&cost.passes) && (1..=8).contains(&cost.lanes), "{cost:?}");
            assert!(data.len() <= 512 && data.starts_with(b"$argon2id$v=19$"));
        }
        HashParams::Bcrypt(cost) => assert!((4..=14).contains(&cost) && data.len() == 60, "{cost}"),
        HashParams::Scrypt => assert!(data.len() > 129 && data[data.len() - 129] == b':'),
    }
}

/// A parsed email address is canonical, and safe in a mail header.
fn email(_: &Ground, data: &[u8]) {
    let Some(text) = text(data) else { return };
    let Ok(parsed) = Email::parse(text) else { return };
    let canonical = parsed.as_str();
    assert_eq!(Email::parse(canonical).unwrap().as_str(), canonical, "parsing is stable");
    assert_eq!(canonical, text.to_lowercase(), "only the case changes");
    assert!(canonical.is_ascii() && canonical.len() <= 254, "{canonical}");
    assert_eq!(canonical.matches('@').count(), 1, "{canonical}");
    assert!(
        !canonical.contains(|c: char| c.is_whitespace() || c.is_control() || "\"(),:;<>[]\\".contains(c)),
        "{canonical}"
    );
    assert!(canonical.rsplit_once('@').unwrap().1.contains('.'), "{canonical}");
}

/// A displayed duration parses to the same value.
fn duration_text(_: &Ground, data: &[u8]) {
    let Some(text) = text(data) else { return };
    let Some(parsed) = duration::parse(text) else { return };
    assert!(!parsed.is_negative(), "{text:?}");
    let shown = duration::show(parsed);
    let again = duration::parse(&shown).unwrap_or_else(|| panic!("{text:?} is shown as {shown}"));
    assert_eq!(again.as_millis(), parsed.as_millis(), "{text:?} is shown as {shown}");
    assert_eq!(duration::show(again), shown);
}

/// A displayed instant parses to the same value.
fn instant(_: &Ground, data: &[u8]) {
    let Some(text) = text(data) else { return };
    let Ok(parsed) = text.parse::<jiff::Timestamp>() else { return };
    let printed = rfc3339(parsed);
    let again: jiff::Timestamp = printed.parse().unwrap_or_else(|error| panic!("{text:?}: {printed}: {error}"));
    assert_eq!(rfc3339(again), printed, "{text:?}");
}

/// A page begins after an existing user. Searches and roles match literally.
fn cursor(ground: &Ground, data: &[u8]) {
    let Some(text) = text(data) else { return };
    let Ok(sqlite::Opened::Own(mut store)) =
        sqlite::open(&ground.database, Duration::ZERO, &SchemaOverrides::default())
    else {
        panic!("the database opens")
    };
    let query = |sort| UserQuery { sort, count: true, limit: 4, ..UserQuery::default() };
    for sort in [UserSort::Email, UserSort::Name, UserSort::Created] {
        let page = store.users(&UserQuery { after: Some(text.into()), ..query(sort) });
        assert_eq!(page.is_ok(), ground.users.iter().any(|user| user[0] == text), "{text:?}: {page:?}");
    }
    let lower = text.to_ascii_lowercase();
    let found = store.users(&UserQuery { search: Some(text.to_owned()), ..query(UserSort::Email) }).unwrap();
    let holds =
        |user: &&[String; 4]| [&user[1], &user[2]].iter().any(|value| value.to_ascii_lowercase().contains(&lower));
    // An argument of a command has no NUL.
    if !text.contains('\0') {
        assert_eq!(found.total, Some(ground.users.iter().filter(holds).count() as u64), "search {text:?}");
    }
    let found = store.users(&UserQuery { role: Some(text.to_owned()), ..query(UserSort::Email) }).unwrap();
    let has = |user: &&[String; 4]| user[3].split(',').any(|role| role.trim() == text);
    assert_eq!(found.total, Some(ground.users.iter().filter(has).count() as u64), "role {text:?}");
}

/// A schema file is accepted or refused with a reason. The reason is escaped when it is printed.
fn schema_file(_: &Ground, data: &[u8]) {
    let Some(text) = text(data) else { return };
    match SchemaOverrides::parse(text) {
        Ok(hints) => assert_eq!(SchemaOverrides::parse(text).unwrap(), hints),
        Err(problem) => assert!(!problem.is_empty()),
    }
}

/// The second part of an input, as every file that libpq reads.
struct OneFile(String);

impl LibpqFiles for OneFile {
    fn read(&self, _: &Path) -> std::io::Result<LibpqFile> {
        Ok(LibpqFile { text: self.0.clone().into(), mode: 0o600 })
    }

    fn exists(&self, _: &Path) -> bool {
        false
    }
}

/// An address of a database, with the text of password and service file after a line of `--`, is accepted or refused,
/// and what is shown of it is an address of the same database.
fn database_address(_: &Ground, data: &[u8]) {
    let Some(text) = text(data) else { return };
    let (address, file) = text.split_once("\n--\n").unwrap_or((text, ""));
    let env = LibpqEnv { os_user: || Some("me".into()), home: Some("/home/me".into()), ..LibpqEnv::default() };
    let parse = |text: &str| Address::parse(text, &Libpq { env: &env, files: &OneFile(file.to_owned()) });
    match parse(address) {
        Ok(found) => {
            assert!(Address::is_address(address) && !found.hosts().is_empty(), "{text:?}");
            let shown = found.shown();
            let parameters = shown.split_once('?').map(|(_, parameters)| parameters);
            assert!(parameters.is_none_or(|all| all.starts_with("schema=") && !all.contains('&')), "{shown}");
            assert!(shown.is_ascii() && !shown.contains(' '), "{shown}");
            let again = parse(&shown).unwrap();
            assert_eq!((again.shown(), again.user(), again.key()), (shown, found.user(), found.key()));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// A mail URL is accepted or refused, no error contains it, and only loopback hosts may omit TLS.
fn mail_url(_: &Ground, data: &[u8]) {
    let Some(text) = text(data) else { return };
    match Route::parse(text) {
        Ok(Route::Smtp { host, port, protection }) => {
            assert!(port > 0 && !host.is_empty() && host.is_ascii(), "{text:?}");
            assert!(!host.contains(|c: char| c.is_whitespace() || c.is_control() || "/@?#%\\".contains(c)), "{text:?}");
            let inside = if host.contains(':') { format!("[{host}]") } else { host.clone() };
            let scheme = if protection == authctl::mail::Protection::Tls { "smtps" } else { "smtp" };
            let again = Route::parse(&format!("{scheme}://{inside}:{port}"));
            assert_eq!(again, Ok(Route::Smtp { host: host.clone(), port, protection }), "{text:?}");
            if protection == authctl::mail::Protection::Loopback {
                assert!(["localhost", "127.0.0.1", "::1"].contains(&host.as_str()), "{text:?}");
            }
        }
        Ok(Route::Sendmail(program)) => {
            assert!(program.is_none_or(|path| path.is_absolute()), "{text:?}");
        }
        Err(error) => {
            // URLs in the corpus contain this password.
            assert!(!format!("{error:?} {error} {}", error.hint()).contains("secretpassword"), "{error}");
        }
    }
}

/// A sender has an email address and a name that is safe in a header.
fn mail_sender(_: &Ground, data: &[u8]) {
    let Some(text) = text(data) else { return };
    let Ok(sender) = Sender::parse(text) else { return };
    let Some(name) = &sender.name else { return };
    assert!(!name.is_empty() && name.len() <= 128 && name.trim() == name, "{name:?}");
    assert!(!name.contains(|c: char| c.is_control() || "\"\\<>".contains(c)), "{name:?}");
    let again = Sender::parse(&format!("{name} <{}>", sender.email.as_str()));
    assert_eq!(again, Ok(sender), "{text:?}");
}

/// A setting is refused and changes nothing, or its displayed value parses to the same setting.
fn policy(_: &Ground, data: &[u8]) {
    let Some((name, value)) = text(data).and_then(|text| text.split_once('=')) else { return };
    let settings = [(name.to_owned(), value.to_owned())];
    let (sound, problems) = Policy::sound(&settings);
    let Ok(key) = Key::find(name) else {
        assert!(problems.is_empty(), "{name:?} says nothing to this version");
        return;
    };
    let mut policy = Policy::default();
    let before = KEYS.iter().map(|key| key.value(&policy)).collect::<Vec<_>>();
    let set = key.set(&mut policy, value);
    let after = KEYS.iter().map(|key| key.value(&policy)).collect::<Vec<_>>();
    let sound = KEYS.iter().map(|key| key.value(&sound)).collect::<Vec<_>>();
    assert_eq!(sound, after, "{name}={value:?}");
    if set.is_ok() {
        let shown = key.value(&policy);
        let mut again = Policy::default();
        key.set(&mut again, &shown).unwrap_or_else(|error| panic!("{name}={value:?} is shown as {shown:?}: {error}"));
        assert_eq!(key.value(&again), shown);
        assert!(problems.is_empty(), "{problems:?}");
    } else {
        assert_eq!(before, after, "{name}={value:?}");
        assert_eq!(problems.len(), 1, "{name}={value:?}");
    }
}

/// No error contains the network, and matching a pattern takes bounded work.
fn session_filter(_: &Ground, data: &[u8]) {
    let Some(text) = text(data) else { return };
    let _ = text.parse::<Network>();
    // The cost of a pattern is at most the product of the two lengths.
    let _ = Pattern::new(text);
}

/// Any arguments parse to a command, a help page or a usage error.
fn command_line(_: &Ground, data: &[u8]) {
    let words = data[..data.len().min(4096)].split(|byte| *byte == b'\0').map(|word| OsString::from_vec(word.to_vec()));
    match parse([OsString::from("authctl")].into_iter().chain(words)) {
        Parsed::Mistake(error) => assert!(!error.to_string().is_empty()),
        Parsed::Page(page) | Parsed::NoCommand(page) => assert!(!page.is_empty()),
        Parsed::Command(_) => {}
    }
}

/// An export of any system has no more rows than bytes, and each says where it stands.
fn import(_: &Ground, bytes: &[u8]) {
    let named = bytes.last().map(|byte| Format::ALL[usize::from(*byte) % Format::ALL.len()]);
    let config = r#"{"base64_signer_key":"AAAA","base64_salt_separator":"Bw==","rounds":8,"mem_cost":14}"#;
    for format in [None, named] {
        let input = Input { name: "file".to_owned(), bytes: Box::new(std::io::Cursor::new(bytes.to_vec())) };
        let options = ReadOptions {
            format,
            hash_config: HashConfig::parse(config).ok(),
            keeps_tokens: true,
            ..ReadOptions::default()
        };
        let Ok(mut export) = Export::open(vec![input], options) else { continue };
        let mut rows = 0;
        while let Ok(Some(row)) = export.next_row() {
            rows += 1;
            assert!(rows <= bytes.len(), "more rows than bytes");
            assert!(row.place.line > 0 && row.place.row > 0);
        }
    }
}
