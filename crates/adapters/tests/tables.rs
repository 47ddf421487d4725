//! Tables of CSV, most of whose rows are bad.
#![cfg(test)]

use canvass_adapters::table::{Mapping, Moments, Table};
use serde_json::{Value, json};

fn rows(text: &str, map: &str, form: Option<&str>, zone: Option<&str>) -> Vec<Value> {
    let moments = Moments::new(form, zone).unwrap();
    let table = Table::new(text.as_bytes(), &map.parse().unwrap(), moments, 100.0).unwrap();
    table
        .enumerate()
        .map(|(at, line)| {
            assert_eq!(line.number, at as u64 + 1);
            assert!(line.end <= text.len() as u64);
            match line.read {
                Ok(read) => serde_json::to_value(read).unwrap(),
                Err(fault) => {
                    assert!(!fault.to_string().contains("SECRET"), "{fault}");
                    json!(format!("{} {}", fault.field, fault.rule))
                }
            }
        })
        .collect()
}

#[test]
fn columns_are_found_by_name_and_bad_rows_are_named() {
    let text = "\u{feff}Id, License Plate ,Read at,Score,State,Body,Paint,Make,Way,Note\r\n\
        7,abc 1234,2026-11-24T10:00:00Z,93.4%,us-nh,SUV,gray,land-rover,north,\"a, \"\"b\"\"\nc\"\r\n\
        8,XYZ987,2026-11-24 05:00:00,,Atlantis,Spaceship,,,,\r\n\
        9,,2026-11-24T10:00:00Z,,,,,,,\r\n\
        10,SECRET1,yesterday SECRET,,,,,,,\r\n\
        11,SECRET1,2026-11-24T10:00:00Z,sure,,,,,,\r\n\
        12,SECRET1\r\n\
        13,SECRET1,2026-11-01 01:30:00,,,,,,,\r\n\
        14,SECRET1,2026-03-08 02:30:00,,,,,,,\r\n";
    let map = "source=Id,plate=License Plate,time=read at,confidence=Score,region=State,vehicle=Body,colour=Paint,brand=Make,direction=Way";
    let found = rows(text, map, None, Some("America/New_York"));
    assert_eq!(
        found[0],
        json!({ "id": "7", "time": "2026-11-24T10:00:00Z", "plate": "abc 1234", "confidence": 93.4, "region": "US-NH",
            "vehicle": "Car", "colour": "Grey", "brand": "land rover", "direction": "N" })
    );
    assert_eq!(found[1], json!({ "id": "8", "time": "2026-11-24T10:00:00Z", "plate": "XYZ987" }));
    let bad = ["plate missing", "time form", "confidence number", "time missing", "time twice", "time twice"];
    assert_eq!(found[2..], bad.map(Value::from));
}

#[test]
fn moments_come_in_several_forms() {
    for (form, zone, text, at) in [
        (None, None, "2026-11-24T05:00:00-05:00", "2026-11-24T10:00:00Z"),
        (None, Some("Europe/Madrid"), "2026-07-24T12:00:00", "2026-07-24T10:00:00Z"),
        (Some("unix"), None, "1795514400.5", "2026-11-24T10:00:00.5Z"),
        (Some("unix-ms"), None, "1795514400500", "2026-11-24T10:00:00.5Z"),
        (Some("%m/%d/%Y %I:%M:%S %p"), Some("UTC"), "11/24/2026 10:00:00 AM", "2026-11-24T10:00:00Z"),
        (Some("%d.%m.%Y %H:%M:%S %z"), None, "24.11.2026 11:00:00 +0100", "2026-11-24T10:00:00Z"),
    ] {
        let found = rows(&format!("p,t\nABC1,{text}\n"), "plate=p,time=t", form, zone);
        assert_eq!(found[0]["time"], at, "{text}");
    }
    for (form, text, wrong) in [
        (None, "2026-11-24T05:00:00", "time zone"),
        (Some("unix"), "1e400", "time form"),
        (Some("unix"), "NaN", "time form"),
        (Some("unix-ms"), "99999999999999999999", "time form"),
        (Some("%Y"), "2026", "time form"),
        (Some("%m/%d/%Y %H:%M:%S"), "13/24/2026 10:00:00", "time form"),
    ] {
        assert_eq!(rows(&format!("p,t\nABC1,{text}\n"), "plate=p,time=t", form, None), [wrong], "{text}");
    }
    assert_eq!(Moments::new(None, Some("Atlantis/Middle")).unwrap_err().rule, "zone");
    assert_eq!(Moments::new(Some("whenever"), None).unwrap_err().rule, "form");
}

#[test]
fn an_id_follows_from_all_fields_of_a_row() {
    let text = "plate,time,lane\nABC1,2026-11-24T10:00:00Z,1\nABC1,2026-11-24T10:00:00Z,2\nABC1,2026-11-24T10:00:00Z,1\n";
    let found = rows(text, "plate=plate,time=time", None, None);
    assert_eq!(found[0]["id"], found[2]["id"]);
    assert_ne!(found[0]["id"], found[1]["id"]);
    assert_eq!(found, rows(text, "plate=plate,time=time", None, None));
}

#[test]
fn what_is_no_table_is_told() {
    let table = |text: &str| {
        Table::new(text.as_bytes(), &"plate=Plate,time=Time".parse().unwrap(), Moments::default(), 100.0)
            .err()
    };
    assert_eq!(table("").unwrap().rule, "column");
    assert_eq!(table("Plate;Time\nA;B\n").unwrap().rule, "column");
    let wide = "c,".repeat(300);
    assert_eq!(table(&wide).unwrap().rule, "length");
    let long = format!("Plate,Time\n{},2026-11-24T10:00:00Z\n", "A".repeat(10_240));
    assert_eq!(rows(&long, "plate=Plate,time=Time", None, None), ["plate length"]);
    let found: Vec<_> = Table::new(
        &b"Plate,Time\n\xff\xfe,2026-11-24T10:00:00Z\n"[..],
        &"plate=Plate,time=Time".parse().unwrap(),
        Moments::default(),
        100.0,
    )
    .unwrap()
    .map(|line| line.read.err().unwrap().rule)
    .collect();
    assert_eq!(found, ["text"]);
    for wrong in ["", "plate=A", "time=B", "plate,time", "plate=A,plate=B,time=C", "plate=A,time=B,owner=C"] {
        assert_eq!(wrong.parse::<Mapping>().unwrap_err().field, "map", "{wrong}");
    }
}
