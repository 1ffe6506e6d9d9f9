//! Second factors of other systems: an import keeps those whose secrets the export has.

use authctl::auth::second_factor::totp::{TotpSecret, step_at};
use serde_json::{Value, json};

use crate::sandbox::{PASSWORD, Ran, Sandbox};

/// Hashes of [`PASSWORD`].
const BCRYPT: &str = "$2b$05$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS";
const SCRYPT: &str = "5f1d7a90c3b24e6881a2d3c4b5f60718:5964e2ba13ef79979ef614e27e30fd405380ca4461ce82082548a0fbd2003c5cd356a274dc02a9a87064d90438e68f75f4bba43c71cb43221211a0b8b75bd702";
/// The secret of the vectors of RFC 6238, and the same in base32.
const SECRET: &str = "12345678901234567890";
const BASE32: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

/// A secret that Better Auth 1.7.25 has encrypted, and the secret of its app.
const OF_APP: &str = "VYyT_lP5Df0rv6sFdw7S2LVFnTV1ekg_";
const SEALED: &str = "db81e7cc808c5b80621363d8a13a92c461054cddb8917804f99ff4c5457907722273f58d0d79b81f52df651b825565eafeca1a830c671a263f9552a834f4cc8a2caeeded0fcd9599";
const APP_SECRET: &str = "interop-secret-A1b2C3d4E5f6G7h8I9j0K1l2M3n4";

fn otp(secret: &str) -> String {
    TotpSecret::from_bytes(secret.as_bytes()).unwrap().code(step_at(jiff::Timestamp::now()))
}

/// A realm of Keycloak with a user who has these credentials beside the password.
fn realm(credentials: &[Value]) -> String {
    let password = json!({
        "type": "password",
        "secretData": json!({ "value": BCRYPT, "salt": "" }).to_string(),
        "credentialData": json!({ "hashIterations": -1, "algorithm": "bcrypt" }).to_string(),
    });
    let credentials: Vec<&Value> = std::iter::once(&password).chain(credentials).collect();
    let user = json!({ "id": "ada", "username": "ada", "email": "ada@example.com", "enabled": true, "totp": true,
        "createdTimestamp": 1_700_000_000_000_u64, "credentials": credentials });
    json!({ "realm": "acme", "users": [user] }).to_string()
}

fn of_keycloak(kind: &str, secret: &Value, data: &Value) -> Value {
    json!({ "type": kind, "secretData": secret.to_string(), "credentialData": data.to_string() })
}

/// The data of a credential of an authenticator app, with other values.
fn data(other: &Value) -> Value {
    let mut data = json!({ "subType": "totp", "digits": 6, "counter": 0, "period": 30, "algorithm": "HmacSHA1" });
    data.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
    data
}

fn import(sandbox: &Sandbox, file: &str, more: &str) -> Ran {
    let words = format!("--db {file}.db import {file} {more}");
    sandbox.finish(sandbox.command(words.split_whitespace()).env("BETTER_AUTH_SECRET", APP_SECRET))
}

/// Exports of one user whose second factor can be kept, and its secret.
fn exports() -> Vec<(&'static str, String, &'static str)> {
    let uri = format!("otpauth://totp/Acme:ada%40example.com?algorithm=SHA1&digits=6&period=30&secret={BASE32}");
    let kratos = json!([{ "id": "ada", "schema_id": "default", "traits": { "email": "ada@example.com" },
        "credentials": {
            "password": { "identifiers": ["ada@example.com"], "config": { "hashed_password": BCRYPT } },
            "totp": { "identifiers": ["ada"], "config": { "totp_url": uri } },
        } }]);
    let clerk = "id,first_name,last_name,username,primary_email_address,primary_phone_number,verified_email_addresses,\
                 unverified_email_addresses,verified_phone_numbers,unverified_phone_numbers,totp_secret,password_digest,\
                 password_hasher";
    let app = json!({
        "user": [{ "id": "ada", "name": "Ada", "email": "ada@example.com", "emailVerified": true,
            "createdAt": "2024-01-02T03:04:05Z", "twoFactorEnabled": true }],
        "account": [{ "id": "a", "accountId": "ada", "providerId": "credential", "userId": "ada", "password": SCRYPT }],
        "twoFactor": [{ "id": "f", "userId": "ada", "secret": SEALED, "backupCodes": "[]", "verified": true }],
    });
    let text = of_keycloak("otp", &json!({ "value": SECRET }), &data(&json!({})));
    let encoded = of_keycloak("otp", &json!({ "value": BASE32 }), &data(&json!({ "secretEncoding": "BASE32" })));
    vec![
        ("keycloak", realm(&[text]), SECRET),
        ("keycloak-base32", realm(&[encoded]), SECRET),
        ("kratos", kratos.to_string(), SECRET),
        (
            "clerk",
            format!("{clerk}\nuser_1,Ada,,,ada@example.com,,ada@example.com,,,,{BASE32},{BCRYPT},bcrypt\n"),
            SECRET,
        ),
        ("csv", format!("email,totp_secret,password_hash\nada@example.com,{BASE32},{BCRYPT}\n"), SECRET),
        ("better-auth", app.to_string(), OF_APP),
    ]
}

