use std::sync::Arc;

use jiff::Timestamp;
use token_store::{Expect, LockKey, OwnerId, RecordKind, Status, StoredConnection, Versioned};
use url::Url;
use zoom_core::{AccountId, Scopes, StaticToken, UserId};

use crate::{
    AppKind, Callback, Connection, Connections, Error, ErrorKind, SessionBinding, attributes,
    connection::connection_id,
    detached::detached,
    exchange::Granted,
    life::{self, Turn},
    look::Look,
    records::{SaveError, Slot},
    refresh::SAVE_PAUSES,
    revocation::LeftGrant,
    state::Terms,
    tokens::Tokens,
};

impl Connections {
    /// Finishes a connect with what the callback brought: uses the state up, exchanges the code, asks Zoom who it is,
    /// and only then saves, over the tokens of an earlier connect if there was one.
    ///
    /// Once begun, it goes to its end even if the caller goes away.
    ///
    /// # Errors
    /// [`ErrorKind::Denied`] when the user said no. [`ErrorKind::InvalidCallback`], [`ErrorKind::UnknownState`],
    /// [`ErrorKind::ExpiredState`], [`ErrorKind::ForeignSession`] for a callback that is not the one this session waits
    /// for. [`ErrorKind::InvalidCode`] for a code that is used or too old. [`ErrorKind::AnotherUser`] when the owner is
    /// connected as another Zoom user, [`ErrorKind::AdminRequired`] when the app is for administrators and the user is none:
    /// what was granted is given back. [`ErrorKind::Unfinished`] when Zoom has granted and not said whose: it is kept, and
    /// finished later. [`ErrorKind::RedirectMismatch`], [`ErrorKind::Refused`] when the app is not set up right.
    /// [`ErrorKind::Unavailable`], [`ErrorKind::Api`] when Zoom did not play along: start again.
    pub async fn connect(&self, callback: &Callback, session: &SessionBinding) -> Result<Connection, Error> {
        let refusal = callback.refusal();
        let Some(state) = callback.state.clone() else {
            return Err(refusal.unwrap_or_else(|| Error::new(ErrorKind::InvalidCallback)));
        };
        if callback.code.is_none() && refusal.is_none() {
            return Err(Error::new(ErrorKind::InvalidCallback));
        }
        let (this, session, code) = (self.clone(), session.clone(), callback.code.clone());
        detached(async move {
            let started = this.consume(&state, &session).await?;
            let code = match (code, refusal) {
                (_, Some(refusal)) => return Err(refusal),
                (None, None) => return Err(Error::new(ErrorKind::InvalidCallback)),
                (Some(code), None) => code,
            };
            let granted = this.inner.exchange.code(&code, Some(&started.verifier)).await;
            let granted = granted.map_err(|error| error.into_error_of_code())?;
            this.welcome_or_keep(started.terms, granted).await
        })
        .await
    }

    /// Asks Zoom whose these tokens are, and makes them the owner's connection. The user consented at `granted_at`.
    pub(crate) async fn welcome(
        &self,
        terms: Terms,
        granted: Granted,
        granted_at: Timestamp,
    ) -> Result<Connection, Error> {
        let look = self.look_at(&granted).await?;
        self.settle(terms, granted, granted_at, &look).await
    }

