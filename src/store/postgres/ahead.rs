//! Queries that are asked ahead: together with the first statement, so that their answers cost no round trip of their own.

use std::cell::RefCell;

use futures_util::TryStreamExt as _;
use futures_util::future::join_all;

use super::row::Cells;
use super::statement::Statement;
use crate::auth::storage::StoreError;
use crate::store::engine::Value;

/// A query and its parameters.
pub(in crate::store) type Query = (String, Vec<Value>);

/// The queries that are asked ahead, and their answers. Each answer is handed out once, and all are forgotten when an act
/// begins to write.
#[derive(Default)]
pub(super) struct Ahead {
    queries: RefCell<Vec<Query>>,
    answers: RefCell<Vec<(Query, Vec<Cells>)>>,
}

impl Ahead {
    pub(super) fn new(queries: Vec<Query>) -> Self {
        Self { queries: RefCell::new(queries), ..Self::default() }
    }

    /// Sends the queries and waits for the answers. A query that fails has none, and is asked again when its answer is needed.
    pub(super) async fn ask(&self, driver: &tokio_postgres::Client) {
        let queries = self.queries.take();
        let answers = join_all(queries.into_iter().map(async |query| {
            let rows = rows(driver, &query).await.ok()?;
            Some((query, rows))
        }));
        let mut answers: Vec<_> = answers.await.into_iter().flatten().collect();
        self.answers.borrow_mut().append(&mut answers);
    }

    /// The rows of a query that was asked.
    pub(super) fn take(&self, sql: &str, values: &[Value]) -> Option<Vec<Cells>> {
        let mut answers = self.answers.borrow_mut();
        let asked = answers.iter().position(|((of, with), _)| of == sql && with == values)?;
        Some(answers.swap_remove(asked).1)
    }

    pub(super) fn forget(&self) {
        self.queries.borrow_mut().clear();
        self.answers.borrow_mut().clear();
    }
}

async fn rows(driver: &tokio_postgres::Client, (sql, values): &Query) -> Result<Vec<Cells>, StoreError> {
    let statement = Statement::new(sql, values)?;
    let rows = async {
        let rows = driver.query_typed_raw(&statement.sql, statement.parameters()).await?;
        rows.and_then(async |row| Cells::of(&row)).try_collect().await
    };
    rows.await.map_err(|error| super::error::translate(&error))
}
