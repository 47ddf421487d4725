//! Keys, requests, records, backups, suspensions, and what time does.

use std::sync::Arc;

use canvass_ledger::VerifierKey;
use canvass_server::{Running, ServeConfig, Witness, serve};
use canvass_types::{Clock, Entropy};
use serde_json::{Value, json};

use crate::story::Case;
use crate::town::*;

/// The machine's clock, some days ahead.
struct Ahead(i64);

impl Clock for Ahead {
    #[expect(clippy::disallowed_methods, reason = "the executable under test reads the machine's clock too")]
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_second(jiff::Timestamp::now().as_second() + self.0 * 86_400).unwrap()
    }
}

struct Chance;

impl Entropy for Chance {
    #[expect(clippy::disallowed_methods, reason = "a test of the whole executable")]
    fn fill(&self, buffer: &mut [u8]) {
        getrandom::fill(buffer).unwrap();
    }
}

pub fn keys_are_destroyed_when_nothing_depends_on_them(town: &Town, case: &Case) {
    let sam = &town.sam;
    let close = |portal: &str| sam.run(&["agency", "close-key", portal, "--yes"]);
    close(&case.portal).refused(1, &["still takes offers", "close it first"]);
    sam.refused(&["agency", "close-key", &case.portal], 2, &["--yes"]);
    sam.ok(&["portal", "close", &case.portal]);
    close(&case.portal).refused(1, &["evidence that is kept is sealed to this key"]);
    let empty = town.portal();
    let zoe = town.resident("zoe");
    town.seal(&zoe, &empty, "late", &["z.mp4"]);
    sam.ok(&["portal", "close", &empty]);
    let said = close(&empty).refused(0, &["destroyed on 20"]);
    assert!(said.err.is_empty(), "{}", said.err);
    let file = town.data().join(format!("public/portals/{empty}.json"));
    until("the closed portal", || {
        serde_json::from_slice::<Value>(&std::fs::read(&file).unwrap()).unwrap()["state"] == "closed"
    });
    let seal = ["seal", "--portal", &empty, "--out", "later", "--yes", "z.mp4"];
    // The public role may show a file that it read a moment ago.
    until("the word of it", || {
        for file in ["later.age", "later.offer.json"] {
            let _ = std::fs::remove_file(zoe.home.join(file));
        }
        zoe.run(&seal).err.contains("portal is closed")
    });
    // At the door or by intake, as the public role has read the closed portal or not yet.
    zoe.refused(&["give", "late"], 1, &["no more offers"]);
    sam.refused(&["agency", "rewrap", &empty], 1, &["destroyed"]);
    // Of the other one evidence depends, whether or not it takes more.
    let own = town.portal();
    town.give(&zoe, &own, "kept", &["z.mp4"], None);
    sam.ok(&["portal", "close", &own]);
    close(&own).refused(1, &["evidence that is kept is sealed to this key"]);
    zoe.ok(&["offer", "withdraw", "--offer", "kept.offer.json", "--yes"]);
    until("a key that nothing depends on", || close(&own).code == 0);
}

/// A request, from draft to publication.
fn ask(town: &Town, code: &str, details: &str, key: Option<&str>) -> Said {
    let start = now() - 20 * 3_600;
    let draft = json!({
        "code": code, "incident": "burglary", "details": details, "area": square(-71.545, 43.205, 0.008),
        "contact": { "name": "Det. R. Alvarez", "phone": "+1 603 555 0142" },
        "start": canvass_types::Time::from_second(start), "end": canvass_types::Time::from_second(start + 7_200),
        "zone": "America/New_York", "own_case": true,
    });
    town.sam.write("draft.json", draft.to_string());
    let drafted = town.sam.json(&["request", "draft", "--file", "draft.json"]);
    let id = text(&drafted, "/id");
    town.sam.ok(&["agency", "request-key", &id]);
    let mut args = vec!["request", "submit", &id, "--yes"];
    args.extend(key.iter().flat_map(|key| ["--key", key]));
    let mut said = town.sam.run(&args);
    said.out = format!("{id}\n{}", said.out);
    said
}

