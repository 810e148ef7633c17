use std::{str::FromStr as _, time::Duration};

use sqlx::{
    PgPool, Row as _, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

/// What the record knows beside its tokens.
const SCOPES: &str = "user:read:user user:read:settings meeting:write:meeting meeting:read:meeting \
                      cloud_recording:read:list_user_recordings cloud_recording:read:list_recording_files";

const PUT: &str = "INSERT INTO bench_plain (id, owner, status, scopes, expires_at, tokens)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (id) DO UPDATE
    SET owner = excluded.owner, status = excluded.status, scopes = excluded.scopes,
        expires_at = excluded.expires_at, tokens = excluded.tokens";
const GET: &str = "SELECT owner, status, scopes, expires_at, tokens FROM bench_plain WHERE id = $1";

/// The statement that one writes when tokens may lie open: a table with an id and what is known of it, one upsert and one
/// select, in a database as durable as the store's.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Plain {
    /// In a SQLite file.
    Sqlite(SqlitePool),
    /// In a Postgres database.
    Postgres(PgPool),
}

impl Plain {
    /// Opens `sqlite://path`, made if it is not there, or `postgres://…`.
    ///
    /// # Errors
    /// When it cannot be.
    pub async fn connect(url: &str) -> anyhow::Result<Self> {
        const COLUMNS: &str = "(id TEXT PRIMARY KEY NOT NULL, owner TEXT NOT NULL, status TEXT NOT NULL,
            scopes TEXT NOT NULL, expires_at BIGINT NOT NULL, tokens TEXT NOT NULL)";
        let table = format!("CREATE TABLE IF NOT EXISTS bench_plain {COLUMNS}");
        if !url.starts_with("sqlite:") {
            let pool = PgPool::connect(url).await?;
            sqlx::query(sqlx::AssertSqlSafe(table)).execute(&pool).await?;
            return Ok(Self::Postgres(pool));
        }
        let options = SqliteConnectOptions::from_str(url)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(15));
        let pool = SqlitePoolOptions::new()
            .test_before_acquire(false)
            .connect_with(options)
            .await?;
        sqlx::query(sqlx::AssertSqlSafe(table)).execute(&pool).await?;
        Ok(Self::Sqlite(pool))
    }

    /// Writes a record.
    ///
    /// # Errors
    /// When the database does not take it.
    pub async fn put(&self, id: &str, expires_at: i64, tokens: &str) -> anyhow::Result<()> {
        macro_rules! put {
            ($pool:expr) => {
                sqlx::query(PUT)
                    .bind(id)
                    .bind("bench")
                    .bind("active")
                    .bind(SCOPES)
                    .bind(expires_at)
                    .bind(tokens)
                    .execute($pool)
                    .await
                    .map(drop)
            };
        }
        match self {
            Self::Sqlite(pool) => put!(pool)?,
            Self::Postgres(pool) => put!(pool)?,
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
                let kept: (String, String, String, i64, String) = (
                    row.try_get(0)?,
                    row.try_get(1)?,
                    row.try_get(2)?,
                    row.try_get(3)?,
                    row.try_get(4)?,
                );
                kept
            }};
        }
        let kept = match self {
            Self::Sqlite(pool) => get!(pool),
            Self::Postgres(pool) => get!(pool),
        };
        Ok(std::hint::black_box(kept).4.len())
    }
}
