//! What is asked and decided when a user has consented.

use serde_json::json;
use token_store::{MemoryStore, Status, TokenStore};
use zoom_oauth::{
    App, AuthorizeRequest, Cause, ClientSecret, Connection, Connections, ConnectionsBuilder, Error,
    ErrorKind, EventKind, Feature, Licence, MissingKind,
};

use crate::{
    events::Heard,
    zoom::{Zoom, owner, quick, session, vault},
};

const ALL_SCOPES: &str = "user:read:user user:read:settings cloud_recording:read:list_user_recordings \
    cloud_recording:read:list_recording_files cloud_recording:read:meeting_transcript";

fn with_recordings(zoom: &Zoom, store: impl TokenStore) -> ConnectionsBuilder {
    zoom.builder(store).with_sleeper(quick()).features([
        Feature::Transcripts,
        Feature::ListRecordings,
        Feature::DownloadRecordings,
    ])
}

fn lacks(connection: &Connection) -> Vec<(MissingKind, Option<Feature>)> {
    let missing = connection.missing.iter();
    missing
        .map(|missing| (missing.what.clone(), missing.feature))
        .collect()
}

async fn connect_again(
    zoom: &Zoom,
    connections: &Connections,
    request: &AuthorizeRequest,
) -> Result<Connection, Error> {
    let started = connections.authorize_with(request).await.unwrap();
    connections.connect(&zoom.consent(&started.url), &session()).await
}

#[tokio::test]
async fn a_user_who_has_everything_is_active_and_it_is_noted_what_they_have() {
    let zoom = Zoom::start().await;
    zoom.state().scope = ALL_SCOPES.into();
    zoom.state().profile = json!({ "type": 2 });
    zoom.state().settings =
        json!({ "recording": { "cloud_recording": true, "recording_audio_transcript": true } });
    let connections = with_recordings(&zoom, MemoryStore::new()).build().unwrap();
    let connection = zoom.connect(&connections, "rep").await;
    assert_eq!(
        (&connection.status, lacks(&connection)),
        (&Status::Active, vec![])
    );
    assert_eq!(connection.licence, Some(Licence::Licensed));
    assert_eq!(
        (connection.cloud_recording, connection.audio_transcript),
        (Some(true), Some(true))
    );
    assert_eq!(connection.checked_at, Some(connection.connected_at));
    assert_eq!(
        connections.connection(&owner("rep")).await.unwrap(),
        Some(connection)
    );
}

