use async_trait::async_trait;
use sqlx::{QueryBuilder, Sqlite, SqlitePool};

use crate::{
    ConnectionId, Expect, Filter, Generation, Page, PageToken, SqliteHistory, SqliteLock, StoreError,
    StoredConnection, TokenStore, Versioned, sql,
};

/// Records in a SQLite file, for any number of processes on one machine. Clones share the pool.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    pool: SqlitePool,
}

impl SqliteStore {
    /// Opens `sqlite://path`, made if it is not there, or `sqlite::memory:`, and brings its tables up to date.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when the URL is none, [`StoreError::Unavailable`] when the file cannot be opened or its
    /// tables cannot be made.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::from_pool(super::connect(url).await?).await
    }

    /// Uses the host's pool, and brings the tables up to date. Open it with
    /// [`open_sqlite`](crate::open_sqlite) if several may do so at once, and give it a `busy_timeout`. With
    /// `synchronous = NORMAL` a power cut may lose the newest saves, and with them a rotated token.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the tables cannot be made.
    pub async fn from_pool(pool: SqlitePool) -> Result<Self, StoreError> {
        super::migrate(&pool).await?;
        Ok(Self { pool })
    }

    /// A lock in the same file.
    #[must_use]
    pub fn lock(&self) -> SqliteLock {
        SqliteLock::on_migrated(self.pool.clone())
    }

    /// A history in the same file.
    #[must_use]
    pub fn history(&self) -> SqliteHistory {
        SqliteHistory::on_migrated(self.pool.clone())
    }

    #[cfg(test)]
    pub(super) fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    /// How SQLite would look for these records.
    #[cfg(test)]
    pub(super) async fn plan(&self, filter: &Filter) -> String {
        use crate::sql::Columns as _;

        let mut query = QueryBuilder::new("EXPLAIN QUERY PLAN ");
        find(&mut query, filter, &PageToken::first());
        let rows = query.build().fetch_all(&self.pool).await.unwrap();
        let steps: Vec<String> = rows.iter().map(|row| row.text("detail").unwrap()).collect();
        steps.join("; ")
    }

    /// Closes the pool when all running calls have ended.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

#[async_trait]
impl TokenStore for SqliteStore {
    async fn load(&self, id: &ConnectionId) -> Result<Option<Versioned<StoredConnection>>, StoreError> {
        let row = sqlx::query(sql::LOAD)
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(StoreError::unavailable)?;
        row.as_ref().map(sql::record).transpose()
    }

    async fn save(&self, record: &StoredConnection, expect: Expect) -> Result<Generation, StoreError> {
        if let Expect::Generation(over) = expect {
            let saved = sql::save_in_place(record, over)?
                .execute(&self.pool)
                .await
                .map_err(StoreError::unavailable)?;
            if saved.rows_affected() == 1 {
                return Ok(over.next());
            }
        }
        // All rows, though there is one: the commit comes after the last.
        let rows = sql::save(record, expect)?
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::unavailable)?;
        sql::saved(&rows, &record.id)
    }

    async fn delete(&self, id: &ConnectionId) -> Result<(), StoreError> {
        sqlx::query(sql::DELETE)
            .bind(id.as_str())
            .execute(&self.pool)
            .await
            .map_err(StoreError::unavailable)?;
        Ok(())
    }

    async fn find(
        &self,
        filter: &Filter,
        page: PageToken,
    ) -> Result<Page<Versioned<StoredConnection>>, StoreError> {
        let size = filter.page_size();
        let mut query = QueryBuilder::new("");
        find(&mut query, filter, &page);
        let rows = query
            .build()
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::unavailable)?;
        sql::page(&rows, size)
    }
}

/// A plus sign keeps SQLite from an index that would not narrow anything down, such as that of all ids for the sake of
/// their order.
fn find(query: &mut QueryBuilder<Sqlite>, filter: &Filter, page: &PageToken) {
    // An account has few records, few expire soon, and a kind has nearly all of them.
    let is_narrower_than_a_kind =
        filter.get_provider_account().is_some() || filter.get_expires_before().is_some();
    let is_narrow = is_narrower_than_a_kind || filter.get_owner().is_some();
    let search = sql::Search {
        kind: if is_narrower_than_a_kind { "+kind" } else { "kind" },
        id: if is_narrow { "+id" } else { "id" },
        can_hold: |_| true,
    };
    search.push(query, filter, page);
}
