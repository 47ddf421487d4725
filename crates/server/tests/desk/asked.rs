//! The private check for a plate's owner, end to end: a search by core's own function in the data folder of a real server,
//! its mark in the public files after the delay, and a client that finds it without showing the plate.

use std::{os::unix::fs::PermissionsExt as _, path::Path, sync::Arc, time::Duration};

use canvass_blind::{Blinded, DayFile, DaysFile, Epoch, Evaluated, KeyFile, Plate, find};
use canvass_core::{
    App,
    access::{Actor, By, Gate, ItemRead, Party, Target},
    asked::Named,
};
use canvass_server::{Running, asked, operator, serve};
use canvass_store_sqlite::{Options, SqliteRecords};
use canvass_testkit::ManualClock;
use canvass_types::{AgencyClass, Clock, Policy, Purpose, Role, Time};
use http_body_util::BodyExt as _;
use hyper_util::rt::TokioIo;
use reqwest::{Client, Response};
use serde_json::{Value, json};

use crate::support::{config, entropy};

const OURS: &str = "agy_aaaaaaaaaaaaaaaaaaaaaaaaaa";

async fn start(data: &Path, clock: &Arc<ManualClock>) -> (Running, String) {
    let clock: Arc<dyn Clock> = clock.clone();
    let running = Box::pin(serve(config(data), clock, entropy(), std::future::pending())).await.unwrap();
    let public = format!("http://{}", running.public_addr.unwrap());
    (running, public)
}

