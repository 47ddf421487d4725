//! Each storage call failed in turn: not stored, and stored but reported as failed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use canvass_ledger::{HeadStore, Log, MemStore, StoreError, SwapError, TileStore, audit};

use crate::common::{NOW, config, entries, naive_root, new_log, trust, wait};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    NotStored,
    Stored,
}

#[derive(Debug, Clone)]
struct Faulty {
    inner: Arc<MemStore>,
    calls: Arc<AtomicUsize>,
    fail_at: usize,
    // How many calls in a row fail.
    run: usize,
    fault: Fault,
}

impl Faulty {
    fn fails(&self) -> bool {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        (self.fail_at..self.fail_at.saturating_add(self.run)).contains(&call)
    }
}

impl TileStore for Faulty {
    async fn put(&self, path: &str, bytes: Vec<u8>) -> Result<(), StoreError> {
        if !self.fails() {
            return self.inner.put(path, bytes).await;
        }
        if self.fault == Fault::Stored {
            self.inner.put(path, bytes).await?;
        }
        Err(StoreError::failed(path, "injected"))
    }

    async fn get(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        if self.fails() { Err(StoreError::failed(path, "injected")) } else { self.inner.get(path).await }
    }
}

impl HeadStore for Faulty {
    async fn load(&self) -> Result<Option<String>, StoreError> {
        if self.fails() { Err(StoreError::failed("checkpoint", "injected")) } else { self.inner.load().await }
    }

    async fn swap(&self, expected: Option<&str>, new: &str) -> Result<(), SwapError> {
        if !self.fails() {
            return self.inner.swap(expected, new).await;
        }
        if self.fault == Fault::Stored {
            self.inner.swap(expected, new).await?;
        }
        Err(StoreError::failed("checkpoint", "injected").into())
    }
}

// What happens after the failure.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Then {
    Retry,
    Crash,
    OthersFirst,
}

async fn scenario(before: u64, fail_at: usize, run: usize, fault: Fault, then: Then) -> bool {
    let (store, mut log) = new_log().await;
    let mut all = entries(0, before);
    log.append(&all, NOW).await.unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let faulty = Faulty { inner: store.clone(), calls: calls.clone(), fail_at: usize::MAX, run, fault };
    let opened = Log::open(config(), faulty.clone(), faulty, NOW).await.unwrap();
    drop(opened);
    calls.store(0, Ordering::SeqCst);
    let faulty = Faulty { inner: store.clone(), calls: calls.clone(), fail_at: usize::MAX, run, fault };
    let mut log = Log::open(config(), faulty.clone(), faulty, NOW).await.unwrap();
    let opening = calls.load(Ordering::SeqCst);
    drop(log);
    // The same again, with the failure placed after the opening.
    calls.store(0, Ordering::SeqCst);
    let fail_at = opening + fail_at;
    let faulty = Faulty { inner: store.clone(), calls: calls.clone(), fail_at, run, fault };
    log = Log::open(config(), faulty.clone(), faulty, NOW).await.unwrap();
    let batch = entries(before, 300);
    let first = log.append(&batch, NOW).await;
    let hit = calls.load(Ordering::SeqCst) > fail_at;
    let mut expected_first = before;
    if first.is_err() {
        match then {
            Then::Retry => {}
            Then::Crash => {
                drop(log);
                let faulty =
                    Faulty { inner: store.clone(), calls: calls.clone(), fail_at: usize::MAX, run, fault };
                log = Log::open(config(), faulty.clone(), faulty, NOW + 5).await.unwrap();
            }
            Then::OthersFirst => {
                let other = entries(9_000, 5);
                let mut second = Log::open(config(), store.clone(), store.clone(), NOW).await.unwrap();
                let place = second.append(&other, NOW).await.unwrap().first_index;
                if place == before {
                    all.extend(other);
                    expected_first = before + 5;
                }
            }
        }
        let again = match then {
            Then::Crash => log.append_at(before, &batch, NOW + 6).await.unwrap(),
            _ => loop {
                // With several calls failing in a row a retry may fail as well.
                if let Ok(done) = log.append(&batch, NOW + 6).await {
                    break done;
                }
            },
        };
        assert_eq!(again.first_index, expected_first);
    }
    all.extend(batch);
    if then == Then::OthersFirst && first.is_err() && expected_first == before {
        all.extend(entries(9_000, 5));
    }
    // Whatever happened, the log is whole, holds each batch once, and every published file is right.
    let log = Log::open(config(), store.clone(), store.clone(), NOW).await.unwrap();
    assert_eq!(log.entries(0..log.size()).await.unwrap(), all);
    assert_eq!(log.checkpoint().checkpoint.root, naive_root(&all));
    audit(&*store, &trust(), None, |_, _| Ok(())).await.unwrap();
    hit
}

#[test]
fn every_storage_call_may_fail() {
    wait(async {
        let mut tried = 0;
        for before in [1, 250, 512] {
            for fault in [Fault::NotStored, Fault::Stored] {
                for then in [Then::Retry, Then::Crash, Then::OthersFirst] {
                    for run in [1, 2, 3] {
                        let mut fail_at = 0;
                        while scenario(before, fail_at, run, fault, then).await {
                            fail_at += 1;
                            tried += 1;
                        }
                        assert!(fail_at >= 5, "the append makes at least five calls");
                    }
                }
            }
        }
        println!("{tried} failures tried");
    });
}

#[test]
fn creation_may_fail() {
    wait(async {
        for fault in [Fault::NotStored, Fault::Stored] {
            let inner = Arc::new(MemStore::new());
            for fail_at in [0, 100, 256, 257, 258] {
                let calls = Arc::new(AtomicUsize::new(0));
                let faulty = Faulty { inner: inner.clone(), calls, fail_at, run: 1, fault };
                let _ = Log::open_or_create(config(), faulty.clone(), faulty, NOW).await;
            }
            let log = Log::open_or_create(config(), inner.clone(), inner.clone(), NOW).await.unwrap();
            assert_eq!(log.size(), 0);
        }
    });
}

#[test]
fn an_append_of_256_reads_nothing() {
    #[derive(Clone)]
    struct Counting(Arc<MemStore>, Arc<AtomicUsize>);
    impl TileStore for Counting {
        async fn put(&self, path: &str, bytes: Vec<u8>) -> Result<(), StoreError> {
            self.0.put(path, bytes).await
        }
        async fn get(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
            self.1.fetch_add(1, Ordering::SeqCst);
            self.0.get(path).await
        }
    }
    wait(async {
        let (store, _) = new_log().await;
        let reads = Arc::new(AtomicUsize::new(0));
        let counting = Counting(store.clone(), reads.clone());
        let mut log = Log::open(config(), counting, store, NOW).await.unwrap();
        log.append(&entries(0, 1000), NOW).await.unwrap();
        reads.store(0, Ordering::SeqCst);
        log.append(&entries(1000, 256), NOW).await.unwrap();
        assert_eq!(reads.load(Ordering::SeqCst), 0);
    });
}
