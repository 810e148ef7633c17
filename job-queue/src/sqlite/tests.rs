use std::path::Path;

use sqlx::Row;

use super::*;
use crate::conformance::ManualTime;

fn url(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("jobs.sqlite").display())
}

fn job(kind: &str) -> NewJob {
    NewJob::new(kind, &()).unwrap()
}

async fn claim(queue: &SqliteQueue, limit: usize) -> Vec<Lease> {
    queue
        .claim(
            &WorkerId::new("w"),
            &["a".to_owned()],
            limit,
            Duration::from_secs(60),
        )
        .await
        .unwrap()
}

/// How SQLite goes about a statement.
async fn plan(queue: &SqliteQueue, statement: &str) -> String {
    let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
    let rows = sqlx::query(explain).fetch_all(&queue.pool).await.unwrap();
    rows.iter()
        .map(|row| row.get::<String, _>("detail") + "\n")
        .collect()
}

#[tokio::test]
async fn no_claim_or_acknowledgement_reads_finished_jobs() {
    let queue = SqliteQueue::connect("sqlite::memory:").await.unwrap();
    for (statement, indexes) in [
        (
            statements::CLAIM,
            &[
                "job_queue_waiting (kind=? AND turn=? AND run_at<?)",
                "job_queue_running (lease",
            ][..],
        ),
        (
            statements::BURY_EXPIRED,
            &["job_queue_running (lease_expires_at<?)"],
        ),
        (
            statements::INSERT,
            &["job_queue_ordering (ordering_key=? AND state<?)"],
        ),
        (
            statements::FIND_DUPLICATE,
            &["job_queue_dedupe (kind=? AND dedupe_key=?)"],
        ),
        (
            statements::GIVE_NEXT_TURN,
            &[
                "job_queue_ordering (ordering_key=? AND state=?)",
                "PRIMARY KEY (rowid=?)",
            ],
        ),
        (
            statements::TAKE_BACK_TURNS,
            &["job_queue_ordering (ordering_key=? AND state=?)"],
        ),
        (statements::RENEW, &["PRIMARY KEY (rowid=?)"]),
        (statements::FINISH, &["PRIMARY KEY (rowid=?)"]),
        (statements::RETRY, &["PRIMARY KEY (rowid=?)"]),
        (statements::RELEASE, &["PRIMARY KEY (rowid=?)"]),
        (statements::PURGE, &["job_queue_done (finished_at<?)"]),
    ] {
        let plan = plan(&queue, statement).await;
        for index in indexes {
            assert!(plan.contains(index), "{index} is not used by {statement}\n{plan}");
        }
        for line in plan.lines().filter(|line| line.starts_with("SCAN")) {
            let reads_jobs = ["job", "waiting", "expired"]
                .iter()
                .any(|table| line.starts_with(&format!("SCAN {table}")));
            assert!(!reads_jobs, "{line} in {statement}");
        }
    }
}

#[tokio::test]
async fn listing_unfinished_jobs_of_a_kind_reads_no_finished_ones() {
    let queue = SqliteQueue::connect("sqlite::memory:").await.unwrap();
    for (state, index) in [
        (JobState::Waiting, "job_queue_waiting"),
        (JobState::Running, "job_queue_running"),
        (JobState::Dead, "job_queue_dead"),
    ] {
        let statement = statements::list(&JobFilter::new().kind("a").state(state));
        let plan = plan(&queue, statement.sql().as_str()).await;
        assert!(plan.contains(index), "{plan}");
    }
}

#[tokio::test]
async fn many_may_open_a_new_file_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let opening: Vec<_> = (0..8)
        .map(|_| {
            tokio::spawn({
                let url = url(folder.path());
                async move { SqliteQueue::connect(&url).await }
            })
        })
        .collect();
    for opened in opening {
        let queue = opened.await.unwrap().unwrap();
        queue.enqueue(&[job("a").dedupe_key("once")]).await.unwrap();
    }
    let queue = SqliteQueue::connect(&url(folder.path())).await.unwrap();
    assert_eq!(queue.counts().await.unwrap().waiting, 1);
}

