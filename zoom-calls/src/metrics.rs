//! What can be counted in one transcript (reference §1.4). No model ever computes a number here.

mod intervals;
mod pace;
mod questions;
mod turns;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use zoom_recordings::{Transcript, Utterance};

use crate::text::word_count;
use crate::{Side, Sides};
use intervals::union_ms;
use turns::Turns;

pub(crate) use questions::{is_open, questions};

/// How to measure.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetricsOptions {
    block_gap_ms: u64,
    call_duration_ms: Option<u64>,
    overlap_is_measurable: bool,
    engagement: bool,
}

impl Default for MetricsOptions {
    fn default() -> Self {
        Self {
            block_gap_ms: 1_500,
            call_duration_ms: None,
            overlap_is_measurable: false,
            engagement: false,
        }
    }
}

impl MetricsOptions {
    /// A pause longer than this ends a talk block; 1,500 ms by default. The value is stored with the numbers.
    #[must_use]
    pub fn with_block_gap_ms(mut self, gap: u64) -> Self {
        self.block_gap_ms = gap;
        self
    }

    /// The length of the whole call, the denominator of [`Metrics::rep_talk_share_of_call`].
    #[must_use]
    pub fn with_call_duration_ms(mut self, duration: u64) -> Self {
        self.call_duration_ms = Some(duration);
        self
    }

    /// Says that people talking at the same time are visible, as in one track per participant. Zoom's VTT never shows
    /// it, so that without this both overlap and interruptions are `None`.
    #[must_use]
    pub fn with_measurable_overlap(mut self) -> Self {
        self.overlap_is_measurable = true;
        self
    }

    /// Also computes [`Metrics::engagement_0_100`].
    #[must_use]
    pub fn with_engagement(mut self) -> Self {
        self.engagement = true;
        self
    }
}

/// The numbers of one call. Times are milliseconds; `None` means that this transcript cannot tell, which is never 0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Metrics {
    /// Where the words came from: some numbers exist for some sources only.
    pub source: String,
    /// The hash of the transcript that was measured.
    pub transcript_hash: String,
    /// The pause that ends a talk block, needed to read every monologue here.
    pub block_gap_ms: u64,
    /// The length of the call, where it is known.
    pub call_duration_ms: Option<u64>,
    /// From the first word to the last.
    pub span_ms: Option<u64>,
    /// Person time: the sum of everybody's talk time.
    pub speech_ms: Option<u64>,
    /// Time in which at least one person spoke.
    pub floor_ms: Option<u64>,
    /// Span minus floor.
    pub silence_ms: Option<u64>,
    /// Speech minus floor; only where the source shows overlap.
    pub overlap_ms: Option<u64>,
    /// Talk time of the seller's side.
    pub internal_talk_ms: Option<u64>,
    /// Talk time of the customer's side.
    pub external_talk_ms: Option<u64>,
    /// Talk time of speakers on no known side, and of words without a speaker.
    pub unknown_talk_ms: Option<u64>,
    /// Internal ÷ (internal + external) talk time. Unknown speakers are not in it. `rep_talk_ratio` in the reference.
    pub rep_talk_share_of_known_speech: Option<f64>,
    /// Internal talk time ÷ length of the call, about a fifth lower than the other share.
    pub rep_talk_share_of_call: Option<f64>,
    /// The longest talk block of the customer's side.
    pub longest_customer_story_ms: Option<u64>,
    /// How many turns there were, back-channels removed.
    pub turns: Option<u32>,
    /// How often the speaker changed.
    pub switches: Option<u32>,
    /// The same per hour of span.
    pub switches_per_hour_of_span: Option<f64>,
    /// The wait of the rep after the customer stops; gaps over 10 s are no patience and are left out.
    pub patience: Option<Gaps>,
    /// The wait after a rep's own question until somebody else speaks; 0 when the rep goes on within a second.
    pub patience_after_question: Option<Gaps>,
    /// Rep questions answered within 5 s by a customer turn of at least 20 words.
    pub engaging_questions: Option<u32>,
    /// How evenly turns are spread over people, 0 to 1.
    pub turn_entropy: Option<f64>,
    /// Ours, off by default: `40·(1 − min(1, |external share − 0.57| ÷ 0.57)) + 30·min(1, switches per hour ÷ 120)
    /// + 30·min(1, external questions per hour ÷ 20)`.
    pub engagement_0_100: Option<u8>,
    /// One entry per speaker with a name, by talk time, then name.
    pub speakers: Vec<SpeakerMetrics>,
}

