use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

/// A link whose query opens something, such as a `join_url` with its passcode. `Debug` leaves the query out.
///
/// People are meant to receive it, so it can be read and stored whole; a start link is a secret and has a type that
/// cannot ([`StartUrl`](crate::StartUrl)).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Link(Url);

impl Link {
    /// Takes the whole link.
    #[must_use]
    pub const fn new(url: Url) -> Self {
        Self(url)
    }

    /// The whole link.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The whole link as a URL.
    #[must_use]
    pub const fn as_url(&self) -> &Url {
        &self.0
    }

    /// The whole link as a URL.
    #[must_use]
    pub fn into_url(self) -> Url {
        self.0
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.0.clone();
        shown.set_query(None);
        shown.set_fragment(None);
        write!(f, "Link({shown})")
    }
}

impl From<Url> for Link {
    fn from(url: Url) -> Self {
        Self(url)
    }
}

impl Serialize for Link {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Link {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Url::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_leaves_the_query_out_and_json_keeps_it() {
        let link: Link = serde_json::from_str("\"https://us02web.zoom.us/j/855?pwd=canary#x\"").unwrap();
        assert_eq!(format!("{link:?}"), "Link(https://us02web.zoom.us/j/855)");
        assert_eq!(
            serde_json::to_string(&link).unwrap(),
            "\"https://us02web.zoom.us/j/855?pwd=canary#x\""
        );
    }
}
