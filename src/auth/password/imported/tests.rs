//! Hashes that the real libraries made, with the passwords that they were made of.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::auth::fixtures::{cheap, entropy, password};
use crate::auth::password::{HashFormat, NoPeppers, Scheme, Verdict};
use crate::auth::secret::Pepper;

/// Kind, class, hash and password.
const VECTORS: &str = include_str!("../../../../tests/fixtures/hashes/vectors.tsv");
/// Kind, hash, password, digest in hex and wrap.
const WRAPPED: &str = include_str!("../../../../tests/fixtures/hashes/wrapped.tsv");
/// The rounds of PBKDF2 that take seconds without optimisation. The spellings have hashes of fewer rounds too.
const SLOW_ROUNDS: [&str; 3] = ["$1000000$", ":600000$", "i=210000,"];

fn lines<const N: usize>(text: &str) -> Vec<[&str; N]> {
    text.lines().map(|line| line.split('\t').collect::<Vec<_>>().try_into().unwrap()).collect()
}

fn parsed(text: &str) -> ImportedHash {
    ImportedHash::parse(text, None).unwrap_or_else(|refusal| panic!("{text}: {refusal:?}"))
}

fn refusal(text: &str) -> &'static str {
    ImportedHash::parse(text, None).map_or_else(HashRefusal::reason, |hash| hash.kind().name())
}

/// The vector of a kind.
fn vector(kind: &str) -> (&'static str, Password) {
    let found = lines::<4>(VECTORS).into_iter().find(|[of, ..]| *of == kind).unwrap();
    (found[2], password(found[3]))
}

fn stored(text: &str) -> StoredHash {
    StoredHash::from_bytes(text.as_bytes()).unwrap()
}

#[test]
fn hashes_of_every_system_verify() {
    let mut refused = BTreeSet::new();
    for [kind, class, text, right] in lines(VECTORS) {
        let hash = parsed(text);
        assert_eq!((hash.kind().name(), hash.is_weak()), (kind, class == "weak"), "{text}");
        assert_eq!(hash.kind().is_weak(), hash.is_weak(), "{text}");
        let is_slow = SLOW_ROUNDS.iter().any(|rounds| text.contains(rounds));
        if !(cfg!(debug_assertions) && is_slow) {
            assert!(hash.verify(&password(right), &NoPeppers).unwrap(), "{text}");
            // A wrong password takes as long as the right one, so one hash of each kind is enough.
            assert!(
                !refused.insert(kind) || !hash.verify(&password(&format!("{right}x")), &NoPeppers).unwrap(),
                "{text}"
            );
        }
    }
}

#[test]
fn canonical_text_is_read_as_itself() {
    for [kind, class, text, _] in lines(VECTORS) {
        let Some(canonical) = parsed(text).stored() else {
            assert_eq!(class, "weak", "{text}");
            continue;
        };
        let again = parsed(canonical.expose());
        assert_eq!(again.kind().name(), kind, "{}", canonical.expose());
        assert_eq!(again.stored().unwrap().expose(), canonical.expose());
    }
}

#[test]
fn spellings_of_one_hash_have_one_text() {
    let (salt, key) = ("q76pwKGAfXhVVUoRzjp3jL", "RjN68GVPRJuslb53KQ03k140TL4JoS3dIB64L36WsrU");
    let text = |text: &str| parsed(text).stored().unwrap().expose().to_owned();
    let canonical = text(&format!("pbkdf2_sha256$1000000${salt}${key}="));
    assert_eq!(canonical, format!("$pbkdf2-sha256$i=1000000,l=32$cTc2cHdLR0FmWGhWVlVvUnpqcDNqTA${key}"));
    let hex = base16ct::lower::encode_string(&crate::auth::password::encoding::base64(key).unwrap());
    assert_eq!(text(&format!("pbkdf2:sha256:1000000${salt}${hex}")), canonical);
    assert_eq!(text(&format!("pbkdf2_sha256$1000000${salt}${hex}")), canonical);
    assert_eq!(text(&format!("$pbkdf2-sha256$1000000$cTc2cHdLR0FmWGhWVlVvUnpqcDNqTA${key}")), canonical);
    let (scrypt, _) = vector("scrypt");
    let scrypt = text(scrypt);
    assert!(scrypt.starts_with("$scrypt$ln=14,r=8,p=5$"), "{scrypt}");
    assert_eq!(text(&scrypt.replace("ln=14", "ln=16384")), scrypt);
    assert!(text("$2y$06$6YsAP7j/xcZfwaydLdfefOZhzL5V2rUtd1O3fkvGvjEJ0Eq40tIfW").starts_with("$2b$06$"));
    let (firebase, _) = vector("firebase-scrypt");
    let [_, _, _, salt, hash] = firebase.split('$').collect::<Vec<_>>().try_into().unwrap();
    let signer = firebase.split("sk=").nth(1).unwrap().split('$').next().unwrap();
    assert_eq!(text(&format!("$firescrypt$ln=14,r=8,p=1${salt}${hash}$Bw==${signer}")), text(firebase));
    assert_eq!(text(&firebase.replace('+', "-").replace('/', "_")), text(firebase));
}

