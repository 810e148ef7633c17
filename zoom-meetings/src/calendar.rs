//! What the calendar said: events with their Zoom meeting, from any source.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use zoom_core::MeetingId;

use crate::join_link::JoinLink;

mod ics;

pub use ics::IcsCalendar;

/// A stretch of time, from the first moment up to but without the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(
    clippy::exhaustive_structs,
    reason = "two moments, written as a literal by hosts"
)]
pub struct TimeWindow {
    /// The first moment inside.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
}

impl TimeWindow {
    /// Whether something from `start` to `end` touches the window; something without length counts at its start.
    #[must_use]
    pub fn touches(&self, start: Timestamp, end: Timestamp) -> bool {
        start < self.to && (end > self.from || start >= self.from)
    }
}

/// Whether an event still stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventStatus {
    /// It takes place.
    #[default]
    Confirmed,
    /// It may take place.
    Tentative,
    /// It was called off.
    Cancelled,
}

/// What an invited person answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Response {
    /// No answer, or none that the calendar knows of.
    #[default]
    Unknown,
    /// Will come.
    Accepted,
    /// Will not come.
    Declined,
    /// May come.
    Tentative,
}

/// A person on the invitation. Rooms and equipment are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Attendee {
    /// E-mail address in lower case.
    pub email: Option<String>,
    /// Name as the calendar shows it.
    pub name: Option<String>,
    /// What the person answered.
    pub response: Response,
}

impl Attendee {
    /// Somebody known by an e-mail address.
    #[must_use]
    pub fn new(email: impl AsRef<str>) -> Self {
        Self {
            email: Some(email.as_ref().trim().to_lowercase()),
            ..Self::default()
        }
    }
}

/// One event at one time; a series comes as one of these per occurrence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CalendarEvent {
    /// The calendar's id of the event, shared by the occurrences of a series.
    pub uid: String,
    /// When this occurrence of a series was to start before anybody moved it; `None` for single events.
    pub occurrence: Option<Timestamp>,
    /// Title.
    pub summary: Option<String>,
    /// Scheduled start.
    pub start: Timestamp,
    /// Scheduled end, never before the start.
    pub end: Timestamp,
    /// Whether the calendar shows it as whole days.
    pub all_day: bool,
    /// Whether it still stands.
    pub status: EventStatus,
    /// The Zoom meeting that it points at.
    pub join: Option<JoinLink>,
    /// Who invited.
    pub organizer: Option<Attendee>,
    /// Who is invited.
    pub attendees: Vec<Attendee>,
}

impl CalendarEvent {
    /// An event that takes place, with nobody invited yet. An end before the start becomes the start.
    #[must_use]
    pub fn new(uid: impl Into<String>, start: Timestamp, end: Timestamp) -> Self {
        Self {
            uid: uid.into(),
            occurrence: None,
            summary: None,
            start,
            end: end.max(start),
            all_day: false,
            status: EventStatus::Confirmed,
            join: None,
            organizer: None,
            attendees: Vec::new(),
        }
    }

    /// The number of its Zoom meeting.
    #[must_use]
    pub fn meeting_id(&self) -> Option<MeetingId> {
        self.join.as_ref().and_then(JoinLink::meeting_id)
    }

    /// The e-mail addresses on it, the organiser's first.
    pub fn emails(&self) -> impl Iterator<Item = &str> {
        self.organizer
            .iter()
            .chain(&self.attendees)
            .filter_map(|person| person.email.as_deref())
    }
}

/// Something in a calendar that could not be read, and what that means for its events.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[non_exhaustive]
pub enum CalendarWarning {
    /// The series repeats in a way that is not expanded here. Its first occurrence and those that were moved one by
    /// one are there, the others are missing.
    UnsupportedRecurrence {
        /// Event.
        uid: String,
        /// The rule as it stands in the file.
        rule: String,
    },
    /// The series has too many occurrences to walk through; those after the limit are missing.
    TooManyOccurrences {
        /// Event.
        uid: String,
    },
    /// The event's time zone is not known; the event is missing.
    UnknownTimeZone {
        /// Event.
        uid: String,
        /// The zone as it stands in the file.
        zone: String,
    },
    /// A property of the event is malformed. Without a start or an end the event is missing; anything else is
    /// ignored.
    Malformed {
        /// Event; empty when it has no id.
        uid: String,
        /// Name of the property.
        property: String,
    },
    /// Lines of the file that are no iCalendar, ignored.
    UnreadableLines {
        /// How many.
        count: usize,
    },
}

/// Events of a window and what could not be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CalendarEvents {
    /// In the order of their start.
    pub events: Vec<CalendarEvent>,
    /// What is missing or was ignored.
    pub warnings: Vec<CalendarWarning>,
}

impl CalendarEvents {
    /// Events without warnings.
    #[must_use]
    pub fn new(events: Vec<CalendarEvent>) -> Self {
        Self {
            events,
            warnings: Vec::new(),
        }
    }
}

/// A calendar that cannot be read at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CalendarError {
    /// The text is no iCalendar file. Ask for the right file.
    #[error("this is not an icalendar file")]
    NotICalendar,
    /// The calendar did not answer or could not be opened. Try again later.
    #[error("the calendar could not be read")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl CalendarError {
    /// The calendar did not answer.
    pub fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable(source.into())
    }
}

/// A source of events.
///
/// # Contract
///
/// 1. `events` answers every occurrence that touches the window, in the order of its start, and no other.
/// 2. A series is expanded: one [`CalendarEvent`] per occurrence, in the series' own time zone.
/// 3. What cannot be read or expanded is a warning; it is never silently left out and never guessed.
/// 4. A cancelled event is answered with its status, when the source still knows of it.
/// 5. Asking twice gives the same answer while the calendar does not change.
///
/// # Clone
///
/// Used as `Arc<dyn Calendar>`; clones of the `Arc` are the same calendar.
///
/// # Cancellation
///
/// A dropped call changes nothing.
///
/// # Errors
///
/// [`CalendarError::Unavailable`] when the source does not answer. An error answers no events; the two are not mixed.
#[async_trait]
pub trait Calendar: fmt::Debug + Send + Sync + 'static {
    /// The events of a window.
    async fn events(&self, window: TimeWindow) -> Result<CalendarEvents, CalendarError>;
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<C: Calendar + ?Sized> Calendar for Arc<C> {
    async fn events(&self, window: TimeWindow) -> Result<CalendarEvents, CalendarError> {
        (**self).events(window).await
    }
}
