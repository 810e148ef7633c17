//! Everything that fails: each kind of error, come by as a host comes by it.

use std::sync::Arc;

use serde_json::json;
use token_store::StaticKeys;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};
use zoom_core::TokenSource as _;
use zoom_oauth::{
    App, Callback, Candidates, ClientSecret, Connections, Endpoints, ErrorKind, Resolver, ServerToServer,
    SessionBinding,
};
use zoom_simulator::{Failure, Fault};

use super::stage::{BASIL, ELEANOR, MARK, MAYA, Mood, Stage, owner, session};

pub(crate) async fn all(stage: &Stage) {
    let connections = stage.connections();
    configuration(stage);
    callbacks(stage, &connections).await;
    connects(stage, &connections).await;
    tickets(stage, &connections).await;
    uses(stage, &connections).await;
    lies(stage).await;
    stores(stage, &connections).await;
    keys(stage, &connections).await;
    ends(stage, &connections).await;
    stage.databases.fail(MARK, &stage.shown).await;
}

fn configuration(stage: &Stage) {
    let redirect = |url: &str| url.parse().unwrap();
    let secret = || ClientSecret::new(format!("{MARK}-client"));
    for app in [
        App::new("", secret(), redirect("https://app.example")),
        App::new("id", ClientSecret::new(""), redirect("https://app.example")),
        App::new("id", secret(), redirect("ftp://app.example")),
    ] {
        let built = stage.builder_for(app).build();
        stage.shown.refusal(built, ErrorKind::InvalidConfig);
    }
    let elsewhere = format!("http://me:{MARK}@127.0.0.1:1/");
    let endpoints = Endpoints::at(&elsewhere.parse().unwrap());
    let builder = stage.builder_for(stage.app()).endpoints(endpoints);
    stage.shown.debug(&builder);
    stage.shown.refusal(builder.build(), ErrorKind::InvalidConfig);
}

async fn callbacks(stage: &Stage, connections: &Connections) {
    let shown = &stage.shown;
    let bring = async |query: &str, expected| {
        let callback = stage.callback(query);
        shown.refusal(connections.connect(&callback, &session()).await, expected);
        callback
    };
    bring(&format!("code={MARK}-code"), ErrorKind::InvalidCallback).await;
    bring(&format!("state={MARK}-state"), ErrorKind::InvalidCallback).await;
    bring(&format!("code={MARK}&state={MARK}"), ErrorKind::UnknownState).await;
    let state = stage.authorize(connections, "rep").await.state;
    bring(&format!("error={MARK}&state={state}"), ErrorKind::Denied).await;
    let state = stage.authorize(connections, "rep").await.state;
    bring(
        &format!("error=redirect_uri_mismatch&error_description={MARK}&state={state}"),
        ErrorKind::RedirectMismatch,
    )
    .await;
    let denied = stage.authorize(connections, "rep").await;
    let back = stage.zoom.deny(&denied.url).unwrap();
    bring(back.query().unwrap(), ErrorKind::Denied).await;

    let late = stage.authorize(connections, "rep").await;
    stage.pass(11);
    let callback = stage.allow(&late.url, MAYA);
    shown.refusal(
        connections.connect(&callback, &session()).await,
        ErrorKind::ExpiredState,
    );
    let started = stage.authorize(connections, "rep").await;
    let callback = stage.allow(&started.url, MAYA);
    let stranger = SessionBinding::new(format!("{MARK}-stranger"));
    shown.refusal(
        connections.connect(&callback, &stranger).await,
        ErrorKind::ForeignSession,
    );
    let forged = Callback::new(format!("{MARK}-forged"), started.state.as_str());
    shown.debug(&forged);
    shown.refusal(
        connections.connect(&forged, &session()).await,
        ErrorKind::InvalidCode,
    );
    shown.refusal(
        connections.connect(&callback, &session()).await,
        ErrorKind::UnknownState,
    );
}

