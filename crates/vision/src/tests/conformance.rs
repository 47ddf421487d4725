//! Both drivers behind the seam answer alike, and refuse alike.

use super::{drawn, drivers, model};
use crate::detect::DETECTOR;
use crate::faces::FACES;
use crate::objects::OBJECTS;
use crate::reader::READER;
use crate::{Contract, Driver, Tensor, VisionError, open};
use std::path::PathBuf;

fn noise(shape: &[usize], scale: f32) -> Tensor {
    let mut state = 12345u32;
    let data = (0..shape.iter().product::<usize>())
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1u32 << 24) as f32 * scale
        })
        .collect();
    Tensor::new(shape.to_vec(), data).unwrap()
}

fn alike(contract: Contract, bytes: &[u8], input: &Tensor) {
    let mut answers: Vec<(&'static str, Vec<Tensor>)> = Vec::new();
    for driver in drivers() {
        let mut network = open(&driver, contract, bytes.to_vec(), 2).unwrap();
        let once = network.run(input.clone()).unwrap();
        assert_eq!(
            once,
            network.run(input.clone()).unwrap(),
            "{} answers differently twice",
            network.driver()
        );
        answers.push((network.driver(), once));
    }
    for (name, answer) in answers.iter().skip(1) {
        for ((a, b), (output, _)) in answers[0].1.iter().zip(answer).zip(contract.outputs) {
            assert_eq!(a.shape(), b.shape(), "{output}");
            for (x, y) in a.data().iter().zip(b.data()) {
                assert!((x - y).abs() <= 1e-3 * x.abs().max(1.0), "{output}: {x} and, on {name}, {y}");
            }
        }
    }
}

#[test]
fn readers_answer_alike() {
    let bytes = model("plate-reader").unwrap();
    alike(READER, &bytes, &noise(&[3, 3, 64, 192], 1.0));
    let mut drawn = Vec::new();
    let board = drawn::board("KTX4025", 220, 80);
    board.straighten(&crate::Rect::new(0.0, 0.0, 220.0, 80.0).corners(), 192, 64, &mut drawn);
    alike(READER, &bytes, &Tensor::new(vec![1, 3, 64, 192], drawn).unwrap());
}

#[test]
fn answers_stay_the_same_over_hundreds_of_pictures_of_many_sizes() {
    let bytes = model("plate-detector").unwrap();
    for driver in drivers() {
        let mut network = open(&driver, DETECTOR, bytes.clone(), 1).unwrap();
        let mut first = Vec::new();
        for run in 0..450usize {
            let (h, w) = (32 * (1 + run % 3), 32 * (1 + run % 2));
            let answer = network.run(noise(&[1, 3, h, w], 200.0)).unwrap();
            match first.get(run % 6) {
                Some(before) => assert_eq!(*before, answer, "run {run} of {}", network.driver()),
                None => first.push(answer),
            }
        }
    }
}

#[test]
fn finders_of_objects_answer_alike() {
    alike(OBJECTS, &model("objects").unwrap(), &noise(&[1, 3, 416, 416], 2.0));
}

#[test]
fn finders_of_faces_answer_alike() {
    let Some(bytes) = model("faces") else { return };
    alike(FACES, &bytes, &noise(&[1, 3, 96, 160], 255.0));
}

#[test]
fn detectors_answer_alike() {
    let Some(bytes) = model("plate-detector") else { return };
    // An odd size: the last row and column of the coarse grids are only half covered.
    alike(DETECTOR, &bytes, &noise(&[1, 3, 100, 172], 255.0));
}

#[test]
fn wrong_shapes_are_refused_by_name() {
    let bytes = model("plate-reader").unwrap();
    let wrong = [
        Contract { shape: &[0, 3, 48, 192], ..READER },
        Contract { shape: &[0, 3, 64], ..READER },
        Contract { input: "picture", ..READER },
        Contract { outputs: &[("words", &[0, 4])], ..READER },
    ];
    for driver in drivers() {
        for contract in wrong {
            let error = open(&driver, contract, bytes.clone(), 1).err().unwrap();
            assert!(matches!(&error, VisionError::Shape { name, .. } if name == "plate-reader"), "{error}");
            assert!(error.to_string().contains("models.toml"), "{error}");
        }
        let narrow = Contract { outputs: &[("letters", &[0, 10, 36])], ..READER };
        let mut network = open(&driver, narrow, bytes.clone(), 1).unwrap();
        let error = network.run(noise(&[1, 3, 64, 192], 1.0)).unwrap_err();
        assert!(matches!(error, VisionError::Shape { .. }), "{error}");
    }
}

#[test]
fn damaged_models_are_errors() {
    let whole = model("plate-reader").unwrap();
    for driver in drivers() {
        for bytes in [Vec::new(), b"no model".to_vec(), whole[..whole.len() / 2].to_vec()] {
            let error = open(&driver, READER, bytes, 1).err().unwrap();
            assert!(error.to_string().contains("plate-reader"), "{error}");
        }
    }
}

#[test]
fn a_missing_library_is_told() {
    // A library that was loaded before by another test of this process stays; only a first load can fail.
    let driver = Driver::OnnxRuntime(PathBuf::from("/nowhere/libonnxruntime.so"));
    if let Err(error) = open(&driver, READER, model("plate-reader").unwrap(), 1) {
        assert!(error.to_string().contains("CANVASS_ONNXRUNTIME"), "{error}");
    }
}

#[test]
fn tensors_hold_what_their_shape_says() {
    assert!(Tensor::new(vec![2, 3], vec![0.0; 6]).is_some());
    assert!(Tensor::new(vec![2, 3], vec![0.0; 5]).is_none());
    assert!(Tensor::new(vec![usize::MAX, 3], vec![0.0; 5]).is_none());
    assert!(Tensor::new(vec![0], Vec::new()).is_none());
}
