use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use job_queue::{
    Counts, Enqueued, JobFilter, JobId, JobQueue, JobRecord, Lease, MemoryQueue, NewJob, QueueError, Wakeups,
    WorkerId,
};
use zoom_core::Clock;
use zoom_webhooks::{Inbox, Receiver, Verifier, WebhookSecret};

pub(crate) const SAMPLES: &str = include_str!("../../fixtures/samples.jsonl");

/// When all tests take place.
pub(crate) fn now() -> Timestamp {
    "2026-01-06T12:00:00Z".parse().unwrap()
}

pub(crate) fn secret() -> WebhookSecret {
    WebhookSecret::new("zoom-sim-secret-token-1").unwrap()
}

pub(crate) fn verifier() -> Verifier {
    Verifier::new(secret()).with_clock(Clock::new(now))
}

pub(crate) fn receiver(queue: Arc<dyn JobQueue>) -> Receiver {
    Receiver::new(verifier(), Inbox::new(queue))
}

pub(crate) fn memory() -> (Arc<MemoryQueue>, Receiver) {
    let queue = Arc::new(MemoryQueue::new());
    (Arc::clone(&queue), receiver(queue))
}

pub(crate) fn sample(name: &str) -> &'static str {
    let start = format!("{{\"event\":\"{name}\"");
    SAMPLES.lines().find(|line| line.starts_with(&start)).unwrap()
}

/// A queue whose store does not answer.
#[derive(Debug)]
pub(crate) struct Broken;

fn down<T>() -> Result<T, QueueError> {
    Err(QueueError::unavailable("disk full"))
}

#[async_trait]
impl JobQueue for Broken {
    async fn enqueue(&self, _: &[NewJob]) -> Result<Vec<Enqueued>, QueueError> {
        down()
    }
    async fn claim(
        &self,
        _: &WorkerId,
        _: &[String],
        _: usize,
        _: Duration,
    ) -> Result<Vec<Lease>, QueueError> {
        down()
    }
    async fn renew(&self, _: &Lease, _: Duration) -> Result<Timestamp, QueueError> {
        down()
    }
    async fn complete(&self, _: &Lease, _: &[NewJob]) -> Result<(), QueueError> {
        down()
    }
    async fn retry(&self, _: &Lease, _: Timestamp, _: &str) -> Result<(), QueueError> {
        down()
    }
    async fn bury(&self, _: &Lease, _: &str) -> Result<(), QueueError> {
        down()
    }
    async fn release(&self, _: &Lease) -> Result<(), QueueError> {
        down()
    }
    async fn job(&self, _: JobId) -> Result<Option<JobRecord>, QueueError> {
        down()
    }
    async fn list(&self, _: &JobFilter) -> Result<Vec<JobRecord>, QueueError> {
        down()
    }
    async fn requeue(&self, _: JobId) -> Result<bool, QueueError> {
        down()
    }
    async fn purge(&self, _: Timestamp, _: u32) -> Result<u64, QueueError> {
        down()
    }
    async fn counts(&self) -> Result<Counts, QueueError> {
        down()
    }
    fn wakeups(&self) -> Wakeups {
        job_queue::Signal::new().subscribe()
    }
}
