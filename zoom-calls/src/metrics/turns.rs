//! Runs of one speaker: back-channels, turns, talk blocks, and the waits between turns.

use std::collections::BTreeMap;

use zoom_recordings::Utterance;

use super::{Gaps, as_f64, questions, rounded, words_of};
use crate::text::words;
use crate::{Side, Sides};

/// A longer wait is a pause of the call, not patience.
const LONGEST_WAIT_MS: u64 = 10_000;
const SHORT_MS: u64 = 1_200;
const GOES_ON_WITHIN_MS: u64 = 1_000;
const ANSWERED_WITHIN_MS: u64 = 5_000;
const ANSWER_WORDS: u32 = 20;

const BACK_CHANNEL: &[&str] = &[
    "yeah",
    "yes",
    "yep",
    "yup",
    "ok",
    "okay",
    "right",
    "mm",
    "mmm",
    "mhm",
    "hmm",
    "hm",
    "uh",
    "huh",
    "sure",
    "exactly",
    "absolutely",
    "totally",
    "gotcha",
    "cool",
    "ah",
    "oh",
    "aha",
    "oui",
    "ouais",
    "d'accord",
    "exact",
    "voilà",
    "bien",
    "sûr",
    "hum",
];

/// Everything one person said until somebody else took the floor, back-channels of others removed.
struct Turn<'a> {
    speaker: Option<&'a str>,
    said: Vec<&'a Utterance>,
}

impl Turn<'_> {
    fn start_ms(&self) -> u64 {
        self.said.iter().map(|u| u.start_ms).min().unwrap_or_default()
    }

    fn end_ms(&self) -> u64 {
        self.said.iter().map(|u| u.end_ms).max().unwrap_or_default()
    }

    fn is_back_channel(&self) -> bool {
        self.said.iter().all(|u| is_back_channel(u))
    }
}

pub(super) struct Turns<'a> {
    turns: Vec<Turn<'a>>,
    block_gap_ms: u64,
}

impl<'a> Turns<'a> {
    /// `said` is sorted by start.
    pub(super) fn of(said: &[&'a Utterance], block_gap_ms: u64) -> Self {
        let mut runs: Vec<Turn<'a>> = Vec::new();
        for utterance in said {
            push(&mut runs, utterance.speaker.as_deref(), [*utterance]);
        }
        let removed: Vec<bool> = runs
            .iter()
            .enumerate()
            .map(|(at, run)| {
                let before = at.checked_sub(1).and_then(|at| runs.get(at));
                let after = runs.get(at + 1);
                run.is_back_channel()
                    && before
                        .zip(after)
                        .is_some_and(|(before, after)| before.speaker == after.speaker)
            })
            .collect();
        let mut turns = Vec::new();
        for (run, _) in runs.into_iter().zip(removed).filter(|(_, removed)| !removed) {
            push(&mut turns, run.speaker, run.said);
        }
        Self { turns, block_gap_ms }
    }

    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.turns.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn count_of(&self, speaker: Option<&str>) -> u32 {
        u32::try_from(self.turns.iter().filter(|turn| turn.speaker == speaker).count()).unwrap_or(u32::MAX)
    }

    /// Neighbouring turns always have different speakers.
    pub(super) fn switches(&self) -> u32 {
        self.count().saturating_sub(1)
    }

    /// The longest talk block of the speakers asked for, pauses up to the gap counted.
    pub(super) fn longest_block(&self, wanted: impl Fn(Option<&str>) -> bool) -> Option<u64> {
        let of_turn = |turn: &Turn<'_>| {
            let mut longest = 0;
            let (mut start, mut end) = (turn.start_ms(), turn.start_ms());
            for utterance in &turn.said {
                if utterance.start_ms > end.saturating_add(self.block_gap_ms) {
                    start = utterance.start_ms;
                    end = start;
                }
                end = end.max(utterance.end_ms);
                longest = longest.max(end.saturating_sub(start));
            }
            longest
        };
        self.turns
            .iter()
            .filter(|turn| wanted(turn.speaker))
            .map(of_turn)
            .max()
    }

