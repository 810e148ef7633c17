//! The numbered contract, over every store.

use std::sync::Arc;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_794_000_000 + second).unwrap()
}

fn holder(name: &str) -> Holder {
    Holder::new(name)
}

fn intent(session: &str) -> Intent {
    let account = BookedAccount::Own {
        connection: ConnectionId::new("c1"),
        account: AccountId::new("A1"),
        user: UserId::new("U1"),
    };
    Intent::new(
        SessionId::new(session),
        OwnerId::new("org-1"),
        account,
        format!("track-{session}"),
        at(0),
    )
}

fn booking(session: &str, meeting: u64) -> Booking {
    let url = format!("https://zoom.us/j/{meeting}?pwd=abc").parse().unwrap();
    let mut booking = Booking::of(
        &intent(session),
        MeetingId::new(meeting),
        Link::new(url),
        at(3600),
        45,
    );
    booking.topic = "Interview".into();
    booking.reason = "connected".into();
    booking
}

const ID: u64 = 81_234_567_890;

async fn booked(store: &dyn BookingStore, session: &str, meeting: u64) {
    let holder = Holder::random().unwrap();
    assert_eq!(
        store
            .claim(&intent(session), &holder, at(60), at(0))
            .await
            .unwrap(),
        Claim::Fresh
    );
    store.confirm(&booking(session, meeting), &holder).await.unwrap();
}

async fn rule_1_and_2_one_claim_at_a_time(store: &dyn BookingStore) {
    let mine = intent("s");
    assert_eq!(
        store.claim(&mine, &holder("a"), at(60), at(0)).await.unwrap(),
        Claim::Fresh
    );
    assert_eq!(
        store.by_session(&mine.session).await.unwrap(),
        Some(SessionState::Intended(mine.clone()))
    );
    assert_eq!(
        store.claim(&mine, &holder("b"), at(120), at(59)).await.unwrap(),
        Claim::Busy { until: at(60) }
    );
    // Not even for the same holder: a claim is not re-entrant.
    assert_eq!(
        store.claim(&mine, &holder("a"), at(120), at(59)).await.unwrap(),
        Claim::Busy { until: at(60) }
    );
}

async fn rule_3_claim_that_ran_out_is_taken_over_with_its_intent(store: &dyn BookingStore) {
    let first = intent("s");
    store.claim(&first, &holder("a"), at(60), at(0)).await.unwrap();
    let mut second = intent("s");
    second.tracking = "another".into();
    assert_eq!(
        store.claim(&second, &holder("b"), at(120), at(60)).await.unwrap(),
        Claim::Resumed(first.clone())
    );
    assert_eq!(
        store
            .claim(&second, &holder("c"), at(180), at(119))
            .await
            .unwrap(),
        Claim::Busy { until: at(120) }
    );
}

async fn rule_4_booked_session_is_not_claimed_again(store: &dyn BookingStore) {
    booked(store, "s", ID).await;
    let claim = store
        .claim(&intent("s"), &holder("b"), at(1000), at(900))
        .await
        .unwrap();
    assert_eq!(claim, Claim::Booked(Box::new(booking("s", ID))));
}

async fn rule_5_of_many_claims_one_wins(store: Arc<dyn BookingStore>) {
    let barrier = Arc::new(tokio::sync::Barrier::new(8));
    let tasks: Vec<_> = (0..8)
        .map(|n| {
            let (store, barrier) = (Arc::clone(&store), Arc::clone(&barrier));
            tokio::spawn(async move {
                barrier.wait().await;
                store
                    .claim(&intent("s"), &holder(&format!("h{n}")), at(60), at(0))
                    .await
                    .unwrap()
            })
        })
        .collect();
    let mut fresh = 0;
    for task in tasks {
        match task.await.unwrap() {
            Claim::Fresh => fresh += 1,
            other => assert_eq!(other, Claim::Busy { until: at(60) }),
        }
    }
    assert_eq!(fresh, 1);
}

