//! Lists of steps that a driver and the store in memory must answer alike.

use std::collections::BTreeMap;

use canvass_core::ports::{
    Changeset, Condition, Expect, Kind, RawQuery, RawRecord, Records, StoreError, Versioned,
};
use canvass_types::leaf::Log;
use proptest::prelude::*;
use serde_json::json;

use crate::{MemRecords, samples};

/// One record's part of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Hold `.0` of agency `.1` in place of version `.2`, or as a new record for 0; released when `.3`.
    Hold(u64, u64, u64, bool),
    /// Setting `.0` in place of version `.1`, or as a new record for 0.
    Setting(u64, u64),
    /// Setting `.0` is deleted in version `.1`.
    Delete(u64, u64),
    /// Setting `.0` is checked for version `.1`.
    Check(u64, u64),
    /// An entry `.1` for the requests (`false`) or oversight (`true`) ledger.
    Leaf(bool, u64),
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Commits these parts at once.
    Commit(Vec<Part>),
    /// Lists holds: agency or any, active or any, newest first, page size, from behind this place of the list.
    List(Option<u64>, bool, bool, u32, Option<usize>),
    /// Reads entries of a ledger.
    Entries(bool, u64, u32),
    /// Looks an entry up.
    Find(bool, u64),
}

fn log(oversight: bool) -> Log {
    if oversight { Log::Oversight } else { Log::Requests }
}

fn expect(version: u64) -> Expect {
    if version == 0 { Expect::Absent } else { Expect::Version(version) }
}

fn changes(parts: &[Part], step: usize) -> Changeset {
    let mut all = Changeset::unguarded();
    for part in parts {
        all = match *part {
            Part::Hold(n, agency, version, released) => {
                let released = released.then(|| samples::hour(1));
                all.put(&samples::hold(n, agency, "s", released), expect(version))
            }
            Part::Setting(n, version) => all.put(&samples::setting(n, json!(step)), expect(version)),
            Part::Delete(n, version) => {
                all.delete(&Versioned { version, sequence: 0, record: samples::setting(n, json!(0)) })
            }
            Part::Check(n, version) => {
                all.depends_on(&Versioned { version, sequence: 0, record: samples::setting(n, json!(0)) })
            }
            Part::Leaf(oversight, n) => all.leaf(log(oversight), &n),
        };
    }
    all
}

/// Places in the order differ between stores; what counts is which record is how far in it.
async fn ranked(store: &impl Records, kind: Kind) -> BTreeMap<u64, usize> {
    let all = store.select(&super::records::query(kind, vec![])).await.expect("a readable store");
    all.iter().enumerate().map(|(rank, row)| (row.sequence, rank)).collect()
}

fn plain(rows: Vec<RawRecord>, ranks: &BTreeMap<u64, usize>) -> Vec<(u64, Option<usize>, String)> {
    rows.into_iter().map(|row| (row.version, ranks.get(&row.sequence).copied(), row.record)).collect()
}

async fn list(store: &impl Records, step: &Step) -> Result<Vec<(u64, Option<usize>, String)>, StoreError> {
    let &Step::List(agency, active, newest_first, limit, behind) = step else { return Ok(vec![]) };
    let ranks = ranked(store, Kind::Hold).await;
    let after = behind.and_then(|rank| ranks.iter().find(|(_, at)| **at == rank)).map(|(after, _)| *after);
    let mut conditions = Vec::new();
    if let Some(agency) = agency {
        let agency = samples::hold(0, agency, "", None).agency.to_string();
        conditions.push(Condition::Is("agency", agency));
    }
    if active {
        conditions.push(Condition::Is("active", "yes".into()));
    }
    let query = RawQuery { kind: Kind::Hold, conditions, newest_first, after, limit };
    Ok(plain(store.select(&query).await?, &ranks))
}

/// Takes the steps on the store, which must be fresh, and on one in memory, and compares every answer and the end.
pub async fn agrees<R: Records>(store: &R, steps: &[Step]) {
    let model = MemRecords::new();
    for (number, step) in steps.iter().enumerate() {
        match step {
            Step::Commit(parts) => {
                let (given, expected) =
                    (store.commit(changes(parts, number)).await, model.commit(changes(parts, number)).await);
                assert_eq!(given, expected, "step {number}: {step:?}");
            }
            Step::List(..) => {
                assert_eq!(list(store, step).await, list(&model, step).await, "step {number}: {step:?}");
            }
            Step::Entries(oversight, from, limit) => {
                let given = store.ledger_entries(log(*oversight), *from, *limit).await;
                let expected = model.ledger_entries(log(*oversight), *from, *limit).await;
                assert_eq!(given, expected, "step {number}: {step:?}");
            }
            Step::Find(oversight, n) => {
                let entry = n.to_string().into_bytes();
                let given = store.ledger_index_of(log(*oversight), &entry).await;
                let expected = model.ledger_index_of(log(*oversight), &entry).await;
                assert_eq!(given, expected, "step {number}: {step:?}");
            }
        }
    }
    same(store, &model).await;
}

