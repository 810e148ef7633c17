use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use crate::{Error, ErrorKind};

/// A limit per second is over after a second; there is no use in asking sooner.
const RATE_LIMIT_FLOOR: Duration = Duration::from_secs(1);

/// How often and when a call is sent again.
///
/// * Sent again is what Zoom refused for now (429) or never received, and, for
///   [idempotent](crate::Request::with_idempotent) calls only, what failed on the way or with a server error.
/// * The wait is random between nothing and a bound that doubles with each try (*full jitter*), so that many clients
///   do not come back together; when Zoom says how long, it is at least that.
/// * When Zoom says longer than is left of the budget, the call fails at once and the error says when to come back.
#[derive(Clone)]
pub struct RetryPolicy {
    attempts: u32,
    base: Duration,
    cap: Duration,
    budget: Duration,
    jitter: Jitter,
}

type Jitter = Arc<dyn Fn() -> f64 + Send + Sync>;

impl Default for RetryPolicy {
    /// Four tries, half a second at first, ten seconds at most, a minute in all.
    fn default() -> Self {
        Self {
            attempts: 4,
            base: Duration::from_millis(500),
            cap: Duration::from_secs(10),
            budget: Duration::from_secs(60),
            jitter: Arc::new(random),
        }
    }
}

impl RetryPolicy {
    /// One try.
    #[must_use]
    pub fn none() -> Self {
        Self::default().attempts(1)
    }

    /// Sets how many tries there are, the first one included.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// Sets the bound of the first wait.
    #[must_use]
    pub const fn base(mut self, base: Duration) -> Self {
        self.base = base;
        self
    }

    /// Sets the bound that no wait of our own choice exceeds.
    #[must_use]
    pub const fn cap(mut self, cap: Duration) -> Self {
        self.cap = cap;
        self
    }

    /// Sets how long all waits of a call may take together.
    #[must_use]
    pub const fn budget(mut self, budget: Duration) -> Self {
        self.budget = budget;
        self
    }

    /// Sets where randomness comes from: a number from 0 up to 1.
    #[must_use]
    pub fn with_jitter(mut self, jitter: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        self.jitter = Arc::new(jitter);
        self
    }

    /// How long to wait before the call is sent again after its `attempt`th try, counted from 1; `None` to give up.
    /// `waited` is how long it has waited already.
    #[must_use]
    pub fn wait(&self, attempt: u32, error: &Error, idempotent: bool, waited: Duration) -> Option<Duration> {
        let safe = idempotent || !error.may_have_acted();
        if attempt >= self.attempts || !safe || !is_worth_it(error) {
            return None;
        }
        let backoff = self.backoff(attempt);
        let wait = match error.retry_after() {
            Some(asked) => asked.saturating_add(backoff.min(RATE_LIMIT_FLOOR)),
            None if error.is_rate_limited() => RATE_LIMIT_FLOOR.saturating_add(backoff),
            None => backoff,
        };
        (waited.saturating_add(wait) <= self.budget).then_some(wait)
    }

    fn backoff(&self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(31);
        let bound = self.base.saturating_mul(1 << doublings).min(self.cap);
        let share = (self.jitter)();
        let share = if share.is_finite() {
            share.clamp(0.0, 1.0)
        } else {
            1.0
        };
        bound.mul_f64(share)
    }
}

/// Getting a token is its source's business, with tries of its own; a page in the place of JSON stays for a while.
fn is_worth_it(error: &Error) -> bool {
    error.is_retryable() && !matches!(error.kind(), ErrorKind::Token | ErrorKind::UnexpectedBody)
}

impl fmt::Debug for RetryPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryPolicy")
            .field("attempts", &self.attempts)
            .field("base", &self.base)
            .field("cap", &self.cap)
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}

fn random() -> f64 {
    // Without randomness the wait is the bound itself: slower, and still right.
    getrandom::u32().map_or(1.0, |number| f64::from(number) / (f64::from(u32::MAX) + 1.0))
}

/// How to wait, so that tests need not.
#[derive(Clone)]
pub struct Sleeper(Arc<dyn Fn(Duration) -> Sleep + Send + Sync>);

