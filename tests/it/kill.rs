//! The power fails in the middle.

use backend::{Backend, OpenAi};
use job_queue::Backoff;
use std::{fs, path::Path, time::Duration};
use tokio_util::sync::CancellationToken;
use zoom_calls::CallStatus;

use crate::{
    fakes::{Slack, Speech},
    programs::{WebHost, program_in},
    wait::until,
    world::{World, config_for, rep},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_killed_while_it_transcribes_finishes_the_call_once_after_a_restart() {
    let slack = Slack::start().await;
    let slack_url = slack.url("T0/B0/kill");
    // This process takes the webhooks in; the work is done by another, on the same file.
    let world = World::open(zoom_simulator::Config::default(), |_| {}).await;
    world.connect(&rep()).await;
    let holds = Speech::that_holds().await;
    let mut web_host = program_in(&world, "web-host");
    web_host
        .env("OPENAI_API_KEY", "k")
        .env("OPENAI_BASE_URL", holds.url().as_str())
        .env("SLACK_WEBHOOK_URL", &slack_url);
    let web_host = WebHost::start(web_host).await;
    world.hold("sales-call");
    until("the sound is being transcribed", async || {
        (holds.heard() == 1).then_some(())
    })
    .await;
    let media = world.folder.path().join("zoom.media");
    assert!(!files(&media).is_empty(), "the sound lies on the disk meanwhile");
    web_host.kill().await;
    let calls = world.calls().await;
    assert_eq!(
        calls.iter().map(|call| call.status).collect::<Vec<_>>(),
        [CallStatus::Processing]
    );
    assert!(slack.posts().await.is_empty());

    // Two minutes later, when nobody waits for the dead any more, it is started again.
    world.advance(2);
    let answers = Speech::that_answers().await;
    let mut config = config_for(&world.zoom, world.database());
    config.openai = Some(OpenAi::new("k", answers.url()));
    config.slack_webhook = Some(slack_url.into());
    let again = Backend::open(config).await.unwrap();
    let stop = CancellationToken::new();
    let worker = again
        .worker_builder()
        .backoff(Backoff::none())
        .poll_interval(Duration::from_millis(50))
        .build();
    let worker = tokio::spawn(worker.run(stop.clone()));

    let call = world.the_call().await;
    stop.cancel();
    worker.await.unwrap().unwrap();
    let words = call.transcript.as_ref().unwrap();
    assert_eq!(words.source.as_str(), "openai");
    assert!(
        words.plain_text().contains("zeppelin"),
        "the words are those that were heard after the restart"
    );
    assert_eq!(answers.heard(), 1, "once");
    assert_eq!(slack.posts().await.len(), 1, "one recap");
    assert!(
        files(&media).is_empty(),
        "no media left behind: {:?}",
        files(&media)
    );
}

/// Names of everything in a folder; none if it is not there.
fn files(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect()
}
