//! `corpus FOLDER`: writes the first inputs of every target. `mutate SECONDS [TARGET]`: runs seeded mutations of them with
//! the stable compiler, for machines without libFuzzer. `list`: the targets.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool for developers")]

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use canvass_fuzz_bodies::mutate::{Chance, mutated};
use canvass_fuzz_bodies::{TARGETS, Target, seeds};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["list"] => {
            TARGETS.iter().for_each(|target| println!("{}", target.name));
            Ok(())
        }
        ["corpus", folder] => seeds::write(Path::new(folder)),
        ["mutate", seconds, rest @ ..] => mutate(seconds, rest.first().copied()),
        _ => Err(io::Error::other("say `list`, `corpus FOLDER` or `mutate SECONDS [TARGET]`")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fuzz: {error}");
            ExitCode::FAILURE
        }
    }
}

fn mutate(seconds: &str, only: Option<&str>) -> io::Result<()> {
    let seconds = seconds.parse().map_err(|_| io::Error::other("SECONDS must be a whole number"))?;
    let chosen: Vec<_> =
        TARGETS.iter().filter(|target| only.is_none_or(|only| only == target.name)).collect();
    if chosen.is_empty() {
        return Err(io::Error::other("no such target; `list` names them"));
    }
    for target in chosen {
        let inputs = run(target, Duration::from_secs(seconds))?;
        println!("{:<16} {inputs} inputs held", target.name);
    }
    Ok(())
}

/// Each input's seed is its number, so the number printed with a failure is enough to make it again.
#[expect(clippy::disallowed_methods, reason = "measures how long to go on; no result hangs on it")]
fn run(target: &Target, time: Duration) -> io::Result<u64> {
    let seeds = seeds::of(target)?;
    let begun = Instant::now();
    for number in 0_u64.. {
        if begun.elapsed() >= time {
            return Ok(number);
        }
        let bytes = mutated(&seeds, &mut Chance::new(number));
        if std::panic::catch_unwind(|| (target.run)(&bytes)).is_err() {
            let file = std::env::temp_dir().join(format!("canvass-fuzz-{}-{number}", target.name));
            std::fs::write(&file, &bytes)?;
            let what = format!(
                "{} breaks on mutation {number}; the input is in {}, make it a vector",
                target.name,
                file.display()
            );
            return Err(io::Error::other(what));
        }
    }
    Ok(0)
}
