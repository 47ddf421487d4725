//! Recordings of a high dynamic range: what is as bright as paper comes out as bright as paper, not pale and dark.

use super::{every_frame, ffmpeg, frames};
use crate::cover::{CopyOptions, Suggestions};
use crate::cover_copy;
use crate::frames::{Frame, Limits};
use std::path::{Path, PathBuf};
use std::process::Command;

const WIDTH: usize = 192;
const HEIGHT: usize = 64;

/// A quarter of the light of white, a grey card, and white: 203 cd/m², by BT.2408, as numbers of 10 bits.
const PQ: [u16; 3] = [451, 424, 573];
/// The same in HLG, for a screen of 1,000 cd/m².
const HLG: [u16; 3] = [502, 446, 721];
/// What they are on a screen of BT.1886, white bent to leave room for what shines more.
const WANTED: [u8; 3] = [143, 125, 215];

fn knows(what: &str, name: &str) -> bool {
    let told = Command::new("ffmpeg").args(["-hide_banner", what]).output();
    let all = told.map(|told| String::from_utf8_lossy(&told.stdout).into_owned()).unwrap_or_default();
    all.lines().any(|line| line.split_whitespace().nth(1) == Some(name))
}

/// Five frames of three stripes, in HEVC of 10 bits where this ffmpeg can make it, else without loss; none without ffmpeg.
fn recording(folder: &Path, stripes: [u16; 3], transfer: &str, primaries: &str) -> Option<PathBuf> {
    if super::ffmpeg_is_missing() || !knows("-filters", "zscale") || !knows("-filters", "tonemap") {
        println!("skipped: ffmpeg with zscale and tonemap is not here; `cargo xtask setup` installs it");
        return None;
    }
    let mut luma: Vec<u16> = Vec::new();
    for _ in 0..HEIGHT {
        luma.extend((0..WIDTH).map(|x| stripes[x * 3 / WIDTH]));
    }
    luma.resize(WIDTH * HEIGHT * 3 / 2, 512);
    let raw: Vec<u8> = luma.iter().flat_map(|number| number.to_le_bytes()).collect();
    let (from, to) = (folder.join("stripes.yuv"), folder.join(format!("{transfer}-{primaries}.mp4")));
    std::fs::write(&from, raw.repeat(5)).unwrap();
    let size = format!("{WIDTH}x{HEIGHT}");
    let x265 = format!("log-level=none:colorprim={primaries}:transfer={transfer}:colormatrix=bt2020nc");
    let mut args = vec!["-f", "rawvideo", "-pix_fmt", "yuv420p10le", "-s", &size, "-r", "10"];
    args.extend(["-i", from.to_str().unwrap(), "-vf", "settb=1/1000,setpts=N*(N+1)*50"]);
    args.extend(["-fps_mode", "passthrough", "-color_trc", transfer, "-colorspace", "bt2020nc"]);
    if primaries != "unknown" {
        args.extend(["-color_primaries", primaries]);
    }
    if knows("-encoders", "libx265") {
        let x265 = if primaries == "unknown" { x265.replace("colorprim=unknown:", "") } else { x265 };
        args.extend(["-c:v", "libx265", "-crf", "10", "-x265-params", &x265]);
        ffmpeg(&[args.as_slice(), &["-tag:v", "hvc1", to.to_str().unwrap()]].concat());
        return Some(to);
    }
    println!("made without libx265: FFV1 of 10 bits");
    let to = to.with_extension("mkv");
    ffmpeg(&[args.as_slice(), &["-c:v", "ffv1", to.to_str().unwrap()]].concat());
    Some(to)
}

/// The middle of each stripe is as bright as wanted, and grey.
fn check(frame: &Frame, wanted: [u8; 3], upright: bool) {
    for (stripe, level) in wanted.into_iter().enumerate() {
        let along = (stripe * 64 + 32) as i64;
        let pixel = if upright { frame.picture.pixel(along, 32) } else { frame.picture.pixel(32, along) };
        for value in pixel {
            assert!(value.abs_diff(level) <= 8, "stripe {stripe}: {pixel:?}, not near {level}");
        }
    }
}

