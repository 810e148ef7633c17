//! From a media file to mono samples at 16 kHz, block by block: a recording of hours never sits in memory.

use std::{fs::File, path::Path, time::Duration};

use rubato::{Fft, FixedSync, Resampler as _, audioadapter_buffers::direct::InterleavedSlice};
use symphonia::core::{
    codecs::audio::{AudioDecoder, AudioDecoderOptions},
    errors::Error as SymphoniaError,
    formats::{FormatOptions, FormatReader, TrackType, probe::Hint},
    io::MediaSourceStream,
    meta::MetadataOptions,
    units::TimeBase,
};

/// Samples per second everywhere behind this module.
pub(super) const RATE: u32 = 16_000;

#[derive(Debug, thiserror::Error)]
pub(super) enum AudioError {
    #[error("cannot read the media file")]
    Read(#[source] std::io::Error),
    #[error("not a media file this build can decode (M4A, MP4, MP3, WAV, FLAC, Ogg)")]
    Format(#[source] SymphoniaError),
    #[error("the media file has no audio track")]
    NoAudio,
    #[error("the audio track is damaged")]
    Damaged(#[source] SymphoniaError),
    #[error("the sample rate changes within the audio track")]
    RateChanged,
    #[error("cannot resample from {rate} Hz")]
    Resample {
        rate: u32,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A media file being decoded.
pub(super) struct Audio {
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track: u32,
    time_base: Option<TimeBase>,
    duration: Option<Duration>,
    interleaved: Vec<f32>,
    resampler: Option<Resampler>,
    ended: bool,
}

impl Audio {
    pub(super) fn open(path: &Path) -> Result<Self, AudioError> {
        let file = File::open(path).map_err(AudioError::Read)?;
        let mut hint = Hint::new();
        if let Some(extension) = path.extension().and_then(|e| e.to_str()) {
            hint.with_extension(extension);
        }
        let format = symphonia::default::get_probe()
            .probe(
                &hint,
                MediaSourceStream::new(Box::new(file), Default::default()),
                FormatOptions::default(),
                MetadataOptions::default(),
            )
            .map_err(AudioError::Format)?;
        let track = format
            .default_track(TrackType::Audio)
            .ok_or(AudioError::NoAudio)?;
        let parameters = track
            .codec_params
            .as_ref()
            .and_then(|p| p.audio())
            .ok_or(AudioError::NoAudio)?;
        let decoder = symphonia::default::get_codecs()
            .make_audio_decoder(parameters, &AudioDecoderOptions::default())
            .map_err(AudioError::Format)?;
        let duration = match (track.time_base, track.duration) {
            (Some(base), Some(ticks)) => base
                .calc_duration(ticks)
                .and_then(|time| Duration::try_from_secs_f64(time.as_secs_f64()).ok()),
            _ => None,
        };
        let (track, time_base) = (track.id, track.time_base);
        Ok(Self {
            format,
            decoder,
            track,
            time_base,
            duration,
            interleaved: Vec::new(),
            resampler: None,
            ended: false,
        })
    }

    /// What the container says; the samples have the last word.
    pub(super) fn duration(&self) -> Option<Duration> {
        self.duration
    }

    /// The next samples, mono at [`RATE`]; `None` at the end.
    pub(super) fn next_block(&mut self) -> Result<Option<Vec<f32>>, AudioError> {
        while !self.ended {
            let packet = match self.format.next_packet() {
                Ok(Some(packet)) => packet,
                Ok(None) | Err(SymphoniaError::ResetRequired) => return self.finish(),
                Err(SymphoniaError::IoError(error)) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
                    return Err(AudioError::Read(error));
                }
                // A recording that was cut off still has everything before the cut.
                Err(error) if self.resampler.is_some() => {
                    tracing::warn!(%error, "the media file is damaged; what comes after is lost");
                    return self.finish();
                }
                Err(error) => return Err(AudioError::Damaged(error)),
            };
            if packet.track_id != self.track {
                continue;
            }
            let mut block = Vec::new();
            match self.decoder.decode(&packet) {
                Ok(buffer) => {
                    let (rate, channels) = (buffer.spec().rate(), buffer.spec().channels().count());
                    buffer.copy_to_vec_interleaved(&mut self.interleaved);
                    let resampler = match &mut self.resampler {
                        Some(resampler) if resampler.rate != rate => return Err(AudioError::RateChanged),
                        Some(resampler) => resampler,
                        empty => empty.insert(Resampler::new(rate)?),
                    };
                    resampler.push(&to_mono(&self.interleaved, channels), &mut block)?;
                }
                // A damaged packet becomes silence, so that what follows keeps its time.
                Err(SymphoniaError::DecodeError(_)) => {
                    let lost = self.time_base.and_then(|base| base.calc_duration(packet.dur));
                    if let (Some(resampler), Some(lost)) = (&mut self.resampler, lost) {
                        let frames = lost.as_secs_f64().clamp(0.0, 10.0) * f64::from(resampler.rate);
                        resampler.push(&vec![0.0; frames as usize], &mut block)?;
                    }
                }
                Err(error) => return Err(AudioError::Damaged(error)),
            }
            if !block.is_empty() {
                return Ok(Some(block));
            }
        }
        Ok(None)
    }

    fn finish(&mut self) -> Result<Option<Vec<f32>>, AudioError> {
        self.ended = true;
        let mut block = Vec::new();
        if let Some(resampler) = &mut self.resampler {
            resampler.finish(&mut block)?;
        }
        Ok((!block.is_empty()).then_some(block))
    }
}

/// The mean of the channels; anything that is no number becomes silence, anything too loud is clipped.
fn to_mono(interleaved: &[f32], channels: usize) -> Vec<f32> {
    let channels = channels.max(1);
    interleaved
        .chunks_exact(channels)
        .map(|frame| frame.iter().sum::<f32>() / channels as f32)
        .map(|sample| {
            if sample.is_finite() {
                sample.clamp(-1.0, 1.0)
            } else {
                0.0
            }
        })
        .collect()
}

/// Any rate to [`RATE`], in a stream, without shifting the time.
pub(super) struct Resampler {
    rate: u32,
    /// `None` when the rate is right already.
    filter: Option<Fft<f32>>,
    /// Input not yet enough for a chunk of the filter.
    pending: Vec<f32>,
    /// Output still to drop: the delay of the filter.
    delay: usize,
    taken: u64,
    given: u64,
}

const CHUNK: usize = 1024;

impl Resampler {
    pub(super) fn new(rate: u32) -> Result<Self, AudioError> {
        let filter = (rate != RATE)
            .then(|| Fft::new(rate as usize, RATE as usize, CHUNK, 1, FixedSync::Input))
            .transpose()
            .map_err(|source| AudioError::Resample {
                rate,
                source: Box::new(source),
            })?;
        let delay = filter.as_ref().map_or(0, |filter| filter.output_delay());
        Ok(Self {
            rate,
            filter,
            pending: Vec::new(),
            delay,
            taken: 0,
            given: 0,
        })
    }

    pub(super) fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) -> Result<(), AudioError> {
        self.taken += samples.len() as u64;
        self.feed(samples, out)
    }

    /// Gives what is still inside; the output is then as long as the input, to the sample.
    pub(super) fn finish(&mut self, out: &mut Vec<f32>) -> Result<(), AudioError> {
        let wanted = (self.taken * u64::from(RATE)).div_ceil(u64::from(self.rate.max(1)));
        while self.given < wanted {
            self.feed(&[0.0; CHUNK], out)?;
        }
        let surplus = usize::try_from(self.given - wanted).unwrap_or(0);
        out.truncate(out.len().saturating_sub(surplus));
        self.given = wanted;
        Ok(())
    }

    fn feed(&mut self, samples: &[f32], out: &mut Vec<f32>) -> Result<(), AudioError> {
        let before = out.len();
        let Some(filter) = &mut self.filter else {
            out.extend_from_slice(samples);
            self.given += samples.len() as u64;
            return Ok(());
        };
        let rate = self.rate;
        let failed = |source| AudioError::Resample { rate, source };
        self.pending.extend_from_slice(samples);
        let mut used = 0;
        while let Some(chunk) = self.pending.get(used..used + filter.input_frames_next()) {
            let input = InterleavedSlice::new(chunk, 1, chunk.len()).map_err(|e| failed(Box::new(e)))?;
            let output = filter
                .process(&input, None)
                .map_err(|e| failed(Box::new(e)))?
                .take_data();
            let dropped = self.delay.min(output.len());
            self.delay -= dropped;
            out.extend(output.iter().skip(dropped).map(|sample| sample.clamp(-1.0, 1.0)));
            used += chunk.len();
        }
        self.pending.drain(..used);
        self.given += (out.len() - before) as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
