//! The steps of the pipeline and what is recorded of them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Call;

/// A step of the pipeline, in the order in which they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Step {
    /// Read the recording at Zoom again, and bring its files to this machine.
    Fetch,
    /// Words from the files.
    Transcribe,
    /// Numbers and judgement from the words.
    Analyze,
    /// Contact and lead source.
    Match,
    /// Tell the team.
    Recap,
    /// Delete the temporary media.
    Clean,
}

impl Step {
    /// Every step, in order.
    pub const ALL: [Self; 6] = [
        Self::Fetch,
        Self::Transcribe,
        Self::Analyze,
        Self::Match,
        Self::Recap,
        Self::Clean,
    ];

    /// The name used in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fetch => "fetch",
            Self::Transcribe => "transcribe",
            Self::Analyze => "analyze",
            Self::Match => "match",
            Self::Recap => "recap",
            Self::Clean => "clean",
        }
    }

    /// The kind of the job that runs the step.
    #[must_use]
    pub fn job_kind(self) -> &'static str {
        match self {
            Self::Fetch => "call.fetch",
            Self::Transcribe => "call.transcribe",
            Self::Analyze => "call.analyze",
            Self::Match => "call.match",
            Self::Recap => "call.recap",
            Self::Clean => "call.clean",
        }
    }
}

/// The last run of one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StepRecord {
    /// Which step.
    pub step: Step,
    /// How it went.
    pub state: StepState,
    /// When it ended, or began to wait.
    pub at: Timestamp,
    /// Which attempt of its job it was.
    pub attempt: u32,
    /// A few words for a reader; never a secret.
    pub detail: Option<String>,
}

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StepState {
    /// It did its work.
    Done,
    /// There was nothing to do.
    Skipped,
    /// It waits for something that is not there yet.
    Waiting,
    /// It failed and will be tried again.
    Retrying,
    /// It failed for good.
    Failed,
}

impl Call {
    /// The last run of a step, if it ran.
    #[must_use]
    pub fn step(&self, step: Step) -> Option<&StepRecord> {
        self.steps.iter().find(|record| record.step == step)
    }

    /// Replaces the record of a step.
    pub(crate) fn record(
        &mut self,
        step: Step,
        state: StepState,
        at: Timestamp,
        attempt: u32,
        detail: Option<String>,
    ) {
        self.steps.retain(|record| record.step != step);
        self.steps.push(StepRecord {
            step,
            state,
            at,
            attempt,
            detail,
        });
        self.steps.sort_by_key(|record| record.step);
    }
}
