//! The outbox of webhooks under kill -9: every alert that was raised is told at last, each under one id; and the commands.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    reads::{Street, now},
    town::*,
};

const ROUNDS: u32 = 3;
const PLATES: u32 = 300;
/// Alerts that a round raises before the server is killed.
const LEAST: u32 = 10;

/// Of each alert, the ids of messages that told of it, and how often one came.
type Told = Arc<Mutex<BTreeMap<String, Vec<String>>>>;

/// A receiver that answers 200 to all; gives where it listens.
fn receiver(told: &Told) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = format!("http://{}", listener.local_addr().unwrap());
    let told = Arc::clone(told);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let told = Arc::clone(&told);
            std::thread::spawn(move || answer(stream.unwrap(), &told));
        }
    });
    at
}

/// Reads one request. Who is killed while sending leaves half of one.
fn answer(stream: std::net::TcpStream, told: &Told) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let (mut id, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "webhook-id" => value.trim().clone_into(&mut id),
            "content-length" => length = value.trim().parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body: Value = serde_json::from_slice(&body).ok()?;
    assert!(!body.to_string().contains("KILL"), "a plate was told: {body}");
    if let Some(alert) = body.pointer("/data/alert").and_then(Value::as_str) {
        told.lock().unwrap().entry(alert.to_owned()).or_default().push(id);
    }
    let mut stream = stream;
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").ok()
}

/// A list in force with plates of all rounds.
fn hotlist(street: &Street) -> Person {
    let ines = member(street.folder.path(), &street.ada, "Ines", &["investigator"], Some(&street.agency));
    let sam = member(street.folder.path(), &street.ada, "Sam", &["supervisor"], Some(&street.agency));
    ines.ok(&["case", "create", "--title", "26-77"]);
    let list = ines.json(&[
        "hotlist",
        "add",
        "Stolen",
        "--source",
        "State police",
        "--basis",
        "agency",
        "--for",
        "stolen",
        "--case-number",
        "26-77",
        "--purpose",
        "Vehicles stolen in Elm County since October",
    ]);
    let mut csv = String::from("plate\n");
    for number in 0..ROUNDS * PLATES {
        csv.push_str(&format!("KILL{number:03}\n"));
    }
    ines.write("stolen.csv", csv);
    let reason = ["--reason", "Weekly file of the state police"];
    let proposed =
        ines.json(&[&["hotlist", "import", &text(&list, "/id"), "stolen.csv"][..], &reason].concat());
    sam.ok(&["hotlist", "approve", &text(&proposed, "/version/proposal")]);
    ines
}

#[tokio::test(flavor = "multi_thread")]
async fn no_alert_is_lost_to_a_webhook_when_the_server_is_killed() {
    let told = Told::default();
    let at = receiver(&told);
    let mut street = Street::new_with(1, &["--webhook-inside".to_owned(), at.clone()]);
    let ines = hotlist(&street);
    let made = street.ada.json(&["alert", "webhook", "add", "Dispatch", "--url", &format!("{at}/in")]);
    assert!(text(&made, "/secret").starts_with("whsec_"));
    for round in 0..ROUNDS {
        let (desk, token) = (street.desk, street.tokens[0].clone());
        let acknowledged = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&acknowledged);
        let sender = tokio::spawn(async move {
            let http = reqwest::Client::new();
            for number in 0..PLATES {
                let plate = format!("KILL{:03}", round * PLATES + number);
                let row = json!({ "reads": [{ "id": plate, "time": now(), "plate": plate }] });
                let sent = http.post(format!("{}/api/v1/reads", url(desk))).bearer_auth(&token).json(&row);
                if sent.send().await.is_err() {
                    break;
                }
                counted.fetch_add(1, Ordering::Relaxed);
            }
        });
        // In the middle of it, on a quick machine as on a slow one.
        while acknowledged.load(Ordering::Relaxed) < LEAST + round && !sender.is_finished() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        street.kill();
        sender.await.unwrap();
        street.start();
    }
    let raised: BTreeSet<String> =
        ines.json(&["alert", "list"]).as_array().unwrap().iter().map(|alert| text(alert, "/id")).collect();
    assert!(raised.len() >= (ROUNDS * LEAST) as usize, "{} alerts were raised", raised.len());
    until("a message for each alert", || {
        let told = told.lock().unwrap();
        raised.iter().all(|alert| told.contains_key(alert))
    });
    let told = told.lock().unwrap().clone();
    assert_eq!(told.keys().cloned().collect::<BTreeSet<_>>(), raised, "nothing is told that is not there");
    for (alert, ids) in &told {
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 1, "{alert}: {ids:?}");
    }
    let report = street.operator.json(&["check", "--data", "data"]);
    assert_eq!(report["findings"], json!([]), "{report}");
    street.stop();
}

#[test]
fn webhooks_and_the_safelist_are_kept_on_the_command_line() {
    let mut street = Street::new(1);
    let ada = &street.ada;
    assert!(ada.ok(&["alert", "webhook", "list"]).contains("no webhooks"));
    ada.refused(
        &["alert", "webhook", "add", "Dispatch", "--url", "https://10.0.0.1/x"],
        1,
        &["url", "operator"],
    );
    ada.refused(
        &["alert", "webhook", "add", "Dispatch", "--url", "x", "--event", "noise"],
        2,
        &["alert.raised"],
    );
    let url = "https://dispatch.invalid/hooks/secret-path";
    let said = ada.ok(&["alert", "webhook", "add", "Dispatch", "--url", url, "--event", "alert.raised"]);
    assert!(said.contains("whsec_") && said.contains("not shown again"), "{said}");
    let id = text(&ada.json(&["alert", "webhook", "list"]), "/0/id");
    assert!(ada.ok(&["alert", "webhook", "test", &id]).contains("deliveries"));
    until("the first try", || {
        ada.ok(&["alert", "webhook", "deliveries", &id]).contains("1 try  unreachable")
    });
    assert!(ada.ok(&["alert", "webhook", "list"]).contains("fails since"));
    assert!(ada.ok(&["alert", "webhook", "rotate", &id]).contains("secrets that count: 2"));
    ada.refused(&["alert", "webhook", "resume", &id], 1, &["on already"]);
    ada.ok(&["alert", "webhook", "remove", &id]);
    ada.refused(&["alert", "webhook", "test", &id], 1, &["404"]);

    ada.refused(&["safelist", "add", "ABC 1234"], 1, &["registration_seen"]);
    assert!(ada.ok(&["safelist", "add", "ABC 1234", "--registration-seen"]).contains("1 added, 0 renewed"));
    ada.write("staff.txt", "# staff\nabc-1234\n\nXYZ 789\n");
    assert!(
        ada.ok(&["safelist", "import", "staff.txt", "--registration-seen", "--days", "30"])
            .contains("1 added, 1 renewed")
    );
    ada.refused(&["safelist", "set", "loud", "--reason", "no such mode here"], 2, &["drop"]);
    ada.ok(&["safelist", "set", "tag", "--reason", "The council asked for it in November"]);
    let list = ada.ok(&["safelist", "list"]);
    assert!(list.contains("2 plates on the safelist") && !list.contains("ABC"), "{list}");
    ada.ok(&["safelist", "remove", "--plate", "ABC1234"]);
    ada.refused(&["safelist", "remove", "--plate", "ABC1234"], 1, &["404"]);
    let entry = text(&ada.json(&["safelist", "list"]), "/entries/0/id");
    ada.ok(&["safelist", "remove", "--id", &entry]);
    street.stop();
}
