//! The desk's pages, and the public files that they read, beside the API.

use canvass_server::pages::File;
use reqwest::{StatusCode, redirect::Policy};

use crate::support::Canvass;

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
        assert!(!headers.contains_key("set-cookie"));
        assert!(page.text().await.unwrap().contains("desk"));
        let tag = headers["etag"].to_str().unwrap();
        let again =
            http.get(format!("{}{path}", canvass.desk)).header("if-none-match", tag).send().await.unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    }
    assert_eq!(get("/assets/desk-1.js").await.unwrap().status(), StatusCode::OK);
    // Settings and policy, which the desk's pages read from their own origin.
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
