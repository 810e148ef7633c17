use std::path::PathBuf;

use super::*;

fn sample(name: &str) -> PathBuf {
    [
        env!("CARGO_MANIFEST_DIR"),
        "..",
        "zoom-simulator",
        "samples",
        name,
        "audio.m4a",
    ]
    .iter()
    .collect()
}

fn decode(path: &Path) -> Result<Vec<f32>, AudioError> {
    let mut audio = Audio::open(path)?;
    let mut samples = Vec::new();
    while let Some(block) = audio.next_block()? {
        samples.extend(block);
    }
    Ok(samples)
}

/// A tone of `hz` for one second, as a 16-bit WAV file with `channels` times the same.
fn wav(hz: f32, rate: u32, channels: u16) -> tempfile::NamedTempFile {
    let data: Vec<u8> = (0..rate)
        .map(|i| (i as f32 * hz / rate as f32 * std::f32::consts::TAU).sin() * 16_000.0)
        .flat_map(|sample| std::iter::repeat_n((sample as i16).to_le_bytes(), channels.into()).flatten())
        .collect();
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + data.len() as u32).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    bytes.extend(channels.to_le_bytes());
    bytes.extend(rate.to_le_bytes());
    bytes.extend((rate * 2 * u32::from(channels)).to_le_bytes());
    bytes.extend((2 * channels).to_le_bytes());
    bytes.extend(b"\x10\0data");
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend(data);
    let file = tempfile::NamedTempFile::with_suffix(".wav").unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    file
}

/// Root mean square difference from that tone at 16 kHz, away from the ends.
fn error_from_tone(samples: &[f32], hz: f32) -> f32 {
    let middle = 1_000..samples.len() - 1_000;
    let sum: f32 = middle
        .clone()
        .map(|i| {
            (i as f32 * hz / RATE as f32 * std::f32::consts::TAU).sin() * 16_000.0 / 32_768.0 - samples[i]
        })
        .map(|difference| difference * difference)
        .sum();
    (sum / middle.len() as f32).sqrt()
}

#[test]
fn both_samples_decode_to_their_length() {
    for (name, duration_ms) in [("librivox", 31_930), ("sales-call", 408_168)] {
        let told = Audio::open(&sample(name)).unwrap().duration().unwrap();
        let samples = decode(&sample(name)).unwrap();
        let decoded_ms = samples.len() as i64 * 1000 / i64::from(RATE);
        assert!((decoded_ms - duration_ms).abs() < 100, "{name}: {decoded_ms} ms");
        assert!(
            (told.as_millis() as i64 - duration_ms).abs() < 100,
            "{name}: container says {told:?}"
        );
        let loudness = (samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32).sqrt();
        assert!(
            loudness > 0.01 && samples.iter().all(|s| s.abs() <= 1.0),
            "{name}: {loudness}"
        );
    }
}

#[test]
fn any_rate_and_number_of_channels_keeps_a_tone() {
    for (rate, channels) in [(16_000, 1), (8_000, 1), (32_000, 2), (44_100, 2), (48_000, 1)] {
        let samples = decode(wav(440.0, rate, channels).path()).unwrap();
        assert_eq!(samples.len(), 16_000, "{rate} Hz");
        let error = error_from_tone(&samples, 440.0);
        // The filter's delay is no whole number of samples at every rate; a whole one off would be 0.06.
        assert!(error < 0.02, "{rate} Hz, {channels} channels: off by {error}");
    }
}

#[test]
fn resampling_in_small_steps_is_resampling_at_once() {
    let tone: Vec<f32> = (0..44_100).map(|i| (i as f32 * 0.05).sin()).collect();
    let run = |step: usize| {
        let (mut resampler, mut out) = (Resampler::new(44_100).unwrap(), Vec::new());
        for block in tone.chunks(step) {
            resampler.push(block, &mut out).unwrap();
        }
        resampler.finish(&mut out).unwrap();
        out
    };
    assert_eq!(run(44_100), run(77));
}

#[test]
fn what_is_no_number_becomes_silence_and_what_is_too_loud_is_clipped() {
    assert_eq!(
        to_mono(&[1.0, 3.0, -4.0, -4.0, f32::NAN, 0.0, 0.2, 0.4], 2),
        [1.0, -1.0, 0.0, 0.3]
    );
}

#[test]
fn text_is_not_audio() {
    let file = tempfile::NamedTempFile::with_suffix(".m4a").unwrap();
    std::fs::write(file.path(), "<html>Sign in to Zoom</html>".repeat(100)).unwrap();
    assert!(matches!(decode(file.path()), Err(AudioError::Format(_))));
    assert!(matches!(
        decode(Path::new("/nowhere.m4a")),
        Err(AudioError::Read(_))
    ));
}

#[test]
fn a_file_cut_off_gives_what_is_there_or_an_error() {
    let file = wav(440.0, 16_000, 1);
    let whole = std::fs::read(file.path()).unwrap();
    std::fs::write(file.path(), &whole[..whole.len() / 2]).unwrap();
    let samples = decode(file.path()).unwrap();
    assert!((6_000..=8_000).contains(&samples.len()), "{}", samples.len());

    let whole = std::fs::read(sample("librivox")).unwrap();
    let file = tempfile::NamedTempFile::with_suffix(".m4a").unwrap();
    std::fs::write(file.path(), &whole[..whole.len() / 2]).unwrap();
    assert!(matches!(decode(file.path()), Err(AudioError::Damaged(_))));
}
