//! Rows that are taken, changed or refused.

use super::*;
use crate::auth::fixtures::at;
use crate::auth::import::row::Place;

fn rules() -> Rules {
    Rules {
        key: "key".into(),
        system: "clerk",
        on_conflict: OnConflict::Fail,
        weak_hashes: None,
        drops_unusable: false,
        pepper: None,
        roles: Vec::new(),
        takes_roles: false,
        email_domain: None,
        placeholder_email: false,
        second_factors: None,
        app_secrets: AppSecrets::default(),
        jobs: NonZeroUsize::MIN,
        is_atomic: false,
        app_verifies_bcrypt: false,
        scheme: Scheme::Native,
        now: at(0),
    }
}

fn ada() -> SourceUser {
    SourceUser {
        id: Some("user_1".into()),
        email: Some("Ada@Example.com".into()),
        name: Some("Ada".into()),
        created_at: Some(at(-60)),
        ..SourceUser::default()
    }
}

fn row(user: SourceUser, about: Vec<About>) -> StagedRow {
    StagedRow { number: 7, place: Place { file: 0, row: 7, line: 8 }, user: Ok(user), about, bytes: 0 }
}

fn examined(rules: &Rules, user: SourceUser) -> Result<Examined, Reason> {
    rules.examine(&mut row(user, Vec::new())).map_err(|fault| fault.reason)
}

#[test]
fn row_becomes_a_user_with_checked_values() {
    let Examined { user, warnings, .. } = examined(&rules(), ada()).unwrap();
    assert_eq!((user.user.email.as_str(), user.user.id.as_str()), ("ada@example.com", "user_1"));
    assert_eq!((user.user.created_at, user.user.updated_at, user.keeps_id), (at(-60), at(-60), true));
    assert_eq!(warnings, [Warning::EmailLowered]);
    let plain = SourceUser { id: None, name: None, created_at: None, ..ada() };
    let Examined { user, warnings, .. } = examined(&rules(), plain.clone()).unwrap();
    assert_eq!((user.user.name.as_str(), user.user.created_at, user.keeps_id), ("ada", at(0), false));
    assert_eq!(warnings, [Warning::EmailLowered, Warning::NameFromEmail, Warning::NoCreationTime]);
    let again = examined(&rules(), plain).unwrap().user.user;
    assert_eq!(again.id, user.user.id, "a second run gives the same ids");
    assert_ne!(again.id, again.account_id);
}

#[test]
fn bad_values_are_refused() {
    let with = |change: &dyn Fn(&mut SourceUser)| {
        let mut user = ada();
        change(&mut user);
        examined(&rules(), user).err()
    };
    assert_eq!(with(&|user| user.email = Some("ada".into())), Some(Reason::BadEmail));
    assert_eq!(with(&|user| user.email = Some(" ".into())), Some(Reason::NoEmail));
    assert_eq!(with(&|user| user.name = Some("a\u{1b}[2J".into())), Some(Reason::BadName));
    for id in ["", "a\nb", "1.23457E+17", "1,2e+5", &"x".repeat(256)] {
        assert_eq!(with(&|user| user.id = Some(id.into())), Some(Reason::BadId), "{id:?}");
    }
    for id in ["e+1", "5e", "ABE+DEF", "1E5"] {
        assert_eq!(with(&|user| user.id = Some(id.into())), None, "{id:?}");
    }
    for created_at in [Timestamp::UNIX_EPOCH, at(200_000)] {
        assert_eq!(with(&|user| user.created_at = Some(created_at)), Some(Reason::Syntax));
    }
    assert_eq!(with(&|user| user.second_factor = true), Some(Reason::SecondFactor(FactorProblem::NoSecret)));
    assert_eq!(with(&|user| user.password = Credential::Plain), Some(Reason::PlainPassword));
    assert_eq!(with(&|user| user.password = Credential::Refused(Reason::NoPassword)), None);
}

#[test]
fn roles_are_taken_by_choice_alone() {
    let user = SourceUser { roles: vec!["admin".into(), "editor".into()], ..ada() };
    let Examined { user: plain, roles_left_out, .. } = examined(&rules(), user.clone()).unwrap();
    assert_eq!((plain.user.role, plain.replaces_role, roles_left_out.len()), (None, false, 2));
    let mapping = Rules { roles: vec![("editor".into(), "author".into())], ..rules() };
    let Examined { user: mapped, roles_left_out, .. } = examined(&mapping, user.clone()).unwrap();
    assert_eq!((mapped.user.role.as_deref(), mapped.replaces_role), (Some("author"), true));
    assert_eq!(roles_left_out, ["admin"]);
    let own = Rules { takes_roles: true, ..rules() };
    assert_eq!(examined(&own, user.clone()).unwrap().user.user.role.as_deref(), Some("admin,editor"));
    let turned = SourceUser { roles: vec!["editor".into(), "admin".into()], ..user };
    assert_eq!(examined(&own, turned).unwrap().user.user.role.as_deref(), Some("editor,admin"));
}

#[test]
fn addresses_are_made_by_choice_alone() {
    let user = SourceUser { email: None, username: Some("ada".into()), verified: true, ..ada() };
    let domain = Rules { email_domain: Some("corp.example".into()), ..rules() };
    let made = examined(&domain, user.clone()).unwrap().user.user;
    assert_eq!((made.email.as_str(), made.email_verified), ("ada@corp.example", true));
    let placeholder = Rules { placeholder_email: true, ..rules() };
    let odd = SourceUser { id: Some("auth0|5".into()), ..user.clone() };
    let made = examined(&placeholder, odd).unwrap().user.user;
    assert!(made.email.as_str().ends_with("@users.invalid") && !made.email_verified, "{:?}", made.email);
    assert_eq!(examined(&rules(), user).err(), Some(Reason::NoEmail));
}

#[test]
fn facts_of_other_rows_belong_to_the_user() {
    let google = ProviderAccount { provider: "google".into(), subject: "1".into(), created_at: None, tokens: None };
    let about = vec![
        About::Account(google.clone()),
        About::Account(google),
        About::Verified("ADA@example.com".into()),
        About::Verified("other@example.com".into()),
    ];
    let Examined { user, .. } = rules().examine(&mut row(ada(), about)).unwrap();
    assert_eq!((user.accounts.len(), user.user.email_verified), (1, true));
    let other = vec![About::Verified("other@example.com".into())];
    assert!(!rules().examine(&mut row(ada(), other)).unwrap().user.user.email_verified);
}

#[test]
fn ban_says_where_it_comes_from() {
    let banned = |takes_roles: bool, reason: Option<&str>| {
        let ban = SourceBan { reason: reason.map(str::to_owned), until: Some(at(60)) };
        let rules = Rules { takes_roles, ..rules() };
        examined(&rules, SourceUser { ban: Some(ban), ..ada() }).unwrap().user.user.ban.unwrap()
    };
    assert_eq!(banned(false, None), NewBan { reason: Some("disabled in clerk".into()), until: Some(at(60)) });
    assert_eq!(banned(false, Some("spam")).reason.as_deref(), Some("spam"));
    assert_eq!(banned(true, None).reason, None, "a ban of Better Auth needs no reason");
}