fn now() -> i64 {
    Ahead(0).now().as_second()
}

const BIKES: &str =
    "Two bicycles were taken from a garage on Elm Street. We look for a white van near the garage.";

pub fn a_request_is_withheld(town: &Town) {
    let told = ask(town, "26-1", BIKES, None).refused(0, &["(America/New_York)"]);
    assert!(!told.err.contains("00Z to"), "a person reads UTC:\n{}", told.err);
    let id = told.out.lines().next().unwrap().to_owned();
    let march =
        "Footage of the protest, of everyone at the protest march and of the rally at the State House.";
    let refused = ask(town, "26-2", march, None).out.lines().next().unwrap().to_owned();
    let waiting = town.moderator.ok(&["moderate", "list"]);
    let lines: Vec<_> = waiting.lines().filter(|line| line.contains("(met by ")).collect();
    assert!(lines.iter().any(|line| line.contains("\", \"")), "{waiting}");
    let sentences: std::collections::BTreeSet<_> =
        lines.iter().map(|line| line.split("(met").next()).collect();
    assert_eq!(sentences.len(), lines.len(), "{waiting}");
    assert!(waiting.contains("2 requests wait. Rules:"), "{waiting}");
    let reason = "It asks for people at a lawful assembly.";
    town.moderator.ok(&["moderate", "refuse", &refused, "--rule", "assembly", "--reason", reason]);
    town.moderator.ok(&["moderate", "approve", &id, "--reason", "One street, two hours, a clear matter."]);
    let neighbour = town.resident("neighbour");
    let at = ["requests", "list", "--at", "43.2081,-71.5376"];
    until("the request", || neighbour.run(&at).out.contains(&id));
    let listed = neighbour.ok(&at);
    assert!(listed.contains("(America/New_York)") && listed.contains("1 request checked"), "{listed}");
    let listed = neighbour.json(&at);
    assert!(text(&listed, "/region").starts_with("83") && text(&listed, "/requests/0/id") == id, "{listed}");
    a_clip_of_another_time_is_named(&neighbour, &id);
    town.sam.refused(
        &["request", "withhold", &id, "--basis", "Order 26-cv-118", "--yes"],
        1,
        &["Your roles"],
    );
    town.operator.ok(&["request", "withhold", &id, "--basis", "Order 26-cv-118 of 2026-11-24", "--yes"]);
    let file = town.data().join(format!("public/requests/{id}.json"));
    let shown = || serde_json::from_slice::<Value>(&std::fs::read(&file).unwrap()).unwrap();
    until("that the body is gone", || shown()["state"] == "withheld");
    assert!(!shown().to_string().contains("bicycles"), "{}", shown());
    until("that the feed lacks it", || {
        let listed = neighbour.run(&at);
        listed.code == 0 && !listed.out.contains("bicycles")
    });
    // The public role answers from memory for a second at most.
    let seal = ["seal", "--request", &id, "--out", "no", "--yes", "old.mp4"];
    until("that nothing is sealed for it", || neighbour.run(&seal).err.contains("the request is withheld"));
    neighbour.refused(&seal, 1, &["the request is withheld"]);
    town.ledgers_hold();
}

fn a_clip_of_another_time_is_named(neighbour: &Person, request: &str) {
    neighbour.write("old.mp4", "old");
    let file = std::fs::File::options().write(true).open(neighbour.home.join("old.mp4")).unwrap();
    file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000)).unwrap();
    let args = ["seal", "--request", request, "--out", "old", "--yes", "old.mp4"];
    let said = neighbour.refused(&args, 2, &["Leave it out", "(America/New_York)"]);
    let refusal = said.err.lines().find(|line| line.starts_with("canvass: ")).unwrap();
    assert!(
        refusal.starts_with("canvass: old.mp4 is outside the time asked for: 8 Sep 2001, 21:46:40"),
        "{refusal}"
    );
}

