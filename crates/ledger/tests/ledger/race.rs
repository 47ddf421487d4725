//! Several writers at once on one log, interleaved at every storage call by a seed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use canvass_ledger::merkle::Hash;
use canvass_ledger::{HeadStore, Log, MemStore, SignedCheckpoint, StoreError, SwapError, TileStore, audit};
use proptest::prelude::*;

use crate::common::{NOW, config, entries, new_log, trust, wait};

#[derive(Debug, Clone)]
struct Yielding {
    inner: Arc<MemStore>,
    chance: Arc<AtomicU64>,
    // Every head that anybody signed, swapped or not: root by size.
    signed: Arc<Mutex<BTreeMap<u64, Hash>>>,
}

impl Yielding {
    async fn pause(&self) {
        let mut word = self.chance.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        for _ in 0..(word >> 61) {
            tokio::task::yield_now().await;
        }
    }
}

impl TileStore for Yielding {
    async fn put(&self, path: &str, bytes: Vec<u8>) -> Result<(), StoreError> {
        self.pause().await;
        self.inner.put(path, bytes).await
    }

    async fn get(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.pause().await;
        self.inner.get(path).await
    }
}

impl HeadStore for Yielding {
    async fn load(&self) -> Result<Option<String>, StoreError> {
        self.pause().await;
        self.inner.load().await
    }

    async fn swap(&self, expected: Option<&str>, new: &str) -> Result<(), SwapError> {
        let head = SignedCheckpoint::parse(new.as_bytes()).unwrap().checkpoint;
        let root = *self.signed.lock().unwrap().entry(head.size).or_insert(head.root);
        assert_eq!(root, head.root, "two roots were signed for size {}", head.size);
        self.pause().await;
        self.inner.swap(expected, new).await
    }
}

async fn write(store: Yielding, writer: u64, rounds: u64) {
    let mut log = Log::open(config(), store.clone(), store, NOW + writer).await.unwrap();
    for round in 0..rounds {
        let batch = entries(writer * 10_000 + round * 100, 60);
        let done = log.append(&batch, NOW + writer).await.unwrap();
        let held = log.entries(done.first_index..done.first_index + 60).await.unwrap();
        assert_eq!(held, batch);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn writers_never_fork_lose_or_repeat(seed: u64) {
        wait(async {
            let (inner, _) = new_log().await;
            let chance = Arc::new(AtomicU64::new(seed));
            let store = Yielding { inner: inner.clone(), chance, signed: Arc::default() };
            tokio::join!(write(store.clone(), 1, 4), write(store.clone(), 2, 4), write(store.clone(), 3, 4));
            let mut found = Vec::new();
            let trust = trust();
            let keep = |_, entry: &[u8]| { found.push(entry.to_vec()); Ok(()) };
            audit(&*inner, &trust, None, keep).await.unwrap();
            let mut expected: Vec<_> = (1..=3_u64)
                .flat_map(|writer| (0..4_u64).flat_map(move |round| entries(writer * 10_000 + round * 100, 60)))
                .collect();
            found.sort();
            expected.sort();
            assert_eq!(found, expected);
        });
    }
}
