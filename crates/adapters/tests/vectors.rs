//! Payloads of other makers, most of them malformed: each becomes the reads, or the words, that stand beside it.
//!
//! `tests/vectors/KIND.json` is a list of cases: a name, a payload (or `raw`, a text as it is), and either the reads that
//! come of it or the faults, as `field rule`.
#![cfg(test)]

use canvass_adapters::{
    Fault, Rows,
    frigate::{self, Follow},
    openalpr::{self, Take},
    plate_recognizer,
};
use canvass_core::plates::NewRead;
use serde_json::{Value, json};

fn follow() -> Follow {
    Follow { camera: "drive".to_owned(), sub_label: false }
}

fn listed(payload: &[u8]) -> Result<Rows, Fault> {
    let events = frigate::list(payload, &follow())?;
    Ok(events.into_iter().filter_map(|event| event.read.transpose()).collect())
}

fn single(read: Result<Option<NewRead>, Fault>) -> Result<Rows, Fault> {
    Ok(read?.map(Ok).into_iter().collect())
}

fn outcome(rows: Result<Rows, Fault>) -> Value {
    let fault = |fault: &Fault| {
        assert!(!fault.what.contains("SECRET") && !fault.field.contains("SECRET"), "{fault}");
        assert!(!fault.remedy.is_empty());
        Value::from(format!("{} {}", fault.field, fault.rule))
    };
    match rows {
        Err(whole) => json!({ "whole": fault(&whole) }),
        Ok(rows) => rows
            .iter()
            .map(|row| match row {
                Ok(read) => serde_json::to_value(read).unwrap(),
                Err(wrong) => fault(wrong),
            })
            .collect(),
    }
}

fn check(cases: &str, reads: impl Fn(&[u8]) -> Result<Rows, Fault>) {
    let cases: Vec<Value> = serde_json::from_str(cases).unwrap();
    assert!(cases.len() >= 8, "{}", cases.len());
    for case in &cases {
        let name = case["name"].as_str().unwrap();
        let payload = match case.get("raw") {
            Some(raw) => raw.as_str().unwrap().as_bytes().to_vec(),
            None => serde_json::to_vec(&case["payload"]).unwrap(),
        };
        let mut found = outcome(reads(&payload));
        // An id that is a hash is held in its form alone; that it stays the same is held below.
        for row in found.as_array_mut().into_iter().flatten().filter(|row| row.is_object()) {
            let id = row["id"].as_str().unwrap();
            let hash = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
            if hash {
                row["id"] = json!("hash");
            }
        }
        assert_eq!(found, case["becomes"], "{name}: {found}");
        assert_eq!(outcome(reads(&payload)), outcome(reads(&payload)), "{name}: it says the same again");
    }
}

#[test]
fn openalpr_groups() {
    check(include_str!("vectors/openalpr.json"), |payload| {
        openalpr::reads(payload, Take::Groups, Some("1234"))
    });
}

#[test]
fn openalpr_results() {
    check(include_str!("vectors/openalpr_results.json"), |payload| {
        openalpr::reads(payload, Take::Results, None)
    });
}

#[test]
fn plate_recognizer_webhooks() {
    check(include_str!("vectors/plate_recognizer.json"), |payload| {
        plate_recognizer::reads(payload, Some("camera-1"))
    });
}

#[test]
fn frigate_events() {
    check(include_str!("vectors/frigate_events.json"), |payload| single(frigate::event(payload, &follow())));
}

#[test]
fn frigate_updates() {
    check(include_str!("vectors/frigate_updates.json"), |payload| {
        single(frigate::update(payload, &follow()))
    });
}

#[test]
fn frigate_lists() {
    check(include_str!("vectors/frigate_list.json"), listed);
}

#[test]
fn frigate_says_the_same_wherever_it_is_read() {
    let event = json!({ "type": "update", "before": {}, "after": {
        "id": "1764000000.25-abc123", "camera": "drive", "label": "car", "start_time": 1764000000.25,
        "recognized_license_plate": ["ABC 1234", 0.91], "sub_label": ["John's car", 0.9] } });
    let update = json!({ "type": "lpr", "id": "1764000000.25-abc123", "camera": "drive", "plate": "ABC 1234",
        "score": 0.91, "timestamp": 1764000007.5, "name": "John's car" });
    let list = json!([{ "id": "1764000000.25-abc123", "camera": "drive", "label": "car", "start_time": 1763999995.25,
        "end_time": null, "data": { "recognized_license_plate": "ABC 1234", "recognized_license_plate_score": 0.91 } }]);
    let of = |rows: Result<Rows, Fault>| {
        let row = serde_json::to_value(rows.unwrap().pop().unwrap().unwrap()).unwrap();
        assert!(!row.to_string().contains("John"), "{row}");
        (row["id"].clone(), row["time"].clone(), row["plate"].clone(), row["confidence"].clone())
    };
    let bytes = |value: &Value| serde_json::to_vec(value).unwrap();
    let first = of(single(frigate::event(&bytes(&event), &follow())));
    assert_eq!(first.1, "2025-11-24T16:00:00.25Z");
    assert_eq!(first, of(single(frigate::update(&bytes(&update), &follow()))));
    assert_eq!(first, of(listed(&bytes(&list))));
}

#[test]
fn a_sub_label_is_a_plate_only_where_it_was_asked_for_and_of_a_vehicle() {
    let event = |label: &str| {
        let event = json!({ "after": { "id": "1764000000.25-abc123", "camera": "drive", "label": label, "sub_label": "ABC123" } });
        serde_json::to_vec(&event).unwrap()
    };
    let asked = Follow { sub_label: true, ..follow() };
    assert!(frigate::event(&event("car"), &follow()).ok().flatten().is_none());
    assert_eq!(
        frigate::event(&event("car"), &asked).ok().flatten().unwrap().plate.as_deref(),
        Some("ABC123")
    );
    assert!(frigate::event(&event("person"), &asked).ok().flatten().is_none());
}
