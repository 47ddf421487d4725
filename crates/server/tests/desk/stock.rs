//! The whole API under a stock fuzzer, schemathesis, that knows nothing but the served description: whatever it sends,
//! the answer is one that the description has, and never a fault of the server. Every 5xx is a bug.

use std::{
    path::Path,
    process::{Command, Output},
};

use serde_json::{Value, json};

use crate::{
    readers::python_with,
    support::{Agency, Canvass, Resident},
};

const CHECKS: &str =
    "not_a_server_error,content_type_conformance,status_code_conformance,response_schema_conformance";

/// Operations by which a member would shut themselves out, and the rest of the run would test nothing.
const LEFT_OUT: [&str; 2] = ["members_change", "members_revoke"];

/// Ids that exist, so that more than 404 is met: used for a part of the calls.
fn configuration(ids: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, id) in ids {
        text += &format!("[dictionaries.{name}]\nvalues = [\"{id}\"]\n");
    }
    text += "[parameters]\n";
    for (name, _) in ids {
        text += &format!("\"path.{name}\" = {{ dictionary = \"{name}\", probability = 0.7 }}\n");
    }
    text
}

fn fuzz(python: &str, canvass: &Canvass, token: &str, ids: &[(&str, &str)], seed: &str) -> Output {
    let folder = canvass.folder.path();
    let settings = folder.join("schemathesis.toml");
    std::fs::write(&settings, configuration(ids)).unwrap();
    let long = std::env::var_os("CANVASS_LONG").is_some();
    let mut command = Command::new(Path::new(python).with_file_name("schemathesis"));
    command.arg("--config-file").arg(&settings).arg("--no-color").arg("run");
    command.args([&format!("{}/api/v1/openapi.json", canvass.desk), "--checks", CHECKS]);
    command.args(["-H", &format!("Authorization: Bearer {token}")]);
    command.args(["-H", &format!("Canvass-Purpose: {}", crate::support::PURPOSE)]);
    command.args(["--seed", seed, "--no-shrink", "--continue-on-failure", "--generation-database", "none"]);
    command.args(["--warnings", "off", "--request-timeout", "20"]);
    let (phases, examples, most) = if long {
        ("examples,coverage,fuzzing,stateful", "40", "280")
    } else {
        ("examples,fuzzing", "3", "20")
    };
    command.args(["--phases", phases, "--max-examples", examples, "--max-time", most]);
    for operation in LEFT_OUT {
        command.args(["--exclude-operation-id", operation]);
    }
    command.current_dir(folder).env("HOME", folder).output().unwrap()
}

async fn town(canvass: &Canvass, agency: &Agency) -> Vec<(&'static str, String)> {
    let (request, key) = agency.publish(canvass, "26-31").await;
    let resident = Resident::new(key.recipient().unwrap().as_str(), &[("a.mp4", b"footage")]);
    resident.give(canvass, &request).await;
    resident.status(canvass, |status| status["receipt"].is_object()).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let inbox = canvass.get(&agency.investigator, "/offers").await;
    let wish = json!({ "title": "Garage on Elm Street", "destinations": [request] });
    let case = canvass.post(&agency.investigator, "/cases", &wish).await;
    vec![
        ("agency", agency.id.clone()),
        ("member", agency.investigator_id.clone()),
        ("offer", text(&inbox["items"][0]["id"])),
        ("case", text(&case["id"])),
        ("destination", request.clone()),
        ("request", request),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_finds_no_answer_that_the_description_has_not() {
    let Some(python) = python_with("schemathesis") else { return };
    let mut canvass = Canvass::start().await;
    let agency = Agency::new(&canvass).await;
    let ids = town(&canvass, &agency).await;
    let ids: Vec<(&str, &str)> = ids.iter().map(|(name, id)| (*name, id.as_str())).collect();
    // The investigator first, for the operator may suspend what the investigator works with.
    for (token, seed) in [(&agency.investigator, "26"), (&canvass.operator, "27")] {
        let output = tokio::task::block_in_place(|| fuzz(&python, &canvass, token, &ids, seed));
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
        println!(
            "{}",
            said.lines().rev().take(18).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n")
        );
        assert!(said.contains("generated, ") && said.contains(" passed"), "{said}");
        // Still signed in: the run tested more than the door.
        canvass.get(token, "/me").await;
    }
    canvass.stop().await;
}
