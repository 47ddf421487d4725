//! Plate reads over HTTP: cameras send, members search with a purpose, and what is past its time is nowhere any more.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use canvass_plates::{Limits, PlatePattern, ReadQuery, ReadStore as _};
use canvass_server::operator;
use canvass_store_reads::{Options, RootKey, SegmentStore};
use canvass_types::{Clock, Time};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::*;

pub const WHY: &str = r#"{"class":"crime","offence":"felony","case":"26-77","reason":"follow the grey pickup seen at the pharmacy robbery on Elm Street"}"#;
const LINES: &str = "application/x-ndjson";

/// The machine's clock, moved on by the test.
#[derive(Default)]
pub struct Shifted(pub AtomicI64);

impl Clock for Shifted {
    fn now(&self) -> jiff::Timestamp {
        let ahead = jiff::SignedDuration::from_secs(self.0.load(Ordering::SeqCst));
        Machine.now().checked_add(ahead).unwrap()
    }
}

pub struct Town {
    pub canvass: Canvass,
    pub clock: Arc<Shifted>,
    agency: String,
    administrator: (String, String),
    pub investigator: String,
    pub supervisor: String,
}

impl Town {
    pub async fn new(state: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let operator = operator::init(&data, "Olga Operator", clock(), entropy()).await.unwrap();
        let http = reqwest::Client::new();
        let mut canvass =
            Canvass { folder, running: None, desk: String::new(), public: String::new(), operator, http };
        let clock = Arc::new(Shifted::default());
        canvass.run_by(config(&data), clock.clone()).await;
        let new = json!({
            "name": "Elm Police", "class": "municipal", "subdivision": state, "jurisdiction": around(-71.54, 43.2, 0.2),
        });
        let agency = canvass.post(&canvass.operator, "/agencies", &new).await;
        let agency = agency["id"].as_str().unwrap().to_owned();
        let signing = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
        let public = json!({ "public": String::from(canvass_types::PublicKey::of(&signing)) });
        canvass.post(&canvass.operator, &format!("/agencies/{agency}/verify"), &public).await;
        let new = json!({ "agency": agency, "name": "Ada", "roles": ["administrator"] });
        let ada = canvass.post(&canvass.operator, "/members", &new).await["id"].as_str().unwrap().to_owned();
        let token = canvass
            .post(
                &canvass.operator,
                &format!("/members/{ada}/tokens"),
                &json!({ "label": "test", "days": 300 }),
            )
            .await;
        let token = token["token"].as_str().unwrap().to_owned();
        let mut others = Vec::new();
        for (name, role) in [("Ina", "investigator"), ("Sue", "supervisor")] {
            let new = json!({ "agency": agency, "name": name, "roles": [role] });
            let id = canvass.post(&token, "/members", &new).await["id"].as_str().unwrap().to_owned();
            let new = json!({ "label": "test", "days": 300 });
            let token = canvass.post(&token, &format!("/members/{id}/tokens"), &new).await;
            others.push(token["token"].as_str().unwrap().to_owned());
        }
        let [investigator, supervisor] = <[String; 2]>::try_from(others).unwrap();
        let case = json!({ "title": "Pharmacy", "code": "26-77", "destinations": [] });
        canvass.post(&investigator, "/cases", &case).await;
        Self { canvass, clock, agency, administrator: (ada, token), investigator, supervisor }
    }

    /// A camera and its machine's token.
    pub async fn camera(&self, name: &str) -> (String, String) {
        self.camera_for(name, "plates").await
    }

    pub async fn camera_for(&self, name: &str, of: &str) -> (String, String) {
        let new = json!({ "name": name, "use": of, "position": [-71.5376, 43.2081] });
        let camera = self.canvass.post(&self.administrator.1, "/cameras", &new).await;
        let id = camera["id"].as_str().unwrap().to_owned();
        let new = json!({ "label": name, "days": 300, "scope": id });
        let path = format!("/members/{}/tokens", self.administrator.0);
        let token = self.canvass.post(&self.administrator.1, &path, &new).await;
        (id, token["token"].as_str().unwrap().to_owned())
    }

