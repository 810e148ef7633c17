use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::SqlitePool;

use crate::{Clock, Fence, Holder, LockKey, RefreshLock, StoreError, sql};

/// Leases as rows of a SQLite file, for any number of processes on one machine. A holder that dies frees its key when
/// its time is up.
#[derive(Clone, Debug)]
pub struct SqliteLock {
    pool: SqlitePool,
    clock: Clock,
}

impl SqliteLock {
    /// Opens `sqlite://path`, made if it is not there, or `sqlite::memory:`, and brings its tables up to date.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when the URL is none, [`StoreError::Unavailable`] when the file cannot be opened or its
    /// tables cannot be made.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::from_pool(super::connect(url).await?).await
    }

    /// Uses the host's pool, and brings the tables up to date.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the tables cannot be made.
    pub async fn from_pool(pool: SqlitePool) -> Result<Self, StoreError> {
        super::migrate(&pool).await?;
        Ok(Self::on_migrated(pool))
    }

    pub(super) fn on_migrated(pool: SqlitePool) -> Self {
        Self {
            pool,
            clock: Clock::system(),
        }
    }

    /// Reads the time from `clock`.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }
}

#[async_trait]
impl RefreshLock for SqliteLock {
    async fn try_acquire(
        &self,
        key: &LockKey,
        holder: &Holder,
        lease: Duration,
    ) -> Result<Option<Fence>, StoreError> {
        let now = self.clock.now();
        let until = now.checked_add(lease).unwrap_or(Timestamp::MAX);
        // One statement, so nobody can come between the look and the taking.
        let rows = sqlx::query(
            "INSERT INTO token_store_leases (key, holder, fence, expires_at) VALUES (?1, ?2, 1, ?3)
             ON CONFLICT (key) DO UPDATE
             SET holder = excluded.holder, fence = fence + 1, expires_at = excluded.expires_at
             WHERE holder IS NULL OR expires_at <= ?4
             RETURNING fence",
        )
        .bind(key.as_str())
        .bind(holder.as_str())
        .bind(until.as_microsecond())
        .bind(now.as_microsecond())
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::unavailable)?;
        rows.first().map(sql::fence).transpose()
    }

    async fn release(&self, key: &LockKey, holder: &Holder) -> Result<(), StoreError> {
        sqlx::query("UPDATE token_store_leases SET holder = NULL WHERE key = ? AND holder = ?")
            .bind(key.as_str())
            .bind(holder.as_str())
            .execute(&self.pool)
            .await
            .map_err(StoreError::unavailable)?;
        Ok(())
    }
}
