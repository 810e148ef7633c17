use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Link, MeetingId, MeetingUuid, OccurrenceId, PageItem, Passcode, StartUrl, UserId, lenient,
    model::MeetingSettings, open_enum, open_enum::open_code,
};

/// A meeting that is planned or under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Meeting {
    /// The number people dial.
    pub id: MeetingId,
    /// The instance to come. It will have run under another; keep the one from `meeting.started`.
    #[serde(default, deserialize_with = "lenient::option")]
    pub uuid: Option<MeetingUuid>,
    /// Who hosts it.
    #[serde(default, deserialize_with = "lenient::option")]
    pub host_id: Option<UserId>,
    /// The host's e-mail address.
    #[serde(default, deserialize_with = "lenient::text")]
    pub host_email: Option<String>,
    /// What it is about.
    #[serde(default, deserialize_with = "lenient::text")]
    pub topic: Option<String>,
    /// Instant, scheduled, recurring…
    #[serde(default, rename = "type", deserialize_with = "lenient::option")]
    pub meeting_type: Option<MeetingType>,
    /// Whether it has begun.
    #[serde(default, deserialize_with = "lenient::option")]
    pub status: Option<MeetingStatus>,
    /// When it begins; absent when it recurs without a fixed time.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub start_time: Option<Timestamp>,
    /// How long it is planned to take, in minutes.
    #[serde(default, deserialize_with = "lenient::number")]
    pub duration: Option<u32>,
    /// Time zone it was planned in, as an IANA name.
    #[serde(default, deserialize_with = "lenient::text")]
    pub timezone: Option<String>,
    /// Description.
    #[serde(default, deserialize_with = "lenient::text")]
    pub agenda: Option<String>,
    /// When it was made.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub created_at: Option<Timestamp>,
    /// Starts the meeting as its host, for about two hours. Get the meeting again for a fresh one. Never written.
    #[serde(default, deserialize_with = "lenient::option", skip_serializing)]
    pub start_url: Option<StartUrl>,
    /// What participants open.
    #[serde(default, deserialize_with = "lenient::link")]
    pub join_url: Option<Link>,
    /// Where people register, if they must.
    #[serde(default, deserialize_with = "lenient::link")]
    pub registration_url: Option<Link>,
    /// What participants type. Never written.
    #[serde(default, deserialize_with = "lenient::option", skip_serializing)]
    pub password: Option<Passcode>,
    /// The personal meeting's id, if the meeting uses it.
    #[serde(default, deserialize_with = "lenient::option")]
    pub pmi: Option<MeetingId>,
    /// Whether it was made ahead through the Google or Outlook add-on.
    #[serde(default, deserialize_with = "lenient::boolean")]
    pub pre_schedule: Option<bool>,
    /// When it takes place, for a series with fixed times.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub occurrences: Vec<Occurrence>,
    /// How it repeats.
    #[serde(default, deserialize_with = "lenient::option")]
    pub recurrence: Option<Recurrence>,
    /// How it is run.
    #[serde(default, deserialize_with = "lenient::option")]
    pub settings: Option<MeetingSettings>,
    /// Labels of the account, and what hosts attach to find a meeting again.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub tracking_fields: Vec<TrackingField>,
    /// Made by `open_api`, `web_portal` or `other`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub creation_source: Option<String>,
}

impl Meeting {
    /// A meeting of which nothing else is known, for tests and stubs.
    #[must_use]
    pub const fn new(id: MeetingId) -> Self {
        Self {
            id,
            uuid: None,
            host_id: None,
            host_email: None,
            topic: None,
            meeting_type: None,
            status: None,
            start_time: None,
            duration: None,
            timezone: None,
            agenda: None,
            created_at: None,
            start_url: None,
            join_url: None,
            registration_url: None,
            password: None,
            pmi: None,
            pre_schedule: None,
            occurrences: vec![],
            recurrence: None,
            settings: None,
            tracking_fields: vec![],
            creation_source: None,
        }
    }
}

/// A meeting in a list: less than [`Meeting`] has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MeetingListItem {
    /// The instance to come.
    #[serde(default, deserialize_with = "lenient::option")]
    pub uuid: Option<MeetingUuid>,
    /// The number people dial.
    pub id: MeetingId,
    /// Who hosts it.
    #[serde(default, deserialize_with = "lenient::option")]
    pub host_id: Option<UserId>,
    /// What it is about.
    #[serde(default, deserialize_with = "lenient::text")]
    pub topic: Option<String>,
    /// Instant, scheduled, recurring…
    #[serde(default, rename = "type", deserialize_with = "lenient::option")]
    pub meeting_type: Option<MeetingType>,
    /// When it begins.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub start_time: Option<Timestamp>,
    /// How long it is planned to take, in minutes.
    #[serde(default, deserialize_with = "lenient::number")]
    pub duration: Option<u32>,
    /// Time zone it was planned in, as an IANA name.
    #[serde(default, deserialize_with = "lenient::text")]
    pub timezone: Option<String>,
    /// When it was made.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub created_at: Option<Timestamp>,
    /// What participants open.
    #[serde(default, deserialize_with = "lenient::link")]
    pub join_url: Option<Link>,
    /// The beginning of the description.
    #[serde(default, deserialize_with = "lenient::text")]
    pub agenda: Option<String>,
}

