//! Step *fetch*: read the recording at Zoom again and bring its files here.

use jiff::Timestamp;
use job_queue::Job;
use zoom_core::model::{ParticipantStatus, Recording};
use zoom_core::{Client, ListParticipants, MeetingRef, MeetingUuid};
use zoom_recordings::{DownloadError, DownloadErrorKind, Segment, choose_files};

use super::Inner;
use super::error::StepError;
use super::files::{Files, SegmentFiles, make_folder};
use super::handler::Outcome;
use super::job::CallJob;
use crate::{Call, CallParticipant, CallStatus, Origin, Step, StoreError};

/// Pages of participants that are read; a sales call has one.
const MAX_PAGES: usize = 10;
/// After so many tries, half an hour, names are done without, and a recording that is not there is taken for deleted.
const PATIENCE: u32 = 10;

pub(super) async fn run(inner: &Inner, payload: &CallJob, job: &Job) -> Result<Option<Outcome>, StepError> {
    let Some(call) = load_or_create(inner, payload, job).await? else {
        return Ok(None);
    };
    let next = vec![payload.next(Step::Transcribe, job)?];
    let uuid = match &call.origin {
        Origin::File { path } => {
            let files = Files::beside(path).await.map_err(StepError::permanent)?;
            return Ok(Some(Outcome::done(next).detail(described(&files))));
        }
        Origin::Meeting { uuid } => uuid.clone(),
    };
    let client = inner.clients.client(&call.owner).await?;
    let recording = match client.recordings().get(&MeetingRef::from(&uuid)).await {
        // Zoom announces a recording a moment before it can be read; later than that it is gone.
        Err(error) if error.is_not_found() && job.attempt >= PATIENCE => {
            return Err(StepError::permanent(error));
        }
        recording => recording?,
    };
    let (participants, problem) = participants(&client, &uuid, &recording, job.attempt >= PATIENCE).await?;
    let files = download(inner, &client, &call, &recording).await?;
    let updated = inner
        .update(&call.id, |call| describe(call, &recording, &participants))
        .await?;
    let mut detail = described(&files);
    if let Some(problem) = problem {
        detail = format!("{detail}; {problem}");
    }
    Ok(updated.map(|_| Outcome::done(next).detail(detail)))
}

/// Downloads what is needed and not here yet. Also run by the next step, when it runs on another machine.
pub(super) async fn download(
    inner: &Inner,
    client: &Client,
    call: &Call,
    recording: &Recording,
) -> Result<Files, StepError> {
    let folder = make_folder(inner, &call.id).await?;
    let chosen = choose_files(recording);
    // Words from the sound are made once.
    let wants_media = inner.transcriber.is_some()
        && call
            .transcript
            .as_ref()
            .is_none_or(|words| words.source.as_str() == "zoom");
    let mut files = Files::default();
    for (number, segment) in chosen.segments.iter().enumerate() {
        let mut here = SegmentFiles {
            offset_ms: segment.offset_ms,
            ..SegmentFiles::default()
        };
        let media = segment.media.as_ref().filter(|_| wants_media);
        for (file, place, is_transcript) in [
            (media, &mut here.media, false),
            (segment.transcript.as_ref(), &mut here.transcript, true),
        ] {
            let Some(file) = file else { continue };
            let downloaded = inner
                .downloader
                .download(client.token_source().as_ref(), file, &folder)
                .await;
            let downloaded = match downloaded {
                Err(error) if is_transcript && is_not_there_yet(&error) => continue,
                downloaded => downloaded?,
            };
            let path = folder.join(format!("{number}.{}", downloaded.media_type().extension()));
            *place = Some(downloaded.persist(path).await?);
        }
        files.segments.push(here);
    }
    files.save(inner, &call.id).await?;
    Ok(files)
}

/// Zoom lists a transcript, and serves no file or an empty one, before it is done. That can take a day: longer than a job
/// is tried, and nothing that sound has to wait for.
fn is_not_there_yet(error: &DownloadError) -> bool {
    use DownloadErrorKind::{Empty, NoLink, NotFound, TooShort};
    matches!(error.kind(), NoLink | NotFound | Empty | TooShort { .. })
}

async fn load_or_create(inner: &Inner, payload: &CallJob, job: &Job) -> Result<Option<Call>, StepError> {
    if let Some(call) = inner.load(&payload.call).await? {
        return Ok(Some(call));
    }
    // Only an event makes a call: a later job whose call is gone works on something that was deleted.
    let (Some(uuid), true) = (&payload.uuid, payload.polls == 0 && is_first(job)) else {
        return Ok(None);
    };
    let origin = Origin::Meeting { uuid: uuid.clone() };
    let mut call = Call::new(
        payload.call.clone(),
        payload.owner.clone(),
        origin,
        payload.topic.as_deref().unwrap_or_default(),
        inner.clock.now(),
    );
    call.meeting_id = payload.meeting;
    match inner.store.save(&call).await {
        Ok(_) | Err(StoreError::Conflict) => {}
        Err(error) => return Err(error.into()),
    }
    inner.load(&payload.call).await
}

