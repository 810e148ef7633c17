//! Next steps by rules. About twice as good as chance on reviewed meetings (reference §2.8), hence candidates: a person has
//! to confirm them.

use std::ops::Range;

use zoom_recordings::Utterance;

use super::phrases::Sentence;
use super::{CallContext, dates};
use crate::text::sentences;
use crate::{Evidence, NextStep, NextStepStatus, Side};

const MAX_STEPS: usize = 12;
/// An answer later than this answers something else.
const ANSWER_WITHIN_MS: u64 = 15_000;

/// Things one does after a call. Without such a verb "I'll" is small talk.
const ACTIONS: &str = "send|share|forward|schedule|book|set|prepare|draft|write|check|confirm|follow|get|introduce|intro|loop|\
    email|mail|call|review|circulate|sign|put|ask|talk|speak|make|bring|invite|create|build|update|start|order|fill|upload|\
    envoyer|envoie|envoyons|préparer|prépare|appeler|appelle|confirmer|confirme|planifier|planifie|vérifier|vérifie|partager";
const MEETINGS: &str = "meet|schedule|book|talk|speak|connect|reconnect|regroup|sync|set|plan|call|catch|do";

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// "I'll send …"
    Promise,
    /// "Let's meet …", "Shall I send …", "I can send …"
    Offer,
    /// "Could you send …"
    Request,
}

pub(super) fn find(call: &CallContext<'_>) -> Vec<NextStep> {
    let said = &call.transcript.utterances;
    let mut found: Vec<NextStep> = Vec::new();
    for (at, utterance) in said.iter().enumerate() {
        for text in sentences(&utterance.text) {
            let sentence = Sentence::new(text);
            if matches!(
                sentence.words.first().map(String::as_str),
                Some("if" | "when" | "si")
            ) {
                continue;
            }
            for (kind, action) in clauses(&sentence) {
                let accepted =
                    kind != Kind::Promise && is_accepted(said.get(at + 1..).unwrap_or_default(), utterance);
                let clause = sentence.slice(action.clone());
                let due = dates::find(clause);
                // An idea that nobody took up and that has no day is no next step.
                if kind != Kind::Promise && !accepted && due.is_none() {
                    continue;
                }
                let step = step(call, utterance, kind, accepted, text, clause, due);
                if !found.iter().any(|known| is_same(known, &step)) {
                    found.push(step);
                }
            }
        }
    }
    found.truncate(MAX_STEPS);
    found
}

fn step(
    call: &CallContext<'_>,
    utterance: &Utterance,
    kind: Kind,
    accepted: bool,
    quote: &str,
    action: &str,
    due: Option<&str>,
) -> NextStep {
    let own_side = call.sides.of(utterance.speaker.as_deref());
    let (side, name) = if kind == Kind::Request {
        let side = match own_side {
            Side::Internal => Side::External,
            Side::External => Side::Internal,
            other => other,
        };
        let mut others = call
            .sides
            .on(side)
            .filter(|name| Some(*name) != utterance.speaker.as_deref());
        let only = others.next().filter(|_| others.next().is_none());
        (side, only.map(str::to_owned))
    } else {
        (own_side, utterance.speaker.clone())
    };
    // A request that was granted is still the other side's word, which stands in another utterance: proposed.
    let committed = kind == Kind::Promise || (kind == Kind::Offer && accepted);
    let status = if committed {
        NextStepStatus::Committed
    } else {
        NextStepStatus::Proposed
    };
    let mut step = NextStep::new(side, action, status, Evidence::claim(vec![utterance.id], quote));
    step.owner_name = name;
    step.due_text = due.map(str::to_owned);
    step.due_date = due.and_then(|due| dates::resolve(due, call.started_at?, call.timezone));
    step
}

/// Whether somebody promises something in this sentence.
pub(super) fn promises(sentence: &Sentence<'_>) -> bool {
    clauses(sentence).iter().any(|(kind, _)| *kind == Kind::Promise)
}

