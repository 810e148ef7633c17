//! Grants whose user Zoom has not named yet. Their tokens wait, sealed, in a record of the owner's that is no connection.

use jiff::{SignedDuration, Timestamp};
use token_store::{ConnectionId, Expect, LockKey, OwnerId, RecordKind, Status, StoredConnection};

use crate::{
    Connection, Connections, Error, ErrorKind, attributes,
    detached::detached,
    digest::digest,
    exchange::{ExchangeError, Granted},
    records::{SaveError, Slot},
    refresh::SAVE_PAUSES,
    revocation::LeftGrant,
    state::Terms,
    tokens::{RefreshToken, Tokens},
};

/// Whoever has spent the waiting refresh token brings new ones within this time, or never.
const WINNER_COMES_WITHIN: SignedDuration = SignedDuration::from_mins(5);

impl Connections {
    /// Finishes a connect that ended with [`ErrorKind::Unfinished`], if the owner has one: Zoom has given the tokens, and
    /// has not said whose they are. A [`Keeper`](crate::Keeper) does it by itself, and so does [`test`](Self::test).
    ///
    /// # Errors
    /// As [`connect`](Self::connect); while Zoom does not answer, the tokens stay where they are.
    pub async fn finish(&self, owner: &OwnerId) -> Result<Option<Connection>, Error> {
        let (this, id) = (self.clone(), self.unfinished_id(owner));
        if this.inner.records.store.load(&id).await?.is_none() {
            return Ok(None);
        }
        detached(async move {
            // So that of two who try, one spends the refresh token.
            this.alone(&LockKey::connection(&id), this.finish_alone(&id))
                .await
        })
        .await
    }

    async fn finish_alone(&self, id: &ConnectionId) -> Result<Option<Connection>, Error> {
        let Some(mut slot) = self.inner.records.load(id).await? else {
            return Ok(None);
        };
        let owner = slot.record.owner.clone();
        // Left meanwhile: what there was is given back already.
        if slot.record.status != Status::Pending {
            self.forget_unfinished(&owner, Timestamp::MAX).await;
            return Ok(None);
        }
        let Some(tokens) = slot.tokens.take() else {
            let waited = self.inner.clock.now().duration_since(slot.record.updated_at);
            if waited >= WINNER_COMES_WITHIN {
                self.forget_unfinished(&owner, Timestamp::MAX).await;
            }
            return Ok(None);
        };
        let terms = Terms {
            owner,
            opened_by: attributes::opened_by(&slot.record).map(str::to_owned),
            switch_user: attributes::flag(&slot.record, attributes::SWITCH_USER).unwrap_or(false),
        };
        let granted_at = tokens.granted_at;
        let granted = self.renewed(slot, tokens).await?;
        match self.look_at(&granted).await {
            Ok(look) => {
                let settled = self.settle(terms.clone(), granted, granted_at, &look).await;
                // Refused for good, and given back. Anything else is tried again.
                if let Err(error) = &settled
                    && matches!(error.kind(), ErrorKind::AnotherUser | ErrorKind::AdminRequired)
                {
                    self.forget_unfinished(&terms.owner, granted_at).await;
                }
                settled.map(Some)
            }
            Err(error) => {
                if !error.is_retryable() {
                    self.forget_unfinished(&terms.owner, granted_at).await;
                }
                Err(error.into())
            }
        }
    }

    /// The waiting tokens, refreshed if they have to be. New ones are saved before they are used.
    async fn renewed(&self, mut slot: Slot, tokens: Tokens) -> Result<Granted, Error> {
        let inner = &self.inner;
        let named = attributes::api_url(&slot.record);
        let api_url = named.and_then(|named| inner.regions.endpoints.region(named));
        if tokens.expires_at > inner.clock.now() {
            return Ok(Granted {
                access: tokens.access,
                refresh: tokens.refresh,
                expires_at: tokens.expires_at,
                api_url,
                scopes: slot.record.scopes,
            });
        }
        let Some(used) = &tokens.refresh else {
            self.forget_unfinished(&slot.record.owner, tokens.granted_at)
                .await;
            return Err(Error::new(ErrorKind::NotConnected));
        };
        let mut granted = match inner.exchange.refresh(used).await {
            Ok(granted) => granted,
            Err(ExchangeError::Dead(refusal)) => {
                self.give_up(slot).await?;
                return Err(Error::refused(ErrorKind::Expired, refusal));
            }
            Err(error) => return Err(error.into_error()),
        };
        granted.refresh = granted.refresh.or_else(|| tokens.refresh.clone());
        slot.record.expires_at = Some(granted.expires_at);
        slot.tokens = Some(granted.tokens(tokens.granted_at));
        self.save_renewed(slot, used).await?;
        Ok(granted)
    }

