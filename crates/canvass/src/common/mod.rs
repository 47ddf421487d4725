//! What all commands share, and the only place where the machine itself is touched.

mod console;
mod context;
mod failure;
mod files;
mod http;
mod machine;
mod progress;
mod words;

pub use self::{
    console::Console,
    context::{Context, Output},
    failure::Failure,
    files::{create_new, exists, hash_file, read_limited, write_public, write_secret},
    http::{Http, HttpError, Server},
    machine::{OsEntropy, SystemClock, day, now, stop_signal},
    progress::{Progress, Step},
    words::{count, frame, moment_in, span_in},
};
