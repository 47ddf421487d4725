//! Why an operation of the domain did not happen. Few kinds; each says what to do next.

use canvass_types::{FieldProblem, Time};

use crate::{access::Denied, plates::ReadsError, ports::StoreError};

/// Why an operation did not happen.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CoreError {
    /// The sign-in does not count.
    #[error(
        "sign in: this token or session is unknown, expired, revoked or ended; sign in again, or ask your administrator or \
         operator for a new token"
    )]
    SignIn,
    /// The session is locked.
    #[error("the session is locked; unlock it with your passkey")]
    Locked,
    /// Too many failures.
    #[error(
        "too many failures to sign in; try again after {until}, or ask your administrator for a new enrolment"
    )]
    LockedOut {
        /// Until when nothing is tried.
        until: Time,
    },
    /// A provider of sign-ins does not answer.
    #[error(
        "the sign-in of {name} does not work at the moment: {reason}; try again later, or use a passkey meanwhile"
    )]
    ProviderDown {
        /// What people call it.
        name: String,
        /// What it does not do.
        reason: String,
    },
    /// The actor may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// There is no such thing, or it is not for the actor to know of.
    #[error("{0}: there is none under this id; check the id, or list what there is")]
    Hidden(&'static str),
    /// What was given is wrong.
    #[error("{} of the fields can't be accepted: {}", .0.len(), summary(.0))]
    Invalid(Vec<FieldProblem>),
    /// It is not in a state in which this can be done.
    #[error("{what}; {remedy}")]
    State {
        /// What stands in the way.
        what: String,
        /// What to do next.
        remedy: String,
    },
    /// The store's reason.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The reason of the store of plate reads.
    #[error(transparent)]
    Reads(#[from] ReadsError),
}

impl CoreError {
    /// A [`CoreError::State`].
    pub fn state(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::State { what: what.into(), remedy: remedy.into() }
    }

    /// One wrong field.
    pub fn field(field: &str, rule: &str, message: &str, remedy: &str) -> Self {
        Self::Invalid(vec![problem(field, rule, message, remedy)])
    }
}

/// Says what is wrong with a field.
pub fn problem(field: &str, rule: &str, message: &str, remedy: &str) -> FieldProblem {
    FieldProblem {
        field: field.into(),
        rule: rule.into(),
        message: message.into(),
        remedy: remedy.into(),
        matched: None,
        ranges: Vec::new(),
    }
}

pub(crate) fn summary(problems: &[FieldProblem]) -> String {
    problems
        .iter()
        .map(|each| format!("{}: {} ({})", each.field, each.message, each.remedy))
        .collect::<Vec<_>>()
        .join("; ")
}

/// Refuses a text that is empty, too long, or holds control characters.
pub(crate) fn check_text(
    problems: &mut Vec<FieldProblem>,
    field: &str,
    text: &str,
    lengths: std::ops::RangeInclusive<usize>,
) {
    let length = text.trim().chars().count();
    if !lengths.contains(&length) {
        let message = format!("{length} characters are outside {} to {}", lengths.start(), lengths.end());
        problems.push(problem(field, "length", &message, "shorten or complete the text"));
    }
    if text.chars().any(|each| each.is_control() && each != '\n' && each != '\t') {
        problems.push(problem(
            field,
            "control",
            "control characters are in the text",
            "type the text anew instead of pasting it",
        ));
    }
}

/// Gives the problems back as an error when there are any.
pub(crate) fn accept(problems: Vec<FieldProblem>) -> Result<(), CoreError> {
    if problems.is_empty() { Ok(()) } else { Err(CoreError::Invalid(problems)) }
}
