//! A thousand calls at once on a token that has run out, in one process and in four, beside a single flight written by
//! hand. Zoom is the simulator, whose token endpoint takes 150 ms. Goal: one refresh, no failure, at most 1.2 times as long.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a measurement that cannot be made stops"
)]

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use divan::Bencher;
use jiff::SignedDuration;
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use url::Url;
use zoom_core::Clock;
use zoom_simulator::{Config, Failure, Fault, Simulator};

const OURS: &str = env!("CARGO_BIN_EXE_bench-stampede");
const BY_HAND: &str = env!("CARGO_BIN_EXE_bench-single-flight");
const CALLS: usize = 1000;
const USER: &str = "maya.chen@brightwave.example";

fn main() {
    divan::main();
}

/// A Zoom that has one refresh token out, a folder for the store, and the runtime that Zoom is on.
struct Scene {
    zoom: Simulator,
    refresh: String,
    folder: TempDir,
    _runtime: Runtime,
}

impl Scene {
    fn set() -> Self {
        let runtime = Runtime::new().unwrap();
        let (zoom, refresh) = runtime.block_on(async {
            let zoom = Simulator::start(Config::default()).await.unwrap();
            let refresh = first_refresh_token(&zoom).await;
            (zoom, refresh)
        });
        let slow = Failure::new(Fault::Slow).on("/oauth/token");
        zoom.fail_next(slow.delay(Duration::from_millis(150)).times(u32::MAX));
        Self {
            zoom,
            refresh,
            folder: tempfile::tempdir().unwrap(),
            _runtime: runtime,
        }
    }

    /// All processes begin at the same moment; the last to finish counts.
    fn stampede(&self, program: &str, processes: usize) -> Duration {
        let start = Clock::system()
            .now()
            .saturating_add(SignedDuration::from_millis(400));
        let children: Vec<_> = (0..processes)
            .map(|_| {
                Command::new(program)
                    .arg(self.zoom.base_url().as_str())
                    .arg((CALLS / processes).to_string())
                    .env("STORE", self.folder.path().join("store"))
                    .env("START", start.as_ref().unwrap().as_millisecond().to_string())
                    .env("REFRESH_TOKEN", &self.refresh)
                    .env("CLIENT_ID", &self.zoom.config().client_id)
                    .env("CLIENT_SECRET", &self.zoom.config().client_secret)
                    .stdout(Stdio::piped())
                    .spawn()
                    .unwrap()
            })
            .collect();
        let outcomes = children.into_iter().map(|child| {
            let output = child.wait_with_output().unwrap();
            serde_json::from_slice::<Value>(&output.stdout).unwrap()
        });
        let mut wall = 0.0_f64;
        for outcome in outcomes {
            assert_eq!(outcome["failed"], 0, "{}", outcome["first_error"]);
            wall = wall.max(outcome["wall_s"].as_f64().unwrap());
        }
        assert_eq!(self.zoom.count("token.refresh_token"), 1, "refreshes");
        Duration::from_secs_f64(wall)
    }
}

async fn first_refresh_token(zoom: &Simulator) -> String {
    let config = zoom.config();
    let callback = "https://bench.example/callback";
    let authorize = Url::parse_with_params(
        zoom.base_url().join("oauth/authorize").unwrap().as_str(),
        [
            ("response_type", "code"),
            ("client_id", &config.client_id),
            ("redirect_uri", callback),
        ],
    );
    let back = zoom.allow(&authorize.unwrap(), USER).unwrap();
    let (_, code) = back.query_pairs().find(|(name, _)| name == "code").unwrap();
    let granted: Value = zoom_core::http::client_builder()
        .build()
        .unwrap()
        .post(zoom.base_url().join("oauth/token").unwrap())
        .basic_auth(&config.client_id, Some(&config.client_secret))
        .form(&[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", callback),
        ])
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    granted["refresh_token"].as_str().unwrap().to_owned()
}

/// What divan measures is the whole run with starting and seeding; the wall of the calls alone is printed.
fn run(bencher: Bencher<'_, '_>, program: &str, processes: usize) {
    let mut walls: Vec<Duration> = Vec::new();
    bencher
        .with_inputs(Scene::set)
        .bench_local_refs(|scene| walls.push(scene.stampede(program, processes)));
    walls.sort();
    if let (Some(median), Some(best)) = (walls.get(walls.len() / 2), walls.first()) {
        divan::black_box((median, best));
        eprintln_wall(program, processes, *median, *best);
    }
}

#[allow(clippy::print_stderr, reason = "beside divan's table")]
fn eprintln_wall(program: &str, processes: usize, median: Duration, best: Duration) {
    let name = program.rsplit('/').next().unwrap_or(program);
    eprintln!("{name} x{processes}: calls alone, median {median:?}, best {best:?}");
}

#[divan::bench(sample_count = 9, sample_size = 1, args = [1, 4])]
fn ours(bencher: Bencher<'_, '_>, processes: usize) {
    run(bencher, OURS, processes);
}

#[divan::bench(sample_count = 9, sample_size = 1, args = [1, 4])]
fn by_hand(bencher: Bencher<'_, '_>, processes: usize) {
    run(bencher, BY_HAND, processes);
}
