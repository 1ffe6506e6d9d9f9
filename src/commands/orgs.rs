//! `orgs`: the organizations of a Better Auth app, for an operator who need not be a member.

use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Attempt as _;
use crate::auth::AuthError;
use crate::auth::email::Email;
use crate::auth::organization::{Invitation, Member, OrganizationInfo};
use crate::auth::user::User;
use crate::cli::values;
use crate::context::Context;
use crate::output::table::{Column, Tone, facts, table};
use crate::output::text::{cell, escape, escaped, relative, rfc3339};
use crate::output::{Outcome, Page, Report, Style};
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
    List,
    /// Show an organization
    #[command(after_help = "Example:\n  authctl --db app.db orgs show acme")]
    Show(OrgArg),
    /// List the members of an organization, the owners first
    #[command(after_help = "Example:\n  authctl --db app.db orgs members acme --json | jq -r '.members[].email'")]
    Members(OrgArg),
    /// Make a user a member
    #[command(after_help = "Example:\n  authctl --db app.db orgs add acme ada@example.com --role admin")]
    Add(AddMemberArgs),
    /// Remove a member, also from the teams; the last owner stays
    #[command(visible_alias = "rm", after_help = "Example:\n  authctl --db app.db orgs remove acme bob@example.com")]
    Remove(MemberArg),
    /// Set the roles of a member; the last owner stays one
    #[command(after_help = "Example:\n  authctl --db app.db orgs set-role acme ada@example.com owner,admin")]
    SetRole(SetMemberRoleArgs),
    /// Invite an address, and print the id for the link of the app; no mail is sent
    ///
    /// The app accepts the invitation from a user who is signed in with that address, at its own page for
    /// invitations. The id is the secret of that link.
    #[command(after_help = "Example:\n  authctl --db app.db orgs invite acme bob@example.com --role member --for 48h")]
    Invite(InviteArgs),
}

#[derive(Debug, Args)]
pub struct OrgArg {
    /// Id or slug of the organization
    #[arg(value_name = "ORG")]
    pub organization: String,
}

#[derive(Debug, Args)]
pub struct MemberArg {
    /// Id or slug of the organization
    #[arg(value_name = "ORG")]
    pub organization: String,
    /// Email address or id
    pub user: String,
}

#[derive(Debug, Args)]
pub struct AddMemberArgs {
    #[command(flatten)]
    pub member: MemberArg,
    /// Roles, separated by commas
    #[arg(long, default_value = "member")]
    pub role: String,
}

#[derive(Debug, Args)]
pub struct SetMemberRoleArgs {
    #[command(flatten)]
    pub member: MemberArg,
    /// Roles, separated by commas
    pub role: String,
}

#[derive(Debug, Args)]
pub struct InviteArgs {
    /// Id or slug of the organization
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
        OrgsCommand::List => list(context).attempt("could not list organizations"),
        OrgsCommand::Show(args) => show(&args.organization, context).attempt("could not show the organization"),
        OrgsCommand::Members(args) => members(&args.organization, context).attempt("could not list members"),
        OrgsCommand::Add(args) => add(args, context).attempt("could not add the member"),
        OrgsCommand::Remove(args) => remove(args, context).attempt("could not remove the member"),
        OrgsCommand::SetRole(args) => set_role(args, context).attempt("could not set the role"),
        OrgsCommand::Invite(args) => invite(args, context).attempt("could not invite"),
    }
}

fn list(context: &mut Context) -> anyhow::Result<Outcome> {
    Ok(OrganizationList(context.auth()?.organizations()?).into())
}

fn show(named: &str, context: &mut Context) -> anyhow::Result<Outcome> {
    Ok(Shown(context.auth()?.members(named)?.0).into())
}

fn members(named: &str, context: &mut Context) -> anyhow::Result<Outcome> {
    let (organization, members) = context.auth()?.members(named)?;
    Ok(MemberList { organization, members }.into())
}

fn add(args: &AddMemberArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let (user, database) = user_of(&args.member, context)?;
    let (organization, member) = context.auth()?.add_member(&args.member.organization, &user, &args.role)?;
    Ok(MemberChanged { act: MemberAct::Added, organization, member, database }.into())
}

