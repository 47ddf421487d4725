//! Notices, sent to a real mail server and to a push service that opens and checks what it gets with stock libraries.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "helpers of tests"
)]

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
};

use canvass_notices::{MailConfig, Notices, NoticesConfig, PushConfig};
use canvass_seal::{Recipient, offer::seal_text};
use canvass_testkit::{ManualClock, SeededEntropy};
use canvass_types::Time;
use serde_json::{Value, json};

const REGION: &str = "832a36fffffffff";

/// The mail server and push service.
struct Receivers {
    child: Child,
    lines: BufReader<ChildStdout>,
    at: Value,
}

impl Receivers {
    fn start() -> Option<Self> {
        let python = std::env::var("CANVASS_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/receivers.py");
        let have =
            Command::new(&python).args(["-c", "import aiosmtpd, http_ece, jwt, cryptography"]).output();
        if !have.is_ok_and(|done| done.status.success()) {
            // As everywhere: CI installs them, and a missing one there fails its set-up.
            eprintln!("skipped: no aiosmtpd, http_ece and PyJWT here; run `cargo xtask setup`");
            return None;
        }
        let started = Command::new(&python).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = started.unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let at = read(&mut lines);
        Some(Self { child, lines, at })
    }

    fn next(&mut self) -> Value {
        read(&mut self.lines)
    }

    fn target(&self, path: &str) -> Value {
        let endpoint = format!("http://127.0.0.1:{}/{path}", self.at["push"]);
        json!({ "endpoint": endpoint, "keys": { "p256dh": self.at["p256dh"], "auth": self.at["auth"] } })
    }
}

impl Drop for Receivers {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(lines: &mut BufReader<ChildStdout>) -> Value {
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
}

struct World {
    receivers: Receivers,
    notices: Notices,
    clock: Arc<ManualClock>,
    folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Option<Self> {
        let receivers = Receivers::start()?;
        let folder = tempfile::tempdir().unwrap();
        publish(folder.path(), &["a"]);
        let config = NoticesConfig {
            database: folder.path().join("notices.db"),
            keys: folder.path().join("keys"),
            public: folder.path().join("public"),
            public_url: "https://canvass.example".into(),
            name: "Town".into(),
            push: Some(PushConfig {
                contact: "mailto:ops@canvass.example".into(),
                services: vec![format!("http://127.0.0.1:{}", receivers.at["push"])],
            }),
            mail: Some(MailConfig {
                smtp: format!("smtp://127.0.0.1:{}", receivers.at["smtp"]),
                password: None,
                from: "Town <notices@canvass.example>".into(),
            }),
        };
        let clock = Arc::new(ManualClock::at("2027-01-02T00:00:00Z".parse::<Time>().unwrap()));
        let notices = Notices::open(config, clock.clone(), Arc::new(SeededEntropy::new(1))).await.unwrap();
        Some(Self { receivers, notices, clock, folder })
    }

    async fn wish(&self, mut wish: Value) {
        wish["v"] = json!(1);
        wish["pad"] = json!(" ".repeat(64));
        let recipient: Recipient = self.notices.recipient().parse().unwrap();
        self.notices.take(&seal_text(&wish.to_string(), &recipient).unwrap()).await.unwrap();
    }

    async fn wish_mail(&self, address: &str, language: &str) {
        self.wish(json!({ "act": "mail", "regions": [REGION], "language": language, "address": address }))
            .await;
    }

