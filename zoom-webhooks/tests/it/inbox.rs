use std::sync::{Arc, Mutex};

use job_queue::{JobError, JobFilter, JobQueue, MemoryQueue, NewJob, SqliteQueue, Worker};
use tokio_util::sync::CancellationToken;
use zoom_webhooks::{Accepted, Delivery, Event, Inbox, signed_headers};

use crate::setup::{Broken, SAMPLES, now, sample, secret, verifier};

fn deliver(body: &str) -> Delivery {
    verifier()
        .verify(
            &signed_headers(&secret(), now(), body.as_bytes()),
            body.as_bytes(),
        )
        .unwrap()
}

/// What comes out of the inbox, in order.
async fn handled(queue: Arc<MemoryQueue>) -> Vec<Delivery> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let handler = Inbox::new(queue.clone()).handler({
        let seen = Arc::clone(&seen);
        move |delivery| {
            seen.lock().unwrap().push(delivery);
            async { Ok(vec![]) }
        }
    });
    let worker = Worker::builder(queue)
        .handle(Inbox::KIND, handler)
        .concurrency(1)
        .build();
    worker.run_until_empty(CancellationToken::new()).await.unwrap();
    std::mem::take(&mut *seen.lock().unwrap())
}

#[tokio::test]
async fn every_sample_goes_in_once_and_comes_out_the_same_event() {
    let queue = Arc::new(MemoryQueue::new());
    let inbox = Inbox::new(queue.clone());
    for line in SAMPLES.lines() {
        assert_eq!(
            inbox.accept(&deliver(line)).await.unwrap(),
            Accepted::Stored,
            "{line}"
        );
        assert_eq!(
            inbox.accept(&deliver(line)).await.unwrap(),
            Accepted::Duplicate,
            "{line}"
        );
    }
    let deliveries = handled(queue).await;
    assert_eq!(deliveries.len(), SAMPLES.lines().count());
    for (line, stored) in SAMPLES.lines().zip(&deliveries) {
        let fresh = deliver(line);
        assert_eq!(stored.name(), fresh.name());
        assert_eq!(stored.dedup_key(), fresh.dedup_key(), "{line}");
        assert_eq!(
            (stored.event_ts(), stored.account_id()),
            (fresh.event_ts(), fresh.account_id())
        );
        assert_eq!(stored.secret_id(), fresh.secret_id());
        assert_eq!(stored.event().unwrap().name(), fresh.name());
    }
}

#[tokio::test]
async fn a_repetition_with_another_token_links_and_order_is_a_duplicate() {
    let inbox = Inbox::new(Arc::new(MemoryQueue::new()));
    let body = sample("recording.completed");
    assert_eq!(inbox.accept(&deliver(body)).await.unwrap(), Accepted::Stored);
    let value: serde_json::Value = serde_json::from_str(body).unwrap();
    let again = value
        .to_string()
        .replace("SIM.sig", "other.sig")
        .replace("us02web", "us06web")
        .replace("a1B2c3", "zzz");
    assert_ne!(again, body);
    assert_eq!(inbox.accept(&deliver(&again)).await.unwrap(), Accepted::Duplicate);
    let next_file = body.replace("0b6f6a0e-0c51-4d6c-9a3b-2f1f7b1a0001", "another-file");
    assert_eq!(
        inbox.accept(&deliver(&next_file)).await.unwrap(),
        Accepted::Stored
    );
}

#[tokio::test]
async fn no_secret_reaches_the_database_file() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("inbox.sqlite").display());
    let inbox = Inbox::new(Arc::new(SqliteQueue::connect(&url).await.unwrap()));
    for line in SAMPLES.lines() {
        inbox.accept(&deliver(line)).await.unwrap();
    }
    let mut files = 0;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for secret in [
            "SIM.sig",
            "a1B2c3",
            "pL4yPa55c0de",
            "pwd=",
            "zoom-sim-secret-token-1",
        ] {
            assert!(
                !bytes
                    .windows(secret.len())
                    .any(|window| window == secret.as_bytes()),
                "{secret} was stored"
            );
        }
        files += 1;
    }
    assert!(files >= 2, "the write-ahead log is looked through too");
}

#[tokio::test]
async fn deliveries_of_one_meeting_wait_for_each_other() {
    let queue = Arc::new(MemoryQueue::new());
    let inbox = Inbox::new(queue.clone());
    for name in [
        "meeting.started",
        "meeting.ended",
        "recording.completed",
        "meeting.summary_completed",
        "user.created",
    ] {
        inbox.accept(&deliver(sample(name))).await.unwrap();
    }
    let jobs = queue.list(&JobFilter::new()).await.unwrap();
    let keys: Vec<&str> = jobs
        .iter()
        .map(|record| record.job.ordering_key.as_deref().unwrap())
        .collect();
    let meeting = "zoom.webhook/k3T9xQ0lRr2/1yZ+fG8aAA==";
    assert_eq!(
        keys,
        [
            meeting,
            meeting,
            meeting,
            meeting,
            "zoom.webhook/SimAcct-01_aBcDeFgHiJk"
        ]
    );
}

#[tokio::test]
async fn a_handlers_failure_is_retried_and_its_jobs_are_enqueued() {
    let queue = Arc::new(MemoryQueue::new());
    let inbox = Inbox::new(queue.clone());
    inbox
        .accept(&deliver(sample("recording.completed")))
        .await
        .unwrap();
    let attempts = Arc::new(Mutex::new(0));
    let handler = inbox.handler({
        let attempts = Arc::clone(&attempts);
        move |delivery: Delivery| {
            *attempts.lock().unwrap() += 1;
            let is_first = *attempts.lock().unwrap() == 1;
            async move {
                if is_first {
                    return Err(JobError::transient("busy"));
                }
                let Ok(Event::RecordingCompleted(event)) = delivery.event() else {
                    return Err(JobError::permanent("another event"));
                };
                Ok(vec![NewJob::new("call.fetch", event.recording.uuid.as_str())?])
            }
        }
    });
    let worker = Worker::builder(queue.clone())
        .handle(Inbox::KIND, handler)
        .backoff(job_queue::Backoff::none())
        .build();
    worker.run_until_empty(CancellationToken::new()).await.unwrap();
    let next = queue.list(&JobFilter::new().kind("call.fetch")).await.unwrap();
    assert_eq!(next.len(), 1);
    assert_eq!(
        next[0].job.payload::<String>().unwrap(),
        "k3T9xQ0lRr2/1yZ+fG8aAA=="
    );
    assert_eq!(*attempts.lock().unwrap(), 2);
}

#[tokio::test]
async fn what_is_not_stored_is_an_error() {
    assert!(
        Inbox::new(Arc::new(Broken))
            .accept(&deliver(sample("meeting.started")))
            .await
            .unwrap_err()
            .is_retryable()
    );
    assert!(
        Inbox::new(Arc::new(MemoryQueue::new()))
            .accept(&deliver("[]"))
            .await
            .is_err()
    );
}