/// Whether the job came from an event and not from another job.
fn is_first(job: &Job) -> bool {
    job.dedupe_key
        .as_deref()
        .is_some_and(|key| key.ends_with(" recording") || key.ends_with(" transcript"))
}

fn describe(call: &mut Call, recording: &Recording, participants: &[CallParticipant]) {
    call.meeting_id = Some(recording.id);
    if let Some(topic) = &recording.topic {
        topic.clone_into(&mut call.topic);
    }
    call.started_at = recording.start_time.or(call.started_at);
    call.timezone = recording.timezone.clone().or_else(|| call.timezone.take());
    call.duration_ms = duration_ms(recording).or(call.duration_ms);
    call.host_email = recording.host_email.clone().or_else(|| call.host_email.take());
    if !participants.is_empty() {
        participants.clone_into(&mut call.participants);
    }
    // A call that was ready stays so until a later step finds something new.
    if call.status == CallStatus::Failed {
        (call.status, call.status_reason) = (CallStatus::Processing, None);
    }
}

/// From the first start to the last end of the media; else the minutes that Zoom says.
fn duration_ms(recording: &Recording) -> Option<u64> {
    let chosen = choose_files(recording);
    let media = || {
        chosen
            .segments
            .iter()
            .filter_map(|segment: &Segment| segment.media.as_ref())
    };
    let start: Option<Timestamp> = media().filter_map(|file| file.recording_start).min();
    let end: Option<Timestamp> = media().filter_map(|file| file.recording_end).max();
    let by_files = start
        .zip(end)
        .and_then(|(start, end)| u64::try_from(end.duration_since(start).as_millis()).ok());
    by_files
        .filter(|ms| *ms > 0)
        .or_else(|| recording.duration.map(|minutes| u64::from(minutes) * 60_000))
}

/// Who was there, as far as Zoom tells. A scope that is missing or an account that does not pay costs the names only.
async fn participants(
    client: &Client,
    uuid: &MeetingUuid,
    recording: &Recording,
    is_out_of_patience: bool,
) -> Result<(Vec<CallParticipant>, Option<&'static str>), StepError> {
    let mut people: Vec<CallParticipant> = Vec::new();
    let mut problem = None;
    let mut list = ListParticipants::new().page_size(300);
    for _ in 0..MAX_PAGES {
        let page = match client
            .past_meetings()
            .participants(&MeetingRef::from(uuid), list.clone())
            .await
        {
            Ok(page) => page,
            Err(error) if error.is_retryable() && !is_out_of_patience => return Err(error.into()),
            Err(_) => {
                problem = Some("participants are not available");
                break;
            }
        };
        for stay in page
            .items
            .into_iter()
            .filter(|stay| stay.status != Some(ParticipantStatus::InWaitingRoom))
        {
            let Some(name) = stay.name else { continue };
            let known = people
                .iter_mut()
                .find(|p| p.name == name && (p.email == stay.user_email || stay.user_email.is_none()));
            match known {
                Some(person) => person.internal_user = person.internal_user.or(stay.internal_user),
                None => people.push(CallParticipant {
                    name,
                    email: stay.user_email,
                    internal_user: stay.internal_user,
                }),
            }
        }
        match page.next {
            Some(token) => list = list.page_token(token),
            None => break,
        }
    }
    let knows_host = people
        .iter()
        .any(|p| p.email.is_some() && p.email == recording.host_email);
    if let (false, Some(host)) = (knows_host, &recording.host_id)
        && let Ok(user) = client.users().get(host).await
        && let Some(name) = user.name()
    {
        // The host's row without an address, if there is one, is the host.
        match people.iter_mut().find(|p| p.name == name && p.email.is_none()) {
            Some(person) => (person.email, person.internal_user) = (recording.host_email.clone(), Some(true)),
            None => people.push(CallParticipant {
                name,
                email: recording.host_email.clone(),
                internal_user: Some(true),
            }),
        }
    }
    Ok((people, problem))
}

fn described(files: &Files) -> String {
    let media = files
        .segments
        .iter()
        .filter(|segment| segment.media.is_some())
        .count();
    let transcripts = files
        .segments
        .iter()
        .filter(|segment| segment.transcript.is_some())
        .count();
    format!("media {media}, transcripts {transcripts}")
}
