//! The import of users from the export of another system.

pub mod row;
