use async_trait::async_trait;
use sqlx::{PgPool, Postgres, QueryBuilder};

use super::{can_be_kept, unavailable};
use crate::{
    ConnectionId, Expect, Filter, Generation, Page, PageToken, PostgresHistory, PostgresLock, StoreError,
    StoredConnection, TokenStore, Versioned,
    sql::{self, Columns as _, columns, fields},
};

/// Where a save binds the fields, between the id at `$1` and the generation at `$16`.
macro_rules! values {
    () => {
        "$2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15"
    };
}

macro_rules! insert {
    ($on_conflict:expr) => {
        concat!(
            "INSERT INTO token_store_records AS kept (id, ",
            fields!(),
            ", generation) VALUES ($1, ",
            values!(),
            ", $16) ON CONFLICT (id) DO ",
            $on_conflict,
            " RETURNING generation"
        )
    };
}

// One statement each, so nobody can come between the look and the write.
const LOAD: &str = concat!("SELECT ", columns!(), " FROM token_store_records WHERE id = $1");
const FIND: &str = concat!("SELECT ", columns!(), " FROM token_store_records WHERE TRUE");
const SAVE_OVER_NOTHING: &str = insert!("NOTHING");
const SAVE_OVER_ANYTHING: &str = insert!(concat!(
    "UPDATE SET (",
    fields!(),
    ", generation) = (",
    values!(),
    ", kept.generation + 1)"
));
const SAVE_OVER_A_GENERATION: &str = concat!(
    "UPDATE token_store_records SET (",
    fields!(),
    ", generation) = (",
    values!(),
    ", $16) WHERE id = $1 AND generation = $16 - 1 RETURNING generation"
);

/// Records in a Postgres database, for any number of machines. Clones share the pool.
#[derive(Clone, Debug)]
pub struct PostgresStore {
    pool: PgPool,
}

impl PostgresStore {
    /// Opens `postgres://…` and brings its tables up to date.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when the URL is none, [`StoreError::Unavailable`] when the database does not answer or
    /// the tables cannot be made.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::from_pool(super::connect(url).await?).await
    }

    /// Uses the host's pool, and brings the tables up to date, in the schema that comes first in its `search_path`.
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
        let row = sqlx::query(LOAD)
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(unavailable)?;
        row.as_ref().map(sql::record).transpose()
    }

    async fn save(&self, record: &StoredConnection, expect: Expect) -> Result<Generation, StoreError> {
        let (statement, current) = match expect {
            Expect::Absent => (SAVE_OVER_NOTHING, None),
            Expect::Generation(generation) => (SAVE_OVER_A_GENERATION, Some(generation)),
            Expect::Any => (SAVE_OVER_ANYTHING, None),
        };
        // What it will be if the store has what is expected, which the statement sees to.
        let generation = expect.advance(record, current)?;
        let (scopes, attributes) = sql::json_columns(record)?;
        let row = sqlx::query(statement)
            .bind(record.id.as_str())
            .bind(record.owner.as_str())
            .bind(record.kind.as_str())
            .bind(record.provider_account.as_deref())
            .bind(record.provider_user.as_deref())
            .bind(record.display_name.as_deref())
            .bind(record.email.as_deref())
            .bind(record.status.as_str())
            .bind(record.status_reason.as_deref())
            .bind(scopes)
            .bind(attributes)
            .bind(record.created_at.as_microsecond())
            .bind(record.updated_at.as_microsecond())
            .bind(record.expires_at.map(|at| at.as_microsecond()))
            .bind(record.sealed.as_ref().map(ToString::to_string))
            .bind(sql::generation_column(generation)?)
            .fetch_optional(&self.pool)
            .await
            .map_err(unavailable)?;
        let saved = row.ok_or(StoreError::Conflict)?;
        let saved = saved.number("generation").map_err(StoreError::unavailable)?;
        u64::try_from(saved)
            .map(Generation::new)
            .map_err(|source| StoreError::corrupt(record.id.clone(), source))
    }

    async fn delete(&self, id: &ConnectionId) -> Result<(), StoreError> {
        if !can_be_kept(id.as_str()) {
            return Ok(());
        }
        sqlx::query("DELETE FROM token_store_records WHERE id = $1")
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

/// Only what is asked for stands in the statement, so that an index serves it, however many records there are.
fn find(query: &mut QueryBuilder<Postgres>, filter: &Filter, page: &PageToken) {
    let texts = [
        ("owner", filter.get_owner().map(|owner| owner.as_str())),
        ("kind", filter.get_kind().map(|kind| kind.as_str())),
        ("status", filter.get_status().map(|status| status.as_str())),
        ("provider_account", filter.get_provider_account()),
        ("provider_user", filter.get_provider_user()),
    ];
    query.push(FIND);
    for (column, text) in texts {
        match text {
            Some(text) if can_be_kept(text) => {
                query.push(format!(" AND {column} = ")).push_bind(text.to_owned());
            }
            Some(_) => {
                query.push(" AND FALSE");
            }
            None => {}
        }
    }
    if let Some(before) = filter.get_expires_before() {
        query
            .push(" AND expires_at < ")
            .push_bind(before.as_microsecond());
    }
    if let Some(after) = page.position() {
        query.push(" AND id > ").push_bind(after.as_str().to_owned());
    }
    query.push(" ORDER BY id LIMIT ");
    query.push_bind(i64::try_from(filter.page_size() + 1).unwrap_or(i64::MAX));
}
