//! The laws of [`Records`]. Each function is one law over a fresh store; [`all`] holds a driver to every one.
//!
//! Those that need a store which outlives its process ([`reopening`]) or many steps ([`super::model`]) stand apart.

use std::{collections::BTreeSet, sync::Arc};

use canvass_core::{
    ports::{
        Changeset, Condition, Expect, Kind, Query, RawQuery, Record, Records, RecordsExt, StoreError,
        Versioned,
    },
    records::{AuditRecord, Hold, Setting},
};
use canvass_types::leaf::Log;
use serde_json::{Value, json};

use crate::samples::{audit, hold, hour, setting};

/// All laws, one after the other, each over a fresh store.
pub async fn all<R: Records>(make: impl AsyncFn() -> R) {
    versions_grow(make().await).await;
    expectations_hold(make().await).await;
    a_change_is_whole_or_nothing(make().await).await;
    checks_guard_without_changing(make().await).await;
    a_deleted_record_is_gone_and_may_come_again(make().await).await;
    lists_follow_columns(make().await).await;
    pages_follow_each_other(make().await).await;
    moments_up_to_now(make().await).await;
    counts_are_by_value(make().await).await;
    unknown_columns_are_refused(make().await).await;
    ledgers_are_apart_and_in_order(make().await).await;
    ledger_places_are_found(make().await).await;
    ledger_places_are_gapless_under_load(make().await).await;
    of_rivals_exactly_one_wins(make().await).await;
    big_and_strange_bodies_come_back(make().await).await;
}

fn change() -> Changeset {
    Changeset::unguarded()
}

async fn must<R: Records>(store: &R, changes: Changeset) -> Vec<u64> {
    store.commit(changes).await.expect("a commit that nothing stands in the way of").leaf_indexes
}

async fn conflict<R: Records>(store: &R, changes: Changeset, table: &str, key: &str) {
    match store.commit(changes).await {
        Err(StoreError::Conflict { table: found, key: at }) => {
            assert_eq!((found, at.as_str()), (table, key), "the conflict names the record");
        }
        other => panic!("a conflict on {table} {key} was due, not {other:?}"),
    }
}

async fn read<T: Record>(store: &impl Records, key: &str) -> Option<Versioned<T>> {
    store.get::<T>(key).await.expect("a readable store")
}

/// A query by raw conditions.
#[must_use]
pub fn query(kind: Kind, conditions: Vec<Condition>) -> RawQuery {
    RawQuery { kind, conditions, newest_first: false, after: None, limit: 1_000 }
}

/// A new record has version 1; each change adds one and leaves its place in the order alone.
pub async fn versions_grow<R: Records>(store: R) {
    assert_eq!(read::<Setting>(&store, "setting-1").await, None);
    must(&store, change().insert(&setting(1, json!(0)))).await;
    must(&store, change().insert(&setting(2, json!(0)))).await;
    let first = read::<Setting>(&store, "setting-1").await.unwrap();
    assert_eq!((first.version, &first.record.value), (1, &json!(0)));
    for n in 1..=5_u64 {
        let before = read::<Setting>(&store, "setting-1").await.unwrap();
        must(&store, change().update(&before, &setting(1, json!(n)))).await;
        let after = read::<Setting>(&store, "setting-1").await.unwrap();
        assert_eq!((after.version, after.sequence), (n + 1, first.sequence));
        assert_eq!(after.record.value, json!(n));
    }
    let second = read::<Setting>(&store, "setting-2").await.unwrap();
    assert_eq!(second.version, 1);
    assert!(second.sequence > first.sequence);
}

/// `Absent` needs no record, `Version` exactly that version.
pub async fn expectations_hold<R: Records>(store: R) {
    let record = setting(1, json!("a"));
    conflict(&store, change().put(&record, Expect::Version(1)), "settings", "setting-1").await;
    must(&store, change().insert(&record)).await;
    conflict(&store, change().insert(&record), "settings", "setting-1").await;
    for version in [0, 2, u64::from(u32::MAX), u64::MAX] {
        conflict(&store, change().put(&record, Expect::Version(version)), "settings", "setting-1").await;
    }
    must(&store, change().put(&setting(1, json!("b")), Expect::Version(1))).await;
    conflict(&store, change().put(&record, Expect::Version(1)), "settings", "setting-1").await;
    assert_eq!(read::<Setting>(&store, "setting-1").await.unwrap().record.value, json!("b"));
    // One key in two kinds is two records.
    assert_eq!(store.fetch(Kind::Hold, "setting-1").await.unwrap(), None);
}

