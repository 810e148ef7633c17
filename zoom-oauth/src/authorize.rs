use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use oauth2::PkceCodeVerifier;
use serde::{Deserialize, Serialize};
use token_store::{ConnectionId, Expect, Filter, OwnerId, RecordKind, Status, StoreError, StoredConnection};
use url::Url;
use zeroize::Zeroizing;

use crate::{Connections, Error, ErrorKind, digest::digest, records::Records, tokens::same};

const STARTED: &str = "authorization";

/// What ties a started connect to one browser, so that nobody finishes what somebody else has begun: the session's id
/// or CSRF secret, as the host has it in its cookie. Only a hash of it is kept.
#[derive(Clone)]
pub struct SessionBinding {
    hash: String,
    owner: Option<OwnerId>,
}

impl SessionBinding {
    /// Takes a text that only this browser session can present again.
    #[must_use]
    pub fn new(session_secret: impl AsRef<str>) -> Self {
        Self {
            hash: digest(&["session", session_secret.as_ref()]),
            owner: None,
        }
    }

    /// Says who is signed in when the callback arrives, so that a state of another owner is refused even within the
    /// same browser.
    #[must_use]
    pub fn with_owner(mut self, owner: OwnerId) -> Self {
        self.owner = Some(owner);
        self
    }
}

impl fmt::Debug for SessionBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionBinding")
            .field("owner", &self.owner)
            .finish_non_exhaustive()
    }
}

/// A connect to be started: for whom, in which browser, and what the host wants to say about it.
#[derive(Clone, Debug)]
pub struct AuthorizeRequest {
    owner: OwnerId,
    session: SessionBinding,
    opened_by: Option<String>,
    switch_user: bool,
}

impl AuthorizeRequest {
    /// For an owner, in the browser that must bring the callback.
    #[must_use]
    pub fn new(owner: &OwnerId, session: &SessionBinding) -> Self {
        Self {
            owner: owner.clone(),
            session: session.clone(),
            opened_by: None,
            switch_user: false,
        }
    }

    /// Says who at the host presses Connect, by the host's own name for them. It is kept with the connection, readable
    /// to anybody with the database.
    #[must_use]
    pub fn opened_by(mut self, user: impl Into<String>) -> Self {
        self.opened_by = Some(user.into());
        self
    }

    /// Lets the owner come back as another Zoom user than the one that is connected now.
    #[must_use]
    pub fn allow_another_user(mut self) -> Self {
        self.switch_user = true;
        self
    }
}

/// A connect that was started: where to send the browser.
#[derive(Clone)]
#[non_exhaustive]
pub struct Authorization {
    /// Zoom's consent page.
    pub url: Url,
    /// What comes back with the callback, once. It is in the URL already.
    pub state: String,
    /// When it is too late to come back.
    pub expires_at: Timestamp,
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorization")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// The sealed part of a started connect.
#[derive(Serialize, Deserialize)]
struct Started {
    verifier: String,
    session: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    opened_by: Option<String>,
    #[serde(default)]
    switch_user: bool,
}

/// Whose a connect is, and what the host said about it when it began.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) owner: OwnerId,
    pub(crate) opened_by: Option<String>,
    /// Whether the owner may come back as another Zoom user.
    #[expect(dead_code, reason = "the check is about to ask")]
    pub(crate) switch_user: bool,
}

/// What the callback of a started connect needs.
pub(crate) struct Consumed {
    pub(crate) terms: Terms,
    pub(crate) verifier: Zeroizing<String>,
}

impl Connections {
    /// Starts a connect for an owner: keeps a one-time state under its hash, and returns the address of Zoom's consent
    /// page. `session` is the browser that must bring the callback.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`], [`ErrorKind::Vault`].
    pub async fn authorize(&self, owner: &OwnerId, session: &SessionBinding) -> Result<Authorization, Error> {
        self.authorize_with(&AuthorizeRequest::new(owner, session)).await
    }

