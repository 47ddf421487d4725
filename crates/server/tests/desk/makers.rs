//! Readers of other makers over HTTP: what they can send, in the forms that they send it, with the token where they can put
//! it.

use canvass_types::{Clock as _, Time};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::plates::Town;

fn millis(town: &Town) -> i64 {
    town.clock.now().as_millisecond()
}

fn group(town: &Town, plate: &str) -> Value {
    let now = millis(town);
    json!({
        "data_type": "alpr_group", "camera_id": 1234, "epoch_start": now - 3_000, "epoch_end": now,
        "best_uuid": format!("AGENT-1234-{}", now - 1_000), "best_plate_number": plate, "best_confidence": 93.9,
        "vehicle_crop_jpeg": "A".repeat(200_000), "best_plate": { "plate_index": 0 },
    })
}

fn webhook(town: &Town, plates: &[&str]) -> Value {
    let results: Vec<Value> = plates.iter().map(|plate| json!({ "plate": plate, "score": 0.91 })).collect();
    json!({
        "hook": { "event": "recognition" },
        "data": { "camera_id": "camera-1", "filename": "a.jpg", "timestamp": Time::new(town.clock.now()), "results": results },
    })
}

async fn answer(request: reqwest::RequestBuilder) -> (StatusCode, Value) {
    let answer = request.send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

fn post(town: &Town, path: &str) -> reqwest::RequestBuilder {
    town.canvass.http.post(format!("{}/api/v1/reads/{path}", town.canvass.desk))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_of_openalpr_knows_an_address_alone() {
    let mut town = Town::new("US-TX").await;
    let (camera, token) = town.camera("Elm and Main").await;
    let sent = group(&town, "ABC1234");
    for duplicate in [false, true] {
        let (status, added) =
            answer(post(&town, "openalpr").basic_auth("camera", Some(&token)).json(&sent)).await;
        assert_eq!(status, 200, "{added}");
        assert_eq!(
            (&added["stored"], &added["duplicates"]),
            (&json!(u8::from(!duplicate)), &json!(u8::from(duplicate)))
        );
    }
    let found = town.search(&json!({ "plate": "ABC1234", "cameras": [camera] })).await;
    let read = &found["matches"][0]["read"];
    assert_eq!(read["confidence"], 94, "{found}");
    assert!(!found.to_string().contains("AAAA"), "no picture");
    let (status, added) =
        answer(post(&town, "openalpr").bearer_auth(&token).json(&json!({ "data_type": "heartbeat" }))).await;
    assert_eq!((status, &added["rows"]), (StatusCode::OK, &json!(0)));
    // What can't be taken is named, and does not stop what comes after it.
    let mut old = group(&town, "SECRET1");
    old["epoch_start"] = json!(5_000);
    old["epoch_end"] = json!(6_000);
    let emoji = group(&town, "\u{1f697}");
    for (bad, rule) in
        [(old, "clock.behind"), (emoji, "character"), (json!({ "data_type": "alpr_group" }), "missing")]
    {
        let (status, added) = answer(post(&town, "openalpr").bearer_auth(&token).json(&bad)).await;
        assert_eq!(status, 200, "{added}");
        assert_eq!((&added["refused"], &added["problems"][0]["rule"]), (&json!(1), &json!(rule)));
        assert!(!added.to_string().contains("SECRET1"));
    }
    let (status, added) =
        answer(post(&town, "openalpr?camera=9").bearer_auth(&token).json(&group(&town, "ABC1234"))).await;
    assert_eq!((status, &added["problems"][0]["rule"]), (StatusCode::OK, &json!("camera")));
    let (status, _) = answer(post(&town, "openalpr").bearer_auth(&token).body("{\"data_type\"")).await;
    assert_eq!(status, 422);
    let (status, _) =
        answer(post(&town, "openalpr").bearer_auth(&token).body(vec![b' '; 5 * 1024 * 1024])).await;
    assert_eq!(status, 413);
    town.canvass.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_of_plate_recognizer_comes_in_three_forms_and_its_pictures_go_nowhere() {
    let mut town = Town::new("US-TX").await;
    let (camera, token) = town.camera("Elm and Main").await;
    let sent = webhook(&town, &["abc1234", "-", "xyz987"]);
    let text = sent.to_string();
    let picture = vec![0xff; 3 * 1024 * 1024];
    let form = |parts: &[(&str, &[u8])]| {
        let kind = "multipart/form-data; boundary=between";
        post(&town, "plate-recognizer").header("content-type", kind).bearer_auth(&token).body(form(parts))
    };
    let encoded: String = url_encoded(&text);
    let urlencoded = || {
        post(&town, "plate-recognizer")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("time=1&json={encoded}"))
    };
    let (status, added) = answer(form(&[("upload", &picture), ("json", text.as_bytes())])).await;
    assert_eq!(status, 200, "{added}");
    assert_eq!((&added["rows"], &added["stored"], &added["refused"]), (&json!(3), &json!(2), &json!(1)));
    assert_eq!((&added["problems"][0]["row"], &added["problems"][0]["field"]), (&json!(2), &json!("plate")));
    for again in [post(&town, "plate-recognizer").json(&sent), urlencoded()] {
        let (status, added) = answer(again.basic_auth("x", Some(&token))).await;
        assert_eq!((status, &added["duplicates"]), (StatusCode::OK, &json!(2)), "{added}");
    }
    let found = town.search(&json!({ "plate": "ABC1234", "cameras": [camera] })).await;
    assert_eq!(found["matches"].as_array().unwrap().len(), 1, "{found}");
    let (status, refusal) = answer(form(&[("upload", b"x")])).await;
    assert_eq!(status, 422, "{refusal}");
    let (status, _) = answer(form(&[("part", &b"x"[..]); 20])).await;
    assert_eq!(status, 413);
    let cut = post(&town, "plate-recognizer")
        .header("content-type", "multipart/form-data; boundary=b")
        .body("--b\r\nnothing");
    let (status, _) = answer(cut.bearer_auth(&token)).await;
    assert_eq!(status, 400);
    town.canvass.stop().await;
}

/// A form as browsers write it (RFC 7578).
fn form(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in parts {
        let head = format!("--between\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n");
        bytes.extend_from_slice(&[head.as_bytes(), value, b"\r\n"].concat());
    }
    bytes.extend_from_slice(b"--between--\r\n");
    bytes
}

fn url_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_opens_these_two_doors_alone() {
    let mut town = Town::new("US-TX").await;
    let (_, token) = town.camera("Elm and Main").await;
    let mut sent = group(&town, "ABC1234");
    // Who is refused is not heard out, and a long body would break off.
    sent["vehicle_crop_jpeg"] = json!("");
    for (path, status) in [("reads", 401), ("cameras", 401), ("reads/openalpr", 200)] {
        let url = format!("{}/api/v1/{path}", town.canvass.desk);
        let got =
            town.canvass.http.post(url).basic_auth("camera", Some(&token)).json(&sent).send().await.unwrap();
        assert_eq!(got.status(), status, "{path}");
    }
    for (name, password) in [("camera", Some("cvt_0000")), (token.as_str(), None), ("", Some(""))] {
        let (status, _) = answer(post(&town, "openalpr").basic_auth(name, password).json(&sent)).await;
        assert_eq!(status, 401);
    }
    let (status, _) = answer(post(&town, "openalpr").header("authorization", "Basic !!!").json(&sent)).await;
    assert_eq!(status, 401);
    let (status, _) =
        answer(post(&town, "openalpr").basic_auth("x", Some(&town.canvass.operator)).json(&sent)).await;
    assert!(status.is_client_error(), "an operator is no camera: {status}");
    town.canvass.stop().await;
}
