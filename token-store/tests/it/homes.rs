//! Every shipped home runs the same suite, bare and behind a pointer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tempfile::TempDir;
use test_services::{Postgres, Redis};
use token_store::{
    Clock, ConnectionId, Fence, Holder, Lenient, LockKey, MemoryHistory, MemoryLock, MemoryStore,
    PostgresHistory, PostgresLock, PostgresStore, RedisLock, RefreshLock, SqliteLock, SqliteStore,
    StoreError, TokenStore, conformance::DurableHome, connect,
};

mod memory_store {
    use super::*;
    token_store::token_store_conformance!(async { MemoryStore::new() });
}

mod dyn_store {
    use super::*;
    token_store::token_store_conformance!(async { Arc::new(MemoryStore::new()) as Arc<dyn TokenStore> });
}

mod sqlite_in_memory {
    use super::*;
    token_store::token_store_conformance!(async { SqliteStore::connect("sqlite::memory:").await.unwrap() });
}

mod sqlite_file {
    use super::*;
    token_store::durable_token_store_conformance!(async { File::new() });
}

mod memory_lock {
    use super::*;
    token_store::refresh_lock_conformance!(|clock| async { MemoryLock::new().with_clock(clock) });
}

mod dyn_lock {
    use super::*;
    token_store::refresh_lock_conformance!(|clock| async {
        Arc::new(MemoryLock::new().with_clock(clock)) as Arc<dyn RefreshLock>
    });
}

mod sqlite_lock {
    use super::*;
    token_store::refresh_lock_conformance!(|clock| async {
        SqliteLock::connect("sqlite::memory:")
            .await
            .unwrap()
            .with_clock(clock)
    });
}

mod redis_lock {
    use super::*;
    token_store::refresh_lock_conformance!(|clock| async {
        let url = Redis::shared().database();
        RedisLock::connect(&url).await.unwrap().with_clock(clock)
    });
}

mod lenient_lock {
    use super::*;
    token_store::refresh_lock_conformance!(|clock: Clock| async move {
        let inner = MemoryLock::new().with_clock(clock.clone());
        Lenient::new(Arc::new(inner)).with_clock(clock)
    });
}

mod lenient_lock_without_its_home {
    use super::*;
    token_store::refresh_lock_conformance!(|clock| async {
        let nobody = RedisLock::connect_later("redis://127.0.0.1:1").unwrap();
        Lenient::new(Arc::new(nobody)).with_clock(clock)
    });
}

mod sqlite_lock_through_two_handles {
    use super::*;
    token_store::refresh_lock_conformance!(|clock: Clock| async move {
        let home = File::new();
        let open = || async {
            SqliteLock::connect(&home.address())
                .await
                .unwrap()
                .with_clock(clock.clone())
        };
        let handles = [open().await, open().await];
        Alternating::new(handles, home)
    });
}

mod postgres {
    use super::*;
    token_store::durable_token_store_conformance!(async { Database::new() });
}

mod postgres_lock {
    use super::*;
    token_store::refresh_lock_conformance!(|clock| async {
        let home = Database::new();
        PostgresLock::connect(&home.address())
            .await
            .unwrap()
            .with_clock(clock)
    });
}

mod postgres_lock_through_two_handles {
    use super::*;
    token_store::refresh_lock_conformance!(|clock: Clock| async move {
        let home = Database::new();
        let open = || async {
            PostgresLock::connect(&home.address())
                .await
                .unwrap()
                .with_clock(clock.clone())
        };
        let handles = [open().await, open().await];
        Alternating::new(handles, home)
    });
}

mod memory_history {
    use super::*;
    token_store::history_conformance!(async { MemoryHistory::new() });
}

mod sqlite_history {
    use super::*;
    token_store::history_conformance!(async {
        SqliteStore::connect("sqlite::memory:").await.unwrap().history()
    });
}

mod postgres_history {
    use super::*;
    token_store::history_conformance!(async {
        PostgresHistory::connect(&Database::new().address())
            .await
            .unwrap()
    });
}

mod dyn_history {
    use super::*;
    token_store::history_conformance!(async { connect("memory:").await.unwrap().history });
}

mod a_memory_url {
    use super::*;
    token_store::token_store_conformance!(async { connect("memory:").await.unwrap().store });
}

mod a_sqlite_url {
    use super::*;
    token_store::token_store_conformance!(async { connect("sqlite::memory:").await.unwrap().store });
}

mod a_postgres_url {
    use super::*;
    token_store::token_store_conformance!(async { connect(&Database::new().address()).await.unwrap().store });
}

/// Where a lost race is told as a failed transaction, unless one asks otherwise.
fn strict() -> String {
    let url = Database::new().address();
    format!("{url}&options[default_transaction_isolation]=serializable")
}

