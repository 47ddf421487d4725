//! Plate reads over HTTP to the real executable, killed again and again while cameras send: nothing that it acknowledged is
//! lost, and nothing is there twice, however often it is sent.

use std::{
    collections::BTreeSet,
    process::Command,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};

use crate::town::*;

const ROUNDS: u64 = 4;
const CAMERAS: usize = 3;
const ROWS: u64 = 50;

/// What a camera sends as its number so and so.
fn batch(round: u64, camera: usize, number: u64, at: &str) -> Value {
    let rows: Vec<Value> = (0..ROWS)
        .map(|row| {
            let id = format!("{round}-{camera}-{number}-{row}");
            json!({ "id": id, "time": at, "plate": format!("K{round}{camera}{:05}", number * ROWS + row) })
        })
        .collect();
    json!({ "reads": rows })
}

async fn send(http: &reqwest::Client, desk: u16, token: &str, body: &Value) -> Option<Value> {
    let answer =
        http.post(format!("{}/api/v1/reads", url(desk))).bearer_auth(token).json(body).send().await.ok()?;
    let (status, value) = (answer.status(), answer.json::<Value>().await.ok()?);
    assert_eq!(status, 200, "{value}");
    Some(value)
}

/// Batches by round, camera and number.
type Sent = Arc<Mutex<BTreeSet<(u64, usize, u64)>>>;

/// A Canvass with an agency that no state law binds, and its cameras.
pub struct Street {
    pub folder: tempfile::TempDir,
    pub desk: u16,
    pub public: u16,
    pub operator: Person,
    server: Option<Process>,
    flags: Vec<String>,
    pub agency: String,
    pub ada: Person,
    /// Of each camera's machine.
    pub tokens: Vec<String>,
}

impl Street {
    pub fn new(cameras: usize) -> Self {
        Self::new_with(cameras, &[])
    }

    /// The same with further options of `canvass serve`.
    pub fn new_with(cameras: usize, flags: &[String]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let (desk, public) = (free_port(), free_port());
        let operator = person(root, "operator", &url(desk));
        operator.write("token", operator.ok(&["init", "--data", "data", "--operator", "Olive"]).trim());
        let server = Some(start(&operator, "data", desk, public, flags));
        operator.write("area.geojson", square(-71.70, 43.10, 0.30).to_string());
        let new = [
            "agency",
            "register",
            "--name",
            "Elm Police",
            "--class",
            "municipal",
            "--subdivision",
            "US-TX",
            "--area",
        ];
        let agency = text(&operator.json(&[&new[..], &["area.geojson"]].concat()), "/id");
        let ada = member(root, &operator, "Ada", &["administrator"], Some(&agency));
        let key = ada.json(&["agency", "key", "new"]);
        operator.ok(&["agency", "verify", &agency, "--public", &text(&key, "/public")]);
        let mut tokens = Vec::new();
        for number in 0..cameras {
            let name = format!("Camera {number}");
            let camera = ada.json(&["camera", "add", &name, "--use", "plates", "--at", "-71.5,43.2"]);
            let camera = text(&camera, "/id");
            tokens.push(text(&ada.json(&["camera", "token", &camera, "--member", &ada.id]), "/token"));
        }
        let flags = flags.to_vec();
        Self { folder, desk, public, operator, server, flags, agency, ada, tokens }
    }

    /// Asks the server to stop, and waits.
    pub fn stop(&mut self) {
        self.server.take().unwrap().stop();
    }

    /// SIGKILL: no destructor runs in there.
    pub fn kill(&mut self) {
        let server = self.server.take().unwrap();
        let killed = Command::new("kill").args(["-KILL", &server.id().to_string()]).status().unwrap();
        assert!(killed.success());
    }

    /// Starts the server again.
    pub fn start(&mut self) {
        self.server = Some(start(&self.operator, "data", self.desk, self.public, &self.flags));
    }
}

