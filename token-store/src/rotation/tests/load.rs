//! A rotation while hosts are at work, each refreshing what it likes: nothing may be lost.

use std::sync::atomic::{AtomicBool, AtomicU64};

use super::*;
use crate::KeyFile;

const RECORDS: usize = 40;
const HOSTS: usize = 6;

fn counter(secret: &[u8]) -> u64 {
    std::str::from_utf8(secret).unwrap().parse().unwrap()
}

/// What a refresh does: load, open, count one up, seal for the next generation, save if nobody was faster.
async fn refresh(store: &dyn TokenStore, vault: &Vault, id: &ConnectionId) -> bool {
    let found = store.load(id).await.unwrap().unwrap();
    let sealed = found.value.sealed.as_ref().unwrap();
    let secret = vault
        .open(&place(&found.value, "tokens", found.generation), sealed)
        .await
        .unwrap();
    let next = (counter(&secret) + 1).to_string();
    let mut record = found.value.clone();
    let there = place(&found.value, "tokens", found.generation.next());
    record.sealed = Some(vault.seal(&there, next.as_bytes()).await.unwrap());
    match store.save(&record, Expect::Generation(found.generation)).await {
        Ok(_) => true,
        Err(StoreError::Conflict) => false,
        Err(other) => panic!("{other:?}"),
    }
}

/// Rotates while hosts work whose key file learns of the new key while they run. `passes` are dropped in the middle.
async fn rotate_under_load(store: Arc<dyn TokenStore>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    let operator = KeyFile::open_or_create(&path).unwrap();
    let old = operator.ids().unwrap().remove(0);
    let before = Vault::new(Arc::new(operator.clone()));
    let ids: Arc<Vec<ConnectionId>> = Arc::new((0..RECORDS).map(|n| format!("c{n:03}").into()).collect());
    for id in ids.iter() {
        let mut record = StoredConnection::new(
            id.clone(),
            "rep-7".into(),
            RecordKind::Connection,
            Status::Active,
            now(),
        );
        let there = place(&record, "tokens", Generation::FIRST);
        record.sealed = Some(before.seal(&there, b"0").await.unwrap());
        store.save(&record, Expect::Absent).await.unwrap();
    }

    let saves: Arc<Vec<AtomicU64>> = Arc::new((0..RECORDS).map(|_| AtomicU64::new(0)).collect());
    let is_over = Arc::new(AtomicBool::new(false));
    let hosts: Vec<_> = (0..HOSTS)
        .map(|host| {
            let vault = Vault::new(Arc::new(KeyFile::open(&path).unwrap()));
            let (store, ids, saves) = (Arc::clone(&store), Arc::clone(&ids), Arc::clone(&saves));
            let is_over = Arc::clone(&is_over);
            tokio::spawn(async move {
                let mut at = host * 7;
                while !is_over.load(Ordering::Relaxed) {
                    at = (at * 5 + 3) % RECORDS;
                    if refresh(&*store, &vault, &ids[at]).await {
                        saves[at].fetch_add(1, Ordering::Relaxed);
                    }
                    at += host;
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();

    operator.add_primary().unwrap();
    let rotated = Arc::new(AtomicU64::new(0));
    let rotate = || {
        Rotation::new(Arc::clone(&store), Vault::new(Arc::new(operator.clone())), FIELDS)
            .with_rate(0)
            .with_page_size(9)
    };
    // A pass that is killed: how many it sealed by then is known from the generations below only.
    let killed = tokio::spawn({
        let rotation = rotate();
        async move { rotation.run(|_| {}).await.map(drop) }
    });
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    killed.abort();
    let _ended = killed.await;

    // Hosts that have not met the new key yet seal with the old one behind the pass; so until nothing is left to do.
    for pass in 1.. {
        let done = rotate().run(|_| {}).await.unwrap();
        rotated.fetch_add(done.rotated, Ordering::Relaxed);
        assert_eq!((done.quarantined, done.unreadable.len()), (0, 0));
        if done.rotated == 0 && done.has_nothing_left() {
            break;
        }
        assert!(pass < 1000, "{done}");
    }
    is_over.store(true, Ordering::Relaxed);
    for host in hosts {
        host.await.unwrap();
    }
    // A last one for whatever was under way.
    let done = rotate().run(|_| {}).await.unwrap();
    rotated.fetch_add(done.rotated, Ordering::Relaxed);
    assert!(done.has_nothing_left(), "{done}");

    operator.retire(&old).unwrap();
    let after = Vault::new(Arc::new(KeyFile::open(&path).unwrap()));
    let mut generations = 0;
    let mut saved = 0;
    for (id, saves) in ids.iter().zip(saves.iter()) {
        let found = store.load(id).await.unwrap().unwrap();
        let sealed = found.value.sealed.as_ref().unwrap();
        let secret = after
            .open(&place(&found.value, "tokens", found.generation), sealed)
            .await
            .unwrap();
        let saves = saves.load(Ordering::Relaxed);
        assert_eq!(counter(&secret), saves, "a save of {id} was lost");
        generations += found.generation.get();
        saved += saves;
    }
    let by_rotation = generations - saved - RECORDS as u64;
    assert!(saved > 0, "the hosts worked");
    assert!(
        by_rotation >= rotated.load(Ordering::Relaxed),
        "every save is one generation"
    );
    assert!(
        by_rotation <= rotated.load(Ordering::Relaxed) + RECORDS as u64,
        "the killed pass sealed each once at most"
    );
    assert!(Quarantined::list(&*store).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn hosts_in_memory_lose_nothing_while_keys_rotate() {
    rotate_under_load(Arc::new(MemoryStore::new())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn hosts_on_sqlite_lose_nothing_while_keys_rotate() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("store").display());
    let store = SqliteStore::connect(&url).await.unwrap();
    rotate_under_load(Arc::new(store.clone())).await;
    store.close().await;
}
