//! The one match that joins the crates: what each event of Zoom's means to this product.

use jiff::Timestamp;
use job_queue::{JobError, NewJob, QueueError};
use zoom_calls::Pipeline;
use zoom_core::{AccountId, UserId, model::Recording};
use zoom_meetings::Scheduler;
use zoom_oauth::{AppKind, Connections};
use zoom_webhooks::{Delivery, Event, RecordingEvent};

/// What the events are handed to.
#[derive(Clone, Debug)]
pub(crate) struct Dispatch {
    pub(crate) connections: Connections,
    pub(crate) scheduler: Scheduler,
    pub(crate) pipeline: Pipeline,
}

impl Dispatch {
    /// Acts on one stored event; the jobs it answers with are queued together with its acknowledgement.
    pub(crate) async fn run(&self, delivery: Delivery) -> Result<Vec<NewJob>, JobError> {
        let event = delivery.event().map_err(JobError::permanent)?;
        self.note(&delivery, &event).await;
        match event {
            Event::AppDeauthorized(gone) => {
                let at = gone
                    .deauthorization_time
                    .or(delivery.event_ts())
                    .unwrap_or(Timestamp::MAX);
                let purged = self
                    .connections
                    .deauthorize_at(&gone.account_id, &gone.user_id, at)
                    .await;
                let purged = purged.map_err(JobError::transient)?;
                tracing::info!(account = %gone.account_id, purged, "the app was removed at Zoom");
            }
            Event::MeetingStarted(started) => {
                let meeting = &started.meeting;
                if let (Some(id), Some(uuid), Some(at)) = (meeting.id, &meeting.uuid, meeting.start_time) {
                    self.scheduler
                        .meeting_started(id, uuid, at)
                        .await
                        .map_err(JobError::transient)?;
                }
            }
            Event::RecordingCompleted(done) => {
                return self.call(&done, Pipeline::recording_completed).await;
            }
            Event::RecordingTranscriptCompleted(done) => {
                return self.call(&done, Pipeline::transcript_completed).await;
            }
            _ => {}
        }
        Ok(Vec::new())
    }

    /// The job for a recording, if it belongs to somebody who is connected; everybody else's ends here.
    async fn call(&self, done: &RecordingEvent, job: ToJob) -> Result<Vec<NewJob>, JobError> {
        let recording = &done.recording;
        let account = done.account_id.as_ref().or(recording.account_id.as_ref());
        let Some(account) = account else {
            return Err(JobError::permanent(
                "the event does not say whose recording it is",
            ));
        };
        let Some(owner) = self.owner(account, recording.host_id.as_ref()).await? else {
            tracing::info!(account = %account, meeting = %recording.uuid, "ignored: nobody here is connected to this account");
            return Ok(Vec::new());
        };
        Ok(vec![
            job(&self.pipeline, &owner, recording).map_err(JobError::permanent)?,
        ])
    }

    /// So that the page of connections can say when Zoom last spoke. It is worth no second try.
    async fn note(&self, delivery: &Delivery, event: &Event) {
        let (Some(account), Some(at)) = (delivery.account_id(), delivery.event_ts()) else {
            return;
        };
        let user = self.user_of(host_of(event));
        if let Err(error) = self.connections.note_webhook(account, user, at).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a webhook was not noted"
            );
        }
    }

    /// Whose connection an event of this host is: an app that an administrator connected hears of everybody's.
    fn user_of<'a>(&self, host: Option<&'a UserId>) -> Option<&'a UserId> {
        host.filter(|_| self.connections.app().kind() != AppKind::Admin)
    }

    async fn owner(
        &self,
        account: &AccountId,
        host: Option<&UserId>,
    ) -> Result<Option<zoom_calls::OwnerId>, JobError> {
        let found = self
            .connections
            .find_by_zoom(account, self.user_of(host))
            .await
            .map_err(JobError::transient)?;
        Ok(found
            .first()
            .map(|connection| zoom_calls::OwnerId::new(connection.owner.as_str())))
    }
}

fn host_of(event: &Event) -> Option<&UserId> {
    match event {
        Event::MeetingStarted(event) | Event::MeetingEnded(event) => event.meeting.host_id.as_ref(),
        Event::RecordingCompleted(event) | Event::RecordingTranscriptCompleted(event) => {
            event.recording.host_id.as_ref()
        }
        _ => None,
    }
}

type ToJob = fn(&Pipeline, &zoom_calls::OwnerId, &Recording) -> Result<NewJob, QueueError>;
