//! Statements, prepared when first needed, and requests that are tried again while the trouble may pass.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use scylla::errors::ExecutionError;
use scylla::frame::types::Consistency;
use scylla::statement::prepared::PreparedStatement;
use tokio::time::{Instant, sleep};

use super::Inner;
use super::failure::{Verdict, explain, verdict};
use super::shape::Shape;
use super::text::{Kind, text};
use crate::project::key::TableId;
use crate::store::Error;

/// Statements kept prepared. A generation needs about a hundred; beyond, all are prepared anew.
const PREPARED_MAX: usize = 1_024;
/// Before the second try; twice as long before each further one.
const WAIT_FIRST: Duration = Duration::from_millis(50);
const WAIT_MAX: Duration = Duration::from_secs(1);

/// Table, generation, what it does.
type Id = (TableId, u32, Kind);

#[derive(Debug, Default)]
pub(super) struct Prepared(Mutex<HashMap<Id, PreparedStatement>>);

impl Prepared {
    fn get(&self, id: &Id) -> Option<PreparedStatement> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    fn put(&self, id: Id, statement: PreparedStatement) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= PREPARED_MAX {
            held.clear();
        }
        held.insert(id, statement);
    }

    pub(super) fn forget(&self, generation: u32) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|(_, held, _), _| *held != generation);
    }
}

impl Inner {
    /// The statement, prepared by every node that it is sent to.
    pub(super) async fn statement(
        &self,
        kind: Kind,
        shape: &Shape,
        generation: u32,
    ) -> Result<PreparedStatement, Error> {
        let id = (shape.id, if shape.is_shared() { 0 } else { generation }, kind);
        if let Some(held) = self.prepared.get(&id) {
            return Ok(held);
        }
        let text = text(kind, &self.options.keyspace, shape, generation);
        let prepare = || async { self.session.prepare(text.as_str()).await.map_err(ExecutionError::from) };
        let mut statement = match self.repeat(prepare).await {
            Ok(statement) => statement,
            Err(error) => return Err(self.refused(error, shape, generation).await),
        };
        let is_swap = kind == Kind::Swap;
        // All but `swap` may be done again: stamps decide.
        statement.set_is_idempotent(!is_swap);
        // Columns are read by their place and their bytes: what is known of them never matters. A refused swap tells
        // more columns than one that is done.
        statement.set_use_cached_result_metadata(!is_swap);
        let is_read = matches!(kind, Kind::In | Kind::Scan(_));
        if is_read && shape.is_shared() {
            // Also what a swap whose end nobody was told has come to.
            statement.set_consistency(Consistency::LocalSerial);
        }
        self.prepared.put(id, statement.clone());
        Ok(statement)
    }

    /// Asks until it is answered, or refused for good, or it is time to say that nobody answers.
    pub(super) async fn repeat<T, F>(&self, ask: impl Fn() -> F) -> Result<T, ExecutionError>
    where
        F: Future<Output = Result<T, ExecutionError>>,
    {
        let give_up_at = Instant::now() + self.options.give_up_after;
        let mut wait = WAIT_FIRST;
        loop {
            let error = match ask().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if verdict(&error) != Verdict::Again || Instant::now() + wait >= give_up_at {
                return Err(error);
            }
            sleep(wait).await;
            wait = (wait * 2).min(WAIT_MAX);
        }
    }

    /// In the words of the seam. Where the server calls it invalid, the table may be gone.
    pub(super) async fn refused(&self, error: ExecutionError, shape: &Shape, generation: u32) -> Error {
        let verdict = verdict(&error);
        if verdict == Verdict::Invalid && !shape.is_shared() {
            match self.has_table(shape, generation).await {
                Ok(true) => {}
                Ok(false) => return Error::NoGeneration { place: self.place.clone(), generation },
                Err(error) => return error,
            }
        }
        explain(&self.place, verdict, error)
    }
}
