//! The owner's own account, else the system's, and why.

use std::sync::Arc;

use token_store::{Expect, MemoryStore, SealContext, Status, StoredConnection, TokenStore as _};
use zoom_core::UserId;
use zoom_oauth::{
    AccountKind, Candidates, Connection, ErrorKind, Feature, Reason, Resolution, ResolutionRecord,
    ResolvedAccount, Resolver,
};

use crate::{
    server_to_server::system,
    zoom::{Fault, Zoom, owner, vault},
};

async fn set_up() -> (Zoom, zoom_oauth::Connections, Resolver) {
    let (zoom, connections) = Zoom::connected().await;
    let tokens = Arc::new(system(&zoom, MemoryStore::new()));
    let resolver = Resolver::new(connections.clone()).with_system(tokens, UserId::new("host@sim.example"));
    (zoom, connections, resolver)
}

fn considered(resolution: &Resolution) -> Vec<(AccountKind, Reason)> {
    resolution
        .considered
        .iter()
        .map(|considered| (considered.account.clone(), considered.reason.clone()))
        .collect()
}

async fn whose(resolution: &Resolution) -> String {
    resolution
        .client
        .users()
        .me()
        .await
        .unwrap()
        .account_id
        .unwrap()
        .to_string()
}

#[tokio::test]
async fn a_live_connection_of_the_owner_s_own_is_used() {
    let (_zoom, _, resolver) = set_up().await;
    let resolution = resolver.resolve(&owner("rep")).await.unwrap();
    assert!(matches!(&resolution.account, ResolvedAccount::User(own) if own.owner == owner("rep")));
    assert_eq!(
        (resolution.reason.clone(), resolution.user.clone()),
        (Reason::Live, UserId::me())
    );
    assert_eq!(considered(&resolution), [(AccountKind::User, Reason::Live)]);
    assert_eq!(whose(&resolution).await, "acc-1");
}

#[tokio::test]
async fn without_one_the_system_account_is_used_and_says_why() {
    let (zoom, connections, resolver) = set_up().await;
    let expect = async |name: &str, reason: Reason| {
        let resolution = resolver.resolve(&owner(name)).await.unwrap();
        assert_eq!(
            (resolution.account.kind(), resolution.reason.clone()),
            (AccountKind::System, reason.clone())
        );
        assert_eq!(resolution.user, UserId::new("host@sim.example"));
        assert_eq!(
            considered(&resolution),
            [(AccountKind::User, reason), (AccountKind::System, Reason::Live)]
        );
        assert_eq!(whose(&resolution).await, "sys");
    };
    expect("nobody", Reason::NotConnected).await;
    connections.disconnect(&owner("rep")).await.unwrap();
    expect("rep", Reason::Disconnected).await;
    zoom.connect(&connections, "rep").await;
    zoom.revoke_all();
    zoom.pass_an_hour();
    expect("rep", Reason::Expired).await;
    expect("rep", Reason::Expired).await;
}

#[tokio::test]
async fn a_moment_of_silence_does_not_move_anybody_to_another_account() {
    let (zoom, _, resolver) = set_up().await;
    zoom.pass_an_hour();
    zoom.fail_next(Fault::Status(503));
    zoom.fail_next(Fault::Status(503));
    let resolution = resolver.resolve(&owner("rep")).await.unwrap();
    assert_eq!(
        (resolution.account.kind(), resolution.reason.clone()),
        (AccountKind::User, Reason::Live)
    );
}

