//! Rules 31 to 37 of [`TokenStore`], for homes that outlive the process.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Barrier;

pub use super::processes::writers_in_two_processes_never_both_win;
use super::{full_record, store::race, unique};
use crate::{ConnectionId, Expect, Filter, PageToken, StoreError, TokenStore};

/// A home that outlives its handles, as the suite needs it: opened again and again, by this process and by others, and
/// changed behind the store's back.
#[async_trait]
pub trait DurableHome: std::fmt::Debug + Send + Sync + 'static {
    /// Where it is: a path, a URL. Another process opens it by this.
    fn address(&self) -> String;

    /// A handle on the home at this address, as a process of its own would open it.
    async fn open(address: &str) -> Arc<dyn TokenStore>;

    /// Makes the record unreadable, for example by overwriting its sealed part with `garbage`.
    async fn corrupt(&self, id: &ConnectionId);

    /// Leaves the record as a newer version might: with a field, or a column, that this version does not know.
    async fn write_as_a_newer_version(&self, id: &ConnectionId);
}

/// Opens it as the suite does.
#[doc(hidden)]
pub async fn open<H: DurableHome>(home: &H) -> Arc<dyn TokenStore> {
    H::open(&home.address()).await
}

/// Rule 31.
pub async fn reopened_store_has_what_was_saved<H: DurableHome>(home: &H) {
    let record = full_record(&unique("id"), "owner");
    let first = open(home).await;
    let generation = first
        .save(&record, Expect::Absent)
        .await
        .expect("the save succeeds");
    drop(first);
    let found = open(home)
        .await
        .load(&record.id)
        .await
        .expect("the load succeeds")
        .expect("a record");
    assert_eq!((found.value, found.generation), (record, generation));
}

/// Rule 32.
pub async fn two_handles_never_both_win<H: DurableHome>(home: &H) {
    let (one, other) = (open(home).await, open(home).await);
    let record = full_record(&unique("id"), "owner");
    let old = one
        .save(&record, Expect::Absent)
        .await
        .expect("the save succeeds");
    let current = other
        .save(&record, Expect::Generation(old))
        .await
        .expect("the save succeeds");
    let stale = one.save(&record, Expect::Generation(old)).await;
    assert!(matches!(stale, Err(StoreError::Conflict)), "{stale:?}");
    let handles = (0..16).map(|number| {
        if number % 2 == 0 {
            one.clone()
        } else {
            other.clone()
        }
    });
    race(handles.collect(), record, Expect::Generation(current)).await;
}

/// Rule 33.
pub async fn a_corrupt_record_is_an_error_not_an_absence<H: DurableHome>(home: &H) {
    let record = full_record(&unique("id"), "owner");
    let store = open(home).await;
    store
        .save(&record, Expect::Absent)
        .await
        .expect("the save succeeds");
    home.corrupt(&record.id).await;
    match store.load(&record.id).await {
        Err(StoreError::Corrupt { id, .. }) => assert_eq!(id, record.id),
        other => panic!("a corrupt record is StoreError::Corrupt, not {other:?}"),
    }
}

/// Rule 34.
pub async fn a_corrupt_record_hides_no_other<H: DurableHome>(home: &H) {
    let (owner, prefix) = (unique("owner"), unique("id"));
    let store = open(home).await;
    let mut ids = Vec::new();
    for number in 0..5 {
        let record = full_record(&format!("{prefix}-{number}"), &owner);
        store
            .save(&record, Expect::Absent)
            .await
            .expect("the save succeeds");
        ids.push(record.id);
    }
    let bad = ids.remove(2);
    home.corrupt(&bad).await;
    for size in [1, 2, 100] {
        let filter = Filter::all().owner(owner.as_str().into()).with_page_size(size);
        let (mut found, mut unreadable) = (Vec::new(), Vec::new());
        let mut token = Some(PageToken::first());
        while let Some(current) = token {
            let page = store.find(&filter, current).await.expect("the find succeeds");
            found.extend(page.items.into_iter().map(|item| item.value.id));
            unreadable.extend(page.unreadable);
            token = page.next;
        }
        assert_eq!(
            (&found, &unreadable),
            (&ids, &vec![bad.clone()]),
            "pages of {size}"
        );
    }
}

/// Rule 35.
pub async fn a_newer_version_s_record_is_read<H: DurableHome>(home: &H) {
    let (owner, id) = (unique("owner"), unique("id"));
    let mut record = full_record(&id, &owner);
    let neighbour = full_record(&format!("{id}-neighbour"), &owner);
    let store = open(home).await;
    for record in [&record, &neighbour] {
        store
            .save(record, Expect::Absent)
            .await
            .expect("the save succeeds");
    }
    home.write_as_a_newer_version(&record.id).await;
    for store in [store, open(home).await] {
        let found = store
            .load(&record.id)
            .await
            .expect("the load succeeds")
            .expect("a record");
        assert_eq!(found.value, record, "what is known of it is read");
        let filter = Filter::all().owner(record.owner.clone());
        let page = store
            .find(&filter, PageToken::first())
            .await
            .expect("the find succeeds");
        let ids: Vec<_> = page.items.iter().map(|found| &found.value.id).collect();
        assert_eq!(
            (ids, page.unreadable),
            (vec![&record.id, &neighbour.id], Vec::new())
        );
        record.status_reason = Some("saved by the older version".into());
        store
            .save(&record, Expect::Generation(found.generation))
            .await
            .expect("an older version saves over it");
    }
}

/// Rule 36.
pub async fn many_may_open_a_new_home_at_once<H: DurableHome>(home: &H) {
    let start = Arc::new(Barrier::new(10));
    let owner = unique("owner");
    let openers = (0..10).map(|_| {
        let (start, address, owner) = (Arc::clone(&start), home.address(), owner.clone());
        tokio::spawn(async move {
            start.wait().await;
            let store = H::open(&address).await;
            let record = full_record(&unique("id"), &owner);
            store
                .save(&record, Expect::Absent)
                .await
                .expect("the save succeeds");
            (store, record.id)
        })
    });
    let mut opened = Vec::new();
    for opener in openers.collect::<Vec<_>>() {
        opened.push(opener.await.expect("each opens it"));
    }
    let ids: Vec<_> = opened.iter().map(|(_, id)| id.clone()).collect();
    for (store, _) in opened {
        for id in &ids {
            let found = store.load(id).await.expect("the load succeeds");
            assert!(found.is_some(), "all of them opened the same home");
        }
    }
}
