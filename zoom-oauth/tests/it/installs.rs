//! Installations that begin in the Marketplace, and everybody who would like to misuse them.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use token_store::{
    ConnectionId, Expect, Filter, Generation, MemoryStore, Page, PageToken, RecordKind, Status, StoreError,
    StoredConnection, TokenStore, Versioned,
};
use tokio::sync::Barrier;
use zoom_core::Sleeper;
use zoom_oauth::{
    AuthorizeRequest, Callback, Connections, Error, ErrorKind, Parked, Revoked, SessionBinding,
};

use crate::{
    stores::Difficult,
    zoom::{Fault, Zoom, owner, session},
};

fn kind<T: std::fmt::Debug>(result: Result<T, Error>) -> ErrorKind {
    result.unwrap_err().kind()
}

fn signed_in(name: &str) -> SessionBinding {
    session().with_owner(owner(name))
}

struct Setting {
    zoom: Zoom,
    store: MemoryStore,
    connections: Connections,
}

impl Setting {
    async fn new() -> Self {
        let zoom = Zoom::start().await;
        let store = MemoryStore::new();
        let connections = zoom.connections(store.clone());
        Self {
            zoom,
            store,
            connections,
        }
    }

    async fn parked() -> (Self, Parked) {
        let set = Self::new().await;
        let parked = set.park().await;
        (set, parked)
    }

    async fn park(&self) -> Parked {
        let callback = self.zoom.install();
        assert!(callback.is_installation());
        self.connections.park(&callback, &session()).await.unwrap()
    }

    async fn claim(&self, parked: &Parked, name: &str) -> Result<zoom_oauth::Connection, Error> {
        let (session, owner) = (signed_in(name), owner(name));
        self.connections.claim(&parked.ticket, &session, &owner).await
    }

    async fn waiting(&self) -> usize {
        let filter = Filter::all().kind(RecordKind::Installation);
        self.store
            .find(&filter, PageToken::first())
            .await
            .unwrap()
            .items
            .len()
    }

    fn exchanges(&self) -> usize {
        self.zoom.calls("authorization_code")
    }

    /// Revocation is nobody's to wait for.
    async fn revocation(&self) {
        while self.zoom.state().revoked.is_empty() {
            tokio::task::yield_now().await;
        }
    }

    /// Whatever was going to be revoked is by now: others have been to Zoom and back since.
    async fn nothing_revoked(&self) {
        for _ in 0..5 {
            self.park().await;
        }
        assert_eq!(self.zoom.state().revocations, 0);
    }
}

#[tokio::test]
async fn an_installation_is_parked_shown_and_claimed() {
    let (set, parked) = Setting::parked().await;
    assert!(
        set.connections.list().await.unwrap().is_empty(),
        "nobody is connected by it"
    );
    let view = set.connections.parked(&parked.ticket, &session()).await.unwrap();
    assert_eq!(view, parked.view);
    assert_eq!(
        (
            view.account_id.as_str(),
            view.user_id.as_str(),
            view.display_name.as_deref(),
            view.email.as_deref()
        ),
        ("acc-1", "user-1", Some("Riley Rep"), Some("riley@sim.example"))
    );
    let request = AuthorizeRequest::new(&owner("rep"), &signed_in("rep")).opened_by("riley");
    let connected = set
        .connections
        .claim_with(&parked.ticket, &request)
        .await
        .unwrap();
    assert_eq!(
        (&connected.owner, connected.status.clone()),
        (&owner("rep"), Status::Active)
    );
    assert_eq!(connected.opened_by.as_deref(), Some("riley"));
    assert_eq!(connected.scopes, ["meeting:read:meeting", "user:read:user"]);
    assert_eq!(set.waiting().await, 0);
    let client = set.connections.client_for(&owner("rep")).await.unwrap();
    assert_eq!(client.users().me().await.unwrap().id.unwrap().as_str(), "user-1");
    // With a refresh token, too.
    set.zoom.pass_an_hour();
    client.users().me().await.unwrap();
    assert_eq!(set.zoom.calls("refresh_token"), 1);
}

#[tokio::test]
async fn a_callback_with_a_state_is_never_an_installation() {
    let set = Setting::new().await;
    let code = set.zoom.code_of_an_install();
    let forged = Callback::new(code.clone(), "a-state-that-nobody-gave-out");
    assert_eq!(
        kind(set.connections.park(&forged, &session()).await),
        ErrorKind::InvalidCallback
    );
    assert_eq!(
        kind(set.connections.connect(&forged, &session()).await),
        ErrorKind::UnknownState
    );
    // The other way round: without a state, nothing is connected.
    let stateless = Callback::from_query(&format!("code={code}"));
    assert_eq!(
        kind(set.connections.connect(&stateless, &session()).await),
        ErrorKind::InvalidCallback
    );
    assert_eq!((set.exchanges(), set.waiting().await), (0, 0));
}

