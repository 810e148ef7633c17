//! The browser session: a random cookie that ties a connect to the browser that began it, and forms to our own pages.

use std::fmt;

use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue,
        header::{HOST, ORIGIN, SET_COOKIE},
    },
    middleware::Next,
    response::Response,
};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use zoom_oauth::{OwnerId, SessionBinding};

use crate::{app::App, failure::Failure};

const COOKIE: &str = "zoom_calls_session";

/// What only this browser can present again.
#[derive(Clone)]
pub(crate) struct Session(String);

impl Session {
    fn random() -> anyhow::Result<Self> {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(hex::encode(bytes)))
    }

    /// The session of a request; a cookie that is not of our making is none.
    fn of(headers: &HeaderMap) -> Option<Self> {
        let jar = CookieJar::from_headers(headers);
        let value = jar.get(COOKIE)?.value();
        let is_ours = value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_ours.then(|| Self(value.to_owned()))
    }

    /// What a started connect is tied to.
    pub(crate) fn binding(&self, owner: OwnerId) -> SessionBinding {
        SessionBinding::new(&self.0).with_owner(owner)
    }

    fn cookie(&self, is_secure: bool) -> Cookie<'static> {
        Cookie::build((COOKIE, self.0.clone()))
            .path("/")
            .http_only(true)
            // Lax, not Strict: the browser comes back from Zoom, and the callback must know it.
            .same_site(SameSite::Lax)
            .secure(is_secure)
            .build()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session([redacted])")
    }
}

/// Gives first visitors a session, and refuses changes that another site may have sent.
pub(crate) async fn guard(
    State(app): State<App>,
    mut request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let known = Session::of(request.headers());
    let is_change = !request.method().is_safe();
    if is_change && (known.is_none() || !is_same_origin(request.headers())) {
        return Err(Failure::Forged);
    }
    let (session, is_new) = match known {
        Some(session) => (session, false),
        None => (Session::random()?, true),
    };
    request.extensions_mut().insert(session.clone());
    let mut response = next.run(request).await;
    if is_new {
        let cookie = session.cookie(app.redirect().scheme() == "https").to_string();
        response
            .headers_mut()
            .append(SET_COOKIE, HeaderValue::try_from(cookie)?);
    }
    Ok(response)
}

/// Whether the page that sent this is of the host it was sent to. Browsers always say; what says nothing is no browser, and
/// has no cookie of a victim to misuse. Only the host counts, because a proxy may have taken the TLS off.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else {
        return true;
    };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let origin = origin
        .to_str()
        .ok()
        .and_then(|origin| origin.split_once("://"))
        .map(|(_, host)| host);
    origin.is_some() && origin == host
}

#[cfg(test)]
mod tests {
    use axum::http::header::COOKIE as COOKIES;

    use super::*;

    fn headers(pairs: &[(axum::http::HeaderName, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn only_the_own_host_is_the_same_origin() {
        let from = |origin| is_same_origin(&headers(&[(HOST, "127.0.0.1:8080"), (ORIGIN, origin)]));
        assert!(from("http://127.0.0.1:8080"));
        for foreign in ["http://127.0.0.1:9090", "https://evil.example", "null", ""] {
            assert!(!from(foreign), "{foreign}");
        }
        assert!(is_same_origin(&headers(&[(HOST, "127.0.0.1:8080")])));
        assert!(!is_same_origin(&headers(&[(ORIGIN, "http://127.0.0.1:8080")])));
    }

    #[test]
    fn a_session_comes_back_as_it_was_given_and_shows_itself_to_nobody() {
        let session = Session::random().unwrap();
        let cookie = session.cookie(false).to_string();
        assert!(
            cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && !cookie.contains("Secure"),
            "{cookie}"
        );
        let mut sent = HeaderMap::new();
        sent.insert(
            COOKIES,
            HeaderValue::try_from(cookie.split(';').next().unwrap_or_default()).unwrap(),
        );
        assert_eq!(
            Session::of(&sent).map(|session| session.0),
            Some(session.0.clone())
        );
        assert!(!format!("{session:?}").contains(&session.0));
    }

    #[test]
    fn a_cookie_that_is_not_ours_is_no_session() {
        assert!(Session::of(&headers(&[(COOKIES, "zoom_calls_session=1")])).is_none());
        assert!(Session::of(&HeaderMap::new()).is_none());
    }
}
