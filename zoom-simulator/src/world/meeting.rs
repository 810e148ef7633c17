//! Meetings that are planned, or were.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::clock::zoom_time;

/// A meeting with its number. Its instances are kept apart.
#[derive(Clone, Debug)]
pub(crate) struct Meeting {
    pub(crate) id: u64,
    /// The UUID its next instance will have.
    pub(crate) uuid: String,
    pub(crate) host_id: String,
    pub(crate) kind: u8,
    pub(crate) topic: String,
    pub(crate) start: Option<Timestamp>,
    /// Minutes.
    pub(crate) duration: i64,
    pub(crate) timezone: String,
    pub(crate) password: String,
    pub(crate) created_at: Timestamp,
    pub(crate) deleted: bool,
    pub(crate) occurrences: Vec<Occurrence>,
    /// Whatever else the caller sent: agenda, settings, recurrence, tracking fields.
    pub(crate) rest: Map<String, Value>,
}

/// One date of a series.
#[derive(Clone, Debug)]
pub(crate) struct Occurrence {
    pub(crate) id: String,
    pub(crate) start: Timestamp,
    pub(crate) duration: i64,
    pub(crate) deleted: bool,
}

impl Occurrence {
    pub(crate) fn json(&self) -> Value {
        json!({
            "occurrence_id": self.id, "start_time": zoom_time(self.start), "duration": self.duration,
            "status": if self.deleted { "deleted" } else { "available" },
        })
    }
}

impl Meeting {
    /// `2` scheduled, `3` recurring without a time, `8` recurring.
    pub(crate) fn is_listed(&self) -> bool {
        !self.deleted && self.kind != 1
    }

    /// When the last of it is over; none if it has no end.
    pub(crate) fn ends(&self) -> Option<Timestamp> {
        let last = match self.kind {
            3 => return None,
            8 => self
                .occurrences
                .iter()
                .map(|occurrence| occurrence.start)
                .max()
                .or(self.start)?,
            _ => self.start?,
        };
        last.saturating_add(SignedDuration::from_mins(self.duration)).ok()
    }

    pub(crate) fn summary(&self) -> Value {
        json!({
            "id": self.id, "uuid": self.uuid, "host_id": self.host_id, "topic": self.topic, "type": self.kind,
            "start_time": self.start.map(zoom_time), "duration": self.duration, "deleted": self.deleted,
        })
    }
}
