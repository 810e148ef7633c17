//! A live test: what Zoom says becomes of a connection, and what its silence does not.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::json;
use token_store::{MemoryStore, Status};
use zoom_core::{AccountId, UserId};
use zoom_oauth::{Action, Cause, Connections, ErrorKind, EventKind, Feature, Health};

use crate::{
    events::Heard,
    zoom::{Fault, Slow, Zoom, owner, quick},
};

async fn world() -> (Zoom, Connections, Heard) {
    let zoom = Zoom::start().await;
    zoom.state().scope = "user:read:user user:read:settings cloud_recording:read:list_user_recordings".into();
    zoom.state().profile = json!({ "type": 2 });
    zoom.state().settings = json!({ "recording": { "cloud_recording": true } });
    let heard = Heard::default();
    let connections = zoom
        .builder(MemoryStore::new())
        .with_sleeper(quick())
        .events(Arc::new(heard.clone()))
        .features([Feature::ListRecordings])
        .build()
        .unwrap();
    zoom.connect(&connections, "rep").await;
    (zoom, connections, heard)
}

async fn test(connections: &Connections) -> Health {
    connections.test(&owner("rep")).await.unwrap()
}

fn causes(health: &Health) -> Vec<Cause> {
    health
        .findings
        .iter()
        .map(|finding| finding.cause.clone())
        .collect()
}

#[tokio::test]
async fn what_is_switched_off_degrades_and_what_is_mended_recovers() {
    let (zoom, connections, heard) = world().await;
    assert!(test(&connections).await.is_good());
    zoom.pass(SignedDuration::from_mins(1));
    zoom.state().settings = json!({ "recording": { "cloud_recording": false } });
    for _ in 0..2 {
        let health = test(&connections).await;
        assert_eq!(
            (health.answered, causes(&health)),
            (true, vec![Cause::CloudRecordingOff])
        );
        assert_eq!(health.findings[0].action, Action::ChangeSettings);
        assert_eq!(health.connection.status, Status::Degraded);
        assert_eq!(health.connection.cloud_recording, Some(false));
        assert_eq!(health.connection.checked_at, Some(zoom.clock().now()));
    }
    zoom.state().settings = json!({ "recording": { "cloud_recording": true } });
    let health = test(&connections).await;
    assert!(health.is_good());
    assert_eq!(
        (health.connection.status, health.connection.reason),
        (Status::Active, None)
    );
    assert_eq!(
        heard.kinds(),
        [EventKind::Connected, EventKind::Degraded, EventKind::Recovered]
    );
}

#[tokio::test]
async fn dead_tokens_expire_and_say_why() {
    let (zoom, connections, heard) = world().await;
    zoom.revoke_all();
    let health = test(&connections).await;
    assert_eq!(
        (health.answered, causes(&health)),
        (true, vec![Cause::InvalidGrant])
    );
    assert_eq!(health.connection.status, Status::Expired);
    assert_eq!(test(&connections).await, health, "and once more");
    assert_eq!(heard.kinds(), [EventKind::Connected, EventKind::Expired]);
}

#[tokio::test]
async fn a_zoom_that_does_not_answer_changes_nothing() {
    let (zoom, connections, heard) = world().await;
    let before = connections.connection(&owner("rep")).await.unwrap().unwrap();
    zoom.pass(SignedDuration::from_mins(1));
    zoom.state().refusals.extend([(503, 0); 4]);
    let silent = test(&connections).await;
    for _ in 0..4 {
        zoom.refuse_settings(503, 0);
    }
    let half_silent = test(&connections).await;
    zoom.state().refusals.extend([(429, 429); 4]);
    let busy = test(&connections).await;
    for health in [silent, half_silent, busy] {
        assert!(!health.answered && !health.is_good());
        assert_eq!(causes(&health), [Cause::Unavailable]);
        assert_eq!(health.connection, before);
    }
    assert_eq!(heard.kinds(), [EventKind::Connected]);
}

