mod load;

use std::sync::{
    Mutex,
    atomic::{AtomicU32, Ordering},
};

use async_trait::async_trait;
use jiff::Timestamp;

use super::*;
use crate::{
    DataKey, Envelope, Key, KeyId, KeyProvider, KeyWrapper, LocalWrapper, MemoryStore, OwnerId, Page,
    SqliteStore, StaticKeys, Status, TokenStoreExt as _, WrapContext, Wrapped,
};

const FIELDS: [&str; 2] = ["tokens", "authorization"];

fn key(name: &str) -> Key {
    let byte = name.bytes().fold(0, u8::wrapping_add);
    Key::new(KeyId::new(name).unwrap(), [byte; 32])
}

fn keys<const N: usize>(names: [&str; N]) -> Arc<dyn KeyProvider> {
    let mut keys = names.into_iter().map(key);
    Arc::new(StaticKeys::new(keys.next().unwrap(), keys))
}

fn vault<const N: usize>(names: [&str; N]) -> Vault {
    Vault::new(keys(names))
}

fn now() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

fn field_of(kind: &RecordKind) -> &'static str {
    if *kind == RecordKind::Authorization {
        "authorization"
    } else {
        "tokens"
    }
}

fn secret_of(id: &ConnectionId) -> Vec<u8> {
    format!("the secret of {id}").into_bytes()
}

/// Puts a record into the store, sealed by the vault.
async fn put(store: &dyn TokenStore, vault: &Vault, id: &str, kind: RecordKind) {
    let mut record = StoredConnection::new(id.into(), "rep-7".into(), kind, Status::Active, now());
    let field = field_of(&record.kind);
    let place = place(&record, field, Generation::FIRST);
    record.sealed = Some(vault.seal(&place, &secret_of(&record.id)).await.unwrap());
    store.save(&record, Expect::Absent).await.unwrap();
}

/// Connections, authorizations, a server-to-server account, and one record without a secret: `n` in all.
async fn fill(store: &dyn TokenStore, vault: &Vault, n: usize) {
    for number in 0..n - 1 {
        let kind = match number % 5 {
            3 => RecordKind::Authorization,
            4 => RecordKind::ServerToServer,
            _ => RecordKind::Connection,
        };
        put(store, vault, &format!("c{number:03}"), kind).await;
    }
    let left = StoredConnection::new(
        "disconnected".into(),
        "rep-7".into(),
        RecordKind::Connection,
        Status::Disconnected,
        now(),
    );
    store.save(&left, Expect::Absent).await.unwrap();
}

async fn all(store: &dyn TokenStore) -> Vec<Versioned<StoredConnection>> {
    store.find_all(&Filter::all()).await.unwrap()
}

/// Opens every sealed part with this vault and compares it.
async fn assert_opens(store: &dyn TokenStore, vault: &Vault) {
    for found in all(store).await {
        if let Some(sealed) = &found.value.sealed {
            let place = place(&found.value, field_of(&found.value.kind), found.generation);
            let secret = vault.open(&place, sealed).await.unwrap();
            assert_eq!(secret.as_slice(), secret_of(&found.value.id));
        }
    }
}

fn rotation(store: &Arc<MemoryStore>, vault: Vault) -> Rotation {
    Rotation::new(Arc::clone(store) as _, vault, FIELDS)
        .with_rate(0)
        .with_page_size(7)
        .with_clock(Clock::new(now))
}

#[tokio::test]
async fn every_record_of_every_kind_is_sealed_anew() {
    let store = Arc::new(MemoryStore::new());
    fill(&*store, &vault(["old"]), 30).await;
    put(&*store, &vault(["new"]), "new already", RecordKind::Connection).await;
    let mut told = Vec::new();
    let done = rotation(&store, vault(["new", "old"]))
        .run(|progress| told.push(progress.clone()))
        .await
        .unwrap();
    assert_eq!((done.seen, done.rotated, done.current), (31, 29, 2), "{done}");
    assert!(done.has_nothing_left());
    assert_eq!((told.len(), told.last()), (32, Some(&done)));
    assert_opens(&*store, &vault(["new"])).await;
    for found in all(&*store).await {
        let saved = if found.value.sealed.is_some() && found.value.id.as_str() != "new already" {
            2
        } else {
            1
        };
        assert_eq!(found.generation, Generation::new(saved));
        assert_eq!(found.value.updated_at, now(), "nothing of the record changed");
    }
    let again = rotation(&store, vault(["new", "old"])).run(|_| {}).await.unwrap();
    assert_eq!((again.seen, again.rotated, again.current), (31, 0, 31));
}

