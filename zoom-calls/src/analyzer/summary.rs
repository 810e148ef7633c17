//! The rubric's answers and a summary, both made of what was said.

use zoom_recordings::Utterance;

use super::CallContext;
use super::phrases::Sentence;
use crate::metrics::{is_open, questions};
use crate::text::{sentences, word_count};
use crate::{
    Evidence, Factor, FactorKind, FactorState, Handled, NextStep, NextStepStatus, Objection,
    ObjectionCategory, Sentiment, Side, Summary,
};

const NEED: &[&str] = &[
    "we|i need",
    "we're|we are|i'm looking for",
    "the|our|my|real|biggest problem|challenge|issue|pain",
    "we|they|it|that|which * struggle|struggling|hurts|suffer",
    "growing faster than",
    "falls apart",
    "takes us|them|me * hours|days|weeks",
    "nous avons besoin",
    "on a besoin",
    "notre problème",
];
const BUDGET: &[&str] = &[
    "budget",
    "what does|would it|that cost",
    "how much",
    "dollars|euros * month|year",
    "combien",
    "pays for itself",
];
const DECIDER: &[&str] = &[
    "i make|decide|sign|approve|own the|it|this|that|on",
    "has|have|needs|need to approve|sign|decide|agree",
    "signs|approves|decides",
    "our|my|the cfo|ceo|cto|coo|board|boss|director|vp|manager|owner",
    "our|my|the head of",
    "our|my finance|it|operations|sales director|manager|head",
];
const TIMELINE: &[&str] = &[
    "before|by|until|in|of the|this|next|early|late|mid * january|february|march|april|june|july|august|september|october|november|december",
    "by|before|until|in january|february|march|april|june|july|august|september|october|november|december|spring|summer|autumn|fall|winter",
    "this|next quarter|year|spring|summer|autumn|fall|winter",
    "as soon as possible",
    "d'ici la|le|fin",
];
const BUYING: &[&str] = &[
    "cost|price|pricing|discount",
    "how much|long|soon|quickly",
    "work|works|integrate|connect with",
    "start|begin|onboard|onboarding|implementation|setup|pilot|trial|contract|training|support",
    "combien",
];
const DISQUALIFIER: &[&str] = &[
    "not interested",
    "already signed|bought|chose|picked|decided * with|for|on|another",
    "went|gone|going with another|someone|somebody",
    "won't be moving|buying|going",
    "decided against",
    "no budget at all",
    "pas intéressé|intéressés|intéressée",
];

/// The sentences of the buyer that a list of patterns fits, as evidence.
fn said(call: &CallContext<'_>, fits: impl Fn(&str) -> bool) -> Vec<Evidence> {
    let external = |u: &&Utterance| call.sides.of(u.speaker.as_deref()) == Side::External;
    let utterances = call.transcript.utterances.iter().filter(external);
    let quotes = utterances.flat_map(|u| sentences(&u.text).into_iter().map(move |text| (u.id, text)));
    quotes
        .filter(|(_, text)| fits(text))
        .map(|(id, text)| Evidence::claim(vec![id], text))
        .collect()
}

fn affirms(patterns: &'static [&'static str]) -> impl Fn(&str) -> bool {
    move |text| Sentence::new(text).affirms(patterns)
}

/// A statement, not a question.
fn states(patterns: &'static [&'static str]) -> impl Fn(&str) -> bool {
    move |text| !text.ends_with('?') && Sentence::new(text).affirms(patterns)
}

