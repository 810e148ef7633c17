//! Grants are ended at Zoom after their tokens have left the store, and tried again while Zoom is down.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::Serialize;
use token_store::{OwnerId, StoredConnection};
use tokio::sync::watch;
use tracing::Instrument as _;
use zoom_core::{AccountId, StaticToken, UserId};

use crate::{Connections, exchange::ExchangeError, tokens::Tokens};

/// The longest first pause; each one after it may be twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);
/// Of all pauses together. After that the tokens have run out by themselves, all but the right to renew them.
const GIVE_UP_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
const SECOND: Duration = Duration::from_secs(1);

/// What became of the grant at Zoom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Revoked {
    /// There was none: nothing was connected, or its tokens were dead already.
    Nothing,
    /// It goes on, because another live connection stands on it, or an installation waits with it: Zoom knows one grant
    /// for each user and app, and would end them all.
    Shared,
    /// It is over.
    Yes,
    /// Zoom did not answer. It is tried again for a day, with growing pauses, as long as this process lives; see
    /// [`Connections::drain`].
    Pending,
}

impl Revoked {
    /// The name that serde writes, too.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Shared => "shared",
            Self::Yes => "yes",
            Self::Pending => "pending",
        }
    }
}

/// A grant that Zoom has not ended yet. Its tokens are in this process's memory and nowhere else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PendingRevocation {
    /// Whose it was.
    pub owner: OwnerId,
    /// When they left.
    pub since: Timestamp,
    /// How often Zoom was asked.
    pub tries: u32,
}

/// The grant of a connection that has been left.
#[derive(Debug)]
pub(crate) struct LeftGrant {
    owner: OwnerId,
    /// `None` where Zoom has not said yet.
    zoom: Option<(AccountId, UserId)>,
    tokens: Tokens,
}

impl LeftGrant {
    pub(crate) fn new(record: &StoredConnection, tokens: Tokens) -> Self {
        let zoom = record
            .provider_account
            .as_deref()
            .zip(record.provider_user.as_deref())
            .map(|(account, user)| (AccountId::new(account), UserId::new(user)));
        Self {
            owner: record.owner.clone(),
            zoom,
            tokens,
        }
    }
}

/// What a try brought.
enum Tried {
    Done(Revoked),
    /// Not now; perhaps not before Zoom says.
    Later(Option<Duration>),
}

/// The grants that are still to be ended.
#[derive(Debug)]
pub(crate) struct Revocations {
    state: watch::Sender<State>,
    closing: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct State {
    pending: BTreeMap<u64, PendingRevocation>,
    next: u64,
    /// Whose grants were not ended by the time of the last try.
    left_over: Vec<OwnerId>,
}

impl Revocations {
    pub(crate) fn new() -> Self {
        Self {
            state: watch::Sender::default(),
            closing: watch::Sender::new(false),
        }
    }

    fn begin(&self, pending: PendingRevocation) -> u64 {
        let mut ticket = 0;
        self.state.send_modify(|state| {
            ticket = state.next;
            state.next += 1;
            state.pending.insert(ticket, pending);
        });
        ticket
    }

    fn tried(&self, ticket: u64) {
        self.state.send_modify(|state| {
            if let Some(pending) = state.pending.get_mut(&ticket) {
                pending.tries += 1;
            }
        });
    }
}

/// On the list as long as it lives, whatever becomes of its task.
struct Ticket {
    connections: Connections,
    number: u64,
    done: bool,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let revocations = &self.connections.inner.revocations;
        let closing = *revocations.closing.borrow();
        revocations.state.send_modify(|state| {
            let Some(pending) = state.pending.remove(&self.number) else {
                return;
            };
            if !self.done {
                tracing::warn!(owner = %pending.owner, tries = pending.tries,
                    "a grant was not ended at zoom; its tokens are forgotten, and the user can remove the app there");
                if closing {
                    state.left_over.push(pending.owner);
                }
            }
        });
    }
}

impl Connections {
    /// The grants that this process is still trying to end at Zoom, after their owners have left.
    #[must_use]
    pub fn revocations(&self) -> Vec<PendingRevocation> {
        let state = self.inner.revocations.state.borrow();
        state.pending.values().cloned().collect()
    }

    /// Before the process ends: tries once more, at once, to end every grant that is waiting for it, and returns the
    /// owners whose grants Zoom has not ended. They are in the log, too. What fails after this is not waited for.
    pub async fn drain(&self) -> Vec<OwnerId> {
        let revocations = &self.inner.revocations;
        revocations.closing.send_replace(true);
        let mut state = revocations.state.subscribe();
        // The sender lives as long as these connections do.
        let _ = state.wait_for(|state| state.pending.is_empty()).await;
        let mut left_over = Vec::new();
        revocations
            .state
            .send_modify(|state| left_over = std::mem::take(&mut state.left_over));
        left_over
    }

    /// Ends a grant, now or in the background.
    pub(crate) async fn end_grant(&self, mut grant: LeftGrant) -> Revoked {
        let asked = match self.try_to_end(&mut grant).await {
            Tried::Done(revoked) => return revoked,
            Tried::Later(asked) => asked,
        };
        let number = self.inner.revocations.begin(PendingRevocation {
            owner: grant.owner.clone(),
            since: self.inner.clock.now(),
            tries: 1,
        });
        let ticket = Ticket {
            connections: self.clone(),
            number,
            done: false,
        };
        tokio::spawn(keep_trying(ticket, grant, asked).in_current_span());
        Revoked::Pending
    }

