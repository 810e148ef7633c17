//! Processes that refresh are killed with SIGKILL: at every point of the way, and whenever it happens to be. After each
//! the connection lives, or it has expired and says why.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use token_store::Status;
use tokio::runtime::Handle;
use zoom_oauth::{Connection, InterruptedOutcome};
use zoom_simulator::{Fault, Rotation};

use crate::{
    children::{Orders, Place, Process},
    stage::{Stage, owner},
};

/// As many reps as kills in a round, so that each kill has a connection of its own.
const REPS: usize = 50;
/// The point before the intent is saved.
const INTENT: usize = 12;
/// More than what is left of an intent and a lease.
const UNTIL_THE_LEASE_IS_OVER: Duration = Duration::from_secs(121);

/// Where the killed process is.
#[derive(Clone, Copy, Debug)]
enum Kill {
    /// At a point of the way.
    At(usize),
    /// While Zoom has the request and has done nothing about it.
    AtZoom,
    /// While Zoom has spent the old token and the answer is on its way.
    BeforeTheAnswer,
    /// Some moment after it has passed a point.
    After(usize),
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_kills_leave_every_connection_alive_or_expired_with_the_reason() {
    matrix(Rotation::Strict, 1000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_zoom_tolerates_an_old_token_no_kill_costs_a_connection() {
    matrix(Rotation::Tolerance(3), 100).await;
}

/// So many processes are killed; after each round every connection is looked at.
async fn matrix(rotation: Rotation, kills: usize) {
    let stage = Stage::open(REPS + 1, |config| config.rotation = rotation).await;
    let connections = stage.place().connections().await;
    for rep in 0..=REPS {
        stage.connect(&connections, rep).await;
    }
    drop(connections);
    stage.pass_an_hour();
    let points = walk(stage.place()).await;
    let expected = [
        "load",
        "opening",
        "acquire",
        "load",
        "opening",
        "sealing",
        "saving the intent",
        "sealing",
        "saving the tokens",
        "release",
    ];
    let expected = expected.map(|what| [format!("before {what}"), format!("after {what}")]);
    assert_eq!(points, expected.concat(), "the way of a refresh has changed");
    assert_eq!(points[INTENT], "before saving the intent");
    let mut tally = Tally::default();
    for round in 0.. {
        let before = stage.tokens_made();
        tally.killed += kill_all(&stage, &plan(points.len(), round)).await;
        check(&stage, rotation, &before, &mut tally).await;
        if tally.killed >= kills {
            break;
        }
        stage.pass_an_hour();
    }
    // Otherwise nothing would be proven.
    assert!(
        tally.untouched > 0 && tally.saved > 0 && tally.lost > 0,
        "{tally:?}"
    );
}

#[derive(Debug, Default)]
struct Tally {
    killed: usize,
    /// Zoom never spent the token.
    untouched: usize,
    /// It did, and what it gave was saved.
    saved: usize,
    /// It did, and what it gave went down with the process.
    lost: usize,
}

/// After a restart, when what the killed left behind is over: everything that Zoom's rules allow to live does.
async fn check(stage: &Stage, rotation: Rotation, before: &HashMap<String, u64>, tally: &mut Tally) {
    let killed_at = stage.zoom.clock().now();
    let killed = stage.tokens_made();
    stage.pass(UNTIL_THE_LEASE_IS_OVER);
    let connections = stage.place().connections().await;
    let found = connections.list().await.unwrap();
    let settled = connections.settle_interrupted().await.unwrap();
    assert!(
        settled.iter().all(|one| one.outcome != InterruptedOutcome::Open),
        "{settled:#?}"
    );
    let after = stage.tokens_made();
    for connection in found.iter().filter(|connection| connection.owner != owner(REPS)) {
        let user = connection.user_id.as_str();
        let spent = killed[user] - before[user];
        let saved = connection.refreshed_at == Some(killed_at);
        assert!(spent <= 1, "{connection:?}");
        let lost = spent == 1 && !saved;
        *if lost {
            &mut tally.lost
        } else if saved {
            &mut tally.saved
        } else {
            &mut tally.untouched
        } += 1;
        let lives = !lost || rotation != Rotation::Strict;
        let client = connections.client_for(&connection.owner).await;
        let answers = match client {
            Ok(client) => client.users().me().await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let now = connections.connection(&connection.owner).await.unwrap().unwrap();
        let shown = format!(
            "{connection:?} became {now:?} and says {:?}",
            answers.as_ref().err()
        );
        assert_eq!(answers.is_ok(), lives, "{shown}");
        let expected = if lives {
            (Status::Active, None)
        } else {
            (Status::Expired, Some("refresh_interrupted"))
        };
        assert_eq!((now.status.clone(), now.reason.as_deref()), expected, "{shown}");
        if lives {
            let more = stage.tokens_made()[user] - killed[user];
            assert_eq!(
                more,
                u64::from(!saved),
                "one exchange where one was needed: {shown}"
            );
        } else {
            assert_eq!(after[user], killed[user], "{shown}");
            stage.connect(&connections, rep_of(connection)).await;
        }
    }
    // What was held at Zoom is of processes that are gone.
    stage.zoom.release();
}

/// The points of a refresh that nobody disturbs.
async fn walk(place: Place) -> Vec<String> {
    let orders = refresh(place, REPS, None);
    let walk = move || {
        let mut process = Process::start(&orders);
        let said: Vec<_> = std::iter::from_fn(|| process.says()).collect();
        assert_eq!(said.first().map(String::as_str), Some("go"), "{said:?}");
        assert_eq!(said.last().map(String::as_str), Some("done"), "{said:?}");
        said[1..said.len() - 1].to_vec()
    };
    tokio::task::spawn_blocking(walk).await.unwrap()
}

/// Every point once, both places at Zoom twice, and the rest at random.
fn plan(points: usize, round: u64) -> Vec<Kill> {
    let mut kills: Vec<_> = (0..points).map(Kill::At).collect();
    kills.extend([
        Kill::AtZoom,
        Kill::BeforeTheAnswer,
        Kill::AtZoom,
        Kill::BeforeTheAnswer,
    ]);
    let mut random = round.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    while kills.len() < REPS {
        // xorshift
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        // From where the note is written: what comes before, Zoom never hears of.
        kills.push(Kill::After(INTENT + (random % (points - INTENT) as u64) as usize));
    }
    kills
}

/// One process for each rep; returns how many did not get to their end.
async fn kill_all(stage: &Stage, kills: &[Kill]) -> usize {
    let (place, zoom, kills) = (stage.place(), stage.zoom.clone(), kills.to_vec());
    let runtime = Handle::current();
    let all = move || {
        let (next, killed) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    loop {
                        let rep = next.fetch_add(1, Ordering::SeqCst);
                        let Some(kill) = kills.get(rep) else { break };
                        let orders = |stop_at| refresh(place.clone(), rep, stop_at);
                        let in_time = match kill {
                            Kill::At(point) => kill_at(*point, &orders(Some(*point))),
                            Kill::After(point) => kill_at(*point, &orders(None)),
                            Kill::AtZoom | Kill::BeforeTheAnswer => continue,
                        };
                        assert!(in_time || matches!(kill, Kill::After(_)), "{kill:?}");
                        killed.fetch_add(usize::from(in_time), Ordering::SeqCst);
                    }
                });
            }
        });
        // What is held at Zoom is whoever comes next, so nobody else may come.
        for (rep, kill) in kills.iter().enumerate() {
            let (fault, what) = match kill {
                Kill::AtZoom => (Fault::HoldRequest, "token.refresh_token"),
                Kill::BeforeTheAnswer => (Fault::HoldAnswer, "token.refresh_token.granted"),
                Kill::At(_) | Kill::After(_) => continue,
            };
            let counted = zoom.count(what);
            zoom.fail_next(fault);
            let process = Process::start(&refresh(place.clone(), rep, None));
            runtime.block_on(zoom.until_count(what, counted + 1));
            process.kill();
            killed.fetch_add(1, Ordering::SeqCst);
        }
        killed.into_inner()
    };
    tokio::task::spawn_blocking(all).await.unwrap()
}

/// Kills a process when it has passed so many points; whether that was in time.
fn kill_at(point: usize, orders: &Orders) -> bool {
    let mut process = Process::start(orders);
    // One more for the start, and one more to be behind the point.
    for _ in 0..point + 2 {
        process.says().unwrap();
    }
    if matches!(orders, Orders::Refresh { stop_at: Some(_), .. }) {
        assert_eq!(process.says().unwrap(), "stands");
    }
    let rest = process.kill();
    rest.last().is_none_or(|said| said != "done")
}

fn refresh(place: Place, rep: usize, stop_at: Option<usize>) -> Orders {
    let owner = owner(rep).to_string();
    Orders::Refresh {
        place,
        owner,
        stop_at,
    }
}

fn rep_of(connection: &Connection) -> usize {
    let number = connection.owner.as_str().strip_prefix("rep-").unwrap();
    number.parse().unwrap()
}
