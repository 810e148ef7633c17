use proptest::prelude::*;
use zoom_recordings::{Transcript, TranscriptSource};

use super::*;

/// Seconds, speaker, words.
fn transcript(lines: &[(f64, f64, &str, &str)]) -> Transcript {
    let mut transcript = Transcript::new(TranscriptSource::Zoom);
    for (start, end, speaker, text) in lines {
        let ms = |seconds: f64| (seconds * 1_000.0).round() as u64;
        transcript.push(ms(*start), ms(*end), Some(speaker), text);
    }
    transcript
}

fn sides() -> Sides {
    Sides::new()
        .with("Rep", Side::Internal)
        .with("Buyer", Side::External)
}

fn measured(lines: &[(f64, f64, &str, &str)]) -> Metrics {
    Metrics::measure(
        &transcript(lines),
        &sides(),
        &MetricsOptions::default().with_call_duration_ms(100_000),
    )
}

#[test]
fn talk_time_is_counted_by_hand() {
    let metrics = measured(&[
        (10.0, 20.0, "Rep", "one two three four"),
        (10.0, 20.0, "Rep", "one two three four"), // the same cue twice
        (22.0, 52.0, "Buyer", "five six seven eight nine ten"),
        (50.0, 60.0, "Guest", "eleven twelve"),
    ]);
    assert_eq!(metrics.span_ms, Some(50_000));
    assert_eq!(metrics.speech_ms, Some(50_000)); // 10 + 30 + 10
    assert_eq!(metrics.floor_ms, Some(48_000)); // 10..20 and 22..60
    assert_eq!(metrics.silence_ms, Some(2_000));
    assert_eq!(metrics.overlap_ms, None);
    assert_eq!(
        (
            metrics.internal_talk_ms,
            metrics.external_talk_ms,
            metrics.unknown_talk_ms
        ),
        (Some(10_000), Some(30_000), Some(10_000))
    );
    assert_eq!(metrics.rep_talk_share_of_known_speech, Some(0.25)); // 10 of 40
    assert_eq!(metrics.rep_talk_share_of_call, Some(0.1)); // 10 of 100
    assert_eq!(metrics.speaker("Rep").unwrap().talk_share_of_speech, Some(0.2));
    assert_eq!(
        metrics
            .speakers
            .iter()
            .map(|s| s.speaker.as_str())
            .collect::<Vec<_>>(),
        ["Buyer", "Guest", "Rep"]
    );
    let audible = MetricsOptions::default().with_measurable_overlap();
    let overlapping = transcript(&[(0.0, 10.0, "Rep", "a"), (8.0, 12.0, "Buyer", "b")]);
    assert_eq!(
        Metrics::measure(&overlapping, &sides(), &audible).overlap_ms,
        Some(2_000)
    );
}

#[test]
fn a_pause_over_the_gap_ends_a_monologue_and_a_back_channel_does_not() {
    let metrics = measured(&[
        (0.0, 10.0, "Rep", "and so the plan is made"),
        (10.2, 10.8, "Buyer", "Yeah, got it."),
        (11.0, 20.0, "Rep", "and then it goes to the vans"),
        (22.0, 25.0, "Rep", "after a pause of two seconds"),
        (26.0, 40.0, "Buyer", "I see what you mean there, thank you"),
    ]);
    assert_eq!(metrics.speaker("Rep").unwrap().longest_monologue_ms, Some(20_000)); // 0..20, the pause ends it
    assert_eq!(metrics.longest_customer_story_ms, Some(14_000));
    assert_eq!((metrics.turns, metrics.switches), (Some(2), Some(1)));
    assert_eq!(metrics.block_gap_ms, 1_500);
    let longer = MetricsOptions::default().with_block_gap_ms(2_000);
    let lines = [
        (0.0, 10.0, "Rep", "words words"),
        (12.0, 20.0, "Rep", "more words here"),
    ];
    assert_eq!(
        Metrics::measure(&transcript(&lines), &sides(), &longer)
            .speaker("Rep")
            .unwrap()
            .longest_monologue_ms,
        Some(20_000)
    );
    assert_eq!(
        measured(&lines).speaker("Rep").unwrap().longest_monologue_ms,
        Some(10_000)
    );
}

#[test]
fn an_answer_of_one_word_between_two_people_is_a_turn() {
    let metrics = measured(&[
        (0.0, 5.0, "Rep", "does that work for you"),
        (5.5, 6.0, "Buyer", "Yes."),
        (7.0, 9.0, "Guest", "for me too, I would say"),
    ]);
    assert_eq!((metrics.turns, metrics.switches), (Some(3), Some(2)));
    assert_eq!(metrics.turn_entropy, Some(1.0));
    // Two switches in nine seconds.
    assert_eq!(metrics.switches_per_hour_of_span, Some(800.0));
}

#[test]
fn patience_needs_three_waits_and_leaves_long_ones_out() {
    let line = |start: f64, speaker: &'static str| (start, start + 1.0, speaker, "some words said here");
    let two = [
        line(0.0, "Buyer"),
        line(1.4, "Rep"),
        line(3.0, "Buyer"),
        line(4.6, "Rep"),
    ];
    assert_eq!(measured(&two).patience, None);
    let four = [
        &two[..],
        &[
            line(6.0, "Buyer"),
            line(8.0, "Rep"),
            line(10.0, "Buyer"),
            line(25.0, "Rep"),
        ],
    ]
    .concat();
    // 0.4, 0.6, 1.0; the wait of 14 s is none.
    assert_eq!(
        measured(&four).patience,
        Some(Gaps {
            mean_ms: 667,
            median_ms: 600,
            n: 3
        })
    );
}

