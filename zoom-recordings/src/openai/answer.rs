//! From the segments of an answer to utterances.

use serde::Deserialize;

use super::OpenAiError;
use crate::transcript::Warnings;
use crate::{Transcript, TranscriptSource, WarningKind};

/// `verbose_json` and `diarized_json` at once; servers leave out about anything.
#[derive(Deserialize)]
struct Answer {
    language: Option<String>,
    duration: Option<f64>,
    text: Option<String>,
    segments: Option<Vec<Segment>>,
}

#[derive(Deserialize)]
struct Segment {
    start: f64,
    end: f64,
    text: String,
    speaker: Option<String>,
    avg_logprob: Option<f64>,
    no_speech_prob: Option<f64>,
}

impl Segment {
    /// Where the model hears no speech and does not trust its own words, the words are made up.
    fn is_silence(&self) -> bool {
        self.no_speech_prob.is_some_and(|p| p > 0.6) && self.avg_logprob.is_some_and(|p| p < -1.0)
    }
}

/// Reads an answer. A server without segments gives one utterance as long as the file.
pub(super) fn read(body: &[u8], asked_language: Option<&str>) -> Result<Transcript, OpenAiError> {
    let answer: Answer = serde_json::from_slice(body).map_err(|_| OpenAiError::BadAnswer)?;
    let mut transcript = Transcript::new(TranscriptSource::OpenAi);
    transcript.language = asked_language
        .map(str::to_owned)
        .or_else(|| answer.language.as_deref().map(tag));
    let mut warnings = Warnings::default();
    match (answer.segments, answer.text) {
        (Some(segments), _) => {
            for segment in segments {
                if segment.is_silence() {
                    warnings.add(WarningKind::Silence, None);
                } else {
                    let (start, end) = (milliseconds(segment.start), milliseconds(segment.end));
                    transcript.push(start, end, segment.speaker.as_deref(), &segment.text);
                }
            }
        }
        (None, Some(text)) => {
            transcript.push(0, answer.duration.map_or(0, milliseconds), None, &text);
        }
        (None, None) => return Err(OpenAiError::BadAnswer),
    }
    transcript.warnings = warnings.into_vec();
    Ok(transcript)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped; NaN becomes 0"
)]
fn milliseconds(seconds: f64) -> u64 {
    (seconds * 1000.0).round().clamp(0.0, 1e15) as u64
}

/// Whisper names the language in English where a tag is wanted.
fn tag(language: &str) -> String {
    let name = language.to_ascii_lowercase();
    let known = [
        ("english", "en"),
        ("french", "fr"),
        ("german", "de"),
        ("spanish", "es"),
        ("portuguese", "pt"),
        ("italian", "it"),
        ("dutch", "nl"),
        ("polish", "pl"),
        ("japanese", "ja"),
        ("chinese", "zh"),
        ("korean", "ko"),
        ("russian", "ru"),
        ("arabic", "ar"),
        ("hindi", "hi"),
        ("turkish", "tr"),
        ("swedish", "sv"),
        ("ukrainian", "uk"),
    ];
    known
        .iter()
        .find(|(english, _)| *english == name)
        .map_or(name, |(_, tag)| (*tag).to_owned())
}
