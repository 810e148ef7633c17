//! What is looked for.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

/// A secret's text, and the forms it takes on its way through careless hands.
#[derive(Clone, Debug)]
pub(crate) struct Needles(Vec<Vec<u8>>);

impl Needles {
    pub(crate) fn of(secret: &str) -> Self {
        let hex = hex::encode(secret);
        let escaped: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let once: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let twice: String = url::form_urlencoded::byte_serialize(once.as_bytes()).collect();
        // As `Debug` prints bytes.
        let numbers: Vec<String> = secret.bytes().map(|byte| byte.to_string()).collect();
        let mut needles = vec![
            secret.to_owned(),
            hex.to_uppercase(),
            hex,
            escaped.to_lowercase(),
            escaped,
            once,
            twice,
            numbers.join(", "),
            numbers.join(","),
        ];
        for before in 0..3 {
            needles.extend(base64_inside(secret, before));
        }
        let mut needles: Vec<_> = needles.into_iter().map(String::into_bytes).collect();
        needles.sort();
        needles.dedup();
        Self(needles)
    }

    pub(crate) fn are_in(&self, bytes: &[u8]) -> bool {
        self.0.iter().any(|needle| contains(bytes, needle))
    }
}

pub(crate) fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    let Some((first, rest)) = needle.split_first() else {
        return true;
    };
    let mut left = bytes;
    while let Some(at) = left.iter().position(|byte| byte == first) {
        left = &left[at + 1..];
        if left.starts_with(rest) {
            return true;
        }
    }
    false
}

/// How the text looks within base64, in both alphabets, when so many bytes stand before it; the characters that it
/// shares with its neighbours are left out.
fn base64_inside(text: &str, before: usize) -> [String; 2] {
    let padded = [&b"\0\0"[..before], text.as_bytes()].concat();
    let whole = (before * 8).div_ceil(6)..padded.len() * 8 / 6;
    [
        STANDARD_NO_PAD.encode(&padded)[whole.clone()].to_owned(),
        URL_SAFE_NO_PAD.encode(&padded)[whole].to_owned(),
    ]
}

#[test]
fn a_secret_is_found_in_every_form() {
    // "id:marker~5e7a!" and two more as `base64` prints them; "~>?" makes the alphabets differ
    let needles = Needles::of("marker~5e7a");
    for text in [
        "marker~5e7a",
        "marker%7E5e7a",
        "marker%257E5e7a",
        "6d61726b65727e35653761",
        "6D61726B65727E35653761",
        "%6D%61%72%6B%65%72%7E%35%65%37%61",
        "aWQ6bWFya2VyfjVlN2Eh",
        "aTptYXJrZXJ+NWU3YSE=",
        "aTptYXJrZXJ-NWU3YSE",
        "OjptYXJrZXJ+NWU3YQ==",
        "eDptYXJrZXJ+NWU3YXg",
        &format!("{:?}", b"marker~5e7a".to_vec()),
    ] {
        assert!(
            needles.are_in(format!("before {text} after").as_bytes()),
            "{text}"
        );
    }
    for text in ["", "marker", "mmarker~5e7", "bWFya2VyfjVl"] {
        assert!(!needles.are_in(text.as_bytes()), "{text}");
    }
}
