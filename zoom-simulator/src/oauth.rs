//! `/oauth/…`: consent, codes, tokens.

mod consent;
mod grants;
mod mint;
mod page;
mod revoke;
mod tokens;

use axum::{Router, body::Bytes, extract::State, response::Response, routing::get};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, StatusCode, Uri, header::AUTHORIZATION};
use serde_json::json;

pub(crate) use self::{
    consent::{Consent, Decision},
    mint::hmac_sha256_hex,
    tokens::{DownloadGrant, Tokens},
};
use crate::{
    answer::Answer,
    params::Params,
    server::{Connection, spoil},
    simulator::Shared,
    world::{App, World},
};

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/oauth/authorize", get(consent::page).post(consent::decide))
        .route("/oauth/token", axum::routing::post(token))
        .route("/oauth/revoke", axum::routing::post(revoke))
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
    let (answer, struck) = grants::token(&sim, &headers, &params);
    spoil(answer, struck, &connection).await
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
    let (answer, struck) = revoke::revoke(&sim, &headers, &params);
    spoil(answer, struck, &connection).await
}

/// RFC 8414.
async fn metadata(State(sim): State<Shared>) -> Answer {
    let base = &sim.base;
    Answer::ok(&json!({
        "issuer": base,
        "authorization_endpoint": format!("{base}/oauth/authorize"),
        "token_endpoint": format!("{base}/oauth/token"),
        "revocation_endpoint": format!("{base}/oauth/revoke"),
        "userinfo_endpoint": format!("{base}/v2/users/me"),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "code_challenge_methods_supported": ["S256", "plain"],
    }))
}

/// The OAuth endpoints' own error shape.
fn refused(reason: &str, error: &str) -> Answer {
    no_store(Answer::json(
        StatusCode::BAD_REQUEST,
        &json!({ "reason": reason, "error": error }),
    ))
}

fn no_store(answer: Answer) -> Answer {
    answer.header("cache-control", "no-cache, no-store, must-revalidate, max-age=0")
}

/// The app whose id and secret came with the request: Basic wins over the body.
fn authenticated<'w>(world: &'w World, headers: &HeaderMap, params: &Params) -> Result<&'w App, Answer> {
    let (id, secret) = credentials(headers, params)
        .ok_or_else(|| refused("Client ID or client secret is missing.", "invalid_client"))?;
    world
        .app(&id)
        .filter(|app| app.client_secret == secret)
        .ok_or_else(|| refused("Invalid client_id or client_secret", "invalid_client"))
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
