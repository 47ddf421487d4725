//! A provider on this machine that says whatever a test wants.

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    body::Body,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use canvass_core::signin::{Asked, Identified, Provider, ProviderError, Providers as _, Returned};
use canvass_testkit::ManualClock;
use data_encoding::BASE64URL_NOPAD as B64;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};

use super::{Oidc, ProviderConfig};

/// What the provider answers at its token endpoint.
#[derive(Clone)]
enum Say {
    Token(String),
    Error(&'static str),
    Bytes(usize),
    Redirect,
}

struct Stage {
    issuer: String,
    say: Arc<Mutex<Say>>,
    asked: Arc<Mutex<Vec<String>>>,
    clock: Arc<ManualClock>,
    extra: Arc<Mutex<Value>>,
    key: Arc<Mutex<SigningKey>>,
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[3; 32])
}

impl Stage {
    async fn new() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let stage = Self {
            issuer: issuer.clone(),
            say: Arc::new(Mutex::new(Say::Error("invalid_grant"))),
            asked: Arc::default(),
            clock: Arc::new(ManualClock::default()),
            extra: Arc::new(Mutex::new(json!({}))),
            key: Arc::new(Mutex::new(key())),
        };
        let (extra, jwk, say, asked) =
            (stage.extra.clone(), stage.key.clone(), stage.say.clone(), stage.asked.clone());
        let metadata = move || async move {
            let mut document = json!({
                "issuer": issuer, "authorization_endpoint": format!("{issuer}/auth"),
                "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/jwks"),
                "response_types_supported": ["code"], "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["EdDSA", "HS256", "none"],
            });
            let extra = extra.lock().unwrap().clone();
            document.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            Json(document)
        };
        let jwks = move || async move {
            let point = B64.encode(jwk.lock().unwrap().verifying_key().as_bytes());
            let kid = format!("k{}", &point[..4]);
            Json(json!({ "keys": [{
                "kty": "OKP", "crv": "Ed25519", "x": point, "kid": kid, "use": "sig", "alg": "EdDSA",
            }] }))
        };
        let token = move |body: String| async move {
            asked.lock().unwrap().push(body);
            let said = say.lock().unwrap().clone();
            answer(said)
        };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/jwks", get(jwks))
            .route("/token", post(token));
        tokio::spawn(async move { axum::serve(listener, router).await });
        stage
    }

    fn provider(&self) -> Provider {
        Provider {
            id: "concord".into(),
            agency: "agy_aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap(),
            name: "City".into(),
            issuer: self.issuer.clone(),
            acr: vec!["urn:mfa".into()],
            amr: Vec::new(),
            passkey_for_step_up: true,
        }
    }

    fn oidc(&self) -> Oidc {
        let secret = Some(zeroize::Zeroizing::new("a secret".to_owned()));
        let config = ProviderConfig { provider: self.provider(), client_id: "canvass".into(), secret };
        Oidc::new(vec![config], self.clock.clone())
    }

    fn claims(&self) -> Value {
        let now = self.clock.time().as_second();
        json!({
            "iss": self.issuer, "sub": "ann", "aud": "canvass", "exp": now + 300, "iat": now, "nonce": "the nonce",
            "auth_time": now - 9, "acr": "urn:mfa", "amr": ["pwd", "otp"],
            "email": "ann@city.example", "name": "Ann", "groups": ["operator"],
        })
    }

    fn header(&self) -> Value {
        let point = B64.encode(self.key.lock().unwrap().verifying_key().as_bytes());
        json!({ "alg": "EdDSA", "typ": "JWT", "kid": format!("k{}", &point[..4]) })
    }

    fn token(&self, header: &Value, claims: &Value) -> String {
        let text = format!(
            "{}.{}",
            B64.encode(header.to_string().as_bytes()),
            B64.encode(claims.to_string().as_bytes())
        );
        let signature = self.key.lock().unwrap().sign(text.as_bytes());
        format!("{text}.{}", B64.encode(&signature.to_bytes()))
    }

    async fn identify(
        &self,
        oidc: &Oidc,
        say: Say,
        issuer: Option<&str>,
    ) -> Result<Identified, ProviderError> {
        *self.say.lock().unwrap() = say;
        oidc.identify(&self.provider(), &asked(0), Returned { code: "the code", issuer }).await
    }

    /// What is made of a token with a changed header and changed claims.
    async fn judge(&self, oidc: &Oidc, header: Value, claims: Value) -> Result<Identified, ProviderError> {
        let (mut whole, mut all) = (self.header(), self.claims());
        for (to, from) in [(&mut whole, header), (&mut all, claims)] {
            for (name, value) in from.as_object().unwrap() {
                let object = to.as_object_mut().unwrap();
                if value.is_null() {
                    object.remove(name);
                } else {
                    object.insert(name.clone(), value.clone());
                }
            }
        }
        self.identify(oidc, Say::Token(self.token(&whole, &all)), None).await
    }
}

