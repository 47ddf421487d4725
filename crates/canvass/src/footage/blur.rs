//! `canvass footage blur`: what should be covered before a recording is shown to others, and the covered copy.

use std::{
    fs,
    path::{Path, PathBuf},
};

use canvass_vision::{
    CopyOptions, CoverOptions, CoverStyle, Coverer, MOST_SUGGESTIONS_BYTES, Reason, Settings, Suggestions,
    cover_copy, suggest_file,
};
use clap::{Args, ValueEnum};
use serde_json::json;

use super::Engine;
use crate::common::{Context, Failure, Step, count};

/// How boxes hide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum How {
    /// Black: nothing is left
    Cover,
    /// A few blocks of colour
    Blur,
}

/// Which recording, and what is made of it.
#[derive(Debug, Args)]
pub struct BlurArgs {
    /// A video of any container, or a JPEG or PNG picture
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Write a covered copy: an MP4 of a video, a JPEG of a picture
    #[arg(long, value_name = "COPY")]
    out: Option<PathBuf>,
    /// Keep the sound in the copy
    #[arg(long, requires = "out")]
    keep_sound: bool,
    /// Cover what this file says, and look for nothing: what --json printed, perhaps changed
    #[arg(long, requires = "out", value_name = "FILE", conflicts_with_all = ["style", "fps"])]
    boxes: Option<PathBuf>,
    /// How the boxes hide
    #[arg(long, value_enum, default_value = "cover", value_name = "HOW")]
    style: How,
    /// Frames of a second of video that are looked at; between them boxes move in straight lines
    #[arg(long, default_value_t = 6, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=30))]
    fps: u32,
    #[command(flatten)]
    engine: Engine,
}

pub(super) fn run(args: &BlurArgs, context: &Context) -> Result<(), Failure> {
    canvass_vision::steady_memory();
    let console = context.console();
    let boxes = match &args.boxes {
        Some(path) => read_boxes(path)?,
        None => look(args, context)?,
    };
    let counts = [Reason::Face, Reason::Head, Reason::Plate].map(|reason| boxes.count(reason));
    let [faces, heads, plates] = counts;
    for one in &boxes.boxes {
        let reason = one.reason.map_or("drawn", Reason::as_str);
        console.line(format!("{}  {reason}  {:.1} to {:.1} s", one.id, one.from, one.until));
    }
    console.line(format!(
        "{}: {}, {}, {}. Look at each: some are missing, some are none",
        args.file.display(),
        count(faces, "face", "faces"),
        count(heads, "head", "heads"),
        count(plates, "plate", "plates"),
    ));
    let Some(out) = &args.out else { return console.result(&boxes) };
    let step = Step::new(1);
    step.next(&out.display().to_string());
    let options = CopyOptions { keep_sound: args.keep_sound, ..CopyOptions::default() };
    let facts = cover_copy(&args.file, out, &boxes, &options, &mut |time| step.until(time));
    step.warn(console, options.limits.warnings.take());
    step.done();
    let facts = facts?;
    if args.keep_sound && !facts.sound {
        console.note("the recording has no sound");
    }
    let sound = if facts.sound { "sound kept" } else { "no sound" };
    console.line(format!(
        "{}: {}, something covered in {}, {sound}. Watch it whole before you give it away",
        out.display(),
        count(usize::try_from(facts.frames).unwrap_or(usize::MAX), "frame", "frames"),
        facts.covered,
    ));
    console.result(&json!({"copy": out, "facts": facts, "boxes": boxes}))
}

fn look(args: &BlurArgs, context: &Context) -> Result<Suggestions, Failure> {
    let models = args.engine.models()?;
    let mut coverer = Coverer::new(&models, &args.engine.driver(&models), Settings::default())?;
    let mut options = CoverOptions::default();
    options.limits.frames_a_second = args.fps;
    options.style = match args.style {
        How::Cover => CoverStyle::Cover,
        How::Blur => CoverStyle::Blur,
    };
    let step = Step::new(1);
    step.next(&args.file.display().to_string());
    let found = suggest_file(&mut coverer, &args.file, &options, &mut |time| step.until(time));
    // The copy would only say it once more.
    if args.out.is_none() {
        step.warn(context.console(), options.limits.warnings.take());
    }
    step.done();
    Ok(found?)
}

fn read_boxes(path: &Path) -> Result<Suggestions, Failure> {
    let named = |error: std::io::Error| Failure::from(error).context(path.display());
    if fs::metadata(path).map_err(named)?.len() > MOST_SUGGESTIONS_BYTES {
        return Err(Failure::new(format!("{}: over 64 MiB is no file of boxes", path.display())));
    }
    let text = fs::read_to_string(path).map_err(named)?;
    Suggestions::parse(&text).map_err(|error| Failure::from(error).context(path.display()))
}
