//! Passkeys over HTTP: cookie, its guard, lock, step-up and what each refusal looks like.

use canvass_testkit::Authenticator;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::support::{Agency, Canvass};

/// A browser: its cookie, its origin and its authenticator.
struct Browser<'a> {
    canvass: &'a Canvass,
    origin: String,
    cookie: String,
    who: Authenticator,
}

impl<'a> Browser<'a> {
    fn new(canvass: &'a Canvass, seed: u8) -> Self {
        let origin = canvass.desk.replace("127.0.0.1", "localhost");
        let who = Authenticator::new(seed, &origin, [0; 16]);
        Self { canvass, origin, cookie: String::new(), who }
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Response {
        let mut request = self.canvass.http.request(method, format!("{}/api/v1{path}", self.canvass.desk));
        request = request.header("canvass-desk", "1").header("origin", &self.origin);
        if !self.cookie.is_empty() {
            request = request.header("cookie", format!("theme=dark; {}", self.cookie));
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        request.send().await.unwrap()
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> (u16, Value) {
        let answer = self.send(method, path, body).await;
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    async fn enrol(&mut self, link: &str) {
        let secret = link.split_once('#').unwrap().1;
        let (status, offer) =
            self.call(Method::POST, "/enrolment/begin", Some(&json!({ "secret": secret }))).await;
        assert_eq!(status, 200, "{offer}");
        self.who.meet(&offer["options"]);
        let body = json!({
            "secret": secret, "ceremony": offer["ceremony"], "label": "laptop",
            "credential": self.who.register(&offer["options"]),
        });
        let (status, made) = self.call(Method::POST, "/enrolment/finish", Some(&body)).await;
        assert_eq!((status, &made["label"]), (201, &json!("laptop")), "{made}");
    }

    async fn sign_in(&mut self) -> String {
        let (_, begun) = self.call(Method::POST, "/signin/begin", None).await;
        self.who.counter += 1;
        let answer = self.send(Method::POST, "/signin/finish", Some(&self.who.finish(&begun))).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        assert_eq!(answer.headers()["cache-control"], "no-store");
        let set = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
        self.cookie = set.split(';').next().unwrap().to_owned();
        set
    }

    async fn confirm(&mut self) -> (u16, Value) {
        let (_, begun) = self.call(Method::POST, "/session/begin", None).await;
        self.who.counter += 1;
        self.call(Method::POST, "/session/finish", Some(&self.who.finish(&begun))).await
    }
}

async fn link(canvass: &Canvass, token: &str, member: &str) -> String {
    let issued = canvass.act(token, &format!("/members/{member}/enrolments")).await;
    issued["link"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_opens_locks_and_unlocks_a_session_in_a_guarded_cookie() {
    let mut canvass = Canvass::start().await;
    let agency = Agency::new(&canvass).await;
    let link = link(&canvass, &agency.administrator, &agency.investigator_id).await;
    assert!(link.starts_with("http://localhost:") && link.contains("/desk/enrol#cve_"), "{link}");
    let mut browser = Browser::new(&canvass, 1);
    browser.enrol(&link).await;
    let (_, ways) = browser.call(Method::GET, "/signin", None).await;
    assert_eq!((&ways["passkeys"], &ways["session"]), (&json!(true), &json!("none")));
    assert_eq!(ways["address"], format!("{}/desk/", browser.origin));
    let set = browser.sign_in().await;
    assert!(set.starts_with("canvass=cvs_") && !set.contains("Secure"), "no TLS here: {set}");
    assert!(set.contains("; HttpOnly; SameSite=Strict") && set.contains("; Path=/"), "{set}");
    let (status, me) = browser.call(Method::GET, "/me", None).await;
    assert_eq!((status, &me["id"]), (200, &json!(agency.investigator_id)));
    assert_eq!((&me["token"], &me["session"]["state"]), (&Value::Null, &json!("open")));

    // What another site could send goes nowhere.
    let url = format!("{}/api/v1/me", canvass.desk);
    let bare = canvass.http.get(&url).header("cookie", &browser.cookie);
    assert_eq!(bare.send().await.unwrap().status(), 401);
    let cross = canvass.http.get(&url).header("cookie", &browser.cookie).header("canvass-desk", "1");
    assert_eq!(cross.header("sec-fetch-site", "cross-site").send().await.unwrap().status(), 401);
    let origin = std::mem::replace(&mut browser.origin, "https://evil.example".into());
    let (status, refused) = browser.call(Method::POST, "/session/lock", None).await;
    assert_eq!((status, &refused["type"]), (401, &json!("urn:canvass:problem:not-from-desk")));
    browser.origin = origin;

    let (status, locked) = browser.call(Method::POST, "/session/lock", None).await;
    assert_eq!((status, &locked["state"]), (200, &json!("locked")));
    let (status, refused) = browser.call(Method::GET, "/me", None).await;
    assert_eq!((status, &refused["type"]), (401, &json!("urn:canvass:problem:locked")));
    assert_eq!(browser.confirm().await.0, 200);
    assert_eq!(browser.call(Method::GET, "/me", None).await.0, 200);

    let answer = browser.send(Method::DELETE, "/session", None).await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    assert!(answer.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(browser.call(Method::GET, "/me", None).await.0, 401);
    canvass.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_failures_answer_429_and_the_administrator_sees_it() {
    let mut canvass = Canvass::start().await;
    let agency = Agency::new(&canvass).await;
    let link = link(&canvass, &agency.administrator, &agency.investigator_id).await;
    let mut browser = Browser::new(&canvass, 1);
    browser.enrol(&link).await;
    browser.who.flags = 0b001;
    let mut last = (0, Value::Null);
    for _ in 0..6 {
        let (_, begun) = browser.call(Method::POST, "/signin/begin", None).await;
        browser.who.counter += 1;
        last = browser.call(Method::POST, "/signin/finish", Some(&browser.who.finish(&begun))).await;
    }
    assert_eq!((last.0, &last.1["type"]), (429, &json!("urn:canvass:problem:locked-out")));
    let path = format!("/members/{}/sign-in", agency.investigator_id);
    let of = canvass.get(&agency.administrator, &path).await;
    assert!(of["locked_out_until"].is_string() && of["passkeys"][0]["label"] == "laptop", "{of}");
    let (status, _) = canvass.call(&agency.custodian, Method::GET, &path, None).await;
    assert_eq!(status, 403);
    canvass.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_in_numbers_carries_no_passkeys_and_says_so() {
    let mut canvass =
        Canvass::start_with(|config| config.desk_url = Some("http://127.0.0.1:8420".into())).await;
    let browser = Browser::new(&canvass, 1);
    let (_, ways) = browser.call(Method::GET, "/signin", None).await;
    assert_eq!(ways["passkeys"], false);
    assert!(ways["reason"].as_str().unwrap().contains("localhost"), "{ways}");
    let (status, refused) = browser.call(Method::POST, "/signin/begin", None).await;
    assert_eq!(status, 409, "{refused}");
    canvass.stop().await;
    // With TLS in front, the cookie is one that no other host can set.
    canvass = Canvass::start_with(|config| config.desk_url = Some("https://desk.example.org".into())).await;
    let operator = canvass.get(&canvass.operator, "/me").await["id"].as_str().unwrap().to_owned();
    let link = link(&canvass, &canvass.operator, &operator).await;
    let mut browser = Browser::new(&canvass, 1);
    browser.origin = "https://desk.example.org".into();
    browser.who = Authenticator::new(1, &browser.origin, [0; 16]);
    browser.enrol(&link).await;
    let set = browser.sign_in().await;
    assert!(set.starts_with("__Host-canvass=cvs_") && set.ends_with("; Secure"), "{set}");
    let told = browser.send(Method::GET, "/me", None).await.headers()["strict-transport-security"].clone();
    assert_eq!(told, "max-age=31536000; includeSubDomains");
    assert_eq!(browser.call(Method::GET, "/me", None).await.0, 200);
    canvass.stop().await;
}
