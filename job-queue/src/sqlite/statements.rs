use sqlx::{QueryBuilder, Sqlite};

use super::row;
use crate::{JobFilter, JobState};

/// The order of columns that `row::record` reads.
macro_rules! columns {
    () => {
        "id, kind, payload, state, dedupe_key, ordering_key, attempt, max_attempts, enqueued_at, run_at, fence, worker, \
         lease_expires_at, finished_at, last_error"
    };
}

/// ?1 kind ?2 payload ?3 dedupe key ?4 ordering key ?5 max attempts ?6 now ?7 run at
pub(super) const INSERT: &str = "
INSERT INTO job_queue_jobs (kind, payload, dedupe_key, ordering_key, max_attempts, enqueued_at, run_at, turn)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7,
    ?4 IS NULL OR NOT EXISTS (SELECT 1 FROM job_queue_jobs WHERE ordering_key = ?4 AND state < 2))
ON CONFLICT (kind, dedupe_key) WHERE dedupe_key IS NOT NULL DO NOTHING
RETURNING id";

/// ?1 kind ?2 dedupe key
pub(super) const FIND_DUPLICATE: &str = "SELECT id FROM job_queue_jobs WHERE kind = ?1 AND dedupe_key = ?2";

/// ?1 worker ?2 lease expires at ?3 kinds, a JSON list ?4 now ?5 limit
///
/// Of each kind the first few are taken from the index, then the first few of those.
pub(super) const CLAIM: &str = concat!(
    "
UPDATE job_queue_jobs
SET state = 1, attempt = attempt + 1, fence = fence + 1, worker = ?1, lease_expires_at = ?2
WHERE id IN (
    SELECT id FROM (
        SELECT job.id, job.run_at FROM json_each(?3) AS kinds CROSS JOIN job_queue_jobs AS job
        WHERE job.id IN (
            SELECT waiting.id FROM job_queue_jobs AS waiting
            WHERE waiting.state = 0 AND waiting.kind = kinds.value AND waiting.turn = 1 AND waiting.run_at <= ?4
            ORDER BY waiting.run_at, waiting.id LIMIT ?5)
        UNION ALL
        SELECT expired.id, expired.run_at FROM job_queue_jobs AS expired
        WHERE expired.state = 1 AND expired.lease_expires_at <= ?4 AND expired.kind IN (SELECT value FROM json_each(?3)))
    ORDER BY run_at, id LIMIT ?5)
RETURNING ",
    columns!()
);

/// ?1 kinds, a JSON list ?2 now ?3 reason
pub(super) const BURY_EXPIRED: &str = "
UPDATE job_queue_jobs SET state = 3, worker = NULL, lease_expires_at = NULL, finished_at = ?2, last_error = ?3
WHERE state = 1 AND lease_expires_at <= ?2 AND attempt >= max_attempts AND kind IN (SELECT value FROM json_each(?1))
RETURNING ordering_key";

/// ?1 id ?2 fence ?3 lease expires at
pub(super) const RENEW: &str =
    "UPDATE job_queue_jobs SET lease_expires_at = ?3 WHERE id = ?1 AND fence = ?2 AND state = 1";

/// ?1 id ?2 fence ?3 state ?4 now ?5 reason
pub(super) const FINISH: &str = "
UPDATE job_queue_jobs
SET state = ?3, worker = NULL, lease_expires_at = NULL, finished_at = ?4, last_error = COALESCE(?5, last_error)
WHERE id = ?1 AND fence = ?2 AND state = 1";

/// ?1 id ?2 fence ?3 run at ?4 reason
pub(super) const RETRY: &str = "
UPDATE job_queue_jobs
SET state = 0, turn = ordering_key IS NULL, worker = NULL, lease_expires_at = NULL, run_at = ?3, last_error = ?4
WHERE id = ?1 AND fence = ?2 AND state = 1";

/// ?1 id ?2 fence
pub(super) const RELEASE: &str = "
UPDATE job_queue_jobs
SET state = 0, turn = ordering_key IS NULL, worker = NULL, lease_expires_at = NULL, attempt = attempt - 1
WHERE id = ?1 AND fence = ?2 AND state = 1";

/// ?1 id ?2 now
pub(super) const REQUEUE: &str = concat!(
    "
UPDATE job_queue_jobs
SET state = 0, turn = ordering_key IS NULL, attempt = 0, run_at = ?2, finished_at = NULL
WHERE id = ?1 AND state = 3
RETURNING ",
    columns!()
);

/// ?1 ordering key. Nobody's turn while one of the key runs, else the earliest one's.
pub(super) const GIVE_NEXT_TURN: &str = "
UPDATE job_queue_jobs SET turn = 1
WHERE id = (SELECT MIN(id) FROM job_queue_jobs WHERE ordering_key = ?1 AND state < 2 AND state = 0)
    AND NOT EXISTS (SELECT 1 FROM job_queue_jobs WHERE ordering_key = ?1 AND state < 2 AND state = 1)";

/// ?1 ordering key
pub(super) const TAKE_BACK_TURNS: &str =
    "UPDATE job_queue_jobs SET turn = 0 WHERE ordering_key = ?1 AND state < 2 AND state = 0 AND turn = 1";

/// ?1 finished before ?2 limit
pub(super) const PURGE: &str = "
DELETE FROM job_queue_jobs WHERE id IN (
    SELECT id FROM job_queue_jobs WHERE state = 2 AND finished_at < ?1 ORDER BY finished_at LIMIT ?2)";

/// ?1 id
pub(super) const GET: &str = concat!("SELECT ", columns!(), " FROM job_queue_jobs WHERE id = ?1");

/// Each number comes from an index of its own.
pub(super) const COUNTS: &str = "
SELECT (SELECT COUNT(*) FROM job_queue_jobs WHERE state = 0), (SELECT COUNT(*) FROM job_queue_jobs WHERE state = 1),
    (SELECT COUNT(*) FROM job_queue_jobs WHERE state = 2), (SELECT COUNT(*) FROM job_queue_jobs WHERE state = 3)";

/// The states are written out so that the partial indexes apply. A plus sign keeps SQLite from walking through the ids:
/// few jobs are unfinished or dead, many have been done before them.
pub(super) fn list(filter: &JobFilter) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new(concat!("SELECT ", columns!(), " FROM job_queue_jobs WHERE "));
    let (start, order) = match filter.wanted_state() {
        Some(JobState::Waiting) => ("state = 0 AND +id > ", " ORDER BY +id LIMIT "),
        Some(JobState::Running) => ("state = 1 AND +id > ", " ORDER BY +id LIMIT "),
        Some(JobState::Dead) => ("state = 3 AND +id > ", " ORDER BY +id LIMIT "),
        Some(JobState::Done) => ("state = 2 AND id > ", " ORDER BY id LIMIT "),
        None => ("id > ", " ORDER BY id LIMIT "),
    };
    query
        .push(start)
        .push_bind(row::number(filter.start_after().get()));
    if let Some(kind) = filter.wanted_kind() {
        query.push(" AND kind = ").push_bind(kind.to_owned());
    }
    if let Some(key) = filter.wanted_dedupe_key() {
        query.push(" AND dedupe_key = ").push_bind(key.to_owned());
    }
    if let Some(key) = filter.wanted_ordering_key() {
        query.push(" AND ordering_key = ").push_bind(key.to_owned());
    }
    query.push(order).push_bind(i64::from(filter.page_size()));
    query
}