/// Made by passlib 1.7.4.
#[test]
fn rarer_forms_of_passlib_verify() {
    for (kind, text, right) in [
        (
            HashKind::BcryptSha256,
            "$bcrypt-sha256$2b,5$5an9x9XyqrsbGMhYta8sxO$wJxaR32FEnddO8JZTA8vkuwsD.PskpO",
            "password",
        ),
        (
            HashKind::BcryptSha256,
            "$bcrypt-sha256$v=2,t=2b,r=5$.vur5sXr1xzylBSDt/a8L.$voHUXK0N9d1MPOCtr6woaZLNT6BBIr2",
            "password",
        ),
        (HashKind::LdapMd5, "{MD5}X03MO1qnZdYdgyfeuILPmQ==", "password"),
        (HashKind::Md5Crypt, "$1$abc$EDAIEjf1pCmVPLCFnS35z0", "a much longer password than sixteen"),
        (HashKind::Apr1, "$apr1$$ybkELnS08iMsIO3qVjHYv.", "p"),
    ] {
        let hash = parsed(text);
        assert_eq!(hash.kind(), kind, "{text}");
        assert!(
            hash.verify(&password(right), &NoPeppers).unwrap()
                && !hash.verify(&password("Password"), &NoPeppers).unwrap(),
            "{text}"
        );
    }
}

#[test]
fn wraps_of_another_program_verify_and_are_replaced() {
    for [kind, legacy, right, digest, wrap] in lines(WRAPPED) {
        let weak = parsed(legacy);
        assert_eq!(weak.kind().name(), kind);
        let ForeignHash::Weak(read) = &weak.0 else { panic!("{legacy}") };
        assert_eq!(base16ct::lower::encode_string(&read.digest), digest, "{legacy}");
        let (hash, rules) = (stored(wrap), cheap());
        let wrapped = parsed(wrap);
        assert_eq!((wrapped.kind(), wrapped.is_weak()), (weak.kind(), false));
        assert_eq!(wrapped.stored().unwrap().expose(), wrap);
        let verdict =
            |text: &str| super::super::verify(&password(text), &hash, &Scheme::Native, &rules, &NoPeppers).unwrap();
        assert_eq!(verdict(right), Verdict::Right { outdated: true }, "{wrap}");
        assert_eq!(verdict("another password"), Verdict::Wrong, "{wrap}");
    }
}

#[test]
fn hashes_wrapped_at_once_keep_their_order() {
    let hashes = [1, 2, 3, 4, 5].map(|number| parsed(&format!("{number:032x}")));
    for jobs in [1, 2, 3, 9] {
        let jobs = NonZeroUsize::new(jobs).unwrap();
        let wrapped = ImportedHash::wrap_all(&hashes.each_ref(), cheap().cost, &mut entropy(7), jobs).unwrap();
        let one_by_one = {
            let mut entropy = entropy(7);
            hashes.each_ref().map(|hash| hash.wrap(cheap().cost, &mut entropy).unwrap().expose().to_owned())
        };
        assert_eq!(wrapped.iter().map(StoredHash::expose).collect::<Vec<_>>(), one_by_one, "{jobs}");
    }
    let none = ImportedHash::wrap_all(&[], cheap().cost, &mut entropy(7), NonZeroUsize::MIN).unwrap();
    assert!(none.is_empty());
}

