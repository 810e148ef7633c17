//! `zoomctl ingest`: the same pipeline on a file of one's own.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, bail};
use backend::{Backend, Config};
use clap::Args;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use zoom_calls::{Call, CallId, CallParticipant, CallReport, CallStatus, IngestFile, OwnerId, Scope};

use crate::{on_backend, output, progress::CallBars, story};

/// Arguments of `zoomctl ingest`.
#[derive(Debug, Args)]
pub(crate) struct Ingest {
    /// M4A, MP4, MP3, WAV, or a VTT transcript; a VTT beside a recording gives the speakers
    file: PathBuf,
    /// Whose call it is
    #[arg(long, default_value = "me")]
    owner: String,
    #[arg(long)]
    topic: Option<String>,
    /// When the call began (RFC 3339): "Friday" becomes a date
    #[arg(long)]
    started_at: Option<Timestamp>,
    /// The zone people spoke of days in, as an IANA name
    #[arg(long)]
    timezone: Option<String>,
    /// The rep's address; its domain tells who is on which side
    #[arg(long)]
    host_email: Option<String>,
    /// Somebody who took part, `Name <address>`, as often as needed: the address tells the side and finds the contact
    #[arg(long, value_parser = participant)]
    participant: Vec<CallParticipant>,
    #[arg(long)]
    json: bool,
}

/// `Name <address>`, or a name alone.
fn participant(text: &str) -> Result<CallParticipant> {
    let (name, email) = match text.split_once('<') {
        Some((name, rest)) => (
            name,
            Some(rest.strip_suffix('>').context("write it as `Name <address>`")?),
        ),
        None => (text, None),
    };
    let named = CallParticipant::new(name.trim());
    Ok(email
        .into_iter()
        .fold(named, |named, email| named.email(email.trim())))
}

impl Ingest {
    pub(crate) async fn run(self, config: Config) -> Result<()> {
        let hears = config.models.is_some() || config.openai.is_some();
        on_backend(config, async |backend| self.on(backend, hears).await).await
    }

    async fn on(self, backend: &Backend, hears: bool) -> Result<()> {
        let owner = OwnerId::new(&self.owner);
        let is_transcript = self
            .file
            .extension()
            .is_some_and(|kind| kind.eq_ignore_ascii_case("vtt"));
        let beside =
            self.file.with_extension("vtt").exists() || self.file.with_extension("transcript.vtt").exists();
        if !(hears || is_transcript || beside) {
            bail!(
                "nobody here can hear {}: run `zoomctl models get tiny.en` and set ZOOM_MODELS_DIR (feature `local`), \
                 or set OPENAI_API_KEY, or put its transcript beside it as .vtt",
                self.file.display()
            );
        }
        let mut file = IngestFile::new(&self.file);
        file = self.topic.into_iter().fold(file, IngestFile::topic);
        file = self.started_at.into_iter().fold(file, IngestFile::started_at);
        file = self.timezone.into_iter().fold(file, IngestFile::timezone);
        file = self.host_email.into_iter().fold(file, IngestFile::host_email);
        file = self.participant.into_iter().fold(file, IngestFile::participant);
        let id = backend.pipeline.ingest_file(&owner, file).await?;

        let stop = CancellationToken::new();
        let worker = tokio::spawn(backend.worker().run(stop.clone()));
        let call = finished(backend, &owner, &id, !self.json).await;
        stop.cancel();
        worker.await??;
        let call = call?;
        if self.json {
            output::json(&CallReport::from(&call))
        } else {
            print!("{}", story::call(&call));
            Ok(())
        }
    }
}

/// Waits for the call, showing how far it is.
async fn finished(backend: &Backend, owner: &OwnerId, id: &CallId, show: bool) -> Result<Call> {
    let bars = CallBars::new(show);
    loop {
        let call = backend
            .calls
            .load(&Scope::from(owner), id)
            .await?
            .context("the call is gone")?;
        bars.show(&call);
        match call.status {
            CallStatus::Ready => return Ok(call),
            CallStatus::Failed => bail!("the call failed: {}", call.status_reason.unwrap_or_default()),
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}
