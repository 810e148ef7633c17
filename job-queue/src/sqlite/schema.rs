use sqlx::{
    SqlSafeStr, SqlitePool,
    migrate::{Migration, MigrationType, Migrator},
};

use super::row::corrupt_or_unavailable as failed;
use crate::QueueError;

/// States: 0 waiting, 1 running, 2 done, 3 dead. Times are microseconds since 1970, UTC.
///
/// `turn` is 1 for jobs without ordering key and for the one job of a key that may run; so a long line behind one key
/// costs a claim nothing. Every index a claim or an acknowledgement uses leaves the finished jobs out.
const CREATE: &str = "
CREATE TABLE job_queue_jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    state INTEGER NOT NULL DEFAULT 0,
    turn INTEGER NOT NULL,
    dedupe_key TEXT,
    ordering_key TEXT,
    attempt INTEGER NOT NULL DEFAULT 0,
    max_attempts INTEGER NOT NULL,
    enqueued_at INTEGER NOT NULL,
    run_at INTEGER NOT NULL,
    fence INTEGER NOT NULL DEFAULT 0,
    worker TEXT,
    lease_expires_at INTEGER,
    finished_at INTEGER,
    last_error TEXT
) STRICT;
CREATE UNIQUE INDEX job_queue_dedupe ON job_queue_jobs (kind, dedupe_key) WHERE dedupe_key IS NOT NULL;
CREATE INDEX job_queue_waiting ON job_queue_jobs (kind, turn, run_at, id) WHERE state = 0;
CREATE INDEX job_queue_running ON job_queue_jobs (lease_expires_at) WHERE state = 1;
CREATE INDEX job_queue_ordering ON job_queue_jobs (ordering_key, state, id) WHERE ordering_key IS NOT NULL AND state < 2;
CREATE INDEX job_queue_done ON job_queue_jobs (finished_at) WHERE state = 2;
CREATE INDEX job_queue_dead ON job_queue_jobs (kind) WHERE state = 3;
";

/// Makes the tables, or brings them up to date; several processes may do so at once.
pub(super) async fn migrate(pool: &SqlitePool) -> Result<(), QueueError> {
    let create = Migration::new(
        1,
        "jobs".into(),
        MigrationType::Simple,
        CREATE.into_sql_str(),
        /* in our transaction */ true,
    );
    let mut migrator = Migrator::with_migrations(vec![create]);
    migrator.dangerous_set_table_name("job_queue_migrations");
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    migrator
        .run_direct(None, &mut *transaction, false)
        .await
        .map_err(QueueError::unavailable)?;
    transaction.commit().await.map_err(failed)
}
