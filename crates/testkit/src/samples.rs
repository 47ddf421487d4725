//! Records to store in tests, told apart by a number.

use canvass_core::records::{AuditBody, AuditRecord, Hold, Setting};
use canvass_types::{Entropy as _, HoldId, Time};
use serde_json::{Value, json};

use crate::SeededEntropy;

/// Begins the text of id `n` of a kind; ids of one number are always the same.
fn chance(n: u64) -> SeededEntropy {
    SeededEntropy::new(n)
}

/// The moment `n` hours after 2026-01-01, UTC.
#[must_use]
pub fn hour(n: u32) -> Time {
    Time::from_second(1_767_225_600 + i64::from(n) * 3_600)
}

/// Setting `n` with a value.
#[must_use]
pub fn setting(n: u64, value: Value) -> Setting {
    Setting { name: format!("setting-{n}"), value }
}

/// Hold `n` of agency `agency` on a subject; it is active while `released` is none.
#[must_use]
pub fn hold(n: u64, agency: u64, subject: &str, released: Option<Time>) -> Hold {
    Hold {
        id: HoldId::random(&chance(n)),
        agency: canvass_types::AgencyId::random(&chance(agency)),
        subject: subject.to_owned(),
        basis: format!("order {n}"),
        by: canvass_types::MemberId::random(&chance(n)),
        placed: hour(0),
        released,
    }
}

/// Audit record `n` of an action at a moment.
#[must_use]
pub fn audit(n: u64, agency: Option<u64>, action: &str, at: Time) -> AuditRecord {
    let mut salt = [0; 8];
    chance(n).fill(&mut salt);
    AuditRecord {
        body: AuditBody {
            v: 2,
            id: canvass_types::AuditId::random(&chance(n)),
            action: action.to_owned(),
            agency: agency.map(|agency| canvass_types::AgencyId::random(&chance(agency))),
            subject: format!("subject-{}", n % 3),
            actor: None,
            actor_agency: None,
            case: None,
            purpose: None,
            detail: json!({ "number": n }),
            at,
        },
        salt: u64::from_le_bytes(salt).to_string(),
        leaf: None,
    }
}
