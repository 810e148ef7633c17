use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};
use zoom_recordings::{
    ApiKey, Media, MediaType, OpenAiError, OpenAiTranscriber, StageError, Transcriber, Transcript,
    WarningKind,
};

struct Bench {
    server: MockServer,
    transcriber: OpenAiTranscriber,
    _dir: TempDir,
    path: PathBuf,
}

const SOUND: &[u8] = b"\0\0\0\x1cftypM4A not really sound";

impl Bench {
    async fn new(answer: ResponseTemplate) -> Self {
        let server = MockServer::start().await;
        Mock::given(method("POST"))
            .and(path("/proxy/v1/audio/transcriptions"))
            .and(header("authorization", "Bearer sk-canary"))
            .respond_with(answer)
            .mount(&server)
            .await;
        let base = format!("{}/proxy/", server.uri()).parse().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a private name.m4a");
        std::fs::write(&file, SOUND).unwrap();
        let transcriber = OpenAiTranscriber::at(&base, ApiKey::new("sk-canary")).unwrap();
        Self {
            server,
            transcriber,
            _dir: dir,
            path: file,
        }
    }

    async fn transcribe(&self) -> Result<Transcript, StageError> {
        self.transcriber
            .transcribe(Media::new(&self.path, MediaType::M4a, SOUND.len() as u64))
            .await
    }

    /// The form that was sent, as text, and its declared length.
    async fn form(&self) -> (String, Option<usize>) {
        let request = self.server.received_requests().await.unwrap().pop().unwrap();
        let length = request
            .headers
            .get("content-length")
            .map(|v| v.to_str().unwrap().parse().unwrap());
        assert_eq!(length, Some(request.body.len()));
        (String::from_utf8_lossy(&request.body).into_owned(), length)
    }
}

fn has_field(form: &str, name: &str, value: &str) -> bool {
    form.contains(&format!("name=\"{name}\"\r\n\r\n{value}\r\n"))
}

fn verbose() -> serde_json::Value {
    json!({"task": "transcribe", "language": "english", "duration": 8.47, "text": "Good morning. Thanks for watching.",
        "segments": [
            {"id": 0, "start": 0.0, "end": 3.32, "text": " Good morning.", "avg_logprob": -0.28, "no_speech_prob": 0.01},
            {"id": 1, "start": 3.32, "end": 8.4, "text": " Thanks for watching.", "avg_logprob": -1.4, "no_speech_prob": 0.9},
        ],
        "usage": {"type": "duration", "seconds": 9}})
}

fn source(error: &StageError) -> &OpenAiError {
    error.source().and_then(|source| source.downcast_ref()).unwrap()
}

#[tokio::test]
async fn segments_become_utterances_and_made_up_words_are_left_out() {
    let bench = Bench::new(ResponseTemplate::new(200).set_body_json(verbose())).await;
    let transcript = bench.transcribe().await.unwrap();
    assert_eq!(transcript.source.as_str(), "openai");
    assert_eq!(transcript.language.as_deref(), Some("en"));
    let got: Vec<_> = transcript
        .utterances
        .iter()
        .map(|u| (u.start_ms, u.end_ms, u.speaker.as_deref(), u.text.as_str()))
        .collect();
    assert_eq!(got, [(0, 3_320, None, "Good morning.")]);
    assert_eq!(transcript.warnings[0].kind, WarningKind::Silence);

    let (form, _) = bench.form().await;
    assert!(has_field(&form, "model", "whisper-1"));
    assert!(has_field(&form, "response_format", "verbose_json"));
    assert!(form.contains("name=\"file\"; filename=\"audio.m4a\"\r\nContent-Type: audio/mp4"));
    assert!(form.contains("not really sound"));
    assert!(!form.contains("private") && !form.contains("canary"));
}

