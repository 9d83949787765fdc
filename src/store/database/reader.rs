//! Where a statement that only reads is sent. To the primary, unless the operation it belongs to may read from the replica:
//! then there, until one of its statements fails there. Whoever did not ask for it never gets the replica's answer: not a
//! mutation, not a command, and nothing inside a write.

use std::cell::Cell;
use std::future::Future;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, Statement};

use super::kept::Kept;
use super::replica::Replica;

tokio::task_local! {
    /// Whether the operation still reads from the replica.
    static FROM_REPLICA: Cell<bool>;
}

/// Does `work`, a query's, whose statements may be answered by the replica.
pub async fn from_replica<F: Future>(work: F) -> F::Output {
    FROM_REPLICA.scope(Cell::new(true), work).await
}

/// The connections to read from.
#[derive(Clone, Debug)]
pub struct Reader {
    pub(super) primary: DatabaseConnection,
    pub(super) kept: Kept,
    pub(super) replica: Option<Replica>,
}

impl Reader {
    /// Whether what is asked now goes to the replica.
    pub(in crate::store) fn is_replica(&self) -> bool {
        self.replica().is_some()
    }

    /// The replica, if this operation reads from it.
    fn replica(&self) -> Option<&Replica> {
        self.replica.as_ref().filter(|_| FROM_REPLICA.try_with(Cell::get).unwrap_or(false))
    }
}

/// The replica's answer. Without one the rest of the operation reads from the primary: it is never behind what the replica
/// has told already, and the caller learns of nothing.
async fn answered<T>(asked: impl Future<Output = Option<Result<T, DbErr>>>) -> Option<Result<T, DbErr>> {
    let answer = asked.await;
    if answer.is_none() {
        let _ = FROM_REPLICA.try_with(|reading| reading.set(false));
    }
    answer
}

#[async_trait::async_trait]
impl ConnectionTrait for Reader {
    fn get_database_backend(&self) -> DbBackend {
        self.primary.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.primary.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.primary.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        if let Some(replica) = self.replica()
            && let Some(answer) = answered(replica.ask(|it| it.query_one_raw(statement.clone()))).await
        {
            return answer;
        }
        Ok(self.kept.query_all(statement).await?.into_iter().next())
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        if let Some(replica) = self.replica()
            && let Some(answer) = answered(replica.ask(|it| it.query_all_raw(statement.clone()))).await
        {
            return answer;
        }
        self.kept.query_all(statement).await
    }
}