/// When the last part of a change finds a conflict, no part is stored, and no ledger entry.
pub async fn a_change_is_whole_or_nothing<R: Records>(store: R) {
    must(&store, change().insert(&setting(9, json!(0)))).await;
    let leaf = json!({"type": "lost"});
    let lost = change()
        .insert(&setting(1, json!(1)))
        .leaf(Log::Requests, &leaf)
        .insert(&hold(1, 1, "a", None))
        .leaf(Log::Oversight, &leaf)
        .insert(&setting(9, json!(1)));
    conflict(&store, lost, "settings", "setting-9").await;
    assert_eq!(read::<Setting>(&store, "setting-1").await, None);
    assert!(store.select(&query(Kind::Hold, vec![])).await.unwrap().is_empty());
    for log in Log::ALL {
        assert_eq!(store.ledger_size(log).await.unwrap(), 0);
    }
    let kept = change()
        .insert(&setting(1, json!(1)))
        .leaf(Log::Requests, &json!({"type": "a"}))
        .insert(&hold(1, 1, "a", None))
        .leaf(Log::Oversight, &json!({"type": "b"}))
        .leaf(Log::Requests, &json!({"type": "c"}));
    assert_eq!(must(&store, kept).await, [0, 0, 1]);
    assert!(read::<Setting>(&store, "setting-1").await.is_some());
    assert_eq!(must(&store, change()).await, [0_u64; 0], "an empty change changes nothing");
}

/// A check stands for the state before the change: it may guard a record that the same change alters.
pub async fn checks_guard_without_changing<R: Records>(store: R) {
    must(&store, change().insert(&setting(1, json!(1))).insert(&setting(2, json!(1)))).await;
    let one = read::<Setting>(&store, "setting-1").await.unwrap();
    let two = read::<Setting>(&store, "setting-2").await.unwrap();
    must(&store, change().depends_on(&one).update(&two, &setting(2, json!(2)))).await;
    assert_eq!(read::<Setting>(&store, "setting-1").await.unwrap(), one);
    conflict(
        &store,
        change().insert(&setting(3, json!(1))).depends_on(&two).leaf(Log::Requests, &1),
        "settings",
        "setting-2",
    )
    .await;
    assert_eq!(read::<Setting>(&store, "setting-3").await, None);
    assert_eq!(store.ledger_size(Log::Requests).await.unwrap(), 0);
    // Before and behind the part that alters it.
    must(&store, change().depends_on(&one).update(&one, &setting(1, json!(2)))).await;
    let one = read::<Setting>(&store, "setting-1").await.unwrap();
    must(&store, change().update(&one, &setting(1, json!(3))).depends_on(&one)).await;
    let absent = Versioned { version: 1, sequence: 0, record: setting(4, json!(0)) };
    conflict(&store, change().depends_on(&absent), "settings", "setting-4").await;
}

/// Deleting needs the version; a record that comes again is new.
pub async fn a_deleted_record_is_gone_and_may_come_again<R: Records>(store: R) {
    must(&store, change().insert(&setting(1, json!(1))).insert(&setting(2, json!(1)))).await;
    let first = read::<Setting>(&store, "setting-1").await.unwrap();
    let second = read::<Setting>(&store, "setting-2").await.unwrap();
    must(&store, change().update(&first, &setting(1, json!(2)))).await;
    conflict(&store, change().delete(&first), "settings", "setting-1").await;
    must(&store, change().delete(&second)).await;
    conflict(&store, change().delete(&second), "settings", "setting-2").await;
    assert_eq!(read::<Setting>(&store, "setting-2").await, None);
    assert_eq!(store.select(&query(Kind::Setting, vec![])).await.unwrap().len(), 1);
    must(&store, change().insert(&setting(2, json!(3)))).await;
    let again = read::<Setting>(&store, "setting-2").await.unwrap();
    assert_eq!(again.version, 1);
    assert!(again.sequence > second.sequence, "no place in the order is given twice");
    // One change may drop a record and store another.
    must(&store, change().delete(&again).insert(&setting(5, json!(1)))).await;
    assert_eq!(read::<Setting>(&store, "setting-2").await, None);
    assert!(read::<Setting>(&store, "setting-5").await.is_some());
}

