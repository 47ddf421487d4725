//! From a standing portal to a case, and what happens when people come, leave or lose their keys. One server serves all
//! of it; the parts follow each other as they would in a year of an agency.

use serde_json::{Value, json};

use crate::town::*;
use crate::{evidence, governance};

/// The case that the parts share, with what is in it.
pub struct Case {
    pub portal: String,
    pub id: String,
    pub offer: String,
    pub item: String,
}

pub const WHY: &str = "Garage burglary on Elm Street, 26-004512";

/// Plays a part; when it fails the others are played all the same, so that one run tells of all that is wrong.
fn part(failed: &mut Vec<String>, name: &str, play: impl FnOnce()) {
    if std::panic::catch_unwind(std::panic::AssertUnwindSafe(play)).is_err() {
        failed.push(name.to_owned());
    }
}

#[test]
fn a_year_of_an_agency() {
    let mut town = Town::new();
    let mut failed = Vec::new();
    let case = from_a_portal_to_an_item(&town);
    let second = invitations_count_once(&town, &case);
    let nora = who_leaves_opens_nothing_more(&town, &second);
    let mut play = |name, play: &mut dyn FnMut()| part(&mut failed, name, play);
    play("a lost key", &mut || a_lost_key_is_recovered(&town, &nora, &second));
    play("triage", &mut || evidence::clips_are_triaged(&town, &nora, &case, &second));
    play("originals", &mut || evidence::originals_are_read_and_hashed(&town, &case));
    play("copies", &mut || evidence::a_redacted_copy_stands_beside_its_original(&town, &case));
    play("notes", &mut || evidence::notes_tags_and_reminders(&town, &nora, &case));
    play("withdrawals", &mut || evidence::withdrawals_are_answered(&town, &nora, &case));
    play("holds", &mut || evidence::holds_beat_destruction(&town, &nora, &case));
    play("closing", &mut || evidence::a_case_is_closed_and_opened_again(&town, &nora, &case));
    play("export", &mut || evidence::a_case_is_exported(&town, &case));
    play("disclosure", &mut || evidence::records_are_disclosed(&town));
    play("keys", &mut || governance::keys_are_destroyed_when_nothing_depends_on_them(&town, &case));
    play("withholding", &mut || governance::a_request_is_withheld(&town));
    play("signing keys", &mut || governance::signing_keys_change(&town));
    play("records", &mut || governance::records_are_read(&town, &case));
    play("backup", &mut || governance::a_backup_takes_over(&mut town, &case));
    play("suspension", &mut || governance::an_agency_is_suspended(&town));
    play("time", &mut || governance::time_passes(&mut town, &case));
    assert!(failed.is_empty(), "these parts failed: {failed:?}");
}

fn from_a_portal_to_an_item(town: &Town) -> Case {
    let portal = town.portal();
    let rosa = town.resident("rosa");
    rosa.write("porch.mp4", "a porch ".repeat(40_000));
    // What the agency will receive and what not is told, though nobody is asked.
    let told = rosa.ok(&["seal", "--portal", &portal, "--out", "porch", "--yes", "porch.mp4"]);
    for words in [
        "You give to: Concord Police",
        "The agency will receive:",
        "clip-01.mp4",
        "will not receive: your name",
        "(UTC)",
    ] {
        assert!(told.contains(words), "{words:?} is not in:\n{told}");
    }
    rosa.ok(&["give", "porch"]);
    let inbox = town.ines.json(&["inbox", "--state", "received", "--destination", &portal]);
    let offer = text(&inbox, "/0/id");
    let listed = town.ines.ok(&["inbox"]);
    assert!(listed.contains(&offer) && listed.contains("0 clips"), "{listed}");
    let case = town.ines.json(&[
        "case",
        "create",
        "--title",
        "Elm Street",
        "--code",
        "26-004512",
        "--destination",
        &portal,
    ]);
    let case = text(&case, "/id");
    town.ines.refused(
        &["open", &offer, "--case", &case, "--purpose", "x", "--out", "opened"],
        1,
        &["purpose.reason"],
    );
    town.ines.ok(&["open", &offer, "--case", &case, "--purpose", WHY, "--out", "opened"]);
    assert_eq!(
        std::fs::read_to_string(town.ines.home.join("opened/clip-01.mp4")).unwrap(),
        "a porch ".repeat(40_000)
    );
    town.ines.refused(&["open", &offer, "--purpose", WHY, "--out", "opened"], 2, &["exists already"]);
    town.ines.ok(&["triage", &offer, "accept", "1", "--case", &case, "--dir", "opened"]);
    let detail = town.ines.json(&["case", "show", &case]);
    let item = text(&detail, "/items/0/id");
    let shown = town.ines.ok(&["item", "show", &item]);
    assert!(shown.contains(&offer) && shown.contains(&case), "{shown}");
    town.ines.ok(&["item", "custody", &item]);
    Case { portal, id: case, offer, item }
}