pub fn signing_keys_change(town: &Town) {
    let (ada, sam) = (&town.ada, &town.sam);
    let key = ada.json(&["agency", "key", "new", "--out", "next.key"]);
    let (public, name) = (text(&key, "/public"), text(&key, "/key"));
    let before = text(&ada.json(&["agency", "show"]), "/keys/0/id");
    sam.refused(&["agency", "key", "add", "--public", &public], 1, &["Your roles"]);
    ada.refused(&["agency", "key", "add", "--public", &public, "--key", "next.key"], 1, &["endorse"]);
    ada.ok(&["agency", "key", "add", "--public", &public]);
    let said = ada.ok(&["agency", "key", "revoke", &before]);
    assert!(said.contains(&format!("key {before}: added")) && said.contains("revoked 20"), "{said}");
    ada.refused(&["agency", "key", "revoke", "0123456789abcdef"], 1, &["none under this id"]);
    ask(town, "26-3", BIKES, None).refused(1, &["key"]);
    let next = ada.path("next.key");
    let told = ask(town, "26-4", BIKES, Some(&next)).refused(0, &[]);
    let id = told.out.lines().next().unwrap();
    town.moderator.ok(&["moderate", "approve", id, "--reason", "One street, two hours, a clear matter."]);
    let shown = town.data().join(format!("public/requests/{id}.json"));
    until("the request", || std::fs::read_to_string(&shown).is_ok_and(|text| text.contains(&name)));
    town.ledgers_hold();
    // Everybody signs with the new key from now on.
    for one in [ada, sam] {
        std::fs::copy(&next, one.home.join("keyring/agency-signing.key")).unwrap();
    }
}

pub fn records_are_read(town: &Town, case: &Case) {
    let all = town.overseer.ok(&["audit", "--subject", &case.offer]);
    assert!(all.contains("offer.open") && all.contains("Garage burglary"), "{all}");
    let reads = town.overseer.ok(&["audit", "--action", "item.read"]);
    assert!(reads.contains(&case.item) && !reads.contains("offer.open"), "{reads}");
    town.operator.refused(&["audit"], 1, &["Your roles"]);
    let kept = town.overseer.ok(&["retention"]);
    assert!(kept.contains(&case.offer) || kept.contains("due"), "{kept}");
}

pub fn a_backup_takes_over(town: &mut Town, case: &Case) {
    let operator = &town.operator;
    town.ledgers_hold();
    operator.ok(&["backup", "--data", "data", "--to", "copy", "--with-keys"]);
    operator.refused(&["backup", "--data", "data", "--to", "copy"], 1, &["copy"]);
    town.server.take().unwrap().stop();
    // What a witness saw after a backup is lost with the place that was backed up: a witness then rightly cosigns no more.
    let heads = |place: &str| {
        ["requests", "oversight"].map(|log| {
            let checkpoint = operator.home.join(place).join(format!("public/ledger/{log}/checkpoint"));
            let head = std::fs::read_to_string(checkpoint).unwrap();
            head.lines().take(3).map(str::to_owned).collect::<Vec<_>>()
        })
    };
    if heads("data") != heads("copy") {
        std::fs::remove_dir_all(operator.home.join("copy")).unwrap();
        operator.ok(&["backup", "--data", "data", "--to", "copy", "--with-keys"]);
    }
    let said = operator.ok(&["restore", "--from", "copy", "--data", "again"]);
    assert!(said.contains("restored into again"), "{said}");
    operator.ok(&["check", "--data", "again"]);
    std::fs::write(operator.home.join("again/public/ledger/requests/checkpoint"), "nothing").unwrap();
    operator.refused(&["check", "--data", "again"], 1, &["DEFECT", "--repair"]);
    let said = operator.ok(&["check", "--data", "again", "--repair"]);
    assert!(said.contains("MENDED"), "{said}");
    operator.ok(&["check", "--data", "again"]);
    std::fs::rename(operator.home.join("data"), operator.home.join("before")).unwrap();
    std::fs::rename(operator.home.join("again"), operator.home.join("data")).unwrap();
    town.server = Some(start(operator, "data", town.desk, town.public, &town.flags));
    // The stranger, the witness and the residents remember the checkpoints of the old place.
    town.ledgers_hold();
    let said = town.resident("stranger").ok(&["verify", "ledger", &url(town.public)]);
    assert!(said.matches("continues the checkpoint").count() == 2, "{said}");
    town.sam.ok(&["item", "read", &case.item, "--purpose", crate::story::WHY, "--out", "restored.mp4"]);
    assert!(std::fs::read(town.sam.home.join("restored.mp4")).unwrap().starts_with(b"a porch"));
}