/// What the sentence says somebody does, from the verb to the next such clause or the end, in words.
fn clauses(sentence: &Sentence<'_>) -> Vec<(Kind, Range<usize>)> {
    let mut starts: Vec<(Kind, usize, usize)> = Vec::new();
    for at in 0..sentence.words.len() {
        let Some((kind, verb)) = opening(sentence.words.get(at..).unwrap_or_default()) else {
            continue;
        };
        if starts
            .last()
            .is_none_or(|(_, _, last_verb)| at + verb > *last_verb)
        {
            starts.push((kind, at, at + verb));
        }
    }
    let ends: Vec<usize> = starts
        .iter()
        .skip(1)
        .map(|(_, start, _)| *start)
        .chain([sentence.words.len()])
        .collect();
    let clause = |((kind, _, verb), end): (&(Kind, usize, usize), usize)| {
        let joins = |at: usize| {
            matches!(
                sentence.words.get(at).map(String::as_str),
                Some("and" | "then" | "et" | "so")
            )
        };
        let mut end = end;
        while end > *verb + 1 && joins(end - 1) {
            end -= 1;
        }
        (*kind, *verb..end)
    };
    starts.iter().zip(ends).map(clause).collect()
}

/// Whether a clause of a next step opens here; where its verb is, in words from here.
fn opening(words: &[String]) -> Option<(Kind, usize)> {
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    let acts = |at: usize, verbs: &str| verbs.split('|').any(|verb| verb.trim() == word(at)).then_some(at);
    // "I'll definitely send", "I will also send"
    let soon = |at: usize, verbs: &str| {
        acts(at, verbs).or_else(|| is_adverb(word(at)).then(|| acts(at + 1, verbs)).flatten())
    };
    let promise = match (word(0), word(1), word(2), word(3)) {
        ("i'll" | "we'll", ..) => Some(1),
        ("i" | "we", "will", ..) if word(2) != "not" => Some(2),
        ("i'm" | "we're", "going", "to", _) => Some(3),
        ("i" | "we", "am" | "are", "going", "to") => Some(4),
        ("let", "me", ..) => Some(2),
        ("je", "vais" | "vous" | "t'", ..) => Some(2),
        ("on" | "nous", "va" | "allons" | "vous", ..) => Some(2),
        _ => None,
    };
    if let Some(at) = promise {
        return Some((Kind::Promise, soon(at, ACTIONS)?));
    }
    let offer = match (word(0), word(1)) {
        ("let's", _) => return Some((Kind::Offer, soon(1, MEETINGS)?)),
        ("shall" | "should", "i" | "we") | ("i" | "we", "can" | "could") => Some(2),
        _ => None,
    };
    if let Some(at) = offer {
        return Some((Kind::Offer, soon(at, ACTIONS)?));
    }
    match (word(0), word(1)) {
        ("can" | "could" | "would" | "will", "you") | ("pouvez" | "pourriez", "vous") => {
            Some((Kind::Request, soon(2, ACTIONS)?))
        }
        _ => None,
    }
}

fn is_adverb(word: &str) -> bool {
    matches!(
        word,
        "also"
            | "then"
            | "just"
            | "definitely"
            | "certainly"
            | "gladly"
            | "quickly"
            | "please"
            | "all"
            | "vous"
    )
}

/// Whether the first thing somebody else says, soon, is a yes.
fn is_accepted(later: &[Utterance], proposed: &Utterance) -> bool {
    let answer = later
        .iter()
        .take_while(|u| u.start_ms <= proposed.end_ms.saturating_add(ANSWER_WITHIN_MS))
        .find(|u| u.speaker != proposed.speaker);
    answer.is_some_and(|u| {
        let first = Sentence::new(sentences(&u.text).first().copied().unwrap_or_default());
        let says_yes = |word: &String| {
            matches!(
                word.as_str(),
                "yes"
                    | "yeah"
                    | "yep"
                    | "sure"
                    | "absolutely"
                    | "perfect"
                    | "great"
                    | "wonderful"
                    | "definitely"
                    | "oui"
                    | "parfait"
            )
        };
        first.words.first().is_some_and(says_yes)
            || first
                .find_any(&[
                    "sounds good|great",
                    "of course",
                    "that works",
                    "will do",
                    "works for",
                    "d'accord",
                ])
                .is_some()
    })
}