/// Gives the offer that came by invitation.
fn invitations_count_once(town: &Town, case: &Case) -> String {
    let theo = town.resident("theo");
    let invite = || {
        let issued = town.ines.json(&["invite", "create", &case.portal, "--case", &case.id]);
        (text(&issued, "/invitation/id"), text(&issued, "/secret"))
    };
    let (_, secret) = invite();
    let offer = town.give(&theo, &case.portal, "invited", &["a.mp4", "b.mkv"], Some(&secret));
    let shown = town.ines.json(&["offer-show", &offer]);
    assert_eq!(text(&shown, "/case"), case.id);
    assert!(town.ines.ok(&["invite", "list"]).contains(&format!("used by {offer}")));
    let refused = |name: &str, secret: &str, words: &str| {
        town.seal(&theo, &case.portal, name, &["c.mp4"]);
        let args = ["give", name, "--invitation", secret];
        theo.refused(&args, 1, &["the offer was refused", words, "ask the agency for a new invitation"]);
    };
    refused("again", &secret, "it was used already");
    refused("unknown", &"a".repeat(32), "there is no such invitation");
    let (revoked, secret) = invite();
    town.ines.ok(&["invite", "revoke", &revoked]);
    refused("revoked", &secret, "it was taken back");
    town.ines.refused(&["invite", "revoke", "inv_aaaaaaaaaaaaaaaaaaaaaaaaaa"], 1, &["none under this id"]);
    offer
}

fn wrapped(by: &Person, portal: &str) -> Value {
    let token = std::fs::read_to_string(by.home.join("token")).unwrap();
    http("GET", &format!("{}/api/v1/keys/{portal}", by.server), token.trim(), None).1
}

/// One request with a token.
pub fn http(method: &str, url: &str, token: &str, body: Option<Value>) -> (u16, Value) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = reqwest::Client::builder().tls_certs_only(Vec::new()).no_proxy().build().unwrap();
        let mut request = client.request(method.parse().unwrap(), url).bearer_auth(token);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(json!(null)))
    })
}

fn opens(wrapped: &Value, identity: &std::path::Path) -> bool {
    let identities =
        canvass_seal::group::parse_identity_file(&std::fs::read_to_string(identity).unwrap()).unwrap();
    canvass_seal::group::unwrap(&text(wrapped, "/wrapped"), &identities).is_ok()
}

/// Ines leaves, and Nora comes after the keys were made.
fn who_leaves_opens_nothing_more(town: &Town, offer: &str) -> Person {
    let nora = town.member("Nora", &["investigator", "custodian"]);
    nora.refused(&["open", offer, "--purpose", WHY, "--out", "opened"], 1, &["agency rewrap"]);
    let portal = text(&town.sam.json(&["offer-show", offer]), "/destination");
    let identity = town.ines.home.join("keyring/identity.txt");
    assert!(opens(&wrapped(&town.sam, &portal), &identity));
    town.ada.ok(&["member", "change", &town.ines.id, "--active", "false"]);
    let said = town.sam.ok(&["agency", "rewrap", "--all"]);
    assert!(said.contains("wrapped to 3 members and recovery"), "{said}");
    nora.ok(&["open", offer, "--purpose", WHY, "--out", "opened"]);
    let old = &town.ines;
    old.refused(&["open", offer, "--purpose", WHY, "--out", "again"], 1, &["Sign in", "token"]);
    old.refused(&["inbox"], 1, &["Sign in (401)"]);
    assert!(!opens(&wrapped(&town.sam, &portal), &identity), "a stopped member opens what was rewrapped");
    nora
}

fn a_lost_key_is_recovered(town: &Town, nora: &Person, offer: &str) {
    std::fs::remove_file(nora.home.join("keyring/identity.txt")).unwrap();
    nora.refused(
        &["open", offer, "--purpose", WHY, "--out", "third"],
        2,
        &["you have no identity", "canvass keygen"],
    );
    let made = nora.json(&["keygen", "--out", "keyring/identity.txt"]);
    let recipient = text(&made, "/recipient");
    let safe = town.ada.path("safe.txt");
    let recover = ["agency", "recover", "--recovery", &safe, "--to", &recipient];
    town.sam.refused(&recover, 2, &["is the recipient of no active member"]);
    nora.ok(&["member", "recipient"]);
    nora.refused(&["open", offer, "--purpose", WHY, "--out", "third"], 1, &["agency recover"]);
    town.sam.ok(&["agency", "recover", "--rehearse", "--recovery", &safe, "--all"]);
    let said = town.sam.ok(&recover);
    assert!(said.contains("1 key recovered"), "{said}");
    nora.ok(&["open", offer, "--purpose", WHY, "--out", "third"]);
    assert_eq!(std::fs::read_dir(nora.home.join("third")).unwrap().count(), 3);
    let wrong = town.sam.path("keyring/identity.txt");
    town.sam.refused(
        &["agency", "recover", "--rehearse", "--recovery", &wrong, "--all"],
        1,
        &["take the file from the safe"],
    );
}
