//! A bar while bytes move, a line while files are looked at.

use std::{io::IsTerminal, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Console;

/// A bar of bytes.
#[derive(Debug, Clone)]
pub struct Progress(ProgressBar);

impl Progress {
    /// A bar on standard error, hidden when that is no terminal.
    pub fn bytes(what: &'static str, total: u64) -> Self {
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr_with_hz(5)
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(total), target).with_message(what);
        let style = "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
        Self(
            bar.with_style(
                ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()),
            ),
        )
    }

    /// So many bytes are done.
    pub fn set(&self, done: u64) {
        self.0.set_position(done);
    }

    /// The bar goes away.
    pub fn done(&self) {
        self.0.finish_and_clear();
    }
}

/// How far many files are, on standard error: a line that changes on a terminal, a line for each file elsewhere.
#[derive(Debug)]
pub struct Step {
    bar: Option<ProgressBar>,
    files: usize,
    begun: std::cell::Cell<usize>,
}

impl Step {
    /// Of so many files, none of them begun.
    pub fn new(files: usize) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5));
            let style = ProgressStyle::with_template("{spinner} {prefix} {msg}");
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
        });
        Self { bar, files, begun: std::cell::Cell::new(0) }
    }

    /// The next file begins.
    pub fn next(&self, name: &str) {
        let number = self.begun.get() + 1;
        self.begun.set(number);
        let told = format!("{number} of {} {name}", self.files);
        match &self.bar {
            Some(bar) => bar.set_prefix(told),
            None if self.files > 1 => eprint(&told),
            None => {}
        }
    }

    /// The file was looked at up to this far from its start.
    pub fn until(&self, time: Duration) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{:.1} s", time.as_secs_f64()));
            bar.tick();
        }
    }

    /// Prints something else, with the line out of its way.
    pub fn aside(&self, print: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// Says what could not be done as well as it should be.
    pub fn warn(&self, console: Console, warnings: Vec<String>) {
        for warning in warnings {
            self.aside(|| console.note(format!("warning: {warning}")));
        }
    }

    /// The line goes away.
    pub fn done(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn eprint(line: &str) {
    use std::io::Write;
    // Nobody listens any more: no reason to stop.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
