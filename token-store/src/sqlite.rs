mod lock;
mod record;
mod store;

use std::{borrow::Cow, str::FromStr as _, time::Duration};

use sqlx::{
    SqlSafeStr as _, SqlitePool,
    migrate::{Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

pub use self::{lock::SqliteLock, store::SqliteStore};
use crate::StoreError;

/// Opens a pool whose commits survive a power cut: a rotated token that is lost logs somebody out, and token saves
/// are rare, so `synchronous` is `FULL`.
async fn connect(url: &str) -> Result<SqlitePool, StoreError> {
    let options = SqliteConnectOptions::from_str(url)
        .map_err(StoreError::unavailable)?
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("secure_delete", "ON")
        .busy_timeout(Duration::from_secs(15));
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
    pool.connect_with(options).await.map_err(StoreError::unavailable)
}

const TABLES: &str = include_str!("sqlite/0001_tables.sql");

/// Brings the tables up to date. Several processes may do so at once: the write lock lets one after the other in.
async fn migrate(pool: &SqlitePool) -> Result<(), StoreError> {
    let mut migrator = Migrator::with_migrations(vec![Migration::new(
        1,
        Cow::Borrowed("tables"),
        MigrationType::Simple,
        TABLES.into_sql_str(),
        false,
    )]);
    migrator.dangerous_set_table_name("token_store_migrations");
    let mut transaction = pool
        .begin_with("BEGIN IMMEDIATE")
        .await
        .map_err(StoreError::unavailable)?;
    // Not `run`: its future is not Send.
    migrator
        .run_direct(None, &mut *transaction, false)
        .await
        .map_err(StoreError::unavailable)?;
    transaction.commit().await.map_err(StoreError::unavailable)
}

#[cfg(test)]
mod tests;
