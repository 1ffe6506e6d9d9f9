//! Processes killed at any time: the next command finds the old state or the new one.

use std::process::Stdio;
use std::time::Duration;

use super::Place;

/// Kills the command after a time, unless it has ended.
fn kill_after(place: &Place, words: &str, delay: Duration) {
    let mut command = place.command(words);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(delay);
    let _ = child.kill();
    child.wait().unwrap();
}

#[test]
fn db_init_killed_at_any_time_can_be_repeated() {
    let Some(place) = Place::empty() else { return };
    for step in 0..10 {
        kill_after(&place, "db init", Duration::from_millis(5 * step));
        place.run("db init --if-missing").success();
        place.run("db check").success();
        place.execute("DROP SCHEMA authctl CASCADE");
    }
}

#[test]
fn acts_killed_at_any_time_leave_a_whole_log() {
    let Some(place) = Place::new() else { return };
    place.create("ada@example.com", "");
    for step in 0..24 {
        let words = ["users ban ada@example.com", "users unban ada@example.com", "policy set session.lifetime 20d"];
        kill_after(&place, words[step % words.len()], Duration::from_millis(2 * step as u64));
    }
    // No killed process holds the others up.
    place.run("users unban ada@example.com --wait 2s").success();
    let logged = |event: &str| place.number(&format!("SELECT count(*) FROM authctl_audit WHERE event = '{event}'"));
    let (bans, unbans) = (logged("user.banned"), logged("user.unbanned"));
    assert!(bans == unbans, "{bans} bans, {unbans} unbans");
    place.assert_whole();
}
