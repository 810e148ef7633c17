use super::{Bench, job};
use crate::{JobState, NewJob};

fn keyed(kind: &str) -> NewJob {
    job(kind).ordering_key("meeting")
}

/// Rule 4.
pub async fn only_asked_kinds_are_claimed(bench: Bench) {
    let a = bench.enqueue(job("a")).await;
    let b = bench.enqueue(job("b")).await;
    assert!(bench.claim_kinds(&[], 10).await.is_empty());
    assert!(bench.claim_kinds(&["c"], 10).await.is_empty());
    assert!(bench.claim_kinds(&["a", "b"], 0).await.is_empty());
    let leases = bench.claim_kinds(&["b", "c"], 10).await;
    assert_eq!(leases.iter().map(|lease| lease.job.id).collect::<Vec<_>>(), [b]);
    bench.enqueue(job("a")).await;
    let leases = bench.claim_kinds(&["a", "b"], 1).await;
    assert_eq!(leases.iter().map(|lease| lease.job.id).collect::<Vec<_>>(), [a]);

    bench.time.advance(60);
    let expired = bench.claim_kinds(&["b"], 10).await;
    assert_eq!(
        expired.iter().map(|lease| lease.job.id).collect::<Vec<_>>(),
        [b],
        "expired leases have kinds too"
    );
}

/// Rule 5.
pub async fn due_jobs_come_in_order(bench: Bench) {
    let later = bench.enqueue(job("a").run_at(bench.in_seconds(20))).await;
    let sooner = bench.enqueue(job("b").run_at(bench.in_seconds(10))).await;
    let now = bench.enqueue(job("b")).await;
    let also_now = bench.enqueue(job("a")).await;
    assert_eq!(bench.claimed_ids().await, [now, also_now]);
    bench.time.advance(9);
    assert!(bench.claim(10).await.is_empty());
    bench.time.advance(1);
    assert_eq!(bench.claimed_ids().await, [sooner]);
    bench.time.advance(10);
    assert_eq!(bench.claimed_ids().await, [later]);
}

/// Rule 6.
pub async fn an_ordering_key_runs_one_at_a_time(bench: Bench) {
    let queue = bench.queue();
    let first = bench.enqueue(keyed("a")).await;
    let second = bench.enqueue(keyed("b")).await;
    let third = bench.enqueue(keyed("a")).await;
    let stranger = bench.enqueue(job("a").ordering_key("another meeting")).await;

    let leases = bench.claim(10).await;
    assert_eq!(
        leases.iter().map(|lease| lease.job.id).collect::<Vec<_>>(),
        [first, stranger]
    );
    assert!(bench.claim(10).await.is_empty(), "the key is taken");

    queue
        .retry(&leases[0], bench.in_seconds(10), "not now")
        .await
        .unwrap();
    assert!(
        bench.claim(10).await.is_empty(),
        "the first waits for its retry and holds the others back"
    );
    bench.time.advance(10);
    let lease = bench.claim_only().await;
    assert_eq!(lease.job.id, first);

    queue.complete(&lease, &[keyed("b")]).await.unwrap();
    let lease = bench.claim_only().await;
    assert_eq!(lease.job.id, second);
    queue.bury(&lease, "hopeless").await.unwrap();
    let lease = bench.claim_only().await;
    assert_eq!(lease.job.id, third, "a dead letter holds nobody back");

    queue.release(&lease).await.unwrap();
    let lease = bench.claim_only().await;
    assert_eq!(lease.job.id, third, "a released job keeps its place");
    queue.complete(&lease, &[]).await.unwrap();
    let follow_up = bench.claim_only().await;
    assert!(
        follow_up.job.id > stranger,
        "a follow-up comes after those that were there"
    );
    queue.complete(&follow_up, &[]).await.unwrap();

    let delayed = bench.enqueue(keyed("a").run_at(bench.in_seconds(5))).await;
    let behind = bench.enqueue(keyed("a")).await;
    assert!(
        bench.claim(10).await.is_empty(),
        "the order is that of enqueueing, not of run_at"
    );
    bench.time.advance(5);
    assert_eq!(bench.claimed_ids().await, [delayed]);

    bench.time.advance(60);
    let again = bench.claim(10).await;
    assert!(
        again.iter().any(|lease| lease.job.id == delayed),
        "an expired lease is claimed again before those behind it"
    );
    assert!(again.iter().all(|lease| lease.job.id != behind));
}

/// Rule 14.
pub async fn a_dead_letter_can_be_requeued(bench: Bench) {
    let queue = bench.queue();
    let first = bench.enqueue(keyed("a").max_attempts(1)).await;
    let second = bench.enqueue(keyed("a")).await;
    let third = bench.enqueue(keyed("a")).await;
    assert!(
        !queue.requeue(first).await.unwrap(),
        "only dead letters are requeued"
    );
    let lease = bench.claim_only().await;
    queue.retry(&lease, bench.time.now(), "broken").await.unwrap();
    assert_eq!(bench.state(first).await, JobState::Dead);

    let running = bench.claim_only().await;
    assert_eq!(running.job.id, second);
    assert!(queue.requeue(first).await.unwrap());
    assert!(bench.claim(10).await.is_empty(), "one of its key runs");
    queue.complete(&running, &[]).await.unwrap();
    let lease = bench.claim_only().await;
    assert_eq!(
        (lease.job.id, lease.job.attempt),
        (first, 1),
        "back in its old place, with all its attempts"
    );
    queue.bury(&lease, "still broken").await.unwrap();

    assert!(queue.requeue(first).await.unwrap());
    assert_eq!(
        bench.claimed_ids().await,
        [first],
        "before the one whose turn it was"
    );
    assert_eq!(bench.state(third).await, JobState::Waiting);
    assert!(!queue.requeue(first).await.unwrap());
}
