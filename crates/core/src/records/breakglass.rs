//! Records of break-glass.

use canvass_types::{AgencyId, BreakGlassId, MemberId, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::text;
use crate::ports::{Kind, Record};

/// A time in which an operator may change who an agency's people are and how they sign in, though the agency has an
/// administrator of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BreakGlass {
    /// Its id.
    pub id: BreakGlassId,
    /// Whose people.
    pub agency: AgencyId,
    /// The operator.
    pub by: MemberId,
    /// Why, in the operator's words.
    pub reason: String,
    /// When it was opened.
    pub begun: Time,
    /// When it ends by itself.
    pub until: Time,
    /// When somebody ended it before.
    pub ended: Option<Time>,
    /// Who did.
    pub ended_by: Option<MemberId>,
}
record!(
    BreakGlass,
    BreakGlass,
    |it| it.id.to_string(),
    [text(&it.agency), text(it.ended.unwrap_or(it.until))]
);

impl BreakGlass {
    /// Whether it is open.
    pub fn is_open(&self, now: Time) -> bool {
        self.ended.is_none() && self.until > now
    }
}
