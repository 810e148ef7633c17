//! Sentiment of a call from the scores of what was said.

use zoom_recordings::{Transcript, Utterance};

use super::vader::polarity;
use crate::metrics::{as_f64, percent, rounded};
use crate::text::word_count;
use crate::{Sentiment, SentimentMethod, Side, Sides};

/// Under so many utterances a first and a last third say nothing.
const ENOUGH_FOR_TREND: usize = 6;

/// The sentiment of an English call; `None` when nobody said a word.
pub(super) fn measure(transcript: &Transcript, sides: &Sides) -> Option<Sentiment> {
    let scored: Vec<(Side, f64, u32)> = transcript
        .utterances
        .iter()
        .map(|u: &Utterance| {
            (
                sides.of(u.speaker.as_deref()),
                polarity(&u.text).compound,
                word_count(&u.text),
            )
        })
        .collect();
    let of = |wanted: Option<Side>| -> Vec<(f64, u32)> {
        scored
            .iter()
            .filter(|(side, ..)| wanted.is_none_or(|w| w == *side))
            .map(|(_, score, n)| (*score, *n))
            .collect()
    };
    let mut sentiment = Sentiment::new(SentimentMethod::Lexicon);
    sentiment.overall = Some(mean(&of(None))?);
    sentiment.external = mean(&of(Some(Side::External)));
    sentiment.internal = mean(&of(Some(Side::Internal)));
    let headline = match sentiment.external {
        Some(external) => {
            sentiment.headline = Side::External;
            sentiment.trend = trend(&of(Some(Side::External)));
            external
        }
        None => {
            sentiment.trend = trend(&of(None));
            sentiment.overall?
        }
    };
    sentiment.score_0_100 = Some(percent(0.5 + headline / 2.0));
    Some(sentiment)
}

/// Weighted by words.
fn mean(scores: &[(f64, u32)]) -> Option<f64> {
    let words: u64 = scores.iter().map(|(_, words)| u64::from(*words)).sum();
    let sum: f64 = scores
        .iter()
        .map(|(score, words)| score * f64::from(*words))
        .sum();
    (words > 0).then(|| rounded(sum / as_f64(words)))
}

/// Mean of the last third minus mean of the first.
fn trend(scores: &[(f64, u32)]) -> Option<f64> {
    let third = scores.len() / 3;
    if scores.len() < ENOUGH_FOR_TREND {
        return None;
    }
    Some(rounded(
        mean(scores.get(scores.len() - third..)?)? - mean(scores.get(..third)?)?,
    ))
}

#[cfg(test)]
mod tests {
    use zoom_recordings::TranscriptSource;

    use super::*;

    #[test]
    fn the_headline_is_the_customers_and_weighs_by_words() {
        let mut transcript = Transcript::new(TranscriptSource::Zoom);
        transcript.push(0, 1_000, Some("Rep"), "This is terrible, awful, horrible.");
        transcript.push(1_000, 2_000, Some("Buyer"), "Great.");
        transcript.push(2_000, 3_000, Some("Buyer"), "The van left the yard at nine.");
        let sides = Sides::new()
            .with("Rep", Side::Internal)
            .with("Buyer", Side::External);
        let sentiment = measure(&transcript, &sides).unwrap();
        // "Great." alone scores 0.6249, one word of eight.
        assert_eq!(sentiment.external, Some(0.078_113));
        assert_eq!(
            (sentiment.score_0_100, sentiment.headline),
            (Some(54), Side::External)
        );
        assert!(sentiment.internal.unwrap() < -0.5);
        assert_eq!(sentiment.trend, None);
    }

    #[test]
    fn a_call_that_gets_better_has_a_positive_trend() {
        let mut transcript = Transcript::new(TranscriptSource::Zoom);
        for (at, text) in ["Bad.", "Awful.", "Okay then.", "The van left.", "Good.", "Great."]
            .into_iter()
            .enumerate()
        {
            transcript.push(at as u64 * 1_000, at as u64 * 1_000 + 900, Some("Buyer"), text);
        }
        let sides = Sides::new().with("Buyer", Side::External);
        assert!(measure(&transcript, &sides).unwrap().trend.unwrap() > 0.5);
        assert_eq!(measure(&Transcript::new(TranscriptSource::Zoom), &sides), None);
    }
}
