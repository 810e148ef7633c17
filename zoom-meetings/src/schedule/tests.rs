use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Zoned;

use super::*;
use crate::booking::MemoryBookingStore;

mod broken_store;
mod fake_zoom;

use broken_store::{Break, BrokenStore};
use fake_zoom::{CANARY, FakeZoom};

const NOON: i64 = 1_795_000_000;

/// Time that stands still until it is moved.
#[derive(Clone, Default)]
struct Time(Arc<AtomicI64>);

impl Time {
    fn clock(&self) -> Clock {
        let time = self.clone();
        Clock::new(move || Timestamp::from_second(NOON + time.0.load(Ordering::SeqCst)).unwrap())
    }

    fn pass(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

fn owner() -> OwnerId {
    OwnerId::new("org-1")
}

fn start() -> Zoned {
    "2026-12-01T15:00[Europe/Berlin]".parse().unwrap()
}

fn request() -> ScheduleRequest {
    ScheduleRequest::new(SessionId::new("interview-1"), "Interview", start(), 45)
}

fn scheduler(zoom: &FakeZoom, store: Arc<dyn BookingStore>, time: &Time) -> Scheduler {
    Scheduler::new(zoom.resolver.clone(), store).with_clock(time.clock())
}

fn memory() -> Arc<dyn BookingStore> {
    Arc::new(MemoryBookingStore::new())
}

#[tokio::test]
async fn meeting_is_made_on_the_owners_own_account() {
    let (zoom, store, time) = (FakeZoom::start().await, memory(), Time::default());
    zoom.connect(&owner()).await;
    let scheduler = scheduler(&zoom, store.clone(), &time);
    let booking = scheduler.schedule(&owner(), &request()).await.unwrap();
    let BookedAccount::Own { account, user, .. } = &booking.account else {
        panic!("{booking:?}")
    };
    assert_eq!(
        (account.as_str(), user.as_str(), booking.reason.as_str()),
        ("A1", "U1", "live")
    );
    assert_eq!(
        (booking.start, booking.time_zone.as_str()),
        (start().timestamp(), "Europe/Berlin")
    );
    assert_eq!(
        booking.join_url.as_str(),
        "https://us02web.zoom.us/j/85000000000?pwd=abc.1"
    );
    let body = &zoom.creations()[0];
    assert_eq!(
        (body["start_time"].as_str(), body["timezone"].as_str()),
        (Some("2026-12-01T15:00:00"), Some("Europe/Berlin"))
    );
    assert_eq!(
        store.by_meeting(booking.meeting_id).await.unwrap(),
        Some(booking.clone())
    );
    let stored = serde_json::to_string(&booking).unwrap() + &format!("{booking:?}");
    assert!(
        !stored.contains(CANARY),
        "neither the start link nor a token is kept"
    );
}

#[tokio::test]
async fn owner_without_a_connection_gets_the_system_account_and_the_reason() {
    let (zoom, time) = (FakeZoom::start().await, Time::default());
    let booking = scheduler(&zoom, memory(), &time)
        .schedule(&owner(), &request())
        .await
        .unwrap();
    assert_eq!(
        booking.account,
        BookedAccount::System {
            user: UserId::new("pool@system.example")
        }
    );
    assert_eq!(booking.reason, "not_connected");
}

#[tokio::test]
async fn connection_that_dies_at_the_call_gives_way_to_the_system_account() {
    let (zoom, time) = (FakeZoom::start().await, Time::default());
    zoom.connect(&owner()).await;
    zoom.kill_own_tokens();
    let booking = scheduler(&zoom, memory(), &time)
        .schedule(&owner(), &request())
        .await
        .unwrap();
    assert_eq!(
        (booking.account.as_str(), booking.reason.as_str()),
        ("system", "expired")
    );
    assert_eq!(zoom.meetings().len(), 1);
}

#[tokio::test]
async fn organisation_s_account_stands_in_for_the_user_s() {
    let (zoom, store, time) = (FakeZoom::start().await, memory(), Time::default());
    zoom.connect(&owner()).await;
    let maya = OwnerId::new("maya");
    let candidates = Candidates::from(&maya).organisation(owner());
    let scheduler = scheduler(&zoom, store, &time);
    let booking = scheduler
        .schedule_for(&maya, &candidates, &request())
        .await
        .unwrap();
    assert_eq!(
        (booking.account.as_str(), booking.account.user().as_str()),
        ("organisation", "U1")
    );
    assert_eq!(
        (&booking.owner, booking.reason.as_str()),
        (&maya, "not_connected")
    );
    let again = scheduler.schedule_for(&maya, &candidates, &request()).await;
    assert_eq!(again.unwrap(), booking);
}

#[tokio::test]
async fn why_is_answered_after_everything_has_changed() {
    let (zoom, store, time) = (FakeZoom::start().await, memory(), Time::default());
    let scheduler = scheduler(&zoom, store, &time);
    let session = SessionId::new("interview-1");
    assert_eq!(scheduler.why(&session).await.unwrap(), None);
    zoom.connect(&owner()).await;
    zoom.kill_own_tokens();
    scheduler.schedule(&owner(), &request()).await.unwrap();
    zoom.revive_own_tokens();
    zoom.connect(&owner()).await;
    let why = scheduler.why(&session).await.unwrap().unwrap();
    assert_eq!((why.account.as_str(), why.at), ("system", time.clock().now()));
    let told = why.explain();
    assert!(
        told.starts_with("made under the system account because org-1's connection expired on ")
            && told.ends_with(" (Zoom no longer accepts this connection)"),
        "{told}"
    );
}

#[tokio::test]
async fn attempt_that_is_taken_over_keeps_the_reason_of_its_beginning() {
    let (zoom, store, time) = (FakeZoom::start().await, memory(), Time::default());
    let scheduler = scheduler(&zoom, store, &time);
    zoom.fail_next_creation(502, true);
    let broken = scheduler.schedule(&owner(), &request()).await;
    let begun = scheduler
        .why(&SessionId::new("interview-1"))
        .await
        .unwrap()
        .unwrap();
    time.pass(600);
    let booking = match broken {
        Ok(booking) => booking,
        Err(_) => scheduler.schedule(&owner(), &request()).await.unwrap(),
    };
    assert_eq!(booking.resolution.as_deref(), Some(&begun));
}

#[tokio::test]
async fn no_account_at_all_is_told_and_leaves_nothing_behind() {
    let (zoom, store, time) = (FakeZoom::start().await, memory(), Time::default());
    let resolver = Resolver::new(zoom.connections.clone());
    let error = Scheduler::new(resolver, store.clone())
        .with_clock(time.clock())
        .schedule(&owner(), &request())
        .await
        .unwrap_err();
    assert!(matches!(error, ScheduleError::Account(_)), "{error:?}");
    assert_eq!(
        store.by_session(&SessionId::new("interview-1")).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn booking_outlives_its_connection() {
    let (zoom, store, time) = (FakeZoom::start().await, memory(), Time::default());
    zoom.connect(&owner()).await;
    let scheduler = scheduler(&zoom, store.clone(), &time);
    let booking = scheduler.schedule(&owner(), &request()).await.unwrap();
    zoom.connections.disconnect(&owner()).await.unwrap();
    assert_eq!(
        store.by_meeting(booking.meeting_id).await.unwrap(),
        Some(booking.clone())
    );
    // Asked again, with no account left at all, it is the same meeting.
    let without = Scheduler::new(Resolver::new(zoom.connections.clone()), store).with_clock(time.clock());
    assert_eq!(without.schedule(&owner(), &request()).await.unwrap(), booking);
}

#[tokio::test]
async fn kill_at_any_point_leaves_one_meeting() {
    for at in [
        Break::BeforeClaim,
        Break::AfterClaim,
        Break::BeforeConfirm,
        Break::AfterConfirm,
    ] {
        let (zoom, store, time) = (FakeZoom::start().await, BrokenStore::new(at), Time::default());
        zoom.connect(&owner()).await;
        let killed = scheduler(&zoom, store.clone(), &time)
            .schedule(&owner(), &request())
            .await
            .unwrap_err();
        assert!(
            matches!(killed, ScheduleError::Store(_)) && killed.is_retryable(),
            "{at:?}: {killed:?}"
        );
        // The next process. Until the claim has run out nobody knows that the first is dead.
        let next = scheduler(&zoom, store, &time);
        if matches!(at, Break::AfterClaim | Break::BeforeConfirm) {
            let busy = next.schedule(&owner(), &request()).await.unwrap_err();
            assert!(matches!(busy, ScheduleError::Busy { .. }), "{at:?}: {busy:?}");
            time.pass(120);
        }
        let booking = next.schedule(&owner(), &request()).await.unwrap();
        let meetings = zoom.meetings();
        assert_eq!(meetings.len(), 1, "{at:?}");
        assert_eq!(meetings[0]["id"], booking.meeting_id.get());
        assert_eq!(zoom.creations().len(), 1, "{at:?}");
    }
}

#[tokio::test]
async fn long_agenda_does_not_hide_the_mark() {
    let (zoom, store, time) = (
        FakeZoom::start().await,
        BrokenStore::new(Break::BeforeConfirm),
        Time::default(),
    );
    let scheduler = scheduler(&zoom, store, &time);
    let request = request().agenda("All about the job. ".repeat(50));
    scheduler.schedule(&owner(), &request).await.unwrap_err();
    time.pass(120);
    scheduler.schedule(&owner(), &request).await.unwrap();
    assert_eq!(zoom.meetings().len(), 1);
}

#[tokio::test]
async fn meeting_whose_answer_was_lost_is_found() {
    let (zoom, time) = (FakeZoom::start().await, Time::default());
    zoom.fail_next_creation(502, true);
    let booking = scheduler(&zoom, memory(), &time)
        .schedule(&owner(), &request())
        .await
        .unwrap();
    assert_eq!((zoom.meetings().len(), zoom.creations().len()), (1, 1));
    assert_eq!(booking.meeting_id.get(), 85_000_000_000);
}

#[tokio::test]
async fn lost_request_keeps_the_session_until_it_is_certain_and_then_makes_one() {
    let (zoom, time) = (FakeZoom::start().await, Time::default());
    let scheduler = scheduler(&zoom, memory(), &time);
    zoom.fail_next_creation(502, false);
    let error = scheduler.schedule(&owner(), &request()).await.unwrap_err();
    assert!(
        matches!(&error, ScheduleError::Zoom(error) if error.is_outcome_unknown()) && error.is_retryable(),
        "{error:?}"
    );
    assert!(matches!(
        scheduler.schedule(&owner(), &request()).await,
        Err(ScheduleError::Busy { .. })
    ));
    time.pass(120);
    scheduler.schedule(&owner(), &request()).await.unwrap();
    assert_eq!(zoom.meetings().len(), 1);
    let marks: Vec<_> = zoom
        .creations()
        .iter()
        .map(|body| body["agenda"].clone())
        .collect();
    assert_eq!(
        marks[0], marks[1],
        "the same mark: whichever of the two had been made would be found"
    );
}

#[tokio::test]
async fn refusal_gives_the_session_back() {
    let (zoom, store, time) = (FakeZoom::start().await, memory(), Time::default());
    let scheduler = scheduler(&zoom, store.clone(), &time);
    zoom.fail_next_creation(400, false);
    let error = scheduler.schedule(&owner(), &request()).await.unwrap_err();
    assert!(
        matches!(error, ScheduleError::Zoom(_)) && !error.is_retryable(),
        "{error:?}"
    );
    assert_eq!(
        store.by_session(&SessionId::new("interview-1")).await.unwrap(),
        None
    );
    scheduler.schedule(&owner(), &request()).await.unwrap();
}

#[tokio::test]
async fn asking_again_is_the_same_meeting_even_after_it_began() {
    let (zoom, time) = (FakeZoom::start().await, Time::default());
    let scheduler = scheduler(&zoom, memory(), &time);
    let first = scheduler.schedule(&owner(), &request()).await.unwrap();
    time.pass(365 * 24 * 3600);
    assert_eq!(scheduler.schedule(&owner(), &request()).await.unwrap(), first);
    assert_eq!(zoom.creations().len(), 1);
}

#[tokio::test]
async fn session_with_another_meeting_is_an_error_with_that_meeting() {
    let (zoom, time) = (FakeZoom::start().await, Time::default());
    let scheduler = scheduler(&zoom, memory(), &time);
    let first = scheduler.schedule(&owner(), &request()).await.unwrap();
    let longer = ScheduleRequest::new(SessionId::new("interview-1"), "Interview", start(), 60);
    let later = ScheduleRequest::new(
        SessionId::new("interview-1"),
        "Interview",
        start() + SignedDuration::from_mins(15),
        45,
    );
    for (owner, request) in [
        (owner(), longer),
        (owner(), later),
        (OwnerId::new("org-2"), request()),
    ] {
        let error = scheduler.schedule(&owner, &request).await.unwrap_err();
        assert!(
            matches!(&error, ScheduleError::SessionBooked(booking) if **booking == first),
            "{error:?}"
        );
    }
    assert_eq!(zoom.creations().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_make_one_meeting() {
    let (zoom, store, time) = (FakeZoom::start().await, memory(), Time::default());
    zoom.connect(&owner()).await;
    let barrier = Arc::new(tokio::sync::Barrier::new(8));
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (scheduler, barrier) = (scheduler(&zoom, store.clone(), &time), Arc::clone(&barrier));
            tokio::spawn(async move {
                barrier.wait().await;
                scheduler.schedule(&owner(), &request()).await
            })
        })
        .collect();
    let mut booked = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => booked += 1,
            Err(error) => assert!(matches!(error, ScheduleError::Busy { .. }), "{error:?}"),
        }
    }
    assert!(booked >= 1);
    assert_eq!(zoom.creations().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_made_is_refused_before_any_call() {
    let (zoom, store, time) = (FakeZoom::start().await, memory(), Time::default());
    let scheduler = scheduler(&zoom, store.clone(), &time);
    let past: Zoned = "2026-11-01T15:00[Europe/Berlin]".parse().unwrap();
    let with = |topic: &str, start: &Zoned, minutes| {
        ScheduleRequest::new(SessionId::new("interview-1"), topic, start.clone(), minutes)
    };
    for request in [
        with(&"x".repeat(201), &start(), 45),
        with("x", &start(), 0),
        with("x", &start(), 1441),
        with("x", &past, 45),
    ] {
        assert!(scheduler.schedule(&owner(), &request).await.is_err());
    }
    assert_eq!(zoom.server.received_requests().await.unwrap().len(), 0);
    assert_eq!(
        store.by_session(&SessionId::new("interview-1")).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn second_meeting_of_a_slow_process_is_deleted() {
    let kept = MeetingId::new(81_234_567_890);
    let (zoom, store, time) = (
        FakeZoom::start().await,
        BrokenStore::new(Break::Overtaken(kept)),
        Time::default(),
    );
    let booking = scheduler(&zoom, store, &time)
        .schedule(&owner(), &request())
        .await
        .unwrap();
    assert_eq!(booking.meeting_id, kept);
    assert_eq!((zoom.creations().len(), zoom.meetings().len()), (1, 0));
}

#[tokio::test]
async fn meeting_that_the_other_found_first_is_kept() {
    let found = MeetingId::new(85_000_000_000);
    let (zoom, store, time) = (
        FakeZoom::start().await,
        BrokenStore::new(Break::Overtaken(found)),
        Time::default(),
    );
    let booking = scheduler(&zoom, store, &time)
        .schedule(&owner(), &request())
        .await
        .unwrap();
    assert_eq!(booking.meeting_id, found);
    assert_eq!(zoom.meetings().len(), 1);
}

#[tokio::test]
async fn attempt_on_an_account_that_is_gone_is_not_guessed_at() {
    let (zoom, store, time) = (
        FakeZoom::start().await,
        BrokenStore::new(Break::BeforeConfirm),
        Time::default(),
    );
    zoom.connect(&owner()).await;
    let scheduler = scheduler(&zoom, store, &time);
    scheduler.schedule(&owner(), &request()).await.unwrap_err();
    zoom.connections.disconnect(&owner()).await.unwrap();
    time.pass(120);
    let error = scheduler.schedule(&owner(), &request()).await.unwrap_err();
    let ScheduleError::Unverifiable { account } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(account.user().as_str(), "U1");
    // Connected again, the meeting is found.
    zoom.revive_own_tokens();
    zoom.connect(&owner()).await;
    time.pass(120);
    let booking = scheduler.schedule(&owner(), &request()).await.unwrap();
    assert_eq!((booking.account.as_str(), zoom.meetings().len()), ("own", 1));
}

#[tokio::test]
async fn attempt_that_was_given_up_makes_room_for_another_account() {
    let (zoom, store, time) = (
        FakeZoom::start().await,
        BrokenStore::new(Break::BeforeConfirm),
        Time::default(),
    );
    zoom.connect(&owner()).await;
    let scheduler = scheduler(&zoom, store, &time);
    let session = SessionId::new("interview-1");
    assert!(
        !scheduler.give_up(&session).await.unwrap(),
        "there is nothing to give up"
    );
    scheduler.schedule(&owner(), &request()).await.unwrap_err();
    zoom.connections.disconnect(&owner()).await.unwrap();
    assert!(matches!(
        scheduler.give_up(&session).await,
        Err(ScheduleError::Busy { .. })
    ));
    time.pass(120);
    assert!(scheduler.give_up(&session).await.unwrap());
    assert_eq!(
        scheduler
            .schedule(&owner(), &request())
            .await
            .unwrap()
            .account
            .as_str(),
        "system"
    );
    assert!(!scheduler.give_up(&session).await.unwrap(), "a booking stays");
}

#[tokio::test]
async fn started_meeting_leads_back_to_its_session() {
    let (zoom, store, time) = (FakeZoom::start().await, memory(), Time::default());
    let scheduler = scheduler(&zoom, store.clone(), &time);
    let booking = scheduler.schedule(&owner(), &request()).await.unwrap();
    let (first, second) = (MeetingUuid::new("first=="), MeetingUuid::new("/second//=="));
    let at = start().timestamp();
    // Late, and delivered twice.
    for (uuid, minute) in [(&second, 20), (&first, 0), (&second, 20)] {
        let started = at + SignedDuration::from_mins(minute);
        let found = scheduler
            .meeting_started(booking.meeting_id, uuid, started)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(found.session.as_str(), "interview-1");
    }
    let found = store.by_instance(&second).await.unwrap().unwrap();
    assert_eq!(
        found
            .instances
            .iter()
            .map(|instance| instance.uuid.clone())
            .collect::<Vec<_>>(),
        [first, second.clone()]
    );
    assert_eq!(
        scheduler
            .meeting_started(MeetingId::new(1), &second, at)
            .await
            .unwrap(),
        None
    );
}
