use std::{collections::HashSet, sync::Arc};

use tokio::sync::Barrier;

use super::{Bench, LEASE, assert_lease_lost, job};
use crate::{Fence, JobFilter, JobState, QueueError, WorkerId};

/// Rule 1.
pub async fn enqueued_jobs_are_claimed_once(bench: Bench) {
    let id = bench.enqueue(job("a")).await;
    let lease = bench.claim_only().await;
    assert_eq!(
        (lease.job.id, lease.job.attempt, lease.fence),
        (id, 1, Fence::new(1))
    );
    assert_eq!(lease.job.payload::<String>().unwrap(), "payload");
    assert_eq!(lease.expires_at, bench.in_seconds(60));
    assert!(
        bench.claim(10).await.is_empty(),
        "a job that runs is not handed out"
    );
    bench.queue().complete(&lease, &[]).await.unwrap();
    bench.time.advance(120);
    assert!(
        bench.claim(10).await.is_empty(),
        "a job that is done is not handed out"
    );
}

/// Rule 7.
pub async fn an_expired_lease_is_claimed_again(bench: Bench) {
    bench.enqueue(job("a")).await;
    let first = bench.claim_only().await;
    bench.time.advance(59);
    assert!(bench.claim(10).await.is_empty(), "the lease still holds");
    bench.time.advance(1);
    let second = bench.claim_only().await;
    assert_eq!(second.job.id, first.job.id);
    assert!(second.fence > first.fence);
    assert_eq!(second.job.attempt, 2);
}

/// Rule 8.
pub async fn a_stale_fence_changes_nothing(bench: Bench) {
    let id = bench.enqueue(job("a")).await;
    let stale = bench.claim_only().await;
    bench.time.advance(60);
    let current = bench.claim_only().await;
    let before = bench.record(id).await;

    let queue = bench.queue();
    assert_lease_lost(queue.renew(&stale, LEASE).await);
    assert_lease_lost(queue.complete(&stale, &[job("b")]).await);
    assert_lease_lost(queue.retry(&stale, bench.time.now(), "stale").await);
    assert_lease_lost(queue.bury(&stale, "stale").await);
    assert_lease_lost(queue.release(&stale).await);
    assert_eq!(bench.record(id).await, before);
    assert_eq!(
        queue.counts().await.unwrap().waiting,
        0,
        "a stale completion enqueues nothing"
    );

    queue.complete(&current, &[]).await.unwrap();
    assert_eq!(bench.state(id).await, JobState::Done);
}

/// Rule 9.
pub async fn a_renewed_lease_is_kept(bench: Bench) {
    let id = bench.enqueue(job("a")).await;
    let lease = bench.claim_only().await;
    bench.time.advance(50);
    let until = bench.queue().renew(&lease, LEASE).await.unwrap();
    assert_eq!(until, bench.in_seconds(60));
    assert_eq!(bench.record(id).await.lease_expires_at, Some(until));
    bench.time.advance(59);
    assert!(bench.claim(10).await.is_empty());

    bench.time.advance(30);
    bench.queue().renew(&lease, LEASE).await.unwrap();
    assert!(
        bench.claim(10).await.is_empty(),
        "renewed although it had run out: nobody else had been handed the job"
    );
    bench.time.advance(90);
    bench.queue().complete(&lease, &[]).await.unwrap();
    assert_eq!(bench.state(id).await, JobState::Done);
}

/// Rule 10.
pub async fn complete_enqueues_the_follow_ups_in_one_step(bench: Bench) {
    bench.enqueue(job("a")).await;
    let kept = bench
        .enqueue(job("b").dedupe_key("same").run_at(bench.in_seconds(1000)))
        .await;
    let lease = bench.claim_only().await;
    let next = [job("b").dedupe_key("same"), job("b").dedupe_key("new")];
    bench.queue().complete(&lease, &next).await.unwrap();
    let waiting = bench
        .queue()
        .list(&JobFilter::new().state(JobState::Waiting))
        .await
        .unwrap();
    let keys: Vec<Option<&str>> = waiting
        .iter()
        .map(|record| record.job.dedupe_key.as_deref())
        .collect();
    assert_eq!(keys, [Some("same"), Some("new")]);
    assert_eq!(waiting[0].job.id, kept);

    assert_lease_lost(bench.queue().complete(&lease, &[job("b")]).await);
    assert_eq!(
        bench.queue().counts().await.unwrap().waiting,
        2,
        "a refused completion enqueues nothing"
    );
}

