//! What Zoom sends about accounts that are no longer connected.

use zoom_oauth::Status;

use crate::world::{REP_EMAIL, World, rep};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn webhooks_of_a_disconnected_account_are_acknowledged_and_ignored() {
    let world = World::start().await;
    world.connect(&rep()).await;
    assert!(
        world
            .backend
            .connections
            .disconnect(&rep())
            .await
            .unwrap()
            .is_revoked()
    );

    world.hold("sales-call");
    let counts = world.settled().await;
    for event in ["recording.completed", "recording.transcript_completed"] {
        assert_eq!(world.acknowledged(event), 1, "{event} is answered with 200");
    }
    assert_eq!(counts.dead, 0, "ignoring is no failure");
    assert!(world.calls().await.is_empty());
    assert_eq!(world.zoom.simulator().count("download"), 0, "nothing is fetched");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn removing_the_app_at_zoom_purges_the_tokens() {
    let world = World::start().await;
    world.connect(&rep()).await;
    let rows = world.connection_rows().await;
    assert!(
        matches!(rows.as_slice(), [(status, Some(_))] if status == "active"),
        "{rows:?}"
    );

    world.zoom.simulator().deauthorize(REP_EMAIL);
    world.settled().await;
    assert_eq!(world.acknowledged("app_deauthorized"), 1);
    assert_eq!(world.connection_rows().await, [("disconnected".to_owned(), None)]);
    let connection = world
        .backend
        .connections
        .connection(&rep())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (connection.status, connection.reason.as_deref()),
        (Status::Disconnected, Some("deauthorized"))
    );

    world.hold("sales-call");
    world.settled().await;
    assert!(world.calls().await.is_empty());
}
