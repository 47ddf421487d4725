//! Models that operators bring: small networks that do by arithmetic what trained ones of their form do (`data/make.py`).

use super::drivers;
use crate::{
    Detector, Driver, Embedding, Files, Models, NewModel, Picture, Reader, Rect, Towers, VisionError,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const CONFIG: &str = "max_plate_slots: 4\nalphabet: '0123456789AB_'\npad_char: '_'\nimg_height: 16\nimg_width: 64\n\
                      keep_aspect_ratio: false\ninterpolation: linear\nimage_color_mode: grayscale\n\
                      plate_regions: [Argentina, Germany]\n";
const SETTINGS: &str =
    "size = 8\ncontext = 8\nmean = [0.5, 0.5, 0.5]\nstd = [0.5, 0.5, 0.5]\nprompt = \"{}\"\n";

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/data").join(name)
}

fn files(name: &str, format: &str, network: &str, parts: &[(&str, Vec<u8>)]) -> Files {
    Files {
        name: name.into(),
        format: format.into(),
        version: "1".into(),
        network: std::fs::read(data(network)).unwrap(),
        parts: parts.iter().map(|(what, bytes)| ((*what).to_owned(), bytes.clone())).collect(),
    }
}

fn slots(config: &str) -> Files {
    files("plate-reader", "fast-plate-ocr", "slots.onnx", &[("config", config.into())])
}

fn towers(settings: &str, text: &str) -> Files {
    let bytes = |name: &str| std::fs::read(data(name)).unwrap();
    let parts = [("config", settings.into()), ("text", bytes(text)), ("vocabulary", bytes("merges.txt"))];
    files("towers", "clip", "tower-picture.onnx", &parts)
}

/// Towers that see the mean colour.
pub(crate) fn tiny_towers() -> Towers {
    Towers::new(&Driver::Rten, &towers(SETTINGS, "tower-text.onnx"), 1).unwrap()
}

/// Blocks of grey or colour side by side.
fn blocks(width: usize, height: usize, colours: &[[u8; 3]]) -> Picture {
    let row: Vec<u8> = (0..width).flat_map(|x| colours[x * colours.len() / width]).collect();
    Picture::new(width as u32, height as u32, row.repeat(height)).unwrap()
}

fn plate(text: &str) -> Picture {
    let greys: Vec<[u8; 3]> =
        text.chars().map(|c| [("0123456789AB_".find(c).unwrap() * 20) as u8; 3]).collect();
    blocks(128, 32, &greys)
}

fn red_in(width: u32, height: u32, at: &Rect) -> Picture {
    let mut rgb = vec![100u8; (width * height * 3) as usize];
    for y in at.y as usize..(at.y + at.h) as usize {
        for x in at.x as usize..(at.x + at.w) as usize {
            rgb[(y * width as usize + x) * 3..][..3].copy_from_slice(&[240, 0, 0]);
        }
    }
    Picture::new(width, height, rgb).unwrap()
}

#[test]
fn a_reader_of_fast_plate_ocr_reads() {
    for driver in drivers() {
        let mut reader = Reader::new(&driver, &slots(CONFIG), 1).unwrap();
        let whole = Rect::new(0.0, 0.0, 128.0, 32.0);
        for (text, wanted) in [("7A3B", "7A3B"), ("042_", "042"), ("9B__", "9B")] {
            let guess = reader.read_part(&plate(text), &whole).unwrap().unwrap();
            assert_eq!(guess.text.as_str(), wanted, "{}", reader.driver());
            assert!(guess.confidence > 0.9, "{guess:?}");
        }
        // Bright is the first region, dark the second.
        let region = |reader: &mut Reader, text: &str| {
            let guess = reader.read_part(&plate(text), &whole).unwrap().unwrap();
            guess.region.map(|region| region.as_str().to_owned())
        };
        assert_eq!(region(&mut reader, "1_10"), None, "Germany issues no such plate");
        let told = slots(&CONFIG.replace("Argentina", "Peru"));
        let mut other = Reader::new(&driver, &told, 1).unwrap();
        assert_eq!(region(&mut other, "9B9B"), Some("PE".into()), "formats of Peru are not known: believed");
        assert!(reader.read_part(&plate("____"), &whole).unwrap().is_none());
    }
}

