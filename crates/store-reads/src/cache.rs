//! Opened blocks that were used lately, up to so many bytes.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rustc_hash::FxHashMap;

use crate::segment::Dictionary;

/// What is cached.
#[derive(Clone)]
pub(crate) enum Piece {
    /// A block as it was before it was sealed.
    Block(Arc<[u8]>),
    /// The automaton over a segment's plates.
    Dictionary(Arc<Dictionary>),
}

impl Piece {
    fn bytes(&self) -> usize {
        match self {
            Self::Block(bytes) => bytes.len() + 96,
            Self::Dictionary(map) => map.as_fst().size() + 96,
        }
    }
}

/// Segment, kind of block, which of them.
pub(crate) type Key = (u64, u8, u32);

pub(crate) struct Cache {
    most: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    pieces: FxHashMap<Key, (u64, Piece)>,
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

    pub(crate) fn get(&self, key: Key) -> Option<Piece> {
        let mut guard = self.lock();
        let inner = &mut *guard;
        inner.tick += 1;
        let (used, piece) = inner.pieces.get_mut(&key)?;
        inner.by_use.remove(used);
        *used = inner.tick;
        inner.by_use.insert(inner.tick, key);
        Some(piece.clone())
    }

    pub(crate) fn put(&self, key: Key, piece: Piece) {
        let mut guard = self.lock();
        let inner = &mut *guard;
        inner.tick += 1;
        let tick = inner.tick;
        inner.bytes += piece.bytes();
        if let Some((used, old)) = inner.pieces.insert(key, (tick, piece)) {
            inner.by_use.remove(&used);
            inner.bytes -= old.bytes();
        }
        inner.by_use.insert(tick, key);
        while inner.bytes > self.most {
            let Some((_, oldest)) = inner.by_use.pop_first() else { break };
            if let Some((_, old)) = inner.pieces.remove(&oldest) {
                inner.bytes -= old.bytes();
            }
        }
    }

    /// Forgets what is cached of segments, or all but their dictionaries.
    pub(crate) fn forget(&self, which: impl Fn(&Key, &Piece) -> bool) {
        let mut guard = self.lock();
        let inner = &mut *guard;
        let gone: Vec<(Key, u64)> = inner
            .pieces
            .iter()
            .filter(|(key, (_, piece))| which(key, piece))
            .map(|(key, (used, _))| (*key, *used))
            .collect();
        for (key, used) in gone {
            inner.by_use.remove(&used);
            if let Some((_, old)) = inner.pieces.remove(&key) {
                inner.bytes -= old.bytes();
            }
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.lock().bytes
    }
}
