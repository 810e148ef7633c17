//! Parameters of a request.

use url::form_urlencoded;

/// Query or form parameters, decoded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    pub(crate) fn parse(query: Option<&str>) -> Self {
        Self::default().and(query.unwrap_or_default().as_bytes())
    }

    /// These and those of another source; the first that names a parameter wins.
    pub(crate) fn and(mut self, encoded: &[u8]) -> Self {
        self.0.extend(form_urlencoded::parse(encoded).into_owned());
        self
    }

    /// The value; empty is absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// All values of a parameter that may come several times.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Everything but these, in order: two requests with the same text ask for the same list.
    pub(crate) fn fingerprint(&self, without: &[&str]) -> String {
        let mut kept: Vec<&(String, String)> = self
            .0
            .iter()
            .filter(|(key, value)| !without.contains(&key.as_str()) && !value.is_empty())
            .collect();
        kept.sort();
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(kept)
            .finish()
    }
}
