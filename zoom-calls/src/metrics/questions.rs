//! Which sentences are questions, and which of those are open.

use crate::text::{is_punctuated, sentences, words};

const OPEN: &[&str] = &[
    "what", "what's", "how", "how's", "why", "which", "tell", "describe", "walk", "quoi", "comment",
    "pourquoi", "quel", "quelle", "quels", "quelles",
];

const ASKING: &[&str] = &[
    "what", "what's", "how", "how's", "why", "which", "who", "who's", "whom", "whose", "when", "when's",
    "where", "where's", "do", "does", "did", "is", "are", "am", "was", "were", "can", "could", "will",
    "would", "shall", "should", "may", "might", "has", "have", "had", "don't", "doesn't", "didn't", "isn't",
    "aren't", "can't", "couldn't", "won't", "wouldn't", "quoi", "comment", "pourquoi", "quel", "quelle",
    "quels", "quelles", "qui", "quand", "où", "combien", "est-ce",
];

/// Words that open a sentence without meaning anything.
const LEADING: &[&str] = &[
    "so",
    "and",
    "but",
    "well",
    "ok",
    "okay",
    "right",
    "yeah",
    "yes",
    "no",
    "um",
    "uh",
    "now",
    "then",
    "also",
    "or",
    "great",
    "cool",
    "sure",
    "alright",
    "oh",
    "hmm",
    "maybe",
    "just",
    "actually",
    "basically",
    "alors",
    "et",
    "donc",
    "bon",
    "mais",
    "oui",
    "ben",
    "puis",
    "ok",
];

/// The questions in a text: sentences that end in `?`, or, where there is no punctuation at all, a text whose first word
/// asks.
pub(crate) fn questions(text: &str) -> Vec<&str> {
    if is_punctuated(text) {
        return sentences(text)
            .into_iter()
            .filter(|sentence| sentence.ends_with('?'))
            .collect();
    }
    let asks = first_content_word(text).is_some_and(|word| ASKING.contains(&word.as_str()));
    if asks { vec![text.trim()] } else { Vec::new() }
}

/// Whether a question leaves the answer open.
pub(crate) fn is_open(question: &str) -> bool {
    first_content_word(question).is_some_and(|word| OPEN.contains(&word.as_str()))
}

fn first_content_word(text: &str) -> Option<String> {
    words(text)
        .into_iter()
        .find(|word| !LEADING.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_found_with_and_without_punctuation() {
        assert_eq!(
            questions("Okay. What changed? I see. And why?"),
            ["What changed?", "And why?"]
        );
        assert_eq!(
            questions("so how many vans do you run"),
            ["so how many vans do you run"]
        );
        assert!(questions("we run forty vans").is_empty());
        assert!(questions("How nice. Thanks.").is_empty());
    }

    #[test]
    fn an_open_question_starts_with_an_open_word_after_the_small_talk() {
        assert!(is_open("So, well, what made you look?"));
        assert!(is_open("Alors pourquoi maintenant ?"));
        assert!(!is_open("Is that fair?"));
        assert!(!is_open("Do you know how it works?"));
    }
}
