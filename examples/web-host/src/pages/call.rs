//! `GET /calls/{id}`: one call, with the words behind every claim.

mod customer;
mod judgement;
mod numbers;

use askama::Template;
use axum::{
    extract::{Path, RawQuery, State},
    response::Response,
};
use jiff::tz::TimeZone;
use zoom_calls::{
    Call, CallId, CallReport, CallStatus, Evidence, Flag, Scope, Side, StepState, TranscriptReport,
};

use crate::{
    app::App,
    failure::Failure,
    format::{clock, length, list, when, words},
    page::{Page, Refresh, html},
    pages::calls,
};
use judgement::{NextStepView, ObjectionView, Score, SentimentView, Tip};

#[derive(Template)]
#[template(path = "call.html")]
struct CallPage {
    page: Page,
    topic: String,
    facts: String,
    status: &'static str,
    tone: &'static str,
    is_ready: bool,
    reason: String,
    steps: Vec<StepView>,
    summary: String,
    score: Option<Score>,
    sentiment: Option<SentimentView>,
    metrics: Vec<Fact>,
    next_steps: Vec<NextStepView>,
    objections: Vec<ObjectionView>,
    coaching: Vec<Tip>,
    contact: Vec<Fact>,
    provenance: String,
    flags: Vec<&'static str>,
    transcript: Vec<Line>,
}

/// A name and a value.
#[derive(Debug, PartialEq, Eq)]
struct Fact {
    name: String,
    value: String,
}

impl Fact {
    fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
        }
    }
}

/// A step of the pipeline, while the call is not ready.
#[derive(Debug)]
struct StepView {
    name: &'static str,
    state: &'static str,
    tone: &'static str,
    detail: String,
}

/// Words that were said, and where they stand in the transcript.
#[derive(Debug)]
struct Quote {
    text: String,
    anchor: String,
    speaker: String,
    at: String,
}

/// An utterance.
#[derive(Debug)]
struct Line {
    id: u32,
    at: String,
    speaker: String,
    side: &'static str,
    text: String,
}

/// Shows the page.
pub(crate) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let found = app
        .backend()
        .calls
        .load(&Scope::Owner(app.call_owner()), &CallId::new(id))
        .await?;
    let call = found.ok_or(Failure::NotFound)?;
    let mut page = app.page("calls", query.as_deref());
    page.refresh = Refresh::while_worked_on([call.status], &format!("/calls/{}", call.id));
    html(&CallPage::of(page, &call, app.zone()))
}

impl CallPage {
    fn of(page: Page, call: &Call, zone: &TimeZone) -> Self {
        let report = CallReport::from(call);
        let (status, tone) = calls::status(call.status);
        let is_ready = call.status == CallStatus::Ready;
        Self {
            page,
            topic: report.topic.clone(),
            facts: facts(call, zone),
            status,
            tone,
            is_ready,
            reason: report.status_reason.clone().unwrap_or_default(),
            steps: if is_ready { Vec::new() } else { steps(call) },
            summary: report
                .summary
                .as_ref()
                .map(|summary| summary.text.clone())
                .unwrap_or_default(),
            score: report.closing.as_ref().map(Score::of),
            sentiment: report.sentiment.as_ref().and_then(SentimentView::of),
            metrics: report.metrics.as_ref().map(numbers::facts).unwrap_or_default(),
            next_steps: report.next_steps.iter().map(NextStepView::of).collect(),
            objections: report.objections.iter().map(ObjectionView::of).collect(),
            coaching: report.coaching.iter().map(Tip::of).collect(),
            contact: customer::facts(&report),
            provenance: provenance(call, report.transcript.as_ref()),
            flags: call
                .analysis
                .iter()
                .flat_map(|analysis| &analysis.flags)
                .map(|flag| flag_text(*flag))
                .collect(),
            transcript: lines(call),
        }
    }
}

/// When, how long, and who was there. The zone is the meeting's, in which its "Friday" is meant.
fn facts(call: &Call, zone: &TimeZone) -> String {
    let own_zone = call.timezone.as_deref().and_then(|name| TimeZone::get(name).ok());
    let began = call
        .started_at
        .map(|at| when(at, own_zone.as_ref().unwrap_or(zone)));
    let names: Vec<&str> = call
        .participants
        .iter()
        .map(|person| person.name.as_str())
        .collect();
    let people = (!names.is_empty()).then(|| list(&names));
    let parts: Vec<String> = [began, call.duration_ms.map(length), people]
        .into_iter()
        .flatten()
        .collect();
    parts.join(" · ")
}

