//! What an analyzer says about a call, and the evidence for it.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::Side;

/// The judgement of an analyzer. Numbers that can be counted are in [`Metrics`](crate::Metrics), never here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Analysis {
    /// Which engine said this, about which words.
    pub provenance: Provenance,
    /// The call in a few sentences, made of verified quotes.
    pub summary: Option<Summary>,
    /// How people sounded; `None` when the language is not supported or nothing was said.
    pub sentiment: Option<Sentiment>,
    /// The call signal score; `None` when the call is too short or nobody can be told to be the buyer.
    pub closing: Option<ClosingScore>,
    /// What the buyer held against buying.
    pub objections: Vec<Objection>,
    /// What somebody said they would do.
    pub next_steps: Vec<NextStep>,
    /// Advice to reps, at most three pieces per rep.
    pub coaching: Vec<CoachingTip>,
    /// What a reader must know about this analysis as a whole.
    pub flags: Vec<Flag>,
    /// What the grounding check threw away: the honest quality measure of an engine.
    pub dropped: Vec<Dropped>,
}

/// Where an analysis comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Provenance {
    /// The engine, such as `offline`.
    pub engine: String,
    /// The version of the engine's rules or prompt.
    pub engine_version: String,
    /// The hash of the transcript that was analysed.
    pub transcript_hash: String,
    /// The language of the words, as a short tag (`en`, `fr`), where it is known.
    pub language: Option<String>,
}

impl Provenance {
    /// An engine and the version of its rules.
    pub fn new(engine: impl Into<String>, engine_version: impl Into<String>) -> Self {
        Self { engine: engine.into(), engine_version: engine_version.into(), ..Self::default() }
    }
}

/// A quote and where it was said. An analyzer states ids and quote; [`ground`](crate::ground) checks them against the
/// transcript and fills in the rest, so a time shown to a reader never comes from a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Evidence {
    /// The utterances that the quote is from.
    pub utterance_ids: Vec<u32>,
    /// The words, verbatim.
    pub quote: String,
    /// How the quote was found in the transcript.
    pub quote_match: QuoteMatch,
    /// Start of the first utterance.
    pub start_ms: u64,
    /// End of the last utterance.
    pub end_ms: u64,
    /// Who said it.
    pub speaker: Option<String>,
    /// The side of the speaker.
    pub side: Side,
}

impl Evidence {
    /// A claim that these words stand in these utterances; not verified yet.
    pub fn claim(utterance_ids: Vec<u32>, quote: impl Into<String>) -> Self {
        Self {
            utterance_ids,
            quote: quote.into(),
            quote_match: QuoteMatch::Unverified,
            start_ms: 0,
            end_ms: 0,
            speaker: None,
            side: Side::Unknown,
        }
    }
}

/// How a quote was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum QuoteMatch {
    /// Nobody has looked yet. Never stored: [`ground`](crate::ground) verifies or drops.
    Unverified,
    /// Word for word in the utterances named.
    Exact,
    /// Word for word within two utterances of those named; the ids were corrected.
    Reanchored,
    /// Most of the words, in order; `permille` is the share of the quote's words found.
    Fuzzy {
        /// Words of the quote found, in thousandths.
        permille: u16,
    },
}

/// A summary and the quotes it rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Summary {
    /// The text shown.
    pub text: String,
    /// The quotes.
    pub evidence: Vec<Evidence>,
}

impl Summary {
    /// A summary with its quotes.
    pub fn new(text: impl Into<String>, evidence: Vec<Evidence>) -> Self {
        Self { text: text.into(), evidence }
    }
}

/// How people sounded, −1 to 1: the word-weighted mean of the scores of what they said (reference §1.4).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Sentiment {
    /// The customer's side.
    pub external: Option<f64>,
    /// The seller's side.
    pub internal: Option<f64>,
    /// Everybody, known side or not.
    pub overall: Option<f64>,
    /// Mean of the last third minus mean of the first third, of the headline side.
    pub trend: Option<f64>,
    /// 0–100, 50 neutral: `round(50 + 50·x)` of the headline side.
    pub score_0_100: Option<u8>,
    /// Whose number the headline is: [`Side::External`], or [`Side::Unknown`] for everybody when no side is known.
    pub headline: Side,
    /// How it was measured.
    pub method: SentimentMethod,
}

impl Sentiment {
    /// An empty measurement.
    #[must_use]
    pub fn new(method: SentimentMethod) -> Self {
        Self { external: None, internal: None, overall: None, trend: None, score_0_100: None, headline: Side::Unknown, method }
    }
}

/// How sentiment was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SentimentMethod {
    /// A word list with rules; weak on business speech, so only aggregates are shown.
    Lexicon,
    /// A language model.
    Model,
}

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
        Self { kind, state, points: kind.points(state), evidence }
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

/// Something the buyer held against buying.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Objection {
    /// What kind.
    pub category: ObjectionCategory,
    /// Whether the rep dealt with it.
    pub handled: Handled,
    /// What the buyer said.
    pub evidence: Vec<Evidence>,
    /// What the rep answered.
    pub response: Vec<Evidence>,
    /// Found by rules and not reviewed by a person.
    pub candidate: bool,
}

impl Objection {
    /// An objection with the words it rests on.
    #[must_use]
    pub fn new(category: ObjectionCategory, evidence: Evidence) -> Self {
        Self { category, handled: Handled::Unclear, evidence: vec![evidence], response: Vec::new(), candidate: true }
    }
}

