//! What could not be done as well as it should be, for who asked.

use std::sync::{Arc, Mutex, PoisonError};

/// The most that wait to be told.
const MOST: usize = 32;

/// Warnings, in the order in which they came. A clone tells to the same list.
#[derive(Debug, Clone, Default)]
pub struct Warnings(Arc<Mutex<Vec<String>>>);

impl Warnings {
    /// Adds one, once.
    pub fn tell(&self, warning: String) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() < MOST && !all.contains(&warning) {
            all.push(warning);
        }
    }

    /// Takes them out.
    #[must_use]
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl PartialEq for Warnings {
    /// Whom it is told to is no part of how something is done.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Warnings {}
