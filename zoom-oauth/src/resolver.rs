mod candidates;
mod resolution;

use std::sync::Arc;

use token_store::{OwnerId, Status};
use zoom_core::{Client, Scopes, TokenSource, UserId};

use crate::{
    Cause, Connection, Connections, Error, ErrorKind, Feature, MissingKind, missing::missing_scopes,
};

pub use candidates::Candidates;
pub use resolution::{AccountKind, Considered, Reason, Resolution, ResolutionRecord, ResolvedAccount};

/// Chooses the account to act on: the first of the [`Candidates`] that works and can do what is needed, else the
/// system's.
///
/// | found | what happens |
/// |---|---|
/// | works | it is used |
/// | never connected, left, removed at Zoom, expired, deactivated | passed over |
/// | lacks a scope, the licence or a setting for what is needed | passed over |
/// | no key opens its tokens | passed over |
/// | Zoom, the store or the keys' home do not answer | used: a moment of silence moves nothing to another account |
///
/// A connection that turns out to be dead is saved as `Expired` on the way, so that its owner hears of it.
#[derive(Clone, Debug)]
pub struct Resolver {
    connections: Connections,
    system: Option<(Arc<dyn TokenSource>, UserId)>,
}

impl Resolver {
    /// Knows the owners' own accounts.
    #[must_use]
    pub fn new(connections: Connections) -> Self {
        Self {
            connections,
            system: None,
        }
    }

    /// Falls back to the product's own account, usually a [`ServerToServer`](crate::ServerToServer), acting as `user`.
    /// What it may do is the host's to know; it is never passed over.
    #[must_use]
    pub fn with_system(mut self, tokens: Arc<dyn TokenSource>, user: UserId) -> Self {
        self.system = Some((tokens, user));
        self
    }

    /// The owners' own accounts.
    #[must_use]
    pub fn connections(&self) -> &Connections {
        &self.connections
    }

    /// Zoom's API on behalf of the product's own account, and the user to act as; `None` when the host has given none.
    /// For what belongs to no owner, or was made on that account before an owner connected their own.
    #[must_use]
    pub fn system(&self) -> Option<(Client, &UserId)> {
        let (tokens, user) = self.system.as_ref()?;
        let client = &self.connections.inner.client;
        Some((client.with_token_source(Arc::clone(tokens)), user))
    }

    /// The account to act on for `owner`: their own, else the system's. The same as
    /// [`resolve_for`](Self::resolve_for) with one candidate and no needs.
    ///
    /// # Errors
    /// Those of [`resolve_for`](Self::resolve_for).
    pub async fn resolve(&self, owner: &OwnerId) -> Result<Resolution, Error> {
        self.resolve_for(&Candidates::from(owner), &[]).await
    }

    /// The first of the candidates' accounts that works, and can do what is needed as far as anybody knows: by the
    /// scopes that were granted, and by the licence and the settings that Zoom showed when it was last asked. What
    /// nobody knows, such as the settings of a user whose Zoom does not show them, is not held against an account.
    ///
    /// An account counts as live if it has a token, or if Zoom or the store just does not answer: a moment of silence
    /// must not put a meeting on another account.
    ///
    /// # Errors
    /// [`ErrorKind::NoAccount`] when there is none, with the accounts that were [considered](Error::considered);
    /// [`ErrorKind::Storage`].
    pub async fn resolve_for(&self, candidates: &Candidates, needs: &[Feature]) -> Result<Resolution, Error> {
        let mut considered = Vec::new();
        for (kind, owner) in candidates.owners() {
            let (connection, seen) = self.look(kind, owner, needs).await?;
            considered.push(seen);
            if let Some(connection) = connection {
                return Ok(self.on(kind, connection, considered));
            }
        }
        let system = self.system().filter(|_| candidates.with_system());
        let reason = if system.is_some() {
            Reason::Live
        } else {
            Reason::NotConfigured
        };
        considered.push(Considered::new(AccountKind::System, None, reason));
        let Some((client, user)) = system else {
            return Err(Error::no_account(considered));
        };
        Ok(Resolution {
            account: ResolvedAccount::System,
            client,
            user: user.clone(),
            reason: first(&considered),
            considered,
        })
    }

    fn on(&self, kind: &AccountKind, connection: Connection, considered: Vec<Considered>) -> Resolution {
        let tokens = self.connections.tokens_of(connection.id.clone());
        let regions = &self.connections.inner.regions;
        let client = regions.client(connection.api_url.as_deref(), tokens);
        let account = match kind {
            AccountKind::Organisation => ResolvedAccount::Organisation(connection),
            _ => ResolvedAccount::User(connection),
        };
        Resolution {
            account,
            client,
            user: UserId::me(),
            reason: first(&considered),
            considered,
        }
    }

