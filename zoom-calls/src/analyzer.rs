//! From words and numbers to a judgement.

mod closing;
mod coaching;
mod dates;
mod grounding;
mod language;
mod next_steps;
mod objections;
mod offline;
mod phrases;
mod sentiment;
mod summary;
mod vader;

use std::fmt;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use zoom_recordings::{StageError, Transcript};

use crate::{Analysis, Metrics, Sides};

pub use closing::score_rubric;
pub use grounding::ground;
pub use offline::OfflineAnalyzer;
pub use vader::{Polarity, polarity};

/// Judges a call.
///
/// # Contract
///
/// 1. *grounded*: every claim cites utterances and words. The pipeline runs [`ground`] over every answer, so what cannot be
///    verified is dropped whoever said it.
/// 2. *no_counting*: what can be counted is in the metrics; an analyzer reads it and repeats it unchanged.
/// 3. *silence*: a transcript without words gives an analysis without claims, not an error.
/// 4. *repeatable*: the same context gives the same analysis, as far as the engine can promise.
///
/// # Clone
///
/// Implementations are shared as `Arc<dyn Analyzer>`.
///
/// # Cancellation
///
/// An analysis changes nothing and may be dropped at any time.
///
/// # Errors
///
/// [`StageError`]: transient when asking again may help.
#[async_trait]
pub trait Analyzer: fmt::Debug + Send + Sync + 'static {
    /// The judgement on one call.
    async fn analyze(&self, call: &CallContext<'_>) -> Result<Analysis, StageError>;
}

/// What an analyzer may see of a call.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CallContext<'a> {
    /// The words.
    pub transcript: &'a Transcript,
    /// Who is on which side.
    pub sides: &'a Sides,
    /// The numbers.
    pub metrics: &'a Metrics,
    /// The topic of the meeting.
    pub topic: &'a str,
    /// When the call began; without it no date can be told from "Friday".
    pub started_at: Option<Timestamp>,
    /// The time zone in which people spoke of days.
    pub timezone: Option<&'a str>,
}

impl<'a> CallContext<'a> {
    /// The context of a call of which nothing else is known.
    #[must_use]
    pub fn new(transcript: &'a Transcript, sides: &'a Sides, metrics: &'a Metrics) -> Self {
        Self {
            transcript,
            sides,
            metrics,
            topic: "",
            started_at: None,
            timezone: None,
        }
    }

    /// Names the meeting.
    #[must_use]
    pub fn topic(mut self, topic: &'a str) -> Self {
        self.topic = topic;
        self
    }

    /// Says when the call began, and in which time zone.
    #[must_use]
    pub fn started_at(mut self, started_at: Timestamp, timezone: Option<&'a str>) -> Self {
        self.started_at = Some(started_at);
        self.timezone = timezone;
        self
    }
}

/// Answers with what it was given and counts how often it was asked. For tests.
#[derive(Debug, Default)]
pub struct StubAnalyzer {
    answer: Analysis,
    hashes: Mutex<Vec<String>>,
}

impl StubAnalyzer {
    /// Always answers this.
    #[must_use]
    pub fn new(answer: Analysis) -> Self {
        Self {
            answer,
            hashes: Mutex::default(),
        }
    }

    /// The hashes of the transcripts it was asked about, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.hashes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Analyzer for StubAnalyzer {
    async fn analyze(&self, call: &CallContext<'_>) -> Result<Analysis, StageError> {
        self.hashes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(call.transcript.hash());
        let mut answer = self.answer.clone();
        answer.provenance.transcript_hash = call.transcript.hash();
        Ok(answer)
    }
}
