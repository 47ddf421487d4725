//! Footage over HTTP: cameras send what they saw, members search by description, and everybody may read what is refused.

use std::sync::atomic::Ordering;

use canvass_types::{Clock as _, Time};
use serde_json::{Value, json};

use crate::plates::{Town, WHY};

fn seen(town: &Town, id: &str, kind: &str, colours: &Value) -> Value {
    let end = Time::new(town.clock.now()).plus_seconds(-5);
    json!({
        "id": id, "start": end.plus_seconds(-4), "end": end, "kind": kind, "score": 0.8, "box": [10, 20, 80, 60],
        "frames": 9, "colours": colours, "model": "objects", "version": "1", "picture": "/9j/4AAQ",
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn cameras_send_what_they_saw_and_members_search_it_with_a_purpose() {
    let mut town = Town::new("US-TX").await;
    let (_, token) = town.camera_for("Porch", "footage").await;
    let red = json!({ "Body": { "Red": 0.8 } });
    let rows = json!({ "sightings": [seen(&town, "1", "Car", &red), seen(&town, "2", "Spaceship", &red)] });
    let added = town.canvass.post(&token, "/sightings", &rows).await;
    assert_eq!(
        (&added["stored"], &added["refused"], &added["problems"][0]["row"]),
        (&json!(1), &json!(1), &json!(2))
    );
    assert_eq!(town.canvass.post(&token, "/sightings", &rows).await["duplicates"], 1);
    // What is no batch is told without a word of what was sent.
    let (status, problem) = town.asked(&token, "/sightings", None, &json!({ "sightings": "Maria" })).await;
    assert!(status == 422 && !problem.to_string().contains("Maria"), "{problem}");
    let (_, reader) = town.camera("Elm and Main").await;
    assert_eq!(town.asked(&reader, "/sightings", None, &rows).await.0, 409);

    let wish = json!({ "text": "red car" });
    let (status, problem) = town.asked(&town.investigator, "/footage/searches", None, &wish).await;
    assert_eq!(status, 422, "without a purpose: {problem}");
    let (status, found) = town.asked(&town.investigator, "/footage/searches", Some(WHY), &wish).await;
    assert_eq!(status, 200, "{found}");
    let moment = &found["moments"][0];
    assert_eq!((moment["kind"].as_str(), found["moments"].as_array().unwrap().len()), (Some("Car"), 1));
    let path = format!(
        "{}/api/v1/footage/pictures/{}/{}",
        town.canvass.desk,
        found["search"].as_str().unwrap(),
        moment["sighting"].as_str().unwrap()
    );
    let kept = town.canvass.get(&town.supervisor, "/retention/reads").await;
    let kept = kept["items"].as_array().unwrap().iter().find(|kept| kept["what"] == "sightings").unwrap();
    assert_eq!((&kept["count"], &kept["slice_seconds"], &kept["erased"]), (&json!(1), &json!(0), &json!([])));
    assert!(kept["next"].as_str() > kept["oldest"].as_str(), "{kept}");
    let get = |token: &str| town.canvass.http.get(&path).bearer_auth(token).send();
    let picture = get(&town.investigator).await.unwrap();
    assert_eq!(
        (picture.status().as_u16(), &picture.headers()["cache-control"]),
        (200, &"no-store".parse().unwrap())
    );
    assert_eq!(get(&town.supervisor).await.unwrap().status(), 404, "another's search");
    town.clock.0.fetch_add(901, Ordering::SeqCst);
    assert_eq!(get(&town.investigator).await.unwrap().status(), 404, "a quarter of an hour later");
    town.canvass.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_names_its_rule_and_everybody_can_read_the_rules() {
    let mut town = Town::new("US-TX").await;
    let wish = json!({ "text": "Maria Lopez in a red car" });
    let (status, problem) = town.asked(&town.investigator, "/footage/searches", Some(WHY), &wish).await;
    assert_eq!((status.as_u16(), &problem["problems"][0]["rule"]), (422, &json!("names")), "{problem}");
    assert!(problem["problems"][0]["remedy"].as_str().is_some_and(|remedy| remedy.contains("Describe")));
    let overseer = town.canvass.member(None, "Ovid", "overseer").await;
    let found = town.canvass.get(&overseer, "/audit?action=footage.refused").await;
    assert_eq!(found["items"][0]["body"]["detail"]["rule"], "names");
    assert!(!found.to_string().contains("Maria"), "{found}");

    // A description of people asks for a second person, and runs where such searches do.
    let people = json!({ "text": "woman in red jacket" });
    let (status, problem) = town.asked(&town.investigator, "/footage/searches", Some(WHY), &people).await;
    assert!(status == 403 && problem.to_string().contains("second-person"), "{problem}");
    let question = json!({ "question": { "kind": "footage", "text": "woman in red jacket" } });
    let (status, asked) = town.asked(&town.investigator, "/plates/approvals", Some(WHY), &question).await;
    assert_eq!(status, 201, "{asked}");
    let approval = format!("/plates/approvals/{}", asked["approval"]["id"].as_str().unwrap());
    town.canvass.post(&town.supervisor, &format!("{approval}/approve"), &json!({})).await;
    let answer = town.canvass.post(&town.investigator, &format!("{approval}/run"), &json!({})).await;
    assert_eq!((&answer["kind"], &answer["footage"]["moments"]), (&json!("footage"), &json!([])));

    let (desk, public) = (&town.canvass.desk, &town.canvass.public);
    for url in [format!("{desk}/api/v1/footage/rules"), format!("{public}/footage/rules.json")] {
        let rules: Value = town.canvass.http.get(&url).send().await.unwrap().json().await.unwrap();
        let names = rules["rules"].as_array().unwrap().iter().find(|rule| rule["id"] == "names").unwrap();
        assert!(names["reason_es"].as_str().is_some_and(|reason| !reason.is_empty()), "{url}");
        assert!(names.get("words").is_none());
    }
    town.canvass.stop().await;
}

/// A measurement, not run by itself: `CANVASS_SIGHTINGS=500000 cargo nextest run --workspace --run-ignored only -E
/// 'test(many_sightings)' --no-capture`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "it measures, and stores as many sightings as CANVASS_SIGHTINGS says"]
#[expect(clippy::disallowed_methods, reason = "a measurement takes real time")]
async fn many_sightings_are_searched_within_seconds() {
    let many: u64 = std::env::var("CANVASS_SIGHTINGS").map_or(2_000, |many| many.parse().unwrap());
    let mut town = Town::new("US-TX").await;
    let mut tokens = Vec::new();
    for number in 0..10 {
        tokens.push(town.camera_for(&format!("Porch {number}"), "footage").await.1);
    }
    let now = Time::new(town.clock.now());
    let (kinds, colours) = (["Car", "Person", "Truck"], ["Red", "White", "Blue", "Black"]);
    let apart = 25 * 86_400 / i64::try_from(many).unwrap().max(1);
    for batch in 0..many.div_ceil(500) {
        let row = |n: u64| {
            let end = now.plus_seconds(-10 - i64::try_from(n).unwrap() * apart);
            let part = if n % 3 == 1 { "Upper" } else { "Body" };
            json!({
                "id": n.to_string(), "start": end.plus_seconds(-4), "end": end, "kind": kinds[(n % 3) as usize],
                "score": 0.8, "box": [10, 20, 80, 60], "frames": 9, "model": "objects", "version": "1",
                "colours": { part: { colours[(n / 3 % 4) as usize]: 0.7, "Grey": 0.2 } },
            })
        };
        let rows: Vec<Value> = (batch * 500..((batch + 1) * 500).min(many)).map(row).collect();
        let token = &tokens[(batch % 10) as usize];
        town.canvass.post(token, "/sightings", &json!({ "sightings": rows })).await;
    }
    let peak = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap().to_owned();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1_024
    };
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let (before, begun) = (peak(), std::time::Instant::now());
    let wish = json!({ "text": "red car", "limit": 50, "from": now.plus_seconds(-27 * 86_400) });
    let (status, found) = town.asked(&town.investigator, "/footage/searches", Some(WHY), &wish).await;
    let took = begun.elapsed().as_secs_f64();
    assert_eq!((status.as_u16(), found["looked"].as_u64()), (200, Some(many.min(200_000))));
    assert_eq!(
        (found["cut"].as_bool(), found["moments"].as_array().unwrap().len()),
        (Some(many > 200_000), 50)
    );
    println!("{many} sightings: {took:.2} s, {} MiB more at the peak than {before}", peak() - before);
    town.canvass.stop().await;
}
