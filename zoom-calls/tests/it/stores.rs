use std::sync::Arc;

use zoom_calls::{
    Analyzer, CallStore, ClientSource, ContactDirectory, MemoryCallStore, Notifier, SqliteCallStore,
};

mod memory {
    zoom_calls::call_store_conformance!(async { zoom_calls::MemoryCallStore::new() });
}

mod sqlite_memory {
    zoom_calls::call_store_conformance!(async {
        zoom_calls::SqliteCallStore::connect("sqlite::memory:")
            .await
            .unwrap()
    });
}

mod sqlite_file {
    zoom_calls::call_store_conformance!(async { super::in_a_file().await });
}

/// The folder lives as long as the process: a rule's store may outlive this function.
async fn in_a_file() -> SqliteCallStore {
    let dir = tempfile::tempdir().unwrap().keep();
    SqliteCallStore::connect(&format!("sqlite://{}/calls.db", dir.display()))
        .await
        .unwrap()
}

static_assertions::assert_obj_safe!(Analyzer, CallStore, ClientSource, ContactDirectory, Notifier);
static_assertions::assert_impl_all!(Arc<dyn CallStore>: Send, Sync);

#[test]
fn two_processes_may_make_the_tables_at_once() {
    zoom_calls::conformance::run(async {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/calls.db", dir.path().display());
        let opened: Vec<_> = (0..4)
            .map(|_| {
                tokio::spawn({
                    let url = url.clone();
                    async move { SqliteCallStore::connect(&url).await }
                })
            })
            .collect();
        for store in opened {
            store.await.unwrap().unwrap();
        }
    });
}

#[test]
fn a_memory_store_is_shared_by_its_clones() {
    zoom_calls::conformance::run(async {
        let store = MemoryCallStore::new();
        zoom_calls::conformance::round_trip(Arc::new(store.clone())).await;
        let calls = store
            .list(&zoom_calls::Scope::All, &zoom_calls::CallFilter::new())
            .await
            .unwrap();
        assert_eq!(calls.len(), 1);
    });
}
