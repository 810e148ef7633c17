use async_trait::async_trait;
use sqlx::{PgPool, Postgres, QueryBuilder};

use super::{can_be_kept, unavailable};
use crate::{
    ConnectionId, Expect, Filter, Generation, Page, PageToken, PostgresHistory, PostgresLock, StoreError,
    StoredConnection, TokenStore, Versioned, sql,
};

/// Records in a Postgres database, for any number of machines. Clones share the pool.
#[derive(Clone, Debug)]
pub struct PostgresStore {
    pool: PgPool,
}

impl PostgresStore {
    /// Opens `postgres://…` and brings its tables up to date.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when the URL is none or has a parameter that nobody knows, [`StoreError::Unavailable`] when
    /// the database does not answer or the tables cannot be made.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::from_pool(super::connect(url).await?).await
    }

    /// Uses the host's pool, and brings the tables up to date, in the schema that comes first in its `search_path`.
    /// Its transactions are to be `read committed`, as they are in Postgres unless told otherwise: with a stricter
    /// default, whoever loses a race is told [`StoreError::Unavailable`].
    /// With `synchronous_commit = off` a power cut may lose the newest saves, and with them a rotated token.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the tables cannot be made.
    pub async fn from_pool(pool: PgPool) -> Result<Self, StoreError> {
        super::migrate(&pool).await?;
        Ok(Self { pool })
    }

    /// A lock in the same database.
    #[must_use]
    pub fn lock(&self) -> PostgresLock {
        PostgresLock::on_migrated(self.pool.clone())
    }

    /// A history in the same database.
    #[must_use]
    pub fn history(&self) -> PostgresHistory {
        PostgresHistory::on_migrated(self.pool.clone())
    }

    #[cfg(test)]
    pub(super) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// How Postgres would look for these records.
    #[cfg(test)]
    pub(super) async fn plan(&self, filter: &Filter) -> String {
        use crate::sql::Columns as _;

        let mut query = QueryBuilder::new("EXPLAIN ");
        find(&mut query, filter, &PageToken::first());
        let rows = query.build().fetch_all(&self.pool).await.unwrap();
        let steps: Vec<String> = rows.iter().map(|row| row.text("QUERY PLAN").unwrap()).collect();
        steps.join("\n")
    }

    /// Closes the pool when all running calls have ended.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

#[async_trait]
impl TokenStore for PostgresStore {
    async fn load(&self, id: &ConnectionId) -> Result<Option<Versioned<StoredConnection>>, StoreError> {
        if !can_be_kept(id.as_str()) {
            return Ok(None);
        }
        let row = sqlx::query(sql::LOAD)
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(unavailable)?;
        row.as_ref().map(sql::record).transpose()
    }

    async fn save(&self, record: &StoredConnection, expect: Expect) -> Result<Generation, StoreError> {
        let rows = sql::save(record, expect)?
            .fetch_all(&self.pool)
            .await
            .map_err(unavailable)?;
        sql::saved(&rows, &record.id)
    }

    async fn delete(&self, id: &ConnectionId) -> Result<(), StoreError> {
        if !can_be_kept(id.as_str()) {
            return Ok(());
        }
        sqlx::query(sql::DELETE)
            .bind(id.as_str())
            .execute(&self.pool)
            .await
            .map_err(unavailable)?;
        Ok(())
    }

    async fn find(
        &self,
        filter: &Filter,
        page: PageToken,
    ) -> Result<Page<Versioned<StoredConnection>>, StoreError> {
        let mut query = QueryBuilder::new("");
        find(&mut query, filter, &page);
        let rows = query.build().fetch_all(&self.pool).await.map_err(unavailable)?;
        sql::page(&rows, filter.page_size())
    }
}

fn find(query: &mut QueryBuilder<Postgres>, filter: &Filter, page: &PageToken) {
    let search = sql::Search {
        kind: "kind",
        id: "id",
        can_hold: can_be_kept,
    };
    search.push(query, filter, page);
}