async fn rule_6_only_the_holder_confirms(store: &dyn BookingStore) {
    store
        .claim(&intent("s"), &holder("a"), at(60), at(0))
        .await
        .unwrap();
    store
        .claim(&intent("s"), &holder("b"), at(120), at(60))
        .await
        .unwrap();
    let late = store.confirm(&booking("s", ID), &holder("a")).await;
    assert!(matches!(late, Err(BookingError::Superseded)), "{late:?}");
    assert_eq!(store.by_meeting(MeetingId::new(ID)).await.unwrap(), None);
    store.confirm(&booking("s", ID), &holder("b")).await.unwrap();
    let again = store.confirm(&booking("s", ID), &holder("b")).await;
    assert!(matches!(again, Err(BookingError::Superseded)), "{again:?}");
    let never = store
        .confirm(&booking("never claimed", ID + 1), &holder("b"))
        .await;
    assert!(matches!(never, Err(BookingError::Superseded)), "{never:?}");
}

async fn rule_7_meeting_belongs_to_one_session(store: &dyn BookingStore) {
    booked(store, "s", ID).await;
    store
        .claim(&intent("t"), &holder("b"), at(60), at(0))
        .await
        .unwrap();
    let taken = store.confirm(&booking("t", ID), &holder("b")).await;
    assert!(matches!(taken, Err(BookingError::MeetingTaken)), "{taken:?}");
    assert!(matches!(
        store.by_session(&SessionId::new("t")).await.unwrap(),
        Some(SessionState::Intended(_))
    ));
}

async fn rule_8_only_the_holder_withdraws_and_never_a_booking(store: &dyn BookingStore) {
    store
        .claim(&intent("s"), &holder("a"), at(60), at(0))
        .await
        .unwrap();
    let other = store.withdraw(&SessionId::new("s"), &holder("b")).await;
    assert!(matches!(other, Err(BookingError::Superseded)), "{other:?}");
    store.withdraw(&SessionId::new("s"), &holder("a")).await.unwrap();
    assert_eq!(store.by_session(&SessionId::new("s")).await.unwrap(), None);
    // A new claim is another one: the old holder has no part in it.
    store
        .claim(&intent("s"), &holder("c"), at(60), at(0))
        .await
        .unwrap();
    let old = store.confirm(&booking("s", ID), &holder("a")).await;
    assert!(matches!(old, Err(BookingError::Superseded)), "{old:?}");
    store.confirm(&booking("s", ID), &holder("c")).await.unwrap();
    let booked = store.withdraw(&SessionId::new("s"), &holder("c")).await;
    assert!(matches!(booked, Err(BookingError::Superseded)), "{booked:?}");
    assert!(store.by_meeting(MeetingId::new(ID)).await.unwrap().is_some());
}

