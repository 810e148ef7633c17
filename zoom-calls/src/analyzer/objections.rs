//! Objections by rules: candidates with the words they rest on (reference §1.4). No labelled set exists, so nothing is
//! claimed about how many are found.

use zoom_recordings::Utterance;

use super::CallContext;
use super::phrases::Sentence;
use crate::text::sentences;
use crate::{Evidence, Handled, Objection, ObjectionCategory as Category, Side};

/// The order decides: a sentence is the first category that fits.
const RULES: &[(Category, &[&str])] = &[
    (
        Category::Competitor,
        &[
            "also talking|speaking|looking|working to|with|at",
            "talking|speaking to|with * competitor|competitors|else|others|vendors",
            "looking|evaluating|comparing at|with * else|others|alternatives|competitors",
            "another|other vendor|vendors|provider|providers|supplier",
            "they are|were * cheaper",
            "competitor|competitors offers|offer|gave|give|has|have",
            "un|votre|vos concurrent|concurrents",
            "on|nous regarde|regardons aussi",
        ],
    ),
    (
        Category::Price,
        &[
            "too expensive|pricey|costly",
            "too much money",
            "over|above|beyond|outside our|my|the budget",
            "out of * budget",
            "don't|do|doesn't|haven't have|got * budget",
            "price|cost|pricing is|seems|looks * high|steep|much",
            "can't|cannot|couldn't afford",
            "more than we|i * spend|pay|budgeted|planned|expected",
            "a lot of money",
            "is|was that|the|your best price",
            "trop cher",
            "hors budget|budgets",
            "pas le|de budget",
            "au dessus de notre|mon budget",
        ],
    ),
    (
        Category::ContractLegal,
        &[
            "long|longer|yearly|annual|multi contract|contracts|commitment|commitments|term|terms",
            "locked in",
            "lock in",
            "legal has|needs|will|must",
            "contract|terms|liability|legal|dpa|msa is|are|has|needs|look|looks * problem|issue|concern|review",
            "un contrat trop|long",
        ],
    ),
    (
        Category::TrustRisk,
        &[
            "security|compliance|privacy check|review|concern|concerns|questions|question|audit",
            "look at security|privacy|compliance",
            "worried|concerned|nervous|worries about",
            "too risky",
            "a risk|gamble for us|me",
            "don't|can't|cannot trust",
            "data breach|leak",
            "inquiet|inquiète|inquiets de|pour",
        ],
    ),
    (
        Category::Authority,
        &[
            "not my|mine decision|call|to",
            "above my pay",
            "have|need to check|ask|run|talk|speak|clear|confirm * boss|manager|cfo|ceo|board|director|team|legal|finance",
            "i|we can't|cannot|don't decide|sign",
            "ce n'est pas moi qui",
        ],
    ),
    (
        Category::Timing,
        &[
            "not the|a right|good time",
            "not a priority",
            "too early|soon for|to",
            "not right now",
            "no|don't|not|without * bandwidth",
            "come|circle|get back * next|later",
            "revisit|postpone * next|later|until",
            "maybe next year|quarter",
            "pas le bon moment",
            "pas une priorité",
            "trop tôt",
        ],
    ),
    (
        Category::StatusQuo,
        &[
            "happy|satisfied|fine with what|our|the * now|current|have|today",
            "what we have works|is",
            "stick with|to * current|what|our",
            "no reason to change|switch",
            "good enough for us|me|now",
            "we've|we always done|did",
            "ça marche bien comme",
        ],
    ),
    (
        Category::Need,
        &[
            "we|i don't|didn't|won't need|see",
            "we|i do not need",
            "not sure we|i|if|that * need",
            "don't see the value|point|need|benefit",
            "no need for",
            "on n'a pas besoin",
        ],
    ),
    (
        Category::ProductGap,
        &[
            "you|your|it|this don't|doesn't|can't|cannot|won't * integrate|support|export|handle|connect|work",
            "does|do not integrate|support|export|handle|connect",
            "deal breaker",
            "missing a|the|some|any",
            "il manque",
        ],
    ),
];

const ACCEPTED: &[&str] = &[
    "makes|make sense",
    "pays for itself",
    "that|this would|could|will|helps|works|work * help|work|helpful|easier|great",
    "that helps|works",
    "i like that|it|this",
    "fair enough",
    "that's fair|good|great|helpful|perfect",
    "sounds good|great|fair|reasonable",
    "good point",
    "okay|ok good|great|perfect",
    "that|this is|was * fair|good|great|helpful|perfect",
    "c'est logique|parfait|bien",
];

/// An answer later than this is not the answer.
const ANSWER_WITHIN_MS: u64 = 150_000;

