use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use async_trait::async_trait;

use super::*;
use crate::{Generation, Key, KeyId, KeyProvider, LocalWrapper, SealContext, StaticKeys, Vault, Wrappers};

/// A wrapper that counts how often it is asked.
#[derive(Debug)]
struct Counted {
    inner: LocalWrapper,
    wraps: AtomicU32,
    unwraps: AtomicU32,
}

impl Counted {
    fn new(name: &str, byte: u8) -> Arc<Self> {
        let key = Key::new(KeyId::new(name).unwrap(), [byte; 32]);
        Arc::new(Self {
            inner: LocalWrapper::new(Arc::new(StaticKeys::new(key, []))),
            wraps: AtomicU32::new(0),
            unwraps: AtomicU32::new(0),
        })
    }

    /// Wraps and unwraps since the last call.
    fn asked(&self) -> (u32, u32) {
        (
            self.wraps.swap(0, Ordering::Relaxed),
            self.unwraps.swap(0, Ordering::Relaxed),
        )
    }
}

#[async_trait]
impl KeyWrapper for Counted {
    async fn primary(&self) -> Result<KeyId, VaultError> {
        self.inner.primary().await
    }

    async fn wrap(&self, key: &DataKey, context: &WrapContext<'_>) -> Result<Wrapped, VaultError> {
        self.wraps.fetch_add(1, Ordering::Relaxed);
        self.inner.wrap(key, context).await
    }

    async fn unwrap(&self, wrapped: &Wrapped, context: &WrapContext<'_>) -> Result<DataKey, VaultError> {
        self.unwraps.fetch_add(1, Ordering::Relaxed);
        self.inner.unwrap(wrapped, context).await
    }
}

