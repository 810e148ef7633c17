//! Meetings that take place: who comes and goes, what is recorded, and what Zoom tells about it.

mod plan;

use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

pub(crate) use self::plan::{end_now, hold};
use crate::samples::Sample;

/// A meeting to be held.
///
/// ```
/// # use jiff::Timestamp;
/// use zoom_simulator::{Attendance, HoldMeeting};
/// # fn main() -> Result<(), jiff::Error> {
/// let (start, end): (Timestamp, Timestamp) = ("2026-11-20T15:00:00Z".parse()?, "2026-11-20T15:45:00Z".parse()?);
/// let meeting = HoldMeeting::new("maya.chen@brightwave.example", "Intro", start, end)
///     .participant(Attendance::new("Maya Chen", "maya.chen@brightwave.example", true, start, end))
///     .participant(Attendance::new("Daniel Ortiz", "", false, start, end))
///     .vtt("WEBVTT\n\n1\n00:00:01.000 --> 00:00:02.000\nMaya Chen: Hello\n");
/// # drop(meeting);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HoldMeeting {
    /// The host, by id or address. A scheduled meeting has its own host, whatever this says.
    pub host: String,
    /// A scheduled meeting's number; none for an instant meeting.
    pub meeting_id: Option<u64>,
    /// Topic of an instant meeting.
    pub topic: String,
    /// When it starts.
    pub start: Timestamp,
    /// When it ends.
    pub end: Timestamp,
    /// Who was there, and when. Who comes back has another entry.
    pub participants: Vec<Attendance>,
    /// The audio of the recording.
    pub m4a: Option<Bytes>,
    /// The video of the recording.
    pub mp4: Option<Bytes>,
    /// The transcript; the timeline is made from it.
    pub vtt: Option<String>,
    /// The chat.
    pub chat: Option<String>,
    /// How long the recording is; until the end of the meeting if zero.
    pub recorded: Duration,
}

/// One stay of a participant.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Attendance {
    /// Display name.
    pub name: String,
    /// Address, as far as Zoom tells it.
    pub email: String,
    /// Whether they belong to the account.
    pub internal: bool,
    /// From.
    pub join: Timestamp,
    /// To.
    pub leave: Timestamp,
    /// Since when they waited to be let in.
    pub waiting_since: Option<Timestamp>,
}

impl Attendance {
    /// Somebody stayed from then to then.
    #[must_use]
    pub fn new(name: &str, email: &str, internal: bool, join: Timestamp, leave: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            email: email.to_owned(),
            internal,
            join,
            leave,
            waiting_since: None,
        }
    }

    /// They came to the waiting room first.
    #[must_use]
    pub const fn waiting_since(mut self, at: Timestamp) -> Self {
        self.waiting_since = Some(at);
        self
    }
}

impl HoldMeeting {
    /// An instant meeting without participants or recording.
    #[must_use]
    pub fn new(host: &str, topic: &str, start: Timestamp, end: Timestamp) -> Self {
        Self {
            host: host.to_owned(),
            meeting_id: None,
            topic: topic.to_owned(),
            start,
            end,
            participants: Vec::new(),
            m4a: None,
            mp4: None,
            vtt: None,
            chat: None,
            recorded: Duration::ZERO,
        }
    }

    /// A meeting that was one of the samples and ended then, with everybody there from start to end.
    #[must_use]
    pub fn sample(host: &str, sample: &Sample, end: Timestamp) -> Self {
        let length = Duration::from_millis(sample.duration_ms);
        let start = end
            .saturating_sub(SignedDuration::try_from(length).unwrap_or_default())
            .unwrap_or(end);
        let mut meeting = Self::new(host, sample.topic, start, end)
            .m4a(sample.m4a)
            .vtt(sample.vtt)
            .recorded(length);
        meeting.chat = sample.chat.map(str::to_owned);
        meeting.participants = sample
            .participants
            .iter()
            .map(|one| Attendance::new(one.name, one.email, one.internal, start, end))
            .collect();
        meeting
    }

    /// It is an instance of this scheduled meeting.
    #[must_use]
    pub const fn scheduled(mut self, meeting_id: u64) -> Self {
        self.meeting_id = Some(meeting_id);
        self
    }

    /// One more stay.
    #[must_use]
    pub fn participant(mut self, stay: Attendance) -> Self {
        self.participants.push(stay);
        self
    }

    /// Audio was recorded.
    #[must_use]
    pub fn m4a(mut self, audio: impl Into<Bytes>) -> Self {
        self.m4a = Some(audio.into());
        self
    }

    /// Video was recorded.
    #[must_use]
    pub fn mp4(mut self, video: impl Into<Bytes>) -> Self {
        self.mp4 = Some(video.into());
        self
    }

    /// Zoom made this transcript.
    #[must_use]
    pub fn vtt(mut self, transcript: impl Into<String>) -> Self {
        self.vtt = Some(transcript.into());
        self
    }

    /// There was a chat.
    #[must_use]
    pub fn chat(mut self, chat: impl Into<String>) -> Self {
        self.chat = Some(chat.into());
        self
    }

    /// The recording is this long.
    #[must_use]
    pub const fn recorded(mut self, length: Duration) -> Self {
        self.recorded = length;
        self
    }
}

/// What was held.
#[derive(Clone, Debug, serde::Serialize)]
#[non_exhaustive]
pub struct HeldMeeting {
    /// The instance.
    pub uuid: String,
    /// The number.
    pub meeting_id: u64,
    /// Whether there is, or will be, a cloud recording: Basic users have none.
    pub recorded: bool,
}
