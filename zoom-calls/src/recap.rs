//! Telling the team about a call.

mod blocks;
mod notifier;
#[cfg(feature = "slack")]
mod slack;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{Call, CallId, Evidence, Handled, NextStepStatus, ObjectionCategory, Side};

pub use blocks::SlackMessage;
pub use notifier::{LogNotifier, Notifier, StubNotifier};
#[cfg(feature = "slack")]
pub use slack::{SlackWebhook, SlackWebhookUrl};

/// How a call is told. Built by code from verified claims only; coaching is for the rep and never part of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Recap {
    /// The call.
    pub call_id: CallId,
    /// The topic of the meeting.
    pub title: String,
    /// The length of the call.
    pub duration_ms: Option<u64>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// The reps, by talk time.
    pub reps: Vec<String>,
    /// The customer: the linked contact, else the people on the other side.
    pub customer: Option<String>,
    /// The lead source.
    pub lead_source: Option<String>,
    /// The call signal score. Not a win rate.
    pub closing_score: Option<u8>,
    /// Sentiment, 0–100.
    pub sentiment_0_100: Option<u8>,
    /// How sentiment went.
    pub sentiment_trend: Option<f64>,
    /// Internal share of the known speech.
    pub rep_talk_share_of_known_speech: Option<f64>,
    /// The summary.
    pub summary: Option<String>,
    /// What is to be done.
    pub next_steps: Vec<RecapStep>,
    /// What was objected to.
    pub objections: Vec<RecapObjection>,
    /// The host's page of the call, where a person has to sign in. Never a link at Zoom.
    pub url: Option<Url>,
    /// Where the words came from.
    pub transcript_source: Option<String>,
}

/// A next step in a recap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RecapStep {
    /// Who, or which side.
    pub owner: String,
    /// What.
    pub action: String,
    /// When, as it was said.
    pub due_text: Option<String>,
    /// When, as a day.
    pub due_date: Option<Date>,
    /// Promised or proposed.
    pub status: NextStepStatus,
    /// Found by rules and confirmed by nobody.
    pub candidate: bool,
}

/// An objection in a recap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RecapObjection {
    /// What kind.
    pub category: ObjectionCategory,
    /// What was said.
    pub quote: String,
    /// When, from the start of the recording.
    pub start_ms: u64,
    /// Whether it was dealt with.
    pub handled: Handled,
}

/// What became of a recap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Receipt {
    /// Where it went: a channel, or the kind of notifier.
    pub channel: String,
    /// Whether people can see it there.
    pub posted: bool,
    /// The message's id, where the other side gives one; needed to update or delete it.
    pub ts: Option<String>,
}

impl Receipt {
    /// A receipt without an id of the message.
    pub fn new(channel: impl Into<String>, posted: bool) -> Self {
        Self {
            channel: channel.into(),
            posted,
            ts: None,
        }
    }

    /// Adds the id of the message.
    #[must_use]
    pub fn ts(mut self, ts: impl Into<String>) -> Self {
        self.ts = Some(ts.into());
        self
    }
}

impl Recap {
    /// What is to be told of a call as it stands. `page` is the host's page of the call.
    #[must_use]
    pub fn of(call: &Call, page: Option<Url>) -> Self {
        let analysis = call.analysis.as_ref();
        let metrics = call.metrics.as_ref();
        let on = |side| {
            let speakers = metrics
                .iter()
                .flat_map(|m| &m.speakers)
                .filter(move |s| s.side == side);
            speakers.map(|s| s.speaker.clone()).collect::<Vec<_>>()
        };
        let linked = call
            .contact
            .as_ref()
            .and_then(|found| found.linked.as_ref())
            .map(|linked| &linked.contact);
        let contact = linked.and_then(|contact| match (&contact.name, &contact.company) {
            (Some(name), Some(company)) => Some(format!("{name}, {company}")),
            (name, company) => name
                .clone()
                .or_else(|| company.clone())
                .or_else(|| contact.email.clone()),
        });
        let external = on(Side::External);
        let sentiment = analysis.and_then(|a| a.sentiment.as_ref());
        let first = |evidence: &[Evidence]| evidence.first().map(|e| (e.quote.clone(), e.start_ms));
        Self {
            call_id: call.id.clone(),
            title: call.topic.clone(),
            duration_ms: call.duration_ms.or_else(|| metrics.and_then(|m| m.span_ms)),
            started_at: call.started_at,
            reps: on(Side::Internal),
            customer: contact.or_else(|| (!external.is_empty()).then(|| external.join(", "))),
            lead_source: call.attribution.as_ref().and_then(crate::Attribution::label),
            closing_score: analysis.and_then(|a| a.closing.as_ref()).map(|c| c.score),
            sentiment_0_100: sentiment.and_then(|s| s.score_0_100),
            sentiment_trend: sentiment.and_then(|s| s.trend),
            rep_talk_share_of_known_speech: metrics.and_then(|m| m.rep_talk_share_of_known_speech),
            summary: analysis.and_then(|a| a.summary.as_ref()).map(|s| s.text.clone()),
            next_steps: analysis
                .iter()
                .flat_map(|a| &a.next_steps)
                .map(|step| RecapStep {
                    owner: step
                        .owner_name
                        .clone()
                        .unwrap_or_else(|| side_name(step.owner_side).to_owned()),
                    action: step.action.clone(),
                    due_text: step.due_text.clone(),
                    due_date: step.due_date,
                    status: step.status,
                    candidate: step.candidate,
                })
                .collect(),
            objections: analysis
                .iter()
                .flat_map(|a| &a.objections)
                .filter_map(|objection| {
                    let (quote, start_ms) = first(&objection.evidence)?;
                    Some(RecapObjection {
                        category: objection.category,
                        quote,
                        start_ms,
                        handled: objection.handled,
                    })
                })
                .collect(),
            url: page,
            transcript_source: call.transcript.as_ref().map(|t| t.source.as_str().to_owned()),
        }
    }
}

fn side_name(side: Side) -> &'static str {
    match side {
        Side::Internal => "us",
        Side::External => "customer",
        Side::Unknown => "somebody",
    }
}

#[cfg(test)]
mod tests;
