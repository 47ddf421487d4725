//! What core reads: drafts, words, region feeds and the table of rights.

use std::fmt::Write as _;
use std::sync::LazyLock;

use canvass_core::ask::{self, AskInput, content as words};
use canvass_core::feed::{RegionBundle, verify_bundle};
use canvass_ledger::{
    Checkpoint, Hash, KeyKind, Proof, SignedCheckpoint, SignerKey, Trust, leaf_hash, node_hash,
};
use canvass_policy::{Reach, Table, Texts};
use canvass_types::{AgencyClass, Area, AskLimits, RequestDraft, Role, Time};

use crate::text;

static TOWN: LazyLock<Option<Area>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../vectors/requests/jurisdiction.json")).ok());
static BASE: LazyLock<Option<RequestDraft>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../vectors/requests/base.json")).ok());
static LOG: LazyLock<Option<(SignerKey, Trust)>> = LazyLock::new(|| {
    let key = SignerKey::from_seed(ORIGIN, KeyKind::Log, &[7; 32]).ok()?;
    let trust = Trust::new(ORIGIN, key.verifier().clone(), vec![], 0).ok()?;
    Some((key, trust))
});
const ORIGIN: &str = "example.org/requests";
/// 2026-11-24T06:30:00Z
const NOW: i64 = 1_795_501_800;

/// Whether the fixed parts that bodies need are there; a test holds it to be true.
pub fn ready() -> bool {
    TOWN.is_some() && BASE.is_some() && LOG.is_some()
}

/// A draft in JSON: it is judged the same each time, problems name a field and a remedy, and one without problems keeps
/// to the limits.
pub fn draft(bytes: &[u8]) {
    let Some(town) = TOWN.as_ref() else { return };
    let Ok(draft) = serde_json::from_slice::<RequestDraft>(bytes) else { return };
    let limits = AskLimits::default();
    let input = AskInput {
        draft: &draft,
        class: AgencyClass::Municipal,
        jurisdiction: town,
        recipient: None,
        limits: &limits,
        now: Time::from_second(NOW),
    };
    let checked = ask::check(&input);
    for found in checked.problems.iter().chain(&checked.findings) {
        let told = [&found.field, &found.rule, &found.message, &found.remedy];
        assert!(told.iter().all(|part| !part.is_empty()), "{found:?}");
    }
    assert!(checked.problems.len() < 100);
    if checked.problems.is_empty() {
        let size = checked.area_sq_mi.unwrap_or(f64::NAN);
        assert!(size >= limits.min_area_sq_mi && size <= limits.max_area_sq_mi, "{size}");
        let minutes = checked.minutes.unwrap_or(-1);
        assert!(
            (i64::from(limits.min_minutes)..=i64::from(limits.max_minutes)).contains(&minutes),
            "{minutes} minutes"
        );
        assert!(checked.code.is_some() && draft.own_case);
    }
    assert_eq!(ask::check(&input), checked);
}

/// The content rules over any text: what they quote stands in it, under a rule that the public knows. How the cost grows
/// with the text is looked at in `tests/brief.rs`.
pub fn content(bytes: &[u8]) {
    let Some(base) = BASE.as_ref() else { return };
    let Some(text) = text(bytes) else { return };
    let mut draft = base.clone();
    draft.details = text.to_owned();
    let findings = words::content(&draft);
    assert!(findings.is_ok(), "the shipped rules can't be read");
    for found in findings.unwrap_or_default() {
        let quote = found.matched.as_deref().unwrap_or_default();
        let source = if found.field == "details" { text } else { draft.contact.name.as_str() };
        assert!(!quote.is_empty() && source.contains(quote), "{quote:?} isn't in the text");
        assert!(ask::rules().iter().any(|rule| rule.id == found.rule), "{} is no rule", found.rule);
    }
}