#[test]
fn shapes_and_alphabets_that_do_not_fit_are_told() {
    let cases = [
        ("img_width: 64", "img_width: 70", "16 by 70"),
        ("image_color_mode: grayscale", "image_color_mode: rgb", "3 colours"),
        ("'0123456789AB_'", "'0123456789A_'", "4 places of 12 signs"),
        ("max_plate_slots: 4", "max_plate_slots: 5", "5 places"),
        ("[Argentina, Germany]", "[Argentina]", "2 regions"),
        ("'0123456789AB_'", "'0123456789AÑ_'", "A to Z"),
    ];
    for driver in drivers() {
        for (from, to, word) in cases {
            let error = tried(&slots(&CONFIG.replace(from, to)), &driver).unwrap_err();
            assert!(matches!(&error, VisionError::Shape { .. } | VisionError::Given { .. }), "{error}");
            assert!(error.to_string().contains(word), "{to}: {error}");
        }
        let mut alone = slots(CONFIG);
        alone.parts = BTreeMap::new();
        assert!(tried(&alone, &driver).unwrap_err().to_string().contains("--config"));
    }
}

/// As `canvass models add` and `check` do.
fn tried(files: &Files, driver: &Driver) -> Result<(), VisionError> {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("in.onnx"), &files.network).unwrap();
    let kinds = [("config", "config.yaml"), ("text", "text.onnx"), ("vocabulary", "merges.txt")];
    for (what, name) in kinds {
        if let Some(bytes) = files.parts.get(what) {
            std::fs::write(path(name), bytes).unwrap();
        }
    }
    let paths = kinds.map(|(what, name)| (what, path(name)));
    let there = paths.iter().filter(|(_, path)| path.is_file());
    let models = Models::in_folder(&path("models")).unwrap();
    let new = NewModel {
        name: &files.name,
        file: &path("in.onnx"),
        format: &files.format,
        parts: there.map(|(what, path)| (*what, path.as_path())).collect(),
        version: "7",
        purpose: "for the test",
        licence: "MIT",
        credit: "us",
    };
    models.add(&new, driver)?;
    let models = Models::in_folder(&path("models")).unwrap();
    assert!(models.is_there(&files.name));
    let back = models.files(&files.name)?;
    assert_eq!((&back.network, &back.parts, &back.format), (&files.network, &files.parts, &files.format));
    assert!(back.version.starts_with("7-"), "{}", back.version);
    models.check(&files.name, driver)?;
    // Another file in the place of one of its parts is told.
    if let Some((what, name)) = kinds.iter().find(|(what, _)| files.parts.contains_key(*what)) {
        let place =
            path("models").join(&files.name).join(name.replace(name.split('.').next().unwrap(), what));
        std::fs::write(&place, "other").unwrap();
        assert!(matches!(models.check(&files.name, driver), Err(VisionError::Hash { .. })), "{name}");
    }
    Ok(())
}

#[test]
fn what_an_operator_brings_is_added_with_all_its_files() {
    for driver in drivers() {
        tried(&slots(CONFIG), &driver).unwrap();
        tried(&files("plate-detector", "yolo", "yolo-raw.onnx", &[]), &driver).unwrap();
        let config = [("config", b"classes = [0]\n".to_vec())];
        tried(&files("plate-detector", "yolo", "yolo-sorted.onnx", &config), &driver).unwrap();
        tried(&towers(SETTINGS, "tower-text.onnx"), &driver).unwrap();
        tried(&towers(SETTINGS, "tower-plain.onnx"), &driver).unwrap();
    }
}

#[test]
fn forms_and_files_that_do_not_belong_are_told() {
    let driver = Driver::Rten;
    let told = |files: &Files| tried(files, &driver).unwrap_err().to_string();
    let mut reader = slots(CONFIG);
    reader.format = "yolo".into();
    assert!(told(&reader).contains("fast-plate-ocr"));
    reader.format = String::new();
    assert!(told(&reader).contains("no --config"));
    let detector = files("plate-detector", "yolo", "slots.onnx", &[]);
    assert!(told(&detector).contains("[1, 3, height, width]"));
    let text = [("text", b"x".to_vec())];
    assert!(told(&files("plate-detector", "yolo", "yolo-raw.onnx", &text)).contains("no --text"));
    let bad = [("config", b"colours = 3".to_vec())];
    assert!(told(&files("plate-detector", "yolo", "yolo-raw.onnx", &bad)).contains("colours"));
    let mut tower = towers(SETTINGS, "tower-text.onnx");
    tower.format = String::new();
    assert!(told(&tower).contains("--format clip"));
}

