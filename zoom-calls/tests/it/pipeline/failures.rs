use std::sync::Arc;

use serde_json::json;
use wiremock::matchers::path_regex;
use wiremock::{Mock, ResponseTemplate};
use zoom_calls::{
    Analysis, Call, CallId, CallStatus, CallStore, Evidence, Objection, ObjectionCategory, Origin,
    PipelineError, Scope, StageError, Step, StepState, StubAnalyzer, StubNotifier,
};
use zoom_recordings::{StubTranscriber, Transcript, TranscriptSource};

use super::world::{CANARY, SALES_VTT, World};

#[tokio::test]
async fn a_failure_that_stays_is_recorded_and_its_media_are_deleted() {
    let transcriber = Arc::new(
        StubTranscriber::new(Transcript::new(TranscriptSource::Whisper))
            .fail_first(StageError::permanent("not a sound")),
    );
    let world = World::with(
        |b| b.transcriber(transcriber).with_transcript_waits([]),
        StubNotifier::new(),
    )
    .await;
    world.has_files(json!([world.file("M4A")]), 9).await;
    world.serves(SALES_VTT).await;
    world.run(&[world.recording_completed()]).await;
    let call = world.call().await;
    assert_eq!(call.status, CallStatus::Failed);
    assert_eq!(call.status_reason.as_deref(), Some("transcribe: not a sound"));
    assert_eq!(call.step(Step::Transcribe).unwrap().state, StepState::Failed);
    assert_eq!(world.asked("/dl/m4a").await, 1);
    assert!(world.media().is_empty());
    assert!(world.notifier.recaps().is_empty());
    // A second try, by hand, finds words and finishes.
    world
        .pipeline
        .retry(&(&world.owner).into(), &call.id)
        .await
        .unwrap();
    world.run(&[]).await;
    let call = world.call().await;
    assert_eq!((call.status, call.status_reason), (CallStatus::Ready, None));
}

#[tokio::test]
async fn a_failure_that_passes_is_tried_again() {
    let busy = || StageError::transient("busy");
    let mut heard = Transcript::new(TranscriptSource::Whisper);
    heard.push(0, 900, None, "hello there");
    let transcriber = Arc::new(StubTranscriber::new(heard).fail_first(busy()).fail_first(busy()));
    let world = World::with(
        |b| b.transcriber(transcriber.clone()),
        StubNotifier::new().failing_once(busy()),
    )
    .await;
    world.has_files(json!([world.file("M4A")]), 9).await;
    world.serves(SALES_VTT).await;
    world.run(&[world.recording_completed()]).await;
    let call = world.call().await;
    assert_eq!(call.status, CallStatus::Ready);
    assert_eq!(call.step(Step::Transcribe).unwrap().attempt, 3);
    // The file was fetched once for three attempts.
    assert_eq!((transcriber.calls().len(), world.asked("/dl/m4a").await), (3, 1));
    assert_eq!(
        (
            call.step(Step::Recap).unwrap().attempt,
            world.notifier.recaps().len()
        ),
        (2, 1)
    );
}

#[tokio::test]
async fn a_channel_that_is_gone_costs_the_message_and_not_the_call() {
    let gone = StubNotifier::new().failing_once(StageError::permanent("channel_not_found"));
    let world = World::with(|builder| builder, gone).await;
    world.has_files(json!([world.file("TRANSCRIPT")]), 9).await;
    world.serves(SALES_VTT).await;
    world.run(&[world.recording_completed()]).await;
    let call = world.call().await;
    assert_eq!((call.status, call.recap.clone()), (CallStatus::Ready, None));
    assert_eq!(
        call.step(Step::Recap).unwrap().detail.as_deref(),
        Some("channel_not_found")
    );
}

#[tokio::test]
async fn a_page_instead_of_a_transcript_fails_without_a_word_of_it_on_the_call() {
    let world = World::new().await;
    world.has_files(json!([world.file("TRANSCRIPT")]), 9).await;
    world.serves(&format!("<html>sign in {CANARY}</html>")).await;
    world.run(&[world.recording_completed()]).await;
    let call = world.call().await;
    assert_eq!(call.status, CallStatus::Failed);
    let kept = format!("{} {}", serde_json::to_string(&call).unwrap(), world.jobs().await);
    assert!(!kept.contains(CANARY) && !kept.contains("html"), "{kept}");
    assert!(world.media().is_empty());
}

