//! What products do with Zoom, and which scopes that takes.

use std::fmt;

use serde::Serialize;
use zoom_core::Scopes;

use crate::{AppKind, Licence};

/// Something that a product does with Zoom. A host declares what it does with
/// [`ConnectionsBuilder::features`](crate::ConnectionsBuilder::features), and hears of every connection that lacks what
/// it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Feature {
    /// Who the user is.
    Profile,
    /// What the user has switched on.
    Settings,
    /// Users of the account.
    ListUsers,
    /// Meetings that are planned.
    ListMeetings,
    /// One meeting.
    ReadMeetings,
    /// New meetings.
    CreateMeetings,
    /// Changes of meetings.
    UpdateMeetings,
    /// Meetings that are called off.
    DeleteMeetings,
    /// Meetings that took place, and who was there.
    PastMeetings,
    /// Zoom's reports about meetings and who was there.
    Reports,
    /// Cloud recordings of a user.
    ListRecordings,
    /// A recording's files.
    DownloadRecordings,
    /// Recordings that go to the trash, or for good.
    DeleteRecordings,
    /// Zoom's transcripts of recordings.
    Transcripts,
    /// Zoom's own summaries of meetings.
    Summaries,
    /// New webinars.
    CreateWebinars,
}

/// A call and the scopes of which any one is enough for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Call {
    /// Such as `GET /users/{userId}`.
    pub call: &'static str,
    /// As Zoom names them in apps made before 2024.
    pub classic: &'static [&'static str],
    /// As Zoom names them since.
    pub granular: &'static [&'static str],
}

/// A call that the granted scopes do not cover.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MissingScope {
    /// Such as `GET /users/{userId}`.
    pub call: &'static str,
    /// The scopes of which any one would do, those of the newer naming first.
    pub alternatives: Vec<&'static str>,
}

/// The classic scopes that stand in many rows.
const USER_READ: &[&str] = &[
    "user:read",
    "user:write",
    "user:read:admin",
    "user:write:admin",
    "user:master",
];
const MEETING_READ: &[&str] = &["meeting:read", "meeting:read:admin", "meeting:master"];
const MEETING_WRITE: &[&str] = &["meeting:write", "meeting:write:admin", "meeting:master"];
const RECORDING_READ: &[&str] = &["recording:read", "recording:read:admin", "recording:master"];
const RECORDING_WRITE: &[&str] = &["recording:write", "recording:write:admin", "recording:master"];
const REPORT: &[&str] = &["report:read:admin", "report:master"];

/// A granular name with all levels, with those of one account, or with those above the user.
macro_rules! levels {
    ($name:literal) => {
        &[$name, concat!($name, ":admin"), concat!($name, ":master")]
    };
    ($name:literal own) => {
        &[$name, concat!($name, ":admin")]
    };
    ($name:literal account) => {
        &[concat!($name, ":admin"), concat!($name, ":master")]
    };
}

const fn call(
    call: &'static str,
    classic: &'static [&'static str],
    granular: &'static [&'static str],
) -> Call {
    Call {
        call,
        classic,
        granular,
    }
}