#[tokio::test]
async fn with_no_account_at_all_the_error_lists_what_was_considered() {
    let (_zoom, connections, _) = set_up().await;
    let error = Resolver::new(connections)
        .resolve(&owner("nobody"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoAccount);
    let considered: Vec<_> = error
        .considered()
        .iter()
        .map(|seen| (seen.account.clone(), seen.reason.clone()))
        .collect();
    assert_eq!(
        considered,
        [
            (AccountKind::User, Reason::NotConnected),
            (AccountKind::System, Reason::NotConfigured)
        ]
    );
}

#[tokio::test]
async fn the_system_account_can_be_had_without_an_owner() {
    let (_zoom, connections, resolver) = set_up().await;
    let (client, user) = resolver.system().unwrap();
    let account = client.users().me().await.unwrap().account_id.unwrap();
    assert_eq!(
        (account.as_str(), user),
        ("sys", &UserId::new("host@sim.example"))
    );
    let own_only = Resolver::new(connections);
    assert!(own_only.system().is_none());
    let known = own_only.connections().connection(&owner("rep")).await.unwrap();
    assert!(known.is_some());
}

fn maya_then_org() -> Candidates {
    Candidates::new().user(owner("maya")).organisation(owner("org-7"))
}

/// A user and an organisation, each connected as a Zoom user of their own.
async fn both() -> (Zoom, zoom_oauth::Connections, Resolver) {
    let zoom = Zoom::start().await;
    let connections = zoom.connections(MemoryStore::new());
    zoom.connect(&connections, "maya").await;
    zoom.state().user = ("acc-7".into(), "user-7".into());
    zoom.connect(&connections, "org-7").await;
    let tokens = Arc::new(system(&zoom, MemoryStore::new()));
    let resolver = Resolver::new(connections.clone()).with_system(tokens, UserId::new("host@sim.example"));
    (zoom, connections, resolver)
}

#[tokio::test]
async fn the_user_s_own_comes_first_then_the_organisation_s_then_the_system_s() {
    let (zoom, connections, resolver) = both().await;
    let chosen = resolver.resolve_for(&maya_then_org(), &[]).await.unwrap();
    assert_eq!(
        (chosen.account.kind(), chosen.fell_back()),
        (AccountKind::User, false)
    );
    assert_eq!(whose(&chosen).await, "acc-1");

    connections.disconnect(&owner("maya")).await.unwrap();
    let chosen = resolver.resolve_for(&maya_then_org(), &[]).await.unwrap();
    assert!(matches!(&chosen.account, ResolvedAccount::Organisation(org) if org.owner == owner("org-7")));
    assert_eq!(
        (chosen.reason.clone(), chosen.fell_back()),
        (Reason::Disconnected, true)
    );
    assert_eq!(whose(&chosen).await, "acc-7");

    zoom.revoke_all();
    zoom.pass_an_hour();
    let chosen = resolver.resolve_for(&maya_then_org(), &[]).await.unwrap();
    assert_eq!(
        considered(&chosen),
        [
            (AccountKind::User, Reason::Disconnected),
            (AccountKind::Organisation, Reason::Expired),
            (AccountKind::System, Reason::Live)
        ]
    );
    assert_eq!(whose(&chosen).await, "sys");
    let org = connections.connection(&owner("org-7")).await.unwrap().unwrap();
    assert_eq!(org.status, Status::Expired, "and is marked as what it is");

    let own_only = resolver.resolve_for(&maya_then_org().without_system(), &[]).await;
    let error = own_only.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoAccount);
    assert_eq!(error.considered().last().unwrap().reason, Reason::NotConfigured);
}

#[tokio::test]
async fn why_is_kept_as_ids_and_codes_and_told_in_a_sentence() {
    let (zoom, connections, resolver) = both().await;
    connections.disconnect(&owner("maya")).await.unwrap();
    zoom.revoke_all();
    zoom.pass_an_hour();
    let record = resolver
        .resolve_for(&maya_then_org(), &[])
        .await
        .unwrap()
        .record(zoom.clock().now());
    let stored = serde_json::to_string(&record).unwrap();
    for kept_out in ["canary", "riley", "Riley", "@sim.example\",\"display"] {
        assert!(!stored.contains(kept_out), "{stored}");
    }
    let read: ResolutionRecord = serde_json::from_str(&stored).unwrap();
    assert_eq!(read, record);
    let org = connections.connection(&owner("org-7")).await.unwrap().unwrap();
    assert_eq!(read.considered[1].connection.as_ref(), Some(&org.id));
    assert_eq!(read.considered[1].detail.as_deref(), org.reason.as_deref());
    assert_eq!(
        read.explain(),
        "made under the system account because maya's connection ended on 2026-11-22 (Zoom was disconnected) and org-7's \
         connection expired on 2026-11-22 (Zoom no longer accepts this connection)"
    );
}

