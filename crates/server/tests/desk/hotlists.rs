//! Hotlists over HTTP: two people make one count, cameras raise alerts, streams give them, and a start brings all back.

use std::time::Duration;

use canvass_server::operator;
use canvass_types::Time;
use futures_util::StreamExt as _;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::*;

const WHY: &str = r#"{"class":"stolen","offence":"none","case":"26-77","reason":"vehicles stolen in Elm County since October"}"#;

/// A town with one camera.
pub struct Town {
    pub canvass: Canvass,
    pub investigator: String,
    pub supervisor: String,
    pub custodian: String,
    pub administrator: String,
    pub camera: String,
    pub machine: String,
}

impl Town {
    pub async fn new() -> Self {
        Self::new_with(|_| {}).await
    }

    pub async fn new_with(change: impl FnOnce(&mut canvass_server::ServeConfig)) -> Self {
        let mut canvass = Canvass::start_with(change).await;
        let agency = Agency::new(&canvass).await;
        let new = json!({ "name": "Elm and Main", "use": "plates", "position": [-71.5376, 43.2081] });
        let camera = canvass.post(&agency.administrator, "/cameras", &new).await;
        let camera = camera["id"].as_str().unwrap().to_owned();
        let me = canvass.get(&agency.custodian, "/me").await;
        let path = format!("/members/{}/tokens", me["id"].as_str().unwrap());
        let new = json!({ "label": "camera", "days": 30, "scope": camera });
        let machine = canvass.post(&agency.administrator, &path, &new).await;
        let machine = machine["token"].as_str().unwrap().to_owned();
        canvass.http = reqwest::Client::new();
        let Agency { investigator, supervisor, custodian, administrator, .. } = agency;
        Self { canvass, investigator, supervisor, custodian, administrator, camera, machine }
    }

    pub async fn list(&self) -> String {
        let url = format!("{}/api/v1/hotlists", self.canvass.desk);
        let wish = json!({ "name": "Stolen", "source": "State police", "basis": "agency" });
        let request = self.canvass.http.post(url).bearer_auth(&self.investigator);
        let answer = request.header("canvass-purpose", WHY).json(&wish).send().await.unwrap();
        assert_eq!(answer.status(), 201);
        answer.json::<Value>().await.unwrap()["id"].as_str().unwrap().to_owned()
    }

    pub async fn import(&self, list: &str, query: &str, csv: &str) -> (StatusCode, Value) {
        let path = format!("/hotlists/{list}/versions?reason=The%20weekly%20file%20of%20the%20state{query}");
        let (status, value, _) =
            self.canvass.send(&self.investigator, &path, "text/csv", csv.as_bytes().to_vec()).await;
        (status, value)
    }

    pub async fn in_force(&self, list: &str, csv: &str) {
        let (status, proposed) = self.import(list, "", csv).await;
        assert_eq!(status, 201, "{proposed}");
        let proposal = proposed["version"]["proposal"].as_str().unwrap();
        self.canvass.act(&self.supervisor, &format!("/proposals/{proposal}/approve")).await;
    }

    pub async fn pass(&self, id: &str, plate: &str) {
        self.pass_with(id, plate, None).await;
    }

    async fn pass_with(&self, id: &str, plate: &str, picture: Option<&[u8]>) {
        let time = Time::new(clock().now());
        let mut row = json!({ "id": id, "plate": plate, "time": time, "confidence": 88 });
        if let Some(bytes) = picture {
            row["picture"] = json!(data_encoding::BASE64.encode(bytes));
        }
        let added = self.canvass.post(&self.machine, "/reads", &json!({ "reads": [row] })).await;
        assert_eq!(added["refused"], 0, "{added}");
    }

    async fn picture(&self, token: &str, path: &str) -> reqwest::Response {
        let url = format!("{}/api/v1{path}", self.canvass.desk);
        self.canvass.http.get(url).bearer_auth(token).send().await.unwrap()
    }

