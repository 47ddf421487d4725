//! What is wrong with a set of policies, by file and line.

/// One thing that is wrong with a file of policies.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {message}; {remedy}", .line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct PolicyError {
    /// The file, as a path below `policies/`.
    pub file: String,
    /// The line, from 1; none when the whole file is meant.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl PolicyError {
    pub(crate) fn new(
        file: &str,
        line: Option<usize>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { file: file.to_owned(), line, message: message.into(), remedy: remedy.into() }
    }
}

/// Everything that is wrong with a set of policies; never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct PolicyErrors(pub Vec<PolicyError>);

/// The line, from 1, in which the byte at an offset stands.
pub(crate) fn line_at(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    1 + before.filter(|byte| **byte == b'\n').count()
}

/// The line of the first label of a diagnostic.
pub(crate) fn line_of(diagnostic: &dyn miette::Diagnostic, text: &str) -> Option<usize> {
    let label = diagnostic.labels()?.next()?;
    Some(line_at(text, label.offset()))
}

/// A diagnostic's message with its help, as one line.
pub(crate) fn said(diagnostic: &dyn miette::Diagnostic) -> String {
    let mut text = diagnostic.to_string();
    if let Some(label) = diagnostic.labels().and_then(|mut labels| labels.next())
        && let Some(what) = label.label()
    {
        text = format!("{text} ({what})");
    }
    if let Some(help) = diagnostic.help() {
        text = format!("{text}; {help}");
    }
    text.replace('\n', " ")
}
