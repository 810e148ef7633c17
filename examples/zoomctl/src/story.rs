//! Calls and recaps as text.

use std::fmt::Write as _;

use zoom_calls::{Call, CallReport, Evidence, Recap, SlackMessage};

use crate::output::{clock, or_dash};

/// An analysed call, every claim with its quote.
pub(crate) fn call(call: &Call) -> String {
    let report = CallReport::from(call);
    let mut text = String::new();
    let length = report.duration_ms.map(clock);
    let _ = writeln!(text, "{}  ({}, {})", report.topic, report.id, or_dash(length));
    if let Some(heard) = &report.transcript {
        let by = if heard.speakers.is_empty() {
            String::new()
        } else {
            format!(" by {}", heard.speakers.join(" and "))
        };
        let _ = writeln!(
            text,
            "  transcript   {} words{by}, from {}",
            heard.words, heard.source
        );
    }
    let sentiment = report
        .sentiment
        .as_ref()
        .and_then(|sentiment| sentiment.score_0_100);
    let _ = writeln!(text, "  sentiment    {} / 100", or_dash(sentiment));
    let _ = writeln!(
        text,
        "  call signal  {} / 100, a score of this conversation and not a win rate",
        or_dash(report.closing_score)
    );
    if let Some(found) = report.contact.as_ref().and_then(|found| found.linked.as_ref()) {
        let who = [&found.contact.name, &found.contact.company]
            .into_iter()
            .flatten()
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        let _ = writeln!(text, "  contact      {who} (score {})", found.score);
    }
    if let Some(source) = report
        .attribution
        .as_ref()
        .and_then(|attribution| attribution.label())
    {
        let _ = writeln!(text, "  lead source  {source}, first touch");
    }
    for objection in &report.objections {
        let _ = writeln!(
            text,
            "  objection    {}{}",
            objection.category.as_str(),
            quote(&objection.evidence)
        );
    }
    for step in &report.next_steps {
        let who = step.owner_name.as_deref().unwrap_or("somebody");
        let due = step
            .due_date
            .map(|date| format!(" by {date}"))
            .unwrap_or_default();
        let _ = writeln!(
            text,
            "  next step    {who}: {}{due}{}",
            step.action,
            quote(&step.evidence)
        );
    }
    for tip in &report.coaching {
        let _ = writeln!(
            text,
            "  coaching     {}: {} {}",
            tip.speaker, tip.observation, tip.suggestion
        );
    }
    text
}

fn quote(evidence: &[Evidence]) -> String {
    evidence
        .first()
        .map(|evidence| {
            format!(
                "\n               “{}” ({})",
                evidence.quote,
                clock(evidence.start_ms)
            )
        })
        .unwrap_or_default()
}

/// The message for Slack, as its blocks would read.
pub(crate) fn recap(call: &Call) -> String {
    let message = SlackMessage::from(&Recap::of(call, None));
    let mut text = String::new();
    for block in &message.blocks {
        let parts = ["/text/text", "/fields", "/elements"]
            .iter()
            .filter_map(|path| block.pointer(path));
        for part in parts {
            let lines = match part.as_array() {
                Some(all) => {
                    let texts = all
                        .iter()
                        .filter_map(|one| Some(one.get("text")?.as_str()?.replace('\n', " ")));
                    texts.collect::<Vec<_>>().join("  ·  ")
                }
                None => part.as_str().unwrap_or_default().to_owned(),
            };
            for line in lines.lines() {
                let _ = writeln!(text, "  │ {line}");
            }
        }
    }
    text
}
