use std::time::Duration;

use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};

/// How often to look again where SQLite itself does not wait, and how long between.
const ATTEMPTS: u32 = 600;
const PAUSE: Duration = Duration::from_millis(25);

/// Opens a pool, and waits where SQLite does not: of several who turn a new file to WAL at once it refuses all but one,
/// whatever their `busy_timeout`, and says that the database is locked. For hosts that open their file themselves.
///
/// # Errors
///
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

fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    // Its low byte is SQLITE_BUSY, whatever else it says.
    code.and_then(|code| code.parse().ok())
        .is_some_and(|code: u32| code & 0xff == 5)
}

#[cfg(test)]
mod tests {
    use sqlx::sqlite::SqliteJournalMode;

    use super::*;

    #[tokio::test]
    async fn who_opens_a_new_file_waits_for_whoever_writes_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteConnectOptions::new()
            .filename(folder.path().join("new.sqlite"))
            .create_if_missing(true);
        let other = SqlitePool::connect_with(options.clone()).await.unwrap();
        let writing = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
        let mut opening = tokio::spawn(open_sqlite(
            SqlitePoolOptions::new(),
            options
                .journal_mode(SqliteJournalMode::Wal)
                .busy_timeout(Duration::ZERO),
        ));
        let early = tokio::time::timeout(Duration::from_millis(100), &mut opening).await;
        assert!(early.is_err(), "{early:?}");
        writing.rollback().await.unwrap();
        opening.await.unwrap().unwrap();
    }
}
