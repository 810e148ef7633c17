//! Whisper's text decoder, one token at a time.
//!
//! candle's own re-reads everything said so far for each token and costs the square of the length; this one keeps the
//! keys and values of the past, which makes a minute of speech about five times as fast.

use candle_core::{D, Result, Tensor};
use candle_nn::{LayerNorm, Linear, Module, VarBuilder, ops::softmax_last_dim};
use candle_transformers::models::whisper::Config;

/// The weights; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Decoder {
    embeddings: Tensor,
    positions: Tensor,
    layers: Vec<Layer>,
    norm: LayerNorm,
}

#[derive(Debug, Clone)]
struct Layer {
    self_norm: LayerNorm,
    self_attention: Attention,
    cross_norm: LayerNorm,
    cross_attention: Attention,
    feed_norm: LayerNorm,
    widen: Linear,
    narrow: Linear,
}

#[derive(Debug, Clone)]
struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
    out: Linear,
    heads: usize,
}

/// What was heard and what was said so far, as keys and values: one pair of pairs for each layer.
#[derive(Debug)]
pub(super) struct Context {
    heard: Vec<KeysValues>,
    said: Vec<Option<KeysValues>>,
    length: usize,
}

/// `(heads, positions, width of a head)` each.
type KeysValues = (Tensor, Tensor);

impl Context {
    /// Tokens said so far.
    pub(super) fn len(&self) -> usize {
        self.length
    }
}

impl Decoder {
    pub(super) fn load(weights: VarBuilder<'_>, config: &Config) -> Result<Self> {
        let width = config.d_model;
        let layers = (0..config.decoder_layers).map(|n| {
            Layer::load(
                weights.pp(format!("layers.{n}")),
                width,
                config.decoder_attention_heads,
            )
        });
        Ok(Self {
            embeddings: weights.get((config.vocab_size, width), "embed_tokens.weight")?,
            positions: weights.get((config.max_target_positions, width), "embed_positions.weight")?,
            layers: layers.collect::<Result<_>>()?,
            norm: norm(weights.pp("layer_norm"), width)?,
        })
    }

    /// Begins on what the encoder made of the sound, `(1, positions, width)`.
    pub(super) fn listen(&self, sound: &Tensor) -> Result<Context> {
        let sound = sound.squeeze(0)?;
        let heard = self
            .layers
            .iter()
            .map(|layer| layer.cross_attention.keys_values(&sound));
        Ok(Context {
            heard: heard.collect::<Result<_>>()?,
            said: vec![None; self.layers.len()],
            length: 0,
        })
    }

    /// Says one token; gives the score of every token that may come next.
    pub(super) fn say(&self, context: &mut Context, token: u32) -> Result<Vec<f32>> {
        let token = Tensor::new(&[token], self.embeddings.device())?;
        let position = self.positions.narrow(0, context.length, 1)?;
        let mut state = (self.embeddings.index_select(&token, 0)? + position)?;
        for ((layer, heard), said) in self.layers.iter().zip(&context.heard).zip(&mut context.said) {
            state = layer.forward(&state, heard, said)?;
        }
        context.length += 1;
        self.norm
            .forward(&state)?
            .matmul(&self.embeddings.t()?)?
            .squeeze(0)?
            .to_vec1()
    }
}

impl Layer {
    fn load(weights: VarBuilder<'_>, width: usize, heads: usize) -> Result<Self> {
        Ok(Self {
            self_norm: norm(weights.pp("self_attn_layer_norm"), width)?,
            self_attention: Attention::load(weights.pp("self_attn"), width, heads)?,
            cross_norm: norm(weights.pp("encoder_attn_layer_norm"), width)?,
            cross_attention: Attention::load(weights.pp("encoder_attn"), width, heads)?,
            feed_norm: norm(weights.pp("final_layer_norm"), width)?,
            widen: candle_nn::linear(width, 4 * width, weights.pp("fc1"))?,
            narrow: candle_nn::linear(4 * width, width, weights.pp("fc2"))?,
        })
    }

    fn forward(&self, state: &Tensor, heard: &KeysValues, said: &mut Option<KeysValues>) -> Result<Tensor> {
        let normed = self.self_norm.forward(state)?;
        let now = self.self_attention.keys_values(&normed)?;
        let all = match said.take() {
            Some(past) => (
                Tensor::cat(&[past.0, now.0], 1)?,
                Tensor::cat(&[past.1, now.1], 1)?,
            ),
            None => now,
        };
        let state = (state + self.self_attention.forward(&normed, &all)?)?;
        *said = Some(all);
        let normed = self.cross_norm.forward(&state)?;
        let state = (&state + self.cross_attention.forward(&normed, heard)?)?;
        let wide = self.widen.forward(&self.feed_norm.forward(&state)?)?.gelu_erf()?;
        &state + self.narrow.forward(&wide)?
    }
}

