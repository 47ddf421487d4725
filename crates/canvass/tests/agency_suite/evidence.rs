//! Clips, originals, holds, withdrawals and cases.

use canvass_types::Digest;

use crate::story::{Case, WHY};
use crate::town::*;

pub fn clips_are_triaged(town: &Town, nora: &Person, case: &Case, offer: &str) {
    let declined = nora.ok(&["triage", offer, "decline", "1", "2", "--reason", "It shows another street."]);
    assert_eq!(declined.matches(": declined ").count(), 2, "{declined}");
    let undone = nora.ok(&["triage", offer, "undo", "2"]);
    assert!(undone.contains("clip 2") && undone.contains("pending"), "{undone}");
    nora.refused(&["triage", offer, "undo", "9"], 1, &["none under this id"]);
    nora.refused(&["triage", offer, "accept", "9", "--case", &case.id, "--dir", "third"], 2, &["no clip 9"]);
    nora.write("third/clip-02.mkv", "another recording");
    let altered = ["triage", offer, "accept", "2", "--case", &case.id, "--dir", "third"];
    nora.refused(&altered, 1, &["clip-02.mkv"]);
    std::fs::copy(nora.home.join("opened/clip-02.mkv"), nora.home.join("third/clip-02.mkv")).unwrap();
    nora.ok(&altered);
    let shown = town.sam.ok(&["case", "show", &case.id]);
    assert!(shown.contains("2 clips") && shown.matches("  itm_").count() == 2, "{shown}");
}

/// The file with sealed bytes, found by their digest.
fn blob(town: &Town, sha256: &str) -> std::path::PathBuf {
    let mut folders = vec![town.data().join("blobs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if Digest::of(&std::fs::read(&path).unwrap()).to_string() == sha256 {
                return path;
            }
        }
    }
    panic!("no blob has SHA-256 {sha256}");
}

pub fn originals_are_read_and_hashed(town: &Town, case: &Case) {
    let sam = &town.sam;
    let said = sam.ok(&["item", "read", &case.item, "--purpose", WHY, "--out", "porch.mp4"]);
    assert!(said.contains("as on record"), "{said}");
    assert_eq!(std::fs::read_to_string(sam.home.join("porch.mp4")).unwrap(), "a porch ".repeat(40_000));
    sam.refused(
        &["item", "read", &case.item, "--purpose", WHY, "--out", "porch.mp4"],
        2,
        &["exists already"],
    );
    let item = sam.json(&["item", "show", &case.item]);
    let blob = blob(town, &text(&item, "/sealed_sha256"));
    let sound = std::fs::read(&blob).unwrap();
    let mut broken = sound.clone();
    let middle = broken.len() / 2;
    broken[middle] ^= 1;
    std::fs::write(&blob, broken).unwrap();
    sam.refused(
        &["item", "read", &case.item, "--purpose", WHY, "--out", "broken.mp4"],
        1,
        &["tell the operator"],
    );
    assert!(!sam.home.join("broken.mp4").exists(), "a damaged original was handed out");
    std::fs::write(&blob, sound).unwrap();
    let _ = std::fs::remove_file(sam.home.join("broken.mp4.part.age.part"));
    sam.ok(&["item", "read", &case.item, "--purpose", WHY, "--out", "mended.mp4"]);
}

pub fn a_redacted_copy_stands_beside_its_original(town: &Town, case: &Case) {
    let sam = &town.sam;
    sam.write("porch-redacted.mp4", "a blurred porch ".repeat(30_000));
    let (note, why) = ("Face of a passer-by blurred", "Blur the passer-by at the Elm Street porch");
    let copy = |file: &str| {
        sam.run(&["item", "copy", &case.item, file, "--note", note, "--tool", "hand", "--purpose", why])
    };
    std::fs::copy(sam.home.join("mended.mp4"), sam.home.join("same.mp4")).unwrap();
    copy("same.mp4").refused(2, &["the original, byte for byte"]);
    sam.write("clip-01.mp4", "another");
    copy("clip-01.mp4").refused(1, &["the original has this file name"]);
    let said = copy("porch-redacted.mp4");
    assert!(said.code == 0 && said.out.contains("ALTERED COPY (redaction)"), "{}{}", said.out, said.err);
    let listed = sam.json(&["item", "list", "--copy-of", &case.item]);
    let made = text(&listed, "/0/id");
    assert_eq!(text(&listed, "/0/copy_of"), case.item);
    let shown = sam.ok(&["item", "show", &case.item]);
    assert!(shown.contains(&made) && !shown.starts_with(&made), "{shown}");
    assert!(sam.ok(&["item", "show", &made]).contains(note));
    assert!(sam.ok(&["item", "custody", &made]).contains("copy-made"));
    sam.ok(&["item", "read", &made, "--purpose", WHY, "--out", "copy.mp4"]);
    assert_eq!(
        std::fs::read(sam.home.join("copy.mp4")).unwrap(),
        "a blurred porch ".repeat(30_000).as_bytes()
    );
    let told = sam.ok(&["case", "timeline", &case.id]);
    assert!(
        told.contains("item.copied") && told.contains("item.copy-made") && told.contains("offer.opened"),
        "{told}"
    );
    assert!(sam.ok(&["case", "list", "--text", "ELM"]).contains(&case.id));
    assert!(!sam.ok(&["inbox", "--assignee", "me"]).contains(&case.offer));
    assert!(sam.ok(&["inbox", "--assignee", "none"]).contains(&case.offer));
}

