//! What Zoom's token endpoint says when it says no, and what that means.

use serde_json::Value;

use crate::Cause;

/// A refusal, without a word of its text: texts have carried codes and tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// OAuth's word, such as `invalid_grant`.
    pub(crate) error: Option<String>,
    /// Zoom's own number, such as 4735, which says more than the word.
    pub(crate) number: Option<u32>,
}

/// What follows from a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// This grant is over: its refresh token will never work again.
    DeadGrant,
    /// This code will never work: used, too old, or of another connect.
    BadCode,
    /// The redirect address is not the one the Marketplace has.
    WrongRedirect,
    /// The app itself is wrong or switched off. The grant may live on.
    WrongApp,
    /// Zoom's word for anything that it does not like about a request: after a code it is the code, as nothing else
    /// in that request varies; after a refresh token it says nothing about the grant.
    Unclear,
    /// It passes: says nothing about the grant.
    Later,
}

/// What a number or a word of Zoom's means: what follows for the request, and what a connection's owner is told.
pub(crate) struct Meaning<T> {
    pub(crate) said: T,
    pub(crate) verdict: Verdict,
    pub(crate) cause: Cause,
}

const fn means<T: Copy>(said: T, verdict: Verdict, cause: Cause) -> Meaning<T> {
    Meaning { said, verdict, cause }
}

/// Zoom's numbers. The number decides before the word does: Zoom says `invalid_grant` for many things.
pub(crate) static NUMBERS: [Meaning<u32>; 15] = {
    use Verdict::{BadCode, DeadGrant, Later, WrongApp, WrongRedirect};
    [
        // Invalid client.
        means(4702, WrongApp, Cause::InvalidClient),
        // Invalid client secret.
        means(4704, WrongApp, Cause::InvalidClient),
        // Grant type is not supported from token endpoint.
        means(4705, WrongApp, Cause::AppMisconfigured),
        // Client ID or client secret is missing.
        means(4706, WrongApp, Cause::AppMisconfigured),
        // Redirect URI mismatch.
        means(4709, WrongRedirect, Cause::AppMisconfigured),
        // Refresh token invalid: the app's scopes are not the token's any more.
        means(4711, DeadGrant, Cause::ScopesChanged),
        // The app has been disabled: the developer may enable it again.
        means(4717, WrongApp, Cause::AppDisabled),
        // Creating authorization code error: a look-up inside Zoom.
        means(4732, Later, Cause::Unavailable),
        // Code is expired: five minutes.
        means(4733, BadCode, Cause::CodeExpired),
        // Invalid authorization code: unknown or used.
        means(4734, BadCode, Cause::CodeExpired),
        // The owner of the token does not exist.
        means(4735, DeadGrant, Cause::UserGone),
        // Can not find the authentication for the access token.
        means(4737, DeadGrant, Cause::TokenUnknown),
        // The token is disabled by admin.
        means(4738, DeadGrant, Cause::DisabledByAdmin),
        // The token ID is out of the token tolerance range.
        means(4740, DeadGrant, Cause::TokenOutdated),
        // The token has been revoked: a later consent took its place.
        means(4741, DeadGrant, Cause::Revoked),
    ]
};

/// OAuth's words, where there is no number that says more.
pub(crate) static WORDS: [Meaning<&str>; 9] = {
    use Verdict::{DeadGrant, Later, Unclear, WrongApp, WrongRedirect};
    [
        means("invalid_grant", DeadGrant, Cause::InvalidGrant),
        means("invalid_request", Unclear, Cause::AppMisconfigured),
        means("redirect_uri_mismatch", WrongRedirect, Cause::AppMisconfigured),
        means("invalid_client", WrongApp, Cause::InvalidClient),
        means("unauthorized_client", WrongApp, Cause::AppMisconfigured),
        means("unsupported_grant_type", WrongApp, Cause::AppMisconfigured),
        means("invalid_scope", WrongApp, Cause::AppMisconfigured),
        means("server_error", Later, Cause::Unavailable),
        means("temporarily_unavailable", Later, Cause::Unavailable),
    ]
};

/// What the number means, if it is one that we know.
pub(crate) fn by_number(number: Option<i64>) -> Option<&'static Meaning<u32>> {
    NUMBERS.iter().find(|known| number == Some(known.said.into()))
}

/// What the word means, if it is one that we know.
pub(crate) fn by_word(word: Option<&str>) -> Option<&'static Meaning<&'static str>> {
    WORDS.iter().find(|known| word == Some(known.said))
}

/// How Zoom's texts begin where it leaves out the number.
const BEGINNINGS: [(&str, u32); 15] = [
    ("invalid client.", 4702),
    ("invalid client secret", 4704),
    ("grant type is not supported", 4705),
    ("client id or client secret is missing", 4706),
    ("redirect uri mismatch", 4709),
    ("redirection uri mismatch", 4709),
    ("refresh token invalid", 4711),
    ("the app has been disabled", 4717),
    ("code is expired", 4733),
    ("invalid authorization code", 4734),
    ("the owner of the token does not exist", 4735),
    ("can not find the authentication", 4737),
    ("the token is disabled by admin", 4738),
    ("the token id is out of the token tolerance", 4740),
    ("the token has been revoked", 4741),
];

impl Refusal {
    /// Reads any of the shapes that Zoom's refusals have: `{"reason", "error"}`, `{"code", "message"}` and
    /// `{"errorCode", "errorMessage"}`. Anything else leaves the status.
    pub(crate) fn read(status: u16, body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let error = text("error").and_then(code);
        let texts = ["reason", "message", "errorMessage", "error_description"];
        let number = ["errorCode", "code", "error"]
            .iter()
            .find_map(|name| number(body.get(*name)?))
            .or_else(|| texts.iter().find_map(|name| number_in(text(name)?)));
        Self {
            status,
            error,
            number,
        }
    }

