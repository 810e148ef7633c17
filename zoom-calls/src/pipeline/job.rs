//! What a job of the pipeline carries.

use job_queue::{Job, NewJob, QueueError};
use serde::{Deserialize, Serialize};
use zoom_core::model::Recording;
use zoom_core::{MeetingId, MeetingUuid};

use crate::{Call, CallId, OwnerId, Step};

/// The kind of the job that asks again for a transcript that Zoom has not finished.
pub(super) const POLL: &str = "call.poll";

/// How often a step is tried. With the worker's usual pauses, ten tries are half an hour and forty are five hours: an
/// outage of Zoom's costs no call, and a channel that is down does not keep a call from being ready.
fn attempts(step: Step) -> u32 {
    match step {
        Step::Fetch => 40,
        _ => 10,
    }
}

/// Ids, counters and the topic; nothing secret, and nothing that was said.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct CallJob {
    pub(super) call: CallId,
    pub(super) owner: OwnerId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) uuid: Option<MeetingUuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) meeting: Option<MeetingId>,
    /// What the event called the meeting, for a call that never gets further.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) topic: Option<String>,
    /// How often Zoom was asked for the transcript in vain.
    #[serde(default)]
    pub(super) polls: u32,
}

impl CallJob {
    pub(super) fn for_recording(owner: &OwnerId, recording: &Recording) -> Self {
        Self {
            call: CallId::for_meeting(owner, &recording.uuid),
            owner: owner.clone(),
            uuid: Some(recording.uuid.clone()),
            meeting: Some(recording.id),
            topic: recording.topic.clone(),
            polls: 0,
        }
    }

    pub(super) fn for_call(call: &Call) -> Self {
        let uuid = call.meeting_uuid().cloned();
        Self {
            call: call.id.clone(),
            owner: call.owner.clone(),
            uuid,
            meeting: call.meeting_id,
            topic: None,
            polls: 0,
        }
    }

    /// The job that begins the chain; one per call and occasion.
    pub(super) fn first(&self, occasion: &str) -> Result<NewJob, QueueError> {
        self.job(Step::Fetch, &format!("{} {occasion}", self.call))
    }

    /// The job of the next step; one per job that it follows from.
    pub(super) fn next(&self, step: Step, after: &Job) -> Result<NewJob, QueueError> {
        self.job(step, &format!("{} after {}", self.call, after.id))
    }

    fn job(&self, step: Step, dedupe_key: &str) -> Result<NewJob, QueueError> {
        // Jobs of one call run one after another, so that two events never work on one call at once.
        Ok(NewJob::new(step.job_kind(), self)?
            .max_attempts(attempts(step))
            .dedupe_key(dedupe_key)
            .ordering_key(self.call.as_str()))
    }
}
