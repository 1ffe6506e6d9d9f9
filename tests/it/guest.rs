//! The program as the guest of a Better Auth app.

mod acts;
mod admin;
mod care;
mod kill;
mod large;
mod refused;
