//! Scopes as Better Auth's plugin has them: permissions, an object of resources with lists of actions.

use serde_json::{Map, Value as Json};

use super::TokenScope;
use crate::auth::AuthError;

/// The permissions of a key, `{"files":["read"]}`, as scopes `files:read`.
pub fn read(permissions: &str) -> Vec<TokenScope> {
    let Ok(Json::Object(resources)) = serde_json::from_str(permissions) else { return Vec::new() };
    let of_resource = |(resource, actions): (&String, &Json)| {
        let actions = actions.as_array().cloned().unwrap_or_default();
        let scope = |action: &Json| format!("{resource}:{}", action.as_str()?).parse().ok();
        actions.iter().filter_map(scope).collect::<Vec<TokenScope>>()
    };
    let mut scopes: Vec<TokenScope> = resources.iter().flat_map(of_resource).collect();
    scopes.sort();
    scopes
}

/// Scopes as the permissions of a key; `None` without any, as the plugin has a key that the app restricts to nothing.
///
/// # Errors
/// [`AuthError::NotAPermission`] for a scope without an action.
pub fn write(scopes: &[TokenScope]) -> Result<Option<String>, AuthError> {
    let mut resources = Map::new();
    for scope in scopes {
        let (resource, action) =
            scope.as_str().split_once(':').ok_or_else(|| AuthError::NotAPermission(scope.to_string()))?;
        let actions = resources.entry(resource).or_insert_with(|| Json::Array(Vec::new()));
        if let Json::Array(actions) = actions {
            actions.push(action.into());
        }
    }
    Ok((!resources.is_empty()).then(|| Json::Object(resources).to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_permissions_of_resources() {
        let scopes = read(r#"{"files":["read","write"],"a":["b"],"odd":3,"blank":["x y"]}"#);
        assert_eq!(TokenScope::write_all(&scopes), "a:b files:read files:write");
        assert_eq!(write(&scopes).unwrap().unwrap(), r#"{"a":["b"],"files":["read","write"]}"#);
        assert_eq!((read("null"), read("")), (vec![], vec![]));
        assert!(write(&[]).unwrap().is_none());
        assert!(matches!(write(&["guard".parse().unwrap()]), Err(AuthError::NotAPermission(_))));
    }
}
