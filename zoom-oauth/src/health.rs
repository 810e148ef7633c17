//! How a connection is doing, from Zoom itself.

use serde::Serialize;
use token_store::{ConnectionId, OwnerId};

use crate::{
    Action, Cause, Connection, Connections, Error, ErrorKind, Feature, Missing, MissingKind, attributes,
    connect::scopes,
    life::{self, Turn},
    look::Look,
    records::{SaveError, Slot},
    refresh::live,
};

/// What a live test has found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Health {
    /// The connection as it is now.
    pub connection: Connection,
    /// Whether Zoom has answered. If not, nothing is known and nothing has changed.
    pub answered: bool,
    /// Everything that is wrong, what stops most first.
    pub findings: Vec<Finding>,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// What, as a code.
    pub cause: Cause,
    /// What, for the host's user.
    pub message: String,
    /// What to do about it, for the host's user; empty where there is nothing to do.
    pub remedy: String,
    /// The same, for a button.
    pub action: Action,
    /// What is missing, where it is that.
    pub missing: Option<Missing>,
}

impl Health {
    /// Whether Zoom has answered and nothing is wrong.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.answered && self.findings.is_empty()
    }
}

impl From<Cause> for Finding {
    fn from(cause: Cause) -> Self {
        Self {
            message: cause.message().to_owned(),
            remedy: cause.action().instruction().to_owned(),
            action: cause.action(),
            missing: None,
            cause,
        }
    }
}

impl From<Missing> for Finding {
    fn from(missing: Missing) -> Self {
        let cause = missing.cause();
        Self {
            message: format!("{} {}", cause.message(), missing.consequence),
            remedy: missing.remedy.clone(),
            action: cause.action(),
            missing: Some(missing),
            cause,
        }
    }
}

/// What came of asking Zoom.
enum Answer {
    /// The record says it all.
    Saved,
    /// Zoom has answered, and it says nothing about the connection.
    Other(Cause),
    /// Nothing is known.
    Nothing(Cause),
}

impl Connections {
    /// Asks Zoom itself how the owner's connection is doing, past every cache: whether the tokens work, and what is
    /// missing for what the host [does with Zoom](crate::ConnectionsBuilder::features). What it finds is saved: a
    /// connection that lacks something becomes `Degraded`, one that lacks nothing any more becomes `Active` again, one
    /// whose tokens turn out to be dead becomes `Expired`. That Zoom does not answer changes nothing.
    ///
    /// Once begun, it goes to its end even if the caller goes away.
    ///
    /// # Errors
    /// [`ErrorKind::NotConnected`], [`ErrorKind::Storage`], [`ErrorKind::Vault`]. What Zoom says is no error.
    pub async fn test(&self, owner: &OwnerId) -> Result<Health, Error> {
        // What is left of an unfinished connect is newer than what there is.
        if let Err(error) = self.finish(owner).await {
            tracing::debug!(owner = %owner, error = &error as &dyn std::error::Error, "a connect is still unfinished");
        }
        let found = self
            .latest(owner)
            .await?
            .ok_or_else(|| Error::new(ErrorKind::NotConnected))?;
        self.examine(&found.value.id).await
    }

    /// The same for one record, in a task of its own.
    pub(crate) async fn examine(&self, id: &ConnectionId) -> Result<Health, Error> {
        let (this, id) = (self.clone(), id.clone());
        crate::detached::detached(async move {
            let answer = this.ask(&id).await?;
            let record = this.record(&id).await?;
            let connection =
                Connection::from_record(&record).ok_or_else(|| Error::new(ErrorKind::NotConnected))?;
            let mut findings: Vec<Finding> = match connection.cause() {
                Some(cause) if !connection.is_live() => vec![cause.into()],
                _ => connection.missing.iter().cloned().map(Finding::from).collect(),
            };
            let answered = match answer {
                Answer::Saved => true,
                Answer::Other(cause) => {
                    findings.insert(0, cause.into());
                    true
                }
                Answer::Nothing(cause) => {
                    findings.insert(0, cause.into());
                    false
                }
            };
            Ok(Health {
                connection,
                answered,
                findings,
            })
        })
        .await
    }

