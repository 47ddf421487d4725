//! What can go wrong, and what to do about it.

/// Why something could not be seen.
#[derive(Debug, thiserror::Error)]
pub enum VisionError {
    /// models.toml can't be used.
    #[error("models.toml: {0}; put back the file that came with this version")]
    List(String),
    /// A model is not on the list.
    #[error("model {0:?} is not in models.toml; `canvass models list` shows those that are")]
    Unlisted(String),
    /// A model's file is missing.
    #[error("model {name:?}: {path} is not there; {remedy}")]
    Missing {
        /// The model.
        name: String,
        /// Where it was looked for.
        path: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A model's file has other content than the list says.
    #[error("model {name:?}: {path} has sha256 {found}, models.toml says {wanted}; {remedy}")]
    Hash {
        /// The model.
        name: String,
        /// The file.
        path: String,
        /// Its hash.
        found: String,
        /// The hash of the list.
        wanted: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A model's licence is none that may be used.
    #[error("model {name:?}: licence {licence:?} is not allowed here; use a model under one of {allowed}")]
    Licence {
        /// The model.
        name: String,
        /// Its licence.
        licence: String,
        /// Those that may be used.
        allowed: String,
    },
    /// What was given to add a model does not go together.
    #[error("model {name:?}: {what}")]
    Given {
        /// The model.
        name: String,
        /// What is wrong, and what to do.
        what: String,
    },
    /// A model takes or gives other shapes than its purpose needs.
    #[error("model {name:?}: {what}; it is no model for this purpose, check its entry in models.toml")]
    Shape {
        /// The model.
        name: String,
        /// What does not fit.
        what: String,
    },
    /// A model could not be loaded or run.
    #[error("model {name:?} on {driver}: {reason}")]
    Inference {
        /// The model.
        name: String,
        /// Which driver.
        driver: &'static str,
        /// Its words.
        reason: String,
    },
    /// The library of a driver is missing.
    #[error(
        "{0}; set CANVASS_ONNXRUNTIME to libonnxruntime.so (`cargo xtask models` fetches it), or leave it unset to use the driver that needs none"
    )]
    Library(String),
    /// A picture can't be read.
    #[error("{file}: {reason}")]
    Picture {
        /// The file.
        file: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A video or a camera can't be read.
    #[error("{source_name}: {reason}")]
    Frames {
        /// The file or camera.
        source_name: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A file could not be opened.
    #[error("{path}: {error}")]
    Io {
        /// The path.
        path: String,
        /// The system's words.
        error: std::io::Error,
    },
}

impl VisionError {
    pub(crate) fn io(path: impl AsRef<std::path::Path>, error: std::io::Error) -> Self {
        Self::Io { path: path.as_ref().display().to_string(), error }
    }

    /// One of a model's other files can't be read. The parser's picture of the place is left out: an error is one line.
    pub(crate) fn given(name: &str, part: &str, what: &str) -> Self {
        let what = what.lines().next().unwrap_or_default();
        Self::Given { name: name.to_owned(), what: format!("its --{part}: {what}") }
    }

    pub(crate) fn frames(source: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Frames { source_name: source.into(), reason: reason.into() }
    }
}
