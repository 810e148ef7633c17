use std::{fmt, sync::Arc};

use proptest::prelude::*;
use static_assertions::{assert_not_impl_any, assert_obj_safe};

use super::*;
use crate::{ConnectionId, Generation, KeyId, OwnerId};

assert_not_impl_any!(Key: fmt::Display, PartialEq, serde::Serialize, Copy);
assert_not_impl_any!(StaticKeys: fmt::Display, PartialEq, serde::Serialize);
assert_not_impl_any!(KeyFile: fmt::Display, PartialEq, serde::Serialize);
assert_not_impl_any!(DataKey: fmt::Display, PartialEq, serde::Serialize, Copy);
assert_obj_safe!(KeyProvider, KeyWrapper);

fn key(name: &str, byte: u8) -> Key {
    Key::new(KeyId::new(name).unwrap(), [byte; 32])
}

fn vault(primary: Key, older: impl IntoIterator<Item = Key>) -> Vault {
    Vault::new(Arc::new(StaticKeys::new(primary, older)))
}

fn enveloped(keys: StaticKeys) -> Vault {
    Vault::enveloped(Envelope::new(Arc::new(LocalWrapper::new(Arc::new(keys)))))
}

/// One vault for each way to seal.
fn vaults() -> [Vault; 2] {
    [
        vault(key("k1", 1), []),
        enveloped(StaticKeys::new(key("kek-1", 1), [])),
    ]
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
    let place = Place::new("rep", "c1", "tokens", 3);
    for vault in vaults() {
        let sealed = block_on(vault.seal(&place.context(), b"secret")).unwrap();
        let opened = block_on(vault.open(&place.context(), &sealed)).unwrap();
        assert_eq!(opened.as_slice(), b"secret");
    }
}

