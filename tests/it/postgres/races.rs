//! Two processes that decide about the same rows at once.

use std::fs::File;

use super::{Place, count};
use crate::sandbox::{OTHER_PASSWORD, PASSWORD};

#[test]
fn last_two_administrators_cannot_remove_each_other() {
    let Some(place) = Place::new() else { return };
    place.create("user0@example.com", "");
    place.execute(&super::crowd::copies(1..2));
    for _ in 0..8 {
        place.execute(r#"UPDATE "user" SET role = 'admin'"#);
        let runs = place.at_once((0..2).map(|n| place.command(&format!("users set-role user{n}@example.com user"))));
        assert_eq!((count(&runs, 0), count(&runs, 5)), (1, 1), "{runs:?}");
        assert_eq!(place.number(r#"SELECT count(*) FROM "user" WHERE role = 'admin'"#), 1);
    }
    place.assert_whole();
}

#[test]
fn reset_code_works_once() {
    let Some(place) = Place::new() else { return };
    place.create("ada@example.com", "");
    let code = place.run("users reset-code ada@example.com -q").success();
    let input = place.sandbox.file("both", format!("{}\n{OTHER_PASSWORD}\n", code.trim()));
    let reset = |shell| {
        let mut command = place.command_of(shell, "password reset --code-stdin --password-stdin --wait 60s");
        command.stdin(File::open(&input).unwrap());
        command
    };
    let runs = place.at_once((0..4).map(reset));
    assert_eq!((count(&runs, 0), count(&runs, 7)), (1, 3), "{runs:?}");
    place.assert_whole();
}

#[test]
fn wrong_passwords_at_once_are_counted() {
    let Some(place) = Place::new() else { return };
    place.create("ada@example.com", "");
    place.sandbox.file("wrong", OTHER_PASSWORD);
    let words = "signin ada@example.com --password-file wrong --wait 60s";
    let runs = place.at_once((0..8).map(|shell| place.command_of(shell, words)));
    // Five attempts are free.
    assert_eq!((count(&runs, 7), count(&runs, 8)), (5, 3), "{runs:?}");
    assert_eq!(place.number("SELECT count FROM authctl_throttle"), 5);
    place.run_with_input("signin ada@example.com --password-stdin", PASSWORD).failure(8);
    place.assert_whole();
}
