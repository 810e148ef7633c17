use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, ClientSecret as OauthSecret, CsrfToken, EndpointNotSet,
    EndpointSet, ExtraTokenFields, HttpRequest, HttpResponse, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, RefreshToken as OauthRefreshToken, RequestTokenError, StandardRevocableToken,
    StandardTokenResponse, TokenResponse as _, TokenUrl,
    basic::{
        BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;
use zoom_core::{AccessToken, Clock};

use crate::{
    App, Endpoints, Error, ErrorKind,
    app::ClientSecret,
    http::{Http, HttpError},
    refusal::{Refusal, Verdict},
    tokens::{RefreshToken, Tokens},
};

/// What Zoom says when it does not say how long a token lives.
const USUAL_LIFETIME: Duration = Duration::from_secs(3600);

/// What an exchange brought.
#[derive(Clone, Debug)]
pub(crate) struct Granted {
    pub(crate) access: AccessToken,
    pub(crate) refresh: Option<RefreshToken>,
    pub(crate) expires_at: Timestamp,
    pub(crate) scopes: Vec<String>,
    /// Where the API of the account's region is, if Zoom named one that may have the token.
    pub(crate) api_url: Option<Url>,
}

impl Granted {
    /// What is kept of it; the user consented then.
    pub(crate) fn tokens(&self, granted_at: Timestamp) -> Tokens {
        Tokens {
            access: self.access.clone(),
            refresh: self.refresh.clone(),
            expires_at: self.expires_at,
            granted_at,
        }
    }
}

/// Why an exchange brought nothing.
#[derive(Debug)]
pub(crate) enum ExchangeError {
    /// This code or refresh token is dead. Asking again will not help.
    Dead(Refusal),
    /// Zoom refused for another reason.
    Refused(Refusal),
    /// No answer, 5xx, 429, or something that is not JSON: says nothing about the grant.
    Unavailable {
        error: Error,
        /// Whether to ask once more at once.
        again: bool,
        /// Whether Zoom may have done it all the same.
        lost: bool,
    },
}

impl ExchangeError {
    /// For exchanges that are not a refresh and have no code.
    pub(crate) fn into_error(self) -> Error {
        match self {
            Self::Dead(refusal) | Self::Refused(refusal) => Error::refused(ErrorKind::Refused, refusal),
            Self::Unavailable { error, .. } => error,
        }
    }

    /// For the exchange of a code.
    pub(crate) fn into_error_of_code(self) -> Error {
        match self {
            Self::Dead(refusal) | Self::Refused(refusal) => {
                let kind = match refusal.verdict() {
                    Verdict::WrongRedirect => ErrorKind::RedirectMismatch,
                    Verdict::WrongApp => ErrorKind::Refused,
                    _ => ErrorKind::InvalidCode,
                };
                Error::refused(kind, refusal)
            }
            Self::Unavailable { error, .. } => error,
        }
    }
}

/// What Zoom adds to a token answer. Whatever it is, it does not spoil the tokens.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct ZoomFields {
    #[serde(default)]
    api_url: Option<Value>,
}

impl ExtraTokenFields for ZoomFields {}

type TokenAnswer = StandardTokenResponse<ZoomFields, BasicTokenType>;

type Oauth = oauth2::Client<
    BasicErrorResponse,
    TokenAnswer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// Zoom's authorize, token and revoke addresses for one app that users connect to.
#[derive(Clone, Debug)]
pub(crate) struct UserExchange {
    oauth: Oauth,
    credentials: Credentials,
    endpoints: Endpoints,
    revoke: Url,
    http: Http,
    clock: Clock,
}

impl UserExchange {
    pub(crate) fn new(app: &App, endpoints: &Endpoints, http: Http, clock: Clock) -> Result<Self, Error> {
        app.check()?;
        let oauth = oauth2::Client::new(ClientId::new(app.client_id.clone()))
            .set_client_secret(OauthSecret::new(app.client_secret.expose_secret().to_owned()))
            .set_auth_uri(AuthUrl::from_url(endpoints.authorize()?))
            .set_token_uri(TokenUrl::from_url(endpoints.token()?))
            .set_redirect_uri(RedirectUrl::from_url(app.redirect_uri.clone()));
        let credentials = Credentials::new(app.client_id.clone(), app.client_secret.clone());
        Ok(Self {
            oauth,
            credentials,
            endpoints: endpoints.clone(),
            revoke: endpoints.revoke()?,
            http,
            clock,
        })
    }

    /// The address to send the browser to. Without `scope`: apps ask for what the Marketplace has for them, and Zoom
    /// has refused the parameter for some.
    pub(crate) fn authorize_url(&self, state: &str, verifier: &PkceCodeVerifier) -> Url {
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(verifier);
        let state = CsrfToken::new(state.to_owned());
        let (url, _) = self
            .oauth
            .authorize_url(|| state)
            .set_pkce_challenge(challenge)
            .url();
        url
    }

