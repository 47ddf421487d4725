//! ONNX Runtime, loaded when the program runs.

use super::{Choose, Inference, Port, Ports, Signature, Tensor, not_fed, whole, wrong};
use crate::VisionError;
use ort::environment::Environment;
use ort::session::{Session, SessionInputValue};
use ort::value::{Outlet, TensorElementType, ValueType};
use std::path::Path;
use std::sync::{Arc, Mutex};

const NAME: &str = "onnxruntime";

/// The library is loaded once for the whole process.
static LOADED: Mutex<Option<Arc<Environment>>> = Mutex::new(None);

pub(super) struct Ort {
    model: &'static str,
    inputs: Vec<(String, TensorElementType)>,
    outputs: Vec<String>,
    session: Session,
}

impl Ort {
    pub(super) fn open(
        library: &Path,
        model: &'static str,
        bytes: &[u8],
        threads: usize,
        choose: Choose<'_>,
    ) -> Result<(Self, Signature), VisionError> {
        let environment = environment(library)?;
        let session = Session::builder(&environment)
            .map_err(|error| fail(model, &error))?
            .with_intra_threads(threads.max(1))
            .map_err(|error| fail(model, &error))?
            .commit_from_memory(bytes)
            .map_err(|error| fail(model, &error))?;
        let signature = Signature {
            inputs: session.inputs().iter().filter_map(port).collect(),
            outputs: session.outputs().iter().filter_map(port).collect(),
        };
        let Ports { inputs, outputs } = choose(&signature).map_err(|what| wrong(model, what))?;
        let typed = |name: String| {
            let outlet = session.inputs().iter().find(|outlet| outlet.name() == name);
            let kind = outlet.and_then(|outlet| outlet.dtype().tensor_type());
            match kind {
                Some(
                    kind @ (TensorElementType::Float32
                    | TensorElementType::Uint8
                    | TensorElementType::Int32
                    | TensorElementType::Int64),
                ) => Ok((name, kind)),
                Some(other) => Err(not_fed(model, &name, &format!("{other:?}"))),
                None => Err(wrong(model, format!("there is no input of numbers named {name:?}"))),
            }
        };
        let inputs = inputs.into_iter().map(typed).collect::<Result<_, _>>()?;
        Ok((Self { model, inputs, outputs, session }, signature))
    }
}

fn port(outlet: &Outlet) -> Option<Port> {
    let ValueType::Tensor { shape, .. } = outlet.dtype() else { return None };
    let shape = shape.iter().map(|&side| usize::try_from(side).ok().filter(|&side| side > 0)).collect();
    Some(Port { name: outlet.name().to_owned(), shape })
}

impl Inference for Ort {
    fn driver(&self) -> &'static str {
        NAME
    }

    fn run_all(&mut self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, VisionError> {
        let model = self.model;
        let mut values: Vec<(&str, SessionInputValue<'_>)> = Vec::with_capacity(inputs.len());
        for ((name, kind), input) in self.inputs.iter().zip(inputs) {
            values.push((name.as_str(), value(*kind, input).map_err(|error| fail(model, &error))?));
        }
        let results = self.session.run(values).map_err(|error| fail(model, &error))?;
        let mut outputs = Vec::new();
        for name in &self.outputs {
            let missing = || wrong(model, format!("output {name:?} did not come as 32-bit floats"));
            let (shape, data) = results
                .get(name)
                .and_then(|value| value.try_extract_tensor::<f32>().ok())
                .ok_or_else(missing)?;
            let shape = shape.iter().map(|&side| usize::try_from(side).unwrap_or(0)).collect();
            outputs.push(Tensor::answer(shape, data.to_vec()).ok_or_else(missing)?);
        }
        Ok(outputs)
    }
}

fn value(kind: TensorElementType, input: Tensor) -> ort::Result<SessionInputValue<'static>> {
    let Tensor { shape, data } = input;
    Ok(match kind {
        TensorElementType::Uint8 => {
            ort::value::Tensor::from_array((shape, whole::<u8>(&data)))?.into_dyn().into()
        }
        TensorElementType::Int32 => {
            ort::value::Tensor::from_array((shape, whole::<i32>(&data)))?.into_dyn().into()
        }
        TensorElementType::Int64 => {
            ort::value::Tensor::from_array((shape, whole::<i64>(&data)))?.into_dyn().into()
        }
        _ => ort::value::Tensor::from_array((shape, data))?.into_dyn().into(),
    })
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

fn fail(model: &str, error: &dyn std::fmt::Display) -> VisionError {
    VisionError::Inference { name: model.to_owned(), driver: NAME, reason: error.to_string() }
}
