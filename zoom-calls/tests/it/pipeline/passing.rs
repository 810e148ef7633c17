//! What passes costs no call, and what was done is not done twice.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;
use wiremock::matchers::{path, path_regex};
use wiremock::{Mock, ResponseTemplate};
use zoom_calls::{CallStatus, CallStore, IngestFile, Scope, Step, StepState, StubNotifier};

use super::world::{SALES_VTT, World};

/// More than any step is tried without a pause.
const MANY: u64 = 15;

#[tokio::test]
async fn a_transcript_that_is_empty_at_first_is_waited_for() {
    let waits = vec![Duration::ZERO; 20];
    let world = World::with(|b| b.with_transcript_waits(waits), StubNotifier::new()).await;
    world.has_files(json!([world.file("TRANSCRIPT")]), 99).await;
    Mock::given(path("/dl/vtt"))
        .respond_with(ResponseTemplate::new(200).set_body_raw("", "text/vtt"))
        .up_to_n_times(MANY)
        .mount(&world.zoom)
        .await;
    world.serves(SALES_VTT).await;
    world.run(&[world.recording_completed()]).await;
    let call = world.call().await;
    assert_eq!((call.status, call.status_reason), (CallStatus::Ready, None));
    assert!(call.transcript.is_some());
}

#[tokio::test]
async fn a_receipt_that_is_not_stored_at_once_does_not_post_the_recap_again() {
    let world = World::new().await;
    world.has_files(json!([world.file("TRANSCRIPT")]), 9).await;
    world.serves(SALES_VTT).await;
    world.store.refuse_next_receipt();
    world.run(&[world.recording_completed()]).await;
    assert!(world.call().await.recap.is_some());
    assert_eq!(world.notifier.recaps().len(), 1);
}

#[tokio::test]
async fn a_call_that_is_ready_stays_ready_when_a_later_event_finds_nothing() {
    let world = World::new().await;
    world.has_files(json!([world.file("TRANSCRIPT")]), 1).await;
    world.serves(SALES_VTT).await;
    has_no_recording(&world).await;
    world.run(&[world.recording_completed()]).await;
    assert_eq!(world.call().await.status, CallStatus::Ready);
    // The recording is in Zoom's trash by now.
    world.run(&[world.transcript_completed()]).await;
    let call = world.call().await;
    assert_eq!(
        (call.status, call.status_reason.as_deref()),
        (CallStatus::Ready, None)
    );
    assert_eq!(call.step(Step::Fetch).unwrap().state, StepState::Failed);
}

#[tokio::test]
async fn a_file_whose_call_was_deleted_can_be_taken_in_anew() {
    let world = World::new().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("intro.vtt");
    std::fs::write(&path, SALES_VTT).unwrap();
    let ingest = || world.pipeline.ingest_file(&world.owner, IngestFile::new(&path));
    let id = ingest().await.unwrap();
    world.run(&[]).await;
    assert!(world.store.delete(&Scope::All, &id).await.unwrap());
    world.now.fetch_add(1, Ordering::Relaxed);
    assert_eq!(ingest().await.unwrap(), id);
    world.run(&[]).await;
    assert_eq!(world.load(&id).await.status, CallStatus::Ready);
}

#[tokio::test]
async fn a_file_that_was_moved_is_read_where_it_is_now() {
    let world = World::new().await;
    let dir = tempfile::tempdir().unwrap();
    let (old, new) = (dir.path().join("old.vtt"), dir.path().join("new.vtt"));
    std::fs::write(&old, SALES_VTT).unwrap();
    let first = world.pipeline.ingest_file(&world.owner, IngestFile::new(&old));
    let id = first.await.unwrap();
    std::fs::rename(&old, &new).unwrap();
    world.run(&[]).await;
    assert_eq!(world.load(&id).await.status, CallStatus::Failed);
    let again = world.pipeline.ingest_file(&world.owner, IngestFile::new(&new));
    assert_eq!(again.await.unwrap(), id);
    world.run(&[]).await;
    assert_eq!(world.load(&id).await.status, CallStatus::Ready);
}

#[tokio::test]
async fn zoom_may_be_down_for_longer_than_a_few_tries() {
    let world = World::new().await;
    Mock::given(path_regex("^/v2/meetings/.+/recordings$"))
        .respond_with(ResponseTemplate::new(503))
        .up_to_n_times(MANY)
        .mount(&world.zoom)
        .await;
    world.has_files(json!([world.file("TRANSCRIPT")]), 9).await;
    world.serves(SALES_VTT).await;
    world.run(&[world.recording_completed()]).await;
    assert_eq!(world.call().await.status, CallStatus::Ready);
}

#[tokio::test]
async fn a_recording_that_is_not_there_is_given_up_sooner() {
    let world = World::new().await;
    has_no_recording(&world).await;
    world.run(&[world.recording_completed()]).await;
    let call = world.call().await;
    assert_eq!(
        (call.status, call.topic.as_str()),
        (CallStatus::Failed, "Brightwave intro")
    );
    assert_eq!(world.asked("/recordings").await, 10);
}

/// Once its mocks before this are spent, Zoom knows of no recording.
async fn has_no_recording(world: &World) {
    let gone = json!({"code": 3301, "message": "There is no recording for this meeting."});
    Mock::given(path_regex("^/v2/meetings/.+/recordings$"))
        .respond_with(ResponseTemplate::new(404).set_body_json(gone))
        .mount(&world.zoom)
        .await;
}
