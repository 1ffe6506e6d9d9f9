//! `users delete`.

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::admin_guard;
use crate::auth::audit::counted;
use crate::auth::storage::{Deletion, Organization, SharedRow, TableRows};
use crate::auth::user::User;
use crate::auth::{AuthError, DeletionOptions};
use crate::commands::confirm;
use crate::commands::reach::Reach;
use crate::commands::targets::{Question, UsersArg, each};
use crate::context::Context;
use crate::error::CommandError;
use crate::output::json::UserView;
use crate::output::text::{escape, escaped, who};
use crate::output::{Outcome, Page, Report, Style};
use crate::paths::DatabaseLocation;

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct DeleteUserArgs {
    #[command(flatten)]
    pub targets: UsersArg,
    /// Succeed when there is no such user
    #[arg(long)]
    pub if_exists: bool,
    /// Delete nothing, and say what would go
    #[arg(long)]
    pub dry_run: bool,
    /// Give another user, by address or id, the organizations without another owner and the OAuth clients and SSO
    /// providers that others use
    #[arg(long, value_name = "USER")]
    pub new_owner: Option<String>,
    /// Delete OAuth clients and SSO providers of the user although others use them
    #[arg(long)]
    pub force_shared: bool,
    /// Delete even the last administrator
    #[arg(long)]
    pub force_last_admin: bool,
}

pub(super) fn run(args: &DeleteUserArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    if let Some(named) = args.targets.only() {
        return Ok(Outcome::Report(delete(named, args, context)?));
    }
    let mut effect = |named: &str, context: &mut Context| match begin(named, args, true, context)? {
        Some(planned) => Ok(planned.effect()),
        None => Ok(format!("There is no user {}.", escape(named))),
    };
    let question = Question { effect: &mut effect, question: "Delete these users?" };
    let question = (!args.dry_run).then_some(question);
    each(args.targets.all()?, context, question)
}

/// Deletes one user, or says what that would do.
pub(super) fn delete(named: &str, args: &DeleteUserArgs, context: &mut Context) -> anyhow::Result<Box<dyn Report>> {
    // Without a question there is nothing to plan, but the user.
    let rehearses = args.dry_run || !context.is_confirmed();
    let Some(mut deleted) = begin(named, args, rehearses, context)? else {
        return Ok(Box::new(WasMissing { database: context.database()?.location }));
    };
    if !args.dry_run {
        confirm(&deleted.effect(), "Delete the user?", context)?;
        let options = options(args, deleted.new_owner.clone());
        deleted.deletion = context.auth()?.delete_user(&deleted.user, &options, false)?;
        deleted.reach = reach(context);
    }
    deleted.reach.note(context);
    Ok(Box::new(deleted))
}

/// Finds the user, and with `rehearses` what a deletion would do: what would be refused is refused before the question.
/// `None` for a user who does not exist and need not.
fn begin(
    named: &str,
    args: &DeleteUserArgs,
    rehearses: bool,
    context: &mut Context,
) -> anyhow::Result<Option<DeletedUser>> {
    let database = context.database()?.location;
    let user = match context.auth()?.user_to_change(named) {
        Err(AuthError::NoSuchUser(_)) if args.if_exists => return Ok(None),
        found => found?,
    };
    let new_owner = args.new_owner.as_ref().map(|named| new_owner(named, &user, context)).transpose()?;
    let options = options(args, new_owner.clone());
    let deletion = if rehearses { context.auth()?.delete_user(&user, &options, true)? } else { Deletion::default() };
    let reach = reach(context);
    Ok(Some(DeletedUser { user, deletion, reach, new_owner, dry_run: args.dry_run, database }))
}

fn options(args: &DeleteUserArgs, new_owner: Option<User>) -> DeletionOptions {
    DeletionOptions { guard: admin_guard(args.force_last_admin), force_shared: args.force_shared, new_owner }
}

fn reach(context: &Context) -> Reach {
    Reach::to_end(&["session", "verification", "account"], context)
}

fn new_owner(named: &str, user: &User, context: &mut Context) -> anyhow::Result<User> {
    let owner = context.auth()?.user_to_change(named)?;
    if owner.id == user.id {
        let message = "the new owner is the user to delete".to_owned();
        return Err(CommandError::Usage { message, hint: "name another user with --new-owner" }.into());
    }
    Ok(owner)
}

#[derive(Debug)]
struct DeletedUser {
    user: User,
    deletion: Deletion,
    reach: Reach,
    new_owner: Option<User>,
    dry_run: bool,
    database: DatabaseLocation,
}

