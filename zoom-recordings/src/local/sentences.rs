//! From the tokens Whisper said to sentences with times.

use super::tokens::Tokens;

/// Samples of a step of Whisper's clock (20 ms), and those a token takes on average when nothing better is known.
const TICK: u64 = 320;
const TOKEN: u64 = 16 * TICK;

/// The longest break inside a sentence (0.4 s), and the longest sentence (20 s).
const BREATH: u64 = 6_400;
const LONGEST: u64 = 320_000;

/// A sentence, or what Whisper takes for one; times in samples of the recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sentence {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) text: String,
}

/// The sentences in what was said about a piece that begins at `offset` and is `length` long.
pub(super) fn sentences(said: &[u32], offset: u64, length: u64, tokens: &Tokens) -> Vec<Sentence> {
    let mut sentences = Vec::new();
    let mut close = |start: u64, end: u64, words: &[u32]| {
        let (start, end) = (start.min(length), end.min(length));
        let text = tokens.text(words);
        if start < end && !text.is_empty() {
            sentences.push(Sentence {
                start: offset + start,
                end: offset + end,
                text,
            });
        }
    };
    let (mut start, mut words) = (0, Vec::new());
    for token in said {
        if tokens.is_timestamp(*token) {
            let time = u64::from(token - tokens.first_timestamp()) * TICK;
            close(start, time, &words);
            words.clear();
            start = time;
        } else {
            words.push(*token);
        }
    }
    close(start, start + words.len() as u64 * TOKEN, &words);
    sentences
}

/// Joins what Whisper's clock cut in the middle of a sentence.
pub(super) fn join(sentences: Vec<Sentence>) -> Vec<Sentence> {
    let mut joined: Vec<Sentence> = Vec::new();
    for next in sentences {
        match joined.last_mut() {
            Some(last)
                if !last.text.ends_with(['.', '?', '!', '…', '。', '？', '！'])
                    && next.start.saturating_sub(last.end) <= BREATH
                    && next.end.saturating_sub(last.start) <= LONGEST =>
            {
                last.end = next.end;
                last.text = format!("{} {}", last.text, next.text);
            }
            _ => joined.push(next),
        }
    }
    joined
}

/// Keeps the first `words` words, with the times around them.
pub(super) fn keep_words(said: &mut Vec<u32>, words: usize, tokens: &Tokens) {
    let mut left = words;
    let cut = said.iter().position(|token| {
        let is_text = tokens.is_text(*token);
        let is_surplus = is_text && left == 0;
        left -= usize::from(is_text && left > 0);
        is_surplus
    });
    said.truncate(cut.unwrap_or(said.len()));
    // An opening time without words is no use; `… close open` becomes `… close`.
    if let [.., before, last] = said.as_slice()
        && tokens.is_timestamp(*before)
        && tokens.is_timestamp(*last)
    {
        said.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::tokens::tests::tiny;

    // The tiny vocabulary: 0 "Hi", 1 " there", times from 12 (0.00 s) in steps of 20 ms.

    fn told(said: &[u32]) -> Vec<(u64, u64, String)> {
        sentences(said, 16_000, 160_000, &tiny())
            .into_iter()
            .map(|s| (s.start, s.end, s.text))
            .collect()
    }

    #[test]
    fn times_around_words_make_sentences() {
        let said = [12, 0, 62, 62, 0, 1, 112, 5];
        assert_eq!(
            told(&said),
            [(16_000, 32_000, "Hi".into()), (32_000, 48_000, "Hi there".into())]
        );
    }

    #[test]
    fn a_sentence_left_open_gets_a_plausible_end() {
        assert_eq!(
            told(&[62, 0, 1]),
            [(32_000, 32_000 + 2 * TOKEN, "Hi there".into())]
        );
    }

    #[test]
    fn no_sentence_ends_after_its_piece() {
        assert_eq!(told(&[12, 0, 1_512]), [(16_000, 176_000, "Hi".into())]);
        assert_eq!(told(&[1_500, 0, 1_512]), [], "nor begins there");
    }

    #[test]
    fn empty_sentences_are_left_out() {
        assert_eq!(told(&[12, 62, 62, 5]), []);
        assert_eq!(told(&[]), []);
    }

    #[test]
    fn sentences_cut_in_the_middle_are_joined() {
        let cut = |parts: &[(u64, u64, &str)]| -> Vec<String> {
            let parts = parts.iter().map(|(start, end, text)| Sentence {
                start: *start,
                end: *end,
                text: (*text).into(),
            });
            join(parts.collect())
                .into_iter()
                .map(|s| format!("{}-{} {}", s.start, s.end, s.text))
                .collect()
        };
        assert_eq!(
            cut(&[(0, 10, "than he"), (20, 30, "was."), (30, 40, "He")]),
            ["0-30 than he was.", "30-40 He"]
        );
        assert_eq!(
            cut(&[(0, 10, "than he"), (BREATH + 11, 30_000, "was.")]).len(),
            2,
            "a pause ends a sentence"
        );
        assert_eq!(
            cut(&[(0, 200_000, "and"), (200_000, LONGEST + 1, "and")]).len(),
            2,
            "some never end"
        );
    }

    #[test]
    fn keeping_words_keeps_the_times_around_them() {
        let tokens = tiny();
        let mut said = vec![12, 0, 1, 62, 62, 0, 1, 112];
        keep_words(&mut said, 2, &tokens);
        assert_eq!(said, [12, 0, 1, 62]);
        let mut said = vec![12, 0, 1, 0, 1];
        keep_words(&mut said, 2, &tokens);
        assert_eq!(said, [12, 0, 1]);
        let mut said = vec![12, 0, 1];
        keep_words(&mut said, 9, &tokens);
        assert_eq!(said, [12, 0, 1]);
    }
}
