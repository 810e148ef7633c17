//! Small patterns over words: alternatives with `|`, up to five words of anything with `*`.

use std::ops::Range;

use crate::text::word_spans;

/// The most words that a `*` stands for.
const GAP: usize = 5;

/// A sentence cut into folded words, each with its place.
pub(super) struct Sentence<'a> {
    pub(super) text: &'a str,
    pub(super) words: Vec<String>,
    places: Vec<Range<usize>>,
}

impl<'a> Sentence<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let (words, places) = word_spans(text).into_iter().unzip();
        Self { text, words, places }
    }

    /// The first place where a pattern fits, in words.
    pub(super) fn find(&self, pattern: &str) -> Option<Range<usize>> {
        let parts: Vec<&str> = pattern.split(' ').collect();
        (0..self.words.len()).find_map(|at| Some(at..fits(&parts, self.words.get(at..)?)? + at))
    }

    /// The first pattern of a list that fits, and where.
    pub(super) fn find_any(&self, patterns: &[&str]) -> Option<Range<usize>> {
        patterns.iter().find_map(|pattern| self.find(pattern))
    }

    /// Whether one of the patterns fits and no negation stands right before it.
    pub(super) fn affirms(&self, patterns: &[&str]) -> bool {
        patterns
            .iter()
            .filter_map(|pattern| self.find(pattern))
            .any(|place| {
                let before = self
                    .words
                    .get(place.start.saturating_sub(3)..place.start)
                    .unwrap_or_default();
                !before.iter().any(|word| is_negation(word))
            })
    }

    /// The text from one word to another, as it was said, without what punctuation stands at its end.
    pub(super) fn slice(&self, words: Range<usize>) -> &'a str {
        let start = self.places.get(words.start).map(|place| place.start);
        let end = words
            .end
            .checked_sub(1)
            .and_then(|last| self.places.get(last))
            .map(|place| place.end);
        start
            .zip(end)
            .and_then(|(start, end)| self.text.get(start..end))
            .unwrap_or_default()
    }
}

fn is_negation(word: &str) -> bool {
    matches!(word, "not" | "never" | "no" | "without" | "pas" | "jamais") || word.ends_with("n't")
}

/// How many words the pattern takes, if it fits at the first one.
fn fits(parts: &[&str], words: &[String]) -> Option<usize> {
    match parts {
        [] => Some(0),
        ["*", rest @ ..] => {
            (0..=GAP.min(words.len())).find_map(|skip| Some(skip + fits(rest, words.get(skip..)?)?))
        }
        [part, rest @ ..] => {
            let (word, after) = words.split_first()?;
            let hit = part.split('|').any(|choice| choice == word);
            if hit { Some(1 + fits(rest, after)?) } else { None }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_have_alternatives_and_gaps() {
        let sentence = Sentence::new("To be honest, that IS too expensive, for us.");
        assert_eq!(sentence.find("too|very expensive|steep"), Some(5..7));
        assert_eq!(sentence.find("honest * expensive"), Some(2..7));
        assert_eq!(sentence.find("to * us"), None);
        assert_eq!(sentence.slice(4..7), "IS too expensive");
    }

    #[test]
    fn a_negated_phrase_is_not_affirmed() {
        assert!(Sentence::new("It is too expensive.").affirms(&["too expensive"]));
        assert!(!Sentence::new("It is not at all too expensive.").affirms(&["too expensive"]));
        assert!(!Sentence::new("It isn't too expensive.").affirms(&["too expensive"]));
    }
}
