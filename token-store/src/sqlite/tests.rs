use super::*;
use crate::{
    ConnectionId, Expect, OwnerId, RecordKind, RefreshLock as _, Status, StoredConnection, TokenStore as _,
};

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
async fn who_opens_a_new_file_waits_for_whoever_writes_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("new.sqlite").display());
    let other = SqliteConnectOptions::from_str(&url)
        .unwrap()
        .create_if_missing(true);
    let other = SqlitePool::connect_with(other).await.unwrap();
    let writing = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let mut opening = tokio::spawn(async move { connect(&url).await.map(drop) });
    let early = tokio::time::timeout(Duration::from_millis(100), &mut opening).await;
    assert!(early.is_err(), "{early:?}");
    writing.rollback().await.unwrap();
    opening.await.unwrap().unwrap();
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
async fn tables_of_the_first_version_keep_their_rows() {
    let pool = connect("sqlite::memory:").await.unwrap();
    migrate_to(&pool, &MIGRATIONS[..1]).await.unwrap();
    sqlx::raw_sql(
        "INSERT INTO token_store_records VALUES
             ('id', 'rep', 'connection', 'account', 'user', 'Zoë', 'zoe@example.com', 'active', NULL, '[\"user:read\"]',
              0, 0, NULL, 'v1.k1.AAECAwQFBgcICQoL.c2VhbGVk', 7);
         INSERT INTO token_store_leases VALUES ('key', NULL, 41, 0);",
    )
    .execute(&pool)
    .await
    .unwrap();

    let store = SqliteStore::from_pool(pool).await.unwrap();
    let kept = store.load(&"id".into()).await.unwrap().unwrap();
    assert_eq!(kept.generation, crate::Generation::new(7));
    assert_eq!(kept.value.scopes, ["user:read"]);
    assert!(kept.value.sealed.is_some() && kept.value.attributes.is_empty());
    store
        .save(&kept.value, Expect::Generation(kept.generation))
        .await
        .unwrap();

    let (key, holder) = (crate::LockKey::new("key"), crate::Holder::new("holder"));
    let fence = store
        .lock()
        .try_acquire(&key, &holder, Duration::from_secs(1))
        .await
        .unwrap();
    assert_eq!(fence, Some(crate::Fence::new(42)));
}

#[tokio::test]
async fn a_save_leaves_alone_what_a_newer_version_added() {
    let store = SqliteStore::connect("sqlite::memory:").await.unwrap();
    let generation = store.save(&record("id"), Expect::Absent).await.unwrap();
    sqlx::raw_sql("ALTER TABLE token_store_records ADD COLUMN later TEXT; UPDATE token_store_records SET later = 'kept'")
        .execute(store.pool())
        .await
        .unwrap();
    for expect in [Expect::Generation(generation), Expect::Any] {
        store.save(&record("id"), expect).await.unwrap();
        let later = sqlx::query_scalar::<_, Option<String>>("SELECT later FROM token_store_records");
        assert_eq!(
            later.fetch_one(store.pool()).await.unwrap().as_deref(),
            Some("kept")
        );
    }
}

/// How many pages the log has.
fn pages_in_log(database: &std::path::Path) -> u64 {
    let log = std::fs::metadata(database.with_extension("sqlite-wal")).unwrap();
    log.len() / (4096 + 24)
}

#[tokio::test]
async fn a_refresh_writes_the_record_and_one_index() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.sqlite");
    let store = SqliteStore::connect(&format!("sqlite://{}", path.display()))
        .await
        .unwrap();
    let mut record = record("id");
    record.expires_at = Some(record.created_at);
    let mut generation = store.save(&record, Expect::Absent).await.unwrap();
    let before = pages_in_log(&path);
    for minute in 1..=10 {
        record.expires_at = Some(record.created_at + jiff::SignedDuration::from_mins(minute));
        generation = store.save(&record, Expect::Generation(generation)).await.unwrap();
    }
    assert_eq!(pages_in_log(&path) - before, 20);
    record.status = Status::Expired;
    store.save(&record, Expect::Generation(generation)).await.unwrap();
    let kept = store.load(&"id".into()).await.unwrap().unwrap();
    assert_eq!(kept.value, record);
}

#[tokio::test]
async fn a_look_up_goes_through_an_index() {
    let store = SqliteStore::connect("sqlite::memory:").await.unwrap();
    let filter = crate::Filter::all;
    let now = "2026-11-22T10:00:00Z".parse().unwrap();
    for (filter, index) in [
        (filter().owner(OwnerId::new("rep")), "token_store_records_owner"),
        (
            filter().owner(OwnerId::new("rep")).kind(RecordKind::Connection),
            "token_store_records_owner",
        ),
        (
            filter().provider_account("acc").provider_user("user"),
            "token_store_records_provider",
        ),
        (
            filter().provider_account("acc").kind(RecordKind::Connection),
            "token_store_records_provider",
        ),
        (filter().status(Status::Expired), "token_store_records_status"),
        (filter().kind(RecordKind::Quarantine), "token_store_records_kind"),
        (filter().expires_before(now), "token_store_records_expiry"),
        (
            filter().kind(RecordKind::Authorization).expires_before(now),
            "token_store_records_expiry",
        ),
    ] {
        let plan = store.plan(&filter).await;
        assert!(plan.contains(&format!("INDEX {index} ")), "{plan}");
    }
}