async fn connects(stage: &Stage, connections: &Connections) {
    let shown = &stage.shown;
    stage.connect(connections, "rep", MAYA).await.unwrap();
    let another = stage.connect(connections, "rep", ELEANOR).await;
    shown.refusal(another, ErrorKind::AnotherUser);
    let redirect = "https://app.example/zoom/callback".parse().unwrap();
    let secret = ClientSecret::new(format!("{MARK}-admin"));
    let app = App::new("AdminApp", secret, redirect)
        .with_name("admin")
        .managed_by_admin();
    let for_admins = stage.builder_for(app).build().unwrap();
    let member = stage.connect(&for_admins, "org", BASIL).await;
    shown.refusal(member, ErrorKind::AdminRequired);

    for (fault, expected) in [
        (Fault::InvalidClient, ErrorKind::Refused),
        (Fault::TokenHttp500, ErrorKind::Unavailable),
        (Fault::TokenHttp429, ErrorKind::Unavailable),
        (Fault::LoseTokenResponse, ErrorKind::Unavailable),
    ] {
        stage.zoom.fail_next(Failure::new(fault).times(9));
        shown.refusal(stage.connect(connections, "unlucky", ELEANOR).await, expected);
        stage.zoom.clear_faults();
    }
    for (fault, expected) in [
        (Fault::MissingScope, ErrorKind::Refused),
        (Fault::RefusalWith200, ErrorKind::Api),
    ] {
        stage.zoom.fail_next(Failure::new(fault).times(9));
        shown.refusal(stage.connect(connections, "unlucky", ELEANOR).await, expected);
        stage.zoom.clear_faults();
    }
    // Tokens that wait until Zoom says whose they are.
    for fault in [Fault::Http500, Fault::BrokenJson, Fault::HtmlInsteadOfJson] {
        stage.zoom.fail_next(Failure::new(fault).times(99));
        let connected = stage.connect(connections, "unfinished", ELEANOR).await;
        if let Err(error) = connected {
            shown.error(error);
        }
        if let Err(error) = connections.finish(&owner("unfinished")).await {
            shown.error(error);
        }
        stage.zoom.clear_faults();
    }
}

async fn tickets(stage: &Stage, connections: &Connections) {
    let shown = &stage.shown;
    let forged = format!("{MARK}.{MARK}");
    shown.refusal(
        connections.parked(&forged, &session()).await,
        ErrorKind::UnknownTicket,
    );
    let config = stage.zoom.config();
    let redirect = connections.app().redirect_uri();
    let back = stage
        .zoom
        .install(&config.client_id, ELEANOR, Some(redirect))
        .unwrap();
    let callback = stage.callback(back.query().unwrap());
    let parked = connections.park(&callback, &session()).await.unwrap();
    shown.secret(&parked.ticket);
    let (thief, slow) = (owner("thief"), owner("slow"));
    let signed_in = session().with_owner(slow.clone());
    let stolen = connections
        .claim(&parked.ticket, &SessionBinding::new(MARK), &thief)
        .await;
    shown.refusal(stolen, ErrorKind::ForeignSession);
    stage.pass(31);
    let claimed = connections.claim(&parked.ticket, &signed_in, &slow).await;
    shown.refusal(claimed, ErrorKind::ExpiredTicket);
    let forged = stage.callback(&format!("code={MARK}-installed"));
    shown.refusal(
        connections.park(&forged, &session()).await,
        ErrorKind::InvalidCode,
    );
}

async fn uses(stage: &Stage, connections: &Connections) {
    let shown = &stage.shown;
    let nobody = owner("nobody");
    shown.refusal(connections.token_source(&nobody).await, ErrorKind::NotConnected);
    shown.refusal(connections.refresh(&nobody).await, ErrorKind::NotConnected);
    let resolver = Resolver::new(connections.clone());
    let none = resolver.resolve_for(&Candidates::new().user(nobody), &[]).await;
    shown.refusal(none, ErrorKind::NoAccount);

    let source = connections.token_source(&owner("rep")).await.unwrap();
    let client = connections.client_for(&owner("rep")).await.unwrap();
    for fault in [
        Fault::Http500,
        Fault::Http429Daily,
        Fault::RefuseToken,
        Fault::MissingScope,
        Fault::RefusalWith200,
        Fault::BrokenJson,
        Fault::HtmlInsteadOfJson,
        Fault::ConnectionReset,
    ] {
        stage.zoom.fail_next(Failure::new(fault).times(99));
        shown.any_error(&client.users().me().await.unwrap_err());
        match connections.test(&owner("rep")).await {
            Ok(health) => shown.json(&health),
            Err(error) => drop(shown.error(error)),
        }
        stage.zoom.clear_faults();
    }
    stage.connect(connections, "rep", MAYA).await.unwrap();
    for fault in [Fault::TokenHttp500, Fault::TokenHttp429, Fault::InvalidClient] {
        stage.pass(61);
        stage.zoom.fail_next(Failure::new(fault).times(9));
        shown.any_error(&source.access_token().await.unwrap_err());
        shown.error(connections.refresh(&owner("rep")).await.unwrap_err());
        stage.zoom.clear_faults();
        source.access_token().await.unwrap();
    }
}

