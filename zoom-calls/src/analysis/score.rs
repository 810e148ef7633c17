//! The call signal score and the answers it is made of.

use serde::{Deserialize, Serialize};

use super::Evidence;

/// A call signal score with its factors. It is not a win rate unless [`calibrated`](Self::calibrated) says so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClosingScore {
    /// 0–100.
    pub score: u8,
    /// The band of the score.
    pub band: Band,
    /// What the score rests on: `single_call_rubric` here.
    pub basis: String,
    /// Whether outcomes of past deals were used; until then the number is a signal and nothing more.
    pub calibrated: bool,
    /// The ten items of the rubric, each with its answer, its points and its evidence.
    pub factors: Vec<Factor>,
}

/// The band of a closing score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Band {
    /// 0–39.
    Low,
    /// 40–69.
    Fair,
    /// 70–100.
    High,
}

/// One item of the rubric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Factor {
    /// Which item.
    pub kind: FactorKind,
    /// The answer.
    pub state: FactorState,
    /// The points this answer brought, set by code from kind and state.
    pub points: i32,
    /// The quotes behind the answer.
    pub evidence: Vec<Evidence>,
}

impl Factor {
    /// An answer with its quotes; the points are computed.
    #[must_use]
    pub fn new(kind: FactorKind, state: FactorState, evidence: Vec<Evidence>) -> Self {
        Self {
            kind,
            state,
            points: kind.points(state),
            evidence,
        }
    }
}

/// The ten items of the rubric (reference §2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FactorKind {
    /// The buyer named a need or a pain.
    NeedStated,
    /// Money was discussed by the buyer.
    BudgetDiscussed,
    /// Who decides is present or named.
    DecisionMaker,
    /// The buyer named a time.
    TimelineStated,
    /// The buyer asked how buying, starting or using would work.
    BuyingQuestions,
    /// Somebody committed to a next step; fully when it has a date.
    NextStepCommitted,
    /// The buyer sounded better at the end than at the beginning.
    SentimentTrend,
    /// Another vendor is being looked at.
    CompetitorInPlay,
    /// An objection was left open.
    ObjectionOpen,
    /// The buyer said something that rules a purchase out.
    Disqualifier,
}

/// The answer to an item of the rubric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FactorState {
    /// Yes.
    Yes,
    /// In part.
    Partial,
    /// No.
    No,
    /// It cannot be told from this call.
    NotApplicable,
}
