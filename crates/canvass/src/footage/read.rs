//! `canvass camera read`: the plates of pictures and videos.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use canvass_vision::{Finder, News, ReadOptions, Reading, Settings, read_file};
use clap::{Args, Subcommand};

use super::{Engine, run::RunArgs};
use crate::common::{Context, Failure, Output, Step, count};

/// What `camera` does with files.
#[derive(Debug, Subcommand)]
pub enum CameraFiles {
    /// Read the plates of pictures and videos on this machine
    #[command(after_help = "\
Examples:
  canvass camera read gate.jpg porch.mp4
  canvass camera read --json --fps 5 *.mp4 > plates.jsonl
  canvass camera read --crops crops --least 0.75 yard.mkv

With --json each plate is one line: file, time (seconds into a video), from and until, box (x, y, w, h in pixels), plate,
region, confidence (0 to 1), vehicle_type, vehicle_colour, frames. A file that can't be read is told on standard
error, the others are read, and the exit status is 1.")]
    Read(ReadArgs),
    /// Read the plates that pass a camera, and send them to the server with the camera's token
    #[command(after_help = "\
Examples:
  canvass camera run rtsp://10.0.0.7/main --server https://canvass.example --token-file camera.token
  canvass camera run gate.mp4 --start 2026-11-24T10:00:00Z --token-file camera.token
  canvass camera run rtsp://10.0.0.7/main --sightings --server https://canvass.example --token-file camera.token

Frames that can't be looked at in time are forgotten, the oldest first, and counted. A camera that hangs up and a server that
does not answer are tried again at growing distances; up to 10,000 reads wait. No plate is printed. With --sightings people and vehicles are sent
too, of a camera that is registered for footage; --no-plates sends these alone. The address, with a
password in it, can be given as CANVASS_CAMERA; the decoder's command line shows it to other users of this machine.")]
    Run(Box<RunArgs>),
}

/// Which files, and how.
#[derive(Debug, Args)]
pub struct ReadArgs {
    /// JPEG and PNG pictures, videos of any container
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Frames of a second of video that are looked at; 0 for all
    #[arg(long, default_value_t = 10, value_name = "N")]
    fps: u32,
    /// Leave out readings below this confidence (0 to 1)
    #[arg(long, default_value_t = 0.2, value_name = "P", value_parser = share)]
    least: f32,
    /// Keep a picture of each plate in this folder
    #[arg(long, value_name = "DIR")]
    crops: Option<PathBuf>,
    #[command(flatten)]
    engine: Engine,
}

pub(super) fn share(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("write a number from 0 to 1, such as 0.75".to_owned()),
    }
}

pub(super) fn run(args: &ReadArgs, context: &Context) -> Result<(), Failure> {
    let console = context.console();
    let models = args.engine.models()?;
    let mut finder = Finder::new(&models, &args.engine.driver(&models), Settings::default())?;
    let mut options = ReadOptions { least_confidence: args.least, ..ReadOptions::default() };
    options.limits.frames_a_second = args.fps;
    if let Some(folder) = &args.crops {
        fs::create_dir_all(folder).map_err(|error| at(folder, &error))?;
    }
    let step = Step::new(args.files.len());
    let (mut plates, mut failed) = (0, 0);
    for file in &args.files {
        step.next(&file.display().to_string());
        let mut unsaved = None;
        let done = read_file(&mut finder, file, &options, &mut |news| match news {
            News::Until(time) => step.until(time),
            News::Plate(reading) => {
                plates += 1;
                step.aside(|| print(context, &reading));
                let kept = args.crops.as_ref().map_or(Ok(()), |folder| keep(folder, plates, &reading));
                unsaved = unsaved.take().or(kept.err());
            }
        });
        step.warn(console, options.limits.warnings.take());
        if let Some(failure) = done.err().map(Failure::from).or(unsaved) {
            failed += 1;
            step.aside(|| console.failure(&failure));
        }
    }
    step.done();
    let files = count(args.files.len(), "file", "files");
    console.line(format!("{} in {files}", count(plates, "plate", "plates")));
    match failed {
        0 => Ok(()),
        _ => Err(Failure::new(format!("{failed} of {files} could not be read"))),
    }
}

fn print(context: &Context, reading: &Reading) {
    let console = context.console();
    if context.output == Output::Json {
        match serde_json::to_string(reading) {
            Ok(line) => console.raw(line),
            Err(error) => console.failure(&Failure::from(error)),
        }
        return;
    }
    let mut line = reading.file.clone();
    if let (Some(from), Some(until)) = (reading.from, reading.until) {
        let _ = write!(line, "  {from:.1} to {until:.1} s");
    }
    let _ = write!(line, "  {}", reading.plate.as_str());
    if let Some(region) = &reading.region {
        let _ = write!(line, " ({region})");
    }
    let _ = write!(line, "  {:.0} %", reading.confidence * 100.0);
    if let Some(colour) = reading.vehicle_colour {
        let _ = write!(line, "  {colour:?}");
    }
    if let Some(kind) = reading.vehicle_type {
        let _ = write!(line, " {kind:?}");
    }
    console.line(line);
}

fn keep(folder: &Path, number: usize, reading: &Reading) -> Result<(), Failure> {
    let Some(crop) = &reading.crop else { return Ok(()) };
    let to = folder.join(format!("{number:05}-{}.jpg", reading.plate.as_str()));
    fs::write(&to, crop.jpeg(90)?).map_err(|error| at(&to, &error))
}

fn at(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("{}: {error}; name a folder that can be written with --crops", path.display()))
}
