//! Which saves succeed, and what refused and deleted ones leave behind.

use std::sync::Arc;

use super::{delete, find, full_record, load, look_ups, record, save, unique};
use crate::{Expect, Generation, Status, StoreError, TokenStore};

/// Rule 2.
pub async fn an_absent_record_is_none(store: Arc<dyn TokenStore>) {
    assert_eq!(load(&store, &unique("nobody")).await, None);
}

/// Rule 3.
pub async fn generations_start_at_one_and_grow_by_one(store: Arc<dyn TokenStore>) {
    let record = full_record(&unique("id"), "owner");
    let mut expect = Expect::Absent;
    for number in 1..=5 {
        let generation = save(&store, &record, expect).await;
        assert_eq!(generation, Generation::new(number));
        assert_eq!(
            load(&store, record.id.as_str()).await,
            Some((record.clone(), generation))
        );
        expect = Expect::Generation(generation);
    }
}

/// Rule 4.
pub async fn absent_conflicts_with_a_record(store: Arc<dyn TokenStore>) {
    let first = record(&unique("id"), "first");
    save(&store, &first, Expect::Absent).await;
    let mut second = first.clone();
    second.owner = "second".into();
    let refused = store.save(&second, Expect::Absent).await;
    assert!(
        matches!(refused, Err(StoreError::Conflict)),
        "a record is there, so a save that expects none is a Conflict, not {refused:?}"
    );
    assert_eq!(
        load(&store, first.id.as_str()).await,
        Some((first, Generation::FIRST))
    );
}

/// Rule 5.
pub async fn stale_save_conflicts(store: Arc<dyn TokenStore>) {
    let mut kept = full_record(&unique("id"), "owner");
    let old = save(&store, &kept, Expect::Absent).await;
    kept.status = Status::Active;
    let current = save(&store, &kept, Expect::Generation(old)).await;
    let mut stale = kept.clone();
    stale.status = Status::Expired;
    for wrong in [old, current.next(), Generation::new(0)] {
        let refused = store.save(&stale, Expect::Generation(wrong)).await;
        assert!(
            matches!(refused, Err(StoreError::Conflict)),
            "the record is at {current:?}, so a save that expects {wrong:?} is a Conflict, not {refused:?}"
        );
    }
    assert_eq!(load(&store, kept.id.as_str()).await, Some((kept, current)));
}

/// Rule 6.
pub async fn a_deleted_record_conflicts(store: Arc<dyn TokenStore>) {
    let record = full_record(&unique("id"), "owner");
    let generation = save(&store, &record, Expect::Absent).await;
    store.delete(&record.id).await.expect("the delete succeeds");
    let refused = store.save(&record, Expect::Generation(generation)).await;
    assert!(
        matches!(refused, Err(StoreError::Conflict)),
        "the record is deleted, so a save that expects {generation:?} is a Conflict, not {refused:?}"
    );
    assert_eq!(load(&store, record.id.as_str()).await, None);
}

/// Rule 7.
pub async fn any_replaces_and_refuses_a_sealed_part(store: Arc<dyn TokenStore>) {
    let mut record = record(&unique("id"), "owner");
    assert_eq!(save(&store, &record, Expect::Any).await, Generation::FIRST);
    record.status = Status::Disconnected;
    let second = save(&store, &record, Expect::Any).await;
    assert_eq!(second, Generation::new(2));
    let sealed = full_record(record.id.as_str(), "owner");
    let refused = store.save(&sealed, Expect::Any).await;
    assert!(
        matches!(refused, Err(StoreError::Invalid(_))),
        "a sealed part must not be saved with Expect::Any; that is Invalid, not {refused:?}"
    );
    assert_eq!(load(&store, record.id.as_str()).await, Some((record, second)));
}

/// Rule 10.
pub async fn delete_is_idempotent(store: Arc<dyn TokenStore>) {
    let (kept, gone) = (record(&unique("kept"), "owner"), record(&unique("gone"), "owner"));
    save(&store, &kept, Expect::Absent).await;
    save(&store, &gone, Expect::Absent).await;
    for _ in 0..2 {
        store.delete(&gone.id).await.expect("the delete succeeds");
        assert_eq!(load(&store, gone.id.as_str()).await, None);
    }
    assert!(
        load(&store, kept.id.as_str()).await.is_some(),
        "its neighbour stays"
    );
}

/// Rule 21.
pub async fn a_reinserted_record_starts_anew(store: Arc<dyn TokenStore>) {
    let old = full_record(&unique("id"), &unique("owner"));
    let mut expect = Expect::Absent;
    for _ in 0..3 {
        expect = Expect::Generation(save(&store, &old, expect).await);
    }
    delete(&store, &old).await;
    let new = record(old.id.as_str(), &unique("owner"));
    assert_eq!(save(&store, &new, Expect::Absent).await, Generation::FIRST);
    assert_eq!(
        load(&store, new.id.as_str()).await,
        Some((new.clone(), Generation::FIRST)),
        "nothing is left of the record before it"
    );
    let refused = store.save(&old, expect).await;
    assert!(
        matches!(refused, Err(StoreError::Conflict)),
        "the record began anew, so a save that expects {expect:?} of the old one is a Conflict, not {refused:?}"
    );
}

/// Rule 22.
pub async fn a_refused_save_changes_nothing(store: Arc<dyn TokenStore>) {
    let mut kept = full_record(&unique("id"), &unique("owner"));
    kept.provider_account = Some(unique("account"));
    let old = save(&store, &kept, Expect::Absent).await;
    let current = save(&store, &kept, Expect::Generation(old)).await;
    let mut other = full_record(kept.id.as_str(), &unique("stranger"));
    other.provider_account = Some(unique("account"));
    other.provider_user = Some(unique("user"));
    other.status = Status::Expired;
    other.expires_at = Some("2027-01-01T00:00:00Z".parse().expect("an instant"));
    for expect in [Expect::Absent, Expect::Generation(old), Expect::Any] {
        let refused = store.save(&other, expect).await;
        assert!(
            refused.is_err(),
            "a save that expects {expect:?} of another record succeeds"
        );
        for filter in look_ups(&other) {
            assert_eq!(find(&store, filter.clone()).await, [""; 0], "{filter:?}");
        }
        for filter in look_ups(&kept) {
            assert_eq!(
                find(&store, filter.clone()).await,
                [kept.id.to_string()],
                "{filter:?}"
            );
        }
        assert_eq!(
            load(&store, kept.id.as_str()).await,
            Some((kept.clone(), current))
        );
    }
}
