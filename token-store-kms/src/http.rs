//! What both services need: a client, a body with a cap, and what they refuse.

use std::{fmt, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use reqwest::{Client, RequestBuilder, Response, Url, header::HeaderValue, redirect};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use token_store::{DataKey, VaultError};
use zeroize::Zeroizing;

const TIMEOUT: Duration = Duration::from_secs(10);
/// A wrapped key and the words around it are a fraction of this.
const LONGEST_BODY: usize = 64 * 1024;

/// Why a key service cannot be used as it was configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The address is no URL, or would send secrets in the clear: only this machine may be spoken to without TLS.
    #[error("the address of the key service is not an https URL")]
    Address,
    /// The name of the key or of its mount cannot stand in a URL.
    #[error("the name of the key or of its mount has a character that cannot stand in a URL")]
    Name,
    /// The certificate is not PEM.
    #[error("the root certificate is not PEM")]
    Certificate,
    /// An environment variable is not set.
    #[error("the environment variable {0} is not set")]
    MissingVariable(&'static str),
    /// The HTTP client could not be made.
    #[error("the HTTP client could not be made")]
    Client,
}

/// A client without redirects, which would carry secrets to other hosts; TLS on ring with Mozilla's roots, given
/// explicitly, so that nothing has to be installed for the process.
pub(crate) fn client(more_roots: &[u8]) -> Result<Client, SetupError> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    for certificate in CertificateDer::pem_slice_iter(more_roots) {
        let certificate = certificate.map_err(|_| SetupError::Certificate)?;
        roots.add(certificate).map_err(|_| SetupError::Certificate)?;
    }
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| SetupError::Client)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(tls)
        .timeout(TIMEOUT)
        .redirect(redirect::Policy::none())
        .referer(false)
        .user_agent(concat!("token-store-kms/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|_| SetupError::Client)
}

pub(crate) fn address(text: &str) -> Result<Url, SetupError> {
    let url = Url::parse(text).map_err(|_| SetupError::Address)?;
    let is_here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_here => Ok(url),
        _ => Err(SetupError::Address),
    }
}

/// A body that is wiped when it was sent.
pub(crate) fn body(value: &impl serde::Serialize) -> Result<Bytes, VaultError> {
    let bytes = serde_json::to_vec(value).map_err(VaultError::refused)?;
    Ok(Bytes::from_owner(Zeroizing::new(bytes)))
}

/// The status, and the body, wiped after use. No answer is worth trying again.
pub(crate) async fn send(request: RequestBuilder) -> Result<(u16, Zeroizing<Vec<u8>>), VaultError> {
    let response = request.send().await.map_err(unavailable)?;
    let status = response.status().as_u16();
    Ok((status, read(response).await?))
}

async fn read(mut response: Response) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let mut body = Zeroizing::new(Vec::with_capacity(LONGEST_BODY));
    while let Some(chunk) = response.chunk().await.map_err(unavailable)? {
        if body.len() + chunk.len() > LONGEST_BODY {
            return Err(VaultError::unavailable(Answer::new(
                "key service",
                0,
                "answer too long",
            )));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn unavailable(error: reqwest::Error) -> VaultError {
    VaultError::unavailable(error.without_url())
}

/// A header that nothing prints, whatever it logs of a request.
pub(crate) fn secret_header(text: &str) -> Result<HeaderValue, VaultError> {
    let mut value = HeaderValue::from_str(text).map_err(VaultError::refused)?;
    value.set_sensitive(true);
    Ok(value)
}

/// What a key service said, without its text: that may repeat what it was sent.
#[derive(Debug)]
pub(crate) struct Answer {
    service: &'static str,
    status: u16,
    code: String,
}

impl Answer {
    /// Of the code, no more than a code can have.
    pub(crate) fn new(service: &'static str, status: u16, code: &str) -> Self {
        let code = code
            .chars()
            .take(64)
            .filter(|c| c.is_ascii_alphanumeric() || *c == ' ');
        Self {
            service,
            status,
            code: code.collect(),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} answered {} {}", self.service, self.status, self.code)
    }
}

impl std::error::Error for Answer {}

pub(crate) fn encode(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(STANDARD.encode(bytes))
}

pub(crate) fn decode(text: &str) -> Result<Zeroizing<Vec<u8>>, base64::DecodeError> {
    STANDARD.decode(text).map(Zeroizing::new)
}

/// A data key from the text of an answer.
pub(crate) fn data_key(text: &str) -> Result<DataKey, VaultError> {
    let bytes = decode(text).map_err(|_| VaultError::DoesNotOpen)?;
    let bytes = bytes.as_slice().try_into().map_err(|_| VaultError::DoesNotOpen)?;
    Ok(DataKey::new(Zeroizing::new(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_spoken_to_without_tls() {
        for good in [
            "https://kms.eu-central-1.amazonaws.com",
            "http://127.0.0.1:8200",
            "http://[::1]:1",
            "http://localhost",
        ] {
            assert!(address(good).is_ok(), "{good}");
        }
        for bad in [
            "http://vault.internal:8200",
            "http://127.0.0.1.example.com",
            "vault:8200",
            "",
            "ftp://localhost",
        ] {
            assert_eq!(address(bad), Err(SetupError::Address), "{bad}");
        }
    }

    #[test]
    fn a_root_certificate_that_is_none_is_refused() {
        assert!(client(b"").is_ok());
        let broken = b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n";
        assert_eq!(client(broken).err(), Some(SetupError::Certificate));
    }

    #[test]
    fn a_secret_header_is_not_printed_and_a_broken_one_is_no_outage() {
        let value = secret_header("s.hunter2").unwrap();
        assert!(!format!("{value:?}").contains("hunter2"));
        let error = secret_header("s.hunter2\n").unwrap_err();
        assert!(!error.is_retryable() && !format!("{error:?}").contains("hunter2"));
    }

    #[test]
    fn a_code_is_cut_to_what_a_code_can_be() {
        let long = format!("{}\n{{\"secret\"", "x".repeat(80));
        let shown = Answer::new("KMS", 400, &long).to_string();
        assert!(
            shown.len() < 90 && !shown.contains('\n') && !shown.contains("secret"),
            "{shown}"
        );
    }
}