#[tokio::test]
async fn plain_records_move_into_envelopes_and_to_another_wrapping_key() {
    let store = Arc::new(MemoryStore::new());
    fill(&*store, &vault(["old"]), 12).await;
    let envelope = |keys| Envelope::new(Arc::new(LocalWrapper::new(keys)));
    let into = Vault::enveloped(envelope(keys(["kek-1"]))).with_keys(keys(["old"]));
    let done = rotation(&store, into).run(|_| {}).await.unwrap();
    assert_eq!((done.rotated, done.left), (11, 0));
    assert_opens(&*store, &Vault::enveloped(envelope(keys(["kek-1"])))).await;
    let next = Vault::enveloped(envelope(keys(["kek-2", "kek-1"])));
    let done = rotation(&store, next).run(|_| {}).await.unwrap();
    assert_eq!((done.rotated, done.left), (11, 0));
    assert_opens(&*store, &Vault::enveloped(envelope(keys(["kek-2"])))).await;
}

#[tokio::test]
async fn a_dry_run_counts_and_changes_nothing() {
    let store = Arc::new(MemoryStore::new());
    fill(&*store, &vault(["old"]), 12).await;
    put(&*store, &vault(["lost"]), "lost", RecordKind::Connection).await;
    let before = all(&*store).await;
    let done = rotation(&store, vault(["new", "old"]))
        .dry_run()
        .run(|_| {})
        .await
        .unwrap();
    assert_eq!(
        (done.seen, done.rotated, done.quarantined, done.left),
        (13, 11, 1, 12)
    );
    assert!(!done.has_nothing_left());
    assert_eq!(all(&*store).await, before);
}