#[test]
fn weak_hash_verifies_only_in_a_wrap() {
    for [kind, class, text, right] in lines(VECTORS) {
        if class == "strong" {
            continue;
        }
        let rules = cheap();
        let verdict = |hash: &StoredHash, scheme| {
            super::super::verify(&password(right), hash, scheme, &rules, &NoPeppers).unwrap()
        };
        assert_eq!(verdict(&stored(text), &Scheme::Native), Verdict::Unacceptable, "{text}");
        let wrapped = parsed(text).wrap(rules.cost, &mut entropy(1)).unwrap();
        let digest = text.rsplit(['$', '}']).next().unwrap();
        assert!(wrapped.expose().starts_with(&format!("$authctl-wrap$v=1,k={kind},")), "{}", wrapped.expose());
        assert!(!wrapped.expose().contains(digest), "{}", wrapped.expose());
        assert_eq!(verdict(&wrapped, &Scheme::Native), Verdict::Right { outdated: true }, "{text}");
        let guest = Scheme::Guest(crate::auth::password::HashParams::Scrypt);
        assert_eq!(verdict(&wrapped, &guest), Verdict::Unacceptable, "{text}");
    }
}

#[test]
fn digests_in_pieces_verify_in_each_order() {
    for (text, kind) in [
        ("$authctl-digest$a=md5,o=prefix,f=1,s=c2FsdA$Z6Hgm7H4P1AH3BGcFNZjqg", "salted-md5"),
        ("$authctl-digest$a=sha1,o=suffix,f=1,s=c2FsdA$yI6cZwQadOA1e+/f+T+H3eCQQhQ", "salted-sha1"),
        ("$authctl-digest$a=sha256,o=suffix,f=3,s=c2FsdA$zBmoeVnXC6HZ0pebX8IyPg1ipA+yVFSS6exNV855lW0", "salted-sha256"),
        (
            "$authctl-digest$a=sha512,o=hmac,f=1,s=a2V5$I5uSCenhnS3TXjOvkLY+PmwVZDYjg5PH0qWK23VPp9cn66BRfP9LYgdM0nUjpCxWwGe4BHs72bCZQOlPzqf5YA",
            "hmac-sha512",
        ),
        ("$authctl-digest$a=sha256,o=prefix,f=1,s=$XohImNooBHFR0OVvjcYpJ3NgPQ1qq73WKhHvch0VQtg", "sha256"),
    ] {
        let weak = parsed(text);
        assert_eq!((weak.kind().name(), weak.is_weak()), (kind, true));
        assert!(weak.verify(&password("password"), &NoPeppers).unwrap(), "{text}");
        let wrap = parsed(weak.wrap(cheap().cost, &mut entropy(1)).unwrap().expose());
        assert_eq!(wrap.kind().name(), kind);
        assert!(
            wrap.verify(&password("password"), &NoPeppers).unwrap()
                && !wrap.verify(&password("Password"), &NoPeppers).unwrap(),
            "{text}"
        );
    }
}

