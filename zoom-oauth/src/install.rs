//! Installations that begin in Zoom's Marketplace: a code that nobody here has asked for.
//!
//! Whoever sends such a callback may have put a code of their own into somebody else's browser. So it connects nothing:
//! the tokens wait, sealed, under a ticket for that browser, until a signed-in user has seen which Zoom user it is and
//! says that it is theirs.

mod waiting;

use std::{fmt, sync::Arc};

use jiff::Timestamp;
use serde::Serialize;
use token_store::{ConnectionId, LockKey, OwnerId, StoredConnection};
use url::Url;
use zoom_core::{AccountId, StaticToken, UserId};

use self::waiting::Waiting;
use crate::{
    AuthorizeRequest, Callback, Connection, Connections, Error, ErrorKind, SessionBinding, attributes,
    detached::detached, exchange::Granted,
};

/// An installation that waits to be claimed.
#[derive(Clone)]
#[non_exhaustive]
pub struct Parked {
    /// What [`parked`](Connections::parked) and [`claim`](Connections::claim) want, from the same browser session. It is a
    /// secret: it belongs into the form of the confirm page, not into an address.
    pub ticket: String,
    /// Who would be connected.
    pub view: ParkedView,
}

impl fmt::Debug for Parked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parked")
            .field("view", &self.view)
            .finish_non_exhaustive()
    }
}

/// Who would be connected by a claim: to be shown before it is made.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ParkedView {
    /// The account at Zoom.
    pub account_id: AccountId,
    /// The user at Zoom.
    pub user_id: UserId,
    /// The user's name.
    pub display_name: Option<String>,
    /// The user's address.
    pub email: Option<String>,
    /// What the tokens may do.
    pub scopes: Vec<String>,
    /// When it is too late to claim it.
    pub expires_at: Timestamp,
}

/// Ids; never a person's name or address.
impl fmt::Debug for ParkedView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParkedView")
            .field("account_id", &self.account_id)
            .field("user_id", &self.user_id)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl ParkedView {
    fn from_record(record: &StoredConnection) -> Option<Self> {
        Some(Self {
            account_id: AccountId::new(record.provider_account.as_deref()?),
            user_id: UserId::new(record.provider_user.as_deref()?),
            display_name: record.display_name.clone(),
            email: record.email.clone(),
            scopes: record.scopes.clone(),
            expires_at: record.expires_at?,
        })
    }
}

impl Connections {
    /// Takes in an installation that began in Zoom's Marketplace, a callback that
    /// [`is_installation`](Callback::is_installation): exchanges its code, asks Zoom who it is, and keeps the tokens
    /// sealed for whoever [claims](Self::claim) them in the same browser session, 30 minutes unless the
    /// [builder](crate::ConnectionsBuilder::with_installation_lifetime) says otherwise. Nobody is connected by this.
    ///
    /// The user may have to sign in or up meanwhile, so `session` is a secret that outlives that: a cookie made for
    /// this. If somebody is signed in already, say [who](SessionBinding::with_owner), and nobody else can claim it.
    ///
    /// The same code delivered again to the same session gets a ticket to the same installation; Zoom is not asked
    /// twice. What nobody claimed in time is deleted by the next call, and its grant ended at Zoom.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidCallback`] for a callback with a state, or without a code; [`ErrorKind::Denied`];
    /// [`ErrorKind::InvalidCode`] for a code that is used or too old, or was asked for by a connect of ours;
    /// [`ErrorKind::ForeignSession`] for a code that another session has brought; [`ErrorKind::RedirectMismatch`],
    /// [`ErrorKind::Refused`], [`ErrorKind::Unavailable`], [`ErrorKind::Api`], [`ErrorKind::Storage`].
    pub async fn park(&self, callback: &Callback, session: &SessionBinding) -> Result<Parked, Error> {
        // A state that nobody knows is an attack or too late, and no installation.
        if callback.state.is_some() {
            return Err(Error::new(ErrorKind::InvalidCallback));
        }
        if let Some(refusal) = callback.refusal() {
            return Err(refusal);
        }
        let Some(code) = callback.code.clone() else {
            return Err(Error::new(ErrorKind::InvalidCallback));
        };
        let (this, session) = (self.clone(), session.clone());
        detached(async move {
            this.sweep_installations().await;
            let id = this.installation_id(&code);
            // So that a code that is delivered twice at once is exchanged once.
            let key = LockKey::new(id.as_str());
            let parked = async {
                match this.park_again(&id, &session).await? {
                    Some(parked) => Ok(parked),
                    None => this.park_new(id, &code, &session).await,
                }
            };
            this.alone(&key, parked).await
        })
        .await
    }