async fn rule_9_booking_is_found_by_everything_it_has(store: &dyn BookingStore) {
    booked(store, "s", ID).await;
    booked(store, "t", ID + 1).await;
    let uuid = MeetingUuid::new("/aj//Xp==");
    assert_eq!(store.by_instance(&uuid).await.unwrap(), None);
    store
        .add_instance(MeetingId::new(ID), &BookedInstance::new(uuid.clone(), at(10)))
        .await
        .unwrap();
    let found = store.by_instance(&uuid).await.unwrap().unwrap();
    assert_eq!(
        Some(&found),
        store.by_meeting(MeetingId::new(ID)).await.unwrap().as_ref()
    );
    assert_eq!(
        Some(SessionState::Booked(Box::new(found.clone()))),
        store.by_session(&SessionId::new("s")).await.unwrap()
    );
    assert_eq!(
        (
            found.session.as_str(),
            found.topic.as_str(),
            found.join_url.as_url().query()
        ),
        ("s", "Interview", Some("pwd=abc"))
    );
    assert_eq!(store.by_meeting(MeetingId::new(1)).await.unwrap(), None);
    let sessions = |list: Vec<Booking>| {
        list.into_iter()
            .map(|booking| booking.session.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        sessions(store.list(&OwnerId::new("org-1")).await.unwrap()),
        ["s", "t"]
    );
    assert_eq!(
        sessions(store.list(&OwnerId::new("org-2")).await.unwrap()),
        Vec::<String>::new()
    );
}

async fn rule_10_instance_is_added_once_and_in_order(store: &dyn BookingStore) {
    booked(store, "s", ID).await;
    let instance = |name: &str, second| BookedInstance::new(MeetingUuid::new(name), at(second));
    for (name, second) in [
        ("a, late", 20),
        ("b, early", 10),
        ("a, late", 20),
        ("a, late", 25),
    ] {
        store
            .add_instance(MeetingId::new(ID), &instance(name, second))
            .await
            .unwrap();
    }
    let booking = store.by_meeting(MeetingId::new(ID)).await.unwrap().unwrap();
    assert_eq!(
        booking.instances,
        [instance("b, early", 10), instance("a, late", 20)]
    );
    assert_eq!(
        store
            .add_instance(MeetingId::new(ID + 1), &instance("x", 1))
            .await
            .unwrap(),
        None
    );
}

async fn rule_12_why_is_kept(store: &dyn BookingStore) {
    let resolution = r#"{"at":"2026-11-06T21:20:00Z","account":"organisation","owner":"org-1","connection":"c1",
        "zoom_account":"A1","zoom_user":"U1","reason":"expired","considered":[
        {"account":"user","owner":"maya","connection":"c0","reason":"expired","detail":"invalid_grant","since":"2026-11-05T10:00:00Z"},
        {"account":"organisation","owner":"org-1","connection":"c1","reason":"live"}]}"#;
    let resolution: ResolutionRecord = serde_json::from_str(resolution).unwrap();
    let why = intent("s").with_resolution(resolution.clone());
    let holder = holder("a");
    store.claim(&why, &holder, at(60), at(0)).await.unwrap();
    let state = store.by_session(&SessionId::new("s")).await.unwrap();
    assert_eq!(state, Some(SessionState::Intended(why.clone())));
    let url = "https://zoom.us/j/81234567890".parse().unwrap();
    let booking = Booking::of(&why, MeetingId::new(ID), Link::new(url), at(3600), 45);
    assert_eq!(booking.resolution.as_deref(), Some(&resolution));
    assert_eq!(booking.reason, "expired");
    store.confirm(&booking, &holder).await.unwrap();
    let found = store.by_meeting(MeetingId::new(ID)).await.unwrap();
    assert_eq!(found, Some(booking));
    booked(store, "without", ID + 1).await;
    let without = store.by_meeting(MeetingId::new(ID + 1)).await.unwrap().unwrap();
    assert_eq!(without.resolution, None);
}

macro_rules! contract {
    ($($home:ident: $store:expr;)+) => {$(
        mod $home {
            use super::*;

            contract!(@rules $store;
                rule_1_and_2_one_claim_at_a_time
                rule_3_claim_that_ran_out_is_taken_over_with_its_intent
                rule_4_booked_session_is_not_claimed_again
                rule_6_only_the_holder_confirms
                rule_7_meeting_belongs_to_one_session
                rule_8_only_the_holder_withdraws_and_never_a_booking
                rule_9_booking_is_found_by_everything_it_has
                rule_10_instance_is_added_once_and_in_order
                rule_12_why_is_kept
            );

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn rule_5_of_many_claims_one_wins() {
                super::rule_5_of_many_claims_one_wins(Arc::new($store.await)).await;
            }
        }
    )+};
    (@rules $store:expr; $($rule:ident)+) => {$(
        #[tokio::test]
        async fn $rule() {
            let store = $store.await;
            super::$rule(&store).await;
        }
    )+};
}

contract! {
    memory: async { MemoryBookingStore::new() };
    shared: async { Arc::new(MemoryBookingStore::new()) as Arc<dyn BookingStore> };
}

#[cfg(feature = "sqlite")]
contract! {
    sqlite: async { SqliteBookingStore::connect("sqlite::memory:").await.unwrap() };
}

#[cfg(feature = "sqlite")]
mod sqlite_file {
    use super::*;

    fn url(folder: &tempfile::TempDir) -> String {
        format!("sqlite://{}", folder.path().join("b.db").display())
    }

