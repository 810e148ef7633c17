//! `/marketplace/install`: somebody presses *Add* in the Marketplace, and the app has not asked for it.

use axum::extract::State;
use http::Uri;
use url::form_urlencoded::Serializer;

use super::consent::Turned;
use crate::{answer::Answer, params::Params, simulator::Shared, world::World};

/// On to the consent page, with the app's own redirect address, and without a state.
pub(super) async fn page(State(sim): State<Shared>, uri: Uri) -> Answer {
    let params = Params::parse(uri.query());
    let mut world = sim.world();
    world.count("marketplace.install");
    let client_id = params
        .get("client_id")
        .unwrap_or(&sim.config().client_id)
        .to_owned();
    match request(&world, &client_id, params.get("redirect_uri")) {
        Ok(mut query) => {
            // a landing page of the app may have put a challenge there, but there is nobody to remember a state
            for name in ["code_challenge", "code_challenge_method"] {
                if let Some(value) = params.get(name) {
                    let pair = Serializer::new(String::new()).append_pair(name, value).finish();
                    query = format!("{query}&{pair}");
                }
            }
            Answer::found(&format!("{}/oauth/authorize?{query}", sim.base))
        }
        Err(turned) => turned.answer,
    }
}

/// The query of an authorization request that the Marketplace makes; without an address, the first of the app's list.
pub(crate) fn request(world: &World, client_id: &str, redirect_uri: Option<&str>) -> Result<String, Turned> {
    let app = world
        .app(client_id)
        .ok_or_else(|| Turned::number(4702, "Invalid client."))?;
    let redirect_uri = redirect_uri
        .or(app.redirect_uris.first().map(String::as_str))
        .ok_or_else(|| Turned::number(4709, "Redirect URI mismatch."))?;
    Ok(Serializer::new(String::new())
        .append_pair("response_type", "code")
        .append_pair("client_id", client_id)
        .append_pair("redirect_uri", redirect_uri)
        .finish())
}
