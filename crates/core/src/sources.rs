//! What machines send that stand beside cameras, of plates and of footage alike: under whose token, by which ids, by which
//! clock, and what is told of a row that is not taken.

use canvass_types::{AgencyState, CameraId, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    App, CoreError,
    access::{Action, Actor, By, Denied, Target},
    ports::Records,
    records::{Agency, CameraUse},
};

/// Most rows that are named as wrong in one answer; how many there were is told besides.
pub const MOST_PROBLEMS: usize = 100;
/// Seconds that a camera's clock may be ahead of ours.
const AHEAD: i64 = 120;
/// Seconds behind ours from which on a clock is no clock.
const BEHIND: i64 = 400 * 86_400;

/// What is wrong with a field of a row: field, rule, what it is, what to do. It never holds what was sent.
pub(crate) type Fault = (&'static str, &'static str, String, &'static str);

/// A row that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RowProblem {
    /// Its number, from 1.
    pub row: u64,
    /// The field at fault; `row` when the row is none.
    pub field: String,
    /// What rule it breaks.
    pub rule: String,
    /// What is wrong. It never repeats what was sent.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

impl RowProblem {
    /// Puts a fault among those that are named, as far as there is room.
    pub(crate) fn note(problems: &mut Vec<Self>, row: u64, (field, rule, message, remedy): Fault) {
        if problems.len() < MOST_PROBLEMS {
            let (field, rule, remedy) = (field.to_owned(), rule.to_owned(), remedy.to_owned());
            problems.push(Self { row, field, rule, message, remedy });
        }
    }
}

/// The id that a source gave an observation: a text, or a number as ONVIF has it. Sent again, it is stored once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum SourceId {
    /// A number.
    Number(u64),
    /// 1 to 64 characters.
    Text(String),
}

impl SourceId {
    /// The id as text; `remedy` says what to send.
    pub(crate) fn checked(&self, remedy: &'static str) -> Result<String, Fault> {
        let source = match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        };
        let fine = (1..=64).contains(&source.chars().count()) && !source.chars().any(char::is_control);
        let what = "an id has 1 to 64 characters and no control character";
        if fine { Ok(source) } else { Err(("id", "length", what.to_owned(), remedy)) }
    }
}

/// Compares the moment in a field, by the camera's clock, with ours.
pub(crate) fn clock(field: &'static str, seen: Time, received: Time) -> Result<(), Fault> {
    let behind = received.as_second().saturating_sub(seen.as_second());
    let remedy = "set the camera's clock, by NTP where it can";
    if behind < -AHEAD {
        let what = format!("the camera's clock is {} seconds ahead of ours", behind.unsigned_abs());
        return Err((field, "clock.ahead", what, remedy));
    }
    if behind > BEHIND {
        let what = format!("the camera's clock is {} days behind ours", behind / 86_400);
        return Err((field, "clock.behind", what, remedy));
    }
    Ok(())
}

/// What a camera must be registered for, and what is said where it isn't.
pub(crate) struct Wanted {
    pub rows: &'static str,
    pub fits: fn(CameraUse) -> bool,
    pub wrong: &'static str,
    pub remedy: &'static str,
}

impl<R: Records> App<R> {
    /// The camera that a machine's token acts for, and its agency.
    pub(crate) async fn source<A: Action>(
        &self,
        actor: &Actor,
        wanted: &Wanted,
    ) -> Result<(CameraId, Agency), CoreError> {
        let By::Token { scope: Some(scope), .. } = &actor.by else {
            self.gate().check::<A>(actor, &Target::maybe(actor.agency.as_ref(), "camera"))?;
            return Err(CoreError::state(
                format!("{} come under a token that acts for one camera", wanted.rows),
                "issue one with the camera's id as its scope: `canvass token issue --scope cam_…`",
            ));
        };
        let id: CameraId = scope.parse().map_err(|_| CoreError::from(Denied::Hidden))?;
        let camera = self.camera_record(&id).await?.record;
        self.gate().check::<A>(actor, &Target::of(&camera.agency, &id))?;
        if camera.retired.is_some() {
            return Err(CoreError::state("the camera is retired", "register it anew when it comes back"));
        }
        if !(wanted.fits)(camera.of) {
            return Err(CoreError::state(wanted.wrong, wanted.remedy));
        }
        let agency = self.agency(&camera.agency).await?.record;
        if agency.state == AgencyState::Suspended {
            return Err(CoreError::state("the agency is suspended", "ask the operator"));
        }
        Ok((id, agency))
    }
}
