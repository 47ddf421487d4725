//! Models that operators bring, from the executable: small networks that do by arithmetic what trained ones of their form do
//! (`crates/vision/src/tests/data/make.py`) are added, listed, checked and put to use; and recordings of a high dynamic range.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use canvass_testkit::ffmpeg;
use canvass_vision::Picture;
use serde_json::Value;

use crate::town::*;

const READER: &str = "max_plate_slots: 4\nalphabet: '0123456789AB_'\npad_char: '_'\nimg_height: 16\nimg_width: 64\n\
                      keep_aspect_ratio: false\ninterpolation: linear\nimage_color_mode: grayscale\n\
                      plate_regions: [Argentina, Germany]\n";
const TOWERS: &str =
    "size = 8\ncontext = 8\nmean = [0.5, 0.5, 0.5]\nstd = [0.5, 0.5, 0.5]\nprompt = \"{}\"\n";

/// Someone with a folder of models, the small networks and their settings, and no server.
struct Bench {
    who: Person,
    models: PathBuf,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let who = person(folder.path(), "bench", "http://127.0.0.1:1");
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vision/src/tests/data");
        for entry in fs::read_dir(data).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), who.home.join(entry.file_name())).unwrap();
        }
        who.write("reader.yaml", READER);
        who.write("towers.toml", TOWERS);
        Self { models: who.home.join("models"), who, _folder: folder }
    }

    /// Lends what came with Canvass, and is not brought; false where it isn't here.
    fn lend(&self, name: &str) -> bool {
        let from = canvass_vision::default_folder().join(name);
        let Ok(entries) = fs::read_dir(&from) else {
            println!("skipped: {} is not here; `cargo xtask models` fetches it", from.display());
            return false;
        };
        fs::create_dir_all(self.models.join(name)).unwrap();
        for entry in entries.map(Result::unwrap).filter(|entry| entry.path().is_file()) {
            fs::copy(entry.path(), self.models.join(name).join(entry.file_name())).unwrap();
        }
        true
    }

    fn run(&self, args: &[&str]) -> Said {
        let mut command = self.who.command();
        command.env("CANVASS_MODELS", &self.models).env_remove("CANVASS_ONNXRUNTIME");
        said(command.args(args))
    }

    #[track_caller]
    fn ok(&self, args: &[&str]) -> String {
        let said = self.run(args);
        assert_eq!(said.code, 0, "canvass {}\n{}{}", args.join(" "), said.out, said.err);
        said.out
    }

    fn add(&self, args: &[&str]) -> Said {
        self.run(&[&["models", "add"], args, &["--licence", "MIT", "--credit", "us"]].concat())
    }

    #[track_caller]
    fn added(&self, args: &[&str]) {
        let said = self.add(args);
        assert_eq!(said.code, 0, "{args:?}\n{}{}", said.out, said.err);
    }

    fn listed(&self) -> Value {
        serde_json::from_str(&self.ok(&["models", "list", "--json"])).unwrap()
    }
}

