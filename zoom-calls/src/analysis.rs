//! What an analyzer says about a call, and the evidence for it.

mod evidence;
mod score;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::Side;

pub use evidence::{DropReason, Dropped, Evidence, QuoteMatch};
pub use score::{Band, ClosingScore, Factor, FactorKind, FactorState};

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
        Self {
            engine: engine.into(),
            engine_version: engine_version.into(),
            ..Self::default()
        }
    }
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
        Self {
            text: text.into(),
            evidence,
        }
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
        Self {
            external: None,
            internal: None,
            overall: None,
            trend: None,
            score_0_100: None,
            headline: Side::Unknown,
            method,
        }
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
        Self {
            category,
            handled: Handled::Unclear,
            evidence: vec![evidence],
            response: Vec::new(),
            candidate: true,
        }
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
    pub fn new(
        owner_side: Side,
        action: impl Into<String>,
        status: NextStepStatus,
        evidence: Evidence,
    ) -> Self {
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
        Self {
            name: name.into(),
            value,
            reference,
        }
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
