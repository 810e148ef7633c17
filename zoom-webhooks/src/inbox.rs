use std::{fmt, sync::Arc};

use async_trait::async_trait;
use job_queue::{Handler, Job, JobError, JobQueue, NewJob, QueueError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

use crate::{Delivery, redact::redact};

/// Where deliveries wait, durably and each only once, for the workers.
///
/// What is stored holds no token and no passcode: files are downloaded with the connection's own token.
#[derive(Clone, Debug)]
pub struct Inbox {
    queue: Arc<dyn JobQueue>,
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Accepted {
    /// It is stored.
    Stored,
    /// The same event was stored before.
    Duplicate,
}

/// What a job holds, as it is written.
#[derive(Serialize)]
struct Written<'a> {
    secret_id: &'a str,
    body: Value,
}

/// What a job holds, as it is read: the body stays text.
#[derive(Deserialize)]
struct Read {
    secret_id: String,
    body: Box<RawValue>,
}

impl Inbox {
    /// The kind of the jobs.
    pub const KIND: &'static str = "zoom.webhook";

    /// An inbox on this queue.
    #[must_use]
    pub fn new(queue: Arc<dyn JobQueue>) -> Self {
        Self { queue }
    }

    /// Stores the delivery, unless the same event was stored before. Deliveries about one meeting, or else of one
    /// account, are handled one after another.
    ///
    /// # Errors
    ///
    /// When it is not stored: answer with 5xx, so that Zoom sends it again. [`QueueError::InvalidJob`] when the body is
    /// no webhook at all.
    pub async fn accept(&self, delivery: &Delivery) -> Result<Accepted, QueueError> {
        let job = Self::job(delivery)?;
        let enqueued = self.queue.enqueue(&[job]).await?;
        let is_new = enqueued.iter().all(|enqueued| enqueued.is_new());
        Ok(if is_new {
            Accepted::Stored
        } else {
            Accepted::Duplicate
        })
    }

    /// The job that [`Inbox::accept`] enqueues; for hosts that enqueue it in a transaction of their own.
    ///
    /// # Errors
    ///
    /// [`QueueError::InvalidJob`] when the body is no webhook.
    pub fn job(delivery: &Delivery) -> Result<NewJob, QueueError> {
        if delivery.name().is_empty() {
            return Err(QueueError::InvalidJob("the body is no webhook"));
        }
        let mut body: Value = serde_json::from_slice(delivery.body()).map_err(QueueError::payload)?;
        redact(&mut body);
        let written = Written {
            secret_id: delivery.secret_id(),
            body,
        };
        let mut job = NewJob::new(Self::KIND, &written)?.dedupe_key(delivery.dedup_key());
        let meeting = delivery.meeting_uuid().map(ToString::to_string);
        let meeting = meeting.or_else(|| delivery.meeting_id().map(str::to_owned));
        if let Some(key) = meeting.or_else(|| delivery.account_id().map(ToString::to_string)) {
            job = job.ordering_key(format!("{}/{key}", Self::KIND));
        }
        Ok(job)
    }

    /// What a worker does with the stored deliveries: register it for [`Inbox::KIND`].
    ///
    /// The jobs that `run` returns are enqueued in the transaction that marks the delivery as handled.
    pub fn handler<F, R>(&self, run: F) -> Arc<dyn Handler>
    where
        F: Fn(Delivery) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Vec<NewJob>, JobError>> + Send + 'static,
    {
        Arc::new(Deliveries(run))
    }
}

struct Deliveries<F>(F);

impl<F> fmt::Debug for Deliveries<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Deliveries")
    }
}

#[async_trait]
impl<F, R> Handler for Deliveries<F>
where
    F: Fn(Delivery) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Vec<NewJob>, JobError>> + Send + 'static,
{
    async fn run(&self, job: &Job) -> Result<Vec<NewJob>, JobError> {
        let read: Read = job.payload()?;
        // It was verified before it was stored.
        (self.0)(Delivery::verified(
            read.body.get().as_bytes(),
            read.secret_id.into(),
        ))
        .await
    }
}
