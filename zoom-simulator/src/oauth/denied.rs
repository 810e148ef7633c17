//! Why the token endpoint says no: Zoom's numbers, and the words that come with them.

use http::StatusCode;
use serde_json::json;

use super::no_store;
use crate::{
    answer::Answer,
    config::{Quirks, TokenReasons},
    json::Fields as _,
};

/// A refusal of the token endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Denied {
    NoCredentials,
    UnknownClient,
    WrongSecret,
    AppDisabled,
    NoGrantType,
    GrantNotSupported,
    /// Something is missing.
    Malformed,
    /// Never made, or used before.
    UnknownCode(String),
    CodeExpired,
    RedirectMismatch,
    WrongVerifier,
    /// A refresh token that is not there: never made, of another app, expired, revoked, or replaced where Zoom is strict.
    UnknownToken,
    /// The same, where a token is to be revoked.
    DeadToken,
    /// The app no longer has the scopes of the token.
    ScopesChanged,
    OwnerGone,
    DisabledByAdmin,
    /// Replaced, and used too often since.
    BeyondTolerance,
    /// The same user authorized the app once more.
    Superseded,
    NoSuchAccount,
    AccountNotEnabled,
    AuthorizationPending,
    SlowDown,
    DeviceCodeExpired,
    DeviceRefused,
}

/// Number, `error`, `reason` as reported, `reason` of the table.
type Row = (u16, &'static str, &'static str, &'static str);

impl Denied {
    const fn row(&self) -> Row {
        const BAD_CLIENT: &str = "Invalid client_id or client_secret";
        const MISSING: &str = "Client ID or client secret is missing.";
        match self {
            Self::NoCredentials => (4706, "invalid_client", MISSING, MISSING),
            Self::UnknownClient => (4702, "invalid_client", BAD_CLIENT, "Invalid client."),
            Self::WrongSecret => (4704, "invalid_client", BAD_CLIENT, "Invalid client secret."),
            Self::AppDisabled => (
                4717,
                "invalid_client",
                "The app has been disabled by the developer",
                "The app has been disabled",
            ),
            Self::NoGrantType => (
                4706,
                "invalid_request",
                "Missing grant type.",
                "Missing grant type.",
            ),
            Self::GrantNotSupported => (
                4705,
                "unsupported_grant_type",
                "unsupported grant type",
                "Grant type is not supported from token endpoint.",
            ),
            Self::Malformed => (4700, "invalid_request", "Bad Request", "Token cannot be empty."),
            Self::UnknownCode(_) => (
                4734,
                "invalid_request",
                "Invalid authorization code",
                "Invalid authorization code.",
            ),
            Self::CodeExpired => (4733, "invalid_request", "Code is expired", "Code is expired"),
            Self::RedirectMismatch => (
                4709,
                "invalid_request",
                "Redirection URI mismatch",
                "Redirect URI mismatch.",
            ),
            Self::WrongVerifier => (
                4700,
                "invalid_grant",
                "Invalid code verifier",
                "Invalid code verifier",
            ),
            Self::UnknownToken => (
                4737,
                "invalid_grant",
                "Invalid Token!",
                "Can not find the authentication for the access token.",
            ),
            Self::DeadToken => (
                4737,
                "invalid_request",
                "Invalid Token!",
                "Can not find the authentication for the access token.",
            ),
            Self::ScopesChanged => (
                4711,
                "invalid_grant",
                "Refresh token invalid.",
                "Refresh token invalid.",
            ),
            Self::OwnerGone => {
                let text = "The owner of the token does not exist.";
                (4735, "invalid_grant", text, text)
            }
            Self::DisabledByAdmin => {
                let text = "The token is disabled by admin.";
                (4738, "invalid_grant", text, text)
            }
            Self::BeyondTolerance => {
                let text = "The token ID is out of the token tolerance range.";
                (4740, "invalid_grant", text, text)
            }
            Self::Superseded => {
                let text = "The token has been revoked.";
                (4741, "invalid_grant", text, text)
            }
            Self::NoSuchAccount => {
                let text = "Account does not exist";
                (4700, "invalid_request", text, text)
            }
            Self::AccountNotEnabled => {
                let text = "Account does not enabled the OAuth app type";
                (4700, "invalid_request", text, text)
            }
            Self::AuthorizationPending => {
                let text = "The user has not finished authorizing.";
                (4700, "authorization_pending", text, text)
            }
            Self::SlowDown => (4700, "slow_down", "Polling too often.", "Polling too often."),
            Self::DeviceCodeExpired => {
                let text = "The device code is expired.";
                (4700, "expired_token", text, text)
            }
            Self::DeviceRefused => (4700, "access_denied", "Access denied.", "Access denied."),
        }
    }

    /// Zoom's number for it; 4700 is for what has none of its own.
    pub(super) const fn number(&self) -> u16 {
        self.row().0
    }

    /// What the web site says where it shows numbers.
    pub(super) const fn web_text(&self) -> &'static str {
        self.row().3
    }

    pub(super) fn answer(&self, quirks: &Quirks) -> Answer {
        let (_, error, reported, table) = self.row();
        let reported = match self {
            Self::UnknownCode(code) => format!("{reported} {code}"),
            _ => reported.to_owned(),
        };
        let bad_code = matches!(self, Self::UnknownCode(_) | Self::CodeExpired);
        let error = if bad_code && quirks.code_errors_as_invalid_grant {
            "invalid_grant"
        } else {
            error
        };
        let mut body = json!({});
        match quirks.token_reasons {
            TokenReasons::Reported => body.put("reason", reported),
            TokenReasons::Table => body.put("reason", table),
            TokenReasons::Absent => {}
        }
        body.put("error", error);
        let status = if quirks.token_errors_401 {
            StatusCode::UNAUTHORIZED
        } else {
            StatusCode::BAD_REQUEST
        };
        no_store(Answer::json(status, &body))
    }
}
