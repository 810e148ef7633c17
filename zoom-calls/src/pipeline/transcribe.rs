//! Step *transcribe*: words from a transcriber if there is one, else from Zoom; names from Zoom.

use job_queue::{Job, NewJob};
use zoom_core::MeetingRef;
use zoom_recordings::{Media, Transcriber, Transcript, TranscriptSource, ZoomTranscript};

use super::error::StepError;
use super::files::Files;
use super::handler::Outcome;
use super::job::{CallJob, POLL};
use super::names::name_speakers;
use super::{Inner, fetch};
use crate::{Call, CallStatus, Origin, Step, StepState};

pub(super) async fn run(inner: &Inner, payload: &CallJob, job: &Job) -> Result<Option<Outcome>, StepError> {
    let Some(call) = inner.load(&payload.call).await? else {
        return Ok(None);
    };
    let files = files(inner, &call).await?;
    let zoom = zooms_words(&call, &files).await?;
    let (own, problem) = own_words(inner, &call, &files).await?;

    let (words, kept) = match (own, zoom) {
        (Some(mut own), Some(zoom)) => {
            name_speakers(&mut own, &zoom);
            (own, Some(zoom))
        }
        (Some(own), None) => (own, call.zoom_transcript.clone()),
        (None, Some(zoom)) => (zoom, None),
        (None, None) => return wait(inner, payload, job, problem).await,
    };
    let detail = match &problem {
        Some(problem) => format!(
            "{} words from {}; {problem}",
            words.words(),
            words.source.as_str()
        ),
        None => format!("{} words from {}", words.words(), words.source.as_str()),
    };
    let hash = words.hash();
    let is_analysed = call
        .analysis
        .as_ref()
        .is_some_and(|analysis| analysis.provenance.transcript_hash == hash);
    let updated = inner.update(&call.id, |call| {
        call.transcript = Some(words.clone());
        call.zoom_transcript.clone_from(&kept);
        if !is_analysed {
            (call.status, call.status_reason) = (CallStatus::Processing, None);
        }
    });
    if updated.await?.is_none() {
        return Ok(None);
    }
    // The same words were judged before, and a recap may have gone out: only the files are left to be deleted.
    let is_finished = is_analysed && call.recap.is_some();
    let next = payload.next(if is_finished { Step::Clean } else { Step::Analyze }, job)?;
    Ok(Some(Outcome::done(vec![next]).detail(detail)))
}

/// The files that the step before brought, or brought again if this is another machine.
async fn files(inner: &Inner, call: &Call) -> Result<Files, StepError> {
    let uuid = match &call.origin {
        Origin::File { path } => return Files::beside(path).await.map_err(StepError::permanent),
        Origin::Meeting { uuid } => uuid,
    };
    if let Some(files) = Files::load(inner, &call.id).await {
        return Ok(files);
    }
    let client = inner.clients.client(&call.owner).await?;
    let recording = client.recordings().get(&MeetingRef::from(uuid)).await?;
    fetch::download(inner, &client, call, &recording).await
}

/// Zoom's transcript of all segments as one. An empty or a broken file is a transcript that is not there.
async fn zooms_words(call: &Call, files: &Files) -> Result<Option<Transcript>, StepError> {
    let names = call.participants.iter().map(|person| person.name.clone());
    let reader = ZoomTranscript::new().with_known_names(names.collect());
    let mut whole: Option<Transcript> = None;
    for segment in &files.segments {
        let Some(path) = &segment.transcript else { continue };
        let media = Media::open(path).await?;
        let part = match reader.transcribe(media).await {
            Ok(part) => part,
            // Zoom serves empty files until it is done.
            Err(error) if error.is_transient() => continue,
            Err(error) => return Err(error.into()),
        };
        whole
            .get_or_insert_with(|| Transcript::new(TranscriptSource::Zoom))
            .append(part, segment.offset_ms);
    }
    Ok(whole)
}

/// The words of the configured transcriber, made once per call. If it cannot read the sound, Zoom's have to do.
async fn own_words(
    inner: &Inner,
    call: &Call,
    files: &Files,
) -> Result<(Option<Transcript>, Option<String>), StepError> {
    if let Some(words) = call
        .transcript
        .as_ref()
        .filter(|words| words.source.as_str() != TranscriptSource::Zoom.as_str())
    {
        return Ok((Some(words.clone()), None));
    }
    let Some(transcriber) = inner.transcriber.as_ref().filter(|_| files.has_media()) else {
        let problem = files
            .has_media()
            .then(|| "there is sound and no transcriber".to_owned());
        return Ok((None, problem.filter(|_| call.meeting_uuid().is_none())));
    };
    let mut whole: Option<Transcript> = None;
    for segment in &files.segments {
        let Some(path) = &segment.media else { continue };
        let part = match transcriber.transcribe(Media::open(path).await?).await {
            Ok(part) => part,
            Err(error) if error.is_transient() => return Err(error.into()),
            Err(error) => return Ok((None, Some(StepError::from(error).reason()))),
        };
        match &mut whole {
            Some(whole) => whole.append(part, segment.offset_ms),
            None if segment.offset_ms == 0 => whole = Some(part),
            None => {
                let mut moved = Transcript::new(part.source.clone());
                moved.language.clone_from(&part.language);
                moved.append(part, segment.offset_ms);
                whole = Some(moved);
            }
        }
    }
    Ok((whole, None))
}

/// Nothing to read yet: ask again later, or be woken by the event.
async fn wait(
    inner: &Inner,
    payload: &CallJob,
    job: &Job,
    problem: Option<String>,
) -> Result<Option<Outcome>, StepError> {
    if payload.uuid.is_none() {
        let why = problem.unwrap_or_else(|| "there are no words in the file".to_owned());
        return Err(StepError::permanent(why));
    }
    let waited = usize::try_from(payload.polls).unwrap_or(usize::MAX);
    let Some(delay) = inner.transcript_waits.get(waited).copied() else {
        let why = problem.unwrap_or_else(|| "Zoom has not made a transcript".to_owned());
        return Err(StepError::permanent(why));
    };
    let at = inner
        .clock
        .now()
        .checked_add(delay)
        .map_err(StepError::permanent)?;
    let later = CallJob {
        polls: payload.polls + 1,
        ..payload.clone()
    };
    let poll = NewJob::new(POLL, &later)?
        .dedupe_key(format!("{} after {}", payload.call, job.id))
        .run_at(at);
    let reason = "Zoom has not finished the transcript".to_owned();
    let updated = inner.update(&payload.call, |call| {
        call.status = CallStatus::AwaitingTranscript;
        call.status_reason = Some(reason.clone());
    });
    let outcome = Outcome {
        state: StepState::Waiting,
        detail: Some(reason.clone()),
        next: vec![poll],
    };
    Ok(updated.await?.map(|_| outcome))
}