mod postgres_of_strict_people {
    use super::*;
    token_store::token_store_conformance!(async { connect(&strict()).await.unwrap().store });
}

mod postgres_lock_of_strict_people {
    use super::*;
    token_store::refresh_lock_conformance!(|clock| async {
        PostgresLock::connect(&strict()).await.unwrap().with_clock(clock)
    });
}

/// Every call goes through the other of two handles on one home, as two processes would.
#[derive(Debug)]
struct Alternating<L, H> {
    handles: [L; 2],
    calls: AtomicUsize,
    _home: H,
}

impl<L, H> Alternating<L, H> {
    fn new(handles: [L; 2], home: H) -> Self {
        Self {
            handles,
            calls: AtomicUsize::new(0),
            _home: home,
        }
    }

    fn next(&self) -> &L {
        &self.handles[self.calls.fetch_add(1, Ordering::Relaxed) % 2]
    }
}

#[async_trait]
impl<L: RefreshLock, H: DurableHome> RefreshLock for Alternating<L, H> {
    async fn try_acquire(
        &self,
        key: &LockKey,
        holder: &Holder,
        lease: Duration,
    ) -> Result<Option<Fence>, StoreError> {
        self.next().try_acquire(key, holder, lease).await
    }

    async fn release(&self, key: &LockKey, holder: &Holder) -> Result<(), StoreError> {
        self.next().release(key, holder).await
    }
}

/// A SQLite file in a folder of its own.
#[derive(Debug)]
pub(crate) struct File(TempDir);

impl File {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    async fn execute(&self, statement: &'static str, id: &ConnectionId) {
        let pool = sqlx::SqlitePool::connect(&self.address()).await.unwrap();
        let changed = sqlx::query(statement)
            .bind(id.as_str())
            .execute(&pool)
            .await
            .unwrap();
        assert_eq!(changed.rows_affected(), 1);
        pool.close().await;
    }
}

#[async_trait]
impl DurableHome for File {
    fn address(&self) -> String {
        format!("sqlite://{}", self.0.path().join("store.sqlite").display())
    }

    async fn open(address: &str) -> Arc<dyn TokenStore> {
        Arc::new(SqliteStore::connect(address).await.unwrap())
    }

    async fn corrupt(&self, id: &ConnectionId) {
        self.execute(
            "UPDATE token_store_records SET sealed = 'garbage' WHERE id = ?",
            id,
        )
        .await;
    }

    async fn write_as_a_newer_version(&self, id: &ConnectionId) {
        let pool = sqlx::SqlitePool::connect(&self.address()).await.unwrap();
        sqlx::raw_sql(
            "ALTER TABLE token_store_records ADD COLUMN later TEXT;
             INSERT INTO token_store_migrations (version, description, success, checksum, execution_time)
             VALUES (9999, 'later', TRUE, x'00', 0)",
        )
        .execute(&pool)
        .await
        .unwrap();
        pool.close().await;
        self.execute(
            "UPDATE token_store_records SET later = 'unknown' WHERE id = ?",
            id,
        )
        .await;
    }
}

/// A Postgres database of its own.
#[derive(Debug)]
pub(crate) struct Database(String);

impl Database {
    pub(crate) fn new() -> Self {
        Self(Postgres::shared().database())
    }

    async fn execute(&self, statement: &'static str, id: &ConnectionId) {
        let pool = sqlx::PgPool::connect(&self.0).await.unwrap();
        let changed = sqlx::query(statement)
            .bind(id.as_str())
            .execute(&pool)
            .await
            .unwrap();
        assert_eq!(changed.rows_affected(), 1);
        pool.close().await;
    }
}

#[async_trait]
impl DurableHome for Database {
    fn address(&self) -> String {
        self.0.clone()
    }

    async fn open(address: &str) -> Arc<dyn TokenStore> {
        Arc::new(PostgresStore::connect(address).await.unwrap())
    }

    async fn corrupt(&self, id: &ConnectionId) {
        self.execute(
            "UPDATE token_store_records SET sealed = 'garbage' WHERE id = $1",
            id,
        )
        .await;
    }

    async fn write_as_a_newer_version(&self, id: &ConnectionId) {
        let pool = sqlx::PgPool::connect(&self.0).await.unwrap();
        sqlx::raw_sql(
            "ALTER TABLE token_store_records ADD COLUMN later TEXT;
             INSERT INTO token_store_migrations (version, description, success, checksum, execution_time)
             VALUES (9999, 'later', TRUE, '', 0)",
        )
        .execute(&pool)
        .await
        .unwrap();
        pool.close().await;
        self.execute(
            "UPDATE token_store_records SET later = 'unknown' WHERE id = $1",
            id,
        )
        .await;
    }
}
