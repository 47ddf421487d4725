use canvass_ledger::merkle::{Frontier, Hash, Node, Plan, root_of, verify_consistency, verify_inclusion};
use canvass_ledger::{leaf_hash, node_hash};
use proptest::prelude::*;

use crate::common::{entries, naive_root, unhex};

fn node(leaves: &[Hash], node: Node) -> Option<Hash> {
    let first = usize::try_from(node.index << node.level).unwrap();
    let mut row = leaves.get(first..first + (1 << node.level))?.to_vec();
    while row.len() > 1 {
        row = row.chunks(2).map(|pair| node_hash(&pair[0], &pair[1])).collect();
    }
    row.first().copied()
}

/// The test tree that implementations of RFC 6962 share.
#[test]
fn known_roots_of_rfc_6962() {
    let leaves =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(root_of(&[]).to_vec(), unhex(empty));
    let mut tree = Frontier::default();
    for (leaf, root) in leaves.iter().zip(roots) {
        tree.push(leaf_hash(&unhex(leaf)));
        assert_eq!(tree.root().to_vec(), unhex(root));
    }
}

#[test]
fn every_proof_of_small_trees_verifies_and_no_other_index_does() {
    for size in 1..=40_u64 {
        let list = entries(0, size);
        let leaves: Vec<_> = list.iter().map(|e| leaf_hash(e)).collect();
        let root = naive_root(&list);
        for index in 0..size {
            let plan = Plan::inclusion(index, size).unwrap();
            let proof = plan.assemble(|n| node(&leaves, n)).unwrap();
            let leaf = leaves[usize::try_from(index).unwrap()];
            verify_inclusion(&leaf, index, size, &proof, &root).unwrap();
            for other in (0..size + 2).filter(|other| *other != index) {
                assert!(verify_inclusion(&leaf, other, size, &proof, &root).is_err());
            }
        }
        for old in 0..=size {
            let old_root = naive_root(&list[..usize::try_from(old).unwrap()]);
            let proof = Plan::consistency(old, size).unwrap().assemble(|n| node(&leaves, n)).unwrap();
            verify_consistency(old, &old_root, size, &root, &proof).unwrap();
            if old > 0 && old < size {
                assert!(verify_consistency(old, &root, size, &root, &proof).is_err());
                assert!(verify_consistency(old, &old_root, size, &old_root, &proof).is_err());
                assert!(verify_consistency(old, &old_root, size, &root, &proof[1..]).is_err());
            }
        }
    }
}

proptest! {
    #[test]
    fn any_flipped_bit_breaks_a_proof(size in 2_u64..300, index: u64, old: u64, at: usize, bit in 0_usize..256) {
        let list = entries(0, size);
        let leaves: Vec<_> = list.iter().map(|e| leaf_hash(e)).collect();
        let (root, index, old) = (root_of(&leaves), index % size, 1 + old % (size - 1));
        prop_assert_eq!(root, naive_root(&list));
        let leaf = leaves[usize::try_from(index).unwrap()];
        let mut proof = Plan::inclusion(index, size).unwrap().assemble(|n| node(&leaves, n)).unwrap();
        verify_inclusion(&leaf, index, size, &proof, &root).unwrap();
        let place = at % proof.len();
        proof[place][bit / 8] ^= 1 << (bit % 8);
        prop_assert!(verify_inclusion(&leaf, index, size, &proof, &root).is_err());

        let old_root = root_of(&leaves[..usize::try_from(old).unwrap()]);
        let mut proof = Plan::consistency(old, size).unwrap().assemble(|n| node(&leaves, n)).unwrap();
        verify_consistency(old, &old_root, size, &root, &proof).unwrap();
        let place = at % proof.len();
        proof[place][bit / 8] ^= 1 << (bit % 8);
        prop_assert!(verify_consistency(old, &old_root, size, &root, &proof).is_err());
    }

    #[test]
    fn huge_sizes_and_wild_proofs_never_panic(
        index: u64, size: u64, old: u64, leaf: [u8; 32], proof in prop::collection::vec(any::<[u8; 32]>(), 0..70),
    ) {
        prop_assert!(verify_inclusion(&leaf, index, size, &proof, &[7; 32]).is_err());
        let _ = verify_consistency(old, &leaf, size, &[7; 32], &proof);
        let _ = Plan::inclusion(index, size).map(|plan| plan.nodes().count());
        let _ = Plan::consistency(old, size).map(|plan| plan.nodes().count());
    }
}
