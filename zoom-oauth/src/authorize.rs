use std::fmt;

use jiff::Timestamp;
use oauth2::PkceCodeVerifier;
use token_store::OwnerId;
use url::Url;
use zeroize::Zeroizing;

use crate::{
    Connections, Error, ErrorKind,
    digest::digest,
    random::random_text,
    state::{Started, States, Terms},
};

/// What ties a started connect to one browser, so that nobody finishes what somebody else has begun: the session's id
/// or CSRF secret, as the host has it in its cookie. Only a hash of it is kept.
#[derive(Clone)]
pub struct SessionBinding {
    pub(crate) hash: String,
    pub(crate) owner: Option<OwnerId>,
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
    pub(crate) owner: OwnerId,
    pub(crate) session: SessionBinding,
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

    pub(crate) fn terms(&self) -> Terms {
        Terms {
            owner: self.owner.clone(),
            opened_by: self.opened_by.clone(),
            switch_user: self.switch_user,
        }
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

impl Connections {
    /// Starts a connect for an owner: makes a [state](crate::StateKind), and returns the address of Zoom's consent page.
    /// `session` is the browser that must bring the callback.
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
        let expires_at = now
            .checked_add(inner.state_lifetime)
            .map_err(|_| Error::invalid_config("the lifetime of a state is out of range"))?;
        let started = Started {
            terms: request.terms(),
            session: session.hash.clone(),
            verifier: Zeroizing::new(random_text()?),
            expires_at,
        };
        let state = match &inner.states {
            States::Stored => self.store_state(&started).await?,
            States::Sealed(_) => self.seal_state(&started).await?,
        };
        let verifier = PkceCodeVerifier::new(started.verifier.as_str().to_owned());
        let url = inner.exchange.authorize_url(&state, &verifier);
        Ok(Authorization {
            url,
            state,
            expires_at,
        })
    }

    /// Uses a state up. Of many who bring the same one, one gets it.
    pub(crate) async fn consume(&self, state: &str, session: &SessionBinding) -> Result<Started, Error> {
        match &self.inner.states {
            States::Stored => self.consume_stored(state, session).await,
            States::Sealed(used) => self.consume_sealed(state, session, used).await,
        }
    }
}
