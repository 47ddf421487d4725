//! Small values and JSON records, as they come from files and over the wire.

use canvass_core::feed::{BundleAgency, BundleRequest};
use canvass_types::leaf::{OversightLeaf, RequestsLeaf};
use canvass_types::{
    AgencyId, AgencyKey, Area, AuditId, CaseId, Decision, Digest, ErasureId, HoldId, InvitationId, ItemId,
    KeyEndorsement, MemberId, MemberView, NoteId, OfferId, Policy, PortalBody, PortalId, Proof, PublicAgency,
    PublicKey, PublicPortal, PublicRequest, QuestionId, RequestBody, RequestDraft, RequestId, SignatureText,
    Signed, Time, TimeFrame, TokenId, canonical,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::text;

/// Whole numbers up to here are exact in canonical JSON (RFC 8785 section 3.2.2.3); limits of core forbid larger ones.
const EXACT: u64 = 1 << 53;

/// An area (GeoJSON, RFC 7946): what is accepted is on the earth and reads the same once written back.
pub fn area(bytes: &[u8]) {
    let Ok(area) = serde_json::from_slice::<Area>(bytes) else { return };
    assert!(area.ring().len() > 3 && area.ring().len() <= Area::MAX_CORNERS + 1);
    assert!(area.ring().iter().all(|[x, y]| x.abs() <= 180.0 && y.abs() <= 90.0));
    same::<Area>(bytes);
    let size = canvass_core::ask::area_sq_mi(&area);
    assert!(size.is_finite() && size >= 0.0, "an area of {size} square miles");
}

/// Ids, moments, digests, keys and signatures: one text for each.
pub fn value(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Ok(time) = text.parse::<Time>() {
        assert_eq!(time.to_string().parse(), Ok(time));
        assert_eq!(Time::from_second(time.as_second()), time);
        let (day, hour) = (time.day(), time.hour());
        assert!(hour.starts_with(&day) && time.to_string().starts_with(&day), "{time} {day} {hour}");
    }
    if let Ok(digest) = text.parse::<Digest>() {
        assert_eq!(digest.to_string(), text);
    }
    if let Ok(key) = text.parse::<PublicKey>() {
        assert_eq!(String::from(key), text);
    }
    if let Ok(signature) = SignatureText::try_from(text.to_owned()) {
        assert_eq!(String::from(signature), text);
    }
    let kinds = [
        text.parse::<AgencyId>().is_ok_and(|id| id.as_str() == text),
        text.parse::<MemberId>().is_ok_and(|id| id.as_str() == text),
        text.parse::<TokenId>().is_ok_and(|id| id.as_str() == text),
        text.parse::<RequestId>().is_ok_and(|id| id.as_str() == text),
        text.parse::<PortalId>().is_ok_and(|id| id.as_str() == text),
        text.parse::<InvitationId>().is_ok_and(|id| id.as_str() == text),
        text.parse::<OfferId>().is_ok_and(|id| id.as_str() == text),
        text.parse::<QuestionId>().is_ok_and(|id| id.as_str() == text),
        text.parse::<CaseId>().is_ok_and(|id| id.as_str() == text),
        text.parse::<ItemId>().is_ok_and(|id| id.as_str() == text),
        text.parse::<HoldId>().is_ok_and(|id| id.as_str() == text),
        text.parse::<ErasureId>().is_ok_and(|id| id.as_str() == text),
        text.parse::<AuditId>().is_ok_and(|id| id.as_str() == text),
        text.parse::<NoteId>().is_ok_and(|id| id.as_str() == text),
    ];
    let count = kinds.iter().filter(|kind| **kind).count();
    assert!(count <= 1, "an id of two kinds");
    // It goes into paths of files and addresses as it is.
    assert!(count == 0 || text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'));
}

/// First inputs of [`value`].
pub fn texts() -> Vec<Vec<u8>> {
    let digest = Digest::of(b"");
    [
        "2026-11-24T06:30:00Z",
        "-009999-01-02T01:59:59Z",
        "9999-12-30T22:00:00.999999999Z",
        "req_aaaaaaaaaaaaaaaaaaaaaaaaaa",
        "off_abcdefghijklmnopqrstuvwxyy",
        &digest.to_string(),
        "6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=",
        &String::from(SignatureText([7; 64])),
        // Found here once: 64 bytes, but as two texts in a row.
        "6kpsY+KcUgq+9VB76kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7BwcRG0iw=Ey7F+ZVHdq6+vnuSQh7BwcRG0iw=",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect()
}

/// A record in JSON, taken for each of the forms that are signed, hashed or published: what is accepted has a canonical
/// form (RFC 8785), and that reads the same.
pub fn record(bytes: &[u8]) {
    same::<RequestDraft>(bytes);
    same::<Policy>(bytes);
    same::<RequestsLeaf>(bytes);
    same::<OversightLeaf>(bytes);
    same::<PublicRequest>(bytes);
    same::<PublicPortal>(bytes);
    same::<PublicAgency>(bytes);
    same::<BundleAgency>(bytes);
    same::<BundleRequest>(bytes);
    same::<Signed<RequestBody>>(bytes);
    same::<Signed<PortalBody>>(bytes);
    same::<Decision>(bytes);
    same::<Proof>(bytes);
    same::<AgencyKey>(bytes);
    same::<KeyEndorsement>(bytes);
    same::<MemberView>(bytes);
    same::<TimeFrame>(bytes);
}

/// First inputs of [`record`].
pub fn records() -> Vec<Vec<u8>> {
    let policy = canonical(&Policy::default()).unwrap_or_default();
    let digest = Digest::of(b"");
    vec![
        policy,
        br#"{"ask":{"max_area_sq_mi":0.3333333333333333},"give":{},"retention":{}}"#.to_vec(),
        format!(r#"{{"type":"policy.set","digest":"{digest}","at":"2026-11-24T06:30:00Z"}}"#).into_bytes(),
        format!(
            r#"{{"type":"offer.open","subject":"off_aaaaaaaaaaaaaaaaaaaaaaaaaa","hour":"2026-11-24T06Z","commitment":"{digest}"}}"#
        )
        .into_bytes(),
        br#"{"leaf":"{}","index":7,"proof":"c2sp.org/tlog-proof@v1\n"}"#.to_vec(),
        br#"{"request":"req_aaaaaaaaaaaaaaaaaaaaaaaaaa","approved":false,"rule":"assembly","reason":"no","at":"2026-11-24T06:30:00Z"}"#.to_vec(),
        br#"{"start":"2026-11-24T06:30:00Z","end":"2026-11-24T07:30:00Z","zone":"America/New_York"}"#.to_vec(),
    ]
}

/// What is accepted has a canonical form, and that reads the same.
pub(crate) fn same<T: Serialize + DeserializeOwned + PartialEq>(bytes: &[u8]) {
    let Ok(value) = serde_json::from_slice::<T>(bytes) else { return };
    let Ok(written) = canonical(&value) else {
        assert!(!finite(bytes), "a record without canonical form");
        return;
    };
    if finite(bytes) {
        assert!(
            serde_json::from_slice::<T>(&written).is_ok_and(|again| again == value),
            "a record that reads otherwise once written back: {}",
            String::from_utf8_lossy(&written)
        );
    }
}

/// Whether canonical JSON can hold every number.
fn finite(bytes: &[u8]) -> bool {
    fn holds(value: &Value) -> bool {
        match value {
            Value::Number(number) => {
                number.as_u64().is_none_or(|n| n <= EXACT) && number.as_f64().is_some_and(f64::is_finite)
            }
            Value::Array(list) => list.iter().all(holds),
            Value::Object(map) => map.values().all(holds),
            _ => true,
        }
    }
    serde_json::from_slice(bytes).is_ok_and(|value| holds(&value))
}
