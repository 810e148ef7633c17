//! The contract of [`CallStore`] as tests, one per numbered rule, for whoever writes a store of their own.
//!
//! Rules use names that nobody else uses, so the home behind a store need not be empty.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a rule fails by panicking, as tests do"
)]

use std::sync::Arc;

use jiff::{Timestamp, ToSpan};
use zoom_core::{MeetingId, MeetingUuid};
use zoom_recordings::{Transcript, TranscriptSource};

use crate::{
    Call, CallFilter, CallId, CallStatus, CallStore, Origin, OwnerId, Scope, SearchQuery, StoreError,
};

/// Tests a [`CallStore`](crate::CallStore): every rule of its contract, each on a store of its own. Takes a future of the
/// store.
///
/// ```
/// # #[cfg(any())]
/// mod memory {
///     zoom_calls::call_store_conformance!(async { zoom_calls::MemoryCallStore::new() });
/// }
/// ```
#[macro_export]
macro_rules! call_store_conformance {
    ($make:expr) => {
        $crate::__call_store_rules! {
            [$make]
            round_trip
            stale_save_conflicts
            scoped
            listed_newest_first
            found_by_words
            found_as_saved
            deleted_is_gone
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __call_store_rules {
    ([$make:expr] $($rule:ident)+) => {$(
        #[test]
        fn $rule() {
            $crate::conformance::run(async {
                let store = $make.await;
                $crate::conformance::$rule(::std::sync::Arc::new(store)).await;
            });
        }
    )+};
}

/// Runs one rule on threads of its own, so that races are races.
#[doc(hidden)]
pub fn run(rule: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(rule);
}

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn call(rule: &str, owner: &str, number: u64) -> Call {
    let owner = OwnerId::new(format!("{rule} {owner}"));
    let uuid = MeetingUuid::new(format!("{rule}{number}=="));
    let id = CallId::for_meeting(&owner, &uuid);
    let now = time("2026-11-22T15:00:00.123456Z");
    let mut call = Call::new(
        id,
        owner,
        Origin::Meeting { uuid },
        format!("Topic {number}"),
        now,
    );
    call.meeting_id = Some(MeetingId::new(81_234_567_890 + number));
    call.started_at = now.checked_add(i64::try_from(number).unwrap_or(0).hours()).ok();
    let mut transcript = Transcript::new(TranscriptSource::Zoom);
    transcript.push(
        1_000,
        2_000,
        Some("Ana Réyes"),
        "Bonjour, we plan the route by hand.",
    );
    transcript.push(3_000, 4_000, None, "C'est très CHER, à vrai dire: too expensive.");
    call.transcript = Some(transcript);
    call
}

fn query(text: &str) -> SearchQuery {
    SearchQuery::parse(text)
}

/// Rule 1.
pub async fn round_trip(store: Arc<dyn CallStore>) {
    let mut call = call("round_trip", "ana", 1);
    let scope = Scope::from(&call.owner);
    assert_eq!(
        store.load(&scope, &call.id).await.expect("an answer"),
        None,
        "nothing is stored yet"
    );
    call.revision = store.save(&call).await.expect("a first save");
    assert_eq!(
        store.load(&scope, &call.id).await.expect("an answer"),
        Some(call.clone())
    );
    (call.status, call.status_reason) = (CallStatus::Failed, Some("why".to_owned()));
    call.zoom_transcript = call.transcript.take();
    let revision = store.save(&call).await.expect("a second save");
    assert!(revision > call.revision, "a revision grows");
    call.revision = revision;
    assert_eq!(
        store.load(&Scope::All, &call.id).await.expect("an answer"),
        Some(call)
    );
}

/// Rule 2.
pub async fn stale_save_conflicts(store: Arc<dyn CallStore>) {
    let mut call = call("stale_save_conflicts", "ana", 1);
    let revision = store.save(&call).await.expect("a first save");
    assert!(
        matches!(store.save(&call).await, Err(StoreError::Conflict)),
        "a second call of one id"
    );
    call.revision = revision;
    let savers: Vec<_> = (0..4)
        .map(|number| {
            let (store, mut call) = (Arc::clone(&store), call.clone());
            call.topic = format!("saver {number}");
            tokio::spawn(async move { store.save(&call).await.is_ok() })
        })
        .collect();
    let mut winners = 0;
    for saver in savers {
        winners += usize::from(saver.await.expect("no panic"));
    }
    assert_eq!(winners, 1, "savers of one revision");
    call.revision = revision + 100;
    assert!(
        matches!(store.save(&call).await, Err(StoreError::Conflict)),
        "a revision that never was"
    );
    let mut stolen = store
        .load(&Scope::All, &call.id)
        .await
        .expect("an answer")
        .expect("a call");
    stolen.owner = OwnerId::new("stale_save_conflicts ben");
    assert!(
        matches!(store.save(&stolen).await, Err(StoreError::Conflict)),
        "a call that changes hands"
    );
}

/// Rule 3.
pub async fn scoped(store: Arc<dyn CallStore>) {
    let (ana, ben) = (call("scoped", "ana", 1), call("scoped", "ben", 2));
    store.save(&ana).await.expect("a save");
    store.save(&ben).await.expect("a save");
    let (of_ana, of_ben) = (Scope::from(&ana.owner), Scope::from(&ben.owner));
    let both = Scope::Owners(vec![ana.owner.clone(), ben.owner.clone()]);
    assert!(
        store.load(&of_ana, &ben.id).await.expect("an answer").is_none(),
        "loaded"
    );
    assert!(
        !store.delete(&of_ana, &ben.id).await.expect("an answer"),
        "deleted"
    );
    assert!(
        store.load(&of_ben, &ben.id).await.expect("an answer").is_some(),
        "still there"
    );
    assert!(
        store
            .load(&Scope::Owners(Vec::new()), &ben.id)
            .await
            .expect("an answer")
            .is_none(),
        "nobody's"
    );
    for (scope, count) in [
        (&of_ana, 1),
        (&of_ben, 1),
        (&both, 2),
        (&Scope::Owners(Vec::new()), 0),
    ] {
        let filter = CallFilter::new();
        assert_eq!(
            store.list(scope, &filter).await.expect("an answer").len(),
            count,
            "listed: {scope:?}"
        );
        let found = store.search(scope, &query("route"), 10).await.expect("an answer");
        assert_eq!(found.len(), count, "found: {scope:?}");
    }
}

/// Rule 4.
pub async fn listed_newest_first(store: Arc<dyn CallStore>) {
    let mut calls: Vec<Call> = [2, 5, 3]
        .into_iter()
        .map(|number| call("listed_newest_first", "ana", number))
        .collect();
    calls[2].started_at = None; // counts by its creation, before the others
    calls[2].status = CallStatus::Ready;
    for call in &calls {
        store.save(call).await.expect("a save");
    }
    let scope = Scope::from(&calls[0].owner);
    let list = async |filter: CallFilter| -> Vec<CallId> {
        store
            .list(&scope, &filter)
            .await
            .expect("an answer")
            .into_iter()
            .map(|call| call.id)
            .collect()
    };
    let [two, five, three] = [calls[0].id.clone(), calls[1].id.clone(), calls[2].id.clone()];
    assert_eq!(
        list(CallFilter::new()).await,
        [five.clone(), two.clone(), three.clone()]
    );
    assert_eq!(
        list(CallFilter::new().limit(1)).await,
        std::slice::from_ref(&five)
    );
    assert_eq!(
        list(CallFilter::new().status(CallStatus::Ready)).await,
        std::slice::from_ref(&three)
    );
    let (from, to) = (
        calls[0].started_at.expect("a start"),
        calls[1].started_at.expect("a start"),
    );
    assert_eq!(
        list(CallFilter::new().between(from, to)).await,
        [two],
        "from is included, to is not"
    );
}

/// Rule 5.
pub async fn found_by_words(store: Arc<dyn CallStore>) {
    let call = call("found_by_words", "ana", 1);
    store.save(&call).await.expect("a save");
    let scope = Scope::from(&call.owner);
    for (text, utterances) in [
        ("tres cher", vec![Some(2)]),
        ("TRÈS", vec![Some(2)]),
        ("\"too expensive\"", vec![Some(2)]),
        ("\"expensive too\"", vec![]),
        ("route expensive", vec![]),
        ("expens", vec![]),
        ("expens*", vec![Some(2)]),
        ("topic", vec![None]),
        ("a' OR 1=1 --", vec![]),
        ("\"", vec![]),
        ("", vec![]),
        ("NEAR(route", vec![]),
        ("route", vec![Some(1)]),
    ] {
        let hits = store.search(&scope, &query(text), 10).await.expect("an answer");
        let found: Vec<Option<u32>> = hits.iter().map(|hit| hit.utterance_id).collect();
        assert_eq!(found, utterances, "{text}");
    }
    let hit = store
        .search(&scope, &query("plan"), 10)
        .await
        .expect("an answer")
        .remove(0);
    assert_eq!(
        (hit.call_id, hit.start_ms, hit.speaker.as_deref()),
        (call.id, Some(1_000), Some("Ana Réyes"))
    );
    assert_eq!(
        hit.highlights
            .iter()
            .map(|range| &hit.snippet[range.clone()])
            .collect::<Vec<_>>(),
        ["plan"]
    );
    let all = store
        .search(&scope, &query("c* OR b*"), 10)
        .await
        .expect("an answer");
    assert!(all.is_empty(), "OR is a word like any other");
    assert!(
        store
            .search(&scope, &query("expensive"), 0)
            .await
            .expect("an answer")
            .is_empty(),
        "no more than asked for"
    );
}

/// Rule 6.
pub async fn found_as_saved(store: Arc<dyn CallStore>) {
    let mut call = call("found_as_saved", "ana", 1);
    let scope = Scope::from(&call.owner);
    call.transcript = None;
    call.revision = store.save(&call).await.expect("a save");
    assert!(
        store
            .search(&scope, &query("zebra"), 10)
            .await
            .expect("an answer")
            .is_empty()
    );
    let mut words = Transcript::new(TranscriptSource::Zoom);
    words.push(0, 900, None, "a zebra");
    call.transcript = Some(words);
    call.revision = store.save(&call).await.expect("a save");
    call.status = CallStatus::Ready;
    call.revision = store.save(&call).await.expect("a save that changes no word");
    assert_eq!(
        store
            .search(&scope, &query("zebra"), 10)
            .await
            .expect("an answer")
            .len(),
        1
    );
    let mut words = Transcript::new(TranscriptSource::Zoom);
    words.push(0, 900, None, "a giraffe");
    call.transcript = Some(words);
    store.save(&call).await.expect("a save");
    assert!(
        store
            .search(&scope, &query("zebra"), 10)
            .await
            .expect("an answer")
            .is_empty(),
        "old words"
    );
    assert_eq!(
        store
            .search(&scope, &query("giraffe"), 10)
            .await
            .expect("an answer")
            .len(),
        1,
        "new words"
    );
}

/// Rule 7.
pub async fn deleted_is_gone(store: Arc<dyn CallStore>) {
    let call = call("deleted_is_gone", "ana", 1);
    let scope = Scope::from(&call.owner);
    store.save(&call).await.expect("a save");
    assert!(
        store.delete(&scope, &call.id).await.expect("an answer"),
        "there was one"
    );
    assert!(
        !store.delete(&scope, &call.id).await.expect("an answer"),
        "there is none any more"
    );
    assert!(
        store
            .load(&Scope::All, &call.id)
            .await
            .expect("an answer")
            .is_none()
    );
    assert!(
        store
            .list(&scope, &CallFilter::new())
            .await
            .expect("an answer")
            .is_empty()
    );
    assert!(
        store
            .search(&scope, &query("expensive"), 10)
            .await
            .expect("an answer")
            .is_empty()
    );
}