pub(super) fn find(call: &CallContext<'_>) -> Vec<Objection> {
    let said = &call.transcript.utterances;
    let side = |u: &Utterance| call.sides.of(u.speaker.as_deref());
    let mut found: Vec<Objection> = Vec::new();
    for (at, utterance) in said.iter().enumerate().filter(|(_, u)| side(u) == Side::External) {
        for text in sentences(&utterance.text) {
            let Some(category) = category(text) else { continue };
            // The same thing said again in one breath is one objection.
            let again = |earlier: &Objection| {
                let last = earlier
                    .evidence
                    .last()
                    .map_or(0, |e| e.utterance_ids.last().copied().unwrap_or_default());
                earlier.category == category && utterance.id.saturating_sub(last) <= 1
            };
            if found.iter().any(again) {
                continue;
            }
            let mut objection = Objection::new(category, Evidence::claim(vec![utterance.id], text));
            let later = said.get(at + 1..).unwrap_or_default();
            let (handled, response) = outcome(later, utterance.end_ms, category, side);
            objection.handled = handled;
            objection.response.extend(response);
            found.push(objection);
        }
    }
    found
}

fn category(text: &str) -> Option<Category> {
    let sentence = Sentence::new(text);
    // Somebody who says what they will do about it is moving on.
    if super::next_steps::promises(&sentence) {
        return None;
    }
    // "They can't …" speaks of somebody else's product.
    let of_others = sentence
        .words
        .first()
        .is_some_and(|word| matches!(word.as_str(), "they" | "he" | "she"))
        || sentence.find("but they").is_some();
    let rules = RULES
        .iter()
        .filter(|(category, _)| !(of_others && *category == Category::ProductGap));
    rules
        .into_iter()
        .find(|(_, patterns)| sentence.affirms(patterns))
        .map(|(category, _)| *category)
}

/// Whether the buyer accepted what the rep said to it, and the words of the rep.
fn outcome(
    later: &[Utterance],
    raised_at_ms: u64,
    category: Category,
    side: impl Fn(&Utterance) -> Side,
) -> (Handled, Option<Evidence>) {
    let mut answer: Option<&Utterance> = None;
    let mut first_answer: Option<&Utterance> = None;
    let in_time = later
        .iter()
        .take_while(|u| u.start_ms <= raised_at_ms.saturating_add(ANSWER_WITHIN_MS));
    let mut handled = None;
    for utterance in in_time {
        match side(utterance) {
            Side::Internal => {
                answer = Some(utterance);
                first_answer = first_answer.or(answer);
            }
            Side::External if answer.is_some() => {
                let said: Vec<&str> = sentences(&utterance.text);
                let again = said.iter().find_map(|text| self::category(text));
                if again == Some(category) {
                    handled = Some(Handled::No);
                    break;
                }
                if said.iter().any(|text| accepts(text)) {
                    handled = Some(Handled::Yes);
                    break;
                }
                // Another objection: a yes after that is a yes to something else.
                if again.is_some() {
                    break;
                }
            }
            _ => {}
        }
    }
    let answered_by = if handled == Some(Handled::Yes) {
        answer
    } else {
        first_answer
    };
    let response = answered_by.and_then(|u| {
        let quote = sentences(&u.text).into_iter().max_by_key(|text| text.len())?;
        Some(Evidence::claim(vec![u.id], quote))
    });
    let fallback = if response.is_some() {
        Handled::Unclear
    } else {
        Handled::No
    };
    (handled.unwrap_or(fallback), response)
}

fn accepts(text: &str) -> bool {
    let sentence = Sentence::new(text);
    let is_a_word = matches!(sentence.words.as_slice(), [word] if matches!(word.as_str(), "good" | "great" | "perfect" | "parfait"));
    is_a_word || sentence.affirms(ACCEPTED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_category_is_known_by_what_buyers_say() {
        for (text, expected) in [
            (
                "To be honest, that is too expensive for us.",
                Some(Category::Price),
            ),
            ("We don't have the budget for it.", Some(Category::Price)),
            ("C'est trop cher pour nous.", Some(Category::Price)),
            ("It is not too expensive, actually.", None),
            (
                "Yes, we are also talking to RouteHive.",
                Some(Category::Competitor),
            ),
            (
                "They are, I mean, quite a bit cheaper.",
                Some(Category::Competitor),
            ),
            ("She worries about long contracts.", Some(Category::ContractLegal)),
            ("Only the security check, I think.", Some(Category::TrustRisk)),
            ("I'd have to run it past my boss.", Some(Category::Authority)),
            (
                "I need to check with our finance team.",
                Some(Category::Authority),
            ),
            ("It's just not a priority this quarter.", Some(Category::Timing)),
            ("We are happy with our current system.", Some(Category::StatusQuo)),
            ("We don't need another dashboard.", Some(Category::Need)),
            ("It doesn't integrate with our CRM.", Some(Category::ProductGap)),
            ("But they can't work without it.", None),
            ("The map is very nice.", None),
        ] {
            assert_eq!(category(text), expected, "{text}");
        }
    }
}
