#![doc = include_str!("../README.md")]

mod analysis;
mod analyzer;
mod attribution;
mod call;
#[cfg(feature = "conformance")]
pub mod conformance;
mod contact;
mod id;
mod metrics;
mod pipeline;
mod recap;
mod report;
mod side;
mod source;
mod step;
mod store;
mod text;

pub use analysis::{
    Analysis, Band, ClosingScore, CoachingTip, DropReason, Dropped, Evidence, Factor, FactorKind,
    FactorState, Flag, Handled, MetricRef, NextStep, NextStepStatus, Objection, ObjectionCategory,
    Provenance, QuoteMatch, Sentiment, SentimentMethod, Summary,
};
pub use analyzer::{
    Analyzer, CallContext, OfflineAnalyzer, Polarity, StubAnalyzer, ground, polarity, score_rubric,
};
pub use attribution::{Attribution, Channel, Credit, Touch, Unattributed, WHOLE_PPM};
pub use call::{Call, CallStatus, Origin};
pub use contact::{
    Contact, ContactDirectory, ContactMatch, ContactQuery, CsvDirectory, CsvError, DecidedBy, MatchMethod,
    MemoryDirectory, ScoredContact, StubDirectory, normalized_email, normalized_phone,
};
pub use id::{CallId, ContactId, OwnerId};
pub use metrics::{Gaps, Metrics, MetricsOptions, SpeakerMetrics};
pub use pipeline::{IngestFile, Pipeline, PipelineBuilder, PipelineError};
pub use recap::{
    LogNotifier, Notifier, Recap, RecapObjection, RecapStep, Receipt, SlackMessage, StubNotifier,
};
#[cfg(feature = "slack")]
pub use recap::{SlackWebhook, SlackWebhookUrl};
pub use report::{CallReport, TranscriptReport};
pub use side::{CallParticipant, Organization, Side, Sides};
pub use source::{ClientSource, StubClientSource};
pub use step::{Step, StepRecord, StepState};
#[cfg(feature = "sqlite")]
pub use store::SqliteCallStore;
pub use store::{
    CallFilter, CallStore, CallSummary, MemoryCallStore, Scope, SearchHit, SearchQuery, StoreError,
};
pub use zoom_recordings::StageError;
