use std::sync::Arc;

use canvass_ledger::store::Stored;
use canvass_ledger::verify::{check_growth, fetch_checkpoint};
use canvass_ledger::{
    AuditError, Checkpoint, Log, MemStore, SignedCheckpoint, TilePath, TileStore, Trust, TrustError, audit,
};

use crate::common::{MemLog, NOW, ORIGIN, config, entries, new_log, signer, trust, wait, witness_key};

async fn grown(count: u64) -> (Arc<MemStore>, MemLog) {
    let (store, mut log) = new_log().await;
    for batch in entries(0, count).chunks(50_000) {
        log.append(batch, NOW).await.unwrap();
    }
    (store, log)
}

async fn run(store: &MemStore, remembered: Option<&Checkpoint>) -> Result<u64, AuditError> {
    audit(store, &trust(), remembered, |_, _| Ok(())).await.map(|report| report.entries)
}

#[test]
fn sound_logs_pass_and_hand_over_every_entry() {
    wait(async {
        for count in [0, 1, 255, 256, 257, 700, 66_000] {
            let (store, log) = grown(count).await;
            let mut seen = Vec::new();
            let source = Stored { tiles: log.tiles(), heads: log.heads() };
            let trust = trust();
            let report = audit(&source, &trust, None, |index, entry| {
                assert_eq!(index, seen.len() as u64);
                seen.push(entry.to_vec());
                Ok(())
            });
            let report = report.await.unwrap();
            assert_eq!((report.entries, seen), (count, entries(0, count)));
            assert_eq!(report.trusted.cosigned, [(witness_key(0).verifier().name().to_owned(), NOW)]);
            run(&store, Some(&report.trusted.signed.checkpoint)).await.unwrap();
        }
    });
}

#[test]
fn growth_is_followed_and_rollback_named() {
    wait(async {
        let (store, mut log) = grown(300).await;
        let seen = log.checkpoint().checkpoint.clone();
        let early = store.snapshot();
        log.append(&entries(300, 900), NOW).await.unwrap();
        run(&store, Some(&seen)).await.unwrap();
        let now = fetch_checkpoint(&*store, &trust()).await.unwrap().signed.checkpoint;
        check_growth(&*store, &seen, &now).await.unwrap();
        let back = run(&early, Some(&now)).await;
        assert!(matches!(back, Err(AuditError::Rollback { remembered: 1200, found: 300 })));
        assert!(matches!(check_growth(&early, &now, &seen).await, Err(AuditError::Rollback { .. })));
    });
}

#[test]
fn a_split_view_is_named() {
    wait(async {
        let (_, log) = grown(300).await;
        let seen = log.checkpoint().checkpoint.clone();
        for count in [300, 301, 900] {
            let (store, mut other) = new_log().await;
            let mut list = entries(0, count);
            list[17] = b"another past".to_vec();
            other.append(&list, NOW).await.unwrap();
            assert!(matches!(run(&store, Some(&seen)).await, Err(AuditError::SplitView { size: 300 })));
            let now = other.checkpoint().checkpoint.clone();
            let light = check_growth(&*store, &seen, &now).await;
            assert!(matches!(light, Err(AuditError::SplitView { size: 300 })));
        }
    });
}

#[test]
fn every_tampered_or_missing_file_is_named() {
    wait(async {
        let (store, _) = grown(66_000).await;
        // Partial files of earlier sizes are not part of this tree.
        let needed = |path: &String| {
            path.parse::<TilePath>().is_ok_and(|p| TilePath::in_tree(p.kind(), p.index(), 66_000) == Some(p))
        };
        let files: Vec<_> = store.paths().into_iter().filter(needed).collect();
        let picked =
            files.iter().filter(|p| !p.starts_with("tile/0/") || p.ends_with('7') || p.contains(".p/"));
        let picked =
            picked.filter(|p| !p.starts_with("tile/entries/") || p.ends_with("33") || p.contains(".p/"));
        let mut tried = 0;
        for path in picked {
            let whole = store.get(path).await.unwrap().unwrap();
            for place in [0, whole.len() / 2, whole.len() - 1] {
                let mut bytes = whole.clone();
                bytes[place] ^= 0x10;
                store.tamper(path, Some(bytes));
                let error = run(&store, None).await.unwrap_err();
                let named = match &error {
                    AuditError::TamperedTile { path: found } => found == path,
                    AuditError::TamperedEntry { .. } => path.starts_with("tile/entries/"),
                    AuditError::TamperedEdge { .. } => path.contains(".p/"),
                    AuditError::Read(_) => error.to_string().contains(path.as_str()),
                    _ => false,
                };
                assert!(named, "{path}: {error}");
            }
            store.tamper(path, None);
            let error = run(&store, None).await.unwrap_err();
            assert!(error.to_string().contains(&format!("file {path} is missing")), "{error}");
            store.tamper(path, Some(whole[..whole.len() - 1].to_vec()));
            assert!(matches!(run(&store, None).await, Err(AuditError::Read(_))));
            store.tamper(path, Some(whole));
            tried += 1;
        }
        assert!(tried > 10);
        run(&store, None).await.unwrap();
    });
}

