//! Several apps of one host, as Zoom itself keeps them apart: development and production credentials, brands, an app
//! of the users and one of the administrator.

use std::{sync::Arc, time::Duration};

use token_store::MemoryStore;
use url::Url;
use zoom_core::Clock;
use zoom_oauth::{
    App, AppKind, AuthorizeRequest, Callback, ClientSecret, Connection, Connections, Endpoints, Error,
    ErrorKind, PageActionKind, StateKind,
};
use zoom_simulator::{AppKind as SimulatedKind, AppSpec, Config, Fault, Simulator};

use crate::zoom::{owner, session, vault};

const REP: &str = "eleanor.hart@brightwave.example";
const ADMIN: &str = "maya.chen@brightwave.example";

struct Host {
    zoom: Simulator,
    store: MemoryStore,
    state: StateKind,
}

fn redirect(name: &str) -> String {
    format!("https://{name}.example/zoom/callback")
}

impl Host {
    async fn new(state: StateKind) -> Self {
        let mut config = Config::default();
        config.frozen = true;
        for (name, kind) in [
            ("production", SimulatedKind::UserManaged),
            ("development", SimulatedKind::UserManaged),
            ("company", SimulatedKind::AccountManaged),
        ] {
            let mut app = AppSpec::new(kind, &format!("{name}-id"), &format!("{name}-secret"));
            app.redirect_uris = vec![redirect(name)];
            config.apps.push(app);
        }
        Self {
            zoom: Simulator::start(config).await.unwrap(),
            store: MemoryStore::new(),
            state,
        }
    }

    fn app(name: &str) -> App {
        let secret = ClientSecret::new(format!("{name}-secret"));
        let app = App::new(format!("{name}-id"), secret, redirect(name).parse().unwrap()).with_name(name);
        if name == "company" {
            app.managed_by_admin()
        } else {
            app
        }
    }

    fn connections(&self, app: App) -> Connections {
        let clock = self.zoom.clock();
        Connections::builder(app, Arc::new(self.store.clone()), vault())
            .endpoints(Endpoints::at(&self.zoom.base_url()))
            .clock(Clock::new(move || clock.now()))
            .with_state(self.state)
            .build()
            .unwrap()
    }

    fn of(&self, name: &str) -> Connections {
        self.connections(Self::app(name))
    }

    async fn consent(&self, connections: &Connections, user: &str) -> (Url, Callback) {
        let request = AuthorizeRequest::new(&owner("rep"), &session());
        let started = connections.authorize_with(&request).await.unwrap();
        let back = self.zoom.allow(&started.url, user).unwrap();
        let callback = Callback::from_query(back.query().unwrap());
        (back, callback)
    }

    async fn connect(&self, connections: &Connections, user: &str) -> Connection {
        let (_, callback) = self.consent(connections, user).await;
        connections.connect(&callback, &session()).await.unwrap()
    }

    /// What the Marketplace does when a user presses Add.
    fn install(&self, app: &App, user: &str) -> Callback {
        let mut url = self.zoom.base_url().join("oauth/authorize").unwrap();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &format!("{}-id", app.name()))
            .append_pair("redirect_uri", app.redirect_uri().as_str());
        Callback::from_query(self.zoom.allow(&url, user).unwrap().query().unwrap())
    }
}

fn kind<T: std::fmt::Debug>(result: Result<T, Error>) -> ErrorKind {
    result.unwrap_err().kind()
}

#[tokio::test]
async fn an_owner_is_connected_through_each_app_on_its_own() {
    for state in [StateKind::Stored, StateKind::Sealed] {
        let host = Host::new(state).await;
        let mut ids = Vec::new();
        for (name, user) in [("production", REP), ("development", REP), ("company", ADMIN)] {
            let connections = host.of(name);
            let (back, callback) = host.consent(&connections, user).await;
            assert!(back.as_str().starts_with(&redirect(name)), "{back}");
            assert_eq!(connections.app().redirect_uri().as_str(), redirect(name));
            let connected = connections.connect(&callback, &session()).await.unwrap();
            let me = connections
                .client_for(&owner("rep"))
                .await
                .unwrap()
                .users()
                .me()
                .await
                .unwrap();
            assert_eq!(me.email.as_deref(), Some(user));
            ids.push(connected.id);
        }
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 3, "a connection each");
        assert_eq!(host.of("company").app().kind(), AppKind::Admin);
        // Leaving one leaves the others.
        host.of("development").disconnect(&owner("rep")).await.unwrap();
        for (name, live) in [("production", true), ("development", false), ("company", true)] {
            let connection = host.of(name).connection(&owner("rep")).await.unwrap().unwrap();
            assert_eq!(connection.is_live(), live, "{name}");
        }
        let client = host.of("production").client_for(&owner("rep")).await.unwrap();
        client.users().me().await.unwrap();
    }
}

#[tokio::test]
async fn a_callback_to_the_wrong_app_is_unknown_there_and_still_good_at_the_right_one() {
    for state in [StateKind::Stored, StateKind::Sealed] {
        let host = Host::new(state).await;
        let (right, wrong) = (host.of("development"), host.of("production"));
        let (_, callback) = host.consent(&right, REP).await;
        assert_eq!(
            kind(wrong.connect(&callback, &session()).await),
            ErrorKind::UnknownState
        );
        assert_eq!(
            kind(wrong.park(&callback, &session()).await),
            ErrorKind::InvalidCallback
        );
        assert_eq!(host.zoom.count("token.authorization_code"), 0);
        right.connect(&callback, &session()).await.unwrap();
    }
}

