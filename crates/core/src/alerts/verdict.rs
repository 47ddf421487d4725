//! What a comparison of plate and picture comes to. Pure.

use canvass_types::FieldProblem;

use crate::{error::problem, records::AlertState};

/// What is known when a person says what they saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Whether the plate that they typed is that of the entry.
    pub same: bool,
    /// Whether the list, as we know it, still holds the entry.
    pub held: bool,
    /// The outcome that they choose; none for what follows by itself.
    pub chosen: Option<AlertState>,
}

/// The outcome: another plate is a misread, whatever is chosen; the same one may be confirmed while the list holds it.
///
/// # Errors
/// When what is chosen does not fit what was seen.
pub fn verdict(seen: Seen) -> Result<AlertState, Box<FieldProblem>> {
    let wrong =
        |rule: &str, message: &str, remedy: &str| Err(Box::new(problem("outcome", rule, message, remedy)));
    match (seen.same, seen.chosen) {
        (_, Some(AlertState::Unconfirmed)) => {
            wrong("open", "an alert does not become unconfirmed again", "choose confirmed, misread or stale")
        }
        (false, None | Some(AlertState::Misread)) => Ok(AlertState::Misread),
        (false, Some(_)) => wrong(
            "misread",
            "the plate that you typed is another than that of the list: this is a misread",
            "leave the outcome out, or look at the picture again and type what stands on the plate",
        ),
        (true, Some(AlertState::Misread)) => wrong(
            "same",
            "the plate that you typed is that of the list: this is no misread",
            "look at the picture again and type what stands on the plate",
        ),
        (true, Some(AlertState::Stale)) => Ok(AlertState::Stale),
        (true, None | Some(AlertState::Confirmed)) if seen.held => Ok(AlertState::Confirmed),
        (true, None) => Ok(AlertState::Stale),
        (true, Some(AlertState::Confirmed)) => wrong(
            "stale",
            "the list does not hold this plate any more, so it can't be confirmed",
            "leave the outcome out: the alert is stale",
        ),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_may_be_chosen_follows_from_what_was_seen() {
        use AlertState::{Confirmed, Misread, Stale, Unconfirmed};
        for (same, held, chosen, outcome) in [
            (true, true, None, Ok(Confirmed)),
            (true, true, Some(Confirmed), Ok(Confirmed)),
            (true, true, Some(Stale), Ok(Stale)),
            (true, true, Some(Misread), Err("same")),
            (true, false, None, Ok(Stale)),
            (true, false, Some(Confirmed), Err("stale")),
            (false, true, None, Ok(Misread)),
            (false, true, Some(Misread), Ok(Misread)),
            (false, true, Some(Confirmed), Err("misread")),
            (false, false, Some(Stale), Err("misread")),
            (true, true, Some(Unconfirmed), Err("open")),
        ] {
            let found = verdict(Seen { same, held, chosen });
            let found = found.as_ref().map_err(|problem| problem.rule.as_str());
            assert_eq!(found.copied(), outcome, "{same} {held} {chosen:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_confirmed_that_was_not_seen_and_held(
            same in any::<bool>(),
            held in any::<bool>(),
            chosen in proptest::option::of(proptest::sample::select(AlertState::ALL.to_vec())),
        ) {
            let found = verdict(Seen { same, held, chosen });
            prop_assert!(found != Ok(AlertState::Unconfirmed));
            prop_assert!(found != Ok(AlertState::Confirmed) || (same && held));
            prop_assert!(found != Ok(AlertState::Misread) || !same);
            // Leaving the outcome out always comes to one.
            prop_assert!(chosen.is_some() || found.is_ok());
        }
    }
}