/// All conditions must hold; a list follows a record when its columns change.
pub async fn lists_follow_columns<R: Records>(store: R) {
    let mut changes = change();
    for n in 0..12 {
        let released = (n % 3 == 0).then(|| hour(1));
        changes = changes.insert(&hold(n, n % 2, &format!("subject-{}", n % 4), released));
    }
    must(&store, changes).await;
    let agency = hold(0, 1, "", None).agency;
    let found = store.list(Query::<Hold>::new().with("agency", &agency)).await.unwrap();
    assert_eq!(found.len(), 6);
    assert!(found.iter().all(|hold| hold.record.agency == agency));
    let both =
        Query::<Hold>::new().with("agency", &agency).with("active", "yes").with("subject", "subject-1");
    let found = store.list(both.clone()).await.unwrap();
    let bases: Vec<_> = found.iter().map(|hold| hold.record.basis.as_str()).collect();
    assert_eq!(bases, ["order 1", "order 5"], "holds 1, 5, 9 lie on subject-1, and 9 is released");
    let one = found.into_iter().next().unwrap();
    let released = Hold { released: Some(hour(2)), ..one.record.clone() };
    must(&store, change().update(&one, &released)).await;
    assert_eq!(store.list(both.clone()).await.unwrap().len(), 1);
    assert_eq!(store.first(both).await.unwrap().unwrap().record.basis, "order 5");
    assert!(store.list(Query::<Hold>::new().with("subject", "")).await.unwrap().is_empty());
    let quote = "' OR 1=1 --";
    assert!(store.list(Query::<Hold>::new().with("subject", quote)).await.unwrap().is_empty());
}

/// `after`, `limit` and `newest_first` page through all records once, in both directions.
pub async fn pages_follow_each_other<R: Records>(store: R) {
    for n in 0..25 {
        must(&store, change().insert(&hold(n, n % 2, "s", None))).await;
    }
    let agency = hold(0, 0, "", None).agency;
    for newest_first in [false, true] {
        let mut after = None;
        let mut seen = Vec::new();
        loop {
            let mut page = Query::<Hold>::new().with("agency", &agency).after(after).limit(4);
            if newest_first {
                page = page.newest_first();
            }
            let page = store.list(page).await.unwrap();
            assert!(page.len() <= 4);
            let Some(last) = page.last() else { break };
            after = Some(last.sequence);
            seen.extend(page.into_iter().map(|hold| hold.record.basis));
        }
        let mut expected: Vec<_> = (0..25).step_by(2).map(|n| format!("order {n}")).collect();
        if newest_first {
            expected.reverse();
        }
        assert_eq!(seen, expected);
    }
    let none = RawQuery { limit: 0, ..query(Kind::Hold, vec![]) };
    assert!(store.select(&none).await.unwrap().is_empty());
    let beyond = RawQuery { after: Some(u64::MAX), ..query(Kind::Hold, vec![]) };
    assert!(store.select(&beyond).await.unwrap().is_empty());
}

/// `UpTo` gives moments that have come, the very moment included, and never an empty column.
pub async fn moments_up_to_now<R: Records>(store: R) {
    for n in 0..10 {
        must(&store, change().insert(&audit(u64::from(n), None, "look", hour(n)))).await;
    }
    let due = store.list(Query::<AuditRecord>::new().due("at", hour(4))).await.unwrap();
    assert_eq!(due.iter().map(|audit| audit.record.body.at).collect::<Vec<_>>(), [0, 1, 2, 3, 4].map(hour));
    let before = hour(0).plus_seconds(-1);
    assert!(store.list(Query::<AuditRecord>::new().due("at", before)).await.unwrap().is_empty());
    let since = Query::<AuditRecord>::new().since("at", hour(3)).due("at", hour(6));
    let between = store.list(since).await.unwrap();
    assert_eq!(between.iter().map(|audit| audit.record.body.at).collect::<Vec<_>>(), [3, 4, 5, 6].map(hour));
    for empty in [Condition::UpTo("agency", "zzz".into()), Condition::From("agency", String::new())] {
        assert!(store.select(&query(Kind::Audit, vec![empty])).await.unwrap().is_empty());
    }
}

/// Counting is by value; records without one count under the empty text.
pub async fn counts_are_by_value<R: Records>(store: R) {
    assert!(store.count_by(Kind::Hold, "active").await.unwrap().is_empty());
    for n in 0..7 {
        must(&store, change().insert(&hold(n, 0, "s", (n < 3).then(|| hour(0))))).await;
    }
    let counts = store.count_by(Kind::Hold, "active").await.unwrap();
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), [(String::new(), 3), ("yes".into(), 4)]);
}