fn with_place<T>(owner: &str, connection: &str, use_it: impl FnOnce(&SealContext<'_>) -> T) -> T {
    let (owner, connection) = (owner.into(), connection.into());
    use_it(&SealContext {
        owner: &owner,
        connection: &connection,
        field: "tokens",
        generation: Generation::FIRST,
    })
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

fn seal(vault: &Vault, connection: &str) -> crate::Sealed {
    with_place("rep", connection, |place| {
        block_on(vault.seal(place, b"secret")).unwrap()
    })
}

fn open(vault: &Vault, connection: &str, sealed: &crate::Sealed) -> Result<(), VaultError> {
    with_place("rep", connection, |place| {
        block_on(vault.open(place, sealed)).map(|opened| assert_eq!(opened.as_slice(), b"secret"))
    })
}

#[test]
fn a_connection_keeps_its_data_key_and_no_other_has_it() {
    let wrapper = Counted::new("kek", 1);
    let vault = Vault::enveloped(Envelope::new(Arc::clone(&wrapper) as _));
    let (one, again, other) = (seal(&vault, "c1"), seal(&vault, "c1"), seal(&vault, "c2"));
    assert_eq!(one.wrapped(), again.wrapped());
    assert_ne!(one.wrapped(), other.wrapped());
    assert_eq!(wrapper.asked(), (2, 0));

    // Another process: it opens before it seals, and goes on with the key that it found.
    let vault = Vault::enveloped(Envelope::new(Arc::clone(&wrapper) as _));
    open(&vault, "c1", &one).unwrap();
    open(&vault, "c1", &one).unwrap();
    assert_eq!(seal(&vault, "c1").wrapped(), one.wrapped());
    assert_eq!(wrapper.asked(), (0, 1), "the key service is asked once");
}

#[test]
fn an_unwrapped_key_is_kept_for_its_time_and_no_longer() {
    let now = Arc::new(AtomicU64::new(0));
    let clock = {
        let now = Arc::clone(&now);
        Clock::new(move || Timestamp::from_second(now.load(Ordering::Relaxed) as i64).unwrap())
    };
    let wrapper = Counted::new("kek", 1);
    let envelope = Envelope::new(Arc::clone(&wrapper) as _)
        .with_cache(10, Duration::from_secs(60))
        .with_clock(clock);
    let vault = Vault::enveloped(envelope);
    let sealed = seal(&vault, "c1");
    now.store(59, Ordering::Relaxed);
    open(&vault, "c1", &sealed).unwrap();
    assert_eq!(wrapper.asked(), (1, 0));
    now.store(60, Ordering::Relaxed);
    open(&vault, "c1", &sealed).unwrap();
    assert_eq!(wrapper.asked(), (0, 1));
}

#[test]
fn the_least_used_key_makes_room() {
    let wrapper = Counted::new("kek", 1);
    let envelope = Envelope::new(Arc::clone(&wrapper) as _).with_cache(2, LIFETIME);
    let vault = Vault::enveloped(envelope);
    let (first, second) = (seal(&vault, "c1"), seal(&vault, "c2"));
    open(&vault, "c1", &first).unwrap();
    seal(&vault, "c3");
    assert_eq!(wrapper.asked(), (3, 0));
    open(&vault, "c1", &first).unwrap();
    assert_eq!(wrapper.asked(), (0, 0), "used last, kept");
    open(&vault, "c2", &second).unwrap();
    assert_eq!(wrapper.asked(), (0, 1), "made room");

    for envelope in [
        Envelope::new(Arc::clone(&wrapper) as _).with_cache(0, LIFETIME),
        Envelope::new(Arc::clone(&wrapper) as _).with_cache(9, Duration::ZERO),
    ] {
        let vault = Vault::enveloped(envelope);
        let sealed = seal(&vault, "c1");
        open(&vault, "c1", &sealed).unwrap();
        assert_eq!(wrapper.asked(), (1, 1), "nothing is kept");
    }
}

#[test]
fn a_known_key_does_not_open_for_another_owner_or_connection() {
    let vault = Vault::enveloped(Envelope::new(Counted::new("kek", 1)));
    let sealed = seal(&vault, "c1");
    assert!(matches!(
        open(&vault, "c2", &sealed),
        Err(VaultError::DoesNotOpen)
    ));
    let stolen = with_place("stranger", "c1", |place| block_on(vault.open(place, &sealed)));
    assert!(matches!(stolen, Err(VaultError::DoesNotOpen)));
    // Nor does a foreign key that moved along with its wrapping.
    let context = |owner, connection| WrapContext { owner, connection };
    let (rep, stranger, c1, c2) = ("rep".into(), "stranger".into(), "c1".into(), "c2".into());
    let wrapper = Counted::new("kek", 1);
    let wrapped = block_on(wrapper.wrap(&DataKey::generate().unwrap(), &context(&rep, &c1))).unwrap();
    assert!(block_on(wrapper.unwrap(&wrapped, &context(&rep, &c1))).is_ok());
    for moved in [context(&stranger, &c1), context(&rep, &c2)] {
        let refused = block_on(wrapper.unwrap(&wrapped, &moved));
        assert!(matches!(refused, Err(VaultError::DoesNotOpen)));
    }
}

#[test]
fn a_new_primary_wraps_and_the_older_one_still_unwraps() {
    let (old, new) = (Counted::new("old", 1), Counted::new("new", 2));
    let sealed = seal(&Vault::enveloped(Envelope::new(Arc::clone(&old) as _)), "c1");
    let both = Wrappers::new(Arc::clone(&new) as _, [Arc::clone(&old) as _]);
    let vault = Vault::enveloped(Envelope::new(Arc::new(both)));
    open(&vault, "c1", &sealed).unwrap();
    let resealed = seal(&vault, "c1");
    assert_eq!(resealed.key_id().as_str(), "new");
    open(&vault, "c1", &resealed).unwrap();
    assert_eq!(
        (old.asked(), new.asked()),
        ((1, 1), (1, 1)),
        "each is asked in turn, and the answer is kept"
    );
    let alone = Vault::enveloped(Envelope::new(new));
    open(&alone, "c1", &resealed).unwrap();
    assert!(matches!(open(&alone, "c1", &sealed), Err(VaultError::UnknownKey(id)) if id.as_str() == "old"));
}

#[test]
fn a_wrapping_of_odd_length_does_not_open() {
    let wrapper = LocalWrapper::new(Arc::new(StaticKeys::new(
        Key::new(KeyId::new("kek").unwrap(), [1; 32]),
        [],
    )));
    let context = WrapContext {
        owner: &"rep".into(),
        connection: &"c1".into(),
    };
    let short = Wrapped::new(KeyId::new("kek").unwrap(), vec![1, 2, 3]);
    assert!(matches!(
        block_on(wrapper.unwrap(&short, &context)),
        Err(VaultError::DoesNotOpen)
    ));
    // Something else that the same key sealed for the same context is not a data key either.
    let key = block_on(StaticKeys::new(Key::new(KeyId::new("kek").unwrap(), [1; 32]), []).primary()).unwrap();
    let (nonce, ciphertext) = key.cipher().seal(&context.bytes(), b"short").unwrap();
    let odd = Wrapped::new(
        KeyId::new("kek").unwrap(),
        [nonce.as_slice(), &ciphertext].concat(),
    );
    assert!(matches!(
        block_on(wrapper.unwrap(&odd, &context)),
        Err(VaultError::DoesNotOpen)
    ));
}
