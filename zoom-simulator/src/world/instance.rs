//! Meetings that took place, and what was recorded of them.

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::clock::zoom_time;

/// One time that a meeting took place.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    pub(crate) uuid: String,
    pub(crate) meeting_id: u64,
    pub(crate) host_id: String,
    pub(crate) account_id: String,
    pub(crate) topic: String,
    pub(crate) kind: u8,
    pub(crate) timezone: String,
    /// Minutes that were planned; 0 for an instant meeting.
    pub(crate) planned: i64,
    pub(crate) password: String,
    pub(crate) start: Timestamp,
    /// None while it goes on.
    pub(crate) end: Option<Timestamp>,
    pub(crate) stays: Vec<Stay>,
    pub(crate) recording: Option<Recording>,
}

/// One stay of one participant: who comes back has another.
#[derive(Clone, Debug)]
pub(crate) struct Stay {
    /// Zoom user id, empty for guests.
    pub(crate) id: String,
    /// Number within this meeting; another one for each stay.
    pub(crate) user_id: String,
    pub(crate) participant_uuid: String,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) internal: bool,
    pub(crate) in_waiting_room: bool,
    pub(crate) join: Timestamp,
    /// None while they are there.
    pub(crate) leave: Option<Timestamp>,
    pub(crate) registrant_id: String,
}

impl Instance {
    pub(crate) fn is(&self, reference: &str) -> bool {
        match reference.parse::<u64>() {
            Ok(id) => self.meeting_id == id,
            Err(_) => self.uuid == reference,
        }
    }

    /// Whole minutes it lasted, rounded up as Zoom does.
    pub(crate) fn minutes(&self) -> i64 {
        self.end.map_or(0, |end| minutes(self.start, end))
    }

    /// Everybody once.
    pub(crate) fn people(&self) -> usize {
        let mut seen: Vec<(&str, &str)> = Vec::new();
        for stay in self.stays.iter().filter(|stay| !stay.in_waiting_room) {
            let who = (
                stay.id.as_str(),
                if stay.id.is_empty() {
                    stay.name.as_str()
                } else {
                    ""
                },
            );
            if !seen.contains(&who) {
                seen.push(who);
            }
        }
        seen.len()
    }

    pub(crate) fn summary(&self) -> Value {
        json!({
            "uuid": self.uuid, "meeting_id": self.meeting_id, "host_id": self.host_id, "topic": self.topic,
            "start_time": zoom_time(self.start), "end_time": self.end.map(zoom_time), "participants": self.people(),
            "recording": self.recording.as_ref().map(Recording::summary),
        })
    }
}

pub(crate) fn minutes(from: Timestamp, to: Timestamp) -> i64 {
    let seconds = to.duration_since(from).as_secs().max(0);
    seconds.saturating_add(59).div_euclid(60)
}

/// The cloud recording of an instance.
#[derive(Clone, Debug)]
pub(crate) struct Recording {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) files: Vec<Media>,
    pub(crate) share: String,
    pub(crate) passcode: String,
}

/// Where a file is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MediaState {
    /// Zoom is still at work on it.
    Processing,
    Completed,
    /// In the trash, from where it can be recovered.
    Trashed(Timestamp),
    /// Not there yet: a transcript comes after the rest.
    Coming,
}

/// A file of a recording.
#[derive(Clone, Debug)]
pub(crate) struct Media {
    pub(crate) id: String,
    /// The opaque part of its addresses.
    pub(crate) link: String,
    pub(crate) file_type: &'static str,
    pub(crate) extension: &'static str,
    pub(crate) recording_type: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) content: Bytes,
    pub(crate) state: MediaState,
}

impl Recording {
    /// Files that REST shows.
    pub(crate) fn shown(&self, in_trash: bool) -> impl Iterator<Item = &Media> {
        self.files.iter().filter(move |file| match file.state {
            MediaState::Coming => false,
            MediaState::Trashed(_) => in_trash,
            MediaState::Processing | MediaState::Completed => !in_trash,
        })
    }

    fn summary(&self) -> Value {
        let files = self.files.iter().map(|file| {
            json!({ "id": file.id, "file_type": file.file_type, "size": file.content.len(), "state": format!("{:?}", file.state) })
        });
        json!({ "files": files.collect::<Vec<_>>() })
    }
}
