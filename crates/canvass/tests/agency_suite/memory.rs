//! Memory does not grow with clips: a large one is sealed, given, opened, accepted and read in a small, constant part
//! of it.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::story::WHY;
use crate::town::*;

const GIB: u64 = 1 << 30;
/// Most that a command may hold at any moment, in bytes.
const MOST: u64 = 64 << 20;

/// The most memory that a process held until now, in bytes (`VmHWM` of proc(5)).
fn held(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

/// Runs a command to its end and tells the most memory that it held.
fn peak(who: &Person, args: &[&str]) -> u64 {
    let log = std::fs::File::create(who.home.join("said")).unwrap();
    let mut child = who.command().args(args).stdout(Stdio::null()).stderr(log).spawn().unwrap();
    let mut peak = 0;
    loop {
        peak = held(child.id()).unwrap_or(0).max(peak);
        if let Some(status) = child.try_wait().unwrap() {
            let said = std::fs::read_to_string(who.home.join("said")).unwrap();
            assert!(status.success(), "canvass {}\n{said}", args.join(" "));
            println!("canvass {}: at most {} MiB", args[0], peak >> 20);
            return peak;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn sparse(path: &Path, bytes: u64) {
    std::fs::File::create(path).unwrap().set_len(bytes).unwrap();
}

#[test]
fn a_clip_of_a_gibibyte_takes_no_more_memory_than_a_short_one() {
    if held(std::process::id()).is_none() {
        println!("skipped: this system does not tell how much memory a process held");
        return;
    }
    let town = Town::new();
    let (rosa, sam) = (town.resident("rosa"), &town.sam);
    let portal = town.portal();
    sparse(&rosa.home.join("long.mp4"), GIB);
    let mut peaks =
        vec![("seal", peak(&rosa, &["seal", "--portal", &portal, "--out", "long", "--yes", "long.mp4"]))];
    peaks.push(("give", peak(&rosa, &["give", "long", "--wait", "300"])));
    for file in ["long.age", "long.mp4"] {
        std::fs::remove_file(rosa.home.join(file)).unwrap();
    }
    let offer = text(&sam.json(&["inbox"]), "/0/id");
    let case = text(&sam.json(&["case", "create", "--title", "A long one", "--destination", &portal]), "/id");
    peaks.push(("open", peak(sam, &["open", &offer, "--case", &case, "--purpose", WHY, "--out", "opened"])));
    assert_eq!(std::fs::metadata(sam.home.join("opened/clip-01.mp4")).unwrap().len(), GIB);
    if std::env::var_os("CANVASS_LONG").is_some() {
        peaks.push((
            "triage",
            peak(sam, &["triage", &offer, "accept", "1", "--case", &case, "--dir", "opened"]),
        ));
        let item = text(&sam.json(&["case", "show", &case]), "/items/0/id");
        peaks.push(("item read", peak(sam, &["item", "read", &item, "--purpose", WHY, "--out", "read.mp4"])));
        std::fs::remove_file(sam.home.join("read.mp4")).unwrap();
        // The disk says how long a clip can be tried.
        for size in [20, 4] {
            sparse(&rosa.home.join("longer.mp4"), size * GIB);
            let room =
                std::process::Command::new("df").args(["--output=avail", "-B1"]).arg(&rosa.home).output();
            let room = room.ok().and_then(|shown| String::from_utf8(shown.stdout).ok());
            let room = room.and_then(|text| text.lines().nth(1)?.trim().parse::<u64>().ok()).unwrap_or(0);
            if room > (size + 4) * GIB {
                let seal = ["seal", "--portal", &portal, "--out", "longer", "--yes", "longer.mp4"];
                peaks.push(("seal of a longer one", peak(&rosa, &seal)));
                break;
            }
        }
    }
    for (command, peak) in peaks {
        assert!(peak > 0 && peak < MOST, "{command} held {} MiB, {} are allowed", peak >> 20, MOST >> 20);
    }
}
