//! `canvass models`: which models there are, whether they are what they should be, and the operator's own.

use std::path::PathBuf;

use canvass_vision::{Driver, Models, NewModel};
use clap::{Args, Subcommand};
use serde_json::json;

use super::Engine;
use crate::common::{Context, Failure};

/// Models that see.
#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// List the models: what for, from which package, under which licence, and whether they are here
    #[command(after_help = "Example:\n  canvass models list --json")]
    List(Engine),
    /// Check each model: licence, hash, and that it takes and gives what its use asks
    #[command(after_help = "Example:\n  canvass models check --models /srv/canvass/models")]
    Check(Engine),
    /// Add a model of your own in place of one that came with Canvass
    #[command(
        after_help = "Example:\n  canvass models add plate-reader ours.onnx --licence MIT --credit 'City of Example' --purpose 'reads plates of Example'"
    )]
    Add(Box<AddArgs>),
}

/// A model of the operator's own.
#[derive(Debug, Args)]
pub struct AddArgs {
    /// What it is used as: plate-detector, plate-reader, objects or faces
    name: String,
    /// Its ONNX file
    file: PathBuf,
    /// Its licence, by SPDX name
    #[arg(long, value_name = "NAME")]
    licence: String,
    /// Whose work it is
    #[arg(long, value_name = "WHO")]
    credit: String,
    /// What it is for, in words
    #[arg(long, default_value = "the operator's own", value_name = "TEXT")]
    purpose: String,
    #[command(flatten)]
    engine: Engine,
}

pub(super) fn run(command: ModelsCommand, context: &Context) -> Result<(), Failure> {
    match command {
        ModelsCommand::List(engine) => list(&engine.models()?, context),
        ModelsCommand::Check(engine) => {
            let models = engine.models()?;
            check(&models, &engine.driver(&models), context)
        }
        ModelsCommand::Add(args) => add(&args, context),
    }
}

fn list(models: &Models, context: &Context) -> Result<(), Failure> {
    let console = context.console();
    let mut all = Vec::new();
    for (name, model) in models.all() {
        let there = models.is_there(name);
        let version = if model.version.is_empty() { String::new() } else { format!(" {}", model.version) };
        let state = if there { "here" } else { "missing" };
        console.line(format!(
            "{name}  {state}  {}{version}, {}, sha256 {}\n    {}; {}",
            model.package, model.licence, model.sha256, model.purpose, model.credit
        ));
        all.push(json!({"name": name, "there": there, "model": model}));
    }
    console.line(format!("folder: {}", models.folder().display()));
    console.result(&all)
}

fn check(models: &Models, driver: &Driver, context: &Context) -> Result<(), Failure> {
    let console = context.console();
    let mut all = Vec::new();
    let mut defects = 0;
    for (name, model) in models.all() {
        if !model.runs_here() {
            console.line(format!("{name}  left out, it is for {}", model.system));
            continue;
        }
        let result = models.check(name, driver);
        defects += usize::from(result.is_err());
        match &result {
            Ok(()) => console.line(format!("{name}  good")),
            Err(error) => console.line(format!("{name}  {error}")),
        }
        all.push(json!({
            "name": name,
            "good": result.is_ok(),
            "problem": result.err().map(|error| error.to_string()),
        }));
    }
    let driver = match driver {
        Driver::OnnxRuntime(library) => format!("ONNX Runtime, {}", library.display()),
        Driver::Rten => "rten".to_owned(),
    };
    console.line(format!("run by {driver}"));
    console.result(&json!({"driver": driver, "models": all}))?;
    match defects {
        0 => Ok(()),
        _ => Err(Failure::new(format!("{defects} of the models can't be used"))),
    }
}

fn add(args: &AddArgs, context: &Context) -> Result<(), Failure> {
    let models = args.engine.models()?;
    let new = NewModel {
        name: &args.name,
        file: &args.file,
        purpose: &args.purpose,
        licence: &args.licence,
        credit: &args.credit,
    };
    let path = models.add(&new, &args.engine.driver(&models))?;
    let console = context.console();
    console.line(format!("{} is used from now on as {}", path.display(), args.name));
    console.result(&json!({"name": args.name, "path": path}))
}
