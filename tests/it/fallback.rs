//! Whose account a meeting is made on.

use jiff::ToSpan as _;
use zoom_meetings::{BookedAccount, Booking, ScheduleRequest, SessionId};
use zoom_simulator::Fault;

use crate::world::{World, rep};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_connection_falls_back_to_the_system_account_and_says_why() {
    let world = World::start().await;
    world.connect(&rep()).await;
    // The access token runs out, and Zoom refuses another.
    world.advance(120);
    world.zoom.simulator().fail_next(Fault::InvalidGrant);
    the_system_stands_in_because_the_own_account_expired(&world, "before").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_dies_while_scheduling_falls_back_too() {
    let world = World::start().await;
    world.connect(&rep()).await;
    // Here the token looks good; Zoom says no in the middle of it.
    world.zoom.simulator().expire_access_tokens();
    world.zoom.simulator().fail_next(Fault::InvalidGrant);
    the_system_stands_in_because_the_own_account_expired(&world, "meanwhile").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn zoom_being_down_does_not_move_a_meeting_to_another_account() {
    let world = World::start().await;
    world.connect(&rep()).await;
    world.advance(120);
    for _ in 0..3 {
        world.zoom.simulator().fail_next(Fault::TokenHttp500);
    }
    let booking = schedule(&world, "down").await;
    assert!(
        matches!(booking.account, BookedAccount::Own { .. }),
        "{:?}",
        booking.account
    );
    assert_eq!(booking.reason, "live");
}

async fn the_system_stands_in_because_the_own_account_expired(world: &World, session: &str) {
    let booking = schedule(world, session).await;
    assert!(
        matches!(booking.account, BookedAccount::System { .. }),
        "{:?}",
        booking.account
    );
    assert_eq!(booking.reason, "expired");
    let store = world.backend.scheduler.store();
    let kept = store.by_meeting(booking.meeting_id).await.unwrap().unwrap();
    assert_eq!(
        (kept.account, kept.reason.as_str()),
        (booking.account, "expired"),
        "the reason is kept"
    );
    assert_eq!(
        world.connection_rows().await[0].0,
        "expired",
        "the rep is shown the way to connect again"
    );
}

async fn schedule(world: &World, session: &str) -> Booking {
    let start = (world.now() + 1.hour()).to_zoned(jiff::tz::TimeZone::UTC);
    let request = ScheduleRequest::new(SessionId::new(session), "Interview", start, 45);
    world.backend.scheduler.schedule(&rep(), &request).await.unwrap()
}
