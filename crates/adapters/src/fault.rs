//! What is wrong with a payload or a row.

/// What is wrong, where, and what to do. It never holds what was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {what}; {remedy}")]
pub struct Fault {
    /// The member or column at fault, with its place: `results[2].plate`; `body` for the whole.
    pub field: String,
    /// What rule it breaks, in a word that programs may compare.
    pub rule: &'static str,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: &'static str,
}

impl Fault {
    pub(crate) fn new(
        field: impl Into<String>,
        rule: &'static str,
        what: impl Into<String>,
        remedy: &'static str,
    ) -> Self {
        Self { field: field.into(), rule, what: what.into(), remedy }
    }
}
