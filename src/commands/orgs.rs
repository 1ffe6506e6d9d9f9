//! `orgs`: the organizations of a Better Auth app, for an operator who need not be a member.

use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::list_flags::ListFlags;
use super::targets::{UsersAndRolesArg, UsersArg, each};
use super::{Attempt as _, mail_templates};
use crate::auth::email::Email;
use crate::auth::organization::{Invitation, Member, OrganizationInfo};
use crate::auth::{Auth, AuthError};
use crate::cli::values;
use crate::context::Context;
use crate::error::CommandError;
use crate::output::list::{Cell, Item, Rows};
use crate::output::table::{Column, Tone, facts};
use crate::output::text::{cell, escape, escaped, rfc3339};
use crate::output::{Listing, Outcome, Page, Report, Style};
use crate::paths::DatabaseLocation;

pub(crate) const EXAMPLES: &str = "Examples:
  authctl --db app.db orgs list
  authctl --db app.db orgs members acme
  authctl --db app.db orgs add acme ada@example.com --role admin
  authctl --db app.db orgs invite acme bob@example.com

ORG is the id or the slug of an organization, USER the email address or id of a user.";

#[derive(Debug, Subcommand)]
pub enum OrgsCommand {
    /// List organizations with the numbers of their members and owners
    #[command(
        visible_alias = "ls",
        after_help = "Example:\n  authctl --db app.db orgs list --json | jq -r '.organizations[].slug'"
    )]
    List(ListFlags),
    /// Show an organization
    #[command(after_help = "Example:\n  authctl --db app.db orgs show acme")]
    Show(OrgArg),
    /// List the members of an organization, the owners first
    #[command(after_help = "Example:\n  authctl --db app.db orgs members acme --json | jq -r '.members[].email'")]
    Members(ListMembersArgs),
    /// Make users members
    #[command(after_help = "Example:\n  authctl --db app.db orgs add acme ada@example.com --role admin")]
    Add(AddMemberArgs),
    /// Remove members, also from the teams; the last owner stays
    #[command(visible_alias = "rm", after_help = "Example:\n  authctl --db app.db orgs remove acme bob@example.com")]
    Remove(MembersArg),
    /// Set the roles of members; the last owner stays one
    #[command(
        override_usage = "authctl orgs set-role [OPTIONS] <ORG> <USER>... <ROLE>",
        after_help = "Example:\n  authctl --db app.db orgs set-role acme ada@example.com owner,admin"
    )]
    SetRole(SetMemberRoleArgs),
    /// Invite an address: mail the invitation, if mail is configured, and print the id for the link of the app
    ///
    /// The app accepts the invitation from a user who is signed in with that address, at its own page for
    /// invitations. The id is the secret of that link. The mail has the link, if `service.url` has {purpose}
    /// in it, and otherwise the id.
    #[command(after_help = "Example:\n  authctl --db app.db orgs invite acme bob@example.com --role member --for 48h")]
    Invite(InviteArgs),
}

#[derive(Debug, Args)]
pub struct OrgArg {
    /// Slug or id of the organization, or at least 6 first characters of the id
    #[arg(value_name = "ORG")]
    pub organization: String,
}

#[derive(Debug, Args)]
pub struct ListMembersArgs {
    #[command(flatten)]
    pub organization: OrgArg,
    #[command(flatten)]
    pub list: ListFlags,
}

#[derive(Debug, Args)]
pub struct MembersArg {
    /// Slug or id of the organization, or at least 6 first characters of the id
    #[arg(value_name = "ORG")]
    pub organization: String,
    #[command(flatten)]
    pub targets: UsersArg,
}

#[derive(Debug, Args)]
pub struct AddMemberArgs {
    #[command(flatten)]
    pub members: MembersArg,
    /// Roles, separated by commas
    #[arg(long, default_value = "member")]
    pub role: String,
}

#[derive(Debug, Args)]
pub struct SetMemberRoleArgs {
    /// Slug or id of the organization, or at least 6 first characters of the id
    #[arg(value_name = "ORG")]
    pub organization: String,
    #[command(flatten)]
    pub targets: UsersAndRolesArg,
}

#[derive(Debug, Args)]
pub struct InviteArgs {
    /// Slug or id of the organization, or at least 6 first characters of the id
    #[arg(value_name = "ORG")]
    pub organization: String,
    /// The address to invite
    pub email: String,
    /// Roles, separated by commas
    #[arg(long, default_value = "member")]
    pub role: String,
    /// How long the invitation counts, from 1m to 400d
    #[arg(long = "for", value_name = "DURATION", default_value = "48h", value_parser = values::life)]
    pub duration: SignedDuration,
    /// The member who invites, by email address or id [default: an owner]
    #[arg(long, value_name = "USER")]
    pub inviter: Option<String>,
}

