use std::{sync::Arc, time::Duration};

use token_store::{Expect, Holder, LockKey, OwnerId, RecordKind, Status, StoredConnection};
use url::Url;
use zoom_core::{AccountId, StaticToken, UserId};

use crate::{
    Callback, Connection, Connections, Error, ErrorKind, SessionBinding, attributes,
    connection::connection_id,
    detached::detached,
    exchange::Granted,
    life::{self, Turn},
    missing::missing_scopes,
    records::{SaveError, Slot},
    state::Terms,
    tokens::Tokens,
};

/// Longer than what is done under it: a look at the owner's records and a save.
const LEASE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(50);

impl Connections {
    /// Finishes a connect with what the callback brought: uses the state up, exchanges the code, asks Zoom who it is,
    /// and only then saves, over the tokens of an earlier connect if there was one.
    ///
    /// Once the state is used up, it goes to its end even if the caller goes away.
    ///
    /// # Errors
    /// [`ErrorKind::Denied`] when the user said no. [`ErrorKind::InvalidCallback`], [`ErrorKind::UnknownState`],
    /// [`ErrorKind::ExpiredState`], [`ErrorKind::ForeignSession`] for a callback that is not the one this session waits
    /// for. [`ErrorKind::InvalidCode`] for a code that is used or too old. [`ErrorKind::AnotherUser`] when the owner is
    /// connected as another Zoom user. [`ErrorKind::RedirectMismatch`], [`ErrorKind::Refused`] when the app is not set up
    /// right. [`ErrorKind::Unavailable`], [`ErrorKind::Api`] when Zoom did not play along: start again.
    pub async fn connect(&self, callback: &Callback, session: &SessionBinding) -> Result<Connection, Error> {
        let refusal = callback.refusal();
        let Some(state) = &callback.state else {
            return Err(refusal.unwrap_or_else(|| Error::new(ErrorKind::InvalidCallback)));
        };
        if callback.code.is_none() && refusal.is_none() {
            return Err(Error::new(ErrorKind::InvalidCallback));
        }
        let started = self.consume(state, session).await?;
        let code = match (callback.code.clone(), refusal) {
            (_, Some(refusal)) => return Err(refusal),
            (None, None) => return Err(Error::new(ErrorKind::InvalidCallback)),
            (Some(code), None) => code,
        };
        let this = self.clone();
        detached(async move {
            let granted = this.inner.exchange.code(&code, Some(&started.verifier)).await;
            let granted = granted.map_err(|error| error.into_error_of_code())?;
            this.welcome(started.terms, granted).await
        })
        .await
    }

