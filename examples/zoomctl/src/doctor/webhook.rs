//! Whether the host that Zoom sends webhooks to has the same secret as we: asked as Zoom asks.

use std::time::Duration;

use anyhow::{Context as _, Result};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use url::Url;
use zoom_core::Clock;
use zoom_webhooks::{Verifier, WebhookSecret, answer_challenge, signed_headers};

use super::finding::Finding;

const CHECK: &str = "webhook secret";
/// Zoom waits three seconds for this answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Sends a signed `endpoint.url_validation` to `url` and compares the answer.
pub(super) async fn check(secret: &secrecy::SecretString, url: &Url, clock: &Clock) -> Finding {
    let Ok(secret) = WebhookSecret::new(secret.expose_secret()) else {
        return Finding::bad(
            CHECK,
            "the secret is empty, so everybody could sign with it",
            "set ZOOM_WEBHOOK_SECRET to the Secret Token of the app's page Features in the Marketplace",
        );
    };
    match ask(&secret, url, clock).await {
        Ok(Answer::Right) => Finding::good(CHECK, format!("the host at {url} has the same secret")),
        Ok(Answer::Wrong(status)) => Finding::bad(
            CHECK,
            format!("the host at {url} answers {status} to a question signed with our secret"),
            "give that host the same ZOOM_WEBHOOK_SECRET, or name the right address with --webhook-url",
        ),
        Err(error) => Finding::warning(
            CHECK,
            format!("nobody answers at {url}: {error:#}"),
            "start the host that receives webhooks, or name its address with --webhook-url",
        ),
    }
}

enum Answer {
    Right,
    Wrong(u16),
}

async fn ask(secret: &WebhookSecret, url: &Url, clock: &Clock) -> Result<Answer> {
    let now = clock.now();
    let body = serde_json::to_vec(&json!({
        "event": "endpoint.url_validation",
        "event_ts": now.as_millisecond(),
        "payload": { "plainToken": format!("doctor{}", now.as_microsecond()) },
    }))?;
    let headers = signed_headers(secret, now, &body);
    let delivery = Verifier::new(secret.clone()).verify_at(&headers, &body, now)?;
    let expected = serde_json::to_value(answer_challenge(secret, &delivery))?;
    let answer = zoom_core::http::client_builder()
        .timeout(PATIENCE)
        .build()?
        .post(url.clone())
        .headers(headers)
        .header("content-type", "application/json")
        .body(body)
        .send()
        .await
        .map_err(reqwest::Error::without_url)
        .context("no answer in three seconds")?;
    let status = answer.status().as_u16();
    let answered: Value = answer.json().await.unwrap_or_default();
    Ok(if answered == expected {
        Answer::Right
    } else {
        Answer::Wrong(status)
    })
}
