//! The published policy against the settings, over HTTP: an alarm comes up, is shown to everybody, and only a changed text
//! or setting ends it. And nobody is in the summary that everybody reads.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Agency, Canvass};

const TEXT: &str =
    "# What we keep\n\nFootage that nobody has reviewed is deleted after 60 days. We share with nobody.";

fn text(days: u64, language: &str) -> Value {
    json!({ "language": language, "markdown": TEXT, "claims": [
        { "setting": "retention.untriaged_days", "value": days }, { "setting": "sharing.federal", "value": "none" },
    ] })
}

/// Entries of the oversight ledger of a type, as the public files have them.
async fn entered(canvass: &Canvass, kind: &str) -> u64 {
    let summary = canvass.public_file("/ledger/summary.json", |_| true).await;
    let counts = summary["oversight"]["counts"].as_array().cloned().unwrap_or_default();
    counts.iter().filter(|one| one["type"] == kind).filter_map(|one| one["n"].as_u64()).sum()
}

async fn comes(canvass: &Canvass, kind: &str, count: u64) {
    for _ in 0..400 {
        if entered(canvass, kind).await == count {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("{kind}: {} entries in place of {count}", entered(canvass, kind).await);
}

fn open<'a>(summary: &'a Value, agency: &str) -> &'a Vec<Value> {
    let agencies = summary["agencies"].as_array().unwrap();
    let found = agencies.iter().find(|each| each["id"] == agency).unwrap();
    found["contradictions"].as_array().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contradiction_comes_up_with_a_setting_and_goes_with_the_text() {
    let mut canvass = Canvass::start().await;
    let agency = Agency::new(&canvass).await;
    let (id, path) = (agency.id.clone(), format!("/agencies/{}/policy-text", agency.id));
    let texts = canvass.put(&agency.administrator, &path, &text(90, "en")).await;
    assert_eq!(texts["texts"][0]["contradictions"], json!([]));
    // The words say 60 days without claiming it: a hint, and no alarm.
    assert_eq!(texts["texts"][0]["hints"][0]["said"], "60 days");
    canvass
        .public_file("/transparency.json", |summary| {
            summary["agencies"].as_array().is_some_and(|all| !all.is_empty() && open(summary, &id).is_empty())
        })
        .await;

    // Two operators change the setting that the text speaks of.
    let second = canvass.member(None, "Otto", "operator").await;
    let mut policy = canvass.get(&canvass.operator, "/policy").await;
    policy["retention"]["untriaged_days"] = json!(120);
    let wish = json!({ "kind": "limits", "policy": policy, "reason": "The council asked for a longer time to review." });
    let proposal = canvass.post(&canvass.operator, "/proposals", &wish).await;
    canvass.act(&second, &format!("/proposals/{}/approve", proposal["id"].as_str().unwrap())).await;
    let shown = canvass.public_file("/transparency.json", |summary| !open(summary, &id).is_empty()).await;
    let one = &open(&shown, &id)[0];
    assert_eq!(
        (&one["setting"], &one["claimed"], &one["live"], &one["language"]),
        (&json!("retention.untriaged_days"), &json!(90), &json!(120), &json!("en"))
    );
    comes(&canvass, "contradiction.raised", 1).await;
    let page = canvass.http.get(format!("{}/ledger", canvass.public)).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);

    // The same text again ends nothing; one that says what is set does.
    let same = canvass.put(&agency.administrator, &path, &text(90, "en")).await;
    assert_eq!(same["texts"][0]["contradictions"][0]["live"], json!(120));
    assert_eq!(entered(&canvass, "contradiction.cleared").await, 0);
    let mended = canvass.put(&agency.administrator, &path, &text(120, "en")).await;
    assert_eq!(mended["texts"][0]["contradictions"], json!([]));
    canvass.public_file("/transparency.json", |summary| open(summary, &id).is_empty()).await;
    comes(&canvass, "contradiction.cleared", 1).await;
    assert_eq!(entered(&canvass, "contradiction.raised").await, 1);
    assert_eq!(entered(&canvass, "policytext.set").await, 3);
    let file = canvass.public_file(&format!("/texts/{id}.json"), |_| true).await;
    assert_eq!(file["texts"][0]["markdown"], TEXT);
    canvass.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_are_set_by_who_answers_for_them_and_name_what_is_wrong() {
    let mut canvass = Canvass::start().await;
    let agency = Agency::new(&canvass).await;
    let path = format!("/agencies/{}/policy-text", agency.id);
    canvass.put(&canvass.operator, &path, &text(90, "es")).await;
    canvass.put(&canvass.operator, "/policy-text", &text(90, "en")).await;
    let (code, _) =
        canvass.call(&agency.administrator, Method::PUT, "/policy-text", Some(&text(1, "en"))).await;
    assert!(code.is_client_error(), "an agency does not speak for the deployment: {code}");
    let wrong = json!({ "language": "en", "markdown": "short", "claims": [
        { "setting": "retention.audit_days", "value": "long" }, { "setting": "retention.audit_days", "value": 1 } ] });
    let (code, said) = canvass.call(&agency.administrator, Method::PUT, &path, Some(&wrong)).await;
    assert_eq!(code, StatusCode::UNPROCESSABLE_ENTITY);
    let fields: Vec<&str> =
        said["problems"].as_array().unwrap().iter().map(|it| it["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["markdown", "claims[0].value", "claims[1].setting"]);
    let wrong = json!({ "language": "en", "markdown": TEXT, "claims": [{ "setting": "mood", "value": 1 }] });
    let (code, said) = canvass.call(&agency.administrator, Method::PUT, &path, Some(&wrong)).await;
    assert!(code.is_client_error(), "{code} {said}");
    let missing = "/agencies/agy_aaaaaaaaaaaaaaaaaaaaaaaaaa/policy-text";
    assert_eq!(canvass.call(&canvass.operator, Method::GET, missing, None).await.0, StatusCode::NOT_FOUND);
    assert_eq!(
        canvass.call(&canvass.operator, Method::PUT, missing, Some(&text(1, "en"))).await.0,
        StatusCode::NOT_FOUND
    );
    canvass.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_in_the_public_summary() {
    let mut canvass = Canvass::start().await;
    let agency = Agency::new(&canvass).await;
    let new = json!({ "agency": agency.id, "name": "Zebulon Quartermain", "roles": ["investigator"] });
    canvass.post(&agency.administrator, "/members", &new).await;
    canvass.post(&agency.investigator, "/cases", &json!({ "title": "Garages of Elm Street" })).await;
    canvass
        .put(&agency.administrator, &format!("/agencies/{}/policy-text", agency.id), &text(91, "en"))
        .await;
    let summary = canvass
        .public_file("/transparency.json", |summary| {
            let agencies = summary["agencies"].as_array();
            agencies.is_some_and(|all| all.iter().any(|each| each["contradictions"][0]["live"] == json!(90)))
        })
        .await;
    let investigators = summary["agencies"][0]["members"].as_array().unwrap();
    let investigators = investigators.iter().find(|one| one["role"] == "investigator").unwrap();
    assert_eq!(investigators["count"], json!(2));
    let written = summary.to_string();
    for hidden in ["Zebulon", "Quartermain", "Olga", "Garages", "mbr_", "cas_", "off_", "tok_"] {
        assert!(!written.contains(hidden), "{hidden} is in {written}");
    }
    // No moment is finer than a day.
    let moments = written.split('"').filter(|part| part.len() > 10 && part.starts_with("20"));
    assert_eq!(moments.collect::<Vec<_>>(), Vec::<&str>::new());
    canvass.stop().await;
}