/// The same owner and mostly the same words.
fn is_same(known: &NextStep, step: &NextStep) -> bool {
    let words = |step: &NextStep| crate::text::words(&step.action);
    let (a, b) = (words(known), words(step));
    let shared = a.iter().filter(|word| b.contains(word)).count();
    known.owner_name == step.owner_name && shared * 10 >= a.len().max(b.len()) * 7
}

#[cfg(test)]
mod tests {
    use zoom_recordings::{Transcript, TranscriptSource};

    use super::*;
    use crate::{Metrics, Sides};

    fn steps(lines: &[(&str, &str)]) -> Vec<NextStep> {
        let mut transcript = Transcript::new(TranscriptSource::Zoom);
        for (at, (speaker, text)) in lines.iter().enumerate() {
            transcript.push(at as u64 * 5_000, at as u64 * 5_000 + 4_000, Some(speaker), text);
        }
        let sides = Sides::new()
            .with("Maya", Side::Internal)
            .with("Daniel", Side::External);
        let metrics = Metrics::default();
        let at = "2026-11-24T15:00:00Z".parse().unwrap();
        find(&CallContext::new(&transcript, &sides, &metrics).started_at(at, Some("America/New_York")))
    }

    #[test]
    fn a_promise_has_an_owner_an_action_and_a_day() {
        let found = steps(&[(
            "Maya",
            "Right. I'll send the proposal by Friday the 27th, with the pilot.",
        )]);
        let [step] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(
            (step.owner_side, step.owner_name.as_deref()),
            (Side::Internal, Some("Maya"))
        );
        assert_eq!(
            step.action,
            "send the proposal by Friday the 27th, with the pilot"
        );
        assert_eq!(step.due_text.as_deref(), Some("Friday the 27th"));
        assert_eq!(step.due_date.unwrap().to_string(), "2026-11-27");
        assert_eq!((step.status, step.candidate), (NextStepStatus::Committed, true));
    }

    #[test]
    fn two_promises_in_one_sentence_are_two() {
        let found = steps(&[(
            "Daniel",
            "And I will send you our data, and I'll talk to Priya before the weekend.",
        )]);
        let actions: Vec<&str> = found.iter().map(|step| step.action.as_str()).collect();
        assert_eq!(actions, ["send you our data", "talk to Priya before the weekend"]);
        assert_eq!(found[0].due_date, None);
        assert_eq!(found[1].due_date.unwrap().to_string(), "2026-11-27");
    }

    #[test]
    fn an_offer_counts_when_the_other_side_takes_it_and_a_request_stays_proposed() {
        let taken = steps(&[
            ("Maya", "Shall I send the invitation?"),
            ("Daniel", "Yes, please."),
        ]);
        assert_eq!(taken[0].status, NextStepStatus::Committed);
        assert!(
            steps(&[
                ("Maya", "Shall I send the invitation?"),
                ("Daniel", "Hmm, not sure.")
            ])
            .is_empty()
        );
        let asked = steps(&[
            ("Maya", "Could you send me the data by Monday?"),
            ("Daniel", "Sure."),
        ]);
        assert_eq!(
            (asked[0].owner_side, asked[0].owner_name.as_deref()),
            (Side::External, Some("Daniel"))
        );
        assert_eq!(asked[0].status, NextStepStatus::Proposed);
    }

    #[test]
    fn small_talk_is_no_next_step() {
        let small = [
            ("Maya", "I thought I'd ask a few questions first."),
            ("Maya", "Let me show you how this works."),
            ("Daniel", "I'll be honest with you."),
            ("Daniel", "If you can do it, I'll sign today."),
            ("Maya", "They will leave if it does not get better."),
        ];
        assert!(steps(&small).is_empty());
    }
}
