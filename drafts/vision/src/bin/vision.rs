//! `vision`: reads the plates of files, and measures how well. `canvass camera read` does the first for its users.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool: printing is what it is for"
)]

use canvass_vision::{
    Driver, Finder, Models, ReadOptions, Settings, VisionError, default_folder, labels, read_file, run_bench,
    run_speed,
};
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Number plates of pictures and videos.
#[derive(Parser)]
#[command(name = "vision")]
struct Cli {
    #[command(subcommand)]
    task: Task,
    /// Folder of the models
    #[arg(long, global = true)]
    models: Option<PathBuf>,
    /// Use rten even where ONNX Runtime is there
    #[arg(long, global = true)]
    rten: bool,
    /// Threads of one network
    #[arg(long, global = true)]
    threads: Option<usize>,
}

#[derive(Subcommand)]
enum Task {
    /// Print the plates of files, one object of JSON a line
    Read {
        /// Pictures and videos
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Frames of a second of video that are looked at; 0 for all
        #[arg(long, default_value_t = 10)]
        fps: u32,
        /// Leave out readings below this confidence
        #[arg(long, default_value_t = 0.2)]
        least: f32,
        /// Keep each plate's picture in this folder
        #[arg(long)]
        crops: Option<PathBuf>,
    },
    /// Print accuracy on labelled pictures and the cost of each stage
    Bench {
        /// The folder `plates-dev`; left out: below CANVASS_EVAL
        folder: Option<PathBuf>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Print how many frames of a video are searched in a second, every one of them
    Speed {
        /// The video
        video: PathBuf,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("vision: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<bool, VisionError> {
    let folder = cli.models.unwrap_or_else(default_folder);
    let models = Models::in_folder(&folder)?;
    let driver = if cli.rten { Driver::Rten } else { Driver::find(&models) };
    let mut settings = Settings::default();
    settings.threads = cli.threads.unwrap_or(settings.threads);
    let mut finder = Finder::new(&models, &driver, settings)?;
    match cli.task {
        Task::Read { files, fps, least, crops } => {
            let mut options = ReadOptions { least_confidence: least, ..ReadOptions::default() };
            options.limits.frames_a_second = fps;
            let mut good = true;
            let mut count = 0u32;
            for file in files {
                let mut unsaved = None;
                let done = read_file(&mut finder, &file, &options, &mut |reading| {
                    println!("{}", serde_json::json!(reading));
                    if let (Some(folder), Some(crop)) = (&crops, &reading.crop) {
                        count += 1;
                        let to = folder.join(format!("{count:05}-{}.jpg", reading.plate));
                        let saved = crop.jpeg(90).and_then(|bytes| {
                            std::fs::write(&to, bytes)
                                .map_err(|error| VisionError::Io { path: to.display().to_string(), error })
                        });
                        unsaved = unsaved.take().or(saved.err());
                    }
                });
                if let Some(error) = done.err().or(unsaved) {
                    eprintln!("vision: {error}");
                    good = false;
                }
            }
            Ok(good)
        }
        Task::Bench { folder, json } => {
            let below = || {
                let eval = std::env::var_os("CANVASS_EVAL")
                    .map_or_else(|| PathBuf::from("../shared/eval"), PathBuf::from);
                eval.join("plates-dev")
            };
            bench(&mut finder, &folder.unwrap_or_else(below), json)
        }
        Task::Speed { video } => speed(&mut finder, &video),
    }
}

#[expect(clippy::disallowed_methods, reason = "measuring what a stage costs takes the machine's own clock")]
fn clock() -> impl Fn() -> std::time::Duration {
    let start = std::time::Instant::now();
    move || start.elapsed()
}

fn speed(finder: &mut Finder, video: &std::path::Path) -> Result<bool, VisionError> {
    let (frames, time) = run_speed(finder, video, &clock())?;
    println!("{:.1} frames a second ({frames} frames)", f64::from(frames) / time.as_secs_f64());
    Ok(true)
}

fn bench(finder: &mut Finder, folder: &std::path::Path, json: bool) -> Result<bool, VisionError> {
    let result = run_bench(finder, &labels(folder)?, &clock())?;
    if json {
        println!("{}", serde_json::json!(result));
        return Ok(true);
    }
    println!("driver: {}\n", result.driver);
    println!(
        "| set | plates | found | exact | folded | one edit | extra |\n| --- | --- | --- | --- | --- | --- | --- |"
    );
    for (set, s) in &result.sets {
        println!(
            "| {set} | {} | {} | {} | {} | {} | {} |",
            s.plates, s.found, s.exact, s.folded, s.one_edit, s.extra
        );
    }
    println!("\n| confidence | readings | right |\n| --- | --- | --- |");
    for (tenth, (all, right)) in &result.reliability {
        println!("| 0.{tenth}–{:.1} | {all} | {right} |", f64::from(tenth + 1) / 10.0);
    }
    println!("\n| set | label | read | confidence |\n| --- | --- | --- | --- |");
    for (set, label, text, confidence) in &result.wrong {
        println!("| {set} | {label} | {} | {confidence:.2} |", text.as_deref().unwrap_or("not found"));
    }
    println!("\n| stage | median ms |\n| --- | --- |");
    for stage in &result.stages {
        println!("| {} | {:.1} |", stage.name, stage.median_ms);
    }
    Ok(true)
}