/// The rubric's answers of one call.
pub(super) fn factors(
    call: &CallContext<'_>,
    objections: &[Objection],
    next_steps: &[NextStep],
    sentiment: Option<&Sentiment>,
) -> Vec<Factor> {
    let answer = |kind, quotes: Vec<Evidence>| {
        let state = if quotes.is_empty() {
            FactorState::No
        } else {
            FactorState::Yes
        };
        Factor::new(kind, state, quotes.into_iter().take(2).collect())
    };
    let asked = said(call, |text| {
        questions(text)
            .iter()
            .any(|q| affirms(BUYING)(q) || (is_open(q) && affirms(BUDGET)(q)))
    });
    let buying = match asked.len() {
        0 => FactorState::No,
        1 => FactorState::Partial,
        _ => FactorState::Yes,
    };
    let committed = |dated: bool| {
        next_steps
            .iter()
            .find(|s| s.status == NextStepStatus::Committed && (!dated || s.due_date.is_some()))
    };
    let (next_state, next_step) = match (committed(true), committed(false)) {
        (Some(step), _) => (FactorState::Yes, Some(step)),
        (None, Some(step)) => (FactorState::Partial, Some(step)),
        (None, None) => (FactorState::No, None),
    };
    let open = |wanted: Handled| {
        objections
            .iter()
            .find(|o| o.handled == wanted && o.category != ObjectionCategory::Competitor)
    };
    let (open_state, open_objection) = match (open(Handled::No), open(Handled::Unclear)) {
        (Some(objection), _) => (FactorState::Yes, Some(objection)),
        (None, Some(objection)) => (FactorState::Partial, Some(objection)),
        (None, None) => (FactorState::No, None),
    };
    let trend = match sentiment
        .filter(|s| s.headline == Side::External)
        .and_then(|s| s.trend)
    {
        None => FactorState::NotApplicable,
        Some(trend) if trend >= 0.05 => FactorState::Yes,
        Some(_) => FactorState::No,
    };
    let competitors = objections
        .iter()
        .filter(|o| o.category == ObjectionCategory::Competitor);
    vec![
        answer(FactorKind::NeedStated, said(call, states(NEED))),
        answer(FactorKind::BudgetDiscussed, said(call, affirms(BUDGET))),
        answer(FactorKind::DecisionMaker, said(call, states(DECIDER))),
        answer(FactorKind::TimelineStated, said(call, states(TIMELINE))),
        Factor::new(
            FactorKind::BuyingQuestions,
            buying,
            asked.into_iter().take(2).collect(),
        ),
        Factor::new(
            FactorKind::NextStepCommitted,
            next_state,
            next_step.map(|s| s.evidence.clone()).unwrap_or_default(),
        ),
        Factor::new(FactorKind::SentimentTrend, trend, Vec::new()),
        answer(
            FactorKind::CompetitorInPlay,
            competitors.flat_map(|o| o.evidence.clone()).collect(),
        ),
        Factor::new(
            FactorKind::ObjectionOpen,
            open_state,
            open_objection.map(|o| o.evidence.clone()).unwrap_or_default(),
        ),
        answer(
            FactorKind::Disqualifier,
            said(call, |text| Sentence::new(text).find_any(DISQUALIFIER).is_some()),
        ),
    ]
}

/// A few sentences that hold nothing but quotes and what they are.
pub(super) fn summary(
    call: &CallContext<'_>,
    objections: &[Objection],
    next_steps: &[NextStep],
) -> Option<Summary> {
    let mut parts: Vec<(String, Evidence)> = Vec::new();
    parts.extend(
        said(call, states(NEED))
            .into_iter()
            .next()
            .map(|evidence| ("Need".to_owned(), evidence)),
    );
    let mut worst: Vec<&Objection> = objections.iter().collect();
    worst.sort_by_key(|objection| (objection.handled == Handled::Yes, objection.category));
    for objection in worst.into_iter().take(2) {
        let label = format!("Objection ({})", objection.category.as_str().replace('_', " "));
        parts.extend(
            objection
                .evidence
                .first()
                .map(|evidence| (label, evidence.clone())),
        );
    }
    let by_firmness = next_steps
        .iter()
        .min_by_key(|s| (s.status != NextStepStatus::Committed, s.due_date.is_none()));
    let step = by_firmness.and_then(|step| step.evidence.first());
    parts.extend(step.map(|evidence| ("Next step".to_owned(), evidence.clone())));
    if parts.is_empty() {
        parts.extend(longest_sentence(call).map(|evidence| ("In their words".to_owned(), evidence)));
    }
    if parts.is_empty() {
        return None;
    }
    let text: Vec<String> = parts
        .iter()
        .map(|(label, evidence)| format!("{label}: “{}”", evidence.quote))
        .collect();
    Some(Summary::new(
        text.join(" "),
        parts.into_iter().map(|(_, evidence)| evidence).collect(),
    ))
}

fn longest_sentence(call: &CallContext<'_>) -> Option<Evidence> {
    let all = call
        .transcript
        .utterances
        .iter()
        .flat_map(|u| sentences(&u.text).into_iter().map(move |text| (u.id, text)));
    let (id, text) = all
        .filter(|(_, text)| word_count(text) <= 60)
        .max_by_key(|(id, text)| (word_count(text), u32::MAX - id))?;
    Some(Evidence::claim(vec![id], text))
}
