use proptest::prelude::*;

use super::*;

fn said(file: &str) -> Vec<(u64, u64, Option<String>, String)> {
    let transcript = parse(file).unwrap();
    transcript
        .utterances
        .into_iter()
        .map(|u| (u.start_ms, u.end_ms, u.speaker, u.text))
        .collect()
}

/// The speaker and the text of the only cue.
fn one(cue: &str) -> (Option<String>, String) {
    let mut all = said(&format!("WEBVTT\n\n00:01.000 --> 00:02.000\n{cue}\n"));
    assert_eq!(all.len(), 1, "{cue:?}");
    all.pop().map(|(_, _, speaker, text)| (speaker, text)).unwrap()
}

fn warnings(file: &str) -> Vec<(WarningKind, Option<u64>, u64)> {
    parse(file)
        .unwrap()
        .warnings
        .iter()
        .map(|w| (w.kind, w.line, w.count))
        .collect()
}

const ZOOM: &str = "WEBVTT\n\n1\n00:00:04.120 --> 00:00:07.480\nAna Sim: Good morning, everyone.\n\n\
    2\n00:00:07.900 --> 00:00:11.030\nBruno Costa: Morning. Shall we start with the numbers?\n\n\
    3\n00:00:11.030 --> 00:00:12.400\nYes, please.\n";

fn expected() -> Vec<(u64, u64, Option<String>, String)> {
    vec![
        (
            4_120,
            7_480,
            Some("Ana Sim".into()),
            "Good morning, everyone.".into(),
        ),
        (
            7_900,
            11_030,
            Some("Bruno Costa".into()),
            "Morning. Shall we start with the numbers?".into(),
        ),
        (11_030, 12_400, None, "Yes, please.".into()),
    ]
}

#[test]
fn zooms_own_form_is_read() {
    assert_eq!(said(ZOOM), expected());
    assert_eq!(warnings(ZOOM), []);
    assert_eq!(
        parse(ZOOM)
            .unwrap()
            .utterances
            .iter()
            .map(|u| u.id)
            .collect::<Vec<_>>(),
        [1, 2, 3]
    );
}

#[test]
fn line_endings_byte_order_mark_and_missing_blank_lines_change_nothing() {
    assert_eq!(
        said(&format!("\u{feff}{}", ZOOM.replace('\n', "\r\n"))),
        expected()
    );
    assert_eq!(said(&ZOOM.replace('\n', "\r")), expected());
    assert_eq!(said(&ZOOM.replace("\n\n", "\n")), expected());
    assert_eq!(said(ZOOM.trim_end()), expected());
    assert_eq!(
        said(&ZOOM.replace("WEBVTT\n", "WEBVTT - Zoom\nKind: captions\n")),
        expected()
    );
}

#[test]
fn times_of_every_form_are_read() {
    let file = "WEBVTT\n\n01:02.5 --> 01:03,25 align:start position:0%\na\n\n1:00:00 --> 1:00:01.123456\nb\n\n\
        120:00.000 --> 100:00:00.000\nc\n";
    assert_eq!(
        said(file)
            .into_iter()
            .map(|(start, end, _, _)| (start, end))
            .collect::<Vec<_>>(),
        [(62_500, 63_250), (3_600_000, 3_601_123), (7_200_000, 360_000_000)]
    );
}

#[test]
fn a_time_range_that_makes_no_sense_is_counted_and_its_text_left_out() {
    let file = "WEBVTT\n\n1\n00:00:99.000 --> 00:01:00.000\nlost\n\n2\n00:00:05.000 --> 00:00:04.000\nkept\n";
    assert_eq!(said(file), [(5_000, 5_000, None, "kept".into())]);
    assert_eq!(
        warnings(file),
        [
            (WarningKind::BadTiming, Some(4), 1),
            (WarningKind::EndBeforeStart, Some(8), 1)
        ]
    );
}