pub fn notes_tags_and_reminders(town: &Town, nora: &Person, case: &Case) {
    for subject in [&case.offer, &case.id, &case.item] {
        nora.ok(&[
            "annotate",
            subject,
            "--note",
            "The van is white.",
            "--tag",
            "van",
            "--tag",
            "seen",
            "--assign",
            &town.sam.id,
            "--remind",
            "2027-01-05T09:00:00Z",
        ]);
        town.sam.ok(&["annotate", subject, "--untag", "seen", "--unassign", "--no-reminder"]);
        nora.refused(&["annotate", subject], 1, &["nothing"]);
    }
    for args in
        [["offer-show", &case.offer].as_slice(), &["case", "show", &case.id], &["item", "show", &case.item]]
    {
        let shown = town.sam.ok(args);
        assert!(shown.contains("The van is white."), "{shown}");
    }
    assert!(nora.ok(&["inbox", "--tag", "van"]).contains(&case.offer));
    assert!(!nora.ok(&["inbox", "--tag", "seen"]).contains(&case.offer));
}

pub fn withdrawals_are_answered(town: &Town, nora: &Person, case: &Case) {
    let uma = town.resident("uma");
    for (name, answer) in [("kept", "refuse"), ("back", "grant")] {
        let offer = town.give(&uma, &case.portal, name, &["u.mp4"], None);
        nora.ok(&["open", &offer, "--case", &case.id, "--purpose", WHY, "--out", name]);
        let file = format!("{name}.offer.json");
        let status = || uma.ok(&["offer", "status", "--offer", &file]);
        until("that it is opened", || status().contains("opened by the agency"));
        if answer == "refuse" {
            nora.ok(&["ask", &offer, "Is the clock right?"]);
            until("the question", || status().contains("1 question waits for your answer"));
            uma.ok(&["offer", "answer", "--offer", &file, "It is a minute fast."]);
            assert!(!status().contains("waits"), "{}", status());
            until("the answer", || nora.ok(&["answers", &offer]).contains("It is a minute fast."));
            until("the word of it", || status().contains("1 question is answered"));
        }
        let said = uma.ok(&["offer", "withdraw", "--offer", &file, "--yes"]);
        assert!(said.contains("the agency decides"), "{said}");
        until("the wish", || nora.ok(&["inbox"]).contains("WANTS IT BACK"));
        nora.ok(&["withdrawal", &offer, answer, "--reason", "It was looked at with care."]);
        let word = if answer == "grant" { "granted" } else { "refused" };
        until("the answer", || status().contains(word));
        assert!(status().contains("It was looked at with care."), "{}", status());
        nora.refused(&["withdrawal", &offer, answer, "--reason", "Once more, for good."], 1, &["withdraw"]);
        uma.refused(&["offer", "withdraw", "--offer", &file, "--yes"], 1, &["nothing to withdraw"]);
    }
    until("the destruction", || {
        uma.ok(&["offer", "status", "--offer", "back.offer.json"]).contains(": destroyed")
            || uma.ok(&["offer", "status", "--offer", "back.offer.json"]).contains(": withdrawn")
    });
}

pub fn holds_beat_destruction(town: &Town, nora: &Person, case: &Case) {
    let vera = town.resident("vera");
    let offer = town.give(&vera, &case.portal, "held", &["v.mp4"], None);
    nora.ok(&["open", &offer, "--case", &case.id, "--purpose", WHY, "--out", "held"]);
    let hold =
        text(&nora.json(&["hold", "place", &case.id, "--basis", "Order 26-cr-77 of 2026-11-24"]), "/id");
    assert!(nora.ok(&["hold", "list", "--active"]).contains(&hold));
    vera.ok(&["offer", "withdraw", "--offer", "held.offer.json", "--yes"]);
    until("the wish", || nora.ok(&["offer-show", &offer]).contains("WANTS IT BACK"));
    let grant = ["withdrawal", &offer, "grant", "--reason", "Nothing of it is used."];
    nora.refused(&grant, 1, &[&hold, "release it first"]);
    let sealed = text(&town.sam.json(&["offer-show", &offer]), "/envelope_sha256");
    let blob = blob(town, &sealed);
    town.sam.refused(&["hold", "release", &hold], 2, &["--reason"]);
    town.sam.refused(&["hold", "release", &hold, "--reason", "short"], 1, &["10 to 500"]);
    town.sam.refused(&["hold", "place", "itm_x", "--basis", "Order 26-cr-77"], 1, &["none under this id"]);
    assert!(blob.exists());
    let said = town.sam.ok(&["hold", "release", &hold, "--reason", "The appeal is over."]);
    assert!(said.contains("released"), "{said}");
    nora.ok(&grant);
    until("the destruction", || !blob.exists());
    until("its record", || town.sam.ok(&["offer-show", &offer]).contains("  destroyed  "));
    town.sam.refused(&["hold", "release", &hold, "--reason", "The appeal is over."], 1, &["released"]);
}

