//! What the desk's pages ask for: who one is, drafts while they are typed, work lists, copies, a case in one row, a bundle
//! in parts, and why something will be destroyed.

use canvass_seal::{
    envelope::{MemorySink, OpenOptions, open},
    group,
};
use canvass_types::Digest;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Agency, Canvass, Resident, sealed};

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn ids(list: &Value) -> Vec<String> {
    list["items"].as_array().unwrap().iter().map(|each| text(&each["id"])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_know_who_asks_and_judge_what_is_being_typed() {
    let mut canvass = Canvass::start().await;
    let agency = Agency::new(&canvass).await;
    let me = canvass.get(&agency.investigator, "/me").await;
    assert_eq!((&me["name"], &me["organisation"]["name"]), (&json!("Ina"), &json!("Concord Police")));
    assert_eq!(me["token"]["label"], "test");
    let may = |who: &Value, action: &str| who["rights"].as_array().unwrap().contains(&json!(action));
    assert!(may(&me, "item.copy") && may(&me, "request.draft") && !may(&me, "case.close"));
    let moderator = canvass.get(&agency.moderator, "/me").await;
    assert!(moderator["organisation"].is_null());
    assert!(may(&moderator, "request.moderate") && !may(&moderator, "request.draft"));

    for empty in [
        json!({}),
        json!({ "code": "", "incident": "", "contact": {}, "area": null, "start": "", "languages": null }),
        json!({ "area": { "type": "Polygon", "coordinates": [[[-71.5, 43.2]]] }, "own_case": false }),
    ] {
        let check = canvass.post(&agency.investigator, "/requests/check", &empty).await;
        let missing = check["missing"].as_array().unwrap();
        assert!(missing.contains(&json!("code")) && missing.contains(&json!("start")), "{check}");
        assert!(check["area_sq_mi"].is_null() && check["remaining"] == 2, "{check}");
        let fields: Vec<_> =
            check["problems"].as_array().unwrap().iter().map(|each| text(&each["field"])).collect();
        for field in ["code", "incident", "details", "area", "start", "end", "own_case"] {
            assert!(fields.iter().any(|each| each == field), "{field}: {fields:?}");
        }
    }
    let mut draft = Agency::draft("26-9");
    draft["details"] = json!(
        "\u{1f699} A protest passed. We look for footage of the protest and a white van at the garage."
    );
    let check = canvass.post(&agency.investigator, "/requests/check", &draft).await;
    assert_eq!(
        (&check["missing"], &check["code"], &check["minutes"]),
        (&json!([]), &json!("26-9"), &json!(120))
    );
    assert!(check["time_frame"]["start"].is_string());
    let finding = &check["findings"][0];
    let units: Vec<u16> = draft["details"].as_str().unwrap().encode_utf16().collect();
    let ranges = finding["ranges"].as_array().unwrap();
    assert!(!ranges.is_empty(), "{finding}");
    for range in ranges {
        let at = |n: usize| usize::try_from(range[n].as_u64().unwrap()).unwrap();
        let words = String::from_utf16(&units[at(0)..at(1)]).unwrap();
        assert_eq!(words, finding["matched"].as_str().unwrap());
    }
    let (one, _) = agency.submit(&canvass, "26-10").await;
    let verdict =
        json!({ "approved": false, "rule": "unclear", "reason": "nobody could tell what is asked" });
    canvass.post(&agency.moderator, &format!("/requests/{one}/decision"), &verdict).await;
    let (two, _) = agency.submit(&canvass, "26-11").await;
    let decided = canvass.get(&agency.moderator, "/requests?decided=true&limit=1").await;
    assert_eq!((ids(&decided), decided["next"].is_null()), (vec![one.clone()], true));
    assert_eq!(ids(&canvass.get(&agency.moderator, "/requests?decided=false&q=26-1").await), [two]);
    assert_eq!(ids(&canvass.get(&agency.moderator, "/requests?q=GARAGE&state=refused").await), [one]);
    canvass.stop().await;
}

/// A case with one item, and the key that opens it.
struct Worked {
    case: String,
    offer: String,
    item: String,
    request: String,
    recipient: String,
}

const CLIP: &[u8] = &[5; 20_000];

async fn worked(canvass: &Canvass, agency: &Agency) -> Worked {
    let (request, key) = agency.publish(canvass, "26-1").await;
    let recipient = key.recipient().unwrap().as_str().to_owned();
    let resident = Resident::new(&recipient, &[("clip-01.mp4", CLIP)]);
    resident.give(canvass, &request).await;
    resident.status(canvass, |status| !status["receipt"].is_null()).await;
    let who = &agency.investigator;
    let offer = ids(&canvass.get(who, "/offers").await).remove(0);
    canvass.bytes(who, &format!("/offers/{offer}/envelope"), None).await;
    let report = json!({
        "clips": [{ "name": "clip-01.mp4", "bytes": CLIP.len(), "sha256": Digest::of(CLIP) }], "mailbox": null,
        "envelope_sha256": Digest::of(&resident.envelope), "defects": [],
    });
    canvass.post(who, &format!("/offers/{offer}/report"), &report).await;
    let wish = json!({ "title": "Garage on Elm Street", "code": "26-1", "destinations": [request] });
    let case = text(&canvass.post(who, "/cases", &wish).await["id"]);
    let uploads = format!("{}/api/v1/uploads", canvass.desk);
    let alone = sealed(&recipient, &[("clip-01.mp4", CLIP)], None);
    let (_, upload) = canvass.upload(&uploads, who, &[], alone).await;
    let wish = json!({ "case": case, "upload": upload, "sha256": Digest::of(CLIP), "bytes": CLIP.len() });
    let item = canvass.post(who, &format!("/offers/{offer}/clips/1/accept"), &wish).await;
    Worked { case, offer, item: text(&item["id"]), request, recipient }
}

async fn copied(canvass: &Canvass, agency: &Agency, worked: &Worked) -> String {
    let who = &agency.investigator;
    let blurred: &[u8] = &[6; 19_000];
    let uploads = format!("{}/api/v1/uploads", canvass.desk);
    let alone = sealed(&worked.recipient, &[("clip-01-redacted.mp4", blurred)], None);
    let (_, upload) = canvass.upload(&uploads, who, &[], alone.clone()).await;
    let path = format!("/items/{}/copies", worked.item);
    let mut wish = json!({
        "upload": upload, "kind": "redaction", "note": "A passer-by was made unrecognisable.",
        "tool": "canvass-web 0.1.0", "name": "a/b.mp4", "sha256": Digest::of(blurred), "bytes": blurred.len(),
    });
    for (name, status) in [("a/b.mp4", 422), ("clip-01.mp4", 422)] {
        wish["name"] = json!(name);
        let (code, said) = canvass.call(who, Method::POST, &path, Some(&wish)).await;
        assert_eq!((code.as_u16(), &said["problems"][0]["field"]), (status, &json!("name")), "{said}");
    }
    // A refused try leaves the upload as it was.
    wish["name"] = json!("clip-01-redacted.mp4");
    let copy = canvass.post(who, &path, &wish).await;
    assert_eq!((&copy["copy_of"], &copy["alteration"]["kind"]), (&json!(worked.item), &json!("redaction")));
    let copy = text(&copy["id"]);
    let (code, bytes) = canvass.bytes(who, &format!("/items/{copy}/content"), None).await;
    assert_eq!((code, bytes), (StatusCode::OK, alone));
    let detail = canvass.get(who, &format!("/items/{}", worked.item)).await;
    assert_eq!((&detail["copies"][0]["id"], &detail["original"]), (&json!(copy), &Value::Null));
    let detail = canvass.get(who, &format!("/items/{copy}")).await;
    assert_eq!(detail["original"]["id"], json!(worked.item));
    copy
}

async fn lists(canvass: &Canvass, agency: &Agency, worked: &Worked, copy: &str) {
    let who = &agency.investigator;
    let annotate = json!({
        "note": "Look at 00:41.", "add_tags": ["van"], "assignee": agency.investigator_id,
        "remind": "2026-01-01T00:00:00Z",
    });
    canvass.post(who, &format!("/items/{copy}/annotations"), &annotate).await;
    canvass.post(who, &format!("/offers/{}/annotations", worked.offer), &annotate).await;
    let (copy, item) = (vec![copy.to_owned()], vec![worked.item.clone()]);
    for (query, expected) in [
        ("assignee=me", &copy),
        ("assignee=none", &item),
        ("noted=true", &copy),
        ("reminder_due=true&tag=van", &copy),
        ("reminder_due=false", &item),
    ] {
        assert_eq!(ids(&canvass.get(who, &format!("/items?{query}")).await), *expected, "{query}");
        let of_case = format!("/cases/{}/items?{query}", worked.case);
        assert_eq!(ids(&canvass.get(who, &of_case).await), *expected, "{query}");
    }
    let of = format!("/items?copy_of={}&offer={}&case={}", worked.item, worked.offer, worked.case);
    assert_eq!(ids(&canvass.get(who, &of).await), copy);
    let offers =
        |query: &'static str| async move { ids(&canvass.get(who, &format!("/offers?{query}")).await).len() };
    assert_eq!((offers("assignee=me").await, offers("assignee=none").await), (1, 0));
    assert_eq!((offers("waiting=true").await, offers("waiting=false").await), (0, 1));
    assert_eq!(canvass.call(who, Method::GET, "/offers?assignee=you", None).await.0, 400);
    let cases =
        |query: &'static str| async move { ids(&canvass.get(who, &format!("/cases?{query}")).await).len() };
    assert_eq!((cases("q=elm").await, cases("q=26-1").await, cases("q=oak").await), (1, 1, 0));
    let audit = format!("/audit?actor={}&action=item.copy", agency.investigator_id);
    assert_eq!(canvass.get(&agency.overseer, &audit).await["items"].as_array().unwrap().len(), 1);
    let offer = canvass.get(who, &format!("/offers/{}", worked.offer)).await;
    assert_eq!((&offer["asked"]["id"], &offer["receipt"]["signed"]), (&json!(worked.request), &json!(true)));
    assert_eq!((offer["items"].as_array().unwrap().len(), &offer["state"]), (2, &json!("triaged")));
    let keys = canvass.get(who, "/keys").await;
    let others = canvass.get(&agency.supervisor, "/keys").await;
    assert_eq!((&keys["items"][0]["mine"], &others["items"][0]["mine"]), (&json!(true), &json!(false)));
}

async fn one_row(canvass: &Canvass, agency: &Agency, worked: &Worked) {
    let told = canvass.get(&agency.investigator, &format!("/cases/{}/timeline", worked.case)).await;
    let events = told["events"].as_array().unwrap();
    assert_eq!((told["total"].as_u64().unwrap(), &told["earlier"]), (events.len() as u64, &json!(0)));
    let times: Vec<_> = events.iter().map(|each| text(&each["at"])).collect();
    assert!(times.is_sorted(), "{times:?}");
    let kinds: Vec<_> = events.iter().map(|each| text(&each["kind"])).collect();
    for kind in [
        "case.opened",
        "request.published",
        "offer.received",
        "offer.opened",
        "offer.accepted",
        "item.accepted",
        "item.copied",
        "item.copy-made",
        "hold.placed",
    ] {
        assert!(kinds.iter().any(|each| each == kind), "{kind}: {kinds:?}");
    }
    let hold = events.iter().find(|each| each["kind"] == "hold.placed").unwrap();
    assert_eq!((&hold["detail"]["basis"], &hold["by_name"]), (&json!("Order 26-cr-77"), &json!("Ina")));
    let part = format!("/cases/{}/timeline?limit=2&skip=1", worked.case);
    let part = canvass.get(&agency.investigator, &part).await;
    assert_eq!(part["events"], json!(events[events.len() - 3..events.len() - 1]));
    assert_eq!(part["earlier"].as_u64().unwrap() + 3, events.len() as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_work_lists_a_case_in_one_row_and_its_bundle_in_parts() {
    let mut canvass = Canvass::start().await;
    let agency = Agency::new(&canvass).await;
    let worked = worked(&canvass, &agency).await;
    let copy = copied(&canvass, &agency, &worked).await;
    lists(&canvass, &agency, &worked, &copy).await;
    let wish = json!({ "subject": worked.item, "basis": "Order 26-cr-77" });
    canvass.post(&agency.investigator, "/holds", &wish).await;
    one_row(&canvass, &agency, &worked).await;

    let parts = canvass.get(&agency.custodian, &format!("/cases/{}/bundle", worked.case)).await;
    let paths: Vec<_> = parts["files"].as_array().unwrap().iter().map(|file| text(&file["path"])).collect();
    for path in ["README.txt", "bagit.txt", "data/case.json", "data/custody.pdf", "data/ledger/proofs.json"] {
        assert!(paths.iter().any(|each| each == path), "{path}: {paths:?}");
    }
    let items = parts["items"].as_array().unwrap();
    assert_eq!(text(&items[0]["path"]), format!("data/originals/{}/clip-01.mp4", worked.item));
    assert_eq!(text(&items[1]["path"]), format!("data/copies/{copy}/clip-01-redacted.mp4"));
    assert_eq!(parts["consents"][0]["items"], json!([worked.item, copy]));
    // What a browser does with one of the items: its key opens the bag, and the recording is the one on record.
    let wrapped =
        text(&canvass.get(&agency.investigator, &format!("/keys/{}", worked.request)).await["wrapped"]);
    let key = group::unwrap(&wrapped, std::slice::from_ref(&agency.identity)).unwrap();
    let (_, bag) = canvass.bytes(&agency.custodian, &format!("/items/{copy}/content"), None).await;
    let mut sink = MemorySink::default();
    let opened = open(bag.as_slice(), &[key], OpenOptions::with_limit(1 << 30), &mut sink).unwrap();
    assert_eq!(json!(Digest(opened.clips[0].sha256)), items[1]["sha256"]);
    let bare = canvass.http.get(format!("{}/api/v1/cases/{}/bundle", canvass.desk, worked.case));
    assert_eq!(bare.bearer_auth(&agency.custodian).send().await.unwrap().status(), 422);

    canvass.act(&agency.supervisor, &format!("/cases/{}/close", worked.case)).await;
    let due = canvass.get(&agency.investigator, "/retention?what=item").await;
    let of = |id: &str| due["items"].as_array().unwrap().iter().find(|each| each["subject"] == id).unwrap();
    assert_eq!(of(&worked.item)["hold"]["basis"], "Order 26-cr-77");
    assert_eq!((&of(&copy)["held"], &of(&copy)["name"]), (&json!(false), &json!("clip-01-redacted.mp4")));
    assert_eq!(of(&copy)["rule"], json!({ "field": "retention.closed_case_days", "days": 365 }));
    let free = canvass.get(&canvass.operator, &format!("/retention?agency={}&held=false", agency.id)).await;
    let free = free["items"].as_array().unwrap();
    assert!(free.iter().all(|each| each["name"].is_null() && each["held"] == false), "{free:?}");
    canvass.stop().await;
}
