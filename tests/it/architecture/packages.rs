//! The address of each package: one place imports it, so that replacing it changes one place.

use super::assert_none;
use super::source::{program, root};

/// Packages and their addresses: files, or folders with a final slash.
const ADDRESSES: &[(&str, &[&str])] = &[
    ("aes", &["src/auth/password/"]),
    ("allocator_api2", &["src/auth/password/argon2id.rs"]),
    ("argon2", &["src/auth/password/"]),
    (
        "base16ct",
        &["src/auth/password/", "src/auth/second_factor/sealed.rs", "src/auth/secret.rs", "src/store/postgres/"],
    ),
    (
        "base64",
        &["src/auth/cookie.rs", "src/auth/password/", "src/auth/secret.rs", "src/export.rs", "src/mail/smtp.rs"],
    ),
    ("bcrypt", &["src/auth/password.rs", "src/auth/password/"]),
    ("bytes", &["src/store/postgres/"]),
    ("chacha20poly1305", &["src/auth/second_factor/sealed.rs"]),
    ("clap", &["src/cli.rs", "src/cli/", "src/commands/"]),
    ("clap_complete", &["src/cli.rs", "src/commands/complete.rs", "src/commands/help.rs"]),
    ("comfy_table", &["src/output/table.rs"]),
    ("csv_core", &["src/import/csv.rs"]),
    ("data_encoding", &["src/auth/second_factor/"]),
    ("dialoguer", &["src/prompt/"]),
    ("directories", &["src/paths.rs"]),
    ("flate2", &["src/import/input.rs"]),
    ("futures_util", &["src/store/postgres/"]),
    ("getrandom", &["src/context.rs"]),
    ("hmac", &["src/auth/cookie.rs", "src/auth/password/", "src/auth/second_factor/totp.rs"]),
    ("hugealloc", &["src/auth/password/argon2id.rs"]),
    ("indicatif", &["src/output/progress.rs"]),
    ("ipnet", &["src/auth/session/filter.rs"]),
    ("lettre", &["src/mail.rs", "src/mail/"]),
    // The package `md-5`.
    ("md5", &["src/auth/password/"]),
    ("nix", &["src/mail/handover.rs", "src/store/sqlite/permissions.rs"]),
    ("pbkdf2", &["src/auth/password/"]),
    (
        "percent_encoding",
        &["src/auth/cookie.rs", "src/auth/second_factor/totp.rs", "src/store/postgres/address/hosts.rs"],
    ),
    ("postcard", &["src/store/sqlite/import.rs"]),
    ("qrcode", &["src/output/qr.rs"]),
    ("refinery", &["src/store/postgres/", "src/store/sqlite/"]),
    ("rpassword", &["src/prompt/"]),
    ("rustls", &["src/mail/smtp.rs", "src/store/postgres/connect.rs", "src/store/postgres/tls.rs"]),
    ("rustls_native_certs", &["src/mail/smtp.rs", "src/store/postgres/tls.rs"]),
    ("rusqlite", &["src/store/better_auth/", "src/store/sqlite.rs", "src/store/sqlite/"]),
    ("scrypt", &["src/auth/password.rs", "src/auth/password/"]),
    (
        "serde",
        &[
            "src/auth/import/",
            "src/import/authctl.rs",
            "src/output/json.rs",
            "src/session_file.rs",
            "src/store/better_auth/overrides.rs",
            "src/store/postgres/description.rs",
            "src/store/sqlite/import.rs",
        ],
    ),
    (
        "serde_json",
        &[
            "src/auth/api_token/permissions.rs",
            "src/auth/audit.rs",
            "src/auth/access.rs",
            "src/auth/app_secrets/values.rs",
            "src/auth/second_factor/app.rs",
            "src/commands/",
            "src/export.rs",
            "src/import/",
            "src/output.rs",
            "src/output/",
            "src/session_file.rs",
            "src/session_file/",
            "src/error.rs",
            "src/store/better_auth/overrides.rs",
            "src/store/postgres/description.rs",
            "src/store/sql/search.rs",
        ],
    ),
    ("sha1", &["src/auth/password/", "src/auth/second_factor/totp.rs"]),
    (
        "sha2",
        &["src/auth/cookie.rs", "src/auth/password/", "src/auth/secret.rs", "src/import.rs", "src/import/input.rs"],
    ),
    ("sha_crypt", &["src/auth/password/"]),
    ("signal_hook", &["src/prompt/", "src/interrupt.rs", "src/lib.rs", "src/output/pager.rs"]),
    ("strsim", &["src/cli/parse.rs", "src/paths/named.rs"]),
    ("tokio", &["src/store/postgres/"]),
    ("tokio_postgres", &["src/store/postgres/"]),
    ("toml", &["src/paths/named.rs"]),
    ("tokio_postgres_rustls", &["src/store/postgres/tls.rs", "src/store/postgres/unencrypted.rs"]),
    ("unicode_normalization", &["src/auth/password.rs"]),
    ("unicode_width", &["src/output/pager.rs", "src/output/table.rs", "src/output/wrap.rs"]),
    ("wildmatch", &["src/auth/session/filter.rs"]),
    ("yescrypt", &["src/auth/password/"]),
    ("zxcvbn", &["src/auth/password/strength.rs"]),
];

