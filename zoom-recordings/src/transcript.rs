//! The transcript model: who said what, when, and where the words come from.

pub mod chat;
mod known_names;
mod markup;
mod source;
pub mod vtt;
mod warning;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use known_names::KnownNames;
pub use source::TranscriptSource;
pub(crate) use warning::Warnings;
pub use warning::{Warning, WarningKind};

/// What was said in one recording, in the order in which it was said.
///
/// Utterances are sorted by start, then end, and numbered from 1 without gaps: an analysis can point at `u17` and mean
/// one sentence for ever. Times are milliseconds from the start of the recorded file, not of the meeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Transcript {
    /// Where the words come from.
    pub source: TranscriptSource,
    /// The language as a BCP 47 tag (`en`), if the source says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// What was said.
    pub utterances: Vec<Utterance>,
    /// What was odd about the source and how often; nothing is repaired silently.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// One thing that one person said without a break.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Utterance {
    /// Its number in the transcript, from 1.
    pub id: u32,
    /// When it starts, in milliseconds from the start of the file.
    pub start_ms: u64,
    /// When it ends; never before `start_ms`.
    pub end_ms: u64,
    /// The speaker's display name as the source has it; `None` when the source does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaker: Option<String>,
    /// The words, trimmed, never empty.
    pub text: String,
}

impl Utterance {
    /// How long it lasts.
    #[must_use]
    pub const fn duration_ms(&self) -> u64 {
        self.end_ms.saturating_sub(self.start_ms)
    }

    /// How many words it has, counted by white space.
    #[must_use]
    pub fn words(&self) -> usize {
        self.text.split_whitespace().count()
    }
}

/// A transcription that could not be read at all. Oddities inside a readable one are [`Warning`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TranscriptError {
    /// No bytes. Zoom does serve empty files with status 200: try again later.
    #[error("the transcript is empty")]
    Empty,
    /// The bytes are not `WebVTT`; a login page, for instance.
    #[error("not a WebVTT file")]
    NotVtt,
    /// More than any meeting can hold: refused before it costs memory.
    #[error("the transcript is larger than {limit} {unit}")]
    TooLarge {
        /// The most that is read.
        limit: usize,
        /// What is counted: `bytes` or `cues`.
        unit: &'static str,
    },
}

impl Transcript {
    /// A transcript without utterances yet; [`push`](Self::push) adds them.
    #[must_use]
    pub const fn new(source: TranscriptSource) -> Self {
        Self {
            source,
            language: None,
            utterances: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Says what language was spoken.
    #[must_use]
    pub fn with_language(mut self, language: impl Into<String>) -> Self {
        self.language = Some(language.into());
        self
    }

    /// Adds what was said next and returns its number. Text of nothing but white space adds nothing and returns `None`.
    ///
    /// An utterance that starts before an earlier one is put where it belongs and the numbers behind it move.
    pub fn push(&mut self, start_ms: u64, end_ms: u64, speaker: Option<&str>, text: &str) -> Option<u32> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        let speaker = speaker
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(str::to_owned);
        let end_ms = end_ms.max(start_ms);
        let place = self
            .utterances
            .partition_point(|u| (u.start_ms, u.end_ms) <= (start_ms, end_ms));
        let utterance = Utterance {
            id: number(place),
            start_ms,
            end_ms,
            speaker,
            text: text.to_owned(),
        };
        self.utterances.insert(place, utterance);
        self.renumber(place + 1);
        Some(number(place))
    }

    /// Adds the transcript of a later file of the same meeting, moved by `offset_ms` (the time between the starts of
    /// the two files). A meeting whose recording was stopped and started again has several files.
    pub fn append(&mut self, later: Self, offset_ms: u64) {
        self.utterances
            .extend(later.utterances.into_iter().map(|mut utterance| {
                utterance.start_ms = utterance.start_ms.saturating_add(offset_ms);
                utterance.end_ms = utterance.end_ms.saturating_add(offset_ms);
                utterance
            }));
        self.warnings.extend(later.warnings);
        self.sort();
    }

    /// Whether nobody said anything.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.utterances.is_empty()
    }

    /// The utterance with this number.
    #[must_use]
    pub fn utterance(&self, id: u32) -> Option<&Utterance> {
        self.utterances.get(usize::try_from(id).ok()?.checked_sub(1)?)
    }

    /// How many words were said, counted by white space.
    #[must_use]
    pub fn words(&self) -> usize {
        self.utterances.iter().map(Utterance::words).sum()
    }

    /// The speakers in the order in which they first spoke.
    #[must_use]
    pub fn speakers(&self) -> Vec<&str> {
        let mut seen = std::collections::HashSet::new();
        self.utterances
            .iter()
            .filter_map(|u| u.speaker.as_deref())
            .filter(|name| seen.insert(*name))
            .collect()
    }

    /// From the start of the first utterance to the end of the last; `None` when nobody said anything.
    #[must_use]
    pub fn span_ms(&self) -> Option<u64> {
        let start = self.utterances.first()?.start_ms;
        Some(
            self.utterances
                .iter()
                .map(|u| u.end_ms)
                .max()?
                .saturating_sub(start),
        )
    }

    /// One line per utterance: `Ana Sim: Good morning.`, or only the words where the speaker is not known.
    #[must_use]
    pub fn plain_text(&self) -> String {
        let mut out = String::new();
        for utterance in &self.utterances {
            if let Some(speaker) = &utterance.speaker {
                out.push_str(speaker);
                out.push_str(": ");
            }
            out.push_str(&utterance.text);
            out.push('\n');
        }
        out
    }

    /// A fingerprint of what was said (hex SHA-256 over times, speakers and words): equal transcripts have equal ones,
    /// whatever their warnings. Good as a cache key for an analysis.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(b"transcript 1\n");
        // Every text goes in with its length, so that no two different transcripts feed the same bytes.
        let mut text = |part: &str| {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        };
        text(self.language.as_deref().unwrap_or_default());
        for utterance in &self.utterances {
            text(&format!("{} {}", utterance.start_ms, utterance.end_ms));
            text(utterance.speaker.as_deref().unwrap_or_default());
            text(&utterance.text);
        }
        hex::encode(hasher.finalize())
    }

    /// Sorts by (start, end), keeping the order of equals, and numbers anew. Says whether the order was wrong.
    fn sort(&mut self) -> bool {
        let unsorted = !self.utterances.is_sorted_by_key(|u| (u.start_ms, u.end_ms));
        if unsorted {
            self.utterances.sort_by_key(|u| (u.start_ms, u.end_ms));
        }
        self.renumber(0);
        unsorted
    }

    fn renumber(&mut self, from: usize) {
        for (place, utterance) in self.utterances.iter_mut().enumerate().skip(from) {
            utterance.id = number(place);
        }
    }
}

fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX).saturating_add(1)
}

#[cfg(test)]
mod tests;
