//! Codes and tokens that are out there.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::device::Device;
use crate::world::{App, Caller};

/// All codes, authorizations and tokens.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    pub(super) codes: HashMap<String, Code>,
    grants: Vec<Grant>,
    access: HashMap<String, Access>,
    pub(super) refresh: HashMap<String, Refresh>,
    downloads: HashMap<String, DownloadGrant>,
    pub(super) devices: Vec<Device>,
}

/// An authorization code. It stays after its use, to tell used from unknown.
#[derive(Clone, Debug)]
pub(super) struct Code {
    pub(super) client_id: String,
    pub(super) user_id: String,
    pub(super) scopes: Vec<String>,
    pub(super) redirect_uri: String,
    /// Challenge and method.
    pub(super) challenge: Option<(String, String)>,
    pub(super) expires: Timestamp,
}

/// One time that a user authorized an app. The newest is the only one that lives.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) client_id: String,
    pub(super) user_id: String,
    pub(super) scopes: Vec<String>,
    /// What the app could have asked for at the time.
    pub(super) offered: Vec<String>,
    pub(super) end: Option<End>,
    /// How often tokens were made for it.
    pub(super) generation: u64,
}

/// How an authorization came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The same user authorized the same app once more.
    Superseded,
    /// The app gave it back, or the user took it back.
    Revoked,
    /// The user is no longer there.
    OwnerGone,
}

impl Grant {
    pub(super) fn new(app: &App, user_id: &str, scopes: Vec<String>) -> Self {
        Self {
            client_id: app.client_id.clone(),
            user_id: user_id.to_owned(),
            scopes,
            offered: app.all_scopes(),
            end: None,
            generation: 0,
        }
    }

    pub(super) const fn lives(&self) -> bool {
        self.end.is_none()
    }
}

#[derive(Clone, Debug)]
struct Access {
    caller: Caller,
    grant: Option<usize>,
    expires: Timestamp,
    revoked: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Refresh {
    pub(super) grant: usize,
    pub(super) generation: u64,
    pub(super) expires: Timestamp,
    /// How often it was used after a newer one took its place.
    pub(super) late_uses: u32,
    pub(super) revoked: bool,
}

/// What a webhook's `download_token` or a `download_access_token` opens.
#[derive(Clone, Debug)]
pub(crate) struct DownloadGrant {
    pub(crate) meeting_uuid: String,
    pub(crate) expires: Timestamp,
    /// Came with a webhook, whose tokens may stand in the address.
    pub(crate) from_webhook: bool,
}

/// Why a bearer token does not open anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadToken {
    Invalid,
    Expired,
}

impl BadToken {
    pub(crate) const fn message(self) -> &'static str {
        match self {
            Self::Invalid => "Invalid access token.",
            Self::Expired => "Access token is expired.",
        }
    }
}

impl Tokens {
    /// The last one wins: an authorization of the same app by the same user ends.
    pub(super) fn add_grant(&mut self, grant: Grant, older_access_lives: bool) -> usize {
        let older: Vec<usize> = self
            .grants
            .iter()
            .enumerate()
            .filter(|(_, old)| {
                old.lives() && old.client_id == grant.client_id && old.user_id == grant.user_id
            })
            .map(|(at, _)| at)
            .collect();
        for at in older {
            self.mark(at, End::Superseded);
            if !older_access_lives {
                self.kill_access(at);
            }
        }
        self.grants.push(grant);
        self.grants.len() - 1
    }

    pub(super) fn grant(&self, at: usize) -> Option<&Grant> {
        self.grants.get(at)
    }

    /// Counts one more pair of tokens and tells which it is.
    pub(super) fn next_generation(&mut self, at: usize) -> u64 {
        self.grants.get_mut(at).map_or(0, |grant| {
            grant.generation += 1;
            grant.generation
        })
    }