#[test]
fn kept_second_factor_is_asked_for_and_its_codes_are_right() {
    let sandbox = Sandbox::new();
    for (name, export, secret) in exports() {
        sandbox.file(name, export);
        let refused = import(&sandbox, name, "");
        assert!(
            refused.code == 1 && refused.stderr.contains("second factors that are not taken: 1 totp"),
            "{name}: {refused}"
        );
        let planned = import(&sandbox, name, "--second-factor keep --dry-run --json").json();
        let done = import(&sandbox, name, "--second-factor keep --json").json();
        for told in [planned, done] {
            assert_eq!((&told["created"], &told["secondFactorsKept"]), (&1.into(), &1.into()), "{name}: {told}");
        }
        let sign_in = format!("--db {name}.db signin ada@example.com --password-stdin --otp-stdin");
        let without = sandbox.run_with_input(&sign_in.replace(" --otp-stdin", ""), PASSWORD);
        assert_eq!(without.code, 2, "{name}: {without}");
        assert_eq!(sandbox.run_with_input(&sign_in, format!("{PASSWORD}\n000000\n")).code, 7, "{name}");
        let code = otp(secret);
        let right = sandbox.run_with_input(&sign_in, format!("{PASSWORD}\n{code}\n"));
        assert_eq!(right.code, 0, "{name}: {right}");
        let again = sandbox.run_with_input(&sign_in, format!("{PASSWORD}\n{code}\n"));
        assert_eq!(again.code, 7, "{name}: each code is accepted once: {again}");
        let bytes = std::fs::read(sandbox.path(&format!("{name}.db"))).unwrap();
        for text in [secret, BASE32] {
            assert!(!bytes.windows(text.len()).any(|part| part == text.as_bytes()), "{name}: the secret is encrypted");
        }
        let log = sandbox.run(&format!("--db {name}.db audit list --event second-factor.imported --json")).json();
        assert_eq!(log["entries"].as_array().unwrap().len(), 1, "{name}: {log}");
    }
}

#[test]
fn second_factor_that_cannot_be_kept_says_of_which_kind_it_is() {
    let sandbox = Sandbox::new();
    let otp = |other: &Value| realm(&[of_keycloak("otp", &json!({ "value": SECRET }), &data(other))]);
    let webauthn = of_keycloak("webauthn", &json!({}), &json!({ "credentialId": "x" }));
    let (_, app, _) = exports().pop().unwrap();
    for (number, (export, kind)) in [
        (otp(&json!({ "digits": 8 })), "other-codes"),
        (otp(&json!({ "period": 60 })), "other-codes"),
        (otp(&json!({ "algorithm": "HmacSHA256" })), "other-codes"),
        (otp(&json!({ "subType": "hotp" })), "other-codes"),
        (otp(&json!({ "secretEncoding": "ROT13" })), "no-secret"),
        (realm(&[webauthn]), "other-kind"),
        (realm(&[]), "no-secret"),
        ("email,two_factor_enabled\nada@example.com,true\n".to_owned(), "no-secret"),
        (app.replace(SEALED, &SEALED.replace('d', "e")), "encrypted"),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("export-{number}");
        sandbox.file(&name, export);
        let refused = import(&sandbox, &name, "--second-factor keep");
        let told = format!("second factors that are not taken: 1 {kind}");
        assert!(refused.code == 1 && refused.stderr.contains(&told), "{kind}: {refused}");
        assert!(!sandbox.path(&format!("{name}.db")).exists(), "{kind}");
    }
    sandbox.run("--db app.db db init --better-auth kysely").success();
    let guest = sandbox.run("--db app.db import export-0 --second-factor keep --json").json_error(2);
    assert!(guest["message"].as_str().unwrap().contains("an app keeps its second factors itself"), "{guest}");
}
