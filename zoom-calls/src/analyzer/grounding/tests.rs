use zoom_recordings::TranscriptSource;

use super::*;
use crate::{FactorKind, Handled, MetricRef, MetricsOptions, NextStepStatus, ObjectionCategory, Summary};

fn transcript() -> Transcript {
    let mut transcript = Transcript::new(TranscriptSource::Zoom);
    transcript.push(
        0,
        4_000,
        Some("Rep"),
        "Thanks for the time. What brings you here?",
    );
    transcript.push(
        5_000,
        9_000,
        Some("Buyer"),
        "Honestly, it’s too expensive — for a team like ours.",
    );
    transcript.push(
        10_000,
        14_000,
        Some("Rep"),
        "I'll send you a smaller offer by Friday.",
    );
    transcript.push(
        15_000,
        19_000,
        Some("Buyer"),
        "And the plan of the vans is made every morning in a spreadsheet by hand.",
    );
    transcript.push(20_000, 21_000, Some("Buyer"), "It takes two hours.");
    transcript
}

fn sides() -> Sides {
    Sides::new()
        .with("Rep", Side::Internal)
        .with("Buyer", Side::External)
}

fn verified(ids: &[u32], quote: &str, side: Option<Side>) -> Result<Evidence, DropReason> {
    verify(
        Evidence::claim(ids.to_vec(), quote),
        &transcript(),
        &sides(),
        side,
    )
}

fn grounded(analysis: Analysis) -> Analysis {
    let (transcript, sides) = (transcript(), sides());
    let metrics = Metrics::measure(&transcript, &sides, &MetricsOptions::default());
    let at = "2026-11-24T15:00:00Z".parse().unwrap();
    ground(
        analysis,
        &CallContext::new(&transcript, &sides, &metrics).started_at(at, None),
    )
}

#[test]
fn words_are_compared_without_case_punctuation_and_quotation_marks() {
    let found = verified(&[2], "IT'S too expensive, for a team", Some(Side::External)).unwrap();
    assert_eq!(
        (found.quote_match, found.start_ms, found.end_ms),
        (QuoteMatch::Exact, 5_000, 9_000)
    );
    assert_eq!(found.speaker.as_deref(), Some("Buyer"));
    // A quote that runs over two utterances of one person.
    let both = verified(&[4, 5], "in a spreadsheet by hand it takes two hours", None).unwrap();
    assert_eq!((both.utterance_ids, both.end_ms), (vec![4, 5], 21_000));
}

#[test]
fn a_wrong_id_nearby_is_corrected_and_one_far_away_is_not() {
    let found = verified(&[4], "too expensive", None).unwrap();
    assert_eq!(
        (found.quote_match, found.utterance_ids),
        (QuoteMatch::Reanchored, vec![2])
    );
    assert_eq!(
        verified(&[5], "too expensive", None),
        Err(DropReason::QuoteNotFound)
    );
    assert_eq!(
        verified(&[99], "too expensive", None),
        Err(DropReason::UnknownUtterance)
    );
}

#[test]
fn three_quarters_of_the_words_in_order_are_a_fuzzy_match_and_less_is_none() {
    let quote = "the plan of the vans is made each day in a spreadsheet by hand";
    let found = verified(&[4], quote, None).unwrap();
    assert_eq!(found.quote_match, QuoteMatch::Fuzzy { permille: 857 });
    assert_eq!(
        verified(&[4], "the vans are planned every day by a tool", None),
        Err(DropReason::QuoteNotFound)
    );
    // A few words out of a long utterance, scattered: found in full, and yet no quote.
    assert_eq!(
        verified(&[4], "and plan in spreadsheet", None),
        Err(DropReason::QuoteNotFound)
    );
}

#[test]
fn what_was_nearly_said_is_shown_as_it_was_said() {
    let reversed = "And the plan of the vans is never made every morning in a spreadsheet by hand.";
    let found = verified(&[4], reversed, None).unwrap();
    assert!(matches!(found.quote_match, QuoteMatch::Fuzzy { .. }));
    assert_eq!(
        found.quote,
        "And the plan of the vans is made every morning in a spreadsheet by hand."
    );

    // A day that was put into the quote was not said either.
    let claim = "the plan of the vans is made every morning in a spreadsheet by Friday by hand";
    let mut invented = NextStep::new(
        Side::External,
        "plan the vans",
        NextStepStatus::Proposed,
        Evidence::claim(vec![4], claim),
    );
    invented.due_text = Some("by Friday".to_owned());
    let left = grounded(Analysis {
        next_steps: vec![invented],
        ..Analysis::default()
    });
    assert_eq!(
        (&left.next_steps[0].due_text, left.next_steps[0].due_date),
        (&None, None)
    );
}

