use std::{
    io::{self, Write as _},
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;

/// What so many rounds of something took.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Timed {
    /// How many.
    pub rounds: u32,
    /// By the wall.
    pub wall: Duration,
    /// Processor time of this whole process.
    pub cpu: Duration,
}

impl Timed {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            rounds: self.rounds + other.rounds,
            wall: self.wall + other.wall,
            cpu: self.cpu + other.cpu,
        }
    }

    /// Rounds in a second.
    #[must_use]
    pub fn per_second(self) -> f64 {
        f64::from(self.rounds) / self.wall.as_secs_f64()
    }

    /// Processor time of one round.
    #[must_use]
    pub fn cpu_micros(self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / f64::from(self.rounds)
    }

    /// Wall time of one round.
    #[must_use]
    pub fn nanos(self) -> f64 {
        self.wall.as_secs_f64() * 1e9 / f64::from(self.rounds)
    }
}

/// Processor time that this process has used, in all its threads.
#[must_use]
pub fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    let nanos = u64::try_from(now.tv_nsec).unwrap_or_default();
    Duration::from_secs(seconds) + Duration::from_nanos(nanos)
}

/// Runs it so many times.
///
/// # Errors
/// The first that a run gives.
pub fn timed<T>(rounds: u32, mut run: impl FnMut(u32) -> anyhow::Result<T>) -> anyhow::Result<Timed> {
    let (cpu, wall) = (cpu_time(), Instant::now());
    for round in 0..rounds {
        std::hint::black_box(run(round)?);
    }
    Ok(Timed {
        rounds,
        wall: wall.elapsed(),
        cpu: cpu_time().saturating_sub(cpu),
    })
}

/// The same for something that waits.
///
/// # Errors
/// The first that a run gives.
pub async fn timed_async<T>(
    rounds: u32,
    mut run: impl AsyncFnMut(u32) -> anyhow::Result<T>,
) -> anyhow::Result<Timed> {
    let (cpu, wall) = (cpu_time(), Instant::now());
    for round in 0..rounds {
        std::hint::black_box(run(round).await?);
    }
    Ok(Timed {
        rounds,
        wall: wall.elapsed(),
        cpu: cpu_time().saturating_sub(cpu),
    })
}

/// One JSON object on a line of its own.
///
/// # Errors
/// When nobody reads it.
pub fn print(line: &impl Serialize) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, line)?;
    writeln!(out)
}
