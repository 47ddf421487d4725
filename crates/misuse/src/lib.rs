//! Misuse detection: what a history of acts tells of members who look where they have no business.
//!
//! [`detect`] takes the acts of one agency and what is known around them, and gives [`Finding`]s. A finding accuses nobody:
//! it is a pattern that somebody must look at and explain. Five rules, with their numbers in `policies/misuse.toml`:
//! the same target again ([`Rule::Repeat`]), the member's own vehicles ([`Rule::Own`]), bursts at odd hours
//! ([`Rule::Hours`]), copied reasons ([`Rule::Reasons`]), and searches that find nothing ([`Rule::Hits`]).
//!
//! The crate does no input or output, reads no clock and knows no names: members, targets and cases are opaque texts. The
//! same history gives the same findings with the same ids, so that looking again raises nothing twice.

mod act;
mod finding;
mod params;
mod rules;
mod stats;
mod text;

pub use act::{Act, Context, History};
pub use finding::{Finding, Rule, Why};
pub use params::{HitsParams, HoursParams, OwnParams, Params, ParamsError, ReasonsParams, RepeatParams};
pub use rules::detect;