    #[tokio::test]
    async fn bookings_and_intents_are_there_in_the_next_process() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteBookingStore::connect(&url(&folder)).await.unwrap();
        booked(&store, "s", ID).await;
        store
            .claim(&intent("t"), &holder("a"), at(60), at(0))
            .await
            .unwrap();
        drop(store);
        let store = SqliteBookingStore::connect(&url(&folder)).await.unwrap();
        assert_eq!(
            store.by_meeting(MeetingId::new(ID)).await.unwrap(),
            Some(booking("s", ID))
        );
        assert_eq!(
            store
                .claim(&intent("t"), &holder("b"), at(120), at(60))
                .await
                .unwrap(),
            Claim::Resumed(intent("t"))
        );
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn several_may_open_a_new_file_at_once_and_one_claim_wins() {
        let folder = tempfile::tempdir().unwrap();
        let url = url(&folder);
        let opened: Vec<_> = (0..4)
            .map(|_| {
                let url = url.clone();
                tokio::spawn(async move { SqliteBookingStore::connect(&url).await.unwrap() })
            })
            .collect();
        let mut stores = Vec::new();
        for store in opened {
            stores.push(store.await.unwrap());
        }
        let tasks: Vec<_> = stores
            .into_iter()
            .enumerate()
            .map(|(n, store)| {
                tokio::spawn(async move {
                    store
                        .claim(&intent("s"), &holder(&format!("h{n}")), at(60), at(0))
                        .await
                        .unwrap()
                })
            })
            .collect();
        let mut fresh = 0;
        for task in tasks {
            fresh += usize::from(task.await.unwrap() == Claim::Fresh);
        }
        assert_eq!(fresh, 1);
    }

    #[tokio::test]
    async fn record_that_cannot_be_read_is_an_error_and_not_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteBookingStore::connect(&url(&folder)).await.unwrap();
        booked(&store, "s", ID).await;
        let pool = sqlx::SqlitePool::connect(&url(&folder)).await.unwrap();
        sqlx::query("UPDATE meetings_bookings SET body = '{}'")
            .execute(&pool)
            .await
            .unwrap();
        let broken = store.by_meeting(MeetingId::new(ID)).await;
        assert!(matches!(broken, Err(BookingError::Corrupt(_))), "{broken:?}");
    }

    #[tokio::test]
    async fn booking_of_an_older_version_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteBookingStore::connect(&url(&folder)).await.unwrap();
        booked(&store, "s", ID).await;
        let pool = sqlx::SqlitePool::connect(&url(&folder)).await.unwrap();
        let older = r#"{"session":"s","owner":"org-1","meeting_id":81234567890,"join_url":"https://zoom.us/j/81234567890?pwd=abc","topic":"Interview","start":"2026-11-06T22:20:00Z","time_zone":"UTC","duration_minutes":45,"account":{"kind":"own","connection":"c1","account":"A1","user":"U1"},"reason":"connected","host_email":null,"tracking":"track-s","booked_at":"2026-11-06T21:20:00Z","instances":[]}"#;
        sqlx::query("UPDATE meetings_bookings SET body = ?")
            .bind(older)
            .execute(&pool)
            .await
            .unwrap();
        let read = store.by_meeting(MeetingId::new(ID)).await.unwrap();
        assert_eq!(read, Some(booking("s", ID)));
    }

    #[tokio::test]
    async fn stored_booking_keeps_its_form() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteBookingStore::connect(&url(&folder)).await.unwrap();
        booked(&store, "s", ID).await;
        let pool = sqlx::SqlitePool::connect(&url(&folder)).await.unwrap();
        let (body,): (String,) = sqlx::query_as("SELECT body FROM meetings_bookings")
            .fetch_one(&pool)
            .await
            .unwrap();
        assert_eq!(
            body,
            r#"{"session":"s","owner":"org-1","meeting_id":81234567890,"join_url":"https://zoom.us/j/81234567890?pwd=abc","topic":"Interview","start":"2026-11-06T22:20:00Z","time_zone":"UTC","duration_minutes":45,"account":{"kind":"own","connection":"c1","account":"A1","user":"U1"},"reason":"connected","host_email":null,"tracking":"track-s","booked_at":"2026-11-06T21:20:00Z","instances":[]}"#
        );
    }
}