#[tokio::test]
async fn a_model_that_diarizes_names_the_speakers() {
    let answer = json!({"task": "transcribe", "duration": 3.0, "text": "Hi. Hello.", "segments": [
        {"type": "transcript.text.segment", "id": "a", "start": 0.0, "end": 1.0, "speaker": "A", "text": "Hi."},
        {"type": "transcript.text.segment", "id": "b", "start": 1.0, "end": 3.0, "speaker": "B", "text": "Hello."}]});
    let mut bench = Bench::new(ResponseTemplate::new(200).set_body_json(answer)).await;
    bench.transcriber = bench
        .transcriber
        .model("gpt-4o-transcribe-diarize")
        .language("fr")
        .prompt("Acme");
    let transcript = bench.transcribe().await.unwrap();
    assert_eq!(transcript.plain_text(), "A: Hi.\nB: Hello.\n");
    assert_eq!(transcript.language.as_deref(), Some("fr"));
    let (form, _) = bench.form().await;
    assert!(
        has_field(&form, "response_format", "diarized_json") && has_field(&form, "chunking_strategy", "auto")
    );
    assert!(has_field(&form, "language", "fr") && !form.contains("name=\"prompt\""));
}

#[tokio::test]
async fn a_file_that_is_too_large_is_never_sent() {
    let bench = Bench::new(ResponseTemplate::new(200)).await;
    let media = Media::new(&bench.path, MediaType::M4a, (25 << 20) + 1);
    let error = bench.transcriber.transcribe(media).await.unwrap_err();
    assert!(matches!(
        source(&error),
        OpenAiError::TooLarge {
            limit: 26_214_400,
            ..
        }
    ));
    assert!(!error.is_transient());
    let vtt = bench
        .transcriber
        .transcribe(Media::new(&bench.path, MediaType::Vtt, 1))
        .await
        .unwrap_err();
    assert!(matches!(source(&vtt), OpenAiError::NoSound));
    assert!(bench.server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn refusals_are_sorted_into_those_that_pass_and_those_that_do_not() {
    let body = |code: &str| json!({"error": {"message": "canary", "type": "some_type", "code": code}});
    let template = |status: u16, code: &str| ResponseTemplate::new(status).set_body_json(body(code));
    for (answer, transient, delay) in [
        (
            template(429, "rate_limit_exceeded").insert_header("retry-after", "20"),
            true,
            Some(Duration::from_secs(20)),
        ),
        (
            template(429, "x").insert_header("retry-after-ms", "1500"),
            true,
            Some(Duration::from_millis(1500)),
        ),
        (template(429, "insufficient_quota"), false, None),
        (template(500, "x"), true, None),
        (
            template(503, "x").insert_header("x-should-retry", "false"),
            false,
            None,
        ),
        (template(409, "x"), true, None),
        (template(400, "x"), false, None),
        (template(401, "invalid_api_key"), false, None),
        (template(413, "x"), false, None),
        (
            template(302, "x").insert_header("location", "https://example.org/"),
            false,
            None,
        ),
    ] {
        let bench = Bench::new(answer).await;
        let error = bench.transcribe().await.unwrap_err();
        assert_eq!(
            (error.is_transient(), error.retry_delay()),
            (transient, delay),
            "{error:?}"
        );
        assert!(
            !format!("{error:?} {}", source(&error)).contains("canary"),
            "{error:?}"
        );
    }
    let bench = Bench::new(template(429, "insufficient_quota")).await;
    let error = bench.transcribe().await.unwrap_err();
    assert_eq!(
        source(&error).to_string(),
        "the audio API answered with status 429 (insufficient_quota)"
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_or_makes_no_sense_may_be_better_later() {
    let bench = Bench::new(ResponseTemplate::new(200).set_body_string("<html>")).await;
    let error = bench.transcribe().await.unwrap_err();
    assert!(matches!(source(&error), OpenAiError::BadAnswer) && error.is_transient());

    // Nobody listens on the first of all ports.
    let base = "http://127.0.0.1:1".parse().unwrap();
    let transcriber = OpenAiTranscriber::at(&base, ApiKey::new("sk-canary")).unwrap();
    let error = transcriber
        .transcribe(Media::new(&bench.path, MediaType::M4a, SOUND.len() as u64))
        .await
        .unwrap_err();
    assert!(matches!(source(&error), OpenAiError::Unreachable(_)) && error.is_transient());
}

#[test]
fn the_key_is_not_shown() {
    let transcriber = OpenAiTranscriber::new(ApiKey::new("sk-canary")).unwrap();
    assert!(!format!("{transcriber:?}").contains("canary"));
}