#[tokio::test]
async fn everything_that_is_missing_is_told_with_consequence_and_remedy() {
    let zoom = Zoom::start().await;
    zoom.state().scope = ALL_SCOPES.replace("cloud_recording:read:meeting_transcript", "");
    zoom.state().profile = json!({ "type": 1, "status": "inactive" });
    zoom.state().settings =
        json!({ "recording": { "cloud_recording": false, "recording_audio_transcript": false } });
    let heard = Heard::default();
    let connections = with_recordings(&zoom, MemoryStore::new())
        .events(std::sync::Arc::new(heard.clone()))
        .build()
        .unwrap();
    let connection = zoom.connect(&connections, "rep").await;
    assert_eq!(connection.status, Status::Degraded);
    assert_eq!(
        connection.cause(),
        Some(Cause::UserInactive),
        "what stops most comes first"
    );
    assert_eq!(heard.kinds(), [EventKind::Connected], "once");
    let told: Vec<String> = connection
        .missing
        .iter()
        .map(|missing| {
            let feature = missing.feature.map_or("everything", Feature::as_str);
            format!(
                "{} for {feature}: {} → {}",
                missing.what, missing.consequence, missing.remedy
            )
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
    assert_eq!(
        connections.connection(&owner("rep")).await.unwrap(),
        Some(connection)
    );
}

#[tokio::test]
async fn what_the_host_does_not_do_is_not_missing() {
    let zoom = Zoom::start().await;
    zoom.state().profile = json!({ "type": 1 });
    let connections = zoom
        .builder(MemoryStore::new())
        .features([Feature::Profile, Feature::ReadMeetings])
        .build()
        .unwrap();
    let connection = zoom.connect(&connections, "rep").await;
    assert_eq!(
        (connection.status, connection.licence),
        (Status::Active, Some(Licence::Basic))
    );
}

#[tokio::test]
async fn settings_that_cannot_be_read_are_a_finding_and_no_failure() {
    let zoom = Zoom::start().await;
    zoom.state().profile = json!({ "type": 2 });
    zoom.state().scope = ALL_SCOPES.replace("user:read:settings", "");
    let connections = with_recordings(&zoom, MemoryStore::new()).build().unwrap();
    let connection = zoom.connect(&connections, "rep").await;
    assert_eq!(lacks(&connection), [(MissingKind::Permission, None)]);
    assert!(
        connection.missing[0].remedy.contains("user:read:settings"),
        "{:?}",
        connection.missing
    );
    assert_eq!(connection.cause(), Some(Cause::MissingScope));
    assert_eq!(connection.cloud_recording, None);

    // The scope is there, and Zoom refuses all the same.
    zoom.state().scope = ALL_SCOPES.into();
    let request = AuthorizeRequest::new(&owner("rep"), &session());
    let started = connections.authorize_with(&request).await.unwrap();
    let callback = zoom.consent(&started.url);
    zoom.refuse_settings(400, 200);
    let connection = connections.connect(&callback, &session()).await.unwrap();
    assert_eq!(lacks(&connection), [(MissingKind::Permission, None)]);
    assert_eq!(connection.cause(), Some(Cause::NoPermission));
}

#[tokio::test]
async fn settings_that_zoom_does_not_answer_for_keep_nobody_out() {
    let zoom = Zoom::start().await;
    zoom.state().scope = ALL_SCOPES.into();
    zoom.state().profile = json!({ "type": 2 });
    let connections = with_recordings(&zoom, MemoryStore::new()).build().unwrap();
    let started = zoom.authorize(&connections, "rep").await;
    let callback = zoom.consent(&started.url);
    for _ in 0..4 {
        zoom.refuse_settings(503, 0);
    }
    let connection = connections.connect(&callback, &session()).await.unwrap();
    assert_eq!((connection.status, connection.missing.len()), (Status::Active, 0));
}

fn for_admins(zoom: &Zoom) -> Connections {
    let redirect = "https://app.example/zoom/callback".parse().unwrap();
    let app = App::new("client-1", ClientSecret::new("canary-client-secret"), redirect).managed_by_admin();
    Connections::builder(app, std::sync::Arc::new(MemoryStore::new()), vault())
        .endpoints(zoom.endpoints())
        .clock(zoom.clock())
        .features([Feature::ListRecordings])
        .build()
        .unwrap()
}

#[tokio::test]
async fn an_app_for_administrators_refuses_others_and_gives_the_grant_back() {
    let zoom = Zoom::start().await;
    let connections = for_admins(&zoom);
    let admin_scopes = "user:read:user:admin cloud_recording:read:list_user_recordings:admin";
    for (role, scope, welcome) in [
        (json!({ "role_id": "0" }), admin_scopes, true),
        (json!({ "role_id": "1" }), admin_scopes, true),
        (json!({ "role_id": "2" }), admin_scopes, false),
        (json!({ "role_name": "Member" }), admin_scopes, false),
        (
            json!({ "role_id": "RxYz", "role_name": "Recordings" }),
            admin_scopes,
            true,
        ),
        (json!({ "role_id": "RxYz" }), "user:read:user", false),
    ] {
        zoom.state().revoked.clear();
        zoom.state().profile = role.clone();
        zoom.state().scope = scope.into();
        let request = AuthorizeRequest::new(&owner("company"), &session());
        let connected = connect_again(&zoom, &connections, &request).await;
        assert_eq!(
            connected.as_ref().map_err(Error::kind).err(),
            (!welcome).then_some(ErrorKind::AdminRequired),
            "{role}"
        );
        assert_eq!(zoom.state().revoked.len(), usize::from(!welcome), "{role}");
        if welcome {
            assert_eq!(connected.unwrap().status, Status::Active, "{role}");
            connections.disconnect(&owner("company")).await.unwrap();
        }
    }
    // Somebody lives on a grant of the same user.
    zoom.state().profile = json!({ "role_id": "0" });
    zoom.state().scope = admin_scopes.into();
    zoom.connect(&connections, "company").await;
    zoom.state().profile = json!({ "role_id": "2" });
    zoom.state().revoked.clear();
    let request = AuthorizeRequest::new(&owner("another"), &session());
    connect_again(&zoom, &connections, &request).await.unwrap_err();
    assert!(zoom.state().revoked.is_empty());
}

#[tokio::test]
async fn an_app_for_administrators_needs_scopes_for_the_whole_account() {
    let zoom = Zoom::start().await;
    zoom.state().profile = json!({ "role_id": "1", "type": 1 });
    zoom.state().scope = "user:read:user:admin cloud_recording:read:list_user_recordings".into();
    let connection = zoom.connect(&for_admins(&zoom), "company").await;
    assert_eq!(
        lacks(&connection),
        [(MissingKind::Scope, Some(Feature::ListRecordings))]
    );
    assert!(
        connection.missing[0]
            .any_of
            .iter()
            .all(|scope| scope.ends_with(":admin"))
    );
}

#[tokio::test]
async fn another_zoom_user_takes_over_when_the_host_allows_it() {
    let zoom = Zoom::start().await;
    let heard = Heard::default();
    let connections = zoom
        .builder(MemoryStore::new())
        .events(std::sync::Arc::new(heard.clone()))
        .build()
        .unwrap();
    let first = zoom.connect(&connections, "rep").await;
    zoom.state().user = ("acc-1".into(), "user-2".into());
    let request = AuthorizeRequest::new(&owner("rep"), &session()).allow_another_user();
    let second = connect_again(&zoom, &connections, &request).await.unwrap();
    assert_ne!(second.id, first.id);
    assert_eq!(
        connections.connection(&owner("rep")).await.unwrap(),
        Some(second.clone())
    );
    let left = connections
        .list()
        .await
        .unwrap()
        .into_iter()
        .find(|found| found.id == first.id)
        .unwrap();
    assert_eq!(
        (left.status, left.reason.as_deref()),
        (Status::Disconnected, Some("replaced"))
    );
    let heard: Vec<_> = heard
        .all()
        .into_iter()
        .map(|event| (event.connection, event.kind))
        .collect();
    assert_eq!(
        heard,
        [
            (first.id.clone(), EventKind::Connected),
            (second.id, EventKind::Connected),
            (first.id, EventKind::Disconnected),
        ]
    );
}
