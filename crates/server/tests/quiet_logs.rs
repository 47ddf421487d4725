//! What a whole Canvass keeps of those who look and give: nothing. And what the desk logs: routes as templates, statuses,
//! times; never an id, a token, an address or a word of a purpose.
//! A process of its own, for it sets the log up.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests and their helpers")]

#[expect(dead_code, reason = "shared with the other tests of the desk")]
#[path = "desk/support.rs"]
mod support;

use std::{
    io::Write,
    path::Path,
    sync::{Mutex, OnceLock},
};

use serde_json::json;
use support::{Agency, Canvass, Resident};

static LOGS: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Sink;

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOGS.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn listen() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        let filter = tracing_subscriber::EnvFilter::new("info,canvass_server=debug");
        tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(|| Sink).init();
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_names_routes_and_nobody() {
    listen();
    let mut canvass = Canvass::start().await;
    let agency = Agency::new(&canvass).await;
    let (request, key) = agency.publish(&canvass, "26-99").await;
    let resident = Resident::new(key.recipient().unwrap().as_str(), &[("a.mp4", b"footage")]);
    let (_, upload) = resident.give(&canvass, &request).await;
    resident.status(&canvass, |status| status["receipt"].is_object()).await;
    resident.tell(&canvass, "withdraw", "").await;
    let inbox = canvass.get(&agency.investigator, "/offers?tag=marked-tag").await;
    assert_eq!(inbox["items"], json!([]));
    let offer =
        canvass.get(&agency.investigator, "/offers").await["items"][0]["id"].as_str().unwrap().to_owned();
    canvass.bytes(&agency.investigator, &format!("/offers/{offer}/envelope"), None).await;
    let marked = canvass.http.get(format!("{}/api/v1/me?who=marked-query", canvass.desk));
    let marked = marked.header("user-agent", "marked-agent").header("x-forwarded-for", "203.0.113.77");
    assert_eq!(marked.bearer_auth(&agency.custodian).send().await.unwrap().status(), 200);
    canvass.stop().await;
    let logs = String::from_utf8(LOGS.lock().unwrap().clone()).unwrap();
    assert!(logs.contains("/api/v1/offers/{offer}/envelope") && logs.contains("\"status\":200"), "{logs}");
    for word in [
        offer.as_str(),
        request.as_str(),
        upload.as_str(),
        resident.lookup.as_str(),
        agency.investigator_id.as_str(),
        agency.investigator.as_str(),
        canvass.operator.as_str(),
        "cvt_",
        "marked-",
        "203.0.113.77",
        "127.0.0.1",
        "Elm Street",
        "Olga",
        "ina@",
    ] {
        assert!(!logs.contains(word), "the log holds {word}");
    }
}

/// What readers and givers carry that must be found nowhere. Addresses are of the ranges for documentation.
const MARKS: [&str; 8] = [
    "198.51.100.",
    "2001:db8:",
    "seen-agent",
    "seen-path",
    "seen-query",
    "seen-cookie",
    "seen-referer",
    "seen-host",
];
const READS: usize = 10_000;
const READERS: usize = 8;

fn marked(request: reqwest::RequestBuilder, n: usize) -> reqwest::RequestBuilder {
    request
        .header("x-forwarded-for", format!("198.51.100.{}, 2001:db8::{n:x}", n % 256))
        .header("x-real-ip", format!("198.51.100.{}", n % 256))
        .header("forwarded", format!("for=\"[2001:db8::{n:x}]\";by=198.51.100.1;host=seen-host"))
        .header("user-agent", format!("seen-agent/{n}"))
        .header("cookie", format!("id=seen-cookie-{n}"))
        .header("referer", format!("http://seen-referer/{n}"))
}

async fn read(canvass: &Canvass, paths: &[String], reader: usize) {
    for n in (reader..READS).step_by(READERS) {
        let path = &paths[n % paths.len()];
        let url = match n % 4 {
            0 => format!("{}{path}?seen-query={n}", canvass.public),
            1 => format!("{}/requests/seen-path-{n}.json", canvass.public),
            2 => format!("{}/offers/seen-path-{n}.json?seen-query", canvass.public),
            _ => format!("{}{path}", canvass.public),
        };
        let answer = marked(canvass.http.get(url), n).send().await.unwrap();
        assert_eq!(answer.status(), if matches!(n % 4, 0 | 3) { 200 } else { 404 }, "{path}");
        assert!(answer.headers().get("set-cookie").is_none());
        answer.bytes().await.unwrap();
    }
}

