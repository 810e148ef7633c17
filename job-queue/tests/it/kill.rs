use std::{
    collections::HashMap,
    env,
    fs::OpenOptions,
    io::Write as _,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use jiff::SignedDuration;
use job_queue::{Clock, Fence, Handler, Job, JobError, JobQueue, NewJob, SqliteQueue, Worker};
use sqlx::Row;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};
use tokio_util::sync::CancellationToken;

const JOBS: usize = 1000;
const CONCURRENCY: usize = 16;
/// Where a child finds its folder; its run (0, 1, 2…) is in the other one.
const FOLDER: &str = "JOB_QUEUE_KILL_FOLDER";
const RUN: &str = "JOB_QUEUE_KILL_RUN";

fn url(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("jobs.sqlite").display())
}

fn effects_file(folder: &Path) -> PathBuf {
    folder.join("effects")
}

/// Appends "job attempt" to the effects in one write, then says so to the parent.
struct Effect(PathBuf);

#[async_trait]
impl Handler for Effect {
    async fn run(&self, job: &Job) -> Result<Vec<NewJob>, JobError> {
        let line = format!("{} {}\n", job.id, job.attempt);
        let mut effects = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&self.0)
            .map_err(JobError::transient)?;
        effects.write_all(line.as_bytes()).map_err(JobError::transient)?;
        println!("effect");
        Ok(vec![])
    }
}

/// Not a test of its own: what the killed process does. Without its environment it does nothing.
#[tokio::test]
async fn child() {
    let (Ok(folder), Ok(run)) = (env::var(FOLDER), env::var(RUN)) else {
        return;
    };
    let folder = PathBuf::from(folder);
    // Each run lives an hour after the one before, so that the leases of the killed one have run out.
    let hours = SignedDuration::from_hours(run.parse().unwrap());
    let clock = Clock::new(move || Clock::system().now() + hours);
    let queue: Arc<dyn JobQueue> = Arc::new(
        SqliteQueue::connect(&url(&folder))
            .await
            .unwrap()
            .with_clock(clock.clone()),
    );
    let worker = Worker::builder(queue)
        .handle("a", Arc::new(Effect(effects_file(&folder))))
        .concurrency(CONCURRENCY)
        .lease(Duration::from_secs(600))
        .clock(clock)
        .build();
    worker.run_until_empty(CancellationToken::new()).await.unwrap();
}

/// Runs the child until it has had so many effects, then kills it; or until it ends. True if it was killed.
async fn run_child(folder: &Path, run: usize, kill_after: Option<usize>) -> bool {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "kill::child", "--nocapture"])
        .env(FOLDER, folder)
        .env(RUN, run.to_string())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut effects = 0;
    while let Some(line) = lines.next_line().await.unwrap() {
        effects += usize::from(line.ends_with("effect"));
        if Some(effects) == kill_after {
            child.kill().await.unwrap();
            return true;
        }
    }
    assert!(child.wait().await.unwrap().success());
    false
}

#[tokio::test]
async fn killed_in_the_middle_of_a_thousand_jobs_none_is_lost_and_none_acknowledged_twice() {
    let folder = tempfile::tempdir().unwrap();
    let queue = SqliteQueue::connect(&url(folder.path())).await.unwrap();
    let jobs: Vec<NewJob> = (0..JOBS)
        .map(|number| NewJob::new("a", &number).unwrap())
        .collect();
    queue.enqueue(&jobs).await.unwrap();

    // The database itself keeps the record of acknowledgements: whoever makes a job done, again or not, leaves a row.
    let pool = sqlx::SqlitePool::connect(&url(folder.path())).await.unwrap();
    for statement in [
        "CREATE TABLE acknowledged (job INTEGER NOT NULL, fence INTEGER NOT NULL)",
        "CREATE TRIGGER record_acknowledged AFTER UPDATE OF state ON job_queue_jobs WHEN NEW.state = 2
         BEGIN INSERT INTO acknowledged VALUES (NEW.id, NEW.fence); END",
    ] {
        sqlx::query(statement).execute(&pool).await.unwrap();
    }

    let kills = [350, 300];
    for (run, effects) in kills.into_iter().enumerate() {
        assert!(
            run_child(folder.path(), run, Some(effects)).await,
            "killed while it worked"
        );
    }
    let left = queue.counts().await.unwrap();
    assert!(
        left.done > 0 && left.running > 0 && left.waiting > 0,
        "killed in the middle: {left:?}"
    );
    assert!(!run_child(folder.path(), kills.len(), None).await);

    let counts = queue.counts().await.unwrap();
    assert_eq!(
        (counts.waiting, counts.running, counts.done, counts.dead),
        (0, 0, 1000, 0),
        "none lost"
    );

    let rows = sqlx::query("SELECT job, fence FROM acknowledged")
        .fetch_all(&pool)
        .await
        .unwrap();
    let acknowledged: HashMap<u64, u64> = rows
        .iter()
        .map(|row| {
            (
                row.get::<i64, _>(0).cast_unsigned(),
                row.get::<i64, _>(1).cast_unsigned(),
            )
        })
        .collect();
    assert_eq!(
        (rows.len(), acknowledged.len()),
        (JOBS, JOBS),
        "each acknowledged exactly once"
    );

    let mut effects: HashMap<u64, Vec<u64>> = HashMap::new();
    for line in std::fs::read_to_string(effects_file(folder.path()))
        .unwrap()
        .lines()
    {
        let (job, attempt) = line.split_once(' ').unwrap();
        effects
            .entry(job.parse().unwrap())
            .or_default()
            .push(attempt.parse().unwrap());
    }
    assert_eq!(effects.len(), JOBS, "each had its effect");
    for (job, fences) in &effects {
        assert!(
            fences.windows(2).all(|pair| pair[0] < pair[1]),
            "job {job} ran twice under one fence: {fences:?}"
        );
        assert_eq!(
            fences.last(),
            acknowledged.get(job),
            "the newest run of job {job} is the acknowledged one"
        );
        assert_eq!(
            Fence::new(*fences.last().unwrap()),
            queue
                .job(job_queue::JobId::new(*job))
                .await
                .unwrap()
                .unwrap()
                .fence
        );
    }
    let repeated = effects.values().filter(|fences| fences.len() > 1).count();
    assert!(
        repeated <= CONCURRENCY * kills.len(),
        "only what ran at a kill is run again, not {repeated} jobs"
    );
}
