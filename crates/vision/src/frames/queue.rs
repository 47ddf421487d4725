//! A queue that never holds up its source: full, it forgets the oldest and counts what it forgot.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[derive(Debug)]
struct Inside<T> {
    items: VecDeque<T>,
    dropped: u64,
    closed: bool,
}

/// A bounded queue between threads; clones share one queue.
#[derive(Debug)]
pub struct Queue<T> {
    inside: Arc<(Mutex<Inside<T>>, Condvar)>,
    most: usize,
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self { inside: self.inside.clone(), most: self.most }
    }
}

impl<T> Queue<T> {
    /// A queue of at most `most` items (at least one).
    pub fn new(most: usize) -> Self {
        let inside = Inside { items: VecDeque::new(), dropped: 0, closed: false };
        Self { inside: Arc::new((Mutex::new(inside), Condvar::new())), most: most.max(1) }
    }

    fn lock(&self) -> MutexGuard<'_, Inside<T>> {
        self.inside.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an item; the oldest goes when there is no room. False when the queue is closed.
    pub fn push(&self, item: T) -> bool {
        let mut inside = self.lock();
        if inside.closed {
            return false;
        }
        if inside.items.len() >= self.most {
            inside.items.pop_front();
            inside.dropped += 1;
        }
        inside.items.push_back(item);
        self.inside.1.notify_all();
        true
    }

    /// Adds an item, waiting for room. False when the queue is closed.
    pub fn push_waiting(&self, item: T) -> bool {
        let mut inside = self.lock();
        while inside.items.len() >= self.most && !inside.closed {
            inside = self.inside.1.wait(inside).unwrap_or_else(PoisonError::into_inner);
        }
        if inside.closed {
            return false;
        }
        inside.items.push_back(item);
        self.inside.1.notify_all();
        true
    }

    /// Takes the oldest item, waiting up to `patience` for one; none when nothing came, or the queue is closed and empty.
    pub fn pop(&self, patience: Duration) -> Option<T> {
        let inside = self.lock();
        let waited = self
            .inside
            .1
            .wait_timeout_while(inside, patience, |inside| inside.items.is_empty() && !inside.closed);
        let (mut inside, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let item = inside.items.pop_front();
        self.inside.1.notify_all();
        item
    }

    /// Nothing is added from now on; what is there can still be taken.
    pub fn close(&self) {
        self.lock().closed = true;
        self.inside.1.notify_all();
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// How many items are there.
    pub fn len(&self) -> usize {
        self.lock().items.len()
    }

    /// Whether none is there.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many items were forgotten so far.
    pub fn dropped(&self) -> u64 {
        self.lock().dropped
    }
}
