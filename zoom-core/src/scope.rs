use std::{collections::BTreeSet, convert::Infallible, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a token may do, as Zoom grants it: a set of names such as `cloud_recording:read:list_user_recordings`.
///
/// Written and read as one text with spaces between the names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(BTreeSet<String>);

impl Scopes {
    /// No scope at all.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads names separated by white space.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        text.split_whitespace().collect()
    }

    /// Whether this very name was granted.
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        self.0.contains(scope)
    }

    /// Whether at least one of these names was granted. Zoom takes several for the same call: classic or granular,
    /// with or without `:admin`.
    #[must_use]
    pub fn contains_any<'a>(&self, scopes: impl IntoIterator<Item = &'a str>) -> bool {
        scopes.into_iter().any(|scope| self.contains(scope))
    }

    /// The names, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// How many names.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was granted, or Zoom did not say what.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<S: Into<String>> FromIterator<S> for Scopes {
    fn from_iter<I: IntoIterator<Item = S>>(scopes: I) -> Self {
        Self(scopes.into_iter().map(Into::into).collect())
    }
}

impl FromStr for Scopes {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::parse(text))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, scope) in self.iter().enumerate() {
            if position > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope)?;
        }
        Ok(())
    }
}

impl Serialize for Scopes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        Ok(Self::parse(text.as_deref().unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_spacing_do_not_matter() {
        let scopes = Scopes::parse("  user:read:user  meeting:read:meeting\nuser:read:user");
        assert_eq!(scopes.to_string(), "meeting:read:meeting user:read:user");
        assert_eq!(
            serde_json::from_str::<Scopes>("\"user:read:user meeting:read:meeting\"").unwrap(),
            scopes
        );
    }

    #[test]
    fn a_scope_does_not_cover_its_admin_form() {
        let scopes = Scopes::parse("user:read:user");
        assert!(scopes.contains("user:read:user"));
        assert!(!scopes.contains("user:read:user:admin"));
        assert!(scopes.contains_any(["user:read", "user:read:user"]));
        assert!(!scopes.contains_any(["user:read"]));
    }

    #[test]
    fn a_missing_text_is_no_scope() {
        assert!(serde_json::from_str::<Scopes>("null").unwrap().is_empty());
    }
}
