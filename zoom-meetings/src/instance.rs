//! What Zoom knows of a meeting that took place: when it ran and who was in it, join by join.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use zoom_core::{MeetingId, MeetingUuid};

/// Where somebody was between a join and a leave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Place {
    /// In the meeting.
    #[default]
    Meeting,
    /// In a breakout room, which is inside the meeting: counted with it and never twice.
    Breakout,
    /// Before the door. Waiting is not attending.
    WaitingRoom,
}

/// One row of Zoom's list of participants: one join. Somebody who comes back has several.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Visit {
    /// When the person came.
    pub joined: Timestamp,
    /// When the person left; `None` means that they stayed until the meeting ended.
    pub left: Option<Timestamp>,
    /// Where they were.
    pub place: Place,
    /// Zoom's id of a signed-in user, the same in every meeting.
    pub participant_user_id: Option<String>,
    /// The registration they came with.
    pub registrant_id: Option<String>,
    /// E-mail address, as far as Zoom shows it.
    pub email: Option<String>,
    /// The name on the screen.
    pub name: Option<String>,
    /// The device, where a source knows it.
    pub device: Option<String>,
    /// Whether Zoom says that they belong to the host's account.
    pub internal: Option<bool>,
}

impl Visit {
    /// Somebody unnamed who was in the meeting.
    #[must_use]
    pub fn new(joined: Timestamp, left: Option<Timestamp>) -> Self {
        Self {
            joined,
            left,
            place: Place::Meeting,
            participant_user_id: None,
            registrant_id: None,
            email: None,
            name: None,
            device: None,
            internal: None,
        }
    }
}

/// Why something is not known. It may become known later, or never; it is not zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UnknownReason {
    /// The scheduled time has not passed.
    NotOver,
    /// Zoom has not written it up yet; ask again in a while.
    NotAvailableYet,
    /// Zoom keeps the details of a meeting for a limited time, and it has passed.
    TooOld,
    /// The account's plan does not include past meetings.
    PlanLimit,
    /// The connection may not see this meeting, or lacks a scope.
    NoAccess,
    /// Zoom does not know the meeting: another account's, deleted, or mistyped.
    NotFound,
    /// Zoom did not answer.
    Unavailable,
    /// The event's link names no meeting: a personal link or a registration page.
    NoMeetingId,
    /// Nobody asked Zoom about this meeting.
    NotLoaded,
    /// Nothing tells who is internal: no directory, no host, no mark by Zoom.
    SidesUnknown,
}

/// Who was in an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Attendance {
    /// Every join.
    Rows(Vec<Visit>),
    /// One person only, whom Zoom does not list; taken to be the host, who opened it.
    OnePerson,
    /// Not known.
    Unknown(UnknownReason),
}

/// One time that a meeting was started and ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Instance {
    /// The number, which all instances of a meeting share.
    pub meeting_id: MeetingId,
    /// The name of this instance alone.
    pub uuid: MeetingUuid,
    /// Topic.
    pub topic: Option<String>,
    /// E-mail address of the host, in lower case.
    pub host_email: Option<String>,
    /// When it started.
    pub start: Timestamp,
    /// When it ended; the start while Zoom has not said, and then the attendance is unknown.
    pub end: Timestamp,
    /// Who was in it.
    pub attendance: Attendance,
}

impl Instance {
    /// An instance of which nobody knows yet who was in it.
    #[must_use]
    pub fn new(meeting_id: MeetingId, uuid: MeetingUuid, start: Timestamp, end: Timestamp) -> Self {
        Self {
            meeting_id,
            uuid,
            topic: None,
            host_email: None,
            start,
            end: end.max(start),
            attendance: Attendance::Unknown(UnknownReason::NotLoaded),
        }
    }

    /// The same instance with its attendance.
    #[must_use]
    pub fn with_attendance(mut self, attendance: Attendance) -> Self {
        self.attendance = attendance;
        self
    }
}

/// Every instance of one meeting in a window, and whether that is certain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MeetingHistory {
    /// The meeting.
    pub meeting_id: MeetingId,
    /// Its instances, in the order of their start.
    pub instances: Vec<Instance>,
    /// Why there may be instances that are not listed; `None` when the list is complete, so that an empty one means
    /// that the meeting was never started.
    pub gap: Option<UnknownReason>,
}

impl MeetingHistory {
    /// A complete list.
    #[must_use]
    pub fn complete(meeting_id: MeetingId, instances: Vec<Instance>) -> Self {
        Self {
            meeting_id,
            instances,
            gap: None,
        }
    }

    /// Nothing is known of the meeting.
    #[must_use]
    pub fn unknown(meeting_id: MeetingId, reason: UnknownReason) -> Self {
        Self {
            meeting_id,
            instances: Vec::new(),
            gap: Some(reason),
        }
    }
}