#[tokio::test]
async fn a_connect_whose_state_was_cut_off_is_no_installation() {
    let set = Setting::new().await;
    let started = set.zoom.authorize(&set.connections, "rep").await;
    set.zoom.consent(&started.url);
    let code = set.zoom.state().secrets.last().unwrap().clone();
    let cut = Callback::from_query(&format!("code={code}&state="));
    // The code was asked for with a challenge, so it does not work without the verifier.
    assert_eq!(
        kind(set.connections.park(&cut, &session()).await),
        ErrorKind::InvalidCode
    );
    assert_eq!(set.waiting().await, 0);
}

#[tokio::test]
async fn half_a_callback_and_a_denial_park_nothing() {
    let set = Setting::new().await;
    for (query, expected) in [
        ("", ErrorKind::InvalidCallback),
        ("code=", ErrorKind::InvalidCallback),
        ("state=s", ErrorKind::InvalidCallback),
        ("error=access_denied", ErrorKind::Denied),
        ("error=access_denied&code=c", ErrorKind::Denied),
    ] {
        let callback = Callback::from_query(query);
        assert_eq!(
            kind(set.connections.park(&callback, &session()).await),
            expected,
            "{query}"
        );
    }
    assert_eq!(set.exchanges(), 0);
}

#[tokio::test]
async fn a_planted_installation_shows_whose_it_is_and_connects_nothing_by_itself() {
    // The attacker's code, opened in the browser of a signed-in victim who is connected.
    let set = Setting::new().await;
    set.zoom.connect(&set.connections, "rep").await;
    let before = set.connections.connection(&owner("rep")).await.unwrap();
    set.zoom.state().user = ("acc-9".into(), "attacker".into());
    let parked = set
        .connections
        .park(&set.zoom.install(), &signed_in("rep"))
        .await
        .unwrap();
    assert_eq!(
        parked.view.user_id.as_str(),
        "attacker",
        "what the confirm page shows"
    );
    assert_eq!(set.connections.connection(&owner("rep")).await.unwrap(), before);
    // The attacker has no ticket, and the victim's is of no use to the attacker.
    let attacker = SessionBinding::new("the attacker's cookie").with_owner(owner("attacker"));
    let stolen = set
        .connections
        .claim(&parked.ticket, &attacker, &owner("attacker"))
        .await;
    assert_eq!(kind(stolen), ErrorKind::ForeignSession);
    // Even a victim who confirms keeps the own connection.
    assert_eq!(kind(set.claim(&parked, "rep").await), ErrorKind::AnotherUser);
    assert_eq!(set.connections.connection(&owner("rep")).await.unwrap(), before);
    assert_eq!(set.waiting().await, 0);
}