#[tokio::test]
async fn what_does_not_open_is_kept_and_marked_and_recovers_when_its_key_is_back() {
    let store = Arc::new(MemoryStore::new());
    fill(&*store, &vault(["old"]), 6).await;
    put(&*store, &vault(["lost"]), "lost", RecordKind::Connection).await;
    put(&*store, &vault(["lost"]), "deleted later", RecordKind::Connection).await;
    // A key of the right name with the wrong bytes.
    let odd = Key::new(KeyId::new("old").unwrap(), [9; 32]);
    put(
        &*store,
        &Vault::new(Arc::new(StaticKeys::new(odd, []))),
        "odd",
        RecordKind::Connection,
    )
    .await;
    let kept = ["deleted later", "lost", "odd"].map(ConnectionId::from);
    let mut before = Vec::new();
    for id in &kept {
        before.push(store.load(id).await.unwrap());
    }

    let partly = || rotation(&store, vault(["new", "old"]));
    let done = partly().run(|_| {}).await.unwrap();
    assert_eq!(
        (done.rotated, done.quarantined, done.left, done.recovered),
        (5, 3, 3, 0)
    );
    assert!(!done.has_nothing_left());
    let again = partly().run(|_| {}).await.unwrap();
    assert_eq!(
        (again.seen, again.rotated, again.quarantined),
        (9, 0, 3),
        "a mark is not a record to seal"
    );
    for (id, before) in kept.iter().zip(&before) {
        assert_eq!(
            &store.load(id).await.unwrap(),
            before,
            "to the byte, and at its generation"
        );
    }
    let marked = Quarantined::list(&*store).await.unwrap();
    let shown: Vec<_> = marked
        .iter()
        .map(|mark| {
            (
                mark.connection.as_str(),
                mark.reason.as_str(),
                mark.key.as_ref().unwrap().as_str(),
                mark.since,
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("deleted later", "unknown_key", "lost", now()),
            ("lost", "unknown_key", "lost", now()),
            ("odd", "does_not_open", "old", now())
        ]
    );
    assert!(marked.iter().all(|mark| mark.owner == OwnerId::new("rep-7")));

    store.delete(&kept[0]).await.unwrap();
    let done = rotation(&store, vault(["new", "old", "lost"]))
        .run(|_| {})
        .await
        .unwrap();
    assert_eq!(
        (done.rotated, done.quarantined, done.recovered, done.left),
        (1, 1, 2, 1)
    );
    let marked = Quarantined::list(&*store).await.unwrap();
    assert_eq!(marked.len(), 1, "the odd one");
    let lost = store.load(&"lost".into()).await.unwrap().unwrap();
    let opened = vault(["new"])
        .open(
            &place(&lost.value, "tokens", lost.generation),
            lost.value.sealed.as_ref().unwrap(),
        )
        .await
        .unwrap();
    assert_eq!(opened.as_slice(), secret_of(&"lost".into()));
}

#[tokio::test]
async fn a_field_that_was_not_named_is_quarantine_not_loss() {
    let store = Arc::new(MemoryStore::new());
    put(&*store, &vault(["old"]), "c1", RecordKind::Authorization).await;
    let before = all(&*store).await;
    let rotate = |fields: &[&str]| {
        Rotation::new(
            Arc::clone(&store) as _,
            vault(["new", "old"]),
            fields.iter().copied(),
        )
        .with_rate(0)
    };
    let done = rotate(&["tokens"]).run(|_| {}).await.unwrap();
    assert_eq!((done.rotated, done.quarantined), (0, 1));
    assert_eq!(store.load(&"c1".into()).await.unwrap().as_ref(), before.first());
    let done = rotate(&FIELDS).run(|_| {}).await.unwrap();
    assert_eq!((done.rotated, done.recovered, done.left), (1, 1, 0));
    assert_opens(&*store, &vault(["new"])).await;
}

#[tokio::test(start_paused = true)]
async fn no_more_steps_than_the_rate_allows() {
    let store = Arc::new(MemoryStore::new());
    fill(&*store, &vault(["old"]), 41).await;
    let begun = tokio::time::Instant::now();
    let done = rotation(&store, vault(["new", "old"]))
        .with_rate(10)
        .run(|_| {})
        .await
        .unwrap();
    assert_eq!(done.rotated, 40);
    // 40 records and 6 pages of 7; the first step waits for nothing.
    assert_eq!(begun.elapsed(), Duration::from_millis(4500));
}

#[tokio::test]
async fn no_rate_is_too_high() {
    let store = Arc::new(MemoryStore::new());
    fill(&*store, &vault(["old"]), 3).await;
    let rotation = rotation(&store, vault(["new", "old"])).with_rate(u32::MAX);
    assert_eq!(rotation.run(|_| {}).await.unwrap().rotated, 2);
}

#[tokio::test(start_paused = true)]
async fn a_pass_that_was_dropped_goes_on_where_it_was() {
    let store = Arc::new(MemoryStore::new());
    fill(&*store, &vault(["old"]), 41).await;
    let rotate = || rotation(&store, vault(["new", "old"])).with_rate(10);
    let told = Mutex::new(Progress::default());
    let first = rotate();
    let stopped = tokio::time::timeout(
        Duration::from_secs(2),
        first.run(|progress| *told.lock().unwrap() = progress.clone()),
    )
    .await;
    assert!(stopped.is_err(), "it was dropped in the middle");
    let until_there = told.into_inner().unwrap();
    assert!(
        until_there.rotated > 5 && until_there.rotated < 35,
        "{until_there}"
    );
    assert_opens(&*store, &vault(["new", "old"])).await;

    // What an operator was shown is enough to go on.
    let position = PageToken::after(until_there.position.position().unwrap().as_str().into());
    let rest = rotate().starting_at(position).run(|_| {}).await.unwrap();
    assert_eq!(rest.rotated + until_there.rotated, 40);
    assert_eq!(rest.seen + until_there.seen, 41);
    assert_opens(&*store, &vault(["new"])).await;
}

/// A store in which somebody else is faster with every save, so many times.
#[derive(Debug)]
struct Contested {
    inner: MemoryStore,
    host: Vault,
    times: AtomicU32,
}

#[async_trait]
impl TokenStore for Contested {
    async fn load(&self, id: &ConnectionId) -> Result<Option<Versioned<StoredConnection>>, StoreError> {
        self.inner.load(id).await
    }

    async fn save(&self, record: &StoredConnection, expect: Expect) -> Result<Generation, StoreError> {
        let mine = self
            .times
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |times| times.checked_sub(1));
        if mine.is_ok() {
            let mut other = record.clone();
            other.status_reason = Some("saved by the host".to_owned());
            let place = place(&other, "tokens", expect.next().unwrap());
            let secret = secret_of(&other.id);
            other.sealed = Some(self.host.seal(&place, &secret).await.unwrap());
            self.inner.save(&other, expect).await.unwrap();
        }
        self.inner.save(record, expect).await
    }

    async fn delete(&self, id: &ConnectionId) -> Result<(), StoreError> {
        self.inner.delete(id).await
    }

    async fn find(
        &self,
        filter: &Filter,
        page: PageToken,
    ) -> Result<Page<Versioned<StoredConnection>>, StoreError> {
        self.inner.find(filter, page).await
    }
}

