use async_trait::async_trait;
use sqlx::PgPool;

use super::{can_be_kept, unavailable};
use crate::{ConnectionId, Entry, History, OwnerId, StoreError, sql};

/// A history in a Postgres database. Clones share the pool.
#[derive(Clone, Debug)]
pub struct PostgresHistory {
    pool: PgPool,
}

impl PostgresHistory {
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
        Self { pool }
    }
}

#[async_trait]
impl History for PostgresHistory {
    async fn append(&self, entry: &Entry) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO token_store_history (connection, owner, at, event, status, reason)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(entry.connection.as_str())
        .bind(entry.owner.as_str())
        .bind(entry.at.as_microsecond())
        .bind(&entry.event)
        .bind(entry.status.as_str())
        .bind(entry.reason.as_deref())
        .execute(&self.pool)
        .await
        .map_err(unavailable)?;
        Ok(())
    }

    async fn entries(&self, connection: &ConnectionId, limit: usize) -> Result<Vec<Entry>, StoreError> {
        if !can_be_kept(connection.as_str()) {
            return Ok(Vec::new());
        }
        let rows = sqlx::query(
            "SELECT connection, owner, at, event, status, reason FROM token_store_history
             WHERE connection = $1 ORDER BY number DESC LIMIT $2",
        )
        .bind(connection.as_str())
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&self.pool)
        .await
        .map_err(unavailable)?;
        rows.iter().map(|row| sql::entry(row, connection)).collect()
    }

    async fn erase(&self, owner: &OwnerId) -> Result<u64, StoreError> {
        if !can_be_kept(owner.as_str()) {
            return Ok(0);
        }
        let done = sqlx::query("DELETE FROM token_store_history WHERE owner = $1")
            .bind(owner.as_str())
            .execute(&self.pool)
            .await
            .map_err(unavailable)?;
        Ok(done.rows_affected())
    }
}
