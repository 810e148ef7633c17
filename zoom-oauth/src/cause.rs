//! Why a connection is what it is: one table from Zoom's words and numbers to what a person is told.

use std::fmt;

use serde::Serialize;
use token_store::Status;
use zoom_core::ApiError;

use crate::refusal;

/// What somebody can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Action {
    /// The owner connects (again).
    Reconnect,
    /// The owner asks an administrator of their Zoom account.
    AskAdmin,
    /// The Zoom user needs another licence, or the account another plan.
    UpgradePlan,
    /// A setting in Zoom is to be switched on.
    ChangeSettings,
    /// Whoever runs the product looks at the app in Zoom's Marketplace.
    CheckApp,
    /// It passes by itself.
    Wait,
    /// Nothing.
    None,
}

impl Action {
    /// The name that serde writes, too.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reconnect => "reconnect",
            Self::AskAdmin => "ask_admin",
            Self::UpgradePlan => "upgrade_plan",
            Self::ChangeSettings => "change_settings",
            Self::CheckApp => "check_app",
            Self::Wait => "wait",
            Self::None => "none",
        }
    }

    /// The same as a sentence for the host's user; empty where there is nothing to do.
    #[must_use]
    pub fn instruction(self) -> &'static str {
        match self {
            Self::Reconnect => "Connect Zoom again.",
            Self::AskAdmin => "Ask the administrator of your Zoom account.",
            Self::UpgradePlan => "Get a Zoom licence that includes it.",
            Self::ChangeSettings => "Switch it on in your Zoom settings.",
            Self::CheckApp => "Tell us: the Zoom app needs a change on our side.",
            Self::Wait => "There is nothing to do: it is tried again.",
            Self::None => "",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One line of the table.
struct Sheet {
    becomes: Option<Status>,
    action: Action,
    message: &'static str,
}

macro_rules! causes {
    (@becomes Stays) => { None };
    (@becomes $status:ident) => { Some(Status::$status) };
    ($($(#[$meta:meta])* $variant:ident = $code:literal, $becomes:ident, $action:ident, $message:literal;)+) => {
        zoom_core::open_enum! {
            /// Why a connection is not active, or why Zoom refused, as a short code that
            /// [`Connection::reason`](crate::Connection::reason) keeps. A code that this version does not know stays as
            /// it is.
            pub enum Cause { $($(#[$meta])* $variant => $code,)+ }
        }

        impl Cause {
            /// All that this version knows.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            fn sheet(&self) -> Sheet {
                match self {
                    $(Self::$variant => Sheet {
                        becomes: causes!(@becomes $becomes),
                        action: Action::$action,
                        message: $message,
                    },)+
                    Self::_Other(_) => Sheet {
                        becomes: None,
                        action: Action::None,
                        message: "Zoom refused for a reason that we do not know.",
                    },
                }
            }
        }
    };
}

causes! {
    // Tokens that are dead.

    /// Zoom's `invalid_grant` without a number: stale, revoked or run out.
    InvalidGrant = "invalid_grant", Expired, Reconnect, "Zoom no longer accepts this connection.";
    /// A process ended between a refresh at Zoom and the save of what it brought.
    RefreshInterrupted = "refresh_interrupted", Expired, Reconnect,
        "The connection was interrupted while it was being renewed.";
    /// Zoom renewed, and its answer did not arrive.
    AnswerLost = "answer_lost", Expired, Reconnect, "Zoom's answer got lost while the connection was being renewed.";
    /// Zoom gave no refresh token.
    NoRefreshToken = "no_refresh_token", Expired, Reconnect, "Zoom has not allowed the connection to be renewed.";
    /// 4741: a newer consent of the same user, or an end at Zoom.
    Revoked = "revoked", Expired, Reconnect, "The connection was ended in Zoom, or replaced by a newer one.";
    /// 4737: Zoom does not know the refresh token.
    TokenUnknown = "token_unknown", Expired, Reconnect, "Zoom no longer knows this connection.";
    /// 4740: the refresh token is older than Zoom tolerates.
    TokenOutdated = "token_outdated", Expired, Reconnect, "A newer copy of this connection was used elsewhere.";
    /// 4711 at the token endpoint: the app asks for other scopes than the user has granted.
    ScopesChanged = "scopes_changed", Expired, Reconnect, "The app needs other permissions than it was given.";
    /// 4735, 1001, 1010: no such user, or no longer in the account.
    UserGone = "user_gone", Expired, Reconnect, "The Zoom user no longer exists in this Zoom account.";
    /// 4738: an administrator has taken the app's approval back.
    DisabledByAdmin = "disabled_by_admin", Expired, AskAdmin, "A Zoom administrator has switched the app off.";

    // It works, and something is missing.

    /// 4711 of the API: the token may not do this.
    MissingScope = "missing_scope", Degraded, Reconnect, "The app was not given all the permissions it needs.";
    /// "Only available for paid account": a Basic user, or a free account.
    NoLicence = "no_licence", Degraded, UpgradePlan, "The Zoom user has no licence for this.";
    /// 3161: the user cannot host.
    NoMeetings = "no_meetings", Degraded, UpgradePlan, "The Zoom user is not allowed to host meetings.";
    /// 200 to 299, 403: the user's role lacks it.
    NoPermission = "no_permission", Degraded, AskAdmin, "The Zoom user is not allowed to do this.";
    /// Cloud recording is switched off.
    CloudRecordingOff = "cloud_recording_off", Degraded, ChangeSettings, "Cloud recording is switched off in Zoom.";
    /// Audio transcripts are switched off.
    TranscriptOff = "transcript_off", Degraded, ChangeSettings, "Audio transcripts are switched off in Zoom.";
    /// 3309: no room for recordings.
    StorageFull = "storage_full", Degraded, UpgradePlan, "The Zoom account has no space left for recordings.";
    /// An administrator has deactivated the user.
    UserInactive = "user_inactive", Degraded, AskAdmin, "The Zoom user has been deactivated.";
    /// 1000, 1120: the user has not accepted the invitation to the account.
    UserPending = "user_pending", Degraded, AskAdmin, "The Zoom user has not accepted the invitation to the account.";
    /// 124: the API does not accept a token that is new.
    TokenRefused = "token_refused", Degraded, Reconnect, "Zoom does not accept the connection at the moment.";

    // Left.

    /// The owner has left.
    Disconnected = "disconnected", Disconnected, Reconnect, "Zoom was disconnected.";
    /// The user has removed the app at Zoom.
    Deauthorized = "deauthorized", Disconnected, Reconnect, "The app was removed in Zoom.";
    /// The owner has connected another Zoom user instead.
    Replaced = "replaced", Disconnected, None, "Another Zoom user was connected instead.";

    // Says nothing about the connection.

    /// 4717, or `invalid_client` of an app that was switched off.
    AppDisabled = "app_disabled", Stays, CheckApp, "Our Zoom app is switched off at the moment.";
    /// 4702, 4704: the app's credentials.
    InvalidClient = "invalid_client", Stays, CheckApp, "Zoom does not accept our app's credentials.";
    /// 4705, 4706, 4709, `invalid_request`, `unsupported_grant_type`: how the app asks.
    AppMisconfigured = "app_misconfigured", Stays, CheckApp, "Our Zoom app is not set up as Zoom expects.";
    /// 2001: no such account.
    AccountUnknown = "account_unknown", Stays, CheckApp, "Zoom does not know this account.";
    /// 4733, 4734: the code of a consent was used, or came too late.
    CodeExpired = "code_expired", Stays, Reconnect, "Connecting took too long.";
    /// The user, or an administrator's policy, said no.
    AccessDenied = "access_denied", Stays, Reconnect, "Access to Zoom was not granted.";
    /// An app for whole accounts was connected by a user who is no administrator.
    NotAdmin = "not_admin", Stays, AskAdmin, "Only an administrator of the Zoom account can connect this.";
    /// 429.
    RateLimited = "rate_limited", Stays, Wait, "Zoom is being asked too often at the moment.";
    /// 5xx, no answer, 4732.
    Unavailable = "unavailable", Stays, Wait, "Zoom does not answer at the moment.";
    /// 300 to 399: the request, not the connection.
    BadRequest = "bad_request", Stays, None, "Zoom did not accept the request.";
    /// 3001, 3301 and the like: the thing asked for, not the connection.
    NotFound = "not_found", Stays, None, "Zoom has no such thing.";
    /// Without any reason that could be read.
    Refused = "refused", Stays, None, "Zoom refused without saying why.";
}

impl Cause {
    /// What Zoom's token endpoint means by a refusal: its HTTP status, the `error` of its answer, and one of its 47xx
    /// numbers where it said one. The number knows more than the word.
    #[must_use]
    pub fn from_zoom(status: u16, error: Option<&str>, number: Option<i64>) -> Self {
        if let Some(passing) = Self::passing(status) {
            return passing;
        }
        if let Some(known) = refusal::by_number(number) {
            return known.cause.clone();
        }
        if let Some(known) = refusal::by_word(error) {
            return known.cause.clone();
        }
        match (error, number) {
            (Some(word), _) if refusal::code(word).is_some() => Self::from(word),
            (_, Some(number)) => Self::from(format!("zoom_{number}")),
            _ => Self::Refused,
        }
    }

    /// What a refusal by Zoom's API means for the connection that asked. Meant for calls about its own user: `1001`
    /// of a call about somebody else says nothing about it.
    #[must_use]
    pub fn from_api(error: &ApiError) -> Self {
        if let Some(passing) = Self::passing(error.status) {
            return passing;
        }
        if error.is_missing_scope() {
            return Self::MissingScope;
        }
        match error.code {
            Some(124) => Self::TokenRefused,
            Some(1001 | 1010) => Self::UserGone,
            Some(1000 | 1120) => Self::UserPending,
            Some(1108 | 1122) => Self::NoLicence,
            Some(2001) => Self::AccountUnknown,
            Some(3161) => Self::NoMeetings,
            Some(3309) => Self::StorageFull,
            Some(200..=299) if error.message.to_lowercase().contains("paid") => Self::NoLicence,
            Some(200..=299) => Self::NoPermission,
            Some(300..=399) => Self::BadRequest,
            Some(number @ 4700..=4799) => Self::from_zoom(error.status, None, Some(number)),
            _ if error.is_unauthorized() => Self::TokenRefused,
            _ if error.is_not_found() => Self::NotFound,
            _ if error.status == 403 => Self::NoPermission,
            Some(number) => Self::from(format!("zoom_{number}")),
            None => Self::Refused,
        }
    }

    fn passing(status: u16) -> Option<Self> {
        match status {
            429 => Some(Self::RateLimited),
            500.. => Some(Self::Unavailable),
            _ => None,
        }
    }

    /// What a connection becomes by it; `None` where it says nothing about the connection, or is not known.
    #[must_use]
    pub fn becomes(&self) -> Option<Status> {
        self.sheet().becomes
    }

    /// A sentence for the host's user, without codes.
    #[must_use]
    pub fn message(&self) -> &'static str {
        self.sheet().message
    }

    /// What somebody can do about it.
    #[must_use]
    pub fn action(&self) -> Action {
        self.sheet().action
    }
}

#[cfg(test)]
mod tests;
