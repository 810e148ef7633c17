//! Where sources about Zoom disagree.

use serde::{Deserialize, Serialize};

/// What happens to a refresh token that was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rotation {
    /// It is dead at once.
    Strict,
    /// A token that was replaced still works so many times.
    Tolerance(u32),
}

/// How refusals of the token endpoint are worded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TokenReasons {
    /// As integrators report them, and as the table has it where nobody reported one.
    Reported,
    /// As Zoom's table of numbers has it.
    Table,
    /// Only `error`, without a `reason`.
    Absent,
}

/// What `api_url` says in answers of the token endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ApiUrl {
    /// The simulator's own address.
    Own,
    /// Nothing: answers have no such field, as before it was added.
    Absent,
    /// Something else, good or bad.
    Other(String),
}

/// Switches for what sources about Zoom tell differently. The defaults follow the better source.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Quirks {
    /// How the token endpoint words its refusals.
    pub token_reasons: TokenReasons,
    /// Refusals of the token endpoint come with 401 instead of 400.
    pub token_errors_401: bool,
    /// A bad code is `invalid_grant` instead of `invalid_request`.
    pub code_errors_as_invalid_grant: bool,
    /// An authorization that a newer one took the place of keeps its access tokens until they expire; its refresh token
    /// is dead either way.
    pub superseded_access_lives: bool,
    /// A refresh kills the access tokens that were there before.
    pub refresh_kills_access: bool,
    /// Scopes that were added to an app end its refresh tokens too (4711), not only scopes that were taken away.
    pub added_scopes_kill_refresh: bool,
    /// Anybody may consent to an account-managed app.
    pub admin_apps_for_all: bool,
    /// `scope` in the address of the consent page is an error, as from 2021 until apps had optional scopes.
    pub refuse_scope_parameter: bool,
    /// A redirect address may go on below an address of the app's list.
    pub redirects_below: bool,
    /// A missing scope is 401 instead of 400.
    pub missing_scope_401: bool,
    /// `?access_token=` on a download works for OAuth tokens too, as it did before 2023. Webhook tokens always may.
    pub query_token: bool,
    /// A receiver that answers 4xx gets the event again.
    pub retry_4xx: bool,
    /// A webhook that is sent again is signed again with the new time.
    pub resign_retries: bool,
    /// Apps hear only of users and accounts that have them installed. Off, so that late events can be tried.
    pub only_installed: bool,
    /// `event_ts` in `app_deauthorized`.
    pub deauthorized_event_ts: EventTs,
    /// A `page_size` beyond 300 is an error instead of 300.
    pub page_size_error: bool,
    /// A range of dates longer than a month is an error instead of its last month.
    pub long_range_error: bool,
    /// Meeting ids in REST recordings are strings, and `type` is too.
    pub recording_ids_as_strings: bool,
    /// Meeting ids in `meeting.started` and its like are numbers, as in older samples.
    pub meeting_event_ids_as_numbers: bool,
    /// TIMELINE files have no id, status, size and type.
    pub bare_timeline: bool,
    /// `GET /meetings/{id}/transcript` knows only transcripts of AI Companion, so there is never one.
    pub ai_companion_transcripts_only: bool,
}

/// How `app_deauthorized` writes its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventTs {
    /// Milliseconds.
    Number,
    /// `2026-01-07 12:00:00`.
    Text,
    /// Not at all, and with `user_data_retention`, as before 2024.
    Absent,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            token_reasons: TokenReasons::Reported,
            token_errors_401: false,
            code_errors_as_invalid_grant: false,
            superseded_access_lives: false,
            refresh_kills_access: false,
            added_scopes_kill_refresh: false,
            admin_apps_for_all: false,
            refuse_scope_parameter: false,
            redirects_below: false,
            missing_scope_401: false,
            query_token: false,
            retry_4xx: true,
            resign_retries: true,
            only_installed: false,
            deauthorized_event_ts: EventTs::Number,
            page_size_error: false,
            long_range_error: false,
            recording_ids_as_strings: false,
            meeting_event_ids_as_numbers: false,
            bare_timeline: false,
            ai_companion_transcripts_only: false,
        }
    }
}
