//! VADER (Hutto & Gilbert, 2014), ported from the Python reference 3.3.2 rule by rule, quirks included.
//!
//! Rules and word lists are those of the reference; `lexicon/LICENSE-VADER.txt` holds its licence. `fixtures/vader.tsv`
//! pins the result to the reference.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

const CAPS: f64 = 0.733;
const NEGATED: f64 = -0.74;
const BOOST: f64 = 0.293;

static LEXICON: LazyLock<HashMap<&str, f64>> = LazyLock::new(|| {
    let rows = include_str!("../../lexicon/vader_lexicon.tsv")
        .lines()
        .filter_map(|line| line.split_once('\t'));
    rows.filter_map(|(word, valence)| Some((word, valence.parse().ok()?)))
        .collect()
});

static EMOJI: LazyLock<HashMap<char, &str>> = LazyLock::new(|| {
    let rows = include_str!("../../lexicon/emoji_lexicon.tsv")
        .lines()
        .filter_map(|line| line.split_once('\t'));
    rows.filter_map(|(emoji, words)| Some((emoji.chars().next()?, words)))
        .collect()
});

static BOOSTERS: LazyLock<HashMap<&str, f64>> = LazyLock::new(|| {
    let up = UP.split_whitespace().map(|word| (word, BOOST));
    let down = DOWN.split_whitespace().map(|word| (word, -BOOST));
    up.chain(down)
        .chain(DOWN_PAIRS.iter().map(|pair| (*pair, -BOOST)))
        .collect()
});

static NEGATIONS: LazyLock<HashSet<&str>> = LazyLock::new(|| NEGATE.split_whitespace().collect());

const UP: &str = "absolutely amazingly awfully completely considerable considerably decidedly deeply effing enormous \
    enormously entirely especially exceptional exceptionally extreme extremely fabulously flipping flippin frackin fracking \
    fricking frickin frigging friggin fully fuckin fucking fuggin fugging greatly hella highly hugely incredible incredibly \
    intensely major majorly more most particularly purely quite really remarkably so substantially thoroughly total totally \
    tremendous tremendously uber unbelievably unusually utter utterly very";
const DOWN: &str = "almost barely hardly kinda kindof kind-of less little marginal marginally occasional occasionally partly \
    scarce scarcely slight slightly somewhat sorta sortof sort-of";
const DOWN_PAIRS: &[&str] = &["just enough", "kind of", "sort of"];
const NEGATE: &str = "aint arent cannot cant couldnt darent didnt doesnt ain't aren't can't couldn't daren't didn't doesn't \
    dont hadnt hasnt havent isnt mightnt mustnt neither don't hadn't hasn't haven't isn't mightn't mustn't neednt needn't \
    never none nope nor not nothing nowhere oughtnt shant shouldnt uhuh wasnt werent oughtn't shan't shouldn't uh-uh wasn't \
    weren't without wont wouldnt won't wouldn't rarely seldom despite";
const SPECIAL: &[(&str, f64)] = &[
    ("the shit", 3.0),
    ("the bomb", 3.0),
    ("bad ass", 1.5),
    ("badass", 1.5),
    ("bus stop", 0.0),
    ("yeah right", -2.0),
    ("kiss of death", -1.5),
    ("to die for", 3.0),
    ("beating heart", 3.5),
];

/// The sentiment of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Polarity {
    /// −1 to 1, the one number to use; four decimals, as the reference rounds.
    pub compound: f64,
    /// Share of the text that is positive; three decimals.
    pub positive: f64,
    /// Share that is negative; three decimals.
    pub negative: f64,
    /// Share that is neither; three decimals.
    pub neutral: f64,
}

/// The sentiment of an English text by VADER's rules. Weak on business speech (reference §2.8): show aggregates only.
#[must_use]
pub fn polarity(text: &str) -> Polarity {
    let text = without_emoji(text);
    let words = Words::of(text.trim_matches(is_python_space));
    let mut sentiments: Vec<f64> = (0..words.len()).map(|at| words.sentiment(at)).collect();
    weigh_but(&words, &mut sentiments);
    score(&sentiments, &text)
}

/// Emoji become their descriptions.
fn without_emoji(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut after_space = true;
    for c in text.chars() {
        if let Some(description) = EMOJI.get(&c) {
            if !after_space {
                out.push(' ');
            }
            out.push_str(description);
            after_space = false;
        } else {
            out.push(c);
            after_space = c == ' ';
        }
    }
    out
}

/// What Python's `str.split` cuts at.
fn is_python_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// Whether the letters are all capitals, and there are any: Python's `str.isupper`.
fn is_upper(word: &str) -> bool {
    let mut any = false;
    for c in word.chars() {
        if c.is_lowercase() || (c.is_alphabetic() && c.to_lowercase().ne([c]) && !c.is_uppercase()) {
            return false;
        }
        any |= c.is_uppercase();
    }
    any
}