const PROFILE: &[Call] = &[call(
    "GET /users/{userId}",
    &[
        "user:read",
        "user:write",
        "user_info:read",
        "user_profile",
        "user:read:admin",
        "user:write:admin",
        "user:master",
    ],
    levels!("user:read:user"),
)];
const SETTINGS: &[Call] = &[call(
    "GET /users/{userId}/settings",
    USER_READ,
    levels!("user:read:settings"),
)];
const LIST_USERS: &[Call] = &[call(
    "GET /users",
    USER_READ,
    levels!("user:read:list_users" account),
)];
const LIST_MEETINGS: &[Call] = &[call(
    "GET /users/{userId}/meetings",
    MEETING_READ,
    levels!("meeting:read:list_meetings"),
)];
const READ_MEETINGS: &[Call] = &[call(
    "GET /meetings/{meetingId}",
    MEETING_READ,
    levels!("meeting:read:meeting"),
)];
const CREATE_MEETINGS: &[Call] = &[call(
    "POST /users/{userId}/meetings",
    MEETING_WRITE,
    levels!("meeting:write:meeting"),
)];
const UPDATE_MEETINGS: &[Call] = &[call(
    "PATCH /meetings/{meetingId}",
    MEETING_WRITE,
    levels!("meeting:update:meeting"),
)];
const DELETE_MEETINGS: &[Call] = &[call(
    "DELETE /meetings/{meetingId}",
    MEETING_WRITE,
    levels!("meeting:delete:meeting"),
)];
const PAST_MEETINGS: &[Call] = &[
    call(
        "GET /past_meetings/{meetingId}",
        &["meeting:read", "meeting:read:admin"],
        levels!("meeting:read:past_meeting" own),
    ),
    call(
        "GET /past_meetings/{meetingId}/instances",
        MEETING_READ,
        levels!("meeting:read:list_past_instances"),
    ),
    call(
        "GET /past_meetings/{meetingId}/participants",
        &["meeting:read", "meeting:read:admin"],
        levels!("meeting:read:list_past_participants" own),
    ),
];
const REPORTS: &[Call] = &[
    call(
        "GET /report/meetings/{meetingId}",
        REPORT,
        levels!("report:read:meeting" account),
    ),
    call(
        "GET /report/meetings/{meetingId}/participants",
        REPORT,
        levels!("report:read:list_meeting_participants" account),
    ),
    call(
        "GET /report/users/{userId}/meetings",
        REPORT,
        levels!("report:read:user" account),
    ),
];
const LIST_RECORDINGS: &[Call] = &[call(
    "GET /users/{userId}/recordings",
    RECORDING_READ,
    levels!("cloud_recording:read:list_user_recordings"),
)];
const DOWNLOAD_RECORDINGS: &[Call] = &[call(
    "GET /meetings/{meetingId}/recordings",
    RECORDING_READ,
    levels!("cloud_recording:read:list_recording_files"),
)];
const DELETE_RECORDINGS: &[Call] = &[
    call(
        "DELETE /meetings/{meetingId}/recordings",
        RECORDING_WRITE,
        levels!("cloud_recording:delete:meeting_recording"),
    ),
    call(
        "DELETE /meetings/{meetingId}/recordings/{recordingId}",
        RECORDING_WRITE,
        levels!("cloud_recording:delete:recording_file"),
    ),
];
const TRANSCRIPTS: &[Call] = &[call(
    "GET /meetings/{meetingId}/transcript",
    &[
        "recording:read",
        "recording:write",
        "recording:read:admin",
        "recording:write:admin",
    ],
    levels!("cloud_recording:read:meeting_transcript" own),
)];
const SUMMARIES: &[Call] = &[call(
    "GET /meetings/{meetingId}/meeting_summary",
    &[
        "meeting_summary:read",
        "meeting_summary:read:admin",
        "meeting_summary:master",
    ],
    levels!("meeting:read:summary"),
)];
const CREATE_WEBINARS: &[Call] = &[call(
    "POST /users/{userId}/webinars",
    &["webinar:write", "webinar:write:admin", "webinar:master"],
    levels!("webinar:write:webinar"),
)];

/// What a feature takes beside scopes.
struct Needs {
    name: &'static str,
    title: &'static str,
    calls: &'static [Call],
    licence: bool,
    cloud_recording: bool,
    audio_transcript: bool,
}

impl Needs {
    const fn of(name: &'static str, title: &'static str, calls: &'static [Call]) -> Self {
        Self {
            name,
            title,
            calls,
            licence: false,
            cloud_recording: false,
            audio_transcript: false,
        }
    }

    const fn licence(self) -> Self {
        Self {
            licence: true,
            ..self
        }
    }

    const fn cloud_recording(self) -> Self {
        Self {
            licence: true,
            cloud_recording: true,
            ..self
        }
    }

    const fn audio_transcript(self) -> Self {
        Self {
            licence: true,
            cloud_recording: true,
            audio_transcript: true,
            ..self
        }
    }
}

impl Feature {
    /// All there are.
    pub const ALL: [Self; 16] = [
        Self::Profile,
        Self::Settings,
        Self::ListUsers,
        Self::ListMeetings,
        Self::ReadMeetings,
        Self::CreateMeetings,
        Self::UpdateMeetings,
        Self::DeleteMeetings,
        Self::PastMeetings,
        Self::Reports,
        Self::ListRecordings,
        Self::DownloadRecordings,
        Self::DeleteRecordings,
        Self::Transcripts,
        Self::Summaries,
        Self::CreateWebinars,
    ];

