//! Making tokens.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{denied::Denied, mint, tokens::Refresh};
use crate::{
    config::ApiUrl,
    json::Fields as _,
    simulator::Inner,
    world::{App, Caller, World},
};

/// A pair of tokens for an authorization.
pub(super) fn issue(
    sim: &Inner,
    world: &mut World,
    app: &App,
    at: usize,
) -> Result<serde_json::Value, Denied> {
    let config = sim.config();
    let now = sim.clock.now();
    let (user_id, scopes) = world
        .tokens
        .grant(at)
        .map(|grant| (grant.user_id.clone(), grant.scopes.clone()))
        .ok_or(Denied::OwnerGone)?;
    let caller = Caller {
        client_id: app.client_id.clone(),
        account_id: world.host(&user_id).account_id,
        user_id,
        scopes,
    };
    let access_ends = after(now, config.access_token_life);
    let refresh_ends = after(now, config.refresh_token_life);
    let prefix = &config.token_prefix;
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

/// An access token that no user stands behind.
pub(super) fn without_user(
    sim: &Inner,
    world: &mut World,
    app: &App,
    scopes: Vec<String>,
) -> serde_json::Value {
    let config = sim.config();
    let now = sim.clock.now();
    let owner = world.users.iter().find(|user| user.account_id == app.account_id);
    let caller = Caller {
        client_id: app.client_id.clone(),
        account_id: app.account_id.clone(),
        user_id: owner.map(|user| user.id.clone()).unwrap_or_default(),
        scopes,
    };
    let expires = after(now, config.access_token_life);
    let access = mint::jwt(
        &mut world.random,
        &config.token_prefix,
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
    let config = sim.config();
    let life = config.access_token_life.as_secs();
    let mut body = json!({
        "access_token": access,
        "token_type": "bearer",
        "expires_in": if life == 3600 { 3599 } else { life },
        "scope": caller.scopes.join(" "),
    });
    match &config.api_url {
        ApiUrl::Own => body.put("api_url", sim.base.as_str()),
        ApiUrl::Absent => {}
        ApiUrl::Other(url) => body.put("api_url", url.as_str()),
    }
    body
}

/// When something that lives so long ends.
pub(super) fn after(now: Timestamp, life: std::time::Duration) -> Timestamp {
    SignedDuration::try_from(life)
        .ok()
        .and_then(|life| now.checked_add(life).ok())
        .unwrap_or(Timestamp::MAX)
}