    fn row(&self, id: &str, plate: &str, ago: i64) -> Value {
        json!({ "id": id, "plate": plate, "time": Time::new(self.clock.now()).plus_seconds(-ago), "confidence": 90 })
    }

    pub async fn asked(
        &self,
        token: &str,
        path: &str,
        purpose: Option<&str>,
        wish: &Value,
    ) -> (StatusCode, Value) {
        let url = format!("{}/api/v1{path}", self.canvass.desk);
        let mut request = self.canvass.http.post(url).bearer_auth(token).json(wish);
        if let Some(purpose) = purpose {
            request = request.header("canvass-purpose", purpose);
        }
        let answer = request.send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    pub async fn search(&self, wish: &Value) -> Value {
        let (status, found) = self.asked(&self.investigator, "/plates/search", Some(WHY), wish).await;
        assert_eq!(status, 200, "{found}");
        found
    }

    /// How many records of an action the overseers of the agency can read.
    async fn records(&self, action: &str) -> usize {
        let found = self.canvass.get(&self.supervisor, &format!("/audit?action={action}&limit=1000")).await;
        found["items"].as_array().unwrap().len()
    }
}

fn lines(rows: &[Value]) -> Vec<u8> {
    rows.iter().flat_map(|row| format!("{row}\n").into_bytes()).collect()
}

fn plates(found: &Value) -> Vec<(&str, &str)> {
    let matches = found["matches"].as_array().unwrap().iter();
    matches.map(|one| (one["read"]["plate"].as_str().unwrap(), one["label"].as_str().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn cameras_send_and_members_search_with_a_purpose() {
    let mut town = Town::new("US-TX").await;
    let (camera, token) = town.camera("Elm and Main").await;
    let rows = [town.row("1", "abc 123", 60), town.row("2", "A8C123", 50), town.row("3", "ABC124", 40)];
    let added = town.canvass.post(&token, "/reads", &json!({ "reads": rows })).await;
    assert_eq!(
        (&added["stored"], &added["duplicates"], &added["refused"]),
        (&json!(3), &json!(0), &json!(0))
    );
    // The same again, as lines, with one of ONVIF's and bad ones between.
    let now = Time::new(town.clock.now());
    let mut more = rows.to_vec();
    more.push(json!({ "id": 9, "time": "1970-01-01T00:00:00Z", "plate": "OLD1" }));
    more.push(json!({ "id": 10, "time": "2099-01-01T00:00:00Z", "plate": "NEW1" }));
    more.push(json!({
        "ObjectId": 11, "UtcTime": now, "LicensePlateInfo": { "PlateNumber": "ABC 123", "Likelihood": 0.8 },
    }));
    let (status, added, _) = town.canvass.send(&token, "/reads", LINES, lines(&more)).await;
    assert_eq!(status, 200);
    assert_eq!((&added["rows"], &added["stored"], &added["duplicates"]), (&json!(6), &json!(1), &json!(3)));
    let named: Vec<u64> =
        added["problems"].as_array().unwrap().iter().map(|one| one["row"].as_u64().unwrap()).collect();
    assert_eq!(named, [4, 5]);
    // Whole or not at all, when the sender wants it so.
    more.push(town.row("12", "KEPT1", 1));
    let (status, refused, _) = town.canvass.send(&token, "/reads?bad=refuse", LINES, lines(&more)).await;
    assert_eq!(
        (status, refused["type"].as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, Some("urn:canvass:problem:rows"))
    );
    assert!(refused["problems"][0]["field"].as_str().unwrap().starts_with("row 4"), "{refused}");

    let found = town.search(&json!({ "plate": "ABC123" })).await;
    assert_eq!(plates(&found), [("ABC123", "exact"), ("ABC123", "exact")]);
    assert_eq!(found["matches"][0]["read"]["confidence"], 80);
    let first = &found["matches"][1];
    assert_eq!(
        (first["camera_name"].as_str(), first["read"]["raw"].as_str()),
        (Some("Elm and Main"), Some("abc 123"))
    );
    assert_eq!(
        (first["position"][0].as_f64(), first["agency"].as_str()),
        (Some(-71.5376), Some(town.agency.as_str()))
    );
    let found = town.search(&json!({ "plate": "ABC123", "tolerant": true, "cameras": [camera] })).await;
    let labels = [
        ("ABC123", "exact"),
        ("ABC124", "approximate"),
        ("A8C123", "misread-equivalent"),
        ("ABC123", "exact"),
    ];
    assert_eq!(plates(&found), labels);
    assert_eq!(found["matches"][1]["differences"], json!([{ "position": 6, "asked": "3", "read": "4" }]));
    assert_eq!(plates(&town.search(&json!({ "plate": "?BC12*", "limit": 2 })).await).len(), 2);
    assert!(plates(&town.search(&json!({ "plate": "KEPT1" })).await).is_empty());
    let (status, history) =
        town.asked(&town.investigator, "/plates/history", Some(WHY), &json!({ "plate": "abc-123" })).await;
    assert_eq!((status.as_u16(), plates(&history).len()), (200, 2));
    assert_eq!((town.records("plate.search").await, town.records("plate.history").await), (4, 1));

    // Without a purpose, and without a role, nothing is said.
    let wish = json!({ "plate": "ABC123" });
    let (status, answer) = town.asked(&town.investigator, "/plates/search", None, &wish).await;
    assert_eq!((status.as_u16(), answer["field"].as_str()), (422, Some("Canvass-Purpose")));
    let (status, _) = town.asked(&town.administrator.1, "/plates/search", Some(WHY), &wish).await;
    assert_eq!(status, 403);
    let (status, _) = town.asked(&token, "/plates/search", Some(WHY), &wish).await;
    assert_eq!(status, 404, "a camera searches nothing");
    let (status, _) =
        town.canvass.call(&town.investigator, Method::POST, "/reads", Some(&json!({ "reads": [] }))).await;
    assert_eq!(status, 403, "a person is no camera");
    town.canvass.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other_and_each_leaves_an_entry() {
    let mut town = Town::new("US-TX").await;
    let (_, token) = town.camera("Elm and Main").await;
    let rows: Vec<Value> = (0..120).map(|each| town.row(&format!("p{each}"), "PAGE77", each)).collect();
    town.canvass.post(&token, "/reads", &json!({ "reads": rows })).await;
    let (mut wish, mut seen) = (json!({ "plate": "PAGE77", "limit": 50 }), Vec::new());
    for _ in 0..3 {
        let found = town.search(&wish).await;
        seen.extend(found["matches"].as_array().unwrap().iter().map(|one| one["read"]["id"].to_string()));
        wish["after"] = found["next"].clone();
    }
    assert_eq!(wish["after"], Value::Null);
    let all: std::collections::BTreeSet<&String> = seen.iter().collect();
    assert_eq!((seen.len(), all.len()), (120, 120), "each read once");
    assert_eq!(town.records("plate.search").await, 3);
    town.canvass.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_floods_waits_and_the_next_one_does_not_notice() {
    let mut town = Town::new("US-TX").await;
    let (_, flood) = town.camera("Flood").await;
    let (_, calm) = town.camera("Calm").await;
    let rows = |from: usize, count: usize| -> Vec<Value> {
        (from..from + count).map(|each| town.row(&format!("f{each}"), &format!("F{each}"), 1)).collect()
    };
    let (status, added, _) = town.canvass.send(&flood, "/reads", LINES, lines(&rows(0, 20_000))).await;
    assert_eq!((status.as_u16(), &added["stored"]), (200, &json!(20_000)), "{added}");
    let (status, answer, wait) =
        town.canvass.send(&flood, "/reads", LINES, lines(&rows(20_000, 15_000))).await;
    assert_eq!(status, 429, "{answer}");
    assert!((1..=100).contains(&wait.unwrap()), "{wait:?}");
    let added = town.canvass.post(&calm, "/reads", &json!({ "reads": rows(0, 100) })).await;
    assert_eq!(added["stored"], 100);
    // Rested, it may send again.
    town.clock.0.fetch_add(101, Ordering::SeqCst);
    let (status, ..) = town.canvass.send(&flood, "/reads", LINES, lines(&rows(20_000, 1_000))).await;
    assert_eq!(status, 200);
    let many: Vec<Value> = (0..5_001).map(|_| json!({})).collect();
    let (status, answer) =
        town.canvass.call(&calm, Method::POST, "/reads", Some(&json!({ "reads": many }))).await;
    assert_eq!((status.as_u16(), answer["problems"][0]["rule"].as_str()), (422, Some("most")));
    let (status, ..) = town.canvass.send(&calm, "/reads", LINES, vec![b'x'; 700_000]).await;
    assert_eq!(status, 413, "a line without an end");
    let (status, answer, _) = town
        .canvass
        .send(&calm, "/reads", "application/json", br#"{"reads":[{"plate":"SECRET1"#.to_vec())
        .await;
    assert_eq!(status, 400);
    assert!(!answer.to_string().contains("SECRET1"));
    let (status, ..) = town.canvass.send(&calm, "/reads", "text/csv", b"plate\nABC123\n".to_vec()).await;
    assert_eq!(status, 415);
    town.canvass.stop().await;
}

fn files(below: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(below).unwrap().flatten() {
        if entry.path().is_dir() {
            files(&entry.path(), found);
        } else {
            found.push(entry.path());
        }
    }
}

fn copy_all(from: &Path, to: &Path) {
    let mut all = Vec::new();
    files(from, &mut all);
    for path in all {
        let target = to.join(path.strip_prefix(from).unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(&path, target).unwrap();
    }
}

/// How many reads a copy of the store opens, with the root key that the server has.
fn opened(copy: &Path, data: &Path) -> u64 {
    let text = std::fs::read_to_string(data.join("keys/reads.key")).unwrap();
    let key = text.split_whitespace().last().unwrap();
    let key: [u8; 32] = data_encoding::BASE64.decode(key.as_bytes()).unwrap().try_into().unwrap();
    let options = Options { background: false, ..Options::default() };
    let store = SegmentStore::open(copy, RootKey::new(key), entropy(), options).unwrap();
    let pattern = PlatePattern::parse("GONE*", &Limits::default()).unwrap();
    let mut query = ReadQuery::plate(pattern, Time::from_second(0), Time::from_second(1 << 40));
    query.limit = 1_000;
    store.search(&query).unwrap().matches.len() as u64
}

#[tokio::test(flavor = "multi_thread")]
async fn three_minutes_after_it_was_seen_a_read_is_nowhere() {
    let mut town = Town::new("US-NH").await;
    let (_, token) = town.camera("Route 3").await;
    let rows: Vec<Value> =
        (0..40).map(|each| town.row(&format!("g{each}"), &format!("GONE{each:03}"), 2)).collect();
    let added = town.canvass.post(&token, "/reads", &json!({ "reads": rows })).await;
    assert_eq!(added["stored"], 40);
    let (data, copies) = (town.canvass.data(), tempfile::tempdir().unwrap());
    // Somebody copies the sealed files away while they are whole.
    let stolen = copies.path().join("stolen");
    copy_all(&data.join("reads"), &stolen);
    let whole = copies.path().join("whole");
    copy_all(&stolen, &whole);
    assert_eq!(opened(&whole, &data), 40, "with the keys of that moment they open");
    town.clock.0.fetch_add(181, Ordering::SeqCst);
    let mut gone = false;
    for _ in 0..400 {
        gone = !data.join("reads/slices/us-nh-seen").exists()
            || std::fs::read_dir(data.join("reads/slices/us-nh-seen")).unwrap().next().is_none();
        let copy = copies.path().join("try");
        let _ = std::fs::remove_dir_all(&copy);
        copy_all(&stolen, &copy);
        std::fs::copy(data.join("reads/keys"), copy.join("keys")).unwrap();
        gone = gone && opened(&copy, &data) == 0;
        if gone {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(gone, "with the keys that are left, even the stolen files open nothing");
    // Nothing was searched for, so no file of the server has such a plate in the open.
    let mut all = Vec::new();
    files(&data, &mut all);
    for path in all {
        let bytes = std::fs::read(&path).unwrap_or_default();
        assert!(!bytes.windows(5).any(|part| part == b"GONE0"), "{}", path.display());
    }
    // The hour after, the ledger says so.
    town.clock.0.fetch_add(3_600, Ordering::SeqCst);
    town.canvass.post(&token, "/reads", &json!({ "reads": [town.row("x", "LATER1", 1)] })).await;
    let overseer = town.canvass.member(None, "Ovid", "overseer").await;
    let mut found = Value::Null;
    for _ in 0..400 {
        found = town.canvass.get(&overseer, "/audit?action=reads.erased").await;
        if !found["items"].as_array().unwrap().is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let body = &found["items"][0]["body"];
    assert_eq!((&body["detail"]["reads"], &body["subject"]), (&json!(40), &json!("us-nh-seen")), "{found}");
    town.canvass.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn backup_check_and_restore_hold_the_reads() {
    let mut town = Town::new("US-TX").await;
    let (_, token) = town.camera("Elm and Main").await;
    let rows: Vec<Value> = (0..500).map(|each| town.row(&format!("b{each}"), "BACK77", each)).collect();
    // In two batches: the end of a log may be cut off by a crash, and only what follows it shows that damage is none.
    for batch in [&rows[..400], &rows[400..]] {
        town.canvass.post(&token, "/reads", &json!({ "reads": batch })).await;
    }
    let data = town.canvass.data();
    // While the server is at work.
    let report = operator::check(&data, false, clock(), entropy()).await.unwrap();
    assert!(report.clean(), "{:?}", report.findings);
    assert_eq!(report.reads, 500);
    let to = town.canvass.folder.path().join("backup");
    operator::backup(&data, &to, true).await.unwrap();
    town.canvass.stop().await;
    let again = town.canvass.folder.path().join("again");
    operator::restore(&to, &again).unwrap();
    let report = operator::check(&again, false, clock(), entropy()).await.unwrap();
    assert!(report.clean(), "{:?}", report.findings);
    assert_eq!(report.reads, 500);
    town.canvass.run_by(config(&again), town.clock.clone()).await;
    let found = town.search(&json!({ "plate": "BACK77", "limit": 200 })).await;
    assert_eq!(plates(&found).len(), 200);
    let added = town.canvass.post(&token, "/reads", &json!({ "reads": rows })).await;
    assert_eq!((&added["stored"], &added["duplicates"]), (&json!(0), &json!(500)));
    town.canvass.stop().await;
    // A changed byte is found and named.
    let mut all = Vec::new();
    files(&again.join("reads"), &mut all);
    let ends = |path: &&PathBuf| path.extension().is_some_and(|end| end == "log" || end == "seg");
    let largest = all.iter().filter(ends).max_by_key(|path| std::fs::metadata(path).unwrap().len()).unwrap();
    let mut bytes = std::fs::read(largest).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(largest, bytes).unwrap();
    let report = operator::check(&again, false, clock(), entropy()).await.unwrap();
    assert!(report.findings.iter().any(|one| one.area == "reads"), "{:?}", report.findings);
    std::fs::remove_file(again.join("keys/reads.key")).unwrap();
    let report = operator::check(&again, false, clock(), entropy()).await.unwrap();
    assert!(report.findings.iter().any(|one| one.area == "reads" && one.defect.contains("reads.key")));
    assert!(!again.join("keys/reads.key").exists(), "a check makes no key");
}

impl Town {
    /// Asks for an approval as the investigator, and approves as the supervisor.
    async fn approved(&self, question: &Value) -> String {
        let wish = json!({ "question": question });
        let (status, asked) = self.asked(&self.investigator, "/plates/approvals", Some(WHY), &wish).await;
        assert_eq!((status.as_u16(), &asked["approval"]["state"]), (201, &json!("open")), "{asked}");
        let id = asked["approval"]["id"].as_str().unwrap().to_owned();
        let approved = self.canvass.act(&self.supervisor, &format!("/plates/approvals/{id}/approve")).await;
        assert_eq!(approved["approval"]["state"], "approved");
        id
    }

    async fn run(&self, id: &str) -> Value {
        self.canvass.post(&self.investigator, &format!("/plates/approvals/{id}/run"), &json!({})).await
    }

    /// ABC123 so many seconds ago, BBB222 twenty seconds behind it, CCC333 much later.
    async fn three_pass(&self, token: &str, ago: i64) {
        let rows = [
            self.row("1", "ABC 123", ago),
            self.row("2", "BBB222", ago - 20),
            self.row("3", "CCC333", ago - 200),
        ];
        self.canvass.post(token, "/reads", &json!({ "reads": rows })).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn company_and_several_places_are_asked_for_approved_run_and_kept() {
    let mut town = Town::new("US-TX").await;
    let (elm, elms) = town.camera("Elm and Main").await;
    let (oak, oaks) = town.camera("Oak Street").await;
    town.three_pass(&elms, 600).await;
    town.three_pass(&oaks, 300).await;
    let convoy = json!({ "kind": "convoy", "plate": "abc 123", "within": 60 });
    let (status, plan) =
        town.asked(&town.investigator, "/plates/plan", Some(WHY), &json!({ "question": convoy })).await;
    assert_eq!(status, 200, "{plan}");
    assert_eq!(
        (&plan["allowed"], &plan["second_person"], &plan["cameras"]),
        (&json!(false), &json!(true), &json!(2))
    );
    assert_eq!(town.records("approval.ask").await + town.records("access.refused").await, 0);

    let id = town.approved(&convoy).await;
    let listed = town.canvass.get(&town.supervisor, "/plates/approvals?state=approved").await;
    assert_eq!(listed["items"][0]["by_name"], "Ina");
    assert!(!listed.to_string().contains("123"), "a list names no plate");
    let answer = town.run(&id).await;
    let found = &answer["convoy"];
    assert_eq!((answer["kind"].as_str(), found["companions"].as_array().unwrap().len()), (Some("convoy"), 1));
    let one = &found["companions"][0];
    assert_eq!(
        (&one["plate"], &one["cameras"], &one["passes"], &one["apart"]),
        (&json!("BBB222"), &json!(2), &json!(2), &json!(20))
    );
    assert_eq!(one["meetings"][0]["gap"], 20);
    let (status, _) = town
        .canvass
        .call(&town.supervisor, Method::POST, &format!("/plates/approvals/{id}/run"), Some(&json!({})))
        .await;
    assert_eq!(status, 409, "who asked runs it, and nobody else");

    // Kept, read and exported, byte for byte.
    let reads = json!([found["passes"][0]["read"]["id"], one["meetings"][0]["read"]["read"]["id"]]);
    let wish = json!({ "search": found["search"], "reads": reads, "note": "Behind it at both cameras" });
    let kept = town.canvass.post(&town.investigator, &format!("/plates/approvals/{id}/keep"), &wish).await;
    assert_eq!((&kept["reads"], &kept["approval"]), (&json!(2), &json!(id)));
    let path = format!("/kept-reads/{}", kept["id"].as_str().unwrap());
    let url = format!("{}/api/v1{path}/content", town.canvass.desk);
    let why = r#"{"class":"case-work","offence":"none","reason":"compare the reads of the pickup with the clips of Elm Street"}"#;
    let bare = town.canvass.http.get(&url).bearer_auth(&town.investigator).send().await.unwrap();
    assert_eq!(bare.status(), 422);
    let read = town.canvass.http.get(&url).bearer_auth(&town.investigator).header("canvass-purpose", why);
    let bytes = read.send().await.unwrap().bytes().await.unwrap();
    assert_eq!(json!(canvass_types::Digest::of(&bytes)), kept["sha256"]);
    let file: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(
        (&file["reads"][0]["read"]["plate"], &file["note"]),
        (&json!("ABC123"), &json!("Behind it at both cameras"))
    );
    let detail = town.canvass.get(&town.supervisor, &path).await;
    let events: Vec<&str> =
        detail["events"].as_array().unwrap().iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["reads-kept", "read"]);
    let case =
        town.canvass.get(&town.investigator, &format!("/cases/{}", kept["case"].as_str().unwrap())).await;
    assert_eq!(case["reads"][0]["id"], kept["id"]);

    let now = Time::new(town.clock.now());
    let place = |name: &str, camera: &str| json!({ "name": name, "cameras": [camera], "from": now.plus_seconds(-3_600), "until": now });
    let id =
        town.approved(&json!({ "kind": "places", "places": [place("Elm", &elm), place("Oak", &oak)] })).await;
    let found = town.run(&id).await;
    let plates: Vec<&str> = found["places"]["visitors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["plate"].as_str().unwrap())
        .collect();
    assert_eq!(plates, ["ABC123", "BBB222", "CCC333"]);
    let counts = [
        town.records("plate.convoy").await,
        town.records("plate.multiplace").await,
        town.records("plate.keep").await,
        town.records("approval.give").await,
    ];
    assert_eq!(counts, [2, 1, 1, 2], "keeping looks once more");
    town.canvass.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wide_search_says_what_it_takes_and_reads_of_a_plain_one_are_kept() {
    let mut town = Town::new("US-TX").await;
    let (_, token) = town.camera("Elm and Main").await;
    let rows = [town.row("1", "ABC 123", 60), town.row("2", "ZZZ999", 50)];
    town.canvass.post(&token, "/reads", &json!({ "reads": rows })).await;
    let from = Time::new(town.clock.now()).plus_seconds(-40 * 86_400);
    let wide = json!({ "plate": "ABC123", "from": from });
    let (status, refused) = town.asked(&town.investigator, "/plates/search", Some(WHY), &wide).await;
    assert_eq!(status, 403);
    assert!(refused["detail"].as_str().unwrap().contains("30 days"), "{refused}");
    let id = town.approved(&json!({ "kind": "search", "plate": "ABC123", "from": from })).await;
    assert_eq!(town.run(&id).await["reads"]["matches"].as_array().unwrap().len(), 1);
    let reason = json!({ "reason": "Two days around it are enough" });
    let (status, _) = town
        .canvass
        .call(&town.supervisor, Method::POST, &format!("/plates/approvals/{id}/refuse"), Some(&reason))
        .await;
    assert_eq!(status, 409, "it is approved");
    town.canvass.act(&town.investigator, &format!("/plates/approvals/{id}/withdraw")).await;

    let found = town.search(&json!({ "plate": "ABC123" })).await;
    let keep = |read: &Value| {
        json!({
            "search": found["search"], "question": { "kind": "search", "plate": "ABC123" }, "reads": [read],
        })
    };
    let wish = keep(&found["matches"][0]["read"]["id"]);
    let (status, kept) = town.asked(&town.investigator, "/plates/keep", Some(WHY), &wish).await;
    assert_eq!((status.as_u16(), &kept["reads"]), (201, &json!(1)), "{kept}");
    let other = town.search(&json!({ "plate": "ZZZ999" })).await;
    let wish = keep(&other["matches"][0]["read"]["id"]);
    let (status, refused) = town.asked(&town.investigator, "/plates/keep", Some(WHY), &wish).await;
    assert_eq!((status.as_u16(), &refused["problems"][0]["field"]), (422, &json!("reads")), "{refused}");
    town.canvass.stop().await;
}
