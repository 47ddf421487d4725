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

    fn check(&self, name: &str, wanted: &[usize], found: &[Option<usize>]) -> Result<(), VisionError> {
        let fits = wanted.len() == found.len()
            && wanted
                .iter()
                .zip(found)
                .all(|(&wanted, found)| wanted == 0 || found.is_none_or(|found| found == wanted));
        if fits {
            return Ok(());
        }
        let found: Vec<_> =
            found.iter().map(|side| side.map_or("any".to_owned(), |side| side.to_string())).collect();
        Err(self.shape_error(format!(
            "{name:?} has the shape [{}], wanted is {wanted:?} (0: any)",
            found.join(", ")
        )))
    }

    fn check_outputs(&self, outputs: &[Tensor]) -> Result<(), VisionError> {
        self.outputs.iter().zip(outputs).try_for_each(|((name, wanted), tensor)| {
            let found: Vec<_> = tensor.shape().iter().map(|&side| Some(side)).collect();
            self.check(name, wanted, &found)
        })
    }
}

/// A network that is ready to run.
pub trait Inference: Send {
    /// Which driver runs it.
    fn driver(&self) -> &'static str;

    /// Runs it on one input; the outputs come in the contract's order.
    fn run(&mut self, input: Tensor) -> Result<Vec<Tensor>, VisionError>;
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
    match driver {
        Driver::OnnxRuntime(library) => Ok(Box::new(ort::Ort::open(library, contract, &bytes, threads)?)),
        Driver::Rten => Ok(Box::new(rten::Rten::open(contract, bytes, threads)?)),
    }
}
