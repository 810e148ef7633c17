//! What is asked for, checked before anybody is asked.

use jiff::{Timestamp, Zoned};

use zoom_core::Passcode;
use zoom_core::model::{AutoRecording, MeetingSettings, MeetingType, NewMeeting};

use zoom_oauth::Feature;

use super::ScheduleError;
use crate::booking::SessionId;

const TOPIC: usize = 200;
const AGENDA: usize = 2000;
/// Zoom's lists of meetings show this much of an agenda; the mark must be in it.
const AGENDA_IN_LISTS: usize = 250;
const DURATION: std::ops::RangeInclusive<u32> = 1..=1440;

/// A meeting to be made for a session of the host's.
#[derive(Debug, Clone)]
pub struct ScheduleRequest {
    session: SessionId,
    topic: String,
    start: Zoned,
    duration_minutes: u32,
    agenda: String,
    meeting: NewMeeting,
    needs: Vec<Feature>,
}

impl ScheduleRequest {
    /// A meeting at a time, in the zone that the time carries.
    #[must_use]
    pub fn new(session: SessionId, topic: impl Into<String>, start: Zoned, duration_minutes: u32) -> Self {
        Self {
            session,
            topic: topic.into(),
            start,
            duration_minutes,
            agenda: String::new(),
            meeting: NewMeeting::new(),
            needs: vec![Feature::CreateMeetings],
        }
    }

    /// Sets the description, up to 2000 characters less a line for the mark that the meeting is found by.
    #[must_use]
    pub fn agenda(mut self, agenda: impl Into<String>) -> Self {
        self.agenda = agenda.into();
        self
    }

    /// Sets what participants type.
    #[must_use]
    pub fn passcode(mut self, passcode: Passcode) -> Self {
        self.meeting = self.meeting.password(passcode);
        self
    }

    /// Sets whether the host lets people in.
    #[must_use]
    pub fn waiting_room(mut self, waiting_room: bool) -> Self {
        self.meeting = self.meeting.waiting_room(waiting_room);
        self
    }

    /// Sets what is recorded without anybody pressing a button.
    #[must_use]
    pub fn auto_recording(mut self, auto_recording: AutoRecording) -> Self {
        self.meeting = self.meeting.auto_recording(auto_recording);
        self
    }

    /// Sets how it is run; replaces every setting that was set before.
    #[must_use]
    pub fn settings(mut self, settings: MeetingSettings) -> Self {
        self.meeting = self.meeting.settings(settings);
        self
    }

    /// What the account has to be able to do, beside creating meetings: an account that cannot is passed over. Such as
    /// [`Feature::DownloadRecordings`], where a meeting without its recording is of no use.
    #[must_use]
    pub fn with_needs(mut self, needs: impl IntoIterator<Item = Feature>) -> Self {
        self.needs.extend(needs);
        self
    }

    pub(super) fn needs(&self) -> &[Feature] {
        &self.needs
    }

    pub(super) fn session(&self) -> &SessionId {
        &self.session
    }

    pub(super) fn topic(&self) -> &str {
        &self.topic
    }

    pub(super) fn duration_minutes(&self) -> u32 {
        self.duration_minutes
    }

    /// In whole seconds, as Zoom keeps it.
    pub(super) fn start(&self) -> Timestamp {
        Timestamp::from_second(self.start.timestamp().as_second()).unwrap_or_else(|_| self.start.timestamp())
    }

    /// The zone that names the start without doubt: its own, or UTC where that has no name or its clock shows the same time
    /// twice.
    pub(super) fn time_zone(&self) -> &str {
        let zone = self.start.time_zone();
        let wall = zone.to_datetime(self.start());
        match zone.iana_name() {
            Some(name) if !zone.to_ambiguous_timestamp(wall).is_ambiguous() => name,
            _ => "UTC",
        }
    }

    /// Everything that does not depend on the time.
    pub(super) fn check(&self) -> Result<(), ScheduleError> {
        let (topic, agenda) = (self.topic.chars().count(), self.agenda.chars().count());
        if topic > TOPIC {
            return Err(ScheduleError::TopicTooLong { length: topic });
        }
        // A mark is as long as any other.
        if agenda + mark_line("").chars().count() + 32 > AGENDA {
            return Err(ScheduleError::AgendaTooLong { length: agenda });
        }
        if !DURATION.contains(&self.duration_minutes) {
            return Err(ScheduleError::DurationOutOfRange {
                minutes: self.duration_minutes,
            });
        }
        Ok(())
    }

    /// Zoom would move a start in the past to now, without a word.
    pub(super) fn check_start(&self, now: Timestamp) -> Result<(), ScheduleError> {
        if self.start() < now {
            Err(ScheduleError::StartInPast { start: self.start() })
        } else {
            Ok(())
        }
    }