/// Packages that are forbidden in some folders.
const BANISHED: &[(&str, &[&str])] = &[
    // Errors of the rules and the store are typed.
    ("anyhow", &["src/auth.rs", "src/auth/", "src/store.rs", "src/store/"]),
    // The rules do not depend on the operating system.
    ("rustix", &["src/auth.rs", "src/auth/", "src/cli/", "src/output/", "src/commands/"]),
    ("jiff", &[]),
    ("thiserror", &[]),
    ("zeroize", &[]),
];

fn is_at(path: &str, addresses: &[&str]) -> bool {
    addresses.iter().any(|address| path == *address || address.ends_with('/') && path.starts_with(address))
}

#[test]
fn each_package_stays_at_its_address() {
    let mut offences = Vec::new();
    for source in program() {
        for path in source.paths() {
            let package = path.split("::").next().unwrap();
            let found = |list: &[(&str, &'static [&str])]| {
                list.iter().find(|(name, _)| *name == package).map(|(_, places)| *places)
            };
            if let Some(addresses) = found(ADDRESSES).filter(|addresses| !is_at(&source.path, addresses)) {
                offences.push(format!("{} uses {path}, and {package} lives in {}", source.path, addresses.join(", ")));
            }
            if found(BANISHED).is_some_and(|places| is_at(&source.path, places)) {
                offences.push(format!("{} uses {path}, and {package} has no business there", source.path));
            }
        }
    }
    assert_none(&offences);
}

#[test]
fn each_package_of_the_program_has_an_address_and_uses_it() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let (_, after) = manifest.split_once("\n[dependencies]\n").unwrap();
    let (dependencies, _) = after.split_once("\n[").unwrap();
    let lines = dependencies.lines().filter(|line| !line.starts_with('#') && line.contains(" = "));
    let imported = |package: &str| if package == "md-5" { "md5".to_owned() } else { package.replace('-', "_") };
    let packages: Vec<String> = lines.map(|line| imported(line.split(' ').next().unwrap())).collect();
    let listed: Vec<&str> = ADDRESSES.iter().chain(BANISHED).map(|(name, _)| *name).collect();
    let used: Vec<String> = program().iter().flat_map(super::source::Source::paths).collect();
    for package in &packages {
        assert!(listed.contains(&package.as_str()), "{package} has no address: say where it lives");
        let is_used = used.iter().any(|path| path == package || path.starts_with(&format!("{package}::")));
        assert!(is_used, "{package} is in Cargo.toml, and no code of the program uses it");
    }
    for name in listed {
        assert!(packages.iter().any(|package| package == name), "{name} has an address and is not in Cargo.toml");
    }
}
