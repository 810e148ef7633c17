//! What was counted.

use zoom_calls::{Metrics, Side};

use super::Fact;
use crate::format::{clock, percent};

/// The numbers that say something about a conversation; what could not be counted is left out.
pub(super) fn facts(metrics: &Metrics) -> Vec<Fact> {
    let seconds = |ms: u64| format!("{}.{} s", ms / 1_000, ms / 100 % 10);
    let mut facts = Vec::new();
    if let Some(share) = metrics.rep_talk_share_of_known_speech {
        facts.push(Fact::new("Our share of the talk", percent(share)));
    }
    if let Some(story) = metrics.longest_customer_story_ms {
        facts.push(Fact::new("Longest customer story", clock(story)));
    }
    if let Some(patience) = metrics.patience {
        facts.push(Fact::new("Pause before answering", seconds(patience.mean_ms)));
    }
    if let Some(switches) = metrics.switches {
        facts.push(Fact::new("Changes of speaker", switches.to_string()));
    }
    for rep in metrics
        .speakers
        .iter()
        .filter(|speaker| speaker.side == Side::Internal)
    {
        let open = rep
            .open_share_of_questions
            .map(|share| format!(", {} open", percent(share)))
            .unwrap_or_default();
        facts.push(Fact::new(
            format!("Questions by {}", rep.speaker),
            format!("{}{open}", rep.questions),
        ));
        if let Some(longest) = rep.longest_monologue_ms {
            facts.push(Fact::new(
                format!("Longest monologue of {}", rep.speaker),
                clock(longest),
            ));
        }
    }
    if facts.is_empty() {
        let shares = metrics
            .speakers
            .iter()
            .filter_map(|speaker| Some((speaker, speaker.talk_share_of_speech?)));
        facts.extend(shares.map(|(speaker, share)| Fact::new(speaker.speaker.clone(), percent(share))));
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_counted_is_not_shown_as_zero() {
        let mut metrics = Metrics::default();
        assert!(facts(&metrics).is_empty());
        metrics.rep_talk_share_of_known_speech = Some(0.431);
        metrics.longest_customer_story_ms = Some(61_000);
        assert_eq!(
            facts(&metrics),
            [
                Fact::new("Our share of the talk", "43 %"),
                Fact::new("Longest customer story", "1:01")
            ]
        );
    }
}
