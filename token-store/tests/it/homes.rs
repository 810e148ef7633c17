//! Every shipped home runs the same suite, bare and behind a pointer.

use std::sync::Arc;

use async_trait::async_trait;
use tempfile::TempDir;
use token_store::{
    Clock, ConnectionId, Lenient, MemoryLock, MemoryStore, RedisLock, RefreshLock, SqliteLock, SqliteStore,
    TokenStore, conformance::DurableHome,
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
    token_store::durable_token_store_conformance!(async { File(tempfile::tempdir().unwrap()) });
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
        let url = test_services::Redis::shared().database();
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

    /// Every call goes through the other of two handles on one file, as two processes would.
    #[derive(Debug)]
    struct Alternating {
        handles: [SqliteLock; 2],
        calls: std::sync::atomic::AtomicUsize,
        _folder: TempDir,
    }

    impl Alternating {
        fn next(&self) -> &SqliteLock {
            let call = self.calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            &self.handles[call % 2]
        }
    }

    #[async_trait]
    impl RefreshLock for Alternating {
        async fn try_acquire(
            &self,
            key: &token_store::LockKey,
            holder: &token_store::Holder,
            lease: std::time::Duration,
        ) -> Result<Option<token_store::Fence>, token_store::StoreError> {
            self.next().try_acquire(key, holder, lease).await
        }

        async fn release(
            &self,
            key: &token_store::LockKey,
            holder: &token_store::Holder,
        ) -> Result<(), token_store::StoreError> {
            self.next().release(key, holder).await
        }
    }

    token_store::refresh_lock_conformance!(|clock: Clock| async move {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("locks.sqlite").display());
        let open = || async { SqliteLock::connect(&url).await.unwrap().with_clock(clock.clone()) };
        Alternating {
            handles: [open().await, open().await],
            calls: Default::default(),
            _folder: folder,
        }
    });
}

/// A SQLite file in a folder of its own.
#[derive(Debug)]
struct File(TempDir);

impl File {
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
