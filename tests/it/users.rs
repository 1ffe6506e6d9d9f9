//! `users`: one module for each command or group of commands.

mod apply;
mod ban;
mod change;
mod create;
mod create_refused;
mod delete;
mod explain;
mod impersonate;
mod list;
mod password;
mod several;
mod show;
