use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::*;

/// Nothing a person would write: passes every check, and its base64 has `+` and `/`.
const STRONG: [u8; 32] = [
    0xfb, 0xef, 0xbe, 0xff, 0x3f, 0x02, 0x91, 0x5c, 0x77, 0xd0, 0x18, 0xa4, 0x6e, 0xc9, 0x33, 0x80, 0x4d,
    0xe2, 0x1b, 0x95, 0x09, 0x66, 0xf8, 0x2c, 0xb7, 0x54, 0x0e, 0xda, 0x71, 0x88, 0x3a, 0xc5,
];

fn problem(text: &str) -> (usize, KeyProblem) {
    match parse(text) {
        Err(VaultError::KeyEntry { number, problem }) => (number, problem),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_way_to_write_a_key_is_read() {
    for written in [
        hex::encode(STRONG),
        hex::encode_upper(STRONG),
        STANDARD.encode(STRONG),
        STANDARD_NO_PAD.encode(STRONG),
        URL_SAFE.encode(STRONG),
        URL_SAFE_NO_PAD.encode(STRONG),
    ] {
        let keys = parse(&format!("k1:{written}")).unwrap();
        assert_eq!(keys[0].cipher().bytes(), &STRONG, "{written}");
    }
}

#[test]
fn what_is_wrong_is_said_with_the_entry_s_number_and_none_of_its_text() {
    let strong = STANDARD.encode(STRONG);
    let text = STANDARD.encode(b"correct horse battery staple 1234");
    let text32 = STANDARD.encode(b"correct horse battery staple 123");
    let twice = STANDARD.encode("6f1d2c3b4a5968778695a4b3c2d1e0ff");
    let counted: [u8; 32] = std::array::from_fn(|index| index as u8);
    let downwards: [u8; 32] = std::array::from_fn(|index| 250 - 3 * index as u8);
    let few: [u8; 32] = std::array::from_fn(|index| STRONG[index % 15]);
    let encode = |bytes: &[u8]| STANDARD.encode(bytes);
    for (entry, expected) in [
        (strong.clone(), KeyProblem::NoColon),
        (format!("k 2:{strong}"), KeyProblem::Id),
        (format!(":{strong}"), KeyProblem::Id),
        (format!("{strong}:k2"), KeyProblem::Id),
        ("k2:not base64!".to_owned(), KeyProblem::Encoding),
        ("k2:".to_owned(), KeyProblem::Length(0)),
        ("k2:c2hvcnQ=".to_owned(), KeyProblem::Length(5)),
        (
            format!("k2:{}", hex::encode(&STRONG[..16])),
            KeyProblem::Length(24),
        ),
        (format!("k2:{text}"), KeyProblem::Length(33)),
        (format!("k2:{text32}"), KeyProblem::Text),
        (format!("k2:{twice}"), KeyProblem::Text),
        (format!("k2:{}", encode(&[0; 32])), KeyProblem::Repetitive),
        (format!("k2:{}", encode(&few)), KeyProblem::Repetitive),
        (format!("k2:{}", encode(&counted)), KeyProblem::Sequence),
        (format!("k2:{}", encode(&downwards)), KeyProblem::Sequence),
        (format!("k1:{}", hex::encode(STRONG)), KeyProblem::DuplicateId(1)),
        (format!("k2:{}", hex::encode(STRONG)), KeyProblem::DuplicateKey(1)),
    ] {
        let list = format!("# first, of two\nk1:{strong}\n\n{entry}\n");
        assert_eq!(problem(&list), (2, expected), "{entry}");
        let error = parse(&list).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(
            shown.starts_with("entry 2 of the keys has") || expected == KeyProblem::NoColon,
            "{shown}"
        );
        for part in entry.split(':').filter(|part| part.len() > 3) {
            assert!(!shown.contains(part), "{shown}");
        }
    }
}

#[test]
fn an_empty_list_is_an_error() {
    for empty in ["", "\n", " , ,\n", "# only a comment"] {
        assert!(matches!(parse(empty), Err(VaultError::NoKeys)), "{empty}");
    }
}

#[test]
fn an_entry_is_taken_out_and_the_rest_stays() {
    let text = "# k1:comment, k2\nk1:a, k2:b\nk12:c\n";
    let id = KeyId::new("k1").unwrap();
    assert_eq!(without(text, &id).as_str(), "# k1:comment, k2\nk2:b\nk12:c\n");
}

proptest! {
    #[test]
    fn no_random_key_is_refused(bytes in any::<[u8; 32]>()) {
        // proptest likes edge cases within integers, not arrays of one value: these are as good as random.
        prop_assert_eq!(weakness(&bytes), None);
    }

    #[test]
    fn any_text_is_keys_or_an_error(text in "([a-z#:,= \n]|k[0-9]:[A-Za-z0-9+/_=-]{40,46}[,\n]){0,4}") {
        let _outcome = parse(&text);
    }
}
