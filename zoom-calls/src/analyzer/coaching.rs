//! Advice by numbers and moments. Reference lines are correlations that vendors publish, not truths (reference §1.2).

use super::CallContext;
use crate::metrics::percent;
use crate::{CoachingTip, Handled, MetricRef, NextStep, NextStepStatus, Objection, Side};

const MAX_TIPS: usize = 3;
const TALK_LINE: f64 = 0.65;
const TALK_REFERENCE: f64 = 0.43;
const MONOLOGUE_LINE_MS: f64 = 120_000.0;
const OPEN_LINE: f64 = 0.3;
const QUESTIONS_LINE: f64 = 8.0;
const PATIENCE_LINE_MS: f64 = 400.0;
const PACE_LINE: f64 = 180.0;
const FILLER_LINE: f64 = 4.0;
/// Rates of a call shorter than this are noise.
const ENOUGH_TALK_MS: u64 = 60_000;

/// The most useful tips first, at most three per rep.
pub(super) fn find(
    call: &CallContext<'_>,
    objections: &[Objection],
    next_steps: &[NextStep],
) -> Vec<CoachingTip> {
    let reps = call
        .metrics
        .speakers
        .iter()
        .filter(|s| s.side == Side::Internal && s.talk_ms >= ENOUGH_TALK_MS);
    reps.flat_map(|rep| {
        let name = rep.speaker.as_str();
        let mut tips = moments(name, objections, next_steps);
        tips.extend(numbers(call, name));
        tips.truncate(MAX_TIPS);
        tips
    })
    .collect()
}

/// Things the rep let go by.
fn moments(rep: &str, objections: &[Objection], next_steps: &[NextStep]) -> Vec<CoachingTip> {
    let open = objections
        .iter()
        .find(|objection| objection.handled == Handled::No);
    let unanswered = open.and_then(|objection| {
        let evidence = objection.evidence.first()?.clone();
        let category = objection.category.as_str().replace('_', " ");
        let observation = format!("The {category} objection was left open.");
        Some(CoachingTip::on_moment(
            rep,
            observation,
            "Ask what is behind it, answer, and check that the answer was enough.",
            evidence,
        ))
    });
    let undated = next_steps.iter().find(|step| {
        let own = step.owner_name.as_deref() == Some(rep) && step.status == NextStepStatus::Committed;
        own && step.due_text.is_none()
    });
    let no_day = undated.and_then(|step| {
        let evidence = step.evidence.first()?.clone();
        Some(CoachingTip::on_moment(
            rep,
            "A promise without a day.",
            "Name the day when you promise something.",
            evidence,
        ))
    });
    unanswered.into_iter().chain(no_day).collect()
}

/// Numbers on the wrong side of a line.
fn numbers(call: &CallContext<'_>, rep: &str) -> Vec<CoachingTip> {
    let metric = |name: &str| call.metrics.named(rep, name);
    let mut tips = Vec::new();
    let mut tip = |observation: String, suggestion: &str, name: &str, value: f64, line: f64| {
        tips.push(CoachingTip::on_metric(
            rep,
            observation,
            suggestion,
            MetricRef::new(name, value, Some(line)),
        ));
    };
    if let Some(share) = metric("rep_talk_share_of_known_speech").filter(|share| *share > TALK_LINE) {
        let observation = format!("Your side spoke for {} % of the talk time.", percent(share));
        tip(
            observation,
            "Leave more room: ask, then wait.",
            "rep_talk_share_of_known_speech",
            share,
            TALK_REFERENCE,
        );
    }
    if let Some(longest) = metric("longest_monologue_ms").filter(|ms| *ms > MONOLOGUE_LINE_MS) {
        let observation = format!("Your longest monologue took {:.0} s.", longest / 1_000.0);
        tip(
            observation,
            "Stop for a question at least every two minutes.",
            "longest_monologue_ms",
            longest,
            MONOLOGUE_LINE_MS,
        );
    }
    if let Some(rate) = metric("questions_per_hour_of_span").filter(|rate| *rate < QUESTIONS_LINE) {
        let observation = format!("You asked {rate:.0} questions per hour.");
        tip(
            observation,
            "Prepare questions about need, money, people and time.",
            "questions_per_hour_of_span",
            rate,
            QUESTIONS_LINE,
        );
    }
    let enough_questions = metric("questions").is_some_and(|n| n >= 4.0);
    if let Some(open) = metric("open_share_of_questions").filter(|open| enough_questions && *open < OPEN_LINE)
    {
        let observation = format!("{} % of your questions were open.", percent(open));
        tip(
            observation,
            "Begin more questions with what, how or why.",
            "open_share_of_questions",
            open,
            OPEN_LINE,
        );
    }
    if let Some(wait) = metric("patience_mean_ms").filter(|ms| *ms < PATIENCE_LINE_MS) {
        let observation = format!("You waited {wait:.0} ms on average after the customer stopped.");
        tip(
            observation,
            "Count to one before you answer; people often add the important part.",
            "patience_mean_ms",
            wait,
            PATIENCE_LINE_MS,
        );
    }
    if let Some(pace) = metric("words_per_talk_minute").filter(|pace| *pace > PACE_LINE) {
        let observation = format!("You spoke {pace:.0} words per minute.");
        tip(
            observation,
            "Slow down, above all on prices and terms.",
            "words_per_talk_minute",
            pace,
            PACE_LINE,
        );
    }
    if let Some(rate) = metric("lexical_fillers_per_talk_minute").filter(|rate| *rate > FILLER_LINE) {
        let observation = format!("You used {rate:.1} filler phrases per minute.");
        tip(
            observation,
            "Make a pause instead of “you know” and “basically”.",
            "lexical_fillers_per_talk_minute",
            rate,
            FILLER_LINE,
        );
    }
    tips
}
