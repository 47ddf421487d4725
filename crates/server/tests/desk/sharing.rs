//! Sharing over HTTP: two people offer a case, two accept, the other agency sees it and no more, one person ends it.

use canvass_types::{Clock as _, Time};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Agency, Canvass, Machine, around};

const REASON: &str = "Joint work on the garages along the county line.";

/// A second agency with two supervisors; gives its id and their tokens.
async fn neighbours(canvass: &Canvass) -> (String, String, String) {
    let new = json!({
        "name": "Merrimack County Sheriff", "class": "county", "subdivision": "US-NH",
        "jurisdiction": around(-71.7, 43.3, 0.3),
    });
    let agency = canvass.post(&canvass.operator, "/agencies", &new).await;
    let id = agency["id"].as_str().unwrap().to_owned();
    let key = ed25519_dalek::SigningKey::from_bytes(&[9; 32]);
    let public = String::from(canvass_types::PublicKey::of(&key));
    canvass.post(&canvass.operator, &format!("/agencies/{id}/verify"), &json!({ "public": public })).await;
    let one = canvass.member(Some(&id), "Nell", "supervisor").await;
    let two = canvass.member(Some(&id), "Nick", "supervisor").await;
    (id, one, two)
}

fn id(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_shared_seen_and_ended() {
    let mut canvass = Canvass::start().await;
    let agency = Agency::new(&canvass).await;
    let (theirs, nell, nick) = neighbours(&canvass).await;
    let case = id(&canvass.post(&agency.investigator, "/cases", &json!({ "title": "Garages" })).await);
    let until = Time::new(jiff::Timestamp::from_second(4_000_000_000).unwrap());
    let wish = |until: Value| json!({ "what": { "kind": "case", "case": case }, "scope": "named", "named": [theirs], "until": until, "reason": REASON });
    let (code, said) =
        canvass.call(&agency.supervisor, Method::POST, "/sharing", Some(&wish(json!(until)))).await;
    assert_eq!((code, &said["problems"][0]["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("until")));
    let soon = Time::new(Machine.now()).plus_days(30);
    let offer = canvass.post(&agency.supervisor, "/sharing", &wish(json!(soon))).await;
    let approve = format!("/proposals/{}/approve", id(&offer));
    let (own, said) = canvass.call(&agency.supervisor, Method::POST, &approve, None).await;
    assert_eq!(own, StatusCode::FORBIDDEN, "{said}");
    assert_eq!(canvass.call(&nell, Method::POST, &approve, None).await.0, StatusCode::NOT_FOUND);
    canvass.act(&agency.administrator, &approve).await;

    let offers = canvass.get(&nell, "/sharing").await;
    let rule = id(&offers["items"][0]["rule"]);
    assert_eq!(
        (&offers["items"][0]["accepted"], &offers["items"][0]["case_title"]),
        (&json!(false), &Value::Null)
    );
    let shown = format!("/cases/{case}");
    assert_eq!(canvass.call(&nell, Method::GET, &shown, None).await.0, StatusCode::NOT_FOUND);
    let accept = canvass.post(&nell, &format!("/sharing/{rule}/accept"), &json!({ "reason": REASON })).await;
    canvass.act(&nick, &format!("/proposals/{}/approve", id(&accept))).await;
    assert_eq!(canvass.get(&nick, &shown).await["case"]["shared_by"], "Concord Police");
    assert_eq!(canvass.get(&nick, "/cases").await["items"][0]["shared_by"], "Concord Police");
    let close = canvass.call(&nick, Method::POST, &format!("{shown}/close"), None).await;
    assert_eq!(close.0, StatusCode::NOT_FOUND);

    let end = format!("/sharing/{rule}/end");
    canvass.post(&agency.administrator, &end, &json!({ "reason": "The joint work is done." })).await;
    assert_eq!(canvass.call(&nick, Method::GET, &shown, None).await.0, StatusCode::NOT_FOUND);
    let notices = canvass.get(&agency.overseer, "/oversight/notices").await;
    let what: Vec<&str> =
        notices["items"].as_array().unwrap().iter().map(|it| it["what"].as_str().unwrap()).collect();
    assert_eq!(what, ["share.end", "share.accept", "share.offer"]);
    canvass.stop().await;
}
