//! `policy`: the rules of this database.

use crate::auth::policy::Key;
use crate::auth::{AuthError, policy::Policy};
use crate::context::Context;
use crate::output::Outcome;

pub(super) fn show(context: &mut Context) -> anyhow::Result<Outcome> {
    let policy = context.auth()?.policy.clone();
    Ok(Outcome::Policy { policy })
}

/// Sets a rule, or sets it back to its default.
pub(super) fn set(key: &str, value: Option<&String>, context: &mut Context) -> anyhow::Result<Outcome> {
    let key = Key::find(key).map_err(AuthError::from)?;
    let now = context.now;
    let database = context.database()?.path;
    let auth = context.auth()?;
    // The whole policy must make sense with the new value, a default too.
    let default = key.value(&Policy::default());
    let value = value.map(String::as_str).filter(|value| *value != default);
    key.set(&mut auth.policy.clone(), value.unwrap_or(&default)).map_err(AuthError::from)?;
    let policy = auth.store.set_policy(key, value, now)?;
    Ok(Outcome::PolicyChanged { key, policy, database })
}