/// Rule 11.
pub async fn a_finished_job_cannot_be_finished_again(bench: Bench) {
    for bury in [false, true] {
        let id = bench.enqueue(job("a")).await;
        let lease = bench.claim_only().await;
        let state = if bury {
            bench.queue().bury(&lease, "hopeless").await.unwrap();
            JobState::Dead
        } else {
            bench.queue().complete(&lease, &[]).await.unwrap();
            JobState::Done
        };
        assert_lease_lost(bench.queue().complete(&lease, &[]).await);
        assert_lease_lost(bench.queue().bury(&lease, "again").await);
        assert_lease_lost(bench.queue().retry(&lease, bench.time.now(), "again").await);
        assert_lease_lost(bench.queue().release(&lease).await);
        assert_lease_lost(bench.queue().renew(&lease, LEASE).await);
        assert_eq!(bench.state(id).await, state);
    }
}

/// Rule 12.
pub async fn spent_attempts_make_a_dead_letter(bench: Bench) {
    let failed = bench.enqueue(job("a").max_attempts(2)).await;
    let lease = bench.claim_only().await;
    bench
        .queue()
        .retry(&lease, bench.in_seconds(10), "first")
        .await
        .unwrap();
    let record = bench.record(failed).await;
    assert_eq!(
        (record.state, record.last_error.as_deref()),
        (JobState::Waiting, Some("first"))
    );
    assert!(bench.claim(10).await.is_empty(), "it waits for its time");
    bench.time.advance(10);
    let lease = bench.claim_only().await;
    assert_eq!(lease.job.attempt, 2);
    bench
        .queue()
        .retry(&lease, bench.in_seconds(10), "second")
        .await
        .unwrap();
    let record = bench.record(failed).await;
    assert_eq!(
        (record.state, record.last_error.as_deref()),
        (JobState::Dead, Some("second"))
    );

    let vanished = bench.enqueue(job("a").max_attempts(1)).await;
    bench.claim_only().await;
    bench.time.advance(60);
    assert!(bench.claim(10).await.is_empty(), "no attempt is left for it");
    assert_eq!(bench.state(vanished).await, JobState::Dead);
}

/// Rule 13.
pub async fn a_released_job_has_not_been_tried(bench: Bench) {
    let id = bench.enqueue(job("a").max_attempts(1)).await;
    let first = bench.claim_only().await;
    bench.queue().release(&first).await.unwrap();
    assert_eq!(bench.state(id).await, JobState::Waiting);
    let second = bench.claim_only().await;
    assert_eq!(second.job.attempt, 1);
    assert!(second.fence > first.fence);
    assert_lease_lost(bench.queue().complete(&first, &[]).await);
    bench.queue().complete(&second, &[]).await.unwrap();
}

/// Rule 17.
pub async fn concurrent_claims_hand_out_each_job_once(bench: Bench) {
    const JOBS: usize = 60;
    const CLAIMERS: usize = 8;
    let jobs = vec![job("a"); JOBS];
    bench.queue().enqueue(&jobs).await.unwrap();
    let barrier = Arc::new(Barrier::new(CLAIMERS));
    let mut claimers = Vec::new();
    for number in 0..CLAIMERS {
        let (queue, barrier) = (Arc::clone(bench.queue()), Arc::clone(&barrier));
        claimers.push(tokio::spawn(async move {
            let worker = WorkerId::new(format!("worker {number}"));
            barrier.wait().await;
            let mut mine = Vec::new();
            loop {
                let leases = queue.claim(&worker, &["a".to_owned()], 3, LEASE).await?;
                if leases.is_empty() {
                    return Ok::<_, QueueError>(mine);
                }
                for lease in leases {
                    queue.complete(&lease, &[]).await?;
                    mine.push(lease.job.id);
                }
            }
        }));
    }
    let mut all = Vec::new();
    for claimer in claimers {
        all.extend(claimer.await.unwrap().unwrap());
    }
    assert_eq!(all.len(), JOBS, "each job is handed out, and none twice");
    assert_eq!(all.into_iter().collect::<HashSet<_>>().len(), JOBS);
}