pub fn now() -> String {
    #[expect(clippy::disallowed_methods, reason = "the executable under test runs in real time")]
    let now = jiff::Timestamp::now();
    canvass_types::Time::new(now).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_and_nothing_is_doubled() {
    let Street { folder: _folder, desk, public, operator, server, tokens, .. } = Street::new(CAMERAS);
    let mut server = server.unwrap();
    let at = now();
    let (sent, acknowledged): (Sent, Sent) = (Sent::default(), Sent::default());
    for round in 0..ROUNDS {
        let http = reqwest::Client::new();
        let mut senders = tokio::task::JoinSet::new();
        for (camera, token) in tokens.iter().cloned().enumerate() {
            let (http, at, sent, acknowledged) =
                (http.clone(), at.clone(), sent.clone(), acknowledged.clone());
            senders.spawn(async move {
                for number in 0.. {
                    sent.lock().unwrap().insert((round, camera, number));
                    let Some(added) = send(&http, desk, &token, &batch(round, camera, number, &at)).await
                    else {
                        break;
                    };
                    assert_eq!(added["stored"], ROWS, "{added}");
                    acknowledged.lock().unwrap().insert((round, camera, number));
                    // Below what a camera may send, so that none is told to wait.
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            });
        }
        tokio::time::sleep(Duration::from_millis(400 + 150 * round)).await;
        // SIGKILL: no destructor runs in there.
        let killed = Command::new("kill").args(["-KILL", &server.id().to_string()]).status().unwrap();
        assert!(killed.success());
        while let Some(done) = senders.join_next().await {
            done.unwrap();
        }
        drop(server);
        server = start(&operator, "data", desk, public, &[]);
    }
    let acknowledged = acknowledged.lock().unwrap().clone();
    let sent = sent.lock().unwrap().clone();
    assert!(acknowledged.len() > 20, "{} batches were acknowledged", acknowledged.len());
    let http = reqwest::Client::new();
    for (round, camera, number) in &sent {
        let again = send(&http, desk, &tokens[*camera], &batch(*round, *camera, *number, &at)).await.unwrap();
        if acknowledged.contains(&(*round, *camera, *number)) {
            assert_eq!(
                (&again["stored"], &again["duplicates"]),
                (&json!(0), &json!(ROWS)),
                "what was acknowledged is there"
            );
        } else {
            // Whole or not at all.
            assert!(again["stored"] == ROWS || again["duplicates"] == ROWS, "{again}");
        }
    }
    let report = operator.json(&["check", "--data", "data"]);
    assert_eq!(report["findings"], json!([]), "{report}");
    assert_eq!(report["reads"], json!(sent.len() as u64 * ROWS), "each read once");
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_investigator_searches_on_the_command_line() {
    let mut street = Street::new(1);
    let ines = member(street.folder.path(), &street.ada, "Ines", &["investigator"], Some(&street.agency));
    ines.ok(&["case", "create", "--title", "26-77"]);
    let rows = json!({ "reads": [
        { "id": 1, "time": now(), "plate": "ABC 1234", "confidence": 91 },
        { "id": 2, "time": now(), "plate": "A8C1234", "vehicle": "Truck" },
    ] });
    send(&reqwest::Client::new(), street.desk, &street.tokens[0], &rows).await.unwrap();
    let why =
        ["--for", "crime", "--offence", "felony", "--purpose", "Grey pickup at the pharmacy on Elm Street"];
    let search = |plate: &str, more: &[&str]| {
        let args = [&["plate", "search", plate][..], &why, more].concat();
        args.into_iter().map(str::to_owned).collect::<Vec<String>>()
    };
    let said = |args: &[String]| ines.ok(&args.iter().map(String::as_str).collect::<Vec<_>>());
    let found = said(&search("abc-1234", &["--tolerant", "--case-number", "26-77"]));
    for words in
        ["ABC1234", "exact", "91 %", "A8C1234", "misread?", "Truck", "Camera 0", "1 camera of Elm Police"]
    {
        assert!(found.contains(words), "{words:?} is not in:\n{found}");
    }
    assert!(!found.contains("--after"));
    let first = said(&search("A*1234", &["--limit", "1", "--case-number", "26-77"]));
    let after = first.lines().find_map(|line| line.strip_prefix("more: --after ")).unwrap();
    let second = said(&search("A*1234", &["--limit", "1", "--case-number", "26-77", "--after", after]));
    assert_ne!(first.lines().next(), second.lines().next());
    let history = [&["plate", "history", "ABC1234", "--case-number", "26-77"][..], &why].concat();
    assert!(ines.ok(&history).contains("ABC1234"));
    let without = search("ABC1234", &[]);
    ines.refused(&without.iter().map(String::as_str).collect::<Vec<_>>(), 1, &["open-case"]);
    street.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn company_is_asked_for_approved_run_and_kept_on_the_command_line() {
    let mut street = Street::new(2);
    let root = street.folder.path();
    let ines = member(root, &street.ada, "Ines", &["investigator"], Some(&street.agency));
    let sam = member(root, &street.ada, "Sam", &["supervisor"], Some(&street.agency));
    ines.ok(&["case", "create", "--title", "26-77"]);
    let rows = json!({ "reads": [
        { "id": 1, "time": now(), "plate": "ABC 1234" }, { "id": 2, "time": now(), "plate": "BBB 222" },
    ] });
    for token in &street.tokens {
        send(&reqwest::Client::new(), street.desk, token, &rows).await.unwrap();
    }
    let why = ["--case-number", "26-77", "--for", "crime", "--offence", "felony", "--purpose"];
    let why = [&why[..], &["Two cars left the pharmacy on Elm Street together"]].concat();
    let with = |args: &[&str]| ines.ok(&[args, &why].concat());
    let plan = with(&["plate", "convoy", "ABC1234", "--days", "2", "--plan"]);
    assert!(plan.contains("touches 2 cameras of 1 owner, 3 days back"), "{plan}");
    assert!(plan.contains("this needs a second person"), "{plan}");
    let asked = ines.json(&[&["plate", "convoy", "ABC1234", "--days", "2"][..], &why].concat());
    let id = text(&asked, "/approval/id");
    ines.refused(&["plate", "run", &id], 1, &["nobody approved this yet"]);
    ines.refused(&["plate", "approve", &id], 1, &["roles"]);
    assert!(sam.ok(&["plate", "approvals", "--state", "open"]).contains(&id));
    let shown = sam.ok(&["plate", "approval", &id]);
    for words in ["ABC1234", "2 cameras of 1 owner", "Two cars left", "canvass plate approve"] {
        assert!(shown.contains(words), "{words:?} is not in:\n{shown}");
    }
    assert!(sam.ok(&["plate", "approve", &id]).contains("can be run until"));
    let ran = ines.ok(&["plate", "run", &id, "--keep", "all", "--note", "Side by side"]);
    for words in ["BBB222", "2 cameras, 2 passes", "kept: krd_", "4 reads in cas_"] {
        assert!(ran.contains(words), "{words:?} is not in:\n{ran}");
    }
    let kept = ran.lines().find_map(|line| line.strip_prefix("kept: ")).unwrap();
    let kept = kept.split_whitespace().next().unwrap();
    assert!(ines.ok(&["plate", "kept", kept]).contains("reads-kept"));
    let read = [
        "plate",
        "kept",
        kept,
        "--out",
        "reads.json",
        "--purpose",
        "Comparing the reads with the clips of Elm Street",
    ];
    assert!(ines.ok(&read).contains("written: reads.json"));
    let wide = [&["plate", "search", "ABC1234", "--days", "45"][..], &why].concat();
    ines.refused(&wide, 1, &["second-person"]);
    let asked = ines.json(&[&wide[..], &["--ask"]].concat());
    let id = text(&asked, "/approval/id");
    let refused = sam.ok(&["plate", "refuse", &id, "--reason", "Two days around it are enough"]);
    assert!(refused.contains("Two days around it"), "{refused}");
    let kept = with(&["plate", "search", "ABC1234", "--keep", "all"]);
    assert!(kept.contains("2 reads in cas_"), "{kept}");
    street.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn cameras_are_kept_on_the_command_line() {
    let mut street = Street::new(1);
    let elm = text(&street.ada.json(&["camera", "list"]), "/0/id");
    let taken = ["camera", "add", "Camera 0", "--use", "footage", "--at", "-71.5,43.2"];
    street.ada.refused(&taken, 1, &["name", "another camera"]);
    street.ada.refused(
        &["camera", "add", "Oak", "--use", "plates", "--at", "43.2"],
        2,
        &["longitude and latitude"],
    );
    street.ada.refused(
        &["camera", "add", "Oak", "--use", "plates", "--at", "-71.5,91"],
        1,
        &["position", "degrees"],
    );
    let changed = street.ada.ok(&["camera", "change", &elm, "--name", "Elm Street", "--direction", "east"]);
    assert!(changed.contains("Elm Street, east  (-71.50000, 43.20000)"), "{changed}");
    let row = json!({ "reads": [{ "id": 1, "time": now(), "plate": "ABC1234" }] });
    send(&reqwest::Client::new(), street.desk, &street.tokens[0], &row).await.unwrap();
    assert!(street.ada.ok(&["camera", "retire", &elm]).contains("retired 20"));
    street.ada.refused(&["camera", "retire", &elm], 1, &["retired already"]);
    // Nothing is taken from it any more.
    let late = reqwest::Client::new()
        .post(format!("{}/api/v1/reads", url(street.desk)))
        .bearer_auth(&street.tokens[0])
        .json(&row)
        .send()
        .await
        .unwrap();
    assert!(late.status().is_client_error(), "{}", late.status());
    street.stop();
}
