//! Words, questions and fillers of one speaker.

use zoom_recordings::Utterance;

use super::{SpeakerMetrics, as_f64, is_open, per_hour, questions, rounded, words_of};
use crate::text::words;

/// Under a minute of talk a rate says nothing.
const ENOUGH_TALK_MS: u64 = 60_000;

const FILLERS: &[&[&str]] = &[
    &["you", "know"],
    &["i", "mean"],
    &["kind", "of"],
    &["basically"],
    &["actually"],
    &["en", "fait"],
    &["vous", "savez"],
    &["tu", "sais"],
    &["du", "coup"],
];

/// The numbers of a speaker that need nobody else; sides, turns and shares are filled in by the caller.
pub(super) fn speaker(
    name: &str,
    said: &[&Utterance],
    talk_ms: u64,
    span_ms: u64,
    source: &str,
) -> SpeakerMetrics {
    let asked: Vec<&str> = said.iter().flat_map(|u| questions(&u.text)).collect();
    let count = u32::try_from(asked.len()).unwrap_or(u32::MAX);
    let open = asked.iter().filter(|question| is_open(question)).count();
    let word_count = words_of(said);
    let (mut fillers, mut um_uh) = (0, 0);
    for utterance in said {
        let spoken = words(&utterance.text);
        fillers += FILLERS
            .iter()
            .map(|filler| spoken.windows(filler.len()).filter(|w| w == filler).count())
            .sum::<usize>();
        um_uh += spoken
            .iter()
            .filter(|word| matches!(word.as_str(), "um" | "uh" | "uhm" | "erm" | "er" | "euh"))
            .count();
    }
    let per_talk_minute =
        |count: f64| (talk_ms >= ENOUGH_TALK_MS).then(|| rounded(count * 60_000.0 / as_f64(talk_ms)));
    SpeakerMetrics {
        speaker: name.to_owned(),
        talk_ms,
        words: word_count,
        questions: count,
        questions_per_hour_of_span: per_hour(count, span_ms),
        open_share_of_questions: super::ratio(open as u64, u64::from(count)),
        words_per_talk_minute: per_talk_minute(f64::from(word_count)),
        lexical_fillers_per_talk_minute: per_talk_minute(as_f64(fillers as u64)),
        um_uh_per_talk_minute: if source == "zoom" {
            None
        } else {
            per_talk_minute(as_f64(um_uh as u64))
        },
        ..SpeakerMetrics::default()
    }
}
