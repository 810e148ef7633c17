//! What a handler answers with, and how the answer can be spoilt.

use std::{io, time::Duration};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::stream;
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION},
};
use serde_json::{Value, json};

use crate::json::Fields as _;

/// A status, headers and bytes.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: Box<HeaderMap>,
    pub(crate) body: Bytes,
    /// The full length is promised, but the connection ends after so many bytes.
    pub(crate) cut_after: Option<usize>,
    /// It comes in pieces, and takes so long.
    pub(crate) pace: Option<Duration>,
}

impl Answer {
    /// Without a body, as 204s and gateways answer.
    pub(crate) fn status(status: StatusCode) -> Self {
        Self {
            status,
            headers: Box::default(),
            body: Bytes::new(),
            cut_after: None,
            pace: None,
        }
    }

    pub(crate) fn bytes(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut answer = Self::status(status);
        answer
            .headers
            .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        answer.body = body.into();
        answer
    }

    pub(crate) fn json(status: StatusCode, body: &Value) -> Self {
        Self::bytes(status, "application/json;charset=UTF-8", body.to_string())
    }

    pub(crate) fn ok(body: &Value) -> Self {
        Self::json(StatusCode::OK, body)
    }

    pub(crate) fn html(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self::bytes(status, "text/html;charset=utf-8", body)
    }

    pub(crate) fn found(to: &str) -> Self {
        Self::status(StatusCode::FOUND).with(LOCATION, to)
    }

    /// The web site's error shape, which the authorize page and downloads use.
    pub(crate) fn web_error(status: StatusCode, code: i64, message: &str) -> Self {
        Self::json(
            status,
            &json!({ "status": false, "errorCode": code, "errorMessage": message, "result": null }),
        )
    }

    /// What a gateway says about a path it does not know.
    pub(crate) fn not_found() -> Self {
        Self::html(
            StatusCode::NOT_FOUND,
            "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n\
             <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
        )
    }

    /// What a gateway says about a server that is not there.
    pub(crate) fn bad_gateway() -> Self {
        Self::html(
            StatusCode::BAD_GATEWAY,
            "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n\
             </body>\r\n</html>\r\n",
        )
    }

    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    pub(crate) fn header(self, name: &'static str, value: &str) -> Self {
        self.with(HeaderName::from_static(name), value)
    }
}

impl IntoResponse for Answer {
    fn into_response(mut self) -> Response {
        let body = match (self.cut_after, self.pace) {
            (None, None) => Body::from(self.body),
            (None, Some(time)) => {
                self.headers
                    .entry(CONTENT_LENGTH)
                    .or_insert(HeaderValue::from(self.body.len()));
                trickle(self.body, time)
            }
            (Some(bytes), _) => {
                self.headers
                    .entry(CONTENT_LENGTH)
                    .or_insert(HeaderValue::from(self.body.len()));
                cut(self.body.slice(..bytes.min(self.body.len())))
            }
        };
        (self.status, *self.headers, body).into_response()
    }
}

/// Sends these bytes in pieces, the last of them when the time is over.
fn trickle(bytes: Bytes, time: Duration) -> Body {
    const PIECES: u32 = 8;
    let size = bytes.len().div_ceil(PIECES as usize).max(1);
    Body::from_stream(stream::unfold(bytes, move |mut left| async move {
        if left.is_empty() {
            return None;
        }
        tokio::time::sleep(time / PIECES).await;
        let piece = left.split_to(size.min(left.len()));
        Some((Ok::<_, io::Error>(piece), left))
    }))
}

/// Sends these bytes, waits until they are surely out, and drops the connection.
fn cut(bytes: Bytes) -> Body {
    Body::from_stream(stream::unfold(Some(bytes), async |left| match left {
        Some(bytes) if !bytes.is_empty() => Some((Ok(bytes), Some(Bytes::new()))),
        Some(_) => {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Some((Err(io::Error::other("cut on purpose")), None))
        }
        None => None,
    }))
}

/// A refusal of the REST API.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) code: i64,
    pub(crate) message: String,
    /// Fields that were wrong, each with what is wrong about it.
    pub(crate) fields: Vec<(String, String)>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, code: i64, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            fields: Vec::new(),
        }
    }

    pub(crate) fn bad(code: i64, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(crate) fn missing(code: i64, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    pub(crate) fn unauthorized(message: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, 124, message)
    }

    /// `Validation Failed.` with the field that failed.
    pub(crate) fn field(field: &str, message: impl Into<String>) -> Self {
        Self {
            fields: vec![(field.to_owned(), message.into())],
            ..Self::bad(300, "Validation Failed.")
        }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let mut body = json!({ "code": refusal.code, "message": refusal.message });
        if !refusal.fields.is_empty() {
            let errors = refusal
                .fields
                .iter()
                .map(|(field, message)| json!({ "field": field, "message": message }));
            body.put("errors", errors.collect::<Value>());
        }
        Self::json(refusal.status, &body)
    }
}

/// What a REST handler returns.
pub(crate) type Reply = Result<Answer, Refusal>;
