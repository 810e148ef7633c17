//! Reads Whisper's weights from a CTranslate2 `model.bin` (binary format 6), the form in which they can be had from a
//! package index, and gives them the names candle looks for.
//!
//! The file, little endian: version `u32`, specification name, revision `u32`, number of variables `u32`; per variable
//! its name, rank `u8`, dimensions `u32` each, element type `u8`, length in bytes `u32`, data; then aliases, which
//! Whisper does not need. A name is its length `u16` with the closing NUL, and the bytes.

use std::{
    collections::HashMap,
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

use candle_core::{DType, Device, Tensor};
use candle_transformers::models::whisper::Config;

use super::models::ModelError;

/// Tensors under the names of Hugging Face's Whisper, as 32-bit floats, and the sizes that follow from them.
#[derive(Debug)]
pub(super) struct Weights {
    pub(super) tensors: HashMap<String, Tensor>,
    pub(super) config: Config,
}

/// Longest variable (large-v3's embeddings take 133 MB) and most variables a Whisper can have.
const LONGEST: u32 = 300_000_000;
const MOST: u32 = 5_000;

impl Weights {
    pub(super) fn load(path: &Path) -> Result<Self, ModelError> {
        let file = File::open(path).map_err(|source| ModelError::io(path, source))?;
        Self::read(&mut BufReader::with_capacity(1 << 20, file))
    }

    fn read(input: &mut impl Read) -> Result<Self, ModelError> {
        if u32_of(input)? != 6 {
            return Err(ModelError::format("not CTranslate2's binary format 6"));
        }
        if name_of(input)? != "WhisperSpec" {
            return Err(ModelError::format("a model, but not Whisper"));
        }
        let _revision = u32_of(input)?;
        let count = u32_of(input)?;
        if count > MOST {
            return Err(ModelError::format("too many variables"));
        }
        let mut tensors = HashMap::new();
        let mut heads = HashMap::new();
        for _ in 0..count {
            let name = name_of(input)?;
            let variable = Variable::read(input)?;
            if let Some(side) = name.strip_suffix("/num_heads") {
                heads.insert(side.to_owned(), variable.small_number()?);
            } else if let Some(target) = candle_names(&name) {
                variable.store(&target, &mut tensors)?;
            }
        }
        let config = config_of(&tensors, &heads)?;
        Ok(Self { tensors, config })
    }
}

/// A variable of the file.
struct Variable {
    dims: Vec<usize>,
    element: u8,
    data: Vec<u8>,
}

impl Variable {
    fn read(input: &mut impl Read) -> Result<Self, ModelError> {
        let [rank] = bytes_of(input)?;
        let dims = (0..rank.min(8))
            .map(|_| Ok(u32_of(input)? as usize))
            .collect::<Result<_, ModelError>>()?;
        let [element] = bytes_of(input)?;
        let length = u32_of(input)?;
        if rank > 8 || length > LONGEST {
            return Err(ModelError::format("a variable is larger than any of Whisper's"));
        }
        let mut data = Vec::new();
        input
            .take(u64::from(length))
            .read_to_end(&mut data)
            .map_err(truncated)?;
        if data.len() != length as usize {
            return Err(ModelError::format("the file ends too early"));
        }
        Ok(Self { dims, element, data })
    }

    fn small_number(&self) -> Result<usize, ModelError> {
        let (low, rest) = self
            .data
            .split_first()
            .ok_or_else(|| ModelError::format("a number is empty"))?;
        if rest.iter().any(|byte| *byte != 0) {
            return Err(ModelError::format("a number is too large"));
        }
        Ok(usize::from(*low))
    }

    /// Cuts the variable into equal parts along its first dimension, one for each name; `None` drops a part.
    fn store(
        self,
        names: &[Option<String>],
        tensors: &mut HashMap<String, Tensor>,
    ) -> Result<(), ModelError> {
        let dtype = match self.element {
            0 => DType::F32,
            4 => DType::F16,
            5 => DType::BF16,
            _ => {
                return Err(ModelError::format(
                    "quantised weights; take a model with 16- or 32-bit floats",
                ));
            }
        };
        let elements = self
            .dims
            .iter()
            .try_fold(1_usize, |product, dim| product.checked_mul(*dim));
        if elements.and_then(|n| n.checked_mul(dtype.size_in_bytes())) != Some(self.data.len()) {
            return Err(ModelError::format("a variable's length does not fit its shape"));
        }
        let tensor = Tensor::from_raw_buffer(&self.data, dtype, &self.dims, &Device::Cpu)
            .and_then(|tensor| tensor.to_dtype(DType::F32))
            .map_err(ModelError::candle)?;
        let parts = tensor.chunk(names.len(), 0).map_err(ModelError::candle)?;
        for (name, part) in names.iter().zip(parts) {
            if let Some(name) = name {
                tensors.insert(name.clone(), part.contiguous().map_err(ModelError::candle)?);
            }
        }
        Ok(())
    }
}

/// Where a variable goes; several names where CTranslate2 stacks what candle keeps apart.
fn candle_names(name: &str) -> Option<Vec<Option<String>>> {
    let (side, rest) = name.split_once('/')?;
    let at = |path: &str| Some(format!("model.{side}.{path}"));
    let kind = |leaf: &str| match leaf {
        "gamma" | "weight" => Some("weight"),
        "beta" | "bias" => Some("bias"),
        _ => None,
    };
    match rest.split('/').collect::<Vec<_>>().as_slice() {
        ["embeddings", "weight"] => Some(vec![at("embed_tokens.weight")]),
        // The encoder's positions are a formula, which candle computes itself.
        ["position_encodings", "encodings"] if side == "decoder" => Some(vec![at("embed_positions.weight")]),
        [conv @ ("conv1" | "conv2"), leaf] => Some(vec![at(&format!("{conv}.{}", kind(leaf)?))]),
        ["layer_norm", leaf] => Some(vec![at(&format!("layer_norm.{}", kind(leaf)?))]),
        [layer, block, part, leaf] => {
            let number: usize = layer.strip_prefix("layer_")?.parse().ok()?;
            let kind = kind(leaf)?;
            let at = |path: &str| at(&format!("layers.{number}.{path}.{kind}"));
            // Keys have no bias in Whisper; CTranslate2 stacks zeros.
            let key = |path: &str| if kind == "bias" { None } else { at(path) };
            Some(match (*block, *part) {
                ("self_attention", "layer_norm") => vec![at("self_attn_layer_norm")],
                ("self_attention", "linear_0") => {
                    vec![
                        at("self_attn.q_proj"),
                        key("self_attn.k_proj"),
                        at("self_attn.v_proj"),
                    ]
                }
                ("self_attention", "linear_1") => vec![at("self_attn.out_proj")],
                ("attention", "layer_norm") => vec![at("encoder_attn_layer_norm")],
                ("attention", "linear_0") => vec![at("encoder_attn.q_proj")],
                ("attention", "linear_1") => vec![key("encoder_attn.k_proj"), at("encoder_attn.v_proj")],
                ("attention", "linear_2") => vec![at("encoder_attn.out_proj")],
                ("ffn", "layer_norm") => vec![at("final_layer_norm")],
                ("ffn", "linear_0") => vec![at("fc1")],
                ("ffn", "linear_1") => vec![at("fc2")],
                _ => return None,
            })
        }
        _ => None,
    }
}

fn config_of(
    tensors: &HashMap<String, Tensor>,
    heads: &HashMap<String, usize>,
) -> Result<Config, ModelError> {
    let dim = |name: &str, index: usize| {
        let size = tensors
            .get(name)
            .and_then(|tensor| tensor.dims().get(index))
            .copied();
        size.ok_or_else(|| ModelError::format("a variable of Whisper is missing"))
    };
    let layers = |side: &str| {
        (0_usize..)
            .take_while(|n| tensors.contains_key(&format!("model.{side}.layers.{n}.fc1.weight")))
            .count()
    };
    let heads = |side: &str| {
        let heads = heads.get(side).copied().filter(|heads| *heads > 0);
        heads.ok_or_else(|| ModelError::format("the number of attention heads is missing"))
    };
    Ok(Config {
        num_mel_bins: dim("model.encoder.conv1.weight", 1)?,
        max_source_positions: 1_500,
        d_model: dim("model.decoder.embed_tokens.weight", 1)?,
        encoder_attention_heads: heads("encoder")?,
        encoder_layers: layers("encoder"),
        vocab_size: dim("model.decoder.embed_tokens.weight", 0)?,
        max_target_positions: dim("model.decoder.embed_positions.weight", 0)?,
        decoder_attention_heads: heads("decoder")?,
        decoder_layers: layers("decoder"),
        suppress_tokens: Vec::new(),
    })
}

fn bytes_of<const N: usize>(input: &mut impl Read) -> Result<[u8; N], ModelError> {
    let mut bytes = [0; N];
    input.read_exact(&mut bytes).map_err(truncated)?;
    Ok(bytes)
}

fn u32_of(input: &mut impl Read) -> Result<u32, ModelError> {
    Ok(u32::from_le_bytes(bytes_of(input)?))
}

fn name_of(input: &mut impl Read) -> Result<String, ModelError> {
    let length = u16::from_le_bytes(bytes_of(input)?);
    let mut name = vec![0; usize::from(length)];
    input.read_exact(&mut name).map_err(truncated)?;
    name.pop(); // NUL
    String::from_utf8(name).map_err(|_| ModelError::format("a name is not text"))
}

fn truncated(_: std::io::Error) -> ModelError {
    ModelError::format("the file ends too early")
}

#[cfg(test)]
mod tests;
