//! The condition of a list, assembled from parts.

use crate::store::engine::Value;

/// Conditions, with the values of their parameters in order.
#[derive(Default)]
pub(super) struct Filter {
    pub(super) conditions: Vec<String>,
    pub(super) values: Vec<Value>,
}

impl Filter {
    /// Adds a condition, in which `?` stands for the value.
    pub(super) fn add(&mut self, condition: &str, value: impl Into<Value>) {
        self.values.push(value.into());
        self.conditions.push(condition.replace('?', &format!("?{}", self.values.len())));
    }

    pub(super) fn text(&self) -> String {
        // Never without a condition: see [`super::rows::count`].
        if self.conditions.is_empty() {
            "WHERE TRUE".to_owned()
        } else {
            format!("WHERE {}", self.conditions.join(" AND "))
        }
    }
}
