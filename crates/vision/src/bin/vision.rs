//! `vision`: measures how well and how fast plates are read and footage is searched; `bench/vision` calls it. Reading is `canvass camera read`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool: printing is what it is for"
)]

use canvass_vision::{
    Driver, Eyes, Finder, Measuring, Models, Objects, PlateText, Settings, Speed, Towers, VisionError,
    default_folder, labels, measure, run_bench, run_soak, run_speed, steady_memory,
};
use clap::{Args, Parser, Subcommand};
use std::path::{Path, PathBuf};
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
    /// Measure plates, attributes and searches, and write the report that is published
    Report(ReportArgs),
    /// Print how many frames of a video are looked at in a second, every one of them, the processor time of each, and the plates
    Speed {
        /// The video
        video: PathBuf,
        /// Search all of every frame, not only what changed
        #[arg(long)]
        whole: bool,
    },
    /// Search a video again and again, and print the memory by quarters of the time
    Soak {
        /// The video
        video: PathBuf,
        /// For how long
        #[arg(long, default_value_t = 5)]
        minutes: u64,
    },
}

#[derive(Args)]
struct ReportArgs {
    /// The folder of development data, with plates-dev and clips; left out: CANVASS_EVAL
    folder: Option<PathBuf>,
    /// Our labels of it
    #[arg(long, default_value = "bench/vision")]
    labels: PathBuf,
    /// vtest.avi of Debian's opencv-doc
    #[arg(long)]
    walkers: Option<PathBuf>,
    /// The day, as 2026-11-28
    #[arg(long)]
    date: String,
    /// Where the JSON goes; Markdown goes to standard output
    #[arg(long)]
    out: PathBuf,
}

fn main() -> ExitCode {
    steady_memory();
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
            bench(&mut finder, &folder.unwrap_or_else(|| data().join("plates-dev")), json)
        }
        Task::Report(args) => {
            let threads = finder.settings().threads;
            let objects = Objects::new(&driver, models.bytes("objects")?, threads)?;
            let brought = models.all().any(|(name, _)| name == "towers");
            let towers = brought.then(|| Towers::new(&driver, &models.files("towers")?, threads));
            let mut eyes = Eyes { objects, towers: towers.transpose()? };
            report(&mut finder, &mut eyes, &models, &args)
        }
        Task::Speed { video, whole } => speed(&mut finder, &video, whole),
        Task::Soak { video, minutes } => soak(&mut finder, &video, minutes),
    }
}

fn data() -> PathBuf {
    std::env::var_os("CANVASS_EVAL").map_or_else(|| PathBuf::from("../shared/eval"), PathBuf::from)
}

fn report(
    finder: &mut Finder,
    eyes: &mut Eyes,
    models: &Models,
    args: &ReportArgs,
) -> Result<bool, VisionError> {
    let data = args.folder.clone().unwrap_or_else(data);
    let plates = run_bench(finder, &labels(&data.join("plates-dev"))?, &clock())?;
    let (labels, walkers, date) = (args.labels.as_path(), args.walkers.as_deref(), args.date.as_str());
    let measuring = Measuring { models, data: &data, labels, walkers, date };
    let report = measure(finder, eyes, &plates, &measuring)?;
    let failed = |error| VisionError::Io { path: args.out.display().to_string(), error };
    if let Some(folder) = args.out.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    std::fs::write(&args.out, report.json()?).map_err(failed)?;
    println!("{}", report.markdown());
    Ok(true)
}

/// The processor time of this process and of those that it waited for; none where the system does not tell.
fn processor_time() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    let ticks: Vec<f64> =
        rest.split_whitespace().skip(11).take(4).filter_map(|ticks| ticks.parse().ok()).collect();
    // A tick is a hundredth of a second on every system that Debian runs on.
    (ticks.len() == 4).then(|| ticks.iter().sum::<f64>() / 100.0)
}

/// The memory of this process in MiB; 0 where the system does not tell.
fn memory() -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number =
        line.and_then(|line| line.split_whitespace().next()).and_then(|number| number.parse::<f64>().ok());
    number.unwrap_or(0.0) / 1024.0
}

fn soak(finder: &mut Finder, video: &Path, minutes: u64) -> Result<bool, VisionError> {
    let time = std::time::Duration::from_secs(minutes * 60);
    let soak = run_soak(finder, video, time, &clock(), &memory)?;
    let quarters = soak.quarters.map(|quarter| format!("{quarter:.0}")).join(", ");
    println!(
        "memory by quarters of {minutes} minutes: {quarters} MiB, {:+.1} % from the second to the last ({} frames)",
        soak.growth() * 100.0,
        soak.frames
    );
    Ok(true)
}

#[expect(clippy::disallowed_methods, reason = "measuring what a stage costs takes the machine's own clock")]
fn clock() -> impl Fn() -> std::time::Duration {
    let start = std::time::Instant::now();
    move || start.elapsed()
}

fn speed(finder: &mut Finder, video: &Path, whole: bool) -> Result<bool, VisionError> {
    let before = processor_time();
    let Speed { frames, time, plates } = run_speed(finder, video, whole, &clock())?;
    let spent = before.zip(processor_time()).map_or(0.0, |(before, after)| after - before);
    let frames = f64::from(frames);
    println!(
        "{:.2} frames a second, {:.0} ms of processor time a frame ({frames} frames; plates: {})",
        frames / time.as_secs_f64(),
        spent * 1000.0 / frames.max(1.0),
        plates.iter().map(PlateText::as_str).collect::<Vec<_>>().join(" ")
    );
    Ok(true)
}

fn bench(finder: &mut Finder, folder: &Path, json: bool) -> Result<bool, VisionError> {
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
    for (tenth, (all, right, _)) in &result.reliability {
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