pub fn an_agency_is_suspended(town: &Town) {
    let portal = town.portal();
    let xena = town.resident("xena");
    town.seal(&xena, &portal, "before", &["x.mp4"]);
    town.sam.refused(&["agency", "suspend", &town.agency], 1, &["Your roles"]);
    let said = town.operator.ok(&["agency", "suspend", &town.agency]);
    assert!(said.contains("suspended"), "{said}");
    let file = town.data().join(format!("public/agencies/{}.json", town.agency));
    until("the suspension", || std::fs::read_to_string(&file).unwrap().contains("\"suspended\""));
    let seal = ["seal", "--portal", &portal, "--out", "after", "--yes", "x.mp4"];
    until("the word of it", || xena.run(&seal).err.contains("not verified, or was suspended"));
    xena.refused(&["give", "before"], 1, &["refused", "suspended"]);
    town.ledgers_hold();
    let open = [
        "portal",
        "open",
        "--details",
        "Send us recordings that we did not ask for, of any kind.",
        "--contact-name",
        "Desk",
        "--phone",
        "603 555 0100",
    ];
    town.sam.refused(&open, 1, &["only verified agencies"]);
    let shown = town.ada.json(&["agency", "show"]);
    town.operator.ok(&["agency", "verify", &town.agency, "--public", &text(&shown, "/keys/1/public")]);
    until("that it may ask again", || xena.run(&seal).code == 0);
    xena.ok(&["give", "after"]);
}

/// The same Canvass on the same data, with a clock that is ahead.
fn ahead(town: &Town, days: i64, runtime: &tokio::runtime::Runtime) -> Running {
    let mut config = ServeConfig::new(town.data());
    config.listen = format!("127.0.0.1:{}", town.desk).parse().unwrap();
    config.public_listen = format!("127.0.0.1:{}", town.public).parse().unwrap();
    config.identity.name = "town.example".into();
    config.identity.public_url = url(town.public);
    config.identity.quorum = 1;
    let (address, vkey) = town.flags[1].split_once('=').unwrap();
    config.identity.witnesses = vec![Witness { url: address.into(), key: VerifierKey::parse(vkey).unwrap() }];
    let never = std::future::pending();
    runtime.block_on(Box::pin(serve(config, Arc::new(Ahead(days)), Arc::new(Chance), never))).unwrap()
}

/// Without the witness whom readers ask for, nothing newer is believed.
fn a_lost_witness_is_noticed(town: &mut Town) {
    town.ledgers_hold();
    drop(town.witness.take());
    let stranger = town.resident("stranger");
    let entries = |said: &Value| said.pointer("/ledgers/1/entries").and_then(Value::as_u64);
    let check = || stranger.run(&["--json", "verify", "ledger", &url(town.public)]);
    let before = entries(&serde_json::from_str(&check().out).unwrap());
    town.sam.ok(&["case", "create", "--title", "Without a witness"]);
    std::thread::sleep(std::time::Duration::from_secs(2));
    let after = check();
    let newer = entries(&serde_json::from_str(&after.out).unwrap_or_default());
    assert!(after.code != 0 || newer == before, "an entry that no witness saw was believed");
}