    /// What Zoom shows to a browser that is sent to consent.
    pub(crate) async fn consent_page(
        &self,
        state: &str,
        verifier: &PkceCodeVerifier,
    ) -> Result<HttpResponse, HttpError> {
        let request = ::http::Request::get(self.authorize_url(state, verifier).as_str())
            .body(Vec::new())
            .map_err(|_| HttpError::Request)?;
        self.http.look(request).await
    }

    /// A code for tokens. Without a verifier only for what began at Zoom: a code that was asked for with a challenge
    /// does not work without.
    pub(crate) async fn code(&self, code: &str, verifier: Option<&str>) -> Result<Granted, ExchangeError> {
        let asked_at = self.clock.now();
        let mut request = self.oauth.exchange_code(AuthorizationCode::new(code.to_owned()));
        if let Some(verifier) = verifier {
            request = request.set_pkce_verifier(PkceCodeVerifier::new(verifier.to_owned()));
        }
        let answer = request.request_async(&self.http).await;
        answer
            .map(|answer| granted(&answer, asked_at, &self.endpoints))
            .map_err(exchange_error)
    }

    /// A refresh token for new tokens.
    pub(crate) async fn refresh(&self, refresh: &RefreshToken) -> Result<Granted, ExchangeError> {
        let asked_at = self.clock.now();
        let refresh = OauthRefreshToken::new(refresh.expose_secret().to_owned());
        let answer = self
            .oauth
            .exchange_refresh_token(&refresh)
            .request_async(&self.http)
            .await;
        answer
            .map(|answer| granted(&answer, asked_at, &self.endpoints))
            .map_err(exchange_error)
    }