#[tokio::test]
async fn only_the_token_endpoint_ends_a_connection() {
    let (zoom, connections, heard) = world().await;
    zoom.state().refusals.push_back((404, 1001));
    let health = test(&connections).await;
    assert_eq!(zoom.calls("refresh_token"), 1, "it was asked");
    assert_eq!(
        (causes(&health), health.connection.status),
        (vec![Cause::UserInactive], Status::Degraded)
    );
    zoom.state().refusals.push_back((404, 1001));
    zoom.end_refresh_tokens();
    let health = test(&connections).await;
    assert_eq!(
        (causes(&health), health.connection.status),
        (vec![Cause::InvalidGrant], Status::Expired)
    );
    assert_eq!(
        heard.kinds(),
        [EventKind::Connected, EventKind::Degraded, EventKind::Expired]
    );
}

#[tokio::test]
async fn a_refused_app_is_no_user_s_fault() {
    let (zoom, connections, heard) = world().await;
    zoom.pass_an_hour();
    zoom.fail_next(Fault::InvalidClient);
    let health = test(&connections).await;
    assert_eq!(
        (causes(&health), health.findings[0].action),
        (vec![Cause::InvalidClient], Action::CheckApp)
    );
    assert_eq!(health.connection.status, Status::Active);
    assert_eq!(heard.kinds(), [EventKind::Connected]);
}

#[tokio::test]
async fn it_looks_past_every_cache() {
    let (zoom, connections, _) = world().await;
    let rep = owner("rep");
    let client = connections.client_for(&rep).await.unwrap();
    client.users().me().await.unwrap();
    let asked = zoom.state().looks;
    test(&connections).await;
    assert_eq!(zoom.state().looks, asked + 1);
    // Zoom has nothing against the token in memory; the store knows better.
    connections.disconnect(&rep).await.unwrap();
    assert_eq!(
        connections.test(&owner("nobody")).await.unwrap_err().kind(),
        ErrorKind::NotConnected
    );
    assert_eq!(
        connections.test(&rep).await.unwrap_err().kind(),
        ErrorKind::NotConnected
    );
}

#[tokio::test]
async fn webhooks_are_noted_once_a_minute() {
    let (zoom, connections, _) = world().await;
    let (account, user) = (AccountId::new("acc-1"), UserId::new("user-1"));
    let start = zoom.clock().now();
    for (after, noted) in [(0, 0), (59, 0), (60, 60), (61, 60)] {
        let at = start + SignedDuration::from_secs(after);
        connections.note_webhook(&account, Some(&user), at).await.unwrap();
        let connection = connections.connection(&owner("rep")).await.unwrap().unwrap();
        assert_eq!(
            connection.last_webhook_at,
            Some(start + SignedDuration::from_secs(noted)),
            "{after}"
        );
    }
    connections
        .client_for(&owner("rep"))
        .await
        .unwrap()
        .users()
        .me()
        .await
        .unwrap();
    // Consenting again keeps it, a disconnect leaves it alone.
    zoom.connect(&connections, "rep").await;
    connections.disconnect(&owner("rep")).await.unwrap();
    let later = start + SignedDuration::from_hours(1);
    connections.note_webhook(&account, None, later).await.unwrap();
    let connection = connections.connection(&owner("rep")).await.unwrap().unwrap();
    assert_eq!(
        connection.last_webhook_at,
        Some(start + SignedDuration::from_secs(60))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_webhook_s_note_stays_out_of_the_way_of_a_refresh() {
    let (zoom, connections, _) = world().await;
    zoom.pass_an_hour();
    let (slow, go) = Slow::new();
    zoom.fail_next(Fault::Slow(Arc::clone(&slow)));
    let refreshing = {
        let connections = connections.clone();
        tokio::spawn(async move { connections.refresh(&owner("rep")).await })
    };
    slow.call_arrives().await;
    let account = AccountId::new("acc-1");
    let now = zoom.clock().now();
    connections.note_webhook(&account, None, now).await.unwrap();
    go.send(()).unwrap();
    assert_eq!(refreshing.await.unwrap().unwrap().last_webhook_at, None);
    connections.note_webhook(&account, None, now).await.unwrap();
    let connection = connections.connection(&owner("rep")).await.unwrap().unwrap();
    assert_eq!(connection.last_webhook_at, Some(now));
}