    /// Who would be connected: for the page that asks the user to confirm it.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownTicket`], [`ErrorKind::ExpiredTicket`]; [`ErrorKind::ForeignSession`] when another browser or
    /// another owner has parked it; [`ErrorKind::Storage`], [`ErrorKind::Vault`].
    pub async fn parked(&self, ticket: &str, session: &SessionBinding) -> Result<ParkedView, Error> {
        let waiting = self.waiting(ticket, session).await;
        self.sweep_installations().await;
        let waiting = waiting?;
        ParkedView::from_record(&waiting.record).ok_or_else(|| Error::new(ErrorKind::UnknownTicket))
    }

    /// Connects a parked installation to `owner`, who is signed in and has **confirmed** that the Zoom user of
    /// [`parked`](Self::parked) is theirs: with a button, on a page that shows name and address. Without that step,
    /// anybody could have a user connect an account that is not the user's, and read there what the user puts into it.
    ///
    /// `session` must [say](SessionBinding::with_owner) that `owner` is signed in. Of many who claim at once, one gets
    /// it; from there on it is the same as [`connect`](Self::connect), and goes to its end even if the caller goes away.
    ///
    /// # Errors
    /// Those of [`parked`](Self::parked); [`ErrorKind::ForeignSession`] when the session does not say that `owner` is
    /// signed in; and those of [`connect`](Self::connect) from where it knows the tokens. The ticket is used up then,
    /// unless the error is retryable.
    pub async fn claim(
        &self,
        ticket: &str,
        session: &SessionBinding,
        owner: &OwnerId,
    ) -> Result<Connection, Error> {
        self.claim_with(ticket, &AuthorizeRequest::new(owner, session))
            .await
    }

    /// The same, with what the host wants to say about it.
    ///
    /// # Errors
    /// Those of [`claim`](Self::claim).
    pub async fn claim_with(&self, ticket: &str, request: &AuthorizeRequest) -> Result<Connection, Error> {
        if request.session.owner.as_ref() != Some(&request.owner) {
            return Err(Error::new(ErrorKind::ForeignSession));
        }
        let waiting = self.waiting(ticket, &request.session).await;
        self.sweep_installations().await;
        let waiting = waiting?;
        let (this, terms) = (self.clone(), request.terms());
        detached(async move {
            let waiting = this.take(waiting).await?;
            // Not at the claim: what Zoom says was removed in between was removed.
            let granted_at = waiting.tokens.granted_at;
            let connected = this.welcome(terms, this.granted(&waiting), granted_at).await;
            match &connected {
                Ok(_) => this.forget_installation(&waiting.record).await,
                Err(error) if error.is_retryable() => this.put_back(waiting).await,
                Err(_) => this.end_installation(waiting.record, Some(waiting.tokens)).await,
            }
            connected
        })
        .await
    }

    async fn park_new(
        &self,
        id: ConnectionId,
        code: &str,
        session: &SessionBinding,
    ) -> Result<Parked, Error> {
        let inner = &self.inner;
        let granted = inner.exchange.code(code, None).await;
        let granted = granted.map_err(|error| error.into_error_of_code())?;
        let token = Arc::new(StaticToken::new(granted.access.clone()));
        let api_url = granted.api_url.as_ref().map(Url::as_str);
        let user = inner.regions.client(api_url, token).users().me().await?;
        let now = inner.clock.now();
        let lifetime = inner.installation_lifetime;
        let latest = now.checked_add(lifetime).unwrap_or(granted.expires_at);
        let (Some(user_id), Some(account_id)) = (&user.id, &user.account_id) else {
            return Err(Error::new(ErrorKind::UnexpectedAnswer));
        };
        let mut record = waiting::record(id, session, now);
        record.provider_account = Some(account_id.as_str().to_owned());
        record.provider_user = Some(user_id.as_str().to_owned());
        record.display_name = user.name();
        record.email.clone_from(&user.email);
        record.scopes.clone_from(&granted.scopes);
        record.expires_at = Some(latest.min(granted.expires_at));
        inner.records.sign(&mut record);
        attributes::set_api_url(&mut record, granted.api_url.as_ref());
        let waiting = Waiting::new(record, granted.tokens(now), session);
        self.save_new(waiting).await
    }

    fn granted(&self, waiting: &Waiting) -> Granted {
        let named = attributes::api_url(&waiting.record);
        Granted {
            access: waiting.tokens.access.clone(),
            refresh: waiting.tokens.refresh.clone(),
            expires_at: waiting.tokens.expires_at,
            scopes: waiting.record.scopes.clone(),
            api_url: named.and_then(|named| self.inner.regions.endpoints.region(named)),
        }
    }
}
