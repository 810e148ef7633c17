use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use thiserror::Error;
use zoom_core::Clock;

use crate::{ChallengeResponse, Delivery, WebhookSecret, Window, answer_challenge};

const TIMESTAMP: HeaderName = HeaderName::from_static("x-zm-request-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("x-zm-signature");

/// Which check a request did not pass. It says nothing about what would have passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// A header is not there; proxies strip them sometimes.
    #[error("a signature header is missing")]
    MissingHeader,
    /// A header is there twice, or the time stamp is no time.
    #[error("a signature header is malformed")]
    MalformedHeader,
    /// None of the secrets made this signature.
    #[error("the signature does not match")]
    Mismatch,
    /// Signed too long ago.
    #[error("the signature is too old")]
    TooOld,
    /// Signed too far in the future.
    #[error("the signature is from the future")]
    TooNew,
}

/// Tells what Zoom sent from what somebody else sent.
#[derive(Clone, Debug)]
pub struct Verifier {
    secrets: Vec<WebhookSecret>,
    window: Window,
    clock: Clock,
}

impl Verifier {
    /// Accepts what is signed with this secret, for as long as [`Window::retry_aware`] says.
    #[must_use]
    pub fn new(secret: WebhookSecret) -> Self {
        Self {
            secrets: vec![secret],
            window: Window::default(),
            clock: Clock::system(),
        }
    }

    /// Accepts this secret as well: another app's, or the old one while secrets are exchanged.
    #[must_use]
    pub fn with_secret(mut self, secret: WebhookSecret) -> Self {
        self.secrets.push(secret);
        self
    }

    /// Accepts signatures of this age.
    #[must_use]
    pub fn with_window(mut self, window: Window) -> Self {
        self.window = window;
        self
    }

    /// Takes the time from this clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Checks the signature over the body's bytes as they came, then its age. Nothing else makes a [`Delivery`].
    ///
    /// # Errors
    ///
    /// The check that failed.
    pub fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<Delivery, SignatureError> {
        self.verify_at(headers, body, self.clock.now())
    }

    /// [`Verifier::verify`] at another time.
    ///
    /// # Errors
    ///
    /// The check that failed.
    pub fn verify_at(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Delivery, SignatureError> {
        let timestamp = only(headers, &TIMESTAMP)?.as_bytes();
        let signature = only(headers, &SIGNATURE)?.as_bytes();
        let signed_at = parse_timestamp(timestamp).ok_or(SignatureError::MalformedHeader)?;

        let secret = self
            .signer(timestamp, body, signature)
            .ok_or(SignatureError::Mismatch)?;
        if self.window.is_too_old(signed_at, now) {
            return Err(SignatureError::TooOld);
        }
        if self.window.is_too_new(signed_at, now) {
            return Err(SignatureError::TooNew);
        }
        Ok(Delivery::verified(body, secret.shared_id()))
    }

    /// What to answer if Zoom checks that the address is ours; see [`answer_challenge`].
    #[must_use]
    pub fn answer_challenge(&self, delivery: &Delivery) -> Option<ChallengeResponse> {
        let secret = self
            .secrets
            .iter()
            .find(|secret| secret.id() == delivery.secret_id())?;
        answer_challenge(secret, delivery)
    }

    /// The secret that made the signature. Every secret is tried whatever the outcome, so time tells nothing.
    fn signer(&self, timestamp: &[u8], body: &[u8], signature: &[u8]) -> Option<&WebhookSecret> {
        let mut found = Choice::from(0);
        let mut index = 0_u64;
        for (number, secret) in (0_u64..).zip(&self.secrets) {
            let matches = signature_of(secret, timestamp, body).as_bytes().ct_eq(signature);
            index.conditional_assign(&number, matches & !found);
            found |= matches;
        }
        let secret = usize::try_from(index)
            .ok()
            .and_then(|index| self.secrets.get(index));
        secret.filter(|_| bool::from(found))
    }
}

/// The value of `x-zm-signature` for this time stamp (as in `x-zm-request-timestamp`) and these bytes.
#[must_use]
pub fn sign(secret: &WebhookSecret, timestamp: &str, body: &[u8]) -> String {
    signature_of(secret, timestamp.as_bytes(), body)
}

/// Both headers, as Zoom would send this body at this time; for tests of hosts.
#[must_use]
pub fn signed_headers(secret: &WebhookSecret, at: Timestamp, body: &[u8]) -> HeaderMap {
    let timestamp = at.as_second().to_string();
    let signature = sign(secret, &timestamp, body);
    let mut headers = HeaderMap::new();
    for (name, value) in [(TIMESTAMP, timestamp), (SIGNATURE, signature)] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    headers
}

fn signature_of(secret: &WebhookSecret, timestamp: &[u8], body: &[u8]) -> String {
    let mut signature = secret.hmac_hex(&[b"v0:", timestamp, b":", body]);
    signature.insert_str(0, "v0=");
    signature
}

/// A header that is there twice is ambiguous: who reads the other one would see another request.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a HeaderValue, SignatureError> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().ok_or(SignatureError::MissingHeader)?;
    if values.next().is_some() {
        Err(SignatureError::MalformedHeader)
    } else {
        Ok(value)
    }
}

/// Seconds (10 digits) or milliseconds (13 digits) since 1970.
fn parse_timestamp(text: &[u8]) -> Option<Timestamp> {
    if !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number: i64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    match text.len() {
        10 => Timestamp::from_second(number).ok(),
        13 => Timestamp::from_millisecond(number).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