/// The numbers of one speaker.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SpeakerMetrics {
    /// The display name.
    pub speaker: String,
    /// The side.
    pub side: Side,
    /// Length of the union of what they said, so that a cue given twice counts once.
    pub talk_ms: u64,
    /// Share of everybody's speech.
    pub talk_share_of_speech: Option<f64>,
    /// Words said.
    pub words: u32,
    /// Turns taken.
    pub turns: u32,
    /// The longest talk block, pauses inside it counted.
    pub longest_monologue_ms: Option<u64>,
    /// Questions asked.
    pub questions: u32,
    /// The same per hour of span.
    pub questions_per_hour_of_span: Option<f64>,
    /// Share of the questions that are open (what, how, why, …).
    pub open_share_of_questions: Option<f64>,
    /// Words per minute of talk; `None` under a minute of talk.
    pub words_per_talk_minute: Option<f64>,
    /// Lexical fillers ("you know", "basically", …) per minute of talk; `None` under a minute of talk.
    pub lexical_fillers_per_talk_minute: Option<f64>,
    /// "um" and "uh" per minute of talk; `None` for Zoom's transcript, which removes them.
    pub um_uh_per_talk_minute: Option<f64>,
    /// Times this speaker cut somebody off; `None` unless every participant has a track of their own.
    pub interruptions: Option<u32>,
}

/// Waits between turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Gaps {
    /// Mean, rounded.
    pub mean_ms: u64,
    /// Median; the lower middle of an even number.
    pub median_ms: u64,
    /// How many there were.
    pub n: u32,
}

impl Metrics {
    /// Measures a transcript. The order of the utterances does not matter.
    #[must_use]
    pub fn measure(transcript: &Transcript, sides: &Sides, options: &MetricsOptions) -> Self {
        let mut said: Vec<&Utterance> = transcript.utterances.iter().collect();
        said.sort_by_key(|u| (u.start_ms, u.end_ms, u.id));
        let mut metrics = Self {
            source: transcript.source.as_str().to_owned(),
            transcript_hash: transcript.hash(),
            block_gap_ms: options.block_gap_ms,
            call_duration_ms: options.call_duration_ms,
            ..Self::default()
        };
        let (Some(start), Some(end)) = (
            said.iter().map(|u| u.start_ms).min(),
            said.iter().map(|u| u.end_ms).max(),
        ) else {
            return metrics;
        };
        let span = end.saturating_sub(start);
        let floor = union_ms(said.iter().map(|u| (u.start_ms, u.end_ms)));
        let mut by_speaker: BTreeMap<Option<&str>, Vec<&Utterance>> = BTreeMap::new();
        for utterance in &said {
            by_speaker
                .entry(utterance.speaker.as_deref())
                .or_default()
                .push(utterance);
        }
        let talk: BTreeMap<Option<&str>, u64> = by_speaker
            .iter()
            .map(|(speaker, theirs)| (*speaker, union_ms(theirs.iter().map(|u| (u.start_ms, u.end_ms)))))
            .collect();
        let of_side = |side| {
            talk.iter()
                .filter(|(speaker, _)| sides.of(**speaker) == side)
                .map(|(_, ms)| ms)
                .sum::<u64>()
        };
        let speech: u64 = talk.values().sum();
        let (internal, external) = (of_side(Side::Internal), of_side(Side::External));
        metrics.span_ms = Some(span);
        metrics.speech_ms = Some(speech);
        metrics.floor_ms = Some(floor);
        metrics.silence_ms = Some(span.saturating_sub(floor));
        metrics.overlap_ms = options
            .overlap_is_measurable
            .then(|| speech.saturating_sub(floor));
        metrics.unknown_talk_ms = Some(of_side(Side::Unknown));
        if sides.are_known() {
            metrics.internal_talk_ms = Some(internal);
            metrics.external_talk_ms = Some(external);
            metrics.rep_talk_share_of_known_speech = ratio(internal, internal + external);
            metrics.rep_talk_share_of_call = options.call_duration_ms.and_then(|call| ratio(internal, call));
        }

        let turns = Turns::of(&said, options.block_gap_ms);
        if by_speaker.keys().any(Option::is_some) {
            metrics.longest_customer_story_ms =
                turns.longest_block(|speaker| sides.of(speaker) == Side::External);
            metrics.turns = Some(turns.count());
            metrics.switches = Some(turns.switches());
            metrics.switches_per_hour_of_span = per_hour(turns.switches(), span);
            metrics.turn_entropy = turns.entropy();
            if sides.are_known() {
                metrics.patience = turns.patience(sides);
                metrics.patience_after_question = turns.patience_after_question(&said, sides);
                metrics.engaging_questions = Some(turns.engaging_questions(sides));
            }
        }
        for (speaker, theirs) in &by_speaker {
            let Some(name) = speaker else { continue };
            let talk_ms = talk.get(speaker).copied().unwrap_or_default();
            metrics.speakers.push(SpeakerMetrics {
                side: sides.of(*speaker),
                talk_share_of_speech: ratio(talk_ms, speech),
                turns: turns.count_of(*speaker),
                longest_monologue_ms: turns.longest_block(|other| other == *speaker),
                ..pace::speaker(name, theirs, talk_ms, span, transcript.source.as_str())
            });
        }
        metrics
            .speakers
            .sort_by(|a, b| b.talk_ms.cmp(&a.talk_ms).then_with(|| a.speaker.cmp(&b.speaker)));
        if options.engagement {
            metrics.engagement_0_100 = metrics.engagement(external, internal + external);
        }
        metrics
    }

