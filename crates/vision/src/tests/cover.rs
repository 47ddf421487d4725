//! What should be covered: a drawn face, a drawn plate, people of the development clips; and the covered copy of a video.

use super::{drawn, driver, ffmpeg, list, model};
use crate::cover::{CopyOptions, CoverBox, CoverKey, CoverOptions, Coverer, Reason, Style, Suggestions};
use crate::frames::{Decoder, Limits, Source};
use crate::{Models, Picture, Rect, Settings, VisionError, cover_copy, suggest_file};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A head with hair, eyes, brows, nose and mouth on grey, its middle at a place and so high from there to the chin.
fn face(size: (u32, u32), (x, y): (f32, f32), half: f32) -> Picture {
    let shapes: [(f32, f32, f32, f32, [u8; 3]); 11] = [
        (0.0, -0.4, 0.8, 1.08, [60, 45, 30]),
        (0.0, 0.4, 0.72, 1.0, [220, 175, 140]),
        (-0.3, -0.1, 0.14, 0.07, [250, 250, 250]),
        (0.3, -0.1, 0.14, 0.07, [250, 250, 250]),
        (-0.3, -0.1, 0.07, 0.07, [20, 30, 40]),
        (0.3, -0.1, 0.07, 0.07, [20, 30, 40]),
        (-0.3, -0.28, 0.18, 0.04, [60, 50, 40]),
        (0.3, -0.28, 0.18, 0.04, [60, 50, 40]),
        (0.0, 0.22, 0.08, 0.12, [190, 140, 110]),
        (0.0, 0.58, 0.25, 0.07, [180, 80, 80]),
        (0.0, 0.58, 0.25, 0.02, [120, 40, 40]),
    ];
    let mut rgb = Vec::new();
    for row in 0..size.1 {
        for column in 0..size.0 {
            let (dx, dy) = ((column as f32 - x) / half, (row as f32 - y) / half);
            let inside = |shape: &&(f32, f32, f32, f32, [u8; 3])| {
                ((dx - shape.0) / shape.2).powi(2) + ((dy - shape.1) / shape.3).powi(2) <= 1.0
            };
            rgb.extend(shapes.iter().rev().find(inside).map_or([128; 3], |shape| shape.4));
        }
    }
    Picture::new(size.0, size.1, rgb).unwrap()
}

fn coverer() -> Option<Coverer> {
    for name in ["faces", "objects", "plate-detector"] {
        model(name)?;
    }
    Some(Coverer::new(&list(), &driver(), Settings::default()).unwrap())
}

fn rect(key: &CoverKey, of: &Suggestions) -> Rect {
    let (w, h) = (of.width as f32, of.height as f32);
    Rect::new(key.x as f32 * w, key.y as f32 * h, key.width as f32 * w, key.height as f32 * h)
}

#[test]
fn without_its_models_the_remedy_is_told() {
    let models = Models::in_folder(Path::new("/nowhere")).unwrap();
    let error = Coverer::new(&models, &crate::Driver::Rten, Settings::default()).err().unwrap();
    assert!(matches!(error, VisionError::Missing { .. }), "{error}");
    assert!(
        error.to_string().contains("faces") && error.to_string().contains("cargo xtask models"),
        "{error}"
    );
}

#[test]
fn a_drawn_face_and_a_drawn_plate_are_suggested() {
    let Some(mut coverer) = coverer() else { return };
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        (
            "face.jpg",
            face((640, 480), (320.0, 240.0), 20.0),
            Reason::Face,
            Rect::new(307.0, 227.0, 26.0, 36.0),
        ),
        (
            "plate.jpg",
            drawn::scene("KTX4025", (560, 430), (150, 56), (1280, 720)),
            Reason::Plate,
            Rect::new(560.0, 430.0, 150.0, 56.0),
        ),
    ];
    for (name, picture, reason, place) in cases {
        let path = folder.path().join(name);
        std::fs::write(&path, picture.jpeg(95).unwrap()).unwrap();
        let found = suggest_file(&mut coverer, &path, &CoverOptions::default(), &mut |_| {}).unwrap();
        let these: Vec<&CoverBox> = found.boxes.iter().filter(|one| one.reason == Some(reason)).collect();
        assert_eq!(these.len(), 1, "{name}: {found:?}");
        assert!(rect(&these[0].keys[0], &found).shared(&place) > place.area() * 0.95, "{found:?}");
        assert_eq!((found.duration, found.file.as_str()), (0.0, name));
        // What was written is what is read.
        let text = serde_json::to_string(&found).unwrap();
        assert_eq!(Suggestions::parse(&text).unwrap(), found);
        // The covered copy shows it no more.
        let copy = folder.path().join(format!("covered-{name}"));
        cover_copy(&path, &copy, &found, &CopyOptions::default(), &mut |_| {}).unwrap();
        let again = suggest_file(&mut coverer, &copy, &CoverOptions::default(), &mut |_| {}).unwrap();
        assert_eq!(again.count(reason), 0, "{again:?}");
    }
}

#[test]
fn people_of_a_real_clip_have_their_heads_covered_all_the_way() {
    let folder = std::env::var_os("CANVASS_EVAL").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/eval"),
        PathBuf::from,
    );
    let clip = folder.join("clips/one-by-one-person-detection.mp4");
    let Some(mut coverer) = coverer().filter(|_| clip.is_file()) else {
        println!("skipped: the development clips are not here (CANVASS_EVAL)");
        return;
    };
    let place = tempfile::tempdir().unwrap();
    let part = place.path().join("part.mp4");
    let name = part.to_str().unwrap();
    if !ffmpeg(&["-ss", "7", "-t", "4", "-i", clip.to_str().unwrap(), "-c:v", "mpeg4", "-q:v", "2", name]) {
        return;
    }
    let options = CoverOptions::default();
    let found = suggest_file(&mut coverer, &part, &options, &mut |_| {}).unwrap();
    let heads = found.count(Reason::Head) + found.count(Reason::Face);
    assert!((1..=6).contains(&heads), "{found:?}");
}

