use std::{fmt, str::FromStr, sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::{
    SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::Mutex;

use crate::{
    Clock, Counts, Enqueued, JobFilter, JobId, JobQueue, JobRecord, JobState, Lease, NewJob, QueueError,
    Signal, Wakeups, WorkerId, clock::later,
};

mod open;
mod row;
mod schema;
mod statements;
mod write;

pub use open::open_sqlite;
use row::{corrupt_or_unavailable as failed, micros};
use write::Write;

/// A queue in a SQLite file, for any number of processes of one machine.
///
/// Its tables begin with `job_queue_` and may live in a file with others. What it costs to enqueue, claim and finish a job
/// does not grow with the number of jobs that are done.
#[derive(Clone)]
pub struct SqliteQueue {
    pool: SqlitePool,
    /// Writers of one process queue here, fairly and without spinning; SQLite's own lock is for the other processes.
    writer: Arc<Mutex<()>>,
    clock: Clock,
    signal: Signal,
}

impl fmt::Debug for SqliteQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SqliteQueue")
    }
}

impl SqliteQueue {
    /// Opens or creates the file of a URL like `sqlite://path/to/jobs.db`; `sqlite::memory:` is one that vanishes with
    /// the queue. The tables are made, or brought up to date.
    ///
    /// What was enqueued survives a power cut (`synchronous = FULL`): a webhook's sender is told 200 on the strength of it.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened, or was written by a newer version.
    pub async fn connect(url: &str) -> Result<Self, QueueError> {
        let options = SqliteConnectOptions::from_str(url)
            .map_err(failed)?
            .create_if_missing(true)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(30))
            .synchronous(SqliteSynchronous::Full);
        let pool = if url.contains(":memory:") || url.contains("mode=memory") {
            // One connection for ever: with the connection the data goes.
            let only_one = SqlitePoolOptions::new()
                .max_connections(1)
                .idle_timeout(None)
                .max_lifetime(None);
            open_sqlite(only_one, options).await
        } else {
            let options = options.journal_mode(SqliteJournalMode::Wal);
            open_sqlite(SqlitePoolOptions::new().max_connections(4), options).await
        };
        Self::from_pool(pool.map_err(failed)?).await
    }

    /// A queue in a database that the host has opened. The tables are made, or brought up to date.
    ///
    /// Whether a job survives a power cut is then up to the pool's `synchronous` setting.
    ///
    /// # Errors
    ///
    /// When the tables cannot be made.
    pub async fn from_pool(pool: SqlitePool) -> Result<Self, QueueError> {
        schema::migrate(&pool).await?;
        Ok(Self {
            pool,
            writer: Arc::new(Mutex::new(())),
            clock: Clock::system(),
            signal: Signal::new(),
        })
    }

    /// Takes the time from this clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Takes the jobs in as part of the caller's transaction: they exist if, and only if, it commits. Begin it with
    /// `BEGIN IMMEDIATE`, or it may have to be tried again.
    ///
    /// Call [`SqliteQueue::wake`] after the commit, or the jobs wait until a worker looks.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn enqueue_in(
        &self,
        transaction: &mut SqliteConnection,
        jobs: &[NewJob],
    ) -> Result<Vec<Enqueued>, QueueError> {
        write::insert_all(transaction, jobs, self.clock.now()).await
    }

    /// Tells this process's workers that there may be something to do.
    pub fn wake(&self) {
        self.signal.ring();
    }

    async fn begin(&self) -> Result<Write, QueueError> {
        Write::begin(&self.pool, Arc::clone(&self.writer)).await
    }

    /// Finishes the job for good, as done or dead.
    async fn finish(
        &self,
        lease: &Lease,
        state: JobState,
        reason: Option<&str>,
        next: &[NewJob],
    ) -> Result<(), QueueError> {
        let now = self.clock.now();
        let mut write = self.begin().await?;
        let finished = sqlx::query(statements::FINISH)
            .bind(row::number(lease.job.id.get()))
            .bind(row::number(lease.fence.get()))
            .bind(row::state_number(state))
            .bind(micros(now))
            .bind(reason)
            .execute(write.connection())
            .await
            .map_err(failed)?;
        write::only_if_leased(&finished)?;
        write.give_next_turn(lease.job.ordering_key.as_deref()).await?;
        write::insert_all(write.connection(), next, now).await?;
        write.commit().await?;
        self.signal.ring();
        Ok(())
    }
}

#[async_trait]
impl JobQueue for SqliteQueue {
    async fn enqueue(&self, jobs: &[NewJob]) -> Result<Vec<Enqueued>, QueueError> {
        let mut write = self.begin().await?;
        let enqueued = write::insert_all(write.connection(), jobs, self.clock.now()).await?;
        write.commit().await?;
        self.signal.ring();
        Ok(enqueued)
    }

