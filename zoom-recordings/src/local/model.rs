//! Whisper as a whole: a piece of speech in, sentences with times out.

use std::path::Path;

use candle_core::{DType, Device, Result};
use candle_nn::VarBuilder;
use candle_transformers::models::whisper::model::{AudioEncoder, Whisper};
use serde::Deserialize;

use super::{
    decoder::Decoder,
    mel::{Mel, SAMPLES},
    models::ModelError,
    rules::{choose, loop_start, probability},
    sentences::{Sentence, join, keep_words, sentences},
    tokens::Tokens,
    voice::{FRAME, Piece},
    weights::Weights,
};
use crate::{WarningKind, transcript::Warnings};

/// Both together mean that nobody spoke (the thresholds of Whisper's authors).
const NO_SPEECH: f32 = 0.6;
const DOUBT: f32 = -1.0;
/// Voiced frames (1 s) that are worth another look when Whisper stopped before them.
const WORTH_ANOTHER_LOOK: usize = 63;
/// Looks at one piece; each but the first begins where the one before it stopped.
const LOOKS: usize = 4;
/// A loaded model. Cloning shares the weights.
#[derive(Debug, Clone)]
pub(super) struct Model {
    encoder: AudioEncoder,
    decoder: Decoder,
    mel: Mel,
    tokens: Tokens,
    never: Vec<u32>,
    /// Most tokens in one go, prompt included.
    room: usize,
    multilingual: bool,
}

/// The part of CTranslate2's `config.json` that matters: tokens that are noises, not words.
#[derive(Deserialize, Default)]
struct ConfigFile {
    #[serde(default)]
    suppress_ids: Vec<u32>,
}

impl Model {
    pub(super) fn load(dir: &Path) -> std::result::Result<Self, ModelError> {
        let tokens = Tokens::load(&dir.join("tokenizer.json"))?;
        let never = match std::fs::read(dir.join("config.json")) {
            Ok(json) => serde_json::from_slice::<ConfigFile>(&json)
                .map_err(|_| ModelError::format("config.json is not Whisper's"))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => ConfigFile::default(),
            Err(source) => return Err(ModelError::io(&dir.join("config.json"), source)),
        };
        let Weights { tensors, config } = Weights::load(&dir.join("model.bin"))?;
        if (config.vocab_size as u64) <= u64::from(tokens.first_timestamp()) {
            return Err(ModelError::format(
                "model.bin and tokenizer.json do not belong together",
            ));
        }
        // English-only models have one token less, and no use for a language.
        let multilingual = config.vocab_size >= 51_865;
        let (room, bands) = (config.max_target_positions, config.num_mel_bins);
        let weights = VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu);
        let decoder = Decoder::load(weights.pp("model.decoder"), &config).map_err(ModelError::candle)?;
        let encoder = Whisper::load(&weights, config)
            .map_err(ModelError::candle)?
            .encoder;
        let mel = Mel::new(bands).map_err(ModelError::candle)?;
        Ok(Self {
            encoder,
            decoder,
            mel,
            tokens,
            never: never.suppress_ids,
            room,
            multilingual,
        })
    }

    pub(super) fn is_multilingual(&self) -> bool {
        self.multilingual
    }

    pub(super) fn knows_language(&self, code: &str) -> bool {
        self.tokens.languages.iter().any(|(known, _)| known == code)
    }

    /// The language somebody speaks in a piece.
    pub(super) fn language(&mut self, piece: &Piece) -> Result<Option<String>> {
        let sound = self
            .encoder
            .forward(&self.mel.spectrogram(&piece.samples)?, true)?;
        let scores = self
            .decoder
            .say(&mut self.decoder.listen(&sound)?, self.tokens.start)?;
        let score = |token: u32| scores.get(token as usize).copied().unwrap_or(f32::NEG_INFINITY);
        let best = self
            .tokens
            .languages
            .iter()
            .max_by(|a, b| score(a.1).total_cmp(&score(b.1)));
        Ok(best.map(|(code, _)| code.clone()))
    }

    /// What is said in a piece of at most thirty seconds.
    pub(super) fn transcribe(
        &mut self,
        piece: Piece,
        language: Option<&str>,
        warnings: &mut Warnings,
    ) -> Result<Vec<Sentence>> {
        let mut all = Vec::new();
        let mut rest = piece;
        for _ in 0..LOOKS {
            let heard = self.look(&rest, language, warnings)?;
            let Some(end) = heard.last().map(|sentence| sentence.end) else {
                break;
            };
            all.extend(heard);
            // A small model sometimes stops early; the voice detector knows that somebody went on.
            let done = usize::try_from(end.saturating_sub(rest.start)).unwrap_or(usize::MAX) / FRAME;
            if done == 0 || rest.voiced_after(done) < WORTH_ANOTHER_LOOK {
                break;
            }
            rest = rest.split_off(done);
        }
        Ok(join(all))
    }

    fn look(
        &mut self,
        piece: &Piece,
        language: Option<&str>,
        warnings: &mut Warnings,
    ) -> Result<Vec<Sentence>> {
        let sound = self
            .encoder
            .forward(&self.mel.spectrogram(&piece.samples)?, true)?;
        let mut context = self.decoder.listen(&sound)?;
        let mut scores = self.decoder.say(&mut context, self.tokens.start)?;
        let no_speech = probability(&scores, self.tokens.no_speech);
        for token in self.prompt(language) {
            scores = self.decoder.say(&mut context, token)?;
        }

        let (mut said, mut words, mut sum) = (Vec::new(), Vec::new(), 0.0);
        while context.len() < self.room {
            let choice = choose(&mut scores, &said, &self.tokens, &self.never);
            sum += choice.log_probability;
            if choice.token == self.tokens.end {
                break;
            }
            said.push(choice.token);
            if self.tokens.is_text(choice.token) {
                words.push(choice.token);
                if let Some(keep) = loop_start(&words) {
                    keep_words(&mut said, keep, &self.tokens);
                    warnings.add(WarningKind::Repetition, None);
                    break;
                }
            }
            scores = self.decoder.say(&mut context, choice.token)?;
        }
        let doubt = sum / (said.len() + 1) as f32;
        if no_speech > NO_SPEECH && doubt < DOUBT {
            warnings.add(WarningKind::Silence, None);
            return Ok(Vec::new());
        }
        let length = piece.samples.len().min(SAMPLES) as u64;
        let mut sentences = sentences(&said, piece.start, length, &self.tokens);
        for Sentence { start, end, .. } in &mut sentences {
            (*start, *end) = piece.voice_within(piece.pause_near(*start), piece.pause_near(*end));
        }
        Ok(sentences)
    }

    fn prompt(&self, language: Option<&str>) -> Vec<u32> {
        if !self.multilingual {
            return Vec::new();
        }
        let token = language.and_then(|code| self.tokens.languages.iter().find(|(known, _)| known == code));
        token
            .map(|(_, token)| *token)
            .into_iter()
            .chain([self.tokens.transcribe])
            .collect()
    }
}
