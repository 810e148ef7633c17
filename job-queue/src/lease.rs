use jiff::Timestamp;

use crate::{Fence, Job};

/// The right to run a job until `expires_at`, unless it is renewed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lease {
    /// The job that was handed out.
    pub job: Job,
    /// Which handing-out this is: it must match when the job is finished.
    pub fence: Fence,
    /// From this moment on somebody else may be handed the job.
    pub expires_at: Timestamp,
}

impl Lease {
    /// A lease, as a queue gives it.
    #[must_use]
    pub fn new(job: Job, fence: Fence, expires_at: Timestamp) -> Self {
        Self {
            job,
            fence,
            expires_at,
        }
    }
}

/// Why a job is dead whose last attempt was never acknowledged: its worker vanished.
pub(crate) const EXPIRED: &str = "the lease of its last attempt expired";
