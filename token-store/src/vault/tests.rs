use std::sync::Arc;

use proptest::prelude::*;
use static_assertions::{assert_not_impl_any, assert_obj_safe};

use super::*;
use crate::KeyId;

assert_not_impl_any!(Key: fmt::Display, PartialEq, serde::Serialize, Copy);
assert_not_impl_any!(StaticKeys: fmt::Display, PartialEq, serde::Serialize);
assert_not_impl_any!(KeyFile: fmt::Display, PartialEq, serde::Serialize);
assert_obj_safe!(KeyProvider);

fn key(name: &str, byte: u8) -> Key {
    Key::new(KeyId::new(name).unwrap(), [byte; 32])
}

fn vault(primary: Key, older: impl IntoIterator<Item = Key>) -> Vault {
    Vault::new(Arc::new(StaticKeys::new(primary, older)))
}

/// A context that owns its parts.
#[derive(Clone, Debug, PartialEq)]
struct Place(OwnerId, ConnectionId, String, u64);

impl Place {
    fn new(owner: &str, connection: &str, field: &str, generation: u64) -> Self {
        Self(owner.into(), connection.into(), field.to_owned(), generation)
    }

    fn context(&self) -> SealContext<'_> {
        let Self(owner, connection, field, generation) = self;
        SealContext {
            owner,
            connection,
            field,
            generation: Generation::new(*generation),
        }
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

#[test]
fn what_was_sealed_opens_in_its_place() {
    let vault = vault(key("k1", 1), []);
    let place = Place::new("rep", "c1", "tokens", 3);
    let sealed = block_on(vault.seal(&place.context(), b"secret")).unwrap();
    assert_eq!(
        block_on(vault.open(&place.context(), &sealed))
            .unwrap()
            .as_slice(),
        b"secret"
    );
}

#[test]
fn two_seals_of_one_secret_differ() {
    let vault = vault(key("k1", 1), []);
    let place = Place::new("rep", "c1", "tokens", 3);
    let seal = || block_on(vault.seal(&place.context(), b"secret")).unwrap();
    let (one, other) = (seal(), seal());
    assert_ne!(one.nonce(), other.nonce());
    assert_ne!(one.ciphertext(), other.ciphertext());
}

#[test]
fn an_older_key_opens_and_the_primary_seals() {
    let place = Place::new("rep", "c1", "tokens", 3);
    let old = block_on(vault(key("old", 1), []).seal(&place.context(), b"secret")).unwrap();
    let rotated = vault(key("new", 2), [key("old", 1)]);
    assert_eq!(
        block_on(rotated.open(&place.context(), &old)).unwrap().as_slice(),
        b"secret"
    );
    assert_eq!(
        block_on(rotated.seal(&place.context(), b"secret"))
            .unwrap()
            .key_id()
            .as_str(),
        "new"
    );
}

#[test]
fn a_forgotten_key_is_named_and_a_wrong_one_does_not_open() {
    let place = Place::new("rep", "c1", "tokens", 3);
    let sealed = block_on(vault(key("k1", 1), []).seal(&place.context(), b"secret")).unwrap();
    let forgotten = block_on(vault(key("k2", 1), []).open(&place.context(), &sealed));
    assert!(matches!(forgotten, Err(VaultError::UnknownKey(id)) if id.as_str() == "k1"));
    let wrong = block_on(vault(key("k1", 2), []).open(&place.context(), &sealed));
    assert!(matches!(wrong, Err(VaultError::DoesNotOpen)));
}

#[test]
fn the_sealed_format_is_stable() {
    // Made once with the key [7; 32] and the nonce 000102…0b. Changing the format logs every user out.
    let place = Place::new("rep-7", "c0ffee", "tokens", 2);
    insta::assert_snapshot!(hex::encode(place.context().bytes()), @"000000000000000e746f6b656e2d73746f72652e763100000000000000057265702d3700000000000000066330666665650000000000000006746f6b656e730000000000000002");
    let nonce: [u8; 12] = std::array::from_fn(|index| index as u8);
    let ciphertext = Aes256Gcm::new(key("k1", 7).bytes().into())
        .encrypt(
            &Nonce::from(nonce),
            Payload {
                msg: br#"{"access":"a"}"#,
                aad: &place.context().bytes(),
            },
        )
        .unwrap();
    let sealed = Sealed::new(KeyId::new("k1").unwrap(), nonce, ciphertext);
    insta::assert_snapshot!(sealed.to_string(), @"v1.k1.AAECAwQFBgcICQoL.Y6OIE35sqjpViMf9wCVXRLAuJafIESrKuyNWFZI9");
    let opened =
        block_on(vault(key("k1", 7), []).open(&place.context(), &sealed.to_string().parse().unwrap()));
    assert_eq!(opened.unwrap().as_slice(), br#"{"access":"a"}"#);
}

#[test]
fn neither_debug_nor_errors_show_a_key_or_a_ciphertext() {
    let text = key("k1", 0xAB).expose_secret().to_string();
    let secret = text.split_once(':').unwrap().1;
    let vault = vault(key("k1", 0xAB), [key("k0", 0xAB)]);
    let place = Place::new("rep", "c1", "tokens", 1);
    let sealed = block_on(vault.seal(&place.context(), b"secret")).unwrap();
    let broken = StaticKeys::parse(&format!("k1:{secret},k1:{secret}")).unwrap_err();
    let shown = format!("{vault:?} {sealed:?} {broken:?} {broken} {:?}", key("k1", 0xAB));
    assert!(shown.contains("[redacted]"));
    assert!(
        !shown.contains(secret) && !shown.contains("171, 171") && !shown.contains("abab"),
        "{shown}"
    );
    assert!(
        !shown.contains(sealed.to_string().rsplit_once('.').unwrap().1),
        "{shown}"
    );
}

#[test]
fn keys_are_read_from_text() {
    let made = Key::generate().unwrap();
    let text = format!(
        "# comment\n{},\n\nk0:{}\n",
        made.expose_secret().as_str(),
        "AAAA".repeat(11).replacen('A', "B", 1)
    );
    assert!(
        StaticKeys::parse(&text).is_err(),
        "44 characters without padding are not 32 bytes"
    );
    let text = format!(
        "# comment\n{},\n\n{}\n",
        made.expose_secret().as_str(),
        key("k0", 1).expose_secret().as_str()
    );
    let keys = StaticKeys::parse(&text).unwrap();
    assert_eq!(block_on(keys.primary()).unwrap().id(), made.id());
    assert!(block_on(keys.key(&KeyId::new("k0").unwrap())).unwrap().is_some());
    for broken in [
        "",
        "# only a comment",
        "k1",
        "k1:",
        "k1:c2hvcnQ=",
        "k 1:AAAA",
        ":AAAA",
    ] {
        assert!(
            matches!(StaticKeys::parse(broken), Err(VaultError::KeyFormat)),
            "{broken}"
        );
    }
}

#[test]
fn a_missing_variable_is_named() {
    let missing = StaticKeys::from_env("TOKEN_STORE_NO_SUCH_VARIABLE").unwrap_err();
    assert!(matches!(missing, VaultError::MissingVariable(name) if name == "TOKEN_STORE_NO_SUCH_VARIABLE"));
}

fn place() -> impl Strategy<Value = Place> {
    // Short parts over a small alphabet: moving a letter from one part to the next must matter.
    ("[ab\\PC]{0,3}", "[ab\\PC]{0,3}", "[ab\\PC]{0,3}", 0_u64..4).prop_map(
        |(owner, connection, field, generation)| Place::new(&owner, &connection, &field, generation),
    )
}

proptest! {
    #[test]
    fn another_place_does_not_open(sealed_at in place(), opened_at in place(), secret in any::<Vec<u8>>()) {
        let vault = vault(key("k1", 1), []);
        let sealed = block_on(vault.seal(&sealed_at.context(), &secret)).unwrap();
        let opened = block_on(vault.open(&opened_at.context(), &sealed));
        match opened {
            Ok(opened) => { prop_assert_eq!(&sealed_at, &opened_at); prop_assert_eq!(opened.as_slice(), secret); }
            Err(VaultError::DoesNotOpen) => prop_assert_ne!(&sealed_at, &opened_at),
            Err(other) => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn one_changed_part_does_not_open(place in place(), part in 0..4) {
        let vault = vault(key("k1", 1), []);
        let mut other = place.clone();
        match part {
            0 => other.0 = format!("{}x", place.0).into(),
            1 => other.1 = format!("{}x", place.1).into(),
            2 => other.2.push('x'),
            _ => other.3 += 1,
        }
        let sealed = block_on(vault.seal(&place.context(), b"secret")).unwrap();
        prop_assert!(matches!(block_on(vault.open(&other.context(), &sealed)), Err(VaultError::DoesNotOpen)));
    }

    #[test]
    fn a_letter_moved_to_the_next_part_does_not_open(text in "[ab]{1,9}", from in 0_usize..9, to in 0_usize..9) {
        let vault = vault(key("k1", 1), []);
        let cut = |at: usize| {
            let (owner, rest) = text.split_at(at.min(text.len()));
            let (connection, field) = rest.split_at(rest.len() / 2);
            Place::new(owner, connection, field, 1)
        };
        let sealed = block_on(vault.seal(&cut(from).context(), b"secret")).unwrap();
        let opened = block_on(vault.open(&cut(to).context(), &sealed)).is_ok();
        prop_assert_eq!(opened, cut(from) == cut(to));
    }

    #[test]
    fn a_flipped_bit_does_not_open(place in place(), secret in any::<Vec<u8>>(), at in any::<prop::sample::Index>()) {
        let vault = vault(key("k1", 1), []);
        let sealed = block_on(vault.seal(&place.context(), &secret)).unwrap();
        let (mut nonce, mut ciphertext) = (*sealed.nonce(), sealed.ciphertext().to_vec());
        let bit = at.index((nonce.len() + ciphertext.len()) * 8);
        let bytes = nonce.iter_mut().chain(&mut ciphertext);
        *bytes.into_iter().nth(bit / 8).unwrap() ^= 1 << (bit % 8);
        let sealed = Sealed::new(sealed.key_id().clone(), nonce, ciphertext);
        prop_assert!(matches!(block_on(vault.open(&place.context(), &sealed)), Err(VaultError::DoesNotOpen)));
    }

    #[test]
    fn the_text_form_round_trips(place in place(), secret in any::<Vec<u8>>()) {
        let sealed = block_on(vault(key("k-1_A", 1), []).seal(&place.context(), &secret)).unwrap();
        let text = sealed.to_string();
        prop_assert!(!text.contains(['\n', ' ']));
        prop_assert_eq!(&text.parse::<Sealed>().unwrap(), &sealed);
        let json = serde_json::to_string(&sealed).unwrap();
        prop_assert_eq!(serde_json::from_str::<Sealed>(&json).unwrap(), sealed);
    }

    #[test]
    fn any_text_is_a_sealed_part_or_an_error(text in "\\PC*|v1\\.[a-z.]{0,20}") {
        if let Ok(sealed) = text.parse::<Sealed>() {
            prop_assert_eq!(sealed.to_string(), text);
        }
    }
}
