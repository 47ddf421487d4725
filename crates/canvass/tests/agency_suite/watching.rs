//! `canvass camera run`: plates that pass a drawn camera reach the server, over a file and over RTSP on loopback, with the
//! server away for a while.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::Command,
    time::Duration,
};

use canvass_testkit::{
    camera::{Show, serve_camera},
    drawn, ffmpeg,
};
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
    let kind = match name.rsplit_once('.') {
        Some((_, "ts")) => "mpeg2video",
        _ if name.contains("h264") => "libx264",
        _ => "mpeg4",
    };
    let (from, to) = (from.display().to_string(), to.display().to_string());
    // Rest at the end, so that the car is seen to have gone.
    let rest = [
        "-vf",
        "tpad=stop=30:color=gray",
        "-r",
        "25",
        "-c:v",
        kind,
        "-q:v",
        "2",
        "-g",
        "5",
        "-pix_fmt",
        "yuv420p",
    ];
    ffmpeg(&[&["-framerate", "10", "-i", &from][..], &rest, &[&to]].concat()).then_some(to)
}

/// The clock of a camera that is 192 seconds fast, as sender reports count: 32 bits of seconds since 1900, 32 of a second.
fn fast_clock() -> u64 {
    let now: jiff::Timestamp = crate::reads::now().parse().unwrap();
    let since_1900 = now.as_second() + 2_208_988_800 + 192;
    ((since_1900 as u64) << 32) + ((now.subsec_nanosecond() as u64) << 32) / 1_000_000_000
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
    let stream = fs::read(file).unwrap();
    let show = Show { stream, pause: Duration::from_millis(8), rest, clock: Some(fast_clock) };
    let address = serve_camera(show);
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
    let ahead = tally["camera_clock"]["ahead_seconds"].as_f64().unwrap();
    // Its reports may have waited while this machine was busy.
    assert!((150.0..193.0).contains(&ahead), "what it said of its clock: {told}");
    found(&street, 2);
    // A token that counts no more ends it at once, with the reason.
    machine.write("token", "cvt_abc");
    let ended = machine.run(&["camera", "run", &address, "--seconds", "60"]);
    assert_eq!(ended.code, 1, "{}{}", ended.out, ended.err);
    assert!(ended.err.contains("not sent"), "{}", ended.err);
}

/// GStreamer's RTSP server with a film, and its port; none where it is not installed.
fn stock_camera(film: &str, user: &str, password: &str) -> Option<(Process, u16)> {
    // Its bindings are the system's.
    let python = || Command::new("/usr/bin/python3");
    let there = "import gi; gi.require_version('GstRtspServer', '1.0')";
    if !python().args(["-c", there]).status().is_ok_and(|status| status.success()) {
        println!("skipped: GStreamer's RTSP server is not here; `cargo xtask setup` installs it");
        return None;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/agency_suite/rtsp_camera.py");
    let mut command = python();
    command.arg(script).args([film, user, password]).stdout(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    Some((Process::of(child), line.trim().parse().unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stock_rtsp_server_is_followed_with_user_and_password_and_tells_its_clock() {
    let folder = tempfile::tempdir().unwrap();
    let Some(once) = film(folder.path(), "h264.mp4", 12) else { return };
    // Six times, so that it lasts until the server has sent a report.
    let long = folder.path().join("long.mp4").display().to_string();
    assert!(ffmpeg(&["-stream_loop", "5", "-i", &once, "-c", "copy", &long]));
    let Some((_stock, port)) = stock_camera(&long, "ada", "s@cret") else { return };
    let mut street = Street::new(1);
    let machine = machine(&street);
    let run = |user: &str, seconds: &str| {
        let mut command = machine.command();
        command.args(["--json", "camera", "run", "--fps", "10", "--seconds", seconds]);
        command.env("CANVASS_CAMERA", format!("rtsp://{user}@127.0.0.1:{port}/1"));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        (told["tally"].clone(), String::from_utf8(output.stderr).unwrap())
    };
    let (tally, err) = run("ada:wrong%40one", "4");
    assert_eq!((&tally["frames"], &tally["camera_clock"]), (&json!(0), &Value::Null), "{tally}");
    assert!(err.contains("clock is not known") && !err.contains("wrong@one"), "{err}");
    let (tally, err) = run("ada:s%40cret", "25");
    assert!(tally["connections"].as_u64() >= Some(1) && tally["stored"].as_u64() >= Some(1), "{tally}{err}");
    assert_eq!(tally["reads"], tally["stored"], "{tally}{err}");
    let ahead = tally["camera_clock"]["ahead_seconds"].as_f64().unwrap_or(f64::NAN);
    assert!(ahead.abs() < 20.0, "both are on this machine: {tally}{err}");
    assert!(err.contains("the camera's clock") && !err.contains("s@cret"), "{err}");
    found(&street, 1);
    street.stop();
}
