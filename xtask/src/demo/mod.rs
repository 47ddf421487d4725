//! `demo`: builds the executable and lets it show the whole way of a clip on this machine.
//!
//! A small town plays: two agencies, a moderator, an overseer, two residents, three requests of which one is refused.
//! Every step runs the shipped executable as that person would, with a token and keys of their own.

mod clips;
mod people;
mod story;

use crate::setup::{self, Purpose};
use crate::shell::{Fail, Workspace, make_folder};
use crate::web;
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
    web::build(workspace)?;
    workspace.cargo(&["build", "-p", "canvass"])?;
    let executable = workspace.target()?.join("debug").join("canvass");
    flow(workspace, &executable, args)
}

/// The demo itself: the built executable plays every part.
fn flow(workspace: &Workspace, executable: &Path, args: &Args) -> Result<(), Fail> {
    let folder = std::env::temp_dir().join(format!("canvass-demo-{}", std::process::id()));
    make_folder(&folder)?;
    let told = story::tell(workspace, executable, &folder).and_then(|town| {
        story::farewell(&town, args.exit);
        if args.exit { Ok(()) } else { town.stay() }
    });
    if args.exit && told.is_ok() {
        // A failed run is left for a look; a good one leaves nothing behind.
        let _ = std::fs::remove_dir_all(&folder);
    } else {
        println!("\nEverything of this run is in {}", folder.display());
    }
    told
}