#[test]
fn costs_out_of_bounds_are_refused_at_once() {
    let pbkdf2 = |name: &str, rounds: &str| format!("pbkdf2_{name}${rounds}$salt$RjN68GVPRJuslb53KQ03k140TL4JoS3d");
    let scrypt =
        |cost: &str| format!("$scrypt${cost}$33tvTUkpxRgjxDiHsLZ2Lg$5MYQh6YPT8QDu5AfcFa0uaB01c5UC+GZuq6Ik/6ymNw");
    let (firebase, _) = vector("firebase-scrypt");
    let (yescrypt, _) = vector("yescrypt");
    let (argon2, _) = vector("argon2id");
    let (bcrypt, _) = vector("bcrypt");
    let (wordpress, _) = vector("wordpress-bcrypt");
    let (sha512, _) = vector("sha512-crypt");
    let (phpass, _) = vector("phpass");
    let [_, _, _, _, wrap] = lines::<5>(WRAPPED)[0];
    for text in [
        pbkdf2("sha256", "9999"),
        pbkdf2("sha1", "5000001"),
        pbkdf2("sha512", "2000001"),
        pbkdf2("sha256", "99999999999999999999999"),
        scrypt("ln=13,r=8,p=1"),
        scrypt("ln=63,r=8,p=1"),
        scrypt("ln=16385,r=8,p=1"),
        scrypt("ln=18446744073709551615,r=8,p=1"),
        scrypt("ln=14,r=8,p=17"),
        scrypt("ln=14,r=0,p=1"),
        scrypt("ln=14,r=18446744073709551615,p=1"),
        scrypt("ln=20,r=8,p=1"),
        firebase.replace("n=14", "n=18"),
        firebase.replace("n=14", "n=4"),
        firebase.replace("p=1", "p=2"),
        firebase.replace("r=8", "r=17"),
        yescrypt.replace("$j9T$", "$jJT$"),
        yescrypt.replace("$j9T$", "$jlT$"),
        yescrypt.replace("$j9T$", "$j9TD5$"),
        argon2.replace("m=65536", "m=4194304"),
        argon2.replace("m=65536", "m=7167"),
        argon2.replace("argon2id", "argon2i").replace("m=65536", "m=4095"),
        argon2.replace("t=3", "t=4294967295"),
        bcrypt.replace("$10$", "$15$"),
        wordpress.replace("$10$", "$31$"),
        format!("bcrypt_sha256${}", bcrypt.replace("$10$", "$31$")),
        sha512.replace("$6$", "$6$rounds=999999999$"),
        sha512.replace("$6$", "$6$rounds=4999$"),
        sha512.replace("$6$", "$6$rounds=99999999999999999999$"),
        phpass.replace("$P$B", "$P$K"),
        phpass.replace("$P$B", "$P$4"),
        wrap.replace("c=13", "c=21"),
        wrap.replace("m=19456", "m=4194304"),
        "$authctl-digest$a=md5,o=prefix,f=1000001,s=c2FsdA$Z6HgnXHx/w/H7r9QtcY3aA".into(),
    ] {
        assert_eq!(refusal(&text), "hash-cost", "{text}");
    }
}

#[test]
fn refusals_tell_apart_clear_text_markers_and_unknown_hashes() {
    let (argon2, _) = vector("argon2id");
    for text in ["", "!", "!!", "*", "!abc", "!$6$rounds=5000$salt$x", "x", "*LK*"] {
        assert_eq!(refusal(text), "no-password", "{text}");
    }
    for text in [
        "slate yarrow quartz grove",
        "hunter2",
        "Tr0ub4dor&3",
        "{CLEAR}secret",
        "plain$secret",
        "pässword",
        "1234567890",
    ] {
        assert_eq!(refusal(text), "plain-password", "{text}");
    }
    for text in [
        "rl.3StKT.4T8M",
        "_9G..8147mpcfKT8g0U.",
        "*6BB4837EB74329105EE4568DDA7DC67ED2CA2AD9",
        "$3$$8846f7eaee8fb117ad06bdd830b7586c",
        "$2x$06$6awh5O1j8dzbeWf1UYVyhOXhZ8TZdUW/EA.gbps2t9tFTbUH/98x.",
        "$gy$j9T$lWNuIdjyMbHGRFb7ixh5a/$XIxpGzXQXvEAgWtzH0bO6peW1i012uAG/b0JEmlMoa6",
        "{CRYPT}rl.3StKT.4T8M",
        "$authctl-wrap$v=1,k=bcrypt,s=$argon2id$v=19$m=19456,t=2,p=1$ZDleQrRCQgdLKprNDBIKow$euOuIGh06sKHU6OLPNjz/IS/9DoFTfGh6/x8CPFF78g",
        &argon2.replace("argon2id", "argon2d"),
        &argon2.replace("v=19", "v=16"),
        &argon2.replace("p=4", "p=4,data=c2FsdA"),
        &"f".repeat(128),
        &"$6$".repeat(1000),
    ] {
        assert_eq!(refusal(text), "hash-unknown", "{text}");
    }
}

#[test]
fn claimed_kind_must_agree() {
    let claimed = |kind: &str, name| ImportedHash::parse(vector(kind).0, Some(name)).is_ok();
    for (kind, name) in [
        ("bcrypt", "bcrypt"),
        ("bcrypt-sha256", "bcrypt_sha256_django"),
        ("ldap-ssha", "ldap_ssha"),
        ("phpass", "md5_phpass"),
        ("pbkdf2-sha256", "pbkdf2_sha256_django"),
        ("firebase-scrypt", "scrypt_firebase"),
        ("scrypt", "scrypt_werkzeug"),
        ("argon2i", "argon2i"),
    ] {
        assert!(claimed(kind, name), "{kind}");
        assert!(!claimed(kind, "sha256"), "{kind}");
    }
    assert!(!claimed("argon2id", "argon2i") && !claimed("md5", "sha1"));
}

