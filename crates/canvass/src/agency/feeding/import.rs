//! Tables of reads as CSV.

use std::{fs::File, io::BufReader, path::PathBuf};

use canvass_adapters::{
    Fault,
    table::{Line, Mapping, Moments, Table},
};
use canvass_core::plates::RowProblem;
use clap::{Args, ValueEnum};

use super::{Added, BATCH, MOST_SHOWN, Pause, lasting, send};
use crate::{
    agency::desk::{plain, show},
    common::{Context, Failure, Http, Progress, count},
};

/// Tries of one batch before the import gives up; with the pauses between, about six minutes.
const TRIES: u32 = 16;
/// Longest pause between two tries, seconds.
const MOST_PAUSE: u64 = 30;

/// What becomes of the good rows when others are bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Bad {
    /// They are sent, and the bad ones are named
    Keep,
    /// Nothing is sent while a row is bad
    Refuse,
}

/// An import.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The table: CSV in UTF-8, whose first line names the columns
    file: PathBuf,
    /// Which column is what: plate and time, and if there are: source, confidence, region, vehicle, colour, brand, direction
    #[arg(long, value_name = "FIELD=COLUMN,…", value_parser = mapping)]
    map: Mapping,
    /// Zone of moments without an offset, as the IANA names it
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// How moments are written: unix, unix-ms, or a pattern of strftime [default: 2026-11-24T10:00:00, with or without an offset]
    #[arg(long, value_name = "FORM")]
    time_format: Option<String>,
    /// What counts as certain in the column of confidence: 100 or 1
    #[arg(long, value_name = "NUMBER", default_value = "100", value_parser = ["100", "1"])]
    out_of: String,
    /// What becomes of the good rows when others are bad
    #[arg(long, default_value = "keep")]
    bad: Bad,
}

fn mapping(text: &str) -> Result<Mapping, String> {
    text.parse().map_err(|fault: Fault| format!("{}; {}", fault.what, fault.remedy))
}

type FileTable = Table<BufReader<File>>;

fn table(args: &ImportArgs) -> Result<(FileTable, u64), Failure> {
    let shown = args.file.display();
    let unreadable =
        |error: std::io::Error| Failure::new(format!("{shown}: it can't be read ({error}); check its name"));
    let file = File::open(&args.file).map_err(unreadable)?;
    let bytes = file.metadata().map_err(unreadable)?.len();
    let asked = |fault: Fault| Failure::usage(fault.to_string());
    let moments = Moments::new(args.time_format.as_deref(), args.time_zone.as_deref()).map_err(asked)?;
    let whole = if args.out_of == "1" { 1.0 } else { 100.0 };
    Ok((Table::new(BufReader::new(file), &args.map, moments, whole).map_err(asked)?, bytes))
}

fn problem(row: u64, fault: Fault) -> RowProblem {
    let Fault { field, rule, what, remedy } = fault;
    RowProblem { row, field, rule: rule.to_owned(), message: what, remedy: remedy.to_owned() }
}

fn shown(problem: &RowProblem) -> String {
    plain(&format!("  row {}, {}: {} ({})", problem.row, problem.field, problem.message, problem.remedy))
}

/// Looks through the whole table first, so that nothing is sent while a row is bad.
fn refuse_bad(args: &ImportArgs) -> Result<(), Failure> {
    let (table, _) = table(args)?;
    let (mut bad, mut lines) = (0_u64, Vec::new());
    for Line { number, read, .. } in table {
        if let Err(fault) = read {
            bad += 1;
            if lines.len() < MOST_SHOWN {
                lines.push(shown(&problem(number, fault)));
            }
        }
    }
    if bad == 0 {
        return Ok(());
    }
    let rows = count(bad, "row is", "rows are");
    Err(Failure::new(format!(
        "{rows} bad, and nothing was sent; mend them, or give --bad keep\n{}",
        lines.join("\n")
    )))
}

/// Rows on their way, with their numbers in the table.
#[derive(Default)]
struct Batch {
    rows: Vec<serde_json::Value>,
    numbers: Vec<u64>,
}

impl Batch {
    /// Sends them, again while the server can't be reached, and tells their problems by the table's numbers.
    async fn send(&mut self, http: &Http, bad: Bad) -> Result<Added, Failure> {
        let word = if bad == Bad::Refuse { "refuse" } else { "keep" };
        let (mut pause, mut tries) = (Pause::up_to(MOST_PAUSE), 0);
        let mut added = loop {
            tries += 1;
            match send(http, &self.rows, word).await {
                Ok(added) => break added,
                Err(error) if lasting(&error) || tries >= TRIES => {
                    let from = self.numbers.first().copied().unwrap_or(0);
                    return Err(Failure::from(error).context(format!(
                        "from row {from} on nothing was sent (run the same again later: what is stored is not stored twice)"
                    )));
                }
                Err(_) => pause.wait().await,
            }
        };
        for problem in &mut added.problems {
            let place = usize::try_from(problem.row).unwrap_or(0).checked_sub(1);
            problem.row = place.and_then(|at| self.numbers.get(at)).copied().unwrap_or(problem.row);
        }
        self.rows.clear();
        self.numbers.clear();
        Ok(added)
    }
}

/// Imports a table.
///
/// # Errors
/// It can't be read, or the server refuses.
pub async fn run(args: ImportArgs, context: &Context) -> Result<(), Failure> {
    let http = context.private_http()?;
    if args.bad == Bad::Refuse {
        refuse_bad(&args)?;
    }
    let (table, bytes) = table(&args)?;
    let progress = Progress::bytes("reads", bytes);
    let (mut all, mut batch) = (Added::default(), Batch::default());
    for Line { number, end, read } in table {
        match read {
            Ok(read) => {
                batch.rows.push(serde_json::to_value(&read)?);
                batch.numbers.push(number);
            }
            Err(fault) => all.join(Added {
                rows: 1,
                refused: 1,
                problems: vec![problem(number, fault)],
                ..Added::default()
            }),
        }
        if batch.rows.len() >= BATCH {
            all.join(batch.send(&http, args.bad).await?);
            progress.set(end);
        }
    }
    if !batch.rows.is_empty() {
        all.join(batch.send(&http, args.bad).await?);
    }
    progress.done();
    all.problems.sort_by_key(|problem| problem.row);
    show(context, &all, &lines(&all))
}

fn lines(all: &Added) -> Vec<String> {
    let mut lines = vec![format!(
        "{}: {} stored, {} there already",
        count(all.rows, "row", "rows"),
        all.stored,
        all.duplicates
    )];
    if all.dropped > 0 {
        lines.push(format!(
            "{} dropped: the law keeps such reads not even for a moment, or the plates are on the safelist",
            all.dropped
        ));
    }
    if all.refused > 0 {
        lines.push(format!("{} bad and left out:", all.refused));
        lines.extend(all.problems.iter().map(shown));
    }
    lines
}
