//! Starting and stopping: what is under way ends, and a second start goes on where the first one stopped.

use canvass_server::{ServeError, Tls, keys::KeysError, serve};
use reqwest::StatusCode;
use serde_json::json;

use crate::support::{Agency, Canvass, Resident, clock, config, entropy};

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_loses_nothing_and_a_start_goes_on() {
    let mut canvass = Canvass::start().await;
    let agency = Agency::new(&canvass).await;
    let (request, key) = agency.publish(&canvass, "26-3").await;
    let keys = canvass.public_file("/ledger/keys.json", |_| true).await;
    let resident = Resident::new(key.recipient().unwrap().as_str(), &[("a.mp4", b"footage")]);
    assert_eq!(resident.give(&canvass, &request).await.0, StatusCode::CREATED);
    canvass.stop().await;
    assert!(canvass.http.get(format!("{}/healthz", canvass.desk)).send().await.is_err());
    let again = config(&canvass.data());
    canvass.run(again).await;
    assert_eq!(canvass.public_file("/ledger/keys.json", |_| true).await, keys);
    resident.status(&canvass, |status| status["receipt"].is_object()).await;
    let view = canvass.get(&agency.investigator, &format!("/requests/{request}")).await;
    assert_eq!(view["state"], "published");
    canvass.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_without_its_key_is_refused_with_the_remedy() {
    let mut canvass = Canvass::start().await;
    canvass.stop().await;
    std::fs::remove_file(canvass.data().join("keys/oversight.key")).unwrap();
    let refused = Box::pin(serve(config(&canvass.data()), clock(), entropy(), std::future::pending())).await;
    let Err(error) = refused else { panic!("it started") };
    assert!(matches!(error, ServeError::Keys(KeysError::Missing { .. })));
    assert!(error.to_string().contains("never make a new one"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_run_apart_over_one_folder() {
    let mut desk = Canvass::start_with(|config| config.role = canvass_server::Role::Private).await;
    assert!(desk.public.is_empty());
    let mut street = config(&desk.data());
    street.role = canvass_server::Role::Public;
    let public = Box::pin(serve(street, clock(), entropy(), std::future::pending())).await.unwrap();
    assert!(public.private_addr.is_none());
    desk.public = format!("http://{}", public.public_addr.unwrap());
    let agency = Agency::new(&desk).await;
    let (request, key) = agency.publish(&desk, "26-4").await;
    let resident = Resident::new(key.recipient().unwrap().as_str(), &[("a.mp4", b"footage")]);
    assert_eq!(resident.give(&desk, &request).await.0, StatusCode::CREATED);
    let status = resident.status(&desk, |status| status["receipt"].is_object()).await;
    assert_eq!(status["clips"], json!([]));
    public.stop().await;
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_roles_speak_tls_when_given_a_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let made = std::process::Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", "/CN=localhost", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&cert)
        .output();
    if !made.is_ok_and(|made| made.status.success()) {
        println!("skipped: openssl is not on this machine to make a certificate");
        return;
    }
    let pair = Tls { cert: cert.clone(), key };
    let mut canvass = Canvass::start_with(|config| {
        config.tls = Some(pair.clone());
        config.public_tls = Some(pair.clone());
    })
    .await;
    let http = reqwest::Client::builder().danger_accept_invalid_certs(true).build().unwrap();
    for address in [&canvass.desk, &canvass.public] {
        let url = format!("{}/healthz", address.replace("http://", "https://"));
        let answer = http.get(url).send().await.unwrap();
        let told = &answer.headers()["strict-transport-security"];
        assert_eq!(told, "max-age=31536000; includeSubDomains");
        assert_eq!(answer.headers()["content-type"], "text/plain; charset=utf-8");
        assert_eq!(answer.text().await.unwrap(), "ok\n");
        // In the clear nothing is served.
        assert!(canvass.http.get(format!("{address}/healthz")).send().await.is_err());
    }
    canvass.stop().await;
    let mut broken = config(&canvass.data());
    broken.tls = Some(Tls { cert: cert.clone(), key: cert });
    let refused = Box::pin(serve(broken, clock(), entropy(), std::future::pending())).await;
    let Err(error) = refused else { panic!("it started") };
    assert!(error.to_string().contains("TLS key"), "{error}");
}