    /// Ends the grant that an access token belongs to. The token of a dead grant counts as revoked.
    ///
    /// Not through the `oauth2` crate, which refuses to revoke at an address of this machine.
    pub(crate) async fn revoke(&self, access: &AccessToken) -> Result<(), ExchangeError> {
        let form = [("token", access.expose_secret())];
        let request = self.credentials.post(&self.revoke, &form)?;
        match self.http.send(request).await.map_err(http_error) {
            Ok(_) | Err(ExchangeError::Dead(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Zoom's token address for an app of one's own account.
#[derive(Clone, Debug)]
pub(crate) struct AccountExchange {
    account_id: String,
    token_index: Option<u32>,
    credentials: Credentials,
    endpoints: Endpoints,
    token: Url,
    http: Http,
    clock: Clock,
}

impl AccountExchange {
    pub(crate) fn new(
        account_id: String,
        token_index: Option<u32>,
        credentials: Credentials,
        endpoints: &Endpoints,
        http: Http,
        clock: Clock,
    ) -> Result<Self, Error> {
        Ok(Self {
            account_id,
            token_index,
            credentials,
            endpoints: endpoints.clone(),
            token: endpoints.token()?,
            http,
            clock,
        })
    }

    pub(crate) fn account_id(&self) -> &str {
        &self.account_id
    }

    /// A token for the account.
    pub(crate) async fn account(&self) -> Result<Granted, ExchangeError> {
        let asked_at = self.clock.now();
        let index = self.token_index.map(|index| index.to_string());
        let mut form = vec![
            ("grant_type", "account_credentials"),
            ("account_id", self.account_id.as_str()),
        ];
        form.extend(index.as_deref().map(|index| ("token_index", index)));
        let request = self.credentials.post(&self.token, &form)?;
        let answer = self.http.send(request).await.map_err(http_error)?;
        let body = Zeroizing::new(answer.into_body());
        let answer: TokenAnswer = serde_json::from_slice(&body).map_err(|_| not_tokens())?;
        Ok(granted(&answer, asked_at, &self.endpoints))
    }
}

/// Who the app says it is.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    client_id: String,
    client_secret: ClientSecret,
}

impl Credentials {
    pub(crate) fn new(client_id: String, client_secret: ClientSecret) -> Self {
        Self {
            client_id,
            client_secret,
        }
    }

    fn post(&self, url: &Url, form: &[(&str, &str)]) -> Result<HttpRequest, Error> {
        // Room for the longest tokens, so that growing leaves no copies behind.
        let body = form_urlencoded::Serializer::new(String::with_capacity(8 * 1024))
            .extend_pairs(form)
            .finish();
        let pair = Zeroizing::new(format!(
            "{}:{}",
            self.client_id,
            self.client_secret.expose_secret()
        ));
        let basic = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
        ::http::Request::post(url.as_str())
            .header(::http::header::AUTHORIZATION, basic.as_str())
            .header(::http::header::ACCEPT, "application/json")
            .header(::http::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body.into_bytes())
            .map_err(|_| Error::invalid_config("the app's credentials cannot be sent"))
    }
}

/// The lifetime counts from when we asked: an answer that took long is not good for longer.
fn granted(answer: &TokenAnswer, asked_at: Timestamp, endpoints: &Endpoints) -> Granted {
    let lifetime = answer.expires_in().unwrap_or(USUAL_LIFETIME);
    Granted {
        access: AccessToken::new(answer.access_token().secret()),
        refresh: answer
            .refresh_token()
            .map(|token| RefreshToken::new(token.secret())),
        expires_at: asked_at.checked_add(lifetime).unwrap_or(asked_at),
        scopes: answer
            .scopes()
            .into_iter()
            .flatten()
            .map(|scope| scope.to_string())
            .filter(|scope| !scope.is_empty())
            .collect(),
        api_url: answer
            .extra_fields()
            .api_url
            .as_ref()
            .and_then(|named| endpoints.region(named.as_str()?)),
    }
}

fn exchange_error(error: RequestTokenError<HttpError, BasicErrorResponse>) -> ExchangeError {
    match error {
        RequestTokenError::Request(error) => http_error(error),
        // All other kinds hold the body, which may have tokens in it.
        _ => not_tokens(),
    }
}

fn http_error(error: HttpError) -> ExchangeError {
    let (again, lost) = (error.may_pass(), error.is_lost());
    match error {
        HttpError::Status { refusal, retry_after } if (400..).contains(&refusal.status) => {
            match refusal.verdict() {
                Verdict::Later => ExchangeError::Unavailable {
                    error: Error::no_answer(HttpError::Status { refusal, retry_after }, retry_after),
                    again,
                    lost,
                },
                Verdict::DeadGrant => ExchangeError::Dead(refusal),
                Verdict::BadCode | Verdict::WrongRedirect | Verdict::WrongApp | Verdict::Unclear => {
                    ExchangeError::Refused(refusal)
                }
            }
        }
        HttpError::Status { .. } | HttpError::TooLong => not_tokens(),
        error => ExchangeError::Unavailable {
            error: Error::no_answer(error, None),
            again,
            lost,
        },
    }
}

fn not_tokens() -> ExchangeError {
    ExchangeError::Unavailable {
        error: Error::new(ErrorKind::UnexpectedAnswer),
        again: false,
        lost: true,
    }
}

/// Nothing was sent.
impl From<Error> for ExchangeError {
    fn from(error: Error) -> Self {
        Self::Unavailable {
            error,
            again: false,
            lost: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_that_of_rfc_7636() {
        let app = App::new(
            "cid",
            ClientSecret::new("s"),
            "https://app.example/cb?x=1".parse().unwrap(),
        );
        let http = Http::new(
            zoom_core::http::client_builder().build().unwrap(),
            Clock::system(),
        );
        let exchange = UserExchange::new(&app, &Endpoints::zoom(), http, Clock::system()).unwrap();
        let verifier = PkceCodeVerifier::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into());
        let url = exchange.authorize_url("st", &verifier);
        let query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let expected = [
            ("response_type", "code"),
            ("client_id", "cid"),
            ("state", "st"),
            ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            ("code_challenge_method", "S256"),
            ("redirect_uri", "https://app.example/cb?x=1"),
        ];
        assert_eq!(
            query,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn only_a_dead_grant_means_dead() {
        let status = |status, code: &str, number| HttpError::Status {
            refusal: Refusal {
                status,
                error: Some(code.into()),
                number,
            },
            retry_after: None,
        };
        for dead in [
            status(400, "invalid_grant", None),
            status(401, "invalid_grant", None),
            status(400, "invalid_request", Some(4735)),
        ] {
            assert!(matches!(http_error(dead), ExchangeError::Dead(_)));
        }
        for refused in [
            status(400, "invalid_client", None),
            status(400, "invalid_request", None),
            status(400, "invalid_grant", Some(4717)),
            status(401, "x", None),
        ] {
            assert!(matches!(http_error(refused), ExchangeError::Refused(_)));
        }
        for passing in [
            status(500, "invalid_grant", Some(4735)),
            status(503, "x", None),
            status(429, "invalid_grant", None),
            status(400, "invalid_request", Some(4732)),
        ] {
            assert!(matches!(http_error(passing), ExchangeError::Unavailable { .. }));
        }
        assert!(matches!(
            http_error(status(302, "invalid_grant", None)),
            ExchangeError::Unavailable { .. }
        ));
    }

    #[test]
    fn what_zoom_says_about_a_code_has_kinds_of_its_own() {
        let kind = |error: &str, number| {
            let refusal = Refusal {
                status: 400,
                error: Some(error.into()),
                number,
            };
            let error = match refusal.verdict() {
                Verdict::DeadGrant => ExchangeError::Dead(refusal),
                _ => ExchangeError::Refused(refusal),
            };
            error.into_error_of_code().kind()
        };
        assert_eq!(kind("invalid_grant", None), ErrorKind::InvalidCode);
        assert_eq!(kind("invalid_request", Some(4733)), ErrorKind::InvalidCode);
        assert_eq!(kind("invalid_request", Some(4734)), ErrorKind::InvalidCode);
        assert_eq!(kind("invalid_request", None), ErrorKind::InvalidCode);
        assert_eq!(kind("invalid_request", Some(4709)), ErrorKind::RedirectMismatch);
        assert_eq!(kind("invalid_client", None), ErrorKind::Refused);
        assert_eq!(kind("invalid_grant", Some(4717)), ErrorKind::Refused);
    }
}
