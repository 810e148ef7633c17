//! One refresh for many callers, in the order that loses no token:
//!
//! look-ups → a task of its own, so that a caller who goes away costs nothing → lease → reload → intent → exchange →
//! conditional save → release.

mod attempt;
mod bury;
mod flight;
mod intent;
mod interrupted;
mod keep;
mod turn;
mod unsaved;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use jiff::{SignedDuration, Timestamp};
use token_store::{ConnectionId, Holder, RefreshLock, Status, StoredConnection};
use zoom_core::{AccessToken, Clock, Sleeper};

pub use self::interrupted::{Interrupted, InterruptedOutcome};
pub(crate) use self::keep::PAUSES as SAVE_PAUSES;
use self::{flight::Flown, unsaved::Shelf};
use crate::{
    Error, ErrorKind,
    cache::Ticket,
    events::Announcer,
    exchange::{AccountExchange, UserExchange},
    records::{Records, Slot},
    tokens::same,
};

/// A token with less than this left is refreshed.
const EARLY: SignedDuration = SignedDuration::from_mins(5);
/// A token with this much left still serves while Zoom does not answer.
const STILL_GOOD: SignedDuration = SignedDuration::from_secs(60);
/// Longer than what is done after an intent is noted: two exchanges of 15 s, the pause between them, a save. What a
/// process that dies leaves behind keeps others off for as long, and no longer.
const LEASE: SignedDuration = SignedDuration::from_secs(50);
/// For an app's own account it only saves work, so nobody has to wait for a dead process for long.
const ACCOUNT_LEASE: SignedDuration = SignedDuration::from_secs(35);

/// How new tokens are had.
#[derive(Debug)]
pub(crate) enum Grant {
    User(Box<UserExchange>),
    Account(Box<AccountExchange>),
}

type Outcome = Result<AccessToken, Error>;

/// Hands out access tokens of stored records, and refreshes them.
#[derive(Debug)]
pub(crate) struct Refresher {
    pub(crate) records: Records,
    pub(crate) grant: Grant,
    pub(crate) lock: Arc<dyn RefreshLock>,
    pub(crate) announcer: Announcer,
    pub(crate) clock: Clock,
    pub(crate) sleeper: Sleeper,
    /// The name of this process in intents, until it ends.
    process: String,
    flights: Mutex<HashMap<ConnectionId, Flown>>,
    shelf: Mutex<Shelf>,
}

impl Refresher {
    pub(crate) fn new(
        records: Records,
        grant: Grant,
        lock: Arc<dyn RefreshLock>,
        announcer: Announcer,
        clock: Clock,
        sleeper: Sleeper,
    ) -> Result<Self, Error> {
        let process = Holder::random()?.as_str().chars().take(16).collect();
        Ok(Self {
            records,
            grant,
            lock,
            announcer,
            clock,
            sleeper,
            process,
            flights: Mutex::default(),
            shelf: Mutex::default(),
        })
    }

    /// The access token of a record, refreshed first if it has to be. `refused` is a token that Zoom did not accept
    /// and that will therefore not do.
    pub(crate) async fn access(
        self: &Arc<Self>,
        id: &ConnectionId,
        refused: Option<&AccessToken>,
    ) -> Outcome {
        self.refuse(id, refused);
        // A flight begins with a look of its own: of a thousand callers one asks the store. Unless each one has to, or
        // the look was before something that this caller may know of.
        let shared = !self.records.cache.is_off() && self.is_up_to_date(id);
        if !shared
            && !self.has_unsaved(id)
            && let Some(token) = self.look(id, refused).await?
        {
            return Ok(token);
        }
        match self.fly(id, refused).await {
            Err(error) if error.is_retryable() && error.kind() != ErrorKind::NotSaved => {
                self.still_good(id, refused).await.ok_or(error)
            }
            outcome => outcome,
        }
    }

    /// The access token of a record if it was read a moment ago: no store, no waiting.
    pub(crate) fn cached(&self, id: &ConnectionId) -> Option<AccessToken> {
        self.records.cache.get(id)
    }

    /// The stored token, if it needs no refresh.
    async fn look(
        &self,
        id: &ConnectionId,
        refused: Option<&AccessToken>,
    ) -> Result<Option<AccessToken>, Error> {
        let ticket = self.records.cache.ticket();
        let slot = self.records.load(id).await?;
        let token = self.usable(slot.as_ref(), refused)?;
        if let (Some(slot), Some(_)) = (&slot, &token) {
            self.remember(slot, ticket);
        }
        Ok(token)
    }

    fn refuse(&self, id: &ConnectionId, refused: Option<&AccessToken>) {
        if let Some(refused) = refused
            && let Some(cached) = self.cached(id)
            && same(cached.expose_secret(), refused.expose_secret())
        {
            self.records.cache.forget(id);
        }
    }

    fn remember(&self, slot: &Slot, ticket: Ticket) {
        if let Some(tokens) = &slot.tokens
            && let Ok(until) = tokens.expires_at.checked_sub(EARLY)
        {
            self.records
                .cache
                .put(&slot.record.id, &tokens.access, until, ticket);
        }
    }

    /// New tokens, however good the present ones are.
    pub(crate) async fn force(self: &Arc<Self>, id: &ConnectionId) -> Outcome {
        let slot = self.records.load(id).await?;
        let present = slot.and_then(|slot| slot.tokens).map(|tokens| tokens.access);
        self.access(id, present.as_ref()).await
    }

    /// The slot's token, if it needs no refresh. An error if a refresh could not help.
    fn usable(
        &self,
        slot: Option<&Slot>,
        refused: Option<&AccessToken>,
    ) -> Result<Option<AccessToken>, Error> {
        let Some(slot) = slot else {
            return match self.grant {
                Grant::User(_) => Err(Error::new(ErrorKind::NotConnected)),
                Grant::Account(_) => Ok(None),
            };
        };
        live(&slot.record)?;
        Ok(good_for(slot, refused, EARLY, self.clock.now()))
    }

    /// Zoom did not answer, and the stored token has a moment left.
    async fn still_good(&self, id: &ConnectionId, refused: Option<&AccessToken>) -> Option<AccessToken> {
        let slot = self.records.load(id).await.ok().flatten()?;
        let token = good_for(&slot, refused, STILL_GOOD, self.clock.now())?;
        tracing::warn!(connection = %id, "no refresh at the moment; the present token still serves");
        Some(token)
    }

    /// How long a lease and an intent are good for.
    fn lease(&self) -> SignedDuration {
        match self.grant {
            Grant::User(_) => LEASE,
            Grant::Account(_) => ACCOUNT_LEASE,
        }
    }
}

/// An error if the record is of a connection that no refresh can bring back.
pub(crate) fn live(record: &StoredConnection) -> Result<(), Error> {
    match &record.status {
        Status::Disconnected | Status::Pending => Err(Error::new(ErrorKind::NotConnected)),
        Status::Expired => Err(Error::with_code(ErrorKind::Expired, record.status_reason.clone())),
        _ => Ok(()),
    }
}

fn good_for(
    slot: &Slot,
    refused: Option<&AccessToken>,
    at_least: SignedDuration,
    now: Timestamp,
) -> Option<AccessToken> {
    let tokens = slot.tokens.as_ref()?;
    let good = tokens.expires_at.duration_since(now) >= at_least;
    let refused = refused.is_some_and(|refused| tokens.is(refused));
    (good && !refused).then(|| tokens.access.clone())
}
