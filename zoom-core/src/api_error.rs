//! What Zoom says when it refuses.

use std::{fmt, time::Duration};

use http::HeaderMap;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::time::{parse_retry_after, until_midnight_utc};

/// Codes that mean the thing does not exist, or not for this account.
const NOT_FOUND: [i64; 4] = [1001, 1010, 3001, 3301];
const INVALID_ACCESS_TOKEN: i64 = 124;
const MISSING_SCOPE: i64 = 4711;
const LONGEST_MESSAGE: usize = 300;
const LONGEST_TRACKING_ID: usize = 128;

/// A refusal by Zoom, with everything it said but the body.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiError {
    /// The HTTP status. Below 300 when Zoom refused with a success status, as it sometimes does.
    pub status: u16,
    /// Zoom's own code; `None` when the answer was not one of Zoom's (a gateway's page, an empty body).
    pub code: Option<i64>,
    /// Zoom's text on one line, shortened, without anything that looks like a token. Match on `code`, not on this.
    pub message: String,
    /// Which fields of the request were wrong, where Zoom says.
    pub fields: Vec<FieldError>,
    /// `x-zm-trackingid`: what Zoom's support asks for.
    pub tracking_id: Option<String>,
    /// The scopes of which the token has none; any one of them would do.
    pub missing_scopes: Vec<String>,
    /// When to come back: from `Retry-After`, or from the kind of limit.
    pub retry_after: Option<Duration>,
    /// The rate limit that the call counts towards, where Zoom says.
    pub rate_limit: Option<RateLimit>,
}

/// One field that Zoom did not accept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldError {
    /// Its path, such as `settings.jbh_time`.
    pub field: String,
    /// What Zoom says about it.
    pub message: String,
}

/// The `X-RateLimit-…` headers of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimit {
    /// `Light`, `Medium`, `Heavy` or `Resource-intensive`.
    pub category: Option<String>,
    /// `QPS` or `Daily-limit`.
    pub kind: Option<String>,
    /// How many calls there are.
    pub limit: Option<u64>,
    /// How many are left.
    pub remaining: Option<u64>,
}

impl ApiError {
    /// A refusal, for tests and stubs.
    #[must_use]
    pub fn new(status: u16, code: Option<i64>, message: impl AsRef<str>) -> Self {
        let message = tidy(message.as_ref());
        let missing_scopes = missing_scopes(code, &message);
        Self {
            status,
            code,
            message,
            fields: vec![],
            tracking_id: None,
            missing_scopes,
            retry_after: None,
            rate_limit: None,
        }
    }

    /// The token was not accepted. The client has got itself another one once already; connect again.
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        !self.is_missing_scope() && (self.status == 401 || self.code == Some(INVALID_ACCESS_TOKEN))
    }

    /// The token may not do this. Grant one of [`missing_scopes`](Self::missing_scopes), then connect again.
    #[must_use]
    pub fn is_missing_scope(&self) -> bool {
        self.code == Some(MISSING_SCOPE) || !self.missing_scopes.is_empty()
    }

    /// There is no such meeting, recording or user, or it belongs to another account. A 404 without a code of Zoom's is
    /// a wrong address, and is not meant.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.code
            .is_some_and(|code| self.status == 404 || NOT_FOUND.contains(&code))
    }

    /// Too many calls. Come back after [`retry_after`](Self::retry_after).
    #[must_use]
    pub const fn is_rate_limited(&self) -> bool {
        self.status == 429
    }

    pub(crate) const fn is_server_error(&self) -> bool {
        self.status >= 500
    }

    /// Reads a refusal. `None` when the answer is a success.
    pub(crate) fn read(status: u16, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Option<Self> {
        let said = Said::read(body);
        let code = said.code();
        let success = (200..300).contains(&status) && code.is_none_or(|code| code == 0);
        if success {
            return None;
        }
        let mut error = Self::new(status, code, said.message());
        error.fields = said.fields();
        error.tracking_id =
            header(headers, "x-zm-trackingid").map(|id| id.chars().take(LONGEST_TRACKING_ID).collect());
        error.rate_limit = RateLimit::read(headers);
        error.retry_after = error.when_to_come_back(headers, now);
        Some(error)
    }

    fn when_to_come_back(&self, headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
        if let Some(wait) = header(headers, "retry-after").and_then(|text| parse_retry_after(text, now)) {
            return Some(wait);
        }
        // The limit of 100 meetings a day per host comes without any header; only its text tells.
        let per_day = self.rate_limit.as_ref().and_then(|limit| limit.kind.as_deref()) == Some("Daily-limit")
            || self.message.contains("daily rate limit");
        (self.is_rate_limited() && per_day).then(|| until_midnight_utc(now))
    }

    /// Takes `secret` out of every text, should Zoom ever echo it.
    #[cfg(feature = "client")]
    pub(crate) fn scrub(&mut self, secret: &str) {
        if secret.is_empty() {
            return;
        }
        let texts = self
            .fields
            .iter_mut()
            .flat_map(|field| [&mut field.field, &mut field.message]);
        for text in texts
            .chain([&mut self.message])
            .chain(self.missing_scopes.iter_mut())
        {
            if text.contains(secret) {
                *text = text.replace(secret, "[redacted]");
            }
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "zoom refused with status {}", self.status)?;
        if let Some(code) = self.code {
            write!(f, ", code {code}")?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message.trim_end_matches('.'))?;
        }
        Ok(())
    }
}

