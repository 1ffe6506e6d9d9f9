//! What the fixtures do not show of single systems.

use super::super::{Export, Format, HashConfig, ImportError, ReadOptions};
use super::{facts, file, open, open_as, read_all, rows, users};
use crate::auth::import::row::{
    About, Credential, Fact, OauthTokens, ProviderAccount, Reason, SourceFactor, SourceRow, SourceUser,
};

fn user_of(text: &str) -> SourceUser {
    let mut all = users(&mut open(vec![file("file", text.as_bytes())]));
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn user_as(format: Format, text: &str) -> SourceUser {
    let mut all = users(&mut open_as(vec![file("file", text.as_bytes())], format));
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn hash(user: &SourceUser) -> &str {
    match &user.password {
        Credential::Hash { text, .. } => text,
        other => panic!("{other:?}"),
    }
}

fn reason(text: &str) -> Reason {
    match &rows(text)[..] {
        [row] => row.fact.as_ref().unwrap_err().reason,
        other => panic!("{other:?}"),
    }
}

fn account(provider: &str, subject: &str) -> ProviderAccount {
    ProviderAccount { provider: provider.into(), subject: subject.into(), created_at: None, tokens: None }
}

#[test]
fn authctl_export_is_read_back_and_must_be_complete() {
    let head = r#"{"authctl":1,"schema":12,"count":1}"#;
    let line = r#"{"id":"u1","email":"a@example.com","name":"A","image":null,"emailVerified":true,"createdAt":"2021-03-04T05:06:07.890Z","updatedAt":"2021-03-04T05:06:07.890Z","role":"admin","banned":true,"banReason":"spam","banExpires":"2030-01-01T00:00:00Z","accounts":[{"providerId":"github","accountId":"9","createdAt":null}],"hasPassword":true,"passwordHash":"$argon2id$x"}"#;
    let user = user_of(&format!("{head}\n{line}\n"));
    assert_eq!(user.id.as_deref(), Some("u1"));
    assert_eq!(user.roles, ["admin"]);
    assert_eq!(user.accounts, [account("github", "9")]);
    assert_eq!(hash(&user), "$argon2id$x");
    let ban = user.ban.unwrap();
    assert_eq!((ban.reason.as_deref(), ban.until.unwrap().as_second()), (Some("spam"), 1_893_456_000));
    let fails = |text: String| read_all(vec![file("e", text.as_bytes())], ReadOptions::default()).unwrap_err();
    let count = fails(format!("{head}\n{line}\n{line}\n"));
    assert!(matches!(count, ImportError::Count { expected: 1, found: 2, .. }), "{count}");
    let newer = fails(format!("{}\n{line}\n", head.replace(":1,", ":2,")));
    assert!(matches!(newer, ImportError::NewerExport { version: 2, .. }), "{newer}");
    let rows = rows(&format!("{head}\n{{\"id\":1}}\n"));
    assert_eq!(rows[0].fact.as_ref().unwrap_err().reason, Reason::Syntax);
    assert_eq!((rows[0].place.row, rows[0].place.line), (1, 2));
}

#[test]
fn protected_cells_lose_the_quote_only_where_the_header_says_so() {
    let name = |header: &str, cell: &str| {
        let text =
            format!("id,email,name{header}\n1,a@example.com,{cell}{}\n", if header.is_empty() { "" } else { "," });
        user_of(&text).name.unwrap()
    };
    assert_eq!(name(",escaped", "'=1+1"), "=1+1");
    assert_eq!(name(",escaped", "''=1+1"), "'=1+1");
    assert_eq!(name(",escaped", "'t Hooft"), "'t Hooft");
    assert_eq!(name("", "'=1+1"), "'=1+1");
}

#[test]
fn null_words_are_absent_and_a_quoted_name_is_kept() {
    let user = |row: &str| user_of(&format!("id,EMAIL,Name,image,created_at\n{row}\n"));
    for word in ["NULL", "null", "\\N", ""] {
        let user = user(&format!("1,a@example.com,{word},{word},{word}"));
        assert_eq!((user.name, user.image, user.created_at), (None, None, None), "{word}");
    }
    assert_eq!(user("1,a@example.com,\"NULL\",\"NULL\",").name.as_deref(), Some("NULL"));
    assert_eq!(user("1,a@example.com,\"NULL\",\"NULL\",").image, None);
}

#[test]
fn values_of_the_wrong_kind_are_faults_of_their_rows() {
    let table = |row: &str| reason(&format!("id,email,banned,created_at\n{row}\n"));
    assert_eq!(table("1.23457E+17,a@example.com,f,"), Reason::BadId);
    assert_eq!(table("1,a@example.com,perhaps,"), Reason::BadValue);
    assert_eq!(table("1,a@example.com,f,02/01/2024"), Reason::BadValue);
    assert_eq!(table("1,a@example.com"), Reason::Syntax);
    let rows = rows("id,email,BANNED\n7,a@example.com,perhaps\n");
    let fault = rows[0].fact.as_ref().unwrap_err();
    assert_eq!((fault.id.as_deref(), fault.email.as_deref()), (Some("7"), Some("a@example.com")));
    assert_eq!(fault.detail, "BANNED is not a truth value");
}

#[test]
fn table_has_usual_names_of_columns() {
    let user = user_of(
        "UID,E-Mail,First Name,Last Name,Avatar URL,Verified,Date Joined,Is Active,Phone\n\
         5,a@example.com,Anouk,Ferris,https://example.com/a.png,yes,2021-03-04,no,123\n",
    );
    assert_eq!(user.id.as_deref(), Some("5"));
    assert_eq!(user.name.as_deref(), Some("Anouk Ferris"));
    assert_eq!(user.image.as_deref(), Some("https://example.com/a.png"));
    assert!(user.verified && user.ban.is_some() && user.created_at.is_some());
    assert_eq!(user.left_out, ["Phone"]);
    let date = user_of("id,email,email_verified\n1,a@example.com,2021-03-04 05:06:07\n");
    assert!(date.verified);
}

#[test]
fn users_of_one_realm_are_read_and_of_several_by_name() {
    let realm =
        |name: &str, users: &str| format!(r#"{{"id":"x","realm":"{name}","clients":[{{"id":1}}],"users":[{users}]}}"#);
    let user = |name: &str| format!(r#"{{"id":"{name}","username":"{name}","email":"{name}@example.com"}}"#);
    let read = |text: &str, realm: Option<&str>| {
        let options = ReadOptions { realm: realm.map(str::to_owned), ..ReadOptions::default() };
        let rows = read_all(vec![file("realms.json", text.as_bytes())], options)?;
        let id = |row: SourceRow| match row.fact.unwrap() {
            Fact::User(user) => user.id.unwrap(),
            Fact::About { .. } => panic!(),
        };
        Ok::<_, ImportError>(rows.into_iter().map(id).collect::<Vec<_>>())
    };
    let (shop, master) = (realm("shop", &[user("ada"), user("bob")].join(",")), realm("master", &user("root")));
    let empty = realm("empty", "");
    let one = format!("[{shop}]");
    assert_eq!(read(&one, None).unwrap(), ["ada", "bob"]);
    assert_eq!(read(&shop, Some("shop")).unwrap(), ["ada", "bob"]);
    let both = format!("[ {master} ,\n{shop}, {empty} ]");
    let error = read(&both, None).unwrap_err().to_string();
    assert_eq!(error, "the export has users of several realms (master, shop, empty); name one with --realm");
    assert_eq!(read(&both, Some("shop")).unwrap(), ["ada", "bob"]);
    assert_eq!(read(&both, Some("master")).unwrap(), ["root"]);
    assert!(matches!(read(&both, Some("other")), Err(ImportError::NoSuchRealm { .. })));
    let without_name = both.replacen(r#""realm":"master","#, "", 1).replacen("[ ", "[ {\"realm\":\"a\"},", 1);
    assert!(matches!(read(&without_name, Some("shop")), Err(ImportError::Syntax { .. })));
    let long = realm("long", &user("eve"))
        .replace(r#""clients""#, &format!(r#""text":"{}","clients""#, "x".repeat(300 << 10)));
    assert_eq!(read(&format!("[{long}]"), None).unwrap(), ["eve"], "a realm is longer than what it is recognised by");
}

#[test]
fn tokens_of_accounts_are_read_only_when_they_are_wanted() {
    let better_auth = r#"{"user":[{"id":"u1","email":"a@example.com"}],"account":[{"userId":"u1","providerId":"github",
        "accountId":"9","accessToken":"gho_x","refreshToken":"","scope":"repo","accessTokenExpiresAt":1767225600000},
        {"userId":"u1","providerId":"google","accountId":"7","accessToken":null,"scope":"email"}]}"#;
    let authjs = r#"[{"userId":"u1","provider":"github","providerAccountId":"9","access_token":"gho_x","scope":"repo",
        "expires_at":1767225600}]"#;
    let expected = OauthTokens {
        access: Some("gho_x".into()),
        access_expires_at: Some("2026-01-01T00:00:00Z".parse().unwrap()),
        scope: Some("repo".into()),
        ..OauthTokens::default()
    };
    for (format, text) in [(Format::BetterAuth, better_auth), (Format::Authjs, authjs)] {
        for keeps_tokens in [false, true] {
            let options = ReadOptions { format: Some(format), keeps_tokens, ..ReadOptions::default() };
            let mut export = Export::open(vec![file("file", text.as_bytes())], options).unwrap();
            let tokens: Vec<_> = facts(&mut export)
                .into_iter()
                .filter_map(|(_, about)| if let About::Account(account) = about { account.tokens } else { None })
                .collect();
            let wanted = keeps_tokens.then(|| Box::new(expected.clone()));
            assert_eq!(tokens, Vec::from_iter(wanted), "{format}: an account without a token has none");
            assert!(!format!("{tokens:?}").contains("gho_x"));
        }
    }
}

#[test]
fn better_auth_decides_the_unit_of_a_column_as_a_whole() {
    let text = "id,email,emailVerified,createdAt,updatedAt,twoFactorEnabled\n\
                1,a@example.com,1,86400000,1614834367,1\n\
                2,b@example.com,0,1614834367890,1614834367,0\n";
    let all = users(&mut open(vec![file("user.csv", text.as_bytes())]));
    let seconds: Vec<_> = all.iter().map(|user| user.created_at.unwrap().as_second()).collect();
    assert_eq!(seconds, [86_400, 1_614_834_367]);
    assert_eq!(all[0].updated_at.unwrap().as_second(), 1_614_834_367);
    assert!(all[0].second_factor && !all[1].second_factor);
    let two_factor = "id,secret,backupCodes,userId\nt1,x,y,1\n";
    let export = &mut open(vec![file("user.csv", text.as_bytes()), file("twoFactor.csv", two_factor.as_bytes())]);
    assert_eq!(facts(export), [("1".to_owned(), About::SecondFactor(Some(SourceFactor::Sealed("x".into()))))]);
}

#[test]
fn supabase_reads_insert_statements() {
    let dump = "SET session_replication_role = replica;\n\
        -- a comment; with 'a quote\n\
        CREATE FUNCTION f() AS $fn$ begin; 'x end $fn$;\n\
        INSERT INTO \"public\".\"users\" (\"id\") VALUES ('nothing');\n\
        INSERT INTO \"auth\".\"users\" (\"id\", \"email\", \"encrypted_password\", \"email_confirmed_at\", \"banned_until\", \
        \"raw_user_meta_data\", \"is_anonymous\") VALUES\n\
        \t('u1', 'a@example.com', '$2a$10$x', '2021-03-04 05:06:07.89+00', 'infinity', '{\"name\": \"O''Neil\"}'::jsonb, false),\n\
        \t('u2', E'b\\'@example.com', NULL, NULL, NULL, NULL, true);\n\
        INSERT INTO auth.identities (id, user_id, identity_data, provider) VALUES ('9', 'u1', '{}', 'azure');\n";
    let rows = rows(dump);
    let Ok(Fact::User(user)) = &rows[0].fact else { panic!("{rows:?}") };
    assert_eq!(user.name.as_deref(), Some("O'Neil"));
    assert!(user.verified && user.ban.as_ref().is_some_and(|ban| ban.until.is_none()));
    let fault = rows[1].fact.as_ref().unwrap_err();
    assert_eq!((fault.reason, fault.email.as_deref()), (Reason::NoEmail, Some("b'@example.com")));
    assert_eq!((rows[1].place.row, rows[1].place.line), (2, 7));
    let expected = About::Account(account("microsoft", "9"));
    assert_eq!(rows[2].fact, Ok(Fact::About { user: "u1".into(), what: expected }));
}

#[test]
fn supabase_prefers_the_date_of_the_address() {
    let row = |columns: &str, values: &str| {
        user_of(&format!("id,email,aud,encrypted_password,{columns}\nu1,a@example.com,authenticated,,{values}\n"))
    };
    assert!(!row("email_confirmed_at,confirmed_at", ",2021-03-04 05:06:07+00").verified);
    assert_eq!(row("email_confirmed_at", "").password, Credential::None);
}

#[test]
fn clerk_forms_of_hashes_are_those_of_their_kinds() {
    let user = |digest: &str, hasher: &str| {
        user_of(&format!(
            "id,primary_email_address,verified_email_addresses,totp_secret,password_digest,password_hasher\n\
             u,a@example.com,b@example.com,KEY,{digest},{hasher}\n"
        ))
    };
    let own = user("pbkdf2_sha256$1000$c2FsdA==$a2V5", "pbkdf2_sha256");
    assert_eq!(hash(&own), "$pbkdf2-sha256$i=1000,l=3$c2FsdA$a2V5");
    assert!(!own.verified && own.second_factor);
    assert_eq!(hash(&user("pbkdf2_sha1$1000$salt$6b6579", "pbkdf2_sha1")), "$pbkdf2-sha1$i=1000,l=3$c2FsdA$a2V5");
    let firebase = user("aGFzaA==$c2FsdA==$a2V5$Bw==$8$14", "scrypt_firebase");
    assert_eq!(hash(&firebase), "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=a2V5$c2FsdA==$aGFzaA==");
    let django = user("pbkdf2_sha256$1000$salt$a2V5", "pbkdf2_sha256_django");
    assert_eq!(hash(&django), "pbkdf2_sha256$1000$salt$a2V5");
    assert!(matches!(django.password, Credential::Hash { claimed: Some(kind), .. } if kind == "pbkdf2-sha256"));
}

#[test]
fn auth0_digests_in_pieces_become_one_text() {
    let password = |parts: &str| {
        user_of(&format!(r#"[{{"email":"a@example.com","email_verified":true,"custom_password_hash":{parts}}}]"#))
            .password
    };
    let text = |parts: &str| match password(parts) {
        Credential::Hash { text, .. } => text,
        other => panic!("{other:?}"),
    };
    let md5 = r#"{"algorithm":"md5","hash":{"value":"00ff","encoding":"hex"},"salt":{"value":"salt","encoding":"utf8","position":"prefix"}}"#;
    assert_eq!(text(md5), "$authctl-digest$a=md5,o=prefix,f=1,s=c2FsdA$AP8");
    assert_eq!(text(&md5.replace("prefix", "suffix")), "$authctl-digest$a=md5,o=suffix,f=1,s=c2FsdA$AP8");
    let hmac = r#"{"algorithm":"hmac","hash":{"value":"AP8=","encoding":"base64","digest":"sha256","key":{"value":"6b6579","encoding":"hex"}}}"#;
    assert_eq!(text(hmac), "$authctl-digest$a=sha256,o=hmac,f=1,s=a2V5$AP8");
    let unknown = Credential::Refused(Reason::HashUnknown);
    assert_eq!(password(&md5.replace(r#","position":"prefix""#, "")), unknown);
    assert_eq!(password(&md5.replace("md5", "md4")), unknown);
    let utf16 = md5.replace("{\"algorithm\"", r#"{"password":{"encoding":"utf16le"},"algorithm""#);
    assert_eq!(password(&utf16), unknown);
    let scrypt = r#"{"algorithm":"scrypt","hash":{"value":"00ff","encoding":"hex"},"salt":{"value":"s"},"keylen":2,"cost":1000,"blockSize":8,"parallelization":1}"#;
    assert_eq!(password(scrypt), Credential::Refused(Reason::HashCost));
}

#[test]
fn auth0_links_identities_of_other_providers() {
    let user = user_of(
        r#"{"user_id":"auth0|1","email":"a@example.com","identities":[{"provider":"auth0","user_id":"1"},{"provider":"windowslive","user_id":"2"},{"provider":"oidc","user_id":3,"connection":"corp"}],"multifactor":["guardian"],"app_metadata":{"role":"admin"}}"#,
    );
    assert_eq!(user.accounts, [account("microsoft", "2"), account("corp", "3")]);
    assert!(user.second_factor && user.roles.is_empty());
    assert_eq!(user.left_out, ["app_metadata"]);
    let table = user_as(Format::Auth0, "Id,Email,Email Verified\noauth2|corp|7,a@example.com,true\n");
    assert!(table.verified);
    assert_eq!(table.accounts, [account("corp", "7")]);
}

#[test]
fn firebase_needs_the_parameters_of_its_hashes() {
    let text = r#"{"users":[{"localId":"u1","email":"a@example.com","passwordHash":"aGFzaA==","salt":"c2FsdA=="}]}"#;
    let error = read_all(vec![file("users.json", text.as_bytes())], ReadOptions::default()).unwrap_err();
    assert!(matches!(error, ImportError::HashConfigMissing { .. }), "{error}");
    let without = text.replace(r#","passwordHash":"aGFzaA==","salt":"c2FsdA==""#, "");
    assert_eq!(user_of(&without).password, Credential::None);
    let json = r#"{"hash_config":{"algorithm":"SCRYPT","base64_signer_key":"a-_5","base64_salt_separator":"Bw","rounds":8,"mem_cost":14}}"#;
    let hash_config = Some(HashConfig::parse(json).unwrap());
    let rows =
        read_all(vec![file("f", text.as_bytes())], ReadOptions { hash_config, ..ReadOptions::default() }).unwrap();
    let Ok(Fact::User(user)) = &rows[0].fact else { panic!("{rows:?}") };
    assert_eq!(hash(user), "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=a+/5$c2FsdA==$aGFzaA==");
    for (name, text) in [
        ("algorithm", json.replace("SCRYPT", "HMAC_SHA256")),
        ("base64_signer_key", json.replace("a-_5", "!")),
        ("rounds", json.replace("rounds", "loops")),
        ("base64_signer_key", String::new()),
    ] {
        let error = HashConfig::parse(&text).unwrap_err();
        assert!(matches!(error, ImportError::HashConfig(of) if of == name), "{error}");
    }
    assert!(!format!("{:?}", HashConfig::parse(json).unwrap()).contains("a+/5"));
}

#[test]
fn firebase_rows_that_a_quote_joins_are_faults() {
    let row = |id: &str, claims: &str| {
        format!("{id},a@example.com,true,,,{}1614834367890,,,false,{claims},\n", ",".repeat(18))
    };
    let reasons = |text: &str| -> Vec<Option<Reason>> {
        rows(text).iter().map(|row| row.fact.as_ref().err().map(|fault| fault.reason)).collect()
    };
    let (good, open) = (row("u1", r#""{""a"":1}""#), row("u2", "\"{"));
    assert_eq!(reasons(&(good.clone() + &good)), [None, None]);
    assert_eq!(reasons(&(good.clone() + &open + &good + &good)), [None, Some(Reason::Syntax), None]);
    assert_eq!(reasons(&(good.clone() + "u3,a@example.com,true,\n")), [None, Some(Reason::Syntax)]);
}

#[test]
fn keycloak_reads_older_forms_and_refuses_clear_passwords() {
    let password = |credential: &str| {
        let text = format!(r#"{{"realm":"r","users":[{{"id":"1","username":"a","credentials":[{credential}]}}]}}"#);
        user_of(&text)
    };
    let old = r#"{"type":"password","hashedSaltedValue":"a2V5","salt":"c2FsdA==","hashIterations":27500,"algorithm":"pbkdf2"}"#;
    assert_eq!(hash(&password(old)), "$pbkdf2-sha1$i=27500,l=3$c2FsdA$a2V5");
    assert_eq!(password(r#"{"type":"password","value":"secret"}"#).password, Credential::Plain);
    assert!(password(r#"{"type":"otp","secretData":"{}","credentialData":"{}"}"#).second_factor);
    let unknown = r#"{"type":"password","secretData":"{\"value\":\"a2V5\",\"salt\":\"\"}","credentialData":"{\"hashIterations\":1,\"algorithm\":\"sha\"}"}"#;
    assert_eq!(password(unknown).password, Credential::Refused(Reason::HashUnknown));
}

#[test]
fn django_reads_models_of_other_packages() {
    let text = r#"[
        {"model":"accounts.user","pk":5,"fields":{"password":"","email":"a@example.com","date_joined":"2021-03-04T05:06:07"}},
        {"model":"account.emailaddress","pk":1,"fields":{"user":5,"email":"a@example.com","verified":true,"primary":true}},
        {"model":"account.emailaddress","pk":2,"fields":{"user":5,"email":"b@example.com","verified":false,"primary":false}},
        {"model":"otp_totp.totpdevice","pk":1,"fields":{"user":5,"confirmed":true}}]"#;
    let expected =
        [About::Verified("a@example.com".into()), About::SecondFactor(None)].map(|fact| ("5".to_owned(), fact));
    assert_eq!(facts(&mut open(vec![file("dump", text.as_bytes())])), expected);
    assert_eq!(user_of(text).password, Credential::None);
    let addresses = "id,verified,primary,user_id,email\n1,t,t,5,a@example.com\n";
    assert_eq!(facts(&mut open(vec![file("address", addresses.as_bytes())])), expected[..1]);
}

#[test]
fn cognito_reads_its_template_and_external_providers() {
    let csv =
        user_of("cognito:username,name,email,email_verified,cognito:mfa_enabled\nanouk,,a@example.com,true,false\n");
    assert_eq!((csv.username.as_deref(), csv.verified, csv.id), (Some("anouk"), true, None));
    let json = r#"{"Users":[{"Username":"google_1","UserStatus":"EXTERNAL_PROVIDER","UserCreateDate":"2021-03-04T05:06:07Z","Attributes":[{"Name":"sub","Value":"s1"},{"Name":"identities","Value":"[{\"userId\":\"1\",\"providerName\":\"Google\",\"dateCreated\":\"1614834367890\"}]"}]}]}"#;
    let user = user_of(json);
    assert_eq!((user.id.as_deref(), user.accounts[0].provider.as_str()), (Some("s1"), "google"));
    assert_eq!(user.accounts[0].created_at, user.created_at.map(|date| date + jiff::SignedDuration::from_millis(890)));
}

#[test]
fn kratos_finds_addresses_in_identifiers_and_links() {
    let user = user_of(
        r#"[{"id":"k1","schema_id":"s","state":"active","traits":{"username":"a","name":"Anouk"},"verifiable_addresses":[{"value":"A@example.com","verified":true},{"value":"b@example.com","verified":true}],"credentials":{"password":{"identifiers":["a","a@example.com"],"config":{"hashed_password":"$firescrypt$x"}},"oidc":{"identifiers":["google:9"]},"totp":{"config":{}}}}]"#,
    );
    assert_eq!(user.email.as_deref(), Some("a@example.com"));
    assert!(user.verified && user.second_factor);
    assert_eq!(user.other_emails, ["b@example.com"]);
    assert_eq!((user.name.as_deref(), hash(&user)), (Some("Anouk"), "$firescrypt$x"));
    assert_eq!(user.accounts, [account("google", "9")]);
}

#[test]
fn fusionauth_refuses_what_it_cannot_put_together() {
    let password = |fields: &str| {
        user_of(&format!(r#"{{"users":[{{"id":"1","email":"a@example.com","insertInstant":1,{fields}}}]}}"#)).password
    };
    assert_eq!(password(r#""password":"secret""#), Credential::Plain);
    let salted = r#""password":"eA==","encryptionScheme":"salted-md5","factor":1,"salt":"s""#;
    assert_eq!(password(salted), Credential::Refused(Reason::HashUnknown));
}

#[test]
fn ldif_reads_folded_and_encoded_values() {
    let entry = |lines: &str| user_of(&format!("dn: uid=a\nobjectClass: person\n{lines}\n"));
    let user = entry(
        "cn;lang-en: Anouk\n  Ferris\nmail: a@example.com\n# a comment\n  goes on\nuserPassword:: e1NTSEF9\n eA==",
    );
    assert_eq!((user.name.as_deref(), hash(&user)), (Some("Anouk Ferris"), "{SSHA}x"));
    assert_eq!(entry("userPassword: secret").password, Credential::Plain);
    assert_eq!(entry("userPassword: {CLEARTEXT}secret").password, Credential::Plain);
    assert_eq!(entry("userPassword: {SASL}a@corp").password, Credential::None);
    assert_eq!(hash(&entry("userPassword: secret\nuserPassword: {SHA}x")), "{SHA}x");
    for lines in ["pwdAccountLockedTime: 000001010000Z", "nsAccountLock: TRUE", "userAccountControl: 514"] {
        assert!(entry(lines).ban.is_some(), "{lines}");
    }
    assert!(entry("userAccountControl: 512").ban.is_none());
    assert_eq!(reason("dn: uid=a\nchangetype: delete\nmail: a@example.com\n"), Reason::Syntax);
}

#[test]
fn second_factors_and_deleted_users_of_web_frameworks_are_seen() {
    let laravel = |values: &str| {
        format!(
            "id,email,email_verified_at,remember_token,two_factor_secret,two_factor_confirmed_at,deleted_at\n1,a@example.com,,,{values}\n"
        )
    };
    assert!(user_of(&laravel("x,2021-03-04 05:06:07,")).second_factor);
    assert!(!user_of(&laravel("x,NULL,")).second_factor);
    assert_eq!(reason(&laravel(",,2021-03-04 05:06:07")), Reason::Deleted);
    let devise = "id,email,encrypted_password,reset_password_token,locked_at,provider,uid\n1,a@example.com,,,2021-03-04,google_oauth2,9\n";
    let user = user_of(devise);
    assert_eq!((user.ban, user.password), (None, Credential::None));
    assert_eq!(user.accounts, [account("google", "9")]);
    let wordpress = "ID,user_login,user_pass,user_email,spam,deleted\n1,a,x,a@example.com,1,0\n";
    assert!(user_of(wordpress).ban.is_some());
    let pocketbase = "collectionRef,created,id,provider,providerId,recordRef,updated\nc,,e1,google,9,u1,\n";
    let expected = [("u1".to_owned(), About::Account(account("google", "9")))];
    assert_eq!(facts(&mut open(vec![file("ext", pocketbase.as_bytes())])), expected);
}

#[test]
fn names_of_servers_are_addresses_only_with_an_at_sign() {
    let all = users(&mut open(vec![file("htpasswd", b"anouk:$apr1$x$y\nb@example.com:{SHA}x\n")]));
    assert_eq!((all[0].email.as_deref(), all[0].username.as_deref()), (None, Some("anouk")));
    assert_eq!((all[1].email.as_deref(), all[1].username.as_deref()), (Some("b@example.com"), None));
    let shadow = rows("a:!!:1:0:99999:7:::\nb:!$6$x:1:0:99999:7:::\n");
    assert_eq!(shadow[0].fact.as_ref().unwrap_err().reason, Reason::NoPassword);
    let Ok(Fact::User(locked)) = &shadow[1].fact else { panic!("{shadow:?}") };
    assert!(locked.ban.is_some() && hash(locked) == "$6$x");
}

#[test]
fn lucia_and_authjs_read_tables_of_newer_adapters() {
    let keys = "id,user_id,hashed_password\ngithub:7,u1,NULL\nemail:a@example.com,u1,s2:x:y\n";
    let found = facts(&mut open(vec![file("key", keys.as_bytes())]));
    assert_eq!(found[0], ("u1".to_owned(), About::Account(account("github", "7"))));
    assert!(matches!(&found[1].1, About::Password(Credential::Hash { text, .. }) if text == "s2:x:y"));
    let accounts = "user_id,type,provider,provider_account_id\nu1,oidc,google,8\nu1,credentials,credentials,u1\n";
    let expected = [("u1".to_owned(), About::Account(account("google", "8")))];
    assert_eq!(facts(&mut open(vec![file("account", accounts.as_bytes())])), expected);
    let user = user_of("id,name,email,emailVerified,image\nu1,A,a@example.com,1614834367890,\n");
    assert!(user.verified);
}

#[test]
fn debug_never_shows_a_hash() {
    let rows = rows("id,email,password_hash\n1,a@example.com,$2b$06$secretsecret\n2,b@example.com,clear words\n");
    let text = format!("{rows:?}");
    assert!(!text.contains("secret") && !text.contains("clear"), "{text}");
}

#[test]
fn objects_with_tables_of_other_systems_are_recognised() {
    let authjs = r#"{"users":[{"id":"u1","email":"a@example.com","emailVerified":null}],"accounts":[{"userId":"u1","provider":"google","providerAccountId":"8"}],"sessions":[{"id":"s"}]}"#;
    let mut export = open(vec![file("db.json", authjs.as_bytes())]);
    assert_eq!(export.format(), Format::Authjs);
    assert_eq!(users(&mut export).len(), 1);
    assert_eq!(facts(&mut open(vec![file("db.json", authjs.as_bytes())])).len(), 1);
    let pocketbase = r#"{"page":1,"items":[{"id":"u1","email":"a@example.com","emailVisibility":true,"tokenKey":"k","verified":true}]}"#;
    assert!(user_of(pocketbase).verified);
}

#[test]
fn tables_that_only_resemble_another_system_lose_nothing() {
    let app = "id,email,emailVerified,createdAt,role,disabled,passwordHash\n1,a@example.com,true,2021-03-04,admin,true,$2b$06$x\n";
    let mut export = open(vec![file("users.csv", app.as_bytes())]);
    assert_eq!(export.format(), Format::Csv);
    let user = &users(&mut export)[0];
    assert!(!export.takes_roles() && user.ban.is_some() && hash(user) == "$2b$06$x");
    let keys = "user_id,id,email,hashed_password\nu1,1,a@example.com,$2b$06$x\n";
    let user = user_as(Format::Lucia, keys);
    assert_eq!((user.email.as_deref(), hash(&user)), (Some("a@example.com"), "$2b$06$x"));
    let flags = r#"[{"id":"1","email":"a@example.com","emailVerified":true,"disabled":true}]"#;
    assert!(user_of(flags).ban.is_some());
}

#[test]
fn clerk_answers_of_the_api_are_read() {
    let text = r#"[{"id":"user_1","object":"user","first_name":"Ada","last_name":null,"has_image":false,
        "image_url":"https://img.clerk.com/x","primary_email_address_id":"idn_2","banned":true,"two_factor_enabled":true,
        "email_addresses":[{"id":"idn_1","email_address":"old@example.com","verification":{"status":"verified"}},
            {"id":"idn_2","email_address":"ada@example.com","verification":{"status":"unverified"}}],
        "external_accounts":[{"provider":"oauth_google","provider_user_id":"109","verification":{"status":"verified"}},
            {"provider":"oauth_github","provider_user_id":"9","verification":{"status":"unverified"}}],
        "created_at":1700000000123}]"#;
    for text in [text.to_owned(), format!(r#"{{"data":{text},"total_count":1}}"#)] {
        let mut export = open(vec![file("file", text.as_bytes())]);
        assert_eq!(export.format(), Format::Clerk);
        let user = users(&mut export).remove(0);
        assert_eq!((user.email.as_deref(), user.verified), (Some("ada@example.com"), false));
        assert_eq!((user.name.as_deref(), user.image), (Some("Ada"), None));
        assert_eq!(user.other_emails, ["old@example.com"]);
        assert_eq!(user.accounts, [account("google", "109")]);
        assert!(user.ban.is_some() && user.second_factor);
        assert_eq!(user.created_at.unwrap().as_millisecond(), 1_700_000_000_123);
    }
}

#[test]
fn supabase_answers_of_the_api_are_read() {
    let text = r#"{"users":[{"id":"u1","aud":"authenticated","role":"authenticated","email":"ada@example.com",
        "email_confirmed_at":"2024-01-02T03:04:05.6Z","app_metadata":{"provider":"email"},"user_metadata":{"name":"Ada"},
        "identities":[{"provider":"email","id":"u1","user_id":"u1","identity_data":{"sub":"u1"}},
            {"provider":"github","id":"9","user_id":"u1","identity_data":{"sub":"9"}}],
        "factors":[{"factor_type":"totp","status":"verified"}],"created_at":"2024-01-02T03:04:05Z"}],"aud":"authenticated"}"#;
    let mut export = open(vec![file("file", text.as_bytes())]);
    assert_eq!(export.format(), Format::Supabase);
    let user = users(&mut export).remove(0);
    assert!(user.verified && user.second_factor && user.roles.is_empty());
    assert_eq!((user.name.as_deref(), user.accounts), (Some("Ada"), vec![account("github", "9")]));
}

#[test]
fn second_factors_of_other_tables_belong_to_their_users() {
    let factor = |text: &str, format: Format| {
        let mut export = open(vec![file("file", text.as_bytes())]);
        assert_eq!(export.format(), format);
        facts(&mut export)
    };
    let supabase = "id,user_id,factor_type,status\nf1,u1,totp,verified\nf2,u2,totp,unverified\n";
    assert_eq!(factor(supabase, Format::Supabase), [("u1".to_owned(), About::SecondFactor(None))]);
    let wordpress = "umeta_id,user_id,meta_key,meta_value\n1,7,nickname,ada\n2,7,_two_factor_totp_key,x\n\
        3,8,_two_factor_enabled_providers,a:0:{}\n";
    assert_eq!(factor(wordpress, Format::WordPress), [("7".to_owned(), About::SecondFactor(None))]);
}

#[test]
fn cells_may_stand_between_semicolons_or_tabs() {
    for separator in [";", "\t"] {
        let text =
            "id;email;name;password_hash\n1;a@example.com;\"Ferris; Anouk, Dr\";$argon2id$v=19$m=1,t=2,p=1$a$b\n";
        let user = user_of(&text.replace(';', separator));
        let name = format!("Ferris{separator} Anouk, Dr");
        assert_eq!((user.id.as_deref(), user.name.as_ref()), (Some("1"), Some(&name)));
        assert_eq!(hash(&user), "$argon2id$v=19$m=1,t=2,p=1$a$b");
    }
    let user = user_of("id,email,name;note\n1,a@example.com,x\n");
    assert_eq!(user.left_out, ["name;note"], "commas come first");
}