fn remove(args: &MemberArg, context: &mut Context) -> anyhow::Result<Outcome> {
    let (user, database) = user_of(args, context)?;
    let (organization, member) = context.auth()?.remove_member(&args.organization, &user)?;
    Ok(MemberChanged { act: MemberAct::Removed, organization, member, database }.into())
}

fn set_role(args: &SetMemberRoleArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let (user, database) = user_of(&args.member, context)?;
    let (organization, member) = context.auth()?.set_member_role(&args.member.organization, &user, &args.role)?;
    Ok(MemberChanged { act: MemberAct::RoleSet, organization, member, database }.into())
}

fn user_of(args: &MemberArg, context: &mut Context) -> anyhow::Result<(User, DatabaseLocation)> {
    let database = context.database()?.location;
    Ok((context.auth()?.user_to_change(&args.user)?, database))
}

fn invite(args: &InviteArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    let email = Email::typed(&args.email).map_err(AuthError::from)?;
    let mut auth = context.auth()?;
    let inviter = args.inviter.as_deref().map(|named| auth.user_to_change(named)).transpose()?;
    let (organization, invitation) =
        auth.invite(&args.organization, &email, &args.role, args.duration, inviter.as_ref())?;
    Ok(Invited { organization, invitation }.into())
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
struct OrganizationList(Vec<OrganizationInfo>);

impl Report for OrganizationList {
    fn text(&self, _: Timestamp, style: Style) -> Page {
        if self.0.is_empty() {
            return Page::note("there are no organizations".to_owned());
        }
        let columns = [
            Column::whole("SLUG"),
            Column::shrinking("NAME", 12, 4),
            Column::optional("MEMBERS", 3),
            Column::optional("OWNERS", 2),
            Column::extra("ID").toned(|_| Tone::Dim),
        ];
        let cells = |one: &OrganizationInfo| {
            vec![
                escape(&one.slug).into_owned(),
                cell(&one.name),
                one.members.to_string(),
                one.owners.to_string(),
                escape(&one.id).into_owned(),
            ]
        };
        Page::answer(table(&columns, self.0.iter().map(cells).collect(), style))
    }

    fn json(&self) -> Value {
        json!({ "organizations": self.0.iter().map(organization_json).collect::<Vec<_>>() })
    }
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

#[derive(Debug)]
struct MemberList {
    organization: OrganizationInfo,
    members: Vec<Member>,
}

impl Report for MemberList {
    fn text(&self, now: Timestamp, style: Style) -> Page {
        if self.members.is_empty() {
            return Page::note(format!("{} has no members", escape(&self.organization.name)));
        }
        let columns = [
            Column::shrinking("USER", 16, 5),
            Column::shrinking("ROLE", 6, 4),
            Column::optional("SINCE", 2),
            Column::extra("ID").toned(|_| Tone::Dim),
        ];
        let cells = |member: &Member| {
            vec![
                member.email.as_deref().map_or_else(|| "(no such user)".to_owned(), cell),
                cell(&member.role),
                member.joined_at.map_or_else(|| "-".to_owned(), |at| style.when(at, now)),
                escape(&member.user_id).into_owned(),
            ]
        };
        Page::answer(table(&columns, self.members.iter().map(cells).collect(), style))
    }

    fn json(&self) -> Value {
        let members: Vec<Value> = self.members.iter().map(member_json).collect();
        json!({ "organization": organization_json(&self.organization), "members": members })
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
}

impl Report for Invited {
    fn text(&self, now: Timestamp, _: Style) -> Page {
        let Invitation { id, email, role, expires_at } = &self.invitation;
        let (email, name, role) = (escape(email), escape(&self.organization.name), escape(role));
        let end = relative(*expires_at, now);
        Page {
            answer: format!("{id}\n"),
            ..Page::done(format!("invited {email} to {name} as {role}; the invitation ends {end}"))
        }
    }

    fn json(&self) -> Value {
        let Invitation { id, email, role, expires_at } = &self.invitation;
        json!({
            "invitation": { "id": id, "email": email, "role": role, "status": "pending", "expiresAt": rfc3339(*expires_at) },
            "organization": organization_json(&self.organization),
        })
    }

    fn lost_answer_hint(&self) -> Option<String> {
        Some("the id is lost: the app lists its pending invitations".to_owned())
    }
}
