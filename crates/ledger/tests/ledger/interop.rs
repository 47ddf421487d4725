//! Against independent implementations of the same specifications.

use canvass_ledger::tile::{TileKind, TilePath};
use canvass_ledger::{Note, TileStore, VerifierKey, leaf_hash};
use signed_note::{StandardSigner, StandardVerifier, VerifierList};
use tlog_tiles::tlog;

use crate::common::{NOW, ORIGIN, entries, new_log, signer, wait};

#[test]
fn notes_are_read_by_others_and_theirs_by_us() {
    wait(async {
        let (_, mut log) = new_log().await;
        log.append(&entries(0, 5), NOW).await.unwrap();
        let vkey = signer().verifier().to_string();
        let list = VerifierList::new(vec![Box::new(StandardVerifier::new(&vkey).unwrap())]);
        let note = signed_note::Note::from_bytes(log.checkpoint().to_string().as_bytes()).unwrap();
        let (known, unknown) = note.verify(&list).unwrap();
        assert_eq!((known.len(), unknown.len()), (1, 1));
        let theirs = tlog_tiles::Checkpoint::from_bytes(note.text()).unwrap();
        assert_eq!((theirs.origin(), theirs.size()), (ORIGIN, 5));
        assert_eq!(theirs.hash().0, log.checkpoint().checkpoint.root);

        let secret = signer().to_secret_text();
        let foreign = StandardSigner::new(&secret).unwrap();
        let mut note = signed_note::Note::new(b"Theirs.\n", &[]).unwrap();
        note.add_sigs(&[&foreign]).unwrap();
        let ours = Note::parse(&note.to_bytes()).unwrap();
        ours.verify(&[&VerifierKey::parse(&vkey).unwrap()]).unwrap();
    });
}

#[test]
fn proofs_and_tiles_are_those_of_others() {
    struct Stored(Vec<tlog::Hash>);
    impl tlog::HashReader for Stored {
        fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog::Hash>, tlog::Error> {
            Ok(indexes.iter().map(|i| self.0[usize::try_from(*i).unwrap()]).collect())
        }
    }
    wait(async {
        let (store, mut log) = new_log().await;
        let mut theirs = Stored(Vec::new());
        let all = entries(0, 700);
        for (n, entry) in (0..).zip(&all) {
            let new = tlog::stored_hashes(n, entry, &theirs).unwrap();
            theirs.0.extend(new);
        }
        log.append(&all[..300], NOW).await.unwrap();
        log.append(&all[300..], NOW).await.unwrap();
        let root = log.checkpoint().checkpoint.root;
        assert_eq!(tlog::tree_hash(700, &theirs).unwrap().0, root);
        for index in (0..700).step_by(53) {
            let ours = log.inclusion_proof(index, 700).await.unwrap();
            let their = tlog::prove_record(700, index, &theirs).unwrap();
            assert_eq!(ours, their.iter().map(|h| h.0).collect::<Vec<_>>());
            let leaf = tlog::Hash(leaf_hash(&all[usize::try_from(index).unwrap()]));
            tlog::check_record(&their, 700, tlog::Hash(root), index, leaf).unwrap();
            if index > 0 {
                let ours = log.consistency_proof(index, 700).await.unwrap();
                let their = tlog::prove_tree(700, index, &theirs).unwrap();
                assert_eq!(ours, their.iter().map(|h| h.0).collect::<Vec<_>>());
            }
        }
        for tile in tlog_tiles::Tile::new_tiles(8, 0, 700) {
            let kind = TileKind::Hashes { level: tile.level() };
            let path = TilePath::in_tree(kind, tile.level_index(), 700).unwrap();
            assert_eq!(u32::from(path.width()), tile.width());
            let stored = store.get(&path.to_string()).await.unwrap().unwrap();
            assert_eq!(stored, tile.read_data(&theirs).unwrap());
        }
    });
}