/// Fails unless both stores hold the same.
pub async fn same(left: &impl Records, right: &impl Records) {
    for kind in Kind::ALL {
        let all = super::records::query(kind, vec![]);
        let (ours, theirs) = (ranked(left, kind).await, ranked(right, kind).await);
        assert_eq!(
            plain(left.select(&all).await.unwrap(), &ours),
            plain(right.select(&all).await.unwrap(), &theirs),
            "{kind:?}"
        );
        for column in kind.columns() {
            assert_eq!(
                left.count_by(kind, column).await,
                right.count_by(kind, column).await,
                "{kind:?} {column}"
            );
        }
    }
    for log in Log::ALL {
        assert_eq!(left.ledger_size(log).await, right.ledger_size(log).await);
        assert_eq!(left.ledger_entries(log, 0, 1_000).await, right.ledger_entries(log, 0, 1_000).await);
    }
}

fn part() -> impl Strategy<Value = Part> {
    prop_oneof![
        4 => (0..8_u64, 0..3_u64, 0..4_u64, any::<bool>()).prop_map(|(n, a, v, r)| Part::Hold(n, a, v, r)),
        4 => (0..4_u64, 0..4_u64).prop_map(|(n, v)| Part::Setting(n, v)),
        1 => (0..4_u64, 0..4_u64).prop_map(|(n, v)| Part::Delete(n, v)),
        1 => (0..4_u64, 1..4_u64).prop_map(|(n, v)| Part::Check(n, v)),
        3 => (any::<bool>(), 0..20_u64).prop_map(|(o, n)| Part::Leaf(o, n)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let list = (
        proptest::option::of(0..3_u64),
        any::<bool>(),
        any::<bool>(),
        0..6_u32,
        proptest::option::of(0..8_usize),
    );
    prop_oneof![
        6 => proptest::collection::vec(part(), 0..4).prop_map(Step::Commit),
        2 => list.prop_map(|(a, b, c, d, e)| Step::List(a, b, c, d, e)),
        1 => (any::<bool>(), 0..20_u64, 0..10_u32).prop_map(|(o, f, l)| Step::Entries(o, f, l)),
        1 => (any::<bool>(), 0..20_u64).prop_map(|(o, n)| Step::Find(o, n)),
    ]
}

/// Random lists of up to `most` steps over few keys, so that conflicts are frequent.
pub fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(step(), 1..most)
}

/// Lists that once told a driver and the store in memory apart, or nearly did. They are never removed.
#[must_use]
pub fn known() -> Vec<Vec<Step>> {
    use Part::{Check, Delete, Hold, Leaf, Setting};
    use Step::{Commit, Entries, Find, List};
    vec![
        // A check behind the part that alters what it guards.
        vec![
            Commit(vec![Setting(1, 0)]),
            Commit(vec![Setting(1, 1), Check(1, 1)]),
            Commit(vec![Check(1, 1)]),
        ],
        // One record twice in one change: parts follow one another.
        vec![Commit(vec![Setting(1, 0), Setting(1, 1), Leaf(false, 1)]), Commit(vec![Setting(1, 1)])],
        vec![Commit(vec![Setting(1, 0), Delete(1, 1), Setting(1, 0)]), Commit(vec![Check(1, 1)])],
        // A lost change gives no place away, in the list or in a ledger.
        vec![
            Commit(vec![Hold(1, 0, 0, false), Leaf(true, 3), Setting(1, 1)]),
            Commit(vec![Hold(2, 0, 0, false), Leaf(true, 4)]),
            Commit(vec![Hold(1, 0, 0, false), Leaf(true, 4)]),
            List(Some(0), true, true, 1, None),
            List(None, false, false, 5, Some(0)),
            Entries(true, 0, 9),
            Find(true, 4),
            Find(false, 4),
        ],
        // Deleted and stored again: last in the order, version 1.
        vec![
            Commit(vec![Setting(1, 0), Setting(2, 0)]),
            Commit(vec![Delete(1, 1)]),
            Commit(vec![Setting(1, 0)]),
            Commit(vec![Setting(1, 1)]),
        ],
    ]
}