    /// Zoom does not take the refresh token. Without a lease, another process may have spent it a moment ago, and not
    /// have saved what it brought: so the row stays for a while, without tokens, for whoever has newer ones.
    async fn give_up(&self, mut slot: Slot) -> Result<(), Error> {
        slot.tokens = None;
        slot.record.updated_at = self.inner.clock.now();
        match self.inner.records.save(&slot).await {
            Ok(_) => Ok(()),
            Err(SaveError::Conflict) => Err(Error::unavailable("another process is finishing the connect")),
            Err(SaveError::Failed(error)) => Err(error),
        }
    }

    /// Saves new tokens over those that were spent for them, also if others have given those up meanwhile.
    async fn save_renewed(&self, mut slot: Slot, used: &RefreshToken) -> Result<(), Error> {
        let records = &self.inner.records;
        let mut pauses = SAVE_PAUSES.iter();
        loop {
            let failure = match records.save(&slot).await {
                Ok(_) => return Ok(()),
                Err(SaveError::Conflict) => match records.load(&slot.record.id).await {
                    Ok(Some(found)) if found.record.status == Status::Pending => {
                        let newer = found
                            .tokens
                            .is_some_and(|tokens| !tokens.same_refresh(Some(used)));
                        if newer {
                            return Err(Error::unavailable("another process is finishing the connect"));
                        }
                        slot.expect = found.expect;
                        continue;
                    }
                    // The owner has left while they were on their way.
                    Ok(_) => {
                        if let Some(tokens) = slot.tokens {
                            self.end_grant(LeftGrant::new(&slot.record, tokens)).await;
                        }
                        return Err(Error::new(ErrorKind::NotConnected));
                    }
                    Err(error) => error,
                },
                Err(SaveError::Failed(error)) => error,
            };
            let Some(pause) = pauses.next() else {
                // Whoever has them goes on: if Zoom answers now, they need not wait any more.
                tracing::error!(owner = %slot.record.owner, error = &failure as &dyn std::error::Error,
                    "renewed tokens of an unfinished connect are not saved");
                return Ok(());
            };
            self.inner.sleeper.sleep(*pause).await;
        }
    }

    /// Keeps what was granted until Zoom says whose it is; returns what to tell the caller.
    pub(crate) async fn keep_unfinished(&self, terms: &Terms, granted: &Granted, error: Error) -> Error {
        match self.try_keep_unfinished(terms, granted).await {
            Ok(()) => Error::with_source(ErrorKind::Unfinished, error),
            Err(failure) => {
                tracing::warn!(owner = %terms.owner, error = &failure as &dyn std::error::Error,
                    "zoom did not say whose new tokens are, and they could not be kept");
                error
            }
        }
    }

    async fn try_keep_unfinished(&self, terms: &Terms, granted: &Granted) -> Result<(), Error> {
        let inner = &self.inner;
        let now = inner.clock.now();
        let id = self.unfinished_id(&terms.owner);
        let mut record = StoredConnection::new(
            id.clone(),
            terms.owner.clone(),
            RecordKind::Connection,
            Status::Pending,
            now,
        );
        record.scopes.clone_from(&granted.scopes);
        record.expires_at = Some(granted.expires_at);
        inner.records.sign(&mut record);
        attributes::set_api_url(&mut record, granted.api_url.as_ref());
        attributes::set_opened_by(&mut record, terms.opened_by.as_deref());
        if terms.switch_user {
            attributes::set(&mut record, attributes::SWITCH_USER, Some(true.to_string()));
        }
        let tokens = granted.tokens(now);
        let mut pauses = SAVE_PAUSES.iter();
        loop {
            let before = inner.records.store.load(&id).await?;
            let slot = Slot {
                record: record.clone(),
                expect: before.map_or(Expect::Absent, |found| Expect::Generation(found.generation)),
                tokens: Some(tokens.clone()),
            };
            match inner.records.save(&slot).await {
                Ok(_) => return Ok(()),
                Err(SaveError::Conflict) => {}
                Err(SaveError::Failed(error)) => match pauses.next() {
                    Some(pause) => inner.sleeper.sleep(*pause).await,
                    None => return Err(error),
                },
            }
        }
    }

    /// What waits for an owner by a consent until then is of no use any more. A row that stays is tried once more and
    /// then goes.
    pub(crate) async fn forget_unfinished(&self, owner: &OwnerId, granted_until: Timestamp) {
        let id = self.unfinished_id(owner);
        let found = self.inner.records.load(&id).await;
        let waiting = found.ok().flatten().and_then(|slot| slot.tokens);
        if waiting.is_some_and(|tokens| tokens.granted_at > granted_until) {
            return;
        }
        if let Err(error) = self.inner.records.store.delete(&id).await {
            tracing::warn!(owner = %owner, error = &error as &dyn std::error::Error,
                "an unfinished connect was not removed");
        }
    }

    fn unfinished_id(&self, owner: &OwnerId) -> ConnectionId {
        let mut id = digest(&["unfinished", owner.as_str(), self.inner.records.app()]);
        id.truncate(32);
        ConnectionId::new(format!("unfinished-{id}"))
    }
}
