mod sigv4;

use std::{
    borrow::Cow,
    collections::BTreeMap,
    env, fmt,
    sync::{PoisonError, RwLock},
};

use async_trait::async_trait;
use reqwest::{Client, Url};
use serde::{Deserialize, Serialize};
use token_store::{Clock, DataKey, KeyId, KeyWrapper, VaultError, WrapContext, Wrapped};
use zeroize::Zeroizing;

use crate::http::{self, Answer, SetupError};

const SERVICE: &str = "kms";
const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// Who asks AWS. Nothing prints the secrets.
#[derive(Clone)]
pub struct AwsCredentials {
    access_key_id: String,
    secret_access_key: Zeroizing<String>,
    session_token: Option<Zeroizing<String>>,
}

impl AwsCredentials {
    /// Those of a user, or of a role with [a session token](Self::with_session_token).
    #[must_use]
    pub fn new(access_key_id: impl Into<String>, secret_access_key: impl Into<String>) -> Self {
        Self {
            access_key_id: access_key_id.into(),
            secret_access_key: Zeroizing::new(secret_access_key.into()),
            session_token: None,
        }
    }

    /// The token that comes with the credentials of a role.
    #[must_use]
    pub fn with_session_token(mut self, token: impl Into<String>) -> Self {
        self.session_token = Some(Zeroizing::new(token.into()));
        self
    }

    /// Reads `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, if it is there, `AWS_SESSION_TOKEN`.
    ///
    /// # Errors
    /// [`SetupError::MissingVariable`].
    pub fn from_env() -> Result<Self, SetupError> {
        let read = |name| env::var(name).map_err(|_| SetupError::MissingVariable(name));
        let made = Self::new(read("AWS_ACCESS_KEY_ID")?, read("AWS_SECRET_ACCESS_KEY")?);
        Ok(match env::var("AWS_SESSION_TOKEN") {
            Ok(token) => made.with_session_token(token),
            Err(_) => made,
        })
    }
}

impl fmt::Debug for AwsCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AwsCredentials([redacted])")
    }
}

/// Wraps data keys with a symmetric key of AWS KMS; the key itself never leaves AWS.
///
/// It calls `Encrypt` and `Decrypt`. The owner and the id of the connection are the encryption context: KMS decrypts for
/// the same ones only, and shows them in CloudTrail.
///
/// AWS renews the material behind a key by itself, and what older material wrapped still unwraps. To go over to another
/// key, give it a name of its own, put it first in [`Wrappers`](token_store::Wrappers), and rotate.
pub struct AwsKms {
    name: KeyId,
    key: String,
    region: String,
    endpoint: Url,
    client: Client,
    clock: Clock,
    credentials: RwLock<AwsCredentials>,
}

impl AwsKms {
    /// The key of this ARN, id or alias in this region; `name` is what records call it, for good.
    ///
    /// # Errors
    /// [`SetupError::Address`] for a region that is none, [`SetupError::Client`].
    pub fn new(
        name: KeyId,
        key: impl Into<String>,
        region: impl Into<String>,
        credentials: AwsCredentials,
    ) -> Result<Self, SetupError> {
        let region = region.into();
        let is_region = region
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if region.is_empty() || !is_region {
            return Err(SetupError::Address);
        }
        Ok(Self {
            name,
            key: key.into(),
            endpoint: http::address(&format!("https://kms.{region}.amazonaws.com/"))?,
            region,
            client: http::client(b"")?,
            clock: Clock::system(),
            credentials: RwLock::new(credentials),
        })
    }

    /// Asks somewhere else: a VPC endpoint, another partition of AWS.
    ///
    /// # Errors
    /// [`SetupError::Address`].
    pub fn with_endpoint(mut self, url: &str) -> Result<Self, SetupError> {
        self.endpoint = http::address(url)?;
        self.endpoint.set_path("/");
        Ok(self)
    }

    /// Reads the time of a signature from `clock`.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Goes on with other credentials: those of a role run out, and whoever renews them says so here.
    pub fn replace_credentials(&self, credentials: AwsCredentials) {
        *self.credentials.write().unwrap_or_else(PoisonError::into_inner) = credentials;
    }

