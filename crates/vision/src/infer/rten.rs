//! rten: pure Rust, slower, nothing to install.

use super::{Choose, Inference, Port, Ports, Signature, Tensor, not_fed, whole, wrong};
use crate::VisionError;
use rten::{DataType, Dimension, Model, NodeId, RunOptions, ThreadPool, Value, ValueOrView, ValueType};
use rten_tensor::prelude::*;
use std::sync::Arc;

const NAME: &str = "rten";

pub(super) struct Rten {
    name: &'static str,
    model: Model,
    inputs: Vec<(NodeId, DataType)>,
    outputs: Vec<(NodeId, String)>,
    pool: Arc<ThreadPool>,
}

impl Rten {
    pub(super) fn open(
        name: &'static str,
        bytes: Vec<u8>,
        threads: usize,
        choose: Choose<'_>,
    ) -> Result<(Self, Signature), VisionError> {
        let model = Model::load(bytes).map_err(|error| fail(name, &error))?;
        let ports = |ids: &[NodeId]| ids.iter().filter_map(|id| port(&model, *id)).collect();
        let signature = Signature { inputs: ports(model.input_ids()), outputs: ports(model.output_ids()) };
        let chosen = choose(&signature).map_err(|what| wrong(name, what))?;
        let Ports { inputs, outputs } = chosen;
        let node =
            |port: &str| model.node_id(port).map_err(|_| wrong(name, format!("there is no {port:?} in it")));
        let typed = |port: String| {
            let id = node(&port)?;
            match model.node_info(id).and_then(|info| info.dtype()) {
                None => Ok((id, DataType::Float)),
                Some(ValueType::Tensor(kind @ (DataType::Float | DataType::Int32 | DataType::UInt8))) => {
                    Ok((id, kind))
                }
                Some(other) => Err(not_fed(name, &port, &format!("{other:?}"))),
            }
        };
        let inputs = inputs.into_iter().map(typed).collect::<Result<_, _>>()?;
        let outputs =
            outputs.into_iter().map(|port| Ok((node(&port)?, port))).collect::<Result<_, VisionError>>()?;
        let pool = Arc::new(ThreadPool::with_num_threads(threads.max(1)));
        Ok((Self { name, model, inputs, outputs, pool }, signature))
    }
}

fn port(model: &Model, id: NodeId) -> Option<Port> {
    let info = model.node_info(id)?;
    let sides = info.shape().unwrap_or_default();
    let shape = sides
        .iter()
        .map(|side| match side {
            Dimension::Fixed(side) => Some(*side),
            Dimension::Symbolic(_) => None,
        })
        .collect();
    Some(Port { name: info.name()?.to_owned(), shape })
}

impl Inference for Rten {
    fn driver(&self) -> &'static str {
        NAME
    }

    fn run_all(&mut self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, VisionError> {
        let values: Vec<(NodeId, ValueOrView<'_>)> =
            self.inputs.iter().zip(inputs).map(|((id, kind), input)| (*id, value(*kind, input))).collect();
        let ids: Vec<NodeId> = self.outputs.iter().map(|(id, _)| *id).collect();
        let options = RunOptions::default().with_thread_pool(Some(self.pool.clone()));
        let results = self.model.run(values, &ids, Some(options)).map_err(|error| fail(self.name, &error))?;
        let mut outputs = Vec::new();
        for (value, (_, name)) in results.into_iter().zip(&self.outputs) {
            let missing = || wrong(self.name, format!("output {name:?} did not come as 32-bit floats"));
            let value: rten_tensor::Tensor<f32> = value.try_into().map_err(|_| missing())?;
            let shape = value.shape().to_vec();
            outputs.push(Tensor::answer(shape, value.to_vec()).ok_or_else(missing)?);
        }
        Ok(outputs)
    }
}

fn value(kind: DataType, input: Tensor) -> ValueOrView<'static> {
    let shape = input.shape.as_slice();
    let value: Value = match kind {
        DataType::UInt8 => rten_tensor::Tensor::from_data(shape, whole::<u8>(&input.data)).into(),
        DataType::Int32 => rten_tensor::Tensor::from_data(shape, whole::<i32>(&input.data)).into(),
        _ => rten_tensor::Tensor::from_data(shape, input.data).into(),
    };
    value.into()
}

fn fail(name: &str, error: &dyn std::fmt::Display) -> VisionError {
    VisionError::Inference { name: name.to_owned(), driver: NAME, reason: error.to_string() }
}
