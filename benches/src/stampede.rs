use std::{
    env,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use serde::Serialize;
use tokio::task::JoinSet;
use zoom_core::Clock;

/// What a process of a stampede prints.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Outcome {
    /// Calls that were answered.
    pub ok: usize,
    /// Calls that were not.
    pub failed: usize,
    /// From the first call to the last answer.
    pub wall_s: f64,
    /// The refresh token that is left.
    pub final_refresh: String,
    /// What the first failed call said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_error: Option<String>,
}

/// Waits for the moment in `START`, in milliseconds since 1970, at which all processes begin.
pub async fn wait_until() {
    let start = env::var("START").ok().and_then(|text| text.parse().ok());
    if let Some(start) = start.and_then(|millis| Timestamp::from_millisecond(millis).ok()) {
        let left = start.duration_since(Clock::system().now());
        tokio::time::sleep(Duration::try_from(left).unwrap_or_default()).await;
    }
}

/// So many calls at once, each in a task of its own.
pub async fn run<F>(calls: usize, call: impl Fn() -> F) -> Outcome
where
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..calls {
        tasks.spawn(call());
    }
    let (mut ok, mut first_error) = (0, None);
    while let Some(done) = tasks.join_next().await {
        match done.map_err(anyhow::Error::from).flatten() {
            Ok(()) => ok += 1,
            Err(error) => {
                first_error.get_or_insert_with(|| format!("{error:#}"));
            }
        }
    }
    Outcome {
        ok,
        failed: calls - ok,
        wall_s: began.elapsed().as_secs_f64(),
        final_refresh: String::new(),
        first_error,
    }
}
