//! One refresh for many callers, in the order that loses no token:
//!
//! look-ups → a task of its own, so that a caller who goes away costs nothing → lease → reload → exchange →
//! conditional save → release.

mod flight;
mod keep;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use token_store::{
    ConnectionId, Expect, Holder, LockKey, OwnerId, RecordKind, RefreshLock, Status, StoredConnection,
};
use tokio::sync::watch;
use zoom_core::{AccessToken, Clock, Sleeper};

use crate::{
    Cause, Error, ErrorKind, attributes,
    cache::Ticket,
    events::Announcer,
    exchange::{AccountExchange, ExchangeError, Granted, UserExchange},
    life::{self, Turn},
    records::{Records, SaveError, Slot},
    tokens::{RefreshToken, Tokens, same},
};

/// A token with less than this left is refreshed.
const EARLY: SignedDuration = SignedDuration::from_mins(5);
/// A token with this much left still serves while Zoom does not answer.
const STILL_GOOD: SignedDuration = SignedDuration::from_secs(60);
/// Longer than everything that is done under it: two exchanges of 15 s, the pause between them, loads and saves.
const LEASE: Duration = Duration::from_secs(120);
/// How long to wait for another process's lease: as long as its exchange can take.
const LONGEST_WAIT: Duration = Duration::from_secs(40);
const BEFORE_SECOND_TRY: Duration = Duration::from_millis(250);
/// How often whoever waits for another process's lease looks whether it is done.
const LOOK: Duration = Duration::from_millis(50);

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
    flights: Mutex<HashMap<ConnectionId, watch::Receiver<Option<Outcome>>>>,
    unsaved: Mutex<HashMap<ConnectionId, Unsaved>>,
}

/// Tokens that Zoom has given and the store did not take.
#[derive(Debug)]
struct Unsaved {
    slot: Slot,
    /// The refresh token that was used up for them.
    used: Option<RefreshToken>,
    /// The lease is kept meanwhile, so that no other process tries the used-up token.
    holder: Holder,
}

impl Refresher {
    pub(crate) fn new(
        records: Records,
        grant: Grant,
        lock: Arc<dyn RefreshLock>,
        announcer: Announcer,
        clock: Clock,
        sleeper: Sleeper,
    ) -> Self {
        Self {
            records,
            grant,
            lock,
            announcer,
            clock,
            sleeper,
            flights: Mutex::default(),
            unsaved: Mutex::default(),
        }
    }

