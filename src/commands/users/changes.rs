//! What `users create --ensure` and `users apply` change in one user: the acts, and what is said about them.

use serde_json::{Map, Value, json};

use super::{Reach, UserAct, UserChanged};
use crate::auth::converge::{ConvergeOptions, Difference, WantedUser};
use crate::auth::user::User;
use crate::context::Context;
use crate::output::text::{escape, escaped, yes_no};
use crate::paths::DatabaseLocation;

/// A field of a user in JSON, with the old and the new value.
#[derive(Debug, Clone)]
pub(super) struct Change {
    field: &'static str,
    from: Value,
    to: Value,
}

impl Change {
    /// A user without a password got one.
    pub(super) fn password() -> Self {
        Self { field: "hasPassword", from: json!(false), to: json!(true) }
    }

    /// What a new user gets.
    pub(super) fn of_new(name: &str, wanted: &WantedUser) -> Vec<Self> {
        let one = |field, to: Value| Self { field, from: Value::Null, to };
        let mut changes = vec![one("name", json!(name))];
        changes.extend(wanted.role.as_ref().map(|role| one("role", json!(role))));
        let flags = [("emailVerified", wanted.verified), ("banned", wanted.banned)];
        changes.extend(
            flags.into_iter().filter(|(_, flag)| *flag == Some(true)).map(|(field, _)| one(field, json!(true))),
        );
        changes
    }
}

impl From<&Difference> for Change {
    fn from(difference: &Difference) -> Self {
        let (field, from, to) = match difference {
            Difference::Name { from, to } => ("name", json!(from), json!(to)),
            Difference::Image { from, to } => ("image", json!(from), json!(Some(to).filter(|to| !to.is_empty()))),
            Difference::Role { from, to } => ("role", json!(from), json!(to)),
            Difference::Verified(to) => ("emailVerified", json!(!to), json!(to)),
            Difference::Banned(to) => ("banned", json!(!to), json!(to)),
        };
        Self { field, from, to }
    }
}

/// The changes as the fields of an object, each with `from` and `to`.
pub(super) fn as_json(changes: &[Change]) -> Value {
    let one = |Change { field, from, to }: &Change| ((*field).to_owned(), json!({ "from": from, "to": to }));
    changes.iter().map(one).collect::<Map<_, _>>().into()
}

/// The changes in words, such as `role user -> admin, verified no -> yes`.
pub(super) fn in_words(changes: &[Change]) -> String {
    let one = |Change { field, from, to }: &Change| {
        let name = match *field {
            "emailVerified" => "verified",
            "hasPassword" => "password",
            other => other,
        };
        if from.is_null() && *field != "image" {
            return format!("{name} {}", shown(to));
        }
        format!("{name} {} -> {}", shown(from), shown(to))
    };
    changes.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn shown(value: &Value) -> String {
    match value {
        Value::Bool(flag) => yes_no(*flag),
        Value::String(text) => escape(text).into_owned(),
        _ => "none".to_owned(),
    }
}

/// A user after the changes.
#[derive(Debug)]
pub(super) struct Converged {
    pub(super) user: User,
    /// The changes that were made.
    pub(super) changes: Vec<Change>,
    pub(super) sessions_ended: usize,
    /// The tables in which rows ended.
    pub(super) ends_in: Vec<&'static str>,
}

/// Makes the changes of one user, one act after the other.
pub(super) fn converge(
    user: &User,
    differences: &[Difference],
    options: &ConvergeOptions,
    context: &mut Context,
) -> anyhow::Result<Converged> {
    let mut converged = Converged { user: user.clone(), changes: Vec::new(), sessions_ended: 0, ends_in: Vec::new() };
    for difference in differences {
        let updated = context.auth()?.converge(&converged.user, difference, options)?;
        converged.user = updated.user;
        converged.sessions_ended += updated.ended.len();
        converged.ends_in.extend(updated.ends_in);
        if updated.changed {
            converged.changes.push(difference.into());
            let what = format!("{} was changed: {}", escaped(&user.email), in_words(&converged.changes));
            context.did(what, "run the command again for what is left");
        }
    }
    Ok(converged)
}

impl Converged {
    /// The report about one user.
    pub(super) fn report(self, database: DatabaseLocation, context: &mut Context) -> UserChanged {
        let act = if self.changes.is_empty() { UserAct::Existed } else { UserAct::Updated };
        let reach = Reach::to_end(&self.ends_in, context);
        reach.note(context);
        let report = UserChanged::new(act, self.user, database).ended(self.sessions_ended).reach(reach);
        UserChanged { changes: Some(self.changes), ..report }
    }
}