#[tokio::test]
async fn participants_that_zoom_does_not_give_cost_only_the_names() {
    let world = World::new().await;
    world.has_files(json!([world.file("TRANSCRIPT")]), 9).await;
    let refused =
        ResponseTemplate::new(400).set_body_json(json!({"code": 200, "message": "only for paid accounts"}));
    Mock::given(path_regex("^/v2/past_meetings/"))
        .respond_with(refused)
        .mount(&world.zoom)
        .await;
    world.serves(SALES_VTT).await;
    world.run(&[world.recording_completed()]).await;
    let call = world.call().await;
    assert_eq!(call.status, CallStatus::Ready);
    assert!(
        call.step(Step::Fetch)
            .unwrap()
            .detail
            .as_deref()
            .unwrap()
            .contains("participants are not available")
    );
    // The host is known by the address all the same.
    assert_eq!(call.sides.of(Some("Maya Chen")), zoom_calls::Side::Internal);
}

#[tokio::test]
async fn what_an_analyzer_invents_never_reaches_the_call() {
    let invented = Objection::new(
        ObjectionCategory::Price,
        Evidence::claim(vec![1], "we will never pay that"),
    );
    let mut analysis = Analysis::default();
    analysis.objections = vec![invented];
    let world = World::with(
        |b| b.analyzer(Arc::new(StubAnalyzer::new(analysis))),
        StubNotifier::new(),
    )
    .await;
    world.has_files(json!([world.file("TRANSCRIPT")]), 9).await;
    world.serves(SALES_VTT).await;
    world.run(&[world.recording_completed()]).await;
    let analysis = world.call().await.analysis.unwrap();
    assert_eq!((analysis.objections.len(), analysis.dropped.len()), (0, 1));
    assert!(world.notifier.recaps()[0].objections.is_empty());
}

#[tokio::test]
async fn a_deleted_call_does_not_come_back() {
    let world = World::new().await;
    world.has_files(json!([world.file("TRANSCRIPT")]), 9).await;
    world.serves(SALES_VTT).await;
    world.run(&[world.recording_completed()]).await;
    let (scope, id) = (Scope::from(&world.owner), world.call_id());
    world.pipeline.retry(&scope, &id).await.unwrap();
    assert!(world.store.delete(&scope, &id).await.unwrap());
    world.run(&[world.recording_completed()]).await;
    assert_eq!(world.store.load(&scope, &id).await.unwrap(), None);
    assert!(world.media().is_empty());
    assert!(matches!(
        world.pipeline.retry(&scope, &id).await,
        Err(PipelineError::NoSuchCall)
    ));
}

#[tokio::test]
async fn media_that_a_crash_left_are_swept_at_the_next_start() {
    let world = World::new().await;
    world.has_files(json!([world.file("TRANSCRIPT")]), 9).await;
    world.serves(SALES_VTT).await;
    world.run(&[world.recording_completed()]).await;
    let id = world.call_id();
    // Somebody is still at work on this one.
    let uuid = zoom_core::MeetingUuid::new("other==");
    let busy = CallId::for_meeting(&world.owner, &uuid);
    let now = "2026-11-22T15:00:00Z".parse().unwrap();
    let call = Call::new(
        busy.clone(),
        world.owner.clone(),
        Origin::Meeting { uuid },
        "Other",
        now,
    );
    world.store.save(&call).await.unwrap();
    for folder in [id.as_str(), busy.as_str(), "call_of_nobody", "something_else"] {
        std::fs::create_dir(world.work_dir.path().join(folder)).unwrap();
    }
    assert_eq!(world.pipeline.sweep_media().await.unwrap(), 2);
    let mut left = world.media();
    left.sort();
    assert_eq!(
        left,
        [busy.as_str(), "something_else"].map(|name| world.work_dir.path().join(name))
    );
}
