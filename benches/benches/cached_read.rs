//! A token that was read a moment ago, and what sealing costs. Goal: a cached read in less than a microsecond.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot be made stops")]

use std::sync::Arc;

use benches::{Seed, connections, record, vault};
use divan::Bencher;
use token_store::{Generation, MemoryStore, OwnerId, SealContext, Sealed, Vault};
use tokio::runtime::Runtime;
use zoom_core::TokenSource;

fn main() {
    divan::main();
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// Connections over a store in memory, so that what is not cached is the least it can be.
async fn tokens(cached: bool) -> Arc<dyn TokenSource> {
    let store = Arc::new(MemoryStore::new());
    let seed = Seed::good(&"a".repeat(700), &"r".repeat(700));
    seed.plant(&*store, &vault().unwrap()).await.unwrap();
    let nowhere = "http://127.0.0.1:9/".parse().unwrap();
    let connections = connections(&nowhere, ("id", "secret"), store, None, cached).unwrap();
    let tokens = connections.token_source(&seed.owner).await.unwrap();
    tokens.access_token().await.unwrap();
    tokens
}

#[divan::bench]
fn cached_read(bencher: Bencher<'_, '_>) {
    let runtime = runtime();
    let tokens = runtime.block_on(tokens(true));
    bencher.bench_local(|| runtime.block_on(tokens.access_token()).unwrap());
}

/// A thousand in one go, so that entering the runtime does not count.
#[divan::bench]
fn cached_read_x1000(bencher: Bencher<'_, '_>) {
    let runtime = runtime();
    let tokens = runtime.block_on(tokens(true));
    bencher.counter(1000_u32).bench_local(|| {
        runtime.block_on(async {
            for _ in 0..1000 {
                divan::black_box(tokens.access_token().await.unwrap());
            }
        });
    });
}

#[divan::bench]
fn read_from_the_store(bencher: Bencher<'_, '_>) {
    let runtime = runtime();
    let tokens = runtime.block_on(tokens(false));
    bencher.bench_local(|| runtime.block_on(tokens.access_token()).unwrap());
}

fn sealed(vault: &Vault, place: &SealContext<'_>) -> Sealed {
    runtime().block_on(vault.seal(place, &[b'x'; 2048])).unwrap()
}

fn with_place(bench: impl FnOnce(&Vault, &SealContext<'_>)) {
    let record = record(&OwnerId::new("bench"), "connection");
    let place = SealContext {
        owner: &record.owner,
        connection: &record.id,
        field: "tokens",
        generation: Generation::FIRST,
    };
    bench(&vault().unwrap(), &place);
}

#[divan::bench]
fn seal_2048(bencher: Bencher<'_, '_>) {
    let runtime = runtime();
    with_place(|vault, place| {
        bencher.bench_local(|| runtime.block_on(vault.seal(place, &[b'x'; 2048])).unwrap());
    });
}

#[divan::bench]
fn open_2048(bencher: Bencher<'_, '_>) {
    let runtime = runtime();
    with_place(|vault, place| {
        let sealed = sealed(vault, place);
        bencher.bench_local(|| runtime.block_on(vault.open(place, &sealed)).unwrap());
    });
}
