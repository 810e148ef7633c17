//! Which token may come next, and when to stop: what makes a greedy choice come out as sentences with times.

use super::tokens::Tokens;

/// Whisper begins to speak within the first second of a piece.
const LATEST_START: u32 = 50;

/// A chosen token and the logarithm of its probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Choice {
    pub(super) token: u32,
    pub(super) log_probability: f32,
}

/// Takes the likeliest token that is allowed after `said` (which begins after the prompt).
///
/// Times come in pairs around text and never run back; when a time is likelier than every word together, it is a time.
pub(super) fn choose(scores: &mut [f32], said: &[u32], tokens: &Tokens, never: &[u32]) -> Choice {
    let first_time = tokens.first_timestamp();
    for token in never.iter().copied().filter(|token| *token != tokens.end) {
        forbid(scores, token..token + 1);
    }
    forbid(scores, tokens.end + 1..first_time);

    let last_is_time = said.last().is_some_and(|token| tokens.is_timestamp(*token));
    let before_is_time = said.len() < 2
        || said
            .iter()
            .rev()
            .nth(1)
            .is_some_and(|token| tokens.is_timestamp(*token));
    match (last_is_time, before_is_time) {
        (true, true) => forbid(scores, first_time..u32::MAX), // a segment was opened: words
        (true, false) => forbid(scores, 0..tokens.end),       // one was closed: the next opens, or the end
        (false, _) => {}
    }
    if let Some(last) = said.iter().rev().find(|token| tokens.is_timestamp(**token)) {
        // The next segment may open where the last one closed; otherwise time moves on.
        let earliest = if last_is_time && !before_is_time {
            *last
        } else {
            last + 1
        };
        forbid(scores, first_time..earliest);
    }
    if said.is_empty() {
        forbid(scores, 0..first_time);
        forbid(scores, first_time + LATEST_START + 1..u32::MAX);
    }

    let total = log_sum_exp(scores);
    let (words, times) = scores.split_at((first_time as usize).min(scores.len()));
    let best_word = words.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if log_sum_exp(times) > best_word {
        forbid(scores, 0..first_time);
    }
    let best = scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    let (token, score) = best.map_or((tokens.end, total), |(token, score)| (token as u32, *score));
    Choice {
        token,
        log_probability: score - total,
    }
}

/// The probability of one token.
pub(super) fn probability(scores: &[f32], token: u32) -> f32 {
    scores
        .get(token as usize)
        .map_or(0.0, |score| (score - log_sum_exp(scores)).exp())
}

/// Whether the words at the end are said over and over: how many tokens of `words` to keep then.
///
/// People do repeat themselves, so it takes three times, and twelve tokens in all.
pub(super) fn loop_start(words: &[u32]) -> Option<usize> {
    (1..=words.len() / 3).find_map(|period| {
        let times = 3.max(12_usize.div_ceil(period));
        let tail = words.len().checked_sub(period * times)?;
        let mut rounds = words.get(tail..)?.chunks(period);
        let first = rounds.next()?;
        rounds.all(|round| round == first).then_some(tail + period)
    })
}

fn forbid(scores: &mut [f32], range: std::ops::Range<u32>) {
    let end = (range.end as usize).min(scores.len());
    if let Some(scores) = scores.get_mut(range.start as usize..end) {
        scores.fill(f32::NEG_INFINITY);
    }
}

fn log_sum_exp(scores: &[f32]) -> f32 {
    let highest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if highest == f32::NEG_INFINITY {
        return highest;
    }
    highest
        + scores
            .iter()
            .map(|score| (score - highest).exp())
            .sum::<f32>()
            .ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::tokens::tests::tiny;

    // The tiny vocabulary: words 0–4, end 5, commands 6–11, times from 12 (0.00 s).
    const ALL: usize = 12 + 1501;

    fn choose_from(likely: &[(u32, f32)], said: &[u32]) -> u32 {
        let mut scores = vec![-20.0; ALL];
        for (token, score) in likely {
            scores[*token as usize] = *score;
        }
        choose(&mut scores, said, &tiny(), &[3, 5]).token
    }

    #[test]
    fn a_piece_begins_with_a_time_in_the_first_second() {
        assert_eq!(choose_from(&[(0, 9.0), (200, 8.0), (15, 1.0)], &[]), 15);
    }

    #[test]
    fn an_opening_time_is_followed_by_words() {
        assert_eq!(choose_from(&[(13, 9.0), (1, 2.0)], &[12]), 1);
    }

    #[test]
    fn a_closing_time_is_followed_by_a_time_or_the_end() {
        assert_eq!(choose_from(&[(0, 9.0), (40, 2.0), (5, 1.0)], &[12, 0, 40]), 40);
        assert_eq!(choose_from(&[(0, 9.0), (40, 2.0), (5, 3.0)], &[12, 0, 40]), 5);
    }

    #[test]
    fn time_never_runs_back() {
        assert_eq!(
            choose_from(&[(30, 9.0), (40, 8.0), (50, 7.0)], &[12, 0, 40]),
            40,
            "equal to the close is fine"
        );
        assert_eq!(
            choose_from(&[(40, 9.0), (50, 7.0)], &[12, 0, 40, 40, 1]),
            50,
            "an empty segment is not"
        );
    }

    #[test]
    fn times_that_together_beat_the_best_word_win() {
        let times: Vec<(u32, f32)> = (60..80).map(|token| (token, 1.0)).collect();
        assert_eq!(choose_from(&[(&[(1, 2.0)][..]), &times].concat(), &[12, 0]), 79);
        assert_eq!(choose_from(&[(1, 2.0), (60, 1.0)], &[12, 0]), 1);
    }

    #[test]
    fn commands_and_what_is_never_said_are_not_chosen() {
        assert_eq!(choose_from(&[(3, 9.0), (7, 9.0), (11, 9.0), (2, 1.0)], &[12]), 2);
        assert_eq!(
            choose_from(&[(5, 9.0), (2, 1.0)], &[12, 0]),
            5,
            "the end is always allowed"
        );
    }

    #[test]
    fn probabilities_are_those_of_a_softmax() {
        assert!((probability(&[1.0, 1.0, 1.0, 1.0], 2) - 0.25).abs() < 1e-6);
        assert_eq!(probability(&[1.0], 5), 0.0);
    }

    #[test]
    fn loops_are_cut_after_the_first_round() {
        assert_eq!(loop_start(&[9, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7]), Some(2));
        let phrase = [1, 2, 3, 4].repeat(3);
        assert_eq!(loop_start(&phrase), Some(4));
        assert_eq!(loop_start(&[&[8, 8], phrase.as_slice()].concat()), Some(6));
    }

    #[test]
    fn people_may_repeat_themselves() {
        assert_eq!(loop_start(&[7, 7, 7]), None);
        assert_eq!(loop_start(&[1, 2, 1, 2, 1, 2]), None);
        assert_eq!(loop_start(&[1, 2, 3, 4, 1, 2, 3, 4]), None);
        assert_eq!(loop_start(&[]), None);
    }
}