    async fn record(&self, id: &ConnectionId) -> Result<token_store::StoredConnection, Error> {
        let found = self.inner.records.store.load(id).await?;
        let found = found.ok_or_else(|| Error::new(ErrorKind::NotConnected))?;
        Ok(found.value)
    }

    async fn ask(&self, id: &ConnectionId) -> Result<Answer, Error> {
        let inner = &self.inner;
        let record = self.record(id).await?;
        match live(&record) {
            Err(error) if error.kind() == ErrorKind::Expired => return Ok(Answer::Saved),
            other => other?,
        }
        // Not from memory: another process may have saved newer ones.
        inner.records.cache.forget(id);
        if let Err(error) = inner.refresher.access(id, None).await {
            return self.without_token(error);
        }
        let client = inner
            .regions
            .client(attributes::api_url(&record), self.tokens_of(id.clone()));
        match Look::take(&client, &scopes(&record.scopes), inner.app.kind).await {
            Ok(look) if look.is_complete() => {
                self.save_look(id, |slot| {
                    look.note(
                        &mut slot.record,
                        &inner.features,
                        inner.app.kind,
                        inner.clock.now(),
                    );
                })
                .await
            }
            Ok(_) => Ok(Answer::Nothing(Cause::Unavailable)),
            Err(error) if error.needs_reauthorization() => self.without_token(Error::new(ErrorKind::Expired)),
            Err(error) => match error.api() {
                Some(refusal) if !error.is_retryable() => self.refused(id, Cause::from_api(refusal)).await,
                _ => Ok(Answer::Nothing(Cause::Unavailable)),
            },
        }
    }

    /// There was no token to ask with.
    fn without_token(&self, error: Error) -> Result<Answer, Error> {
        match error.kind() {
            // Whoever found out has saved it.
            ErrorKind::Expired => Ok(Answer::Saved),
            ErrorKind::Refused => {
                let number = error.number().map(i64::from);
                Ok(Answer::Other(Cause::from_zoom(400, error.code(), number)))
            }
            ErrorKind::Unavailable | ErrorKind::UnexpectedAnswer | ErrorKind::NotSaved => {
                Ok(Answer::Nothing(Cause::Unavailable))
            }
            _ => Err(error),
        }
    }

    /// Zoom has refused to say who it is.
    async fn refused(&self, id: &ConnectionId, cause: Cause) -> Result<Answer, Error> {
        let missing = match &cause {
            // Only the token endpoint ends a connection: if the user is gone, it says so.
            Cause::UserGone => match self.inner.refresher.force(id).await {
                Ok(_) => Missing::new(MissingKind::ActiveUser, None),
                Err(error) => return self.without_token(error),
            },
            Cause::UserInactive | Cause::UserPending => Missing::new(MissingKind::ActiveUser, None),
            Cause::TokenRefused => Missing::new(MissingKind::Access, None),
            Cause::MissingScope => Missing::scopes(Feature::Profile),
            cause if cause.becomes().is_some() => Missing::new(MissingKind::Permission, None),
            _ => return Ok(Answer::Other(cause)),
        };
        self.save_look(id, |slot| {
            attributes::set_missing(&mut slot.record, std::slice::from_ref(&missing));
            attributes::set_time(&mut slot.record, attributes::CHECKED_AT, self.inner.clock.now());
        })
        .await
    }

    /// Saves what was seen over whatever others have saved meanwhile, and tells what it changes.
    async fn save_look(&self, id: &ConnectionId, note: impl Fn(&mut Slot)) -> Result<Answer, Error> {
        let inner = &self.inner;
        loop {
            let Some(mut slot) = inner.records.load(id).await? else {
                return Err(Error::new(ErrorKind::NotConnected));
            };
            note(&mut slot);
            // Left or dead meanwhile: there is nothing to say any more.
            let Some(change) = life::turn(&mut slot.record, &Turn::Checked, inner.clock.now()) else {
                return Ok(Answer::Saved);
            };
            match inner.records.save(&slot).await {
                Ok(_) => {
                    if let Some(kind) = change.told {
                        inner.announcer.announce(&slot.record, kind).await;
                    }
                    return Ok(Answer::Saved);
                }
                Err(SaveError::Conflict) => {}
                Err(SaveError::Failed(error)) => return Err(error),
            }
        }
    }
}
