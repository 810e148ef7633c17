//! `/oauth/devicecode`: something without a browser asks, a person with one answers.

use axum::{
    body::Bytes,
    extract::{Path, State},
};
use http::{HeaderMap, StatusCode, Uri};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{
    authenticated,
    consent::{Decision, Turned, consenting},
    denied::Denied,
    issue::{after, issue},
    mint, no_store, page,
    tokens::Grant,
};
use crate::{
    answer::Answer,
    config::AppKind,
    params::Params,
    simulator::{Inner, Shared},
    world::{App, World},
};

/// What a device that waits says to the token endpoint.
pub(super) const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Who is told to slow down waits so much longer.
const SLOWER: SignedDuration = SignedDuration::from_secs(5);

/// A device that waits for its person.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    client_id: String,
    device_code: String,
    user_code: String,
    expires: Timestamp,
    interval: SignedDuration,
    asked: Option<Timestamp>,
    said: Option<Said>,
}

#[derive(Clone, Debug)]
enum Said {
    No,
    Yes { user_id: String, scopes: Vec<String> },
}

/// `POST /oauth/devicecode`
pub(super) async fn start(State(sim): State<Shared>, uri: Uri, headers: HeaderMap, body: Bytes) -> Answer {
    let params = Params::default()
        .and(&body)
        .and(uri.query().unwrap_or_default().as_bytes());
    let mut world = sim.world();
    world.count("devicecode");
    let config = sim.config();
    let app = match authenticated(&world, &headers, &params) {
        Ok(app) if app.kind == AppKind::ServerToServer => {
            return Denied::GrantNotSupported.answer(&config.quirks);
        }
        Ok(app) => app.client_id.clone(),
        Err(denied) => return denied.answer(&config.quirks),
    };
    let device_code = mint::code(&mut world.random, &config.token_prefix);
    let user_code = world.random.text(8).to_uppercase();
    let answer = json!({
        "device_code": device_code,
        "user_code": user_code,
        "verification_uri": format!("{}/oauth_device", sim.base),
        "verification_uri_complete": format!("{}/oauth/device/complete/{user_code}", sim.base),
        "expires_in": config.device_code_life.as_secs(),
        "interval": config.device_interval.as_secs(),
    });
    world.tokens.devices.push(Device {
        client_id: app,
        device_code,
        user_code,
        expires: after(sim.clock.now(), config.device_code_life),
        interval: SignedDuration::try_from(config.device_interval).unwrap_or_default(),
        asked: None,
        said: None,
    });
    no_store(Answer::ok(&answer))
}

/// The token endpoint's side: not yet, not so often, no, or tokens.
pub(super) fn poll(
    sim: &Inner,
    world: &mut World,
    app: &App,
    params: &Params,
) -> Result<serde_json::Value, Denied> {
    let now = sim.clock.now();
    let text = params.get("device_code").ok_or(Denied::Malformed)?;
    let at = world
        .tokens
        .devices
        .iter()
        .position(|device| device.device_code == text && device.client_id == app.client_id)
        .ok_or(Denied::DeviceCodeExpired)?;
    let device = world
        .tokens
        .devices
        .get_mut(at)
        .ok_or(Denied::DeviceCodeExpired)?;
    if device.expires <= now {
        return Err(Denied::DeviceCodeExpired);
    }
    let before = device.asked.replace(now);
    match device.said.clone() {
        None if before.is_some_and(|before| now.duration_since(before) < device.interval) => {
            device.interval = device.interval.saturating_add(SLOWER);
            Err(Denied::SlowDown)
        }
        None => Err(Denied::AuthorizationPending),
        Some(Said::No) => Err(Denied::DeviceRefused),
        Some(Said::Yes { user_id, scopes }) => {
            world.tokens.devices.remove(at);
            let lives = sim.config().quirks.superseded_access_lives;
            let grant = world.tokens.add_grant(Grant::new(app, &user_id, scopes), lives);
            issue(sim, world, app, grant)
        }
    }
}

/// What a person answers who was shown this code.
pub(crate) fn decide(
    sim: &Inner,
    world: &mut World,
    user_code: &str,
    decision: &Decision,
) -> Result<(), Turned> {
    let now = sim.clock.now();
    let unknown = || Turned::number(4700, "The code is wrong or expired.");
    let at = world
        .tokens
        .devices
        .iter()
        .position(|device| {
            device.user_code.eq_ignore_ascii_case(user_code) && device.expires > now && device.said.is_none()
        })
        .ok_or_else(unknown)?;
    let app = world
        .tokens
        .devices
        .get(at)
        .and_then(|device| world.app(&device.client_id))
        .cloned()
        .ok_or_else(unknown)?;
    let said = match decision {
        Decision::Deny => Said::No,
        Decision::Allow {
            user,
            optional_scopes,
        } => Said::Yes {
            user_id: consenting(sim, world, &app, user)?.id,
            scopes: optional_scopes
                .as_ref()
                .map_or_else(|| app.all_scopes(), |chosen| app.granted(chosen)),
        },
    };
    if let Some(device) = world.tokens.devices.get_mut(at) {
        device.said = Some(said);
    }
    Ok(())
}

/// `GET /oauth_device`: the page a person is sent to with a code to type.
pub(super) async fn enter(State(sim): State<Shared>, uri: Uri) -> Answer {
    match Params::parse(uri.query()).get("user_code") {
        Some(code) => Answer::found(&format!("{}/oauth/device/complete/{code}", sim.base)),
        None => Answer::html(StatusCode::OK, page::ask_code("/oauth_device")),
    }
}

/// `GET /oauth/device/complete/{user_code}`: the consent page.
pub(super) async fn page(State(sim): State<Shared>, Path(user_code): Path<String>) -> Answer {
    let world = sim.world();
    let app = world
        .tokens
        .devices
        .iter()
        .find(|device| device.user_code.eq_ignore_ascii_case(&user_code))
        .and_then(|device| world.app(&device.client_id));
    let Some(app) = app else {
        return Turned::number(4700, "The code is wrong or expired.").answer;
    };
    let form = page::Form {
        action: &format!("/oauth/device/complete/{user_code}"),
        request: "",
        anybody: sim.config().quirks.admin_apps_for_all,
    };
    Answer::html(StatusCode::OK, page::render(app, &world.users, &form))
}

/// The form of [`page`].
pub(super) async fn answer(State(sim): State<Shared>, Path(user_code): Path<String>, body: Bytes) -> Answer {
    let decision = Decision::read(&Params::default().and(&body));
    let mut world = sim.world();
    match decide(&sim, &mut world, &user_code, &decision) {
        Ok(()) => Answer::html(
            StatusCode::OK,
            page::notice("Done", "You can go back to your device."),
        ),
        Err(turned) => turned.answer,
    }
}
