//! The check of the keys of second factors.

use super::{Check, Details, Severity};

pub(super) const KEYS: Check = Check::new("second-factor-keys", Severity::Problem, |auth| {
    let lost: Vec<_> = auth.factor_key_uses()?.into_iter().filter(|key| key.problem.is_some()).collect();
    let count = lost.iter().map(|key| key.secrets).sum();
    let problem = lost.into_iter().find_map(|key| key.problem).map(|problem| problem.to_string()).unwrap_or_default();
    let message = format!("second factors whose codes cannot be checked: {count}: {problem}");
    let hint = "restore the file of keys, or name it with AUTHCTL_KEY_FILE; until then these users sign in with recovery \
                codes, and `authctl users reset-2fa USER` removes a factor";
    Ok(Details::if_any(count, message, hint))
});