#[test]
fn words_of_two_people_and_words_of_the_wrong_side_are_no_evidence() {
    assert_eq!(
        verified(&[1, 2], "what brings you here honestly", None),
        Err(DropReason::QuoteNotFound)
    );
    assert_eq!(
        verified(&[1], "Thanks for the time", Some(Side::External)),
        Err(DropReason::WrongSide)
    );
    assert_eq!(verified(&[1], "…", None), Err(DropReason::NoEvidence));
}

#[test]
fn nothing_an_obedient_model_invents_survives() {
    let invented = || Evidence::claim(vec![2], "we will sign for a million today");
    let mut analysis = Analysis {
        summary: Some(Summary::new("They signed.", vec![invented()])),
        objections: vec![
            Objection::new(ObjectionCategory::Timing, invented()),
            Objection::new(
                ObjectionCategory::Price,
                Evidence::claim(vec![3], "a smaller offer"),
            ),
        ],
        next_steps: vec![
            NextStep::new(Side::External, "pay", NextStepStatus::Committed, invented()),
            NextStep::new(
                Side::External,
                "send",
                NextStepStatus::Committed,
                Evidence::claim(vec![3], "I'll send you a smaller offer"),
            ),
        ],
        closing: Some(score_rubric(
            FactorKind::ALL
                .into_iter()
                .map(|kind| Factor::new(kind, FactorState::Yes, vec![invented()]))
                .collect(),
        )),
        coaching: vec![
            CoachingTip::on_metric("Rep", "o", "s", MetricRef::new("questions", 17.0, None)),
            CoachingTip::on_metric("Rep", "o", "s", MetricRef::new("charm", 1.0, None)),
            CoachingTip::on_metric("Buyer", "o", "s", MetricRef::new("questions", 0.0, None)),
            CoachingTip::on_moment("Rep", "o", "s", invented()),
        ],
        ..Analysis::default()
    };
    if let Some(closing) = &mut analysis.closing {
        closing.score = 97;
        closing.calibrated = true;
    }
    let left = grounded(analysis);
    assert_eq!(
        (left.summary, left.objections, left.next_steps, left.coaching),
        (None, vec![], vec![], vec![])
    );
    let closing = left.closing.unwrap();
    assert_eq!((closing.score, closing.calibrated), (40, false));
    assert_eq!(left.dropped.len(), 1 + 2 + 2 + 10 + 4);
}

#[test]
fn a_day_is_computed_and_only_from_words_that_were_said() {
    let evidence = || Evidence::claim(vec![3], "I'll send you a smaller offer by Friday");
    let mut said = NextStep::new(
        Side::Internal,
        "send you a smaller offer",
        NextStepStatus::Committed,
        evidence(),
    );
    (said.due_text, said.due_date) = (Some("Friday".to_owned()), "2030-01-01".parse().ok());
    said.owner_name = Some("Somebody Else".to_owned());
    let mut invented = said.clone();
    invented.due_text = Some("tomorrow".to_owned());
    let left = grounded(Analysis {
        next_steps: vec![said, invented],
        ..Analysis::default()
    });
    assert_eq!(left.next_steps[0].due_date.unwrap().to_string(), "2026-11-27");
    assert_eq!(left.next_steps[0].owner_name, None);
    assert_eq!(
        (
            left.next_steps[1].due_text.as_deref(),
            left.next_steps[1].due_date
        ),
        (None, None)
    );
    assert_eq!(
        left.dropped,
        [Dropped::new("next_step_due", DropReason::UnsupportedDate)]
    );
}

#[test]
fn an_answer_that_does_not_verify_takes_only_itself_away() {
    let mut objection = Objection::new(
        ObjectionCategory::Price,
        Evidence::claim(vec![2], "too expensive"),
    );
    objection.response = vec![Evidence::claim(vec![3], "we give it to you for free")];
    objection.handled = Handled::Yes;
    let left = grounded(Analysis {
        objections: vec![objection],
        ..Analysis::default()
    });
    assert_eq!((left.objections.len(), left.objections[0].response.len()), (1, 0));
    assert_eq!(left.objections[0].handled, Handled::Unclear);
}

#[test]
fn a_rep_gets_at_most_three_tips() {
    let tip = || CoachingTip::on_metric("Rep", "o", "s", MetricRef::new("questions", 1.0, None));
    let left = grounded(Analysis {
        coaching: vec![tip(), tip(), tip(), tip()],
        ..Analysis::default()
    });
    assert_eq!(
        (left.coaching.len(), left.dropped),
        (3, vec![Dropped::new("coaching", DropReason::TooMany)])
    );
}
