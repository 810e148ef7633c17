//! Forgetting an owner for good, and what a removal at Zoom takes along.

use std::sync::Arc;

use jiff::SignedDuration;
use token_store::{
    Expect, Filter, History as _, MemoryHistory, MemoryStore, RecordKind, Status, StoredConnection,
    TokenStore as _, TokenStoreExt as _,
};
use zoom_core::{AccountId, Sleeper, UserId};
use zoom_oauth::{ConnectionId, Connections, ErrorKind, Revoked};

use crate::zoom::{Zoom, owner, session};

struct Home {
    zoom: Zoom,
    store: MemoryStore,
    history: MemoryHistory,
    connections: Connections,
}

async fn set_up() -> Home {
    let (zoom, store, history) = (Zoom::start().await, MemoryStore::new(), MemoryHistory::new());
    let connections = zoom
        .builder(store.clone())
        .history(Arc::new(history.clone()))
        .with_sleeper(Sleeper::new(|_| tokio::task::yield_now()))
        .build()
        .unwrap();
    Home {
        zoom,
        store,
        history,
        connections,
    }
}

impl Home {
    async fn records(&self) -> Vec<(RecordKind, String)> {
        let found = self.store.find_all(&Filter::all()).await.unwrap();
        let mut found: Vec<_> = found
            .into_iter()
            .map(|found| (found.value.kind, found.value.owner.to_string()))
            .collect();
        found.sort_by_key(|(kind, owner)| (kind.to_string(), owner.clone()));
        found
    }

    /// An installation that nobody has claimed yet.
    async fn park(&self, id: &str, user: &str) {
        let mut parked = StoredConnection::new(
            ConnectionId::new(id),
            owner("nobody yet"),
            RecordKind::Installation,
            Status::Pending,
            self.zoom.clock().now(),
        );
        parked.provider_account = Some("acc-1".into());
        parked.provider_user = Some(user.into());
        self.store.save(&parked, Expect::Absent).await.unwrap();
    }
}

#[tokio::test]
async fn nothing_of_an_erased_owner_is_left_and_everything_of_the_others_is() {
    let home = set_up().await;
    let (zoom, connections) = (&home.zoom, &home.connections);
    let connection = zoom.connect(connections, "rep").await;
    zoom.authorize(connections, "rep").await;
    zoom.state().user = ("acc-1".into(), "user-2".into());
    let colleague = zoom.connect(connections, "colleague").await;
    zoom.authorize(connections, "colleague").await;

    let erased = connections.erase(&owner("rep")).await.unwrap();
    assert_eq!(
        (erased.revoked, erased.records, erased.entries),
        (Revoked::Yes, 1, 2),
        "one connection; connected and disconnected"
    );
    assert_eq!(connections.connection(&owner("rep")).await.unwrap(), None);
    let others =
        [RecordKind::Authorization, RecordKind::Connection].map(|kind| (kind, "colleague".to_owned()));
    assert_eq!(home.records().await, others);
    assert_eq!(home.history.entries(&connection.id, 9).await.unwrap(), []);
    assert_eq!(home.history.entries(&colleague.id, 9).await.unwrap().len(), 1);

    let again = connections.erase(&owner("rep")).await.unwrap();
    assert_eq!(
        (again.revoked, again.records, again.entries),
        (Revoked::Nothing, 0, 0)
    );
    zoom.state().user = ("acc-1".into(), "user-1".into());
    zoom.connect(connections, "rep").await;
    let history = connections.history(&owner("rep"), 9).await.unwrap();
    assert_eq!(history.len(), 1, "a new beginning");
}

#[tokio::test]
async fn an_app_s_own_token_is_no_owner_s_to_erase() {
    let home = set_up().await;
    let system = StoredConnection::new(
        ConnectionId::new("s2s"),
        owner("server-to-server"),
        RecordKind::ServerToServer,
        Status::Active,
        home.zoom.clock().now(),
    );
    home.store.save(&system, Expect::Absent).await.unwrap();
    home.connections.erase(&owner("server-to-server")).await.unwrap();
    assert_eq!(home.records().await.len(), 1);
}

#[tokio::test]
async fn a_removal_at_zoom_takes_along_what_the_user_had_begun() {
    let home = set_up().await;
    let (zoom, connections) = (&home.zoom, &home.connections);
    zoom.connect(connections, "rep").await;
    home.park("parked", "user-1").await;
    home.park("parked by another", "user-2").await;
    let started = zoom.authorize(connections, "rep").await;
    let consented = zoom.consent(&started.url);
    zoom.pass(SignedDuration::from_secs(60));
    let removed_at = zoom.clock().now();
    zoom.pass(SignedDuration::from_secs(60));
    home.park("parked since", "user-1").await;
    let started_since = zoom.authorize(connections, "rep").await;

    let (account, user) = (AccountId::new("acc-1"), UserId::new("user-1"));
    let ended = connections
        .deauthorize_at(&account, &user, removed_at)
        .await
        .unwrap();
    assert_eq!(ended, 1);
    let error = connections.connect(&consented, &session()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownState);
    let parked = Filter::all().kind(RecordKind::Installation);
    let parked = home.store.find_all(&parked).await.unwrap();
    let parked: Vec<&str> = parked.iter().map(|found| found.value.id.as_str()).collect();
    assert_eq!(parked, ["parked by another", "parked since"]);

    let back = connections
        .connect(&zoom.consent(&started_since.url), &session())
        .await
        .unwrap();
    assert_eq!(
        back.status,
        Status::Active,
        "a consent that was under way may be finished"
    );
    let again = connections
        .deauthorize_at(&account, &user, removed_at)
        .await
        .unwrap();
    assert_eq!(again, 0, "news that come twice");
    connections
        .client_for(&owner("rep"))
        .await
        .unwrap()
        .users()
        .me()
        .await
        .unwrap();
}

#[tokio::test]
async fn an_installation_that_waits_for_an_erased_owner_is_given_back() {
    let home = set_up().await;
    let (zoom, connections) = (&home.zoom, &home.connections);
    let mine = session().with_owner(owner("rep"));
    let parked = connections.park(&zoom.install(), &mine).await.unwrap();
    let erased = connections.erase(&owner("rep")).await.unwrap();
    assert_eq!((erased.revoked, erased.records), (Revoked::Yes, 1));
    assert_eq!(home.records().await, []);
    let error = connections.parked(&parked.ticket, &mine).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownTicket);
    assert_eq!(zoom.state().revoked.len(), 1);
}

#[tokio::test]
async fn news_of_a_removal_before_a_claim_end_what_was_claimed() {
    let home = set_up().await;
    let (zoom, connections) = (&home.zoom, &home.connections);
    let mine = session().with_owner(owner("rep"));
    let parked = connections.park(&zoom.install(), &mine).await.unwrap();
    zoom.pass(SignedDuration::from_secs(60));
    let removed_at = zoom.clock().now();
    zoom.pass(SignedDuration::from_secs(60));
    connections
        .claim(&parked.ticket, &mine, &owner("rep"))
        .await
        .unwrap();
    let (account, user) = (AccountId::new("acc-1"), UserId::new("user-1"));
    let ended = connections.deauthorize_at(&account, &user, removed_at).await;
    assert_eq!(ended.unwrap(), 1);
}
