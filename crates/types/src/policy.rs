//! The limits and retentions of one deployment, in one value whose digest stands in the ledger.

use serde::{Deserialize, Serialize};

use crate::AgencyClass;

/// Everything that may differ between deployments. Every change of it is a ledger entry.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// What a request may ask.
    pub ask: AskLimits,
    /// What an offer may hold.
    pub give: GiveLimits,
    /// How long each class of data is kept.
    pub retention: Retention,
    /// When owners of plates learn of searches.
    pub asked: AskedLimits,
}

/// What a request may ask.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AskLimits {
    /// Classes that may ask at all.
    pub classes: Vec<AgencyClass>,
    /// Smallest area, square miles.
    pub min_area_sq_mi: f64,
    /// Largest area, square miles.
    pub max_area_sq_mi: f64,
    /// Shortest time frame, minutes.
    pub min_minutes: u32,
    /// Longest time frame, minutes.
    pub max_minutes: u32,
    /// How far back the time frame may begin, days.
    pub look_back_days: u32,
    /// Longest active time, days.
    pub active_days: u32,
    /// Longest details, characters.
    pub max_details: u32,
    /// Shortest details, characters.
    pub min_details: u32,
    /// Requests that one investigation may have.
    pub requests_per_investigation: u32,
}

/// What an offer may hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GiveLimits {
    /// Clips in one offer.
    pub clips: u32,
    /// Bytes of one clip.
    pub clip_bytes: u64,
    /// Days that a private invitation lives.
    pub invitation_days: u32,
    /// Hours that an unfinished upload is kept after its last bytes; and hours after the close of a request or portal
    /// (or the end of an invitation) within which an upload that began before still counts.
    pub upload_hours: u32,
}

/// How long each class of data is kept, days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// A sealed offer with clips that nobody has triaged.
    pub untriaged_days: u32,
    /// A declined clip.
    pub declined_days: u32,
    /// An item, after its case is closed.
    pub closed_case_days: u32,
    /// A draft, after it was made; the text of a refused request, after the decision; the text of a withheld one, after it
    /// was withheld and no offer to it is on record.
    pub draft_days: u32,
    /// The public status file and mailbox of an offer, after it ended; an invitation, after it ended.
    pub mailbox_days: u32,
    /// A record of an action.
    pub audit_days: u32,
    /// A token, after it expired or was revoked.
    pub token_days: u32,
    /// What is on record of a case, its items and offers, with their custody, after the case was closed and the last bytes
    /// were destroyed; of an offer without a case, after it was destroyed; a member's name, after they were stopped.
    pub record_days: u32,
}

/// When the owner of a plate learns of the searches that named it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AskedLimits {
    /// Days after a search before its mark is public, 1 to 365.
    pub delay_days: u32,
    /// Days after a search until its mark is deleted, 60 to 1,095, and 30 more than the delay at least.
    pub keep_days: u32,
}

impl Default for AskedLimits {
    fn default() -> Self {
        Self { delay_days: 30, keep_days: 365 }
    }
}

impl Default for AskLimits {
    fn default() -> Self {
        Self {
            classes: vec![AgencyClass::Municipal, AgencyClass::County],
            min_area_sq_mi: 0.025,
            max_area_sq_mi: 0.5,
            min_minutes: 15,
            max_minutes: 720,
            look_back_days: 45,
            active_days: 14,
            max_details: 2_000,
            min_details: 40,
            requests_per_investigation: 2,
        }
    }
}

impl Default for GiveLimits {
    fn default() -> Self {
        Self { clips: 25, clip_bytes: 60_000_000_000, invitation_days: 10, upload_hours: 48 }
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            untriaged_days: 90,
            declined_days: 30,
            closed_case_days: 365,
            draft_days: 90,
            mailbox_days: 180,
            audit_days: 3_650,
            token_days: 30,
            record_days: 1_095,
        }
    }
}

impl GiveLimits {
    /// Largest envelope that an upload may be: all clips at their largest, and room for the bag, tar and age around them.
    pub fn envelope_bytes(&self) -> u64 {
        let clips = u64::from(self.clips).saturating_mul(self.clip_bytes);
        clips.saturating_add(clips / 2_048).saturating_add(16 * 1024 * 1024)
    }
}
