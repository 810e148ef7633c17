//! Why a call failed.

use std::{error::Error as StdError, fmt, time::Duration};

use crate::ApiError;

type Source = Box<dyn StdError + Send + Sync>;

/// What kind of failure it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Zoom refused; [`Error::api`] has its words.
    Api,
    /// The connection is dead: somebody must authorise it again.
    Reauthorize,
    /// No token could be had at the moment.
    Token,
    /// Zoom could not be reached; nothing was sent.
    Connect,
    /// No answer in time.
    Timeout,
    /// The connection broke in the middle.
    Transport,
    /// A page, nothing, or something else where JSON was due.
    UnexpectedBody,
    /// JSON of another shape than expected.
    Decode,
    /// The request could not be made; nothing was sent.
    InvalidRequest,
}

/// Why a call failed. Prints one line, without bodies, tokens and addresses.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    /// Method and path template of the call, for the reader of a log.
    call: Option<String>,
    detail: Option<String>,
    status: Option<u16>,
    api: Option<ApiError>,
    source: Option<Source>,
    outcome_unknown: bool,
    attempts: u32,
}

impl Error {
    fn new(kind: ErrorKind) -> Self {
        let (call, detail, status, api, source) = (None, None, None, None, None);
        Self(Box::new(Inner {
            kind,
            call,
            detail,
            status,
            api,
            source,
            outcome_unknown: false,
            attempts: 1,
        }))
    }

    fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The connection is dead and must be authorised again.
    #[must_use]
    pub fn reauthorize(source: impl Into<Source>) -> Self {
        Self::new(ErrorKind::Reauthorize).with_source(source)
    }

    /// No token could be had; later there may be one.
    #[must_use]
    pub fn token_unavailable(source: impl Into<Source>) -> Self {
        Self::new(ErrorKind::Token).with_source(source)
    }

    /// Zoom could not be reached.
    #[must_use]
    pub fn connect(source: impl Into<Source>) -> Self {
        Self::new(ErrorKind::Connect).with_source(source)
    }

    /// Zoom did not answer in time.
    #[must_use]
    pub fn timeout(source: impl Into<Source>) -> Self {
        Self::new(ErrorKind::Timeout).with_source(source)
    }

    /// The connection broke.
    #[must_use]
    pub fn transport(source: impl Into<Source>) -> Self {
        Self::new(ErrorKind::Transport).with_source(source)
    }

    /// Something else than JSON; `what` says what in a few words, such as `an html page`.
    #[must_use]
    pub fn unexpected_body(status: u16, what: impl Into<String>) -> Self {
        let mut error = Self::new(ErrorKind::UnexpectedBody).with_detail(what);
        error.0.status = Some(status);
        error
    }

    /// JSON of another shape; `reason` names fields and types, never values.
    #[must_use]
    pub fn decode(status: u16, reason: impl Into<String>) -> Self {
        let mut error = Self::new(ErrorKind::Decode).with_detail(reason);
        error.0.status = Some(status);
        error
    }

    /// A request that cannot be made; `reason` says why without the offending text.
    #[must_use]
    pub fn invalid_request(reason: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidRequest).with_detail(reason)
    }

    /// What kind of failure it was.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Zoom's own words, if it was Zoom that refused.
    #[must_use]
    pub fn api(&self) -> Option<&ApiError> {
        self.0.api.as_ref()
    }

    /// The HTTP status, if there was an answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The scopes of which the token has none. Add one of them to the app, then have the connection authorised again.
    #[must_use]
    pub fn missing_scopes(&self) -> &[String] {
        self.api()
            .map(|api| api.missing_scopes.as_slice())
            .unwrap_or_default()
    }

    /// How often the request was sent.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// The same call may work later: try again, not before [`retry_after`](Self::retry_after).
    ///
    /// False when nobody knows what became of the first try; see [`is_outcome_unknown`](Self::is_outcome_unknown).
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self.kind() {
            ErrorKind::Token | ErrorKind::Connect => true,
            ErrorKind::Timeout | ErrorKind::Transport | ErrorKind::UnexpectedBody => !self.0.outcome_unknown,
            ErrorKind::Api => {
                !self.0.outcome_unknown
                    && self
                        .api()
                        .is_some_and(|api| api.is_rate_limited() || api.is_server_error())
            }
            ErrorKind::Reauthorize | ErrorKind::Decode | ErrorKind::InvalidRequest => false,
        }
    }

    /// Zoom may have done what was asked: look before asking again, or there may be two meetings.
    #[must_use]
    pub fn is_outcome_unknown(&self) -> bool {
        self.0.outcome_unknown
    }

    /// How long to wait before the next try, where Zoom said.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.api().and_then(|api| api.retry_after)
    }

    /// There is no such thing, or not for this account: do without it.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.api().is_some_and(ApiError::is_not_found)
    }

    /// Zoom does not accept the token, and did not accept a fresh one either: have the connection authorised again.
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        self.api().is_some_and(ApiError::is_unauthorized)
    }

    /// The connection is dead: show the way to connect again. True for a refused token, too.
    #[must_use]
    pub fn needs_reauthorization(&self) -> bool {
        self.kind() == ErrorKind::Reauthorize || self.is_unauthorized()
    }

    /// Too many calls: slow down.
    #[must_use]
    pub fn is_rate_limited(&self) -> bool {
        self.api().is_some_and(ApiError::is_rate_limited)
    }

    /// No answer in time: try again if it [may be](Self::is_retryable).
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.kind() == ErrorKind::Timeout
    }
}

