//! A call as one JSON object: what `zoomctl` prints and what an API of a host would answer.

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    Attribution, Call, CallId, CallStatus, ClosingScore, CoachingTip, ContactMatch, Metrics, NextStep,
    Objection, Receipt, Sentiment, Summary,
};

/// The call as a reader wants it, without its words.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CallReport {
    /// The call.
    pub id: CallId,
    /// The topic of the meeting.
    pub topic: String,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// How long it was.
    pub duration_ms: Option<u64>,
    /// How far it has come.
    pub status: CallStatus,
    /// Why, when waiting or failed.
    pub status_reason: Option<String>,
    /// Where the words came from and how many there are.
    pub transcript: Option<TranscriptReport>,
    /// The numbers.
    pub metrics: Option<Metrics>,
    /// How people sounded.
    pub sentiment: Option<Sentiment>,
    /// The call signal score, 0–100.
    pub closing_score: Option<u8>,
    /// What the score rests on: not an outcome, as long as `calibrated` is false.
    pub closing: Option<ClosingScore>,
    /// The summary with its quotes.
    pub summary: Option<Summary>,
    /// What was objected to.
    pub objections: Vec<Objection>,
    /// What is to be done.
    pub next_steps: Vec<NextStep>,
    /// Advice to the reps.
    pub coaching: Vec<CoachingTip>,
    /// The linked contact and suggestions.
    pub contact: Option<ContactMatch>,
    /// What brought the contact.
    pub attribution: Option<Attribution>,
    /// Where the recap went.
    pub recap: Option<Receipt>,
}

/// The transcript in three numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TranscriptReport {
    /// Where the words came from: `zoom`, `whisper`, ….
    pub source: String,
    /// How many words.
    pub words: usize,
    /// Who spoke, in order of first words.
    pub speakers: Vec<String>,
}

impl From<&Call> for CallReport {
    fn from(call: &Call) -> Self {
        let analysis = call.analysis.clone().unwrap_or_default();
        Self {
            id: call.id.clone(),
            topic: call.topic.clone(),
            started_at: call.started_at,
            duration_ms: call.duration_ms,
            status: call.status,
            status_reason: call.status_reason.clone(),
            transcript: call.transcript.as_ref().map(|transcript| TranscriptReport {
                source: transcript.source.as_str().to_owned(),
                words: transcript.words(),
                speakers: transcript.speakers().into_iter().map(str::to_owned).collect(),
            }),
            metrics: call.metrics.clone(),
            sentiment: analysis.sentiment,
            closing_score: analysis.closing.as_ref().map(|closing| closing.score),
            closing: analysis.closing,
            summary: analysis.summary,
            objections: analysis.objections,
            next_steps: analysis.next_steps,
            coaching: analysis.coaching,
            contact: call.contact.clone(),
            attribution: call.attribution.clone(),
            recap: call.recap.clone(),
        }
    }
}
