//! Every statement, and every act that reads, decides and writes.

pub(in crate::store) mod answer;
pub(in crate::store) mod audit;
pub(in crate::store) mod changes;
pub(in crate::store) mod codes;
pub(in crate::store) mod events;
pub(in crate::store) mod fixes;
pub(in crate::store) mod orphans;
pub(in crate::store) mod pages;
pub(in crate::store) mod passwords;
pub(in crate::store) mod policy;
pub(in crate::store) mod rows;
pub(in crate::store) mod scan;
pub(in crate::store) mod sessions;
pub(in crate::store) mod throttle;
pub(in crate::store) mod tx;
pub(in crate::store) mod users;
pub(in crate::store) mod write;
