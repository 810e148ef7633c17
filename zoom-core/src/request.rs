//! One call to Zoom as data: nothing here touches the network.

use std::{borrow::Cow, fmt};

use bytes::Bytes;
use http::{Method, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use url::{Url, form_urlencoded};

use crate::{Error, PageToken};

/// Everything but the unreserved characters of RFC 3986.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Text as one segment of a path, whatever is in it. Public for [`id_type!`](crate::id_type).
#[must_use]
pub fn encode_segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// What can stand for one `{placeholder}` of a path.
pub trait PathSegment {
    /// The value, encoded so that it stays one segment.
    fn path_segment(&self) -> String;
}

impl PathSegment for str {
    fn path_segment(&self) -> String {
        encode_segment(self)
    }
}

impl PathSegment for String {
    fn path_segment(&self) -> String {
        encode_segment(self)
    }
}

/// One call: method, path, query and body. For what this crate has no method for:
///
/// ```
/// use zoom_core::{MeetingUuid, Request};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let request = Request::get("/past_meetings/{meetingId}/polls")
///     .path_param("meetingId", &MeetingUuid::new("/ajXp112QmuoKj4854875=="));
/// let base = "https://api.zoom.us/v2".parse()?;
/// assert_eq!(request.to_http(&base)?.uri().path(), "/v2/past_meetings/%252FajXp112QmuoKj4854875%253D%253D/polls");
/// # Ok(())
/// # }
/// ```
///
/// * The path begins with `/`; values that are not ours to trust go through [`path_param`](Self::path_param).
/// * A path that would reach another resource than it says (`..`, an empty segment, a stray `?`) is refused.
#[derive(Clone)]
pub struct Request {
    method: Method,
    template: Cow<'static, str>,
    params: Vec<(&'static str, String)>,
    query: Vec<(Cow<'static, str>, String)>,
    body: Option<Bytes>,
    idempotent: bool,
    /// A body that could not be written; told when the request is used, so that building it reads well.
    unwritable: bool,
}

impl Request {
    /// A call with any method.
    #[must_use]
    pub fn new(method: Method, path: impl Into<Cow<'static, str>>) -> Self {
        let idempotent = method.is_idempotent();
        Self {
            method,
            template: path.into(),
            params: vec![],
            query: vec![],
            body: None,
            idempotent,
            unwritable: false,
        }
    }

    /// `GET`.
    #[must_use]
    pub fn get(path: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Method::GET, path)
    }

    /// `POST`. Not sent again when Zoom may have acted on it already.
    #[must_use]
    pub fn post(path: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Method::POST, path)
    }

    /// `PUT`.
    #[must_use]
    pub fn put(path: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Method::PUT, path)
    }

    /// `PATCH`. Not sent again when Zoom may have acted on it already.
    #[must_use]
    pub fn patch(path: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Method::PATCH, path)
    }

    /// `DELETE`.
    #[must_use]
    pub fn delete(path: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// Fills `{name}` in the path.
    #[must_use]
    pub fn path_param(mut self, name: &'static str, value: &(impl PathSegment + ?Sized)) -> Self {
        self.params.push((name, value.path_segment()));
        self
    }

    /// Adds one pair to the query.
    #[must_use]
    pub fn query(mut self, name: impl Into<Cow<'static, str>>, value: impl ToString) -> Self {
        self.query.push((name.into(), value.to_string()));
        self
    }

    /// Adds one pair to the query if there is a value.
    #[must_use]
    pub fn query_opt(self, name: impl Into<Cow<'static, str>>, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// Sets the page to read.
    #[must_use]
    pub fn page(mut self, token: &PageToken) -> Self {
        self.query.retain(|(name, _)| name != "next_page_token");
        self.query("next_page_token", token.as_str())
    }

    /// Sets a JSON body.
    #[must_use]
    pub fn json(mut self, body: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_vec(body) {
            Ok(bytes) => self.body = Some(bytes.into()),
            Err(_) => self.unwritable = true,
        }
        self
    }

    /// Says whether sending it twice does no more than sending it once; it may then be sent again after a time-out or
    /// a server error. `GET`, `PUT` and `DELETE` are, `POST` and `PATCH` are not unless you say so.
    #[must_use]
    pub const fn with_idempotent(mut self, idempotent: bool) -> Self {
        self.idempotent = idempotent;
        self
    }

    /// The method.
    #[must_use]
    pub const fn method(&self) -> &Method {
        &self.method
    }

    /// The path before its placeholders are filled: safe to log, names no meeting and no person.
    #[must_use]
    pub fn template(&self) -> &str {
        &self.template
    }

    /// Whether it may be sent again without knowing what became of the first.
    #[must_use]
    pub const fn is_idempotent(&self) -> bool {
        self.idempotent
    }

    /// The path as it is sent, without the base.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) when a placeholder has no value or a
    /// segment is empty, a dot segment, or not a path at all.
    pub fn path(&self) -> Result<String, Error> {
        let Some(relative) = self.template.strip_prefix('/') else {
            return Err(Error::invalid_request("the path does not begin with a slash"));
        };
        let mut path = String::with_capacity(self.template.len() + 32);
        let mut filled = 0;
        for segment in relative.split('/') {
            path.push('/');
            match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                Some(placeholder) => {
                    let Some((_, value)) = self.params.iter().find(|(name, _)| *name == placeholder) else {
                        return Err(Error::invalid_request("a placeholder of the path has no value"));
                    };
                    check_segment(value)?;
                    path.push_str(value);
                    filled += 1;
                }
                None => {
                    check_segment(segment)?;
                    path.push_str(segment);
                }
            }
        }
        if filled != self.params.len() {
            return Err(Error::invalid_request(
                "a value was given for a placeholder that the path does not have",
            ));
        }
        Ok(path)
    }

    /// The request as it is sent, but for the token.
    ///
    /// # Errors
    /// Fails as [`path`](Self::path) does, and when the body cannot be written as JSON.
    pub fn to_http(&self, base: &Url) -> Result<http::Request<Bytes>, Error> {
        if self.unwritable {
            return Err(Error::invalid_request("the body cannot be written as json"));
        }
        let mut uri = base.as_str().trim_end_matches('/').to_owned();
        uri.push_str(&self.path()?);
        if !self.query.is_empty() {
            uri.push('?');
            uri.push_str(
                &form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(&self.query)
                    .finish(),
            );
        }
        let mut builder = http::Request::builder()
            .method(self.method.clone())
            .uri(uri)
            .header(header::ACCEPT, "application/json");
        if self.body.is_some() {
            builder = builder.header(header::CONTENT_TYPE, "application/json");
        }
        builder
            .body(self.body.clone().unwrap_or_default())
            .map_err(|_| Error::invalid_request("the request does not make a url"))
    }
}

/// Shows which call it is and nothing that was put into it.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let query: Vec<&str> = self.query.iter().map(|(name, _)| name.as_ref()).collect();
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("template", &self.template)
            .field("query", &query)
            .field("idempotent", &self.idempotent)
            .finish_non_exhaustive()
    }
}

/// Refuses a segment that a URL parser would understand as something else than one plain segment.
fn check_segment(segment: &str) -> Result<(), Error> {
    let lower = segment.to_ascii_lowercase().replace("%2e", ".");
    if lower.is_empty() || lower == "." || lower == ".." {
        return Err(Error::invalid_request(
            "a segment of the path is empty or a dot segment",
        ));
    }
    let bytes = segment.as_bytes();
    let plain = bytes.iter().enumerate().all(|(at, byte)| match byte {
        b'%' => matches!(bytes.get(at + 1..at + 3), Some(hex) if hex.iter().all(u8::is_ascii_hexdigit)),
        byte => byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(byte),
    });
    if plain {
        Ok(())
    } else {
        Err(Error::invalid_request(
            "a segment of the path has characters that need encoding",
        ))
    }
}

#[cfg(test)]
mod tests;
