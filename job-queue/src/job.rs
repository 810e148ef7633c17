use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use crate::{JobId, QueueError};

/// How often a job is tried when [`NewJob::max_attempts`] was not called.
const DEFAULT_MAX_ATTEMPTS: u32 = 10;

/// A job that is not yet in a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    kind: String,
    payload: String,
    dedupe_key: Option<String>,
    ordering_key: Option<String>,
    run_at: Option<Timestamp>,
    max_attempts: u32,
}

impl NewJob {
    /// A job of this kind: `payload` is what its handler gets, as JSON. Payloads are stored in the clear.
    ///
    /// # Errors
    ///
    /// [`QueueError::InvalidJob`] for an empty kind, [`QueueError::Payload`] when `payload` does not turn into JSON.
    pub fn new(kind: impl Into<String>, payload: &(impl Serialize + ?Sized)) -> Result<Self, QueueError> {
        let kind = kind.into();
        if kind.is_empty() {
            return Err(QueueError::InvalidJob("its kind is empty"));
        }
        let payload = serde_json::to_string(payload).map_err(QueueError::payload)?;
        Ok(Self {
            kind,
            payload,
            dedupe_key: None,
            ordering_key: None,
            run_at: None,
            max_attempts: DEFAULT_MAX_ATTEMPTS,
        })
    }

    /// Among the jobs of one kind that the queue still keeps, finished ones too, only one may have this key.
    #[must_use]
    pub fn dedupe_key(mut self, key: impl Into<String>) -> Self {
        self.dedupe_key = Some(key.into());
        self
    }

    /// Jobs with the same key, whatever their kinds, run one after another in the order they were enqueued.
    #[must_use]
    pub fn ordering_key(mut self, key: impl Into<String>) -> Self {
        self.ordering_key = Some(key.into());
        self
    }

    /// Not before this time.
    #[must_use]
    pub fn run_at(mut self, at: Timestamp) -> Self {
        self.run_at = Some(at);
        self
    }

    /// How often the job is tried before it becomes a dead letter; at least once. Ten unless set.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The payload's JSON text.
    #[must_use]
    pub fn payload_json(&self) -> &str {
        &self.payload
    }

    /// The dedupe key, if it has one.
    #[must_use]
    pub fn dedupe(&self) -> Option<&str> {
        self.dedupe_key.as_deref()
    }

    /// The ordering key, if it has one.
    #[must_use]
    pub fn ordering(&self) -> Option<&str> {
        self.ordering_key.as_deref()
    }

    /// When it may run, if that is not at once.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        self.run_at
    }

    /// How often it may be tried.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.max_attempts
    }
}

/// A job in a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Job {
    /// Its number in the queue.
    pub id: JobId,
    /// What to do: names the handler.
    pub kind: String,
    /// Which attempt this is, from 1; 0 while it was never handed out.
    pub attempt: u32,
    /// How often it may be tried.
    pub max_attempts: u32,
    /// See [`NewJob::dedupe_key`].
    pub dedupe_key: Option<String>,
    /// See [`NewJob::ordering_key`].
    pub ordering_key: Option<String>,
    /// When it came into the queue.
    pub enqueued_at: Timestamp,
    /// When it may run, or was to run.
    pub run_at: Timestamp,
    payload: String,
}

impl Job {
    /// The job that `new` becomes under this id; for stores, and for tests of handlers.
    #[must_use]
    pub fn new(id: JobId, new: NewJob, enqueued_at: Timestamp) -> Self {
        Self {
            id,
            kind: new.kind,
            attempt: 0,
            max_attempts: new.max_attempts,
            dedupe_key: new.dedupe_key,
            ordering_key: new.ordering_key,
            enqueued_at,
            run_at: new.run_at.unwrap_or(enqueued_at),
            payload: new.payload,
        }
    }

    /// A job as a store kept it; `payload` is JSON text.
    #[must_use]
    pub fn stored(id: JobId, kind: String, payload: String, enqueued_at: Timestamp) -> Self {
        Self {
            id,
            kind,
            attempt: 0,
            max_attempts: DEFAULT_MAX_ATTEMPTS,
            dedupe_key: None,
            ordering_key: None,
            enqueued_at,
            run_at: enqueued_at,
            payload,
        }
    }

    /// The payload, as the type it was made from.
    ///
    /// # Errors
    ///
    /// [`QueueError::Payload`] when the JSON does not have this shape.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T, QueueError> {
        serde_json::from_str(&self.payload).map_err(QueueError::payload)
    }

    /// The payload's JSON text.
    #[must_use]
    pub fn payload_json(&self) -> &str {
        &self.payload
    }

    /// Whether no attempt is left after this one.
    #[must_use]
    pub fn is_last_attempt(&self) -> bool {
        self.attempt >= self.max_attempts
    }
}

/// What became of one enqueued job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Enqueued {
    /// It is in the queue.
    New(JobId),
    /// A job with its kind and dedupe key was there already: this one.
    Duplicate(JobId),
}

impl Enqueued {
    /// The job in the queue, new or not.
    #[must_use]
    pub fn id(self) -> JobId {
        match self {
            Self::New(id) | Self::Duplicate(id) => id,
        }
    }

    /// Whether this call put it there.
    #[must_use]
    pub fn is_new(self) -> bool {
        matches!(self, Self::New(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_kind_is_refused() {
        assert!(matches!(NewJob::new("", &1), Err(QueueError::InvalidJob(_))));
    }

    #[test]
    fn a_job_is_tried_at_least_once() {
        assert_eq!(NewJob::new("a", &1).unwrap().max_attempts(0).attempts(), 1);
    }

    #[test]
    fn the_payload_comes_back_as_its_type_or_as_an_error() {
        let new = NewJob::new("a", &("x", 7)).unwrap();
        let job = Job::new(JobId::new(1), new, Timestamp::UNIX_EPOCH);
        assert_eq!(job.payload::<(String, u8)>().unwrap(), ("x".to_owned(), 7));
        assert!(matches!(job.payload::<Vec<u8>>(), Err(QueueError::Payload(_))));
    }
}
