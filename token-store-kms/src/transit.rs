use std::{
    borrow::Cow,
    fmt,
    sync::{PoisonError, RwLock},
};

use async_trait::async_trait;
use reqwest::{Client, Url};
use serde::{Deserialize, Serialize};
use token_store::{DataKey, KeyId, KeyWrapper, VaultError, WrapContext, Wrapped};
use zeroize::Zeroizing;

use crate::http::{self, Answer, SetupError};

const MOUNT: &str = "transit";

/// Wraps data keys with a key of the transit engine of HashiCorp Vault or OpenBao; the key itself never leaves it.
///
/// The key must be an authenticated one, `aes256-gcm96` (the default), `aes128-gcm96` or `chacha20-poly1305`: owner and
/// connection are its associated data, and with a [derived](Self::derived) key the derivation context too.
///
/// A key that was rotated there still unwraps what its older versions wrapped, down to `min_decryption_version`. Before
/// that is raised, or to go over to another key: give the key a new name here, put it first in
/// [`Wrappers`](token_store::Wrappers), the old name behind it, and rotate.
pub struct Transit {
    name: KeyId,
    address: Url,
    mount: String,
    key: String,
    namespace: Option<String>,
    is_derived: bool,
    client: Client,
    token: RwLock<Zeroizing<String>>,
}

impl Transit {
    /// The key `key` of the engine at the mount `transit`; `name` is what records call it, for good.
    ///
    /// # Errors
    /// [`SetupError::Address`], [`SetupError::Name`], [`SetupError::Client`].
    pub fn new(
        name: KeyId,
        address: &str,
        key: impl Into<String>,
        token: impl Into<String>,
    ) -> Result<Self, SetupError> {
        let key = key.into();
        if key.contains('/') || !is_path(&key) {
            return Err(SetupError::Name);
        }
        Ok(Self {
            name,
            address: http::address(address)?,
            mount: MOUNT.to_owned(),
            key,
            namespace: None,
            is_derived: false,
            client: http::client(b"")?,
            token: RwLock::new(Zeroizing::new(token.into())),
        })
    }

    /// Where the engine is mounted.
    ///
    /// # Errors
    /// [`SetupError::Name`].
    pub fn with_mount(mut self, mount: &str) -> Result<Self, SetupError> {
        let mount = mount.trim_matches('/');
        if !is_path(mount) {
            return Err(SetupError::Name);
        }
        mount.clone_into(&mut self.mount);
        Ok(self)
    }

    /// Works in this namespace.
    #[must_use]
    pub fn with_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// The key was made with `derived=true`.
    #[must_use]
    pub fn derived(mut self) -> Self {
        self.is_derived = true;
        self
    }

    /// Trusts these certificates, in PEM, as well as Mozilla's roots.
    ///
    /// # Errors
    /// [`SetupError::Certificate`], [`SetupError::Client`].
    pub fn with_root_certificate(mut self, pem: &[u8]) -> Result<Self, SetupError> {
        self.client = http::client(pem)?;
        Ok(self)
    }

    /// Goes on with another token: one that runs out is renewed by the host, who says so here.
    pub fn replace_token(&self, token: impl Into<String>) {
        *self.token.write().unwrap_or_else(PoisonError::into_inner) = Zeroizing::new(token.into());
    }

    async fn call(&self, action: &str, body: &Body<'_>) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let mut url = self.address.clone();
        url.set_path(&format!("/v1/{}/{action}/{}", self.mount, self.key));
        let token = self.token.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut request = self
            .client
            .post(url)
            .header("x-vault-request", "true")
            .header("x-vault-token", http::secret_header(&token)?)
            .header("content-type", "application/json");
        if let Some(namespace) = &self.namespace {
            request = request.header("x-vault-namespace", namespace);
        }
        let (status, answer) = http::send(request.body(http::body(body)?)).await?;
        if status == 200 {
            return Ok(answer);
        }
        Err(failure(status, &answer))
    }
}

fn is_path(text: &str) -> bool {
    text.split('/').all(|part| {
        let is_plain = part
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
        is_plain && !matches!(part, "" | "." | "..")
    })
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    plaintext: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ciphertext: Option<&'a str>,
    associated_data: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<&'a str>,
}

#[derive(Deserialize)]
struct Answered<T> {
    data: T,
}

#[derive(Deserialize)]
struct Encrypted<'a> {
    #[serde(borrow)]
    ciphertext: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Decrypted<'a> {
    #[serde(borrow)]
    plaintext: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Failure<'a> {
    #[serde(borrow, default)]
    errors: Vec<Cow<'a, str>>,
}

/// A 400 is what was sent to it: a ciphertext that does not open, or something that no retry mends.
fn failure(status: u16, body: &[u8]) -> VaultError {
    let does_not_open = |errors: &[Cow<'_, str>]| {
        errors
            .iter()
            .any(|error| error.contains("authentication failed") || error.contains("invalid ciphertext"))
    };
    match status {
        400 if serde_json::from_slice::<Failure<'_>>(body)
            .is_ok_and(|failure| does_not_open(&failure.errors)) =>
        {
            VaultError::DoesNotOpen
        }
        // 412 is a replica that has not caught up, 472 and 473 a standby without its primary.
        412 | 429 | 472 | 473 | 500.. => VaultError::unavailable(Answer::new("Vault", status, "")),
        _ => VaultError::refused(Answer::new("Vault", status, "")),
    }
}

fn unreadable() -> VaultError {
    VaultError::unavailable(Answer::new("Vault", 200, "unreadable"))
}

#[async_trait]
impl KeyWrapper for Transit {
    async fn primary(&self) -> Result<KeyId, VaultError> {
        Ok(self.name.clone())
    }

    async fn wrap(&self, key: &DataKey, context: &WrapContext<'_>) -> Result<Wrapped, VaultError> {
        let (plaintext, associated) = (http::encode(key.expose_secret()), http::encode(&context.bytes()));
        let body = Body {
            plaintext: Some(&plaintext),
            ciphertext: None,
            associated_data: &associated,
            context: self.is_derived.then_some(&associated),
        };
        let answer = self.call("encrypt", &body).await?;
        let encrypted: Answered<Encrypted<'_>> = serde_json::from_slice(&answer).map_err(|_| unreadable())?;
        let ciphertext = encrypted.data.ciphertext.as_bytes().to_vec();
        Ok(Wrapped::new(self.name.clone(), ciphertext))
    }

    async fn unwrap(&self, wrapped: &Wrapped, context: &WrapContext<'_>) -> Result<DataKey, VaultError> {
        if *wrapped.key_id() != self.name {
            return Err(VaultError::UnknownKey(wrapped.key_id().clone()));
        }
        let ciphertext = std::str::from_utf8(wrapped.bytes()).map_err(|_| VaultError::DoesNotOpen)?;
        let associated = http::encode(&context.bytes());
        let body = Body {
            plaintext: None,
            ciphertext: Some(ciphertext),
            associated_data: &associated,
            context: self.is_derived.then_some(&associated),
        };
        let answer = self.call("decrypt", &body).await?;
        let decrypted: Answered<Decrypted<'_>> = serde_json::from_slice(&answer).map_err(|_| unreadable())?;
        http::data_key(&decrypted.data.plaintext)
    }
}

impl fmt::Debug for Transit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transit")
            .field("name", &self.name)
            .field("mount", &self.mount)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