#[tokio::test]
async fn credentials_that_changed_under_a_name_do_not_lose_what_is_connected() {
    let host = Host::new(StateKind::Stored).await;
    let before = host.connect(&host.of("production"), REP).await;
    let redirect = redirect("development").parse().unwrap();
    let renewed = App::new(
        "development-id",
        ClientSecret::new("development-secret"),
        redirect,
    );
    let renewed = host.connections(renewed.with_name("production"));
    let found = renewed.connection(&owner("rep")).await.unwrap().unwrap();
    assert_eq!(found.id, before.id);
    // A new consent goes to the same connection.
    assert_eq!(host.connect(&renewed, REP).await.id, before.id);
}

#[tokio::test]
async fn a_sealed_state_of_other_credentials_is_unknown_even_under_the_same_name() {
    let host = Host::new(StateKind::Sealed).await;
    let (_, callback) = host.consent(&host.of("development"), REP).await;
    let redirect = redirect("production").parse().unwrap();
    let production = App::new("production-id", ClientSecret::new("production-secret"), redirect);
    let production = host.connections(production.with_name("development"));
    assert_eq!(
        kind(production.connect(&callback, &session()).await),
        ErrorKind::UnknownState
    );
}

#[tokio::test]
async fn zoom_refuses_a_code_after_five_minutes_while_the_state_is_still_good() {
    for state in [StateKind::Stored, StateKind::Sealed] {
        let host = Host::new(state).await;
        let connections = host.of("production");
        let (_, callback) = host.consent(&connections, REP).await;
        host.zoom.advance(Duration::from_secs(301));
        let refused = connections.connect(&callback, &session()).await.unwrap_err();
        assert_eq!(
            (refused.kind(), refused.number()),
            (ErrorKind::InvalidCode, Some(4733))
        );
        let (_, callback) = host.consent(&connections, REP).await;
        host.zoom.advance(Duration::from_secs(600));
        assert_eq!(
            kind(connections.connect(&callback, &session()).await),
            ErrorKind::ExpiredState
        );
    }
}

#[tokio::test]
async fn a_wrong_redirect_and_a_wrong_secret_are_told_apart() {
    let host = Host::new(StateKind::Stored).await;
    let wrong = App::new(
        "production-id",
        ClientSecret::new("production-secret"),
        "https://production.example/elsewhere".parse().unwrap(),
    );
    let (_, callback) = host.consent(&host.of("production"), REP).await;
    let renamed = host.connections(wrong.with_name("production"));
    let refused = renamed.connect(&callback, &session()).await.unwrap_err();
    assert_eq!(
        (refused.kind(), refused.number()),
        (ErrorKind::RedirectMismatch, Some(4709))
    );

    let (_, callback) = host.consent(&host.of("production"), REP).await;
    let redirect = redirect("production").parse().unwrap();
    let wrong = App::new("production-id", ClientSecret::new("old"), redirect).with_name("production");
    let refused = host
        .connections(wrong)
        .connect(&callback, &session())
        .await
        .unwrap_err();
    assert_eq!(
        (refused.kind(), refused.code()),
        (ErrorKind::Refused, Some("invalid_client"))
    );
}

#[tokio::test]
async fn an_installation_goes_to_the_app_that_was_installed() {
    let host = Host::new(StateKind::Sealed).await;
    let (right, wrong) = (host.of("production"), host.of("development"));
    let callback = host.install(right.app(), REP);
    assert!(callback.is_installation());
    let parked = right.park(&callback, &session()).await.unwrap();
    assert_eq!(parked.view.email.as_deref(), Some(REP));
    // Delivered to the other app, a code is none of its own.
    let stray = host.install(right.app(), REP);
    assert_eq!(kind(wrong.park(&stray, &session()).await), ErrorKind::InvalidCode);
    let rep = owner("rep");
    let claim = |connections: Connections| {
        let (ticket, session) = (parked.ticket.clone(), session().with_owner(owner("rep")));
        async move { connections.claim(&ticket, &session, &owner("rep")).await }
    };
    assert_eq!(kind(claim(wrong).await), ErrorKind::UnknownTicket);
    let connected = claim(right.clone()).await.unwrap();
    assert_eq!(connected.owner, rep);
    right.client_for(&rep).await.unwrap().users().me().await.unwrap();
}

#[tokio::test]
async fn an_api_address_that_is_not_zoom_s_gets_no_token() {
    let host = Host::new(StateKind::Stored).await;
    let connections = host.of("production");
    host.zoom.fail_next(Fault::ForeignApiUrl);
    host.connect(&connections, REP).await;
    let client = connections.client_for(&owner("rep")).await.unwrap();
    assert_eq!(client.base_url().host_str(), host.zoom.base_url().host_str());
    client.users().me().await.unwrap();
    assert!(host.zoom.count("GET /v2/users/me") >= 2);
}

#[tokio::test]
async fn an_app_that_may_not_ask_who_the_user_is_says_so_to_whoever_can_mend_it() {
    let host = Host::new(StateKind::Stored).await;
    let mut blind = AppSpec::new(SimulatedKind::UserManaged, "blind-id", "blind-secret");
    blind.scopes = vec!["meeting:write:meeting".to_owned()];
    host.zoom.add_app(blind).unwrap();
    let blind = host.of("blind");
    let (_, callback) = host.consent(&blind, REP).await;
    let error = blind.connect(&callback, &session()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Refused, Some("missing_scope"))
    );
    assert!(!error.is_retryable());
    assert_eq!(error.page().action.unwrap().kind, PageActionKind::ContactSupport);
}
