//! `/rec/…`: the first hop of a download. It checks the token and sends the client to another origin.

use axum::{
    Router,
    extract::{Path, State},
    response::Response,
    routing::get,
};
use http::{HeaderMap, StatusCode, Uri, header::AUTHORIZATION};
use jiff::SignedDuration;

use super::cdn;
use crate::{
    answer::Answer,
    faults::{Fault, Surface},
    params::Params,
    rest::reach,
    server::{Connection, spoil},
    simulator::{Inner, Shared},
    world::{MediaState, Reach, World},
};

/// How long a signed address opens the file.
const LINK_MINUTES: i64 = 60;

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/rec/download/{link}", get(hop))
        .route("/rec/webhook_download/{link}", get(hop))
        .route("/rec/meeting/transcript/download/{link}", get(hop))
        .route("/rec/play/{link}", get(play))
        .route("/rec/share/{link}", get(play))
}

/// What a browser without a passcode sees.
async fn play() -> Answer {
    Answer::html(StatusCode::OK, PASSCODE)
}

const PASSCODE: &str = "<!DOCTYPE html>\n<html lang=\"en\"><head><title>Password Required - Zoom</title></head>\
<body><h1>Password Required</h1><p>This recording is protected. Enter the passcode to watch it.</p></body></html>\n";
const LOG_IN: &str = "<!DOCTYPE html>\n<html lang=\"en\"><head><title>Error - Zoom</title></head>\
<body><p>Only the host can download this file. Sign in to continue.</p></body></html>\n";
const NOT_READY: &str = "<!DOCTYPE html>\n<html lang=\"en\"><head><title>Error - Zoom</title></head>\
<body><p>This recording does not exist.</p></body></html>\n";

async fn hop(
    State(sim): State<Shared>,
    connection: Connection,
    Path(link): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let (answer, struck) = {
        let mut world = sim.world();
        world.count("download");
        let struck = world
            .faults
            .strike(Surface::Download, &format!("GET {}", uri.path()));
        let answer = match struck.map(|struck| struck.fault) {
            Some(Fault::HtmlInsteadOfFile) => Answer::html(StatusCode::OK, LOG_IN),
            Some(Fault::PasscodePage) => Answer::html(StatusCode::OK, PASSCODE),
            Some(Fault::NotReady) => Answer::html(StatusCode::NOT_FOUND, NOT_READY),
            Some(Fault::Http500) => Answer::status(StatusCode::INTERNAL_SERVER_ERROR),
            Some(Fault::Http502) => Answer::bad_gateway(),
            Some(Fault::Http503) => {
                Answer::status(StatusCode::SERVICE_UNAVAILABLE).header("retry-after", "2")
            }
            Some(Fault::Http429) => Answer::status(StatusCode::TOO_MANY_REQUESTS).header("retry-after", "2"),
            _ => redirect(&sim, &mut world, &link, &uri, &headers),
        };
        (answer, struck)
    };
    spoil(&sim, answer, struck, &connection).await
}

fn redirect(sim: &Inner, world: &mut World, link: &str, uri: &Uri, headers: &HeaderMap) -> Answer {
    let now = sim.clock.now();
    let Some((instance, _, media)) = world.media(link) else {
        return Answer::html(StatusCode::OK, LOG_IN);
    };
    match media.state {
        MediaState::Completed => {}
        MediaState::Trashed(_) => return Answer::html(StatusCode::OK, LOG_IN),
        MediaState::Processing | MediaState::Coming => return Answer::html(StatusCode::NOT_FOUND, NOT_READY),
    }
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = header
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let params = Params::parse(uri.query());
    let (token, in_query) = match (bearer, params.get("access_token")) {
        (Some((_, token)), _) => (token.trim(), false),
        (None, Some(token)) => (token, true),
        (None, None) => return Answer::html(StatusCode::OK, LOG_IN),
    };
    let allowed = match world.tokens.download(token, now) {
        Some(grant) => grant.meeting_uuid == instance.uuid && (!in_query || grant.from_webhook),
        None => {
            (!in_query || sim.config().quirks.query_token)
                && world.caller(token, now).is_ok_and(|caller| {
                    caller.account_id == instance.account_id
                        && match reach(caller, &FILES) {
                            Some(Reach::Account) => true,
                            Some(Reach::Own) => caller.user_id == instance.host_id,
                            None => false,
                        }
                })
        }
    };
    if !allowed {
        return Answer::html(StatusCode::OK, LOG_IN);
    }
    let until = now
        .saturating_add(SignedDuration::from_mins(LINK_MINUTES))
        .unwrap_or(now);
    Answer::found(&cdn::signed(sim, link, until)).header("cache-control", "no-store")
}

/// What a token needs to open files of recordings.
const FILES: crate::rest::Scopes = crate::rest::Scopes {
    classic: &["recording:read", "recording:read:admin", "recording:master"],
    granular: &[
        "cloud_recording:read:list_recording_files",
        "cloud_recording:read:list_user_recordings",
        "cloud_recording:read:list_account_recordings",
        "cloud_recording:read:meeting_transcript",
    ],
    suffixes: crate::rest::Suffixes::All,
};
