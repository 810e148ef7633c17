use std::sync::Arc;

use job_queue::JobQueue;
use zoom_calls::{CallParticipant, CallStatus, IngestFile, PipelineError, StubNotifier};
use zoom_recordings::{StubTranscriber, Transcript, TranscriptSource};

use super::world::{M4A, SALES_VTT, World};

#[tokio::test]
async fn a_transcript_on_disk_becomes_a_call_and_stays_where_it_is() {
    let world = World::new().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("Tidewater intro.vtt");
    std::fs::write(&path, SALES_VTT).unwrap();
    let file = IngestFile::new(&path)
        .started_at("2026-11-23T15:00:00Z".parse().unwrap())
        .timezone("America/Toronto")
        .host_email("maya.chen@brightwave.example")
        .participant(CallParticipant::new("Daniel Ortiz").email("daniel.ortiz@tidewater-couriers.example"));
    let id = world
        .pipeline
        .ingest_file(&world.owner, file.clone())
        .await
        .unwrap();
    world.run(&[]).await;
    let call = world.load(&id).await;
    assert_eq!(
        (call.status, call.topic.as_str()),
        (CallStatus::Ready, "Tidewater intro")
    );
    assert!(call.analysis.unwrap().closing.is_some());
    assert_eq!(call.contact.unwrap().linked.unwrap().contact.id.as_str(), "c1");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), SALES_VTT);

    // The same words under another name are the same call.
    let copy = dir.path().join("copy.vtt");
    std::fs::copy(&path, &copy).unwrap();
    assert_eq!(
        world
            .pipeline
            .ingest_file(&world.owner, IngestFile::new(&copy))
            .await
            .unwrap(),
        id
    );
    world.run(&[]).await;
    assert_eq!(world.notifier.recaps().len(), 1);
}

#[tokio::test]
async fn sound_on_disk_gets_its_words_from_the_transcriber_and_names_from_the_file_beside_it() {
    let mut heard = Transcript::new(TranscriptSource::Whisper);
    heard.push(2_700, 5_700, None, "hi daniel good morning");
    let transcriber = Arc::new(StubTranscriber::new(heard));
    let world = World::with(|builder| builder.transcriber(transcriber), StubNotifier::new()).await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("call.m4a");
    std::fs::write(&path, M4A).unwrap();
    std::fs::write(dir.path().join("call.transcript.vtt"), SALES_VTT).unwrap();
    let id = world
        .pipeline
        .ingest_file(&world.owner, IngestFile::new(&path).topic("On disk"))
        .await
        .unwrap();
    world.run(&[]).await;
    let call = world.load(&id).await;
    let words = call.transcript.unwrap();
    assert_eq!(
        (words.source.as_str(), words.speakers(), call.topic.as_str()),
        ("whisper", vec!["Maya Chen"], "On disk")
    );
    assert!(path.exists());
}

#[tokio::test]
async fn sound_without_a_transcriber_says_what_is_missing_and_works_once_it_is_there() {
    let world = World::new().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("call.m4a");
    std::fs::write(&path, M4A).unwrap();
    let id = world
        .pipeline
        .ingest_file(&world.owner, IngestFile::new(&path))
        .await
        .unwrap();
    world.run(&[]).await;
    let call = world.load(&id).await;
    assert_eq!(
        call.status_reason.as_deref(),
        Some("transcribe: there is sound and no transcriber")
    );
    std::fs::write(dir.path().join("call.vtt"), SALES_VTT).unwrap();
    assert_eq!(
        world
            .pipeline
            .ingest_file(&world.owner, IngestFile::new(&path))
            .await
            .unwrap(),
        id
    );
    world.run(&[]).await;
    assert_eq!(world.load(&id).await.status, CallStatus::Ready);
}

#[tokio::test]
async fn a_file_that_is_neither_is_refused_at_the_door() {
    let world = World::new().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notes.docx");
    std::fs::write(&path, "x").unwrap();
    for path in [path, dir.path().join("nothing.vtt")] {
        let refused = world
            .pipeline
            .ingest_file(&world.owner, IngestFile::new(path))
            .await;
        assert!(matches!(refused, Err(PipelineError::File(_))));
    }
    assert_eq!(world.queue.counts().await.unwrap().waiting, 0);
}
