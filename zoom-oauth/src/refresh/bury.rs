//! Zoom says that a refresh token is dead: somebody else was faster, or the connection is over.

use std::time::Duration;

use token_store::ConnectionId;

use super::{
    Outcome, Refresher,
    intent::{Doubt, Intent, Standing},
    live,
    turn::{LONGEST_WAIT, pause},
};
use crate::{
    Cause, Error, ErrorKind,
    life::{self, Turn},
    records::SaveError,
    refusal::Refusal,
    tokens::RefreshToken,
};

impl Refresher {
    pub(super) async fn bury(
        &self,
        id: &ConnectionId,
        used: Option<&RefreshToken>,
        refusal: Option<&Refusal>,
        doubt: Option<Doubt>,
    ) -> Outcome {
        let mut waited = Duration::ZERO;
        loop {
            let Some(mut slot) = self.records.load(id).await? else {
                return Err(Error::new(ErrorKind::NotConnected));
            };
            live(&slot.record)?;
            if slot
                .tokens
                .as_ref()
                .is_some_and(|tokens| !tokens.same_refresh(used))
            {
                tracing::debug!(connection = %id, "another process's tokens are adopted");
                let token = self.usable(Some(&slot), None)?;
                return token.ok_or_else(|| Error::unavailable("the adopted token has run out"));
            }
            // Our lease ran out, and whoever came after us has spent the token: what it brought is on its way.
            if self.standing(&slot) == Standing::Taken {
                if waited > LONGEST_WAIT {
                    return Err(Error::unavailable("another process is refreshing"));
                }
                let pause = pause(waited);
                self.sleeper.sleep(pause).await;
                waited += pause;
                continue;
            }
            let cause = cause(used, refusal, doubt);
            slot.tokens = None;
            slot.record.expires_at = None;
            Intent::clear(&mut slot.record);
            let turn = Turn::Died(cause.clone());
            let change = life::turn(&mut slot.record, &turn, self.clock.now());
            match self.records.save(&slot).await {
                Ok(_) => {
                    if let Some(kind) = change.and_then(|change| change.told) {
                        self.announcer.announce(&slot.record, kind).await;
                    }
                    return Err(Error::with_code(
                        ErrorKind::Expired,
                        Some(cause.as_str().to_owned()),
                    ));
                }
                Err(SaveError::Conflict) => {}
                Err(SaveError::Failed(error)) => return Err(error),
            }
        }
    }
}

/// What Zoom says decides, if it says more than that the token is not the newest: of that we may know more.
fn cause(used: Option<&RefreshToken>, refusal: Option<&Refusal>, doubt: Option<Doubt>) -> Cause {
    let (Some(_), Some(refusal)) = (used, refusal) else {
        return Cause::NoRefreshToken;
    };
    let said = Cause::from_zoom(
        refusal.status,
        refusal.error.as_deref(),
        refusal.number.map(i64::from),
    );
    match (&said, doubt) {
        (Cause::InvalidGrant | Cause::TokenUnknown | Cause::TokenOutdated, Some(doubt)) => doubt.cause(),
        _ => said,
    }
}