type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Sleeper {
    /// Waits with tokio.
    #[must_use]
    pub fn tokio() -> Self {
        Self::new(tokio::time::sleep)
    }

    /// Waits in a way of your own.
    pub fn new<F: Future<Output = ()> + Send + 'static>(
        sleep: impl Fn(Duration) -> F + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(move |duration| Box::pin(sleep(duration))))
    }

    /// Waits.
    pub async fn sleep(&self, duration: Duration) {
        (self.0)(duration).await;
    }
}

impl fmt::Debug for Sleeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sleeper")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ApiError;

    const ZERO: Duration = Duration::ZERO;

    fn policy() -> RetryPolicy {
        RetryPolicy::default().with_jitter(|| 1.0)
    }

    fn limited(retry_after: Option<Duration>) -> Error {
        let mut error = ApiError::new(429, Some(429), "slow down");
        error.retry_after = retry_after;
        error.into()
    }

    #[test]
    fn the_bound_doubles_up_to_its_cap() {
        let policy = policy().attempts(9);
        let waits: Vec<u128> = (1..7)
            .map(|n| {
                policy
                    .wait(n, &Error::timeout("slow"), true, ZERO)
                    .unwrap()
                    .as_millis()
            })
            .collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 10_000]);
    }

    #[test]
    fn tries_are_counted() {
        assert!(policy().wait(3, &Error::timeout("slow"), true, ZERO).is_some());
        assert_eq!(policy().wait(4, &Error::timeout("slow"), true, ZERO), None);
        assert_eq!(
            RetryPolicy::none().wait(1, &Error::timeout("slow"), true, ZERO),
            None
        );
    }

    #[test]
    fn what_may_have_been_done_is_not_sent_again() {
        let broken: Error = ApiError::new(503, None, "").into();
        for error in [Error::timeout("slow"), Error::transport("reset"), broken] {
            assert!(policy().wait(1, &error, true, ZERO).is_some(), "{error}");
            assert_eq!(policy().wait(1, &error, false, ZERO), None, "{error}");
        }
        for error in [Error::connect("refused"), limited(None)] {
            assert!(
                policy().wait(1, &error, false, ZERO).is_some(),
                "nothing was done: {error}"
            );
        }
    }

    #[test]
    fn what_will_not_change_is_not_sent_again() {
        let refused: Error = ApiError::new(404, Some(3001), "").into();
        for error in [
            refused,
            Error::reauthorize("dead"),
            Error::token_unavailable("locked"),
            Error::unexpected_body(200, "an html page"),
        ] {
            assert_eq!(policy().wait(1, &error, true, ZERO), None, "{error}");
        }
    }

    #[test]
    fn zooms_wait_is_kept_and_a_long_one_is_the_callers() {
        let asked = Duration::from_secs(7);
        assert!(policy().wait(1, &limited(Some(asked)), true, ZERO).unwrap() >= asked);
        assert!(
            policy()
                .with_jitter(|| 0.0)
                .wait(1, &limited(None), true, ZERO)
                .unwrap()
                >= RATE_LIMIT_FLOOR
        );
        assert_eq!(
            policy().wait(1, &limited(Some(Duration::from_secs(3600))), true, ZERO),
            None
        );
        assert_eq!(policy().wait(1, &limited(Some(Duration::MAX)), true, ZERO), None);
        assert_eq!(
            policy().wait(1, &limited(Some(asked)), true, Duration::from_secs(55)),
            None,
            "the budget is spent"
        );
    }

    proptest! {
        #[test]
        fn every_wait_is_within_its_bound(attempt in 1u32..100, share in any::<f64>(), base in 0u64..100_000) {
            let base = Duration::from_millis(base);
            let policy = RetryPolicy::default()
                .attempts(u32::MAX)
                .base(base)
                .budget(Duration::MAX)
                .with_jitter(move || share);
            let wait = policy.wait(attempt, &Error::timeout("slow"), true, ZERO).unwrap();
            prop_assert!(wait <= Duration::from_secs(10));
            prop_assert!(wait <= base.saturating_mul(1 << (attempt - 1).min(31)));
        }
    }

    #[test]
    fn randomness_is_from_zero_up_to_one() {
        for _ in 0..1000 {
            assert!((0.0..1.0).contains(&random()));
        }
    }
}
