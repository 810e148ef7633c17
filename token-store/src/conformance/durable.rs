//! Rules 15 to 18 of [`TokenStore`](crate::TokenStore), for homes that outlive the process.

use super::{DurableHome, full_record, store::race, unique};
use crate::{Expect, Filter, PageToken, StoreError};

/// Rule 15.
pub async fn reopened_store_has_what_was_saved(home: &dyn DurableHome) {
    let record = full_record(&unique("id"), "owner");
    let first = home.open().await;
    let generation = first
        .save(&record, Expect::Absent)
        .await
        .expect("the save succeeds");
    drop(first);
    let found = home
        .open()
        .await
        .load(&record.id)
        .await
        .expect("the load succeeds")
        .expect("a record");
    assert_eq!((found.value, found.generation), (record, generation));
}

/// Rule 16.
pub async fn two_handles_never_both_win(home: &dyn DurableHome) {
    let (one, other) = (home.open().await, home.open().await);
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

/// Rule 17.
pub async fn a_corrupt_record_is_an_error_not_an_absence(home: &dyn DurableHome) {
    let record = full_record(&unique("id"), "owner");
    let store = home.open().await;
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

/// Rule 18.
pub async fn a_corrupt_record_hides_no_other(home: &dyn DurableHome) {
    let (owner, prefix) = (unique("owner"), unique("id"));
    let store = home.open().await;
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
