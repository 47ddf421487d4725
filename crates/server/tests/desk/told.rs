//! Alerts told beyond the desk: to a real HTTP receiver, checked by a stock library, and to a push service that opens what it
//! gets; and the safelist over HTTP.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdout, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use canvass_server::PushConfig;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{hotlists::Town, support::*};

fn python() -> String {
    std::env::var("CANVASS_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

fn has(modules: &str) -> bool {
    let found = Command::new(python()).args(["-c", &format!("import {modules}")]).output();
    let has = found.is_ok_and(|done| done.status.success());
    if !has {
        // As everywhere: CI installs them, and a missing one there fails its set-up.
        println!("not checked: no {modules} here; run `cargo xtask setup`");
    }
    has
}

/// What a receiver got.
#[derive(Clone, Debug)]
struct Got {
    path: String,
    headers: HashMap<String, String>,
    body: String,
}

/// A receiver: what it got, and what it answers next (200 when nothing is said).
#[derive(Clone, Default)]
struct Receiver {
    got: Arc<Mutex<Vec<Got>>>,
    answers: Arc<Mutex<Vec<u16>>>,
}

async fn receive(State(it): State<Receiver>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let headers =
        headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    let body = String::from_utf8(body.to_vec()).unwrap();
    it.got.lock().unwrap().push(Got { path: uri.path().to_owned(), headers, body });
    let status = it.answers.lock().unwrap().pop().unwrap_or(200);
    let status = StatusCode::from_u16(status).unwrap();
    // A body without an end, which nobody may wait for.
    let endless =
        futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 4_096])));
    let body = axum::body::Body::from_stream(endless);
    (status, [("location", "/elsewhere"), ("retry-after", "5")], body).into_response()
}

impl Receiver {
    async fn start(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(receive).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        at
    }

