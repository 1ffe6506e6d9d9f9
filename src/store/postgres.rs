//! The PostgreSQL engine: the address of a database on a server, TLS, and the connection.

pub mod address;
pub mod connect;
#[cfg(test)]
pub(super) mod server;
mod tls;

pub use address::{Address, AddressError, Host, Libpq, LibpqEnv, LibpqFile, LibpqFiles, Notice};
pub use connect::{ConnectError, connect};
pub use tls::TlsError;
