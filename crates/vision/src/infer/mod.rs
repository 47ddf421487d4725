//! The seam between this crate and whatever runs a network: one trait, two drivers.

mod ort;
mod rten;

use crate::{Models, VisionError};
use std::path::PathBuf;

/// Numbers with a shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    shape: Vec<usize>,
    data: Vec<f32>,
}

impl Tensor {
    /// A tensor; none when shape and data don't fit.
    pub fn new(shape: Vec<usize>, data: Vec<f32>) -> Option<Self> {
        let count = shape.iter().try_fold(1usize, |count, &side| count.checked_mul(side))?;
        (count == data.len() && count > 0).then_some(Self { shape, data })
    }

    /// An answer of a network: it may hold nothing, as where nothing was found.
    fn answer(shape: Vec<usize>, data: Vec<f32>) -> Option<Self> {
        let count = shape.iter().try_fold(1usize, |count, &side| count.checked_mul(side))?;
        (count == data.len()).then_some(Self { shape, data })
    }

    /// Length of each axis.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The numbers, last axis fastest.
    pub fn data(&self) -> &[f32] {
        &self.data
    }
}

/// What a purpose asks of its model: names and shapes, 0 where an axis may have any length.
#[derive(Debug, Clone, Copy)]
pub struct Contract {
    /// The model's name, for errors.
    pub model: &'static str,
    /// Name of the input.
    pub input: &'static str,
    /// Shape of the input.
    pub shape: &'static [usize],
    /// Names and shapes of the outputs, in the order in which they are wanted.
    pub outputs: &'static [(&'static str, &'static [usize])],
}

impl Contract {
    fn shape_error(&self, what: String) -> VisionError {
        VisionError::Shape { name: self.model.to_owned(), what }
    }

    fn check(name: &str, wanted: &[usize], found: &[Option<usize>]) -> Result<(), String> {
        let fits = wanted.len() == found.len()
            && wanted
                .iter()
                .zip(found)
                .all(|(&wanted, found)| wanted == 0 || found.is_none_or(|found| found == wanted));
        if fits {
            return Ok(());
        }
        Err(format!("{name:?} has the shape {}, wanted is {wanted:?} (0: any)", sides(found)))
    }

    fn choose(&self, signature: &Signature) -> Result<Ports, String> {
        let input = signature
            .input(self.input)
            .ok_or_else(|| format!("there is no input of numbers named {:?}", self.input))?;
        Self::check(self.input, self.shape, &input.shape)?;
        for (name, _) in self.outputs {
            if signature.output(name).is_none() {
                return Err(format!("there is no output named {name:?}"));
            }
        }
        let outputs = self.outputs.iter().map(|(name, _)| (*name).to_owned()).collect();
        Ok(Ports { inputs: vec![self.input.to_owned()], outputs })
    }

    fn check_outputs(&self, outputs: &[Tensor]) -> Result<(), VisionError> {
        self.outputs.iter().zip(outputs).try_for_each(|((name, wanted), tensor)| {
            let found: Vec<_> = tensor.shape().iter().map(|&side| Some(side)).collect();
            Self::check(name, wanted, &found).map_err(|what| self.shape_error(what))
        })
    }
}

/// One input or output of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// Length of each axis; none where it may have any.
    pub shape: Vec<Option<usize>>,
}

impl Port {
    /// Name and shape, for errors.
    pub(crate) fn told(&self) -> String {
        format!("{:?} {}", self.name, sides(&self.shape))
    }
}

fn sides(shape: &[Option<usize>]) -> String {
    let sides: Vec<_> =
        shape.iter().map(|side| side.map_or("any".to_owned(), |side| side.to_string())).collect();
    format!("[{}]", sides.join(", "))
}

/// All inputs and outputs of a network, as its file tells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Signature {
    /// The inputs.
    pub inputs: Vec<Port>,
    /// The outputs.
    pub outputs: Vec<Port>,
}

impl Signature {
    pub(crate) fn input(&self, name: &str) -> Option<&Port> {
        self.inputs.iter().find(|port| port.name == name)
    }