impl RateLimit {
    fn read(headers: &HeaderMap) -> Option<Self> {
        let limit = Self {
            category: header(headers, "x-ratelimit-category").map(tidy),
            kind: header(headers, "x-ratelimit-type").map(tidy),
            limit: header(headers, "x-ratelimit-limit").and_then(|text| text.parse().ok()),
            remaining: header(headers, "x-ratelimit-remaining").and_then(|text| text.parse().ok()),
        };
        (limit != Self::default()).then_some(limit)
    }
}

/// Every way in which Zoom's hosts word a refusal.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    code: Value,
    message: Value,
    error_message: Value,
    errors: Value,
    #[serde(rename = "errorCode")]
    web_code: Value,
    #[serde(rename = "errorMessage")]
    web_message: Value,
    /// The OAuth endpoints' words, should a proxy put one in front of the API.
    error: Value,
    reason: Value,
}

impl Said {
    /// Objects only: serde would read a list as a struct, field by field.
    fn read(body: &[u8]) -> Self {
        let object = body.trim_ascii_start().starts_with(b"{");
        object
            .then(|| serde_json::from_slice(body).ok())
            .flatten()
            .unwrap_or_default()
    }

    fn code(&self) -> Option<i64> {
        [&self.code, &self.web_code]
            .into_iter()
            .find_map(|code| match code {
                Value::Number(number) => number.as_i64(),
                Value::String(text) => text.parse().ok(),
                _ => None,
            })
    }

    fn message(&self) -> &str {
        [
            &self.message,
            &self.error_message,
            &self.web_message,
            &self.reason,
            &self.error,
        ]
        .into_iter()
        .find_map(|text| text.as_str().filter(|text| !text.is_empty()))
        .unwrap_or_default()
    }

    fn fields(&self) -> Vec<FieldError> {
        let entries = self.errors.as_array().map(Vec::as_slice).unwrap_or_default();
        let text =
            |entry: &Value, name: &str| tidy(entry.get(name).and_then(Value::as_str).unwrap_or_default());
        entries
            .iter()
            .map(|entry| FieldError {
                field: text(entry, "field"),
                message: text(entry, "message"),
            })
            .filter(|error| !error.field.is_empty() || !error.message.is_empty())
            .collect()
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// One line, shortened, with everything cut out that is long enough and dense enough to be a token.
fn tidy(text: &str) -> String {
    let dense =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~' | '+' | '/' | '=' | '%');
    let mut tidy = String::with_capacity(text.len().min(LONGEST_MESSAGE));
    for word in text.split_whitespace() {
        if !tidy.is_empty() {
            tidy.push(' ');
        }
        for part in word.split_inclusive(|c| !dense(c)) {
            let run = part.trim_end_matches(|c| !dense(c));
            if run.len() >= 40 {
                tidy.push_str("[redacted]");
                tidy.push_str(part.get(run.len()..).unwrap_or_default());
            } else {
                tidy.push_str(part);
            }
        }
        if tidy.len() > LONGEST_MESSAGE {
            let end = (0..=LONGEST_MESSAGE)
                .rev()
                .find(|at| tidy.is_char_boundary(*at))
                .unwrap_or(0);
            tidy.truncate(end);
            tidy.push('…');
            break;
        }
    }
    tidy.retain(|c| !c.is_control());
    tidy
}

/// Reads `… does not contain scopes:[a, b].`
fn missing_scopes(code: Option<i64>, message: &str) -> Vec<String> {
    const PHRASE: &str = "does not contain scopes";
    if code != Some(MISSING_SCOPE) && !message.contains(PHRASE) {
        return vec![];
    }
    let list = message
        .split_once(PHRASE)
        .and_then(|(_, rest)| rest.split_once('['))
        .map(|(_, rest)| rest.split_once(']').map_or(rest, |(list, _)| list))
        .unwrap_or_default();
    list.split(',')
        .map(str::trim)
        .filter(|scope| !scope.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests;
