use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{
    Passcode, UserId, lenient,
    model::{AutoRecording, MeetingSettings, MeetingType, Recurrence, TrackingField},
    secret::expose_passcode,
    time::{parse_start, start_text},
};

/// A meeting to be made. What is not set is left to the host's settings at Zoom.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, remote = "Self")]
#[non_exhaustive]
pub struct NewMeeting {
    /// What it is about, up to 200 characters.
    #[serde(deserialize_with = "lenient::text", skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Instant, scheduled, recurring…
    #[serde(
        rename = "type",
        deserialize_with = "lenient::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub meeting_type: Option<MeetingType>,
    /// When it begins; sent as the wall clock of the [`timezone`](Self::timezone), or as UTC where there is none.
    #[serde(skip)]
    pub start_time: Option<Timestamp>,
    /// How long it is to take, in minutes, up to 1440.
    #[serde(deserialize_with = "lenient::number", skip_serializing_if = "Option::is_none")]
    pub duration: Option<u32>,
    /// Time zone it is in, as an IANA name: a series keeps its wall clock, and invitations show it.
    #[serde(deserialize_with = "lenient::text", skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// What participants type, up to 10 characters.
    #[serde(
        deserialize_with = "lenient::option",
        serialize_with = "expose_passcode",
        skip_serializing_if = "Option::is_none"
    )]
    pub password: Option<Passcode>,
    /// Whether Zoom makes up a passcode when the account demands one.
    #[serde(
        deserialize_with = "lenient::boolean",
        skip_serializing_if = "Option::is_none"
    )]
    pub default_password: Option<bool>,
    /// Description, up to 2000 characters.
    #[serde(deserialize_with = "lenient::text", skip_serializing_if = "Option::is_none")]
    pub agenda: Option<String>,
    /// Whom it is for, if somebody else; needs the privilege to schedule for them.
    #[serde(deserialize_with = "lenient::option", skip_serializing_if = "Option::is_none")]
    pub schedule_for: Option<UserId>,
    /// Labels to find it again by.
    #[serde(
        deserialize_with = "lenient::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub tracking_fields: Vec<TrackingField>,
    /// How it repeats; needs [`MeetingType::RecurringFixedTime`].
    #[serde(deserialize_with = "lenient::option", skip_serializing_if = "Option::is_none")]
    pub recurrence: Option<Recurrence>,
    /// How it is run.
    #[serde(deserialize_with = "lenient::option", skip_serializing_if = "Option::is_none")]
    pub settings: Option<MeetingSettings>,
}

/// A start that ends in `Z` makes Zoom ignore the zone beside it, so what is written depends on both.
impl Serialize for NewMeeting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Sent<'a> {
            #[serde(flatten, serialize_with = "serialize_rest")]
            rest: &'a NewMeeting,
            #[serde(skip_serializing_if = "Option::is_none")]
            start_time: Option<String>,
        }
        let zone = self.timezone.as_deref();
        let sent = Sent {
            rest: self,
            start_time: self.start_time.map(|at| start_text(at, zone)),
        };
        sent.serialize(serializer)
    }
}

/// Everything but the start.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it like that")]
fn serialize_rest<S: Serializer>(meeting: &&NewMeeting, serializer: S) -> Result<S::Ok, S::Error> {
    NewMeeting::serialize(meeting, serializer)
}

impl<'de> Deserialize<'de> for NewMeeting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Received {
            #[serde(flatten, with = "NewMeeting")]
            rest: NewMeeting,
            #[serde(default)]
            start_time: Option<String>,
        }
        let Received { mut rest, start_time } = Received::deserialize(deserializer)?;
        if let Some(text) = start_time.filter(|text| !text.trim().is_empty()) {
            let read = parse_start(&text, rest.timezone.as_deref());
            rest.start_time = Some(read.ok_or_else(|| D::Error::custom("expected a time"))?);
        }
        Ok(rest)
    }
}

/// What to change about a meeting. What is not set stays as it is.
pub type MeetingUpdate = NewMeeting;

impl NewMeeting {
    /// Nothing set: the beginning of an update.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A meeting at a time.
    #[must_use]
    pub fn scheduled(topic: impl Into<String>, start_time: Timestamp, duration_minutes: u32) -> Self {
        Self {
            meeting_type: Some(MeetingType::Scheduled),
            ..Self::default()
        }
        .topic(topic)
        .start_time(start_time)
        .duration(duration_minutes)
    }

    /// A meeting that begins at once. Zoom does not list it before it has begun.
    #[must_use]
    pub fn instant(topic: impl Into<String>) -> Self {
        Self {
            meeting_type: Some(MeetingType::Instant),
            ..Self::default()
        }
        .topic(topic)
    }

    /// A series with fixed times.
    #[must_use]
    pub fn recurring(
        topic: impl Into<String>,
        start_time: Timestamp,
        duration_minutes: u32,
        recurrence: Recurrence,
    ) -> Self {
        Self {
            meeting_type: Some(MeetingType::RecurringFixedTime),
            recurrence: Some(recurrence),
            ..Self::scheduled(topic, start_time, duration_minutes)
        }
    }

    /// Sets what it is about.
    #[must_use]
    pub fn topic(mut self, topic: impl Into<String>) -> Self {
        self.topic = Some(topic.into());
        self
    }