    /// The same, with what the host wants to say about it.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`], [`ErrorKind::Vault`].
    pub async fn authorize_with(&self, request: &AuthorizeRequest) -> Result<Authorization, Error> {
        let (owner, session) = (&request.owner, &request.session);
        if session.owner.as_ref().is_some_and(|signed_in| signed_in != owner) {
            return Err(Error::new(ErrorKind::ForeignSession));
        }
        let inner = &self.inner;
        let now = inner.clock.now();
        forget_started(&inner.records, owner, Some(now)).await?;
        let state = random_text()?;
        let verifier = random_text()?;
        let expires_at = now
            .checked_add(inner.state_lifetime)
            .map_err(|_| Error::invalid_config("the lifetime of a state is out of range"))?;
        let mut record = StoredConnection::new(
            state_id(&state),
            owner.clone(),
            RecordKind::Authorization,
            Status::Pending,
            now,
        );
        record.expires_at = Some(expires_at);
        inner.records.sign(&mut record);
        let started = Started {
            verifier: verifier.clone(),
            session: session.hash.clone(),
            opened_by: request.opened_by.clone(),
            switch_user: request.switch_user,
        };
        let secret = Zeroizing::new(serde_json::to_vec(&started).map_err(|_| broken())?);
        inner
            .records
            .save_sealed(record, STARTED, &secret, Expect::Absent)
            .await?;
        let url = inner
            .exchange
            .authorize_url(&state, &PkceCodeVerifier::new(verifier));
        Ok(Authorization {
            url,
            state,
            expires_at,
        })
    }

    /// Uses a state up. Of many who bring the same one, one gets it.
    pub(crate) async fn consume(&self, state: &str, session: &SessionBinding) -> Result<Consumed, Error> {
        let inner = &self.inner;
        let id = state_id(state);
        let unknown = || Error::new(ErrorKind::UnknownState);
        let found = inner.records.store.load(&id).await?.ok_or_else(unknown)?;
        let record = &found.value;
        let waits = record.kind == RecordKind::Authorization && record.status == Status::Pending;
        if !(waits && inner.records.is_ours(record)) {
            return Err(unknown());
        }
        if record.expires_at.is_none_or(|at| at <= inner.clock.now()) {
            remove(&inner.records, &id).await;
            return Err(Error::new(ErrorKind::ExpiredState));
        }
        let secret = inner.records.open(&found, STARTED).await?.ok_or_else(unknown)?;
        let started: Started = serde_json::from_slice(&secret).map_err(|_| broken())?;
        // A foreign session does not use it up: its rightful owner may still come.
        let wrong_owner = session.owner.as_ref().is_some_and(|owner| *owner != record.owner);
        if wrong_owner || !same(&started.session, &session.hash) {
            return Err(Error::new(ErrorKind::ForeignSession));
        }
        let mut used = record.clone();
        used.status = Status::Disconnected;
        used.sealed = None;
        match inner
            .records
            .store
            .save(&used, Expect::Generation(found.generation))
            .await
        {
            Ok(_) => remove(&inner.records, &id).await,
            Err(StoreError::Conflict) => return Err(unknown()),
            Err(error) => return Err(error.into()),
        }
        Ok(Consumed {
            terms: Terms {
                owner: used.owner,
                opened_by: started.opened_by,
                switch_user: started.switch_user,
            },
            verifier: Zeroizing::new(started.verifier),
        })
    }
}

/// Forgets an owner's started connects: all of them, or those that have run out.
pub(crate) async fn forget_started(
    records: &Records,
    owner: &OwnerId,
    run_out_by: Option<Timestamp>,
) -> Result<(), Error> {
    let mut filter = Filter::all().kind(RecordKind::Authorization).owner(owner.clone());
    if let Some(now) = run_out_by {
        filter = filter.expires_before(now);
    }
    for found in records.find(&filter).await? {
        records.store.delete(&found.value.id).await?;
    }
    Ok(())
}

/// A used-up state is of no use to anybody; that its row is still there costs only space.
async fn remove(records: &Records, id: &ConnectionId) {
    if let Err(error) = records.store.delete(id).await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "a used-up state was not removed"
        );
    }
}

/// The store learns a hash of the state: whoever reads the store cannot make a callback.
fn state_id(state: &str) -> ConnectionId {
    ConnectionId::new(format!("state-{}", digest(&["state", state])))
}

pub(crate) fn random_text() -> Result<String, Error> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut()).map_err(|_| StoreError::Random)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes.as_ref()))
}

fn broken() -> Error {
    Error::with_source(ErrorKind::Vault, "the sealed part is not a started connect")
}
