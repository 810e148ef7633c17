//! What can go wrong at the other side, and whether trying again helps.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use crate::StageError;

/// The server asks for at most this much patience; more is for the pipeline to decide.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(1);

/// Why OpenAI, or a compatible server, did not transcribe. It is the source of a [`StageError`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenAiError {
    /// The file is larger than one request may be. Use a smaller file (the audio, not the video) or cut it.
    #[error("the file has {len} bytes, one request may have {limit}")]
    TooLarge {
        /// The file's length.
        len: u64,
        /// The most that is accepted.
        limit: u64,
    },
    /// The file is of a kind that has no sound.
    #[error("the file has no sound")]
    NoSound,
    /// The base URL takes no path.
    #[error("the base URL of the audio API takes no path")]
    BadBaseUrl,
    /// The server refused.
    #[error("the audio API answered with status {status}{}", .code.as_deref().map(|c| format!(" ({c})")).unwrap_or_default())]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The server's own code, such as `insufficient_quota`.
        code: Option<String>,
    },
    /// The server's answer makes no sense.
    #[error("the audio API's answer makes no sense")]
    BadAnswer,
    /// The server was not reached, or did not answer in time.
    #[error("the audio API was not reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The file could not be read.
    #[error("the file could not be read")]
    Disk(#[source] std::io::Error),
}

impl From<OpenAiError> for StageError {
    fn from(error: OpenAiError) -> Self {
        match error {
            OpenAiError::Unreachable(_) | OpenAiError::BadAnswer | OpenAiError::Disk(_) => {
                Self::transient(error)
            }
            _ => Self::permanent(error),
        }
    }
}

/// Reads a refusal: 408, 409, 429 and 5xx may pass, a spent quota does not; the server's own word counts most.
pub(super) fn of_response(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> StageError {
    let code = code(body);
    let spent = code.as_deref() == Some("insufficient_quota");
    let word = headers.get("x-should-retry").and_then(|word| word.to_str().ok());
    let transient = match word {
        Some("true") => true,
        Some("false") => false,
        _ => (matches!(status.as_u16(), 408 | 409 | 429) || status.is_server_error()) && !spent,
    };
    let error = OpenAiError::Refused {
        status: status.as_u16(),
        code,
    };
    if !transient {
        return StageError::permanent(error);
    }
    let stage = StageError::transient(error);
    match retry_after(headers) {
        Some(delay) => stage.retry_after(delay.min(MAX_RETRY_AFTER)),
        None => stage,
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    number("retry-after-ms")
        .map(Duration::from_millis)
        .or_else(|| number("retry-after").map(Duration::from_secs))
}

/// The code of `{"error": {"code": …, "type": …}}`. The message is left alone: it may quote what was sent.
fn code(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Body {
        error: Inner,
    }
    #[derive(Deserialize)]
    struct Inner {
        code: Option<String>,
        r#type: Option<String>,
    }
    let inner = serde_json::from_slice::<Body>(body).ok()?.error;
    let plain = |code: &String| {
        code.len() <= 64
            && code
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
    };
    inner.code.filter(plain).or_else(|| inner.r#type.filter(plain))
}
