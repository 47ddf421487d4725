//! The desk's pages, and the public files that they read, beside the API.

use canvass_server::{BaseMap, pages::File};
use reqwest::{StatusCode, redirect::Policy};

use serde_json::{Value, json};

use crate::support::{Agency, Canvass, config};

const FILES: &[File] = &[
    file("/assets/desk-1.js", b"export{}"),
    file("/desk.html", b"<!doctype html><title>desk</title>"),
    file("/index.html", b"<!doctype html><!--reading-->"),
];

const fn file(path: &'static str, plain: &'static [u8]) -> File {
    File { path, plain, br: None, gzip: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_desk_shows_its_pages_beside_the_api() {
    let mut canvass = Canvass::start_with(|config| config.pages = FILES).await;
    let http = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    let get = |path: &str| http.get(format!("{}{path}", canvass.desk)).send();
    let to = get("/").await.unwrap();
    assert_eq!(
        (to.status(), &to.headers()["location"]),
        (StatusCode::TEMPORARY_REDIRECT, &"/desk/".parse().unwrap())
    );
    assert!(!to.headers().contains_key("strict-transport-security"), "nobody comes by TLS here");
    for (path, answer) in [("/", to), ("/api/v1/me", get("/api/v1/me").await.unwrap())] {
        let headers = answer.headers();
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["referrer-policy"], "no-referrer", "{path}");
        let policy = headers["content-security-policy"].to_str().unwrap();
        for part in ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
    }
    for path in ["/desk", "/desk/", "/desk/cases/cas_1", "/desk/offers?state=new"] {
        let page = get(path).await.unwrap();
        assert_eq!(page.status(), StatusCode::OK, "{path}");
        let headers = page.headers().clone();
        assert_eq!(headers["content-type"], "text/html; charset=utf-8");
        assert_eq!(headers["cache-control"], "no-cache");
        assert!(
            headers["content-security-policy"]
                .to_str()
                .unwrap()
                .contains("require-trusted-types-for 'script'")
        );
        assert_eq!(headers["cross-origin-opener-policy"], "same-origin");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert!(!headers.contains_key("set-cookie"));
        assert!(page.text().await.unwrap().contains("desk"));
        let tag = headers["etag"].to_str().unwrap();
        let again =
            http.get(format!("{}{path}", canvass.desk)).header("if-none-match", tag).send().await.unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    }
    assert_eq!(get("/assets/desk-1.js").await.unwrap().status(), StatusCode::OK);
    // Settings and policy, which the desk's pages read from their own origin.
    // They are written soon after the start.
    for path in ["/policy.json", "/ledger/keys.json"] {
        canvass.public_file(path, |_| true).await;
    }
    assert_eq!(get("/policy.json").await.unwrap().status(), StatusCode::OK);
    assert_eq!(get("/ledger/keys.json").await.unwrap().status(), StatusCode::OK);
    for path in ["/index.html", "/r/832a36fffffffff", "/offer", "/deskx", "/desk.html", "/assets/none.js"] {
        assert_eq!(get(path).await.unwrap().status(), StatusCode::NOT_FOUND, "{path}");
    }
    let api = get("/api/v1/me").await.unwrap();
    assert_eq!(
        (api.status(), &api.headers()["cache-control"]),
        (StatusCode::UNAUTHORIZED, &"no-store".parse().unwrap())
    );
    let public = http.get(format!("{}/desk", canvass.public)).send().await.unwrap();
    assert_eq!(public.status(), StatusCode::NOT_FOUND, "the street has no desk");
    canvass.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_executable_without_pages_says_how_to_get_them() {
    let mut canvass = Canvass::start_with(|config| config.pages = &[]).await;
    for address in [format!("{}/desk/", canvass.desk), format!("{}/", canvass.public)] {
        let page = canvass.http.get(address).send().await.unwrap();
        assert_eq!(page.headers()["content-type"], "text/plain; charset=utf-8");
        assert!(page.text().await.unwrap().contains("cargo xtask web"));
    }
    canvass.stop().await;
}

/// Asks until the text is there.
async fn read(canvass: &Canvass, path: &str, holds: &str) -> String {
    for _ in 0..200 {
        let answer = canvass.http.get(format!("{}{path}", canvass.public)).send().await.unwrap();
        let text = answer.text().await.unwrap();
        if text.contains(holds) {
            return text;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{path} never held {holds}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_request_can_be_read_without_script() {
    let mut canvass = Canvass::start_with(|config| config.pages = FILES).await;
    let agency = Agency::new(&canvass).await;
    let (request, _) = agency.publish(&canvass, "26-77").await;
    let index = canvass.public_file("/feed/index.json", |file| file["regions"][0]["requests"] == 1).await;
    let region = index["regions"][0]["region"].as_str().unwrap().to_owned();
    let page = read(&canvass, &format!("/r/{region}"), &request).await;
    assert!(
        page.starts_with("<!doctype html><main") && page.contains(&format!("id=\"{request}\"")),
        "{page}"
    );
    assert!(page.contains("26-77") && page.contains("lang=\"es\""), "{page}");
    let home = read(&canvass, "/", "/r/").await;
    assert!(home.contains(&format!("href=\"/r/{region}\"")), "{home}");
    canvass.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_of_the_pages_stand_in_public() {
    let map = "https://tiles.example/{z}/{x}/{y}.png";
    let mut canvass = Canvass::start_with(|config| {
        config.pages = FILES;
        config.base_map = BaseMap::Raster { url: map.into(), attribution: "Town of Example".into() };
    })
    .await;
    let site = canvass.public_file("/site.json", |file| file["v"] == 1).await;
    assert_eq!(site["base_map"], json!({ "kind": "raster", "url": map, "attribution": "Town of Example" }));
    assert_eq!(
        (&site["name"], &site["push_key"], &site["mail"]),
        (&json!("Canvass"), &Value::Null, &json!(false))
    );
    assert!(site["public_url"].is_string());
    for page in [format!("{}/", canvass.public), format!("{}/desk/", canvass.desk)] {
        let page = canvass.http.get(page).send().await.unwrap();
        let policy = page.headers()["content-security-policy"].to_str().unwrap();
        assert_eq!(policy.matches(" https://tiles.example;").count(), 2, "{policy}");
    }
    canvass.stop().await;
}

/// Entries by type, and how many of them each ledger has.
fn counted(summary: &Value) -> (u64, u64) {
    let sum = |log: &str| {
        let counts = summary[log]["counts"].as_array().unwrap();
        assert!(counts.iter().all(|one| one["month"].as_str().unwrap().len() == 7), "{summary}");
        let n = counts.iter().map(|one| one["n"].as_u64().unwrap()).sum::<u64>();
        assert_eq!(n, summary[log]["size"], "{summary}");
        n
    };
    (sum("requests"), sum("oversight"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledgers_are_counted_on_through_restarts() {
    let mut canvass = Canvass::start().await;
    let agency = Agency::new(&canvass).await;
    agency.publish(&canvass, "26-1").await;
    let published = |n: u64| {
        move |file: &Value| {
            let counts = file["requests"]["counts"].as_array().into_iter().flatten();
            counts
                .filter(|one| one["type"] == "request.published")
                .map(|one| one["n"].as_u64().unwrap())
                .sum::<u64>()
                == n
        }
    };
    let first = canvass.public_file("/ledger/summary.json", published(1)).await;
    let before = counted(&first);
    canvass.stop().await;
    canvass.run(config(&canvass.data())).await;
    agency.publish(&canvass, "26-2").await;
    let on = canvass.public_file("/ledger/summary.json", published(2)).await;
    assert!(counted(&on).0 > before.0);
    // A full recount says the same; so does one over counts that don't add up.
    let path = canvass.data().join("public/ledger/summary.json");
    for there in
        [None, Some(r#"{"v":1,"requests":{"size":3,"counts":[]},"oversight":{"size":999999,"counts":[]}}"#)]
    {
        canvass.stop().await;
        let held: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        match there {
            None => std::fs::remove_file(&path).unwrap(),
            Some(text) => std::fs::write(&path, text).unwrap(),
        }
        canvass.run(config(&canvass.data())).await;
        canvass
            .public_file("/ledger/summary.json", |file| {
                file["requests"] == held["requests"]
                    && file["oversight"]["size"].as_u64() >= held["oversight"]["size"].as_u64()
                    && file["oversight"]["size"] != 999_999
            })
            .await;
    }
    canvass.stop().await;
}