pub(super) fn run(command: &OrgsCommand, context: &mut Context) -> anyhow::Result<Outcome> {
    match command {
        OrgsCommand::List(flags) => list(flags, context).attempt("could not list organizations"),
        OrgsCommand::Show(args) => show(&args.organization, context).attempt("could not show the organization"),
        OrgsCommand::Members(args) => members(args, context).attempt("could not list members"),
        OrgsCommand::Add(args) => {
            each_member(command, &args.members.targets, context).attempt("could not add the member")
        }
        OrgsCommand::Remove(args) => {
            each_member(command, &args.targets, context).attempt("could not remove the member")
        }
        OrgsCommand::SetRole(args) => {
            each_member(command, &args.targets.users()?, context).attempt("could not set the role")
        }
        OrgsCommand::Invite(args) => invite(args, context).attempt("could not invite"),
    }
}

/// Runs a command for the one user of a command line, or for each of several.
fn each_member(command: &OrgsCommand, targets: &UsersArg, context: &mut Context) -> anyhow::Result<Outcome> {
    match targets.only() {
        Some(named) => Ok(Outcome::Report(run_for(command, named, context)?)),
        None => each(targets.all()?, context, None),
    }
}

/// Runs a command for one of its users.
pub(super) fn run_for(command: &OrgsCommand, named: &str, context: &mut Context) -> anyhow::Result<Box<dyn Report>> {
    let database = context.database()?.location;
    let mut auth = context.auth()?;
    let (act, (organization, member)) = match command {
        OrgsCommand::Add(AddMemberArgs { members, role }) => {
            let user = auth.user_to_change(named)?;
            (MemberAct::Added, auth.add_member(&members.organization, &user, role)?)
        }
        OrgsCommand::Remove(args) => (MemberAct::Removed, remove(&args.organization, named, &mut auth)?),
        OrgsCommand::SetRole(args) => {
            let user = auth.user_to_change(named)?;
            (MemberAct::RoleSet, auth.set_member_role(&args.organization, &user, args.targets.roles()?)?)
        }
        _ => return Err(super::one_target().into()),
    };
    Ok(Box::new(MemberChanged { act, organization, member, database }))
}

/// Removes a member. The row of a user who is gone names the user by the id.
fn remove(organization: &str, named: &str, auth: &mut Auth<'_>) -> Result<(OrganizationInfo, Member), AuthError> {
    match auth.user_to_change(named) {
        Ok(user) => auth.remove_member(organization, &user.id),
        Err(AuthError::NoSuchUser(id)) => match auth.remove_member(organization, &id) {
            Err(AuthError::NotAMember(_)) => Err(AuthError::NoSuchUser(id)),
            removed => removed,
        },
        Err(error) => Err(error),
    }
}

fn list(flags: &ListFlags, context: &mut Context) -> anyhow::Result<Outcome> {
    let organizations = context.auth()?.organizations()?;
    let columns = vec![
        Column::whole("SLUG"),
        Column::shrinking("NAME", 12, 4),
        Column::optional("MEMBERS", 3),
        Column::optional("OWNERS", 2),
        Column::extra("ID").toned(|_| Tone::Dim),
        Column::requested("CREATED"),
        Column::requested("INVITATIONS"),
    ];
    let item = |one: &OrganizationInfo| Item {
        document: organization_json(one),
        row: vec![
            Cell::text(&one.slug),
            Cell::text(&one.name),
            Cell::text(one.members.to_string()),
            Cell::text(one.owners.to_string()),
            Cell::id(&one.id),
            one.created_at.map_or_else(|| Cell::text(""), Cell::Time),
            Cell::text(one.invitations.to_string()),
        ],
        group: "",
    };
    let notes = if organizations.is_empty() { vec!["there are no organizations".to_owned()] } else { Vec::new() };
    let items = organizations.iter().map(item).collect();
    let rows = Rows { name: "organizations", columns, items, notes, ..Rows::default() };
    Ok(Outcome::list(Listing::Rows(rows), flags.layout()))
}

fn show(named: &str, context: &mut Context) -> anyhow::Result<Outcome> {
    Ok(Shown(context.auth()?.members(named)?.0).into())
}

fn members(args: &ListMembersArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let (organization, members) = context.auth()?.members(&args.organization.organization)?;
    let columns = vec![
        Column::shrinking("USER", 16, 5),
        Column::shrinking("ROLE", 6, 4),
        Column::optional("SINCE", 2),
        Column::extra("ID").toned(|_| Tone::Dim),
    ];
    let item = |member: &Member| Item {
        document: member_json(member),
        row: vec![
            Cell::text(member.email.as_deref().unwrap_or("(no such user)")),
            Cell::text(&member.role),
            member.joined_at.map_or_else(|| Cell::text(""), Cell::Time),
            Cell::id(&member.user_id),
        ],
        group: "",
    };
    let none = || vec![format!("{} has no members", escape(&organization.name))];
    let rows = Rows {
        name: "members",
        columns,
        items: members.iter().map(item).collect(),
        fields: vec![("organization", organization_json(&organization))],
        notes: if members.is_empty() { none() } else { Vec::new() },
        ..Rows::default()
    };
    Ok(Outcome::list(Listing::Rows(rows), args.list.layout()))
}

