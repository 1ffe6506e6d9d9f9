//! Commands on the databases of Better Auth apps, which authctl must leave as the app expects them.

mod acts;
mod admin;
mod api_keys;
mod care;
mod constraints;
mod deletion;
mod elsewhere;
mod encodings;
mod ids;
mod kill;
mod lacking;
mod large;
mod lockdown;
mod names;
mod no_state;
mod odd_rows;
mod organizations;
mod refused;
mod second_factor;
mod triggers;
