use std::sync::Arc;

use canvass_ledger::merkle::{MerkleError, verify_consistency, verify_inclusion};
use canvass_ledger::reader::{ReadError, prove_consistency, prove_inclusion};
use canvass_ledger::{Log, LogError, Proof, TileStore, leaf_hash};
use proptest::prelude::*;

use crate::common::{MemLog, NOW, config, entries, naive_root, new_log, trust, wait, witness_key};

async fn check_all(log: &MemLog, all: &[Vec<u8>]) {
    let size = log.size();
    assert_eq!(usize::try_from(size).unwrap(), all.len());
    assert_eq!(log.checkpoint().checkpoint.root, naive_root(all));
    assert_eq!(log.entries(0..size).await.unwrap(), all);
    let step = usize::try_from(size / 23 + 1).unwrap();
    for index in (0..size).step_by(step) {
        let proof = log.proof(index, None).await.unwrap();
        let read = Proof::parse(proof.to_string().as_bytes()).unwrap();
        assert_eq!(read, proof);
        read.verify(&leaf_hash(&all[usize::try_from(index).unwrap()]), &trust()).unwrap();
    }
    for old in (0..=size).step_by(step) {
        let proof = log.consistency_proof(old, size).await.unwrap();
        let old_root = naive_root(&all[..usize::try_from(old).unwrap()]);
        verify_consistency(old, &old_root, size, &log.checkpoint().checkpoint.root, &proof).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_pattern_of_appends_gives_the_naive_root(
        batches in prop::collection::vec((1_u64..400, any::<bool>()), 1..5),
    ) {
        wait(async {
            let (store, mut log) = new_log().await;
            let mut all = Vec::new();
            for (count, reopen) in batches {
                let batch = entries(all.len() as u64, count);
                let done = log.append(&batch, NOW).await.unwrap();
                assert_eq!(done.first_index, all.len() as u64);
                all.extend(batch);
                check_all(&log, &all).await;
                if reopen {
                    log = Log::open(config(), store.clone(), store.clone(), NOW).await.unwrap();
                    check_all(&log, &all).await;
                }
            }
        });
    }
}

#[test]
fn seventy_thousand_entries_reach_the_third_level() {
    wait(async {
        let (store, mut log) = new_log().await;
        let all = entries(0, 70_000);
        log.append(&all[..60_000], NOW).await.unwrap();
        log.append(&all[60_000..], NOW).await.unwrap();
        assert_eq!(log.checkpoint().checkpoint.root, naive_root(&all));
        assert!(store.get("tile/2/000.p/1").await.unwrap().is_some());
        let root = log.checkpoint().checkpoint.root;
        for index in [0, 255, 256, 65_535, 65_536, 69_999] {
            let proof = prove_inclusion(&*store, index, 70_000).await.unwrap();
            let leaf = leaf_hash(&all[usize::try_from(index).unwrap()]);
            verify_inclusion(&leaf, index, 70_000, &proof, &root).unwrap();
        }
        let proof = prove_consistency(&*store, 60_000, 70_000).await.unwrap();
        verify_consistency(60_000, &naive_root(&all[..60_000]), 70_000, &root, &proof).unwrap();
        let log = Log::open(config(), store.clone(), store.clone(), NOW).await.unwrap();
        assert_eq!(log.size(), 70_000);
    });
}

#[test]
fn limits_are_refused_and_change_nothing() {
    wait(async {
        let (_, mut log) = new_log().await;
        let none: [Vec<u8>; 0] = [];
        assert!(matches!(log.append(&none, NOW).await, Err(LogError::Limit { .. })));
        let long = log.append(&[vec![0; 3], vec![0; 65_536]], NOW).await;
        assert!(long.unwrap_err().to_string().contains("entry 1 has 65536 bytes"));
        let many = log.append(&vec![Vec::<u8>::new(); 65_537], NOW).await;
        assert!(matches!(many, Err(LogError::Limit { entries: 65_537, .. })));
        log.append(&[vec![7; 65_535]], NOW).await.unwrap();
        assert_eq!(log.size(), 1);
        assert!(matches!(
            log.inclusion_proof(0, 2).await,
            Err(LogError::Read(ReadError::Merkle(MerkleError::Outside { .. })))
        ));
        assert!(log.entries(0..2).await.is_err());
    });
}

#[test]
fn an_append_at_its_index_happens_once() {
    wait(async {
        let (store, mut log) = new_log().await;
        log.append(&entries(0, 3), NOW).await.unwrap();
        assert_eq!(log.append_at(3, &entries(3, 2), NOW).await.unwrap().first_index, 3);
        let mut log = Log::open(config(), store.clone(), store.clone(), NOW).await.unwrap();
        assert_eq!(log.append_at(3, &entries(3, 2), NOW).await.unwrap().first_index, 3);
        assert_eq!(log.size(), 5);
        let other = log.append_at(3, &entries(9, 2), NOW).await;
        assert!(matches!(other, Err(LogError::Conflict { expected: 3, size: 5 })));
        let beyond = log.append_at(6, &entries(9, 2), NOW).await;
        assert!(matches!(beyond, Err(LogError::Conflict { expected: 6, size: 5 })));
    });
}

#[test]
fn two_writers_take_turns_on_one_line() {
    wait(async {
        let (store, mut one) = new_log().await;
        let mut two = Log::open(config(), store.clone(), store.clone(), NOW).await.unwrap();
        for round in 0..5 {
            one.append(&entries(100 * round, 70), NOW).await.unwrap();
            two.append(&entries(100 * round + 70, 30), NOW + 1).await.unwrap();
        }
        one.refresh().await.unwrap();
        assert_eq!((one.size(), two.size()), (500, 500));
        check_all(&one, &entries(0, 500)).await;
    });
}

#[test]
fn a_log_never_starts_over_or_signs_on_an_older_head() {
    wait(async {
        let (store, mut log) = new_log().await;
        log.append(&entries(0, 10), NOW).await.unwrap();
        let older = log.checkpoint().to_string();
        log.append(&entries(10, 10), NOW).await.unwrap();
        store.tamper_head(Some(older));
        assert!(matches!(log.refresh().await, Err(LogError::RolledBack { known: 20, found: 10 })));
        assert!(log.append(&entries(77, 1), NOW).await.is_err());
        store.tamper_head(None);
        assert!(matches!(
            Log::create(config(), store.clone(), store.clone(), NOW).await.map(|l: MemLog| l.size()),
            Err(LogError::Exists)
        ));
        let gone: Result<MemLog, _> = Log::open(config(), store.clone(), store.clone(), NOW).await;
        assert!(matches!(gone, Err(LogError::NoHead)));
    });
}

#[test]
fn a_damaged_store_does_not_open() {
    wait(async {
        let (store, mut log) = new_log().await;
        log.append(&entries(0, 300), NOW).await.unwrap();
        for path in ["tile/0/001.p/44", "tile/entries/001.p/44", "tile/1/000.p/1"] {
            let copy = Arc::new(store.snapshot());
            let mut bytes = copy.get(path).await.unwrap().unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            copy.tamper(path, Some(bytes));
            let opened: Result<MemLog, _> = Log::open(config(), copy.clone(), copy, NOW).await;
            assert!(matches!(opened, Err(LogError::Damaged { size: 300 })), "{path}");
        }
    });
}

#[test]
fn cosignatures_are_attached_once_and_only_if_sound() {
    wait(async {
        let (store, mut log) = new_log().await;
        log.append(&entries(0, 4), NOW).await.unwrap();
        let text = log.checkpoint().note.text.clone();
        let known = [witness_key(1).verifier().clone(), witness_key(2).verifier().clone()];
        let good = witness_key(1).cosign(&text, NOW).unwrap();
        let stranger = witness_key(3).cosign(&text, NOW).unwrap();
        let added = log.attach_cosignatures(&[good.clone(), stranger], &known).await.unwrap();
        assert_eq!(added, 1);
        assert_eq!(log.attach_cosignatures(std::slice::from_ref(&good), &known).await.unwrap(), 0);
        let newer = witness_key(1).cosign(&text, NOW + 9).unwrap();
        assert_eq!(log.attach_cosignatures(&[newer], &known).await.unwrap(), 1);
        assert_eq!(log.checkpoint().note.signatures.len(), 3);
        let old = witness_key(2).cosign(&text, NOW).unwrap();
        log.append(&entries(4, 1), NOW).await.unwrap();
        assert!(matches!(log.attach_cosignatures(&[old], &known).await, Err(LogError::Cosignature(_))));
        // Another process attaches while this one appends: the append goes through.
        let mut other = Log::open(config(), store.clone(), store.clone(), NOW).await.unwrap();
        let text = other.checkpoint().note.text.clone();
        let good = witness_key(2).cosign(&text, NOW).unwrap();
        other.attach_cosignatures(&[good], &known).await.unwrap();
        log.append(&entries(5, 1), NOW).await.unwrap();
        assert_eq!(log.size(), 6);
    });
}

#[test]
fn futures_can_move_between_threads() {
    fn send<T: Send>(_: &T) {}
    wait(async {
        let (store, mut log) = new_log().await;
        let batch = entries(0, 1);
        send(&log.append(&batch, NOW));
        send(&canvass_ledger::audit(&*store, &trust(), None, |_, _| Ok(())));
    });
}