fn invite(args: &InviteArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let email = Email::typed(&args.email).map_err(AuthError::from)?;
    let mut auth = context.auth()?;
    let inviter = args.inviter.as_deref().map(|named| auth.user_to_change(named)).transpose()?;
    let (organization, invitation) =
        auth.invite(&args.organization, &email, &args.role, args.duration, inviter.as_ref())?;
    context.did(format!("{email} was invited"), "the app lists its pending invitations");
    let mailed = match mail_templates::mail_invitation(&organization, &invitation, context) {
        Ok(()) => Mailed::Sent,
        Err(error) if matches!(error.downcast_ref(), Some(CommandError::NoMailer { .. })) => Mailed::NoMailer,
        Err(error) => Mailed::Failed(format!("{error:#}")),
    };
    Ok(Invited { organization, invitation, mailed }.into())
}

fn organization_json(organization: &OrganizationInfo) -> Value {
    json!({
        "id": organization.id,
        "name": organization.name,
        "slug": organization.slug,
        "createdAt": organization.created_at.map(rfc3339),
        "members": organization.members,
        "owners": organization.owners,
        "pendingInvitations": organization.invitations,
    })
}

fn member_json(member: &Member) -> Value {
    json!({
        "userId": member.user_id,
        "email": member.email,
        "role": member.role,
        "createdAt": member.joined_at.map(rfc3339),
    })
}

#[derive(Debug)]
struct Shown(OrganizationInfo);

impl Report for Shown {
    fn text(&self, now: Timestamp, style: Style) -> Page {
        let OrganizationInfo { id, name, slug, created_at, members, owners, invitations } = &self.0;
        Page::answer(facts(&[
            ("name", cell(name)),
            ("slug", escape(slug).into_owned()),
            ("id", escape(id).into_owned()),
            ("created", created_at.map_or_else(|| "-".to_owned(), |at| style.when(at, now))),
            ("members", members.to_string()),
            ("owners", owners.to_string()),
            ("open invitations", invitations.to_string()),
        ]))
    }

    fn json(&self) -> Value {
        json!({ "organization": organization_json(&self.0) })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MemberAct {
    Added,
    Removed,
    RoleSet,
}

#[derive(Debug)]
struct MemberChanged {
    act: MemberAct,
    organization: OrganizationInfo,
    member: Member,
    database: DatabaseLocation,
}

impl Report for MemberChanged {
    fn text(&self, _: Timestamp, _: Style) -> Page {
        let who = escape(self.member.email.as_deref().unwrap_or(&self.member.user_id));
        let (name, role) = (escape(&self.organization.name), escape(&self.member.role));
        let place = escaped(&self.database);
        Page::done(match self.act {
            MemberAct::Added => format!("added {who} to {name} as {role} in {place}"),
            MemberAct::Removed => format!("removed {who} from {name} in {place}"),
            MemberAct::RoleSet => format!("{who} is {role} in {name} in {place}"),
        })
    }

    fn json(&self) -> Value {
        let act = match self.act {
            MemberAct::Added => "added",
            MemberAct::Removed => "removed",
            MemberAct::RoleSet => "roleSet",
        };
        json!({
            "act": act,
            "organization": organization_json(&self.organization),
            "member": member_json(&self.member),
            "database": self.database.to_string(),
        })
    }
}

/// An invitation, whose id is the answer.
#[derive(Debug)]
struct Invited {
    organization: OrganizationInfo,
    invitation: Invitation,
    mailed: Mailed,
}

/// What became of the mail with an invitation.
#[derive(Debug)]
enum Mailed {
    /// A process of its own delivers it.
    Sent,
    NoMailer,
    Failed(String),
}

impl Report for Invited {
    fn text(&self, now: Timestamp, style: Style) -> Page {
        let Invitation { id, email, role, expires_at } = &self.invitation;
        let (email, name, role) = (escape(email), escape(&self.organization.name), escape(role));
        let end = style.ends(*expires_at, now);
        let mut done = format!("invited {email} to {name} as {role}; the invitation ends {end}");
        let mut page = Page { answer: format!("{id}\n"), ..Page::default() };
        match &self.mailed {
            Mailed::Sent => done.push_str("; it was mailed"),
            Mailed::NoMailer => page.notes.push(format!("no mailer is configured: give the id to {email}")),
            Mailed::Failed(why) => {
                page.errors.push(format!(
                    "error: could not mail the invitation: {}\nhint: give the id to {email}",
                    escape(why)
                ));
            }
        }
        page.done.push(done);
        page
    }

    fn json(&self) -> Value {
        let Invitation { id, email, role, expires_at } = &self.invitation;
        json!({
            "invitation": { "id": id, "email": email, "role": role, "status": "pending", "expiresAt": rfc3339(*expires_at) },
            "mailed": matches!(self.mailed, Mailed::Sent),
            "mailError": match &self.mailed {
                Mailed::Failed(why) => Some(why),
                Mailed::Sent | Mailed::NoMailer => None,
            },
            "organization": organization_json(&self.organization),
        })
    }

    fn lost_answer_hint(&self) -> Option<String> {
        Some("the id is lost: the app lists its pending invitations".to_owned())
    }
}
