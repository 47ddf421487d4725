//! What the desk logs: routes as templates, statuses, times; never an id, a token, an address or a word of a purpose.
//! A process of its own, for it sets the log up.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests and their helpers")]

#[expect(dead_code, reason = "shared with the other tests of the desk")]
#[path = "desk/support.rs"]
mod support;

use std::{
    io::Write,
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
        let filter = tracing_subscriber::EnvFilter::new("canvass_server=debug");
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
