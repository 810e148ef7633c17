//! Token numbers to text and back for the few tokens with a name, from Whisper's `tokenizer.json`.

use std::{collections::HashMap, path::Path};

use serde::Deserialize;

use super::models::ModelError;

/// The vocabulary of a model.
#[derive(Debug, Clone)]
pub(super) struct Tokens {
    /// The bytes of each token; named tokens have none.
    bytes: Vec<Vec<u8>>,
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) transcribe: u32,
    pub(super) no_speech: u32,
    pub(super) no_timestamps: u32,
    /// Language code and token.
    pub(super) languages: Vec<(String, u32)>,
}

#[derive(Deserialize)]
struct TokenizerFile {
    model: Vocabulary,
    added_tokens: Vec<Added>,
}

#[derive(Deserialize)]
struct Vocabulary {
    vocab: HashMap<String, u32>,
}

#[derive(Deserialize)]
struct Added {
    id: u32,
    content: String,
}

/// More than any Whisper has; a larger number in the file would only cost memory.
const MOST_TOKENS: u32 = 100_000;

impl Tokens {
    pub(super) fn load(path: &Path) -> Result<Self, ModelError> {
        let json = std::fs::read(path).map_err(|source| ModelError::io(path, source))?;
        Self::parse(&json).ok_or_else(|| ModelError::format("tokenizer.json is not Whisper's"))
    }

    fn parse(json: &[u8]) -> Option<Self> {
        let file: TokenizerFile = serde_json::from_slice(json).ok()?;
        let letters = byte_of_letter();
        let mut bytes = Vec::new();
        for (text, id) in &file.model.vocab {
            if *id >= MOST_TOKENS {
                return None;
            }
            let id = *id as usize;
            if bytes.len() <= id {
                bytes.resize(id + 1, Vec::new());
            }
            let decoded = text
                .chars()
                .map(|c| letters.get(&c).copied())
                .collect::<Option<Vec<u8>>>();
            // A named token may stand in the vocabulary too; its text is never spoken.
            *bytes.get_mut(id)? = decoded.filter(|_| !text.starts_with("<|")).unwrap_or_default();
        }
        let named = |name: &str| file.added_tokens.iter().find(|t| t.content == name).map(|t| t.id);
        let mut languages: Vec<(String, u32)> = file
            .added_tokens
            .iter()
            .filter_map(|token| Some((token.content.strip_prefix("<|")?.strip_suffix("|>")?, token.id)))
            .filter(|(name, _)| matches!(name.len(), 2 | 3) && name.bytes().all(|b| b.is_ascii_lowercase()))
            .map(|(name, id)| (name.to_owned(), id))
            .collect();
        languages.sort_by_key(|(_, id)| *id);
        Some(Self {
            start: named("<|startoftranscript|>")?,
            end: named("<|endoftext|>")?,
            transcribe: named("<|transcribe|>")?,
            no_speech: named("<|nospeech|>").or_else(|| named("<|nocaptions|>"))?,
            no_timestamps: named("<|notimestamps|>")?,
            languages,
            bytes,
        })
    }

    /// The token of the time 0.00; each further one is 20 ms later.
    pub(super) fn first_timestamp(&self) -> u32 {
        self.no_timestamps + 1
    }

    pub(super) fn is_timestamp(&self, token: u32) -> bool {
        token >= self.first_timestamp()
    }

    /// Whether a token is words: not a time, not a command.
    pub(super) fn is_text(&self, token: u32) -> bool {
        token < self.end.min(self.start)
    }

    /// The text of tokens; whatever is not words is left out.
    pub(super) fn text(&self, tokens: &[u32]) -> String {
        let bytes: Vec<u8> = tokens
            .iter()
            .filter(|token| self.is_text(**token))
            .filter_map(|token| self.bytes.get(*token as usize))
            .flatten()
            .copied()
            .collect();
        String::from_utf8_lossy(&bytes).trim().to_owned()
    }
}

/// Byte-level BPE writes each byte as a printable letter: itself where it is printable, else from U+0100 on.
fn byte_of_letter() -> HashMap<char, u8> {
    let printable = |byte: &u8| matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    let itself = (0..=u8::MAX)
        .filter(printable)
        .map(|byte| (char::from(byte), byte));
    let shifted = (0..=u8::MAX)
        .filter(|byte| !printable(byte))
        .zip('\u{100}'..)
        .map(|(byte, letter)| (letter, byte));
    itself.chain(shifted).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A vocabulary of five words and the named tokens of an English-only model.
    pub(in super::super) fn tiny() -> Tokens {
        let json = r#"{
            "model": {"vocab": {"Hi": 0, "Ġthere": 1, "ĠâĤ¬": 2, "Ã": 3, "©": 4, "<|endoftext|>": 5}},
            "added_tokens": [
                {"id": 5, "content": "<|endoftext|>"}, {"id": 6, "content": "<|startoftranscript|>"},
                {"id": 7, "content": "<|en|>"}, {"id": 8, "content": "<|haw|>"}, {"id": 9, "content": "<|transcribe|>"},
                {"id": 10, "content": "<|nocaptions|>"}, {"id": 11, "content": "<|notimestamps|>"}
            ]}"#;
        Tokens::parse(json.as_bytes()).unwrap()
    }

    #[test]
    fn bytes_come_back_from_their_letters() {
        let tokens = tiny();
        assert_eq!(tokens.text(&[0, 1, 2]), "Hi there €");
        assert_eq!(
            tokens.text(&[3, 4]),
            "é",
            "a letter may be cut between two tokens"
        );
    }

    #[test]
    fn every_byte_has_a_letter_of_its_own() {
        let letters = byte_of_letter();
        assert_eq!(letters.len(), 256);
        assert_eq!(
            [letters[&'A'], letters[&'Ġ'], letters[&'Ń'], letters[&'ÿ']],
            [b'A', b' ', 0xAD, 0xFF]
        );
    }

    #[test]
    fn times_and_commands_are_not_text() {
        let tokens = tiny();
        assert_eq!(tokens.text(&[6, 12, 0, 20, 5, 1, 999]), "Hi there");
        assert!(tokens.is_timestamp(12) && !tokens.is_timestamp(11));
    }

    #[test]
    fn languages_are_found_among_the_named_tokens() {
        assert_eq!(tiny().languages, [("en".to_owned(), 7), ("haw".to_owned(), 8)]);
    }

    #[test]
    fn a_file_without_the_named_tokens_is_refused() {
        assert!(Tokens::parse(br#"{"model": {"vocab": {"a": 0}}, "added_tokens": []}"#).is_none());
        assert!(Tokens::parse(br#"{"model": {"vocab": {"a": 4000000000}}, "added_tokens": []}"#).is_none());
    }
}