/// The rules in force are written out, changed in one file, proposed, looked at, approved and found again in public.
fn rules_are_changed_by_two(town: &Town, otto: &Person) {
    town.operator.ok(&["policy", "show", "--rules", "rules"]);
    let file = town.operator.home.join("rules/roles.txt");
    let roles = std::fs::read_to_string(&file).unwrap();
    let row = roles.lines().find(|line| line.starts_with("hold.list")).unwrap();
    std::fs::write(&file, roles.replace(row, "hold.list - - - own own own -")).unwrap();
    let why = ["--reason", "Overseers look at holds through the ledger alone."];
    let propose = [&["policy", "propose", "--rules", "rules"][..], &why].concat();
    let proposal = text(&town.operator.json(&propose), "/id");
    let shown = otto.ok(&["policy", "diff", &proposal]);
    assert!(
        shown.contains("lost") && shown.contains("hold.list") && shown.contains("--- a/roles.txt"),
        "{shown}"
    );
    town.overseer.ok(&["hold", "list"]);
    otto.ok(&["proposal", "approve", &proposal]);
    town.overseer.refused(&["hold", "list"], 1, &["Your roles"]);
    let public = town.data().join("public/rules.json");
    until("the public rules", || {
        std::fs::read_to_string(&public).unwrap().contains("hold.list - - - own own own -")
    });
    town.ledgers_hold();
    std::fs::write(&file, roles.replace(row, "hold.list what")).unwrap();
    town.operator.refused(&propose, 1, &["files.roles.txt"]);
}

pub fn time_passes(town: &mut Town, case: &Case) {
    let mut policy = town.operator.json(&["policy", "show"]);
    policy["retention"]["closed_case_days"] = json!(5);
    town.operator.write("limits.json", policy.to_string());
    let why = ["--reason", "The council wants closed cases gone within the week."];
    let propose = [&["policy", "propose", "--limits", "limits.json"][..], &why].concat();
    town.operator.refused(&propose, 1, &["two operators", "canvass member add"]);
    let otto = member(town.folder.path(), &town.operator, "Otto", &["operator"], None);
    let proposal = text(&town.operator.json(&propose), "/id");
    town.operator.refused(&["proposal", "approve", &proposal], 1, &["Nobody approves what they proposed"]);
    let shown = otto.ok(&["proposal", "show", &proposal]);
    assert!(shown.contains("+    \"closed_case_days\": 5") && shown.contains("by Olive"), "{shown}");
    otto.ok(&["proposal", "approve", &proposal]);
    otto.refused(
        &["proposal", "refuse", &proposal, "--reason", "It came too late."],
        1,
        &["approved already"],
    );
    rules_are_changed_by_two(town, &otto);
    let items = town.sam.json(&["case", "show", &case.id]);
    let other = ["/items/0/id", "/items/1/id"].map(|at| text(&items, at));
    let other = other.iter().find(|id| **id != case.item).unwrap();
    let hold = town.sam.json(&["hold", "place", &case.item, "--basis", "Order 26-cr-78 of 2026-11-24"]);
    town.sam.ok(&["case", "close", &case.id]);
    let yuri = town.resident("yuri");
    let portals = town.sam.json(&["portal", "list"]);
    let open = portals.as_array().unwrap().iter().find(|portal| portal["open"] == true);
    let portal = text(open.unwrap(), "/id");
    town.seal(&yuri, &portal, "late", &["y.mp4"]);
    let expiring = text(&town.sam.json(&["invite", "create", &portal]), "/secret");
    town.server.take().unwrap().stop();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let later = ahead(town, 12, &runtime);
    yuri.refused(
        &["give", "late", "--invitation", &expiring],
        1,
        &["its time is over", "ask the agency for a new invitation"],
    );
    let gone = |id: &str| town.sam.json(&["item", "show", id])["destroyed"].is_string();
    until("the sweep", || gone(other));
    assert!(!gone(&case.item), "the hold did not beat the sweep");
    town.sam.refused(
        &["item", "read", other, "--purpose", crate::story::WHY, "--out", "gone.mp4"],
        1,
        &["destroyed"],
    );
    town.sam.ok(&["item", "read", &case.item, "--purpose", crate::story::WHY, "--out", "held.mp4"]);
    town.sam.ok(&["hold", "release", &text(&hold, "/id"), "--reason", "The order was lifted."]);
    until("the next sweep", || gone(&case.item));
    town.ledgers_hold();
    a_lost_witness_is_noticed(town);
    runtime.block_on(later.stop());
}
