//! `canvass camera run`: plates that pass a drawn camera reach the server, over a file and over RTSP on loopback, with the
//! server away for a while.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::Command,
    time::Duration,
};

use canvass_testkit::{camera::serve_camera, drawn};
use serde_json::{Value, json};

use crate::{reads::Street, town::*};

/// A car that drives by within `frames` tenths of a second, as a film; none where ffmpeg or the models are missing.
pub fn film(folder: &Path, name: &str, frames: u32) -> Option<String> {
    let models = canvass_vision::default_folder();
    if !models.join("plate-detector").is_dir() || !models.join("objects").is_dir() {
        println!("skipped: the models are not in {}; `cargo xtask models` fetches them", models.display());
        return None;
    }
    for i in 0..frames {
        let scene = drawn::scene("KTX4025", (300 + i * 16, 230 + i * 4), (140, 52), (960, 540));
        fs::write(folder.join(format!("{i:02}.ppm")), scene.ppm()).unwrap();
    }
    let (from, to) = (folder.join("%02d.ppm"), folder.join(name));
    let kind = if name.ends_with(".ts") { "mpeg2video" } else { "mpeg4" };
    let (from, to) = (from.display().to_string(), to.display().to_string());
    // Rest at the end, so that the car is seen to have gone.
    let rest = ["-vf", "tpad=stop=30:color=gray", "-r", "25", "-c:v", kind, "-q:v", "2", "-g", "5"];
    ffmpeg(&[&["-framerate", "10", "-i", &from][..], &rest, &[&to]].concat()).then_some(to)
}

/// The machine beside the camera: a folder with the camera's token and nothing else.
fn machine(street: &Street) -> Person {
    let machine = person(street.folder.path(), "machine", &url(street.desk));
    machine.write("token", &street.tokens[0]);
    machine
}

fn found(street: &Street, at_least: usize) -> Value {
    let ines = member(street.folder.path(), &street.ada, "Ines", &["investigator"], Some(&street.agency));
    ines.ok(&["case", "create", "--title", "26-77"]);
    let args = ["plate", "search", "KTX4025", "--tolerant", "--confidence", "50", "--case-number", "26-77"];
    let why =
        ["--for", "crime", "--offence", "felony", "--purpose", "Grey pickup at the pharmacy on Elm Street"];
    let answer = ines.json(&[&args[..], &why].concat());
    let matches = answer["matches"].as_array().unwrap();
    assert!(matches.len() >= at_least, "{answer}");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_read_to_the_server_once() {
    let folder = tempfile::tempdir().unwrap();
    let Some(file) = film(folder.path(), "drive.mp4", 12) else { return };
    let mut street = Street::new(1);
    let machine = machine(&street);
    machine.refused(&["camera", "run", &file], 2, &["--start"]);
    let start = crate::reads::now();
    let run = ["camera", "run", &file, "--start", &start, "--fps", "10"];
    let said = machine.run(&[&["--json"][..], &run].concat());
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(!format!("{}{}", said.out, said.err).contains("KTX"), "no plate is printed");
    let told: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(told["tally"]["reads"], told["tally"]["stored"], "{told}");
    assert_eq!((&told["tally"]["stored"], &told["reads_forgotten"]), (&json!(1), &json!(0)), "{told}");
    let again = machine.json(&run);
    assert_eq!((&again["tally"]["stored"], &again["tally"]["duplicates"]), (&json!(0), &json!(1)), "{again}");
    let answer = found(&street, 1);
    assert_eq!(answer["matches"].as_array().unwrap().len(), 1);
    assert_eq!(answer["matches"][0]["picture"], json!(true), "a cut of the plate goes along");
    street.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_is_followed_while_it_and_the_server_come_and_go() {
    let folder = tempfile::tempdir().unwrap();
    let Some(file) = film(folder.path(), "drive.ts", 12) else { return };
    // So long after each passing that the next one is none of the same.
    let rest = Duration::from_secs(7);
    let address = serve_camera(fs::read(file).unwrap(), Duration::from_millis(8), rest);
    let mut street = Street::new(1);
    let machine = machine(&street);
    // Nobody answers while the first cars pass.
    street.stop();
    let mut running = machine
        .command()
        .args(["--json", "camera", "run", "--fps", "10", "--seconds", "120"])
        .env("CANVASS_CAMERA", &address)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // However slow this machine is: the server comes back once a read was tried in vain.
    let mut lines = BufReader::new(running.stderr.take().unwrap()).lines();
    let mut err = String::new();
    while !err.contains("did not answer") || !err.contains("connecting again") {
        let Some(Ok(line)) = lines.next() else { panic!("it ended: {err}") };
        err.push_str(&line);
    }
    street.start();
    let rest = std::thread::spawn(move || lines.map_while(Result::ok).collect::<Vec<_>>().join("\n"));
    tokio::time::sleep(Duration::from_secs(20)).await;
    let interrupt = Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    let output = running.wait_with_output().unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), rest.join().unwrap());
    assert!(output.status.success(), "{out}{err}");
    let told: Value = serde_json::from_str(&out).unwrap();
    let tally = &told["tally"];
    assert!(tally["connections"].as_u64() >= Some(2), "{told}");
    assert!(tally["stored"].as_u64() >= Some(2), "each time that it passes is a read: {told}");
    assert_eq!((&tally["reads"], &told["reads_forgotten"]), (&tally["stored"], &json!(0)), "{told}");
    found(&street, 2);
    // A token that counts no more ends it at once, with the reason.
    machine.write("token", "cvt_abc");
    let ended = machine.run(&["camera", "run", &address, "--seconds", "60"]);
    assert_eq!(ended.code, 1, "{}{}", ended.out, ended.err);
    assert!(ended.err.contains("not sent"), "{}", ended.err);
}
