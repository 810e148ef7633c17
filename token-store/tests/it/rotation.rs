//! Keys are rotated while hosts refresh: every secret opens at every moment, none is put back to an older one, and in the
//! end nobody needs the old key.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use token_store::{
    Clock, ConnectionId, Expect, Filter, Generation, KeyFile, RecordKind, Rotation, SealContext, Status,
    StoredConnection, TokenStore, TokenStoreExt as _, Vault, Versioned, conformance::DurableHome as _,
    connect,
};
use tokio::task::JoinHandle;

use crate::homes::{Database, File};

const FIELD: &str = "tokens";
const CONNECTIONS: usize = 24;
const HOSTS: usize = 4;

/// What a host has: its own handle on the home, and its own copy of the keys.
struct Host {
    store: Arc<dyn TokenStore>,
    vault: Vault,
}

impl Host {
    async fn start(url: &str, keys: &Path) -> Self {
        Self {
            store: connect(url).await.unwrap().store,
            vault: Vault::new(Arc::new(KeyFile::open(keys).unwrap())),
        }
    }

    async fn save(&self, record: &StoredConnection, expect: Expect, secret: u64) -> bool {
        let mut record = record.clone();
        let place = place(&record, expect.next().unwrap());
        let sealed = self.vault.seal(&place, &secret.to_be_bytes()).await.unwrap();
        record.sealed = Some(sealed);
        match self.store.save(&record, expect).await {
            Ok(_) => true,
            Err(error) => {
                assert!(error.is_conflict(), "{error:?}");
                false
            }
        }
    }

    async fn secret(&self, found: &Versioned<StoredConnection>) -> u64 {
        let sealed = found.value.sealed.as_ref().unwrap();
        let place = place(&found.value, found.generation);
        let secret = self.vault.open(&place, sealed).await.unwrap();
        u64::from_be_bytes(secret.as_slice().try_into().unwrap())
    }

    /// Every secret is one greater than the one it replaces, so one that was put back would show.
    async fn refresh(&self, saves: &[AtomicU64], is_over: &AtomicBool) {
        for number in (0..CONNECTIONS).cycle() {
            if is_over.load(Ordering::SeqCst) {
                return;
            }
            let found = self.store.load(&id(number)).await.unwrap().unwrap();
            let secret = self.secret(&found).await;
            let expect = Expect::Generation(found.generation);
            if self.save(&found.value, expect, secret + 1).await {
                saves[number].fetch_add(1, Ordering::SeqCst);
            }
        }
    }
}

fn id(number: usize) -> ConnectionId {
    ConnectionId::new(format!("connection-{number:02}"))
}

fn place(record: &StoredConnection, generation: Generation) -> SealContext<'_> {
    SealContext {
        owner: &record.owner,
        connection: &record.id,
        field: FIELD,
        generation,
    }
}

/// Waits until every connection was saved once more.
async fn work_goes_on(saves: &[AtomicU64], hosts: &[JoinHandle<()>]) {
    for saved in saves {
        let before = saved.load(Ordering::SeqCst);
        while saved.load(Ordering::SeqCst) == before {
            assert!(!hosts.iter().any(JoinHandle::is_finished), "a host gave up");
            tokio::task::yield_now().await;
        }
    }
}

async fn rotates_under_load(url: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    let keys = KeyFile::open_or_create(&path).unwrap();
    let old = keys.ids().unwrap().remove(0);
    let admin = Host::start(url, &path).await;
    for number in 0..CONNECTIONS {
        let now = Clock::system().now();
        let (kind, status) = (RecordKind::Connection, Status::Active);
        let record = StoredConnection::new(id(number), "rep".into(), kind, status, now);
        assert!(admin.save(&record, Expect::Absent, 0).await);
    }
    let saves: Arc<Vec<AtomicU64>> = Arc::new((0..CONNECTIONS).map(|_| AtomicU64::new(0)).collect());
    let is_over = Arc::new(AtomicBool::new(false));
    let mut hosts = Vec::new();
    for _ in 0..HOSTS {
        let host = Host::start(url, &path).await;
        let (saves, is_over) = (Arc::clone(&saves), Arc::clone(&is_over));
        hosts.push(tokio::spawn(async move {
            host.refresh(&saves, &is_over).await;
        }));
    }
    work_goes_on(&saves, &hosts).await;

    keys.add_primary().unwrap();
    let vault = Vault::new(Arc::new(keys.clone()));
    let rotation = Rotation::new(Arc::clone(&admin.store), vault, [FIELD])
        .with_rate(0)
        .with_page_size(5);
    loop {
        let done = rotation.run(|_| {}).await.unwrap();
        assert_eq!((done.seen, done.quarantined), (CONNECTIONS as u64, 0), "{done}");
        if done.rotated == 0 && done.has_nothing_left() {
            break;
        }
    }
    keys.retire(&old).unwrap();
    work_goes_on(&saves, &hosts).await;
    is_over.store(true, Ordering::SeqCst);
    for host in hosts {
        host.await.unwrap();
    }

    let later = Host::start(url, &path).await;
    let found = later.store.find_all(&Filter::all()).await.unwrap();
    assert_eq!(found.len(), CONNECTIONS, "no record is gone, and none has a mark");
    for (found, saved) in found.iter().zip(&*saves) {
        assert_ne!(found.value.sealed.as_ref().unwrap().key_id(), &old);
        assert_eq!(later.secret(found).await, saved.load(Ordering::SeqCst));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn hosts_on_one_file_work_on_while_keys_are_rotated() {
    rotates_under_load(&File::new().address()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn hosts_on_one_database_work_on_while_keys_are_rotated() {
    rotates_under_load(&Database::new().address()).await;
}