    const fn needs(self) -> Needs {
        match self {
            Self::Profile => Needs::of("profile", "Showing who is connected", PROFILE),
            Self::Settings => Needs::of("settings", "Reading the Zoom settings", SETTINGS),
            Self::ListUsers => Needs::of("list_users", "Listing the users of the Zoom account", LIST_USERS),
            Self::ListMeetings => Needs::of("list_meetings", "Listing planned meetings", LIST_MEETINGS),
            Self::ReadMeetings => Needs::of("read_meetings", "Reading meetings", READ_MEETINGS),
            Self::CreateMeetings => Needs::of("create_meetings", "Creating meetings", CREATE_MEETINGS),
            Self::UpdateMeetings => Needs::of("update_meetings", "Changing meetings", UPDATE_MEETINGS),
            Self::DeleteMeetings => Needs::of("delete_meetings", "Calling meetings off", DELETE_MEETINGS),
            Self::PastMeetings => Needs::of(
                "past_meetings",
                "Reading past meetings and who was there",
                PAST_MEETINGS,
            )
            .licence(),
            Self::Reports => Needs::of("reports", "Reading reports about meetings", REPORTS).licence(),
            Self::ListRecordings => {
                Needs::of("list_recordings", "Finding recordings", LIST_RECORDINGS).cloud_recording()
            }
            Self::DownloadRecordings => Needs::of(
                "download_recordings",
                "Downloading recordings",
                DOWNLOAD_RECORDINGS,
            )
            .cloud_recording(),
            Self::DeleteRecordings => {
                Needs::of("delete_recordings", "Deleting recordings", DELETE_RECORDINGS).licence()
            }
            Self::Transcripts => {
                Needs::of("transcripts", "Reading Zoom's transcripts", TRANSCRIPTS).audio_transcript()
            }
            Self::Summaries => Needs::of("summaries", "Reading Zoom's summaries", SUMMARIES).licence(),
            Self::CreateWebinars => {
                Needs::of("create_webinars", "Creating webinars", CREATE_WEBINARS).licence()
            }
        }
    }

    /// The name that serde writes, too.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.needs().name
    }

    /// Finds a feature by [`as_str`](Self::as_str), for configuration files.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|feature| feature.as_str() == name)
    }

    /// What it is called in front of a person, such as `Creating meetings`.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.needs().title
    }

    /// The calls it is made of, each with its scopes.
    #[must_use]
    pub const fn calls(self) -> &'static [Call] {
        self.needs().calls
    }

    /// Whether it takes a paid licence.
    #[must_use]
    pub const fn needs_licence(self) -> bool {
        self.needs().licence
    }

    /// Whether the licence is enough, as far as it is known.
    pub(crate) fn is_licensed(self, licence: Option<&Licence>) -> bool {
        match licence {
            Some(Licence::Basic) => !self.needs_licence(),
            // Not even meetings of 40 minutes.
            Some(Licence::None) => !self.needs_licence() && self != Self::CreateMeetings,
            _ => true,
        }
    }

    /// Whether nothing new comes of it while cloud recording is switched off.
    #[must_use]
    pub const fn needs_cloud_recording(self) -> bool {
        self.needs().cloud_recording
    }

    /// Whether nothing new comes of it while audio transcripts are switched off.
    #[must_use]
    pub const fn needs_audio_transcript(self) -> bool {
        self.needs().audio_transcript
    }

    /// The calls that the granted scopes do not cover, in an app of this kind.
    #[must_use]
    pub fn missing(self, granted: &Scopes, kind: AppKind) -> Vec<MissingScope> {
        let uncovered = self.calls().iter().filter(|call| !call.is_covered(granted, kind));
        uncovered
            .map(|call| MissingScope {
                call: call.call,
                alternatives: call.scopes_for(kind),
            })
            .collect()
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Call {
    /// Whether any one of its scopes was granted. A scope without suffix reaches one user's data only, which is not
    /// enough for an app that an administrator connects.
    #[must_use]
    pub fn is_covered(&self, granted: &Scopes, kind: AppKind) -> bool {
        let mut all = self.granular.iter().chain(self.classic);
        all.any(|scope| granted.contains(scope) && (kind == AppKind::User || reaches_account(scope)))
    }

    /// What to add to an app of this kind: any one of these. Where there is no scope for users' own apps, those of an
    /// administrator's.
    #[must_use]
    pub fn scopes_for(&self, kind: AppKind) -> Vec<&'static str> {
        let mut scopes = of_level(self.granular, kind);
        scopes.extend(of_level(self.classic, kind));
        scopes
    }
}

/// `:master` is for accounts of accounts, which nobody asks for by accident.
fn of_level(scopes: &[&'static str], kind: AppKind) -> Vec<&'static str> {
    let account = kind == AppKind::Admin || scopes.iter().all(|scope| reaches_account(scope));
    let fitting = scopes.iter().copied();
    fitting
        .filter(|scope| reaches_account(scope) == account && !is_master(scope))
        .collect()
}

/// Whether a scope is of the older naming: two parts, and a level.
pub(crate) fn is_classic(scope: &str) -> bool {
    let name = scope.strip_suffix(":admin").unwrap_or(scope);
    name.matches(':').count() < 2
}

fn reaches_account(scope: &str) -> bool {
    scope.ends_with(":admin") || is_master(scope)
}

fn is_master(scope: &str) -> bool {
    scope.ends_with(":master")
}

#[cfg(test)]
mod tests;