#[tokio::test]
async fn the_record_of_a_connection_names_its_zoom_user() {
    let (zoom, _, resolver) = both().await;
    let only_org = Candidates::new().organisation(owner("org-7"));
    let chosen = resolver.resolve_for(&only_org, &[]).await.unwrap();
    let record = chosen.record(zoom.clock().now());
    assert_eq!(record.zoom_account.as_ref().unwrap().as_str(), "acc-7");
    assert_eq!((record.zoom_user.as_str(), chosen.user), ("user-7", UserId::me()));
    assert_eq!(record.owner, Some(owner("org-7")));
    assert_eq!(
        record.explain(),
        "made under the account of the organisation org-7"
    );
}

#[test]
fn a_record_of_a_newer_version_survives() {
    let stored = r#"{"at":"2026-11-22T10:00:00Z","account":"brand","zoom_user":"u","reason":"quarantined",
        "considered":[{"account":"user","owner":"maya","reason":"quarantined"},{"account":"brand","reason":"live"}]}"#;
    let record: ResolutionRecord = serde_json::from_str(stored).unwrap();
    let written = serde_json::to_string(&record).unwrap();
    assert_eq!(
        serde_json::from_str::<ResolutionRecord>(&written).unwrap(),
        record
    );
    assert!(written.contains("quarantined") && written.contains("brand"));
    assert_eq!(
        record.explain(),
        "made under the brand account because maya's connection is quarantined"
    );
}

#[tokio::test]
async fn tokens_that_no_key_opens_are_passed_over_with_a_reason_of_their_own() {
    let zoom = Zoom::start().await;
    let store = MemoryStore::new();
    zoom.connect(&zoom.connections(store.clone()), "maya").await;
    let connections = zoom.with_another_key(store);
    zoom.state().user = ("acc-7".into(), "user-7".into());
    zoom.connect(&connections, "org-7").await;
    let chosen = Resolver::new(connections)
        .resolve_for(&maya_then_org(), &[])
        .await
        .unwrap();
    assert_eq!(
        considered(&chosen),
        [
            (AccountKind::User, Reason::Unreadable),
            (AccountKind::Organisation, Reason::Live)
        ]
    );
    assert_eq!(
        chosen.explain(),
        "made under the account of the organisation org-7 because maya's tokens cannot be opened"
    );
}

#[tokio::test]
async fn silence_of_the_first_candidate_does_not_give_the_second_its_turn() {
    let (zoom, _, resolver) = both().await;
    zoom.pass_an_hour();
    for _ in 0..2 {
        zoom.fail_next(Fault::Status(503));
    }
    let chosen = resolver.resolve_for(&maya_then_org(), &[]).await.unwrap();
    assert_eq!(considered(&chosen), [(AccountKind::User, Reason::Live)]);
}

#[tokio::test]
async fn whoever_lacks_a_scope_for_what_is_needed_is_passed_over_for_that_only() {
    let (_zoom, _, resolver) = both().await;
    let told = async |needs: &[Feature]| {
        let chosen = resolver.resolve_for(&maya_then_org(), needs).await.unwrap();
        let first = chosen.considered[0].clone();
        (chosen.account.kind(), first.reason, first.detail)
    };
    // What the small Zoom grants: to read meetings and the user.
    assert_eq!(
        told(&[Feature::ReadMeetings]).await,
        (AccountKind::User, Reason::Live, None)
    );
    let lacks = Some("meeting:write:meeting, meeting:delete:meeting".to_owned());
    assert_eq!(
        told(&[
            Feature::ReadMeetings,
            Feature::CreateMeetings,
            Feature::DeleteMeetings
        ])
        .await,
        (AccountKind::System, Reason::MissingScope, lacks)
    );
}