pub fn a_case_is_closed_and_opened_again(town: &Town, nora: &Person, case: &Case) {
    let said = town.sam.ok(&["case", "close", &case.id]);
    assert!(said.contains("closed 20"), "{said}");
    assert!(town.sam.ok(&["case", "list", "--state", "closed"]).contains(&case.id));
    let due = town.sam.json(&["item", "show", &case.item]);
    assert!(due["due"].is_string(), "{due}");
    assert!(nora.ok(&["retention"]).contains(&case.item));
    let into = ["triage", &case.offer, "accept", "1", "--case", &case.id, "--dir", "opened"];
    nora.refused(&into, 1, &[]);
    town.sam.refused(&["case", "close", &case.id], 1, &["closed"]);
    town.sam.ok(&["case", "reopen", &case.id]);
    let due = town.sam.json(&["item", "show", &case.item]);
    assert!(due["due"].is_null(), "{due}");
    nora.ok(&["case", "change", &case.id, "--title", "Elm Street, garage"]);
}

pub fn a_case_is_exported(town: &Town, case: &Case) {
    let said = town.sam.ok(&[
        "export",
        &case.id,
        "--purpose",
        "Defence counsel asked for the Elm Street clips",
        "--out",
        "bundle",
    ]);
    assert!(said.contains("Everything holds.") && said.contains("2 originals"), "{said}");
    assert!(said.contains("1 altered copy"), "{said}");
    let defence = town.resident("defence");
    let bundle = town.sam.path("bundle");
    let said = defence.ok(&["verify", "package", &bundle]);
    assert!(said.contains("cosigned by") && said.contains("Everything holds."), "{said}");
    std::fs::write(town.sam.home.join("bundle.zip"), "PK").unwrap();
    defence.refused(&["verify", "package", &town.sam.path("bundle.zip")], 2, &["unpack it first"]);
    town.sam.refused(
        &[
            "export",
            &case.id,
            "--purpose",
            "Defence counsel asked for the Elm Street clips",
            "--out",
            "bundle",
        ],
        2,
        &["exists already"],
    );
}

pub fn records_are_disclosed(town: &Town) {
    let sam = &town.sam;
    let asked = |fields: &[&str], out: &str| {
        let mut args = vec![
            "disclose",
            "--action",
            "item.read",
            "--to",
            "City council",
            "--basis",
            "Council order 26-14",
        ];
        fields.iter().for_each(|field| args.extend(["--field", field]));
        args.extend(["--out", out]);
        sam.run(&args)
    };
    let said = asked(&["at", "purpose.class"], "november.json");
    assert!(said.code == 0 && said.out.contains("records"), "{}{}", said.out, said.err);
    asked(&["at"], "november.json").refused(2, &["exists already"]);
    asked(&["salt"], "other.json").refused(1, &["fields"]);
    let text = std::fs::read_to_string(sam.home.join("november.json")).unwrap();
    assert!(!text.contains("Garage burglary"), "the reason was not to be opened");
    let council = town.resident("council");
    council.write("november.json", &text);
    let said = council.ok(&["verify", "disclosure", "november.json"]);
    assert!(
        said.contains("case-work") && said.contains("item.read") && said.contains("cosigned by"),
        "{said}"
    );
    council.write("altered.json", text.replacen("case-work", "crime", 1));
    council.refused(&["verify", "disclosure", "altered.json"], 1, &["record 1"]);
    let mut fewer: serde_json::Value = serde_json::from_str(&text).unwrap();
    fewer["disclosure"]["records"].as_array_mut().unwrap().remove(0);
    council.write("fewer.json", fewer.to_string());
    council.refused(&["verify", "disclosure", "fewer.json"], 1, &["not of this disclosure"]);
    council.write("none.json", "{}");
    council.refused(&["verify", "disclosure", "none.json"], 1, &["not a disclosure"]);
}
