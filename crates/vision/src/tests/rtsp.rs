//! A camera on loopback.

use super::ffmpeg;
use crate::frames::{Camera, Limits, Retry};
use canvass_testkit::camera::{Show, serve_camera};
use std::net::TcpListener;
use std::time::Duration;

/// A clock that stands still: frames follow each other all the same.
fn still() -> crate::frames::Clock {
    Box::new(|| Duration::ZERO)
}

#[test]
fn a_camera_that_hangs_up_is_called_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stream.ts");
    if !ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc=s=160x90:r=10:d=3",
        "-c:v",
        "mpeg2video",
        "-g",
        "5",
        file.to_str().unwrap(),
    ]) {
        return;
    }
    let stream = std::fs::read(&file).unwrap();
    let address =
        serve_camera(Show { stream, pause: Duration::from_millis(2), rest: Duration::ZERO, clock: None });
    let limits = Limits { patience: Duration::from_secs(8), frames_a_second: 0, ..Limits::default() };
    let retry = Retry { first: Duration::from_millis(50), most: Duration::from_millis(200) };
    let camera = Camera::start(&address, limits, retry, 200, still()).unwrap();
    let mut last = None;
    for _ in 0..300 {
        let Some(frame) = camera.next_frame(Duration::from_secs(15)) else { break };
        assert!(last.is_none_or(|last| last < frame.time), "time runs backwards");
        last = Some(frame.time);
        if camera.state().connections >= 2 {
            break;
        }
    }
    let state = camera.state();
    assert!(state.connections >= 2 && state.frames > 10, "{state:?}");
    assert!(state.last_error.is_some());
}

#[test]
fn a_camera_that_is_not_there_is_tried_at_growing_distances() {
    let retry = Retry { first: Duration::from_secs(1), most: Duration::from_secs(60) };
    let waits: Vec<u64> = (1..9).map(|failures| retry.after(failures).as_secs()).collect();
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
    assert_eq!(retry.after(u32::MAX), Duration::from_secs(60));
    assert!(Camera::start("http://camera.example/", Limits::default(), retry, 4, still()).is_err());
    assert!(Camera::start("file:///etc/passwd", Limits::default(), retry, 4, still()).is_err());
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let quick = Retry { first: Duration::from_millis(20), most: Duration::from_millis(40) };
    let camera =
        Camera::start(&format!("rtsp://127.0.0.1:{free}/1"), Limits::default(), quick, 4, still()).unwrap();
    assert!(camera.next_frame(Duration::from_secs(2)).is_none());
    assert!(super::ffmpeg_is_missing() || camera.state().failures >= 1, "{:?}", camera.state());
}
