use jiff::Timestamp;
use serde::Deserialize;
use zoom_core::{
    AccountId, Link, MeetingId, MeetingRef, MeetingUuid, Passcode, UserId, lenient,
    model::{MeetingType, Occurrence},
    open_enum,
};

use super::{participant::EventParticipant, recording::RecordingSpan, recording::Registrant};
use crate::head::event_time;

open_enum! {
    /// What of a series it is about.
    pub enum Operation {
        /// A meeting that is no series, or one occurrence.
        Single => "single",
        /// The whole series.
        All => "all",
    }
}

/// Something happened to a meeting.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct MeetingEvent {
    /// The account.
    #[serde(default, deserialize_with = "lenient::option")]
    pub account_id: Option<AccountId>,
    /// Who did it, as an e-mail address.
    #[serde(default, deserialize_with = "lenient::text")]
    pub operator: Option<String>,
    /// Who did it.
    #[serde(default, deserialize_with = "lenient::option")]
    pub operator_id: Option<UserId>,
    /// One occurrence or the series.
    #[serde(default, deserialize_with = "lenient::option")]
    pub operation: Option<Operation>,
    /// The meeting.
    #[serde(rename = "object")]
    pub meeting: EventMeeting,
}

/// A planned meeting was changed. Fields that did not change are absent on both sides.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct MeetingUpdated {
    /// The account.
    #[serde(default, deserialize_with = "lenient::option")]
    pub account_id: Option<AccountId>,
    /// Who did it, as an e-mail address.
    #[serde(default, deserialize_with = "lenient::text")]
    pub operator: Option<String>,
    /// Who did it.
    #[serde(default, deserialize_with = "lenient::option")]
    pub operator_id: Option<UserId>,
    /// One occurrence or the series.
    #[serde(default, deserialize_with = "lenient::option")]
    pub scope: Option<Operation>,
    /// When.
    #[serde(default, deserialize_with = "event_time")]
    pub time_stamp: Option<Timestamp>,
    /// The meeting's number and what is new.
    #[serde(rename = "object")]
    pub meeting: EventMeeting,
    /// The meeting's number and what it was before.
    #[serde(default, rename = "old_object")]
    pub old: Option<EventMeeting>,
}

/// A meeting, as far as an event tells. It names at least its number or its instance.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "MeetingObject")]
#[non_exhaustive]
pub struct EventMeeting {
    /// The number people dial.
    pub id: Option<MeetingId>,
    /// The instance.
    pub uuid: Option<MeetingUuid>,
    /// Who hosts it.
    pub host_id: Option<UserId>,
    /// What it is about.
    pub topic: Option<String>,
    /// Instant, scheduled, recurring…
    pub meeting_type: Option<MeetingType>,
    /// When it begins or began.
    pub start_time: Option<Timestamp>,
    /// When it ended.
    pub end_time: Option<Timestamp>,
    /// How long it is planned to take, in minutes; 0 for instant meetings and while it is being recorded.
    pub duration: Option<u32>,
    /// Time zone it was planned in, as an IANA name.
    pub timezone: Option<String>,
    /// What participants open.
    pub join_url: Option<Link>,
    /// What participants type.
    pub password: Option<Passcode>,
    /// When it takes place, for a series with fixed times.
    pub occurrences: Vec<Occurrence>,
}

impl EventMeeting {
    /// The instance, or the number where the event does not name the instance.
    #[must_use]
    pub fn reference(&self) -> Option<MeetingRef> {
        let by_uuid = self.uuid.as_ref().map(MeetingRef::from);
        by_uuid.or_else(|| self.id.map(MeetingRef::from))
    }
}

/// The `object` of every event that is about a meeting: some have one thing more.
#[derive(Deserialize)]
pub(super) struct MeetingObject {
    #[serde(default, deserialize_with = "lenient::option")]
    id: Option<MeetingId>,
    #[serde(default, deserialize_with = "lenient::option")]
    uuid: Option<MeetingUuid>,
    #[serde(default, deserialize_with = "lenient::option")]
    host_id: Option<UserId>,
    #[serde(default, deserialize_with = "lenient::text")]
    topic: Option<String>,
    #[serde(default, rename = "type", deserialize_with = "lenient::option")]
    meeting_type: Option<MeetingType>,
    #[serde(default, deserialize_with = "lenient::timestamp")]
    start_time: Option<Timestamp>,
    #[serde(default, deserialize_with = "lenient::timestamp")]
    end_time: Option<Timestamp>,
    #[serde(default, deserialize_with = "lenient::number")]
    duration: Option<u32>,
    #[serde(default, deserialize_with = "lenient::text")]
    timezone: Option<String>,
    #[serde(default, deserialize_with = "lenient::link")]
    join_url: Option<Link>,
    #[serde(default, deserialize_with = "lenient::option")]
    password: Option<Passcode>,
    #[serde(default, deserialize_with = "lenient::list")]
    occurrences: Vec<Occurrence>,
    #[serde(default)]
    pub(super) participant: Option<EventParticipant>,
    #[serde(default)]
    pub(super) recording_file: Option<RecordingSpan>,
    #[serde(default)]
    pub(super) registrant: Option<Registrant>,
}

impl TryFrom<MeetingObject> for EventMeeting {
    type Error = &'static str;

    fn try_from(object: MeetingObject) -> Result<Self, Self::Error> {
        if object.id.is_none() && object.uuid.is_none() {
            return Err("missing field `uuid`");
        }
        Ok(Self {
            id: object.id,
            uuid: object.uuid,
            host_id: object.host_id,
            topic: object.topic,
            meeting_type: object.meeting_type,
            start_time: object.start_time,
            end_time: object.end_time,
            duration: object.duration,
            timezone: object.timezone,
            join_url: object.join_url,
            password: object.password,
            occurrences: object.occurrences,
        })
    }
}

/// The payload of events whose meeting has one thing more.
#[derive(Deserialize)]
pub(super) struct MeetingPayload {
    #[serde(default, deserialize_with = "lenient::option")]
    pub(super) account_id: Option<AccountId>,
    pub(super) object: MeetingObject,
}
