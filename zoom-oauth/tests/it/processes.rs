//! Several processes on one SQLite file: each has its own pool, its own locks, its own memory.

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;
use tempfile::TempDir;
use token_store::{SqliteStore, Status};
use tokio::sync::Barrier;
use zoom_core::{AccountId, TokenSource as _};
use zoom_oauth::{ClientSecret, Connections, ServerToServer};

use crate::zoom::{Zoom, owner, vault};

async fn open(folder: &TempDir) -> SqliteStore {
    let url = format!("sqlite://{}", folder.path().join("connections.sqlite").display());
    SqliteStore::connect(&url).await.unwrap()
}

async fn process(zoom: &Zoom, folder: &TempDir) -> Connections {
    let store = open(folder).await;
    let lock = Arc::new(store.lock());
    zoom.builder(store).lock(lock).build().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_on_one_file_make_one_exchange() {
    let (zoom, folder) = (Zoom::start().await, tempfile::tempdir().unwrap());
    let processes = [
        process(&zoom, &folder).await,
        process(&zoom, &folder).await,
        process(&zoom, &folder).await,
    ];
    zoom.connect(&processes[0], "rep").await;
    for round in 1..=3 {
        zoom.pass_an_hour();
        let barrier = Arc::new(Barrier::new(12));
        let callers: Vec<_> = (0..12)
            .map(|number| {
                let (connections, barrier) = (processes[number % 3].clone(), Arc::clone(&barrier));
                tokio::spawn(async move {
                    let source = connections.token_source(&owner("rep")).await.unwrap();
                    barrier.wait().await;
                    source.access_token().await.unwrap().expose_secret().to_owned()
                })
            })
            .collect();
        let mut tokens = Vec::new();
        for caller in callers {
            tokens.push(caller.await.unwrap());
        }
        tokens.dedup();
        assert_eq!(
            (tokens.len(), zoom.calls("refresh_token")),
            (1, round),
            "{tokens:?}"
        );
    }
    let connection = processes[2].connection(&owner("rep")).await.unwrap().unwrap();
    assert_eq!(connection.status, Status::Active);
}

#[tokio::test]
async fn a_disconnect_in_one_process_holds_in_the_others_when_their_cache_is_over() {
    let (zoom, folder) = (Zoom::start().await, tempfile::tempdir().unwrap());
    let (one, other) = (process(&zoom, &folder).await, process(&zoom, &folder).await);
    let store = open(&folder).await;
    let uncached = zoom
        .builder(store)
        .with_cache_lifetime(Duration::ZERO)
        .build()
        .unwrap();
    zoom.connect(&one, "rep").await;
    let mut sources = Vec::new();
    for connections in [&one, &other, &uncached] {
        let source = connections.token_source(&owner("rep")).await.unwrap();
        source.access_token().await.unwrap();
        sources.push(source);
    }
    one.disconnect(&owner("rep")).await.unwrap();
    let left = async |number: usize| match sources[number].access_token().await {
        Ok(_) => false,
        Err(error) => error.needs_reauthorization(),
    };
    assert!(left(0).await, "who has left knows at once");
    assert!(left(2).await, "and so does who asks the store at every call");
    zoom.pass(SignedDuration::from_secs(29));
    assert!(!left(1).await);
    zoom.pass(SignedDuration::from_secs(1));
    assert!(left(1).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_share_the_one_token_of_the_system_account() {
    let (zoom, folder) = (Zoom::start().await, tempfile::tempdir().unwrap());
    let mut sources = Vec::new();
    for _ in 0..3 {
        let store = open(&folder).await;
        let lock = Arc::new(store.lock());
        let secret = ClientSecret::new("canary-s2s-secret");
        let source =
            ServerToServer::builder(AccountId::new("sys"), "s2s-1", secret, Arc::new(store), vault())
                .lock(lock)
                .endpoints(zoom.endpoints())
                .clock(zoom.clock())
                .build()
                .unwrap();
        sources.push(source);
    }
    let callers: Vec<_> = (0..12)
        .map(|number| {
            let source = sources[number % 3].clone();
            tokio::spawn(async move { source.access_token().await.unwrap().expose_secret().to_owned() })
        })
        .collect();
    let mut tokens = Vec::new();
    for caller in callers {
        tokens.push(caller.await.unwrap());
    }
    tokens.dedup();
    assert_eq!(
        (tokens.len(), zoom.calls("account_credentials")),
        (1, 1),
        "{tokens:?}"
    );
    // The account allows one token at a time, and all processes have that one.
    for source in sources {
        source.client().users().me().await.unwrap();
    }
}
