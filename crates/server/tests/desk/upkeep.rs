//! Checking, mending, backing up and restoring.

use canvass_server::operator::{backup, check, restore};
use serde_json::json;

use crate::support::{Agency, Canvass, Resident, clock, config, entropy};

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_running_canvass_restores_clean_and_damage_is_named_and_mended() {
    let mut canvass = Canvass::start().await;
    let agency = Agency::new(&canvass).await;
    let (request, key) = agency.publish(&canvass, "26-8").await;
    let resident = Resident::new(key.recipient().unwrap().as_str(), &[("a.mp4", b"footage")]);
    resident.give(&canvass, &request).await;
    resident.status(&canvass, |status| status["receipt"].is_object()).await;

    // Over the API, and by hand beside the running server.
    let made = canvass.post(&canvass.operator, "/backups", &json!({ "name": "first" })).await;
    assert!(made["files"].as_u64().unwrap() > 10, "{made}");
    let twice = canvass
        .call(&canvass.operator, reqwest::Method::POST, "/backups", Some(&json!({ "name": "first" })))
        .await;
    assert_eq!(twice.0, 409);
    let copy = canvass.folder.path().join("copy");
    backup(&canvass.data(), &copy, true).await.unwrap();
    canvass.stop().await;
    let report = check(&canvass.data(), false, clock(), entropy()).await.unwrap();
    assert!(report.clean(), "{report:?}");
    assert!(report.blobs == 1 && report.entries > 10 && report.chains == 1, "{report:?}");

    let restored = canvass.folder.path().join("restored");
    restore(&copy, &restored).unwrap();
    assert!(restore(&copy, &restored).unwrap_err().to_string().contains("not empty"));
    let report = check(&restored, false, clock(), entropy()).await.unwrap();
    assert!(report.clean(), "{report:?}");
    std::fs::write(copy.join("policy.json"), "{}").unwrap();
    let manifest = copy.join("public/policy.json");
    std::fs::write(&manifest, "{}").unwrap();
    let refused = restore(&copy, &canvass.folder.path().join("other")).unwrap_err().to_string();
    assert!(refused.contains("public/policy.json"), "{refused}");

    // Damage: a tile, a public file, a blob.
    let tile = restored.join("public/ledger/requests/tile/0");
    std::fs::remove_dir_all(&tile).unwrap();
    std::fs::write(restored.join(format!("public/requests/{request}.json")), "{}").unwrap();
    std::fs::write(restored.join("public/feed/index.json"), "{").unwrap();
    let found = check(&restored, false, clock(), entropy()).await.unwrap();
    let areas: Vec<&str> = found.findings.iter().map(|each| each.area.as_str()).collect();
    assert!(areas.contains(&"ledger") && areas.contains(&"public") && !found.clean(), "{found:?}");
    let mended = check(&restored, true, clock(), entropy()).await.unwrap();
    assert!(mended.clean(), "{mended:?}");
    canvass.folder = {
        let folder = tempfile::tempdir().unwrap();
        std::fs::rename(&restored, folder.path().join("data")).unwrap();
        folder
    };
    canvass.run(config(&canvass.data())).await;
    canvass.public_file(&format!("/requests/{request}.json"), |file| file["state"] == "published").await;
    canvass
        .public_file("/feed/index.json", |index| {
            index["regions"].as_array().is_some_and(|all| !all.is_empty())
        })
        .await;
    canvass.stop().await;
    let after = check(&canvass.data(), false, clock(), entropy()).await.unwrap();
    assert!(after.clean(), "{after:?}");

    let blob = find(&canvass.data().join("blobs"));
    std::fs::remove_file(&blob).unwrap();
    std::fs::write(&blob, b"other bytes").unwrap();
    let broken = check(&canvass.data(), true, clock(), entropy()).await.unwrap();
    assert!(!broken.clean() && broken.findings.iter().any(|each| each.area == "blobs"), "{broken:?}");
}

fn find(folder: &std::path::Path) -> std::path::PathBuf {
    let entry = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    if entry.is_dir() { find(&entry) } else { entry }
}
