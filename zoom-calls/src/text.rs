//! Words and sentences, cut the same way wherever this crate looks at text.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A word, lower-cased, with straight apostrophes and without the punctuation around it.
pub(crate) fn words(text: &str) -> Vec<String> {
    let folded: String = text
        .nfkc()
        .map(|c| match c {
            '\u{2018}' | '\u{2019}' | '\u{02bc}' => '\'',
            other => other,
        })
        .flat_map(char::to_lowercase)
        .collect();
    folded
        .split(|c: char| !(c.is_alphanumeric() || c == '\'' || is_combining_mark(c)))
        .map(|word| word.trim_matches('\''))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Words as [`words`] folds them, and where each stands in the text.
pub(crate) fn word_spans(text: &str) -> Vec<(String, Range<usize>)> {
    let mut spans = Vec::new();
    let mut start = None;
    let is_word = |c: char| {
        c.is_alphanumeric()
            || matches!(c, '\'' | '\u{2018}' | '\u{2019}' | '\u{02bc}')
            || is_combining_mark(c)
    };
    for (at, c) in text
        .char_indices()
        .map(|(at, c)| (at, Some(c)))
        .chain([(text.len(), None)])
    {
        match (start, c.is_some_and(is_word)) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                start = None;
                spans.extend(
                    words(text.get(from..at).unwrap_or_default())
                        .into_iter()
                        .map(|word| (word, from..at)),
                );
            }
            _ => {}
        }
    }
    spans
}

/// The number of words as a reader counts them.
pub(crate) fn word_count(text: &str) -> u32 {
    u32::try_from(
        text.split_whitespace()
            .filter(|w| w.chars().any(char::is_alphanumeric))
            .count(),
    )
    .unwrap_or(u32::MAX)
}

/// Words without apostrophes, for comparing a quote with what was said.
pub(crate) fn quote_tokens(text: &str) -> Vec<String> {
    words(text)
        .into_iter()
        .map(|word| word.replace('\'', ""))
        .filter(|word| !word.is_empty())
        .collect()
}

/// Words without diacritics, cut as SQLite's `unicode61` tokenizer cuts them.
pub(crate) fn search_tokens(text: &str) -> Vec<String> {
    let folded: String = text
        .nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .collect();
    folded
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Sentences, trimmed, in order; a `.` inside a number or a name (`3.5`, `example.com`) does not end one.
pub(crate) fn sentences(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if !matches!(c, '.' | '?' | '!' | '…') {
            continue;
        }
        let end = at + c.len_utf8();
        let ends_here = chars
            .peek()
            .is_none_or(|(_, next)| next.is_whitespace() || matches!(next, '"' | '”' | '»' | ')'));
        if ends_here {
            found.push(text.get(start..end).unwrap_or_default().trim());
            start = end;
        }
    }
    found.push(text.get(start..).unwrap_or_default().trim());
    found.retain(|sentence| sentence.chars().any(char::is_alphanumeric));
    found
}

/// Whether the text uses sentence punctuation at all; some engines give none.
pub(crate) fn is_punctuated(text: &str) -> bool {
    text.contains(['.', '?', '!', '…'])
}

/// At most `max` characters, cut between characters, with an ellipsis when something was cut.
pub(crate) fn truncated(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(max.saturating_sub(1)).collect();
    // A mark or joiner belongs to the character before it: do not leave half of one.
    let belongs_before =
        |c: char| is_combining_mark(c) || matches!(c, '\u{200d}' | '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}');
    let mut rest = text.chars().skip(max.saturating_sub(1));
    if rest.next().is_some_and(belongs_before) || cut.ends_with('\u{200d}') {
        while cut.chars().next_back().is_some_and(belongs_before) {
            cut.pop();
        }
        cut.pop();
    }
    cut.truncate(cut.trim_end().len());
    if max > 0 {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_and_keep_inner_apostrophes() {
        assert_eq!(
            words("I’ll “send” IT, d'accord ?"),
            ["i'll", "send", "it", "d'accord"]
        );
        assert_eq!(quote_tokens("I’ll send it."), ["ill", "send", "it"]);
        assert_eq!(search_tokens("Déjà-vu, don't"), ["deja", "vu", "don", "t"]);
    }

    #[test]
    fn a_full_stop_inside_a_number_ends_no_sentence() {
        assert_eq!(
            sentences("It is 3.5 percent. See example.com! Ok?  "),
            ["It is 3.5 percent.", "See example.com!", "Ok?"]
        );
        assert_eq!(sentences("no punctuation at all"), ["no punctuation at all"]);
        assert_eq!(sentences(" ... "), [""; 0]);
    }

    #[test]
    fn a_cut_never_splits_a_character_with_its_mark() {
        assert_eq!(truncated("abcdef", 6), "abcdef");
        assert_eq!(truncated("abcdef", 4), "abc…");
        assert_eq!(truncated("ab e\u{301}def", 5), "ab…");
        assert_eq!(truncated("x👩\u{200d}🚀yz", 4), "x…");
        assert_eq!(truncated("abc", 0), "");
    }
}
