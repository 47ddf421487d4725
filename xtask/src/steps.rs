//! Steps with times, and the table at the end.

use crate::shell::Fail;
use std::time::{Duration, Instant};

/// How a step ended when it didn't fail.
pub enum Done {
    /// It did what it is there for.
    Passed,
    /// It could not run here, and this is why and what to do about it.
    Skipped(String),
}

enum End {
    Passed,
    Skipped(String),
    Failed(String),
}

/// The steps run so far.
#[derive(Default)]
pub struct Steps {
    rows: Vec<(String, End, Duration)>,
}

impl Steps {
    /// Runs one step, whatever became of those before it: one run then shows everything to mend.
    pub fn run(&mut self, name: &str, step: impl FnOnce() -> Result<Done, Fail>) {
        println!("\n== {name}");
        let begun = now();
        let end = match step() {
            Ok(Done::Passed) => End::Passed,
            Ok(Done::Skipped(why)) => {
                println!("skipped: {why}");
                End::Skipped(why)
            }
            Err(fail) => {
                println!("FAILED: {fail}");
                End::Failed(fail.to_string())
            }
        };
        self.rows.push((name.to_owned(), end, begun.elapsed()));
    }

    /// Prints the table and, alone on the last line, `N passed, N failed`.
    pub fn finish(self) -> Result<(), Fail> {
        println!("\n{}", self.table());
        let failed = self.count(|end| matches!(end, End::Failed(_)));
        let passed = self.count(|end| matches!(end, End::Passed));
        println!("{passed} passed, {failed} failed");
        if failed == 0 { Ok(()) } else { Err(Fail::told()) }
    }

    fn count(&self, want: impl Fn(&End) -> bool) -> usize {
        self.rows.iter().filter(|(_, end, _)| want(end)).count()
    }

    fn table(&self) -> String {
        let width = self.rows.iter().map(|(name, _, _)| name.chars().count()).max().unwrap_or(0);
        let mut text = String::new();
        for (name, end, took) in &self.rows {
            let (word, note) = match end {
                End::Passed => ("ok", String::new()),
                End::Skipped(why) => ("skipped", format!("  {why}")),
                End::Failed(why) => ("FAILED", format!("  {}", why.lines().next().unwrap_or_default())),
            };
            text.push_str(&format!("{name:<width$}  {word:<7}  {:>7.1} s{note}\n", took.as_secs_f64()));
        }
        text
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a step took is shown to a person and decides nothing"
)]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failed_step_fails_the_whole_and_the_rest_still_run() {
        let mut steps = Steps::default();
        steps.run("first", || Err(Fail::new("broken\nmore")));
        let mut ran = false;
        steps.run("second", || {
            ran = true;
            Ok(Done::Passed)
        });
        assert!(ran);
        assert!(steps.table().contains("FAILED"));
        assert!(!steps.table().contains("more"));
        assert!(steps.finish().is_err());
    }

    #[test]
    fn a_skipped_step_is_neither_passed_nor_failed() {
        let mut steps = Steps::default();
        steps.run("deny", || Ok(Done::Skipped("no cargo-deny".into())));
        assert_eq!(steps.count(|end| matches!(end, End::Passed)), 0);
        assert!(steps.table().contains("no cargo-deny"));
        assert!(steps.finish().is_ok());
    }
}
