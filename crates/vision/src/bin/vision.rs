//! `vision`: measures how well and how fast plates are read; `bench/vision` calls it. Reading is `canvass camera read`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool: printing is what it is for"
)]

use canvass_vision::{
    Driver, Finder, Models, Settings, VisionError, default_folder, labels, run_bench, run_speed,
};
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Measures reading number plates.
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