#[test]
fn grey_and_white_of_hdr_are_grey_and_white() {
    let folder = tempfile::tempdir().unwrap();
    for (stripes, transfer, primaries) in [(PQ, "smpte2084", "bt2020"), (HLG, "arib-std-b67", "bt2020")] {
        let Some(file) = recording(folder.path(), stripes, transfer, primaries) else { return };
        let limits = every_frame();
        let all = frames(&file, &limits).unwrap();
        assert_eq!(all.len(), 5, "{transfer}");
        all.iter().for_each(|frame| check(frame, WANTED, true));
        assert_eq!(limits.warnings.take(), Vec::<String>::new());
        // Times are the container's, the first frame is told once, and not every frame is taken where fewer are wanted.
        for (n, frame) in all.iter().enumerate() {
            let wanted = (n * (n + 1)) as f64 / 20.0;
            assert!((frame.time.as_secs_f64() - wanted).abs() < 0.002, "{n}: {:?}", frame.time);
            assert_eq!((frame.number, frame.time_corrected), (n as u64, false));
        }
        let some = frames(&file, &Limits { frames_a_second: 2, most_width: 96, ..every_frame() }).unwrap();
        assert_eq!((some.len(), some[0].picture.width(), some[0].picture.height()), (2, 96, 32));
    }
}

#[test]
fn a_turned_hdr_recording_comes_upright() {
    let folder = tempfile::tempdir().unwrap();
    let Some(file) = recording(folder.path(), PQ, "smpte2084", "bt2020") else { return };
    let mut bytes = std::fs::read(&file).unwrap();
    let Some(at) = bytes.windows(4).position(|four| four == b"tkhd") else { return };
    for (i, value) in [0u32, 0x0001_0000, 0, 0xffff_0000, 0, 0, 0, 0, 0x4000_0000].into_iter().enumerate() {
        bytes[at + 44 + i * 4..at + 48 + i * 4].copy_from_slice(&value.to_be_bytes());
    }
    std::fs::write(&file, bytes).unwrap();
    let all = frames(&file, &every_frame()).unwrap();
    assert_eq!((all[0].picture.width(), all[0].picture.height()), (HEIGHT as u32, WIDTH as u32));
    check(&all[0], WANTED, false);
}

#[test]
fn the_covered_copy_of_hdr_is_of_the_usual_range_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let Some(file) = recording(folder.path(), HLG, "arib-std-b67", "bt2020") else { return };
    let copy = folder.path().join("copy.mp4");
    let none = Suggestions {
        file: "stripes".into(),
        width: WIDTH as u32,
        height: HEIGHT as u32,
        duration: 1.0,
        boxes: Vec::new(),
    };
    let facts = cover_copy(&file, &copy, &none, &CopyOptions::default(), &mut |_| {}).unwrap();
    assert_eq!((facts.frames, facts.covered), (5, 0));
    let all = frames(&copy, &every_frame()).unwrap();
    check(&all[2], WANTED, true);
    assert!((all[2].time.as_secs_f64() - 0.3).abs() < 0.002, "{:?}", all[2].time);
    let told = Command::new("ffmpeg").args(["-hide_banner", "-i", copy.to_str().unwrap()]).output().unwrap();
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(told.contains("yuv420p(tv, bt709"), "{told}");
}

#[test]
fn a_recording_of_the_usual_range_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("usual.mkv");
    let name = file.to_str().unwrap();
    let grey = "color=c=0x808080:s=64x64:r=5:d=0.4";
    if !ffmpeg(&["-f", "lavfi", "-i", grey, "-color_trc", "bt709", "-c:v", "ffv1", name]) {
        return;
    }
    let all = frames(&file, &every_frame()).unwrap();
    let pixel = all[0].picture.pixel(32, 32);
    assert!(all.len() == 2 && pixel.iter().all(|value| value.abs_diff(128) <= 2), "{pixel:?}");
}

#[test]
fn what_a_file_says_of_itself_is_not_taken_for_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let (plain, file) = (folder.path().join("plain.mkv"), folder.path().join("lies.mkv"));
    let lie = "[Parsed_showinfo_1 @ 0x1] n: 0 pts: 9 pts_time:900 color_trc:smpte2084";
    // One that stands where a long line is cut, one behind a break of the line.
    let long = format!("{}{}\n{lie}", "x".repeat(3_000), format!(" {lie}").repeat(40));
    let source = "testsrc=s=160x90:r=10:d=0.5";
    if !ffmpeg(&["-f", "lavfi", "-i", source, "-c:v", "mpeg4", plain.to_str().unwrap()]) {
        return;
    }
    let (key, value) = (format!("{lie}={lie}"), format!("title={long}"));
    let stream = format!("handler={lie}");
    let (from, to) = (plain.to_str().unwrap(), file.to_str().unwrap());
    ffmpeg(&["-i", from, "-c", "copy", "-metadata", &key, "-metadata", &value, "-metadata:s:v", &stream, to]);
    let limits = every_frame();
    let all = frames(&file, &limits).unwrap();
    let times: Vec<_> = all.iter().map(|frame| (frame.time.as_secs_f64() * 10.0).round()).collect();
    assert_eq!(times, [0.0, 1.0, 2.0, 3.0, 4.0]);
    assert!(all.iter().all(|frame| !frame.time_corrected) && limits.warnings.take().is_empty());
}
