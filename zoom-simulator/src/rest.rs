//! `/v2/…`: the REST API. One way in for every call: token, limits, scopes, then the endpoint.

mod calendar;
mod endpoints;
mod guard;
mod meeting_body;
mod meeting_json;
mod meetings;
mod pages;
mod past_meetings;
mod path;
mod recordings;
mod reports;
mod scopes;
mod users;

use axum::{
    Router,
    body::Bytes,
    extract::State,
    response::{IntoResponse as _, Response},
    routing::any,
};
use http::{HeaderMap, Method, Uri};
use serde_json::Value;

use self::{
    endpoints::Endpoint,
    guard::{apply_fault, check, rate_headers},
};
pub(crate) use self::{
    meeting_json::list_item as meeting_list_item,
    pages::Pages,
    scopes::{Scopes, Suffixes, reach},
};
use crate::{
    answer::{Answer, Refusal, Reply},
    clock::zoom_time,
    faults::{Fault, Surface},
    json::Fields as _,
    params::Params,
    server::{Connection, hold, spoil},
    simulator::{Inner, Shared},
    world::{Caller, Reach, User, World},
};

/// Zoom takes bodies of a few hundred kilobytes at most.
const BODY_LIMIT: usize = 1024 * 1024;

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/v2/{*path}", any(dispatch))
        .layer(axum::extract::DefaultBodyLimit::max(BODY_LIMIT))
}

/// Any path outside of what is simulated.
pub(crate) async fn unknown(uri: Uri) -> Answer {
    tracing::debug!(path = uri.path(), "not simulated");
    Answer::not_found()
}

/// One call, after its checks.
pub(crate) struct Call<'a> {
    pub(crate) sim: &'a Shared,
    pub(crate) caller: &'a Caller,
    pub(crate) reach: Reach,
    /// The variable segments of the path, as they came.
    pub(crate) segments: &'a [&'a str],
    pub(crate) query: &'a Params,
    pub(crate) body: &'a [u8],
    pub(crate) endpoint: &'static Endpoint,
}

async fn dispatch(
    State(sim): State<Shared>,
    connection: Connection,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path().strip_prefix("/v2").unwrap_or_default();
    let Some((endpoint, segments)) = endpoints::find(method.as_str(), path) else {
        tracing::debug!(%method, path, "not simulated");
        return Answer::not_found().into_response();
    };
    let query = Params::parse(uri.query());
    let request = format!("{method} {}", uri.path());
    let struck = {
        let mut world = sim.world();
        let general = format!("{method} /v2{}", endpoint.path);
        if general != request {
            world.count(request.as_str());
        }
        world.count(general);
        let mut struck = world.faults.strike(Surface::Rest, &request);
        let paging = matches!(
            struck.map(|s| s.fault),
            Some(Fault::RepeatedPageToken | Fault::ExpiredPageToken)
        );
        if paging && query.get("next_page_token").is_none() {
            struck = struck.and_then(|struck| world.faults.put_back(struck));
        }
        struck
    };
    hold(&sim, struck, Fault::HoldRequest).await;
    let answer = {
        let mut world = sim.world();
        let fault = struck.map(|struck| struck.fault);
        let mut answer = run(
            &sim, &mut world, endpoint, &segments, &query, &headers, &body, fault,
        );
        if fault == Some(Fault::RepeatedPageToken) {
            repeat_page_token(&mut answer, &query);
        }
        let tracking = world.random.tracking_id();
        answer
            .header("x-zm-trackingid", &tracking)
            .header("x-content-type-options", "nosniff")
            .header("cache-control", "no-cache, no-store, must-revalidate, private")
    };
    spoil(&sim, answer, struck, &connection).await
}

#[expect(
    clippy::too_many_arguments,
    reason = "the one place where everything about a request comes together"
)]
fn run(
    sim: &Shared,
    world: &mut World,
    endpoint: &'static Endpoint,
    segments: &[&str],
    query: &Params,
    headers: &HeaderMap,
    body: &[u8],
    fault: Option<Fault>,
) -> Answer {
    if let Some(answer) = apply_fault(sim, world, headers, endpoint, fault) {
        return answer;
    }
    let (caller, meter) = match check(sim, world, headers, endpoint) {
        Ok(checked) => checked,
        Err(answer) => return answer,
    };
    let reply = match reach(&caller, &endpoint.scopes) {
        None => Err(scopes::missing(
            &caller,
            &endpoint.scopes,
            Reach::Own,
            sim.config().quirks.missing_scope_401,
        )),
        Some(reach) => {
            let call = Call {
                sim,
                caller: &caller,
                reach,
                segments,
                query,
                body,
                endpoint,
            };
            (endpoint.run)(&call, world)
        }
    };
    rate_headers(reply.unwrap_or_else(Answer::from), endpoint.label, &meter)
}

fn repeat_page_token(answer: &mut Answer, query: &Params) {
    let Ok(mut body) = serde_json::from_slice::<Value>(&answer.body) else {
        return;
    };
    if let Some(token) = query.get("next_page_token") {
        body.put("next_page_token", token);
        answer.body = body.to_string().into();
    }
}

impl Call<'_> {
    /// A variable segment, decoded; a UUID may be encoded twice, and some must be.
    fn segment(&self, nth: usize) -> Result<String, Refusal> {
        let raw = self.segments.get(nth).copied().unwrap_or_default();
        path::decode(raw)
            .ok_or_else(|| Refusal::missing(3001, format!("Meeting does not exist: {}.", path::once(raw))))
    }

    /// The user in the first segment, if this token may touch them.
    fn user(&self, world: &World) -> Result<User, Refusal> {
        let who = path::once(self.segments.first().copied().unwrap_or_default());
        let found = if who == "me" {
            world.user(&self.caller.user_id)
        } else {
            world.user(&who)
        };
        let user = found.ok_or_else(|| Refusal::missing(1001, format!("User does not exist: {who}.")))?;
        if user.account_id != self.caller.account_id {
            // the same situation has two codes: 1010 where a user is asked for, 1001 where something of theirs is
            return Err(if self.endpoint.is_about_users() {
                Refusal::bad(1010, "User not found on this account.")
            } else {
                Refusal::missing(
                    1001,
                    format!("User {who} does not exist or does not belong to this account."),
                )
            });
        }
        if self.reach == Reach::Own && user.id != self.caller.user_id {
            return Err(scopes::missing(
                self.caller,
                &self.endpoint.scopes,
                Reach::Account,
                self.sim.config().quirks.missing_scope_401,
            ));
        }
        Ok(user.clone())
    }

    /// Whether what belongs to this host is within reach.
    fn may_touch(&self, world: &World, host_id: &str) -> bool {
        match self.reach {
            Reach::Own => self.caller.user_id == host_id,
            Reach::Account => world.host(host_id).account_id == self.caller.account_id,
        }
    }

    /// The body, which must be a JSON object.
    fn object(&self) -> Result<serde_json::Map<String, Value>, Refusal> {
        serde_json::from_slice(self.body)
            .map_err(|_| Refusal::bad(300, "Request Body should be a valid JSON object."))
    }

    fn sim(&self) -> &Inner {
        self.sim
    }
}

fn no_content() -> Reply {
    Ok(Answer::status(http::StatusCode::NO_CONTENT))
}

fn optional_time(at: Option<jiff::Timestamp>) -> Value {
    at.map(zoom_time).into()
}