/// A column that the kind lacks is an error, not an empty answer.
pub async fn unknown_columns_are_refused<R: Records>(store: R) {
    for condition in [Condition::Is("body", "x".into()), Condition::UpTo("1=1; --", "x".into())] {
        assert!(store.select(&query(Kind::Setting, vec![condition])).await.is_err());
    }
    assert!(store.count_by(Kind::Setting, "agency").await.is_err());
}

/// Each ledger counts for itself, and gives back any range in order.
pub async fn ledgers_are_apart_and_in_order<R: Records>(store: R) {
    for n in 0..10 {
        let log = if n % 2 == 0 { Log::Requests } else { Log::Oversight };
        let places = must(&store, change().leaf(log, &n).leaf(log, &json!([n]))).await;
        assert_eq!(places, [n / 2 * 2, n / 2 * 2 + 1]);
    }
    for log in Log::ALL {
        assert_eq!(store.ledger_size(log).await.unwrap(), 10);
    }
    let all = store.ledger_entries(Log::Requests, 0, 1_000).await.unwrap();
    assert_eq!(all.iter().map(|entry| entry.index).collect::<Vec<_>>(), (0..10).collect::<Vec<_>>());
    assert_eq!((all[2].entry.as_slice(), all[3].entry.as_slice()), (&b"2"[..], &b"[2]"[..]));
    assert_eq!(store.ledger_entries(Log::Requests, 3, 4).await.unwrap(), all[3..7]);
    assert_eq!(store.ledger_entries(Log::Requests, 8, 4).await.unwrap(), all[8..]);
    for (from, limit) in [(10, 5), (u64::MAX, 5), (0, 0)] {
        assert!(store.ledger_entries(Log::Requests, from, limit).await.unwrap().is_empty());
    }
}

/// An entry is found by its exact bytes, at its first place, in its own ledger.
pub async fn ledger_places_are_found<R: Records>(store: R) {
    must(&store, change().leaf(Log::Requests, &"a").leaf(Log::Requests, &"b").leaf(Log::Requests, &"a"))
        .await;
    let find = async |log, text: &str| store.ledger_index_of(log, text.as_bytes()).await.unwrap();
    assert_eq!(find(Log::Requests, "\"a\"").await, Some(0));
    assert_eq!(find(Log::Requests, "\"b\"").await, Some(1));
    assert_eq!(find(Log::Requests, "\"a\" ").await, None);
    assert_eq!(find(Log::Requests, "").await, None);
    assert_eq!(find(Log::Oversight, "\"a\"").await, None);
}

/// 64 tasks commit at once: places of each ledger have no gap and none is given twice.
pub async fn ledger_places_are_gapless_under_load<R: Records>(store: R) {
    const TASKS: u64 = 64;
    const EACH: u64 = 4;
    must(&store, change().insert(&setting(0, json!(0)))).await;
    let store = Arc::new(store);
    let mut tasks = Vec::new();
    for task in 0..TASKS {
        let store = Arc::clone(&store);
        tasks.push(tokio::spawn(async move {
            let mut mine = Vec::new();
            for n in 0..EACH {
                let log = if task % 4 == 0 { Log::Oversight } else { Log::Requests };
                let record = setting(1 + task * EACH + n, json!(n));
                let leaf = format!("{task}/{n}");
                // Every second one meets a conflict and must leave no gap.
                let lost = change().leaf(log, &"lost").insert(&setting(0, json!(1)));
                assert!(store.commit(lost).await.is_err());
                let places = must(&*store, change().insert(&record).leaf(log, &leaf)).await;
                mine.push((log.as_str(), places[0], leaf));
            }
            mine
        }));
    }
    let mut given = BTreeSet::new();
    for task in tasks {
        for (log, place, leaf) in task.await.expect("a task that ends well") {
            assert!(given.insert((log, place, leaf)), "no place is given twice");
        }
    }
    for log in Log::ALL {
        let size = store.ledger_size(log).await.unwrap();
        let entries = store.ledger_entries(log, 0, 1_000).await.unwrap();
        assert_eq!(entries.len() as u64, size);
        for (place, entry) in (0..).zip(entries) {
            let leaf: String = serde_json::from_slice(&entry.entry).unwrap();
            assert_eq!(entry.index, place);
            assert!(given.contains(&(log.as_str(), place, leaf)), "the answer told the true place");
        }
    }
    assert_eq!(given.len() as u64, TASKS * EACH);
}

