//! Placeholder text replaced as the crate is filled.