async fn contest(host: Vault, times: u32) -> (Progress, Versioned<StoredConnection>) {
    let inner = MemoryStore::new();
    put(&inner, &vault(["old"]), "c1", RecordKind::Connection).await;
    let store = Contested {
        inner: inner.clone(),
        host,
        times: AtomicU32::new(times),
    };
    let done = Rotation::new(Arc::new(store), vault(["new", "old"]), FIELDS)
        .with_rate(0)
        .run(|_| {})
        .await
        .unwrap();
    (done, inner.load(&"c1".into()).await.unwrap().unwrap())
}

#[tokio::test]
async fn a_host_that_was_faster_is_not_overwritten() {
    let (done, found) = contest(vault(["old"]), 3).await;
    assert_eq!((done.rotated, done.conflicts, done.left), (1, 3, 0));
    assert_eq!(found.generation, Generation::new(5));
    assert_eq!(found.value.status_reason.as_deref(), Some("saved by the host"));
    let (done, found) = contest(vault(["new"]), 1).await;
    assert_eq!(
        (done.rotated, done.current, done.conflicts),
        (0, 1, 1),
        "the host sealed it anew"
    );
    assert_eq!(found.generation, Generation::new(2));
}

#[tokio::test]
async fn a_record_that_is_always_contested_is_left_and_said_so() {
    let (done, found) = contest(vault(["old"]), u32::MAX).await;
    assert_eq!((done.rotated, done.left, done.quarantined), (0, 1, 0));
    assert!(!done.has_nothing_left());
    assert_eq!(found.value.status_reason.as_deref(), Some("saved by the host"));
}

/// A store in which a host replaces every record right after a page was read.
#[derive(Debug)]
struct Outdated {
    inner: MemoryStore,
    host: Vault,
}

#[async_trait]
impl TokenStore for Outdated {
    async fn load(&self, id: &ConnectionId) -> Result<Option<Versioned<StoredConnection>>, StoreError> {
        self.inner.load(id).await
    }

    async fn save(&self, record: &StoredConnection, expect: Expect) -> Result<Generation, StoreError> {
        self.inner.save(record, expect).await
    }

    async fn delete(&self, id: &ConnectionId) -> Result<(), StoreError> {
        self.inner.delete(id).await
    }

    async fn find(
        &self,
        filter: &Filter,
        page: PageToken,
    ) -> Result<Page<Versioned<StoredConnection>>, StoreError> {
        let page = self.inner.find(filter, page).await?;
        for found in &page.items {
            let mut record = found.value.clone();
            let place = place(&found.value, "tokens", found.generation.next());
            let secret = secret_of(&found.value.id);
            record.sealed = Some(self.host.seal(&place, &secret).await.unwrap());
            self.inner
                .save(&record, Expect::Generation(found.generation))
                .await?;
        }
        Ok(page)
    }
}

