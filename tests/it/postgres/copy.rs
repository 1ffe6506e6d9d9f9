//! `db copy` to a server and from one: what it says when the connection breaks at its end, and what it refuses.

use super::proxy::{Fault, Proxy};
use super::{Place, as_role, server};
use crate::sandbox::{Ran, Sandbox};

const FILE: &str = ".local/share/authctl/auth.db";

fn copy(sandbox: &Sandbox, from: &str, to: &str) -> Ran {
    sandbox.run(&format!("db copy {from} {to} --wait 1s"))
}

#[test]
fn copy_whose_commit_is_not_answered_says_where_to_look() {
    let Some(server) = server::private() else { return };
    let uncut = Proxy::start(server, usize::MAX, Fault::Cut);
    copy(&Sandbox::with_ada(), FILE, &uncut.url(Place::empty().unwrap().name())).success();
    let commit = *uncut.seen().commits.last().unwrap();
    let mut unknown = 0;
    // The end of another connection may be counted before the commit or after it.
    for allowed in commit - 1..=commit + 1 {
        let place = Place::empty().unwrap();
        let proxy = Proxy::start(server, allowed, Fault::CutOnce);
        let url = proxy.url(place.name());
        let ran = copy(&Sandbox::with_ada(), FILE, &url);
        if ran.code == 76 {
            unknown += 1;
            let shown = url.split('?').next().unwrap();
            let told = format!("`authctl --db {shown} audit tail` shows whether the copy is there");
            assert!(ran.stderr.contains(&told), "{ran}");
        }
    }
    assert!(unknown > 0);
}

#[test]
fn copy_without_an_entry_in_the_old_log_is_told() {
    let Some(server) = server::private() else { return };
    let Some(place) = Place::new() else { return };
    let uncut = Proxy::start(server, usize::MAX, Fault::Cut);
    copy(&place.sandbox, &uncut.url(place.name()), "a.db").success();
    let commit = *uncut.seen().commits.last().unwrap();
    for allowed in [commit - 1, commit] {
        let to = format!("b{allowed}.db");
        let proxy = Proxy::start(server, allowed, Fault::CutOnce);
        let ran = copy(&place.sandbox, &proxy.url(place.name()), &to);
        assert!(ran.code == 74 && ran.stderr.contains("was made, but could not write to the audit log"), "{ran}");
        assert!(ran.stderr.contains("the audit log of the old database may have no entry about it"), "{ran}");
        place.sandbox.run(&format!("--db {to} audit verify")).success();
    }
}

#[test]
fn dry_run_looks_at_the_rights_too() {
    let Some(server) = server::private() else { return };
    let sandbox = Sandbox::with_ada();
    let (target, fixed) = (Place::empty().unwrap(), Place::empty().unwrap());
    server.execute("DROP ROLE IF EXISTS copies; CREATE ROLE copies LOGIN");
    server.execute(&format!("ALTER DATABASE \"{}\" SET default_transaction_read_only = on", fixed.name()));
    for dry_run in ["", " --dry-run"] {
        let of_role = as_role(target.url(), "copies");
        let error = sandbox.run(&format!("db copy {FILE} {of_role}{dry_run} --json")).json_error(9);
        assert_eq!(error["code"], "DATABASE_DENIED", "{error}");
        assert!(error["hint"].as_str().unwrap().contains("GRANT CREATE ON DATABASE"), "{error}");
        let error = sandbox.run(&format!("db copy {FILE} {}{dry_run} --json", fixed.url())).json_error(9);
        assert_eq!(error["code"], "DATABASE_READ_ONLY", "{error}");
        // The old database has no tables of authctl.
        let error = sandbox.run(&format!("db copy {} new.db{dry_run} --json", target.url())).json_error(9);
        assert_eq!(error["code"], "DATABASE_MISSING", "{error}");
        assert!(error["hint"].as_str().unwrap().contains("as FROM"), "{error}");
    }
    server.execute("DROP ROLE copies");
}
