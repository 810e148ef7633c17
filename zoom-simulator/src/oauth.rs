//! `/oauth/…`: consent, codes, tokens.

mod consent;
mod denied;
mod device;
mod exchange;
mod grants;
mod install;
mod issue;
mod mint;
mod page;
mod refresh;
mod revoke;
mod tokens;

use axum::{
    Router,
    body::Bytes,
    extract::State,
    response::Response,
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, Uri, header::AUTHORIZATION};
use serde_json::json;

use self::denied::Denied;
pub(crate) use self::{
    consent::{Consent, Decision, Stop, Turned},
    device::decide as decide_device,
    install::request as install_request,
    mint::hmac_sha256_hex,
    tokens::{BadToken, DownloadGrant, End, Tokens},
};
use crate::{
    answer::Answer,
    faults::Fault,
    params::Params,
    server::{Connection, hold, spoil},
    simulator::Shared,
    world::{App, World},
};

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/oauth/authorize", get(consent::page).post(consent::decide))
        .route("/oauth/token", post(token))
        .route("/oauth/revoke", post(revoke))
        .route("/oauth/devicecode", post(device::start))
        .route("/oauth_device", get(device::enter))
        .route(
            "/oauth/device/complete/{user_code}",
            get(device::page).post(device::answer),
        )
        .route("/marketplace/install", get(install::page))
        .route("/.well-known/oauth-authorization-server", get(metadata))
}

async fn token(
    State(sim): State<Shared>,
    connection: Connection,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let params = Params::default()
        .and(&body)
        .and(uri.query().unwrap_or_default().as_bytes());
    let struck = grants::arrive(&sim, &params);
    hold(&sim, struck, Fault::HoldRequest).await;
    let answer = grants::token(&sim, &headers, &params, struck.map(|struck| struck.fault));
    spoil(&sim, answer, struck, &connection).await
}

async fn revoke(
    State(sim): State<Shared>,
    connection: Connection,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let params = Params::default()
        .and(&body)
        .and(uri.query().unwrap_or_default().as_bytes());
    let struck = revoke::arrive(&sim);
    hold(&sim, struck, Fault::HoldRequest).await;
    let answer = revoke::revoke(&sim, &headers, &params, struck.map(|struck| struck.fault));
    spoil(&sim, answer, struck, &connection).await
}

/// RFC 8414.
async fn metadata(State(sim): State<Shared>) -> Answer {
    let base = &sim.base;
    Answer::ok(&json!({
        "issuer": base,
        "authorization_endpoint": format!("{base}/oauth/authorize"),
        "token_endpoint": format!("{base}/oauth/token"),
        "revocation_endpoint": format!("{base}/oauth/revoke"),
        "device_authorization_endpoint": format!("{base}/oauth/devicecode"),
        "userinfo_endpoint": format!("{base}/v2/users/me"),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials", device::GRANT_TYPE],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "code_challenge_methods_supported": ["S256", "plain"],
    }))
}

fn no_store(answer: Answer) -> Answer {
    answer.header("cache-control", "no-cache, no-store, must-revalidate, max-age=0")
}

/// The app whose id and secret came with the request: Basic wins over the body.
fn authenticated<'w>(world: &'w World, headers: &HeaderMap, params: &Params) -> Result<&'w App, Denied> {
    let (id, secret) = credentials(headers, params).ok_or(Denied::NoCredentials)?;
    let app = world.app(&id).ok_or(Denied::UnknownClient)?;
    if app.client_secret != secret {
        return Err(Denied::WrongSecret);
    }
    if app.disabled {
        return Err(Denied::AppDisabled);
    }
    Ok(app)
}

fn credentials(headers: &HeaderMap, params: &Params) -> Option<(String, String)> {
    let Some(header) = headers.get(AUTHORIZATION) else {
        return Some((
            params.get("client_id")?.to_owned(),
            params.get("client_secret")?.to_owned(),
        ));
    };
    let (scheme, encoded) = header.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    // RFC 6749 wants both form-encoded inside Basic; half of the clients do it
    let plain = |part: &str| {
        percent_encoding::percent_decode_str(part)
            .decode_utf8_lossy()
            .into_owned()
    };
    Some((plain(id), plain(secret)))
}
