//! The record of a call: what is known of it and how far it has come.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zoom_core::{MeetingId, MeetingUuid};
use zoom_recordings::Transcript;

use crate::{
    Analysis, Attribution, CallId, CallParticipant, ContactMatch, Metrics, OwnerId, Receipt, Sides,
    StepRecord,
};

/// A recorded call, from its first event to its recap. Nothing in it is secret: no token, no passcode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Call {
    /// The id, which follows from owner and recording.
    pub id: CallId,
    /// The rep whose call it is.
    pub owner: OwnerId,
    /// Where the call comes from.
    pub origin: Origin,
    /// The meeting's number at Zoom.
    pub meeting_id: Option<MeetingId>,
    /// The topic of the meeting, or the name of the file.
    pub topic: String,
    /// When the meeting began, where that is known.
    pub started_at: Option<Timestamp>,
    /// The time zone of the meeting (`America/Toronto`), in which "Friday" is meant.
    pub timezone: Option<String>,
    /// How long the call was: the length of the recording.
    pub duration_ms: Option<u64>,
    /// The host's e-mail address.
    pub host_email: Option<String>,
    /// Who took part, as Zoom tells; often incomplete.
    pub participants: Vec<CallParticipant>,
    /// Which speaker is on which side.
    pub sides: Sides,
    /// How far the call has come.
    pub status: CallStatus,
    /// Why it is there, in words for a reader; set when waiting or failed.
    pub status_reason: Option<String>,
    /// What each step of the pipeline did.
    pub steps: Vec<StepRecord>,
    /// The words that were analysed.
    pub transcript: Option<Transcript>,
    /// Zoom's own transcript, kept beside when the words come from somewhere else: it knows the speakers' names.
    pub zoom_transcript: Option<Transcript>,
    /// What was counted.
    pub metrics: Option<Metrics>,
    /// What was judged.
    pub analysis: Option<Analysis>,
    /// Whose call it was.
    pub contact: Option<ContactMatch>,
    /// What brought the contact.
    pub attribution: Option<Attribution>,
    /// Where the recap went.
    pub recap: Option<Receipt>,
    /// When the call was first heard of.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The revision of the stored record; 0 before it is stored. See [`CallStore::save`](crate::CallStore::save).
    pub revision: u64,
}

impl Call {
    /// A call that was just heard of.
    pub fn new(id: CallId, owner: OwnerId, origin: Origin, topic: impl Into<String>, now: Timestamp) -> Self {
        Self {
            id,
            owner,
            origin,
            meeting_id: None,
            topic: topic.into(),
            started_at: None,
            timezone: None,
            duration_ms: None,
            host_email: None,
            participants: Vec::new(),
            sides: Sides::new(),
            status: CallStatus::Processing,
            status_reason: None,
            steps: Vec::new(),
            transcript: None,
            zoom_transcript: None,
            metrics: None,
            analysis: None,
            contact: None,
            attribution: None,
            recap: None,
            created_at: now,
            updated_at: now,
            revision: 0,
        }
    }

    /// The meeting's instance at Zoom, if the call was a meeting.
    #[must_use]
    pub fn meeting_uuid(&self) -> Option<&MeetingUuid> {
        match &self.origin {
            Origin::Meeting { uuid } => Some(uuid),
            Origin::File { .. } => None,
        }
    }
}

/// Where a call comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[non_exhaustive]
pub enum Origin {
    /// A meeting recorded by Zoom.
    Meeting {
        /// The instance of the meeting.
        uuid: MeetingUuid,
    },
    /// A file on the host's disk. It stays the user's: no step moves or deletes it.
    File {
        /// The media or transcript.
        path: PathBuf,
    },
}

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CallStatus {
    /// A step is running or about to.
    Processing,
    /// Zoom has not finished the transcript; the pipeline asks again, and the event will wake it.
    AwaitingTranscript,
    /// Everything is there.
    Ready,
    /// A step failed for good; the reason says which and why.
    Failed,
}

impl CallStatus {
    /// The name used in JSON and SQL.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Processing => "processing",
            Self::AwaitingTranscript => "awaiting_transcript",
            Self::Ready => "ready",
            Self::Failed => "failed",
        }
    }
}