#[tokio::test]
async fn a_reopened_file_has_what_was_enqueued_and_leased() {
    let folder = tempfile::tempdir().unwrap();
    let queue = SqliteQueue::connect(&url(folder.path())).await.unwrap();
    queue
        .enqueue(&[job("a"), job("a").ordering_key("o"), job("a").ordering_key("o")])
        .await
        .unwrap();
    let lease = claim(&queue, 1).await.remove(0);
    let before = queue.list(&JobFilter::new()).await.unwrap();
    queue.pool.close().await;

    let queue = SqliteQueue::connect(&url(folder.path())).await.unwrap();
    assert_eq!(queue.list(&JobFilter::new()).await.unwrap(), before);
    queue.complete(&lease, &[]).await.unwrap();
    assert_eq!(claim(&queue, 10).await.len(), 1);
}

#[tokio::test]
async fn jobs_share_the_fate_of_the_callers_transaction() {
    let queue = SqliteQueue::connect("sqlite::memory:").await.unwrap();
    let mut transaction = queue.pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let enqueued = queue.enqueue_in(&mut transaction, &[job("a")]).await.unwrap();
    assert!(enqueued[0].is_new());
    transaction.rollback().await.unwrap();
    assert_eq!(queue.counts().await.unwrap(), Counts::zero());

    let mut wakeups = queue.wakeups();
    wakeups.clear();
    let mut transaction = queue.pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
    queue.enqueue_in(&mut transaction, &[job("a")]).await.unwrap();
    transaction.commit().await.unwrap();
    queue.wake();
    wakeups.next().await;
    assert_eq!(claim(&queue, 1).await.len(), 1);
}

#[tokio::test]
async fn a_failing_insert_takes_everything_back() {
    let queue = SqliteQueue::connect("sqlite::memory:").await.unwrap();
    queue.enqueue(&[job("a")]).await.unwrap();
    let lease = claim(&queue, 1).await.remove(0);
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON job_queue_jobs WHEN NEW.kind = 'cursed'
                  BEGIN SELECT RAISE(ABORT, 'no'); END";
    sqlx::query(refuse).execute(&queue.pool).await.unwrap();

    let jobs = [job("a"), job("cursed")];
    assert!(queue.enqueue(&jobs).await.unwrap_err().is_retryable());
    assert_eq!(queue.counts().await.unwrap().waiting, 0);
    assert!(queue.complete(&lease, &jobs).await.is_err());
    let counts = queue.counts().await.unwrap();
    assert_eq!((counts.waiting, counts.running, counts.done), (0, 1, 0));
    queue.complete(&lease, &[]).await.unwrap();
}

#[tokio::test]
async fn a_damaged_row_is_corrupt_not_unavailable() {
    let queue = SqliteQueue::connect("sqlite::memory:").await.unwrap();
    let id = queue.enqueue(&[job("a")]).await.unwrap()[0].id();
    sqlx::query("UPDATE job_queue_jobs SET state = 9")
        .execute(&queue.pool)
        .await
        .unwrap();
    assert!(matches!(queue.job(id).await, Err(QueueError::Corrupt(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_worth_of_handles_claim_each_job_once() {
    let folder = tempfile::tempdir().unwrap();
    let time = ManualTime::new();
    let mut claimers = Vec::new();
    let first = SqliteQueue::connect(&url(folder.path())).await.unwrap();
    first.enqueue(&vec![job("a"); 100]).await.unwrap();
    for _ in 0..3 {
        let queue = SqliteQueue::connect(&url(folder.path()))
            .await
            .unwrap()
            .with_clock(time.clock());
        claimers.push(tokio::spawn(async move {
            let mut claimed = Vec::new();
            loop {
                let leases = claim(&queue, 7).await;
                if leases.is_empty() {
                    return claimed;
                }
                for lease in leases {
                    queue.complete(&lease, &[]).await.unwrap();
                    claimed.push(lease.job.id);
                }
            }
        }));
    }
    let mut all = Vec::new();
    for claimer in claimers {
        all.extend(claimer.await.unwrap());
    }
    all.sort_unstable();
    assert_eq!(all.len(), 100);
    all.dedup();
    assert_eq!(all.len(), 100);
}
