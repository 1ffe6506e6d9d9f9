//! The exports of `tests/fixtures/import`, read to the users that `cases.json` describes.

use std::collections::HashMap;
use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;

use super::super::{Export, Format, HashConfig, ReadOptions};
use super::file;
use crate::auth::import::row::{About, Credential, Fact, ProviderAccount, Reason, SourceUser};

fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/import");
    std::fs::read(folder.join(name)).unwrap()
}

pub(super) fn cases() -> Vec<Value> {
    let Value::Array(cases) = serde_json::from_slice(&fixture("cases.json")).unwrap() else { panic!("no list") };
    cases
}

fn texts(case: &Value, name: &str) -> Vec<String> {
    case[name].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// The value after a flag of the case.
fn argument(case: &Value, flag: &str) -> Option<String> {
    let arguments = texts(case, "args");
    arguments.iter().position(|argument| argument == flag).map(|place| arguments[place + 1].clone())
}

/// The names and contents of the files of a case.
pub(super) fn files(case: &Value) -> Vec<(String, Vec<u8>)> {
    let names = texts(case, "files").into_iter();
    names.map(|name| (name.clone(), fixture(&name))).collect()
}

pub(super) fn options(case: &Value) -> ReadOptions {
    let hash_config = argument(case, "--hash-config")
        .map(|file| HashConfig::parse(std::str::from_utf8(&fixture(&file)).unwrap()).unwrap());
    ReadOptions { hash_config, ..ReadOptions::default() }
}

fn open(case: &Value) -> Export {
    let inputs = files(case).iter().map(|(name, bytes)| file(name, bytes)).collect();
    Export::open(inputs, options(case)).unwrap()
}

/// The users of an export with the facts of other rows, and the rows that the reader refuses.
fn users(export: &mut Export) -> (Vec<SourceUser>, Vec<(u64, Reason)>) {
    let (mut users, mut refused) = (Vec::new(), Vec::new());
    let mut facts: HashMap<String, Vec<About>> = HashMap::new();
    while let Some(row) = export.next_row().unwrap() {
        match row.fact {
            Ok(Fact::User(user)) => users.push(*user),
            Ok(Fact::About { user, what }) => facts.entry(user).or_default().push(what),
            Err(fault) => refused.push((row.place.row, fault.reason)),
        }
    }
    for user in &mut users {
        for fact in user.key.as_ref().and_then(|key| facts.remove(key)).unwrap_or_default() {
            match fact {
                About::Password(password) => user.password = password,
                About::Account(account) => user.accounts.push(account),
                About::SecondFactor(_) => user.second_factor = true,
                About::Verified(address) => user.verified |= user.email.as_ref() == Some(&address),
            }
        }
    }
    assert!(facts.is_empty(), "{facts:?} are about users who do not exist");
    (users, refused)
}

fn email(user: &SourceUser, case: &Value) -> Option<String> {
    let domain = argument(case, "--email-domain");
    let made = user.username.as_ref().zip(domain).map(|(name, domain)| format!("{name}@{domain}"));
    user.email.clone().or(made).map(|email| email.trim().to_lowercase())
}

fn seconds(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_second()
}

fn assert_is(user: &SourceUser, expected: &Value, case: &Value) {
    let email = expected["email"].as_str().unwrap();
    let about = format!("{} {email}", case["name"]);
    let text = |name: &str| expected.get(name).and_then(Value::as_str);
    if let Some(id) = text("id") {
        assert_eq!(user.id.as_deref(), Some(id), "{about}");
    }
    if let Some(name) = text("name") {
        let shown = user.name.as_deref().or(user.username.as_deref()).unwrap_or(email.split('@').next().unwrap());
        assert_eq!(shown, name, "{about}");
    }
    if let Some(is_verified) = expected.get("emailVerified").and_then(Value::as_bool) {
        assert_eq!(user.verified, is_verified, "{about}");
    }
    if let Some(date) = text("createdAt") {
        assert_eq!(user.created_at.map(Timestamp::as_second), Some(seconds(date)), "{about}");
    }
    if let Some(is_banned) = expected.get("banned").and_then(Value::as_bool) {
        assert_eq!(user.ban.is_some(), is_banned, "{about}");
    }
    if let Some(until) = expected.get("banExpires") {
        let end = user.ban.as_ref().and_then(|ban| ban.until).map(Timestamp::as_second);
        assert_eq!(end, until.as_str().map(seconds), "{about}");
    }
    let has_hash = matches!(user.password, Credential::Hash { .. });
    assert_eq!(has_hash, !expected["hash"].as_str().unwrap().is_empty(), "{about}");
    if let Some(role) = text("role") {
        let mapped = argument(case, "--map-role").map(|map| map.split_once('=').unwrap().0.to_owned());
        assert_eq!(user.roles.first(), Some(&mapped.unwrap_or_else(|| role.to_owned())), "{about}");
    }
    if let Some(providers) = expected.get("providers") {
        let mut own: Vec<&str> = user.accounts.iter().map(|account| account.provider.as_str()).collect();
        own.splice(0..0, has_hash.then_some("credential"));
        let expected: Vec<&str> = providers.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        assert_eq!(own, expected, "{about}");
    }
}

#[test]
fn every_export_gives_the_users_of_its_case() {
    for case in cases() {
        let mut export = open(&case);
        assert_eq!(export.format().name(), case["format"].as_str().unwrap(), "{}", case["name"]);
        let (users, refused) = users(&mut export);
        for expected in case["users"].as_array().unwrap() {
            let address = expected["email"].as_str().map(str::to_owned);
            let found: Vec<_> = users.iter().filter(|user| email(user, &case) == address).collect();
            assert_eq!(found.len(), 1, "{} {address:?}", case["name"]);
            assert_is(found[0], expected, &case);
        }
        let by_reader = [Reason::Deleted, Reason::ServiceAccount, Reason::NoPassword];
        let expected: Vec<(u64, String)> = case["refused"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| (row["row"].as_u64().unwrap(), row["reason"].as_str().unwrap().to_owned()))
            .filter(|(_, reason)| by_reader.iter().any(|own| name(*own) == *reason))
            .collect();
        let refused: Vec<(u64, String)> = refused.into_iter().map(|(row, reason)| (row, name(reason))).collect();
        assert_eq!(refused, expected, "{}", case["name"]);
    }
}

fn name(reason: Reason) -> String {
    serde_json::to_value(reason).unwrap().as_str().unwrap().to_owned()
}

/// The hash of the user in the files of a case.
fn hash(case: &str, address: &str) -> String {
    let case = cases().into_iter().find(|own| own["name"] == case).unwrap();
    let (users, _) = users(&mut open(&case));
    let user = users.into_iter().find(|user| user.email.as_deref() == Some(address)).unwrap();
    let Credential::Hash { text, .. } = user.password else { panic!("no hash") };
    text
}

#[test]
fn hashes_in_pieces_become_one_text() {
    let key = "qAnIqruqqoyU3uF/UjPrVLKaPp4kXNBVCbmLVIgwlaWlUU2bpQCevSI7OcqxbWZRaf8Nxd+V4dbCqiXWI3ZRoQ";
    assert_eq!(
        hash("keycloak", "anouk@example.com"),
        format!("$pbkdf2-sha512$i=210000,l=64$nGapcA7GiitKPgrSvHa36g${key}")
    );
    assert_eq!(
        hash("keycloak", "carla@example.com"),
        "$argon2id$v=19$m=7168,t=5,p=1$4R+eIyCqG1lrJ5AmOS37iA$V7+2Sr2nWhx5DBqbnxfNyd2zCmwMSTRlpLZp5SnDc4c"
    );
    assert_eq!(
        hash("fusionauth", "hugo@example.com"),
        "$pbkdf2-sha256$i=24000,l=32$X81qO+gM3uzLeH+SJ5w0i/vgVCL9UIsA$Tt5SAq761cTIujgcL9BIfic3kNP8qlKKRdXlu9lmLYg"
    );
    assert_eq!(hash("fusionauth", "iris@example.com"), "$2a$10$XjNH68yTyboCy3p1bUI/6OwQjkpQsStdYVQ6WeoGXkL3xz0mZsD4y");
    assert_eq!(
        hash("kratos", "greta@example.com"),
        "$scrypt$ln=14,r=8,p=1$FksOUBywnkXlUFJwzmUCqg==$ZF79otSFBBTZZXD8Q4GYoUuhIV+5wYBSAzNjg8/C+P0="
    );
    let auth0 = hash("auth0-bulk", "hugo@example.com");
    assert!(auth0.starts_with("$scrypt$ln=14,r=8,p=1$c2FsdHlzYWx0$ESVV494ZkGRSYoszVMAd7W6tI0Pv6jOewgCpLVXfr9nHVGS0Wzf3Z2mDI2c7t5ERxDzVk6DtGKewLaZalwev4Q"), "{auth0}");
    let firebase = hash("firebase-json", "dario@example.com");
    assert!(firebase.starts_with("$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=aSXdG61cTaRiNE98Kzbrw"), "{firebase}");
    assert!(firebase.ends_with(
        "$XbChheuGqglwaQ==$J6kcGxbRGCGqX7pstKNZBjAFgrGPd2fdcNLQsb2F6pPGfUReieqew1H5UivEjNBzsTpi+/jWJ7g89Aj4YxaLtA=="
    ));
    assert_eq!(hash("firebase-csv", "dario@example.com"), firebase);
}

#[test]
fn facts_beside_the_cases_are_read() {
    let of = |case: &str| {
        let case = cases().into_iter().find(|own| own["name"] == case).unwrap();
        users(&mut open(&case)).0
    };
    let clerk = of("clerk");
    assert_eq!(clerk[2].other_emails, ["carla+old@example.com"]);
    assert_eq!(clerk[4].left_out, ["primary_phone_number"]);
    assert!(matches!(&clerk[0].password, Credential::Hash { claimed: Some(kind), .. } if kind == "bcrypt"));
    let ldif = of("ldif");
    assert_eq!(ldif[0].other_emails, ["fabio+two@example.com"]);
    assert_eq!(ldif[0].id.as_deref(), Some("953615c0-e1ae-47c6-ab33-fba4a4e8ae73"));
    let google = ProviderAccount { provider: "google".into(), subject: "109".into(), created_at: None, tokens: None };
    assert_eq!(of("auth0")[3].accounts, [google]);
    assert_eq!(of("firebase-json")[0].left_out, ["customAttributes"]);
    let better_auth = of("better-auth-json");
    assert_eq!(better_auth[3].ban.as_ref().unwrap().reason.as_deref(), Some("spam"));
    assert_eq!(of("keycloak")[0].roles, ["admin"]);
    assert!(of("supabase-csv")[0].roles.is_empty());
}

#[test]
fn other_files_of_an_export_may_come_first() {
    for case in cases() {
        let mut turned = case.clone();
        turned["files"].as_array_mut().unwrap().reverse();
        let sorted = |case: &Value| {
            let mut all = users(&mut open(case)).0;
            all.sort_by(|one, other| one.key.cmp(&other.key));
            all
        };
        assert_eq!(sorted(&turned), sorted(&case), "{}", case["name"]);
    }
}

#[test]
fn roles_are_those_of_better_auth_and_authctl_only() {
    let taking: Vec<&str> =
        Format::ALL.iter().filter(|format| format.takes_roles()).map(|format| format.name()).collect();
    assert_eq!(taking, ["authctl", "better-auth"]);
}
