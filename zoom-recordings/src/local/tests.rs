use std::{
    path::PathBuf,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use super::*;
use crate::MediaType;

fn sample(file: &str) -> PathBuf {
    [
        env!("CARGO_MANIFEST_DIR"),
        "..",
        "zoom-simulator",
        "samples",
        file,
    ]
    .iter()
    .collect()
}

/// tiny.en below the folder in `ZOOM_MODELS_DIR`, or why there is none.
fn tiny_en() -> Option<LocalWhisper> {
    let Some(root) = std::env::var_os("ZOOM_MODELS_DIR") else {
        println!("skipped: ZOOM_MODELS_DIR does not say where the speech models are");
        return None;
    };
    let dir = models::Model::TinyEn.dir(Path::new(&root));
    Some(LocalWhisper::open(dir).expect("ZOOM_MODELS_DIR is set, so tiny.en is to be there"))
}

fn whole(media: &Path) -> Media<'_> {
    Media::new(media, MediaType::M4a, media.metadata().map_or(0, |m| m.len()))
}

#[tokio::test]
async fn real_speech_becomes_its_words_at_its_times() {
    let Some(whisper) = tiny_en() else { return };
    let heard = Arc::new(Mutex::new(Vec::new()));
    let whisper = whisper.with_progress({
        let heard = heard.clone();
        move |done, total| heard.lock().unwrap().push((done, total))
    });
    let path = sample("librivox/audio.m4a");
    let begun = Instant::now();
    let transcript = whisper.transcribe(whole(&path)).await.unwrap();
    let took = begun.elapsed().as_secs_f64();

    let said = std::fs::read_to_string(sample("librivox/reference.txt")).unwrap();
    let errors = word_error_rate(&said, &transcript.plain_text());
    println!(
        "word error rate {:.1} %, {:.2} times real time",
        errors * 100.0,
        took / 31.93
    );
    for u in &transcript.utterances {
        println!("{:>6} {:>6} {}", u.start_ms, u.end_ms, u.text);
    }
    assert!(
        errors <= 0.10,
        "word error rate {errors}:\n{}",
        transcript.plain_text()
    );
    assert_eq!(transcript.source, TranscriptSource::Whisper);
    assert_eq!(transcript.language.as_deref(), Some("en"));

    // The clips begin at these times (transcript.vtt), each with a little silence of its own.
    let starts = [1_200, 9_500, 13_690, 20_190, 27_440];
    assert_eq!(transcript.utterances.len(), starts.len());
    for (utterance, start) in transcript.utterances.iter().zip(starts) {
        assert!(
            utterance.start_ms.abs_diff(start) < 500,
            "{utterance:?} begins at {start}"
        );
        assert!(utterance.start_ms < utterance.end_ms && utterance.end_ms <= 31_930);
    }
    let heard = heard.lock().unwrap();
    let (done, total) = heard.last().unwrap();
    assert!(done.abs_diff(Duration::from_millis(31_930)) < Duration::from_millis(100));
    assert!(total.unwrap().abs_diff(*done) < Duration::from_millis(100));
}

#[tokio::test]
async fn silence_and_noise_become_no_words() {
    let Some(whisper) = tiny_en() else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut seed = 1_u32;
    let mut noise = |loudest: i16| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 16) as i16 % loudest.max(1)
    };
    for (name, loudest) in [("silence.wav", 0), ("hiss.wav", 33)] {
        let data: Vec<u8> = (0..16_000 * 40)
            .flat_map(|_| noise(loudest).to_le_bytes())
            .collect();
        let path = dir.path().join(name);
        std::fs::write(&path, wav(&data)).unwrap();
        let transcript = whisper
            .transcribe(Media::new(&path, MediaType::Wav, 0))
            .await
            .unwrap();
        assert!(transcript.is_empty(), "{name}: {}", transcript.plain_text());
    }
}

#[test]
fn what_the_model_skips_at_the_end_of_a_piece_is_heard_in_a_second_look() {
    let Some(mut whisper) = tiny_en() else { return };
    let mut audio = Audio::open(&sample("sales-call/audio.m4a")).unwrap();
    let (mut segmenter, mut pieces) = (Segmenter::new(), Vec::new());
    while let Some(block) = audio.next_block().unwrap() {
        pieces.extend(segmenter.push(&block));
    }
    // The piece with 03:55 in it: tiny.en stops before its last sentence.
    let with_it =
        |piece: &Piece| (piece.start..piece.start + piece.samples.len() as u64).contains(&(235 * 16_000));
    let piece = pieces.into_iter().find(with_it).unwrap();
    let sentences = whisper
        .model
        .transcribe(piece, None, &mut Warnings::default())
        .unwrap();
    let last = sentences.last().unwrap();
    assert!(last.text.ends_with("it pays for itself."), "{last:?}");
    assert!((234..240).contains(&(last.start / 16_000)), "{last:?}");
}

#[test]
fn the_model_itself_refuses_noise_that_the_voice_detector_let_through() {
    let Some(mut whisper) = tiny_en() else { return };
    for loudest in [0.001, 0.02] {
        let mut seed = 1_u32;
        let mut noise = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((seed >> 8) as f32 / 8_388_608.0 - 1.0) * loudest
        };
        let samples = (0..80_000).map(|_| noise()).collect();
        let piece = Piece {
            start: 0,
            samples,
            voiced: vec![true; 312],
        };
        let mut warnings = Warnings::default();
        assert_eq!(whisper.model.transcribe(piece, None, &mut warnings).unwrap(), []);
        assert_eq!(warnings.into_vec()[0].kind, crate::WarningKind::Silence);
    }
}

#[tokio::test]
async fn a_dropped_transcription_stops() {
    let Some(whisper) = tiny_en() else { return };
    let finished = Arc::new(AtomicBool::new(false));
    let (send, first_piece) = std::sync::mpsc::channel();
    let whisper = whisper.with_progress({
        let finished = finished.clone();
        move |done, total| {
            let _ = send.send(());
            finished.store(
                total.is_some_and(|total| done + Duration::from_secs(1) > total),
                Ordering::SeqCst,
            );
        }
    });
    let path = sample("sales-call/audio.m4a");
    let task = tokio::spawn(async move { whisper.transcribe(whole(&path)).await });
    let first_piece = tokio::task::spawn_blocking(move || first_piece.recv().map(|()| first_piece))
        .await
        .unwrap()
        .unwrap();
    task.abort();
    // The thread ends and takes the sender with it.
    tokio::task::spawn_blocking(move || while first_piece.recv().is_ok() {})
        .await
        .unwrap();
    assert!(
        !finished.load(Ordering::SeqCst),
        "the whole call was transcribed for nobody"
    );
}

#[test]
fn a_folder_without_a_model_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let error = LocalWhisper::open(dir.path()).unwrap_err();
    assert!(
        matches!(&error, ModelError::NotInstalled { dir: missing } if missing == dir.path()),
        "{error:?}"
    );
    assert!(error.to_string().contains("install one there first"));
}

#[test]
fn only_trouble_with_reading_is_worth_another_try() {
    let missing = Audio::open(Path::new("/nowhere.m4a")).err().unwrap();
    assert!(StageError::from(Failure::from(missing)).is_transient());
    assert!(!StageError::from(Failure::from(AudioError::NoAudio)).is_transient());
}

/// 16-bit mono at 16 kHz.
fn wav(data: &[u8]) -> Vec<u8> {
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + data.len() as u32).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data");
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend(data);
    bytes
}
