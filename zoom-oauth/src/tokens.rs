use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;
use zoom_core::AccessToken;

use crate::Error;

zoom_core::secret_type! {
    /// What a new access token is had for. Zoom takes each one once.
    pub(crate) struct RefreshToken;
}

/// What a connection's sealed part holds.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    pub(crate) access: AccessToken,
    /// Absent for an app's own account.
    pub(crate) refresh: Option<RefreshToken>,
    pub(crate) expires_at: Timestamp,
    /// When the user consented; a refresh keeps it.
    pub(crate) granted_at: Timestamp,
}

/// The sealed form. A change here must still read what older versions sealed.
#[derive(Serialize, Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    access_token: std::borrow::Cow<'a, str>,
    #[serde(borrow, default)]
    refresh_token: Option<std::borrow::Cow<'a, str>>,
    expires_at: Timestamp,
    granted_at: Timestamp,
}

impl Tokens {
    pub(crate) fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        // Room for the longest tokens Zoom is known to send, so that growing leaves no copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(8 * 1024));
        let document = Document {
            access_token: self.access.expose_secret().into(),
            refresh_token: self.refresh.as_ref().map(|token| token.expose_secret().into()),
            expires_at: self.expires_at,
            granted_at: self.granted_at,
        };
        serde_json::to_writer(&mut *bytes, &document).map_err(|_| unreadable())?;
        Ok(bytes)
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        // Not the parser's error: it may quote what it read.
        let document: Document<'_> = serde_json::from_slice(bytes).map_err(|_| unreadable())?;
        Ok(Self {
            access: AccessToken::new(document.access_token),
            refresh: document.refresh_token.map(RefreshToken::new),
            expires_at: document.expires_at,
            granted_at: document.granted_at,
        })
    }

    /// Whether both came from the same exchange.
    pub(crate) fn same_refresh(&self, other: Option<&RefreshToken>) -> bool {
        match (&self.refresh, other) {
            (Some(one), Some(other)) => same(one.expose_secret(), other.expose_secret()),
            (None, None) => true,
            _ => false,
        }
    }

    pub(crate) fn is(&self, access: &AccessToken) -> bool {
        same(self.access.expose_secret(), access.expose_secret())
    }
}

/// Compares secrets in a time that does not tell where they differ.
pub(crate) fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

fn unreadable() -> Error {
    Error::with_source(crate::ErrorKind::Vault, "the sealed part is not tokens")
}

#[cfg(test)]
mod tests {
    use static_assertions::assert_not_impl_any;

    use super::*;

    assert_not_impl_any!(RefreshToken: std::fmt::Display, PartialEq, Serialize);
    assert_not_impl_any!(Tokens: std::fmt::Display, PartialEq, Serialize);

    #[test]
    fn the_sealed_document_is_stable() {
        let at = "2026-11-22T10:00:00Z".parse().unwrap();
        let refresh = Some(RefreshToken::new("r\"1"));
        let tokens = Tokens {
            access: AccessToken::new("a1"),
            refresh,
            expires_at: at,
            granted_at: at,
        };
        let bytes = tokens.to_bytes().unwrap();
        let expected = r#"{"access_token":"a1","refresh_token":"r\"1","expires_at":"2026-11-22T10:00:00Z","granted_at":"2026-11-22T10:00:00Z"}"#;
        assert_eq!(std::str::from_utf8(&bytes).unwrap(), expected);
        let read = Tokens::from_bytes(&bytes).unwrap();
        assert!(read.is(&tokens.access) && read.same_refresh(tokens.refresh.as_ref()));
        assert_eq!((read.expires_at, read.granted_at), (at, at));
    }

    #[test]
    fn neither_debug_nor_errors_show_a_token() {
        let at = "2026-11-22T10:00:00Z".parse().unwrap();
        let refresh = Some(RefreshToken::new("canary-r"));
        let tokens = Tokens {
            access: AccessToken::new("canary-a"),
            refresh,
            expires_at: at,
            granted_at: at,
        };
        let broken =
            Tokens::from_bytes(br#"{"access_token":"canary-a","expires_at":"canary-r"}"#).unwrap_err();
        let shown = format!(
            "{tokens:?} {broken:?} {broken} {:?}",
            std::error::Error::source(&broken)
        );
        assert!(!shown.contains("canary"), "{shown}");
    }
}
