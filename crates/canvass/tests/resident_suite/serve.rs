//! The executable as its own server: it starts, tells its addresses, survives kill -9, and its ledgers stay sound.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::support::*;
use canvass_core::publishing::OfferStatus;

struct Server {
    child: Child,
    desk: Option<String>,
    public: Option<String>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn serve(mut command: Command, args: &[&str]) -> Server {
    command.args(["serve", "--log", "error", "--json"]).args(args).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut text = String::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        text += &line.unwrap();
        if text.ends_with('}') {
            break;
        }
    }
    let told: serde_json::Value = serde_json::from_str(&text).expect("the server did not start");
    let part = |name: &str| told[name].as_str().map(str::to_owned);
    Server { desk: part("desk"), public: part("public"), child }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_canvass_starts_is_verified_and_checked() {
    let world = World::new().await;
    let made = ask(&world, &["init", "--data", "data", "--operator", "Ann Lee"]).await.ok();
    assert!(made.out.trim().starts_with("cvt_"), "{}", made.out);
    ask(&world, &["init", "--data", "data", "--operator", "Ann Lee"]).await.refused(1, &[]);
    let args = ["--data", "data", "--listen", "127.0.0.1:0", "--public-listen", "127.0.0.1:0"];
    let mut server = serve(canvass(&world), &args);
    assert!(server.desk.is_some());
    let url = server.public.clone().unwrap();
    let mut verified = ask(&world, &["verify", "ledger", &url]).await;
    for _ in 0..20 {
        if verified.code == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
        verified = ask(&world, &["verify", "ledger", &url]).await;
    }
    assert!(verified.ok().out.contains("No defect found"));
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    let server = serve(canvass(&world), &args);
    let url = server.public.clone().unwrap();
    ask(&world, &["verify", "ledger", &url]).await.ok();
    ask(&world, &["backup", "--data", "data", "--to", "copy", "--with-keys"]).await.ok();
    ask(&world, &["restore", "--from", "copy", "--data", "again"]).await.ok();
    ask(&world, &["restore", "--from", "copy", "--data", "again"]).await.refused(1, &[]);
    ask(&world, &["check", "--data", "again"]).await.ok();
    drop(server);
    ask(&world, &["check", "--data", "data"]).await.ok();
    let document = ask(&world, &["openapi"]).await.ok();
    let document: serde_json::Value = serde_json::from_str(&document.out).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    ask(&world, &["serve", "--data", "data", "--listen", "0.0.0.0:0"])
        .await
        .refused(2, &["plain HTTP", "--tls-cert"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_of_the_server_in_the_middle_of_an_upload_loses_nothing() {
    let mut world = World::new().await;
    world.publish().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let args = ["--data", ".", "--role", "public", "--public-listen", &free];
    let mut server = serve(canvass(&world), &args);
    let url = server.public.clone().unwrap();
    file(&world, "long.mp4", &vec![3; 150_000_000]);
    let id = world.request.id.to_string();
    let seal = ["seal", "--server", &url, "--request", &id, "long.mp4", "--out", "porch", "--yes"];
    ask(&world, &seal).await.ok();
    let mut give = canvass(&world);
    give.args(["give", "porch", "--wait", "100"]);
    let giving = tokio::spawn(run(give));
    let upload = world.folder.path().join("porch.upload.json");
    for _ in 0..2_000 {
        if upload.exists() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    let first = std::fs::read(&upload).unwrap();
    assert!(!String::from_utf8_lossy(&first).contains("\"complete\": true"), "it was killed too late");
    let server = serve(canvass(&world), &args);
    for _ in 0..600 {
        if String::from_utf8_lossy(&std::fs::read(&upload).unwrap()).contains("\"complete\": true") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // The spool is one process's at a time: intake reads it once the server has let go.
    drop(server);
    let done = spool(&world).done(10).unwrap().pop().expect("the upload never became whole");
    let sent = std::fs::read(&done.path).unwrap();
    assert!(sent == std::fs::read(world.folder.path().join("porch.age")).unwrap(), "other bytes arrived");
    let lookup = world.take_in(&done, Vec::new()).await;
    let _server = serve(canvass(&world), &args);
    let said = giving.await.unwrap().ok();
    assert!(!said.err.contains("starts again"), "{}", said.err);
    let status = std::fs::read(world.public().join(format!("offers/{lookup}.json"))).unwrap();
    assert_eq!(serde_json::from_slice::<OfferStatus>(&status).unwrap().state, "received");
}
