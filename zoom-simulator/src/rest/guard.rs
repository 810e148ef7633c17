//! What stands before every endpoint: faults, tokens, limits.

use http::{HeaderMap, StatusCode, header::AUTHORIZATION};
use serde_json::json;

use super::{endpoints::Endpoint, pages, scopes};
use crate::{
    answer::{Answer, Refusal},
    clock::zoom_time,
    faults::Fault,
    rate::{Label, Verdict, next_midnight},
    simulator::Inner,
    world::{Caller, Reach, World},
};

const PER_SECOND: &str = "You have reached the maximum per-second rate limit for this API. Try again later.";
const PER_DAY: &str = "You have reached the maximum daily rate limit for this API. Refer to the response header for details \
                       on when you can make another request.";

/// Too many meetings made for one host today.
pub(super) fn meeting_changes_spent(per_day: u32) -> Refusal {
    Refusal::new(
        StatusCode::TOO_MANY_REQUESTS,
        429,
        format!(
            "You have exceeded the daily rate limit ({per_day}) of Meeting Create/Update API requests permitted for this \
             particular user. You may resume these requests at GMT 00:00:00."
        ),
    )
}

fn too_many(message: &str) -> Answer {
    Refusal::new(StatusCode::TOO_MANY_REQUESTS, 429, message).into()
}

/// The answer a fault gives in place of the endpoint's.
pub(super) fn apply_fault(
    sim: &Inner,
    world: &mut World,
    headers: &HeaderMap,
    endpoint: &Endpoint,
    fault: Option<Fault>,
) -> Option<Answer> {
    let server_error = |status: StatusCode, message: &str| {
        Answer::json(status, &json!({ "code": status.as_u16(), "message": message }))
    };
    let category = endpoint.label.category();
    Some(match fault? {
        Fault::Http500 => server_error(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error."),
        Fault::Http502 => Answer::bad_gateway(),
        Fault::Http503 => {
            server_error(StatusCode::SERVICE_UNAVAILABLE, "Service unavailable.").header("retry-after", "1")
        }
        Fault::Http429 => too_many(PER_SECOND)
            .header("x-ratelimit-category", category)
            .header("x-ratelimit-type", "QPS")
            .header("x-ratelimit-limit", "20")
            .header("x-ratelimit-remaining", "0"),
        Fault::Http429Daily => too_many(PER_DAY)
            .header("x-ratelimit-category", category)
            .header("x-ratelimit-type", "Daily-limit")
            .header("x-ratelimit-limit", "2000")
            .header("x-ratelimit-remaining", "0")
            .header("retry-after", &zoom_time(next_midnight(sim.clock.now()))),
        Fault::Http429MeetingChanges => {
            Answer::from(meeting_changes_spent(sim.config().meeting_changes_per_day))
                .header("x-ratelimit-category", "Light")
                .header("x-ratelimit-limit", "6000")
        }
        Fault::Http429Concurrent => too_many(
            "Too many concurrent requests. A request to disassociate this user has already been made.",
        ),
        Fault::RefuseToken => Refusal::unauthorized("Invalid access token.").into(),
        Fault::ExpiredAccess => {
            let now = sim.clock.now();
            let token = bearer(headers).unwrap_or_default().to_owned();
            world.tokens.expire_access(|own, _| own == token, now);
            Refusal::unauthorized("Access token is expired.").into()
        }
        Fault::MissingScope => {
            let nobody = Caller {
                client_id: String::new(),
                account_id: String::new(),
                user_id: String::new(),
                scopes: Vec::new(),
            };
            scopes::missing(
                &nobody,
                &endpoint.scopes,
                Reach::Own,
                sim.config().quirks.missing_scope_401,
            )
            .into()
        }
        Fault::RefusalWith200 => Answer::ok(&json!({ "code": 200, "message": "No permission." })),
        Fault::BrokenJson => Answer::bytes(
            StatusCode::OK,
            "application/json;charset=UTF-8",
            "{\"page_count\":1,\"meetings\":[{\"uu",
        ),
        Fault::HtmlInsteadOfJson => Answer::html(
            StatusCode::OK,
            "<!DOCTYPE html><html><head><title>Zoom</title></head><body>Maintenance</body></html>",
        ),
        fault => {
            pages::expire(world, Some(fault));
            return None;
        }
    })
}

pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Whose request it is, if it comes with a good token and not too often.
pub(super) fn check(
    sim: &Inner,
    world: &mut World,
    headers: &HeaderMap,
    endpoint: &Endpoint,
) -> Result<(Caller, Verdict), Answer> {
    let now = sim.clock.now();
    let token = bearer(headers)
        .filter(|token| !token.is_empty())
        .ok_or_else(|| Refusal::unauthorized("Requires an access token."))?;
    let caller = world
        .caller(token, now)
        .cloned()
        .map_err(|bad| Refusal::unauthorized(bad.message()))?;
    let verdict = world
        .meter
        .count(&caller.account_id, endpoint.label, &sim.config().rate_limits, now);
    match verdict {
        Verdict::Pass { .. } => Ok((caller, verdict)),
        Verdict::TooManyThisSecond { .. } => {
            Err(rate_headers(too_many(PER_SECOND), endpoint.label, &verdict))
        }
        Verdict::TooManyToday { .. } => Err(rate_headers(too_many(PER_DAY), endpoint.label, &verdict)),
    }
}

/// What every metered answer says about the limits.
pub(super) fn rate_headers(answer: Answer, label: Label, verdict: &Verdict) -> Answer {
    let (kind, limit, remaining) = match verdict {
        Verdict::Pass { limit, remaining } => ("QPS", *limit, *remaining),
        Verdict::TooManyThisSecond { limit } => ("QPS", *limit, 0),
        Verdict::TooManyToday { limit, .. } => ("Daily-limit", *limit, 0),
    };
    let answer = answer
        .header("x-ratelimit-category", label.category())
        .header("x-ratelimit-type", kind)
        .header("x-ratelimit-limit", &limit.to_string())
        .header("x-ratelimit-remaining", &remaining.to_string());
    match verdict {
        Verdict::TooManyToday { again_at, .. } => answer.header("retry-after", &zoom_time(*again_at)),
        _ => answer,
    }
}
