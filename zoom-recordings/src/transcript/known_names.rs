//! Telling `Name: text` apart when names contain colons themselves.

use std::collections::HashSet;

use super::markup::plain;

/// Display names longer than this are not names. Zoom's own limit is lower.
const MAX_CHARS: usize = 80;
/// How far into a cue a name is looked for, in bytes: 80 characters, escaped.
const WINDOW: usize = 512;

/// The participants' display names, if the host knows them: they settle where a name ends when it contains a colon.
///
/// ```
/// use zoom_recordings::KnownNames;
///
/// let names: KnownNames = ["Room 4: Berlin", "Ana Sim"].into_iter().collect();
/// assert!(names.contains("Ana Sim"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct KnownNames(HashSet<String>);

impl KnownNames {
    /// Whether this is one of the names.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// Splits `Name: text`: at the longest prefix that is a known name, else at the first colon that is followed by
    /// white space or the end. `None` when the text starts with no name.
    pub(crate) fn split<'a>(&self, text: &'a str) -> Option<(&'a str, &'a str)> {
        let mut first = None;
        let mut known = None;
        let window = text.get(..text.floor_char_boundary(WINDOW)).unwrap_or(text);
        for (at, _) in window.match_indices(':') {
            let (Some(name), Some(rest)) = (text.get(..at), text.get(at + 1..)) else {
                continue;
            };
            if !(rest.is_empty() || rest.starts_with([' ', '\t'])) {
                continue;
            }
            let name = name.trim();
            if name.is_empty() || plain(name).chars().count() > MAX_CHARS {
                break;
            }
            first = first.or(Some((name, rest)));
            if self.0.is_empty() {
                break;
            }
            if self.0.contains(plain(name).trim()) {
                known = Some((name, rest));
            }
        }
        known.or(first)
    }
}

impl<N: Into<String>> FromIterator<N> for KnownNames {
    fn from_iter<I: IntoIterator<Item = N>>(names: I) -> Self {
        Self(
            names
                .into_iter()
                .map(|name| name.into().trim().to_owned())
                .filter(|name| !name.is_empty())
                .collect(),
        )
    }
}
