//! Tests that need more than one module. Those that need models or ffmpeg say so and pass where these are not there;
//! `cargo xtask setup` fetches them, so that in CI they always run.

mod brought;
mod conformance;
mod cover;
mod drawn;
mod files;
mod formats;
mod light;
mod models;
mod pictures;
mod rtsp;
mod tracks;

pub(crate) use brought::tiny_towers;

use canvass_testkit::ffmpeg;

use crate::frames::{Decoder, Frame, Limits, Source};
use crate::{Driver, Models, VisionError, default_folder};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// The list over the folder of models.
fn list() -> Models {
    Models::in_folder(&default_folder()).unwrap()
}

/// The drivers that this machine can run: rten always, ONNX Runtime where its library is.
fn drivers() -> Vec<Driver> {
    let found = Driver::find(&list());
    if found == Driver::Rten {
        println!("skipped: ONNX Runtime is not here; `cargo xtask models` fetches it");
        return vec![found];
    }
    vec![Driver::Rten, found]
}

/// The quickest driver.
fn driver() -> Driver {
    Driver::find(&list())
}

/// A model's bytes, or a note that its tests are skipped.
fn model(name: &str) -> Option<Vec<u8>> {
    match list().bytes(name) {
        Ok(bytes) => Some(bytes),
        Err(crate::VisionError::Missing { .. }) => {
            println!("skipped: the model {name} is not here; `cargo xtask models` fetches it");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// All frames of a file.
fn frames(path: &Path, limits: &Limits) -> Result<Vec<Frame>, VisionError> {
    let mut decoder = Decoder::open(Source::File(path.to_owned()), limits)?;
    let mut all = Vec::new();
    while let Some(frame) = decoder.next_frame()? {
        all.push(frame);
    }
    Ok(all)
}

fn every_frame() -> Limits {
    Limits { frames_a_second: 0, patience: Duration::from_secs(20), ..Limits::default() }
}

fn ffmpeg_is_missing() -> bool {
    Command::new("ffmpeg").arg("-version").output().is_err()
}