    async fn try_to_end(&self, grant: &mut LeftGrant) -> Tried {
        if let Some(tried) = self.spare(grant).await {
            return tried;
        }
        let exchange = &self.inner.exchange;
        let tokens = &mut grant.tokens;
        // Zoom revokes by access token, so one that has run out is renewed for it.
        if let (Some(refresh), true) = (&tokens.refresh, tokens.expires_at <= self.inner.clock.now()) {
            match exchange.refresh(refresh).await {
                Ok(granted) => {
                    tokens.access = granted.access;
                    tokens.expires_at = granted.expires_at;
                    tokens.refresh = granted.refresh.or_else(|| tokens.refresh.take());
                }
                Err(ExchangeError::Dead(_)) => return Tried::Done(Revoked::Yes),
                Err(error) => return later(error),
            }
        }
        if grant.zoom.is_none() {
            let client = self
                .inner
                .regions
                .client(None, Arc::new(StaticToken::new(tokens.access.clone())));
            match client.users().me().await {
                Ok(user) => grant.zoom = user.account_id.zip(user.id),
                Err(error) if error.is_retryable() => return Tried::Later(error.retry_after()),
                // Zoom does not tell this token. Nor did it tell whoever has left.
                Err(_) => {}
            }
            if let Some(tried) = self.spare(grant).await {
                return tried;
            }
        }
        match exchange.revoke(&grant.tokens.access).await {
            Ok(()) => Tried::Done(Revoked::Yes),
            Err(error) => later(error),
        }
    }
}

impl Connections {
    /// What keeps a grant from being ended. Asked before every try: the user may have consented anew meanwhile, and
    /// revoking would end that, too.
    async fn spare(&self, grant: &LeftGrant) -> Option<Tried> {
        let (account, user) = grant.zoom.as_ref()?;
        let records = &self.inner.records;
        match records.is_lived_on(account.as_str(), user.as_str()).await {
            Ok(true) => Some(Tried::Done(Revoked::Shared)),
            Ok(false) => None,
            Err(_) => Some(Tried::Later(None)),
        }
    }
}

/// A refusal may pass, too: most are of the app and not of the grant, and apps get repaired.
fn later(error: ExchangeError) -> Tried {
    let error = error.into_error();
    tracing::warn!(
        error = &error as &dyn std::error::Error,
        "zoom has not ended a grant"
    );
    Tried::Later(error.retry_after())
}

async fn keep_trying(mut ticket: Ticket, mut grant: LeftGrant, mut asked: Option<Duration>) {
    let connections = ticket.connections.clone();
    let inner = &connections.inner;
    let mut closing = inner.revocations.closing.subscribe();
    let (mut tries, mut waited) = (1, Duration::ZERO);
    loop {
        let pause = pause(tries, asked, random());
        waited = waited.saturating_add(pause);
        if waited > GIVE_UP_AFTER {
            return;
        }
        let closed = tokio::select! {
            biased;
            _ = closing.wait_for(|closing| *closing) => true,
            () = inner.sleeper.sleep(pause) => false,
        };
        match connections.try_to_end(&mut grant).await {
            Tried::Done(revoked) => {
                tracing::info!(owner = %grant.owner, revoked = revoked.as_str(), "a grant is settled");
                ticket.done = true;
                return;
            }
            Tried::Later(_) if closed => return,
            Tried::Later(next) => asked = next,
        }
        tries += 1;
        inner.revocations.tried(ticket.number);
    }
}

/// How long to wait after a try, counted from 1: between half of a bound and the bound, which doubles, and never less
/// than Zoom asked for.
fn pause(tries: u32, asked: Option<Duration>, share: f64) -> Duration {
    let bound = FIRST_PAUSE
        .saturating_mul(1 << tries.saturating_sub(1).min(16))
        .min(LONGEST_PAUSE);
    let pause = bound / 2 + (bound / 2).mul_f64(share.clamp(0.0, 1.0));
    match asked {
        Some(asked) => pause.max(asked.saturating_add(SECOND.mul_f64(share.clamp(0.0, 1.0)))),
        None => pause,
    }
}

fn random() -> f64 {
    getrandom::u32().map_or(1.0, |number| f64::from(number) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour_and_are_never_the_same_for_all() {
        let seconds = |tries, share| pause(tries, None, share).as_secs();
        assert_eq!((seconds(1, 0.0), seconds(1, 1.0)), (1, 2));
        assert_eq!((seconds(5, 0.0), seconds(5, 1.0)), (16, 32));
        assert_eq!((seconds(99, 0.0), seconds(99, 1.0)), (1800, 3600));
    }

    #[test]
    fn zoom_is_not_asked_before_the_time_that_it_names() {
        let asked = Duration::from_secs(7200);
        for share in [0.0, 0.5, 1.0] {
            assert!(pause(1, Some(asked), share) >= asked);
        }
        assert!(
            pause(99, Some(SECOND), 0.0) >= LONGEST_PAUSE / 2,
            "nor more often for it"
        );
    }
}