    pub(crate) fn verdict(&self) -> Verdict {
        if self.status == 429 || self.status >= 500 {
            return Verdict::Later;
        }
        let by_number = by_number(self.number.map(i64::from)).map(|known| known.verdict);
        let verdict = by_number.or_else(|| Some(by_word(self.error.as_deref())?.verdict));
        verdict.unwrap_or(Verdict::Unclear)
    }
}

/// A text from outside that is short and plain enough to be shown as a code.
pub(crate) fn code(text: &str) -> Option<String> {
    let plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    (plain && (1..=40).contains(&text.len())).then(|| text.to_owned())
}

fn number(value: &Value) -> Option<u32> {
    match value {
        Value::Number(number) => number.as_u64()?.try_into().ok(),
        Value::String(text) if text.len() <= 6 => text.parse().ok(),
        _ => None,
    }
    .filter(|number| *number != 0)
}

/// A number of Zoom's token endpoint that stands in a text by itself, or the one that the text is known to go with.
fn number_in(text: &str) -> Option<u32> {
    let words = text.split(|character: char| !(character.is_alphanumeric() || "-_".contains(character)));
    let written = words
        .filter(|word| word.len() == 4)
        .find_map(|word| word.parse().ok().filter(|number| (4700..4800).contains(number)));
    written.or_else(|| {
        let begins = |with: &str| {
            text.get(..with.len())
                .is_some_and(|beginning| beginning.eq_ignore_ascii_case(with))
        };
        let known = BEGINNINGS.iter().find(|(beginning, _)| begins(beginning));
        known.map(|(_, number)| *number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> (Option<String>, Option<u32>) {
        let refusal = Refusal::read(400, body.as_bytes());
        (refusal.error, refusal.number)
    }

    #[test]
    fn every_shape_of_zoom_s_is_read() {
        let word = |word: &str| Some(word.to_owned());
        for (body, expected) in [
            (
                r#"{"reason":"Invalid Token!","error":"invalid_grant"}"#,
                (word("invalid_grant"), None),
            ),
            (r#"{"error":"invalid_client"}"#, (word("invalid_client"), None)),
            (
                r#"{"code":4735,"message":"The owner of the token does not exist."}"#,
                (None, Some(4735)),
            ),
            (r#"{"code":"4741","message":"x"}"#, (None, Some(4741))),
            (
                r#"{"status":false,"errorCode":4700,"errorMessage":"Invalid redirect","result":null}"#,
                (None, Some(4700)),
            ),
            (
                r#"{"reason":"4735: gone","error":"invalid_grant"}"#,
                (word("invalid_grant"), Some(4735)),
            ),
            (
                r#"{"reason":"Token error (4738).","error":"invalid_request"}"#,
                (word("invalid_request"), Some(4738)),
            ),
            (
                r#"{"reason":"Redirection URI mismatch","error":"invalid_request"}"#,
                (word("invalid_request"), Some(4709)),
            ),
            (
                r#"{"reason":"Code is expired","error":"invalid_request"}"#,
                (word("invalid_request"), Some(4733)),
            ),
            (
                r#"{"reason":"The app has been disabled by the developer","error":"invalid_client"}"#,
                (word("invalid_client"), Some(4717)),
            ),
        ] {
            assert_eq!(read(body), expected, "{body}");
        }
    }

    #[test]
    fn of_a_refusal_no_text_is_kept() {
        for odd in [
            r#"{"reason":"x"}"#,
            r#"{"error":"eyJzdiI6IjAwMDAwMSJ9.canary"}"#,
            r#"{"error":""}"#,
            r#"{"error":{"error":"invalid_grant"}}"#,
            r#"{"reason":"Invalid Token! eyJ-4735-canary 47355 x4735"}"#,
            r#"{"code":-1}"#,
            r#"{"code":99999999999}"#,
            r#"[4735]"#,
            "<html>4735",
            "",
        ] {
            assert_eq!(read(odd), (None, None), "{odd}");
        }
    }

    #[test]
    fn what_a_refusal_means_is_decided_by_status_then_number_then_word() {
        let verdict = |status, error: &str, number| {
            Refusal {
                status,
                error: Some(error.into()),
                number,
            }
            .verdict()
        };
        for (status, error, number, expected) in [
            (400, "invalid_grant", None, Verdict::DeadGrant),
            (401, "invalid_grant", None, Verdict::DeadGrant),
            (400, "invalid_request", Some(4735), Verdict::DeadGrant),
            (400, "invalid_grant", Some(4717), Verdict::WrongApp),
            (400, "invalid_grant", Some(4732), Verdict::Later),
            (400, "invalid_grant", Some(4700), Verdict::DeadGrant),
            (400, "invalid_request", Some(4733), Verdict::BadCode),
            (400, "invalid_request", Some(4709), Verdict::WrongRedirect),
            (400, "invalid_request", None, Verdict::Unclear),
            (401, "invalid_client", None, Verdict::WrongApp),
            (400, "x", None, Verdict::Unclear),
            (500, "invalid_grant", Some(4735), Verdict::Later),
            (503, "x", None, Verdict::Later),
            (429, "invalid_grant", None, Verdict::Later),
        ] {
            assert_eq!(
                verdict(status, error, number),
                expected,
                "{status} {error} {number:?}"
            );
        }
    }
}
