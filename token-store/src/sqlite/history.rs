use async_trait::async_trait;
use sqlx::SqlitePool;

use crate::{ConnectionId, Entry, History, OwnerId, StoreError, sql};

/// A history in a SQLite file. Clones share the pool.
#[derive(Clone, Debug)]
pub struct SqliteHistory {
    pool: SqlitePool,
}

impl SqliteHistory {
    pub(super) fn on_migrated(pool: SqlitePool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl History for SqliteHistory {
    async fn append(&self, entry: &Entry) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO token_store_history (connection, owner, at, event, status, reason) VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(entry.connection.as_str())
        .bind(entry.owner.as_str())
        .bind(entry.at.as_microsecond())
        .bind(&entry.event)
        .bind(entry.status.as_str())
        .bind(entry.reason.as_deref())
        .execute(&self.pool)
        .await
        .map_err(StoreError::unavailable)?;
        Ok(())
    }

    async fn entries(&self, connection: &ConnectionId, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let rows = sqlx::query(
            "SELECT connection, owner, at, event, status, reason FROM token_store_history
             WHERE connection = ? ORDER BY number DESC LIMIT ?",
        )
        .bind(connection.as_str())
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::unavailable)?;
        rows.iter().map(|row| sql::entry(row, connection)).collect()
    }

    async fn erase(&self, owner: &OwnerId) -> Result<u64, StoreError> {
        let done = sqlx::query("DELETE FROM token_store_history WHERE owner = ?")
            .bind(owner.as_str())
            .execute(&self.pool)
            .await
            .map_err(StoreError::unavailable)?;
        Ok(done.rows_affected())
    }
}
