//! A running Canvass in a temporary folder, and people who use it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use canvass_seal::{
    crypt::Identity,
    envelope::{ClipSource, MetaFiles, SealPlan, seal},
    group,
    offer::OfferSecret,
};
use canvass_server::{Running, ServeConfig, operator, serve};
use canvass_types::{Clock, Digest, Entropy, PublicKey, RequestBody, sign};
use ed25519_dalek::SigningKey;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use zeroize::Zeroizing;

/// A purpose as the header carries it.
pub const PURPOSE: &str =
    r#"{"class":"triage","offence":"none","reason":"Porch clips for the burglary on Elm Street"}"#;

pub struct Machine;

impl Clock for Machine {
    #[expect(clippy::disallowed_methods, reason = "these tests run against real time")]
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
}

pub struct System;

impl Entropy for System {
    #[expect(clippy::disallowed_methods, reason = "the ids of tests that run side by side must differ")]
    fn fill(&self, buffer: &mut [u8]) {
        getrandom::fill(buffer).unwrap();
    }
}

pub fn clock() -> Arc<dyn Clock> {
    Arc::new(Machine)
}

pub fn entropy() -> Arc<dyn Entropy> {
    Arc::new(System)
}

pub struct Canvass {
    pub folder: tempfile::TempDir,
    pub running: Option<Running>,
    pub desk: String,
    pub public: String,
    pub operator: String,
    pub http: reqwest::Client,
}

pub fn config(data: &Path) -> ServeConfig {
    let mut config = ServeConfig::new(data);
    config.listen = "127.0.0.1:0".parse().unwrap();
    config.public_listen = config.listen;
    config.pace = Duration::from_millis(50);
    config
}

impl Canvass {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub async fn start_with(change: impl FnOnce(&mut ServeConfig)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let operator = operator::init(&data, "Olga Operator", clock(), entropy()).await.unwrap();
        let mut canvass = Self {
            folder,
            running: None,
            desk: String::new(),
            public: String::new(),
            operator,
            http: reqwest::Client::new(),
        };
        let mut config = config(&data);
        change(&mut config);
        canvass.run(config).await;
        canvass
    }

    pub async fn run(&mut self, config: ServeConfig) {
        self.run_by(config, clock()).await;
    }

