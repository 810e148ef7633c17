//! What the analyzer says: score, sentiment, objections, next steps, coaching.

use zoom_calls::{
    Band, ClosingScore, CoachingTip, Factor, FactorKind, FactorState, Handled, NextStep, NextStepStatus,
    Objection, Sentiment, Side,
};

use super::{Quote, quotes};
use crate::format::{day, points, words};

/// A change of sentiment smaller than this is noise.
const STEADY: f64 = 0.05;

/// The call signal score.
#[derive(Debug)]
pub(super) struct Score {
    pub(super) value: u8,
    pub(super) band: &'static str,
    pub(super) tone: &'static str,
    pub(super) calibrated: bool,
    pub(super) factors: Vec<FactorView>,
    pub(super) missing: String,
}

/// An item of the rubric that counted.
#[derive(Debug)]
pub(super) struct FactorView {
    pub(super) text: String,
    pub(super) points: String,
    pub(super) tone: &'static str,
    pub(super) quotes: Vec<Quote>,
}

impl Score {
    pub(super) fn of(closing: &ClosingScore) -> Self {
        let (band, tone) = match closing.band {
            Band::Low => ("weak", "bad"),
            Band::Fair => ("fair", "warn"),
            Band::High => ("strong", "good"),
            _ => ("", ""),
        };
        let is_missed = |factor: &&Factor| factor.state == FactorState::No && factor.kind.weight() > 0;
        let missing: Vec<&str> = closing
            .factors
            .iter()
            .filter(is_missed)
            .map(|factor| item(factor.kind).0)
            .collect();
        let counted = closing.factors.iter().filter(|factor| factor.points != 0);
        Self {
            value: closing.score,
            band,
            tone,
            calibrated: closing.calibrated,
            factors: counted.map(FactorView::of).collect(),
            missing: missing.join(", "),
        }
    }
}

impl FactorView {
    fn of(factor: &Factor) -> Self {
        let text = item(factor.kind).1;
        let in_part = if factor.state == FactorState::Partial {
            ", in part"
        } else {
            ""
        };
        Self {
            text: format!("{text}{in_part}"),
            points: points(factor.points),
            tone: if factor.points < 0 { "bad" } else { "good" },
            quotes: quotes(&factor.evidence),
        }
    }
}

/// An item of the rubric: its name, and the sentence for a yes.
fn item(kind: FactorKind) -> (&'static str, &'static str) {
    match kind {
        FactorKind::NeedStated => ("need", "They named a need"),
        FactorKind::BudgetDiscussed => ("budget", "They spoke about money"),
        FactorKind::DecisionMaker => ("decision maker", "It is known who decides"),
        FactorKind::TimelineStated => ("timeline", "They named a time"),
        FactorKind::BuyingQuestions => ("buying questions", "They asked how it would work"),
        FactorKind::NextStepCommitted => ("next step", "Somebody committed to a next step"),
        FactorKind::SentimentTrend => ("rising mood", "They sounded better at the end"),
        FactorKind::CompetitorInPlay => ("competitor", "Another vendor is in play"),
        FactorKind::ObjectionOpen => ("open objection", "An objection was left open"),
        FactorKind::Disqualifier => ("disqualifier", "Something rules a purchase out"),
        _ => ("other", "Something else counted"),
    }
}

/// How people sounded.
#[derive(Debug)]
pub(super) struct SentimentView {
    pub(super) score: u8,
    pub(super) whose: &'static str,
    pub(super) trend: &'static str,
}

impl SentimentView {
    /// Nothing to show without a headline.
    pub(super) fn of(sentiment: &Sentiment) -> Option<Self> {
        let whose = match sentiment.headline {
            Side::External => "the customer",
            Side::Internal => "our side",
            _ => "everybody",
        };
        let trend = match sentiment.trend {
            Some(trend) if trend > STEADY => "It rose from beginning to end.",
            Some(trend) if trend < -STEADY => "It fell from beginning to end.",
            Some(_) => "It stayed as it was.",
            None => "",
        };
        Some(Self {
            score: sentiment.score_0_100?,
            whose,
            trend,
        })
    }
}

/// Something to be done.
#[derive(Debug)]
pub(super) struct NextStepView {
    pub(super) who: String,
    pub(super) action: String,
    pub(super) due: String,
    pub(super) is_proposed: bool,
    pub(super) quotes: Vec<Quote>,
}

