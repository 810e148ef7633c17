use super::*;

fn name(text: &str) -> Vec<u8> {
    let mut bytes = ((text.len() + 1) as u16).to_le_bytes().to_vec();
    bytes.extend(text.bytes());
    bytes.push(0);
    bytes
}

fn variable(text: &str, dims: &[u32], element: u8, data: &[u8]) -> Vec<u8> {
    let mut bytes = name(text);
    bytes.push(dims.len() as u8);
    bytes.extend(dims.iter().flat_map(|dim| dim.to_le_bytes()));
    bytes.push(element);
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend(data);
    bytes
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn header(version: u32, spec: &str, count: u32) -> Vec<u8> {
    let mut bytes = version.to_le_bytes().to_vec();
    bytes.extend(name(spec));
    bytes.extend(3_u32.to_le_bytes());
    bytes.extend(count.to_le_bytes());
    bytes
}

/// A model of one number per place, with everything the sizes are read from.
fn tiny() -> Vec<u8> {
    let stacked = floats(&[1.0, 2.0, 3.0]);
    let variables = [
        variable("encoder/num_heads", &[], 2, &[6, 0]),
        variable("decoder/num_heads", &[], 2, &[8, 0]),
        variable("encoder/conv1/weight", &[1, 80, 1], 4, &[0x00, 0x3C].repeat(80)), // 1.0 in 16 bits
        variable("decoder/embeddings/weight", &[3, 1], 0, &floats(&[7.0, 8.0, 9.0])),
        variable(
            "decoder/position_encodings/encodings",
            &[2, 1],
            0,
            &floats(&[0.5, 0.25]),
        ),
        variable(
            "encoder/position_encodings/encodings",
            &[2, 1],
            0,
            &floats(&[0.5, 0.25]),
        ),
        variable(
            "decoder/layer_0/self_attention/linear_0/weight",
            &[3, 1],
            0,
            &stacked,
        ),
        variable("decoder/layer_0/self_attention/linear_0/bias", &[3], 0, &stacked),
        variable(
            "decoder/layer_0/attention/linear_1/weight",
            &[2, 1],
            0,
            &floats(&[4.0, 5.0]),
        ),
        variable("decoder/layer_0/ffn/linear_0/weight", &[1, 1], 0, &floats(&[6.0])),
        variable("decoder/layer_norm/gamma", &[1], 0, &floats(&[2.0])),
        variable("decoder/alibi", &[], 1, &[0]),
    ];
    let mut bytes = header(6, "WhisperSpec", variables.len() as u32);
    bytes.extend(variables.concat());
    bytes.extend(0_u32.to_le_bytes());
    bytes
}

fn first(weights: &Weights, name: &str) -> f32 {
    weights.tensors[name]
        .flatten_all()
        .unwrap()
        .to_vec1::<f32>()
        .unwrap()[0]
}

#[test]
fn a_hand_made_file_is_read_and_renamed() {
    let weights = Weights::read(&mut tiny().as_slice()).unwrap();
    assert_eq!(first(&weights, "model.encoder.conv1.weight"), 1.0);
    assert_eq!(
        first(&weights, "model.decoder.layers.0.self_attn.q_proj.weight"),
        1.0
    );
    assert_eq!(
        first(&weights, "model.decoder.layers.0.self_attn.k_proj.weight"),
        2.0
    );
    assert_eq!(
        first(&weights, "model.decoder.layers.0.self_attn.v_proj.bias"),
        3.0
    );
    assert_eq!(
        first(&weights, "model.decoder.layers.0.encoder_attn.v_proj.weight"),
        5.0
    );
    assert_eq!(first(&weights, "model.decoder.layers.0.fc1.weight"), 6.0);
    assert_eq!(first(&weights, "model.decoder.layer_norm.weight"), 2.0);
    assert!(
        !weights
            .tensors
            .contains_key("model.decoder.layers.0.self_attn.k_proj.bias"),
        "keys have no bias"
    );
    assert!(
        !weights
            .tensors
            .contains_key("model.encoder.embed_positions.weight")
    );
}

#[test]
fn the_sizes_follow_from_the_shapes() {
    let config = Weights::read(&mut tiny().as_slice()).unwrap().config;
    assert_eq!(
        (config.num_mel_bins, config.vocab_size, config.d_model),
        (80, 3, 1)
    );
    assert_eq!(
        (config.encoder_attention_heads, config.decoder_attention_heads),
        (6, 8)
    );
    assert_eq!(
        (
            config.decoder_layers,
            config.encoder_layers,
            config.max_target_positions
        ),
        (1, 0, 2)
    );
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let whole = tiny();
    for length in 0..whole.len() - 4 {
        assert!(Weights::read(&mut &whole[..length]).is_err(), "cut at {length}");
    }
}

#[test]
fn other_formats_models_and_lies_are_refused() {
    let one = |bytes: Vec<u8>| [header(6, "WhisperSpec", 1), bytes].concat();
    let cases = [
        header(5, "WhisperSpec", 0),
        header(6, "TransformerSpec", 0),
        header(6, "WhisperSpec", u32::MAX),
        one(variable("decoder/embeddings/weight", &[3, 1], 1, &[0; 3])),
        one(variable("decoder/embeddings/weight", &[9, 9], 0, &floats(&[1.0]))),
        one(variable(
            "decoder/embeddings/weight",
            &[u32::MAX; 8],
            0,
            &floats(&[1.0]),
        )),
    ];
    for (index, case) in cases.iter().enumerate() {
        assert!(Weights::read(&mut case.as_slice()).is_err(), "case {index}");
    }
}
