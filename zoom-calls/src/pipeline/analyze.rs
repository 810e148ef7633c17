//! Step *analyze*: sides, numbers, judgement, and the check of every claim.

use job_queue::Job;

use super::Inner;
use super::error::StepError;
use super::handler::Outcome;
use super::job::CallJob;
use crate::{CallContext, Metrics, MetricsOptions, Sides, Step, ground};

pub(super) async fn run(inner: &Inner, payload: &CallJob, job: &Job) -> Result<Option<Outcome>, StepError> {
    let Some(call) = inner.load(&payload.call).await? else {
        return Ok(None);
    };
    let next = vec![payload.next(Step::Match, job)?];
    let Some(transcript) = &call.transcript else {
        return Ok(Some(Outcome::skipped("there are no words", next)));
    };
    let sides = Sides::resolve(
        transcript,
        &inner.organization,
        call.host_email.as_deref(),
        &call.participants,
    );
    let mut options = MetricsOptions::default();
    if let Some(duration) = call.duration_ms {
        options = options.with_call_duration_ms(duration);
    }
    let metrics = Metrics::measure(transcript, &sides, &options);
    let mut context = CallContext::new(transcript, &sides, &metrics).topic(&call.topic);
    if let Some(started_at) = call.started_at {
        context = context.started_at(started_at, call.timezone.as_deref());
    }
    let mut analysis = ground(inner.analyzer.analyze(&context).await?, &context);
    // The pipeline says which words were judged, not the engine: a step is skipped on the strength of it.
    analysis.provenance.transcript_hash = transcript.hash();
    let detail = format!(
        "{} {}, {} claims dropped",
        analysis.provenance.engine,
        analysis.provenance.engine_version,
        analysis.dropped.len()
    );
    let updated = inner.update(&call.id, |call| {
        call.sides.clone_from(&sides);
        call.metrics = Some(metrics.clone());
        call.analysis = Some(analysis.clone());
    });
    Ok(updated.await?.map(|_| Outcome::done(next).detail(detail)))
}
