//! One refresh from beginning to end.

use std::{sync::Arc, time::Duration};

use token_store::{ConnectionId, Expect, OwnerId, RecordKind, Status, StoredConnection};
use zoom_core::AccessToken;

use super::{
    Grant, Outcome, Refresher,
    intent::{Doubt, Intent},
    keep::{self, Fresh},
    turn::{Lease, Whose},
};
use crate::{
    Error,
    exchange::{ExchangeError, Granted},
    records::{SaveError, Slot},
    refusal::Refusal,
    tokens::{RefreshToken, Tokens},
};

const BEFORE_SECOND_TRY: Duration = Duration::from_millis(250);
/// So often others may change a record before we give up on writing on it.
const CONFLICTS: u32 = 20;

/// What became of an exchange that brought nothing.
struct Failure {
    kind: FailureKind,
    /// Zoom may have done it without our hearing of it.
    lost: bool,
}

enum FailureKind {
    /// The refresh token is of no use any more.
    Dead(Option<Refusal>),
    Other(Error),
}

impl Refresher {
    /// In a task of its own.
    pub(super) async fn refresh(
        self: &Arc<Self>,
        id: &ConnectionId,
        refused: Option<&AccessToken>,
    ) -> Outcome {
        if let Some(unsaved) = self.take_unsaved(id) {
            return self.settle(unsaved).await;
        }
        if let Some(token) = self.look(id, refused).await? {
            return Ok(token);
        }
        let mut lease = Lease::of(id)?;
        match self.spend(id, &mut lease, refused).await {
            Ok((slot, fresh)) => self.keep(slot, fresh, lease, &keep::PAUSES).await,
            Err(outcome) => {
                self.release(lease).await;
                outcome
            }
        }
    }

    /// New tokens for the record; `Err` with what callers get where there are none to keep.
    async fn spend(
        &self,
        id: &ConnectionId,
        lease: &mut Lease,
        refused: Option<&AccessToken>,
    ) -> Result<(Slot, Fresh), Outcome> {
        let (slot, doubt) = match self.declared(id, lease, refused).await {
            Ok(Whose::Ours { slot, doubt }) => (*slot, doubt),
            Ok(Whose::Nobodys(token)) => return Err(Ok(token)),
            Err(error) => return Err(Err(error)),
        };
        let used = slot.tokens.as_ref().and_then(|tokens| tokens.refresh.clone());
        match self.exchange(used.as_ref()).await {
            Ok(granted) => {
                tracing::debug!(connection = %id, token = %granted.access.fingerprint(), "refreshed");
                let fresh = self.fresh(&slot, used, granted);
                Ok((slot, fresh))
            }
            Err(Failure { kind, lost }) => {
                let doubt = doubt.or(lost.then_some(Doubt::AnswerLost));
                Err(match kind {
                    FailureKind::Dead(refusal) => self.bury(id, used.as_ref(), refusal.as_ref(), doubt).await,
                    FailureKind::Other(error) => {
                        self.stand_down(slot, doubt).await;
                        Err(error)
                    }
                })
            }
        }
    }

    /// Our turn, with our intent on the record.
    async fn declared(
        &self,
        id: &ConnectionId,
        lease: &mut Lease,
        refused: Option<&AccessToken>,
    ) -> Result<Whose, Error> {
        for _ in 0..CONFLICTS {
            let (mut slot, doubt) = match self.turn(id, lease, refused).await? {
                Whose::Ours { slot, doubt } => (slot, doubt),
                Whose::Nobodys(token) => return Ok(Whose::Nobodys(token)),
            };
            let now = self.clock.now();
            Intent::declare(&mut slot.record, slot.tokens.as_ref(), &self.process, doubt, now);
            match self.records.save(&slot).await {
                Ok(generation) => {
                    slot.expect = Expect::Generation(generation);
                    return Ok(Whose::Ours { slot, doubt });
                }
                // Somebody was faster, with this or with something else.
                Err(SaveError::Conflict) => {}
                Err(SaveError::Failed(error)) => return Err(error),
            }
        }
        Err(Error::unavailable("the record changes all the time"))
    }

    /// The exchange brought nothing, and nobody is at it any more.
    async fn stand_down(&self, mut slot: Slot, doubt: Option<Doubt>) {
        let id = slot.record.id.clone();
        for _ in 0..CONFLICTS {
            let now = self.clock.now();
            Intent::stand_down(&mut slot.record, slot.tokens.as_ref(), doubt, now);
            match self.records.save(&slot).await {
                Ok(_) => return,
                Err(SaveError::Conflict) => match self.records.load(&id).await {
                    Ok(Some(found)) if self.is_ours(&found) => slot = found,
                    Ok(_) => return,
                    Err(error) => return stays(&id, &error),
                },
                Err(SaveError::Failed(error)) => return stays(&id, &error),
            }
        }
    }

    /// Whether the record still says that we are at it.
    fn is_ours(&self, slot: &Slot) -> bool {
        Intent::read(&slot.record, slot.tokens.as_ref()).is_some_and(|intent| intent.is_by(&self.process))
    }

    fn fresh(&self, slot: &Slot, used: Option<RefreshToken>, granted: Granted) -> Fresh {
        let consented_at = match (&self.grant, &slot.tokens) {
            (Grant::User(_), Some(tokens)) => tokens.granted_at,
            _ => self.clock.now(),
        };
        let tokens = Tokens {
            access: granted.access,
            // No new one means that the old one goes on.
            refresh: granted.refresh.or_else(|| used.clone()),
            expires_at: granted.expires_at,
            granted_at: consented_at,
        };
        Fresh {
            tokens,
            scopes: granted.scopes,
            api_url: granted.api_url,
            used,
        }
    }

    /// One exchange, and a second one if the first had no answer.
    async fn exchange(&self, refresh: Option<&RefreshToken>) -> Result<Granted, Failure> {
        let (mut tried, mut any_lost) = (false, false);
        loop {
            let result = match (&self.grant, refresh) {
                (Grant::User(exchange), Some(refresh)) => exchange.refresh(refresh).await,
                (Grant::User(_), None) => {
                    return Err(Failure {
                        kind: FailureKind::Dead(None),
                        lost: false,
                    });
                }
                (Grant::Account(exchange), _) => exchange.account().await,
            };
            let kind = match result {
                Ok(granted) => return Ok(granted),
                Err(ExchangeError::Unavailable { error, again, lost }) => {
                    any_lost |= lost;
                    if again && !tried {
                        tried = true;
                        self.sleeper.sleep(BEFORE_SECOND_TRY).await;
                        continue;
                    }
                    FailureKind::Other(error)
                }
                Err(ExchangeError::Dead(refusal)) if matches!(self.grant, Grant::User(_)) => {
                    FailureKind::Dead(Some(refusal))
                }
                Err(error) => FailureKind::Other(error.into_error()),
            };
            return Err(Failure { kind, lost: any_lost });
        }
    }

    /// What an app's own account has before its first token.
    pub(super) fn first_slot(&self, id: &ConnectionId) -> Slot {
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
}

fn stays(id: &ConnectionId, error: &Error) {
    tracing::warn!(connection = %id, error = error as &dyn std::error::Error,
        "the end of an attempt was not noted; others wait until its time is over");
}