    pub(super) fn add_access(
        &mut self,
        token: &str,
        caller: Caller,
        grant: Option<usize>,
        expires: Timestamp,
    ) {
        self.access.insert(
            token.to_owned(),
            Access {
                caller,
                grant,
                expires,
                revoked: false,
            },
        );
    }

    fn mark(&mut self, at: usize, end: End) {
        if let Some(grant) = self.grants.get_mut(at) {
            grant.end.get_or_insert(end);
        }
    }

    /// The access tokens of this authorization open nothing any more.
    pub(super) fn kill_access(&mut self, at: usize) {
        for access in self.access.values_mut().filter(|access| access.grant == Some(at)) {
            access.revoked = true;
        }
    }

    /// The living authorizations of a user, for one app or all.
    pub(crate) fn grants_of(&self, user_id: &str) -> Vec<(usize, String)> {
        let living = self
            .grants
            .iter()
            .enumerate()
            .filter(|(_, grant)| grant.lives() && grant.user_id == user_id);
        living.map(|(at, grant)| (at, grant.client_id.clone())).collect()
    }

    /// Ends an authorization: it was given or taken back.
    pub(crate) fn end(&mut self, at: usize) {
        self.mark(at, End::Revoked);
        self.kill_access(at);
    }

    /// Ends everything a user authorized.
    pub(crate) fn end_all_of(&mut self, user_id: &str, end: End) {
        for (at, _) in self.grants_of(user_id) {
            self.mark(at, end);
            self.kill_access(at);
        }
    }

    /// The authorization behind an access or refresh token.
    pub(super) fn grant_of(&self, token: &str) -> Option<usize> {
        let by_access = self.access.get(token).and_then(|access| access.grant);
        by_access.or_else(|| self.refresh.get(token).map(|refresh| refresh.grant))
    }

    /// Whose access token this is.
    pub(crate) fn caller(&self, token: &str, now: Timestamp) -> Result<&Caller, BadToken> {
        let access = self.access.get(token).ok_or(BadToken::Invalid)?;
        if access.revoked {
            return Err(BadToken::Invalid);
        }
        if access.expires <= now {
            return Err(BadToken::Expired);
        }
        Ok(&access.caller)
    }

    /// Ends one access token, or those of a user, or all; they say that they have expired.
    pub(crate) fn expire_access(&mut self, wanted: impl Fn(&str, &Caller) -> bool, now: Timestamp) -> usize {
        let mut ended = 0;
        for (token, access) in &mut self.access {
            if access.expires > now && !access.revoked && wanted(token, &access.caller) {
                access.expires = now;
                ended += 1;
            }
        }
        ended
    }

    /// Ends the refresh tokens of a user, or all; access tokens go on.
    pub(crate) fn expire_refresh(&mut self, user_id: Option<&str>) -> usize {
        let mut ended = 0;
        for refresh in self.refresh.values_mut() {
            let theirs = self
                .grants
                .get(refresh.grant)
                .is_some_and(|grant| user_id.is_none_or(|id| grant.user_id == id));
            if theirs && !refresh.revoked {
                refresh.revoked = true;
                ended += 1;
            }
        }
        ended
    }

    /// Kills all tokens an app got without a user.
    pub(super) fn end_server_tokens(&mut self, client_id: &str) {
        for access in self.access.values_mut() {
            if access.grant.is_none() && access.caller.client_id == client_id {
                access.revoked = true;
            }
        }
    }

    pub(crate) fn add_download(&mut self, token: &str, grant: DownloadGrant) {
        self.downloads.insert(token.to_owned(), grant);
    }

    pub(crate) fn download(&self, token: &str, now: Timestamp) -> Option<&DownloadGrant> {
        self.downloads.get(token).filter(|grant| grant.expires > now)
    }

    pub(crate) fn summary(&self) -> Value {
        let grants = self.grants.iter().map(|grant| {
            json!({
                "client_id": grant.client_id, "user_id": grant.user_id, "scopes": grant.scopes,
                "alive": grant.lives(), "tokens_made": grant.generation,
            })
        });
        grants.collect()
    }
}