#[test]
fn cues_are_put_in_order() {
    let file = "WEBVTT\n\n00:05.000 --> 00:06.000\nlater\n\n00:01.000 --> 00:02.000\nearlier\n";
    let transcript = parse(file).unwrap();
    assert_eq!(transcript.plain_text(), "earlier\nlater\n");
    assert_eq!(transcript.utterances[0].id, 1);
    assert_eq!(transcript.warnings[0].kind, WarningKind::OutOfOrder);
}

#[test]
fn the_speaker_ends_at_the_first_colon_before_white_space() {
    assert_eq!(
        one("Zoom user : hello"),
        (Some("Zoom user".into()), "hello".into())
    );
    assert_eq!(
        one("Boma's iPhone (2) | x@y: hi: there"),
        (Some("Boma's iPhone (2) | x@y".into()), "hi: there".into())
    );
    assert_eq!(
        one("see https://example.org/deck"),
        (None, "see https://example.org/deck".into())
    );
    assert_eq!(one("Ana:Bea: hi"), (Some("Ana:Bea".into()), "hi".into()));
    assert_eq!(
        one("Ana:\nwrapped text"),
        (Some("Ana".into()), "wrapped text".into())
    );
    assert_eq!(one(": hi"), (None, ": hi".into()));
    let sentence = format!("{} and so: no name", "word ".repeat(30));
    assert_eq!(one(&sentence).0, None);
}

#[test]
fn a_known_name_wins_over_the_first_colon() {
    let file = "WEBVTT\n\n00:01.000 --> 00:02.000\nDr: Who: Ana: hi\n";
    let names = || ["Dr: Who", "Dr"].into_iter().collect::<KnownNames>();
    let with = Parser::default().with_known_names(names()).parse(file).unwrap();
    assert_eq!(with.plain_text(), "Dr: Who: Ana: hi\n");
    assert_eq!(with.speakers(), ["Dr: Who"]);
    assert_eq!(parse(file).unwrap().speakers(), ["Dr"]);
}

#[test]
fn voice_tags_name_the_speaker() {
    assert_eq!(
        one("<v Ana Sim>Good: morning</v>"),
        (Some("Ana Sim".into()), "Good: morning".into())
    );
    assert_eq!(
        one("<v.loud.x Ana &amp; Bea>hi"),
        (Some("Ana & Bea".into()), "hi".into())
    );
    assert_eq!(
        said("WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ana>hi <v Bea>yo\nyes\n<v Ana>so\n"),
        [
            (1_000, 2_000, Some("Ana".into()), "hi".into()),
            (1_000, 2_000, Some("Bea".into()), "yo yes".into()),
            (1_000, 2_000, Some("Ana".into()), "so".into()),
        ]
    );
}

#[test]
fn markup_is_removed_and_what_only_looks_like_it_stays() {
    assert_eq!(
        one("Ana: <i>a</i> <c.red>b</c> <00:01.500>c &lt;d&gt; &amp;amp; &#58; &#x1F44D;").1,
        "a b c <d> &amp; : 👍"
    );
    assert_eq!(
        one("Ana: 1 < 2 and <tag> & <br> &unknown; &#0; <b").1,
        "1 < 2 and <tag> & <br> &unknown; &#0; <b"
    );
}

#[test]
fn captions_keep_their_colons() {
    let captions = "WEBVTT\n\n00:00:01 --> 00:00:03\nso remember: never again\n";
    let transcript = Parser::default()
        .without_speaker_prefix()
        .parse(captions)
        .unwrap();
    assert_eq!(
        (transcript.speakers().len(), transcript.plain_text().as_str()),
        (0, "so remember: never again\n")
    );
}

#[test]
fn notes_are_skipped_and_stray_text_is_counted() {
    let file = "WEBVTT\n\nNOTE a --> b\nmore\n\nSTYLE\n::cue { color: red }\n\nstray\n\n1\n00:01.000 --> 00:02.000\nhi\n\n\
        left over\n\n00:03.000 --> 00:04.000\n\n";
    assert_eq!(said(file).len(), 1);
    assert_eq!(
        warnings(file),
        [
            (WarningKind::StrayText, Some(9), 2),
            (WarningKind::EmptyCue, Some(17), 1)
        ]
    );
}

