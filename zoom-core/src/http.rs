//! The one HTTP stack of the family.

use std::{sync::Arc, time::Duration};

use ::http::{HeaderMap, header::RETRY_AFTER};
use jiff::Timestamp;
use reqwest::redirect;
use rustls::{ClientConfig, RootCertStore, crypto::ring};

use crate::time::parse_retry_after;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// The beginning of every HTTP client in the family.
///
/// TLS with ring and Mozilla's roots, given explicitly, so that nothing must be installed for the process; time-outs for
/// connecting (10 s) and between reads (30 s), and none for the whole, so that it can download; no redirects, because
/// they would carry tokens to other hosts; no cookies.
pub fn client_builder() -> reqwest::ClientBuilder {
    let builder = reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .redirect(redirect::Policy::none())
        .referer(false)
        .user_agent(concat!("zoom-core/", env!("CARGO_PKG_VERSION")));
    match tls() {
        Ok(tls) => builder.tls_backend_preconfigured(tls),
        // Not a TLS configuration, so that `build` fails: better no client than one on another stack.
        Err(error) => builder.tls_backend_preconfigured(error),
    }
}

/// How long `Retry-After` asks to wait, in each of the ways it is sent: seconds, an ISO date (Zoom's daily limits), an HTTP
/// date. A moment that is past is no wait.
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    parse_retry_after(headers.get(RETRY_AFTER)?.to_str().ok()?, now)
}

fn tls() -> Result<ClientConfig, rustls::Error> {
    let roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_built_without_a_provider_for_the_process() {
        assert!(rustls::crypto::CryptoProvider::get_default().is_none());
        client_builder().build().unwrap();
        assert!(rustls::crypto::CryptoProvider::get_default().is_none());
    }
}
