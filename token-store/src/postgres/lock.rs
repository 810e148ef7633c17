use std::time::Duration;

use async_trait::async_trait;
use sqlx::PgPool;

use super::unavailable;
use crate::{Clock, Fence, Holder, LockKey, RefreshLock, StoreError, sql};

/// Leases as rows of a Postgres database, for any number of machines. A holder that dies frees its key when its time is
/// up. The time is the database's, so machines whose clocks differ agree on who holds what.
#[derive(Clone, Debug)]
pub struct PostgresLock {
    pool: PgPool,
    clock: Option<Clock>,
}

impl PostgresLock {
    /// Opens `postgres://…` and brings its tables up to date.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when the URL is none or has a parameter that nobody knows, [`StoreError::Unavailable`] when
    /// the database does not answer or the tables cannot be made.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::from_pool(super::connect(url).await?).await
    }

    /// Uses the host's pool, and brings the tables up to date.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the tables cannot be made.
    pub async fn from_pool(pool: PgPool) -> Result<Self, StoreError> {
        super::migrate(&pool).await?;
        Ok(Self::on_migrated(pool))
    }

    pub(super) fn on_migrated(pool: PgPool) -> Self {
        Self { pool, clock: None }
    }

    /// Reads the time from `clock` instead of asking the database.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = Some(clock);
        self
    }
}

#[async_trait]
impl RefreshLock for PostgresLock {
    async fn try_acquire(
        &self,
        key: &LockKey,
        holder: &Holder,
        lease: Duration,
    ) -> Result<Option<Fence>, StoreError> {
        // Half of what a column holds is 146,000 years: any time plus any lease fits.
        let lease = i64::try_from(lease.as_micros())
            .unwrap_or(i64::MAX)
            .min(i64::MAX / 2);
        // One statement, so nobody can come between the look and the taking.
        let row = sqlx::query(
            "INSERT INTO token_store_leases AS held (key, holder, fence, expires_at)
             VALUES ($1, $2, 1, $3 + coalesce($4, (extract(epoch FROM clock_timestamp()) * 1000000)::BIGINT))
             ON CONFLICT (key) DO UPDATE
             SET holder = excluded.holder, fence = held.fence + 1, expires_at = excluded.expires_at
             WHERE held.holder IS NULL OR held.expires_at <= excluded.expires_at - $3
             RETURNING fence",
        )
        .bind(key.as_str())
        .bind(holder.as_str())
        .bind(lease)
        .bind(self.clock.as_ref().map(|clock| clock.now().as_microsecond()))
        .fetch_optional(&self.pool)
        .await
        .map_err(unavailable)?;
        row.as_ref().map(sql::fence).transpose()
    }

    async fn release(&self, key: &LockKey, holder: &Holder) -> Result<(), StoreError> {
        sqlx::query("UPDATE token_store_leases SET holder = NULL WHERE key = $1 AND holder = $2")
            .bind(key.as_str())
            .bind(holder.as_str())
            .execute(&self.pool)
            .await
            .map_err(unavailable)?;
        Ok(())
    }
}
