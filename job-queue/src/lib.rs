#![doc = include_str!("../README.md")]

mod backoff;
mod clock;
#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
mod handler;
mod id;
mod job;
mod lease;
mod memory;
mod queue;
mod record;
#[cfg(feature = "sqlite")]
mod sqlite;
mod wakeups;
mod worker;

pub use backoff::Backoff;
pub use clock::Clock;
pub use error::{JobError, QueueError};
pub use handler::Handler;
pub use id::{Fence, JobId, WorkerId};
pub use job::{Enqueued, Job, NewJob};
pub use lease::Lease;
pub use memory::MemoryQueue;
pub use queue::JobQueue;
pub use record::{Counts, JobFilter, JobRecord, JobState};
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteQueue, open_sqlite};
pub use wakeups::{Signal, Wakeups};
pub use worker::{Worker, WorkerBuilder};