fn whole(style: Style) -> Suggestions {
    let key = |at, x| CoverKey { at, x, y: 0.0, width: 0.5, height: 1.0 };
    Suggestions {
        file: "clip.mp4".into(),
        width: 161,
        height: 91,
        duration: 2.0,
        boxes: vec![CoverBox {
            id: "one".into(),
            reason: None,
            style,
            from: 0.5,
            until: 1.5,
            keys: vec![key(0.5, 0.0), key(1.5, 0.5)],
        }],
    }
}

fn frames(path: &Path) -> Vec<(Duration, Picture)> {
    let limits = Limits { frames_a_second: 0, patience: Duration::from_secs(20), ..Limits::default() };
    let mut decoder = Decoder::open(Source::File(path.to_owned()), &limits).unwrap();
    std::iter::from_fn(|| decoder.next_frame().unwrap().map(|frame| (frame.time, frame.picture))).collect()
}

#[test]
fn a_covered_copy_keeps_times_and_nothing_else_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let (clip, copy) = (folder.path().join("clip.mkv"), folder.path().join("copy.mp4"));
    // Odd sides, frames of unequal length, sound, a title and a place.
    let made = ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "color=white:s=161x91:r=10:d=2",
        "-f",
        "lavfi",
        "-i",
        "sine=440:d=2",
        "-vf",
        "settb=1/1000,setpts=N*100+mod(N\\,3)*20",
        "-fps_mode",
        "passthrough",
        "-enc_time_base:v",
        "1/1000",
        "-c:v",
        "ffv1",
        "-c:a",
        "flac",
        "-metadata",
        "title=Harbour Lane 14",
        "-metadata",
        "location=+43.2-071.5/",
        "-metadata",
        "creation_time=2026-11-24T10:00:00Z",
        clip.to_str().unwrap(),
    ]);
    if !made {
        return;
    }
    let silent =
        cover_copy(&clip, &copy, &whole(Style::Cover), &CopyOptions::default(), &mut |_| {}).unwrap();
    assert!(!silent.sound && silent.frames == 20 && silent.covered > 8 && silent.covered < 14, "{silent:?}");
    let (before, after) = (frames(&clip), frames(&copy));
    assert_eq!(after.len(), 20);
    for ((was, _), (is, picture)) in before.iter().zip(&after) {
        assert!(was.abs_diff(*is) < Duration::from_millis(1), "{was:?} {is:?}");
        assert_eq!((picture.width(), picture.height()), (160, 90), "encoders take even sides only");
        let time = is.as_secs_f64();
        let dark = |x: i64| picture.pixel(x, 45).iter().all(|byte| *byte < 40);
        if time > 0.55 && time < 1.45 {
            assert!(dark((time * 80.0) as i64), "{time}");
        }
        // The frame during which the box's time begins is hidden too; the next one begins when it has moved on.
        assert_eq!(dark(2), time > 0.41 && time < 0.43, "{time}");
    }
    let bytes = std::fs::read(&copy).unwrap();
    for word in ["Harbour", "43.2", "2026", "Lavf", "canvass"] {
        assert!(!bytes.windows(word.len()).any(|part| part == word.as_bytes()), "{word}");
    }
    assert!(!streams(&copy).contains("audio"));
    // What is there is never written over, and half a file never stays.
    let again =
        cover_copy(&clip, &copy, &whole(Style::Blur), &CopyOptions::default(), &mut |_| {}).unwrap_err();
    assert!(again.to_string().contains("there already"), "{again}");
    let heard = folder.path().join("heard.mp4");
    let options = CopyOptions { keep_sound: true, ..CopyOptions::default() };
    assert!(cover_copy(&clip, &heard, &whole(Style::Blur), &options, &mut |_| {}).unwrap().sound);
    assert!(streams(&heard).contains("audio"));
    let named =
        cover_copy(&clip, &folder.path().join("copy.avi"), &whole(Style::Blur), &options, &mut |_| {});
    assert!(named.unwrap_err().to_string().contains(".mp4"));
    let mut left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["clip.mkv", "copy.mp4", "heard.mp4"]);
}

fn streams(path: &Path) -> String {
    let out = std::process::Command::new("ffprobe")
        .args(["-v", "error", "-show_entries", "stream=codec_type", "-of", "csv=p=0"])
        .arg(path)
        .output()
        .unwrap();
    String::from_utf8(out.stdout).unwrap()
}

#[test]
fn files_that_are_no_boxes_are_told() {
    let good = serde_json::to_value(whole(Style::Cover)).unwrap();
    let changed = |at: &str, value: serde_json::Value| {
        let mut all = good.clone();
        *all.pointer_mut(at).unwrap() = value;
        Suggestions::parse(&all.to_string())
    };
    assert!(Suggestions::parse(&good.to_string()).is_ok());
    assert!(Suggestions::parse("[]").unwrap_err().to_string().contains("canvass footage blur"));
    assert!(changed("/boxes/0/keys", serde_json::json!([])).is_err());
    assert!(changed("/boxes/0/keys/0/at", serde_json::json!(9.0)).is_err());
    assert!(changed("/boxes/0/style", serde_json::json!("shred")).is_err());
    assert!(changed("/boxes/0/from", serde_json::Value::Null).is_err());
}
