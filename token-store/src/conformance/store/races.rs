//! Many at once.

use std::{sync::Arc, time::Duration};

use tokio::sync::Barrier;

use super::{delete, full_record, load, record, save, unique};
use crate::{Expect, Filter, PageToken, StoreError, StoredConnection, TokenStore};

const RACERS: usize = 16;

/// Rule 8.
pub async fn one_of_many_racing_saves_wins(store: Arc<dyn TokenStore>) {
    let record = full_record(&unique("id"), "owner");
    let generation = save(&store, &record, Expect::Absent).await;
    race(
        std::iter::repeat_n(store, RACERS).collect(),
        record,
        Expect::Generation(generation),
    )
    .await;
}

/// Rule 9.
pub async fn one_of_many_racing_inserts_wins(store: Arc<dyn TokenStore>) {
    let record = full_record(&unique("id"), "owner");
    race(
        std::iter::repeat_n(store, RACERS).collect(),
        record,
        Expect::Absent,
    )
    .await;
}

/// Saves through all handles at once; one must win, and the record must be the winner's.
pub(in crate::conformance) async fn race(
    handles: Vec<Arc<dyn TokenStore>>,
    record: StoredConnection,
    expect: Expect,
) {
    let start = Arc::new(Barrier::new(handles.len()));
    let store = handles.first().cloned().expect("a handle");
    let racers = handles.into_iter().enumerate().map(|(number, handle)| {
        let (start, mut record) = (Arc::clone(&start), record.clone());
        record.status_reason = Some(number.to_string());
        tokio::spawn(async move {
            start.wait().await;
            (record.status_reason.clone(), handle.save(&record, expect).await)
        })
    });
    let mut winners = Vec::new();
    for racer in racers.collect::<Vec<_>>() {
        match racer.await.expect("the racer finishes") {
            (number, Ok(generation)) => winners.push((number, generation)),
            (_, Err(StoreError::Conflict)) => {}
            (_, Err(other)) => panic!("a loser gets a conflict, not {other:?}"),
        }
    }
    let (found, generation) = load(&store, record.id.as_str())
        .await
        .expect("the record is there");
    assert_eq!(
        winners,
        [(found.status_reason, generation)],
        "one wins, and the record is the winner's"
    );
}

/// Rule 28.
pub async fn a_find_among_writes_skips_and_repeats_nothing(store: Arc<dyn TokenStore>) {
    let (owner, prefix) = (unique("owner"), unique("id"));
    let stable: Vec<_> = (0..20)
        .map(|number| record(&format!("{prefix}-{number:02}-stays"), &owner))
        .collect();
    for record in &stable {
        save(&store, record, Expect::Absent).await;
    }
    let filter = Filter::all().owner(owner.as_str().into()).with_page_size(3);
    for round in 0..3 {
        let (mut found, mut token) = (Vec::new(), Some(PageToken::first()));
        let mut page_number = 0;
        while let Some(current) = token {
            let page = store.find(&filter, current).await.expect("the find succeeds");
            found.extend(page.items.into_iter().map(|item| item.value.id));
            token = page.next;
            page_number += 1;
            assert!(page_number < 200, "the pages end");
            // Between two pages one record comes in front of all, one goes, and one that stays is saved again.
            let guest = |number| record(&format!("{prefix}-{:02}-guest-{round}", number % 20), &owner);
            save(&store, &guest(round), Expect::Any).await;
            save(&store, &guest(page_number), Expect::Any).await;
            delete(&store, &guest(page_number / 2)).await;
            let kept = stable.get(page_number % 20).expect("one of them");
            save(&store, kept, Expect::Any).await;
        }
        found.retain(|id| stable.iter().any(|record| record.id == *id));
        let wanted: Vec<_> = stable.iter().map(|record| record.id.clone()).collect();
        assert_eq!(found, wanted, "what was there throughout is shown once");
    }
}

/// Rule 29.
pub async fn a_record_is_never_seen_half_saved(store: Arc<dyn TokenStore>) {
    let at = |number: u64| {
        let mut made = full_record("", "");
        let text = number.to_string();
        made.email = Some(text.clone());
        made.status_reason = Some(text.clone());
        made.attributes.insert("number".into(), text);
        made.sealed = Some(
            format!("v1.k{number}.AAECAwQFBgcICQoL.c2VhbGVk")
                .parse()
                .expect("a sealed part"),
        );
        made
    };
    let (id, owner) = (unique("id"), unique("owner"));
    let named = move |number| {
        let mut made = at(number);
        (made.id, made.owner) = (id.as_str().into(), owner.as_str().into());
        made
    };
    let mut generation = save(&store, &named(1), Expect::Absent).await;
    let readers = (0..4).map(|_| {
        let (store, named) = (Arc::clone(&store), named.clone());
        tokio::spawn(async move {
            let mut newest = 0;
            for _ in 0..10 {
                let loaded = store.load(&named(1).id).await.expect("the load succeeds");
                let filter = Filter::all().owner(named(1).owner);
                let page = store.find(&filter, PageToken::first()).await;
                let page = page.expect("the find succeeds");
                for seen in [loaded, page.items.into_iter().next()] {
                    let seen = seen.expect("the record is there");
                    assert!(seen.generation.get() >= newest, "nobody sees an older one again");
                    newest = seen.generation.get();
                    assert_eq!(seen.value, named(newest), "all of it is of one save");
                }
            }
        })
    });
    let readers: Vec<_> = readers.collect();
    // As long as anybody looks, there is something going on.
    while !readers.iter().all(tokio::task::JoinHandle::is_finished) {
        let next = named(generation.get() + 1);
        generation = save(&store, &next, Expect::Generation(generation)).await;
        tokio::task::yield_now().await;
    }
    for reader in readers {
        reader.await.expect("the reader sees whole records only");
    }
}

/// Rule 30.
pub async fn a_dropped_save_has_happened_or_has_not(store: Arc<dyn TokenStore>) {
    let mut current = full_record(&unique("id"), &unique("owner"));
    let mut generation = save(&store, &current, Expect::Absent).await;
    for round in 0..24 {
        let mut next = current.clone();
        next.status_reason = Some(format!("round {round}"));
        next.email = Some(format!("round-{round}@example.com"));
        // Dropped sooner or later, in one round or another in the middle.
        let patience = Duration::from_micros(100 * round);
        let saving = store.save(&next, Expect::Generation(generation));
        drop(tokio::time::timeout(patience, saving).await);
        let found = load(&store, current.id.as_str()).await;
        let whole = [(current.clone(), generation), (next.clone(), generation.next())];
        assert!(
            found.as_ref().is_some_and(|found| whole.contains(found)),
            "before it or after it, never between"
        );
        // A save on its way may still arrive; after that the next one gets through.
        let mut attempts = 0;
        (current, generation) = loop {
            let (mut found, at) = load(&store, current.id.as_str()).await.expect("the record");
            found.status_reason = Some("whole".into());
            match store.save(&found, Expect::Generation(at)).await {
                Ok(generation) => break (found, generation),
                Err(StoreError::Conflict) if attempts < 100 => attempts += 1,
                Err(other) => panic!("a dropped save stands in nobody's way: {other:?}"),
            }
        };
    }
}
