//! ONNX Runtime, loaded when the program runs.

use super::{Contract, Inference, Tensor};
use crate::VisionError;
use ort::environment::Environment;
use ort::session::Session;
use std::path::Path;
use std::sync::{Arc, Mutex};

const NAME: &str = "onnxruntime";

/// The library is loaded once for the whole process.
static LOADED: Mutex<Option<Arc<Environment>>> = Mutex::new(None);

pub(super) struct Ort {
    contract: Contract,
    session: Session,
}

impl Ort {
    pub(super) fn open(
        library: &Path,
        contract: Contract,
        bytes: &[u8],
        threads: usize,
    ) -> Result<Self, VisionError> {
        let environment = environment(library)?;
        let session = Session::builder(&environment)
            .map_err(|error| fail(&contract, &error))?
            .with_intra_threads(threads.max(1))
            .map_err(|error| fail(&contract, &error))?
            .commit_from_memory(bytes)
            .map_err(|error| fail(&contract, &error))?;
        let sides = |outlet: &ort::value::Outlet| {
            outlet.dtype().tensor_shape().map(|shape| {
                shape
                    .iter()
                    .map(|&side| usize::try_from(side).ok().filter(|&side| side > 0))
                    .collect::<Vec<_>>()
            })
        };
        let input = session.inputs().iter().find(|outlet| outlet.name() == contract.input);
        let shape = input.and_then(sides).ok_or_else(|| {
            contract.shape_error(format!("there is no input of numbers named {:?}", contract.input))
        })?;
        contract.check(contract.input, contract.shape, &shape)?;
        for (name, _) in contract.outputs {
            if !session.outputs().iter().any(|outlet| outlet.name() == *name) {
                return Err(contract.shape_error(format!("there is no output named {name:?}")));
            }
        }
        Ok(Self { contract, session })
    }
}

impl Inference for Ort {
    fn driver(&self) -> &'static str {
        NAME
    }

    fn run(&mut self, input: Tensor) -> Result<Vec<Tensor>, VisionError> {
        let contract = self.contract;
        let value = ort::value::Tensor::from_array((input.shape, input.data))
            .map_err(|error| fail(&contract, &error))?;
        let results = self
            .session
            .run(ort::inputs![contract.input => value])
            .map_err(|error| fail(&contract, &error))?;
        let mut outputs = Vec::new();
        for (name, _) in contract.outputs {
            let missing = || contract.shape_error(format!("output {name:?} did not come as numbers"));
            let (shape, data) = results
                .get(name)
                .and_then(|value| value.try_extract_tensor::<f32>().ok())
                .ok_or_else(missing)?;
            let shape = shape.iter().map(|&side| usize::try_from(side).unwrap_or(0)).collect();
            outputs.push(Tensor::new(shape, data.to_vec()).ok_or_else(missing)?);
        }
        contract.check_outputs(&outputs)?;
        Ok(outputs)
    }
}

fn environment(library: &Path) -> Result<Arc<Environment>, VisionError> {
    let mut loaded = LOADED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(environment) = loaded.as_ref() {
        return Ok(environment.clone());
    }
    let path = library.display();
    if !library.is_file() {
        return Err(VisionError::Library(format!("{path} is not there")));
    }
    let refused =
        |error: &dyn std::fmt::Display| VisionError::Library(format!("{path} can't be loaded ({error})"));
    let environment =
        ort::init_from(library).map_err(|error| refused(&error))?.build().map_err(|error| refused(&error))?;
    let environment = Arc::new(environment);
    *loaded = Some(environment.clone());
    Ok(environment)
}

fn fail(contract: &Contract, error: &dyn std::fmt::Display) -> VisionError {
    VisionError::Inference { name: contract.model.to_owned(), driver: NAME, reason: error.to_string() }
}
