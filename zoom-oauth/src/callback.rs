use std::fmt;

use url::form_urlencoded;
use zeroize::Zeroizing;

use crate::{Error, ErrorKind, refusal::code as plain_code};

/// What Zoom's redirect brought back: a code, or the news that the user said no, and the state.
#[derive(Clone)]
pub struct Callback {
    pub(crate) code: Option<Zeroizing<String>>,
    pub(crate) state: Option<Zeroizing<String>>,
    pub(crate) error: Option<Zeroizing<String>>,
}

impl Callback {
    /// Reads the query of the request that arrived at the redirect address, with or without its `?`.
    ///
    /// It takes any text: what is missing is reported by [`Connections::connect`](crate::Connections::connect).
    #[must_use]
    pub fn from_query(query: &str) -> Self {
        let mut callback = Self {
            code: None,
            state: None,
            error: None,
        };
        let query = query.strip_prefix('?').unwrap_or(query);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let field = match &*name {
                "code" => &mut callback.code,
                "state" => &mut callback.state,
                "error" => &mut callback.error,
                _ => continue,
            };
            // The first counts, so that nobody overrides it by appending.
            if field.is_none() && !value.is_empty() {
                *field = Some(Zeroizing::new(value.into_owned()));
            }
        }
        callback
    }

    /// A callback whose parts the host's framework has read already.
    #[must_use]
    pub fn new(code: impl Into<String>, state: impl Into<String>) -> Self {
        Self {
            code: Some(Zeroizing::new(code.into())),
            state: Some(Zeroizing::new(state.into())),
            error: None,
        }
    }

    /// Whether it brings a code that nobody here has asked for: the user has installed the app from Zoom's Marketplace.
    /// Such a callback goes to [`Connections::park`](crate::Connections::park); one with a state, even a state that
    /// nobody knows, never does.
    #[must_use]
    pub fn is_installation(&self) -> bool {
        self.code.is_some() && self.state.is_none() && self.error.is_none()
    }

    /// Why there is no code, if Zoom says so.
    pub(crate) fn refusal(&self) -> Option<Error> {
        let word = plain_code(self.error.as_ref()?);
        let kind = match word.as_deref() {
            Some("server_error" | "temporarily_unavailable") => ErrorKind::Unavailable,
            Some("redirect_uri_mismatch" | "invalid_redirect_uri") => ErrorKind::RedirectMismatch,
            Some(
                "invalid_request"
                | "invalid_client"
                | "invalid_scope"
                | "unauthorized_client"
                | "unsupported_response_type",
            ) => ErrorKind::Refused,
            _ => ErrorKind::Denied,
        };
        Some(Error::with_code(kind, word))
    }
}

/// Only what is there: code and state are secrets until they are used up.
impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |part: &Option<Zeroizing<String>>| part.as_ref().map(|_| "[redacted]");
        f.debug_struct("Callback")
            .field("code", &shown(&self.code))
            .field("state", &shown(&self.state))
            .field("error", &self.error.as_ref().map(|word| plain_code(word)))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_is_decoded_and_the_first_of_each_counts() {
        let callback = Callback::from_query("?code=a%2Bb&state=s+t&code=forged&other=1");
        assert!(callback.refusal().is_none());
        assert_eq!(
            (callback.code.unwrap().as_str(), callback.state.unwrap().as_str()),
            ("a+b", "s t")
        );
    }

    #[test]
    fn a_denial_keeps_a_code_and_no_free_text() {
        let refusal = |query: &str| {
            let refusal = Callback::from_query(query).refusal();
            refusal.map(|error| (error.kind(), error.code().map(str::to_owned)))
        };
        let word = |word: &str| Some(word.to_owned());
        for (query, expected) in [
            (
                "error=access_denied&state=s",
                Some((ErrorKind::Denied, word("access_denied"))),
            ),
            ("error=%3Cscript%3E", Some((ErrorKind::Denied, None))),
            (
                "error=invalid_scope",
                Some((ErrorKind::Refused, word("invalid_scope"))),
            ),
            (
                "error=server_error",
                Some((ErrorKind::Unavailable, word("server_error"))),
            ),
            ("", None),
        ] {
            assert_eq!(refusal(query), expected, "{query}");
        }
    }

    #[test]
    fn only_a_code_without_a_state_is_an_installation() {
        for (query, expected) in [
            ("code=c", true),
            ("code=c&state=", true),
            ("code=c&state=s", false),
            ("code=c&error=access_denied", false),
            ("state=s", false),
            ("", false),
        ] {
            assert_eq!(Callback::from_query(query).is_installation(), expected, "{query}");
        }
    }

    #[test]
    fn debug_shows_neither_code_nor_state() {
        let shown = format!(
            "{:?}",
            Callback::from_query("code=canary1&state=canary2&error=%3Ccanary%3E")
        );
        assert!(!shown.contains("canary"), "{shown}");
    }
}