/// Something that is not Zoom says what it likes, with what it was sent in it.
async fn lies(stage: &Stage) {
    let shown = &stage.shown;
    for (status, body) in [
        (200, format!("<html>{MARK}</html>")),
        (
            200,
            json!({ "access_token": MARK, "expires_in": MARK }).to_string(),
        ),
        (200, json!({ "access_token": [MARK] }).to_string()),
        (302, MARK.to_owned()),
        (
            400,
            json!({ "error": format!("e {MARK}"), "reason": MARK }).to_string(),
        ),
        (
            401,
            json!({ "errorCode": MARK, "errorMessage": MARK }).to_string(),
        ),
        (418, MARK.repeat(9999)),
        (503, MARK.to_owned()),
    ] {
        let liar = MockServer::start().await;
        let answer = ResponseTemplate::new(status)
            .insert_header("location", format!("http://127.0.0.1:1/?{MARK}"))
            .insert_header("retry-after", MARK)
            .set_body_string(body);
        Mock::given(any()).respond_with(answer).mount(&liar).await;
        let endpoints = Endpoints::at(&liar.uri().parse().unwrap());
        let builder = stage.builder_for(stage.app()).endpoints(endpoints.clone());
        let connections = builder.build().unwrap();
        let state = stage.authorize(&connections, "lied-to").await.state;
        let callback = Callback::new(format!("{MARK}-code"), state);
        let lied_to = connections.connect(&callback, &session()).await;
        shown.error(lied_to.unwrap_err());
        match connections.probe().await {
            Ok(probe) => shown.json(&probe),
            Err(error) => drop(shown.error(error)),
        }
        let system = ServerToServer::builder(
            zoom_core::AccountId::new("another account"),
            "id",
            ClientSecret::new(format!("{MARK}-system")),
            Arc::new(stage.store.clone()),
            stage.vault(),
        );
        let system = system.endpoints(endpoints).with_sleeper(crate::zoom::quick());
        let system = system.build().unwrap();
        shown.any_error(&system.access_token().await.unwrap_err());
        for request in liar.received_requests().await.unwrap() {
            shown.text(format!("{} {}", request.method, request.url.path()));
            assert!(!request.url.as_str().contains(MARK), "{}", request.url);
        }
    }
}

async fn stores(stage: &Stage, connections: &Connections) {
    let shown = &stage.shown;
    stage.store.set(Mood::RefusesAll);
    shown.refusal(connections.list().await, ErrorKind::Storage);
    let session = session();
    let started = connections.authorize(&owner("rep"), &session).await;
    shown.refusal(started, ErrorKind::Storage);
    stage.store.set(Mood::Good);

    stage.pass(61);
    stage.store.set(Mood::RefusesSaves);
    let unsaved = connections.refresh(&owner("rep")).await;
    shown.refusal(unsaved, ErrorKind::NotSaved);
    shown.json(&connections.flush().await);
    shown.debug(connections);
    stage.store.set(Mood::Good);
    let left = connections.flush().await;
    assert!(left.is_empty(), "{left:?}");
}

async fn keys(stage: &Stage, connections: &Connections) {
    let shown = &stage.shown;
    stage.keys.set(Mood::RefusesAll);
    let source = connections.token_source(&owner("rep")).await.unwrap();
    shown.any_error(&source.access_token().await.unwrap_err());
    shown.refusal(connections.refresh(&owner("rep")).await, ErrorKind::Vault);
    stage.keys.set(Mood::Good);
    for text in [
        MARK.to_owned(),
        format!("{MARK}:{MARK}"),
        format!("{MARK} x:{MARK}"),
        format!("k1:{MARK}=="),
        format!("k1:{}", hex::encode(MARK)),
    ] {
        shown.any_error(&StaticKeys::parse(&text).unwrap_err());
    }
}

/// The grant is over.
async fn ends(stage: &Stage, connections: &Connections) {
    let shown = &stage.shown;
    stage.pass(61);
    stage.zoom.fail_next(Fault::InvalidGrant);
    let source = connections.token_source(&owner("rep")).await.unwrap();
    shown.any_error(&source.access_token().await.unwrap_err());
    shown.refusal(connections.token_source(&owner("rep")).await, ErrorKind::Expired);
    let dead = connections.connection(&owner("rep")).await.unwrap().unwrap();
    shown.json(&dead);
    shown.json(&dead.cause().map(|cause| (cause.message(), cause.action())));
}
