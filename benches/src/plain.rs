use std::{str::FromStr as _, time::Duration};

use sqlx::{
    PgPool, Row as _, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use token_store::{OwnerId, StoredConnection};

use crate::record;

/// The columns of the store's own table, but for the generation, which only conditional saves need.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS bench_plain (
    id TEXT PRIMARY KEY NOT NULL, owner TEXT NOT NULL, kind TEXT NOT NULL, provider_account TEXT, provider_user TEXT,
    display_name TEXT, email TEXT, status TEXT NOT NULL, scopes TEXT NOT NULL, created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, tokens TEXT NOT NULL)";
const PUT: &str = "INSERT INTO bench_plain VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
    ON CONFLICT (id) DO UPDATE
    SET owner = excluded.owner, kind = excluded.kind, provider_account = excluded.provider_account,
        provider_user = excluded.provider_user, display_name = excluded.display_name, email = excluded.email,
        status = excluded.status, scopes = excluded.scopes, created_at = excluded.created_at,
        updated_at = excluded.updated_at, expires_at = excluded.expires_at, tokens = excluded.tokens";
const GET: &str =
    "SELECT owner, kind, provider_account, provider_user, display_name, email, status, scopes, created_at,
        updated_at, expires_at, tokens
    FROM bench_plain WHERE id = $1";

/// The statement that one writes when tokens may lie open: the same record, in a table without further indexes, with one
/// upsert and one select, in a database as durable as the store's.
#[derive(Clone, Debug)]
pub struct Plain {
    database: Database,
    record: StoredConnection,
    scopes: String,
}

#[derive(Clone, Debug)]
enum Database {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Plain {
    /// Opens `sqlite://path`, made if it is not there, or `postgres://…`.
    ///
    /// # Errors
    /// When it cannot be.
    pub async fn connect(url: &str) -> anyhow::Result<Self> {
        let database = if url.starts_with("sqlite:") {
            let options = SqliteConnectOptions::from_str(url)?
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(Duration::from_secs(15));
            let pool = SqlitePoolOptions::new().test_before_acquire(false);
            let pool = pool.connect_with(options).await?;
            sqlx::query(TABLE).execute(&pool).await?;
            Database::Sqlite(pool)
        } else {
            let pool = PgPool::connect(url).await?;
            sqlx::query(TABLE).execute(&pool).await?;
            Database::Postgres(pool)
        };
        let record = record(&OwnerId::new("bench"), "connection");
        Ok(Self {
            database,
            scopes: record.scopes.join(" "),
            record,
        })
    }

    /// Writes a record.
    ///
    /// # Errors
    /// When the database does not take it.
    pub async fn put(&self, id: &str, expires_at: i64, tokens: &str) -> anyhow::Result<()> {
        let record = &self.record;
        macro_rules! put {
            ($pool:expr) => {
                sqlx::query(PUT)
                    .bind(id)
                    .bind(record.owner.as_str())
                    .bind(record.kind.as_str())
                    .bind(record.provider_account.as_deref())
                    .bind(record.provider_user.as_deref())
                    .bind(record.display_name.as_deref())
                    .bind(record.email.as_deref())
                    .bind(record.status.as_str())
                    .bind(self.scopes.as_str())
                    .bind(record.created_at.as_microsecond())
                    .bind(record.updated_at.as_microsecond())
                    .bind(expires_at)
                    .bind(tokens)
                    .execute($pool)
                    .await
                    .map(drop)
            };
        }
        match &self.database {
            Database::Sqlite(pool) => put!(pool)?,
            Database::Postgres(pool) => put!(pool)?,
        }
        Ok(())
    }

    /// Reads a record, every column of it. Returns how long its tokens are.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn get(&self, id: &str) -> anyhow::Result<usize> {
        macro_rules! get {
            ($pool:expr) => {{
                let row = sqlx::query(GET).bind(id).fetch_one($pool).await?;
                let mut texts: Vec<Option<String>> = Vec::with_capacity(9);
                for column in [0, 1, 2, 3, 4, 5, 6, 7, 11] {
                    texts.push(row.try_get(column)?);
                }
                let times: [i64; 3] = [row.try_get(8)?, row.try_get(9)?, row.try_get(10)?];
                std::hint::black_box(times);
                texts
            }};
        }
        let texts = match &self.database {
            Database::Sqlite(pool) => get!(pool),
            Database::Postgres(pool) => get!(pool),
        };
        let tokens = std::hint::black_box(texts).pop().flatten();
        Ok(tokens.unwrap_or_default().len())
    }
}
