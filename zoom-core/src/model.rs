//! What Zoom's API and webhooks speak of.
//!
//! Fields are in the order of the wire, and public. Reading is tolerant: unknown fields are passed over, `""` and null
//! are absent, ids may be numbers or text, kinds that are not known keep their text. Writing leaves the secrets out
//! (passcodes, start links, download tokens), so a model can be stored as JSON; only what is sent to Zoom
//! ([`NewMeeting`], [`MeetingUpdate`]) carries its passcode.

mod meeting;
mod meeting_settings;
mod new_meeting;
mod other_fields;
mod past_meeting;
mod recording;
mod user;
mod user_settings;

pub use meeting::{
    Meeting, MeetingListItem, MeetingStatus, MeetingType, Occurrence, OccurrenceStatus, Recurrence,
    RecurrenceType, TrackingField,
};
pub use meeting_settings::{Audio, AutoRecording, EncryptionType, MeetingSettings};
pub use new_meeting::{MeetingUpdate, NewMeeting};
pub use other_fields::OtherFields;
pub use past_meeting::{Participant, ParticipantStatus, PastInstance, PastMeeting};
pub use recording::{FileType, Recording, RecordingFile, RecordingList, RecordingStatus, RecordingType};
pub use user::{User, UserStatus, UserType};
pub use user_settings::{FeatureSettings, RecordingSettings, SmartRecording, UserSettings};

#[cfg(test)]
mod fixture_tests;