#[tokio::test]
async fn a_record_that_was_mended_meanwhile_is_not_quarantined() {
    for (host, rotated, current) in [("old", 1, 0), ("new", 0, 1)] {
        let inner = MemoryStore::new();
        put(&inner, &vault(["lost"]), "c1", RecordKind::Connection).await;
        let store = Outdated {
            inner: inner.clone(),
            host: vault([host]),
        };
        let rotation = Rotation::new(Arc::new(store), vault(["new", "old"]), FIELDS).with_rate(0);
        let done = rotation.run(|_| {}).await.unwrap();
        assert_eq!(
            (done.rotated, done.current, done.quarantined),
            (rotated, current, 0)
        );
        assert_opens(&inner, &vault(["new"])).await;
        assert!(Quarantined::list(&inner).await.unwrap().is_empty());
    }
}

/// A key service that answers so many times.
#[derive(Debug)]
struct Failing {
    inner: LocalWrapper,
    answers: AtomicU32,
}

#[async_trait]
impl KeyWrapper for Failing {
    async fn primary(&self) -> Result<KeyId, VaultError> {
        self.inner.primary().await
    }

    async fn wrap(&self, key: &DataKey, context: &WrapContext<'_>) -> Result<Wrapped, VaultError> {
        self.answers
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
            .map_err(|_| VaultError::unavailable("no answer"))?;
        self.inner.wrap(key, context).await
    }

    async fn unwrap(&self, wrapped: &Wrapped, context: &WrapContext<'_>) -> Result<DataKey, VaultError> {
        self.inner.unwrap(wrapped, context).await
    }
}

#[tokio::test]
async fn a_key_service_that_does_not_answer_stops_the_pass_and_quarantines_nothing() {
    let store = Arc::new(MemoryStore::new());
    fill(&*store, &vault(["old"]), 12).await;
    let wrapper = |answers| Failing {
        inner: LocalWrapper::new(keys(["kek"])),
        answers: AtomicU32::new(answers),
    };
    let with = |answers| Vault::enveloped(Envelope::new(Arc::new(wrapper(answers)))).with_keys(keys(["old"]));
    let stopped = rotation(&store, with(4)).run(|_| {}).await.unwrap_err();
    assert!(stopped.is_retryable());
    assert_eq!(stopped.to_string(), "the rotation stopped");
    let until_there = stopped.progress().clone();
    assert_eq!((until_there.rotated, until_there.quarantined), (4, 0));
    assert!(Quarantined::list(&*store).await.unwrap().is_empty());
    let rest = rotation(&store, with(99))
        .starting_at(until_there.position)
        .run(|_| {})
        .await
        .unwrap();
    assert_eq!((rest.rotated, rest.left), (7, 0));
    assert_opens(&*store, &with(0)).await;
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_reported_and_hides_no_other() {
    let pool = sqlx::sqlite::SqlitePoolOptions::new()
        .max_connections(1)
        .connect("sqlite::memory:")
        .await
        .unwrap();
    let store = Arc::new(SqliteStore::from_pool(pool.clone()).await.unwrap());
    fill(&*store, &vault(["old"]), 12).await;
    sqlx::query("UPDATE token_store_records SET scopes = '{' WHERE id = 'c004'")
        .execute(&pool)
        .await
        .unwrap();
    let rotate = |vault| {
        Rotation::new(Arc::clone(&store) as _, vault, FIELDS)
            .with_rate(0)
            .with_page_size(3)
    };
    let done = rotate(vault(["new", "old"])).run(|_| {}).await.unwrap();
    assert_eq!(done.unreadable, ["c004".into()]);
    assert_eq!((done.seen, done.rotated, done.left), (12, 10, 0));
    assert!(!done.has_nothing_left());
    assert_opens(&*store, &vault(["new"])).await;
}