fn said(command: &mut Command) -> Said {
    let output = command.output().unwrap();
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A red plate on grey, of the size of one cell of the detector; its four quarters are grey enough for 4, 5, 4 and 5.
fn plate() -> Vec<u8> {
    let mut rgb = vec![100u8; 512 * 512 * 3];
    for y in 192..256 {
        for x in 128..192 {
            let blue = if ((x - 128) / 16) % 2 == 0 { 72 } else { 248 };
            rgb[(y * 512 + x) * 3..][..3].copy_from_slice(&[240, 0, blue]);
        }
    }
    Picture::new(512, 512, rgb).unwrap().jpeg(95).unwrap()
}

/// Somebody walks in, of the development clips; none where these or ffmpeg are not here.
fn walk(folder: &Path) -> Option<String> {
    let eval = std::env::var_os("CANVASS_EVAL")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/eval"), PathBuf::from);
    let (clip, to) = (eval.join("clips/one-by-one-person-detection.mp4"), folder.join("walk.mp4"));
    if !clip.is_file() {
        println!("skipped: the development clips are not here (CANVASS_EVAL)");
        return None;
    }
    let (from, to) = (clip.display().to_string(), to.display().to_string());
    ffmpeg(&["-ss", "7", "-t", "3", "-i", &from, "-an", "-c:v", "mpeg4", "-q:v", "2", &to]).then_some(to)
}

#[test]
fn a_reader_and_a_detector_are_brought_and_read() {
    let bench = Bench::new();
    if !bench.lend("objects") {
        return;
    }
    let config = ["--format", "fast-plate-ocr", "--config", "reader.yaml", "--release", "7"];
    bench.added(&[&["plate-reader", "slots.onnx"], &config[..]].concat());
    bench.added(&["plate-detector", "yolo-raw.onnx", "--format", "yolo"]);
    let listed = bench.listed();
    let entry = |name: &str| {
        let all = listed.as_array().unwrap();
        all.iter().find(|one| one["name"] == name).unwrap().clone()
    };
    let reader = entry("plate-reader");
    assert_eq!(reader["there"], true, "{reader}");
    let model = &reader["model"];
    assert_eq!((&model["package"], &model["version"]), (&"operator".into(), &"7".into()), "{model}");
    assert_eq!((&model["format"], &model["credit"]), (&"fast-plate-ocr".into(), &"us".into()), "{model}");
    assert_eq!(model["part"]["config"]["file"], "config.yaml", "{model}");
    assert_eq!(entry("plate-detector")["model"]["format"], "yolo");
    // Those that are not here are no news of what was brought.
    let checked = bench.run(&["models", "check"]);
    assert!(checked.out.contains("plate-reader  good"), "{}", checked.out);
    assert!(checked.out.contains("plate-detector  good") && checked.out.contains("objects  good"));

    bench.who.write("gate.jpg", plate());
    let read = bench.ok(&["camera", "read", "gate.jpg", "--json"]);
    let read: Value = serde_json::from_str(read.lines().next().unwrap()).unwrap();
    assert_eq!((&read["plate"], &read["file"]), (&"4545".into(), &"gate.jpg".into()), "{read}");
    let place = [&read["box"]["x"], &read["box"]["y"], &read["box"]["w"]].map(|side| side.as_i64().unwrap());
    assert!(place.iter().zip([128, 192, 64]).all(|(side, wanted)| side.abs_diff(wanted) <= 4), "{read}");

    // Another file in the place of one that was added is refused, by whoever uses it.
    for (file, other) in [
        ("plate-reader/config.yaml", READER.replace("0123", "3210").into_bytes()),
        ("plate-detector/plate-detector.onnx", fs::read(bench.who.home.join("yolo-sorted.onnx")).unwrap()),
    ] {
        let path = bench.models.join(file);
        let before = fs::read(&path).unwrap();
        fs::write(&path, other).unwrap();
        let name = file.split('/').next().unwrap();
        bench.run(&["camera", "read", "gate.jpg"]).refused(1, &[name, "sha256", "put back the file"]);
        let words = [&format!("{name}  model")[..], "sha256", "put back the file"];
        bench.run(&["models", "check"]).refused(1, &words);
        fs::remove_file(&path).unwrap();
        bench.run(&["camera", "read", "gate.jpg"]).refused(1, &[name, "is not there", "put back the file"]);
        fs::write(&path, before).unwrap();
        assert!(bench.ok(&["camera", "read", "gate.jpg"]).contains("4545"));
    }
    let twice = [&["plate-reader", "slots.onnx"], &config[..]].concat();
    bench.add(&twice).refused(1, &["plate-reader", "already", "take that out"]);
}

#[test]
fn towers_are_brought_and_what_is_seen_has_their_look() {
    let bench = Bench::new();
    let Some(film) = walk(&bench.who.home).filter(|_| bench.lend("objects")) else { return };
    let parts = ["--format", "clip", "--text", "tower-text.onnx", "--vocabulary", "merges.txt"];
    bench.added(&[&["towers", "tower-picture.onnx", "--config", "towers.toml"], &parts[..]].concat());
    assert!(bench.run(&["models", "check"]).out.contains("towers  good"));
    bench.ok(&["footage", "index", &film]);
    let index = fs::read_to_string(bench.who.home.join("canvass-footage.jsonl")).unwrap();
    let entry: Value = serde_json::from_str(index.lines().next().unwrap()).unwrap();
    assert!(entry["models"]["towers"].is_string() && entry["models"]["objects"].is_string(), "{entry}");
    let seen = entry["sightings"].as_array().unwrap();
    assert!(!seen.is_empty(), "{entry}");
    for one in seen {
        let look = &one["embedding"];
        assert_eq!(
            (&look["model"], look["values"].as_array().unwrap().len()),
            (&"towers".into(), 3),
            "{one}"
        );
    }
    let kind = seen[0]["kind"].as_str().unwrap().to_lowercase();
    let found = bench.ok(&["footage", "search", &kind, "--least", "0.3", "--json"]);
    let found: Value = serde_json::from_str(found.lines().next().unwrap()).unwrap();
    assert!(found["likeness"].as_f64().is_some_and(|look| look.abs() <= 1.001), "{found}");
    // Another network in the place of the one that was added is refused.
    let text = bench.models.join("towers/text.onnx");
    fs::copy(bench.who.home.join("tower-plain.onnx"), &text).unwrap();
    bench.run(&["footage", "index", &film]).refused(1, &["towers", "sha256", "put back the file"]);
    bench.run(&["footage", "search", &kind]).refused(1, &["towers", "sha256", "put back the file"]);
}

#[test]
fn what_does_not_go_together_is_told_with_its_remedy_and_nothing_is_added() {
    let bench = Bench::new();
    bench.who.write("bad.yaml", READER.replace("img_width", "width"));
    bench.who.write("bad.toml", "colours = 3\n");
    bench.who.write("text.onnx", "no network");
    let reader = ["plate-reader", "slots.onnx", "--format", "fast-plate-ocr"];
    let towers = ["towers", "tower-picture.onnx", "--format", "clip"];
    let all = ["--text", "tower-text.onnx", "--vocabulary", "merges.txt", "--config", "towers.toml"];
    let cases: [(&[&str], &[&str], &[&str]); 19] = [
        (&reader, &[], &["plate-reader", "fast-plate-ocr", "--config FILE"]),
        (&reader, &["--config", "none.yaml"], &["none.yaml", "is not there", "--config"]),
        (&reader, &["--config", "bad.yaml"], &["plate-reader", "--config", "width"]),
        (&reader, &["--config", "towers.toml"], &["plate-reader", "--config"]),
        (&reader, &["--config", "reader.yaml", "--text", "tower-text.onnx"], &["--text", "leave it out"]),
        (&["plate-reader", "none.onnx"], &[], &["none.onnx", "is not there", "name the ONNX file"]),
        (&["plate-reader", "slots.onnx"], &["--format", "onnx"], &["\"onnx\"", "--format fast-plate-ocr"]),
        (&["plate-reader", "slots.onnx"], &["--config", "reader.yaml"], &["--config", "leave it out"]),
        (
            &["plate-reader", "yolo-raw.onnx"],
            &["--format", "fast-plate-ocr", "--config", "reader.yaml"],
            &["plate-reader", "16 by 64"],
        ),
        (&["plate-detector", "slots.onnx"], &["--format", "yolo"], &["[1, 3, height, width]"]),
        (&["plate-detector", "yolo-raw.onnx"], &["--format", "yolo", "--config", "bad.toml"], &["colours"]),
        (
            &["plate-detector", "yolo-raw.onnx"],
            &["--format", "yolo", "--text", "tower-text.onnx"],
            &["--text"],
        ),
        (&["plate-detector", "text.onnx"], &["--format", "yolo"], &["plate-detector"]),
        (&["towers", "tower-picture.onnx"], &all, &["towers", "--format clip"]),
        (&towers, &all[2..], &["towers", "--text FILE"]),
        (&towers, &[&all[..2], &all[4..]].concat(), &["towers", "--vocabulary FILE"]),
        (&towers, &all[..4], &["towers", "--config FILE"]),
        (&towers, &[&["--text", "tower-narrow.onnx"], &all[2..]].concat(), &["two models"]),
        (&["voices", "slots.onnx"], &[], &["voices", "plate-reader", "towers"]),
    ];
    for (model, more, words) in cases {
        let args = [model, more].concat();
        let said = bench.add(&args).refused(1, words);
        assert_eq!(said.err.trim().lines().count(), 1, "{args:?}: {}", said.err);
    }
    let licence = ["models", "add", "plate-detector", "yolo-raw.onnx", "--format", "yolo", "--credit", "us"];
    bench.run(&licence).refused(2, &["--licence"]);
    bench.run(&[&licence[..], &["--licence", "AGPL-3.0"]].concat()).refused(1, &["AGPL-3.0", "MIT"]);
    assert!(!bench.models.join("models.toml").exists() && !bench.models.join("plate-reader").exists());
    // A list that was spoilt by hand is told with its name, and is not written to.
    fs::create_dir_all(&bench.models).unwrap();
    fs::write(bench.models.join("models.toml"), "[model.towers]\nfile = 3\n").unwrap();
    bench.add(&["plate-detector", "yolo-raw.onnx", "--format", "yolo"]).refused(1, &["models.toml"]);
}

#[test]
fn what_looks_at_video_gives_large_blocks_of_memory_back() {
    let bench = Bench::new();
    if !bench.lend("objects") {
        return;
    }
    bench.added(&["plate-reader", "slots.onnx", "--format", "fast-plate-ocr", "--config", "reader.yaml"]);
    bench.added(&["plate-detector", "yolo-raw.onnx", "--format", "yolo"]);
    bench.who.write("film.mp4", "no film");
    // Stands in for ffmpeg, whose last words stand in the error, and tells how the program that calls it was begun.
    let bin = bench.who.home.join("bin");
    fs::create_dir_all(&bin).unwrap();
    let script =
        "#!/bin/sh\n/usr/bin/tr '\\0' '\\n' < /proc/$PPID/environ | /bin/grep ^MALLOC_ >&2\nexit 1\n";
    fs::write(bin.join("ffmpeg"), script).unwrap();
    fs::set_permissions(bin.join("ffmpeg"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let begun = |set: Option<&str>, wanted: &str| {
        let mut command = bench.who.command();
        command.env("CANVASS_MODELS", &bench.models).env_remove("CANVASS_ONNXRUNTIME").env("PATH", &path);
        command.env_remove("MALLOC_MMAP_THRESHOLD_").envs(set.map(|set| ("MALLOC_MMAP_THRESHOLD_", set)));
        let said = said(command.args(["camera", "read", "film.mp4"]));
        assert_eq!(said.code, 1, "{}", said.err);
        assert!(said.err.contains(&format!("MALLOC_MMAP_THRESHOLD_={wanted}")), "{}", said.err);
    };
    begun(None, "1048576");
    // Who starts it decides.
    begun(Some("4194304"), "4194304");
}

#[test]
fn hdr_without_the_filters_that_it_needs_is_read_as_it_is_with_a_warning() {
    let bench = Bench::new();
    if !bench.lend("objects") {
        return;
    }
    bench.added(&["plate-reader", "slots.onnx", "--format", "fast-plate-ocr", "--config", "reader.yaml"]);
    bench.added(&["plate-detector", "yolo-raw.onnx", "--format", "yolo"]);
    let film = bench.who.home.join("hlg.mkv");
    let source = ["-f", "lavfi", "-i", "testsrc=s=128x64:r=5:d=0.4", "-pix_fmt", "yuv420p10le"];
    let light = ["-color_trc", "arib-std-b67", "-color_primaries", "bt2020", "-colorspace", "bt2020nc"];
    if !ffmpeg(&[&source[..], &light, &["-c:v", "ffv1", film.to_str().unwrap()]].concat()) {
        return;
    }
    // An ffmpeg that was built without them.
    let path = std::env::var("PATH").unwrap();
    let bin = bench.who.home.join("bin");
    fs::create_dir_all(&bin).unwrap();
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *zscale*) echo \"[AVFilterGraph @ 0x1] No such filter: 'zscale'\" >&2; exit 1;; esac\n\
         PATH='{path}'\nexec ffmpeg \"$@\"\n"
    );
    fs::write(bin.join("ffmpeg"), script).unwrap();
    fs::set_permissions(bin.join("ffmpeg"), fs::Permissions::from_mode(0o755)).unwrap();
    let read = |path: &str| {
        let mut command = bench.who.command();
        command.env("CANVASS_MODELS", &bench.models).env_remove("CANVASS_ONNXRUNTIME").env("PATH", path);
        said(command.args(["camera", "read", "hlg.mkv"]))
    };
    let poor = read(&format!("{}:{path}", bin.display()));
    assert_eq!(poor.code, 0, "{}", poor.err);
    for word in ["warning: hlg.mkv", "HDR (HLG)", "zscale", "install Debian's package ffmpeg"] {
        assert!(poor.err.contains(word), "{word}: {}", poor.err);
    }
    let good = read(&path);
    assert!(good.code == 0 && !good.err.contains("warning"), "{}", good.err);
}
