//! `users update`.

use clap::{ArgGroup, Args};

use super::{UserAct, change};
use crate::context::Context;
use crate::output::Outcome;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("change").args(["name", "image", "email"]).required(true).multiple(true)))]
pub struct UpdateUserArgs {
    /// Email address or id
    pub user: String,
    /// New display name
    #[arg(long)]
    pub name: Option<String>,
    /// New address of a picture, http:// or https://; empty to remove it
    #[arg(long, value_name = "URL")]
    pub image: Option<String>,
    /// New email address; it is not verified then
    #[arg(long)]
    pub email: Option<String>,
}

pub(super) fn run(args: &UpdateUserArgs, context: &mut Context) -> anyhow::Result<Outcome> {
    change(&args.user, UserAct::Updated, context, |auth, user| {
        auth.change_user(user, args.name.as_deref(), args.image.as_deref(), args.email.as_deref())
    })
}