    /// What is sent.
    pub(super) fn body(&self, tracking: &str) -> NewMeeting {
        let mut meeting = self
            .meeting
            .clone()
            .topic(&self.topic)
            .start_time(self.start())
            .duration(self.duration_minutes)
            .timezone(self.time_zone());
        meeting.meeting_type = Some(MeetingType::Scheduled);
        meeting.agenda = Some(with_mark(&self.agenda, tracking));
        meeting
    }
}

/// 128 random bits.
pub(super) fn random_mark() -> Result<String, ScheduleError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| ScheduleError::NoRandomness)?;
    Ok(hex::encode(bytes))
}

fn mark_line(tracking: &str) -> String {
    format!("\n(ref. {tracking})")
}

/// After the words, where people look last; before them when a list would cut it off.
fn with_mark(agenda: &str, tracking: &str) -> String {
    let line = mark_line(tracking);
    if agenda.chars().count() + line.chars().count() <= AGENDA_IN_LISTS {
        format!("{agenda}{line}").trim_start().to_owned()
    } else {
        format!("{}\n{agenda}", line.trim_start())
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::*;

    fn zoned(text: &str) -> Zoned {
        text.parse().unwrap()
    }

    fn request(start: &str) -> ScheduleRequest {
        ScheduleRequest::new(SessionId::new("s"), "Interview", zoned(start), 45)
    }

    fn sent(request: &ScheduleRequest) -> serde_json::Value {
        serde_json::to_value(request.body("mark")).unwrap()
    }

    #[test]
    fn wall_clock_and_zone_are_sent_and_never_a_z() {
        let body = sent(&request("2026-12-01T15:00:00.7[Europe/Berlin]").waiting_room(true));
        assert_eq!(
            body,
            serde_json::json!({"topic": "Interview", "type": 2, "start_time": "2026-12-01T15:00:00", "timezone": "Europe/Berlin",
                               "duration": 45, "agenda": "(ref. mark)", "settings": {"waiting_room": true}})
        );
        let body = sent(&request("2026-12-01T15:00:00[UTC]"));
        assert_eq!(
            (body["start_time"].as_str(), body["timezone"].as_str()),
            (Some("2026-12-01T15:00:00"), Some("UTC"))
        );
    }

    #[test]
    fn hour_that_comes_twice_and_zone_without_a_name_are_sent_in_utc() {
        // 02:30 on that day is 00:30Z and, an hour later, 01:30Z.
        for (start, utc) in [
            ("2026-10-25T02:30:00+02:00[Europe/Berlin]", "00:30"),
            ("2026-10-25T02:30:00+01:00[Europe/Berlin]", "01:30"),
        ] {
            let body = sent(&request(start));
            assert_eq!(body["start_time"], format!("2026-10-25T{utc}:00"));
            assert_eq!(body["timezone"], "UTC");
        }
        let body = sent(&request("2026-12-01T15:00:00+05:30[+05:30]"));
        assert_eq!(
            (body["start_time"].as_str(), body["timezone"].as_str()),
            (Some("2026-12-01T09:30:00"), Some("UTC"))
        );
    }

    #[test]
    fn limits_are_checked_before_any_call() {
        let with = |topic: String, minutes| {
            ScheduleRequest::new(
                SessionId::new("s"),
                topic,
                zoned("2026-12-01T15:00[UTC]"),
                minutes,
            )
        };
        assert!(with("ü".repeat(200), 1440).check().is_ok());
        assert!(matches!(
            with("ü".repeat(201), 45).check(),
            Err(ScheduleError::TopicTooLong { length: 201 })
        ));
        for minutes in [0, 1441] {
            assert!(
                matches!(with("x".into(), minutes).check(), Err(ScheduleError::DurationOutOfRange { minutes: m }) if m == minutes)
            );
        }
        assert!(matches!(
            with("x".into(), 45).agenda("x".repeat(2000)).check(),
            Err(ScheduleError::AgendaTooLong { length: 2000 })
        ));
        let start = date(2026, 12, 1)
            .at(15, 0, 0, 0)
            .to_zoned(TimeZone::UTC)
            .unwrap()
            .timestamp();
        assert!(with("x".into(), 45).check_start(start).is_ok());
        let late = with("x".into(), 45).check_start(start + jiff::SignedDuration::from_millis(1));
        assert!(matches!(late, Err(ScheduleError::StartInPast { .. })));
    }

    proptest! {
        #[test]
        fn mark_is_where_a_list_shows_it_and_the_agenda_fits(length in 0_usize..1960) {
            let agenda = with_mark(&"ä".repeat(length), &random_mark().unwrap());
            let shown: String = agenda.chars().take(AGENDA_IN_LISTS).collect();
            prop_assert!(shown.contains("(ref. ") && shown.contains(')'));
            let fits = request("2026-12-01T15:00[UTC]").agenda("ä".repeat(length)).check().is_ok();
            prop_assert!(!fits || agenda.chars().count() <= AGENDA);
        }
    }
}
