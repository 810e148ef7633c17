//! What it costs to seal and to open a record of 2 KB: the goal is 1.5 µs for both together.
//!
//! `cargo bench -p token-store --bench vault`. Nothing here waits, so the futures are polled once, without a runtime.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark that cannot run should stop"
)]

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use divan::{Bencher, black_box};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use token_store::{
    ConnectionId, Envelope, Generation, Key, LocalWrapper, OwnerId, SealContext, StaticKeys, Vault,
};

const LENGTH: usize = 2048;

fn main() {
    divan::main();
}

fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nothing here waits"),
    }
}

fn keys() -> Arc<StaticKeys> {
    Arc::new(StaticKeys::new(Key::generate().expect("random bytes"), []))
}

#[derive(Clone, Copy, Debug)]
enum Mode {
    Plain,
    /// With the data key in memory, as it is for a connection in use.
    Enveloped,
}

const MODES: [Mode; 2] = [Mode::Plain, Mode::Enveloped];

impl Mode {
    fn vault(self) -> Vault {
        match self {
            Self::Plain => Vault::new(keys()),
            Self::Enveloped => Vault::enveloped(Envelope::new(Arc::new(LocalWrapper::new(keys())))),
        }
    }
}

fn with_place(use_it: impl FnOnce(&SealContext<'_>)) {
    let (owner, connection) = (
        OwnerId::new("org-17/rep-7"),
        ConnectionId::new("5f0c9a4e7d3b42c18e6f0a9b2d4c6e81"),
    );
    use_it(&SealContext {
        owner: &owner,
        connection: &connection,
        field: "tokens",
        generation: Generation::new(41),
    });
}

#[divan::bench(args = MODES, consts = [LENGTH])]
fn seal<const N: usize>(bencher: Bencher<'_, '_>, mode: Mode) {
    let vault = mode.vault();
    with_place(|place| {
        bencher.bench_local(|| ready(vault.seal(place, black_box(&[7; N]))));
    });
}

#[divan::bench(args = MODES, consts = [LENGTH])]
fn open<const N: usize>(bencher: Bencher<'_, '_>, mode: Mode) {
    let vault = mode.vault();
    with_place(|place| {
        let sealed = ready(vault.seal(place, &[7; N])).expect("it seals");
        bencher.bench_local(|| ready(vault.open(place, black_box(&sealed))));
    });
}

#[divan::bench(args = MODES, consts = [LENGTH])]
fn seal_and_open<const N: usize>(bencher: Bencher<'_, '_>, mode: Mode) {
    let vault = mode.vault();
    with_place(|place| {
        bencher.bench_local(|| {
            let sealed = ready(vault.seal(place, black_box(&[7; N]))).expect("it seals");
            ready(vault.open(place, &sealed))
        });
    });
}

/// The bound: the cipher alone, with its schedule at hand, a fresh nonce and one copy each way.
#[divan::bench(consts = [LENGTH])]
fn seal_and_open_by_ring_alone<const N: usize>(bencher: Bencher<'_, '_>) {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[9; 32]).expect("32 bytes"));
    let associated = [3; 96];
    bencher.bench_local(|| {
        let mut nonce = [0; 12];
        getrandom::fill(&mut nonce).expect("random bytes");
        let mut sealed = black_box(&[7; N]).to_vec();
        key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(&associated),
            &mut sealed,
        )
        .expect("it seals");
        let mut opened = sealed.clone();
        let nonce = Nonce::assume_unique_for_key(nonce);
        let opened = key.open_in_place(nonce, Aad::from(&associated), &mut opened);
        opened.map(|bytes| bytes.len())
    });
}
