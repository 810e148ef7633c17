use std::sync::Arc;

use serde::Serialize;
use token_store::{OwnerId, Status};
use zoom_core::{Client, TokenSource, UserId};

use crate::{Connection, Connections, Error, ErrorKind};

/// Which kind of account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AccountKind {
    /// The owner's own.
    Own,
    /// The product's.
    System,
}

/// Why an account can be used, or cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// It can.
    Live,
    /// The owner has never connected.
    NotConnected,
    /// The owner has left.
    Disconnected,
    /// The owner's tokens are dead.
    Expired,
    /// The host has given no such account.
    NotConfigured,
}

impl Reason {
    /// The name that serde writes, too.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::NotConnected => "not_connected",
            Self::Disconnected => "disconnected",
            Self::Expired => "expired",
            Self::NotConfigured => "not_configured",
        }
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An account that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Considered {
    /// Which.
    pub account: AccountKind,
    /// What was found.
    pub reason: Reason,
}

/// The account that was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one at a time, and hosts match on it"
)]
pub enum ResolvedAccount {
    /// The owner's own.
    Own(Connection),
    /// The product's.
    System,
}

impl ResolvedAccount {
    /// Which kind it is.
    #[must_use]
    pub fn kind(&self) -> AccountKind {
        match self {
            Self::Own(_) => AccountKind::Own,
            Self::System => AccountKind::System,
        }
    }
}

/// On which account to act for an owner, and why.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Resolution {
    /// The account.
    pub account: ResolvedAccount,
    /// Zoom's API on its behalf.
    pub client: Client,
    /// The user to act as.
    pub user: UserId,
    /// What was found about the owner's own account, which decides: `Live`, or why the system account has to do.
    pub reason: Reason,
    /// Every account that was looked at, in order.
    pub considered: Vec<Considered>,
}

/// Chooses the account to act on: the owner's own if it is live, else the system's.
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

    /// The account to act on for `owner`.
    ///
    /// The owner's own counts as live if it has a token, or if Zoom or the store just does not answer: a moment of
    /// silence must not put a meeting on another account.
    ///
    /// # Errors
    /// [`ErrorKind::NoAccount`] when there is none, with the accounts that were [considered](Error::considered);
    /// [`ErrorKind::Storage`].
    pub async fn resolve(&self, owner: &OwnerId) -> Result<Resolution, Error> {
        let (own, reason) = self.own(owner).await?;
        let mut considered = vec![Considered {
            account: AccountKind::Own,
            reason,
        }];
        if let Some(connection) = own {
            let tokens = self.connections.tokens_of(connection.id.clone());
            let regions = &self.connections.inner.regions;
            let client = regions.client(connection.api_url.as_deref(), tokens);
            let account = ResolvedAccount::Own(connection);
            return Ok(Resolution {
                account,
                client,
                user: UserId::me(),
                reason,
                considered,
            });
        }
        let Some((client, user)) = self.system() else {
            considered.push(Considered {
                account: AccountKind::System,
                reason: Reason::NotConfigured,
            });
            return Err(Error::no_account(considered));
        };
        considered.push(Considered {
            account: AccountKind::System,
            reason: Reason::Live,
        });
        let account = ResolvedAccount::System;
        Ok(Resolution {
            account,
            client,
            user: user.clone(),
            reason,
            considered,
        })
    }

    /// The owner's connection if it is live, and what was found.
    async fn own(&self, owner: &OwnerId) -> Result<(Option<Connection>, Reason), Error> {
        let Some(connection) = self.connections.connection(owner).await? else {
            return Ok((None, Reason::NotConnected));
        };
        if connection.is_live() {
            let refresher = &self.connections.inner.refresher;
            return match refresher.access(&connection.id, None).await {
                Err(error) if error.kind() == ErrorKind::Expired => Ok((None, Reason::Expired)),
                Err(error) if error.kind() == ErrorKind::NotConnected => Ok((None, Reason::Disconnected)),
                _ => Ok((Some(connection), Reason::Live)),
            };
        }
        let reason = match connection.status {
            Status::Disconnected => Reason::Disconnected,
            Status::Expired => Reason::Expired,
            _ => Reason::NotConnected,
        };
        Ok((None, reason))
    }
}