    async fn claim(
        &self,
        worker: &WorkerId,
        kinds: &[String],
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Lease>, QueueError> {
        let kinds = serde_json::to_string(kinds).map_err(QueueError::payload)?;
        let mut write = self.begin().await?;
        let now = self.clock.now();
        let expires_at = later(now, lease);
        write.bury_expired(&kinds, now).await?;
        let rows = sqlx::query(statements::CLAIM)
            .bind(worker.as_str())
            .bind(micros(expires_at))
            .bind(&kinds)
            .bind(micros(now))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(write.connection())
            .await
            .map_err(failed)?;
        let mut leases = Vec::with_capacity(rows.len());
        for row in &rows {
            let record = row::record(row)?;
            leases.push(Lease::new(record.job, record.fence, expires_at));
        }
        write.commit().await?;
        // RETURNING promises no order.
        leases.sort_unstable_by_key(|lease| (lease.job.run_at, lease.job.id));
        Ok(leases)
    }

    async fn renew(&self, lease: &Lease, by: Duration) -> Result<Timestamp, QueueError> {
        let mut write = self.begin().await?;
        let expires_at = later(self.clock.now(), by);
        let renewed = sqlx::query(statements::RENEW)
            .bind(row::number(lease.job.id.get()))
            .bind(row::number(lease.fence.get()))
            .bind(micros(expires_at))
            .execute(write.connection())
            .await
            .map_err(failed)?;
        write::only_if_leased(&renewed)?;
        write.commit().await?;
        Ok(expires_at)
    }

    async fn complete(&self, lease: &Lease, next: &[NewJob]) -> Result<(), QueueError> {
        self.finish(lease, JobState::Done, None, next).await
    }

    async fn retry(&self, lease: &Lease, run_at: Timestamp, reason: &str) -> Result<(), QueueError> {
        if lease.job.is_last_attempt() {
            return self.finish(lease, JobState::Dead, Some(reason), &[]).await;
        }
        let mut write = self.begin().await?;
        let waiting = sqlx::query(statements::RETRY)
            .bind(row::number(lease.job.id.get()))
            .bind(row::number(lease.fence.get()))
            .bind(micros(run_at))
            .bind(reason)
            .execute(write.connection())
            .await
            .map_err(failed)?;
        write::only_if_leased(&waiting)?;
        write.give_next_turn(lease.job.ordering_key.as_deref()).await?;
        write.commit().await?;
        self.signal.ring();
        Ok(())
    }

    async fn bury(&self, lease: &Lease, reason: &str) -> Result<(), QueueError> {
        self.finish(lease, JobState::Dead, Some(reason), &[]).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), QueueError> {
        let mut write = self.begin().await?;
        let released = sqlx::query(statements::RELEASE)
            .bind(row::number(lease.job.id.get()))
            .bind(row::number(lease.fence.get()))
            .execute(write.connection())
            .await
            .map_err(failed)?;
        write::only_if_leased(&released)?;
        write.give_next_turn(lease.job.ordering_key.as_deref()).await?;
        write.commit().await?;
        self.signal.ring();
        Ok(())
    }

    async fn job(&self, id: JobId) -> Result<Option<JobRecord>, QueueError> {
        let row = sqlx::query(statements::GET)
            .bind(row::number(id.get()))
            .fetch_optional(&self.pool)
            .await;
        row.map_err(failed)?.as_ref().map(row::record).transpose()
    }

    async fn list(&self, filter: &JobFilter) -> Result<Vec<JobRecord>, QueueError> {
        let rows = statements::list(filter)
            .build()
            .fetch_all(&self.pool)
            .await
            .map_err(failed)?;
        rows.iter().map(row::record).collect()
    }

    async fn requeue(&self, id: JobId) -> Result<bool, QueueError> {
        let mut write = self.begin().await?;
        let row = sqlx::query(statements::REQUEUE)
            .bind(row::number(id.get()))
            .bind(micros(self.clock.now()))
            .fetch_optional(write.connection())
            .await
            .map_err(failed)?;
        let Some(row) = row else { return Ok(false) };
        if let Some(key) = row::record(&row)?.job.ordering_key {
            write.take_back_turns(&key).await?;
            write.give_next_turn(Some(&key)).await?;
        }
        write.commit().await?;
        self.signal.ring();
        Ok(true)
    }

    async fn purge(&self, done_before: Timestamp, limit: u32) -> Result<u64, QueueError> {
        let mut write = self.begin().await?;
        let purged = sqlx::query(statements::PURGE)
            .bind(micros(done_before))
            .bind(i64::from(limit))
            .execute(write.connection())
            .await
            .map_err(failed)?;
        write.commit().await?;
        Ok(purged.rows_affected())
    }

    async fn counts(&self) -> Result<Counts, QueueError> {
        let row = sqlx::query(statements::COUNTS)
            .fetch_one(&self.pool)
            .await
            .map_err(failed)?;
        row::counts(&row)
    }

    fn wakeups(&self) -> Wakeups {
        self.signal.subscribe()
    }
}

#[cfg(test)]
mod tests;