impl DeletedUser {
    /// The numbers of rows in Better Auth's own tables, as far as they are known: sessions, accounts and codes.
    fn counts(&self) -> [(&'static str, Option<u64>); 3] {
        let Deletion { sessions, accounts, codes, .. } = &self.deletion;
        let count = |noun, table, count: &u64| (noun, self.reach.count(table, *count));
        [
            count("session", "session", sessions),
            count("account", "account", accounts),
            count("code", "verification", codes),
        ]
    }

    /// These rows in words, such as ` with 1 session, 1 account and 0 codes`.
    fn of_user(&self) -> String {
        let known = self.counts().into_iter().filter_map(|(noun, count)| Some(counted(count?, noun)));
        let mut known: Vec<String> = known.collect();
        let Some(last) = known.pop() else { return String::new() };
        let known = if known.is_empty() { last } else { format!("{} and {last}", known.join(", ")) };
        format!(" with {known}")
    }

    /// What the question says.
    fn effect(&self) -> String {
        let mut effect = format!(
            "This permanently deletes {} <{}>{} from {}.",
            escape(&self.user.name),
            escape(&self.user.email),
            self.of_user(),
            escape(&self.database.to_string()),
        );
        for line in self.consequences(false) {
            effect.push_str("\n  It ");
            effect.push_str(&line);
            effect.push('.');
        }
        effect
    }

    /// What the deletion does besides deleting the user with sessions, accounts and codes; in the past when it is done.
    fn consequences(&self, is_done: bool) -> Vec<String> {
        let verb = |present: &'static str, past: &'static str| if is_done { past } else { present };
        let Deletion { tables, ownerless, shared, moved_organizations, moved, .. } = &self.deletion;
        let owner = self.new_owner.as_ref().map(who).unwrap_or_default();
        let uses = |row: &SharedRow| {
            let users = counted(row.users, "other user");
            format!(
                "the {} {}, which {users} {}",
                row.kind,
                escape(&row.name),
                if row.users == 1 { "uses" } else { "use" }
            )
        };
        let name = |row: &SharedRow| format!("the {} {}", row.kind, escape(&row.name));
        [
            rows(tables, |rows| rows.deleted).map(|rows| format!("also {} {rows}", verb("deletes", "deleted"))),
            rows(tables, |rows| rows.cleared)
                .map(|rows| format!("{} the user from {rows}", verb("removes", "removed"))),
            list(shared, uses).map(|shared| format!("also {} {shared}", verb("deletes", "deleted"))),
            list(ownerless, organization).map(|names| {
                format!("{} {names} without an owner; --new-owner makes another user the owner", verb("leaves", "left"))
            }),
            list(moved_organizations, organization)
                .map(|names| format!("{} {owner} an owner of {names}", verb("makes", "made"))),
            list(moved, name).map(|names| format!("{} {owner} {names}", verb("gives", "gave"))),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

fn organization(one: &Organization) -> String {
    escape(&one.name).into_owned()
}

fn rows(tables: &[TableRows], of: fn(&TableRows) -> u64) -> Option<String> {
    let tables: Vec<&TableRows> = tables.iter().filter(|rows| of(rows) > 0).collect();
    list(&tables, |rows| format!("{} of {}", counted(of(rows), "row"), escape(&rows.table)))
}

/// A list for a sentence; `None` without an item.
fn list<T>(items: &[T], word: impl Fn(&T) -> String) -> Option<String> {
    (!items.is_empty()).then(|| items.iter().map(word).collect::<Vec<_>>().join(", "))
}

impl Report for DeletedUser {
    fn text(&self, _now: Timestamp, _style: Style) -> Page {
        let verb = if self.dry_run { "would delete" } else { "deleted" };
        let line = format!("{verb} {}{} in {}", who(&self.user), self.of_user(), escaped(&self.database));
        let mut page = Page::done_if(!self.dry_run, line);
        let consequences = self.consequences(!self.dry_run).into_iter().map(|line| format!("this {line}"));
        let lines = if self.dry_run { &mut page.notes } else { &mut page.done };
        lines.extend(consequences);
        page
    }

    fn json(&self) -> Value {
        let Deletion { tables, ownerless, shared, moved_organizations, moved, .. } = &self.deletion;
        let [sessions, accounts, codes] = self.counts().map(|(_, count)| count);
        let organization = |one: &Organization| json!({ "id": one.id, "name": one.name });
        let shared_row = |one: &SharedRow| json!({ "kind": one.kind, "table": one.table, "id": one.id, "name": one.name, "otherUsers": one.users });
        let table = |one: &TableRows| json!({ "table": one.table, "deleted": one.deleted, "cleared": one.cleared });
        let mut document = json!({
            "act": "deleted",
            "user": UserView::from(&self.user),
            "changed": !self.dry_run,
            "dryRun": self.dry_run,
            "sessionsEnded": sessions,
            "accountsDeleted": accounts,
            "codesDeleted": codes,
            "rows": tables.iter().map(table).collect::<Vec<_>>(),
            "sharedDeleted": shared.iter().map(shared_row).collect::<Vec<_>>(),
            "organizationsWithoutOwner": ownerless.iter().map(organization).collect::<Vec<_>>(),
            "newOwner": self.new_owner.as_ref().map(|owner| &owner.id),
            "organizationsHandedOver": moved_organizations.iter().map(organization).collect::<Vec<_>>(),
            "sharedHandedOver": moved.iter().map(shared_row).collect::<Vec<_>>(),
            "database": self.database.to_string(),
        });
        self.reach.add_to(&mut document);
        document
    }
}

/// The user to delete did not exist (`--if-exists`).
#[derive(Debug)]
struct WasMissing {
    database: DatabaseLocation,
}

impl Report for WasMissing {
    fn text(&self, _now: Timestamp, _style: Style) -> Page {
        Page::note(format!("there was no such user in {}; nothing to delete", escaped(&self.database)))
    }

    fn json(&self) -> Value {
        json!({ "deleted": null, "database": self.database.to_string() })
    }
}
