//! `demo`: builds the executable and lets it show the whole way of a clip on this machine.

use crate::setup::{self, Purpose};
use crate::shell::{self, Fail, Workspace};
use std::path::Path;

/// What `cargo xtask demo` takes.
#[derive(clap::Args)]
pub struct Args {
    /// End when the last step is done, instead of leaving the server up for a look
    #[arg(long)]
    exit: bool,
}

/// Installs what the demo needs, builds, and starts [`flow`].
pub fn run(workspace: &Workspace, args: &Args) -> Result<(), Fail> {
    setup::run(workspace, Purpose::Demo)?;
    workspace.cargo(&["build", "-p", "canvass"])?;
    let executable = workspace.target()?.join("debug").join("canvass");
    flow(workspace, &executable, args)
}

/// The demo itself: the built executable plays every part.
fn flow(workspace: &Workspace, executable: &Path, args: &Args) -> Result<(), Fail> {
    let mut command = workspace.command(executable);
    command.arg("demo");
    if args.exit {
        command.arg("--exit");
    }
    shell::run(&mut command)
}