    /// Events of a stream from a place on, until there are so many: id and plate of each.
    async fn events(&self, last: Option<&str>, many: usize) -> Vec<(String, String)> {
        let mut request = self.canvass.http.get(format!("{}/api/v1/alerts/stream", self.canvass.desk));
        request = request.bearer_auth(&self.investigator);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let (mut parts, mut text, mut events) = (answer.bytes_stream(), String::new(), Vec::new());
        while events.len() < many {
            let part = tokio::time::timeout(Duration::from_secs(20), parts.next()).await.unwrap();
            text.push_str(std::str::from_utf8(&part.unwrap().unwrap()).unwrap());
            while let Some((event, rest)) = text.clone().split_once("\n\n") {
                text = rest.to_owned();
                let line = |name: &str| {
                    let found = event.lines().find_map(|line| line.strip_prefix(name));
                    found.map(|value| value.trim().to_owned())
                };
                if let Some((id, data)) = line("id:").zip(line("data:")) {
                    let data: Value = serde_json::from_str(&data).unwrap();
                    events.push((id, data["entry"]["plate"].as_str().unwrap().to_owned()));
                }
            }
        }
        events
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_two_people_alerts_and_a_stream_goes_on_where_it_broke_off() {
    let mut town = Town::new().await;
    let list = town.list().await;
    let (status, refused) = town.import(&list, "", "plate,region\nABC123,\nSECRET1,Atlantis\n").await;
    assert_eq!((status.as_u16(), refused["problems"][0]["field"].as_str()), (422, Some("row 2, region")));
    assert!(!refused.to_string().contains("SECRET1"));
    let (status, proposed) =
        town.import(&list, "&bad=keep", "plate,region\nABC123,\nSECRET1,Atlantis\n").await;
    assert_eq!(
        (status.as_u16(), &proposed["refused"], &proposed["version"]["entries"]),
        (201, &json!(1), &json!(1))
    );
    let proposal = proposed["version"]["proposal"].as_str().unwrap().to_owned();
    let approve = format!("/proposals/{proposal}/approve");
    let (status, _) = town.canvass.call(&town.investigator, Method::POST, &approve, None).await;
    assert_eq!(status, 403);
    town.pass("r0", "ABC123").await;
    let alerts = town.canvass.get(&town.investigator, "/alerts").await;
    assert_eq!(alerts["items"], json!([]), "nobody approved it yet");
    town.canvass.act(&town.supervisor, &approve).await;

    // One listens while the camera sends; another comes back with the last id that it saw.
    let (events, ()) = tokio::join!(town.events(None, 1), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        town.pass("r1", "A8C123").await;
    });
    assert_eq!(events[0].1, "ABC123");
    town.in_force(&list, "plate\nABC123\nXYZ999\nNEW111\n").await;
    town.pass("r2", "XYZ999").await;
    town.pass("r3", "NEW111").await;
    let later = town.events(Some(&events[0].0), 2).await;
    let plates: Vec<&str> = later.iter().map(|(_, plate)| plate.as_str()).collect();
    assert_eq!(plates, ["XYZ999", "NEW111"]);

    let alerts = town.canvass.get(&town.investigator, "/alerts?state=unconfirmed").await;
    let oldest = &alerts["items"][2];
    assert_eq!(
        (&oldest["camera"], &oldest["reads"][0]["confidence"], &oldest["differences"][0]["read"]),
        (&json!(town.camera), &json!(88), &json!("8"))
    );
    let path = format!("/alerts/{}/confirm", oldest["id"].as_str().unwrap());
    let wish = json!({ "plate": "ABC123" });
    let (status, refused) = town.canvass.call(&town.investigator, Method::POST, &path, Some(&wish)).await;
    assert_eq!(status, 403, "New Hampshire asks for more than a match: {refused}");
    let wish = json!({ "plate": "ABC 123", "listed": true });
    let seen = town.canvass.post(&town.investigator, &path, &wish).await;
    assert_eq!(seen["state"], "confirmed");
    let (status, _) = town.canvass.call(&town.custodian, Method::GET, "/alerts", None).await;
    assert_eq!(status, 403);
    // The public learns numbers, and no plate.
    let summary = town
        .canvass
        .public_file("/transparency.json", |file| file["hotlists"][0]["alerts"]["confirmed"] == 1)
        .await;
    assert_eq!(summary["hotlists"][0]["source"], "State police");
    assert!(!summary.to_string().contains("ABC123"));
    town.canvass.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_brings_lists_back_and_backup_and_check_know_them() {
    let mut town = Town::new().await;
    let list = town.list().await;
    town.in_force(&list, "plate\nABC123\n").await;
    let data = town.canvass.data();
    let report = operator::check(&data, false, clock(), entropy()).await.unwrap();
    assert!(report.clean(), "{:?}", report.findings);
    let to = town.canvass.folder.path().join("backup");
    operator::backup(&data, &to, true).await.unwrap();
    town.canvass.stop().await;
    let again = town.canvass.folder.path().join("again");
    operator::restore(&to, &again).unwrap();
    town.canvass.run(config(&again)).await;
    town.pass("r1", "ABC123").await;
    let alerts = town.canvass.get(&town.investigator, "/alerts").await;
    assert_eq!(alerts["items"].as_array().unwrap().len(), 1);
    town.canvass.act(&town.supervisor, &format!("/hotlists/{list}/retire")).await;
    town.pass("r2", "ABC123").await;
    let alerts = town.canvass.get(&town.investigator, "/alerts").await;
    assert_eq!(alerts["items"][0]["count"], 1, "a retired list hears of nothing");
    town.canvass.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_picture_of_a_read_is_seen_with_its_alert_or_its_search_and_nowhere_else() {
    let mut town = Town::new().await;
    let list = town.list().await;
    town.in_force(&list, "plate\nABC123\n").await;
    let bytes = [&b"\xff\xd8\xff\xe0"[..], &[7; 5_000]].concat();
    town.pass_with("r1", "ABC123", Some(&bytes)).await;
    town.pass("r2", "ABC123").await;
    let alerts = town.canvass.get(&town.investigator, "/alerts").await;
    let alert = &alerts["items"][0];
    let with = |at: usize| alert["reads"][at]["picture"].as_bool().unwrap();
    assert!(with(0) && !with(1), "{alert}");
    let id = |at: usize| alert["reads"][at]["id"].as_str().unwrap().to_owned();
    let path = |read: &str| format!("/alerts/{}/pictures/{read}", alert["id"].as_str().unwrap());
    let shown = town.picture(&town.investigator, &path(&id(0))).await;
    assert_eq!(shown.status(), 200);
    assert_eq!(shown.headers()["content-type"], "image/jpeg");
    assert_eq!(shown.headers()["cache-control"], "no-store");
    assert_eq!(shown.headers()["x-content-type-options"], "nosniff");
    assert_eq!(shown.bytes().await.unwrap(), bytes);
    assert_eq!(town.picture(&town.investigator, &path(&id(1))).await.status(), 404, "none came along");
    assert_eq!(town.picture(&town.custodian, &path(&id(0))).await.status(), 403);
    let other = format!("rea_{}", "a".repeat(20));
    assert_eq!(town.picture(&town.investigator, &path(&other)).await.status(), 404, "a read of no alert");

    // Of a search: for who searched, by the entry that the search left.
    let case = town.canvass.post(&town.investigator, "/cases", &json!({ "title": "26-77" })).await;
    assert!(case["id"].is_string(), "{case}");
    let why = json!({
        "class": "crime", "offence": "felony", "case": "26-77",
        "reason": "Grey pickup at the pharmacy on Elm Street",
    });
    let request = town.canvass.http.post(format!("{}/api/v1/plates/search", town.canvass.desk));
    let request = request.bearer_auth(&town.investigator).header("canvass-purpose", why.to_string());
    let found: Value =
        request.json(&json!({ "plate": "ABC123" })).send().await.unwrap().json().await.unwrap();
    let pictured: Vec<bool> =
        found["matches"].as_array().unwrap().iter().map(|each| each["picture"] == true).collect();
    assert_eq!(pictured.iter().filter(|each| **each).count(), 1, "{found}");
    assert!(found["matches"][0]["read"].get("picture").is_none(), "the store's own names are not told");
    let entry = found["searched"][0]["entry"].as_str().unwrap();
    let path = |entry: &str, read: &str| format!("/plates/pictures/{entry}/{read}");
    let shown = town.picture(&town.investigator, &path(entry, &id(0))).await;
    assert_eq!((shown.status().as_u16(), shown.bytes().await.unwrap()), (200, bytes.into()));
    for (token, entry, read) in [
        (&town.supervisor, entry, id(0)),
        (&town.investigator, entry, id(1)),
        (&town.investigator, entry, other.clone()),
        (&town.investigator, &*format!("aud_{}", "a".repeat(26)), id(0)),
    ] {
        assert_eq!(town.picture(token, &path(entry, &read)).await.status(), 404);
    }

    // What is no picture is named by row, and the others are taken.
    let time = Time::new(clock().now());
    let row = |id: &str, picture: &[u8]| json!({ "id": id, "plate": "XYZ1", "time": time, "picture": data_encoding::BASE64.encode(picture) });
    let large = [&b"\xff\xd8\xff"[..], &vec![0; 256 * 1024]].concat();
    let rows = json!({ "reads": [row("p1", b"GIF89a"), row("p2", &large), row("p3", b"\xff\xd8\xff\xe0")] });
    let added = town.canvass.post(&town.machine, "/reads", &rows).await;
    assert_eq!((&added["stored"], &added["refused"]), (&json!(1), &json!(2)), "{added}");
    let rules: Vec<&str> =
        added["problems"].as_array().unwrap().iter().map(|one| one["rule"].as_str().unwrap()).collect();
    assert_eq!(rules, ["kind", "length"]);
    town.canvass.stop().await;
}
