//! The picture of sound that Whisper reads: a log-mel spectrogram of thirty seconds.
//!
//! The Fourier transform is a matrix product here. That costs a few more multiplications than a fast transform and no
//! line of code: the matrix library is the fastest thing in the tree.

use std::f64::consts::TAU;

use candle_core::{Device, Result, Tensor};

use super::audio::RATE;

/// Samples of a window (25 ms) and between two windows (10 ms).
const WINDOW: usize = 400;
const HOP: usize = 160;
/// Windows Whisper expects (30 s), and the samples they cover.
pub(super) const FRAMES: usize = 3_000;
pub(super) const SAMPLES: usize = FRAMES * HOP;
/// Frequencies of a window.
const BINS: usize = WINDOW / 2 + 1;

/// Computes spectrograms for a number of mel bands.
#[derive(Debug, Clone)]
pub(super) struct Mel {
    cosine: Tensor,
    sine: Tensor,
    filters: Tensor,
}

impl Mel {
    pub(super) fn new(bands: usize) -> Result<Self> {
        let basis = |wave: fn(f64) -> f64| {
            let values = (0..WINDOW * BINS).map(|i| {
                let (sample, bin) = (i / BINS, i % BINS);
                let hann = 0.5 - 0.5 * (TAU * sample as f64 / WINDOW as f64).cos();
                (hann * wave(TAU * (sample * bin % WINDOW) as f64 / WINDOW as f64)) as f32
            });
            Tensor::from_vec(values.collect(), (WINDOW, BINS), &Device::Cpu)
        };
        Ok(Self {
            cosine: basis(f64::cos)?,
            sine: basis(f64::sin)?,
            filters: Tensor::from_vec(filters(bands), (BINS, bands), &Device::Cpu)?,
        })
    }

    /// `(1, bands, FRAMES)` of at most thirty seconds; less is filled up with silence.
    pub(super) fn spectrogram(&self, samples: &[f32]) -> Result<Tensor> {
        let frames = Tensor::from_vec(windows(samples), (FRAMES, WINDOW), &Device::Cpu)?;
        let power = (frames.matmul(&self.cosine)?.sqr()? + frames.matmul(&self.sine)?.sqr()?)?;
        let log = (power.matmul(&self.filters)?.maximum(1e-10)?.log()? / std::f64::consts::LN_10)?;
        let floor = f64::from(log.max_all()?.to_scalar::<f32>()?) - 8.0;
        let scaled = ((log.maximum(floor)? + 4.0)? / 4.0)?;
        scaled.t()?.contiguous()?.unsqueeze(0)
    }
}

/// The windows one after another, each centred on a multiple of the hop; the ends are mirrored.
fn windows(samples: &[f32]) -> Vec<f32> {
    let margin = WINDOW / 2;
    let mut padded = Vec::with_capacity(SAMPLES + WINDOW);
    padded.extend(samples.iter().skip(1).take(margin).rev());
    padded.splice(..0, std::iter::repeat_n(0.0, margin - padded.len()));
    padded.extend(samples.iter().take(SAMPLES));
    let mirrored = if samples.len() >= SAMPLES {
        samples
            .iter()
            .take(SAMPLES - 1)
            .rev()
            .take(margin)
            .copied()
            .collect()
    } else {
        Vec::new()
    };
    padded.resize(margin + SAMPLES, 0.0);
    padded.extend(mirrored);
    padded.resize(SAMPLES + WINDOW, 0.0);
    padded
        .windows(WINDOW)
        .step_by(HOP)
        .take(FRAMES)
        .flatten()
        .copied()
        .collect()
}

/// Triangles on Slaney's mel scale, each of area one, as `(BINS, bands)`.
fn filters(bands: usize) -> Vec<f32> {
    // Linear below 1 kHz (mel 15), then 27 mels for every factor of 6.4.
    let to_mel = |hz: f64| {
        if hz < 1000.0 {
            hz * 0.015
        } else {
            15.0 + (hz / 1000.0).ln() * 27.0 / 6.4_f64.ln()
        }
    };
    let to_hz = |mel: f64| {
        if mel < 15.0 {
            mel / 0.015
        } else {
            1000.0 * ((mel - 15.0) * 6.4_f64.ln() / 27.0).exp()
        }
    };
    let nyquist = f64::from(RATE) / 2.0;
    let corner = |i: usize| to_hz(to_mel(nyquist) * i as f64 / (bands + 1) as f64);
    let value = |bin: usize, band: usize| {
        let hz = nyquist * bin as f64 / (BINS - 1) as f64;
        let (low, mid, high) = (corner(band), corner(band + 1), corner(band + 2));
        let height = ((hz - low) / (mid - low))
            .min((high - hz) / (high - mid))
            .max(0.0);
        (height * 2.0 / (high - low)) as f32
    };
    (0..BINS)
        .flat_map(|bin| (0..bands).map(move |band| (bin, band)))
        .map(|(bin, band)| value(bin, band))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_those_whisper_was_trained_with() {
        let filters = filters(80);
        // Published values of the 80-band filter bank: both bands of bin 1 (40 Hz), and nothing at 0 Hz.
        assert!((filters[80] - 0.024_862_59).abs() < 1e-7, "{}", filters[80]);
        assert!((filters[81] - 0.001_990_82).abs() < 1e-7, "{}", filters[81]);
        assert!(filters[..80].iter().all(|value| *value == 0.0));
    }

    #[test]
    fn a_tone_lights_the_band_of_its_frequency() {
        let tone: Vec<f32> = (0..16_000)
            .map(|i| (i as f32 * 1_013.0 / 16_000.0 * std::f32::consts::TAU).sin() * 0.5)
            .collect();
        let picture = Mel::new(80).unwrap().spectrogram(&tone).unwrap();
        assert_eq!(picture.dims(), [1, 80, FRAMES]);
        let rows = picture.squeeze(0).unwrap().to_vec2::<f32>().unwrap();
        let loudest = |frame: usize| {
            (0..80)
                .max_by(|a, b| rows[*a][frame].total_cmp(&rows[*b][frame]))
                .unwrap()
        };
        assert_eq!(loudest(50), 26, "1 kHz is mel 15 of 45.2");
        assert!(
            rows[60][50] < rows[26][50] - 1.9,
            "a soft window keeps a tone out of other bands"
        );
        assert!(
            (rows[26][2_000] - (rows[26][50] - 2.0)).abs() < 1e-5,
            "silence sits 8 decades/4 below the loudest"
        );
    }

    #[test]
    fn windows_are_centred_and_mirrored() {
        let ramp: Vec<f32> = (0..SAMPLES).map(|i| i as f32).collect();
        let windows = windows(&ramp);
        assert_eq!(windows.len(), FRAMES * WINDOW);
        assert_eq!(
            (windows[0], windows[199], windows[200], windows[201]),
            (200.0, 1.0, 0.0, 1.0)
        );
        assert_eq!(windows[WINDOW + 200], HOP as f32);
    }
}