#[tokio::test]
async fn a_ticket_works_once() {
    let (set, parked) = Setting::parked().await;
    set.claim(&parked, "rep").await.unwrap();
    assert_eq!(kind(set.claim(&parked, "rep").await), ErrorKind::UnknownTicket);
    assert_eq!(kind(set.claim(&parked, "other").await), ErrorKind::UnknownTicket);
    assert_eq!(
        kind(set.connections.parked(&parked.ticket, &session()).await),
        ErrorKind::UnknownTicket
    );
    assert_eq!(set.connections.list().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_ticket_does_not_change_browsers() {
    let (set, parked) = Setting::parked().await;
    let foreign = SessionBinding::new("another cookie").with_owner(owner("rep"));
    assert_eq!(
        kind(set.connections.parked(&parked.ticket, &foreign).await),
        ErrorKind::ForeignSession
    );
    let claim = set
        .connections
        .claim(&parked.ticket, &foreign, &owner("rep"))
        .await;
    assert_eq!(kind(claim), ErrorKind::ForeignSession);
    set.claim(&parked, "rep").await.unwrap();
}

#[tokio::test]
async fn only_the_owner_who_is_signed_in_claims() {
    let (set, parked) = Setting::parked().await;
    for session in [session(), signed_in("other")] {
        let claim = set
            .connections
            .claim(&parked.ticket, &session, &owner("rep"))
            .await;
        assert_eq!(kind(claim), ErrorKind::ForeignSession);
    }
    set.claim(&parked, "rep").await.unwrap();
}

#[tokio::test]
async fn what_an_owner_parked_no_other_owner_claims() {
    let set = Setting::new().await;
    let parked = set
        .connections
        .park(&set.zoom.install(), &signed_in("rep"))
        .await
        .unwrap();
    assert_eq!(kind(set.claim(&parked, "other").await), ErrorKind::ForeignSession);
    assert_eq!(
        kind(set.connections.parked(&parked.ticket, &session()).await),
        ErrorKind::ForeignSession
    );
    set.claim(&parked, "rep").await.unwrap();
}

#[tokio::test]
async fn a_guessed_ticket_is_unknown() {
    let (set, parked) = Setting::parked().await;
    let connected = set.zoom.connect(&set.connections, "colleague").await;
    let started = set.zoom.authorize(&set.connections, "colleague").await;
    let (id, secret) = parked.ticket.split_once('.').unwrap();
    let other = "A".repeat(secret.len());
    for guess in [
        String::new(),
        ".".into(),
        id.into(),
        format!("{id}."),
        format!("{id}.{other}"),
        format!(".{secret}"),
        format!("install-{}.{secret}", "0".repeat(32)),
        format!("{}.{secret}", connected.id),
        started.state.clone(),
        format!("{}A", parked.ticket),
        parked.ticket[..parked.ticket.len() - 1].to_owned(),
        "п🦀\u{0}.\u{202e}".into(),
        "🦀.".repeat(100_000),
    ] {
        let looked = set.connections.parked(&guess, &session()).await;
        assert_eq!(kind(looked), ErrorKind::UnknownTicket, "{guess:.80}");
        let claim = set
            .connections
            .claim(&guess, &signed_in("rep"), &owner("rep"))
            .await;
        assert_eq!(kind(claim), ErrorKind::UnknownTicket);
    }
    set.zoom.state().user = ("acc-1".into(), "user-1".into());
    set.connections.parked(&parked.ticket, &session()).await.unwrap();
}

#[tokio::test]
async fn another_app_s_ticket_is_unknown() {
    let (set, parked) = Setting::parked().await;
    let redirect = "https://app.example/zoom/callback".parse().unwrap();
    let secret = zoom_oauth::ClientSecret::new("canary-client-secret");
    let app = zoom_oauth::App::new("client-1", secret, redirect).with_name("brand");
    let store = Arc::new(set.store.clone());
    let brand = Connections::builder(app, store, crate::zoom::vault())
        .endpoints(set.zoom.endpoints())
        .clock(set.zoom.clock())
        .build()
        .unwrap();
    let claim = brand
        .claim(&parked.ticket, &signed_in("rep"), &owner("rep"))
        .await;
    assert_eq!(kind(claim), ErrorKind::UnknownTicket);
    set.claim(&parked, "rep").await.unwrap();
}

#[tokio::test]
async fn what_nobody_claims_is_deleted_by_the_next_call_and_its_grant_ended() {
    let (set, parked) = Setting::parked().await;
    set.zoom.pass(SignedDuration::from_mins(30));
    set.zoom.pass(SignedDuration::from_secs(1));
    assert_eq!(kind(set.claim(&parked, "rep").await), ErrorKind::ExpiredTicket);
    assert_eq!(set.waiting().await, 0);
    set.revocation().await;
    assert_eq!(kind(set.claim(&parked, "rep").await), ErrorKind::UnknownTicket);
}

#[tokio::test]
async fn a_claim_that_has_begun_is_not_swept_away_under_its_feet() {
    let (set, parked) = Setting::parked().await;
    let (id, _) = parked.ticket.split_once('.').unwrap();
    let mut found = set.store.load(&id.into()).await.unwrap().unwrap();
    found.value.status = Status::Disconnected;
    let expect = Expect::Generation(found.generation);
    set.store.save(&found.value, expect).await.unwrap();
    set.zoom.pass(SignedDuration::from_mins(39));
    for (waiting, pass) in [(1, 2), (0, 0)] {
        let looked = set.connections.parked("nobody's", &session()).await;
        assert_eq!(kind(looked), ErrorKind::UnknownTicket);
        assert_eq!(
            set.waiting().await,
            waiting,
            "a process that died in the middle is cleaned up after"
        );
        set.zoom.pass(SignedDuration::from_mins(pass));
    }
}

#[tokio::test]
async fn a_grant_that_was_left_behind_for_days_is_ended_all_the_same() {
    let (set, _) = Setting::parked().await;
    set.zoom.pass(SignedDuration::from_hours(48));
    set.zoom.state().user = ("acc-1".into(), "user-2".into());
    set.park().await;
    // With a new access token: Zoom does not revoke by one that has run out.
    set.revocation().await;
    assert_eq!(set.zoom.calls("refresh_token"), 1);
}

#[tokio::test]
async fn a_grant_that_somebody_is_connected_with_is_not_ended() {
    let (set, _) = Setting::parked().await;
    set.zoom.connect(&set.connections, "rep").await;
    set.zoom.pass(SignedDuration::from_mins(31));
    set.zoom.state().user = ("acc-1".into(), "user-2".into());
    set.park().await;
    assert_eq!(set.waiting().await, 1, "the first is gone");
    set.nothing_revoked().await;
}

#[tokio::test]
async fn a_grant_that_another_installation_of_the_same_user_waits_with_is_not_ended() {
    let (set, first) = Setting::parked().await;
    set.zoom.pass(SignedDuration::from_mins(29));
    let second = set.park().await;
    set.zoom.pass(SignedDuration::from_mins(2));
    assert_eq!(kind(set.claim(&first, "rep").await), ErrorKind::ExpiredTicket);
    assert_eq!(set.waiting().await, 1);
    set.zoom.state().user = ("acc-1".into(), "user-2".into());
    set.nothing_revoked().await;
    set.claim(&second, "rep").await.unwrap();
}

#[tokio::test]
async fn a_disconnect_leaves_the_grant_that_an_installation_waits_with() {
    let set = Setting::new().await;
    set.zoom.connect(&set.connections, "rep").await;
    let parked = set.park().await;
    let left = set.connections.disconnect(&owner("rep")).await.unwrap();
    assert_eq!(left.revoked, Revoked::Shared);
    set.claim(&parked, "colleague").await.unwrap();
}

#[tokio::test]
async fn an_installation_waits_no_longer_than_its_access_token_lives() {
    let zoom = Zoom::start().await;
    let connections = zoom
        .builder(MemoryStore::new())
        .with_installation_lifetime(std::time::Duration::from_secs(24 * 3600))
        .build()
        .unwrap();
    let parked = connections.park(&zoom.install(), &session()).await.unwrap();
    let begun = zoom.clock().now();
    assert_eq!(parked.view.expires_at, begun + SignedDuration::from_secs(3599));
}

/// Two claims stand here side by side before either has taken the ticket.
#[derive(Clone, Debug)]
struct Narrow(MemoryStore, Arc<Barrier>);

#[async_trait]
impl TokenStore for Narrow {
    async fn load(&self, id: &ConnectionId) -> Result<Option<Versioned<StoredConnection>>, StoreError> {
        self.0.load(id).await
    }

    async fn save(&self, record: &StoredConnection, expect: Expect) -> Result<Generation, StoreError> {
        if record.kind == RecordKind::Installation && record.status == Status::Disconnected {
            self.1.wait().await;
        }
        self.0.save(record, expect).await
    }

    async fn delete(&self, id: &ConnectionId) -> Result<(), StoreError> {
        self.0.delete(id).await
    }

    async fn find(
        &self,
        filter: &Filter,
        page: PageToken,
    ) -> Result<Page<Versioned<StoredConnection>>, StoreError> {
        self.0.find(filter, page).await
    }
}

#[tokio::test]
async fn of_two_who_claim_at_once_one_gets_it() {
    let zoom = Zoom::start().await;
    let store = Narrow(MemoryStore::new(), Arc::new(Barrier::new(2)));
    // Two processes.
    let (here, there) = (zoom.connections(store.clone()), zoom.connections(store));
    let parked = here.park(&zoom.install(), &session()).await.unwrap();
    let (one, other) = (signed_in("one"), signed_in("other"));
    let (one_owner, other_owner) = (owner("one"), owner("other"));
    let (one, other) = tokio::join!(
        here.claim(&parked.ticket, &one, &one_owner),
        there.claim(&parked.ticket, &other, &other_owner)
    );
    assert_eq!(here.list().await.unwrap().len(), 1);
    let lost = if one.is_ok() { other } else { one };
    assert_eq!(kind(lost), ErrorKind::UnknownTicket);
}

#[tokio::test]
async fn a_code_that_is_delivered_twice_is_exchanged_once() {
    let set = Setting::new().await;
    let callback = set.zoom.install();
    let first = set.connections.park(&callback, &session()).await.unwrap();
    let again = set.connections.park(&callback, &session()).await.unwrap();
    assert_eq!((set.exchanges(), set.waiting().await), (1, 1));
    assert_ne!(first.ticket, again.ticket);
    // Whichever page the user sees, its ticket is good.
    for parked in [&first, &again] {
        set.connections.parked(&parked.ticket, &session()).await.unwrap();
    }
    // In another browser it is worth nothing.
    let foreign = SessionBinding::new("another cookie");
    assert_eq!(
        kind(set.connections.park(&callback, &foreign).await),
        ErrorKind::ForeignSession
    );
    set.claim(&first, "rep").await.unwrap();
    assert_eq!(kind(set.claim(&again, "rep").await), ErrorKind::UnknownTicket);
    assert_eq!(
        kind(set.connections.park(&callback, &session()).await),
        ErrorKind::InvalidCode
    );
    assert!(
        set.connections
            .connection(&owner("rep"))
            .await
            .unwrap()
            .unwrap()
            .is_live()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_code_that_is_delivered_twice_at_once_is_exchanged_once() {
    let zoom = Zoom::start().await;
    let connections = zoom.builder(MemoryStore::new()).build().unwrap();
    let callback = zoom.install();
    let mut deliveries = Vec::new();
    for _ in 0..4 {
        let (connections, callback) = (connections.clone(), callback.clone());
        deliveries.push(tokio::spawn(async move {
            connections.park(&callback, &session()).await
        }));
    }
    for delivery in deliveries {
        let parked = delivery.await.unwrap().unwrap();
        connections.parked(&parked.ticket, &session()).await.unwrap();
    }
    assert_eq!(zoom.calls("authorization_code"), 1);
}

#[tokio::test]
async fn a_claim_that_failed_for_a_moment_can_be_made_again() {
    let zoom = Zoom::start().await;
    let store = Difficult::new();
    let connections = zoom
        .builder(store.clone())
        .with_sleeper(Sleeper::new(|_| tokio::task::yield_now()))
        .build()
        .unwrap();
    let parked = connections.park(&zoom.install(), &session()).await.unwrap();
    let rep = owner("rep");
    store.fail_saves(1000);
    let failed = connections.claim(&parked.ticket, &signed_in("rep"), &rep).await;
    assert!(failed.unwrap_err().is_retryable());
    store.fail_saves(0);
    connections
        .claim(&parked.ticket, &signed_in("rep"), &rep)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_change_of_keys_does_not_use_a_ticket_up() {
    let (zoom, store) = (Zoom::start().await, Difficult::new());
    let connections = zoom.connections(store.clone());
    let parked = connections.park(&zoom.install(), &session()).await.unwrap();
    let (mine, rep) = (signed_in("rep"), owner("rep"));
    let claim = || connections.claim(&parked.ticket, &mine, &rep);
    store.rotate(2);
    store.fail_saves(1000);
    assert!(claim().await.unwrap_err().is_retryable());
    store.fail_saves(0);
    claim().await.unwrap();
    assert_eq!(kind(claim().await), ErrorKind::UnknownTicket);
}

#[tokio::test]
async fn a_refused_code_parks_nothing() {
    let set = Setting::new().await;
    set.zoom.fail_next(Fault::InvalidClient);
    assert_eq!(
        kind(set.connections.park(&set.zoom.install(), &session()).await),
        ErrorKind::Refused
    );
    let unknown = Callback::from_query("code=nobody-s");
    assert_eq!(
        kind(set.connections.park(&unknown, &session()).await),
        ErrorKind::InvalidCode
    );
    assert_eq!(set.waiting().await, 0);
}

#[tokio::test]
async fn nothing_of_a_parked_installation_is_shown() {
    let (set, parked) = Setting::parked().await;
    let shown = format!("{parked:?} {:?}", set.connections);
    assert!(
        !shown.contains(&parked.ticket) && !shown.contains("riley"),
        "{shown}"
    );
    let filter = Filter::all().kind(RecordKind::Installation);
    let found = set.store.find(&filter, PageToken::first()).await.unwrap().items;
    let stored = serde_json::to_string(&found[0].value).unwrap();
    let (_, secret) = parked.ticket.split_once('.').unwrap();
    for secret in set
        .zoom
        .state()
        .secrets
        .iter()
        .map(String::as_str)
        .chain([secret, "cookie-secret"])
    {
        assert!(!stored.contains(secret), "{secret}: {stored}");
    }
}