    /// The same under a clock that the test moves.
    pub async fn run_by(&mut self, config: ServeConfig, clock: Arc<dyn Clock>) {
        let running = Box::pin(serve(config, clock, entropy(), std::future::pending())).await.unwrap();
        self.desk = running.private_addr.map(|at| format!("http://{at}")).unwrap_or_default();
        self.public = running.public_addr.map(|at| format!("http://{at}")).unwrap_or_default();
        self.running = Some(running);
    }

    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub async fn call(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> (StatusCode, Value) {
        let mut request = self.http.request(method, format!("{}/api/v1{path}", self.desk));
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        request = request.header("canvass-purpose", PURPOSE);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let bytes = answer.bytes().await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    /// The same with a body of another kind than JSON, and the answer's header `Retry-After`.
    pub async fn send(
        &self,
        token: &str,
        path: &str,
        kind: &str,
        body: Vec<u8>,
    ) -> (StatusCode, Value, Option<u64>) {
        let request = self.http.post(format!("{}/api/v1{path}", self.desk)).bearer_auth(token);
        let answer = request.header("content-type", kind).body(body).send().await.unwrap();
        let wait = answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        let status = answer.status();
        (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or(Value::Null), wait)
    }

    async fn fine(&self, token: &str, method: Method, path: &str, body: Option<&Value>) -> Value {
        let shown = format!("{method} {path}");
        let (status, value) = self.call(token, method, path, body).await;
        assert!(status.is_success(), "{shown}: {status} {value}");
        value
    }

    /// Adds a member with one role; gives their token.
    pub async fn member(&self, agency: Option<&str>, name: &str, role: &str) -> String {
        let new = json!({ "agency": agency, "name": name, "roles": [role] });
        let member = self.post(&self.operator, "/members", &new).await;
        let path = format!("/members/{}/tokens", member["id"].as_str().unwrap());
        let token = self.post(&self.operator, &path, &json!({ "label": "test", "days": 1 })).await;
        token["token"].as_str().unwrap().to_owned()
    }

    pub async fn get(&self, token: &str, path: &str) -> Value {
        self.fine(token, Method::GET, path, None).await
    }

    pub async fn post(&self, token: &str, path: &str, body: &Value) -> Value {
        self.fine(token, Method::POST, path, Some(body)).await
    }

    pub async fn act(&self, token: &str, path: &str) -> Value {
        self.fine(token, Method::POST, path, None).await
    }

    pub async fn put(&self, token: &str, path: &str, body: &Value) -> Value {
        self.fine(token, Method::PUT, path, Some(body)).await
    }

    pub async fn bytes(&self, token: &str, path: &str, range: Option<&str>) -> (StatusCode, Vec<u8>) {
        let mut request = self.http.get(format!("{}/api/v1{path}", self.desk)).bearer_auth(token);
        request = request.header("canvass-purpose", PURPOSE);
        if let Some(range) = range {
            request = request.header("range", range);
        }
        let answer = request.send().await.unwrap();
        (answer.status(), answer.bytes().await.unwrap().to_vec())
    }

    /// Waits until a public file fits.
    pub async fn public_file(&self, path: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        for _ in 0..400 {
            let answer = self.http.get(format!("{}{path}", self.public)).send().await.unwrap();
            if answer.status().is_success() {
                last = answer.json().await.unwrap();
                if fits(&last) {
                    return last;
                }
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{path} did not come: {last}");
    }

    /// Uploads in one piece (tus creation-with-upload); gives the upload's id.
    pub async fn upload(
        &self,
        url: &str,
        token: &str,
        metadata: &[(&str, &str)],
        bytes: Vec<u8>,
    ) -> (StatusCode, String) {
        let pairs: Vec<String> =
            metadata.iter().map(|(key, value)| format!("{key} {}", BASE64_STANDARD.encode(value))).collect();
        let mut request = self
            .http
            .post(url)
            .header("tus-resumable", "1.0.0")
            .header("upload-length", bytes.len())
            .header("content-type", "application/offset+octet-stream");
        if !pairs.is_empty() {
            request = request.header("upload-metadata", pairs.join(","));
        }
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        let answer = request.body(bytes).send().await.unwrap();
        let location = answer.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
        (answer.status(), location.unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned())
    }
}

/// An agency with its people and keys.
pub struct Agency {
    pub id: String,
    pub signing: SigningKey,
    pub identity: Identity,
    pub recovery: Identity,
    pub investigator: String,
    pub investigator_id: String,
    pub supervisor: String,
    pub custodian: String,
    pub administrator: String,
    pub moderator: String,
    pub overseer: String,
}

fn identity(seed: u8) -> Identity {
    Identity::from_secret_bytes(&[seed; 32]).unwrap()
}

pub fn around(longitude: f64, latitude: f64, half: f64) -> Value {
    let (w, e, s, n) = (longitude - half, longitude + half, latitude - half, latitude + half);
    json!({ "type": "Polygon", "coordinates": [[[w, s], [e, s], [e, n], [w, n], [w, s]]] })
}

impl Agency {
    pub async fn new(canvass: &Canvass) -> Self {
        let operator = &canvass.operator;
        let agency = canvass
            .post(
                operator,
                "/agencies",
                &json!({
                    "name": "Concord Police", "class": "municipal", "subdivision": "US-NH",
                    "jurisdiction": around(-71.54, 43.2, 0.2),
                }),
            )
            .await;
        let id = agency["id"].as_str().unwrap().to_owned();
        let signing = SigningKey::from_bytes(&[7; 32]);
        let public = String::from(PublicKey::of(&signing));
        canvass.post(operator, &format!("/agencies/{id}/verify"), &json!({ "public": public })).await;
        let mut tokens = Vec::new();
        for (name, agency, role) in [
            ("Ina", true, "investigator"),
            ("Sue", true, "supervisor"),
            ("Cora", true, "custodian"),
            ("Ada", true, "administrator"),
            ("Mo", false, "moderator"),
            ("Ovid", false, "overseer"),
        ] {
            let of = agency.then_some(&id);
            let member = canvass
                .post(operator, "/members", &json!({ "agency": of, "name": name, "roles": [role] }))
                .await;
            let member = member["id"].as_str().unwrap().to_owned();
            let token = canvass
                .post(operator, &format!("/members/{member}/tokens"), &json!({ "label": "test", "days": 1 }))
                .await;
            tokens.push((token["token"].as_str().unwrap().to_owned(), member));
        }
        let token = |at: usize| tokens[at].0.clone();
        let agency = Self {
            id,
            signing,
            identity: identity(11),
            recovery: identity(12),
            investigator: token(0),
            investigator_id: tokens[0].1.clone(),
            supervisor: token(1),
            custodian: token(2),
            administrator: token(3),
            moderator: token(4),
            overseer: token(5),
        };
        let recipient = |identity: &Identity| json!({ "recipient": identity.recipient().unwrap().as_str() });
        canvass.put(&agency.investigator, "/me/recipient", &recipient(&agency.identity)).await;
        let recovery = format!("/agencies/{}/recovery", agency.id);
        canvass.put(&agency.administrator, &recovery, &recipient(&agency.recovery)).await;
        agency
    }

    pub fn draft(code: &str) -> Value {
        let day = Machine.now().checked_sub(jiff::SignedDuration::from_hours(30)).unwrap();
        let at = |hours: i64| canvass_types::Time::new(day).plus_seconds(hours * 3_600).to_string();
        json!({
            "code": code,
            "incident": "burglary",
            "details": "A garage was broken into. We look for footage of a white van with a ladder on its roof.",
            "contact": { "name": "Det. Ina", "email": "ina@police.example" },
            "area": around(-71.5376, 43.2081, 0.003),
            "start": at(0), "end": at(2), "zone": "America/New_York",
            "own_case": true,
        })
    }

    /// From a draft to the wrapped key and signature; gives the id and the key's identity.
    pub async fn submit(&self, canvass: &Canvass, code: &str) -> (String, Identity) {
        let made = canvass.post(&self.investigator, "/requests", &Self::draft(code)).await;
        assert_eq!(made["check"]["problems"], json!([]), "{made}");
        let id = made["id"].as_str().unwrap().to_owned();
        let key = group::new_request_key(&Zeroizing::new(canvass_types::env::random(&System))).unwrap();
        let members = [self.identity.recipient().unwrap()];
        let wrapped = group::wrap(&key.identity, &members, &self.recovery.recipient().unwrap()).unwrap();
        let body = json!({
            "recipient": key.recipient.as_str(), "wrapped": wrapped, "group": [self.investigator_id], "recovery": true,
        });
        canvass.put(&self.investigator, &format!("/keys/{id}"), &body).await;
        let body = canvass.get(&self.investigator, &format!("/requests/{id}/body")).await;
        let body: RequestBody = serde_json::from_value(body).unwrap();
        let submission = json!({
            "digest": Digest::of(&canvass_types::canonical(&body).unwrap()),
            "key": PublicKey::of(&self.signing).id(),
            "signature": sign(&self.signing, RequestBody::CONTEXT, &body).unwrap(),
        });
        let request = canvass.post(&self.investigator, &format!("/requests/{id}/submit"), &submission).await;
        assert_eq!(request["state"], "in-moderation");
        (id, key.identity)
    }

    pub async fn publish(&self, canvass: &Canvass, code: &str) -> (String, Identity) {
        let (id, key) = self.submit(canvass, code).await;
        let verdict = json!({ "approved": true, "reason": "area and time fit the matter" });
        canvass.post(&self.moderator, &format!("/requests/{id}/decision"), &verdict).await;
        canvass.public_file(&format!("/requests/{id}.json"), |file| file["state"] == "published").await;
        (id, key)
    }
}

/// A resident with one sealed envelope.
pub struct Resident {
    pub secret: OfferSecret,
    pub lookup: String,
    pub envelope: Vec<u8>,
}

pub fn sealed(recipient: &str, clips: &[(&str, &[u8])], mailbox: Option<&OfferSecret>) -> Vec<u8> {
    let mut out = Vec::new();
    let plan = SealPlan {
        recipients: vec![recipient.to_owned()],
        meta: MetaFiles {
            request: b"{}".to_vec(),
            consent: b"{\"agreed\":true}".to_vec(),
            contact: None,
            mailbox: mailbox.map(|secret| secret.mailbox_recipient().unwrap()),
        },
        clips: clips
            .iter()
            .map(|(name, bytes)| ClipSource {
                name: (*name).to_owned(),
                size: bytes.len() as u64,
                reader: Box::new(*bytes),
            })
            .collect(),
        bagging_date: "2026-11-24".into(),
        mtime: 0,
        software_agent: "test".into(),
        external_identifier: None,
        hash_ciphertext: true,
    };
    seal(plan, &mut out, |_| {}).unwrap();
    out
}

impl Resident {
    pub fn new(recipient: &str, clips: &[(&str, &[u8])]) -> Self {
        let secret = OfferSecret::new(&Zeroizing::new(canvass_types::env::random(&System)));
        let lookup = secret.public_key().unwrap().lookup();
        Self { envelope: sealed(recipient, clips, Some(&secret)), secret, lookup }
    }

    pub async fn give(&self, canvass: &Canvass, destination: &str) -> (StatusCode, String) {
        self.give_by(canvass, destination, None).await
    }

    pub async fn give_by(
        &self,
        canvass: &Canvass,
        destination: &str,
        invitation: Option<&str>,
    ) -> (StatusCode, String) {
        let key = self.secret.public_key().unwrap().text();
        let mut metadata = vec![("destination", destination), ("offer_key", key.as_str())];
        metadata.extend(invitation.map(|secret| ("invitation", secret)));
        canvass.upload(&format!("{}/uploads", canvass.public), "", &metadata, self.envelope.clone()).await
    }

    pub async fn tell(&self, canvass: &Canvass, kind: &str, body: &str) {
        let signed = self.secret.sign_message(kind, body.as_bytes(), &Machine.now().to_string()).unwrap();
        let message = json!({
            "lookup": signed.lookup, "offer_key": signed.offer_key, "kind": kind, "at": signed.at, "body": body,
            "signature": signed.signature,
        });
        let answer =
            canvass.http.post(format!("{}/messages", canvass.public)).json(&message).send().await.unwrap();
        assert_eq!(answer.status(), 202);
    }

    pub async fn status(&self, canvass: &Canvass, fits: impl Fn(&Value) -> bool) -> Value {
        canvass.public_file(&format!("/offers/{}.json", self.lookup), fits).await
    }
}
