//! No input panics, and nothing that comes out is beyond its limits.
#![cfg(test)]

use canvass_adapters::{
    frigate::{self, Follow},
    openalpr::{self, Take},
    plate_recognizer,
    table::{Mapping, Moments, Table},
};
use canvass_core::plates::{NewRead, SourceId};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const NAMES: &[&str] = &[
    "data_type",
    "alpr_group",
    "alpr_results",
    "uuid",
    "best_uuid",
    "best_plate",
    "best_plate_number",
    "epoch_start",
    "epoch_end",
    "epoch_time",
    "results",
    "plate",
    "plate_index",
    "confidence",
    "vehicle",
    "color",
    "name",
    "camera_id",
    "hook",
    "data",
    "score",
    "region",
    "code",
    "timestamp",
    "timestamp_camera",
    "props",
    "value",
    "type",
    "lpr",
    "id",
    "after",
    "camera",
    "drive",
    "label",
    "car",
    "start_time",
    "end_time",
    "recognized_license_plate",
    "sub_label",
];

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        prop::sample::select(NAMES).prop_map(Value::from),
        "\\PC{0,40}".prop_map(Value::from),
        Just(json!("1764000000.25-abc")),
        Just(json!("2026-11-24T10:00:00Z")),
        Just(json!("x".repeat(10_240))),
    ]
}

fn tree() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(5, 80, 10, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(NAMES), inner), 0..10).prop_map(|pairs| {
                Value::from(
                    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>(),
                )
            }),
        ]
    })
}

/// A payload that looks like one, with anything in its places.
fn plausible() -> impl Strategy<Value = Value> {
    (tree(), tree(), tree(), tree()).prop_map(|(a, b, c, d)| {
        json!({
            "data_type": "alpr_group", "best_uuid": a, "best_plate_number": b, "epoch_start": c, "epoch_end": d,
            "after": { "camera": "drive", "id": a, "recognized_license_plate": b, "start_time": c, "label": d },
            "type": "lpr", "camera": "drive", "id": a, "plate": b, "timestamp": c, "score": d, "vehicle": d,
            "results": [{ "plate": a, "score": b, "region": c, "color": d }, { "plate": { "props": { "plate": a } } }],
        })
    })
}

fn sound(read: &NewRead) {
    if let SourceId::Text(id) = &read.id {
        assert!((1..=64).contains(&id.chars().count()), "{}", id.len());
    }
    assert!(read.plate.as_ref().is_some_and(|plate| plate.len() <= 256));
    assert!(read.time.parse::<jiff::Timestamp>().is_ok());
    assert!(serde_json::to_string(read).unwrap().len() < 4_096);
}

fn all(payload: &[u8]) {
    let rows = [
        openalpr::reads(payload, Take::Groups, None),
        openalpr::reads(payload, Take::Results, None),
        openalpr::reads(payload, Take::Groups, Some("1")),
        plate_recognizer::reads(payload, None),
    ];
    rows.into_iter().flatten().flatten().flatten().for_each(|read| sound(&read));
    for sub_label in [false, true] {
        let follow = Follow { camera: "drive".to_owned(), sub_label };
        for read in [frigate::event(payload, &follow), frigate::update(payload, &follow)] {
            read.ok().flatten().iter().for_each(sound);
        }
        for event in frigate::list(payload, &follow).into_iter().flatten() {
            event.read.ok().flatten().iter().for_each(sound);
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(payload in prop::collection::vec(any::<u8>(), 0..300)) {
        all(&payload);
    }

    #[test]
    fn no_tree_panics(payload in tree()) {
        all(&serde_json::to_vec(&payload).unwrap());
        all(&serde_json::to_vec(&json!([payload])).unwrap());
    }

    #[test]
    fn nothing_in_the_places_of_a_payload_panics(payload in plausible()) {
        all(&serde_json::to_vec(&payload).unwrap());
        all(&serde_json::to_vec(&json!({ "data": payload, "hook": {} })).unwrap());
        all(&serde_json::to_vec(&json!([payload])).unwrap());
    }

    #[test]
    fn no_table_panics(text in "(plate,time,x\n)?(\\PC{0,30}[,\"\n]){0,20}", form in "(unix|unix-ms|%.{0,6})?") {
        let mapping: Mapping = "plate=plate,time=time,confidence=x".parse().unwrap();
        let form = Some(form.as_str()).filter(|form| !form.is_empty());
        let Ok(moments) = Moments::new(form, Some("America/New_York")) else { return Ok(()) };
        let Ok(table) = Table::new(text.as_bytes(), &mapping, moments, 100.0) else { return Ok(()) };
        for line in table {
            line.read.iter().for_each(sound);
        }
    }
}

#[test]
fn deep_nesting_is_refused() {
    for (open, close) in [("[", "]"), ("{\"data\":", "}")] {
        let text = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        all(text.as_bytes());
        assert_eq!(plate_recognizer::reads(text.as_bytes(), None).err().unwrap().rule, "json");
    }
}
