use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use token_store::{
    Expect, Filter, Generation, Key, KeyId, OwnerId, RecordKind, RefreshLock, SealContext, StaticKeys,
    Status, StoreError, StoredConnection, TokenStore, TokenStoreExt as _, Vault,
};
use url::Url;
use zoom_core::Clock;
use zoom_oauth::{App, ClientSecret, Connections, Endpoints};

const FIELD: &str = "tokens";

/// A connection as it lies in a store when a measurement begins.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Seed {
    /// Whose it is.
    pub owner: OwnerId,
    access: String,
    refresh: String,
    expires_at: Timestamp,
}

impl Seed {
    /// An access token that has run out an hour ago.
    #[must_use]
    pub fn expired(access: &str, refresh: &str) -> Self {
        let ago = Clock::system()
            .now()
            .saturating_sub(SignedDuration::from_hours(1));
        Self::new(access, refresh, ago.unwrap_or(Timestamp::MIN))
    }

    /// An access token that is good for an hour.
    #[must_use]
    pub fn good(access: &str, refresh: &str) -> Self {
        let later = Clock::system()
            .now()
            .saturating_add(SignedDuration::from_hours(1));
        Self::new(access, refresh, later.unwrap_or(Timestamp::MAX))
    }

    fn new(access: &str, refresh: &str, expires_at: Timestamp) -> Self {
        Self {
            owner: OwnerId::new("bench"),
            access: access.to_owned(),
            refresh: refresh.to_owned(),
            expires_at,
        }
    }

    /// Seals it into the store; another process may have been faster.
    ///
    /// # Errors
    /// When the store or the vault does not work.
    pub async fn plant(&self, store: &dyn TokenStore, vault: &Vault) -> anyhow::Result<()> {
        let mut record = record(&self.owner, "bench");
        record.expires_at = Some(self.expires_at);
        // What zoom-oauth seals; its tests keep the form stable.
        let tokens = json!({
            "access_token": self.access, "refresh_token": self.refresh,
            "expires_at": self.expires_at, "granted_at": record.created_at,
        });
        let place = SealContext {
            owner: &record.owner,
            connection: &record.id,
            field: FIELD,
            generation: Generation::FIRST,
        };
        record.sealed = Some(vault.seal(&place, tokens.to_string().as_bytes()).await?);
        match store.save(&record, Expect::Absent).await {
            Ok(_) | Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// A connection as a store has it, without tokens.
#[must_use]
pub fn record(owner: &OwnerId, id: &str) -> StoredConnection {
    let now = Clock::system().now();
    let mut record = StoredConnection::new(
        id.into(),
        owner.clone(),
        RecordKind::Connection,
        Status::Active,
        now,
    );
    record.provider_account = Some("bench-account".to_owned());
    record.provider_user = Some(format!("user-of-{id}"));
    record.display_name = Some("Ada Bench".to_owned());
    record.email = Some("ada@bench.example".to_owned());
    record.scopes = [
        "user:read:user",
        "user:read:settings",
        "meeting:write:meeting",
        "meeting:read:meeting",
        "cloud_recording:read:list_user_recordings",
        "cloud_recording:read:list_recording_files",
    ]
    .map(str::to_owned)
    .to_vec();
    record
}

/// Text that looks like tokens: it does not compress, which databases would try.
#[must_use]
pub fn secret(length: usize) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut state = 1_u64;
    let letters = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let at = usize::try_from(state >> 58).unwrap_or_default();
        LETTERS.get(at).map_or('A', |letter| char::from(*letter))
    });
    letters.take(length).collect()
}

/// Keys that every process of a measurement has.
///
/// # Errors
/// Never.
pub fn vault() -> anyhow::Result<Vault> {
    let bytes = std::array::from_fn(|at| u8::try_from(at * 7 + 3).unwrap_or_default());
    let key = Key::new(KeyId::new("bench")?, bytes);
    Ok(Vault::new(Arc::new(StaticKeys::new(key, []))))
}

/// Connections to whatever Zoom is at `base`; `cached` as usual, or with a look at the store for every token.
///
/// # Errors
/// When `base` is not a web address.
pub fn connections(
    base: &Url,
    client: (&str, &str),
    store: Arc<dyn TokenStore>,
    lock: Option<Arc<dyn RefreshLock>>,
    cached: bool,
) -> anyhow::Result<Connections> {
    let app = App::new(
        client.0,
        ClientSecret::new(client.1),
        "https://bench.example/callback".parse()?,
    );
    let mut builder = Connections::builder(app, store, vault()?).endpoints(Endpoints::at(base));
    if !cached {
        builder = builder.with_cache_lifetime(Duration::ZERO);
    }
    if let Some(lock) = lock {
        builder = builder.lock(lock);
    }
    Ok(builder.build()?)
}

/// The refresh token that is in the store now.
///
/// # Errors
/// When there is none, or it does not open.
pub async fn final_refresh(store: &dyn TokenStore) -> anyhow::Result<String> {
    let connections = Filter::all().kind(RecordKind::Connection);
    let found = store.find_all(&connections).await?;
    let found = found.first().context("there is no connection")?;
    let sealed = found.value.sealed.as_ref().context("it has no tokens")?;
    let place = SealContext {
        owner: &found.value.owner,
        connection: &found.value.id,
        field: FIELD,
        generation: found.generation,
    };
    let opened = vault()?.open(&place, sealed).await?;
    let tokens: serde_json::Value = serde_json::from_slice(&opened)?;
    Ok(tokens
        .get("refresh_token")
        .and_then(serde_json::Value::as_str)
        .context("it has no refresh token")?
        .to_owned())
}