/// What the search of plates will do.
async fn search(data: &Path, clock: &Arc<ManualClock>, plate: &str) {
    let records = SqliteRecords::open(data.join("records.sqlite"), Options::default()).await.unwrap();
    let gate = Gate::shipped().unwrap();
    let app = App::new(records, gate, Policy::default(), clock.clone(), entropy());
    asked::keep(&app, &data.join("asked"), entropy().as_ref()).await.unwrap();
    let actor = Actor {
        member: "mbr_aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap(),
        agency: Some(OURS.parse().unwrap()),
        party: Some(Party::new(OURS, AgencyClass::Municipal, "US-NH", "")),
        roles: vec![Role::Investigator],
        by: By::Token { id: "tok_aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap(), scope: None },
    };
    let purpose = Purpose {
        case: Some("26-cr-77".into()),
        ..Purpose::new("case-work", "compare the grey car of Elm Street with the report")
    };
    let target = Target::of(&OURS.parse().unwrap(), "reads");
    let now = Time::new(clock.now());
    let intent =
        app.gate().allow::<ItemRead>(&actor, target, Some(&purpose), now, entropy().as_ref()).unwrap();
    let plates = [Plate::read(plate).unwrap()];
    let intent = app.mark_asked(intent, &Named { plates: &plates, cameras: 3 }).await.unwrap();
    intent.commit(app.records()).await.unwrap();
    app.records().close().await;
}

async fn file<T: serde::de::DeserializeOwned>(
    http: &Client,
    public: &str,
    path: &str,
    fits: impl Fn(&T) -> bool,
) -> T {
    for _ in 0..400 {
        let answer = http.get(format!("{public}{path}")).send().await.unwrap();
        if answer.status().is_success()
            && let Ok(found) = answer.json().await
            && fits(&found)
        {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{path} did not come");
}

/// Until the first public day is on disk: an answer from before it would be given from memory for a while.
async fn published(data: &Path) {
    for _ in 0..1_200 {
        let index = std::fs::read(data.join("public/asked/index.json")).unwrap_or_default();
        if serde_json::from_slice::<DaysFile>(&index).is_ok_and(|it| it.last.is_some()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("no day was published");
}

async fn evaluate(http: &Client, public: &str, body: &Value) -> Response {
    http.post(format!("{public}/asked/evaluate")).json(body).send().await.unwrap()
}

/// Everything that a server wrote.
fn holds(folder: &Path, what: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, what);
        }
        std::fs::read(&path).unwrap_or_default().windows(what.len()).any(|part| part == what)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_finds_the_search_and_the_server_keeps_nothing_of_the_plate() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let clock = Arc::new(ManualClock::default());
    operator::init(&data, "Olga Operator", clock.clone(), entropy()).await.unwrap();
    let (running, _) = start(&data, &clock).await;
    running.stop().await;
    search(&data, &clock, "ZQX 7719").await;
    for entry in std::fs::read_dir(data.join("asked")).unwrap() {
        assert_eq!(entry.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    clock.advance_days(31);
    let (running, public) = start(&data, &clock).await;
    let http = Client::new();
    published(&data).await;
    let index: DaysFile = file(&http, &public, "/asked/index.json", |it: &DaysFile| it.last.is_some()).await;
    let keys: KeyFile = file(&http, &public, "/asked/keys.json", |_| true).await;
    let day = index.days().unwrap()[0];
    let epoch = Epoch::of(day);
    let marks: DayFile = file(&http, &public, &format!("/asked/{day}.json"), |_| true).await;
    let marks = marks.read(day).unwrap();
    assert_eq!(marks.len(), DayFile::STEP);
    let (noted, key) = keys.of(epoch).unwrap();
    assert!(noted.proof.leaf.contains(&noted.public) && noted.proof.proof.contains("tlog-proof"));
    let mut sizes = Vec::new();
    for (plate, searches) in [("zqx-7719", 1), ("ZQX7718", 0)] {
        let blinded = Blinded::new(epoch, &Plate::read(plate).unwrap(), entropy().as_ref()).unwrap();
        let answer = evaluate(&http, &public, &serde_json::to_value(blinded.asks()).unwrap()).await;
        assert_eq!(answer.headers()["cache-control"], "no-store");
        let bytes = answer.bytes().await.unwrap();
        sizes.push(bytes.len());
        let answer: Evaluated = serde_json::from_slice(&bytes).unwrap();
        let output = blinded.finish(&answer, &key).unwrap();
        let found = find(&output, day, &marks);
        assert_eq!(found.len(), searches, "{plate}");
        assert!(found.iter().all(|it| it.agency.as_str() == OURS && it.cameras.as_str() == "2-10"));
    }
    assert_eq!(sizes[0], sizes[1], "answers have one size");
    refusals(&http, &public, epoch).await;
    running.stop().await;
    for what in ["ZQX7719", "zqx-7719", "ZQX 7719"] {
        assert!(!holds(folder.path(), what.as_bytes()), "{what} was written");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_key_does_not_keep_the_days_of_the_next_quarter_from_being_public() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let clock = Arc::new(ManualClock::at("2027-01-02T06:30:00Z".parse().unwrap()));
    operator::init(&data, "Olga Operator", clock.clone(), entropy()).await.unwrap();
    start(&data, &clock).await.0.stop().await;
    // In the last days of March the next quarter's key is made.
    clock.advance_days(85);
    start(&data, &clock).await.0.stop().await;
    std::fs::remove_file(data.join("asked/2027-Q1.key")).unwrap();
    clock.advance_days(80);
    let (running, _) = start(&data, &clock).await;
    published(&data).await;
    let there = |day: &str| data.join(format!("public/asked/{day}.json")).exists();
    for _ in 0..1_200 {
        if there("2027-05-10") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert!(there("2027-05-10") && !there("2027-03-20"));
    running.stop().await;
}

async fn refusals(http: &Client, public: &str, epoch: Epoch) {
    let b64 = |bytes: &[u8]| data_encoding::BASE64URL_NOPAD.encode(bytes);
    let (identity, broken, short) = (b64(&[0; 32]), b64(&[0xff; 32]), b64(&[1; 31]));
    let plate = Plate::read("A1").unwrap();
    let good = Blinded::new(epoch, &plate, entropy().as_ref()).unwrap().asks().elements.remove(0);
    for (body, status) in [
        (json!({ "epoch": epoch, "elements": [identity] }), 400),
        (json!({ "epoch": epoch, "elements": [broken] }), 400),
        (json!({ "epoch": epoch, "elements": [good.clone(), short] }), 400),
        (json!({ "epoch": epoch, "elements": [] }), 400),
        (json!({ "epoch": epoch, "elements": vec![good.clone(); 5] }), 400),
        (json!({ "epoch": "1999-Q1", "elements": [good.clone()] }), 404),
        (json!({ "epoch": "../keys", "elements": [good.clone()] }), 400),
        (json!({ "epoch": epoch, "elements": ["A".repeat(2_000)] }), 400),
        (json!({ "epoch": epoch, "elements": [good.clone()], "more": 1 }), 400),
    ] {
        let answer = evaluate(http, public, &body).await;
        assert_eq!(answer.status(), status, "{body}");
        let text = answer.text().await.unwrap();
        assert!(text.contains("remedy") && !text.contains(&good), "{text}");
    }
    let plain = http.post(format!("{public}/asked/evaluate")).body("{}").send().await.unwrap();
    assert_eq!(plain.status(), 415);
    let got = http.get(format!("{public}/asked/evaluate")).send().await.unwrap();
    assert_eq!((got.status().as_u16(), got.headers()["allow"].to_str().unwrap()), (405, "POST"));
    assert_eq!(http.get(format!("{public}/asked/{epoch}.key")).send().await.unwrap().status(), 404);
    // One connection has its pace; the clock of this server stands still, so nothing comes back. The client is one that
    // cannot open a second connection.
    let address = public.strip_prefix("http://").unwrap();
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (mut alone, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let body = json!({ "epoch": epoch, "elements": vec![good.clone(); 4] }).to_string();
    let mut answers = Vec::new();
    for _ in 0..6 {
        let asked = hyper::Request::post("/asked/evaluate")
            .header("host", address)
            .header("content-type", "application/json")
            .body(body.clone())
            .unwrap();
        alone.ready().await.unwrap();
        let answer = alone.send_request(asked).await.unwrap();
        let (head, body) = answer.into_parts();
        body.collect().await.unwrap();
        answers.push((head.status.as_u16(), head.headers.get("retry-after").cloned()));
    }
    let refused = (429, Some("4".parse().unwrap()));
    assert_eq!(answers, [vec![(200, None); 5], vec![refused]].concat());
}
