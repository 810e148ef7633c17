mod history;
mod lock;
mod store;

use std::{str::FromStr as _, time::Duration};

use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

pub use self::{history::SqliteHistory, lock::SqliteLock, store::SqliteStore};
use crate::{StoreError, sql};

/// How long to wait for others who write.
const BUSY_TIMEOUT: Duration = Duration::from_secs(15);
/// How often to look again where SQLite itself does not wait, and how long between.
const ATTEMPTS: u32 = 600;
const PAUSE: Duration = Duration::from_millis(25);

/// Opens a pool, and waits where SQLite does not: of several who turn a new file to WAL at once it refuses all but one,
/// whatever their `busy_timeout`, and says that the database is locked. For hosts that open their file themselves.
///
/// # Errors
/// What keeps the first connection from being made.
pub async fn open_sqlite(
    pool: SqlitePoolOptions,
    options: SqliteConnectOptions,
) -> Result<SqlitePool, sqlx::Error> {
    for _ in 0..ATTEMPTS {
        match pool.clone().connect_with(options.clone()).await {
            Err(error) if is_busy(&error) => tokio::time::sleep(PAUSE).await,
            other => return other,
        }
    }
    pool.connect_with(options).await
}

/// Opens a pool whose commits survive a power cut: a rotated token that is lost logs somebody out, and token saves
/// are rare, so `synchronous` is `FULL`.
async fn connect(url: &str) -> Result<SqlitePool, StoreError> {
    let options = SqliteConnectOptions::from_str(url)
        .map_err(|_| StoreError::Invalid("the text is not a URL of a SQLite file"))?
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("secure_delete", "ON")
        .busy_timeout(BUSY_TIMEOUT);
    // A database in memory lives and dies with its connection: one, and kept.
    let in_memory = url.contains(":memory:") || url.contains("mode=memory");
    let pool = if in_memory {
        SqlitePoolOptions::new()
            .max_connections(1)
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
    } else {
        SqlitePoolOptions::new()
    };
    // A file does not go stale; and a call that is dropped while its connection is tested closes the connection.
    let pool = pool.test_before_acquire(false);
    open_sqlite(pool, options).await.map_err(StoreError::unavailable)
}

fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    // Its low byte is SQLITE_BUSY, whatever else it says.
    code.and_then(|code| code.parse().ok())
        .is_some_and(|code: u32| code & 0xff == 5)
}

/// In the order in which they are applied; one that was released is never changed.
const MIGRATIONS: [(i64, &str, &str); 4] = [
    (1, "tables", include_str!("sqlite/0001_tables.sql")),
    (
        2,
        "attributes and history",
        include_str!("sqlite/0002_attributes_and_history.sql"),
    ),
    (3, "more indexes", include_str!("sqlite/0003_more_indexes.sql")),
    (4, "fewer writes", include_str!("sqlite/0004_fewer_writes.sql")),
];

async fn migrate(pool: &SqlitePool) -> Result<(), StoreError> {
    migrate_to(pool, &MIGRATIONS).await
}

/// Brings the tables up to date. Several processes may do so at once: the write lock lets one after the other in.
async fn migrate_to(
    pool: &SqlitePool,
    migrations: &[(i64, &'static str, &'static str)],
) -> Result<(), StoreError> {
    let mut transaction = pool
        .begin_with("BEGIN IMMEDIATE")
        .await
        .map_err(StoreError::unavailable)?;
    // Not `run`: its future is not Send.
    sql::migrator(migrations)
        .run_direct(None, &mut *transaction, false)
        .await
        .map_err(StoreError::unavailable)?;
    transaction.commit().await.map_err(StoreError::unavailable)
}

#[cfg(test)]
mod tests;
