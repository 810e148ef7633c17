//! The owner's own account, else the system's, and why.

use std::sync::Arc;

use token_store::MemoryStore;
use zoom_core::UserId;
use zoom_oauth::{AccountKind, ErrorKind, Reason, Resolution, ResolvedAccount, Resolver};

use crate::{
    server_to_server::system,
    zoom::{Fault, Zoom, owner},
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
        .map(|considered| (considered.account, considered.reason))
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
    assert!(matches!(&resolution.account, ResolvedAccount::Own(own) if own.owner == owner("rep")));
    assert_eq!(
        (resolution.reason, resolution.user.clone()),
        (Reason::Live, UserId::me())
    );
    assert_eq!(considered(&resolution), [(AccountKind::Own, Reason::Live)]);
    assert_eq!(whose(&resolution).await, "acc-1");
}

#[tokio::test]
async fn without_one_the_system_account_is_used_and_says_why() {
    let (zoom, connections, resolver) = set_up().await;
    let expect = async |name: &str, reason| {
        let resolution = resolver.resolve(&owner(name)).await.unwrap();
        assert_eq!(
            (resolution.account.kind(), resolution.reason),
            (AccountKind::System, reason)
        );
        assert_eq!(resolution.user, UserId::new("host@sim.example"));
        assert_eq!(
            considered(&resolution),
            [(AccountKind::Own, reason), (AccountKind::System, Reason::Live)]
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
        (resolution.account.kind(), resolution.reason),
        (AccountKind::Own, Reason::Live)
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
        .map(|seen| (seen.account, seen.reason))
        .collect();
    assert_eq!(
        considered,
        [
            (AccountKind::Own, Reason::NotConnected),
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