#[cfg(feature = "client")]
impl Error {
    pub(crate) fn of_call(mut self, request: &crate::Request, attempts: u32) -> Self {
        self.0.call = Some(format!("{} {}", request.method(), request.template()));
        self.0.attempts = attempts;
        self.0.outcome_unknown = !request.is_idempotent() && self.may_have_acted();
        self
    }

    pub(crate) fn scrub(&mut self, secret: &str) {
        if let Some(api) = &mut self.0.api {
            api.scrub(secret);
        }
    }

    /// Whether Zoom may have done what was asked, for all this failure tells.
    pub(crate) fn may_have_acted(&self) -> bool {
        match self.kind() {
            ErrorKind::Timeout | ErrorKind::Transport | ErrorKind::UnexpectedBody | ErrorKind::Decode => true,
            ErrorKind::Api => self.api().is_some_and(ApiError::is_server_error),
            ErrorKind::Reauthorize | ErrorKind::Token | ErrorKind::Connect | ErrorKind::InvalidRequest => {
                false
            }
        }
    }
}

impl From<ApiError> for Error {
    fn from(api: ApiError) -> Self {
        let mut error = Self::new(ErrorKind::Api);
        error.0.status = Some(api.status);
        error.0.api = Some(api);
        error
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        match inner.kind {
            ErrorKind::Api => match &inner.api {
                Some(api) => api.fmt(f)?,
                None => f.write_str("zoom refused")?,
            },
            ErrorKind::Reauthorize => f.write_str("the connection to zoom must be authorized again")?,
            ErrorKind::Token => f.write_str("no access token is available at the moment")?,
            ErrorKind::Connect => f.write_str("zoom could not be reached")?,
            ErrorKind::Timeout => f.write_str("zoom did not answer in time")?,
            ErrorKind::Transport => f.write_str("the connection to zoom broke")?,
            ErrorKind::UnexpectedBody => f.write_str("zoom did not answer with json")?,
            ErrorKind::Decode => f.write_str("zoom answered with json of another shape")?,
            ErrorKind::InvalidRequest => f.write_str("the request cannot be made")?,
        }
        if let Some(detail) = &inner.detail {
            write!(f, ": {detail}")?;
        }
        if let Some(call) = &inner.call {
            write!(f, " ({call})")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        f.debug_struct("Error")
            .field("kind", &inner.kind)
            .field("call", &inner.call)
            .field("detail", &inner.detail)
            .field("status", &inner.status)
            .field("api", &inner.api)
            .field("attempts", &inner.attempts)
            .field("outcome_unknown", &inner.outcome_unknown)
            .field("source", &inner.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_says_whether_to_try_again() {
        let api = |status, code| Error::from(ApiError::new(status, Some(code), "no"));
        for (error, retryable) in [
            (api(429, 429), true),
            (api(503, 503), true),
            (api(404, 3001), false),
            (api(400, 300), false),
            (Error::timeout("slow"), true),
            (Error::connect("refused"), true),
            (Error::transport("reset"), true),
            (Error::unexpected_body(200, "an html page"), true),
            (Error::token_unavailable("locked"), true),
            (Error::reauthorize("revoked"), false),
            (Error::decode(200, "expected u64"), false),
            (Error::invalid_request("no"), false),
        ] {
            assert_eq!(error.is_retryable(), retryable, "{error:?}");
        }
    }

    #[test]
    fn display_is_one_line_without_the_source() {
        let error = Error::transport("canary");
        assert_eq!(error.to_string(), "the connection to zoom broke");
        assert_eq!(error.source().unwrap().to_string(), "canary");
        assert_eq!(
            Error::unexpected_body(200, "an html page").to_string(),
            "zoom did not answer with json: an html page"
        );
    }

    #[test]
    fn a_refused_token_asks_for_authorization() {
        assert!(Error::from(ApiError::new(401, Some(124), "Invalid access token.")).needs_reauthorization());
        assert!(Error::reauthorize("revoked").needs_reauthorization());
        assert!(!Error::token_unavailable("locked").needs_reauthorization());
    }
}
