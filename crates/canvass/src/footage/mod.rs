//! Commands over one's own pictures and videos. Without `--case` all of it happens on this machine; `canvass camera run` sends
//! reads, and sightings where it is asked to. `canvass camera read` and `run` stand among the agency's cameras ([`crate::agency`]) and are carried
//! out here.

mod blur;
mod clock;
mod index;
mod like;
mod models;
mod read;
mod run;
mod search;

use std::path::PathBuf;

use canvass_vision::{Driver, Models};
use clap::{Args, Subcommand};

use crate::common::{Context, Failure};

pub use self::read::CameraFiles;

/// Commands over pictures and videos.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The models that see
    #[command(subcommand)]
    Models(models::ModelsCommand),
    /// Search pictures and videos by description
    #[command(subcommand)]
    Footage(search::FootageCommand),
}

/// Where models are, and what runs them.
#[derive(Debug, Args)]
pub struct Engine {
    /// Folder of the models [default: ~/.cache/canvass-models]
    #[arg(long, env = "CANVASS_MODELS", value_name = "DIR")]
    models: Option<PathBuf>,
    /// Run the networks with rten even where ONNX Runtime is there
    #[arg(long)]
    rten: bool,
}

impl Engine {
    fn models(&self) -> Result<Models, Failure> {
        let folder = self.models.clone().unwrap_or_else(canvass_vision::default_folder);
        Ok(Models::in_folder(&folder)?)
    }

    fn driver(&self, models: &Models) -> Driver {
        if self.rten { Driver::Rten } else { Driver::find(models) }
    }
}

/// Runs one of the commands over pictures and videos.
///
/// # Errors
/// What it failed with.
pub async fn run(command: Command, context: &Context) -> Result<(), Failure> {
    match command {
        Command::Models(command) => tokio::task::block_in_place(|| models::run(command, context)),
        Command::Footage(command) => search::run(command, context).await,
    }
}

/// Runs what `camera` does with pictures.
///
/// # Errors
/// What it failed with.
pub async fn camera(command: CameraFiles, context: &Context) -> Result<(), Failure> {
    canvass_vision::steady_memory();
    match command {
        CameraFiles::Read(args) => tokio::task::block_in_place(|| read::run(&args, context)),
        CameraFiles::Run(args) => run::run(&args, context).await,
    }
}
