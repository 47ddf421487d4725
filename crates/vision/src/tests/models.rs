//! The list of models: hashes, licences, the operator's own.

use super::list;
use crate::{Driver, Models, NewModel, VisionError};
use std::path::Path;

fn entry(licence: &str, sha256: &str) -> String {
    format!(
        "[model.mine]\npurpose = \"reads\"\npackage = \"operator\"\nfile = \"mine.onnx\"\nsha256 = \"{sha256}\"\nlicence = \"{licence}\"\n"
    )
}

/// sha256 of "abc".
const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

#[test]
fn an_operators_model_is_taken_when_all_is_well() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("models.toml"), entry("MIT", ABC)).unwrap();
    std::fs::create_dir(folder.path().join("mine")).unwrap();
    std::fs::write(folder.path().join("mine/mine.onnx"), "abc").unwrap();
    let models = Models::in_folder(folder.path()).unwrap();
    assert_eq!(models.bytes("mine").unwrap(), b"abc");
    assert!(models.all().any(|(name, _)| name == "plate-detector"), "those that come with Canvass stay");
}

fn new_model(file: &Path) -> NewModel<'_> {
    let (format, version, parts) = ("", "2", Vec::new());
    let (purpose, licence, credit) = ("reads our plates", "MIT", "us");
    NewModel { name: "plate-reader", file, format, parts, version, purpose, licence, credit }
}

#[test]
fn a_model_is_added_once_and_used_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.onnx");
    std::fs::write(&file, list().bytes("plate-reader").unwrap()).unwrap();
    std::fs::write(folder.path().join("models.toml"), "# ours\n").unwrap();
    let models = Models::in_folder(folder.path()).unwrap();
    let target = models.add(&new_model(&file), &Driver::Rten).unwrap();
    assert!(target.is_file());
    let text = std::fs::read_to_string(folder.path().join("models.toml")).unwrap();
    assert!(text.starts_with("# ours\n[model.plate-reader]"), "{text}");
    let after = Models::in_folder(folder.path()).unwrap();
    after.check("plate-reader", &Driver::Rten).unwrap();
    let (_, entry) = after.all().find(|(name, _)| *name == "plate-reader").unwrap();
    assert_eq!((entry.package.as_str(), entry.credit.as_str()), ("operator", "us"));
    let twice = after.add(&new_model(&file), &Driver::Rten).unwrap_err();
    assert!(twice.to_string().contains("already"), "{twice}");
}

#[test]
fn what_can_not_be_used_is_not_added() {
    let folder = tempfile::tempdir().unwrap();
    let models = Models::in_folder(folder.path()).unwrap();
    let file = folder.path().join("mine.onnx");
    let missing = models.add(&new_model(&file), &Driver::Rten).unwrap_err();
    assert!(
        matches!(missing, VisionError::Missing { .. }) && missing.to_string().contains("name the ONNX file")
    );
    std::fs::write(&file, "no model").unwrap();
    assert!(matches!(models.add(&new_model(&file), &Driver::Rten), Err(VisionError::Inference { .. })));
    std::fs::write(&file, list().bytes("objects").unwrap()).unwrap();
    let shape = models.add(&new_model(&file), &Driver::Rten).unwrap_err();
    assert!(matches!(shape, VisionError::Shape { .. }), "{shape}");
    let licence = NewModel { licence: "AGPL-3.0", ..new_model(&file) };
    assert!(matches!(models.add(&licence, &Driver::Rten), Err(VisionError::Licence { .. })));
    let name = NewModel { name: "voices", ..new_model(&file) };
    assert!(models.add(&name, &Driver::Rten).unwrap_err().to_string().contains("plate-reader"));
    assert!(!folder.path().join("models.toml").exists());
}

#[test]
fn other_content_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let models = Models::parse(&entry("MIT", ABC), folder.path()).unwrap();
    let missing = models.bytes("mine").unwrap_err();
    assert!(
        matches!(missing, VisionError::Missing { .. }) && missing.to_string().contains("put back the file")
    );
    std::fs::create_dir(folder.path().join("mine")).unwrap();
    std::fs::write(folder.path().join("mine/mine.onnx"), "abd").unwrap();
    let error = models.bytes("mine").unwrap_err();
    assert!(matches!(error, VisionError::Hash { .. }), "{error}");
    assert!(error.to_string().contains("mine") && error.to_string().contains("put back the file"), "{error}");
}

#[test]
fn what_came_with_canvass_is_fetched_again() {
    let folder = tempfile::tempdir().unwrap();
    let models = Models::in_folder(folder.path()).unwrap();
    let missing = models.bytes("objects").unwrap_err().to_string();
    assert!(missing.contains("objects") && missing.contains("cargo xtask models"), "{missing}");
    let place = models.path("objects").unwrap();
    std::fs::create_dir_all(place.parent().unwrap()).unwrap();
    std::fs::write(&place, "abd").unwrap();
    let other = models.bytes("objects").unwrap_err().to_string();
    assert!(other.contains("delete the file and run `cargo xtask models`"), "{other}");
}

#[test]
fn licences_that_bind_too_much_are_refused() {
    for licence in ["AGPL-3.0", "unknown", ""] {
        let models = Models::parse(&entry(licence, ABC), Path::new("/nowhere")).unwrap();
        assert!(matches!(models.bytes("mine"), Err(VisionError::Licence { .. })), "{licence}");
    }
}

#[test]
fn bad_lists_are_told() {
    let escape = entry("MIT", ABC).replace("mine.onnx", "../../secret");
    let cases = [entry("MIT", "00"), escape, entry("MIT", ABC) + "more = \"1\"\n", "[model.\"a/b\"]".into()];
    for text in cases {
        assert!(matches!(Models::parse(&text, Path::new("/nowhere")), Err(VisionError::List(_))), "{text}");
    }
    assert!(matches!(list().bytes("no-such"), Err(VisionError::Unlisted(_))));
}

#[test]
fn the_models_in_the_program_are_those_on_the_list() {
    let models = Models::in_folder(Path::new("/nowhere")).unwrap();
    assert!(models.bytes("plate-reader").unwrap().len() < 5 << 20);
    models.check("plate-reader", &Driver::Rten).unwrap();
}