    /// Asks Zoom whose these tokens are, and makes them the owner's connection.
    pub(crate) async fn welcome(&self, terms: Terms, granted: Granted) -> Result<Connection, Error> {
        let inner = &self.inner;
        let owner = terms.owner.clone();
        let tokens = Arc::new(StaticToken::new(granted.access.clone()));
        let api_url = granted.api_url.as_ref().map(Url::as_str);
        let user = inner.regions.client(api_url, tokens).users().me().await?;
        let (Some(user_id), Some(account_id)) = (user.id.clone(), user.account_id.clone()) else {
            return Err(Error::new(ErrorKind::UnexpectedAnswer));
        };
        let now = inner.clock.now();
        let tokens = Tokens {
            access: granted.access,
            refresh: granted.refresh,
            expires_at: granted.expires_at,
            granted_at: now,
        };
        // So that two who connect the owner at once cannot both find no other user.
        let key = LockKey::new(format!("owner:{owner}"));
        let holder = Holder::random()?;
        self.lease(&key, &holder).await?;
        let saved = match self
            .refuse_another_user(&owner, &account_id, &user_id, &tokens)
            .await
        {
            Ok(()) => {
                let mut record = StoredConnection::new(
                    connection_id(inner.records.app(), &owner, &account_id, &user_id),
                    owner.clone(),
                    RecordKind::Connection,
                    Status::Pending,
                    now,
                );
                record.provider_account = Some(account_id.as_str().to_owned());
                record.provider_user = Some(user_id.as_str().to_owned());
                record.display_name = user.name();
                record.email.clone_from(&user.email);
                record.scopes = granted.scopes;
                record.expires_at = Some(tokens.expires_at);
                inner.records.sign(&mut record);
                attributes::set_api_url(&mut record, granted.api_url.as_ref());
                attributes::set_opened_by(&mut record, terms.opened_by.as_deref());
                self.save_connected(record, &tokens).await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = inner.lock.release(&key, &holder).await {
            tracing::warn!(%key, error = &error as &dyn std::error::Error, "a lease was not given back; it ends by time");
        }
        let record = saved?;
        // Tokens of before that were still waiting to be saved are dead.
        inner.refresher.forget(&record.id);
        Connection::from_record(&record).ok_or_else(|| Error::new(ErrorKind::UnexpectedAnswer))
    }

    pub(crate) async fn lease(&self, key: &LockKey, holder: &Holder) -> Result<(), Error> {
        let mut waited = Duration::ZERO;
        loop {
            match self.inner.lock.try_acquire(key, holder, LEASE).await {
                Ok(Some(_)) => return Ok(()),
                Ok(None) => {}
                // It keeps two consents at once apart. That is not worth turning everybody away.
                Err(error) => {
                    tracing::warn!(%key, error = &error as &dyn std::error::Error, "no lease to be had; going on without");
                    return Ok(());
                }
            }
            if waited > LEASE {
                return Err(Error::unavailable("another process connects the same owner"));
            }
            self.inner.sleeper.sleep(LOOK).await;
            waited += LOOK;
        }
    }

    async fn refuse_another_user(
        &self,
        owner: &OwnerId,
        account: &AccountId,
        user: &UserId,
        tokens: &Tokens,
    ) -> Result<(), Error> {
        let is_another = |record: &StoredConnection| {
            record.status != Status::Disconnected
                && (record.provider_account.as_deref() != Some(account.as_str())
                    || record.provider_user.as_deref() != Some(user.as_str()))
        };
        if !self
            .records_of_owner(owner)
            .await?
            .iter()
            .any(|found| is_another(&found.value))
        {
            return Ok(());
        }
        // What was granted by mistake is given back, unless another owner lives on a grant of the same user: revoking
        // ends the user's grant as a whole.
        let elsewhere = self.find_by_zoom(account, Some(user)).await?;
        if elsewhere.is_empty() && self.inner.exchange.revoke(&tokens.access).await.is_err() {
            tracing::warn!(owner = %owner, "the token of a refused zoom user was not revoked");
        }
        Err(Error::new(ErrorKind::AnotherUser))
    }

    /// Whatever the record says now, these tokens are newer: a new consent ends the tokens of the one before.
    async fn save_connected(
        &self,
        mut record: StoredConnection,
        tokens: &Tokens,
    ) -> Result<StoredConnection, Error> {
        let (id, now) = (record.id.clone(), record.created_at);
        loop {
            let before = self.inner.records.store.load(&id).await?;
            let expect = before
                .as_ref()
                .map_or(Expect::Absent, |found| Expect::Generation(found.generation));
            record.status = before
                .as_ref()
                .map_or(Status::Pending, |found| found.value.status.clone());
            record.created_at = before.map_or(now, |found| found.value.created_at);
            let scopes = record.scopes.iter().map(String::as_str).collect();
            let missing = missing_scopes(&self.inner.features, &scopes, self.inner.app.kind);
            attributes::set_missing(&mut record, &missing);
            let told = life::turn(&mut record, &Turn::Consented, now).and_then(|change| change.told);
            let slot = Slot {
                record,
                expect,
                tokens: Some(tokens.clone()),
            };
            match self.inner.records.save(&slot).await {
                Ok(_) => {
                    if let Some(kind) = told {
                        self.inner.announcer.announce(&slot.record, kind).await;
                    }
                    return Ok(slot.record);
                }
                Err(SaveError::Conflict) => record = slot.record,
                Err(SaveError::Failed(error)) => return Err(error),
            }
        }
    }
}
