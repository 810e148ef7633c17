//! The calls that are simulated: method, path, rate label, scopes.

use super::{
    Call, meetings, past_meetings, recordings, reports,
    scopes::{Scopes, Suffixes},
    users,
};
use crate::{answer::Reply, rate::Label, world::World};

/// One call of the API.
pub(crate) struct Endpoint {
    pub(super) method: &'static str,
    /// Below `/v2`.
    pub(super) path: &'static str,
    pub(super) label: Label,
    pub(super) scopes: Scopes,
    pub(super) run: fn(&Call<'_>, &mut World) -> Reply,
}

impl Endpoint {
    /// Whether it asks for a user, not for something of theirs.
    pub(super) fn is_about_users(&self) -> bool {
        matches!(self.path, "/users/{userId}" | "/users/{userId}/settings")
    }
}

/// The call a request is for, with the variable segments of its path, not decoded.
pub(super) fn find<'p>(method: &str, path: &'p str) -> Option<(&'static Endpoint, Vec<&'p str>)> {
    let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    ENDPOINTS
        .iter()
        .filter(|endpoint| endpoint.method == method)
        .find_map(|endpoint| {
            let pattern: Vec<&str> = endpoint.path.split('/').skip(1).collect();
            if pattern.len() != segments.len() {
                return None;
            }
            let mut variable = Vec::new();
            for (wanted, got) in pattern.into_iter().zip(&segments) {
                if wanted.starts_with('{') && !got.is_empty() {
                    variable.push(*got);
                } else if wanted != *got {
                    return None;
                }
            }
            Some((endpoint, variable))
        })
}

const MEETING_READ: &[&str] = &["meeting:read:admin", "meeting:read", "meeting:master"];
const MEETING_WRITE: &[&str] = &["meeting:write:admin", "meeting:write", "meeting:master"];
const RECORDING_READ: &[&str] = &["recording:read:admin", "recording:read", "recording:master"];
const RECORDING_WRITE: &[&str] = &["recording:write:admin", "recording:write", "recording:master"];
const USER_READ: &[&str] = &[
    "user:read",
    "user:read:admin",
    "user:write",
    "user:write:admin",
    "user:master",
];
const USER_GET: &[&str] = &[
    "user:read",
    "user:read:admin",
    "user:write",
    "user:write:admin",
    "user:master",
    "user_info:read",
    "user_profile",
];
const REPORT: &[&str] = &["report:read:admin", "report:master"];

macro_rules! endpoints {
    ($($method:literal $path:literal $label:ident $classic:expr, $granular:literal $suffixes:ident => $run:path;)*) => {
        static ENDPOINTS: &[Endpoint] = &[$(Endpoint {
            method: $method,
            path: $path,
            label: Label::$label,
            scopes: Scopes { classic: $classic, granular: &[$granular], suffixes: Suffixes::$suffixes },
            run: $run,
        },)*];
    };
}

endpoints! {
    "GET" "/users" Medium USER_READ, "user:read:list_users" AdminMaster => users::list;
    "GET" "/users/{userId}" Light USER_GET, "user:read:user" All => users::get;
    "GET" "/users/{userId}/settings" Medium USER_READ, "user:read:settings" All => users::settings;

    "GET" "/users/{userId}/meetings" Medium MEETING_READ, "meeting:read:list_meetings" All => meetings::list;
    "POST" "/users/{userId}/meetings" Light MEETING_WRITE, "meeting:write:meeting" All => meetings::create;
    "GET" "/users/{userId}/upcoming_meetings" Medium MEETING_READ, "meeting:read:list_upcoming_meetings" OwnAdmin
        => meetings::upcoming;
    "GET" "/meetings/{meetingId}" Light MEETING_READ, "meeting:read:meeting" All => meetings::get;
    "PATCH" "/meetings/{meetingId}" Light MEETING_WRITE, "meeting:update:meeting" All => meetings::update;
    "DELETE" "/meetings/{meetingId}" Light MEETING_WRITE, "meeting:delete:meeting" All => meetings::delete;
    "PUT" "/meetings/{meetingId}/status" Light MEETING_WRITE, "meeting:update:status" All => meetings::status;
    "GET" "/meetings/{meetingId}/invitation" Light MEETING_READ, "meeting:read:invitation" All => meetings::invitation;

    "GET" "/past_meetings/{meetingId}" Light MEETING_READ, "meeting:read:past_meeting" OwnAdmin => past_meetings::get;
    "GET" "/past_meetings/{meetingId}/instances" Medium MEETING_READ, "meeting:read:list_past_instances" All
        => past_meetings::instances;
    "GET" "/past_meetings/{meetingId}/participants" Medium MEETING_READ, "meeting:read:list_past_participants" OwnAdmin
        => past_meetings::participants;

    "GET" "/users/{userId}/recordings" Medium RECORDING_READ, "cloud_recording:read:list_user_recordings" All
        => recordings::list;
    "GET" "/accounts/{accountId}/recordings" Medium &["recording:read:admin", "account:read:admin"],
        "cloud_recording:read:list_account_recordings" AdminMaster => recordings::list_account;
    "GET" "/meetings/{meetingId}/recordings" Light RECORDING_READ, "cloud_recording:read:list_recording_files" All
        => recordings::get;
    "DELETE" "/meetings/{meetingId}/recordings" Light RECORDING_WRITE, "cloud_recording:delete:meeting_recording" All
        => recordings::delete;
    "DELETE" "/meetings/{meetingId}/recordings/{recordingId}" Light RECORDING_WRITE,
        "cloud_recording:delete:recording_file" All => recordings::delete_file;
    "PUT" "/meetings/{meetingUUID}/recordings/status" Light RECORDING_WRITE,
        "cloud_recording:update:recover_meeting_recordings" All => recordings::recover;
    "GET" "/meetings/{meetingId}/transcript" Medium RECORDING_READ, "cloud_recording:read:meeting_transcript" OwnAdmin
        => recordings::transcript;

    "GET" "/report/meetings/{meetingId}" Heavy REPORT, "report:read:meeting" AdminMaster => reports::meeting;
    "GET" "/report/meetings/{meetingId}/participants" Heavy REPORT, "report:read:list_meeting_participants" AdminMaster
        => reports::participants;
    "GET" "/report/users/{userId}/meetings" Heavy REPORT, "report:read:user" AdminMaster => reports::user_meetings;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_finds_its_call_and_an_empty_segment_none() {
        let (endpoint, variable) = find("GET", "/meetings/%252Fa%253D/recordings").unwrap();
        assert_eq!(
            (endpoint.path, variable),
            ("/meetings/{meetingId}/recordings", vec!["%252Fa%253D"])
        );
        assert!(find("GET", "/meetings//recordings").is_none());
        assert!(find("POST", "/users").is_none());
        assert!(find("GET", "/meetings/1/").is_none());
    }
}