impl NextStepView {
    pub(super) fn of(step: &NextStep) -> Self {
        let side = match step.owner_side {
            Side::Internal => "Our side",
            Side::External => "The customer",
            _ => "Somebody",
        };
        let due = step.due_date.map(day).or_else(|| step.due_text.clone());
        Self {
            who: step.owner_name.clone().unwrap_or_else(|| side.to_owned()),
            action: step.action.clone(),
            due: due.unwrap_or_default(),
            is_proposed: step.status == NextStepStatus::Proposed,
            quotes: unlike(&step.action, quotes(&step.evidence)),
        }
    }
}

/// Most actions are a piece of their quote: those words are not shown twice, only where they were said.
fn unlike(action: &str, mut quotes: Vec<Quote>) -> Vec<Quote> {
    let shown = action.to_lowercase();
    for quote in quotes
        .iter_mut()
        .filter(|quote| quote.text.to_lowercase().contains(&shown))
    {
        quote.text.clear();
    }
    quotes
}

/// What the buyer held against buying, and the answer.
#[derive(Debug)]
pub(super) struct ObjectionView {
    pub(super) category: String,
    pub(super) handled: &'static str,
    pub(super) tone: &'static str,
    pub(super) quotes: Vec<Quote>,
    pub(super) answers: Vec<Quote>,
}

impl ObjectionView {
    pub(super) fn of(objection: &Objection) -> Self {
        let (handled, tone) = match objection.handled {
            Handled::Yes => ("answered", "good"),
            Handled::No => ("left open", "bad"),
            _ => ("reply unclear", "warn"),
        };
        Self {
            category: words(objection.category.as_str()),
            handled,
            tone,
            quotes: quotes(&objection.evidence),
            answers: quotes(&objection.response),
        }
    }
}

/// A piece of advice.
#[derive(Debug)]
pub(super) struct Tip {
    pub(super) speaker: String,
    pub(super) observation: String,
    pub(super) suggestion: String,
    pub(super) quotes: Vec<Quote>,
}

impl Tip {
    pub(super) fn of(tip: &CoachingTip) -> Self {
        Self {
            speaker: tip.speaker.clone(),
            observation: tip.observation.clone(),
            suggestion: tip.suggestion.clone(),
            quotes: quotes(&tip.evidence),
        }
    }
}

#[cfg(test)]
mod tests {
    use zoom_calls::{Evidence, SentimentMethod, score_rubric};

    use super::*;

    #[test]
    fn a_score_shows_what_counted_and_names_what_was_missing() {
        let quote = || vec![Evidence::claim(vec![7], "We pay too much today.")];
        let score = Score::of(&score_rubric(vec![
            Factor::new(FactorKind::NeedStated, FactorState::Yes, quote()),
            Factor::new(FactorKind::NextStepCommitted, FactorState::Partial, quote()),
            Factor::new(FactorKind::ObjectionOpen, FactorState::Yes, quote()),
            Factor::new(FactorKind::BudgetDiscussed, FactorState::No, Vec::new()),
            Factor::new(FactorKind::CompetitorInPlay, FactorState::No, Vec::new()),
        ]));
        let shown: Vec<(&str, &str)> = score
            .factors
            .iter()
            .map(|one| (one.text.as_str(), one.points.as_str()))
            .collect();
        assert_eq!(
            shown,
            [
                ("They named a need", "+8"),
                ("Somebody committed to a next step, in part", "+7"),
                ("An objection was left open", "−12")
            ]
        );
        assert_eq!((score.missing.as_str(), score.band), ("budget", "fair"));
        assert_eq!(score.factors[0].quotes[0].anchor, "#u7");
    }

    #[test]
    fn a_next_step_does_not_say_its_words_twice() {
        let step = |action| {
            let quote = Evidence::claim(vec![3], "I'll send the proposal by Friday.");
            NextStepView::of(&NextStep::new(
                Side::Internal,
                action,
                NextStepStatus::Committed,
                quote,
            ))
        };
        assert_eq!(step("send the proposal").quotes[0].text, "");
        assert_eq!(
            step("write it up").quotes[0].text,
            "I'll send the proposal by Friday."
        );
        assert_eq!(step("send the proposal").who, "Our side");
    }

    #[test]
    fn sentiment_without_a_headline_is_not_shown() {
        let mut sentiment = Sentiment::new(SentimentMethod::Lexicon);
        assert!(SentimentView::of(&sentiment).is_none());
        (sentiment.score_0_100, sentiment.trend, sentiment.headline) = (Some(61), Some(-0.2), Side::External);
        let view = SentimentView::of(&sentiment).unwrap();
        assert_eq!(
            (view.whose, view.trend),
            ("the customer", "It fell from beginning to end.")
        );
    }
}
