use serde::{Deserialize, Serialize};

use crate::{Delivery, WebhookSecret};

/// What Zoom expects as the answer to `endpoint.url_validation`, as a JSON body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ChallengeResponse {
    /// The text Zoom sent.
    pub plain_token: String,
    /// The text, hashed with the secret.
    pub encrypted_token: String,
}

#[derive(Deserialize)]
struct Challenge {
    payload: Plain,
}

#[derive(Deserialize)]
struct Plain {
    #[serde(rename = "plainToken")]
    plain_token: String,
}

/// Answers Zoom's check that the address belongs to whoever has the secret; `None` for every other delivery.
///
/// Zoom asks when the address is saved and every 72 hours, and waits three seconds. Answer with the secret that signed
/// the question, as [`Verifier::answer_challenge`](crate::Verifier::answer_challenge) does.
#[must_use]
pub fn answer_challenge(secret: &WebhookSecret, delivery: &Delivery) -> Option<ChallengeResponse> {
    if !delivery.is_challenge() {
        return None;
    }
    let challenge: Challenge = serde_json::from_slice(delivery.body()).ok()?;
    let plain_token = challenge.payload.plain_token;
    // The same secret signs deliveries ("v0:time:body"): what could be one of those is never hashed for anybody.
    if plain_token.is_empty() || plain_token.contains(':') {
        return None;
    }
    let encrypted_token = secret.hmac_hex(&[plain_token.as_bytes()]);
    Some(ChallengeResponse {
        plain_token,
        encrypted_token,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: &str) -> Option<ChallengeResponse> {
        let secret = WebhookSecret::new("zoom-sim-secret-token-1").unwrap();
        answer_challenge(&secret, &Delivery::verified(body.as_bytes(), secret.shared_id()))
    }

    #[test]
    fn the_known_challenge_is_answered() {
        let answer = answer(
            r#"{"event":"endpoint.url_validation","event_ts":1654503849680,"payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"}}"#,
        );
        assert_eq!(
            serde_json::to_string(&answer.unwrap()).unwrap(),
            "{\"plainToken\":\"qgg8vlvZRS6UYooatFL8Aw\",\
             \"encryptedToken\":\"26f9f3e450ce61090a24dc49788464cb0ee1d53be96ffdb38cda30d0ea043fce\"}"
        );
    }

    #[test]
    fn nothing_else_is_answered() {
        for body in [
            r#"{"event":"meeting.started","payload":{"plainToken":"abc"}}"#,
            r#"{"event":"endpoint.url_validation","payload":{}}"#,
            r#"{"event":"endpoint.url_validation","payload":{"plainToken":""}}"#,
            r#"{"event":"endpoint.url_validation","payload":{"plainToken":"v0:1767607201:{}"}}"#,
            "",
        ] {
            assert_eq!(answer(body), None, "{body}");
        }
    }
}
