//! Real speech, heard on this machine.

use std::fs;

use zoom_simulator::samples;

use crate::programs::{json, program};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whisper_hears_real_speech_with_few_errors() {
    let Some(models) = std::env::var_os("ZOOM_MODELS_DIR") else {
        println!(
            "skipped: ZOOM_MODELS_DIR is not set; `cargo xtask test` installs a speech model and sets it"
        );
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let sample = samples::librivox();
    let audio = folder.path().join("reading.m4a");
    fs::write(&audio, sample.m4a).unwrap();
    let database = folder.path().join("zoom.sqlite");
    let zoomctl = || {
        let mut command = program("zoomctl");
        command
            .env("ZOOM_DATABASE", &database)
            .env("ZOOM_MODELS_DIR", &models);
        command
    };
    let call = json(
        zoomctl()
            .arg("ingest")
            .arg(&audio)
            .args(["--owner", "eleanor", "--json"]),
    )
    .await;
    assert_eq!(call["transcript"]["source"], "whisper");

    let shown = json(zoomctl().args(["calls", "show", call["id"].as_str().unwrap(), "--json"])).await;
    let lines = shown["transcript"]["utterances"].as_array().unwrap();
    let heard: Vec<&str> = lines.iter().filter_map(|line| line["text"].as_str()).collect();
    let (heard, said) = (words(&heard.join(" ")), words(sample.reference.unwrap()));
    let errors = edits(&said, &heard);
    let rate = errors as f64 / said.len() as f64;
    println!("{errors} of {} words wrong: {:.1} %", said.len(), rate * 100.0);
    assert!(
        rate <= 0.10,
        "{:.1} % of the words are wrong:\n{}",
        rate * 100.0,
        heard.join(" ")
    );
}

/// Lower case, no punctuation.
fn words(text: &str) -> Vec<String> {
    let plain = text
        .to_lowercase()
        .replace(|c: char| !c.is_alphanumeric() && c != '\'', " ");
    plain.split_whitespace().map(str::to_owned).collect()
}

/// The fewest words to insert, leave out or exchange to get from one text to the other.
fn edits(from: &[String], to: &[String]) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (above, word) in from.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], above + 1);
        for (at, other) in to.iter().enumerate() {
            let exchanged = diagonal + usize::from(word != other);
            diagonal = row[at + 1];
            row[at + 1] = exchanged.min(row[at] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[test]
fn wrong_words_are_counted_as_edits() {
    for (from, to, expected) in [
        ("a b c", "a b c", 0),
        ("a b c", "a x c", 1),
        ("a b c", "a c", 1),
        ("", "a b", 2),
    ] {
        assert_eq!(edits(&words(from), &words(to)), expected, "{from} → {to}");
    }
}
