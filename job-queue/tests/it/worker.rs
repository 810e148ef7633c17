use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use job_queue::{
    Backoff, Clock, Handler, Job, JobError, JobId, JobQueue, JobState, MemoryQueue, NewJob, Worker,
    WorkerBuilder, WorkerId, conformance::ManualTime,
};
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

/// The queue's clock goes with tokio's, which is paused: nothing here waits for real.
fn tokio_clock() -> Clock {
    let start = Instant::now();
    Clock::new(move || Timestamp::UNIX_EPOCH + SignedDuration::try_from(start.elapsed()).unwrap())
}

fn queue() -> (Arc<MemoryQueue>, Clock) {
    let clock = tokio_clock();
    (Arc::new(MemoryQueue::new().with_clock(clock.clone())), clock)
}

fn worker(queue: &Arc<MemoryQueue>, clock: &Clock, handler: impl Handler) -> WorkerBuilder {
    let backoff = Backoff::exponential(Duration::from_secs(10), Duration::from_secs(100));
    let queue: Arc<dyn JobQueue> = queue.clone();
    Worker::builder(queue)
        .handle("a", Arc::new(handler))
        .clock(clock.clone())
        .backoff(backoff)
}

fn job() -> NewJob {
    NewJob::new("a", &()).unwrap()
}

/// A handler from a closure over the job.
struct Do<F>(F);

#[async_trait]
impl<F> Handler for Do<F>
where
    F: Fn(Job) -> futures::BoxFuture<Result<Vec<NewJob>, JobError>> + Send + Sync + 'static,
{
    async fn run(&self, job: &Job) -> Result<Vec<NewJob>, JobError> {
        (self.0)(job.clone()).await
    }
}

mod futures {
    pub(super) type BoxFuture<T> = std::pin::Pin<Box<dyn Future<Output = T> + Send>>;
}

type Log = Arc<Mutex<Vec<(u64, u32, u64)>>>;

/// Notes job, attempt and second of each run, then does what `outcome` says.
fn noting(
    log: &Log,
    clock: &Clock,
    outcome: impl Fn(&Job) -> Result<Vec<NewJob>, JobError> + Send + Sync + Copy + 'static,
) -> impl Handler {
    let (log, clock) = (Arc::clone(log), clock.clone());
    Do(move |job: Job| {
        log.lock().unwrap().push((
            job.id.get(),
            job.attempt,
            u64::try_from(clock.now().as_second()).unwrap(),
        ));
        Box::pin(async move { outcome(&job) }) as futures::BoxFuture<_>
    })
}

async fn state(queue: &MemoryQueue, id: u64) -> (JobState, Option<String>) {
    let record = queue.job(JobId::new(id)).await.unwrap().unwrap();
    (record.state, record.last_error)
}

