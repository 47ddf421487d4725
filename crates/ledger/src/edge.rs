//! The right edge of a log in memory: what the next append needs, so that it reads nothing.

use crate::merkle::{Hash, empty_root, leaf_hash};
use crate::tile::{FULL, TileError, TileKind, TilePath, encode_tile, join_partial, perfect, push_entry};

/// An object to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Write {
    pub path: TilePath,
    pub bytes: Vec<u8>,
}

/// The partial tiles of a tree, and the entries of its partial bundle.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Edge {
    pub size: u64,
    // levels[l]: hashes of the partial tile of level l, 0 to 255 of them.
    pub levels: Vec<Vec<Hash>>,
    // The partial bundle's bytes.
    pub bundle: Vec<u8>,
}

impl Edge {
    pub(crate) fn root(&self) -> Hash {
        self.levels.iter().fold(None, |right, hashes| join_partial(hashes, right)).unwrap_or_else(empty_root)
    }

    /// The bytes of a partial tile or bundle, if the edge holds it at that width.
    pub(crate) fn tile(&self, path: TilePath) -> Option<Vec<u8>> {
        let TileKind::Hashes { level } = path.kind() else {
            let ours = TilePath::in_tree(path.kind(), path.index(), self.size)?;
            return (ours.is_partial() && ours == path).then(|| self.bundle.clone());
        };
        let hashes = self.levels.get(usize::from(level))?;
        let ours = TilePath::in_tree(path.kind(), path.index(), self.size)?;
        let held = ours.is_partial() && hashes.len() == usize::from(ours.width());
        held.then(|| hashes.get(..usize::from(path.width())).map(encode_tile))?
    }

    /// Adds entries and says what to write, bundles first. On an error the edge is left as it was.
    pub(crate) fn extend<E: AsRef<[u8]>>(&mut self, entries: &[E]) -> Result<Vec<Write>, TileError> {
        for (at, entry) in entries.iter().enumerate() {
            let length = entry.as_ref().len();
            if length > crate::tile::MAX_ENTRY {
                return Err(TileError::EntryLength { entry: at, length });
            }
        }
        let before = self.size;
        let mut writes = Vec::new();
        for entry in entries {
            push_entry(&mut self.bundle, entry.as_ref())?;
            self.push(leaf_hash(entry.as_ref()), &mut writes);
        }
        if self.size > before && !self.bundle.is_empty() {
            let path = TilePath::in_tree(TileKind::Entries, self.size / u64::from(FULL), self.size);
            writes.extend(path.map(|path| Write { path, bytes: self.bundle.clone() }));
        }
        for (level, hashes) in (0_u8..).zip(&self.levels) {
            let shift = 8 * u32::from(level);
            if hashes.is_empty() || before >> shift == self.size >> shift {
                continue;
            }
            let index = (self.size >> shift) / u64::from(FULL);
            let path = TilePath::in_tree(TileKind::Hashes { level }, index, self.size);
            writes.extend(path.map(|path| Write { path, bytes: encode_tile(hashes) }));
        }
        Ok(writes)
    }

    fn push(&mut self, leaf: Hash, writes: &mut Vec<Write>) {
        let mut carry = leaf;
        let mut index = self.size / u64::from(FULL);
        self.size += 1;
        for level in 0_u8..8 {
            let at = usize::from(level);
            if self.levels.len() == at {
                self.levels.push(Vec::new());
            }
            let Some(hashes) = self.levels.get_mut(at) else { return };
            hashes.push(carry);
            if hashes.len() < usize::from(FULL) {
                return;
            }
            let full = std::mem::take(hashes);
            if level == 0 {
                let bytes = std::mem::take(&mut self.bundle);
                let path = TilePath::new(TileKind::Entries, index, FULL);
                writes.extend(path.map(|path| Write { path, bytes }));
            }
            let path = TilePath::new(TileKind::Hashes { level }, index, FULL);
            writes.extend(path.map(|path| Write { path, bytes: encode_tile(&full) }));
            carry = perfect(&full);
            index /= u64::from(FULL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::root_of;

    #[test]
    fn the_spec_example_of_70000_entries() {
        let entries: Vec<_> = (0..70_000_u32).map(u32::to_be_bytes).collect();
        let mut edge = Edge::default();
        let writes = edge.extend(&entries).unwrap();
        let count = |level, partial| {
            let kind = TileKind::Hashes { level };
            writes.iter().filter(|w| w.path.kind() == kind && w.path.is_partial() == partial).count()
        };
        assert_eq!((count(0, false), count(0, true)), (273, 1));
        assert_eq!((count(1, false), count(1, true)), (1, 1));
        assert_eq!((count(2, false), count(2, true)), (0, 1));
        let widths: Vec<_> = writes.iter().filter(|w| w.path.is_partial()).map(|w| w.path.width()).collect();
        assert_eq!(widths, [112, 112, 17, 1]);
        let leaves: Vec<_> = entries.iter().map(|e| leaf_hash(e)).collect();
        assert_eq!(edge.root(), root_of(&leaves));
    }

    #[test]
    fn a_tree_of_256_has_a_partial_tile_of_width_one_above() {
        let mut edge = Edge::default();
        let paths: Vec<_> =
            edge.extend(&vec![[1_u8]; 256]).unwrap().iter().map(|w| w.path.to_string()).collect();
        assert_eq!(paths, ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]);
    }
}