fn asked(max_age: u32) -> Asked {
    Asked {
        state: "the state".into(),
        nonce: "the nonce".into(),
        verifier: "v".repeat(43),
        redirect: "https://desk.example.org/desk/signed-in".into(),
        max_age,
    }
}

fn answer(say: Say) -> Response {
    match say {
        Say::Token(token) => {
            Json(json!({ "access_token": "x", "token_type": "Bearer", "id_token": token })).into_response()
        }
        Say::Error(word) => (StatusCode::BAD_REQUEST, Json(json!({ "error": word }))).into_response(),
        Say::Bytes(many) => Body::from("x".repeat(many)).into_response(),
        Say::Redirect => (StatusCode::FOUND, [(header::LOCATION, "/token")]).into_response(),
    }
}

fn why(outcome: Result<Identified, ProviderError>) -> String {
    outcome.unwrap_err().to_string()
}

#[tokio::test]
async fn the_browser_is_sent_with_state_nonce_challenge_and_the_wish_for_a_new_sign_in() {
    let stage = Stage::new().await;
    let oidc = stage.oidc();
    let address = oidc.address(&stage.provider(), &asked(0)).await.unwrap();
    let url = reqwest::Url::parse(&address).unwrap();
    let query: std::collections::HashMap<_, _> = url.query_pairs().into_owned().collect();
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "canvass"),
        ("state", "the state"),
        ("nonce", "the nonce"),
        ("scope", "openid"),
        ("code_challenge_method", "S256"),
        ("prompt", "login"),
        ("max_age", "0"),
        ("acr_values", "urn:mfa"),
        ("redirect_uri", "https://desk.example.org/desk/signed-in"),
    ] {
        assert_eq!(query.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert!(!address.contains(&"v".repeat(43)), "the verifier stays here");
    let again = oidc.address(&stage.provider(), &asked(43_200)).await.unwrap();
    assert!(again.contains("max_age=43200") && !again.contains("prompt="), "{again}");
}

#[tokio::test]
async fn a_token_gives_who_when_and_how_and_nothing_else() {
    let stage = Stage::new().await;
    let found = stage.judge(&stage.oidc(), json!({}), json!({})).await.unwrap();
    assert_eq!((found.subject.as_str(), found.acr.as_deref()), ("ann", Some("urn:mfa")));
    assert_eq!(found.amr, ["pwd", "otp"]);
    assert_eq!(found.signed_in.unwrap().plus_seconds(9), stage.clock.time());
    assert!(!format!("{found:?}").contains("city.example"), "{found:?}");
    let body = stage.asked.lock().unwrap()[0].clone();
    assert!(body.contains("code_verifier=vvv") && body.contains("code=the+code"), "{body}");
    assert!(!body.contains("secret"), "it goes in the header, by HTTP basic");
}

#[tokio::test]
async fn tokens_that_are_malformed_or_for_others_are_refused() {
    let stage = Stage::new().await;
    let oidc = stage.oidc();
    let now = stage.clock.time().as_second();
    for (claims, word) in [
        (json!({ "aud": "another" }), "somebody else"),
        (json!({ "aud": ["canvass", "another"] }), "somebody else"),
        (json!({ "aud": [] }), "somebody else"),
        (json!({ "azp": "another" }), "somebody else"),
        (json!({ "iss": "https://evil.example" }), "another issuer"),
        (json!({ "exp": now }), "past its time"),
        (json!({ "iat": now - 601 }), "past its time"),
        (json!({ "iat": now + 61 }), "past its time"),
        (json!({ "nonce": "another" }), "another sign-in"),
        (json!({ "nonce": null }), "another sign-in"),
        (json!({ "sub": "" }), "does not say who"),
        (json!({ "sub": "a".repeat(256) }), "does not say who"),
        (json!({ "sub": null }), "can be read"),
        (json!({ "exp": null }), "can be read"),
    ] {
        let said = why(stage.judge(&oidc, json!({}), claims.clone()).await);
        assert!(said.contains(word), "{claims}: {said}");
    }
    for (header, word) in [
        (json!({ "alg": "none" }), "signature"),
        (json!({ "alg": "HS256" }), "signature"),
        (json!({ "alg": "RS256" }), "signature"),
        (json!({ "alg": "ES512" }), "signature"),
        (json!({ "kid": "unknown" }), "signature"),
        (json!({ "crit": ["exp"] }), "form"),
        (json!({ "cty": "JWT" }), "form"),
        (json!({ "alg": null }), "can be read"),
    ] {
        let said = why(stage.judge(&oidc, header.clone(), json!({})).await);
        assert!(said.contains(word), "{header}: {said}");
    }
    let good = stage.token(&stage.header(), &stage.claims());
    let (head, signature) = good.rsplit_once('.').unwrap();
    let other = stage.token(&stage.header(), &json!({ "sub": "bob" }));
    let other = other.rsplit_once('.').unwrap().1.to_owned();
    let none = B64.encode(json!({ "alg": "none" }).to_string().as_bytes());
    let payload = good.split('.').nth(1).unwrap();
    for bad in [
        String::new(),
        "a.b.c".into(),
        format!("{head}."),
        format!("{head}.{other}"),
        format!("{none}.{payload}."),
        format!("{none}.{payload}.{signature}"),
        head.to_owned(),
    ] {
        assert!(
            matches!(
                stage.identify(&oidc, Say::Token(bad.clone()), None).await,
                Err(ProviderError::Refused(_))
            ),
            "{bad}"
        );
    }
    assert!(stage.identify(&oidc, Say::Token(good), None).await.is_ok());
}

#[tokio::test]
async fn an_answer_that_names_another_issuer_or_none_where_one_was_promised_is_refused() {
    let stage = Stage::new().await;
    let token = || Say::Token(stage.token(&stage.header(), &stage.claims()));
    let oidc = stage.oidc();
    assert!(stage.identify(&oidc, token(), Some(&stage.issuer)).await.is_ok());
    assert!(why(stage.identify(&oidc, token(), Some("https://evil.example")).await).contains("issuer"));
    assert!(stage.identify(&oidc, token(), None).await.is_ok());
    *stage.extra.lock().unwrap() = json!({ "authorization_response_iss_parameter_supported": true });
    assert!(why(stage.identify(&stage.oidc(), token(), None).await).contains("issuer"));
}

#[tokio::test]
async fn keys_that_were_changed_are_fetched_anew_but_not_with_each_token() {
    let stage = Stage::new().await;
    let oidc = stage.oidc();
    stage.judge(&oidc, json!({}), json!({})).await.unwrap();
    *stage.key.lock().unwrap() = SigningKey::from_bytes(&[4; 32]);
    assert!(why(stage.judge(&oidc, json!({}), json!({})).await).contains("signature"));
    stage.clock.advance(61);
    stage.judge(&oidc, json!({}), json!({})).await.unwrap();
}

#[tokio::test]
async fn a_provider_that_is_down_or_answers_oddly_says_what_the_operator_must_look_at() {
    let stage = Stage::new().await;
    let oidc = stage.oidc();
    for (say, word) in [
        (Say::Error("invalid_grant"), "no longer takes the code"),
        (Say::Error("invalid_client"), "client_id"),
        (Say::Error("server_error"), "refuses the code"),
        (Say::Bytes(300_000), "too large"),
        (Say::Bytes(10), "can be read"),
        (Say::Redirect, "can be read"),
    ] {
        let said = why(stage.identify(&oidc, say, None).await);
        assert!(said.contains(word), "{word}: {said}");
    }
    for (extra, word) in [
        (json!({ "issuer": "https://evil.example" }), "another issuer"),
        (json!({ "jwks_uri": "http://evil.example/jwks" }), "without TLS"),
        (json!({ "jwks_uri": 7 }), "can't be read"),
        (json!({ "token_endpoint": "http://evil.example/token" }), "without TLS"),
    ] {
        *stage.extra.lock().unwrap() = extra;
        let said = why(stage.identify(&stage.oidc(), Say::Error("invalid_grant"), None).await);
        assert!(said.contains(word), "{word}: {said}");
    }
    *stage.extra.lock().unwrap() = json!({ "authorization_endpoint": "http://evil.example/auth" });
    let refused = stage.oidc().address(&stage.provider(), &asked(0)).await.unwrap_err();
    assert!(matches!(refused, ProviderError::Down(_)), "{refused}");
    let mut gone = stage.provider();
    gone.issuer = "http://127.0.0.1:1".into();
    let config = ProviderConfig { provider: gone.clone(), client_id: "canvass".into(), secret: None };
    let oidc = Oidc::new(vec![config], stage.clock.clone());
    let error = oidc.address(&gone, &asked(0)).await.unwrap_err();
    assert!(matches!(error, ProviderError::Down(_)) && error.to_string().contains("reached"), "{error}");
}

#[tokio::test]
async fn a_provider_that_takes_the_secret_in_the_body_alone_gets_it_there() {
    let stage = Stage::new().await;
    *stage.extra.lock().unwrap() = json!({ "token_endpoint_auth_methods_supported": ["client_secret_post"] });
    stage.judge(&stage.oidc(), json!({}), json!({})).await.unwrap();
    assert!(stage.asked.lock().unwrap()[0].contains("client_secret=a+secret"));
}