fn steps(call: &Call) -> Vec<StepView> {
    let views = zoom_calls::Step::ALL.iter().map(|step| {
        let record = call.step(*step);
        let (state, tone) = match record.map(|record| record.state) {
            None => ("to come", ""),
            Some(StepState::Done) => ("done", "good"),
            Some(StepState::Skipped) => ("nothing to do", ""),
            Some(StepState::Waiting) => ("waiting", "warn"),
            Some(StepState::Retrying) => ("tried again soon", "warn"),
            Some(StepState::Failed) => ("failed", "bad"),
            Some(_) => ("unknown", ""),
        };
        let detail = record
            .and_then(|record| record.detail.clone())
            .unwrap_or_default();
        StepView {
            name: step.as_str(),
            state,
            tone,
            detail,
        }
    });
    views.collect()
}

/// Where the words come from, and who judged them.
fn provenance(call: &Call, transcript: Option<&TranscriptReport>) -> String {
    let Some(transcript) = transcript else {
        return "There are no words yet.".to_owned();
    };
    let source = match transcript.source.as_str() {
        "zoom" => "Zoom's own transcript",
        "whisper" => "Whisper on this machine",
        "openai" => "a speech server",
        other => other,
    };
    let mut sentence = format!("{} words from {source}", transcript.words);
    if !transcript.speakers.is_empty() {
        sentence += &format!(", spoken by {}", list(&transcript.speakers));
    }
    if let Some(judge) = call
        .analysis
        .as_ref()
        .map(|analysis| &analysis.provenance)
        .filter(|judge| !judge.engine.is_empty())
    {
        sentence += &format!(". Analysed by {} {}", words(&judge.engine), judge.engine_version);
    }
    sentence.trim_end().to_owned() + "."
}

fn flag_text(flag: Flag) -> &'static str {
    match flag {
        Flag::TooShort => "Under a minute of speech: too little to judge.",
        Flag::SingleSpeaker => "Only one speaker can be told apart.",
        Flag::SidesUnknown => "It is not known who belongs to the customer.",
        Flag::LanguageUnsupported => "Sentiment is missing: this language is not supported.",
        Flag::PossibleInjection => "Somebody said something that reads like an instruction to a machine.",
        _ => "Read this analysis with care.",
    }
}

fn lines(call: &Call) -> Vec<Line> {
    let utterances = call
        .transcript
        .iter()
        .flat_map(|transcript| &transcript.utterances);
    let lines = utterances.map(|said| Line {
        id: said.id,
        at: clock(said.start_ms),
        speaker: said.speaker.clone().unwrap_or_default(),
        side: side_class(call.sides.of(said.speaker.as_deref())),
        text: said.text.clone(),
    });
    lines.collect()
}

fn side_class(side: Side) -> &'static str {
    match side {
        Side::Internal => "ours",
        Side::External => "theirs",
        _ => "",
    }
}

fn quotes(evidence: &[Evidence]) -> Vec<Quote> {
    let quotes = evidence.iter().map(|found| Quote {
        text: found.quote.clone(),
        anchor: found
            .utterance_ids
            .first()
            .map(|id| format!("#u{id}"))
            .unwrap_or_default(),
        speaker: found.speaker.clone().unwrap_or_else(|| "Somebody".to_owned()),
        at: clock(found.start_ms),
    });
    quotes.collect()
}

#[cfg(test)]
mod tests {
    use zoom_calls::{CallParticipant, Origin, OwnerId};

    use super::*;

    fn call() -> Call {
        let origin = Origin::File {
            path: "call.vtt".into(),
        };
        let now = "2026-11-22T15:00:00Z".parse().unwrap();
        Call::new(CallId::new("c"), OwnerId::new("o"), origin, "Intro", now)
    }

    #[test]
    fn facts_are_told_in_the_zone_of_the_meeting() {
        let mut call = call();
        assert_eq!(facts(&call, &TimeZone::UTC), "");
        call.started_at = Some(call.created_at);
        call.duration_ms = Some(2_700_000);
        call.participants = vec![
            CallParticipant::new("Maya Chen"),
            CallParticipant::new("Daniel Ortiz"),
        ];
        assert_eq!(
            facts(&call, &TimeZone::UTC),
            "22 Nov 2026, 15:00 UTC · 45 min · Maya Chen and Daniel Ortiz"
        );
        call.timezone = Some("America/New_York".to_owned());
        assert!(facts(&call, &TimeZone::UTC).starts_with("22 Nov 2026, 10:00 EST"));
    }

    #[test]
    fn what_people_say_is_text_and_never_markup() {
        let mut call = call();
        call.topic = "<script>alert(1)</script>".to_owned();
        call.status_reason = Some("<b>".to_owned());
        let page = Page {
            section: "calls",
            simulated: false,
            notice: None,
            refresh: None,
        };
        let shown = CallPage::of(page, &call, &TimeZone::UTC).render().unwrap();
        assert!(!shown.contains("<script") && !shown.contains("<b>"), "{shown}");
    }
}