#[test]
fn what_is_no_transcript_is_refused() {
    assert_eq!(parse(b"").unwrap_err(), TranscriptError::Empty);
    for page in ["<!DOCTYPE html><html>", "{\"status\":false}", "WEBVTTX", "\n"] {
        assert_eq!(parse(page).unwrap_err(), TranscriptError::NotVtt, "{page}");
    }
    assert!(parse("WEBVTT").unwrap().is_empty(), "nobody spoke");
    let huge = vec![b' '; MAX_BYTES + 1];
    assert!(matches!(
        parse(huge).unwrap_err(),
        TranscriptError::TooLarge { unit: "bytes", .. }
    ));
}

#[test]
fn bytes_that_are_not_utf8_are_replaced_and_counted() {
    let transcript = parse(b"WEBVTT\n\n00:01.000 --> 00:02.000\nAna: caf\xe9\n").unwrap();
    assert_eq!(transcript.plain_text(), "Ana: caf\u{fffd}\n");
    assert_eq!(transcript.warnings[0].kind, WarningKind::InvalidUtf8);
}

#[test]
fn cues_borrow_from_the_file() {
    let parser = Parser::default();
    for cue in parser.cues(ZOOM).unwrap() {
        assert!(matches!(cue.text, Cow::Borrowed(_)));
        assert!(matches!(cue.speaker, None | Some(Cow::Borrowed(_))));
    }
}

/// How many cues a file of this many repetitions has; the time it takes must not explode, or the test never ends.
#[test]
fn hostile_input_is_read_in_linear_time() {
    let cases: [(&str, &str); 8] = [
        ("00:01.000 --> 00:02.000\n", "<v "),
        ("00:01.000 --> 00:02.000\n", "<v a>b"),
        ("00:01.000 --> 00:02.000\n", "&&#<<c"),
        ("00:01.000 --> 00:02.000\nx", ": "),
        ("00:01.000 --> 00:02.000\n", "line\n"),
        ("", "1\n"),
        ("", "00:01.000 --> 00:02.000\n"),
        ("NOTE ", "--> "),
    ];
    for (start, piece) in cases {
        let file = format!("WEBVTT\n\n{start}{}", piece.repeat(2_000_000 / piece.len()));
        parse(file).unwrap();
    }
}

fn name() -> impl Strategy<Value = Option<String>> {
    proptest::option::of("[a-zA-Zé:|<>&#;/@()'\" .-]{1,24}".prop_map(|name| name.trim().to_owned()))
        .prop_map(|name| name.filter(|name| !name.is_empty()))
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(bytes);
    }

    #[test]
    fn any_lines_are_read_and_reading_what_was_written_changes_nothing(
        lines in proptest::collection::vec(
            prop_oneof![
                Just(String::new()),
                Just("00:00:01.000 --> 00:00:02.000".to_owned()),
                "[0-9]{1,3}:[0-9]{2}[.:][0-9]{2,3} --> [0-9]{2}:[0-9]{2}\\.[0-9]{3}",
                "[<v>/ a:&;#0-9\t\u{a0}é-]{0,20}",
                "\\PC{0,20}",
            ],
            0..30,
        ),
        end in prop_oneof![Just("\n"), Just("\r\n")],
    ) {
        let first = parse(format!("WEBVTT{end}{end}{}", lines.join(end))).unwrap();
        let second = parse(write(&first)).unwrap();
        prop_assert!(second.warnings.is_empty(), "{:?}", second.warnings);
        prop_assert_eq!(first.utterances, second.utterances);
    }

    #[test]
    fn what_is_written_reads_back(
        cues in proptest::collection::vec((0_u64..1 << 50, 0_u64..1 << 40, name(), "[ -~é\u{1f44d}]{1,40}"), 0..12),
    ) {
        let mut transcript = Transcript::new(TranscriptSource::Zoom);
        for (start, length, speaker, text) in &cues {
            transcript.push(*start, start + length, speaker.as_deref(), text);
        }
        prop_assert_eq!(parse(write(&transcript)).unwrap(), transcript);
    }
}
