//! The same at a Zoom that knows every secret it was sent, those that we make included: verifiers, above all.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use token_store::{RefreshLock, SqliteStore};
use tracing_subscriber::fmt::MakeWriter;
use zoom_core::TokenSource as _;
use zoom_oauth::{Callback, Connections, SessionBinding};

use crate::zoom::{Fault, Zoom, owner, session};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// An error, its `Debug`, and all its causes.
fn all_of(error: &dyn std::error::Error) -> String {
    let mut text = format!("{error} {error:?}\n");
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!("{error} {error:?}\n");
        cause = error.source();
    }
    text
}

/// A life with everything in it; returns what was shown on the way.
async fn live(zoom: &Zoom, connections: &Connections) -> String {
    let mut shown = String::new();
    let started = zoom.authorize(connections, "rep").await;
    let callback = zoom.consent(&started.url);
    shown += &format!("{started:?} {callback:?} {:?} {connections:?}\n", session());
    let forged = Callback::from_query("code=canary-forged-code&state=canary-forged-state");
    shown += &all_of(&connections.connect(&forged, &session()).await.unwrap_err());
    let connected = connections.connect(&callback, &session()).await.unwrap();
    shown += &format!("{connected:?} {}\n", serde_json::to_string(&connected).unwrap());
    shown += &all_of(&connections.connect(&callback, &session()).await.unwrap_err());
    let source = connections.token_source(&owner("rep")).await.unwrap();
    shown += &format!("{source:?} {:?}\n", source.access_token().await.unwrap());
    for fault in [
        Fault::Status(500),
        Fault::Status(500),
        Fault::RateLimited(1),
        Fault::InvalidClient,
    ] {
        zoom.fail_next(fault);
    }
    zoom.pass_an_hour();
    for _ in 0..3 {
        shown += &all_of(&source.access_token().await.unwrap_err());
    }
    source.access_token().await.unwrap();
    zoom.pass_an_hour();
    zoom.fail_next(Fault::LostAnswer);
    shown += &all_of(&source.access_token().await.unwrap_err());
    shown += &all_of(&source.access_token().await.unwrap_err());
    shown += &park(zoom, connections).await;
    zoom.connect(connections, "rep").await;
    zoom.state().revoke_is_down = true;
    connections.disconnect(&owner("rep")).await.unwrap();
    zoom.connect(connections, "rep").await;
    shown
}

/// An installation that is parked, looked at by the wrong people, and left behind.
async fn park(zoom: &Zoom, connections: &Connections) -> String {
    let mut shown = String::new();
    zoom.state().user = ("acc-1".into(), "user-2".into());
    let callback = zoom.install();
    let parked = connections.park(&callback, &session()).await.unwrap();
    shown += &format!("{callback:?} {parked:?}\n");
    let foreign = SessionBinding::new("canary-foreign-cookie");
    let signed_in = session().with_owner(owner("rep"));
    for (ticket, session) in [
        (parked.ticket.as_str(), &foreign),
        ("install-canary.canary", &signed_in),
        (parked.ticket.as_str(), &signed_in),
    ] {
        let claim = connections.claim(ticket, session, &owner("rep")).await;
        let error = claim.unwrap_err();
        shown += &format!("{}{:?}\n", all_of(&error), error.page());
    }
    connections.park(&zoom.install(), &session()).await.unwrap();
    zoom.state().secrets.push(parked.ticket);
    zoom.state().user = ("acc-1".into(), "user-1".into());
    shown
}

#[tokio::test]
async fn no_secret_is_shown_logged_or_stored_in_the_clear() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .with_ansi(false);
    let guard = tracing::subscriber::set_default(subscriber.finish());
    // While there is but one, whichever thread comes to a log line first decides for all whether anybody wants it, and
    // the threads of other tests want nothing. With two, all are asked.
    let second = tracing::Dispatch::new(tracing_subscriber::registry());
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("connections.sqlite").display());
    let store = SqliteStore::connect(&url).await.unwrap();
    let zoom = Zoom::start().await;
    let lock: Arc<dyn RefreshLock> = Arc::new(store.lock());
    let connections = zoom
        .builder(store.clone())
        .lock(lock)
        .with_sleeper(zoom_core::Sleeper::new(|_| tokio::task::yield_now()))
        .build()
        .unwrap();
    let mut shown = live(&zoom, &connections).await;
    shown += &zoom.asked().await.join("\n");
    assert!(shown.contains("/oauth/token"), "the addresses were read");
    let a_state = zoom.authorize(&connections, "rep").await.state;
    drop((guard, second));

    let mut secrets = zoom.state().secrets.clone();
    secrets.push(a_state);
    assert!(secrets.len() > 10, "the life had secrets in it");
    let mut stored = Vec::new();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        stored.extend(std::fs::read(file.unwrap().path()).unwrap());
    }
    let has = |bytes: &[u8], secret: &str| {
        bytes
            .windows(secret.len())
            .any(|window| window == secret.as_bytes())
    };
    assert!(has(&stored, "riley@sim.example"), "the whole database was read");
    let logged = log.0.lock().unwrap().clone();
    let ours = String::from_utf8_lossy(&logged);
    assert!(ours.contains("zoom_oauth"), "something was logged");
    for secret in secrets
        .iter()
        .map(String::as_str)
        .chain(["canary", "cookie-secret"])
    {
        assert!(!has(shown.as_bytes(), secret), "{secret} is shown: {shown}");
        assert!(!has(&stored, secret), "{secret} is in the database");
        assert!(!has(&logged, secret), "{secret} is logged");
    }
}