/// What an objection is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ObjectionCategory {
    /// Too expensive.
    Price,
    /// Not now.
    Timing,
    /// Not mine to decide.
    Authority,
    /// Not needed.
    Need,
    /// Somebody else offers it.
    Competitor,
    /// Security, risk, trust.
    TrustRisk,
    /// Something is missing in the product.
    ProductGap,
    /// Contract and legal terms.
    ContractLegal,
    /// What we have is good enough.
    StatusQuo,
}

impl ObjectionCategory {
    /// The name used in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Price => "price",
            Self::Timing => "timing",
            Self::Authority => "authority",
            Self::Need => "need",
            Self::Competitor => "competitor",
            Self::TrustRisk => "trust_risk",
            Self::ProductGap => "product_gap",
            Self::ContractLegal => "contract_legal",
            Self::StatusQuo => "status_quo",
        }
    }
}

/// Whether an objection was dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Handled {
    /// The buyer accepted the answer.
    Yes,
    /// Nobody answered, or the buyer raised it again.
    No,
    /// There was an answer, and no sign whether it was enough.
    Unclear,
}

/// Something to be done after the call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NextStep {
    /// The side that has to act.
    pub owner_side: Side,
    /// Who has to act, when that was said.
    pub owner_name: Option<String>,
    /// What is to be done, in the words that were said.
    pub action: String,
    /// When, in the words that were said.
    pub due_text: Option<String>,
    /// The day meant, resolved against the start of the call in its time zone.
    pub due_date: Option<Date>,
    /// Promised or only proposed.
    pub status: NextStepStatus,
    /// What was said.
    pub evidence: Vec<Evidence>,
    /// Found by rules and not reviewed by a person: show it as a candidate, never as a commitment.
    pub candidate: bool,
}

impl NextStep {
    /// A next step with the words it rests on.
    pub fn new(owner_side: Side, action: impl Into<String>, status: NextStepStatus, evidence: Evidence) -> Self {
        Self {
            owner_side,
            owner_name: None,
            action: action.into(),
            due_text: None,
            due_date: None,
            status,
            evidence: vec![evidence],
            candidate: true,
        }
    }
}

/// How firm a next step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NextStepStatus {
    /// Somebody said they will.
    Committed,
    /// Somebody asked or suggested.
    Proposed,
}

/// A piece of advice to one rep, bound to a number or to a moment of the call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CoachingTip {
    /// The rep.
    pub speaker: String,
    /// What was seen.
    pub observation: String,
    /// What to try.
    pub suggestion: String,
    /// The number it rests on.
    pub metric: Option<MetricRef>,
    /// The moments it rests on.
    pub evidence: Vec<Evidence>,
}

impl CoachingTip {
    /// A tip that rests on a number.
    pub fn on_metric(
        speaker: impl Into<String>,
        observation: impl Into<String>,
        suggestion: impl Into<String>,
        metric: MetricRef,
    ) -> Self {
        Self {
            speaker: speaker.into(),
            observation: observation.into(),
            suggestion: suggestion.into(),
            metric: Some(metric),
            evidence: Vec::new(),
        }
    }

    /// A tip that rests on a moment.
    pub fn on_moment(
        speaker: impl Into<String>,
        observation: impl Into<String>,
        suggestion: impl Into<String>,
        evidence: Evidence,
    ) -> Self {
        Self {
            speaker: speaker.into(),
            observation: observation.into(),
            suggestion: suggestion.into(),
            metric: None,
            evidence: vec![evidence],
        }
    }
}

/// A computed number that a tip points to; [`ground`](crate::ground) drops the tip when the number is another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MetricRef {
    /// The name of the metric, a field of [`SpeakerMetrics`](crate::SpeakerMetrics) or [`Metrics`](crate::Metrics).
    pub name: String,
    /// Its value.
    pub value: f64,
    /// A line to compare with; not a truth.
    pub reference: Option<f64>,
}

impl MetricRef {
    /// Points to a metric by name and value.
    pub fn new(name: impl Into<String>, value: f64, reference: Option<f64>) -> Self {
        Self { name: name.into(), value, reference }
    }
}

/// What a reader must know about the analysis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Flag {
    /// Under a minute of speech.
    TooShort,
    /// Fewer than two speakers are told apart.
    SingleSpeaker,
    /// It is not known who belongs to the customer.
    SidesUnknown,
    /// No lexicon for this language: sentiment is missing on purpose.
    LanguageUnsupported,
    /// Somebody said something that reads like an instruction to a machine.
    PossibleInjection,
}

/// Something that was thrown away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Dropped {
    /// What it was: `objection`, `next_step`, ….
    pub item: String,
    /// Why.
    pub why: DropReason,
}

impl Dropped {
    /// An item and why it went.
    pub fn new(item: impl Into<String>, why: DropReason) -> Self {
        Self { item: item.into(), why }
    }
}

/// Why a claim did not stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DropReason {
    /// It cites nothing.
    NoEvidence,
    /// It cites an utterance that does not exist.
    UnknownUtterance,
    /// The words were not said there.
    QuoteNotFound,
    /// The words are those of the other side.
    WrongSide,
    /// The number is not the one that was computed.
    WrongMetric,
    /// There were already enough of its kind.
    TooMany,
    /// It names somebody who is not in the call.
    UnknownSpeaker,
    /// The due text or date was not said in the words cited.
    UnsupportedDate,
}
