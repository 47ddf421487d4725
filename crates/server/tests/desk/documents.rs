//! The API's description, and the shape of refusals.

use canvass_server::openapi;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::Canvass;

#[test]
fn the_description_in_the_repository_is_the_code_s() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/ref/openapi.json");
    let found = std::fs::read_to_string(path).unwrap_or_default();
    let now = openapi().to_pretty_json().unwrap();
    if std::env::var_os("CANVASS_WRITE_OPENAPI").is_some() {
        std::fs::write(path, format!("{now}\n")).unwrap();
        return;
    }
    // The order of names in examples follows a feature of serde_json, which another crate of a build may switch on.
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    assert!(
        read(&found) == read(&now),
        "docs/ref/openapi.json is behind: regenerate it with `cargo xtask openapi` (which runs `canvass openapi`)"
    );
}

#[test]
fn each_operation_names_its_refusals_and_each_body_has_an_example() {
    let document = serde_json::to_value(openapi()).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if let Some(body) = operation.get("requestBody") {
                assert!(
                    body["content"]["application/json"].get("example").is_some(),
                    "{method} {path} has no example"
                );
            }
            if path.starts_with("/api/v1/") && path != "/api/v1/openapi.json" {
                for status in ["401", "403", "404", "409", "422", "503"] {
                    assert!(
                        operation["responses"].get(status).is_some(),
                        "{method} {path} says nothing of {status}"
                    );
                }
            }
        }
    }
}

#[test]
fn names_are_unique_and_references_lead_somewhere() {
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members.values().for_each(|member| references(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let document = serde_json::to_value(openapi()).unwrap();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 100);
    for reference in found {
        let path = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(path).is_some(), "{reference} leads nowhere");
    }
    let mut names = std::collections::BTreeSet::new();
    for operation in
        document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values())
    {
        let name = operation["operationId"].as_str().unwrap();
        assert!(names.insert(name), "two operations are named {name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_problems_that_say_what_to_do() {
    let mut canvass = Canvass::start().await;
    let token = canvass.operator.clone();
    let url = format!("{}/api/v1/agencies", canvass.desk);
    let raw = async |kind: Option<&str>, body: String| {
        let mut request = canvass.http.post(&url).bearer_auth(&token).body(body);
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        let answer = request.send().await.unwrap();
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        let status = answer.status().as_u16();
        (status, kind, answer.json::<Value>().await.unwrap())
    };
    for (kind, body, status) in [
        (None, "{}".to_owned(), 415),
        (Some("text/plain"), "{}".to_owned(), 415),
        (Some("application/json; charset=latin1"), "{}".to_owned(), 415),
        (Some("application/json"), "{".to_owned(), 400),
        (Some("application/json"), "{\"nam\":1}".to_owned(), 422),
        (Some("application/json"), " ".repeat(300 * 1024), 413),
    ] {
        let (found, media, problem) = raw(kind, body).await;
        assert_eq!((found, media.as_str()), (status, "application/problem+json"), "{problem}");
        assert_eq!(problem["status"], status);
        for member in ["type", "title", "detail", "remedy"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {problem}");
        }
    }
    let bad = json!({ "name": "x", "class": "municipal", "subdivision": "?", "jurisdiction": crate::support::around(0.0, 0.0, 1.0) });
    let (status, problem) = canvass.call(&token, Method::POST, "/agencies", Some(&bad)).await;
    assert_eq!((status.as_u16(), problem["problems"].as_array().unwrap().len()), (422, 2));
    for (method, path, expected) in [
        (Method::GET, "/agencies/agy_nonsense", 404),
        (Method::GET, "/requests?colour=red", 400),
        (Method::GET, "/requests?limit=many", 400),
        (Method::DELETE, "/agencies", 405),
        (Method::TRACE, "/agencies", 405),
        (Method::GET, "/nowhere", 404),
        (Method::GET, "/offers/off_aaaaaaaaaaaaaaaaaaaaaaaaaa/clips/x/accept", 405),
    ] {
        let (status, problem) = canvass.call(&token, method, path, None).await;
        assert_eq!(status.as_u16(), expected, "{path}: {problem}");
        assert!(problem["remedy"].is_string(), "{path}: {problem}");
    }
    let signed_out = canvass.http.get(&url).send().await.unwrap();
    assert_eq!(
        (signed_out.status().as_u16(), &signed_out.headers()["www-authenticate"]),
        (401, &"Bearer".parse().unwrap())
    );
    let open = canvass.http.get(format!("{}/api/v1/openapi.json", canvass.desk)).send().await.unwrap();
    assert_eq!(open.status(), 200);
    for _ in 0..100 {
        if canvass.http.get(format!("{}/readyz", canvass.desk)).send().await.unwrap().status() == 200 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let ready: Value =
        canvass.http.get(format!("{}/readyz", canvass.desk)).send().await.unwrap().json().await.unwrap();
    assert_eq!(ready, json!({ "ready": true, "store": true, "disk": true, "jobs": true }));
    let figures =
        canvass.http.get(format!("{}/metrics", canvass.desk)).send().await.unwrap().text().await.unwrap();
    assert!(
        figures.contains("canvass_answers_total{")
            && figures.contains("canvass_job_beat_timestamp_seconds{job=\"sequencer\"}"),
        "{figures}"
    );
    let passed_on = canvass
        .http
        .get(format!("{}/metrics", canvass.desk))
        .header("x-forwarded-for", "192.0.2.1")
        .send()
        .await
        .unwrap();
    assert_eq!(passed_on.status(), 401);
    canvass.stop().await;
}
