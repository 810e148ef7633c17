use std::time::Duration;

/// How long a failed job waits: twice as long after each attempt, with jitter, up to a cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    base: Duration,
    cap: Duration,
}

impl Backoff {
    /// About `base` after the first attempt, doubling up to `cap`.
    #[must_use]
    pub const fn exponential(base: Duration, cap: Duration) -> Self {
        Self { base, cap }
    }

    /// No wait at all; for tests.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            base: Duration::ZERO,
            cap: Duration::ZERO,
        }
    }

    /// The wait after this attempt (from 1). `random` is in 0..1 and picks a point between half and the whole wait,
    /// so that jobs which failed together do not come back together.
    #[must_use]
    pub fn delay(&self, attempt: u32, random: f64) -> Duration {
        let doublings = attempt.saturating_sub(1).min(31);
        let whole = self.base.saturating_mul(1 << doublings).min(self.cap);
        let random = if random.is_nan() {
            1.0
        } else {
            random.clamp(0.0, 1.0)
        };
        whole.mul_f64(0.5 + 0.5 * random)
    }

    /// The wait after this attempt, with jitter from the operating system.
    pub(crate) fn jittered(&self, attempt: u32) -> Duration {
        let random = getrandom::u32().map_or(1.0, |bits| f64::from(bits) / f64::from(u32::MAX));
        self.delay(attempt, random)
    }
}

/// Five seconds, doubling up to ten minutes.
impl Default for Backoff {
    fn default() -> Self {
        Self::exponential(Duration::from_secs(5), Duration::from_secs(600))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_wait_doubles_until_the_cap() {
        let backoff = Backoff::exponential(Duration::from_secs(1), Duration::from_secs(5));
        let waits: Vec<u64> = (1..=5)
            .map(|attempt| backoff.delay(attempt, 1.0).as_secs())
            .collect();
        assert_eq!(waits, [1, 2, 4, 5, 5]);
    }

    proptest! {
        #[test]
        fn the_wait_stays_within_half_and_whole(attempt in any::<u32>(), random in 0.0..=1.0, base in 1_u64..100_000, cap in 1_u64..1_000_000) {
            let backoff = Backoff::exponential(Duration::from_millis(base), Duration::from_millis(cap));
            let wait = backoff.delay(attempt, random);
            let whole = backoff.delay(attempt, 1.0);
            prop_assert!(whole <= Duration::from_millis(cap));
            prop_assert!(wait <= whole && wait >= whole / 2);
        }

        #[test]
        fn jitter_stays_within_bounds(attempt in 1_u32..50) {
            let backoff = Backoff::default();
            let whole = backoff.delay(attempt, 1.0);
            let wait = backoff.jittered(attempt);
            prop_assert!(wait <= whole && wait >= whole / 2);
        }
    }
}