    /// Waits until it got so many; gives them.
    async fn waits_for(&self, many: usize) -> Vec<Got> {
        for _ in 0..600 {
            let got = self.got.lock().unwrap().clone();
            if got.len() >= many {
                return got;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{many} messages did not come: {:?}", self.got.lock().unwrap());
    }
}

/// Checks a message by the library of Standard Webhooks; says whether it could.
fn verified(secret: &str, got: &Got) -> bool {
    if !has("standardwebhooks") {
        return false;
    }
    let script = "import json, sys; from standardwebhooks.webhooks import Webhook; given = json.load(sys.stdin); \
                  Webhook(given['secret']).verify(given['body'], given['headers'])";
    let mut child = Command::new(python()).args(["-c", script]).stdin(Stdio::piped()).spawn().unwrap();
    let given = json!({ "secret": secret, "body": got.body, "headers": got.headers });
    child.stdin.take().unwrap().write_all(given.to_string().as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "the library refuses {got:?}");
    true
}

async fn deliveries(town: &Town, id: &str, fits: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    for _ in 0..600 {
        last = town.canvass.get(&town.supervisor, &format!("/webhooks/{id}/deliveries")).await;
        if fits(&last["items"]) {
            return last["items"].clone();
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_gets_signed_messages_once_it_takes_them_and_no_redirect_is_followed() {
    let receiver = Receiver::default();
    let at = receiver.start().await;
    let inside = at.clone();
    let mut town = Town::new_with(|config| config.webhooks_inside = vec![inside]).await;
    let wish = json!({ "name": "Dispatch", "url": format!("{at}/hooks/secret-path") });
    let made = town.canvass.post(&town.administrator, "/webhooks", &wish).await;
    let (secret, id) = (made["secret"].as_str().unwrap(), made["webhook"]["id"].as_str().unwrap());
    let list = town.list().await;
    town.in_force(&list, "plate\nABC123\n").await;
    *receiver.answers.lock().unwrap() = vec![302];
    town.pass("r1", "ABC123").await;
    let got = receiver.waits_for(2).await;
    let id_of = |got: &Got| got.headers["webhook-id"].clone();
    assert_eq!((id_of(&got[0]), &got[0].body), (id_of(&got[1]), &got[1].body), "the same, tried again");
    assert_ne!(got[0].headers["webhook-timestamp"], got[1].headers["webhook-timestamp"]);
    assert!(got.iter().all(|one| one.path == "/hooks/secret-path"), "{got:?}");
    let body: Value = serde_json::from_str(&got[0].body).unwrap();
    assert_eq!((&body["type"], &body["data"]["state"]), (&json!("alert.raised"), &json!("unconfirmed")));
    assert!(!got[0].body.contains("ABC123"));
    let link = body["data"]["link"].as_str().unwrap();
    assert!(link.starts_with("http://localhost:") && link.contains("/desk/alerts/alr_"), "{link}");
    if verified(secret, &got[0]) {
        verified(secret, &got[1]);
    }
    let items = deliveries(&town, id, |items| items[0]["state"] == "delivered").await;
    assert_eq!((&items[0]["tries"], &items[0]["result"]["status"]), (&json!(2), &json!(200)));

    // After a rotation both secrets verify; a comparison is told as well.
    let rotated = town.canvass.act(&town.administrator, &format!("/webhooks/{id}/rotate")).await;
    let alert = body["data"]["alert"].as_str().unwrap();
    let seen = json!({ "plate": "ABC 123", "listed": true });
    town.canvass.post(&town.investigator, &format!("/alerts/{alert}/confirm"), &seen).await;
    let got = receiver.waits_for(3).await;
    assert!(got[2].body.contains(r#""state":"confirmed""#), "{}", got[2].body);
    if verified(secret, &got[2]) {
        verified(rotated["secret"].as_str().unwrap(), &got[2]);
    }

    // A supervisor sees the host alone; the ledger's record names it; a removed webhook hears nothing.
    let shown = town.canvass.get(&town.supervisor, "/webhooks").await;
    assert_eq!((&shown["items"][0]["host"], &shown["items"][0]["url"]), (&json!("127.0.0.1"), &Value::Null));
    let audit = town.canvass.get(&town.administrator, "/audit?action=webhook.add").await;
    assert!(audit.to_string().contains("127.0.0.1") && !audit.to_string().contains("secret-path"), "{audit}");
    let (status, _) =
        town.canvass.call(&town.administrator, Method::DELETE, &format!("/webhooks/{id}"), None).await;
    assert_eq!(status, 204);
    town.canvass.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_operators_word_no_message_goes_into_a_network() {
    let mut town = Town::new().await;
    for (url, rule) in [
        ("http://127.0.0.1:9000/x", "https"),
        ("https://127.0.0.1:9000/x", "private"),
        ("https://[::1]/x", "private"),
        ("https://169.254.169.254/latest", "private"),
        ("https://localhost/x", "private"),
    ] {
        let wish = json!({ "name": "Dispatch", "url": url });
        let (status, refused) =
            town.canvass.call(&town.administrator, Method::POST, "/webhooks", Some(&wish)).await;
        assert_eq!(
            (status.as_u16(), &refused["problems"][0]["rule"]),
            (422, &json!(rule)),
            "{url}: {refused}"
        );
    }
    let wish = json!({ "name": "Dispatch", "url": "https://dispatch.invalid/x" });
    let made = town.canvass.post(&town.administrator, "/webhooks", &wish).await;
    let id = made["webhook"]["id"].as_str().unwrap();
    town.canvass.act(&town.administrator, &format!("/webhooks/{id}/test")).await;
    let items = deliveries(&town, id, |items| items[0]["tries"] == 1).await;
    assert_eq!((&items[0]["state"], &items[0]["result"]), (&json!("waiting"), &json!("unreachable")));
    town.canvass.stop().await;
}

/// The push service of `crates/notices/tests`, which opens what it gets with stock libraries.
struct PushService {
    child: Child,
    lines: BufReader<ChildStdout>,
    at: Value,
}

impl PushService {
    fn start() -> Option<Self> {
        if !has("aiosmtpd, http_ece, jwt, cryptography") {
            return None;
        }
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../notices/tests/receivers.py");
        let started = Command::new(python()).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = started.unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let at = Self::read(&mut lines);
        Some(Self { child, lines, at })
    }

    fn read(lines: &mut BufReader<ChildStdout>) -> Value {
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.at["push"])
    }

    fn wish(&self, path: &str) -> Value {
        json!({
            "endpoint": format!("{}/{path}", self.origin()),
            "keys": { "p256dh": self.at["p256dh"], "auth": self.at["auth"] },
            "language": "en",
        })
    }
}

impl Drop for PushService {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_members_browser_is_told_that_an_alert_waits_and_nothing_of_it() {
    let Some(mut service) = PushService::start() else { return };
    let origin = service.origin();
    let mut town = Town::new_with(|config| {
        config.push =
            Some(PushConfig { contact: "mailto:ops@canvass.example".into(), services: vec![origin] });
    })
    .await;
    let strange = json!({ "endpoint": "https://evil.example/x", "keys": { "p256dh": "B", "auth": "A" }, "language": "en" });
    let (status, refused) =
        town.canvass.call(&town.investigator, Method::POST, "/me/push", Some(&strange)).await;
    assert_eq!((status.as_u16(), &refused["problems"][0]["rule"]), (422, &json!("service")), "{refused}");
    let (status, _) =
        town.canvass.call(&town.administrator, Method::POST, "/me/push", Some(&service.wish("x"))).await;
    assert_eq!(status, 403);
    let mine = town.canvass.get(&town.investigator, "/me/push").await;
    assert_eq!(mine["key"].as_str().unwrap().len(), 87);
    town.canvass.post(&town.investigator, "/me/push", &service.wish("ines")).await;
    town.canvass.post(&town.supervisor, "/me/push", &service.wish("sue/gone")).await;
    let list = town.list().await;
    town.in_force(&list, "plate\nABC123\n").await;
    town.pass("r1", "ABC123").await;
    let (mut told, mut refused) = (Value::Null, Value::Null);
    for _ in 0..2 {
        let got = PushService::read(&mut service.lines);
        if got["kind"] == "push" { told = got } else { refused = got }
    }
    assert_eq!((&told["path"], &refused["path"]), (&json!("/ines"), &json!("/sue/gone")));
    assert_eq!(told["payload"]["title"], "An alert waits for comparison");
    assert_eq!((&told["payload"]["kind"], &told["headers"]["topic"]), (&json!("alert"), &json!("alerts")));
    assert!(!told["payload"].to_string().contains("ABC123") && !told["payload"].to_string().contains("alr_"));
    // What is gone is forgotten, what is stopped as well.
    for _ in 0..400 {
        let left = town.canvass.get(&town.supervisor, "/me/push").await;
        if left["browsers"] == json!([]) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(town.canvass.get(&town.supervisor, "/me/push").await["browsers"], json!([]));
    let mine = town.canvass.get(&town.investigator, "/me/push").await;
    let id = mine["browsers"][0]["id"].as_str().unwrap();
    let (status, _) =
        town.canvass.call(&town.investigator, Method::DELETE, &format!("/me/push/{id}"), None).await;
    assert_eq!(status, 204);
    town.canvass.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_safe_plate_is_not_stored_and_a_start_without_the_key_is_refused() {
    let mut town = Town::new().await;
    let wish = json!({ "plates": ["SAFE 11"], "registration_seen": true });
    let added = town.canvass.post(&town.custodian, "/safelist/plates", &wish).await;
    assert_eq!(added["added"], 1);
    let set = json!({ "mode": "drop", "reason": "The council asked for it in November" });
    let (status, _) = town.canvass.call(&town.supervisor, Method::PUT, "/safelist", Some(&set)).await;
    assert_eq!(status, 403);
    town.canvass.put(&town.administrator, "/safelist", &set).await;
    let time = canvass_types::Time::new(clock().now());
    let rows = json!({ "reads": [
        { "id": 1, "plate": "SAFE11", "time": time }, { "id": 2, "plate": "OTHER1", "time": time },
    ] });
    let sent = town.canvass.post(&town.machine, "/reads", &rows).await;
    assert_eq!((&sent["stored"], &sent["dropped"], &sent["refused"]), (&json!(1), &json!(1), &json!(0)));
    let summary = town
        .canvass
        .public_file("/transparency.json", |file| {
            file["safelists"][0]["dropped"] == 1 || file["safelists"][0]["plates"] == 1
        })
        .await;
    assert_eq!(summary["safelists"][0]["mode"], "drop");
    assert!(!summary.to_string().contains("SAFE11"));
    let entries = town.canvass.get(&town.supervisor, "/safelist/plates").await;
    assert_eq!(entries["items"].as_array().unwrap().len(), 1);
    town.canvass.stop().await;

    // No file of the server but the key's own holds the plate, or lets it be tried.
    let data = town.canvass.data();
    let records = std::fs::read(data.join("records.sqlite")).unwrap();
    assert!(!records.windows(6).any(|part| part == b"SAFE11"));
    let key = data.join("keys/derive.key");
    std::fs::rename(&key, data.join("elsewhere")).unwrap();
    let refused = canvass_server::serve(config(&data), clock(), entropy(), std::future::pending()).await;
    assert!(refused.is_err_and(|error| error.to_string().contains("derive.key")));
    std::fs::rename(data.join("elsewhere"), &key).unwrap();
    town.canvass.run(config(&data)).await;
    let sent = town
        .canvass
        .post(&town.machine, "/reads", &json!({ "reads": [{ "id": 3, "plate": "SAFE11", "time": time }] }))
        .await;
    assert_eq!((&sent["stored"], &sent["dropped"]), (&json!(0), &json!(1)));
    town.canvass.stop().await;
}
