//! Opened blocks that were used lately, up to so many bytes.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rustc_hash::FxHashMap;

/// A block as it was before it was sealed.
pub(crate) type Block = Arc<[u8]>;

/// What a block takes in memory, with its place in the lists.
fn bytes_of(block: &Block) -> usize {
    block.len() + 96
}

/// Segment, kind of block, which of them.
pub(crate) type Key = (u64, u8, u32);

pub(crate) struct Cache {
    most: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    pieces: FxHashMap<Key, (u64, Block)>,
    by_use: BTreeMap<u64, Key>,
    tick: u64,
    bytes: usize,
}

impl Cache {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, inner: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn get(&self, key: Key) -> Option<Block> {
        let mut guard = self.lock();
        let inner = &mut *guard;
        inner.tick += 1;
        let (used, block) = inner.pieces.get_mut(&key)?;
        inner.by_use.remove(used);
        *used = inner.tick;
        inner.by_use.insert(inner.tick, key);
        Some(Arc::clone(block))
    }

    /// Whether it is there; that does not count as a use.
    pub(crate) fn has(&self, key: Key) -> bool {
        self.lock().pieces.contains_key(&key)
    }

    pub(crate) fn put(&self, key: Key, block: Block) {
        let mut guard = self.lock();
        let inner = &mut *guard;
        inner.tick += 1;
        let tick = inner.tick;
        inner.bytes += bytes_of(&block);
        if let Some((used, old)) = inner.pieces.insert(key, (tick, block)) {
            inner.by_use.remove(&used);
            inner.bytes -= bytes_of(&old);
        }
        inner.by_use.insert(tick, key);
        while inner.bytes > self.most {
            let Some((_, oldest)) = inner.by_use.pop_first() else { break };
            if let Some((_, old)) = inner.pieces.remove(&oldest) {
                inner.bytes -= bytes_of(&old);
            }
        }
    }

    /// Forgets what is cached of segments.
    pub(crate) fn forget(&self, which: impl Fn(&Key) -> bool) {
        let mut guard = self.lock();
        let inner = &mut *guard;
        let gone: Vec<(Key, u64)> =
            inner.pieces.iter().filter(|(key, _)| which(key)).map(|(key, (used, _))| (*key, *used)).collect();
        for (key, used) in gone {
            inner.by_use.remove(&used);
            if let Some((_, old)) = inner.pieces.remove(&key) {
                inner.bytes -= bytes_of(&old);
            }
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.lock().bytes
    }
}
