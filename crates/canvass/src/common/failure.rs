//! How a command ends when it does not succeed.

use std::fmt;

/// What went wrong, in words that say what to do next, and the exit status that says which kind of thing it was.
#[derive(Debug)]
pub struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    /// It didn't work: status 1.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 1 }
    }

    /// It was asked wrongly: status 2.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 2 }
    }

    /// Defects were found and have been printed: status 1.
    pub fn defects(count: usize) -> Self {
        let found = super::count(count, "defect", "defects");
        Self::new(format!("{found} found; rely on nothing here until they are explained"))
    }

    /// The exit status.
    pub fn code(&self) -> u8 {
        self.code
    }

    /// The same failure with words before it: which file, which step.
    #[must_use]
    pub fn context(mut self, before: impl fmt::Display) -> Self {
        self.message = format!("{before}: {}", self.message);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

// Not an `Error` itself, so that `?` takes any error.
impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(with_sources(&error))
    }
}

fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let words = inner.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        source = inner.source();
    }
    text
}
