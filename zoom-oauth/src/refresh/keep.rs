//! New tokens get into the store, or stay in memory until they do.

use std::time::Duration;

use token_store::{ConnectionId, Expect, Holder, LockKey, Status};

use super::{EARLY, Grant, Outcome, Refresher, Unsaved, good_for};
use crate::{
    Error, ErrorKind, attributes,
    life::{self, Turn},
    records::{SaveError, Slot},
    tokens::{RefreshToken, Tokens},
};

/// The pauses between saves that failed.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

/// What the store has instead of what we meant to replace.
enum Found {
    /// Still the tokens that ours were had for, or none: ours are newer.
    Older(Box<Slot>),
    /// Tokens of somebody else's.
    Others(Box<Slot>),
    /// The owner has left meanwhile.
    Gone,
}

impl Refresher {
    /// Saves the slot, whose tokens Zoom has just given for `used`. From here on they must not get lost.
    pub(super) async fn keep(&self, mut slot: Slot, used: Option<RefreshToken>, holder: &Holder) -> Outcome {
        let Some(tokens) = slot.tokens.clone() else {
            return Err(Error::unavailable("there are no tokens to keep"));
        };
        let id = slot.record.id.clone();
        let mut pauses = PAUSES.iter();
        loop {
            let now = self.clock.now();
            let mut renewed = slot.clone();
            renewed.record.expires_at = Some(tokens.expires_at);
            attributes::set_refreshed_at(&mut renewed.record, now);
            let told = life::turn(&mut renewed.record, &Turn::Refreshed, now).and_then(|change| change.told);
            let ticket = self.records.cache.ticket();
            let failure = match self.records.save(&renewed).await {
                Ok(_) => {
                    self.remember(&renewed, ticket.after_own_save());
                    if let Some(kind) = told {
                        self.announcer.announce(&renewed.record, kind).await;
                    }
                    return Ok(tokens.access);
                }
                Err(SaveError::Conflict) => match self.look_again(&slot, used.as_ref()).await {
                    Ok(Found::Older(found)) => {
                        let scopes = std::mem::take(&mut slot.record.scopes);
                        slot = Slot {
                            tokens: slot.tokens,
                            ..*found
                        };
                        slot.record.scopes = scopes;
                        continue;
                    }
                    Ok(Found::Others(found)) => {
                        tracing::debug!(connection = %id, "another process's tokens are adopted");
                        let adopted = good_for(&found, None, EARLY, self.clock.now());
                        return adopted.ok_or_else(|| Error::unavailable("the adopted token has run out"));
                    }
                    Ok(Found::Gone) => {
                        self.give_back(&slot).await;
                        return Err(Error::new(ErrorKind::NotConnected));
                    }
                    Err(error) => error,
                },
                Err(SaveError::Failed(error)) => error,
            };
            let Some(pause) = pauses.next() else {
                let error = Error::with_source(ErrorKind::NotSaved, failure);
                tracing::error!(connection = %id, "new tokens are not saved; they are kept in memory");
                self.unsaved().insert(
                    id,
                    Unsaved {
                        slot,
                        used,
                        holder: holder.clone(),
                    },
                );
                return Err(error);
            };
            self.sleeper.sleep(*pause).await;
        }
    }

    /// Another attempt at tokens that were not saved.
    pub(super) async fn settle(&self, unsaved: Unsaved) -> Outcome {
        let Unsaved { slot, used, holder } = unsaved;
        let key = LockKey::connection(&slot.record.id);
        let id = slot.record.id.clone();
        let outcome = self.keep(slot, used, &holder).await;
        if !self.has_unsaved(&id) {
            self.release(&key, &holder).await;
        }
        outcome
    }

    async fn look_again(&self, ours: &Slot, used: Option<&RefreshToken>) -> Result<Found, Error> {
        let Some(found) = self.records.load(&ours.record.id).await? else {
            return Ok(match self.grant {
                Grant::User(_) => Found::Gone,
                Grant::Account(_) => Found::Older(Box::new(Slot {
                    expect: Expect::Absent,
                    ..ours.clone()
                })),
            });
        };
        if found.record.status == Status::Disconnected {
            return Ok(Found::Gone);
        }
        let others = match (&self.grant, &found.tokens) {
            // Buried by somebody who tried the token that we had used up: ours live.
            (_, None) => false,
            (Grant::User(_), Some(tokens)) => !tokens.same_refresh(used),
            (Grant::Account(_), Some(_)) => good_for(&found, None, EARLY, self.clock.now()).is_some(),
        };
        Ok(if others {
            Found::Others(Box::new(found))
        } else {
            Found::Older(Box::new(found))
        })
    }

    /// Tokens of an owner who has left while they were on their way.
    async fn give_back(&self, slot: &Slot) {
        if let (Grant::User(exchange), Some(tokens)) = (&self.grant, &slot.tokens)
            && exchange.revoke(&tokens.access).await.is_err()
        {
            tracing::warn!(connection = %slot.record.id, "a token that nobody wants any more was not revoked");
        }
    }

    /// Takes the tokens that are only in memory, for an owner who leaves.
    pub(crate) fn forget(&self, id: &ConnectionId) -> Option<Tokens> {
        self.take_unsaved(id).and_then(|unsaved| unsaved.slot.tokens)
    }
}
