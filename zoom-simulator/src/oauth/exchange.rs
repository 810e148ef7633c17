//! `grant_type=authorization_code`.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use super::{denied::Denied, issue::issue, tokens::Grant};
use crate::{
    params::Params,
    simulator::Inner,
    world::{App, World},
};

/// A code for tokens.
pub(super) fn exchange(
    sim: &Inner,
    world: &mut World,
    app: &App,
    params: &Params,
) -> Result<serde_json::Value, Denied> {
    let text = params.get("code").unwrap_or_default();
    // one use, whatever comes of it
    let code = world
        .tokens
        .codes
        .remove(text)
        .filter(|code| code.client_id == app.client_id)
        .ok_or_else(|| Denied::UnknownCode(text.to_owned()))?;
    if code.expires <= sim.clock.now() {
        return Err(Denied::CodeExpired);
    }
    if params.get("redirect_uri") != Some(&code.redirect_uri) {
        return Err(Denied::RedirectMismatch);
    }
    if let Some((challenge, method)) = &code.challenge {
        let verifier = params.get("code_verifier").unwrap_or_default();
        let proof = match method.as_str() {
            "S256" => URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)),
            _ => verifier.to_owned(),
        };
        if !(43..=128).contains(&verifier.len()) || proof != *challenge {
            return Err(Denied::WrongVerifier);
        }
    }
    let account_id = world
        .user(&code.user_id)
        .map(|user| user.account_id.clone())
        .ok_or(Denied::OwnerGone)?;
    if !app.approved_in(&account_id) {
        return Err(Denied::DisabledByAdmin);
    }
    let superseded_access_lives = sim.config().quirks.superseded_access_lives;
    let grant = world.tokens.add_grant(
        Grant::new(app, &code.user_id, code.scopes),
        superseded_access_lives,
    );
    issue(sim, world, app, grant)
}