/// Notes something in the record that Zoom would have told.
async fn note(store: &MemoryStore, connection: &Connection, edit: impl FnOnce(&mut StoredConnection)) {
    let mut found = store.load(&connection.id).await.unwrap().unwrap();
    edit(&mut found.value);
    // The sealed part is bound to its generation.
    let place = |generation| SealContext {
        owner: &connection.owner,
        connection: &connection.id,
        field: "tokens",
        generation,
    };
    let sealed = found.value.sealed.take().unwrap();
    let tokens = vault().open(&place(found.generation), &sealed).await.unwrap();
    let sealed = vault().seal(&place(found.generation.next()), &tokens).await;
    found.value.sealed = Some(sealed.unwrap());
    let expect = Expect::Generation(found.generation);
    store.save(&found.value, expect).await.unwrap();
}

#[tokio::test]
async fn whoever_lacks_licence_or_setting_for_what_is_needed_is_passed_over_for_that_only() {
    let all = "cloud_recording:read:list_recording_files cloud_recording:read:meeting_transcript meeting:write:meeting";
    for (name, value, status, needs, reason, detail, words) in [
        (
            "licence",
            "basic",
            Status::Degraded,
            Feature::DownloadRecordings,
            Reason::NoLicence,
            "download_recordings",
            "maya's Zoom user has no licence (downloading recordings)",
        ),
        (
            "licence",
            "none",
            Status::Active,
            Feature::CreateMeetings,
            Reason::NoLicence,
            "create_meetings",
            "maya's Zoom user has no licence (creating meetings)",
        ),
        (
            "cloud_recording",
            "false",
            Status::Degraded,
            Feature::DownloadRecordings,
            Reason::SwitchedOff,
            "download_recordings",
            "maya's Zoom settings do not allow it (downloading recordings)",
        ),
        (
            "audio_transcript",
            "false",
            Status::Active,
            Feature::Transcripts,
            Reason::SwitchedOff,
            "transcripts",
            "maya's Zoom settings do not allow it (reading Zoom's transcripts)",
        ),
        (
            "missing",
            r#"[{"what":"active_user"}]"#,
            Status::Degraded,
            Feature::DownloadRecordings,
            Reason::Deactivated,
            "user_inactive",
            "maya's Zoom user is not there any more (the Zoom user has been deactivated)",
        ),
    ] {
        let (zoom, store) = (Zoom::start().await, MemoryStore::new());
        let connections = zoom.connections(store.clone());
        let maya = zoom.connect(&connections, "maya").await;
        let resolver = Resolver::new(connections).with_system(
            Arc::new(system(&zoom, MemoryStore::new())),
            UserId::new("host@sim.example"),
        );
        let of = Candidates::from(&owner("maya"));
        note(&store, &maya, |record| {
            record.scopes = all.split(' ').map(str::to_owned).collect();
            record.status = status;
            record.attributes.insert(name.into(), value.into());
        })
        .await;
        let chosen = resolver.resolve_for(&of, &[needs]).await.unwrap();
        let seen = &chosen.considered[0];
        assert_eq!((&seen.reason, seen.detail.as_deref()), (&reason, Some(detail)));
        assert_eq!(
            chosen.explain(),
            format!("made under the system account because {words}")
        );
        note(&store, &maya, |record| {
            record.attributes.remove(name);
        })
        .await;
        let chosen = resolver.resolve_for(&of, &[needs]).await.unwrap();
        assert_eq!(
            chosen.reason,
            Reason::Live,
            "{name}: what nobody knows is not held against it"
        );
    }
}
