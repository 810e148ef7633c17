//! States that carry themselves.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use token_store::{ConnectionId, Generation, OwnerId, SealContext, Sealed, VaultError};
use zeroize::Zeroizing;

use super::{Started, Terms, broken, unknown};
use crate::{Connections, Error, ErrorKind, SessionBinding, digest::digest};

const FIELD: &str = "state";
/// Ours are some hundred characters; nobody needs to decode more to know that it is none.
const LONGEST: usize = 4096;

/// All of a started connect. Short names: it travels in an address.
#[derive(Serialize, Deserialize)]
struct Document {
    #[serde(rename = "o")]
    owner: OwnerId,
    #[serde(rename = "s")]
    session: String,
    #[serde(rename = "v")]
    verifier: Zeroizing<String>,
    #[serde(rename = "e")]
    expires_at: Timestamp,
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    opened_by: Option<String>,
    #[serde(rename = "u", default)]
    switch_user: bool,
}

impl Connections {
    pub(crate) async fn seal_state(&self, started: &Started) -> Result<String, Error> {
        let document = Document {
            owner: started.terms.owner.clone(),
            session: started.session.clone(),
            verifier: started.verifier.clone(),
            expires_at: started.expires_at,
            opened_by: started.terms.opened_by.clone(),
            switch_user: started.terms.switch_user,
        };
        let mut secret = Zeroizing::new(Vec::with_capacity(LONGEST));
        serde_json::to_writer(&mut *secret, &document).map_err(|_| broken())?;
        let place = self.place();
        let sealed = self.inner.records.vault.seal(&place.context(), &secret).await?;
        Ok(sealed.to_string())
    }

    pub(crate) async fn consume_sealed(
        &self,
        state: &str,
        session: &SessionBinding,
        used: &Used,
    ) -> Result<Started, Error> {
        if state.len() > LONGEST {
            return Err(unknown());
        }
        let sealed: Sealed = state.parse().map_err(|_| unknown())?;
        let place = self.place();
        let secret = match self.inner.records.vault.open(&place.context(), &sealed).await {
            Ok(secret) => secret,
            Err(error) if error.is_retryable() => return Err(error.into()),
            // Anybody can write a text that looks sealed.
            Err(VaultError::UnknownKey(key)) => {
                tracing::debug!(%key, "a state names a key that the vault does not have");
                return Err(unknown());
            }
            Err(_) => return Err(unknown()),
        };
        let document: Document = serde_json::from_slice(&secret).map_err(|_| broken())?;
        let now = self.inner.clock.now();
        if document.expires_at <= now {
            return Err(Error::new(ErrorKind::ExpiredState));
        }
        let started = Started {
            terms: Terms {
                owner: document.owner,
                opened_by: document.opened_by,
                switch_user: document.switch_user,
            },
            session: document.session,
            verifier: document.verifier,
            expires_at: document.expires_at,
        };
        started.check(session)?;
        if !used.take(&started, now) {
            return Err(unknown());
        }
        Ok(started)
    }

    /// Where a state of this app opens: not for another app, nor for other credentials of the same.
    fn place(&self) -> Place {
        let app = &self.inner.app;
        Place {
            owner: OwnerId::new("state"),
            connection: ConnectionId::new(digest(&["state", &app.name, &app.client_id])),
        }
    }
}

struct Place {
    owner: OwnerId,
    connection: ConnectionId,
}

impl Place {
    fn context(&self) -> SealContext<'_> {
        SealContext {
            owner: &self.owner,
            connection: &self.connection,
            field: FIELD,
            generation: Generation::FIRST,
        }
    }
}

/// The states that this process has taken, until they run out by themselves.
#[derive(Debug, Default)]
pub(crate) struct Used(Mutex<HashMap<String, Timestamp>>);

impl Used {
    /// By what only this state has in it, not by its text.
    fn take(&self, started: &Started, now: Timestamp) -> bool {
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        used.retain(|_, expires_at| *expires_at > now);
        let key = digest(&["used", &started.verifier]);
        used.insert(key, started.expires_at).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_forgets_a_state_when_it_has_run_out() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let started = |verifier: &str| Started {
            terms: Terms {
                owner: "rep".into(),
                opened_by: None,
                switch_user: false,
            },
            session: String::new(),
            verifier: Zeroizing::new(verifier.to_owned()),
            expires_at: at("2026-11-22T10:10:00Z"),
        };
        let used = Used::default();
        assert!(used.take(&started("one"), at("2026-11-22T10:00:00Z")));
        assert!(!used.take(&started("one"), at("2026-11-22T10:09:59Z")));
        assert!(used.take(&started("other"), at("2026-11-22T10:10:00Z")));
        assert_eq!(used.0.lock().unwrap().len(), 1);
    }
}
