//! Several processes, one connection.

use std::time::Duration;

use serde_json::Value;
use tokio::join;
use zoom_simulator::{Failure, Fault};

use crate::{
    programs::{json, program_in},
    world::{REP_EMAIL, World, rep},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_processes_make_one_exchange_for_a_token_that_ran_out() {
    // Connected two hours ago, by the machine's clock.
    let world = World::open(zoom_simulator::Config::default(), |_| {}).await;
    let clock = world.zoom.simulator().clock();
    let now = clock.now();
    clock.set(now - jiff::SignedDuration::from_hours(2));
    world.connect(&rep()).await;
    clock.set(now);
    three_make_one_exchange(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_processes_make_one_exchange_for_a_token_that_zoom_refuses() {
    let world = World::open(zoom_simulator::Config::default(), |_| {}).await;
    world.connect(&rep()).await;
    world.zoom.simulator().expire_access_tokens();
    three_make_one_exchange(&world).await;
}

async fn three_make_one_exchange(world: &World) {
    // Zoom takes its time, so that the others come while one is at it.
    let slow = Failure::new(Fault::Slow)
        .on("POST /oauth/token")
        .delay(Duration::from_millis(1500));
    world.zoom.simulator().fail_next(slow);
    let status = async || json(program_in(world, "zoomctl").args(["status", "--json"])).await;
    let (one, two, three) = join!(status(), status(), status());
    for answer in [&one, &two, &three] {
        is_live(answer);
    }
    assert_eq!(
        world.zoom.simulator().count("token.refresh_token"),
        1,
        "one exchange"
    );
    is_live(&status().await);
    assert_eq!(
        world.zoom.simulator().count("token.refresh_token"),
        1,
        "and the new token was kept"
    );
}

/// One connection, which Zoom has answered.
fn is_live(answer: &Value) {
    let rows = answer.as_array().unwrap();
    assert_eq!(rows.len(), 1, "{answer:#}");
    assert_eq!(
        (rows[0]["live"].as_str(), rows[0]["status"].as_str()),
        (Some("ok"), Some("active")),
        "{answer:#}"
    );
    assert_eq!(rows[0]["email"], REP_EMAIL);
}