    /// The numbers of one speaker.
    #[must_use]
    pub fn speaker(&self, name: &str) -> Option<&SpeakerMetrics> {
        self.speakers.iter().find(|speaker| speaker.speaker == name)
    }

    /// A number by the name of its field: of this speaker if it is one of theirs, else of the call.
    #[must_use]
    pub fn named(&self, speaker: &str, name: &str) -> Option<f64> {
        let of_call = || match name {
            "rep_talk_share_of_known_speech" => self.rep_talk_share_of_known_speech,
            "rep_talk_share_of_call" => self.rep_talk_share_of_call,
            "longest_customer_story_ms" => self.longest_customer_story_ms.map(as_f64),
            "switches_per_hour_of_span" => self.switches_per_hour_of_span,
            "patience_mean_ms" => self.patience.map(|gaps| as_f64(gaps.mean_ms)),
            "patience_after_question_mean_ms" => {
                self.patience_after_question.map(|gaps| as_f64(gaps.mean_ms))
            }
            "engaging_questions" => self.engaging_questions.map(f64::from),
            _ => None,
        };
        let of_speaker = self.speaker(speaker).and_then(|them| match name {
            "talk_ms" => Some(as_f64(them.talk_ms)),
            "talk_share_of_speech" => them.talk_share_of_speech,
            "longest_monologue_ms" => them.longest_monologue_ms.map(as_f64),
            "questions" => Some(f64::from(them.questions)),
            "questions_per_hour_of_span" => them.questions_per_hour_of_span,
            "open_share_of_questions" => them.open_share_of_questions,
            "words_per_talk_minute" => them.words_per_talk_minute,
            "lexical_fillers_per_talk_minute" => them.lexical_fillers_per_talk_minute,
            _ => None,
        });
        of_speaker.or_else(of_call)
    }

    fn engagement(&self, external: u64, known: u64) -> Option<u8> {
        let share = ratio(external, known)?;
        let questions: u32 = self
            .speakers
            .iter()
            .filter(|s| s.side == Side::External)
            .map(|s| s.questions)
            .sum();
        let asked = per_hour(questions, self.span_ms?)?;
        let balance = 1.0 - ((share - 0.57).abs() / 0.57).min(1.0);
        let score = 40.0 * balance
            + 30.0 * (self.switches_per_hour_of_span? / 120.0).min(1.0)
            + 30.0 * (asked / 20.0).min(1.0);
        Some(percent(score / 100.0))
    }
}

/// Part ÷ whole, six decimals; `None` of nothing.
fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| rounded(as_f64(part) / as_f64(whole)))
}

fn per_hour(count: u32, span_ms: u64) -> Option<f64> {
    (span_ms > 0).then(|| rounded(f64::from(count) * 3_600_000.0 / as_f64(span_ms)))
}

/// Six decimals: a number read back from JSON is the number written.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// A share as a whole number of hundredths.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=100 before the cast"
)]
pub(crate) fn percent(share: f64) -> u8 {
    (share * 100.0).round().clamp(0.0, 100.0) as u8
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds of a call are far below 2^53"
)]
pub(crate) fn as_f64(ms: u64) -> f64 {
    ms as f64
}

pub(crate) fn words_of(utterances: &[&Utterance]) -> u32 {
    utterances.iter().map(|u| word_count(&u.text)).sum()
}

#[cfg(test)]
mod tests;
