//! Footage: what cameras and evidence show, searched by description.

mod rules;

pub use rules::{FootageRule, FootageRules, footage_rules};
