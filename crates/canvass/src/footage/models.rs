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
        after_help = "Example:\n  canvass models add plate-reader ours.onnx --licence MIT --credit 'City of Example' --purpose 'reads plates of Example'
  canvass models add plate-reader cct_xs_v2_global.onnx --format fast-plate-ocr --config cct_xs_v2_global_plate_config.yaml --licence MIT --credit ankandrew
  canvass models add plate-detector yolo-v9-t-384.onnx --format yolo --licence MIT --credit ankandrew
  canvass models add towers image.onnx --format clip --text text.onnx --vocabulary bpe_simple_vocab_16e6.txt.gz --config open_clip_config.json --licence MIT --credit OpenCLIP"
    )]
    Add(Box<AddArgs>),
}

/// A model of the operator's own.
#[derive(Debug, Args)]
pub struct AddArgs {
    /// What it is used as: plate-detector, plate-reader, objects, faces or towers
    name: String,
    /// Its ONNX file; of towers, that of pictures
    file: PathBuf,
    /// The form in which it takes and gives: yolo, fast-plate-ocr or clip [default: that of the model that came with Canvass]
    #[arg(long, value_name = "NAME")]
    format: Option<String>,
    /// How its input is made ready: the YAML of fast-plate-ocr; TOML or JSON of towers; TOML of yolo, if only some classes are plates
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Of towers: the ONNX file that takes texts
    #[arg(long, value_name = "FILE")]
    text: Option<PathBuf>,
    /// Of towers: the merges of their tokens
    #[arg(long, value_name = "FILE")]
    vocabulary: Option<PathBuf>,
    /// Its version, where its maker gave it one
    #[arg(long = "release", value_name = "VERSION")]
    version: Option<String>,
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
    let parts = [("config", &args.config), ("text", &args.text), ("vocabulary", &args.vocabulary)];
    let new = NewModel {
        name: &args.name,
        file: &args.file,
        format: args.format.as_deref().unwrap_or_default(),
        parts: parts.into_iter().filter_map(|(what, path)| Some((what, path.as_deref()?))).collect(),
        version: args.version.as_deref().unwrap_or_default(),
        purpose: &args.purpose,
        licence: &args.licence,
        credit: &args.credit,
    };
    let path = models.add(&new, &args.engine.driver(&models))?;
    let console = context.console();
    console.line(format!("{} is used from now on as {}", path.display(), args.name));
    console.result(&json!({"name": args.name, "path": path}))
}