/// Of changes that rest on the same version exactly one is stored.
pub async fn of_rivals_exactly_one_wins<R: Records>(store: R) {
    must(&store, change().insert(&setting(1, json!("start")))).await;
    let store = Arc::new(store);
    for round in 1..=8_u64 {
        let before = read::<Setting>(&*store, "setting-1").await.unwrap();
        let mut rivals = Vec::new();
        for rival in 0..16_u64 {
            let (store, before) = (Arc::clone(&store), before.clone());
            rivals.push(tokio::spawn(async move {
                let changes = change()
                    .update(&before, &setting(1, json!([round, rival])))
                    .leaf(Log::Requests, &json!([round, rival]));
                (rival, store.commit(changes).await)
            }));
        }
        let mut winners = Vec::new();
        for rival in rivals {
            match rival.await.expect("a task that ends well") {
                (rival, Ok(_)) => winners.push(rival),
                (_, Err(StoreError::Conflict { .. })) => {}
                (_, Err(other)) => panic!("a conflict was due, not {other}"),
            }
        }
        assert_eq!(winners.len(), 1, "in round {round}");
        let after = read::<Setting>(&*store, "setting-1").await.unwrap();
        assert_eq!((after.version, after.record.value), (round + 1, json!([round, winners[0]])));
        assert_eq!(store.ledger_size(Log::Requests).await.unwrap(), round);
    }
}

/// A body of 1 MiB, and any text that JSON holds, comes back as it was; also in columns, keys and entries.
pub async fn big_and_strange_bodies_come_back<R: Records>(store: R) {
    let big = Value::from("ñ".repeat(512 * 1024));
    let strange = json!({"ключ": "日本語 🚓 \u{0} \u{202e} e\u{301} '\"\\;--", "": [1.5, -0.0, u64::MAX, i64::MIN, null]});
    let name = "straße/ЖДИ/🏠 '\"--";
    let named = Setting { name: name.into(), value: strange.clone() };
    let changes = change()
        .insert(&setting(1, big.clone()))
        .insert(&named)
        .insert(&hold(1, 1, name, None))
        .leaf(Log::Requests, &big)
        .leaf(Log::Requests, &strange);
    must(&store, changes).await;
    assert!(read::<Setting>(&store, "setting-1").await.unwrap().record.value == big);
    let raw = store.fetch(Kind::Setting, name).await.unwrap().unwrap();
    assert_eq!(raw.record, serde_json::to_string(&named).unwrap());
    assert_eq!(read::<Setting>(&store, name).await.unwrap().record.value, strange);
    assert_eq!(read::<Setting>(&store, &name.to_uppercase()).await, None);
    assert_eq!(store.list(Query::<Hold>::new().with("subject", name)).await.unwrap().len(), 1);
    let entries = store.ledger_entries(Log::Requests, 0, 2).await.unwrap();
    assert!(entries[0].entry == canvass_types::canonical(&big).unwrap());
    assert_eq!(entries[1].entry, canvass_types::canonical(&strange).unwrap());
    assert_eq!(store.ledger_index_of(Log::Requests, &entries[0].entry).await.unwrap(), Some(0));
}

/// What was acknowledged is there when the store is opened again. `open` must open the same store each time; the one
/// before is dropped first.
pub async fn reopening<R: Records>(open: impl AsyncFn() -> R) {
    let mut sequence = 0;
    for round in 0..3_u64 {
        let store = open().await;
        assert_eq!(store.ledger_size(Log::Requests).await.unwrap(), round);
        if round > 0 {
            let found = read::<Setting>(&store, "setting-1").await.unwrap();
            assert_eq!((found.version, &found.record.value), (round, &json!(round - 1)));
            must(&store, change().update(&found, &setting(1, json!(round))).leaf(Log::Requests, &round))
                .await;
        } else {
            must(&store, change().insert(&setting(1, json!(round))).leaf(Log::Requests, &round)).await;
        }
        // The order of records goes on too, over what was deleted meanwhile.
        must(&store, change().insert(&setting(2, json!(0)))).await;
        let two = read::<Setting>(&store, "setting-2").await.unwrap();
        assert!(two.sequence > sequence);
        sequence = two.sequence;
        must(&store, change().delete(&two)).await;
    }
}