#[tokio::test(start_paused = true)]
async fn what_a_handler_returns_is_run_as_well() {
    let (queue, clock) = queue();
    let log = Log::default();
    let handler = noting(&log, &clock, |job| {
        if job.id.get() < 3 {
            Ok(vec![NewJob::new("a", &()).unwrap()])
        } else {
            Ok(vec![])
        }
    });
    queue.enqueue(&[job()]).await.unwrap();
    worker(&queue, &clock, handler)
        .build()
        .run_until_empty(CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(*log.lock().unwrap(), [(1, 1, 0), (2, 1, 0), (3, 1, 0)]);
    assert_eq!(queue.counts().await.unwrap().done, 3);
}

#[tokio::test(start_paused = true)]
async fn a_failing_job_backs_off_and_ends_as_a_dead_letter() {
    let (queue, clock) = queue();
    let log = Log::default();
    let handler = noting(&log, &clock, |_| {
        Err(JobError::transient(io::Error::other("down")))
    });
    queue.enqueue(&[job().max_attempts(4)]).await.unwrap();
    worker(&queue, &clock, handler)
        .build()
        .run_until_empty(CancellationToken::new())
        .await
        .unwrap();
    let runs = log.lock().unwrap().clone();
    assert_eq!(runs.iter().map(|run| run.1).collect::<Vec<_>>(), [1, 2, 3, 4]);
    let waits: Vec<u64> = runs.windows(2).map(|pair| pair[1].2 - pair[0].2).collect();
    for (wait, whole) in waits.iter().zip([10, 20, 40]) {
        assert!((whole / 2..=whole + 1).contains(wait), "{waits:?}");
    }
    assert_eq!(state(&queue, 1).await, (JobState::Dead, Some("down".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn a_handler_decides_how_long_to_wait_and_when_to_give_up() {
    let (queue, clock) = queue();
    let log = Log::default();
    let handler = noting(&log, &clock, |job| match job.attempt {
        1 => Err(JobError::transient_after(
            "rate limited",
            Duration::from_secs(3600),
        )),
        _ => Err(JobError::permanent("no such meeting")),
    });
    queue.enqueue(&[job()]).await.unwrap();
    worker(&queue, &clock, handler)
        .build()
        .run_until_empty(CancellationToken::new())
        .await
        .unwrap();
    let second = log.lock().unwrap()[1].2;
    assert!((3600..=3601).contains(&second));
    assert_eq!(
        state(&queue, 1).await,
        (JobState::Dead, Some("no such meeting".to_owned()))
    );
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failed_attempt_and_the_worker_goes_on() {
    let (queue, clock) = queue();
    let log = Log::default();
    let handler = noting(&log, &clock, |job| {
        assert!(job.id.get() != 1 || job.attempt > 1, "secret in a panic message");
        Ok(vec![])
    });
    queue.enqueue(&[job(), job()]).await.unwrap();
    worker(&queue, &clock, handler)
        .build()
        .run_until_empty(CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(
        state(&queue, 1).await,
        (JobState::Done, Some("the handler panicked".to_owned()))
    );
    assert_eq!(state(&queue, 2).await, (JobState::Done, None));
}

#[tokio::test(start_paused = true)]
async fn the_lease_of_a_long_job_is_renewed() {
    let (queue, clock) = queue();
    let runs = Arc::new(AtomicUsize::new(0));
    let build = || {
        let runs = Arc::clone(&runs);
        let handler = Do(move |_| {
            runs.fetch_add(1, Ordering::SeqCst);
            Box::pin(async {
                tokio::time::sleep(Duration::from_secs(1000)).await;
                Ok(vec![])
            }) as futures::BoxFuture<_>
        });
        worker(&queue, &clock, handler)
            .lease(Duration::from_secs(10))
            .build()
    };
    queue.enqueue(&[job()]).await.unwrap();
    let (one, other) = (build(), build());
    let stop = CancellationToken::new();
    let both = async { tokio::join!(one.run_until_empty(stop.clone()), other.run_until_empty(stop)) };
    let (one, other) = tokio::time::timeout(Duration::from_secs(2000), both)
        .await
        .expect("the job ends");
    one.and(other).unwrap();
    assert_eq!(
        runs.load(Ordering::SeqCst),
        1,
        "nobody else was handed the job meanwhile"
    );
}

#[tokio::test(start_paused = true)]
async fn a_handler_whose_lease_is_lost_is_stopped_and_acknowledges_nothing() {
    struct Dropped(Arc<Notify>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }
    let time = ManualTime::new();
    let queue = Arc::new(MemoryQueue::new().with_clock(time.clock()));
    let (started, stopped) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let handler = Do({
        let (started, stopped) = (Arc::clone(&started), Arc::clone(&stopped));
        move |_| {
            let guard = Dropped(Arc::clone(&stopped));
            started.notify_one();
            Box::pin(async move {
                let _guard = guard;
                std::future::pending().await
            }) as futures::BoxFuture<_>
        }
    });
    queue.enqueue(&[job()]).await.unwrap();
    let stop = CancellationToken::new();
    let running = tokio::spawn(worker(&queue, &time.clock(), handler).build().run(stop.clone()));
    started.notified().await;
    time.advance(3600);
    let thief = queue
        .claim(
            &WorkerId::new("thief"),
            &["a".to_owned()],
            1,
            Duration::from_secs(3600),
        )
        .await
        .unwrap();
    tokio::time::timeout(Duration::from_secs(3600), stopped.notified())
        .await
        .expect("the handler is stopped");
    stop.cancel();
    running.await.unwrap().unwrap();
    queue.complete(&thief[0], &[]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn no_more_jobs_run_at_once_than_allowed() {
    let (queue, clock) = queue();
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let handler = Do({
        let most = Arc::clone(&most);
        move |_| {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            Box::pin(async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_secs(1)).await;
                now.fetch_sub(1, Ordering::SeqCst);
                Ok(vec![])
            }) as futures::BoxFuture<_>
        }
    });
    queue.enqueue(&vec![job(); 20]).await.unwrap();
    worker(&queue, &clock, handler)
        .concurrency(3)
        .build()
        .run_until_empty(CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn jobs_of_one_key_run_in_order_even_when_the_first_fails() {
    let (queue, clock) = queue();
    let log = Log::default();
    let handler = noting(&log, &clock, |job| {
        if job.id.get() == 1 && job.attempt < 3 {
            Err(JobError::transient("later"))
        } else {
            Ok(vec![])
        }
    });
    queue
        .enqueue(&vec![job().ordering_key("meeting"); 4])
        .await
        .unwrap();
    worker(&queue, &clock, handler)
        .concurrency(8)
        .build()
        .run_until_empty(CancellationToken::new())
        .await
        .unwrap();
    let order: Vec<u64> = log.lock().unwrap().iter().map(|run| run.0).collect();
    assert_eq!(order, [1, 1, 1, 2, 3, 4]);
}

#[tokio::test(start_paused = true)]
async fn an_enqueue_wakes_an_idle_worker_at_once() {
    let (queue, clock) = queue();
    let log = Log::default();
    let handler = noting(&log, &clock, |_| Ok(vec![]));
    let stop = CancellationToken::new();
    let idle = worker(&queue, &clock, handler)
        .poll_interval(Duration::from_secs(3600))
        .build();
    let running = tokio::spawn(idle.run(stop.clone()));
    tokio::time::sleep(Duration::from_secs(5)).await;
    queue.enqueue(&[job()]).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    stop.cancel();
    running.await.unwrap().unwrap();
    assert_eq!(*log.lock().unwrap(), [(1, 1, 5)]);
}

/// A worker with one running and one waiting job, told to shut down while the first runs for a minute more.
async fn shut_down_while_busy(drain: Duration) -> (Arc<MemoryQueue>, Duration) {
    let (queue, clock) = queue();
    let started = Arc::new(Notify::new());
    let handler = Do({
        let started = Arc::clone(&started);
        move |_| {
            started.notify_one();
            Box::pin(async {
                tokio::time::sleep(Duration::from_secs(60)).await;
                Ok(vec![])
            }) as futures::BoxFuture<_>
        }
    });
    queue.enqueue(&[job(), job()]).await.unwrap();
    let stop = CancellationToken::new();
    let running = tokio::spawn(
        worker(&queue, &clock, handler)
            .concurrency(1)
            .drain(drain)
            .build()
            .run(stop.clone()),
    );
    started.notified().await;
    let told = Instant::now();
    stop.cancel();
    running.await.unwrap().unwrap();
    (queue, told.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_lets_running_jobs_finish_and_takes_no_new_ones() {
    let (queue, _) = shut_down_while_busy(Duration::from_secs(300)).await;
    assert_eq!(state(&queue, 1).await.0, JobState::Done);
    let untouched = queue.job(JobId::new(2)).await.unwrap().unwrap();
    assert_eq!((untouched.state, untouched.fence.get()), (JobState::Waiting, 0));
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_releases_what_does_not_finish_in_time() {
    let (queue, took) = shut_down_while_busy(Duration::from_secs(5)).await;
    assert!(took < Duration::from_secs(60));
    let released = queue.job(JobId::new(1)).await.unwrap().unwrap();
    assert_eq!(
        (released.state, released.job.attempt, released.fence.get()),
        (JobState::Waiting, 0, 1)
    );
}
