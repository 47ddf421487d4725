//! Footage by description, end to end: a resident's clip is looked through on the agency's machine, what was seen goes to the server
//! sealed, and a search opens it on that machine again, beside what cameras saw.

use std::fs;

use serde_json::{Value, json};

use crate::{town::*, watching::film};

const WHY: &str = "Red car that left the garage burglary on Elm Street through the alley";

/// The objects that a command told, one a line.
fn lines(who: &Person, args: &[&str]) -> Vec<Value> {
    let out = who.ok(&[&["--json"], args].concat());
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A case with one accepted clip: case and item.
fn accepted(town: &Town, file: &str) -> (String, String) {
    let portal = town.portal();
    let rosa = town.resident("Rosa");
    fs::copy(file, rosa.home.join("porch.mp4")).unwrap();
    rosa.ok(&["seal", "--portal", &portal, "--out", "porch", "--yes", "porch.mp4"]);
    rosa.ok(&["give", "porch"]);
    let receipt: Value =
        serde_json::from_slice(&fs::read(rosa.home.join("porch.receipt.json")).unwrap()).unwrap();
    let offer = text(&receipt, "/offer");
    let ines = &town.ines;
    let title = ["case", "create", "--title", "26-77 Elm Street", "--destination", &portal];
    let case = text(&ines.json(&title), "/id");
    ines.ok(&["open", &offer, "--case", &case, "--purpose", WHY, "--out", "opened"]);
    ines.ok(&["triage", &offer, "accept", "1", "--case", &case, "--dir", "opened"]);
    let item = text(&ines.json(&["case", "show", &case]), "/items/0/id");
    (case, item)
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_is_looked_through_and_searched_on_the_agencys_machine_alone() {
    let folder = tempfile::tempdir().unwrap();
    let Some(file) = film(folder.path(), "drive.mp4", 12) else { return };
    let town = Town::new();
    let (case, item) = accepted(&town, &file);
    let ines = &town.ines;
    let index = ["footage", "index", "--case", &case, "--purpose", WHY];
    ines.refused(&["footage", "index", "--case", &case], 2, &["--purpose"]);
    let told = ines.json(&index);
    let seen = told["indexed"][0]["sightings"].as_u64().unwrap();
    assert_eq!(
        (told["indexed"].as_array().unwrap().len(), &told["indexed"][0]["item"]),
        (1, &json!(item)),
        "{told}"
    );
    let again = ines.json(&index);
    assert_eq!(
        (&again["indexed"], &again["passed_over"]),
        (&json!([]), &json!(1)),
        "the same model looks once"
    );
    assert!(ines.ok(&["item", "custody", &item]).contains("indexed"));
    // Nothing on the server says what was seen: neither the records nor any other file has a word of it.
    let mut folders = vec![town.data()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = fs::read(&path).unwrap_or_default();
            let plain = br#""frames":"#;
            assert!(!bytes.windows(plain.len()).any(|part| part == plain), "{}", path.display());
        }
    }

    let camera =
        text(&town.ada.json(&["camera", "add", "Depot", "--use", "footage", "--at=-71.5,43.2"]), "/id");
    let token = text(&town.ada.json(&["camera", "token", &camera, "--member", &town.ada.id]), "/token");
    let now = crate::reads::now();
    let row = json!({
        "id": "1", "start": now, "end": now, "kind": "Car", "score": 0.9, "box": [10, 20, 80, 60], "frames": 9,
        "colours": { "Body": { "Red": 0.8 } }, "model": "objects", "version": "1", "picture": "/9j/4AAQ",
    });
    let sent = reqwest::Client::new().post(format!("{}/api/v1/sightings", url(town.desk))).bearer_auth(token);
    let sent: Value = sent.json(&json!({ "sightings": [row] })).send().await.unwrap().json().await.unwrap();
    assert_eq!(sent["stored"], 1, "{sent}");

    let why = ["--case", &case, "--offence", "felony", "--purpose", WHY];
    let found = lines(ines, &[&["footage", "search", "red car", "--pictures", "found"][..], &why].concat());
    let car = found.iter().find(|line| line["of"] == "camera").expect("what the camera saw");
    assert_eq!((&car["camera"], &car["matched"]), (&json!(camera), &json!(["car", "red"])));
    assert_eq!(fs::read_dir(ines.home.join("found")).unwrap().count(), 1);
    // What was seen in the clip, whatever it is, is found on this machine by its kind alone.
    if seen > 0 {
        let found = lines(
            ines,
            &[&["footage", "search", "vehicle", "--least", "0", "--no-cameras"][..], &why].concat(),
        );
        assert!(found.iter().any(|line| line["of"] == "item" && line["item"] == json!(item)), "{found:?}");
    }
    let refused = [&["footage", "search", "Maria Lopez"][..], &why].concat();
    ines.refused(&refused, 1, &["Nobody is searched for by name"]);

    // People take a second person, who sees what is asked.
    let people = [&["footage", "search", "person in red jacket"][..], &why].concat();
    ines.refused(&people, 1, &["second-person"]);
    let asked = ines.json(&[&people[..], &["--ask"]].concat());
    let approval = text(&asked, "/approval/id");
    assert!(town.sam.ok(&["plate", "approval", &approval]).contains("person in red jacket"));
    town.sam.ok(&["plate", "approve", &approval]);
    let run = ines.run(&["plate", "run", &approval]);
    assert!(run.code == 0 && run.err.contains("searched: 1 camera"), "{}{}", run.out, run.err);
    let entries = town.overseer.json(&["audit", "--action", "footage.search"]);
    assert!(entries.to_string().contains("person in red jacket"), "an overseer reads what was asked");
    town.ledgers_hold();
}
