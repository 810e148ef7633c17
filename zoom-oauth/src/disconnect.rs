use jiff::Timestamp;
use serde::Serialize;
use token_store::{Expect, Filter, OwnerId, RecordKind, Status, StoredConnection, Versioned};
use zoom_core::{AccountId, UserId};

use crate::{
    Connections, Error, Revoked,
    detached::detached,
    life::{self, Turn},
    records::{SaveError, Slot},
    revocation::LeftGrant,
    state::forget_started,
    tokens::Tokens,
};

/// What a disconnect did. The tokens are gone from the store in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Disconnected {
    /// What became of the grant at Zoom.
    pub revoked: Revoked,
}

impl Disconnected {
    /// Whether Zoom has ended the grant. If not, and there was one, the user can remove the app in Zoom's Marketplace.
    #[must_use]
    pub fn is_revoked(&self) -> bool {
        self.revoked == Revoked::Yes
    }
}

/// What an erasure did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Erased {
    /// What became of the grant at Zoom.
    pub revoked: Revoked,
    /// How many records are gone.
    pub records: usize,
    /// How many entries of the history are gone.
    pub entries: u64,
}

impl Connections {
    /// Leaves: the tokens are deleted at once, whether Zoom answers or not, and then revoked at Zoom, in the
    /// background if Zoom is down. The record stays as history, without tokens. Disconnecting twice, or an owner who
    /// never connected, is fine.
    ///
    /// Zoom knows one grant for each user and app. While another owner's connection lives on the same one, it is not
    /// revoked: that would log them out.
    ///
    /// Once begun, it goes to its end even if the caller goes away.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`](crate::ErrorKind::Storage) when the tokens could not be deleted: try again.
    pub async fn disconnect(&self, owner: &OwnerId) -> Result<Disconnected, Error> {
        let (this, owner) = (self.clone(), owner.clone());
        detached(async move {
            let revoked = this.leave_all(&owner).await?;
            Ok(Disconnected { revoked })
        })
        .await
    }

    /// Forgets an owner for good: disconnects, and deletes their connections, what they have begun to connect or to
    /// install, and their whole history. Nothing is left to show or to find again. Erasing twice is fine.
    ///
    /// The history is erased for all apps that share it; of an app's records only those of this one are. A host with
    /// several apps asks each.
    ///
    /// Once begun, it goes to its end even if the caller goes away.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`](crate::ErrorKind::Storage) when something could not be deleted: try again.
    pub async fn erase(&self, owner: &OwnerId) -> Result<Erased, Error> {
        let (this, owner) = (self.clone(), owner.clone());
        detached(async move {
            let mut revoked = this.leave_all(&owner).await?;
            let (waiting, installations) = this.leave_installations(&owner).await?;
            for grant in waiting {
                revoked = revoked.max(this.end_grant(grant).await);
            }
            let mut records = installations;
            // Not every kind: an app's own token is nobody's, whatever the host calls its owners.
            for kind in [RecordKind::Authorization, RecordKind::Connection] {
                let filter = Filter::all().kind(kind).owner(owner.clone());
                records += this.delete_all(&filter, Timestamp::MAX).await?;
            }
            let entries = match this.inner.announcer.history() {
                Some(history) => history.erase(&owner).await?,
                None => 0,
            };
            Ok(Erased {
                revoked,
                records,
                entries,
            })
        })
        .await
    }

    /// Zoom says that a user has removed the app (`app_deauthorized`): all tokens of theirs are deleted at once, and
    /// what they have begun and not finished is, too. Returns how many connections that ended.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`](crate::ErrorKind::Storage): try again.
    pub async fn deauthorize(&self, account: &AccountId, user: &UserId) -> Result<usize, Error> {
        self.deauthorize_at(account, user, Timestamp::MAX).await
    }

    /// The same for news that may be late, with the time they are of: a user who removed the app and has consented
    /// again since keeps the new connection, and one who is about to may go on.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`](crate::ErrorKind::Storage); [`ErrorKind::Vault`](crate::ErrorKind::Vault) when the keys'
    /// home does not answer, as only the sealed part tells when the user consented: try again.
    pub async fn deauthorize_at(
        &self,
        account: &AccountId,
        user: &UserId,
        at: Timestamp,
    ) -> Result<usize, Error> {
        let parked = Filter::all()
            .kind(RecordKind::Installation)
            .provider_account(account.as_str())
            .provider_user(user.as_str());
        self.delete_all(&parked, at).await?;
        let mut ended = 0;
        for found in self.records_of_zoom(account, Some(user)).await? {
            if found.value.status == Status::Disconnected || self.is_consent_after(&found.value, at).await? {
                continue;
            }
            let started = Filter::all()
                .kind(RecordKind::Authorization)
                .owner(found.value.owner.clone());
            self.delete_all(&started, at).await?;
            self.leave(found, &Turn::Removed).await?;
            ended += 1;
        }
        Ok(ended)
    }

    /// Whether the user consented to this connection after that time.
    async fn is_consent_after(&self, record: &StoredConnection, at: Timestamp) -> Result<bool, Error> {
        if at == Timestamp::MAX {
            return Ok(false);
        }
        match self.inner.records.load(&record.id).await {
            Ok(slot) => Ok(slot
                .and_then(|slot| slot.tokens)
                .is_some_and(|tokens| tokens.granted_at > at)),
            Err(error) if error.is_retryable() => Err(error),
            // Tokens that cannot be opened are of no use; they go, too.
            Err(_) => Ok(false),
        }
    }

    /// Deletes records that match and were made until then; returns how many.
    async fn delete_all(&self, filter: &Filter, until: Timestamp) -> Result<usize, Error> {
        let mut deleted = 0;
        for found in self.inner.records.find(filter).await? {
            if found.value.created_at <= until {
                self.inner.records.delete(&found.value.id).await?;
                self.inner.refresher.forget(&found.value.id).await;
                deleted += 1;
            }
        }
        Ok(deleted)
    }

    /// Leaves everything that an owner has connected or begun to.
    async fn leave_all(&self, owner: &OwnerId) -> Result<Revoked, Error> {
        forget_started(&self.inner.records, owner, None).await?;
        let mut left = Vec::new();
        for found in self.records_of_owner(owner).await? {
            let record = found.value.clone();
            if let Some(tokens) = self.leave(found, &Turn::Left).await? {
                left.push(LeftGrant::new(&record, tokens));
            }
            // A connect that Zoom never put a name to is no history.
            if record.provider_user.is_none() {
                self.inner.records.delete(&record.id).await?;
            }
        }
        // Only now: all tokens have left the store, however long Zoom takes.
        let mut revoked = Revoked::Nothing;
        for grant in left {
            revoked = revoked.max(self.end_grant(grant).await);
        }
        Ok(revoked)
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
            let expect = Expect::Generation(found.generation);
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
        Ok(inner.refresher.forget(&id).await.or(tokens))
    }
}