    /// The same for tokens that nobody else keeps: while Zoom does not say whose they are, they wait. A new consent may
    /// have ended the tokens of the one before, and then these are all there is.
    async fn welcome_or_keep(&self, terms: Terms, granted: Granted) -> Result<Connection, Error> {
        match self.look_at(&granted).await {
            Ok(look) => self.settle(terms, granted, self.inner.clock.now(), &look).await,
            Err(error) if error.is_retryable() => {
                Err(self.keep_unfinished(&terms, &granted, error.into()).await)
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) async fn look_at(&self, granted: &Granted) -> Result<Look, zoom_core::Error> {
        let tokens = Arc::new(StaticToken::new(granted.access.clone()));
        let api_url = granted.api_url.as_ref().map(Url::as_str);
        let client = self.inner.regions.client(api_url, tokens);
        Look::take(&client, &scopes(&granted.scopes), self.inner.app.kind).await
    }

    /// Makes tokens the owner's connection whose user is known. A store that fails for a moment is asked again: a new
    /// consent may have ended the tokens of the one before, and then these are all there is.
    pub(crate) async fn settle(
        &self,
        terms: Terms,
        granted: Granted,
        granted_at: Timestamp,
        look: &Look,
    ) -> Result<Connection, Error> {
        let inner = &self.inner;
        let (Some(user), Some(account)) = (look.user.id.clone(), look.user.account_id.clone()) else {
            return Err(Error::new(ErrorKind::UnexpectedAnswer));
        };
        let whose = Whose {
            owner: terms.owner.clone(),
            account,
            user,
        };
        // So that two who connect the owner at once cannot both find no other user.
        let key = LockKey::new(format!("owner:{}", whose.owner));
        let mut pauses = SAVE_PAUSES.iter();
        let record = loop {
            let settled = self.settle_leased(&whose, &terms, &granted, granted_at, look);
            match self.alone(&key, settled).await {
                Ok(record) => break record,
                Err(error) => match pauses.next().filter(|_| is_of_our_home(&error)) {
                    Some(pause) => inner.sleeper.sleep(*pause).await,
                    None => return Err(error),
                },
            }
        };
        self.forget_unfinished(&record.owner, granted_at).await;
        Connection::from_record(&record).ok_or_else(|| Error::new(ErrorKind::UnexpectedAnswer))
    }

    async fn settle_leased(
        &self,
        whose: &Whose,
        terms: &Terms,
        granted: &Granted,
        granted_at: Timestamp,
        look: &Look,
    ) -> Result<StoredConnection, Error> {
        let inner = &self.inner;
        let others = self.other_users(whose).await?;
        let now = inner.clock.now();
        let id = connection_id(inner.records.app(), &whose.owner, &whose.account, &whose.user);
        let mut record = StoredConnection::new(
            id,
            whose.owner.clone(),
            RecordKind::Connection,
            Status::Pending,
            now,
        );
        record.provider_account = Some(whose.account.as_str().to_owned());
        record.provider_user = Some(whose.user.as_str().to_owned());
        record.scopes.clone_from(&granted.scopes);
        record.expires_at = Some(granted.expires_at);
        inner.records.sign(&mut record);
        attributes::set_api_url(&mut record, granted.api_url.as_ref());
        attributes::set_opened_by(&mut record, terms.opened_by.as_deref());
        look.note(&mut record, &inner.features, inner.app.kind, now);
        let tokens = granted.tokens(granted_at);
        let refusal = if inner.app.kind == AppKind::Admin && !look.is_admin(&scopes(&granted.scopes)) {
            Some(ErrorKind::AdminRequired)
        } else {
            (!others.is_empty() && !terms.switch_user).then_some(ErrorKind::AnotherUser)
        };
        if let Some(refusal) = refusal {
            // Not if somebody lives on a grant of the same user: revoking ends it as a whole.
            self.end_grant(LeftGrant::new(&record, tokens)).await;
            return Err(Error::new(refusal));
        }
        let record = self.save_connected(record, &tokens).await?;
        for other in others {
            self.replace(other).await;
        }
        Ok(record)
    }

    /// The owner's connections to other Zoom users.
    async fn other_users(&self, whose: &Whose) -> Result<Vec<Versioned<StoredConnection>>, Error> {
        let mut found = self.records_of_owner(&whose.owner).await?;
        found.retain(|found| {
            let record = &found.value;
            !matches!(record.status, Status::Disconnected | Status::Pending)
                && (record.provider_account.as_deref() != Some(whose.account.as_str())
                    || record.provider_user.as_deref() != Some(whose.user.as_str()))
        });
        Ok(found)
    }

    /// Leaves a connection for that of another Zoom user, which is saved already.
    async fn replace(&self, found: Versioned<StoredConnection>) {
        let record = found.value.clone();
        match self.leave(found, &Turn::Replaced).await {
            Ok(Some(tokens)) => {
                self.end_grant(LeftGrant::new(&record, tokens)).await;
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(connection = %record.id, error = &error as &dyn std::error::Error,
                "the connection of before is still there; it goes with the next disconnect"),
        }
    }

    /// What the owner has by a consent after this one, which was a while in being finished.
    async fn newer_consent(&self, fresh: &StoredConnection, tokens: &Tokens) -> Option<StoredConnection> {
        let slot = self.inner.records.load(&fresh.id).await.ok().flatten()?;
        let newer = slot.tokens?.granted_at > tokens.granted_at;
        newer.then_some(slot.record)
    }

    /// Whatever the record says now, these tokens are newer: a new consent ends the tokens of the one before.
    async fn save_connected(
        &self,
        fresh: StoredConnection,
        tokens: &Tokens,
    ) -> Result<StoredConnection, Error> {
        let inner = &self.inner;
        loop {
            let before = inner.records.store.load(&fresh.id).await?;
            if let Some(newer) = self.newer_consent(&fresh, tokens).await {
                return Ok(newer);
            }
            let mut record = fresh.clone();
            let mut expect = Expect::Absent;
            if let Some(before) = before {
                expect = Expect::Generation(before.generation);
                record.created_at = before.value.created_at;
                record.status = before.value.status;
                let webhook_at = before.value.attributes.get(attributes::WEBHOOK_AT).cloned();
                attributes::set(&mut record, attributes::WEBHOOK_AT, webhook_at);
            }
            let told =
                life::turn(&mut record, &Turn::Consented, inner.clock.now()).and_then(|change| change.told);
            let slot = Slot {
                record,
                expect,
                tokens: Some(tokens.clone()),
            };
            match inner.records.save(&slot).await {
                Ok(_) => {
                    // Tokens of before that were still waiting to be saved are dead.
                    inner.refresher.forget(&slot.record.id).await;
                    if let Some(kind) = told {
                        inner.announcer.announce(&slot.record, kind).await;
                    }
                    return Ok(slot.record);
                }
                Err(SaveError::Conflict) => {}
                Err(SaveError::Failed(error)) => return Err(error),
            }
        }
    }
}

/// Who is connected as whom.
struct Whose {
    owner: OwnerId,
    account: AccountId,
    user: UserId,
}

/// Whether the store or the keys' home failed, and may work again in a moment.
fn is_of_our_home(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Storage | ErrorKind::Vault) && error.is_retryable()
}

pub(crate) fn scopes(granted: &[String]) -> Scopes {
    granted.iter().map(String::as_str).collect()
}
