//! `/cdn/…` on the other origin: files behind signed addresses, with ranges, without any bearer token.

use axum::{
    Router,
    extract::{Path, State},
    response::Response,
    routing::get,
};
use bytes::Bytes;
use http::{
    HeaderMap, Method, StatusCode, Uri,
    header::{
        ACCEPT_RANGES, AUTHORIZATION, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, ETAG, IF_RANGE,
        RANGE,
    },
};
use jiff::Timestamp;

use crate::{
    answer::Answer,
    faults::{Fault, Surface},
    oauth::hmac_sha256_hex,
    params::Params,
    server::{Connection, spoil},
    simulator::{Inner, Shared},
    world::Media,
};

pub(crate) fn routes() -> Router<Shared> {
    Router::new().route("/cdn/{link}", get(serve))
}

/// An address that opens a file until then.
pub(super) fn signed(sim: &Inner, link: &str, until: Timestamp) -> String {
    let expires = until.as_second();
    format!(
        "{}/cdn/{link}?Expires={expires}&Signature={}&Key-Pair-Id=SIMKEYPAIR",
        sim.cdn,
        sign(sim, link, expires)
    )
}

fn sign(sim: &Inner, link: &str, expires: i64) -> String {
    hmac_sha256_hex(&sim.cdn_key, format!("{link}:{expires}").as_bytes())
}

fn denied(status: StatusCode, code: &str, message: &str) -> Answer {
    Answer::bytes(
        status,
        "application/xml",
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        ),
    )
}

async fn serve(
    State(sim): State<Shared>,
    connection: Connection,
    Path(link): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let (mut answer, struck) = {
        let mut world = sim.world();
        world.count("cdn");
        let struck = world.faults.strike(Surface::Cdn, &format!("GET {}", uri.path()));
        let fault = struck.map(|struck| struck.fault);
        let answer = if headers.contains_key(AUTHORIZATION) {
            world.count("cdn.authorization_leaked");
            denied(
                StatusCode::BAD_REQUEST,
                "InvalidArgument",
                "Only one auth mechanism allowed",
            )
        } else if fault == Some(Fault::LinkExpired) || !opens(&sim, &link, &uri) {
            denied(StatusCode::FORBIDDEN, "AccessDenied", "Access denied")
        } else {
            match (fault, world.media(&link)) {
                (Some(Fault::Http500), _) => Answer::status(StatusCode::INTERNAL_SERVER_ERROR),
                (Some(Fault::Http502), _) => Answer::bad_gateway(),
                (Some(Fault::Http503 | Fault::Http429), _) => {
                    denied(StatusCode::SERVICE_UNAVAILABLE, "SlowDown", "Slow down")
                }
                (_, None) => denied(
                    StatusCode::NOT_FOUND,
                    "NoSuchKey",
                    "The specified key does not exist.",
                ),
                (_, Some((_, _, media))) => file(media, &headers, fault),
            }
        };
        (answer, struck)
    };
    if method == Method::HEAD {
        let length = answer.body.len().to_string();
        answer = answer.with(CONTENT_LENGTH, &length);
        answer.body = Bytes::new();
    }
    spoil(&sim, answer, struck, &connection).await
}

fn opens(sim: &Inner, link: &str, uri: &Uri) -> bool {
    let params = Params::parse(uri.query());
    let expires = params.get("Expires").and_then(|text| text.parse::<i64>().ok());
    expires.is_some_and(|expires| {
        expires > sim.clock.now().as_second() && params.get("Signature") == Some(&sign(sim, link, expires))
    })
}

fn file(media: &Media, headers: &HeaderMap, fault: Option<Fault>) -> Answer {
    let mut content = media.content.clone();
    if fault == Some(Fault::Corrupted) {
        content = content.iter().map(|byte| byte ^ 0xa5).collect();
    }
    let etag = format!("\"{}\"", media.id);
    let whole = Answer::bytes(StatusCode::OK, media.content_type, content.clone())
        .with(ACCEPT_RANGES, "bytes")
        .with(ETAG, &etag)
        .with(
            CONTENT_DISPOSITION,
            &format!(
                "attachment; filename=\"GMT_{}.{}\"",
                media.recording_type,
                media.extension.to_lowercase()
            ),
        );
    let fresh = headers
        .get(IF_RANGE)
        .is_none_or(|value| value.as_bytes() == etag.as_bytes());
    let wanted = headers
        .get(RANGE)
        .and_then(|value| value.to_str().ok())
        .filter(|_| fresh && fault != Some(Fault::RangeIgnored));
    match wanted.map(|text| range(text, content.len())) {
        None | Some(Range::Ignored) => whole,
        Some(Range::Unsatisfiable) => denied(
            StatusCode::RANGE_NOT_SATISFIABLE,
            "InvalidRange",
            "The requested range is not satisfiable",
        )
        .with(CONTENT_RANGE, &format!("bytes */{}", content.len())),
        Some(Range::Part(from, to)) => {
            let mut part = whole.with(CONTENT_RANGE, &format!("bytes {from}-{to}/{}", content.len()));
            part.status = StatusCode::PARTIAL_CONTENT;
            part.body = content.slice(from..=to);
            part
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Range {
    Ignored,
    Unsatisfiable,
    /// First and last byte.
    Part(usize, usize),
}

/// One range of bytes; several, or other units, are ignored as RFC 9110 allows.
fn range(text: &str, length: usize) -> Range {
    let Some((from, to)) = text
        .strip_prefix("bytes=")
        .filter(|set| !set.contains(','))
        .and_then(|set| set.split_once('-'))
    else {
        return Range::Ignored;
    };
    let number = |text: &str| text.trim().parse::<usize>().ok();
    let last = length.saturating_sub(1);
    match (number(from), number(to)) {
        (None, Some(suffix)) if from.trim().is_empty() => match suffix.min(length) {
            0 => Range::Unsatisfiable,
            suffix => Range::Part(length - suffix, last),
        },
        (Some(from), _) if from >= length => Range::Unsatisfiable,
        (Some(from), None) if to.trim().is_empty() => Range::Part(from, last),
        (Some(from), Some(to)) if from <= to => Range::Part(from, to.min(last)),
        _ => Range::Ignored,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_rfc_9110_says() {
        for (text, wanted) in [
            ("bytes=0-3", Range::Part(0, 3)),
            ("bytes=4-", Range::Part(4, 9)),
            ("bytes=-2", Range::Part(8, 9)),
            ("bytes=-99", Range::Part(0, 9)),
            ("bytes=8-99", Range::Part(8, 9)),
            ("bytes=10-", Range::Unsatisfiable),
            ("bytes=-0", Range::Unsatisfiable),
            ("bytes=5-2", Range::Ignored),
            ("bytes=0-1,4-5", Range::Ignored),
            ("lines=1-2", Range::Ignored),
        ] {
            assert_eq!(range(text, 10), wanted, "{text}");
        }
    }
}
