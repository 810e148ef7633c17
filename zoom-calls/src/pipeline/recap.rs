//! Step *recap*: tell the team, once per call.

use std::time::Duration;

use job_queue::Job;

use super::Inner;
use super::error::StepError;
use super::handler::Outcome;
use super::job::CallJob;
use crate::{CallId, Recap, Receipt, Step};

/// The pauses between tries to store a receipt; together longer than a store is usually locked.
const PAUSES: [Duration; 6] = [
    Duration::from_millis(50),
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(30),
];

/// A call is told once: later events and new analyses change the call, not the channel. The receipt is written right after
/// the post; only a crash between the two, or a store that is gone for a minute just then, posts again, since an incoming
/// webhook can be asked neither before nor after.
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
    let is_there = keep(inner, &call.id, &receipt).await?;
    Ok(is_there.then(|| Outcome::done(next).detail(detail)))
}

/// Writes the receipt down, and tries again while the store does not answer: the message is out, so the step must not run
/// anew for want of it. Says whether the call is still there.
async fn keep(inner: &Inner, call: &CallId, receipt: &Receipt) -> Result<bool, StepError> {
    let mut pauses = PAUSES.iter();
    loop {
        let kept = inner
            .update(call, |call| call.recap = Some(receipt.clone()))
            .await;
        match (kept, pauses.next()) {
            (Err(error), Some(pause)) if error.is_transient() => tokio::time::sleep(*pause).await,
            (kept, _) => return Ok(kept?.is_some()),
        }
    }
}
