//! From a URL to a home: who may open it at once, what it shares, and what its errors keep to themselves.

use std::{error::Error as _, time::Duration};

use token_store::{
    Clock, Expect, Filter, Holder, LockKey, OwnerId, RecordKind, Status, StoreError, StoredConnection,
    TokenStoreExt as _, conformance::DurableHome as _, connect,
};

use crate::homes::{Database, File};

fn record(id: &str) -> StoredConnection {
    let now = Clock::system().now();
    StoredConnection::new(
        id.into(),
        OwnerId::new("rep"),
        RecordKind::Connection,
        Status::Active,
        now,
    )
}

/// Ten hosts open an empty home at once, write a record each, and see each other's.
async fn ten_start_at_once(url: &str) {
    let starts: Vec<_> = (0..10)
        .map(|number| {
            let url = url.to_owned();
            tokio::spawn(async move {
                let home = connect(&url).await.unwrap();
                let record = record(&number.to_string());
                home.store.save(&record, Expect::Absent).await.unwrap();
            })
        })
        .collect();
    for start in starts {
        start.await.unwrap();
    }
    let home = connect(url).await.unwrap();
    assert_eq!(home.store.find_all(&Filter::all()).await.unwrap().len(), 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_hosts_start_at_once_on_an_empty_file() {
    ten_start_at_once(&File::new().address()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_hosts_start_at_once_on_an_empty_database() {
    ten_start_at_once(&Database::new().address()).await;
}

/// Store, lock and history of two who open one URL are the same.
async fn is_shared(url: &str) {
    let (one, other) = (connect(url).await.unwrap(), connect(url).await.unwrap());
    one.store.save(&record("id"), Expect::Absent).await.unwrap();
    assert!(other.store.load(&"id".into()).await.unwrap().is_some());

    let (key, minute) = (LockKey::new("key"), Duration::from_secs(60));
    let mine = one
        .lock
        .try_acquire(&key, &Holder::new("one"), minute)
        .await
        .unwrap();
    let theirs = other
        .lock
        .try_acquire(&key, &Holder::new("other"), minute)
        .await
        .unwrap();
    assert!(mine.is_some() && theirs.is_none());

    let entry = token_store::Entry {
        connection: "id".into(),
        owner: "rep".into(),
        at: Clock::system().now(),
        event: "connected".into(),
        status: Status::Active,
        reason: None,
    };
    one.history.append(&entry).await.unwrap();
    assert_eq!(other.history.entries(&"id".into(), 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn who_opens_the_same_file_shares_everything_in_it() {
    is_shared(&File::new().address()).await;
}

#[tokio::test]
async fn who_opens_the_same_database_shares_everything_in_it() {
    is_shared(&Database::new().address()).await;
}

#[tokio::test]
async fn a_lease_without_a_clock_goes_by_the_database_s_time() {
    let lock = connect(&Database::new().address()).await.unwrap().lock;
    let key = LockKey::new("key");
    for (holder, lease) in [("a", Duration::from_micros(1)), ("b", Duration::MAX)] {
        let fence = lock.try_acquire(&key, &Holder::new(holder), lease).await.unwrap();
        assert!(
            fence.is_some(),
            "{holder}: the shortest lease is over by the next statement"
        );
    }
    let late = lock
        .try_acquire(&key, &Holder::new("c"), Duration::ZERO)
        .await
        .unwrap();
    assert_eq!(late, None, "the longest lease there is does not overflow");
}

#[tokio::test]
async fn a_url_of_nothing_we_know_is_refused_by_name() {
    for url in ["", "nonsense", "mysql://root:hunter2@localhost/db", "postgresql"] {
        let error = connect(url).await.unwrap_err();
        assert!(matches!(error, StoreError::UnknownHome), "{url}: {error:?}");
    }
}

#[tokio::test]
async fn no_error_and_no_debug_shows_a_password() {
    let good = Database::new()
        .address()
        .replacen("postgres@", "postgres:hunter2@", 1);
    let missing = good.replacen("/postgres?", "/missing?", 1);
    let wrong_port = format!("{good}&port=hunter2");
    let wrong_mode = format!("{good}&sslmode=hunter2");
    let home = connect(&good).await.unwrap();
    let mut shown = vec![format!("{home:?}")];
    for bad in [
        missing,
        wrong_port,
        wrong_mode,
        "sqlite://file?hunter2=hunter2".into(),
        "mysql://root:hunter2@localhost".into(),
    ] {
        let error = connect(&bad).await.unwrap_err();
        shown.push(format!(
            "{error:?} {error} {:?}",
            error.source().map(ToString::to_string)
        ));
    }
    for text in shown {
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn a_parameter_that_nobody_knows_does_not_get_as_far_as_a_log() {
    let good = Database::new().address();
    for unknown in [
        "pasword=hunter2",
        "PASSWORD=hunter2",
        "=hunter2",
        "hunter2",
        "pass%77ord=hunter2",
    ] {
        let error = connect(&format!("{good}&{unknown}")).await.unwrap_err();
        let shown = error.to_string();
        assert!(matches!(error, StoreError::Invalid(_)), "{error:?}");
        assert!(
            shown.contains("parameter") && !shown.contains("hunter2"),
            "{shown}"
        );
    }
    connect(&format!(
        "{good}&channel_binding=prefer&application_name=a&#fragment"
    ))
    .await
    .unwrap();
}

#[tokio::test]
async fn asking_again_does_not_mend_a_url() {
    let errors = [
        connect("sqlite://file?mode=unheard").await.unwrap_err(),
        connect("postgres://localhost:port/db").await.unwrap_err(),
        token_store::RedisLock::connect_later("nonsense").unwrap_err(),
    ];
    for error in errors {
        assert!(!error.is_retryable(), "{error:?}");
    }
}

#[tokio::test]
async fn what_postgres_can_never_take_is_the_caller_s_to_mend() {
    let store = connect(&Database::new().address()).await.unwrap().store;
    // Random, for Postgres would pack a long text of one letter into a small row.
    let long: String = (0..200)
        .map(|_| token_store::ConnectionId::random().unwrap().to_string())
        .collect();
    for id in ["a\0b", &long] {
        let refused = store.save(&record(id), Expect::Absent).await;
        assert!(matches!(refused, Err(StoreError::Invalid(_))), "{refused:?}");
        assert_eq!(store.load(&id.into()).await.unwrap(), None);
        store.delete(&id.into()).await.unwrap();
        let found = store.find_all(&Filter::all().owner(id.into())).await.unwrap();
        assert_eq!(found, []);
    }
}
