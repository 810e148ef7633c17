//! The analyzer that needs no key and no network.

use async_trait::async_trait;
use zoom_recordings::StageError;

use super::phrases::Sentence;
use super::{
    Analyzer, CallContext, closing, coaching, ground, language, next_steps, objections, sentiment, summary,
};
use crate::{Analysis, Flag, Provenance, Side};

const VERSION: &str = "1";
/// Under a minute of speech a score says nothing (reference §2.5).
const TOO_SHORT_MS: u64 = 60_000;

const INJECTIONS: &[&str] = &[
    "ignore|disregard|forget * previous|prior|above|earlier|all * instructions|instruction|prompt",
    "system prompt",
    "you are an ai|assistant|llm",
    "as an ai|assistant|language model",
    "ignorez|ignore * instructions",
];

/// Metrics, a lexicon and rules, in process: English, with French rules for objections, next steps and days.
///
/// What it finds is a candidate, and is labelled so. It never says what was not said: every claim is a quote, checked by
/// [`ground`] like everybody else's.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct OfflineAnalyzer;

impl OfflineAnalyzer {
    /// The analyzer.
    #[must_use]
    pub fn new() -> Self {
        Self
    }

    /// The analysis, without waiting for anything.
    #[must_use]
    pub fn judge(&self, call: &CallContext<'_>) -> Analysis {
        let language = language::detect(call.transcript);
        let speaks_english = language.as_deref().is_none_or(|language| language == "en");
        let sentiment = if speaks_english {
            sentiment::measure(call.transcript, call.sides)
        } else {
            None
        };
        let objections = objections::find(call);
        let next_steps = next_steps::find(call);
        let flags = flags(call, speaks_english);
        let can_score = flags
            .iter()
            .all(|f| !matches!(f, Flag::TooShort | Flag::SingleSpeaker | Flag::SidesUnknown));
        let closing = can_score.then(|| {
            closing::score_rubric(summary::factors(
                call,
                &objections,
                &next_steps,
                sentiment.as_ref(),
            ))
        });
        let analysis = Analysis {
            provenance: Provenance {
                transcript_hash: call.transcript.hash(),
                language,
                ..Provenance::new("offline", VERSION)
            },
            summary: summary::summary(call, &objections, &next_steps),
            coaching: coaching::find(call, &objections, &next_steps),
            sentiment,
            closing,
            objections,
            next_steps,
            flags,
            dropped: Vec::new(),
        };
        ground(analysis, call)
    }
}

#[async_trait]
impl Analyzer for OfflineAnalyzer {
    async fn analyze(&self, call: &CallContext<'_>) -> Result<Analysis, StageError> {
        Ok(self.judge(call))
    }
}

fn flags(call: &CallContext<'_>, speaks_english: bool) -> Vec<Flag> {
    let mut flags = Vec::new();
    if call.metrics.speech_ms.is_none_or(|ms| ms < TOO_SHORT_MS) {
        flags.push(Flag::TooShort);
    }
    if call.metrics.speakers.len() < 2 {
        flags.push(Flag::SingleSpeaker);
    }
    let buyer_spoke = call
        .metrics
        .speakers
        .iter()
        .any(|speaker| speaker.side == Side::External);
    if !call.sides.are_known() || !buyer_spoke {
        flags.push(Flag::SidesUnknown);
    }
    if !speaks_english {
        flags.push(Flag::LanguageUnsupported);
    }
    if call
        .transcript
        .utterances
        .iter()
        .any(|u| Sentence::new(&u.text).find_any(INJECTIONS).is_some())
    {
        flags.push(Flag::PossibleInjection);
    }
    flags
}

#[cfg(test)]
mod tests;
