//! Grants whose user Zoom has not named yet. Their tokens wait, sealed, in a record of the owner's that is no connection.

use token_store::{ConnectionId, Expect, Holder, LockKey, OwnerId, RecordKind, Status, StoredConnection};

use crate::{
    Connection, Connections, Error, ErrorKind, attributes,
    detached::detached,
    digest::digest,
    exchange::{ExchangeError, Granted},
    records::{SaveError, Slot},
    state::Terms,
    tokens::Tokens,
};

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
            let (key, holder) = (LockKey::connection(&id), Holder::random()?);
            this.lease(&key, &holder).await?;
            let finished = this.finish_leased(&id).await;
            if let Err(error) = this.inner.lock.release(&key, &holder).await {
                tracing::warn!(%key, error = &error as &dyn std::error::Error,
                    "a lease was not given back; it ends by time");
            }
            finished
        })
        .await
    }

    async fn finish_leased(&self, id: &ConnectionId) -> Result<Option<Connection>, Error> {
        let Some(slot) = self.inner.records.load(id).await? else {
            return Ok(None);
        };
        // Left meanwhile: what there was is given back already.
        if slot.record.status != Status::Pending {
            self.forget_unfinished(&slot.record.owner).await;
            return Ok(None);
        }
        let terms = Terms {
            owner: slot.record.owner.clone(),
            opened_by: attributes::opened_by(&slot.record).map(str::to_owned),
            switch_user: attributes::flag(&slot.record, attributes::SWITCH_USER).unwrap_or(false),
        };
        let granted_at = slot.tokens.as_ref().map(|tokens| tokens.granted_at);
        let granted = self.renewed(slot).await?;
        let granted_at = granted_at.unwrap_or_else(|| self.inner.clock.now());
        match self.look_at(&granted).await {
            Ok(look) => {
                let settled = self.settle(terms.clone(), granted, granted_at, &look).await;
                // Refused for good, and given back. Anything else is tried again.
                if let Err(error) = &settled
                    && matches!(error.kind(), ErrorKind::AnotherUser | ErrorKind::AdminRequired)
                {
                    self.forget_unfinished(&terms.owner).await;
                }
                settled.map(Some)
            }
            Err(error) => {
                if !error.is_retryable() {
                    self.forget_unfinished(&terms.owner).await;
                }
                Err(error.into())
            }
        }
    }

    /// The waiting tokens, refreshed if they have to be. New ones are saved before they are used.
    async fn renewed(&self, mut slot: Slot) -> Result<Granted, Error> {
        let inner = &self.inner;
        let gone = || Error::new(ErrorKind::NotConnected);
        let Some(tokens) = slot.tokens.take() else {
            return Err(gone());
        };
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
        let Some(refresh) = &tokens.refresh else {
            self.forget_unfinished(&slot.record.owner).await;
            return Err(gone());
        };
        let granted = match inner.exchange.refresh(refresh).await {
            Ok(granted) => granted,
            Err(error) => {
                if matches!(error, ExchangeError::Dead(_)) {
                    self.forget_unfinished(&slot.record.owner).await;
                }
                return Err(error.into_error());
            }
        };
        slot.tokens = Some(Tokens {
            access: granted.access.clone(),
            refresh: granted.refresh.clone().or_else(|| tokens.refresh.clone()),
            expires_at: granted.expires_at,
            granted_at: tokens.granted_at,
        });
        slot.record.expires_at = Some(granted.expires_at);
        inner.records.save(&slot).await?;
        Ok(granted)
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
        let tokens = Tokens {
            access: granted.access.clone(),
            refresh: granted.refresh.clone(),
            expires_at: granted.expires_at,
            granted_at: now,
        };
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
                Err(SaveError::Failed(error)) => return Err(error),
            }
        }
    }

    /// What waits for an owner is of no use any more. A row that stays is tried once more and then goes.
    pub(crate) async fn forget_unfinished(&self, owner: &OwnerId) {
        let id = self.unfinished_id(owner);
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
