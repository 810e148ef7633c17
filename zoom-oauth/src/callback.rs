use std::fmt;

use url::form_urlencoded;

use crate::refusal::code as plain_code;

/// What Zoom's redirect brought back: a code, or the news that the user said no, and the state.
#[derive(Clone)]
pub struct Callback {
    pub(crate) code: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) error: Option<String>,
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
                *field = Some(value.into_owned());
            }
        }
        callback
    }

    /// A callback whose parts the host's framework has read already.
    #[must_use]
    pub fn new(code: impl Into<String>, state: impl Into<String>) -> Self {
        Self {
            code: Some(code.into()),
            state: Some(state.into()),
            error: None,
        }
    }

    /// Why the user has no connection now, if Zoom's word for it can be shown.
    pub(crate) fn denial(&self) -> Option<Option<String>> {
        self.error.as_deref().map(plain_code)
    }
}

/// Only what is there: code and state are secrets until they are used up.
impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |part: &Option<String>| part.as_ref().map(|_| "[redacted]");
        f.debug_struct("Callback")
            .field("code", &shown(&self.code))
            .field("state", &shown(&self.state))
            .field("error", &self.denial())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_is_decoded_and_the_first_of_each_counts() {
        let callback = Callback::from_query("?code=a%2Bb&state=s+t&code=forged&other=1");
        assert_eq!(
            (callback.code.as_deref(), callback.state.as_deref()),
            (Some("a+b"), Some("s t"))
        );
        assert!(callback.denial().is_none());
    }

    #[test]
    fn a_denial_keeps_a_code_and_no_free_text() {
        assert_eq!(
            Callback::from_query("error=access_denied&state=s").denial(),
            Some(Some("access_denied".into()))
        );
        assert_eq!(Callback::from_query("error=%3Cscript%3E").denial(), Some(None));
        assert!(Callback::from_query("").denial().is_none());
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
