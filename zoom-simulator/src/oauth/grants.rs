//! `POST /oauth/token`: every grant the simulated apps may use.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{
    authenticated, mint, no_store, refused,
    tokens::{Grant, Refresh},
};
use crate::{
    answer::Answer,
    config::{AppKind, Rotation},
    faults::{Fault, Struck, Surface},
    json::Fields as _,
    params::Params,
    simulator::{Inner, Shared},
    world::{App, Caller, World},
};

/// The answer, and the fault that is still to spoil it.
pub(super) fn token(sim: &Shared, headers: &HeaderMap, params: &Params) -> (Answer, Option<Struck>) {
    let grant_type = params.get("grant_type").unwrap_or("none").to_owned();
    let mut world = sim.world();
    world.count(format!("token.{grant_type}"));
    let struck = world.faults.strike(Surface::Token, "POST /oauth/token");
    let fault = struck.map(|struck| struck.fault);
    let answer = match fault {
        Some(Fault::TokenHttp500 | Fault::Http500) => Err(Answer::json(
            StatusCode::INTERNAL_SERVER_ERROR,
            &json!({ "reason": "Internal Server Error", "error": "server_error" }),
        )),
        Some(Fault::Http502) => Err(Answer::bad_gateway()),
        Some(Fault::Http503) => {
            Err(Answer::status(StatusCode::SERVICE_UNAVAILABLE).header("retry-after", "2"))
        }
        Some(Fault::TokenHttp429 | Fault::Http429) => Err(Answer::json(
            StatusCode::TOO_MANY_REQUESTS,
            &json!({ "reason": "Too many requests", "error": "too_many_requests" }),
        )),
        Some(Fault::InvalidClient) => Err(refused("Invalid client_id or client_secret", "invalid_client")),
        Some(Fault::ConnectionReset | Fault::Timeout) => Err(Answer::status(StatusCode::OK)),
        Some(Fault::InvalidGrant) => {
            if let Some(refresh) = params
                .get("refresh_token")
                .and_then(|token| world.tokens.refresh.get_mut(token))
            {
                refresh.revoked = true;
            }
            Err(refused("Invalid Token!", "invalid_grant"))
        }
        _ => grant(sim, &mut world, headers, params, &grant_type),
    };
    let answer = match answer {
        Ok(mut issued) => {
            world.count(format!("token.{grant_type}.granted"));
            if fault == Some(Fault::ForeignApiUrl) {
                issued.put("api_url", "https://api.zoom.us.example.net");
            }
            no_store(Answer::ok(&issued))
        }
        Err(answer) => {
            world.count(format!("token.{grant_type}.refused"));
            answer
        }
    };
    (answer, struck)
}

fn grant(
    sim: &Inner,
    world: &mut World,
    headers: &HeaderMap,
    params: &Params,
    grant_type: &str,
) -> Result<serde_json::Value, Answer> {
    let app = authenticated(world, headers, params)?.clone();
    let server = app.kind == AppKind::ServerToServer;
    match grant_type {
        "authorization_code" if !server => exchange(sim, world, &app, params),
        "refresh_token" if !server => refresh(sim, world, &app, params),
        "account_credentials" if server => account(sim, world, &app, params),
        "client_credentials" => Ok(client(sim, world, &app)),
        "none" => Err(refused("Missing grant type.", "invalid_request")),
        _ => Err(refused("unsupported grant type", "unsupported_grant_type")),
    }
}

fn exchange(sim: &Inner, world: &mut World, app: &App, params: &Params) -> Result<serde_json::Value, Answer> {
    let text = params.get("code").unwrap_or_default();
    // one use, whatever comes of it
    let code = world
        .tokens
        .codes
        .remove(text)
        .filter(|code| code.client_id == app.client_id)
        .ok_or_else(|| refused(&format!("Invalid authorization code {text}"), "invalid_request"))?;
    if code.expires <= sim.clock.now() {
        return Err(refused("Code is expired", "invalid_request"));
    }
    if params.get("redirect_uri") != Some(&code.redirect_uri) {
        return Err(refused("Redirection URI mismatch", "invalid_request"));
    }
    if let Some((challenge, method)) = &code.challenge {
        let verifier = params.get("code_verifier").unwrap_or_default();
        let proof = match method.as_str() {
            "S256" => URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)),
            _ => verifier.to_owned(),
        };
        if !(43..=128).contains(&verifier.len()) || proof != *challenge {
            return Err(refused("Invalid code verifier", "invalid_grant"));
        }
    }
    let grant = world.tokens.add_grant(Grant {
        client_id: code.client_id,
        user_id: code.user_id,
        scopes: code.scopes,
        dead: false,
        generation: 0,
    });
    issue(sim, world, app, grant)
}

