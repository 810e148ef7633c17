//! What finds return, and in which pages.

use std::{collections::BTreeSet, sync::Arc};

use jiff::SignedDuration;

use super::{delete, find, full_record, load, look_ups, record, save, unique};
use crate::{Expect, Filter, PageToken, RecordKind, Status, TokenStore, TokenStoreExt as _};

/// Rule 11.
pub async fn find_filters_by_every_field(store: Arc<dyn TokenStore>) {
    let (owner, stranger) = (unique("owner"), unique("stranger"));
    let mut records = Vec::new();
    for number in 0..32_u32 {
        let mut made = record(&unique("id"), if number & 1 == 0 { &owner } else { &stranger });
        made.kind = if number & 2 == 0 {
            RecordKind::Connection
        } else {
            RecordKind::Authorization
        };
        made.status = if number & 4 == 0 {
            Status::Active
        } else {
            Status::Expired
        };
        made.provider_account = (number & 8 == 0).then(|| owner.clone());
        made.provider_user = (number & 16 == 0).then(|| "user".to_owned());
        made.expires_at =
            (number % 3 != 0).then(|| made.created_at + SignedDuration::from_secs(number.into()));
        save(&store, &made, Expect::Absent).await;
        records.push(made);
    }
    let instant = records
        .iter()
        .find_map(|record| record.expires_at)
        .expect("one expires");
    let ours = || Filter::all().owner(owner.as_str().into());
    let filters = [
        ours(),
        ours().kind(RecordKind::Authorization),
        ours().status(Status::Expired),
        ours().provider_account(&owner),
        ours().provider_user("user"),
        ours().expires_before(instant + SignedDuration::from_secs(15)),
        ours().expires_before(instant + SignedDuration::from_secs(1)),
        ours()
            .kind(RecordKind::Connection)
            .status(Status::Active)
            .provider_user("user"),
        Filter::all().owner(stranger.as_str().into()),
        Filter::all()
            .provider_account(&owner)
            .kind(RecordKind::Connection),
        ours().provider_user("nobody"),
    ];
    for filter in filters {
        let wanted = records.iter().filter(|record| filter.matches(record));
        let wanted: BTreeSet<String> = wanted.map(|record| record.id.to_string()).collect();
        let found = find(&store, filter.clone()).await;
        assert_eq!(
            found.iter().cloned().collect::<BTreeSet<_>>(),
            wanted,
            "{filter:?}"
        );
        assert_eq!(found.len(), wanted.len(), "each once: {filter:?}");
    }
}

/// Rule 12.
pub async fn pages_are_the_flat_list(store: Arc<dyn TokenStore>) {
    let owner = unique("owner");
    let prefix = unique("id");
    let mut wanted: Vec<String> = (0..23)
        .map(|number| format!("{prefix}-{}", (number * 7) % 23))
        .collect();
    wanted.extend(["Z", "a", "ä", "_", "🦉", "~"].map(|end| format!("{prefix}-{end}")));
    for id in &wanted {
        save(&store, &record(id, &owner), Expect::Absent).await;
        save(
            &store,
            &record(&format!("{id}-other"), &unique("other")),
            Expect::Absent,
        )
        .await;
    }
    wanted.sort();
    for size in [1, 2, 7, 29, 1000] {
        let filter = Filter::all().owner(owner.as_str().into()).with_page_size(size);
        let mut found: Vec<String> = Vec::new();
        let mut token = Some(PageToken::first());
        while let Some(current) = token {
            let page = store.find(&filter, current).await.expect("the find succeeds");
            assert!(
                page.items.len() <= filter.page_size(),
                "a page holds no more than asked for"
            );
            found.extend(page.items.into_iter().map(|item| item.value.id.to_string()));
            assert!(found.len() <= wanted.len(), "the pages end");
            token = page.next;
        }
        assert_eq!(found, wanted, "pages of {size}");
    }
}

/// Rule 23.
pub async fn a_deleted_record_is_found_by_nobody(store: Arc<dyn TokenStore>) {
    let mut gone = full_record(&unique("id"), &unique("owner"));
    gone.provider_account = Some(unique("account"));
    save(&store, &gone, Expect::Absent).await;
    for filter in look_ups(&gone) {
        assert_eq!(
            find(&store, filter.clone()).await,
            [gone.id.to_string()],
            "{filter:?}"
        );
    }
    delete(&store, &gone).await;
    for filter in look_ups(&gone) {
        assert_eq!(find(&store, filter.clone()).await, [""; 0], "{filter:?}");
    }
}

