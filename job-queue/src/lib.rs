#![doc = include_str!("../README.md")]

mod backoff;
mod clock;
mod error;
mod handler;
mod id;
mod job;
mod lease;
mod memory;
mod queue;
mod record;
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
pub use wakeups::{Signal, Wakeups};
pub use worker::{Worker, WorkerBuilder};