#[test]
fn the_wait_after_a_question_ends_with_somebody_else_or_at_once() {
    let metrics = measured(&[
        (0.0, 2.0, "Rep", "What do you use today?"),
        (
            3.5,
            9.0,
            "Buyer",
            "a spreadsheet that we send around every single morning to all of the drivers who then print it and take it along",
        ),
        (10.0, 12.0, "Rep", "And why is that?"),
        (12.5, 14.0, "Rep", "I ask because others changed it"),
        (15.0, 16.0, "Buyer", "Habit, mostly, I think"),
    ]);
    assert_eq!(
        metrics.patience_after_question,
        Some(Gaps {
            mean_ms: 750,
            median_ms: 0,
            n: 2
        })
    );
    // The first was answered with more than twenty words, the second was run over.
    assert_eq!(metrics.engaging_questions, Some(1));
    let rep = metrics.speaker("Rep").unwrap();
    assert_eq!((rep.questions, rep.open_share_of_questions), (2, Some(1.0)));
    assert_eq!(rep.questions_per_hour_of_span, Some(450.0)); // 2 in 16 s
}

#[test]
fn a_rate_needs_a_minute_of_talk() {
    let words = "you know it is kind of basically what we do um ".repeat(13);
    let metrics = measured(&[(0.0, 60.0, "Rep", &words), (60.0, 119.0, "Buyer", &words)]);
    let rep = metrics.speaker("Rep").unwrap();
    assert_eq!(rep.words_per_talk_minute, Some(143.0)); // 11 words, 13 times
    assert_eq!(rep.lexical_fillers_per_talk_minute, Some(39.0)); // you know, kind of, basically
    // Zoom takes "um" out: what is not there was not counted.
    assert_eq!(rep.um_uh_per_talk_minute, None);
    assert_eq!(metrics.speaker("Buyer").unwrap().words_per_talk_minute, None);
    assert_eq!(rep.interruptions, None);
}

#[test]
fn what_cannot_be_told_is_none_and_never_zero() {
    let empty = Metrics::measure(
        &Transcript::new(TranscriptSource::Zoom),
        &sides(),
        &MetricsOptions::default(),
    );
    assert_eq!(
        (empty.span_ms, empty.speech_ms, empty.switches),
        (None, None, None)
    );
    let mut nameless = Transcript::new(TranscriptSource::Whisper);
    nameless.push(0, 5_000, None, "somebody says something");
    let metrics = Metrics::measure(&nameless, &Sides::new(), &MetricsOptions::default());
    assert_eq!(
        (metrics.speech_ms, metrics.unknown_talk_ms),
        (Some(5_000), Some(5_000))
    );
    assert_eq!(
        (metrics.internal_talk_ms, metrics.rep_talk_share_of_known_speech),
        (None, None)
    );
    assert_eq!(
        (metrics.turns, metrics.patience, metrics.engaging_questions),
        (None, None, None)
    );
    assert!(metrics.speakers.is_empty());
}

#[test]
fn engagement_is_off_until_asked_for() {
    let lines = [
        (0.0, 43.0, "Rep", "What do you think?"),
        (43.0, 100.0, "Buyer", "How does it work?"),
    ];
    assert_eq!(measured(&lines).engagement_0_100, None);
    let asked = MetricsOptions::default().with_engagement();
    // Share 0.57 gives 40; 36 switches per hour give 9; 36 questions per hour give 30.
    assert_eq!(
        Metrics::measure(&transcript(&lines), &sides(), &asked).engagement_0_100,
        Some(79)
    );
}

fn any_transcript() -> impl Strategy<Value = Transcript> {
    let texts = [
        "Yeah.",
        "What do you think?",
        "we plan every morning in a spreadsheet",
        "right",
        "you know it works",
    ];
    let line = (0_u64..600_000, 0_u64..30_000, 0_usize..4, 0_usize..texts.len());
    proptest::collection::vec(line, 0..40).prop_map(move |lines| {
        let mut transcript = Transcript::new(TranscriptSource::Zoom);
        for (start, length, speaker, text) in lines {
            let speaker = [Some("Rep"), Some("Buyer"), Some("Guest"), None][speaker];
            transcript.push(start, start + length, speaker, texts[text]);
        }
        transcript
    })
}

proptest! {
    #[test]
    fn the_order_of_the_utterances_changes_no_number(transcript in any_transcript(), turn in 0_usize..40) {
        let options = MetricsOptions::default();
        let mut shuffled = transcript.clone();
        shuffled.utterances.reverse();
        let places = shuffled.utterances.len().max(1);
        shuffled.utterances.rotate_left(turn % places);
        let mut metrics = Metrics::measure(&shuffled, &sides(), &options);
        let expected = Metrics::measure(&transcript, &sides(), &options);
        metrics.transcript_hash.clone_from(&expected.transcript_hash);
        prop_assert_eq!(metrics, expected);
    }

    #[test]
    fn no_part_is_longer_than_the_whole(transcript in any_transcript()) {
        let metrics = Metrics::measure(&transcript, &sides(), &MetricsOptions::default().with_measurable_overlap());
        if let (Some(span), Some(floor), Some(speech)) = (metrics.span_ms, metrics.floor_ms, metrics.speech_ms) {
            prop_assert!(floor <= span && floor <= speech);
            prop_assert_eq!(metrics.silence_ms, Some(span - floor));
            prop_assert_eq!(metrics.overlap_ms, Some(speech - floor));
            for speaker in &metrics.speakers {
                prop_assert!(speaker.talk_ms <= floor);
                prop_assert!(speaker.longest_monologue_ms.is_none_or(|ms| ms <= span));
            }
        }
        let json = serde_json::to_string(&metrics).unwrap();
        prop_assert_eq!(serde_json::from_str::<Metrics>(&json).unwrap(), metrics);
    }
}