#[test]
fn detectors_of_the_yolo_family_find() {
    for driver in drivers() {
        for network in ["yolo-sorted.onnx", "yolo-raw.onnx"] {
            let mut detector =
                Detector::new(&driver, &files("plate-detector", "yolo", network, &[]), 1).unwrap();
            // Twice as wide as the input, and with grey above and below it.
            let truth = Rect::new(48.0, 32.0, 16.0, 16.0);
            let found = detector.at_width(&red_in(128, 64, &truth), 64, 0.5).unwrap();
            assert_eq!(found.len(), 1, "{network} {found:?}");
            assert!(found[0].rect.overlap(&truth) > 0.95, "{network} {found:?}");
            assert!((found[0].score - 240.0 / 255.0).abs() < 0.02, "{network} {found:?}");
            // Four times as wide: in parts, each as large as the input.
            let truth = Rect::new(200.0, 136.0, 8.0, 8.0);
            let wide = red_in(256, 192, &truth);
            let found = detector.at_width(&wide, 256, 0.5).unwrap();
            assert!(found.iter().any(|found| found.rect.overlap(&truth) > 0.9), "{network} {found:?}");
            let mut of = |part: Rect| detector.within(&wide, 256, Some(&[part]), 0.5).unwrap();
            assert_eq!(of(Rect::new(190.0, 130.0, 30.0, 30.0)), found, "{network}: the tiles that hold it");
            assert!(of(Rect::new(0.0, 0.0, 40.0, 40.0)).is_empty(), "{network}: no tile of it is asked for");
            assert!(detector.at_width(&wide, 64, 0.5).unwrap().is_empty(), "lost in the whole");
            assert!(detector.at_width(&red_in(64, 64, &Rect::default()), 64, 0.5).unwrap().is_empty());
        }
        let other = [("config", b"classes = [3]\n".to_vec())];
        let other = files("plate-detector", "yolo", "yolo-raw.onnx", &other);
        let mut detector = Detector::new(&driver, &other, 1).unwrap();
        let red = red_in(64, 64, &Rect::new(8.0, 8.0, 8.0, 8.0));
        assert!(detector.at_width(&red, 64, 0.5).unwrap().is_empty(), "of a kind that is no plate");
    }
}

fn cosine(a: &Embedding, b: &Embedding) -> f32 {
    a.cosine(b).unwrap()
}

#[test]
fn towers_tell_which_text_goes_with_which_picture() {
    let (red, blue) = (blocks(40, 30, &[[230, 20, 20]]), blocks(30, 40, &[[20, 20, 230]]));
    for driver in drivers() {
        for text in ["tower-text.onnx", "tower-plain.onnx"] {
            let mut towers = Towers::new(&driver, &towers(SETTINGS, text), 1).unwrap();
            let [red, blue] = [&red, &blue].map(|picture| towers.picture(picture).unwrap());
            let [of_red, of_blue] = ["red car", "Blue car"].map(|text| towers.text(text).unwrap());
            assert!(cosine(&red, &of_red) > 0.9 && cosine(&blue, &of_blue) > 0.9);
            assert!(cosine(&red, &of_blue) < 0.0 && cosine(&blue, &of_red) < 0.0);
            assert_eq!((red.model.as_str(), red.version.as_str()), ("towers", "1"));
        }
    }
}

#[test]
fn towers_that_do_not_go_together_are_told() {
    let cases = [
        (towers(SETTINGS, "tower-narrow.onnx"), "two models"),
        (towers(SETTINGS, "tower-picture.onnx"), "--text"),
        (towers(&SETTINGS.replace("size = 8", "size = 16"), "tower-text.onnx"), "[1, 3, 16, 16]"),
        (towers(&SETTINGS.replace("context = 8", "context = 9"), "tower-text.onnx"), "[1, 9]"),
        (towers("size = \"big\"", "tower-text.onnx"), "--config"),
    ];
    for driver in drivers() {
        for (files, word) in &cases {
            let error = tried(files, &driver).unwrap_err().to_string();
            assert!(error.contains(word), "{word}: {error}");
        }
        let mut files = towers(SETTINGS, "tower-text.onnx");
        files.parts.remove("vocabulary");
        assert!(tried(&files, &driver).unwrap_err().to_string().contains("--vocabulary"));
    }
}