fn refresh(sim: &Inner, world: &mut World, app: &App, params: &Params) -> Result<serde_json::Value, Answer> {
    let now = sim.clock.now();
    let invalid = || refused("Invalid Token!", "invalid_grant");
    let text = params
        .get("refresh_token")
        .ok_or_else(|| refused("Bad Request", "invalid_request"))?;
    let token = world
        .tokens
        .refresh
        .get(text)
        .filter(|token| !token.revoked && token.expires > now)
        .ok_or_else(invalid)?;
    let at = token.grant;
    let newest = world
        .tokens
        .grant(at)
        .filter(|grant| !grant.dead && grant.client_id == app.client_id)
        .map(|grant| grant.generation == token.generation)
        .ok_or_else(invalid)?;
    if !newest {
        let Rotation::Tolerance(times) = sim.config.rotation else {
            return Err(invalid());
        };
        let token = world
            .tokens
            .refresh
            .get_mut(text)
            .filter(|token| token.late_uses < times)
            .ok_or_else(invalid)?;
        token.late_uses += 1;
    }
    issue(sim, world, app, at)
}

/// A pair of tokens for an authorization.
fn issue(sim: &Inner, world: &mut World, app: &App, at: usize) -> Result<serde_json::Value, Answer> {
    let now = sim.clock.now();
    let (user_id, scopes) = world
        .tokens
        .grant(at)
        .map(|grant| (grant.user_id.clone(), grant.scopes.clone()))
        .ok_or_else(|| refused("The owner of the token does not exist.", "invalid_request"))?;
    let caller = Caller {
        client_id: app.client_id.clone(),
        account_id: world.host(&user_id).account_id,
        user_id,
        scopes,
    };
    let access_ends = after(now, sim.config.access_token_life);
    let refresh_ends = after(now, sim.config.refresh_token_life);
    let prefix = &sim.config.token_prefix;
    let access = mint::jwt(
        &mut world.random,
        prefix,
        "access_token",
        &caller,
        now,
        access_ends,
    );
    let refresh = mint::jwt(
        &mut world.random,
        prefix,
        "refresh_token",
        &caller,
        now,
        refresh_ends,
    );
    let generation = world.tokens.next_generation(at);
    world.tokens.refresh.insert(
        refresh.clone(),
        Refresh {
            grant: at,
            generation,
            expires: refresh_ends,
            late_uses: 0,
            revoked: false,
        },
    );
    let mut body = response(sim, &access, &caller);
    body.put("refresh_token", refresh);
    world.tokens.add_access(&access, caller, Some(at), access_ends);
    Ok(body)
}

fn account(sim: &Inner, world: &mut World, app: &App, params: &Params) -> Result<serde_json::Value, Answer> {
    let account = params
        .get("account_id")
        .ok_or_else(|| refused("Bad Request", "invalid_request"))?;
    if account != app.account_id {
        let known = world.users.iter().any(|user| user.account_id == account);
        let reason = if known {
            "Account does not enabled the OAuth app type"
        } else {
            "Account does not exist"
        };
        return Err(refused(reason, "invalid_request"));
    }
    if sim.config.s2s_single_token {
        world.tokens.end_server_tokens(&app.client_id);
    }
    Ok(without_user(sim, world, app, app.scopes.clone()))
}

/// The app itself: scopes that need no user.
fn client(sim: &Inner, world: &mut World, app: &App) -> serde_json::Value {
    without_user(sim, world, app, vec!["imchat:bot".to_owned()])
}

fn without_user(sim: &Inner, world: &mut World, app: &App, scopes: Vec<String>) -> serde_json::Value {
    let now = sim.clock.now();
    let owner = world.users.iter().find(|user| user.account_id == app.account_id);
    let caller = Caller {
        client_id: app.client_id.clone(),
        account_id: app.account_id.clone(),
        user_id: owner.map(|user| user.id.clone()).unwrap_or_default(),
        scopes,
    };
    let expires = after(now, sim.config.access_token_life);
    let access = mint::jwt(
        &mut world.random,
        &sim.config.token_prefix,
        "access_token",
        &caller,
        now,
        expires,
    );
    let body = response(sim, &access, &caller);
    world.tokens.add_access(&access, caller, None, expires);
    body
}

fn response(sim: &Inner, access: &str, caller: &Caller) -> serde_json::Value {
    let life = sim.config.access_token_life.as_secs();
    json!({
        "access_token": access,
        "token_type": "bearer",
        "expires_in": if life == 3600 { 3599 } else { life },
        "scope": caller.scopes.join(" "),
        "api_url": sim.base,
    })
}

fn after(now: Timestamp, life: std::time::Duration) -> Timestamp {
    SignedDuration::try_from(life)
        .ok()
        .and_then(|life| now.checked_add(life).ok())
        .unwrap_or(Timestamp::MAX)
}
