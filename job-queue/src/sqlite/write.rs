use std::sync::Arc;

use jiff::Timestamp;
use sqlx::{Sqlite, SqliteConnection, SqlitePool, Transaction, sqlite::SqliteQueryResult};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::{
    row::{self, corrupt_or_unavailable as failed, micros},
    statements,
};
use crate::{Enqueued, JobId, NewJob, QueueError};

/// A transaction that holds the write lock from its beginning, so that it never has to be tried again.
pub(super) struct Write {
    transaction: Transaction<'static, Sqlite>,
    /// After the transaction: the next writer of this process begins when this one is over.
    _turn: OwnedMutexGuard<()>,
}

impl Write {
    pub(super) async fn begin(pool: &SqlitePool, writer: Arc<Mutex<()>>) -> Result<Self, QueueError> {
        let turn = writer.lock_owned().await;
        let transaction = pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        Ok(Self {
            transaction,
            _turn: turn,
        })
    }

    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.transaction
    }

    pub(super) async fn commit(self) -> Result<(), QueueError> {
        self.transaction.commit().await.map_err(failed)
    }

    /// Jobs whose last attempt was never acknowledged become dead letters.
    pub(super) async fn bury_expired(&mut self, kinds: &str, now: Timestamp) -> Result<(), QueueError> {
        let buried = sqlx::query(statements::BURY_EXPIRED)
            .bind(kinds)
            .bind(micros(now))
            .bind(crate::lease::EXPIRED)
            .fetch_all(self.connection())
            .await
            .map_err(failed)?;
        for job in &buried {
            let key: Option<String> = row::get(job, 0)?;
            self.give_next_turn(key.as_deref()).await?;
        }
        Ok(())
    }

    /// After a job of this key has stopped running: whose turn is it?
    pub(super) async fn give_next_turn(&mut self, key: Option<&str>) -> Result<(), QueueError> {
        if let Some(key) = key {
            sqlx::query(statements::GIVE_NEXT_TURN)
                .bind(key)
                .execute(self.connection())
                .await
                .map_err(failed)?;
        }
        Ok(())
    }

    pub(super) async fn take_back_turns(&mut self, key: &str) -> Result<(), QueueError> {
        sqlx::query(statements::TAKE_BACK_TURNS)
            .bind(key)
            .execute(self.connection())
            .await
            .map_err(failed)?;
        Ok(())
    }
}

/// The fence is part of the statement: no row means that the lease is somebody else's, or the job is finished.
pub(super) fn only_if_leased(updated: &SqliteQueryResult) -> Result<(), QueueError> {
    if updated.rows_affected() == 1 {
        Ok(())
    } else {
        Err(QueueError::LeaseLost)
    }
}

pub(super) async fn insert_all(
    connection: &mut SqliteConnection,
    jobs: &[NewJob],
    now: Timestamp,
) -> Result<Vec<Enqueued>, QueueError> {
    let mut enqueued = Vec::with_capacity(jobs.len());
    for job in jobs {
        let inserted = sqlx::query(statements::INSERT)
            .bind(job.kind())
            .bind(job.payload_json())
            .bind(job.dedupe())
            .bind(job.ordering())
            .bind(i64::from(job.attempts()))
            .bind(micros(now))
            .bind(micros(job.due().unwrap_or(now)))
            .fetch_optional(&mut *connection)
            .await
            .map_err(failed)?;
        enqueued.push(match inserted {
            Some(row) => Enqueued::New(JobId::new(row::unsigned(&row, 0)?)),
            None => {
                let row = sqlx::query(statements::FIND_DUPLICATE)
                    .bind(job.kind())
                    .bind(job.dedupe())
                    .fetch_one(&mut *connection)
                    .await
                    .map_err(failed)?;
                Enqueued::Duplicate(JobId::new(row::unsigned(&row, 0)?))
            }
        });
    }
    Ok(enqueued)
}
