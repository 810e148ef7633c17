//! New tokens get into the store, or stay in memory until they do.

use std::{sync::Arc, time::Duration};

use token_store::{Expect, Status};
use url::Url;

use super::{EARLY, Grant, Outcome, Refresher, good_for, intent::Intent, turn::Lease, unsaved::Unsaved};
use crate::{
    Error, ErrorKind, EventKind, attributes,
    life::{self, Turn},
    records::{SaveError, Slot},
    tokens::{RefreshToken, Tokens},
};

/// The pauses between saves that failed.
pub(crate) const PAUSES: [Duration; 5] = [
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
];
/// So many conflicts in a row are bad luck; a store that has more for us fails.
const CONFLICTS: u32 = 20;

/// What an exchange brought. From here on it must not get lost.
#[derive(Debug)]
pub(super) struct Fresh {
    pub(super) tokens: Tokens,
    /// Empty if Zoom did not say.
    pub(super) scopes: Vec<String>,
    pub(super) api_url: Option<Url>,
    /// The refresh token that was used up for it.
    pub(super) used: Option<RefreshToken>,
}

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
    /// Saves what Zoom has just given over `slot`, trying again after each of the pauses.
    pub(super) async fn keep(
        self: &Arc<Self>,
        mut slot: Slot,
        fresh: Fresh,
        lease: Lease,
        pauses: &[Duration],
    ) -> Outcome {
        let (mut pauses, mut conflicts) = (pauses.iter(), 0);
        let outcome = loop {
            let mut renewed = slot.clone();
            let told = self.renew(&mut renewed, &fresh);
            let ticket = self.records.cache.ticket();
            let failure = match self.records.save(&renewed).await {
                Ok(_) => {
                    self.remember(&renewed, ticket.after_own_save());
                    if let Some(kind) = told {
                        self.announcer.announce(&renewed.record, kind).await;
                    }
                    break Ok(fresh.tokens.access);
                }
                Err(SaveError::Conflict) => match self.look_again(&slot, &fresh).await {
                    Ok(Found::Older(found)) => {
                        slot = *found;
                        conflicts += 1;
                        if conflicts < CONFLICTS {
                            continue;
                        }
                        Error::unavailable("the record changes all the time")
                    }
                    Ok(Found::Others(found)) => {
                        tracing::debug!(connection = %found.record.id, "another process's tokens are adopted");
                        let adopted = good_for(&found, None, EARLY, self.clock.now());
                        break adopted.ok_or_else(|| Error::unavailable("the adopted token has run out"));
                    }
                    Ok(Found::Gone) => {
                        self.give_back(&slot, &fresh).await;
                        break Err(Error::new(ErrorKind::NotConnected));
                    }
                    Err(error) => error,
                },
                Err(SaveError::Failed(error)) => error,
            };
            let Some(pause) = pauses.next() else {
                let error = Error::with_source(ErrorKind::NotSaved, failure);
                tracing::error!(connection = %slot.record.id,
                    "new tokens are not saved; they are kept in memory");
                self.hold(Unsaved { slot, fresh, lease });
                return Err(error);
            };
            self.sleeper.sleep(*pause).await;
        };
        self.release(lease).await;
        outcome
    }

    /// Everything that new tokens change in a record; what is to be told of it when it is saved.
    fn renew(&self, slot: &mut Slot, fresh: &Fresh) -> Option<EventKind> {
        let (record, now) = (&mut slot.record, self.clock.now());
        if !fresh.scopes.is_empty() {
            record.scopes.clone_from(&fresh.scopes);
        }
        record.expires_at = Some(fresh.tokens.expires_at);
        attributes::set_api_url(record, fresh.api_url.as_ref());
        attributes::set_refreshed_at(record, now);
        Intent::clear(record);
        slot.tokens = Some(fresh.tokens.clone());
        life::turn(record, &Turn::Refreshed, now).and_then(|change| change.told)
    }

    async fn look_again(&self, ours: &Slot, fresh: &Fresh) -> Result<Found, Error> {
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
            (Grant::User(_), Some(tokens)) => !tokens.same_refresh(fresh.used.as_ref()),
            // Where an account has one token at a time, the one that was had last lives.
            (Grant::Account(_), Some(tokens)) => tokens.expires_at >= fresh.tokens.expires_at,
        };
        Ok(if others {
            Found::Others(Box::new(found))
        } else {
            Found::Older(Box::new(found))
        })
    }

    /// Tokens of an owner who has left while they were on their way. Nobody else who lives on the same grant is logged
    /// out for that, nor because we cannot look.
    async fn give_back(&self, slot: &Slot, fresh: &Fresh) {
        let Grant::User(exchange) = &self.grant else {
            return;
        };
        let record = &slot.record;
        let (Some(account), Some(user)) = (&record.provider_account, &record.provider_user) else {
            return;
        };
        if !matches!(self.records.is_lived_on(account, user).await, Ok(false)) {
            return;
        }
        if exchange.revoke(&fresh.tokens.access).await.is_err() {
            tracing::warn!(connection = %record.id, "a token that nobody wants any more was not revoked");
        }
    }
}
