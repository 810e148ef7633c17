use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    MeetingId, MeetingUuid, PageItem, ParticipantId, RegistrantId, UserId, lenient, model::MeetingType,
    open_enum,
};

/// A meeting that is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PastMeeting {
    /// The instance.
    pub uuid: MeetingUuid,
    /// The number people dialled.
    pub id: MeetingId,
    /// Who hosted it.
    #[serde(default, deserialize_with = "lenient::option")]
    pub host_id: Option<UserId>,
    /// Instant, scheduled, recurring…
    #[serde(default, rename = "type", deserialize_with = "lenient::option")]
    pub meeting_type: Option<MeetingType>,
    /// What it was about.
    #[serde(default, deserialize_with = "lenient::text")]
    pub topic: Option<String>,
    /// The host's name.
    #[serde(default, deserialize_with = "lenient::text")]
    pub user_name: Option<String>,
    /// The host's e-mail address.
    #[serde(default, deserialize_with = "lenient::text")]
    pub user_email: Option<String>,
    /// When it began.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub start_time: Option<Timestamp>,
    /// When it ended.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub end_time: Option<Timestamp>,
    /// How long it took, in minutes.
    #[serde(default, deserialize_with = "lenient::number")]
    pub duration: Option<u32>,
    /// Minutes of all participants together.
    #[serde(default, deserialize_with = "lenient::number")]
    pub total_minutes: Option<u64>,
    /// How many joins there were; a rejoin counts again.
    #[serde(default, deserialize_with = "lenient::number")]
    pub participants_count: Option<u32>,
    /// The host's department.
    #[serde(default, deserialize_with = "lenient::text")]
    pub dept: Option<String>,
    /// How it was made, such as `Zoom`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub source: Option<String>,
    /// Whether Zoom's AI wrote a summary.
    #[serde(default, deserialize_with = "lenient::boolean")]
    pub has_meeting_summary: Option<bool>,
}

impl PastMeeting {
    /// A meeting of which nothing else is known, for tests and stubs.
    #[must_use]
    pub const fn new(uuid: MeetingUuid, id: MeetingId) -> Self {
        Self {
            uuid,
            id,
            host_id: None,
            meeting_type: None,
            topic: None,
            user_name: None,
            user_email: None,
            start_time: None,
            end_time: None,
            duration: None,
            total_minutes: None,
            participants_count: None,
            dept: None,
            source: None,
            has_meeting_summary: None,
        }
    }
}

/// One time a meeting took place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PastInstance {
    /// The instance; ask with it for participants and recordings.
    pub uuid: MeetingUuid,
    /// When it began.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub start_time: Option<Timestamp>,
}

impl PastInstance {
    /// An instance, for tests and stubs.
    #[must_use]
    pub const fn new(uuid: MeetingUuid, start_time: Option<Timestamp>) -> Self {
        Self { uuid, start_time }
    }
}

impl PageItem for PastInstance {
    const KEY: &'static str = "meetings";
}

/// One stay of somebody in a meeting. Who leaves and comes back has several, under another `user_id` each time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Participant {
    /// The Zoom user, if they were signed in.
    #[serde(deserialize_with = "lenient::option")]
    pub id: Option<UserId>,
    /// This stay.
    #[serde(deserialize_with = "lenient::option")]
    pub user_id: Option<ParticipantId>,
    /// The name they went by.
    #[serde(deserialize_with = "lenient::text")]
    pub name: Option<String>,
    /// E-mail address; absent for guests from outside the account.
    #[serde(deserialize_with = "lenient::text")]
    pub user_email: Option<String>,
    /// When they came.
    #[serde(deserialize_with = "lenient::timestamp")]
    pub join_time: Option<Timestamp>,
    /// When they left.
    #[serde(deserialize_with = "lenient::timestamp")]
    pub leave_time: Option<Timestamp>,
    /// How long they stayed, in seconds. Zoom may say 0 shortly after the end.
    #[serde(deserialize_with = "lenient::number")]
    pub duration: Option<u64>,
    /// Their registration.
    #[serde(deserialize_with = "lenient::option")]
    pub registrant_id: Option<RegistrantId>,
    /// Whether the stay was moved to another server of Zoom's.
    #[serde(deserialize_with = "lenient::boolean")]
    pub failover: Option<bool>,
    /// Whether they were in the meeting or before its door.
    #[serde(deserialize_with = "lenient::option")]
    pub status: Option<ParticipantStatus>,
    /// Whether they belong to the host's account.
    #[serde(deserialize_with = "lenient::boolean")]
    pub internal_user: Option<bool>,
    /// The host application's own key, where the SDK set one (reports only).
    #[serde(deserialize_with = "lenient::text")]
    pub customer_key: Option<String>,
    /// The breakout room (reports only).
    #[serde(deserialize_with = "lenient::text")]
    pub bo_mtg_id: Option<String>,
    /// The Zoom user once more (reports only).
    #[serde(deserialize_with = "lenient::option")]
    pub participant_user_id: Option<UserId>,
}

impl PageItem for Participant {
    const KEY: &'static str = "participants";
}

open_enum! {
    /// Where a participant was.
    pub enum ParticipantStatus {
        /// In the meeting.
        InMeeting => "in_meeting",
        /// Before its door: not time spent together.
        InWaitingRoom => "in_waiting_room",
    }
}
