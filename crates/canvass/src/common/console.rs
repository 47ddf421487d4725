//! Everything that a command prints goes through here: results to standard output, the rest to standard error.

use std::io::{self, BufRead, IsTerminal, Write};

use serde::Serialize;

use super::{Failure, Output};

/// Longest line that is read as an answer, in bytes.
const MAX_ANSWER: u64 = 4 * 1024;

/// Where a command speaks.
#[derive(Debug, Clone, Copy)]
pub struct Console {
    output: Output,
}

impl Console {
    pub(super) fn new(output: Output) -> Self {
        Self { output }
    }

    /// One line of the result. With `--json` it is left out: see [`Self::result`].
    pub fn line(self, text: impl AsRef<str>) {
        if self.output == Output::Human {
            put(&mut io::stdout().lock(), text.as_ref());
        }
    }

    /// The result for programs, printed with `--json` alone.
    ///
    /// # Errors
    /// The value has no JSON.
    pub fn result<T: Serialize>(self, value: &T) -> Result<(), Failure> {
        if self.output == Output::Json {
            put(&mut io::stdout().lock(), &serde_json::to_string_pretty(value)?);
        }
        Ok(())
    }

    /// Prints to standard output whatever the form of output; for what is itself a file or a key.
    pub fn raw(self, text: impl AsRef<str>) {
        put(&mut io::stdout().lock(), text.as_ref());
    }

    /// What is going on, on standard error.
    pub fn note(self, text: impl AsRef<str>) {
        put(&mut io::stderr().lock(), text.as_ref());
    }

    /// Why the command ends.
    pub fn failure(self, failure: &Failure) {
        if self.output == Output::Json {
            let shown = serde_json::json!({"error": failure.to_string(), "status": failure.code()});
            put(&mut io::stderr().lock(), &shown.to_string());
        } else {
            put(&mut io::stderr().lock(), &format!("canvass: {failure}"));
        }
    }

    /// Whether somebody can be asked.
    pub fn can_ask(self) -> bool {
        self.output == Output::Human && io::stdin().is_terminal()
    }

    /// Asks a question on standard error; only `yes` (or `y`, `sí`, `si`, `s`) agrees.
    ///
    /// # Errors
    /// Reading the answer failed.
    pub fn agree(self, question: &str) -> Result<bool, Failure> {
        let mut error = io::stderr().lock();
        let _ = write!(error, "{question} [yes/no] ");
        let _ = error.flush();
        let mut answer = String::new();
        io::Read::take(io::stdin().lock(), MAX_ANSWER).read_line(&mut answer)?;
        Ok(matches!(answer.trim().to_lowercase().as_str(), "yes" | "y" | "sí" | "si" | "s"))
    }
}

// A closed pipe is the reader's wish, and no failure.
fn put(out: &mut dyn Write, text: &str) {
    let _ = out.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = out.write_all(b"\n");
    }
    let _ = out.flush();
}
