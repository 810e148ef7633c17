use jiff::Timestamp;
use serde::Serialize;
use token_store::{OwnerId, Status, StoredConnection, Versioned};
use zoom_core::{AccountId, UserId};

use crate::{
    Connections, Error,
    detached::detached,
    exchange::ExchangeError,
    life::{self, Turn},
    records::{SaveError, Slot},
    state::forget_started,
    tokens::Tokens,
};

/// What a disconnect did. The tokens are gone from the store in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Disconnected {
    /// Whether Zoom has ended the grant, too. If not, Zoom did not answer, or there was nothing to disconnect: the user
    /// can remove the app in Zoom's Marketplace.
    pub revoked: bool,
}

impl Connections {
    /// Leaves: the tokens are deleted at once, whether Zoom answers or not, and then revoked at Zoom. The record stays
    /// as history, without tokens. Disconnecting twice, or an owner who never connected, is fine.
    ///
    /// Once begun, it goes to its end even if the caller goes away.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`](crate::ErrorKind::Storage) when the tokens could not be deleted: try again.
    pub async fn disconnect(&self, owner: &OwnerId) -> Result<Disconnected, Error> {
        let (this, owner) = (self.clone(), owner.clone());
        detached(async move {
            forget_started(&this.inner.records, &owner, None).await?;
            let mut revoked = false;
            for found in this.records_of_owner(&owner).await? {
                if let Some(tokens) = this.leave(found, &Turn::Left).await? {
                    revoked |= this.revoke(tokens).await;
                }
            }
            Ok(Disconnected { revoked })
        })
        .await
    }

    /// Zoom says that a user has removed the app (`app_deauthorized`): all tokens of theirs are deleted at once.
    /// Returns how many connections that ended.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`](crate::ErrorKind::Storage): try again.
    pub async fn deauthorize(&self, account: &AccountId, user: &UserId) -> Result<usize, Error> {
        self.deauthorize_at(account, user, Timestamp::MAX).await
    }

    /// The same for news that may be late, with the time they are of: a user who removed the app and has consented
    /// again since keeps the new connection.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`](crate::ErrorKind::Storage): try again.
    pub async fn deauthorize_at(
        &self,
        account: &AccountId,
        user: &UserId,
        at: Timestamp,
    ) -> Result<usize, Error> {
        let mut ended = 0;
        for found in self.records_of_zoom(account, Some(user)).await? {
            // Tokens that cannot be opened are of no use; they go, too.
            let slot = self.inner.records.load(&found.value.id).await.ok().flatten();
            let since = slot.and_then(|slot| slot.tokens).map(|tokens| tokens.granted_at);
            if found.value.status != Status::Disconnected && since.is_none_or(|since| since <= at) {
                self.leave(found, &Turn::Removed).await?;
                ended += 1;
            }
        }
        Ok(ended)
    }

    /// Deletes the tokens of a record, whoever else is changing it, and returns them.
    pub(crate) async fn leave(
        &self,
        mut found: Versioned<StoredConnection>,
        turn: &Turn,
    ) -> Result<Option<Tokens>, Error> {
        let inner = &self.inner;
        let id = found.value.id.clone();
        let mut tokens = None;
        while found.value.status != Status::Disconnected {
            // A vault that cannot open them must not keep them from being deleted.
            let opened = inner.records.load(&id).await;
            tokens = opened.ok().flatten().and_then(|slot| slot.tokens).or(tokens);
            let expect = token_store::Expect::Generation(found.generation);
            let mut record = found.value;
            record.expires_at = None;
            let Some(change) = life::turn(&mut record, turn, inner.clock.now()) else {
                break;
            };
            let slot = Slot {
                record,
                expect,
                tokens: None,
            };
            match inner.records.save(&slot).await {
                Ok(_) => {
                    if let Some(kind) = change.told {
                        inner.announcer.announce(&slot.record, kind).await;
                    }
                    break;
                }
                Err(SaveError::Failed(error)) => return Err(error),
                Err(SaveError::Conflict) => match inner.records.store.load(&id).await {
                    Ok(Some(now)) => found = now,
                    Ok(None) => break,
                    Err(error) => return Err(error.into()),
                },
            }
        }
        // Those in memory are newer than those in the store.
        Ok(inner.refresher.forget(&id).or(tokens))
    }

    /// Whether the grant is over at Zoom. Zoom revokes by access token, so one that has run out is refreshed for it.
    async fn revoke(&self, tokens: Tokens) -> bool {
        let exchange = &self.inner.exchange;
        let mut access = tokens.access;
        if let (Some(refresh), true) = (&tokens.refresh, tokens.expires_at <= self.inner.clock.now()) {
            match exchange.refresh(refresh).await {
                Ok(granted) => access = granted.access,
                Err(ExchangeError::Dead(_)) => return true,
                Err(_) => return false,
            }
        }
        match exchange.revoke(&access).await {
            Ok(()) => true,
            Err(error) => {
                let error = error.into_error();
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "zoom has not revoked a token"
                );
                false
            }
        }
    }
}
