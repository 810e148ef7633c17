//! Rules 1 to 14 of [`TokenStore`].

use std::{collections::BTreeSet, sync::Arc};

use tokio::sync::Barrier;

use super::{full_record, record, unique};
use crate::{
    Expect, Filter, Generation, PageToken, RecordKind, Status, StoreError, StoredConnection, TokenStore,
    TokenStoreExt,
};

const RACERS: usize = 16;

async fn save(store: &Arc<dyn TokenStore>, record: &StoredConnection, expect: Expect) -> Generation {
    store.save(record, expect).await.expect("the save succeeds")
}

async fn load(store: &Arc<dyn TokenStore>, id: &str) -> Option<(StoredConnection, Generation)> {
    let found = store.load(&id.into()).await.expect("the load succeeds");
    found.map(|found| (found.value, found.generation))
}

async fn find(store: &Arc<dyn TokenStore>, filter: Filter) -> Vec<String> {
    let found = store.find_all(&filter).await.expect("the find succeeds");
    found
        .into_iter()
        .map(|found| found.value.id.to_string())
        .collect()
}

/// Rule 1.
pub async fn what_was_saved_is_loaded(store: Arc<dyn TokenStore>) {
    for make in [record, full_record] {
        let saved = make(&unique("id"), "owner");
        let generation = save(&store, &saved, Expect::Absent).await;
        assert_eq!(load(&store, saved.id.as_str()).await, Some((saved, generation)));
    }
    let mut emptied = full_record(&unique("id"), "owner");
    let generation = save(&store, &emptied, Expect::Absent).await;
    emptied.sealed = None;
    emptied.email = None;
    emptied.expires_at = None;
    emptied.scopes.clear();
    let generation = save(&store, &emptied, Expect::Generation(generation)).await;
    assert_eq!(
        load(&store, emptied.id.as_str()).await,
        Some((emptied, generation))
    );
}

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
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
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
        assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    }
    assert_eq!(load(&store, kept.id.as_str()).await, Some((kept, current)));
}

/// Rule 6.
pub async fn a_deleted_record_conflicts(store: Arc<dyn TokenStore>) {
    let record = full_record(&unique("id"), "owner");
    let generation = save(&store, &record, Expect::Absent).await;
    store.delete(&record.id).await.expect("the delete succeeds");
    let refused = store.save(&record, Expect::Generation(generation)).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
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
    assert!(matches!(refused, Err(StoreError::Invalid(_))), "{refused:?}");
    assert_eq!(load(&store, record.id.as_str()).await, Some((record, second)));
}

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
pub(super) async fn race(handles: Vec<Arc<dyn TokenStore>>, record: StoredConnection, expect: Expect) {
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
            (number % 3 != 0).then(|| made.created_at + jiff::SignedDuration::from_secs(number.into()));
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
        ours().expires_before(instant + jiff::SignedDuration::from_secs(15)),
        ours().expires_before(instant + jiff::SignedDuration::from_secs(1)),
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

/// Rule 13.
pub async fn unicode_ids_are_kept_apart(store: Arc<dyn TokenStore>) {
    let tail = unique("");
    // The same letter in two forms, two cases, white space, quotes, SQL and pattern characters, and a NUL.
    let names = [
        "ä",
        "a\u{308}",
        "Ä",
        "ä ",
        " ä",
        "'; --",
        "%",
        "_",
        "\u{1F989}",
        "a\0b",
        "a",
    ];
    let ids: Vec<String> = names.iter().map(|name| format!("{name}{tail}")).collect();
    for id in &ids {
        save(&store, &record(id, id), Expect::Absent).await;
    }
    for id in &ids {
        assert_eq!(
            load(&store, id).await.map(|(found, _)| found),
            Some(record(id, id))
        );
        assert_eq!(
            find(&store, Filter::all().owner(id.as_str().into())).await,
            std::slice::from_ref(id)
        );
    }
}

/// Rule 14.
pub async fn unknown_status_survives(store: Arc<dyn TokenStore>) {
    let mut made = record(&unique("id"), &unique("owner"));
    made.kind = RecordKind::from("from the future");
    made.status = Status::from("Paused 🦉");
    let generation = save(&store, &made, Expect::Absent).await;
    assert_eq!(
        load(&store, made.id.as_str()).await,
        Some((made.clone(), generation))
    );
    let filter = Filter::all()
        .owner(made.owner.clone())
        .status(made.status.clone())
        .kind(made.kind.clone());
    assert_eq!(find(&store, filter).await, [made.id.to_string()]);
}