    /// The owner's connection if it can be used, and what was found.
    async fn look(
        &self,
        kind: &AccountKind,
        owner: &OwnerId,
        needs: &[Feature],
    ) -> Result<(Option<Connection>, Considered), Error> {
        let seen = |reason| Considered::new(kind.clone(), Some(owner.clone()), reason);
        let Some((connection, mut found)) = self.look_at_record(kind, owner).await? else {
            return Ok((None, seen(Reason::NotConnected)));
        };
        if found.reason == Reason::Live
            && let Some((reason, detail)) = self.lacks(&connection, needs)
        {
            (found.reason, found.detail) = (reason, Some(detail));
        }
        if found.reason != Reason::Live {
            return Ok((None, found));
        }
        let refresher = &self.connections.inner.refresher;
        match refresher.access(&connection.id, None).await {
            Err(error) if error.needs_reauthorization() => {
                // It has just been saved as what it is.
                let now = self.look_at_record(kind, owner).await?;
                let reason = match error.kind() {
                    ErrorKind::Expired => Reason::Expired,
                    _ => Reason::Disconnected,
                };
                found = match now {
                    Some((_, now)) if now.reason != Reason::Live => now,
                    _ => Considered { reason, ..found },
                };
                Ok((None, found))
            }
            Err(error) if error.kind() == ErrorKind::Vault && !error.is_retryable() => {
                found.reason = Reason::Unreadable;
                Ok((None, found))
            }
            _ => Ok((Some(connection), found)),
        }
    }

    /// Why the connection cannot do what is needed, though it works.
    fn lacks(&self, connection: &Connection, needs: &[Feature]) -> Option<(Reason, String)> {
        if connection
            .missing
            .iter()
            .any(|missing| missing.what == MissingKind::ActiveUser)
        {
            return Some((Reason::Deactivated, Cause::UserInactive.to_string()));
        }
        let granted: Scopes = connection.scopes.iter().map(String::as_str).collect();
        let missing = missing_scopes(needs, &granted, self.connections.inner.app.kind());
        let mut names: Vec<&str> = missing
            .iter()
            .filter_map(|missing| missing.any_of.first().map(String::as_str))
            .collect();
        names.dedup();
        if !missing.is_empty() {
            return Some((Reason::MissingScope, names.join(", ")));
        }
        let all = needs;
        let needs = |takes: fn(Feature) -> bool| all.iter().copied().find(|feature| takes(*feature));
        let of = |reason, feature: Feature| Some((reason, feature.as_str().to_owned()));
        let unlicensed = |feature: &Feature| !feature.is_licensed(connection.licence.as_ref());
        if let Some(feature) = all.iter().copied().find(unlicensed) {
            return of(Reason::NoLicence, feature);
        }
        if let Some(feature) = needs(Feature::needs_cloud_recording)
            && connection.cloud_recording == Some(false)
        {
            return of(Reason::SwitchedOff, feature);
        }
        if let Some(feature) = needs(Feature::needs_audio_transcript)
            && connection.audio_transcript == Some(false)
        {
            return of(Reason::SwitchedOff, feature);
        }
        None
    }

    /// What the owner's record says.
    async fn look_at_record(
        &self,
        kind: &AccountKind,
        owner: &OwnerId,
    ) -> Result<Option<(Connection, Considered)>, Error> {
        let Some(record) = self.connections.latest(owner).await?.map(|found| found.value) else {
            return Ok(None);
        };
        let Some(connection) = Connection::from_record(&record) else {
            return Ok(None);
        };
        let reason = match connection.status {
            Status::Disconnected => Reason::Disconnected,
            Status::Expired if connection.cause() == Some(Cause::UserGone) => Reason::Deactivated,
            Status::Expired => Reason::Expired,
            Status::Pending => return Ok(None),
            _ => Reason::Live,
        };
        let mut seen = Considered::new(kind.clone(), Some(owner.clone()), reason);
        seen.connection = Some(connection.id.clone());
        if seen.reason != Reason::Live {
            seen.detail.clone_from(&record.status_reason);
            seen.since = Some(record.updated_at);
        }
        Ok(Some((connection, seen)))
    }
}

fn first(considered: &[Considered]) -> Reason {
    considered
        .first()
        .map_or(Reason::NotConfigured, |seen| seen.reason.clone())
}
