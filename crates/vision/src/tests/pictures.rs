//! Pictures: geometry, bad files, plates drawn for the test.

use super::{drawn, driver, drivers, list, model};
use crate::bench::fold;
use crate::{Files, Finder, Homography, Picture, Point, Quad, Reader, Rect, Settings};
use proptest::prelude::*;

#[test]
fn drawn_plates_are_read_by_both_drivers() {
    for driver in drivers() {
        let mut reader =
            Reader::new(&driver, &Files::of_network("plate-reader", model("plate-reader").unwrap()), 2)
                .unwrap();
        for text in ["KTX4025", "HNK347", "2KNT450"] {
            let board = drawn::board(text, 200, 70);
            let guess = reader.read_part(&board, &Rect::new(0.0, 0.0, 200.0, 70.0)).unwrap().unwrap();
            assert_eq!(fold(guess.text.as_str()), text, "{driver:?}: {guess:?}");
            assert!(guess.confidence > 0.5 && guess.confidence <= 1.0);
        }
    }
}

#[test]
fn a_drawn_scene_is_searched() {
    if model("plate-detector").is_none() {
        return;
    }
    let scene = drawn::scene("KTX4025", (560, 430), (150, 56), (1280, 720));
    let mut finder = Finder::new(&list(), &driver(), Settings::default()).unwrap();
    let plates = finder.find(&scene).unwrap();
    assert_eq!(plates.first().map(|plate| plate.guess.text.as_str()), Some("KTX4025"), "{plates:?}");
    assert!(plates[0].rect.overlap(&Rect::new(560.0, 430.0, 150.0, 56.0)) > 0.4);
    let empty = Picture::new(1, 1, vec![7; 3]).unwrap();
    assert!(finder.find(&empty).unwrap().is_empty());
    let narrow = Picture::new(4000, 2, vec![7; 24_000]).unwrap();
    assert!(finder.find(&narrow).unwrap().is_empty());
}

#[test]
fn bad_pictures_are_errors_that_name_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let jpeg = drawn::board("KTX4025", 64, 32).jpeg(80).unwrap();
    let mut huge = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\x7f\xff\xff\xff\x7f\xff\xff\xff\x08\x02\0\0\0".to_vec();
    huge.extend([0; 16]);
    let cases: [(&str, &[u8]); 5] = [
        ("empty", b""),
        ("text", b"no picture"),
        ("start", &[0xff, 0xd8, 0xff, 0xe0]),
        ("huge", &huge),
        ("cut", &jpeg[..60]),
    ];
    for (name, bytes) in cases {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let error = Picture::open(&path).unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
    }
    assert!(Picture::open(&folder.path().join("none")).is_err());
    assert!(Picture::open(folder.path()).is_err());
    assert!(Picture::new(2, 2, vec![0; 11]).is_none());
    assert!(Picture::new(0, 0, Vec::new()).is_none());
}

#[test]
fn parts_stay_within_the_picture() {
    let picture = drawn::board("KTX4025", 40, 20);
    assert_eq!(
        picture.part(&Rect::new(-10.0, -10.0, 30.0, 30.0)).map(|p| (p.width(), p.height())),
        Some((20, 20))
    );
    assert!(picture.part(&Rect::new(50.0, 50.0, 10.0, 10.0)).is_none());
    assert!(picture.part(&Rect::new(f32::NAN, 0.0, f32::INFINITY, -3.0)).is_none());
}

proptest! {
    #[test]
    fn a_square_maps_onto_its_corners(
        x in -100.0f32..100.0, y in -100.0f32..100.0, w in 20.0f32..300.0, h in 20.0f32..200.0,
        d in proptest::array::uniform8(-6.0f32..6.0),
    ) {
        let mut quad = Rect::new(x, y, w, h).corners();
        for (point, by) in quad.0.iter_mut().zip(d.chunks(2)) {
            *point = Point::new(point.x + by[0], point.y + by[1]);
        }
        let map = Homography::of_unit(&quad).unwrap();
        let unit = Rect::new(0.0, 0.0, 1.0, 1.0).corners();
        for (from, to) in unit.0.into_iter().zip(quad.0) {
            let at = map.apply(from);
            prop_assert!((at.x - to.x).abs() < 0.05 && (at.y - to.y).abs() < 0.05, "{at:?} {to:?}");
        }
        prop_assert_eq!(Quad([quad.0[2], quad.0[0], quad.0[3], quad.0[1]]).ordered(), quad);
    }

    #[test]
    fn bytes_never_make_the_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut jpeg = vec![0xff, 0xd8, 0xff];
        jpeg.extend(&bytes);
        let _ = Picture::decode(&bytes, "x");
        let _ = Picture::decode(&jpeg, "x");
    }
}