impl MeetingListItem {
    /// An entry of which nothing else is known, for tests and stubs.
    #[must_use]
    pub const fn new(id: MeetingId) -> Self {
        Self {
            uuid: None,
            id,
            host_id: None,
            topic: None,
            meeting_type: None,
            start_time: None,
            duration: None,
            timezone: None,
            created_at: None,
            join_url: None,
            agenda: None,
        }
    }
}

impl PageItem for MeetingListItem {
    const KEY: &'static str = "meetings";
}

/// One date of a series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Occurrence {
    /// Names it within the series.
    pub occurrence_id: OccurrenceId,
    /// When it begins.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub start_time: Option<Timestamp>,
    /// How long it is planned to take, in minutes.
    #[serde(default, deserialize_with = "lenient::number")]
    pub duration: Option<u32>,
    /// Whether it will take place.
    #[serde(default, deserialize_with = "lenient::option")]
    pub status: Option<OccurrenceStatus>,
}

/// How a series repeats.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Recurrence {
    /// By days, weeks or months.
    #[serde(rename = "type")]
    pub recurrence_type: RecurrenceType,
    /// Every how many of them.
    #[serde(
        default,
        deserialize_with = "lenient::number",
        skip_serializing_if = "Option::is_none"
    )]
    pub repeat_interval: Option<u32>,
    /// Days of the week, `1` is Sunday: `"2,4"`.
    #[serde(
        default,
        deserialize_with = "lenient::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub weekly_days: Option<String>,
    /// Day of the month.
    #[serde(
        default,
        deserialize_with = "lenient::number",
        skip_serializing_if = "Option::is_none"
    )]
    pub monthly_day: Option<u32>,
    /// Week of the month, `-1` is the last.
    #[serde(
        default,
        deserialize_with = "lenient::number",
        skip_serializing_if = "Option::is_none"
    )]
    pub monthly_week: Option<i32>,
    /// Day of that week, `1` is Sunday.
    #[serde(
        default,
        deserialize_with = "lenient::number",
        skip_serializing_if = "Option::is_none"
    )]
    pub monthly_week_day: Option<u32>,
    /// How often, at most 60; excludes `end_date_time`.
    #[serde(
        default,
        deserialize_with = "lenient::number",
        skip_serializing_if = "Option::is_none"
    )]
    pub end_times: Option<u32>,
    /// Until when; excludes `end_times`.
    #[serde(
        default,
        deserialize_with = "lenient::timestamp",
        serialize_with = "crate::time::whole_seconds::serialize",
        skip_serializing_if = "Option::is_none"
    )]
    pub end_date_time: Option<Timestamp>,
}

impl Recurrence {
    /// Repeats every `interval` days, weeks or months, `times` times.
    #[must_use]
    pub const fn new(recurrence_type: RecurrenceType, interval: u32, times: u32) -> Self {
        Self {
            recurrence_type,
            repeat_interval: Some(interval),
            weekly_days: None,
            monthly_day: None,
            monthly_week: None,
            monthly_week_day: None,
            end_times: Some(times),
            end_date_time: None,
        }
    }
}

/// A label on a meeting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrackingField {
    /// Its name; the account must have a field of this name.
    pub field: String,
    /// Its value.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub value: String,
}

impl TrackingField {
    /// A label.
    #[must_use]
    pub fn new(field: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            value: value.into(),
        }
    }
}

open_code! {
    /// What kind of meeting, webinar or recording something is.
    pub enum MeetingType {
        /// Begins at once.
        Instant => 1,
        /// Planned.
        Scheduled => 2,
        /// A series without fixed times: one link used again and again.
        RecurringNoFixedTime => 3,
        /// Somebody's personal meeting.
        Personal => 4,
        /// A webinar.
        Webinar => 5,
        /// A series of webinars without fixed times.
        RecurringWebinarNoFixedTime => 6,
        /// A personal audio conference.
        PersonalAudioConference => 7,
        /// A series with fixed times.
        RecurringFixedTime => 8,
        /// A series of webinars with fixed times.
        RecurringWebinarFixedTime => 9,
        /// For sharing a screen only.
        ScreenShareOnly => 10,
        /// Not a meeting: a recording that somebody uploaded.
        UploadedRecording => 99,
    }

    /// What a series counts in.
    pub enum RecurrenceType {
        /// Days.
        Daily => 1,
        /// Weeks.
        Weekly => 2,
        /// Months.
        Monthly => 3,
    }
}

open_enum! {
    /// Whether a meeting has begun.
    pub enum MeetingStatus {
        /// Not yet.
        Waiting => "waiting",
        /// It is going on.
        Started => "started",
    }

    /// Whether one date of a series will take place.
    pub enum OccurrenceStatus {
        /// Yes.
        Available => "available",
        /// It was taken out.
        Deleted => "deleted",
    }
}