#[test]
fn two_seals_of_one_secret_differ() {
    let place = Place::new("rep", "c1", "tokens", 3);
    for vault in vaults() {
        let seal = || block_on(vault.seal(&place.context(), b"secret")).unwrap();
        let (one, other) = (seal(), seal());
        assert_ne!(one.nonce, other.nonce);
        assert_ne!(one.ciphertext, other.ciphertext);
    }
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

/// What a seal makes of a known nonce, with the bytes of the associated data.
fn sealed_with(cipher: &cipher::Cipher, by: SealedBy, associated: &[u8]) -> Sealed {
    let nonce: [u8; 12] = std::array::from_fn(|index| index as u8);
    Sealed {
        by,
        nonce,
        ciphertext: cipher.seal_with(nonce, associated, br#"{"access":"a"}"#).unwrap(),
    }
}

#[test]
fn the_sealed_format_is_stable() {
    // Made once with the key [7; 32] and the nonce 000102…0b. Changing the format logs every user out.
    let place = Place::new("rep-7", "c0ffee", "tokens", 2);
    insta::assert_snapshot!(hex::encode(place.context().plain()), @"000000000000000e746f6b656e2d73746f72652e763100000000000000057265702d3700000000000000066330666665650000000000000006746f6b656e730000000000000002");
    let key = key("k1", 7);
    let sealed = sealed_with(
        key.cipher(),
        SealedBy::Key(key.id().clone()),
        &place.context().plain(),
    );
    insta::assert_snapshot!(sealed.to_string(), @"v1.k1.AAECAwQFBgcICQoL.Y6OIE35sqjpViMf9wCVXRLAuJafIESrKuyNWFZI9");
    let opened = block_on(vault(key, []).open(&place.context(), &sealed.to_string().parse().unwrap()));
    assert_eq!(opened.unwrap().as_slice(), br#"{"access":"a"}"#);
}

#[test]
fn the_envelope_format_is_stable() {
    // The data key [9; 32], wrapped with the key [7; 32]; all nonces are 000102…0b.
    let place = Place::new("rep-7", "c0ffee", "tokens", 2);
    insta::assert_snapshot!(hex::encode(place.context().enveloped()), @"000000000000000e746f6b656e2d73746f72652e763200000000000000057265702d3700000000000000066330666665650000000000000006746f6b656e730000000000000002");
    let wrap = wrap_context(&place.context()).bytes();
    insta::assert_snapshot!(hex::encode(&wrap), @"0000000000000013746f6b656e2d73746f72652e777261702e763100000000000000057265702d370000000000000006633066666565");
    let (key, data_key) = (key("kek-1", 7), DataKey::new(Zeroizing::new([9; 32])));
    let nonce: [u8; 12] = std::array::from_fn(|index| index as u8);
    let inner = key
        .cipher()
        .seal_with(nonce, &wrap, data_key.expose_secret())
        .unwrap();
    let wrapped = Wrapped::new(key.id().clone(), [nonce.as_slice(), &inner].concat());
    let sealed = sealed_with(
        data_key.cipher(),
        SealedBy::DataKey(wrapped),
        &place.context().enveloped(),
    );
    insta::assert_snapshot!(sealed.to_string(), @"v2.kek-1.AAECAwQFBgcICQoLEYjgeRQA0EB-u-yV61Fl8-g1v4cRa344H8dqs4feZAz4G16B_L6cvDV5LhjoRgkP.AAECAwQFBgcICQoL.kXP6oV8qWZa9bA7-8r6LJpCki-bOL9SoOPL3iwB8");
    let vault = enveloped(StaticKeys::new(key, []));
    let opened = block_on(vault.open(&place.context(), &sealed.to_string().parse().unwrap()));
    assert_eq!(opened.unwrap().as_slice(), br#"{"access":"a"}"#);
}

#[test]
fn neither_debug_nor_errors_show_a_key_or_a_ciphertext() {
    let made = Key::generate().unwrap();
    let text = made.expose_secret().to_string();
    let secret = text.split_once(':').unwrap().1;
    let bytes = made.cipher().bytes();
    let numbers = format!("{}, {}, {}", bytes[0], bytes[1], bytes[2]);
    let place = Place::new("rep", "c1", "tokens", 1);
    for vault in [
        Vault::new(Arc::new(StaticKeys::new(made.clone(), [key("k0", 0xAB)]))),
        enveloped(StaticKeys::new(made.clone(), [])),
    ] {
        let sealed = block_on(vault.seal(&place.context(), b"secret")).unwrap();
        let broken = StaticKeys::parse(&format!("k1:{secret},k2:{secret}")).unwrap_err();
        let data_key = DataKey::new(Zeroizing::new(*bytes));
        let shown = format!("{vault:?} {sealed:?} {broken:?} {broken} {made:?} {data_key:?}");
        assert!(shown.contains("[redacted]"));
        for hidden in [secret, &hex::encode(bytes), &numbers] {
            assert!(!shown.contains(hidden), "{shown}");
        }
        let text = sealed.to_string();
        for part in text.split('.').skip(2) {
            assert!(!shown.contains(part), "{shown}");
        }
    }
}

#[test]
fn keys_are_read_from_text() {
    let (first, second) = (Key::generate().unwrap(), Key::generate().unwrap());
    let text = format!(
        "# comment, with a comma: and a colon\n{},\n\n{}\n",
        first.expose_secret().as_str(),
        second.expose_secret().as_str()
    );
    let keys = StaticKeys::parse(&text).unwrap();
    assert_eq!(block_on(keys.primary()).unwrap().id(), first.id());
    let found = block_on(keys.key(second.id())).unwrap().unwrap();
    assert_eq!(found.cipher().bytes(), second.cipher().bytes());
    assert_eq!(keys.ids(), [first.id().clone(), second.id().clone()]);
}

#[test]
fn plain_and_enveloped_records_open_side_by_side() {
    let place = Place::new("rep", "c1", "tokens", 3);
    let keys = || Arc::new(StaticKeys::new(key("k1", 1), []));
    let [plain, in_envelope] = vaults();
    let old = block_on(plain.seal(&place.context(), b"old")).unwrap();
    let new = block_on(in_envelope.seal(&place.context(), b"new")).unwrap();
    let refused = block_on(in_envelope.open(&place.context(), &old));
    assert!(
        matches!(refused, Err(VaultError::UnknownKey(_))),
        "no keys were given to it"
    );
    let refused = block_on(plain.open(&place.context(), &new));
    assert!(matches!(refused, Err(VaultError::UnknownKey(_))));

    let wrapper = LocalWrapper::new(Arc::new(StaticKeys::new(key("kek-1", 1), [])));
    let there = in_envelope.with_keys(keys());
    let back = plain.with_envelope(Envelope::new(Arc::new(wrapper)));
    for (vault, current) in [(there, &new), (back, &old)] {
        for (sealed, secret) in [(&old, b"old"), (&new, b"new")] {
            let opened = block_on(vault.open(&place.context(), sealed)).unwrap();
            assert_eq!(opened.as_slice(), secret);
            assert_eq!(
                block_on(vault.is_current(sealed)).unwrap(),
                sealed == current,
                "{vault:?} {sealed:?}"
            );
        }
    }
}

#[test]
fn only_what_the_primary_key_sealed_is_current() {
    let place = Place::new("rep", "c1", "tokens", 3);
    let [plain, in_envelope] = vaults();
    let old = block_on(plain.seal(&place.context(), b"old")).unwrap();
    let wrapped = block_on(in_envelope.seal(&place.context(), b"old")).unwrap();
    let rotated = vault(key("k2", 2), [key("k1", 1)]);
    assert!(!block_on(rotated.is_current(&old)).unwrap());
    let rotated = enveloped(StaticKeys::new(key("kek-2", 2), [key("kek-1", 1)]));
    assert!(!block_on(rotated.is_current(&wrapped)).unwrap());
    assert!(block_on(in_envelope.is_current(&wrapped)).unwrap());
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
        for vault in vaults() {
            let sealed = block_on(vault.seal(&sealed_at.context(), &secret)).unwrap();
            match block_on(vault.open(&opened_at.context(), &sealed)) {
                Ok(opened) => {
                    prop_assert_eq!(&sealed_at, &opened_at);
                    prop_assert_eq!(opened.as_slice(), &secret);
                }
                Err(VaultError::DoesNotOpen) => prop_assert_ne!(&sealed_at, &opened_at),
                Err(other) => prop_assert!(false, "{:?}", other),
            }
        }
    }

    #[test]
    fn one_changed_part_does_not_open(place in place(), part in 0..4) {
        let mut other = place.clone();
        match part {
            0 => other.0 = format!("{}x", place.0).into(),
            1 => other.1 = format!("{}x", place.1).into(),
            2 => other.2.push('x'),
            _ => other.3 += 1,
        }
        for vault in vaults() {
            let sealed = block_on(vault.seal(&place.context(), b"secret")).unwrap();
            let opened = block_on(vault.open(&other.context(), &sealed));
            prop_assert!(matches!(opened, Err(VaultError::DoesNotOpen)));
        }
    }

    #[test]
    fn a_letter_moved_to_the_next_part_does_not_open(text in "[ab]{1,9}", from in 0_usize..9, to in 0_usize..9) {
        let cut = |at: usize| {
            let (owner, rest) = text.split_at(at.min(text.len()));
            let (connection, field) = rest.split_at(rest.len() / 2);
            Place::new(owner, connection, field, 1)
        };
        for vault in vaults() {
            let sealed = block_on(vault.seal(&cut(from).context(), b"secret")).unwrap();
            let opened = block_on(vault.open(&cut(to).context(), &sealed)).is_ok();
            prop_assert_eq!(opened, cut(from) == cut(to));
        }
    }

    #[test]
    fn a_flipped_bit_does_not_open(place in place(), secret in any::<Vec<u8>>(), at in any::<prop::sample::Index>()) {
        for vault in vaults() {
            let mut sealed = block_on(vault.seal(&place.context(), &secret)).unwrap();
            let mut wrapped = sealed.wrapped().map(|wrapped| wrapped.bytes().to_vec()).unwrap_or_default();
            let bit = at.index((wrapped.len() + sealed.nonce.len() + sealed.ciphertext.len()) * 8);
            let mut bytes = wrapped.iter_mut().chain(&mut sealed.nonce).chain(&mut sealed.ciphertext);
            *bytes.nth(bit / 8).unwrap() ^= 1 << (bit % 8);
            if let SealedBy::DataKey(before) = &sealed.by {
                sealed.by = SealedBy::DataKey(Wrapped::new(before.key_id().clone(), wrapped));
            }
            let opened = block_on(vault.open(&place.context(), &sealed));
            prop_assert!(matches!(opened, Err(VaultError::DoesNotOpen)));
        }
    }

    #[test]
    fn the_text_form_round_trips(place in place(), secret in any::<Vec<u8>>(), key_id in "[A-Za-z0-9_-]{1,64}") {
        let sealing = key(&key_id, 1);
        for vault in [vault(sealing.clone(), []), enveloped(StaticKeys::new(sealing, []))] {
            let sealed = block_on(vault.seal(&place.context(), &secret)).unwrap();
            let text = sealed.to_string();
            prop_assert!(!text.contains(['\n', ' ']));
            prop_assert_eq!(&text.parse::<Sealed>().unwrap(), &sealed);
            let json = serde_json::to_string(&sealed).unwrap();
            prop_assert_eq!(serde_json::from_str::<Sealed>(&json).unwrap(), sealed);
        }
    }

    #[test]
    fn any_text_is_a_sealed_part_or_an_error(
        text in "\\PC*|v[123]\\.[a-z.]{0,30}|v1\\.k\\.[A-Za-z0-9_-]{16}\\.[A-Za-z0-9_-]{0,9}|v2\\.k\\.[a-z]{0,4}\\.[A-Za-z0-9_-]{16}\\.[a-z]{0,9}"
    ) {
        if let Ok(sealed) = text.parse::<Sealed>() {
            prop_assert_eq!(sealed.to_string(), text);
        }
    }
}
