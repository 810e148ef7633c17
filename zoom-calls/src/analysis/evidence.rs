//! Quotes, and what became of those that do not stand.

use serde::{Deserialize, Serialize};

use crate::Side;

/// A quote and where it was said. An analyzer states ids and quote; [`ground`](crate::ground) checks them against the
/// transcript and fills in the rest, so a time shown to a reader never comes from a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Evidence {
    /// The utterances that the quote is from.
    pub utterance_ids: Vec<u32>,
    /// The words, verbatim.
    pub quote: String,
    /// How the quote was found in the transcript.
    pub quote_match: QuoteMatch,
    /// Start of the first utterance.
    pub start_ms: u64,
    /// End of the last utterance.
    pub end_ms: u64,
    /// Who said it.
    pub speaker: Option<String>,
    /// The side of the speaker.
    pub side: Side,
}

impl Evidence {
    /// A claim that these words stand in these utterances; not verified yet.
    pub fn claim(utterance_ids: Vec<u32>, quote: impl Into<String>) -> Self {
        Self {
            utterance_ids,
            quote: quote.into(),
            quote_match: QuoteMatch::Unverified,
            start_ms: 0,
            end_ms: 0,
            speaker: None,
            side: Side::Unknown,
        }
    }
}

/// How a quote was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum QuoteMatch {
    /// Nobody has looked yet. Never stored: [`ground`](crate::ground) verifies or drops.
    Unverified,
    /// Word for word in the utterances named.
    Exact,
    /// Word for word within two utterances of those named; the ids were corrected.
    Reanchored,
    /// Most of the words, in order; `permille` is the share of the claimed quote's words found. The quote is what the
    /// utterances say.
    Fuzzy {
        /// Words of the quote found, in thousandths.
        permille: u16,
    },
}

/// Something that was thrown away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Dropped {
    /// What it was: `objection`, `next_step`, ….
    pub item: String,
    /// Why.
    pub why: DropReason,
}

impl Dropped {
    /// An item and why it went.
    pub fn new(item: impl Into<String>, why: DropReason) -> Self {
        Self {
            item: item.into(),
            why,
        }
    }
}

/// Why a claim did not stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DropReason {
    /// It cites nothing.
    NoEvidence,
    /// It cites an utterance that does not exist.
    UnknownUtterance,
    /// The words were not said there.
    QuoteNotFound,
    /// The words are those of the other side.
    WrongSide,
    /// The number is not the one that was computed.
    WrongMetric,
    /// There were already enough of its kind.
    TooMany,
    /// It names somebody who is not in the call.
    UnknownSpeaker,
    /// The due text or date was not said in the words cited.
    UnsupportedDate,
}