    /// −Σ p·ln p ÷ ln k over the turns of k speakers.
    pub(super) fn entropy(&self) -> Option<f64> {
        let mut counts: BTreeMap<Option<&str>, u32> = BTreeMap::new();
        for turn in &self.turns {
            *counts.entry(turn.speaker).or_default() += 1;
        }
        let k = as_f64(counts.len() as u64);
        let shares = counts
            .values()
            .map(|count| f64::from(*count) / f64::from(self.count()));
        (counts.len() >= 2).then(|| rounded(-shares.map(|p| p * p.ln()).sum::<f64>() / k.ln()))
    }

    /// `None` under three gaps.
    pub(super) fn patience(&self, sides: &Sides) -> Option<Gaps> {
        let waits = self.pairs().filter_map(|(before, after)| {
            let from_customer =
                sides.of(before.speaker) == Side::External && sides.of(after.speaker) == Side::Internal;
            from_customer.then(|| after.start_ms().saturating_sub(before.end_ms()))
        });
        gaps(waits, 3)
    }

    /// `said` is sorted by start.
    pub(super) fn patience_after_question(&self, said: &[&Utterance], sides: &Sides) -> Option<Gaps> {
        let waits = said.iter().enumerate().filter_map(|(at, asked)| {
            let ends_asking =
                sides.of(asked.speaker.as_deref()) == Side::Internal && asked.text.trim_end().ends_with('?');
            if !ends_asking {
                return None;
            }
            let next = said.get(at + 1)?;
            if next.speaker == asked.speaker
                && next.start_ms <= asked.end_ms.saturating_add(GOES_ON_WITHIN_MS)
            {
                return Some(0);
            }
            let answer = self
                .turns
                .iter()
                .find(|turn| turn.speaker != asked.speaker.as_deref() && turn.start_ms() >= asked.start_ms)?;
            Some(answer.start_ms().saturating_sub(asked.end_ms))
        });
        gaps(waits, 1)
    }

    pub(super) fn engaging_questions(&self, sides: &Sides) -> u32 {
        let engaging = self.pairs().filter(|(before, after)| {
            sides.of(before.speaker) == Side::Internal
                && sides.of(after.speaker) == Side::External
                && before.said.last().is_some_and(|last| {
                    questions(&last.text)
                        .last()
                        .is_some_and(|q| last.text.ends_with(q))
                })
                && after.start_ms() <= before.end_ms().saturating_add(ANSWERED_WITHIN_MS)
                && words_of(&after.said) >= ANSWER_WORDS
        });
        u32::try_from(engaging.count()).unwrap_or(u32::MAX)
    }

    fn pairs(&self) -> impl Iterator<Item = (&Turn<'a>, &Turn<'a>)> {
        self.turns.iter().zip(self.turns.iter().skip(1))
    }
}

fn push<'a>(
    turns: &mut Vec<Turn<'a>>,
    speaker: Option<&'a str>,
    said: impl IntoIterator<Item = &'a Utterance>,
) {
    match turns.last_mut() {
        Some(last) if last.speaker == speaker => last.said.extend(said),
        _ => turns.push(Turn {
            speaker,
            said: said.into_iter().collect(),
        }),
    }
}

/// Short, and nothing but sounds of listening. Whether it stands between two utterances of one other speaker is the
/// caller's to see.
fn is_back_channel(utterance: &Utterance) -> bool {
    let joined = words(&utterance.text)
        .join(" ")
        .replace("got it", "gotcha")
        .replace("i see", "gotcha");
    let mut count = 0;
    let all = joined.split(' ').all(|word| {
        count += 1;
        BACK_CHANNEL.contains(&word)
    });
    all && (count <= 3 || utterance.end_ms.saturating_sub(utterance.start_ms) <= SHORT_MS)
}

fn gaps(waits: impl Iterator<Item = u64>, at_least: usize) -> Option<Gaps> {
    let mut waits: Vec<u64> = waits.filter(|wait| *wait <= LONGEST_WAIT_MS).collect();
    waits.sort_unstable();
    let n = waits.len();
    let median_ms = waits.get(n.saturating_sub(1) / 2).copied()?;
    let count = n as u64;
    (n >= at_least).then(|| Gaps {
        mean_ms: (waits.iter().sum::<u64>() + count / 2) / count,
        median_ms,
        n: u32::try_from(n).unwrap_or(u32::MAX),
    })
}