    pub(crate) fn output(&self, name: &str) -> Option<&Port> {
        self.outputs.iter().find(|port| port.name == name)
    }
}

/// Which inputs and outputs are used, by name, in the order in which they are given and wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ports {
    /// The inputs.
    pub inputs: Vec<String>,
    /// The outputs.
    pub outputs: Vec<String>,
}

/// How a use picks its inputs and outputs; what it does not find there is told in words.
pub(crate) type Choose<'a> = &'a dyn Fn(&Signature) -> Result<Ports, String>;

/// A network that is ready to run.
pub trait Inference: Send {
    /// Which driver runs it.
    fn driver(&self) -> &'static str;

    /// Runs it on its inputs; the outputs come in the order in which they were chosen. Inputs of whole numbers are given as
    /// tensors too: the driver turns them into what the network takes.
    fn run_all(&mut self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, VisionError>;

    /// Runs it on its only input.
    fn run(&mut self, input: Tensor) -> Result<Vec<Tensor>, VisionError> {
        self.run_all(vec![input])
    }
}

/// A network that is held to its contract.
struct Held {
    contract: Contract,
    network: Box<dyn Inference>,
}

impl Inference for Held {
    fn driver(&self) -> &'static str {
        self.network.driver()
    }

    fn run_all(&mut self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, VisionError> {
        let outputs = self.network.run_all(inputs)?;
        self.contract.check_outputs(&outputs)?;
        Ok(outputs)
    }
}

/// What runs a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Driver {
    /// ONNX Runtime, from this shared library.
    OnnxRuntime(PathBuf),
    /// rten, which is part of this program.
    Rten,
}

impl Driver {
    /// ONNX Runtime where `CANVASS_ONNXRUNTIME` or the folder of models has its library, else rten.
    pub fn find(models: &Models) -> Self {
        let named =
            std::env::var_os("CANVASS_ONNXRUNTIME").filter(|path| !path.is_empty()).map(PathBuf::from);
        let runs = models.all().any(|(name, model)| name == "onnxruntime" && model.runs_here());
        let kept = models.path("onnxruntime").ok().filter(|path| runs && path.is_file());
        named.or(kept).map_or(Self::Rten, Self::OnnxRuntime)
    }
}

/// Loads a network from an ONNX file's bytes and holds it to its contract.
pub fn open(
    driver: &Driver,
    contract: Contract,
    bytes: Vec<u8>,
    threads: usize,
) -> Result<Box<dyn Inference>, VisionError> {
    let choose = |signature: &Signature| contract.choose(signature);
    let network = open_chosen(driver, contract.model, bytes, threads, &choose)?.0;
    Ok(Box::new(Held { contract, network }))
}

/// Loads a network whose inputs and outputs the use picks by itself, and tells what it has.
pub(crate) fn open_chosen(
    driver: &Driver,
    model: &'static str,
    bytes: Vec<u8>,
    threads: usize,
    choose: Choose<'_>,
) -> Result<(Box<dyn Inference>, Signature), VisionError> {
    match driver {
        Driver::OnnxRuntime(library) => {
            let (network, signature) = ort::Ort::open(library, model, &bytes, threads, choose)?;
            Ok((Box::new(network), signature))
        }
        Driver::Rten => {
            let (network, signature) = rten::Rten::open(model, bytes, threads, choose)?;
            Ok((Box::new(network), signature))
        }
    }
}

fn wrong(model: &str, what: String) -> VisionError {
    VisionError::Shape { name: model.to_owned(), what }
}

/// What an input holds that is neither of the kinds that can be given.
fn not_fed(model: &str, input: &str, holds: &str) -> VisionError {
    let what = format!("its input {input:?} holds {holds}; export it with 32-bit floats, bytes or integers");
    wrong(model, what)
}

/// The numbers of a tensor as whole ones.
fn whole<T: TryFrom<i64> + Default>(data: &[f32]) -> Vec<T> {
    data.iter().map(|value| T::try_from(value.round() as i64).unwrap_or_default()).collect()
}
