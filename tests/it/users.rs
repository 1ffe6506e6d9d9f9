//! `users`: one module for each command or group of commands.

mod ban;
mod change;
mod create;
mod create_refused;
mod delete;
mod explain;
mod impersonate;
mod list;
mod password;
mod show;