    async fn active(&self) -> i64 {
        let counts = self.notices.counts().await.unwrap();
        counts.iter().filter(|(_, state, _)| state == "active").map(|(_, _, n)| n).sum()
    }
}

/// Writes the feed with these requests, as the publisher does.
fn publish(folder: &Path, ids: &[&str]) {
    let feed = folder.join("public/feed");
    std::fs::create_dir_all(&feed).unwrap();
    let request = |id: &&str| {
        json!({ "id": id, "state": "published", "closes": "2027-02-01T00:00:00Z", "request": {
            "digest": "0".repeat(64), "key": "k", "signature": base64_of(64),
            "body": {
                "v": 1, "id": "req_aaaaaaaaaaaaaaaaaaaaaaaaaa", "code": format!("26-{id}"), "incident": "theft",
                "agency": { "id": "agy_aaaaaaaaaaaaaaaaaaaaaaaaaa", "name": "Concord Police", "class": "municipal" },
                "details": "A bicycle was taken.", "contact": { "name": "Det. R. Alvarez" },
                "area": { "type": "Polygon", "coordinates": [[[-71.5, 43.2], [-71.49, 43.2], [-71.49, 43.21], [-71.5, 43.21], [-71.5, 43.2]]] },
                "time_frame": { "start": "2027-01-01T00:00:00Z", "end": "2027-01-01T02:00:00Z", "zone": "America/New_York" },
                "recipient": "age1x", "languages": ["en"], "active_days": 14, "created": "2027-01-01T10:00:00Z" } } })
    };
    let requests: Vec<Value> = ids.iter().map(request).collect();
    std::fs::write(
        feed.join(format!("{REGION}.json")),
        json!({ "v": 1, "region": REGION, "requests": requests }).to_string(),
    )
    .unwrap();
    let index = json!({ "v": 1, "resolution": 3, "regions": [{ "region": REGION, "digest": ids.join("-"), "requests": ids.len() }] });
    std::fs::write(feed.join("index.json"), index.to_string()).unwrap();
}

fn base64_of(bytes: usize) -> String {
    base64::Engine::encode(&base64::prelude::BASE64_STANDARD, vec![0_u8; bytes])
}

fn token_of(body: &str, word: &str) -> String {
    let start = body.find(word).unwrap() + word.len();
    body[start..].chars().take_while(char::is_ascii_alphanumeric).collect()
}

#[tokio::test]
async fn push_tells_only_what_is_new_and_only_the_region() {
    let Some(mut world) = World::new().await else { return };
    let subscription = world.receivers.target("one");
    world
        .wish(json!({ "act": "push", "regions": [REGION], "language": "en", "subscription": subscription }))
        .await;
    assert_eq!(world.notices.round().await.unwrap().sent, 0, "what was open before is no news");
    publish(world.folder.path(), &["a", "b", "c"]);
    assert_eq!(world.notices.round().await.unwrap().sent, 1);
    let got = world.receivers.next();
    assert_eq!(got["kind"], "push");
    assert_eq!(got["payload"]["region"], REGION);
    assert_eq!(got["payload"]["title"], "2 new requests near you");
    assert_eq!(got["claims"]["sub"], "mailto:ops@canvass.example");
    assert_eq!(got["key"], Value::String(world.notices.push_key().unwrap()));
    assert_eq!((&got["headers"]["ttl"], &got["headers"]["topic"]), (&json!("86400"), &json!(REGION)));
    let text = got["payload"].to_string();
    assert!(!text.contains("26-b") && !text.contains("req_"), "the payload names no request: {text}");
    assert_eq!(world.notices.round().await.unwrap().sent, 0, "nobody is told twice");
    world.wish(json!({ "act": "stop-push", "endpoint": subscription["endpoint"] })).await;
    publish(world.folder.path(), &["a", "b", "c", "d"]);
    assert_eq!(world.notices.round().await.unwrap().sent, 0, "who stopped is not told");
    assert_eq!(world.active().await, 0);
}

#[tokio::test]
async fn push_addresses_that_are_gone_end_and_busy_ones_wait() {
    let Some(mut world) = World::new().await else { return };
    for path in ["x/gone", "x/busy"] {
        let subscription = world.receivers.target(path);
        world
            .wish(
                json!({ "act": "push", "regions": [REGION], "language": "es", "subscription": subscription }),
            )
            .await;
    }
    let elsewhere =
        json!({ "endpoint": "https://push.evil.example/x", "keys": world.receivers.target("x")["keys"] });
    world
        .wish(json!({ "act": "push", "regions": [REGION], "language": "es", "subscription": elsewhere }))
        .await;
    assert_eq!(world.active().await, 2, "an unknown push service is not taken");
    publish(world.folder.path(), &["a", "b"]);
    let told = world.notices.round().await.unwrap();
    assert_eq!((told.sent, told.ended, told.later), (0, 1, 1));
    let _ = (world.receivers.next(), world.receivers.next());
    assert_eq!(world.notices.round().await.unwrap().later, 0, "not at once again");
    for _ in 0..12 {
        world.clock.advance(7 * 3_600);
        world.notices.round().await.unwrap();
    }
    assert_eq!(world.active().await, 0, "one that never answers ends");
}

#[tokio::test]
async fn mail_is_confirmed_first_and_stops_in_one_step() {
    let Some(mut world) = World::new().await else { return };
    world.wish_mail("rosa@home.example", "es").await;
    let letter = world.receivers.next();
    assert_eq!(letter["to"], json!(["rosa@home.example"]));
    assert!(letter["headers"]["subject"].as_str().unwrap().contains("Confirme"));
    publish(world.folder.path(), &["a", "b"]);
    assert_eq!(world.notices.round().await.unwrap().sent, 0, "an address that is not confirmed gets nothing");
    world.wish_mail("rosa@home.example", "es").await;
    let token = token_of(letter["body"].as_str().unwrap(), "/notify#confirm/");
    world.wish(json!({ "act": "confirm", "token": token })).await;
    let told = world.notices.round().await.unwrap();
    assert_eq!(told.sent, 1, "and what came in between is told");
    let letter = world.receivers.next();
    let (body, headers) = (letter["body"].as_str().unwrap(), &letter["headers"]);
    assert!(
        body.contains("Concord Police, 26-b") && body.contains("https://canvass.example/r/832a36fffffffff"),
        "{body}"
    );
    assert!(!body.contains("26-a"), "only what is new: {body}");
    assert_eq!(headers["list-unsubscribe-post"], "List-Unsubscribe=One-Click");
    assert_eq!(headers["auto-submitted"], "auto-generated");
    let stop = token_of(headers["list-unsubscribe"].as_str().unwrap(), "/notices/stop/");
    world.notices.stop(&stop).await.unwrap();
    assert_eq!(world.active().await, 0);
    for file in std::fs::read_dir(world.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
    {
        let left = std::fs::read(&file).unwrap();
        assert!(
            !left.windows(17).any(|part| part == b"rosa@home.example"),
            "who stops is forgotten: {}",
            file.display()
        );
    }
}

#[tokio::test]
async fn an_address_gets_one_letter_a_day_and_is_forgotten_unless_confirmed() {
    let Some(mut world) = World::new().await else { return };
    for _ in 0..5 {
        world.wish_mail("flood@home.example", "en").await;
    }
    world.wish_mail("last@home.example", "en").await;
    assert_eq!(world.receivers.next()["to"], json!(["flood@home.example"]));
    assert_eq!(world.receivers.next()["to"], json!(["last@home.example"]), "the flood was one letter");
    world.clock.advance(49 * 3_600);
    assert_eq!(world.notices.round().await.unwrap().ended, 2);
    assert!(world.notices.counts().await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_not_sealed_or_no_wish_changes_nothing() {
    let Some(world) = World::new().await else { return };
    for text in ["", "hello", "-----BEGIN AGE ENCRYPTED FILE-----\nAAAA\n-----END AGE ENCRYPTED FILE-----\n"]
    {
        world.notices.take(text).await.unwrap();
    }
    world
        .wish(json!({ "act": "mail", "regions": ["../../x"], "language": "en", "address": "a@b.example" }))
        .await;
    world.wish(json!({ "act": "mail", "regions": [REGION], "language": "en", "address": "a@b.example\r\nBcc: c@d.example" })).await;
    assert!(world.notices.counts().await.unwrap().is_empty());
}
