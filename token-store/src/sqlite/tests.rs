use super::*;
use crate::{ConnectionId, Expect, OwnerId, RecordKind, Status, StoredConnection, TokenStore as _};

fn record(id: &str) -> StoredConnection {
    let now = "2026-11-22T10:00:00Z".parse().unwrap();
    StoredConnection::new(
        ConnectionId::new(id),
        OwnerId::new("rep"),
        RecordKind::Connection,
        Status::Active,
        now,
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_who_start_on_one_new_file_all_succeed() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("new.sqlite").display());
    let starts: Vec<_> = (0..8)
        .map(|number| {
            let url = url.clone();
            tokio::spawn(async move {
                let store = SqliteStore::connect(&url).await.unwrap();
                store
                    .save(&record(&number.to_string()), Expect::Absent)
                    .await
                    .unwrap();
            })
        })
        .collect();
    for start in starts {
        start.await.unwrap();
    }
    let store = SqliteStore::connect(&url).await.unwrap();
    assert_eq!(
        store
            .find(&crate::Filter::all(), crate::PageToken::first())
            .await
            .unwrap()
            .items
            .len(),
        8
    );
}

#[tokio::test]
async fn a_database_in_memory_stays_when_nobody_uses_it() {
    let store = SqliteStore::connect("sqlite::memory:").await.unwrap();
    store.save(&record("kept"), Expect::Absent).await.unwrap();
    let options = store.pool().options();
    assert_eq!(
        (
            options.get_max_connections(),
            options.get_idle_timeout(),
            options.get_max_lifetime()
        ),
        (1, None, None)
    );
    assert!(store.load(&"kept".into()).await.unwrap().is_some());
}

#[tokio::test]
async fn our_commits_survive_a_power_cut() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("new.sqlite").display());
    let pool = connect(&url).await.unwrap();
    let pragma =
        async |name: &'static str| sqlx::query_scalar::<_, i64>(name).fetch_one(&pool).await.unwrap();
    assert_eq!(pragma("PRAGMA synchronous").await, 2, "FULL");
    assert_eq!(pragma("PRAGMA secure_delete").await, 1);
    assert!(pragma("PRAGMA busy_timeout").await >= 10_000);
}

#[tokio::test]
async fn a_host_s_own_tables_and_migrations_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("host.sqlite").display());
    let pool = connect(&url).await.unwrap();
    sqlx::query("CREATE TABLE _sqlx_migrations (anything TEXT)")
        .execute(&pool)
        .await
        .unwrap();
    SqliteStore::from_pool(pool.clone()).await.unwrap();
    let names = sqlx::query_scalar::<_, String>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> '_sqlx_migrations' ORDER BY name",
    );
    let names = names.fetch_all(&pool).await.unwrap();
    assert_eq!(
        names,
        [
            "token_store_history",
            "token_store_leases",
            "token_store_migrations",
            "token_store_records"
        ]
    );
}

#[tokio::test]
async fn a_look_up_goes_through_an_index() {
    let store = SqliteStore::connect("sqlite::memory:").await.unwrap();
    let filter = crate::Filter::all;
    let now = "2026-11-22T10:00:00Z".parse().unwrap();
    for (filter, index) in [
        (
            filter().owner(OwnerId::new("rep")).kind(RecordKind::Connection),
            "token_store_records_owner",
        ),
        (
            filter().provider_account("acc").kind(RecordKind::Connection),
            "token_store_records_provider",
        ),
        (
            filter().kind(RecordKind::Authorization).expires_before(now),
            "token_store_records_expiry",
        ),
    ] {
        let plan = store.plan(&filter).await;
        assert!(plan.contains(&format!("INDEX {index} ")), "{plan}");
    }
}