    /// Sets when it begins.
    #[must_use]
    pub const fn start_time(mut self, start_time: Timestamp) -> Self {
        self.start_time = Some(start_time);
        self
    }

    /// Sets how long it is to take, in minutes.
    #[must_use]
    pub const fn duration(mut self, minutes: u32) -> Self {
        self.duration = Some(minutes);
        self
    }

    /// Sets the time zone it is in.
    #[must_use]
    pub fn timezone(mut self, timezone: impl Into<String>) -> Self {
        self.timezone = Some(timezone.into());
        self
    }

    /// Sets what participants type.
    #[must_use]
    pub fn password(mut self, password: Passcode) -> Self {
        self.password = Some(password);
        self
    }

    /// Sets the description.
    #[must_use]
    pub fn agenda(mut self, agenda: impl Into<String>) -> Self {
        self.agenda = Some(agenda.into());
        self
    }

    /// Sets whom it is for.
    #[must_use]
    pub fn schedule_for(mut self, user: UserId) -> Self {
        self.schedule_for = Some(user);
        self
    }

    /// Adds a label.
    #[must_use]
    pub fn tracking_field(mut self, field: impl Into<String>, value: impl Into<String>) -> Self {
        self.tracking_fields.push(TrackingField::new(field, value));
        self
    }

    /// Sets how it is run.
    #[must_use]
    pub fn settings(mut self, settings: MeetingSettings) -> Self {
        self.settings = Some(settings);
        self
    }

    /// Sets what is recorded without anybody pressing a button.
    #[must_use]
    pub fn auto_recording(mut self, auto_recording: AutoRecording) -> Self {
        self.settings.get_or_insert_default().auto_recording = Some(auto_recording);
        self
    }

    /// Sets whether the host lets people in.
    #[must_use]
    pub fn waiting_room(mut self, waiting_room: bool) -> Self {
        self.settings.get_or_insert_default().waiting_room = Some(waiting_room);
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_set_is_sent_and_times_are_whole_seconds() {
        let meeting = NewMeeting::scheduled("Review", "2026-02-01T15:00:00.5Z".parse().unwrap(), 30)
            .auto_recording(AutoRecording::Cloud)
            .waiting_room(true);
        assert_eq!(
            serde_json::to_value(&meeting).unwrap(),
            json!({"topic":"Review","type":2,"start_time":"2026-02-01T15:00:00Z","duration":30,
                   "settings":{"auto_recording":"cloud","waiting_room":true}})
        );
        assert_eq!(serde_json::to_value(MeetingUpdate::new()).unwrap(), json!({}));
    }

    #[test]
    fn with_a_zone_the_start_is_its_wall_clock_and_never_ends_in_z() {
        let sent = |start: &str, zone: &str| {
            let meeting = NewMeeting::scheduled("Review", start.parse().unwrap(), 30).timezone(zone);
            let json = serde_json::to_value(&meeting).unwrap();
            let read: NewMeeting = serde_json::from_value(json.clone()).unwrap();
            assert_eq!(
                (read.start_time, read.timezone),
                (meeting.start_time, meeting.timezone)
            );
            json["start_time"].as_str().unwrap().to_owned()
        };
        for (start, zone, expected) in [
            ("2026-02-01T15:00:00Z", "UTC", "2026-02-01T15:00:00"),
            ("2026-02-01T15:00:00Z", "Europe/Berlin", "2026-02-01T16:00:00"),
            ("2026-07-01T15:00:00Z", "America/New_York", "2026-07-01T11:00:00"),
            // What its clock shows twice, and a zone that is none, are sent as the one moment that is meant.
            ("2026-10-25T00:30:00Z", "Europe/Berlin", "2026-10-25T00:30:00Z"),
            ("2026-10-25T01:30:00Z", "Europe/Berlin", "2026-10-25T01:30:00Z"),
            ("2026-02-01T15:00:00Z", "Mars/Olympus", "2026-02-01T15:00:00Z"),
        ] {
            assert_eq!(sent(start, zone), expected, "{start} {zone}");
        }
    }

    #[test]
    fn a_start_that_is_no_time_is_refused() {
        for start in [json!("soon"), json!(7)] {
            assert!(serde_json::from_value::<NewMeeting>(json!({"start_time": start})).is_err());
        }
        for start in [json!(""), json!(null)] {
            let read: NewMeeting = serde_json::from_value(json!({"start_time": start})).unwrap();
            assert_eq!(read.start_time, None);
        }
    }

    #[test]
    fn the_passcode_is_sent_and_not_shown() {
        let meeting = NewMeeting::instant("Now").password(Passcode::new("canary"));
        assert_eq!(serde_json::to_value(&meeting).unwrap()["password"], "canary");
        assert!(!format!("{meeting:?}").contains("canary"));
    }

    #[test]
    fn what_is_sent_can_be_read_again() {
        let series = Recurrence::new(crate::model::RecurrenceType::Weekly, 1, 12);
        let meeting = NewMeeting::recurring("Stand-up", "2026-02-01T15:00:00Z".parse().unwrap(), 15, series)
            .tracking_field("session", "42")
            .schedule_for(UserId::new("a@sim.example"));
        let json = serde_json::to_value(&meeting).unwrap();
        let read: NewMeeting = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), json);
        assert_eq!(
            json["recurrence"],
            json!({"type":2,"repeat_interval":1,"end_times":12})
        );
    }
}
