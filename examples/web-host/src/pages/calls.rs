//! `GET /calls`: every call, or those where something was said.

use std::ops::Range;

use askama::Template;
use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use jiff::tz::TimeZone;
use zoom_calls::{CallFilter, CallStatus, CallSummary, Scope, SearchHit, SearchQuery};

use crate::{
    app::App,
    failure::Failure,
    format::{clock, length, or_dash, when, words},
    held::HeldMeeting,
    page::{Page, Refresh, html},
    query::param,
};

const CALLS: usize = 100;
const HITS: usize = 50;
/// Longer than any honest query.
const QUERY_CHARS: usize = 200;

#[derive(Template)]
#[template(path = "calls.html")]
struct Calls {
    page: Page,
    query: String,
    calls: Vec<CallRow>,
    hits: Vec<HitRow>,
}

/// A line of the list.
#[derive(Debug, Default)]
struct CallRow {
    /// Empty while there is nothing behind it yet.
    id: String,
    topic: String,
    when: String,
    customer: String,
    source: String,
    length: String,
    sentiment: String,
    score: String,
    objections: Vec<String>,
    next_steps: String,
    status: &'static str,
    tone: &'static str,
}

/// Where the words were said.
#[derive(Debug)]
struct HitRow {
    call: String,
    anchor: String,
    topic: String,
    at: String,
    speaker: String,
    snippet: Vec<Part>,
}

/// A piece of a snippet.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    text: String,
    hit: bool,
}

/// Shows the list or what was found.
pub(crate) async fn show(State(app): State<App>, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    let mut page = app.page("calls", query.as_deref());
    let scope = Scope::Owner(app.call_owner());
    let asked: String = param(query.as_deref(), "q")
        .unwrap_or_default()
        .chars()
        .take(QUERY_CHARS)
        .collect();
    if !asked.is_empty() {
        let hits = app
            .backend()
            .calls
            .search(&scope, &SearchQuery::parse(&asked), HITS)
            .await?;
        let hits = hits.iter().map(|hit| HitRow::of(hit, app.zone())).collect();
        return html(&Calls {
            page,
            query: asked,
            calls: Vec::new(),
            hits,
        });
    }
    let known = app
        .backend()
        .calls
        .list(&scope, &CallFilter::new().limit(CALLS))
        .await?;
    let expected = app.held().expected(app.backend().clock.now(), |id| {
        known.iter().any(|call| call.id == *id)
    });
    let mut calls: Vec<CallRow> = expected
        .iter()
        .map(|meeting| CallRow::expected(meeting, app.zone()))
        .collect();
    calls.extend(known.iter().map(|call| CallRow::of(call, app.zone())));
    let on_their_way = expected.iter().map(|_| CallStatus::Processing);
    page.refresh =
        Refresh::while_worked_on(known.iter().map(|call| call.status).chain(on_their_way), "/calls");
    html(&Calls {
        page,
        query: String::new(),
        calls,
        hits: Vec::new(),
    })
}

impl CallRow {
    fn of(call: &CallSummary, zone: &TimeZone) -> Self {
        let (status, tone) = status(call.status);
        let customer: Vec<&str> = [&call.contact, &call.company]
            .into_iter()
            .filter_map(|part| part.as_deref())
            .collect();
        let is_analysed = call.status == CallStatus::Ready;
        Self {
            id: call.id.to_string(),
            topic: call.topic.clone(),
            when: when(call.at(), zone),
            customer: or_dash((!customer.is_empty()).then(|| customer.join(", "))),
            source: call.lead_source.clone().unwrap_or_default(),
            length: or_dash(call.duration_ms.map(length)),
            sentiment: or_dash(call.sentiment_0_100),
            score: or_dash(call.closing_score),
            objections: call
                .objections
                .iter()
                .map(|category| words(category.as_str()))
                .collect(),
            next_steps: or_dash(is_analysed.then_some(call.next_steps)),
            status,
            tone,
        }
    }

    /// A meeting that was held, before its webhook is here.
    fn expected(meeting: &HeldMeeting, zone: &TimeZone) -> Self {
        let dash = || "–".to_owned();
        Self {
            topic: meeting.topic.clone(),
            when: when(meeting.ended, zone),
            customer: dash(),
            length: dash(),
            sentiment: dash(),
            score: dash(),
            next_steps: dash(),
            status: "On its way",
            tone: "busy",
            ..Self::default()
        }
    }
}

/// How far a call is, and how the badge looks.
pub(crate) fn status(status: CallStatus) -> (&'static str, &'static str) {
    match status {
        CallStatus::Ready => ("Ready", "good"),
        CallStatus::Processing => ("Processing", "busy"),
        CallStatus::AwaitingTranscript => ("Waiting for Zoom", "warn"),
        CallStatus::Failed => ("Failed", "bad"),
        _ => ("Unknown", ""),
    }
}

impl HitRow {
    fn of(hit: &SearchHit, zone: &TimeZone) -> Self {
        let said_at = hit.start_ms.map(clock);
        let day = hit.started_at.map(|at| when(at, zone));
        let facts: Vec<String> = day
            .into_iter()
            .chain(said_at.map(|at| format!("at {at}")))
            .collect();
        let nobody = if hit.utterance_id.is_some() {
            "somebody"
        } else {
            "in the topic"
        };
        Self {
            call: hit.call_id.to_string(),
            anchor: hit.utterance_id.map(|id| format!("#u{id}")).unwrap_or_default(),
            topic: hit.topic.clone(),
            at: facts.join(", "),
            speaker: hit.speaker.clone().unwrap_or_else(|| nobody.to_owned()),
            snippet: marked(&hit.snippet, &hit.highlights),
        }
    }
}

/// Cuts a snippet where its hits begin and end.
fn marked(snippet: &str, highlights: &[Range<usize>]) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut push = |range: Range<usize>, hit: bool| {
        if let Some(text) = snippet.get(range).filter(|text| !text.is_empty()) {
            parts.push(Part {
                text: text.to_owned(),
                hit,
            });
        }
    };
    let mut done = 0;
    for hit in highlights
        .iter()
        .filter(|hit| snippet.get((*hit).clone()).is_some())
    {
        push(done..hit.start, false);
        push(hit.start.max(done)..hit.end, true);
        done = done.max(hit.end);
    }
    push(done..snippet.len(), false);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snippets_are_cut_at_their_hits_and_lose_nothing() {
        let parts = marked("à budget, the budget", &[3..9, 15..21]);
        let shown: Vec<(&str, bool)> = parts.iter().map(|part| (part.text.as_str(), part.hit)).collect();
        assert_eq!(
            shown,
            [
                ("à ", false),
                ("budget", true),
                (", the ", false),
                ("budget", true)
            ]
        );
        // A range that is no cut of the text marks nothing.
        let parts = marked("à budget", &[1..4, 5..90]);
        assert_eq!(
            parts,
            [Part {
                text: "à budget".to_owned(),
                hit: false
            }]
        );
        assert!(marked("", &[]).is_empty());
    }
}
