//! `users list` as typed.

use clap::{Args, ValueEnum};

/// Arguments of `users list`.
#[derive(Debug, Args)]
pub struct ListUsersArgs {
    /// Only users with this in their address or name
    #[arg(long, value_name = "TEXT")]
    pub search: Option<String>,
    /// Only users with this role
    #[arg(long)]
    pub role: Option<String>,
    /// Only banned users
    #[arg(long)]
    pub banned: bool,
    /// Only users whose address is not verified
    #[arg(long)]
    pub unverified: bool,
    /// Order of the list
    #[arg(long, value_enum, value_name = "KEY", default_value_t = UserOrder::Email)]
    pub sort: UserOrder,
    /// Users on a page
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
    /// Begin after this user: the `next` of the page before
    #[arg(long, value_name = "ID")]
    pub after: Option<String>,
}

/// Orders of users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum UserOrder {
    /// By address
    Email,
    /// By name
    Name,
    /// The oldest first
    Created,
}
