//! `grant_type=refresh_token`.

use super::{
    denied::Denied,
    issue::issue,
    tokens::{End, Grant},
};
use crate::{
    config::Rotation,
    params::Params,
    simulator::Inner,
    world::{App, World},
};

/// A refresh token for a new pair; the old one is spent.
pub(super) fn refresh(
    sim: &Inner,
    world: &mut World,
    app: &App,
    params: &Params,
) -> Result<serde_json::Value, Denied> {
    let config = sim.config();
    let now = sim.clock.now();
    let text = params.get("refresh_token").ok_or(Denied::Malformed)?;
    let token = world.tokens.refresh.get(text).ok_or(Denied::UnknownToken)?;
    let at = token.grant;
    let grant = world
        .tokens
        .grant(at)
        .filter(|grant| grant.client_id == app.client_id)
        .ok_or(Denied::UnknownToken)?;
    may_go_on(world, app, grant, config.quirks.added_scopes_kill_refresh)?;
    if token.revoked || token.expires <= now {
        return Err(Denied::UnknownToken);
    }
    if grant.generation != token.generation {
        let Rotation::Tolerance(times) = config.rotation else {
            return Err(Denied::UnknownToken);
        };
        let token = world
            .tokens
            .refresh
            .get_mut(text)
            .filter(|token| token.late_uses < times)
            .ok_or(Denied::BeyondTolerance)?;
        token.late_uses += 1;
    }
    if config.quirks.refresh_kills_access {
        world.tokens.kill_access(at);
    }
    issue(sim, world, app, at)
}

/// Whether the authorization still stands.
fn may_go_on(world: &World, app: &App, grant: &Grant, strict: bool) -> Result<(), Denied> {
    match grant.end {
        Some(End::Superseded) => return Err(Denied::Superseded),
        Some(End::OwnerGone) => return Err(Denied::OwnerGone),
        Some(End::Revoked) => return Err(Denied::UnknownToken),
        None => {}
    }
    let owner = world.user(&grant.user_id).ok_or(Denied::OwnerGone)?;
    if !owner.active() {
        return Err(Denied::UnknownToken);
    }
    if !app.approved_in(&owner.account_id) {
        return Err(Denied::DisabledByAdmin);
    }
    let has = app.all_scopes();
    let taken = grant.scopes.iter().any(|scope| !has.contains(scope));
    let added = has.iter().any(|scope| !grant.offered.contains(scope));
    if taken || (strict && added) {
        return Err(Denied::ScopesChanged);
    }
    Ok(())
}
