//! What is asked wrongly, or can't be done: every answer names the fault and what to do, and nothing panics.

use std::process::{Command, Stdio};

use crate::town::*;

const AGENCY: &str = "agy_aaaaaaaaaaaaaaaaaaaaaaaaaa";

/// Arguments, exit status, and words that the answer must hold.
type Case<'a> = (Vec<&'a str>, i32, &'a [&'a str]);

/// Tries all of them, and names all that are answered otherwise.
#[track_caller]
fn each(who: &Person, cases: &[Case<'_>]) {
    let mut wrong = Vec::new();
    for (args, code, words) in cases {
        let said = who.run(args);
        let all = format!("canvass {}\n{}{}", args.join(" "), said.out, said.err);
        let lacking = words.iter().find(|word| !all.contains(**word));
        if said.code != *code || all.contains("panicked") || said.err.trim().len() <= 20 || lacking.is_some()
        {
            wrong.push(format!("status {} for {code}, without {lacking:?}: {all}", said.code));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn without_a_server_each_command_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let who = person(folder.path(), "ann", "http://127.0.0.1:9");
    who.write("token", "cvt_abc");
    who.write("broken.json", "{\"code\": 1");
    who.write("binary", [0xff, 0xfe, 0x00, 0x80]);
    who.write("clip.mp4", "clip");
    who.write("empty.mp4", "");
    who.write("damaged.offer.json", "{\"v\": 1}");
    std::fs::create_dir(who.home.join("folder")).unwrap();
    let down = "did not answer";
    each(
        &who,
        &[
            (vec!["requests", "list", "--at", "91,0"], 2, &["--at LAT,LON in degrees"]),
            (vec!["requests", "list", "--region", "zz"], 2, &["H3 cell of resolution 3"]),
            (vec!["requests", "list", "--at", "43.2,-71.5"], 1, &[down, "check the address"]),
            (vec!["requests", "show", "req_1", "--at", "43.2,-71.5"], 2, &["req_1"]),
            (vec!["seal", "--request", "req_x", "--out", "o", "clip.mp4"], 1, &[down]),
            (vec!["seal", "--out", "o", "clip.mp4"], 2, &["--request"]),
            (vec!["seal", "--request", "req_x", "--out", "damaged", "clip.mp4"], 2, &["exists already"]),
            (
                vec!["seal", "--request", "a", "--contact", "broken.json", "--out", "o", "clip.mp4"],
                2,
                &["broken.json: line 1"],
            ),
            (vec!["give", "nothing"], 2, &["nothing.offer.json", "seal first"]),
            (vec!["give", "damaged"], 1, &["damaged at line 1", "restore it from a copy"]),
            (vec!["receipt", "nothing"], 2, &["seal first"]),
            (vec!["offer", "status", "--offer", "folder"], 2, &["seal first"]),
            (vec!["offer", "answer", "--offer", "damaged.offer.json", " "], 2, &["the answer is empty"]),
            (vec!["keygen", "--out", "clip.mp4"], 2, &["exists already"]),
            (vec!["verify", "ledger", "folder"], 2, &["there is no ledger in it"]),
            (vec!["verify", "ledger", "ftp://a"], 2, &["write it as https://"]),
            (vec!["verify", "receipt", "none.json"], 1, &["none.json", "check the path"]),
            (vec!["verify", "receipt", "broken.json"], 1, &["broken.json"]),
            (vec!["verify", "package", "none"], 1, &["none"]),
            (vec!["verify", "package", "folder"], 1, &["folder"]),
            (vec!["witness", "keygen", "--name", "w x", "--out", "w.key"], 2, &["name"]),
            (vec!["witness", "serve", "--key", "none", "--state", "s", "--log", "x"], 2, &["ORIGIN=VKEY"]),
            (vec!["witness", "serve", "--key", "none", "--state", "s", "--log", "x=y"], 2, &["--log"]),
            (vec!["agency", "list"], 1, &[down]),
            (vec!["agency", "show", "agy_1"], 2, &["agy_1"]),
            (vec!["agency", "verify", AGENCY, "--public", "AAAA"], 2, &["AAAA"]),
            (
                vec![
                    "agency",
                    "register",
                    "--name",
                    "A",
                    "--class",
                    "navy",
                    "--subdivision",
                    "US-NH",
                    "--area",
                    "a",
                ],
                2,
                &["navy", "municipal"],
            ),
            (
                vec![
                    "agency",
                    "register",
                    "--name",
                    "A",
                    "--class",
                    "county",
                    "--subdivision",
                    "US-NH",
                    "--area",
                    "none",
                ],
                1,
                &["none", "check the path"],
            ),
            (
                vec![
                    "agency",
                    "register",
                    "--name",
                    "A",
                    "--class",
                    "county",
                    "--subdivision",
                    "US-NH",
                    "--area",
                    "broken.json",
                ],
                2,
                &["GeoJSON with one polygon"],
            ),
            (vec!["agency", "key", "revoke", "xyz"], 2, &["16 hexadecimal digits"]),
            (vec!["agency", "key", "new", "--out", "clip.mp4"], 2, &["exists already"]),
            (vec!["agency", "rewrap"], 2, &["canvass keygen"]),
            (vec!["agency", "request-key", "x"], 2, &["req_", "por_"]),
            (
                vec!["agency", "recover", "--recovery", "none", "--rehearse", "--all"],
                1,
                &["none", "check the path"],
            ),
            (vec!["agency", "recover", "--recovery", "binary", "--rehearse"], 2, &["identity file"]),
            (vec!["member", "add", "--name", "A", "--role", "king"], 2, &["king", "investigator"]),
            (vec!["member", "recipient"], 2, &["you have no identity", "canvass keygen"]),
            (vec!["member", "token", "x", "--label", "l"], 2, &["mbr_"]),
            (vec!["request", "draft", "--file", "none"], 1, &["none", "check the path"]),
            (vec!["request", "draft", "--file", "broken.json"], 2, &["broken.json", "line 1"]),
            (vec!["request", "check", "--code", "a"], 2, &["--incident"]),
            (vec!["request", "submit", "req_aaaaaaaaaaaaaaaaaaaaaaaaaa"], 2, &["req_"]),
            (vec!["hold", "place", "x"], 2, &["--basis"]),
            (vec!["annotate", "x", "--note", "n"], 2, &["off_", "cas_", "itm_"]),
            (vec!["item", "custody", "x"], 2, &["itm_", "off_"]),
            (vec!["inbox", "--state", "lost"], 2, &["lost", "received"]),
            (vec!["triage", "off_x", "accept"], 2, &["off_x"]),
            (vec!["withdrawal", "off_x", "maybe", "--reason", "r"], 2, &["off_x"]),
            (vec!["serve", "--data", "clip.mp4"], 1, &["clip.mp4"]),
            (vec!["serve", "--data", "d", "--witness", "x"], 2, &["URL=VKEY"]),
            (vec!["serve", "--data", "d", "--tls-cert", "c"], 2, &["--tls-key"]),
            (vec!["check", "--data", "none"], 1, &["none"]),
            (vec!["backup", "--data", "none", "--to", "b"], 1, &["none"]),
            (vec!["restore", "--from", "none", "--data", "b"], 1, &["none"]),
            (vec!["restore", "--from", "folder", "--data", "b"], 1, &["folder"]),
            (vec!["init", "--data", "clip.mp4", "--operator", "A"], 1, &["clip.mp4"]),
            (vec!["fly"], 2, &["fly"]),
        ],
    );
    who.write("token", [0xff, 0xfe]);
    each(&who, &[(vec!["agency", "list"], 2, &["not text"])]);
    who.write("token", "two words");
    each(&who, &[(vec!["agency", "list"], 2, &["copy it again"])]);
    std::fs::remove_file(who.home.join("token")).unwrap();
    each(
        &who,
        &[
            (vec!["agency", "list"], 2, &["no token", "--token-file"]),
            (vec!["agency", "list", "--token-file", "none"], 1, &["none", "check the path"]),
            (
                vec!["requests", "list", "--at", "1,1", "--server", "http://canvass.example"],
                2,
                &["plain http"],
            ),
        ],
    );
}

#[test]
fn a_server_that_is_another_one_or_refuses_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (desk, public) = (free_port(), free_port());
    let operator = person(folder.path(), "operator", &url(desk));
    operator.write("token", operator.ok(&["init", "--data", "data", "--operator", "Olive"]).trim());
    let server = start(&operator, "data", desk, public, &[]);
    let none = |prefix: &str| format!("{prefix}_{}", AGENCY.trim_start_matches("agy_"));
    let hidden: &[&str] = &["none under this id that you may see", "check the id, or list what there is"];
    let (request, case, offer) = (none("req"), none("cas"), none("off"));
    let tls = format!("https://127.0.0.1:{desk}");
    operator.write("clip.mp4", "clip");
    each(
        &operator,
        &[
            (vec!["agency", "show", AGENCY], 1, hidden),
            (vec!["agency", "suspend", AGENCY], 1, hidden),
            (vec!["request", "withhold", &request, "--basis", "Order 26-cv-118", "--yes"], 1, hidden),
            (vec!["case", "show", &case], 1, &["canvass: "]),
            (vec!["offer-show", &offer], 1, &["canvass: "]),
            (vec!["inbox"], 1, &["canvass: "]),
            (vec!["agency", "list", "--server", &tls], 1, &["did not answer", "check the address"]),
            (vec!["requests", "list", "--at", "1,1", "--server", &tls], 1, &["did not answer"]),
            (vec!["agency", "list", "--server", &url(public)], 1, &["canvass: "]),
            (
                vec!["seal", "--server", &url(public), "--request", &request, "--out", "o", "clip.mp4"],
                1,
                &["canvass: "],
            ),
            (
                vec!["seal", "--server", &url(public), "--request", "req_1", "--out", "o", "clip.mp4"],
                2,
                &["copy it again whole"],
            ),
            (vec!["serve", "--data", "data", "--listen", "127.0.0.1:0"], 1, &["canvass: "]),
        ],
    );
    operator.write("token", "cvt_abc");
    each(
        &operator,
        &[(
            vec!["agency", "list"],
            1,
            &["the token or session is missing, unknown, expired, revoked or ended"],
        )],
    );
    server.stop();
    strange_certificate(folder.path());
}

/// A server whose certificate nobody vouches for.
fn strange_certificate(folder: &std::path::Path) {
    let who = person(folder, "tls", "http://127.0.0.1:9");
    let mut make = Command::new("openssl");
    make.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]);
    make.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]);
    make.args(["-keyout", "key.pem", "-out", "cert.pem"]).current_dir(&who.home);
    if !make.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
        println!("skipped: openssl is not installed");
        return;
    }
    who.ok(&["init", "--data", "data", "--operator", "Olive"]);
    let (desk, public) = (free_port(), free_port());
    let mut command = who.command();
    command.args([
        "serve",
        "--data",
        "data",
        "--log",
        "error",
        "--tls-cert",
        "cert.pem",
        "--tls-key",
        "key.pem",
    ]);
    command.args([
        "--listen",
        &format!("127.0.0.1:{desk}"),
        "--public-listen",
        &format!("127.0.0.1:{public}"),
    ]);
    let mut server = command.stdout(Stdio::null()).spawn().unwrap();
    until("the server", || std::net::TcpStream::connect(("127.0.0.1", desk)).is_ok());
    let address = format!("https://localhost:{desk}");
    who.write("token", "cvt_abc");
    let said = who.run(&["agency", "list", "--server", &address]);
    let _ = server.kill();
    let _ = server.wait();
    said.refused(1, &["did not answer", "ertificate"]);
}
