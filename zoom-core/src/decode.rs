//! From an answer's bytes to a value or an [`Error`]; the counterpart of [`Request`](crate::Request).

use http::HeaderMap;
use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny},
};

use crate::{ApiError, Error};

/// What Zoom answered, before it is understood.
#[derive(Clone, Copy)]
pub struct Answer<'a> {
    status: u16,
    headers: &'a HeaderMap,
    body: &'a [u8],
    received_at: Timestamp,
}

impl<'a> Answer<'a> {
    /// Takes an answer. `received_at` is what a date in `Retry-After` is measured from.
    #[must_use]
    pub const fn new(status: u16, headers: &'a HeaderMap, body: &'a [u8], received_at: Timestamp) -> Self {
        Self {
            status,
            headers,
            body,
            received_at,
        }
    }

    /// Whether Zoom did what was asked.
    ///
    /// # Errors
    /// Fails when the status is not a success, and when it is one but the body carries an error code: Zoom refuses some
    /// things with status 200.
    pub fn check(&self) -> Result<(), Error> {
        match ApiError::read(self.status, self.headers, self.body, self.received_at) {
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }

    /// Reads the value. An empty body is read as `null`, so [`NoContent`], `()` and `Option` take it.
    ///
    /// # Errors
    /// Fails as [`check`](Self::check) does, with [`ErrorKind::UnexpectedBody`](crate::ErrorKind::UnexpectedBody) when
    /// there is no JSON where some was due, and with [`ErrorKind::Decode`](crate::ErrorKind::Decode) when it has
    /// another shape. None of these carries the body.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, Error> {
        self.check()?;
        if self.body.trim_ascii().is_empty() {
            return serde_json::from_str("null")
                .map_err(|_| Error::unexpected_body(self.status, "an empty body"));
        }
        serde_json::from_slice(self.body).map_err(|error| {
            if error.is_data() {
                Error::decode(self.status, explain(&error))
            } else {
                Error::unexpected_body(
                    self.status,
                    if self.is_page() {
                        "an html page"
                    } else {
                        "broken json or none"
                    },
                )
            }
        })
    }

    /// Login and passcode pages come with status 200.
    fn is_page(&self) -> bool {
        let content_type = self
            .headers
            .get(http::header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let says_so = content_type.is_some_and(|text| text.to_ascii_lowercase().contains("html"));
        says_so || self.body.trim_ascii().starts_with(b"<")
    }
}

impl std::fmt::Debug for Answer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("length", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// The answer of calls that have none: whatever Zoom sends with its success is passed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoContent;

impl<'de> Deserialize<'de> for NoContent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// What did not fit, without the values: serde puts them into its messages.
pub(crate) fn explain(error: &serde_json::Error) -> String {
    let message = error.to_string();
    if let Some((_, expected)) = message.rsplit_once(", expected ") {
        return format!("expected {expected}");
    }
    let safe = ["missing field", "duplicate field", "expected ", "not a valid "];
    if safe.iter().any(|start| message.starts_with(start)) {
        message
    } else {
        "a value does not fit".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorKind, model::User};

    fn decode<T: DeserializeOwned>(status: u16, content_type: &str, body: &str) -> Result<T, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::CONTENT_TYPE, content_type.parse().unwrap());
        Answer::new(status, &headers, body.as_bytes(), Timestamp::UNIX_EPOCH).decode()
    }

    #[test]
    fn an_empty_body_is_a_success_for_calls_without_an_answer() {
        decode::<NoContent>(204, "application/json", "").unwrap();
        decode::<()>(204, "application/json", "").unwrap();
        decode::<NoContent>(200, "application/json", "{\"anything\":[1]}").unwrap();
    }

    #[test]
    fn a_page_or_nothing_where_json_was_due_is_told_without_the_body() {
        for (content_type, body) in [
            ("text/html;charset=utf-8", "<!DOCTYPE html><p>canary"),
            ("application/json", "  <html>canary</html>"),
            ("text/html", "canary"),
            ("application/json", ""),
            ("application/json", "{\"email\": \"canary"),
            ("text/plain", "canary"),
        ] {
            let error = decode::<User>(200, content_type, body).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedBody, "{body}");
            assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        }
        assert_eq!(
            decode::<NoContent>(200, "text/html", "<p>").unwrap_err().kind(),
            ErrorKind::UnexpectedBody
        );
    }

    #[test]
    fn a_page_is_called_a_page() {
        for (content_type, body, what) in [
            ("text/html", "Password Required", "an html page"),
            ("application/octet-stream", " <!DOCTYPE html>", "an html page"),
            ("application/json", "{\"id\":", "broken json or none"),
        ] {
            let error = decode::<User>(200, content_type, body).unwrap_err();
            assert!(error.to_string().ends_with(what), "{error}");
        }
    }

    #[test]
    fn another_shape_is_told_without_the_values() {
        let error = decode::<u64>(200, "application/json", "\"canary\"").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        assert!(error.to_string().contains("expected u64"), "{error}");
    }

    #[test]
    fn a_gateways_page_is_a_refusal_without_code() {
        let error = decode::<User>(502, "text/html", "<html>canary</html>").unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(502)));
        assert!(error.is_retryable() && error.api().is_some_and(|api| api.code.is_none()));
        assert!(!format!("{error:?}").contains("canary"));
    }

    #[test]
    fn a_refusal_with_status_200_is_an_error() {
        let error = decode::<NoContent>(
            200,
            "application/json",
            r#"{"code":200,"message":"No permission."}"#,
        )
        .unwrap_err();
        assert_eq!(error.api().and_then(|api| api.code), Some(200));
    }
}
