use test_services::Postgres;

use super::*;
use crate::{
    ConnectionId, Filter, History as _, OwnerId, RecordKind, RefreshLock as _, Status, TokenStore as _,
};

/// As many records as a product may have; each of the filters below matches a few of them.
const MANY: &str = "
    INSERT INTO token_store_records
    SELECT 'id-' || n, 'owner-' || n / 3, CASE WHEN n % 500 = 1 THEN 'authorization' ELSE 'connection' END,
           'account-' || n / 20, 'user-' || n, NULL, NULL, CASE WHEN n % 500 = 0 THEN 'expired' ELSE 'active' END, NULL,
           '[]', '{}', 0, 0, n * 1000000::BIGINT, NULL, 1
    FROM generate_series(1, 20000) AS n";

#[tokio::test]
async fn a_look_up_goes_through_an_index() {
    let store = PostgresStore::connect(&Postgres::shared().database())
        .await
        .unwrap();
    sqlx::raw_sql(MANY).execute(store.pool()).await.unwrap();
    sqlx::raw_sql("ANALYZE token_store_records")
        .execute(store.pool())
        .await
        .unwrap();
    let filter = Filter::all;
    let [early, late] =
        ["1970-01-01T00:01:00Z", "1970-01-01T02:00:00Z"].map(|instant| instant.parse().unwrap());
    for (filter, index) in [
        (
            filter().owner(OwnerId::new("owner-7")),
            "token_store_records_owner",
        ),
        (
            filter()
                .owner(OwnerId::new("owner-7"))
                .kind(RecordKind::Connection),
            "token_store_records_owner",
        ),
        (
            filter().provider_account("account-7").provider_user("user-140"),
            "token_store_records_provider",
        ),
        (
            filter().provider_account("account-7"),
            "token_store_records_provider",
        ),
        (filter().status(Status::Expired), "token_store_records_status"),
        (
            filter().expires_before(early),
            "token_store_records_expiry_of_all",
        ),
        (
            filter().kind(RecordKind::Authorization).expires_before(late),
            "token_store_records_expiry",
        ),
    ] {
        let plan = store.plan(&filter).await;
        let is_used = plan.contains(&format!(" {index} ")) || plan.contains(&format!(" {index}\n"));
        assert!(is_used && !plan.contains("Seq Scan"), "{filter:?}:\n{plan}");
        let found = store.find(&filter, crate::PageToken::first()).await.unwrap();
        assert!(!found.items.is_empty(), "{filter:?}");
    }
}

#[tokio::test]
async fn tables_of_the_first_version_keep_their_rows() {
    let pool = PgPool::connect(&Postgres::shared().database()).await.unwrap();
    migrate_to(&pool, &MIGRATIONS[..1]).await.unwrap();
    sqlx::raw_sql(MANY).execute(&pool).await.unwrap();
    let store = PostgresStore::from_pool(pool).await.unwrap();
    let kept = store.load(&ConnectionId::new("id-7")).await.unwrap().unwrap();
    assert_eq!(kept.value.owner, OwnerId::new("owner-2"));
}

#[tokio::test]
async fn a_host_that_may_not_make_tables_uses_those_that_are_there() {
    let url = Postgres::shared().database();
    let owner = PostgresStore::connect(&url).await.unwrap();
    sqlx::raw_sql(
        "CREATE ROLE clerk LOGIN;
         DO $$ BEGIN
             EXECUTE format('GRANT USAGE ON SCHEMA %I TO clerk', current_schema());
             EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO clerk',
                            current_schema());
         END $$;",
    )
    .execute(owner.pool())
    .await
    .unwrap();
    let clerk = PostgresStore::connect(&url.replacen("postgres@", "clerk@", 1))
        .await
        .unwrap();
    let entry = crate::Entry {
        connection: "id".into(),
        owner: "rep".into(),
        at: jiff::Timestamp::UNIX_EPOCH,
        event: "connected".into(),
        status: Status::Active,
        reason: None,
    };
    clerk.history().append(&entry).await.unwrap();
    assert_eq!(clerk.load(&"id".into()).await.unwrap(), None);
}

#[tokio::test]
async fn a_database_that_is_gone_is_unavailable() {
    let server = Postgres::start();
    let pool = PgPoolOptions::new().acquire_timeout(Duration::from_millis(50));
    let store = PostgresStore::from_pool(pool.connect(&server.database()).await.unwrap())
        .await
        .unwrap();
    drop(server);
    for _ in 0..2 {
        let refused = store.load(&"id".into()).await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    }
    let refused = store
        .lock()
        .try_acquire(&"key".into(), &"holder".into(), Duration::from_secs(1))
        .await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
}

#[tokio::test]
async fn a_host_s_own_tables_and_migrations_are_left_alone() {
    let pool = PgPool::connect(&Postgres::shared().database()).await.unwrap();
    sqlx::raw_sql("CREATE TABLE _sqlx_migrations (anything TEXT)")
        .execute(&pool)
        .await
        .unwrap();
    PostgresStore::from_pool(pool.clone()).await.unwrap();
    let names = sqlx::query_scalar::<_, String>(
        "SELECT tablename::TEXT FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1",
    );
    assert_eq!(
        names.fetch_all(&pool).await.unwrap(),
        [
            "_sqlx_migrations",
            "token_store_history",
            "token_store_leases",
            "token_store_migrations",
            "token_store_records"
        ]
    );
}
