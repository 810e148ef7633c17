//! What people type into the search box, read the same way for every store.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::text::search_tokens;
use crate::{CallId, OwnerId};
use jiff::Timestamp;

/// How much text a snippet shows around the first hit, in characters.
const SNIPPET_CHARS: usize = 160;

/// Words to look for.
///
/// ```
/// use zoom_calls::SearchQuery;
///
/// assert!(SearchQuery::parse("budjet* \"too expensive\"").matches("That BUDJETARY thing is tóo expensive."));
/// assert!(SearchQuery::parse("  \" * ").is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchQuery {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    tokens: Vec<String>,
    prefix: bool,
}

impl SearchQuery {
    /// Reads a query: words, `"phrases"` and `prefix*`. Every text is a valid query; punctuation has no other meaning.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut terms = Vec::new();
        for (at, part) in text.split(['"', '“', '”', '«', '»']).enumerate() {
            // Between an odd quotation mark and the next there is a phrase.
            let pieces: Vec<&str> = if at % 2 == 1 {
                vec![part]
            } else {
                part.split_whitespace().collect()
            };
            for piece in pieces {
                let tokens = search_tokens(piece);
                if !tokens.is_empty() {
                    terms.push(Term {
                        tokens,
                        prefix: piece.trim_end().ends_with('*'),
                    });
                }
            }
        }
        Self { terms }
    }

    /// Whether there is nothing to look for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether a text holds every word and phrase.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let tokens = search_tokens(text);
        !self.is_empty()
            && self
                .terms
                .iter()
                .all(|term| term.positions(&tokens).next().is_some())
    }

    /// How often the words stand in a text: a plain measure of how well it fits.
    #[must_use]
    pub(crate) fn count(&self, text: &str) -> usize {
        let tokens = search_tokens(text);
        self.terms
            .iter()
            .map(|term| term.positions(&tokens).count())
            .sum()
    }

    /// The query in the language of SQLite's FTS5. Every token is quoted, so nothing a user types is an operator.
    #[cfg(feature = "sqlite")]
    pub(crate) fn fts5(&self) -> String {
        let term = |term: &Term| {
            let star = if term.prefix { "*" } else { "" };
            format!("\"{}\"{star}", term.tokens.join(" "))
        };
        self.terms.iter().map(term).collect::<Vec<_>>().join(" AND ")
    }

    /// A piece of the text around the first hit, with the places of the hits in it.
    pub(crate) fn snippet(&self, text: &str) -> (String, Vec<Range<usize>>) {
        let spans = token_spans(text);
        let tokens: Vec<String> = spans.iter().map(|(token, _)| token.clone()).collect();
        let mut hits: Vec<Range<usize>> = Vec::new();
        for term in &self.terms {
            for at in term.positions(&tokens) {
                let last = at + term.tokens.len() - 1;
                if let (Some((_, first)), Some((_, last))) = (spans.get(at), spans.get(last)) {
                    hits.push(first.start..last.end);
                }
            }
        }
        hits.sort_by_key(|hit| (hit.start, hit.end));
        hits.dedup_by(|next, hit| {
            let joined = next.start < hit.end;
            if joined {
                hit.end = hit.end.max(next.end);
            }
            joined
        });
        let centre = hits.first().map_or(0, |hit| hit.start);
        let chars: Vec<usize> = text
            .char_indices()
            .map(|(at, _)| at)
            .chain([text.len()])
            .collect();
        let centre = chars.partition_point(|at| *at < centre);
        let from = centre.saturating_sub(SNIPPET_CHARS / 3);
        let to = (from + SNIPPET_CHARS).min(chars.len() - 1);
        let (start, end) = (
            chars.get(from).copied().unwrap_or(0),
            chars.get(to).copied().unwrap_or(text.len()),
        );
        let lead = if start > 0 { "…" } else { "" };
        let tail = if end < text.len() { "…" } else { "" };
        let shift = |at: usize| at - start + lead.len();
        let shown = hits
            .iter()
            .filter(|hit| hit.start >= start && hit.end <= end)
            .map(|hit| shift(hit.start)..shift(hit.end));
        (
            format!("{lead}{}{tail}", text.get(start..end).unwrap_or_default()),
            shown.collect(),
        )
    }
}