/// An upload, messages, and uploads and messages that are refused.
async fn give(canvass: &Canvass, request: &str, resident: &Resident) {
    let key = resident.secret.public_key().unwrap().text();
    let base64 = |text: &str| data_encoding::BASE64.encode(text.as_bytes());
    let good = format!("destination {},offer_key {}", base64(request), base64(&key));
    let bad = format!("{good},seen-path {}", base64("seen-query"));
    let url = format!("{}/uploads", canvass.public);
    for (n, (metadata, status)) in [(bad, 400), (good, 201)].into_iter().enumerate() {
        let sent = marked(canvass.http.post(format!("{url}?seen-query")), n)
            .header("tus-resumable", "1.0.0")
            .header("upload-length", resident.envelope.len())
            .header("content-type", "application/offset+octet-stream")
            .header("upload-metadata", metadata)
            .body(resident.envelope.clone());
        assert_eq!(sent.send().await.unwrap().status(), status);
    }
    resident.status(canvass, |status| status["receipt"].is_object()).await;
    let signed = resident.secret.sign_message("withdraw", b"", &support::clock().now().to_string()).unwrap();
    let message = json!({
        "lookup": signed.lookup, "offer_key": signed.offer_key, "kind": "withdraw", "at": signed.at, "body": "",
        "signature": signed.signature,
    });
    for (body, status) in [(json!({ "seen-path": "seen-query" }), 400), (message, 202)] {
        let sent =
            marked(canvass.http.post(format!("{}/messages?seen-query", canvass.public)), 9).json(&body);
        assert_eq!(sent.send().await.unwrap().status(), status);
    }
    resident.status(canvass, |status| status["state"] == "destroyed").await;
}

/// Reads every file; gives how many there are, and their bytes.
fn search(folder: &Path) -> (usize, usize) {
    let mut found = (0, 0);
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        assert!(MARKS.iter().all(|mark| !name.contains(mark)), "{name}");
        let (files, bytes) = if entry.file_type().unwrap().is_dir() {
            search(&entry.path())
        } else {
            // A file that the server took away meanwhile holds nothing.
            let content = std::fs::read(entry.path()).unwrap_or_default();
            for mark in MARKS {
                let stands = content.windows(mark.len()).any(|window| window == mark.as_bytes());
                assert!(!stands, "{mark} stands in {name}");
            }
            (1, content.len())
        };
        found = (found.0 + files, found.1 + bytes);
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_who_looked_and_one_who_gave_left_no_trace_in_the_whole_server() {
    listen();
    let mut canvass = Canvass::start().await;
    let agency = Agency::new(&canvass).await;
    let (request, key) = agency.publish(&canvass, "26-98").await;
    let resident = Resident::new(key.recipient().unwrap().as_str(), &[("a.mp4", b"footage")]);
    let index = canvass.public_file("/feed/index.json", |file| !file["regions"][0].is_null()).await;
    let region = index["regions"][0]["region"].as_str().unwrap();
    let mut paths = vec![format!("/requests/{request}.json"), "/feed/index.json".to_owned()];
    paths.extend(["json", "geojson", "atom"].map(|kind| format!("/feed/{region}.{kind}")));
    paths.extend(["keys.json", "requests/checkpoint"].map(|name| format!("/ledger/{name}")));
    futures_util::future::join(
        futures_util::future::join_all((0..READERS).map(|reader| read(&canvass, &paths, reader))),
        give(&canvass, &request, &resident),
    )
    .await;
    // While it runs, with the database's write-ahead log, and once it has stopped.
    assert!(canvass.data().join("records.sqlite-wal").exists());
    let (files, bytes) = search(&canvass.data());
    assert!(files > 20 && bytes > 100_000, "only {files} files of {bytes} bytes were searched");
    canvass.stop().await;
    search(&canvass.data());
    let logs = String::from_utf8(LOGS.lock().unwrap().clone()).unwrap();
    assert!(logs.contains("listens"), "logs are captured");
    for mark in MARKS.iter().chain(&[resident.lookup.as_str(), "/feed/"]) {
        assert!(!logs.contains(mark), "the log holds {mark}");
    }
}
