//! Slack's incoming webhook.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use http::{StatusCode, header};
use url::Url;
use zoom_recordings::StageError;

use super::{Notifier, Recap, Receipt, SlackMessage};

zoom_core::secret_type! {
    /// The URL of an incoming webhook. Whoever has it can post, so it is a secret.
    pub struct SlackWebhookUrl;
}

/// Slack answers with a word; longer answers are somebody else's.
const MAX_ANSWER: usize = 64;

/// Posts recaps to the channel of a Slack incoming webhook.
#[derive(Clone)]
pub struct SlackWebhook {
    url: Url,
    fingerprint: String,
    channel: String,
    http: reqwest::Client,
}

impl fmt::Debug for SlackWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlackWebhook")
            .field("channel", &self.channel)
            .field("url", &self.fingerprint)
            .finish_non_exhaustive()
    }
}

/// Why Slack did not take a message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
enum SlackError {
    #[error("slack could not be reached")]
    Unreachable(#[source] reqwest::Error),
    #[error("slack is busy ({0})")]
    Busy(StatusCode),
    #[error("slack refused the message ({status}, {reason})")]
    Refused {
        status: StatusCode,
        reason: &'static str,
    },
    #[error("the url of the webhook is not an https url")]
    Url,
}

impl SlackWebhook {
    /// A webhook. Slack does not say which channel it belongs to, so the host names it for the receipt.
    ///
    /// # Errors
    ///
    /// Permanent: the URL is none (`http` is allowed for this machine only), or the HTTP client cannot be built.
    pub fn new(url: &SlackWebhookUrl, channel: impl Into<String>) -> Result<Self, StageError> {
        let fingerprint = url.fingerprint();
        let url = Url::parse(url.expose_secret()).map_err(|_| StageError::permanent(SlackError::Url))?;
        let is_local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if url.scheme() != "https" && !(url.scheme() == "http" && is_local) {
            return Err(StageError::permanent(SlackError::Url));
        }
        let http = zoom_core::http::client_builder()
            .timeout(Duration::from_secs(20))
            .build()
            .map_err(|error| StageError::permanent(SlackError::Unreachable(error.without_url())))?;
        Ok(Self {
            url,
            fingerprint,
            channel: channel.into(),
            http,
        })
    }
}

#[async_trait]
impl Notifier for SlackWebhook {
    async fn notify(&self, recap: &Recap) -> Result<Receipt, StageError> {
        let message = SlackMessage::from(recap);
        let sent = self.http.post(self.url.clone()).json(&message).send().await;
        // An error of the HTTP client names the URL unless it is taken out.
        let answer =
            sent.map_err(|error| StageError::transient(SlackError::Unreachable(error.without_url())))?;
        let status = answer.status();
        if status.is_success() {
            // The webhook answers "ok" and no id of the message.
            return Ok(Receipt::new(&self.channel, true));
        }
        if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            let wait = answer
                .headers()
                .get(header::RETRY_AFTER)
                .and_then(|value| value.to_str().ok()?.trim().parse().ok());
            let error = StageError::transient(SlackError::Busy(status));
            return Err(match wait {
                Some(seconds) => error.retry_after(Duration::from_secs(seconds)),
                None => error,
            });
        }
        let reason = reason(&answer.text().await.unwrap_or_default());
        Err(StageError::permanent(SlackError::Refused { status, reason }))
    }
}

/// The reasons Slack documents; what else it may say is not repeated.
fn reason(answer: &str) -> &'static str {
    const KNOWN: &[&str] = &[
        "account_inactive",
        "action_prohibited",
        "channel_is_archived",
        "channel_not_found",
        "invalid_blocks",
        "invalid_payload",
        "invalid_token",
        "msg_blocks_too_long",
        "no_active_hooks",
        "no_service",
        "no_service_id",
        "no_team",
        "no_text",
        "not_in_channel",
        "posting_to_general_channel_denied",
        "team_disabled",
        "too_many_attachments",
        "user_not_found",
    ];
    let answer = answer.trim();
    let short = answer.get(..MAX_ANSWER.min(answer.len())).unwrap_or_default();
    KNOWN
        .iter()
        .find(|known| **known == short)
        .copied()
        .unwrap_or("unknown reason")
}