struct Words<'a> {
    as_written: Vec<&'a str>,
    lower: Vec<String>,
    /// Some words are in capitals and some are not.
    caps_mean_something: bool,
}

impl<'a> Words<'a> {
    fn of(text: &'a str) -> Self {
        let strip = |token: &'a str| {
            let stripped = token.trim_matches(|c: char| c.is_ascii_punctuation());
            // What is left of an emoticon is too short to be a word: keep the whole of it.
            if stripped.chars().count() <= 2 {
                token
            } else {
                stripped
            }
        };
        let as_written: Vec<&str> = text
            .split(is_python_space)
            .filter(|token| !token.is_empty())
            .map(strip)
            .collect();
        let upper = as_written.iter().filter(|word| is_upper(word)).count();
        Self {
            lower: as_written.iter().map(|word| word.to_lowercase()).collect(),
            caps_mean_something: 0 < upper && upper < as_written.len(),
            as_written,
        }
    }

    fn len(&self) -> usize {
        self.lower.len()
    }

    fn lower(&self, at: usize) -> &str {
        self.lower.get(at).map_or("", String::as_str)
    }

    /// The word so many places before; empty if there is none.
    fn before(&self, at: usize, places: usize) -> &str {
        at.checked_sub(places).map_or("", |at| self.lower(at))
    }

    fn is_shouted(&self, at: usize) -> bool {
        self.caps_mean_something && self.as_written.get(at).is_some_and(|word| is_upper(word))
    }

    fn sentiment(&self, at: usize) -> f64 {
        let word = self.lower(at);
        if BOOSTERS.contains_key(word) || (word == "kind" && self.lower(at + 1) == "of") {
            return 0.0;
        }
        let Some(lexical) = LEXICON.get(word).copied() else {
            return 0.0;
        };
        let mut valence = lexical;
        if word == "no" && at + 1 < self.len() && LEXICON.contains_key(self.lower(at + 1)) {
            valence = 0.0;
        }
        let no_before = self.before(at, 1) == "no"
            || self.before(at, 2) == "no"
            || (self.before(at, 3) == "no" && matches!(self.before(at, 1), "or" | "nor"));
        if no_before {
            valence = lexical * NEGATED;
        }
        if self.is_shouted(at) {
            valence += if valence > 0.0 { CAPS } else { -CAPS };
        }
        for distance in 0..3 {
            let Some(earlier) = at.checked_sub(distance + 1) else {
                break;
            };
            if LEXICON.contains_key(self.lower(earlier)) {
                continue;
            }
            let dampening = [1.0, 0.95, 0.9].get(distance).copied().unwrap_or(1.0);
            valence += self.boost(earlier, valence) * dampening;
            valence = self.negate(valence, distance, at);
            if distance == 2 {
                valence = self.special(valence, at);
            }
        }
        self.least(valence, at)
    }

    /// What a booster adds to or takes from the word after it.
    fn boost(&self, at: usize, valence: f64) -> f64 {
        let Some(boost) = BOOSTERS.get(self.lower(at)).copied() else {
            return 0.0;
        };
        let mut scalar = if valence < 0.0 { -boost } else { boost };
        if self.is_shouted(at) {
            scalar += if valence > 0.0 { CAPS } else { -CAPS };
        }
        scalar
    }

    fn negate(&self, valence: f64, distance: usize, at: usize) -> f64 {
        let (one, two, three) = (self.before(at, 1), self.before(at, 2), self.before(at, 3));
        let is_so = |word: &str| matches!(word, "so" | "this");
        let is_negation = |word: &str| NEGATIONS.contains(word) || word.contains("n't");
        match distance {
            0 if is_negation(one) => valence * NEGATED,
            1 if two == "never" && is_so(one) => valence * 1.25,
            1 if two == "without" && one == "doubt" => valence,
            1 if is_negation(two) => valence * NEGATED,
            // The reference's `and … or …` binds like this: a "so" right before counts without a "never".
            2 if (three == "never" && is_so(two)) || is_so(one) => valence * 1.25,
            2 if three == "without" && (two == "doubt" || one == "doubt") => valence,
            2 if is_negation(three) => valence * NEGATED,
            _ => valence,
        }
    }

    fn special(&self, mut valence: f64, at: usize) -> f64 {
        let (zero, one, two, three) = (
            self.lower(at),
            self.before(at, 1),
            self.before(at, 2),
            self.before(at, 3),
        );
        let special = |words: &str| {
            SPECIAL
                .iter()
                .find(|(special, _)| *special == words)
                .map(|(_, valence)| *valence)
        };
        let (two_one, three_two_one, three_two) = (
            format!("{two} {one}"),
            format!("{three} {two} {one}"),
            format!("{three} {two}"),
        );
        let before = [
            format!("{one} {zero}"),
            format!("{two} {one} {zero}"),
            two_one.clone(),
            three_two_one.clone(),
            three_two.clone(),
        ];
        if let Some(found) = before.iter().find_map(|words| special(words)) {
            valence = found;
        }
        if at + 1 < self.len()
            && let Some(found) = special(&format!("{zero} {}", self.lower(at + 1)))
        {
            valence = found;
        }
        if at + 2 < self.len()
            && let Some(found) = special(&format!("{zero} {} {}", self.lower(at + 1), self.lower(at + 2)))
        {
            valence = found;
        }
        for words in [three_two_one, three_two, two_one] {
            valence += BOOSTERS.get(words.as_str()).copied().unwrap_or_default();
        }
        valence
    }

    fn least(&self, valence: f64, at: usize) -> f64 {
        let negates = self.before(at, 1) == "least" && !LEXICON.contains_key("least");
        if negates && !(at > 1 && matches!(self.before(at, 2), "at" | "very")) {
            valence * NEGATED
        } else {
            valence
        }
    }
}

