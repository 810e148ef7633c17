//! OpenAI's audio API, or any server that speaks it.

mod answer;
mod failure;

use std::time::Duration;

use async_trait::async_trait;
use reqwest::multipart::{Form, Part};
use tokio_util::io::ReaderStream;
use url::Url;

use crate::{Media, StageError, Transcriber, Transcript};

pub use failure::OpenAiError;

zoom_core::secret_type! {
    /// The key of an account at OpenAI, or whatever a compatible server takes for one.
    pub struct ApiKey;
}

/// What OpenAI accepts in one request.
const MAX_LEN: u64 = 25 << 20;
/// An hour of sound in one answer is about one megabyte.
const MAX_ANSWER: usize = 64 << 20;

/// Sends a file to `/v1/audio/transcriptions` and turns the segments of the answer into utterances.
///
/// The file is streamed from disk. Files over 25 MB are refused with [`OpenAiError::TooLarge`] before anything is sent.
/// A model with `diarize` in its name says who speaks (`A`, `B`…); the others do not, and utterances have no speaker.
/// Stretches that the model itself takes for silence are left out: what it wrote there is made up.
#[derive(Debug, Clone)]
pub struct OpenAiTranscriber {
    http: reqwest::Client,
    endpoint: Url,
    key: ApiKey,
    model: String,
    language: Option<String>,
    prompt: Option<String>,
    timeout: Duration,
    max_len: u64,
}

impl OpenAiTranscriber {
    /// Uses OpenAI itself, with `whisper-1`.
    ///
    /// # Errors
    ///
    /// [`OpenAiError::BadBaseUrl`] never; [`OpenAiError::Unreachable`] when the HTTP client cannot be built.
    pub fn new(key: ApiKey) -> Result<Self, OpenAiError> {
        let base = Url::parse("https://api.openai.com/").map_err(|_| OpenAiError::BadBaseUrl)?;
        Self::at(&base, key)
    }

    /// Uses a compatible server: requests go to `{base}/v1/audio/transcriptions`. Redirects are not followed.
    ///
    /// # Errors
    ///
    /// [`OpenAiError::BadBaseUrl`] for a base that takes no path, [`OpenAiError::Unreachable`] when the HTTP client
    /// cannot be built.
    pub fn at(base: &Url, key: ApiKey) -> Result<Self, OpenAiError> {
        let mut endpoint = base.clone();
        endpoint
            .path_segments_mut()
            .map_err(|()| OpenAiError::BadBaseUrl)?
            .pop_if_empty()
            .extend(["v1", "audio", "transcriptions"]);
        let http = zoom_core::http::client_builder()
            .build()
            .map_err(|error| OpenAiError::Unreachable(Box::new(error.without_url())))?;
        Ok(Self {
            http,
            endpoint,
            key,
            model: "whisper-1".to_owned(),
            language: None,
            prompt: None,
            timeout: Duration::from_mins(10),
            max_len: MAX_LEN,
        })
    }

    /// The model, if not `whisper-1`. It must be able to say when something was said: `verbose_json`, or
    /// `diarized_json` for a model with `diarize` in its name.
    #[must_use]
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = model.into();
        self
    }

    /// The language that is spoken (ISO 639-1), if known: better and faster than letting the model find out.
    #[must_use]
    pub fn language(mut self, language: impl Into<String>) -> Self {
        self.language = Some(language.into());
        self
    }

    /// Words to expect, such as names of products and people. Models that diarize take none.
    #[must_use]
    pub fn prompt(mut self, prompt: impl Into<String>) -> Self {
        self.prompt = Some(prompt.into());
        self
    }

    /// How long one transcription may take; ten minutes unless told otherwise.
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How large a file the server accepts, if not 25 MB.
    #[must_use]
    pub const fn with_max_len(mut self, bytes: u64) -> Self {
        self.max_len = bytes;
        self
    }

    fn diarizes(&self) -> bool {
        self.model.contains("diarize")
    }

    async fn form(&self, media: Media<'_>) -> Result<Form, OpenAiError> {
        let file = tokio::fs::File::open(media.path)
            .await
            .map_err(OpenAiError::Disk)?;
        let body = reqwest::Body::wrap_stream(ReaderStream::with_capacity(file, 64 << 10));
        // The server goes by the extension; the path on this machine is nobody's business.
        let part = Part::stream_with_length(body, media.len)
            .file_name(format!("audio.{}", media.media_type.extension()))
            .mime_str(media.media_type.mime())
            .map_err(|_| OpenAiError::BadAnswer)?;
        let mut form = Form::new().part("file", part).text("model", self.model.clone());
        form = if self.diarizes() {
            form.text("response_format", "diarized_json")
                .text("chunking_strategy", "auto")
        } else {
            form.text("response_format", "verbose_json")
                .text("timestamp_granularities[]", "segment")
        };
        if let Some(language) = &self.language {
            form = form.text("language", language.clone());
        }
        if let Some(prompt) = self.prompt.as_ref().filter(|_| !self.diarizes()) {
            form = form.text("prompt", prompt.clone());
        }
        Ok(form)
    }

    async fn send(&self, media: Media<'_>) -> Result<Transcript, StageError> {
        let form = self.form(media).await?;
        let request = self
            .http
            .post(self.endpoint.clone())
            .bearer_auth(self.key.expose_secret());
        let mut response = request
            .multipart(form)
            .timeout(self.timeout)
            .send()
            .await
            .map_err(|error| OpenAiError::Unreachable(Box::new(error.without_url())))?;
        let mut body = Vec::new();
        while let Some(bytes) = response
            .chunk()
            .await
            .map_err(|error| OpenAiError::Unreachable(Box::new(error.without_url())))?
        {
            if body.len() + bytes.len() > MAX_ANSWER {
                return Err(OpenAiError::BadAnswer.into());
            }
            body.extend_from_slice(&bytes);
        }
        if !response.status().is_success() {
            return Err(failure::of_response(response.status(), response.headers(), &body));
        }
        Ok(answer::read(&body, self.language.as_deref())?)
    }
}

#[async_trait]
impl Transcriber for OpenAiTranscriber {
    async fn transcribe(&self, media: Media<'_>) -> Result<Transcript, StageError> {
        if media.len > self.max_len {
            return Err(OpenAiError::TooLarge {
                len: media.len,
                limit: self.max_len,
            }
            .into());
        }
        if !media.media_type.has_sound() {
            return Err(OpenAiError::NoSound.into());
        }
        self.send(media).await
    }
}
