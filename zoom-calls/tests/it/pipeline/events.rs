use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use job_queue::JobQueue;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use zoom_calls::{
    CallReport, CallStatus, CallStore, Scope, SearchQuery, Side, Step, StepState, StubAnalyzer, StubNotifier,
};
use zoom_recordings::{StubTranscriber, Transcript, TranscriptSource};

use super::world::{CANARY, SALES_VTT, World};

#[tokio::test]
async fn a_recording_becomes_a_ready_call_with_everything_on_it() {
    let world = World::new().await;
    world
        .has_files(json!([world.file("M4A"), world.file("TRANSCRIPT")]), 9)
        .await;
    world.serves(SALES_VTT).await;
    world.run(&[world.recording_completed()]).await;

    let call = world.call().await;
    assert_eq!(
        (call.status, call.topic.as_str()),
        (CallStatus::Ready, "Brightwave intro")
    );
    assert_eq!(call.duration_ms, Some(408_000));
    for step in Step::ALL {
        assert_eq!(
            call.step(step).map(|record| record.state),
            Some(StepState::Done),
            "{step:?}"
        );
    }
    assert_eq!(call.sides.of(Some("Maya Chen")), Side::Internal);
    assert_eq!(call.sides.of(Some("Daniel Ortiz")), Side::External);
    let report = serde_json::to_value(CallReport::from(&call)).unwrap();
    assert_eq!(report["transcript"]["source"], "zoom");
    assert_eq!(
        report["transcript"]["speakers"],
        json!(["Maya Chen", "Daniel Ortiz"])
    );
    assert!(report["closing_score"].as_u64().unwrap() > 60);
    assert_eq!(report["contact"]["linked"]["contact"]["id"], "c1");
    assert_eq!(report["attribution"]["credits"][0]["weight_ppm"], 1_000_000);
    assert_eq!(report["attribution"]["credits"][0]["channel"], "paid");
    assert_eq!(
        report["recap"],
        json!({"channel": "stub", "posted": true, "ts": "1"})
    );
    let due: Vec<&str> = report["next_steps"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|step| step["due_date"].as_str())
        .collect();
    assert!(due.contains(&"2026-11-27"), "{due:?}");

    let hits = world
        .store
        .search(
            &Scope::from(&world.owner),
            &SearchQuery::parse("\"too expensive\""),
            5,
        )
        .await
        .unwrap();
    assert_eq!(
        (hits.len(), hits[0].speaker.as_deref()),
        (1, Some("Daniel Ortiz"))
    );
    // No transcriber, so the sound was left where it is; and nothing temporary is left here.
    assert_eq!(world.asked("/dl/m4a").await, 0);
    assert!(world.media().is_empty());
    let kept = format!("{} {}", world.jobs().await, serde_json::to_string(&call).unwrap());
    assert!(!kept.contains(CANARY) && !kept.contains("/dl/"), "{kept}");
}

#[tokio::test]
async fn a_duplicate_event_makes_one_call_and_one_recap() {
    let world = World::new().await;
    world.has_files(json!([world.file("TRANSCRIPT")]), 9).await;
    world.serves(SALES_VTT).await;
    world
        .run(&[world.recording_completed(), world.recording_completed()])
        .await;
    world.run(&[world.recording_completed()]).await;
    assert_eq!(world.asked("/recordings").await, 1);
    assert_eq!(world.notifier.recaps().len(), 1);
    // Zoom's second kind of event for the same words changes nothing that people see.
    let before = world.call().await;
    world.run(&[world.transcript_completed()]).await;
    let after = world.call().await;
    assert_eq!(
        (after.analysis, after.recap, after.status),
        (before.analysis, before.recap, CallStatus::Ready)
    );
    assert_eq!(world.notifier.recaps().len(), 1);
    assert!(world.media().is_empty());
}

#[tokio::test]
async fn a_late_transcript_wakes_the_call_that_waits_for_it() {
    let hour = Duration::from_secs(3_600);
    let world = World::with(
        |builder| builder.with_transcript_waits([hour]),
        StubNotifier::new(),
    )
    .await;
    world.has_files(json!([world.file("M4A")]), 1).await;
    world
        .has_files(json!([world.file("M4A"), world.file("TRANSCRIPT")]), 9)
        .await;
    world.serves(SALES_VTT).await;
    let shutdown = CancellationToken::new();
    let work = tokio::spawn(world.worker().run(shutdown.clone()));
    world.queue.enqueue(&[world.recording_completed()]).await.unwrap();
    world.store.until(CallStatus::AwaitingTranscript).await;
    world
        .queue
        .enqueue(&[world.transcript_completed()])
        .await
        .unwrap();
    world.store.until(CallStatus::Ready).await;
    shutdown.cancel();
    work.await.unwrap().unwrap();
    let call = world.call().await;
    assert!(call.transcript.unwrap().words() > 1_000);
    assert_eq!(world.notifier.recaps().len(), 1);
    // The question that was to be asked in an hour is not asked any more.
    world.now.fetch_add(3_600, Ordering::Relaxed);
    let asked = world.asked("/recordings").await;
    world.run(&[]).await;
    assert_eq!(world.asked("/recordings").await, asked);
}

#[tokio::test]
async fn without_the_event_the_call_asks_again() {
    let waits = [Duration::ZERO, Duration::ZERO];
    let world = World::with(
        |builder| builder.with_transcript_waits(waits),
        StubNotifier::new(),
    )
    .await;
    world.has_files(json!([]), 2).await;
    world.has_files(json!([world.file("TRANSCRIPT")]), 9).await;
    world.serves(SALES_VTT).await;
    world.run(&[world.recording_completed()]).await;
    assert_eq!(
        (world.call().await.status, world.asked("/recordings").await),
        (CallStatus::Ready, 3)
    );
}

#[tokio::test]
async fn words_come_from_the_transcriber_and_names_from_zoom_once_it_has_them() {
    let mut heard = Transcript::new(TranscriptSource::Whisper);
    heard.push(2_700, 5_700, None, "hi daniel good morning can you hear me okay");
    heard.push(6_700, 9_400, None, "morning maya yeah loud and clear");
    let transcriber = Arc::new(StubTranscriber::new(heard));
    let analyzer = Arc::new(StubAnalyzer::new(zoom_calls::Analysis::default()));
    let (ours, judge) = (transcriber.clone(), analyzer.clone());
    let world = World::with(
        |builder| builder.transcriber(ours).analyzer(judge),
        StubNotifier::new(),
    )
    .await;
    world.has_files(json!([world.file("M4A")]), 1).await;
    world
        .has_files(json!([world.file("M4A"), world.file("TRANSCRIPT")]), 9)
        .await;
    world.serves(SALES_VTT).await;

    world.run(&[world.recording_completed()]).await;
    let call = world.call().await;
    assert_eq!(call.status, CallStatus::Ready);
    assert_eq!(call.transcript.unwrap().speakers(), [""; 0]);

    world.run(&[world.transcript_completed()]).await;
    let call = world.call().await;
    let words = call.transcript.unwrap();
    assert_eq!(
        (words.source.as_str(), words.speakers()),
        ("whisper", vec!["Maya Chen", "Daniel Ortiz"])
    );
    assert!(call.zoom_transcript.unwrap().words() > 1_000);
    assert_eq!(
        (
            transcriber.calls().len(),
            analyzer.asked().len(),
            world.notifier.recaps().len()
        ),
        (1, 2, 1)
    );
    assert!(world.media().is_empty());
}
