use super::{Bench, job};
use crate::{Enqueued, JobFilter, JobId, JobState, WorkerId};

/// Rule 2.
pub async fn enqueue_is_all_or_nothing(bench: Bench) {
    assert!(bench.queue().enqueue(&[]).await.unwrap().is_empty());
    let jobs = [
        job("a"),
        job("b").dedupe_key("k"),
        job("b").dedupe_key("k"),
        job("a"),
    ];
    let enqueued = bench.queue().enqueue(&jobs).await.unwrap();
    let new: Vec<bool> = enqueued.iter().map(|enqueued| enqueued.is_new()).collect();
    assert_eq!(new, [true, true, false, true]);
    assert_eq!(enqueued[1].id(), enqueued[2].id());
    assert_eq!(bench.queue().counts().await.unwrap().waiting, 3);

    // A call that is dropped half-way is one that failed: whatever it did, it did to all jobs or to none.
    let many = vec![job("b"); 50];
    let mut call = bench.queue().enqueue(&many);
    let finished =
        std::future::poll_fn(|context| std::task::Poll::Ready(call.as_mut().poll(context).is_ready())).await;
    drop(call);
    let waiting = bench.queue().counts().await.unwrap().waiting;
    assert!(
        if finished {
            waiting == 53
        } else {
            waiting == 3 || waiting == 53
        },
        "{waiting} jobs are waiting"
    );
}

/// Rule 3.
pub async fn a_dedupe_key_is_unique_per_kind(bench: Bench) {
    let queue = bench.queue();
    let id = bench.enqueue(job("a").dedupe_key("k")).await;
    let again = [job("a").dedupe_key("k")];
    assert_eq!(queue.enqueue(&again).await.unwrap(), [Enqueued::Duplicate(id)]);
    assert!(
        queue.enqueue(&[job("b").dedupe_key("k")]).await.unwrap()[0].is_new(),
        "another kind"
    );
    assert!(
        queue.enqueue(&[job("a").dedupe_key("other")]).await.unwrap()[0].is_new(),
        "another key"
    );

    let lease = bench.claim(1).await.remove(0);
    assert_eq!(
        queue.enqueue(&again).await.unwrap(),
        [Enqueued::Duplicate(id)],
        "while it runs"
    );
    queue.complete(&lease, &[]).await.unwrap();
    assert_eq!(
        queue.enqueue(&again).await.unwrap(),
        [Enqueued::Duplicate(id)],
        "once it is done"
    );
    assert_eq!(queue.counts().await.unwrap().waiting, 2);
}

/// Rule 15.
pub async fn records_tell_where_jobs_stand(bench: Bench) {
    let queue = bench.queue();
    let done = bench.enqueue(job("a").dedupe_key("d")).await;
    let dead = bench.enqueue(job("a").ordering_key("o")).await;
    let running = bench.enqueue(job("a")).await;
    let waiting = bench
        .enqueue(job("b").max_attempts(3).run_at(bench.in_seconds(500)))
        .await;
    let leases = queue
        .claim(&WorkerId::new("somebody"), &["a".to_owned()], 3, super::LEASE)
        .await
        .unwrap();
    bench.time.advance(1);
    queue.complete(&leases[0], &[]).await.unwrap();
    queue.bury(&leases[1], "hopeless").await.unwrap();

    let counts = queue.counts().await.unwrap();
    assert_eq!(
        (counts.waiting, counts.running, counts.done, counts.dead),
        (1, 1, 1, 1)
    );

    let record = bench.record(done).await;
    assert_eq!(
        (record.state, record.finished_at),
        (JobState::Done, Some(bench.time.now()))
    );
    assert_eq!(
        (record.worker, record.lease_expires_at, record.last_error),
        (None, None, None)
    );
    let record = bench.record(dead).await;
    assert_eq!(
        (record.state, record.last_error.as_deref()),
        (JobState::Dead, Some("hopeless"))
    );
    let record = bench.record(running).await;
    assert_eq!(
        (record.state, record.worker),
        (JobState::Running, Some(WorkerId::new("somebody")))
    );
    assert_eq!(
        (record.fence, record.lease_expires_at),
        (leases[2].fence, Some(leases[2].expires_at))
    );
    let record = bench.record(waiting).await;
    assert_eq!(
        (record.state, record.fence.get(), record.job.attempt),
        (JobState::Waiting, 0, 0)
    );
    assert_eq!(
        (record.job.max_attempts, record.job.run_at),
        (3, bench.in_seconds(499))
    );
    assert_eq!(record.job.enqueued_at, bench.in_seconds(-1));
    assert_eq!(queue.job(JobId::new(u64::MAX)).await.unwrap(), None);

    for (filter, expected) in [
        (JobFilter::new(), vec![done, dead, running, waiting]),
        (JobFilter::new().kind("a"), vec![done, dead, running]),
        (JobFilter::new().kind("a").after(done).limit(1), vec![dead]),
        (JobFilter::new().state(JobState::Waiting), vec![waiting]),
        (JobFilter::new().state(JobState::Running), vec![running]),
        (JobFilter::new().state(JobState::Done), vec![done]),
        (JobFilter::new().state(JobState::Dead).kind("a"), vec![dead]),
        (JobFilter::new().dedupe_key("d"), vec![done]),
        (JobFilter::new().ordering_key("o"), vec![dead]),
        (JobFilter::new().ordering_key("o").kind("b"), vec![]),
    ] {
        let ids: Vec<JobId> = queue
            .list(&filter)
            .await
            .unwrap()
            .into_iter()
            .map(|record| record.job.id)
            .collect();
        assert_eq!(ids, expected, "{filter:?}");
    }
}

/// Rule 16.
pub async fn purge_forgets_done_jobs_only(bench: Bench) {
    let queue = bench.queue();
    let done = bench.enqueue(job("a").dedupe_key("done")).await;
    let dead = bench.enqueue(job("a").dedupe_key("dead")).await;
    let running = bench.enqueue(job("a")).await;
    let leases = bench.claim(10).await;
    queue.complete(&leases[0], &[]).await.unwrap();
    queue.bury(&leases[1], "hopeless").await.unwrap();
    let waiting = bench.enqueue(job("a")).await;

    assert_eq!(
        queue.purge(bench.time.now(), 10).await.unwrap(),
        0,
        "done at that time is not done before it"
    );
    assert_eq!(
        queue.purge(bench.in_seconds(1), 0).await.unwrap(),
        0,
        "within the limit"
    );
    assert_eq!(queue.purge(bench.in_seconds(1), 10).await.unwrap(), 1);
    assert_eq!(queue.job(done).await.unwrap(), None);
    for kept in [dead, running, waiting] {
        assert!(queue.job(kept).await.unwrap().is_some());
    }
    let again = queue
        .enqueue(&[job("a").dedupe_key("done"), job("a").dedupe_key("dead")])
        .await
        .unwrap();
    assert!(matches!(again[..], [Enqueued::New(_), Enqueued::Duplicate(id)] if id == dead));
    assert!(again[0].id() > waiting, "a number is never given twice");
}

/// Rule 18.
pub async fn work_rings_the_bell(bench: Bench) {
    let mut wakeups = bench.queue().wakeups();
    wakeups.clear();
    bench.enqueue(job("a")).await;
    wakeups.next().await;
    let lease = bench.claim_only().await;
    wakeups.clear();
    bench.queue().complete(&lease, &[job("b")]).await.unwrap();
    wakeups.next().await;
}
