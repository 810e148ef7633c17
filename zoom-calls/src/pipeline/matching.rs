//! Step *match*: the contact, and what brought them.

use job_queue::Job;

use super::Inner;
use super::error::StepError;
use super::handler::Outcome;
use super::job::CallJob;
use crate::contact::match_call;
use crate::{Attribution, DecidedBy, Step, Touch};

pub(super) async fn run(inner: &Inner, payload: &CallJob, job: &Job) -> Result<Option<Outcome>, StepError> {
    let Some(call) = inner.load(&payload.call).await? else {
        return Ok(None);
    };
    let next = vec![payload.next(Step::Recap, job)?];
    let found = match_call(inner.contacts.as_ref(), &call).await?;
    let lookback_days = inner.lookback_days;
    let updated = inner.update(&call.id, |call| {
        // A person may have decided while the rules were looking.
        let decided = call
            .contact
            .as_ref()
            .is_some_and(|contact| contact.decided_by == DecidedBy::Person);
        if !decided {
            call.contact.clone_from(&found);
        }
        let linked = call.contact.as_ref().and_then(|contact| contact.linked.as_ref());
        call.attribution = Some(match linked {
            None => Attribution::no_contact(lookback_days),
            Some(linked) => {
                let touches: Vec<Touch> = Touch::first_of(&linked.contact).into_iter().collect();
                Attribution::first_touch(&touches, call.started_at, lookback_days)
            }
        });
    });
    let Some(call) = updated.await? else {
        return Ok(None);
    };
    let contact = call.contact.as_ref();
    let detail = match contact.and_then(|contact| contact.linked.as_ref()) {
        Some(linked) => format!("linked with score {}", linked.score),
        None => format!(
            "{} suggestions",
            contact.map_or(0, |contact| contact.suggestions.len())
        ),
    };
    Ok(Some(Outcome::done(next).detail(detail)))
}
