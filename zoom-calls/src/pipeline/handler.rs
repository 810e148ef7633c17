//! Runs a step as a job and keeps the record of it.

use async_trait::async_trait;
use job_queue::{Handler, Job, JobError, NewJob};

use super::error::StepError;
use super::job::CallJob;
use super::{Inner, Pipeline, analyze, clean, fetch, matching, recap, transcribe};
use crate::{CallStatus, Step, StepState};

/// What a step did, and what comes after it.
pub(super) struct Outcome {
    pub(super) state: StepState,
    pub(super) detail: Option<String>,
    pub(super) next: Vec<NewJob>,
}

impl Outcome {
    pub(super) fn done(next: Vec<NewJob>) -> Self {
        Self {
            state: StepState::Done,
            detail: None,
            next,
        }
    }

    pub(super) fn skipped(why: &str, next: Vec<NewJob>) -> Self {
        Self {
            state: StepState::Skipped,
            detail: Some(why.to_owned()),
            next,
        }
    }

    pub(super) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

pub(super) struct StepHandler {
    pub(super) pipeline: Pipeline,
    pub(super) step: Step,
}

#[async_trait]
impl Handler for StepHandler {
    async fn run(&self, job: &Job) -> Result<Vec<NewJob>, JobError> {
        let payload: CallJob = job.payload().map_err(JobError::permanent)?;
        let inner = &*self.pipeline.inner;
        let outcome = match self.step {
            Step::Fetch => fetch::run(inner, &payload, job).await,
            Step::Transcribe => transcribe::run(inner, &payload, job).await,
            Step::Analyze => analyze::run(inner, &payload, job).await,
            Step::Match => matching::run(inner, &payload, job).await,
            Step::Recap => recap::run(inner, &payload, job).await,
            Step::Clean => clean::run(inner, &payload).await,
        };
        let outcome = match outcome {
            Ok(Some(outcome)) => outcome,
            // The call was deleted while it was worked on: nothing of it comes back.
            Ok(None) => {
                clean::remove(inner, &payload.call)
                    .await
                    .map_err(JobError::transient)?;
                return Ok(Vec::new());
            }
            Err(error) => return Err(self.failed(&payload, job, error).await),
        };
        let now = inner.clock.now();
        let recorded = inner.update(&payload.call, |call| {
            call.record(self.step, outcome.state, now, job.attempt, outcome.detail.clone());
        });
        recorded.await?;
        tracing::debug!(call = %payload.call, step = self.step.as_str(), state = ?outcome.state, "a step of a call ended");
        Ok(outcome.next)
    }
}

impl StepHandler {
    /// Records a failure; after the last attempt the call has failed, unless it was ready before, and its media are
    /// deleted.
    async fn failed(&self, payload: &CallJob, job: &Job, error: StepError) -> JobError {
        let inner = &*self.pipeline.inner;
        let reason = error.reason();
        let is_final = !error.is_transient() || job.is_last_attempt();
        tracing::warn!(call = %payload.call, step = self.step.as_str(), attempt = job.attempt, is_final, reason, "a step of a call failed");
        let now = inner.clock.now();
        let state = if is_final {
            StepState::Failed
        } else {
            StepState::Retrying
        };
        let recorded = inner.update(&payload.call, |call| {
            call.record(self.step, state, now, job.attempt, Some(reason.clone()));
            // What was ready lacks nothing that a later event could have brought.
            if is_final && call.status != CallStatus::Ready {
                call.status = CallStatus::Failed;
                call.status_reason = Some(format!("{}: {reason}", self.step.as_str()));
            }
        });
        // The failure of the step is what the queue has to know; a second one on top is only logged.
        if let Err(error) = recorded.await {
            tracing::warn!(call = %payload.call, reason = error.reason(), "the failure of a step could not be recorded");
        }
        if is_final && let Err(error) = clean::remove(inner, &payload.call).await {
            tracing::warn!(call = %payload.call, %error, "temporary media could not be deleted");
        }
        error.into()
    }
}

/// Asks Zoom again for a transcript, if the call still waits for one. It has no ordering key: a job that waits for its time
/// would hold up the job of the event that ends the wait.
pub(super) struct PollHandler(pub(super) Pipeline);

#[async_trait]
impl Handler for PollHandler {
    async fn run(&self, job: &Job) -> Result<Vec<NewJob>, JobError> {
        let payload: CallJob = job.payload().map_err(JobError::permanent)?;
        let call = self.0.inner.load(&payload.call).await?;
        if call.is_none_or(|call| call.status != CallStatus::AwaitingTranscript) {
            return Ok(Vec::new());
        }
        Ok(vec![payload.next(Step::Fetch, job).map_err(JobError::transient)?])
    }
}

impl Inner {
    /// The page of a call, if the host has pages.
    pub(super) fn page_of(&self, id: &crate::CallId) -> Option<url::Url> {
        self.page.as_ref().and_then(|page| page(id))
    }
}
