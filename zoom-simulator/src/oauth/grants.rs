//! `POST /oauth/token`: every grant the simulated apps may use.

use http::{HeaderMap, StatusCode};
use serde_json::json;

use super::{
    authenticated, denied::Denied, device, exchange::exchange, issue::without_user, no_store,
    refresh::refresh,
};
use crate::{
    answer::Answer,
    config::AppKind,
    faults::{Fault, Struck, Surface},
    json::Fields as _,
    params::Params,
    simulator::Inner,
    world::{App, World},
};

/// Counts the request; whatever strikes it comes back, to be there before and after it.
pub(super) fn arrive(sim: &Inner, params: &Params) -> Option<Struck> {
    let mut world = sim.world();
    world.count(format!("token.{}", kind(params)));
    world.faults.strike(Surface::Token, "POST /oauth/token")
}

fn kind(params: &Params) -> &str {
    params.get("grant_type").unwrap_or("none")
}

/// The answer, as the fault wants it.
pub(super) fn token(sim: &Inner, headers: &HeaderMap, params: &Params, fault: Option<Fault>) -> Answer {
    let grant_type = kind(params);
    let mut world = sim.world();
    let granted = match failed(fault) {
        Some(answer) => Err(answer),
        None => grant(sim, &mut world, headers, params, fault).map_err(|denied| {
            world.count(format!("token.denied.{}", denied.number()));
            denied.answer(&sim.config().quirks)
        }),
    };
    match granted {
        Ok(mut issued) => {
            if fault == Some(Fault::ForeignApiUrl) {
                issued.put("api_url", "https://api.zoom.us.example.net");
            }
            world.count(format!("token.{grant_type}.granted"));
            no_store(Answer::ok(&issued))
        }
        Err(answer) => {
            world.count(format!("token.{grant_type}.refused"));
            answer
        }
    }
}

/// What is answered before anybody looks at the request.
fn failed(fault: Option<Fault>) -> Option<Answer> {
    Some(match fault? {
        Fault::TokenHttp500 | Fault::Http500 => Answer::json(
            StatusCode::INTERNAL_SERVER_ERROR,
            &json!({ "reason": "Internal Server Error", "error": "server_error" }),
        ),
        Fault::Http502 => Answer::bad_gateway(),
        Fault::Http503 => Answer::status(StatusCode::SERVICE_UNAVAILABLE).header("retry-after", "2"),
        Fault::TokenHttp429 | Fault::Http429 => Answer::json(
            StatusCode::TOO_MANY_REQUESTS,
            &json!({ "reason": "Too many requests", "error": "too_many_requests" }),
        ),
        Fault::ConnectionReset | Fault::Timeout => Answer::status(StatusCode::OK),
        _ => return None,
    })
}

fn grant(
    sim: &Inner,
    world: &mut World,
    headers: &HeaderMap,
    params: &Params,
    fault: Option<Fault>,
) -> Result<serde_json::Value, Denied> {
    match fault {
        Some(Fault::InvalidClient) => return Err(Denied::WrongSecret),
        Some(Fault::InvalidGrant) => {
            if let Some(refresh) = params
                .get("refresh_token")
                .and_then(|token| world.tokens.refresh.get_mut(token))
            {
                refresh.revoked = true;
            }
            return Err(Denied::UnknownToken);
        }
        _ => {}
    }
    let app = authenticated(world, headers, params)?.clone();
    let server = app.kind == AppKind::ServerToServer;
    match kind(params) {
        "authorization_code" if !server => exchange(sim, world, &app, params),
        "refresh_token" if !server => refresh(sim, world, &app, params),
        "account_credentials" if server => account(sim, world, &app, params),
        "client_credentials" => Ok(client(sim, world, &app)),
        device::GRANT_TYPE if !server => device::poll(sim, world, &app, params),
        "none" => Err(Denied::NoGrantType),
        _ => Err(Denied::GrantNotSupported),
    }
}

fn account(sim: &Inner, world: &mut World, app: &App, params: &Params) -> Result<serde_json::Value, Denied> {
    let account = params.get("account_id").ok_or(Denied::Malformed)?;
    if account != app.account_id {
        let known = world.users.iter().any(|user| user.account_id == account);
        return Err(if known {
            Denied::AccountNotEnabled
        } else {
            Denied::NoSuchAccount
        });
    }
    if sim.config().s2s_single_token {
        world.tokens.end_server_tokens(&app.client_id);
    }
    Ok(without_user(sim, world, app, app.scopes.clone()))
}

/// The app itself: scopes that need no user.
fn client(sim: &Inner, world: &mut World, app: &App) -> serde_json::Value {
    without_user(sim, world, app, vec!["imchat:bot".to_owned()])
}
