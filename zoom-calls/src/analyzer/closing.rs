//! The call signal score: points for ten answers, added up by code (reference §2.6).

use crate::{Band, ClosingScore, Factor, FactorKind, FactorState, Side};

/// Where a call starts before anything is known of it.
const PRIOR: i32 = 40;

impl FactorKind {
    /// The ten items, in the order in which they are shown.
    pub const ALL: [Self; 10] = [
        Self::NeedStated,
        Self::BudgetDiscussed,
        Self::DecisionMaker,
        Self::TimelineStated,
        Self::BuyingQuestions,
        Self::NextStepCommitted,
        Self::SentimentTrend,
        Self::CompetitorInPlay,
        Self::ObjectionOpen,
        Self::Disqualifier,
    ];

    /// The points for a full yes; half of them for a partial one, none for the rest.
    #[must_use]
    pub fn weight(self) -> i32 {
        match self {
            Self::NextStepCommitted => 14,
            Self::NeedStated | Self::DecisionMaker | Self::BuyingQuestions => 8,
            Self::BudgetDiscussed | Self::TimelineStated => 8,
            Self::SentimentTrend => 6,
            Self::CompetitorInPlay => -6,
            Self::ObjectionOpen => -12,
            Self::Disqualifier => -30,
        }
    }

    pub(crate) fn points(self, state: FactorState) -> i32 {
        match state {
            FactorState::Yes => self.weight(),
            FactorState::Partial => self.weight() / 2,
            FactorState::No | FactorState::NotApplicable => 0,
        }
    }

    /// Whether the answer follows from numbers alone and needs no quote.
    pub(crate) fn is_computed(self) -> bool {
        self == Self::SentimentTrend
    }

    /// Whose words the answer must rest on.
    pub(crate) fn said_by(self) -> Option<Side> {
        match self {
            // A rep may name the decision maker's name or take the next step.
            Self::NextStepCommitted | Self::SentimentTrend | Self::DecisionMaker => None,
            _ => Some(Side::External),
        }
    }
}

/// The score of a set of answers: `clamp(40 + Σ points, 0, 100)`. Equal answers give equal scores; an item without an
/// answer counts as not applicable, and of two answers to one item the first counts.
#[must_use]
pub fn score_rubric(answers: Vec<Factor>) -> ClosingScore {
    let mut answers = answers;
    let factors: Vec<Factor> = FactorKind::ALL
        .into_iter()
        .map(|kind| {
            let answer = answers
                .iter()
                .position(|answer| answer.kind == kind)
                .map(|at| answers.swap_remove(at));
            answer.map_or_else(
                || Factor::new(kind, FactorState::NotApplicable, Vec::new()),
                |answer| Factor::new(kind, answer.state, answer.evidence),
            )
        })
        .collect();
    let sum = PRIOR + factors.iter().map(|factor| factor.points).sum::<i32>();
    let score = u8::try_from(sum.clamp(0, 100)).unwrap_or_default();
    let band = match score {
        0..=39 => Band::Low,
        40..=69 => Band::Fair,
        _ => Band::High,
    };
    ClosingScore {
        score,
        band,
        basis: "single_call_rubric".to_owned(),
        calibrated: false,
        factors,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer(kind: FactorKind, state: FactorState) -> Factor {
        Factor::new(kind, state, Vec::new())
    }

    #[test]
    fn a_call_of_which_nothing_is_known_scores_the_prior() {
        let closing = score_rubric(Vec::new());
        assert_eq!(
            (closing.score, closing.band, closing.calibrated),
            (40, Band::Fair, false)
        );
        assert_eq!(closing.factors.len(), 10);
    }

    #[test]
    fn everything_good_is_a_hundred_and_everything_bad_is_nothing() {
        let all = |wanted: fn(i32) -> bool| {
            let chosen = FactorKind::ALL.into_iter().filter(|kind| wanted(kind.weight()));
            score_rubric(chosen.map(|kind| answer(kind, FactorState::Yes)).collect()).score
        };
        assert_eq!(all(|weight| weight > 0), 100);
        assert_eq!(all(|weight| weight < 0), 0);
        // 40 + 8 + 14 / 2 − 12
        let mixed = vec![
            answer(FactorKind::NeedStated, FactorState::Yes),
            answer(FactorKind::NextStepCommitted, FactorState::Partial),
            answer(FactorKind::ObjectionOpen, FactorState::Yes),
            answer(FactorKind::BudgetDiscussed, FactorState::No),
        ];
        assert_eq!(score_rubric(mixed).score, 43);
    }

    proptest! {
        #[test]
        fn the_order_of_answers_changes_nothing(states in proptest::collection::vec(0_u8..4, 10), shift in 0_usize..10) {
            let state = |n: &u8| match n {
                0 => FactorState::Yes,
                1 => FactorState::Partial,
                2 => FactorState::No,
                _ => FactorState::NotApplicable,
            };
            let answers: Vec<Factor> =
                FactorKind::ALL.into_iter().zip(&states).map(|(kind, n)| answer(kind, state(n))).collect();
            let mut turned = answers.clone();
            turned.rotate_left(shift);
            prop_assert_eq!(score_rubric(answers), score_rubric(turned));
        }
    }
}