/// A region's bundle of any bytes: what is believed is canonical. To get past canonical form and signature, the bundle
/// is also written anew, with a checkpoint over just the entries that it shows.
pub fn feed(bytes: &[u8]) {
    let Some((key, trust)) = LOG.as_ref() else { return };
    if let Ok(bundle) = verify_bundle(bytes, trust) {
        assert!(bundle.to_bytes().is_ok_and(|again| again == bytes));
    }
    let Ok(mut bundle) = serde_json::from_slice::<RegionBundle>(bytes) else { return };
    let Some(head) = head(&bundle) else { return };
    let Ok(signed) = SignedCheckpoint::sign(head, key, &[], 0) else { return };
    bundle.checkpoint = signed.to_string();
    let Ok(anew) = bundle.to_bytes() else { return };
    if let Ok(believed) = verify_bundle(&anew, trust) {
        assert!(believed.to_bytes().is_ok_and(|again| again == anew));
        let parts = believed.expand().ok().and_then(|parts| {
            let RegionBundle { region, generated, checkpoint, .. } = believed.clone();
            RegionBundle::from_proofs(region, generated, checkpoint, parts.agencies, parts.requests).ok()
        });
        assert!(parts.is_some_and(|parts| parts == believed), "full proofs don't lead back to the bundle");
    }
}

// The checkpoint that the entries shown lead to, whatever the one in the bundle says.
fn head(bundle: &RegionBundle) -> Option<Checkpoint> {
    let said = SignedCheckpoint::parse(bundle.checkpoint.as_bytes()).ok()?.checkpoint;
    let parts = bundle.expand().ok()?;
    let of_agencies = parts.agencies.iter().flat_map(|(_, proofs)| proofs);
    let shown = of_agencies.chain(parts.requests.iter().flat_map(|request| &request.proofs)).next()?;
    let proof = Proof::parse(shown.proof.as_bytes()).ok()?;
    let root = root(leaf_hash(shown.leaf.as_bytes()), proof.index, said.size, &proof.hashes);
    Some(Checkpoint { origin: ORIGIN.into(), size: said.size, root, extensions: vec![] })
}

// RFC 9162 section 2.1.3.2, without the comparison at its end.
fn root(leaf: Hash, index: u64, size: u64, path: &[Hash]) -> Hash {
    let (mut at, mut last, mut hash) = (index, size.saturating_sub(1), leaf);
    for sibling in path {
        if at & 1 == 1 || at == last {
            hash = node_hash(sibling, &hash);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    hash
}

/// A table of rights of any text: written out from what was read, it reads the same; who has no row may nothing.
pub fn roles(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let read = |text: &str| Table::read(&Texts::from([("roles.txt".to_owned(), text.to_owned())]));
    let Ok(matrix) = read(text) else { return };
    let mut written = String::new();
    for (action, row) in matrix.rows() {
        let _ = write!(written, "{action}{}", if row.ledgered { " *" } else { "" });
        for role in Role::ALL {
            let cell = match matrix.reach(action, role) {
                Reach::Never => "-",
                Reach::Own => "own",
                Reach::Any => "any",
            };
            let _ = write!(written, " {cell}");
        }
        written.push('\n');
    }
    let cells = |table: &Table| -> Vec<(String, bool, Vec<Reach>)> {
        table.rows().map(|(action, row)| (action.to_owned(), row.ledgered, row.reach.clone())).collect()
    };
    assert!(read(&written).is_ok_and(|again| cells(&again) == cells(&matrix)), "{written}");
    assert_eq!(matrix.reach("no such action", Role::Operator), Reach::Never);
}

/// First inputs of [`roles`].
pub fn tables() -> Vec<Vec<u8>> {
    vec![include_bytes!("../../../policies/roles.txt").to_vec(), b"a.b * any own - - - - -\n".to_vec()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_feed_of_the_vectors_is_believed_also_when_written_anew() {
        let bytes = include_bytes!("../../../vectors/requests/feed-bundle.json");
        let (key, trust) = LOG.as_ref().unwrap();
        let mut bundle: RegionBundle = serde_json::from_slice(bytes).unwrap();
        let said = SignedCheckpoint::parse(bundle.checkpoint.as_bytes()).unwrap().checkpoint;
        let head = head(&bundle).unwrap();
        assert_eq!(head.root, said.root);
        bundle.checkpoint = SignedCheckpoint::sign(head, key, &[], 0).unwrap().to_string();
        assert_eq!(verify_bundle(&bundle.to_bytes().unwrap(), trust).map(|found| found == bundle), Ok(true));
    }
}
