//! Sealed bytes that changed on the disk: the reading breaks off, and that it did stands on record.

use canvass_server::operator::check;
use serde_json::{Value, json};

use crate::support::{Agency, Canvass, Resident, clock, entropy};

fn only_file(folder: &std::path::Path) -> std::path::PathBuf {
    let entry = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    if entry.is_dir() { only_file(&entry) } else { entry }
}

async fn failures(canvass: &Canvass, agency: &Agency, offer: &str, number: usize) -> Vec<Value> {
    let mut found = Vec::new();
    for _ in 0..400 {
        let custody = canvass.get(&agency.investigator, &format!("/offers/{offer}/custody")).await;
        found = custody["events"].as_array().unwrap().clone();
        found.retain(|event| event["event"] == "integrity-failed");
        if found.len() >= number {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("{number} failures were not put on record: {found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_bytes_break_off_and_are_put_on_record() {
    let mut canvass = Canvass::start().await;
    let agency = Agency::new(&canvass).await;
    let (request, key) = agency.publish(&canvass, "26-21").await;
    let resident = Resident::new(key.recipient().unwrap().as_str(), &[("a.mp4", &[7; 400_000])]);
    resident.give(&canvass, &request).await;
    resident.status(&canvass, |status| status["receipt"].is_object()).await;
    let offer =
        canvass.get(&agency.investigator, "/offers").await["items"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/offers/{offer}/envelope");
    assert_eq!(canvass.bytes(&agency.investigator, &path, None).await.1, resident.envelope);

    let blob = only_file(&canvass.data().join("blobs"));
    let mut changed = resident.envelope.clone();
    *changed.last_mut().unwrap() ^= 1;
    std::fs::remove_file(&blob).unwrap();
    std::fs::write(&blob, &changed).unwrap();
    let ask = |range: Option<&str>| {
        let request = canvass.http.get(format!("{}/api/v1{path}", canvass.desk));
        let request =
            request.bearer_auth(&agency.investigator).header("canvass-purpose", crate::support::PURPOSE);
        match range {
            Some(range) => request.header("range", range),
            None => request,
        }
    };
    // The whole: it begins, and never ends. The last bytes are not given out.
    let answer = ask(None).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.bytes().await.is_err(), "the stream went to its end");
    let found = failures(&canvass, &agency, &offer, 1).await;
    let sum = |bytes: &[u8]| json!(canvass_types::Digest::of(bytes));
    assert_eq!(found[0]["detail"], json!({ "expected": sum(&resident.envelope), "found": sum(&changed) }));
    // A part: it does not even begin.
    let answer = ask(Some("bytes=0-99")).send().await.unwrap();
    assert_eq!(answer.status(), 500);
    assert!(answer.json::<Value>().await.unwrap()["remedy"].as_str().unwrap().contains("canvass check"));
    failures(&canvass, &agency, &offer, 2).await;
    // Cut short.
    std::fs::write(&blob, &changed[..1_000]).unwrap();
    let answer = ask(None).send().await;
    assert!(match answer {
        Ok(answer) => answer.status() == 500 || answer.bytes().await.is_err(),
        Err(_) => true,
    });
    failures(&canvass, &agency, &offer, 3).await;

    let audit = canvass.get(&agency.overseer, "/audit?action=integrity.failed").await;
    let audit = audit["items"].as_array().unwrap();
    assert!(audit.len() >= 3 && audit.iter().all(|record| record["leaf"].is_object()), "{audit:?}");
    std::fs::write(&blob, &resident.envelope).unwrap();
    assert_eq!(canvass.bytes(&agency.investigator, &path, None).await.1, resident.envelope);
    canvass.stop().await;
    let report = check(&canvass.data(), false, clock(), entropy()).await.unwrap();
    assert!(report.clean(), "{report:?}");
}