    async fn call(&self, action: &str, body: &Body<'_>) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let body = http::body(body)?;
        let host = match (self.endpoint.host_str().unwrap_or_default(), self.endpoint.port()) {
            (host, Some(port)) => format!("{host}:{port}"),
            (host, None) => host.to_owned(),
        };
        let (date, target) = (sigv4::date(self.clock.now()), format!("TrentService.{action}"));
        let credentials = self
            .credentials
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let mut headers = vec![
            ("content-type", CONTENT_TYPE),
            ("host", &host),
            ("x-amz-date", &date),
            ("x-amz-target", &target),
        ];
        if let Some(token) = &credentials.session_token {
            headers.push(("x-amz-security-token", token));
        }
        let signature = sigv4::authorization(&credentials, (&self.region, SERVICE), &date, &headers, &body);
        let mut request = self
            .client
            .post(self.endpoint.clone())
            .header("authorization", http::secret_header(&signature)?);
        for (name, value) in headers {
            request = if name == "x-amz-security-token" {
                request.header(name, http::secret_header(value)?)
            } else {
                request.header(name, value)
            };
        }
        let (status, answer) = http::send(request.body(body)).await?;
        if status == 200 {
            return Ok(answer);
        }
        Err(failure(status, &answer))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    key_id: &'a str,
    encryption_context: BTreeMap<&'static str, &'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plaintext: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ciphertext_blob: Option<&'a str>,
}

fn encryption_context<'a>(context: &WrapContext<'a>) -> BTreeMap<&'static str, &'a str> {
    BTreeMap::from([
        ("token-store:owner", context.owner.as_str()),
        ("token-store:connection", context.connection.as_str()),
    ])
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Encrypted<'a> {
    #[serde(borrow)]
    ciphertext_blob: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Decrypted<'a> {
    #[serde(borrow)]
    plaintext: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Failure<'a> {
    #[serde(rename = "__type", borrow)]
    kind: Cow<'a, str>,
}

/// KMS says 400 for nearly everything, and in the body what it means.
fn failure(status: u16, body: &[u8]) -> VaultError {
    let failure = serde_json::from_slice::<Failure<'_>>(body).ok();
    let kind = failure.as_ref().map_or("", |failure| failure.kind.as_ref());
    let kind = kind.rsplit('#').next().unwrap_or(kind);
    let answer = Answer::new("AWS KMS", status, kind);
    match kind {
        "InvalidCiphertextException" | "IncorrectKeyException" => VaultError::DoesNotOpen,
        "ThrottlingException"
        | "LimitExceededException"
        | "DependencyTimeoutException"
        | "KeyUnavailableException"
        | "KMSInternalException" => VaultError::unavailable(answer),
        _ if status == 429 || status >= 500 => VaultError::unavailable(answer),
        _ => VaultError::refused(answer),
    }
}

fn unreadable() -> VaultError {
    VaultError::unavailable(Answer::new("AWS KMS", 200, "unreadable"))
}

#[async_trait]
impl KeyWrapper for AwsKms {
    async fn primary(&self) -> Result<KeyId, VaultError> {
        Ok(self.name.clone())
    }

    async fn wrap(&self, key: &DataKey, context: &WrapContext<'_>) -> Result<Wrapped, VaultError> {
        let plaintext = http::encode(key.expose_secret());
        let body = Body {
            key_id: &self.key,
            encryption_context: encryption_context(context),
            plaintext: Some(&plaintext),
            ciphertext_blob: None,
        };
        let answer = self.call("Encrypt", &body).await?;
        let encrypted: Encrypted<'_> = serde_json::from_slice(&answer).map_err(|_| unreadable())?;
        let bytes = http::decode(&encrypted.ciphertext_blob).map_err(|_| unreadable())?;
        Ok(Wrapped::new(self.name.clone(), bytes.to_vec()))
    }

    async fn unwrap(&self, wrapped: &Wrapped, context: &WrapContext<'_>) -> Result<DataKey, VaultError> {
        if *wrapped.key_id() != self.name {
            return Err(VaultError::UnknownKey(wrapped.key_id().clone()));
        }
        let ciphertext = http::encode(wrapped.bytes());
        let body = Body {
            key_id: &self.key,
            encryption_context: encryption_context(context),
            plaintext: None,
            ciphertext_blob: Some(&ciphertext),
        };
        let answer = self.call("Decrypt", &body).await?;
        let decrypted: Decrypted<'_> = serde_json::from_slice(&answer).map_err(|_| unreadable())?;
        http::data_key(&decrypted.plaintext)
    }
}

impl fmt::Debug for AwsKms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsKms")
            .field("name", &self.name)
            .field("key", &self.key)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
