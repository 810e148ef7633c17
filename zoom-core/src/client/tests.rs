//! The client against a server: what it sends, when it sends it again, what it makes of the answers.

use super::*;

/// What the tests of the resources compare: method, path with query, JSON body.
pub(super) const NO_BODY: Option<serde_json::Value> = None;

pub(super) fn sent(request: &Request) -> (String, String, Option<serde_json::Value>) {
    let base = Url::parse(BASE_URL).unwrap();
    let http = request.to_http(&base).unwrap();
    let path = http.uri().path_and_query().unwrap().to_string();
    let body = (!http.body().is_empty()).then(|| serde_json::from_slice(http.body()).unwrap());
    (http.method().to_string(), path, body)
}

mod calls;
