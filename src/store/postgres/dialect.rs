//! What PostgreSQL spells in its own way.

use super::statement::array;
use crate::store::engine::{Dialect, Many, Step};

/// So many that the way to the server hardly counts, and so few that the server has time for what an app does with each.
pub(super) const ROWS_PER_STATEMENT: usize = 500;

pub(super) const DIALECT: Dialect = Dialect {
    position: "strpos",
    insertion: r#""seq""#,
    like: "ILIKE",
    unindexed: "",
    // An index of trigrams finds only the column itself.
    searched: str::to_owned,
    truths: ["FALSE", "TRUE"],
    is_text: |column| format!("{column} IS NOT NULL"),
    text,
    bytewise: |column| format!(r#"{column} COLLATE "C""#),
    is_integer: |column| format!("{column} IS NOT NULL"),
    is_digit: |column, digit| format!("{} = '{digit}'", text(column)),
    is_late: |column| format!("{} ~ '^[1-9][0-9]{{9,}}([.][0-9]+)?$'", text(column)),
    key,
    beside_keys: key,
    // The rows found so far may stand only once in the query.
    recursion: |found, steps| {
        let select = |Step { select, from }: &Step| format!("{select} FROM {from}");
        let steps = steps.iter().map(select).collect::<Vec<_>>().join(" UNION ALL ");
        format!("SELECT authctl_next.* FROM {found} CROSS JOIN LATERAL ({steps}) AS authctl_next")
    },
    is_spelled: |column, text| format!("lower({column}) = lower({text})"),
    has_nul: false,
    many: Some(Many {
        rows: ROWS_PER_STATEMENT,
        is_listed: |column, parameter| format!("{column} = ANY({parameter})"),
        list: |values| array(values).into(),
    }),
    search: None,
};

fn text(column: &str) -> String {
    format!("CAST({column} AS text)")
}

fn key(column: &str) -> String {
    format!(r#"{} COLLATE "C""#, text(column))
}
