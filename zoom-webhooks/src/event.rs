//! What Zoom tells, in types. A family of events has a file.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use thiserror::Error;
use zoom_core::DownloadToken;

mod app;
mod meeting;
mod participant;
mod recording;
mod summary;

pub use app::AppDeauthorized;
pub use meeting::{EventMeeting, MeetingEvent, MeetingUpdated, Operation};
pub use participant::{EventParticipant, ParticipantEvent};
pub use recording::{
    ArchiveFile, ArchiveFilesCompleted, BatchMeeting, RecordingBatch, RecordingEvent, RecordingProgress,
    RecordingRegistration, RecordingRenamed, RecordingSpan, Registrant, StorageUsage, StorageUsageUpdated,
};
pub use summary::{
    MeetingSummary, MeetingSummaryEvent, MeetingTranscript, MeetingTranscriptEvent, SummaryDetail,
};

macro_rules! events {
    ($($(#[doc = $doc:literal])* $name:literal => $variant:ident($payload:ty),)+) => {
        /// What Zoom tells. Match on what you need and leave the rest.
        #[derive(Clone, Debug)]
        #[non_exhaustive]
        pub enum Event {
            $($(#[doc = $doc])* $variant($payload),)+
            /// An event this crate has no type for; its body is in the delivery.
            #[non_exhaustive]
            Unknown {
                /// Its name.
                name: String,
            },
        }

        impl Event {
            /// The names of all typed events.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            /// The event's name on the wire.
            #[must_use]
            pub fn name(&self) -> &str {
                match self {
                    $(Self::$variant(_) => $name,)+
                    Self::Unknown { name } => name,
                }
            }

            fn read_payload<'de, D: Deserializer<'de>>(name: &str, payload: D) -> Result<Self, D::Error> {
                match name {
                    $($name => <$payload>::deserialize(payload).map(Self::$variant),)+
                    _ => {
                        IgnoredAny::deserialize(payload)?;
                        Ok(Self::Unknown { name: name.to_owned() })
                    }
                }
            }
        }
    };
}

events! {
    /// A meeting was planned.
    "meeting.created" => MeetingCreated(MeetingEvent),
    /// A planned meeting was changed.
    "meeting.updated" => MeetingUpdated(MeetingUpdated),
    /// A meeting was moved to the trash.
    "meeting.deleted" => MeetingDeleted(MeetingEvent),
    /// A meeting came back from the trash.
    "meeting.recovered" => MeetingRecovered(MeetingEvent),
    /// A meeting is gone for good.
    "meeting.permanently_deleted" => MeetingPermanentlyDeleted(MeetingEvent),
    /// A meeting began. Instant meetings have no event before this one.
    "meeting.started" => MeetingStarted(MeetingEvent),
    /// A meeting ended. The last participant may be reported as leaving after this.
    "meeting.ended" => MeetingEnded(MeetingEvent),
    /// Somebody came into the meeting.
    "meeting.participant_joined" => MeetingParticipantJoined(ParticipantEvent),
    /// Somebody left the meeting; this may arrive before their coming.
    "meeting.participant_left" => MeetingParticipantLeft(ParticipantEvent),
    /// Zoom's AI has summarised the meeting.
    "meeting.summary_completed" => MeetingSummaryCompleted(MeetingSummaryEvent),
    /// Zoom's AI has written down a meeting that was not recorded.
    "meeting.aic_transcript_completed" => MeetingTranscriptCompleted(MeetingTranscriptEvent),
    /// Recording began.
    "recording.started" => RecordingStarted(RecordingProgress),
    /// Recording pauses.
    "recording.paused" => RecordingPaused(RecordingProgress),
    /// Recording goes on.
    "recording.resumed" => RecordingResumed(RecordingProgress),
    /// Recording is over; the files follow with `recording.completed`.
    "recording.stopped" => RecordingStopped(RecordingProgress),
    /// Files of a recording can be downloaded. May come more than once for one meeting.
    "recording.completed" => RecordingCompleted(RecordingEvent),
    /// The transcript of a recording can be downloaded; minutes to hours after the media.
    "recording.transcript_completed" => RecordingTranscriptCompleted(RecordingEvent),
    /// A recording was moved to the trash.
    "recording.trashed" => RecordingTrashed(RecordingEvent),
    /// A recording is gone for good.
    "recording.deleted" => RecordingDeleted(RecordingEvent),
    /// A recording came back from the trash.
    "recording.recovered" => RecordingRecovered(RecordingEvent),
    /// A recording has another topic.
    "recording.renamed" => RecordingRenamed(RecordingRenamed),
    /// Recordings of several meetings were moved to the trash.
    "recording.batch_trashed" => RecordingBatchTrashed(RecordingBatch),
    /// Recordings of several meetings are gone for good.
    "recording.batch_deleted" => RecordingBatchDeleted(RecordingBatch),
    /// Recordings of several meetings came back from the trash.
    "recording.batch_recovered" => RecordingBatchRecovered(RecordingBatch),
    /// The account's cloud storage fills up, or empties.
    "recording.cloud_storage_usage_updated" => RecordingStorageUsageUpdated(StorageUsageUpdated),
    /// Somebody registered to watch a recording.
    "recording.registration_created" => RecordingRegistrationCreated(RecordingRegistration),
    /// Files for the archive can be downloaded.
    "recording.archive_files_completed" => RecordingArchiveFilesCompleted(ArchiveFilesCompleted),
    /// A user removed the app, or the app revoked its token: forget the tokens.
    "app_deauthorized" => AppDeauthorized(AppDeauthorized),
}

/// A payload does not have the shape its event's name promises. It shows no value of it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the payload of {name:?} does not fit: {problem}")]
#[non_exhaustive]
pub struct PayloadError {
    name: String,
    problem: String,
}

impl PayloadError {
    /// The event's name; empty when the body is no webhook.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn new(name: &str, error: &serde_json::Error) -> Self {
        let message = error.to_string();
        // Only these messages are sure to hold no value: serde puts what it found into the others.
        let is_safe = ["missing field `", "duplicate field `"]
            .iter()
            .any(|start| message.starts_with(start));
        let problem = if is_safe {
            message
        } else {
            format!("at line {} column {}", error.line(), error.column())
        };
        Self {
            name: name.to_owned(),
            problem,
        }
    }
}

impl Event {
    pub(crate) fn read(body: &[u8]) -> Result<Self, PayloadError> {
        let mut name = String::new();
        let mut reader = serde_json::Deserializer::from_slice(body);
        let read = Envelope { name: &mut name }.deserialize(&mut reader);
        let event = read.and_then(|event| reader.end().map(|()| event));
        event.map_err(|error| PayloadError::new(&name, &error))
    }

    /// Where Zoom sends one, it stands beside the payload.
    fn set_download_token(&mut self, token: DownloadToken) {
        match self {
            Self::RecordingCompleted(event)
            | Self::RecordingTranscriptCompleted(event)
            | Self::RecordingTrashed(event)
            | Self::RecordingRecovered(event)
            | Self::RecordingDeleted(event) => event.download_token = Some(token),
            Self::RecordingArchiveFilesCompleted(event) => event.download_token = Some(token),
            _ => {}
        }
    }
}

/// Reads the whole body in one pass if the name comes before the payload; else the payload's text is kept until then.
struct Envelope<'a> {
    /// Set as soon as it is read, for the error.
    name: &'a mut String,
}

impl<'de> DeserializeSeed<'de> for Envelope<'_> {
    type Value = Event;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Event, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Envelope<'_> {
    type Value = Event;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a webhook")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Event, A::Error> {
        let mut event = None;
        let mut unread: Option<&'de RawValue> = None;
        let mut download_token = None;
        while let Some(field) = fields.next_key::<Cow<'de, str>>()? {
            match field.as_ref() {
                "event" => *self.name = fields.next_value()?,
                "payload" if self.name.is_empty() => unread = Some(fields.next_value()?),
                "payload" => event = Some(fields.next_value_seed(Payload { name: self.name })?),
                "download_token" => download_token = fields.next_value::<Option<String>>()?,
                _ => {
                    fields.next_value::<IgnoredAny>()?;
                }
            }
        }
        if self.name.is_empty() {
            return Err(A::Error::missing_field("event"));
        }
        let mut event = match (event, unread) {
            (Some(event), _) => event,
            (None, Some(text)) => {
                let mut payload = serde_json::Deserializer::from_str(text.get());
                Event::read_payload(self.name, &mut payload).map_err(A::Error::custom)?
            }
            (None, None) if Event::NAMES.contains(&self.name.as_str()) => {
                return Err(A::Error::missing_field("payload"));
            }
            (None, None) => Event::Unknown {
                name: self.name.clone(),
            },
        };
        if let Some(token) = download_token.filter(|token| !token.is_empty()) {
            event.set_download_token(DownloadToken::new(token));
        }
        Ok(event)
    }
}

struct Payload<'a> {
    name: &'a str,
}

impl<'de> DeserializeSeed<'de> for Payload<'_> {
    type Value = Event;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Event, D::Error> {
        Event::read_payload(self.name, deserializer)
    }
}

#[cfg(test)]
mod tests;