/// Half of what stands before a "but", half as much again of what stands after. The reference looks a value up by its
/// first equal in the list, so equal values share the fate of the first; so do ours.
fn weigh_but(words: &Words<'_>, sentiments: &mut [f64]) {
    let Some(but) = words.lower.iter().position(|word| word == "but") else {
        return;
    };
    for at in 0..sentiments.len() {
        let Some(value) = sentiments.get(at).copied() else {
            break;
        };
        let Some(first) = sentiments.iter().position(|other| *other == value) else {
            break;
        };
        if let Some(slot) = sentiments.get_mut(first) {
            match first.cmp(&but) {
                std::cmp::Ordering::Less => *slot = value * 0.5,
                std::cmp::Ordering::Greater => *slot = value * 1.5,
                std::cmp::Ordering::Equal => {}
            }
        }
    }
}

fn score(sentiments: &[f64], text: &str) -> Polarity {
    if sentiments.is_empty() {
        return Polarity::default();
    }
    let count = |mark| f64::from(u32::try_from(text.matches(mark).count()).unwrap_or(u32::MAX));
    let questions = count('?');
    let asked = if questions <= 1.0 {
        0.0
    } else if questions <= 3.0 {
        questions * 0.18
    } else {
        0.96
    };
    let emphasis = count('!').min(4.0) * 0.292 + asked;

    let mut sum: f64 = sentiments.iter().sum();
    if sum > 0.0 {
        sum += emphasis;
    } else if sum < 0.0 {
        sum -= emphasis;
    }
    let compound = (sum / (sum * sum + 15.0).sqrt()).clamp(-1.0, 1.0);

    let mut positive: f64 = sentiments.iter().filter(|s| **s > 0.0).map(|s| s + 1.0).sum();
    let mut negative: f64 = sentiments.iter().filter(|s| **s < 0.0).map(|s| 1.0 - s).sum();
    let neutral = sentiments.iter().filter(|s| **s == 0.0).map(|_| 1.0).sum::<f64>();
    if positive > negative {
        positive += emphasis;
    } else if positive < negative {
        negative += emphasis;
    }
    let total = positive + negative + neutral;
    let round = |value: f64, places: f64| (value * places).round() / places;
    Polarity {
        compound: round(compound, 10_000.0),
        positive: round(positive / total, 1_000.0),
        negative: round(negative / total, 1_000.0),
        neutral: round(neutral / total, 1_000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of the rated set that ships with the reference, scored by the reference.
    #[test]
    fn every_row_scores_as_the_python_reference_does() {
        let mut checked = 0;
        for line in include_str!("../../fixtures/vader.tsv")
            .lines()
            .filter(|line| !line.starts_with('#'))
        {
            let mut cells = line.splitn(5, '\t');
            let mut number = || cells.next().unwrap().parse::<f64>().unwrap();
            let (compound, positive, negative, neutral) = (number(), number(), number(), number());
            let text = cells.next().unwrap();
            let ours = polarity(text);
            assert!(
                (ours.compound - compound).abs() <= 0.0002,
                "{text}: {} is not {compound}",
                ours.compound
            );
            for (ours, theirs) in [
                (ours.positive, positive),
                (ours.negative, negative),
                (ours.neutral, neutral),
            ] {
                assert!((ours - theirs).abs() <= 0.0011, "{text}: {ours} is not {theirs}");
            }
            checked += 1;
        }
        assert_eq!(checked, 400);
    }

    #[test]
    fn nothing_said_has_no_sentiment() {
        assert_eq!(polarity("  "), Polarity::default());
        assert_eq!(LEXICON.len(), 7_506);
    }
}
