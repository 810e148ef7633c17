//! One SQLite file for everything.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, Result};
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

/// Opens the file, made if it is not there. `FULL`, because a webhook's 200 and a rotated token are promises.
pub(crate) async fn open(path: &Path) -> Result<SqlitePool> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("could not make the folder {}", folder.display()))?;
    }
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("secure_delete", "ON")
        .busy_timeout(Duration::from_secs(30));
    let pool = token_store::open_sqlite(SqlitePoolOptions::new().max_connections(8), options).await;
    pool.with_context(|| format!("could not open the database {}", path.display()))
}