    /// The access token of a record, refreshed first if it has to be. `refused` is a token that Zoom did not accept
    /// and that will therefore not do.
    pub(crate) async fn access(
        self: &Arc<Self>,
        id: &ConnectionId,
        refused: Option<&AccessToken>,
    ) -> Outcome {
        self.refuse(id, refused);
        if !self.has_unsaved(id) {
            let ticket = self.records.cache.ticket();
            let slot = self.records.load(id).await?;
            if let Some(token) = self.usable(slot.as_ref(), refused)? {
                if let Some(slot) = &slot {
                    self.remember(slot, ticket);
                }
                return Ok(token);
            }
        }
        let mut outcome = self.fly(id, refused).await;
        // The flight may have begun for others, before this token was refused.
        if let (Ok(token), Some(refused)) = (&outcome, refused)
            && token.expose_secret() == refused.expose_secret()
        {
            self.refuse(id, Some(refused));
            outcome = self.fly(id, Some(refused)).await;
        }
        match outcome {
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

    /// The stored token, if it needs no refresh. An error if a refresh could not help.
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

    /// A refresh from beginning to end, in a task of its own.
    async fn refresh(&self, id: &ConnectionId, refused: Option<&AccessToken>) -> Outcome {
        if let Some(unsaved) = self.take_unsaved(id) {
            return self.settle(unsaved).await;
        }
        let (key, holder) = (LockKey::connection(id), Holder::random()?);
        if let Some(token) = self.lease(id, &key, &holder, refused).await? {
            return Ok(token);
        }
        let outcome = self.refresh_leased(id, &holder, refused).await;
        if !self.has_unsaved(id) {
            self.release(&key, &holder).await;
        }
        outcome
    }

    /// Waits for the lease; returns a token instead when its holder has brought one meanwhile.
    async fn lease(
        &self,
        id: &ConnectionId,
        key: &LockKey,
        holder: &Holder,
        refused: Option<&AccessToken>,
    ) -> Result<Option<AccessToken>, Error> {
        let mut waited = Duration::ZERO;
        while self.lock.try_acquire(key, holder, LEASE).await?.is_none() {
            if waited > LONGEST_WAIT {
                return Err(Error::unavailable("another process holds the lease"));
            }
            self.sleeper.sleep(LOOK).await;
            waited += LOOK;
            let slot = self.records.load(id).await?;
            if let Some(token) = self.usable(slot.as_ref(), refused)? {
                tracing::debug!(connection = %id, "another process has refreshed");
                return Ok(Some(token));
            }
        }
        Ok(None)
    }

    async fn release(&self, key: &LockKey, holder: &Holder) {
        if let Err(error) = self.lock.release(key, holder).await {
            tracing::warn!(%key, error = &error as &dyn std::error::Error, "a lease was not given back; it ends by time");
        }
    }

    async fn refresh_leased(
        &self,
        id: &ConnectionId,
        holder: &Holder,
        refused: Option<&AccessToken>,
    ) -> Outcome {
        let slot = self.records.load(id).await?;
        if let Some(token) = self.usable(slot.as_ref(), refused)? {
            return Ok(token);
        }
        let mut slot = match slot {
            Some(slot) => slot,
            None => self.first_slot(id),
        };
        let used = slot.tokens.as_ref().and_then(|tokens| tokens.refresh.clone());
        let granted = match self.exchange(used.as_ref()).await {
            Ok(granted) => granted,
            Err(Failure::Dead(reason)) => return self.bury(slot, used.as_ref(), reason).await,
            Err(Failure::Other(error)) => return Err(error),
        };
        let now = self.clock.now();
        tracing::debug!(connection = %id, token = %granted.access.fingerprint(), "refreshed");
        let granted_at = slot.tokens.as_ref().map_or(now, |tokens| tokens.granted_at);
        if !granted.scopes.is_empty() {
            slot.record.scopes = granted.scopes;
        }
        attributes::set_api_url(&mut slot.record, granted.api_url.as_ref());
        slot.tokens = Some(Tokens {
            access: granted.access,
            // No new one means that the old one goes on.
            refresh: granted.refresh.or_else(|| used.clone()),
            expires_at: granted.expires_at,
            granted_at,
        });
        self.keep(slot, used, holder).await
    }

    /// One exchange, and a second one if the first had no answer.
    async fn exchange(&self, refresh: Option<&RefreshToken>) -> Result<Granted, Failure> {
        let (mut tried, mut answer_lost) = (false, false);
        loop {
            let result = match (&self.grant, refresh) {
                (Grant::User(exchange), Some(refresh)) => exchange.refresh(refresh).await,
                (Grant::User(_), None) => return Err(Failure::Dead("no_refresh_token")),
                (Grant::Account(exchange), _) => exchange.account().await,
            };
            match result {
                Ok(granted) => return Ok(granted),
                Err(ExchangeError::Unavailable {
                    again: true, lost, ..
                }) if !tried => {
                    (tried, answer_lost) = (true, lost);
                    self.sleeper.sleep(BEFORE_SECOND_TRY).await;
                }
                Err(ExchangeError::Dead(_)) if matches!(self.grant, Grant::User(_)) => {
                    return Err(Failure::Dead(if answer_lost {
                        "answer_lost"
                    } else {
                        "invalid_grant"
                    }));
                }
                Err(error) => return Err(Failure::Other(error.into_error())),
            }
        }
    }

    /// What an app's own account has before its first token.
    fn first_slot(&self, id: &ConnectionId) -> Slot {
        let now = self.clock.now();
        let owner = OwnerId::new("server-to-server");
        let mut record =
            StoredConnection::new(id.clone(), owner, RecordKind::ServerToServer, Status::Active, now);
        if let Grant::Account(exchange) = &self.grant {
            record.provider_account = Some(exchange.account_id().to_owned());
        }
        Slot {
            record,
            expect: Expect::Absent,
            tokens: None,
        }
    }

    /// `invalid_grant`: somebody else was faster, or the connection is dead.
    async fn bury(&self, mut slot: Slot, used: Option<&RefreshToken>, reason: &'static str) -> Outcome {
        let id = slot.record.id.clone();
        loop {
            let Some(found) = self.records.load(&id).await? else {
                return Err(Error::new(ErrorKind::NotConnected));
            };
            if let Some(tokens) = &found.tokens
                && !tokens.same_refresh(used)
            {
                tracing::debug!(connection = %id, "another process's tokens are adopted");
                let token = self.usable(Some(&found), None)?;
                return token.ok_or_else(|| Error::unavailable("the adopted token has run out"));
            }
            live(&found.record)?;
            slot = found;
            slot.tokens = None;
            slot.record.expires_at = None;
            let turn = Turn::Died(Cause::from(reason));
            let told = life::turn(&mut slot.record, &turn, self.clock.now());
            match self.records.save(&slot).await {
                Ok(_) => {
                    if let Some(kind) = told.and_then(|change| change.told) {
                        self.announcer.announce(&slot.record, kind).await;
                    }
                    return Err(Error::with_code(ErrorKind::Expired, Some(reason.to_owned())));
                }
                Err(SaveError::Conflict) => {}
                Err(SaveError::Failed(error)) => return Err(error),
            }
        }
    }
}

enum Failure {
    /// The refresh token is of no use any more.
    Dead(&'static str),
    Other(Error),
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