impl Attention {
    fn load(weights: VarBuilder<'_>, width: usize, heads: usize) -> Result<Self> {
        Ok(Self {
            query: candle_nn::linear(width, width, weights.pp("q_proj"))?,
            key: candle_nn::linear_no_bias(width, width, weights.pp("k_proj"))?,
            value: candle_nn::linear(width, width, weights.pp("v_proj"))?,
            out: candle_nn::linear(width, width, weights.pp("out_proj"))?,
            heads,
        })
    }

    fn keys_values(&self, states: &Tensor) -> Result<KeysValues> {
        Ok((
            self.split(&self.key.forward(states)?)?,
            self.split(&self.value.forward(states)?)?,
        ))
    }

    /// One state attends to all positions of `keys` and `values`.
    fn forward(&self, state: &Tensor, (keys, values): &KeysValues) -> Result<Tensor> {
        let query = self.split(&self.query.forward(state)?)?;
        let scale = (query.dim(D::Minus1)? as f64).powf(-0.5);
        let weights = softmax_last_dim(&(query.matmul(&keys.t()?)? * scale)?)?;
        let mixed = weights.matmul(values)?.transpose(0, 1)?.flatten_from(1)?;
        self.out.forward(&mixed)
    }

    /// `(positions, width)` → `(heads, positions, width / heads)`.
    fn split(&self, states: &Tensor) -> Result<Tensor> {
        let (positions, width) = states.dims2()?;
        states
            .reshape((positions, self.heads, width / self.heads.max(1)))?
            .transpose(0, 1)?
            .contiguous()
    }
}

fn norm(weights: VarBuilder<'_>, width: usize) -> Result<LayerNorm> {
    candle_nn::layer_norm(width, 1e-5, weights)
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};
    use candle_transformers::models::whisper::model::Whisper;

    use super::*;

    /// A model of random numbers, the same on every run.
    fn random(config: &Config) -> VarBuilder<'static> {
        let variables = candle_nn::VarMap::new();
        let weights = VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu);
        Whisper::load(&weights, config.clone()).unwrap();
        let mut state = 1_u32;
        let tensors = variables
            .data()
            .lock()
            .unwrap()
            .iter()
            .map(|(name, tensor)| (name.clone(), tensor.dims().to_vec()))
            .collect::<std::collections::BTreeMap<_, _>>();
        let tensors = tensors.into_iter().map(|(name, dims)| {
            let values: Vec<f32> = (0..dims.iter().product::<usize>())
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    ((state >> 8) as f32 / 16_777_216.0 - 0.5) * 4.0
                })
                .collect();
            (name, Tensor::from_vec(values, dims, &Device::Cpu).unwrap())
        });
        VarBuilder::from_tensors(tensors.collect(), DType::F32, &Device::Cpu)
    }

    #[test]
    fn one_token_at_a_time_scores_like_candles_decoder_on_the_whole() {
        let config = Config {
            num_mel_bins: 4,
            max_source_positions: 6,
            d_model: 8,
            encoder_attention_heads: 2,
            encoder_layers: 1,
            vocab_size: 11,
            max_target_positions: 9,
            decoder_attention_heads: 2,
            decoder_layers: 2,
            suppress_tokens: vec![],
        };
        let weights = random(&config);
        let mut candles = Whisper::load(&weights, config.clone()).unwrap().decoder;
        let ours = Decoder::load(weights.pp("model.decoder"), &config).unwrap();
        let sound = Tensor::arange(0_f32, 48.0, &Device::Cpu)
            .unwrap()
            .sin()
            .unwrap()
            .reshape((1, 6, 8))
            .unwrap();

        let mut context = ours.listen(&sound).unwrap();
        let said = [3_u32, 1, 4, 1, 5];
        for (index, token) in said.iter().enumerate() {
            let scores = ours.say(&mut context, *token).unwrap();
            let so_far = Tensor::new(&said[..=index], &Device::Cpu)
                .unwrap()
                .unsqueeze(0)
                .unwrap();
            let state = candles.forward(&so_far, &sound, true).unwrap();
            let expected = candles
                .final_linear(&state)
                .unwrap()
                .squeeze(0)
                .unwrap()
                .to_vec2::<f32>()
                .unwrap();
            for (a, b) in scores.iter().zip(&expected[index]) {
                // candle approximates the activation; Whisper was trained with the exact one.
                assert!((a - b).abs() < 0.02, "{scores:?} {:?}", expected[index]);
            }
        }
        assert_eq!(context.len(), said.len());
    }
}
