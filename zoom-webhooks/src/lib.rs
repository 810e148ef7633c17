#![doc = include_str!("../README.md")]

#[cfg(feature = "axum")]
pub mod axum;
mod challenge;
mod dedup;
mod delivery;
mod event;
mod head;
mod inbox;
mod receiver;
mod redact;
mod secret;
mod signature;
mod window;

pub use challenge::{ChallengeResponse, answer_challenge};
pub use delivery::Delivery;
pub use event::{
    AppDeauthorized, ArchiveFile, ArchiveFilesCompleted, BatchMeeting, Event, EventMeeting, EventParticipant,
    MeetingEvent, MeetingSummary, MeetingSummaryEvent, MeetingTranscript, MeetingTranscriptEvent,
    MeetingUpdated, Operation, ParticipantEvent, PayloadError, RecordingBatch, RecordingEvent,
    RecordingProgress, RecordingRegistration, RecordingRenamed, RecordingSpan, Registrant, StorageUsage,
    StorageUsageUpdated, SummaryDetail,
};
pub use inbox::{Accepted, Inbox};
pub use receiver::{MAX_BODY, Receiver};
pub use secret::{InvalidSecret, WebhookSecret};
pub use signature::{SignatureError, Verifier, sign, signed_headers};
pub use window::Window;
