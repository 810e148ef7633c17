//! Secrets: types that do not print, compare or serialise.

use sha2::{Digest, Sha256};

/// Makes newtypes for secrets: `Debug` prints `Name([redacted])`, there is no `Display`, `PartialEq` or `Serialize`, and
/// the text is reached by `expose_secret()` alone. Clones share the text, which is wiped when the last one goes.
#[macro_export]
#[doc(hidden)]
macro_rules! secret_type {
    ($($(#[$meta:meta])* $vis:vis struct $name:ident;)+) => {$(
        $(#[$meta])*
        #[derive(Clone)]
        $vis struct $name(::std::sync::Arc<$crate::__private::secrecy::SecretString>);

        impl $name {
            /// Takes the secret's text.
            #[must_use]
            $vis fn new(secret: impl ::core::convert::Into<::std::string::String>) -> Self {
                let secret: ::std::string::String = secret.into();
                Self(::std::sync::Arc::new($crate::__private::secrecy::SecretString::from(secret)))
            }

            /// The secret itself. Hand it to whoever must have it, and to nobody else.
            #[must_use]
            $vis fn expose_secret(&self) -> &str {
                $crate::__private::secrecy::ExposeSecret::expose_secret(&*self.0)
            }

            /// Eight hex digits of a hash, to follow the secret through logs without showing it.
            #[must_use]
            $vis fn fingerprint(&self) -> ::std::string::String {
                $crate::__private::fingerprint(self.expose_secret())
            }
        }

        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }

        impl<'de> $crate::__private::serde::Deserialize<'de> for $name {
            fn deserialize<D>(deserializer: D) -> ::core::result::Result<Self, D::Error>
            where
                D: $crate::__private::serde::Deserializer<'de>,
            {
                $crate::__private::text_or_number(deserializer).map(Self::new)
            }
        }
    )+};
}

secret_type! {
    /// What a request to Zoom carries as its bearer token.
    pub struct AccessToken;
    /// A token that opens recording files only (`download_token`, `download_access_token`).
    pub struct DownloadToken;
    /// The passcode of a meeting or a recording.
    pub struct Passcode;
    /// The link that starts a meeting as its host; whoever has it is the host.
    pub struct StartUrl;
}

/// Eight hex digits of SHA-256. Public for [`secret_type!`](crate::secret_type).
#[must_use]
pub fn fingerprint(secret: &str) -> String {
    use std::fmt::Write as _;

    Sha256::digest(secret.as_bytes())
        .iter()
        .take(4)
        .fold(String::with_capacity(8), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// For a body that Zoom must receive: the one place where a passcode is written out.
pub(crate) fn expose_passcode<S: serde::Serializer>(
    value: &Option<Passcode>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(passcode) => serializer.serialize_some(passcode.expose_secret()),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static_assertions::assert_not_impl_any!(AccessToken: std::fmt::Display, PartialEq, serde::Serialize);
    static_assertions::assert_not_impl_any!(Passcode: std::fmt::Display, PartialEq, serde::Serialize);
    static_assertions::assert_not_impl_any!(StartUrl: std::fmt::Display, PartialEq, serde::Serialize);

    #[test]
    fn debug_shows_the_name_and_nothing_else() {
        assert_eq!(
            format!("{:?}", AccessToken::new("canary-1234")),
            "AccessToken([redacted])"
        );
        assert_eq!(
            format!("{:#?}", Some(Passcode::new("canary"))),
            "Some(\n    Passcode([redacted]),\n)"
        );
    }

    #[test]
    fn a_fingerprint_is_stable_and_eight_hex_digits() {
        assert_eq!(AccessToken::new("abc").fingerprint(), "ba7816bf");
        assert_ne!(AccessToken::new("abd").fingerprint(), "ba7816bf");
    }

    #[test]
    fn a_secret_is_read_from_json() {
        let token: AccessToken = serde_json::from_str("\"t0ken\"").unwrap();
        assert_eq!(token.expose_secret(), "t0ken");
        let passcode: Passcode = serde_json::from_str("123456").unwrap();
        assert_eq!(
            passcode.expose_secret(),
            "123456",
            "a passcode of digits may come as a number"
        );
    }
}