/// Rule 24.
pub async fn a_saved_record_moves_between_look_ups(store: Arc<dyn TokenStore>) {
    let mut before = full_record(&unique("id"), &unique("owner"));
    before.provider_account = Some(unique("account"));
    let generation = save(&store, &before, Expect::Absent).await;
    let mut after = before.clone();
    after.owner = unique("owner").into();
    after.provider_account = Some(unique("account"));
    after.provider_user = Some(unique("user"));
    after.status = Status::Active;
    let generation = save(&store, &after, Expect::Generation(generation)).await;
    for filter in look_ups(&before) {
        assert_eq!(find(&store, filter.clone()).await, [""; 0], "{filter:?}");
    }
    for filter in look_ups(&after) {
        let found = store.find_all(&filter).await.expect("the find succeeds");
        let [found] = found.as_slice() else {
            panic!("one record is found by {filter:?}, not {}", found.len());
        };
        assert_eq!(
            (&found.value, found.generation),
            (&after, generation),
            "{filter:?}"
        );
    }
}

/// Rule 25.
pub async fn expires_before_is_exclusive(store: Arc<dyn TokenStore>) {
    let owner = unique("owner");
    let mut made = record(&unique("id"), &owner);
    save(&store, &record(&unique("never"), &owner), Expect::Absent).await;
    let instant = made.created_at;
    made.expires_at = Some(instant);
    save(&store, &made, Expect::Absent).await;
    let before = |instant| Filter::all().owner(owner.as_str().into()).expires_before(instant);
    let moment = SignedDuration::from_micros(1);
    assert_eq!(find(&store, before(instant - moment)).await, [""; 0]);
    assert_eq!(
        find(&store, before(instant)).await,
        [""; 0],
        "it expires then, not before"
    );
    assert_eq!(
        find(&store, before(instant + moment)).await,
        [made.id.to_string()]
    );
    assert_eq!(
        find(&store, before(jiff::Timestamp::MAX)).await,
        [made.id.to_string()],
        "what never expires is not found"
    );
}

/// Rule 26.
pub async fn page_sizes_have_bounds(store: Arc<dyn TokenStore>) {
    let (owner, prefix) = (unique("owner"), unique("id"));
    for number in 0..101 {
        save(
            &store,
            &record(&format!("{prefix}-{number}"), &owner),
            Expect::Absent,
        )
        .await;
    }
    let ours = || Filter::all().owner(owner.as_str().into());
    for (filter, most) in [
        (ours(), 100),
        (ours().with_page_size(0), 1),
        (ours().with_page_size(u32::MAX), 1000),
    ] {
        let page = store
            .find(&filter, PageToken::first())
            .await
            .expect("the find succeeds");
        assert!(
            (1..=most).contains(&page.items.len()),
            "{} on {filter:?}",
            page.items.len()
        );
        assert!(page.next.is_some() || page.items.len() == 101, "{filter:?}");
    }
    assert_eq!(find(&store, ours()).await.len(), 101);
}

/// Rule 27.
pub async fn a_page_goes_on_behind_a_deleted_record(store: Arc<dyn TokenStore>) {
    let (owner, prefix) = (unique("owner"), unique("id"));
    let made: Vec<_> = (0..6)
        .map(|number| record(&format!("{prefix}-{number}"), &owner))
        .collect();
    for record in &made {
        save(&store, record, Expect::Absent).await;
    }
    let filter = Filter::all().owner(owner.as_str().into()).with_page_size(2);
    let first = store
        .find(&filter, PageToken::first())
        .await
        .expect("the find succeeds");
    for found in &first.items {
        delete(&store, &found.value).await;
        assert_eq!(load(&store, found.value.id.as_str()).await, None);
    }
    let (mut found, mut next) = (Vec::new(), first.next);
    while let Some(token) = next {
        let page = store.find(&filter, token).await.expect("the find succeeds");
        found.extend(page.items.into_iter().map(|item| item.value.id));
        assert!(found.len() <= made.len(), "the pages end");
        next = page.next;
    }
    let wanted: Vec<_> = made
        .into_iter()
        .skip(first.items.len())
        .map(|record| record.id)
        .collect();
    assert_eq!(found, wanted);
}
