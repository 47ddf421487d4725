//! The court bundle.
