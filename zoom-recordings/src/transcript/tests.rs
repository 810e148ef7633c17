use super::*;

fn two() -> Transcript {
    let mut transcript = Transcript::new(TranscriptSource::Zoom).with_language("en");
    transcript.push(4_120, 7_480, Some("Ana Sim "), " Good morning, everyone. ");
    transcript.push(7_900, 11_030, Some("Bruno Costa"), "Morning.");
    transcript
}

#[test]
fn a_late_utterance_takes_its_place_and_numbers_stay_without_gaps() {
    let mut transcript = two();
    assert_eq!(transcript.push(0, 1_000, None, "Hello?"), Some(1));
    assert_eq!(transcript.push(20_000, 19_000, None, "Bye."), Some(4));
    assert_eq!(
        transcript.utterances.iter().map(|u| u.id).collect::<Vec<_>>(),
        [1, 2, 3, 4]
    );
    assert_eq!(transcript.utterance(1).map(|u| u.text.as_str()), Some("Hello?"));
    assert_eq!(transcript.utterance(4).map(Utterance::duration_ms), Some(0));
    assert_eq!(transcript.utterance(0), None);
}

#[test]
fn silence_adds_no_utterance() {
    assert_eq!(two().push(50_000, 60_000, Some("Ana Sim"), " \n"), None);
}

#[test]
fn a_later_file_is_appended_at_its_offset() {
    let mut transcript = two();
    let mut later = Transcript::new(TranscriptSource::Zoom);
    later.push(1_000, 2_000, Some("Ana Sim"), "Back again.");
    transcript.append(later, 60_000);
    let last = transcript.utterance(3).unwrap();
    assert_eq!(
        (last.start_ms, last.end_ms, last.text.as_str()),
        (61_000, 62_000, "Back again.")
    );
    assert_eq!(transcript.span_ms(), Some(62_000 - 4_120));
}

#[test]
fn figures_come_from_what_was_said() {
    let transcript = two();
    assert_eq!(transcript.words(), 4);
    assert_eq!(transcript.speakers(), ["Ana Sim", "Bruno Costa"]);
    assert_eq!(
        transcript.plain_text(),
        "Ana Sim: Good morning, everyone.\nBruno Costa: Morning.\n"
    );
    assert_eq!(Transcript::new(TranscriptSource::Zoom).span_ms(), None);
}

#[test]
fn the_hash_changes_with_every_word_time_and_speaker_and_with_nothing_else() {
    let base = two();
    let mut warned = two();
    warned.warnings.push(Warning {
        kind: WarningKind::BadTiming,
        line: None,
        count: 1,
    });
    assert_eq!(base.hash(), warned.hash());
    let changes: [fn(&mut Transcript); 4] = [
        |t| t.utterances[0].text.push('!'),
        |t| t.utterances[0].start_ms += 1,
        |t| t.utterances[1].speaker = None,
        |t| t.language = None,
    ];
    for change in changes {
        let mut changed = two();
        change(&mut changed);
        assert_ne!(base.hash(), changed.hash());
    }
    // Moving a border between two texts is a change too.
    let mut moved = two();
    moved.utterances[0].speaker = Some("Ana SimG".to_owned());
    moved.utterances[0].text = "ood morning, everyone.".to_owned();
    assert_ne!(base.hash(), moved.hash());
}

#[test]
fn the_stored_form_is_stable_and_reads_back() {
    let stored = serde_json::to_string(&two()).unwrap();
    assert_eq!(
        stored,
        r#"{"source":"zoom","language":"en","utterances":[{"id":1,"start_ms":4120,"end_ms":7480,"speaker":"Ana Sim","text":"Good morning, everyone."},{"id":2,"start_ms":7900,"end_ms":11030,"speaker":"Bruno Costa","text":"Morning."}]}"#
    );
    assert_eq!(serde_json::from_str::<Transcript>(&stored).unwrap(), two());
}

#[test]
fn a_source_of_the_hosts_own_survives_storage() {
    let transcript = Transcript::new(TranscriptSource::from("in-house"));
    let stored = serde_json::to_string(&transcript).unwrap();
    assert_eq!(
        serde_json::from_str::<Transcript>(&stored)
            .unwrap()
            .source
            .as_str(),
        "in-house"
    );
}