impl Term {
    fn positions<'a>(&'a self, tokens: &'a [String]) -> impl Iterator<Item = usize> + 'a {
        let fits = move |window: &[String]| {
            let last = self.tokens.len() - 1;
            self.tokens
                .iter()
                .zip(window)
                .enumerate()
                .all(|(at, (wanted, found))| {
                    if self.prefix && at == last {
                        found.starts_with(wanted.as_str())
                    } else {
                        wanted == found
                    }
                })
        };
        tokens
            .windows(self.tokens.len())
            .enumerate()
            .filter(move |(_, window)| fits(window))
            .map(|(at, _)| at)
    }
}

/// The search tokens of a text and where they stand in it.
fn token_spans(text: &str) -> Vec<(String, Range<usize>)> {
    let mut spans = Vec::new();
    let mut start = None;
    let ends = text
        .char_indices()
        .map(|(at, c)| (at, Some(c)))
        .chain([(text.len(), None)]);
    for (at, c) in ends {
        let inside =
            c.is_some_and(|c| c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c));
        match (start, inside) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                start = None;
                // A character may fold into several tokens (`½`): they share its place.
                spans.extend(
                    search_tokens(text.get(from..at).unwrap_or_default())
                        .into_iter()
                        .map(|token| (token, from..at)),
                );
            }
            _ => {}
        }
    }
    spans
}

/// A place where the words were said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SearchHit {
    /// The call.
    pub call_id: CallId,
    /// Its owner.
    pub owner: OwnerId,
    /// Its topic.
    pub topic: String,
    /// When the call began.
    pub started_at: Option<Timestamp>,
    /// The utterance; `None` when the hit is in the topic.
    pub utterance_id: Option<u32>,
    /// When it was said, from the start of the recording.
    pub start_ms: Option<u64>,
    /// Who said it.
    pub speaker: Option<String>,
    /// A piece of what was said. Plain text: escape it for where it is shown.
    pub snippet: String,
    /// Byte ranges of the words looked for, in the snippet.
    pub highlights: Vec<Range<usize>>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_phrases_and_prefixes_are_told_apart() {
        let text = "Le budget réservé est de huit cents dollars.";
        for (query, found) in [
            ("reserve", true),
            ("RÉSERVÉ budget", true),
            ("\"budget réservé\"", true),
            ("\"réservé budget\"", false),
            ("dol", false),
            ("dol*", true),
            ("budget euros", false),
        ] {
            assert_eq!(SearchQuery::parse(query).matches(text), found, "{query}");
        }
    }

    #[test]
    fn a_snippet_marks_what_was_found() {
        let text = format!(
            "{} The RÉSERVE budget, reserve it. {}",
            "Lead in. ".repeat(40),
            "After. ".repeat(40)
        );
        let (snippet, highlights) = SearchQuery::parse("réserve \"reserve it\"").snippet(&text);
        let marked: Vec<&str> = highlights.iter().map(|range| &snippet[range.clone()]).collect();
        assert_eq!(marked, ["RÉSERVE", "reserve it"]);
        assert!(
            snippet.starts_with('…')
                && snippet.ends_with('…')
                && snippet.chars().count() <= SNIPPET_CHARS + 2
        );
    }

    proptest! {
        #[test]
        fn any_query_on_any_text_gives_ranges_that_can_be_cut(query in "\\PC{0,40}", text in "\\PC{0,300}") {
            let (snippet, highlights) = SearchQuery::parse(&query).snippet(&text);
            for range in highlights {
                prop_assert!(snippet.get(range).is_some());
            }
        }
    }
}
