//! Zoom sends events more than once, and several about one recording.

use crate::{
    fakes::Slack,
    wait::until,
    world::{World, rep, simulator_config},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_sent_again_make_one_call_and_one_recap() {
    let slack = Slack::start().await;
    let url = slack.url("T0/B0/once");
    let world = World::start_with(simulator_config(), |config| {
        config.slack_webhook = Some(url.into());
    })
    .await;
    world.connect(&rep()).await;
    world.hold("sales-call");
    let first = world.the_call().await;
    assert_eq!(slack.posts().await.len(), 1);

    for event in [
        "recording.completed",
        "recording.transcript_completed",
        "recording.completed",
    ] {
        let before = world.acknowledged(event);
        world.send_again(event);
        until("the repetition is answered with 200", async || {
            (world.acknowledged(event) > before).then_some(())
        })
        .await;
    }
    let again = world.the_call().await;
    assert_eq!(
        (again.id, again.revision),
        (first.id, first.revision),
        "nothing is done twice"
    );
    assert_eq!(slack.posts().await.len(), 1, "the team is told once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repetition_that_looks_new_makes_one_call_and_one_recap() {
    let slack = Slack::start().await;
    let url = slack.url("T0/B0/alike");
    let world = World::start_with(simulator_config(), |config| {
        config.slack_webhook = Some(url.into());
    })
    .await;
    world.connect(&rep()).await;
    world.hold("sales-call");
    world.the_call().await;

    // Made anew by Zoom a minute later: other time, other token, one more key. Only the recording is the same.
    for event in ["recording.completed", "recording.transcript_completed"] {
        let mut body = world.last_body(event);
        body["event_ts"] = (body["event_ts"].as_i64().unwrap() + 60_000).into();
        body["download_token"] = "another".into();
        body["payload"]["object"]["made_anew"] = true.into();
        world.send_body(&body);
    }
    world.the_call().await;
    assert_eq!(slack.posts().await.len(), 1, "the team is told once");
}
