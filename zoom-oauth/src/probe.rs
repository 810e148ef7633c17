use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use oauth2::PkceCodeVerifier;
use serde::Serialize;

use crate::{
    Connections, Error,
    exchange::ExchangeError,
    random::random_text,
    refusal::{Refusal, Verdict},
};

/// What Zoom thinks of something, as far as it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Opinion {
    /// Zoom knows it.
    Right,
    /// Zoom does not know it.
    Wrong,
    /// Zoom did not answer, or not so that one can tell.
    Unknown,
}

/// How an app stands with Zoom, before anybody connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AppProbe {
    /// Client id and secret.
    pub credentials: Opinion,
    /// The redirect address, letter by letter.
    pub redirect: Opinion,
    /// How far our clock is ahead of Zoom's, to the second. Signatures and tokens suffer when it is minutes.
    #[serde(skip)]
    pub clock_ahead: Option<SignedDuration>,
}

impl Connections {
    /// Asks Zoom whether it knows the app and its redirect address, with requests that change nothing: for a look at
    /// one's own configuration. What Zoom does not answer is [`Opinion::Unknown`].
    ///
    /// # Errors
    /// [`ErrorKind::Storage`](crate::ErrorKind::Storage) when the system has no random bytes.
    pub async fn probe(&self) -> Result<AppProbe, Error> {
        let (redirect, clock_ahead) = self.probe_redirect().await?;
        Ok(AppProbe {
            credentials: self.probe_credentials().await?,
            redirect,
            clock_ahead,
        })
    }

    /// A code that Zoom never gave: whoever it refuses first, the app or the code, tells about the app.
    async fn probe_credentials(&self) -> Result<Opinion, Error> {
        let (code, verifier) = (random_text()?, random_text()?);
        Ok(match self.inner.exchange.code(&code, Some(&verifier)).await {
            Ok(_) => Opinion::Right,
            Err(ExchangeError::Dead(refusal) | ExchangeError::Refused(refusal)) => match refusal.verdict() {
                Verdict::WrongApp => Opinion::Wrong,
                Verdict::Later => Opinion::Unknown,
                _ => Opinion::Right,
            },
            Err(ExchangeError::Unavailable { .. }) => Opinion::Unknown,
        })
    }

    /// Zoom's consent page says on the spot when it would not send anybody back.
    async fn probe_redirect(&self) -> Result<(Opinion, Option<SignedDuration>), Error> {
        let verifier = PkceCodeVerifier::new(random_text()?);
        let before = self.inner.clock.now();
        let Ok(answer) = self.inner.exchange.consent_page("probe", &verifier).await else {
            return Ok((Opinion::Unknown, None));
        };
        let zoom = answer.headers().get(http::header::DATE);
        let zoom = zoom.and_then(|date| http_date(date.to_str().ok()?));
        let clock_ahead = zoom.map(|zoom| before.duration_since(zoom));
        let status = answer.status();
        let refusal = Refusal::read(status.as_u16(), answer.body());
        let opinion = match refusal.number {
            // 4700 is Zoom's number for a redirect that is not on its list.
            Some(4700 | 4709) => Opinion::Wrong,
            Some(_) => Opinion::Unknown,
            None if status.is_success() || status.is_redirection() => Opinion::Right,
            None => Opinion::Unknown,
        };
        Ok((opinion, clock_ahead))
    }
}

fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_http_date_is_read() {
        assert_eq!(
            http_date("Sun, 22 Nov 2026 10:00:00 GMT"),
            Some("2026-11-22T10:00:00Z".parse().unwrap())
        );
        assert_eq!(http_date("soon"), None);
    }
}
