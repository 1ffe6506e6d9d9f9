//! Queries that are asked together with another statement, so that their answers cost no round trip of their own.

use std::cell::RefCell;

use futures_util::TryStreamExt as _;
use futures_util::future::join_all;

use super::row::Cells;
use super::statement::Statement;
use crate::auth::storage::StoreError;
use crate::store::engine::{Query, Value};

/// Queries that are to be asked, and the answers to those that were. Each answer is handed out once.
#[derive(Default)]
pub(super) struct Ahead {
    queries: RefCell<Vec<Asked>>,
    answers: RefCell<Vec<(Query, Vec<Cells>)>>,
}

/// A query, and its text as the server can run it.
struct Asked {
    query: Query,
    sql: String,
}

impl Ahead {
    /// Adds a query to those that are to be asked, in the same words for the server.
    pub(super) fn add(&self, query: Query) {
        let sql = query.0.clone();
        self.add_as(query, sql);
    }

    /// Adds a query. Takes its text as the server can run it.
    pub(super) fn add_as(&self, query: Query, sql: String) {
        self.queries.borrow_mut().push(Asked { query, sql });
    }

    /// Sends the queries and waits for the answers. A query that fails has none, and is asked again when its answer is needed.
    /// Returns the first error.
    pub(super) async fn ask(&self, driver: &tokio_postgres::Client) -> Result<(), StoreError> {
        let queries = self.queries.take();
        let answers = join_all(queries.into_iter().map(async |Asked { query, sql }| {
            let rows = rows(driver, &sql, &query.1).await;
            rows.map(|rows| (query, rows))
        }));
        let mut first = Ok(());
        for answer in answers.await {
            match answer {
                Ok(answer) => self.answers.borrow_mut().push(answer),
                Err(error) => first = first.and(Err(error)),
            }
        }
        first
    }

    /// The rows of a query that was asked. One that was not is asked by the caller.
    pub(super) fn take(&self, sql: &str, values: &[Value]) -> Option<Vec<Cells>> {
        let is_it = |(of, with): &Query| of == sql && with == values;
        let mut answers = self.answers.borrow_mut();
        let Some(asked) = answers.iter().position(|(query, _)| is_it(query)) else {
            self.queries.borrow_mut().retain(|asked| !is_it(&asked.query));
            return None;
        };
        Some(answers.swap_remove(asked).1)
    }

    /// Keeps only the answers to some queries.
    pub(super) fn retain(&self, stays: impl Fn(&str) -> bool) {
        self.answers.borrow_mut().retain(|((sql, _), _)| stays(sql));
    }

    pub(super) fn forget(&self) {
        self.queries.borrow_mut().clear();
        self.answers.borrow_mut().clear();
    }
}

async fn rows(driver: &tokio_postgres::Client, sql: &str, values: &[Value]) -> Result<Vec<Cells>, StoreError> {
    let statement = Statement::new(sql, values)?;
    let rows = async {
        let rows = driver.query_typed_raw(&statement.sql, statement.parameters()).await?;
        rows.and_then(async |row| Cells::of(&row)).try_collect().await
    };
    rows.await.map_err(|error| super::error::translate(&error))
}
