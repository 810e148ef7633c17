//! Step *recap*: tell the team, once per call.

use job_queue::Job;

use super::Inner;
use super::error::StepError;
use super::handler::Outcome;
use super::job::CallJob;
use crate::{Recap, Step};

/// A call is told once: later events and new analyses change the call, not the channel. The receipt is written right after
/// the post; only a crash between the two posts again, since an incoming webhook can be asked neither before nor after.
pub(super) async fn run(inner: &Inner, payload: &CallJob, job: &Job) -> Result<Option<Outcome>, StepError> {
    let Some(call) = inner.load(&payload.call).await? else {
        return Ok(None);
    };
    let next = vec![payload.next(Step::Clean, job)?];
    if call.recap.is_some() {
        return Ok(Some(Outcome::skipped("the team knows", next)));
    }
    let recap = Recap::of(&call, inner.page_of(&call.id));
    let receipt = match inner.notifier.notify(&recap).await {
        Ok(receipt) => receipt,
        Err(error) if error.is_transient() && !job.is_last_attempt() => return Err(error.into()),
        // A channel that is gone costs the message, not the call.
        Err(error) => {
            let reason = StepError::from(error).reason();
            tracing::warn!(call = %call.id, reason, "the recap of a call was not posted");
            let outcome = Outcome {
                state: crate::StepState::Failed,
                detail: Some(reason),
                next,
            };
            return Ok(Some(outcome));
        }
    };
    let detail = format!("{}, posted: {}", receipt.channel, receipt.posted);
    let updated = inner
        .update(&call.id, |call| call.recap = Some(receipt.clone()))
        .await?;
    Ok(updated.map(|_| Outcome::done(next).detail(detail)))
}