/// Made by ruby-bcrypt as Devise calls it.
const DEVISE: &str = "$2a$10$Sutu4PbJG4d9q1R.YaBOl.GzZ2iz7ebC5HNvFpSpiLR1VgaVTwqkG";

#[test]
fn pepper_is_named_in_the_row_and_not_held() {
    let (right, pepper) = (password("needle garden anchor"), Pepper::from_bytes(b"a-pepper-public").unwrap());
    let hash = parsed(DEVISE).peppered("k1").unwrap();
    assert_eq!((hash.kind(), hash.is_weak()), (HashKind::BcryptPepper, false));
    assert!(hash.verify(&right, &pepper).unwrap() && !parsed(DEVISE).verify(&right, &pepper).unwrap());
    let text = hash.stored().unwrap();
    assert_eq!(text.expose(), format!("$authctl-pepper$k1{DEVISE}"));
    let rules = cheap();
    let verdict = |given: &Password| super::super::verify(given, &text, &Scheme::Native, &rules, &pepper);
    assert_eq!(verdict(&right).unwrap(), Verdict::Right { outdated: true });
    assert_eq!(verdict(&password("needle garden anchors")).unwrap(), Verdict::Wrong);
    super::super::verify(&right, &text, &Scheme::Native, &rules, &NoPeppers).unwrap_err();
    assert!(parsed(DEVISE).peppered("a b").is_none() && parsed(vector("md5").0).peppered("k1").is_none());
    assert_eq!(refusal(&text.expose().replace("$10$", "$31$")), "hash-cost");
}

#[test]
fn each_kind_has_one_name() {
    for (kind, name) in HashKind::ALL {
        assert_eq!((kind.name(), HashKind::of_name(name)), (name, Some(kind)));
    }
}

#[test]
fn decomposed_password_verifies_hash_of_the_composed_one() {
    let (composed, decomposed) = ("Grüße aus Köln 42", "Gru\u{308}ße aus Ko\u{308}ln 42");
    let [_, _, text, _] = lines::<4>(VECTORS).into_iter().find(|[.., text]| *text == composed).unwrap();
    assert!(parsed(text).verify(&password(decomposed), &NoPeppers).unwrap());
    let native =
        super::super::verify(&password(decomposed), &stored(text), &Scheme::Native, &cheap(), &NoPeppers).unwrap();
    assert_eq!(native, Verdict::Right { outdated: true });
    let app = Scheme::Guest(crate::auth::password::HashParams::Bcrypt(6));
    assert_eq!(
        super::super::verify(&password(decomposed), &stored(text), &app, &cheap(), &NoPeppers).unwrap(),
        Verdict::Wrong
    );
}

#[test]
fn guest_takes_no_hash_of_another_system() {
    let app = Scheme::Guest(crate::auth::password::HashParams::Scrypt);
    for [kind, _, text, right] in lines::<4>(VECTORS) {
        if ["better-auth-scrypt", "argon2id", "bcrypt"].contains(&kind) {
            continue;
        }
        assert!(!app.verifies(HashFormat::of(&stored(text))) && app.takes(&stored(text)).is_err(), "{text}");
        let verdict = super::super::verify(&password(right), &stored(text), &app, &cheap(), &NoPeppers).unwrap();
        assert_eq!(verdict, Verdict::Unacceptable, "{text}");
    }
}

proptest! {
    /// Reading computes nothing, so any text is quick.
    #[test]
    fn no_text_panics(text in ".{0,200}", start in 0..54_usize, cut in 0..200_usize) {
        let vectors = lines::<4>(VECTORS);
        let known = vectors[start % vectors.len()][2];
        let cut = (0..=cut.min(known.len())).rev().find(|at| known.is_char_boundary(*at)).unwrap_or(0);
        for text in [text.clone(), format!("{}{text}", &known[..cut]), format!("{text}{}", &known[cut..])] {
            let _ = ImportedHash::parse(&text, None);
            if let Some(hash) = ImportedHash::parse(&text, None).ok().and_then(|hash| hash.stored()) {
                let again = parsed(hash.expose()).stored().unwrap();
                prop_assert_eq!(again.expose(), hash.expose());
            }
        }
    }
}