#[test]
fn a_tampered_entry_is_named_by_index() {
    wait(async {
        let (store, _) = grown(600).await;
        let path = "tile/entries/001";
        let mut bytes = store.get(path).await.unwrap().unwrap();
        // Entries here are `entry NNN`: 9 bytes and a prefix of 2.
        bytes[11 * 5 + 10] ^= 1;
        store.tamper(path, Some(bytes));
        assert!(matches!(run(&store, None).await, Err(AuditError::TamperedEntry { index: 261 })));
    });
}

#[test]
fn an_old_partial_tile_may_be_gone_if_the_full_one_is_there() {
    wait(async {
        let (store, mut log) = grown(100).await;
        let early = store.load_head().await;
        log.append(&entries(100, 200), NOW).await.unwrap();
        store.tamper_head(Some(early));
        store.tamper("tile/0/000.p/100", None);
        store.tamper("tile/entries/000.p/100", None);
        assert_eq!(run(&store, None).await.unwrap(), 100);
    });
}

#[test]
fn checkpoints_without_trust_are_refused() {
    wait(async {
        let (store, log) = grown(9).await;
        let key = signer().verifier().clone();
        let two = vec![witness_key(0).verifier().clone(), witness_key(5).verifier().clone()];
        let strict = Trust::new(ORIGIN, key.clone(), two, 2).unwrap();
        let error = audit(&*store, &strict, None, |_, _| Ok(())).await.unwrap_err();
        assert!(matches!(error, AuditError::Trust(TrustError::Quorum { needed: 2, found: 1 })));
        let elsewhere = Trust::new("ledger.example/oversight", key, vec![], 0).unwrap();
        let error = audit(&*store, &elsewhere, None, |_, _| Ok(())).await.unwrap_err();
        assert!(matches!(error, AuditError::Trust(TrustError::Origin { .. })));

        // A log that signs a root over other entries than it serves.
        let mut head = log.checkpoint().checkpoint.clone();
        head.root[0] ^= 1;
        let lie = SignedCheckpoint::sign(head, &signer(), &[witness_key(0)], NOW).unwrap();
        store.tamper_head(Some(lie.to_string()));
        assert!(matches!(run(&store, None).await, Err(AuditError::TamperedEdge { size: 9 })));
        store.tamper_head(None);
        assert!(matches!(run(&store, None).await, Err(AuditError::NoCheckpoint)));
    });
}

#[test]
fn trust_refuses_policies_that_count_a_key_twice() {
    let key = signer().verifier().clone();
    let witness = witness_key(1).verifier().clone();
    let twin = canvass_ledger::VerifierKey::new("twin.example", witness.kind(), witness.public()).unwrap();
    assert!(Trust::new(ORIGIN, key.clone(), vec![witness.clone(), twin], 2).is_err());
    assert!(Trust::new(ORIGIN, key.clone(), vec![witness.clone()], 2).is_err());
    assert!(Trust::new(ORIGIN, witness.clone(), vec![witness.clone()], 1).is_err());
    assert!(Trust::new(ORIGIN, key.clone(), vec![key], 1).is_err());
}

#[test]
fn the_callers_reason_is_passed_on() {
    wait(async {
        let (store, _) = grown(9).await;
        let refuse = |index, _: &[u8]| if index == 4 { Err("not a leaf".to_owned()) } else { Ok(()) };
        let error = audit(&*store, &trust(), None, refuse).await.unwrap_err();
        assert_eq!(error.to_string(), "entry 4: not a leaf");
        let log: MemLog = Log::open(config(), store.clone(), store, NOW).await.unwrap();
        assert_eq!(log.size(), 9);
    });
}

trait LoadHead {
    async fn load_head(&self) -> String;
}

impl LoadHead for MemStore {
    async fn load_head(&self) -> String {
        canvass_ledger::HeadStore::load(self).await.unwrap().unwrap()
    }
}
