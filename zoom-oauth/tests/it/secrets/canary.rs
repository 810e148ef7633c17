//! The way of the marked secrets, and the search. In a process of its own, as there is one log to a process.

use std::{env, process::Command, time::Duration};

use token_store::{Holder, LockKey, RefreshLock as _};
use zoom_oauth::ErrorKind;

use super::{
    capture::{captured, install},
    failures, flows,
    needles::{Needles, contains},
    panics,
    stage::{MARK, Stage},
};

const KIND: &str = "ZOOM_OAUTH_TEST_CANARY";

#[test]
fn a_marked_secret_comes_out_nowhere_with_sqlite() {
    send("sqlite");
}

#[test]
fn a_marked_secret_comes_out_nowhere_with_postgres() {
    send("postgres");
}

fn send(kind: &str) {
    let canary = Command::new(env::current_exe().unwrap())
        .args(["--exact", "secrets::canary::the_canary_flies", "--test-threads=1"])
        .arg("--nocapture")
        .env(KIND, kind)
        .output()
        .unwrap();
    let said = [canary.stdout, canary.stderr].concat();
    let text = String::from_utf8_lossy(&said);
    assert!(canary.status.success(), "{text}");
    assert!(text.contains("1 passed"), "{text}");
    assert!(!Needles::of(MARK).are_in(&said), "printed: {text}");
}

/// The other side: does nothing unless it is sent.
#[test]
fn the_canary_flies() {
    let Ok(kind) = env::var(KIND) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(fly(&kind));
}

async fn fly(kind: &str) {
    install();
    tracing::trace!("if this is not caught, nothing is: {MARK}");
    let caught = std::mem::take(&mut captured().lines);
    assert_eq!(caught.len(), 1);
    assert!(Needles::of(MARK).are_in(&caught[0]), "the capture works");

    let stage = Stage::open(kind).await;
    flows::all(&stage).await;
    failures::all(&stage).await;
    panics::all(&stage).await;
    flows::waiting(&stage).await;
    flows::records(&stage).await;
    search(&stage).await;
}

async fn search(stage: &Stage) {
    // A lease, so that there is something in Redis.
    let (key, holder) = (LockKey::new("the key of a lease"), Holder::random().unwrap());
    let lease = Duration::from_secs(60);
    stage
        .lock
        .try_acquire(&key, &holder, lease)
        .await
        .unwrap()
        .unwrap();
    let redis = stage.databases.redis_dump().await;
    assert!(contains(&redis, b"the key of a lease"), "all of Redis was read");
    let database = stage.databases.dump().await;
    assert!(
        contains(&database, b"maya.chen@brightwave.example"),
        "all of the database was read"
    );
    stage.databases.lose_redis(&stage.lock, &stage.shown).await;

    let seen = std::mem::take(&mut *stage.shown.seen());
    let missing: Vec<_> = ErrorKind::ALL
        .iter()
        .filter(|kind| !seen.kinds.contains(kind))
        .collect();
    assert!(missing.is_empty(), "no way was found to fail with {missing:?}");
    assert!(
        seen.texts.len() > 500,
        "{} texts were looked at",
        seen.texts.len()
    );
    assert!(
        seen.secrets.len() > 20,
        "{} secrets were made",
        seen.secrets.len()
    );
    let captured = std::mem::take(&mut *captured());
    for wanted in ["zoom_oauth", "zoom_core", "token_store", "sqlx", "hyper", "log"] {
        let logs = captured.targets.iter().any(|target| target.starts_with(wanted));
        assert!(logs, "{wanted} is silent; these log: {:?}", captured.targets);
    }
    assert!(captured.lines.len() > 1000, "{} lines", captured.lines.len());
    assert!(captured.panics.len() >= 6, "{:?}", captured.panics);

    let mut needles = vec![Needles::of(MARK)];
    needles.extend(seen.secrets.iter().map(|secret| Needles::of(secret)));
    let is_clean = |bytes: &[u8]| !needles.iter().any(|secret| secret.are_in(bytes));
    let mut leaks = Vec::new();
    let mut look = |place: &str, text: &[u8]| {
        if !is_clean(text) {
            leaks.push(format!("{place}: {}", String::from_utf8_lossy(text)));
        }
    };
    for text in &seen.texts {
        look("shown", text.as_bytes());
        // Bytes that `{:#?}` prints stand on lines of their own.
        let folded: String = text.split_whitespace().collect();
        look("shown", folded.as_bytes());
    }
    captured.lines.iter().for_each(|line| look("logged", line));
    captured
        .panics
        .iter()
        .for_each(|text| look("last words", text.as_bytes()));
    assert!(is_clean(&database), "in the database");
    assert!(is_clean(&redis), "in Redis");
    let requests = stage.zoom.requests();
    for wanted in ["/oauth/token", "/oauth/revoke", "/v2/users/me"] {
        let asked = requests.iter().any(|line| line.target.starts_with(wanted));
        assert!(asked, "{wanted} was never asked for");
    }
    for line in requests {
        look("asked for", format!("{} {}", line.method, line.target).as_bytes());
    }
    assert!(
        leaks.is_empty(),
        "{} leaks, such as {:#?}",
        leaks.len(),
        leaks.iter().take(20).collect::<Vec<_>>()
    );
}
