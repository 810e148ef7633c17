use std::fmt;

use crate::{MeetingId, MeetingUuid, PathSegment};

/// A meeting where Zoom takes either identifier: the number means its latest instance, the uuid exactly that instance.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "Zoom has these two identifiers and hosts match on them"
)]
pub enum MeetingRef {
    /// The latest instance of this meeting.
    Id(MeetingId),
    /// Exactly this instance.
    Uuid(MeetingUuid),
}

impl From<MeetingId> for MeetingRef {
    fn from(id: MeetingId) -> Self {
        Self::Id(id)
    }
}

impl From<MeetingUuid> for MeetingRef {
    fn from(uuid: MeetingUuid) -> Self {
        Self::Uuid(uuid)
    }
}

impl From<&MeetingUuid> for MeetingRef {
    fn from(uuid: &MeetingUuid) -> Self {
        Self::Uuid(uuid.clone())
    }
}

impl fmt::Display for MeetingRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Uuid(uuid) => uuid.fmt(f),
        }
    }
}

impl PathSegment for MeetingRef {
    fn path_segment(&self) -> String {
        match self {
            Self::Id(id) => id.path_segment(),
            Self::Uuid(uuid) => uuid.path_segment(),
        }
    }
}
