//! rten: pure Rust, slower, nothing to install.

use super::{Contract, Inference, Tensor};
use crate::VisionError;
use rten::{Dimension, Model, NodeId, RunOptions, ThreadPool};
use rten_tensor::prelude::*;
use std::sync::Arc;

const NAME: &str = "rten";

pub(super) struct Rten {
    contract: Contract,
    model: Model,
    input: NodeId,
    outputs: Vec<NodeId>,
    pool: Arc<ThreadPool>,
}

impl Rten {
    pub(super) fn open(contract: Contract, bytes: Vec<u8>, threads: usize) -> Result<Self, VisionError> {
        let model = Model::load(bytes).map_err(|error| fail(&contract, &error))?;
        let input = model
            .node_id(contract.input)
            .map_err(|_| contract.shape_error(format!("there is no input named {:?}", contract.input)))?;
        let shape = model.node_info(input).and_then(|info| info.shape()).unwrap_or_default();
        let sides: Vec<_> = shape
            .iter()
            .map(|side| match side {
                Dimension::Fixed(side) => Some(*side),
                Dimension::Symbolic(_) => None,
            })
            .collect();
        contract.check(contract.input, contract.shape, &sides)?;
        let outputs = contract
            .outputs
            .iter()
            .map(|(name, _)| {
                let missing = |_| contract.shape_error(format!("there is no output named {name:?}"));
                model.node_id(name).map_err(missing)
            })
            .collect::<Result<_, _>>()?;
        let pool = Arc::new(ThreadPool::with_num_threads(threads.max(1)));
        Ok(Self { contract, model, input, outputs, pool })
    }
}

impl Inference for Rten {
    fn driver(&self) -> &'static str {
        NAME
    }

    fn run(&mut self, input: Tensor) -> Result<Vec<Tensor>, VisionError> {
        let value = rten_tensor::Tensor::from_data(input.shape.as_slice(), input.data);
        let options = RunOptions::default().with_thread_pool(Some(self.pool.clone()));
        let results = self
            .model
            .run(vec![(self.input, value.into())], &self.outputs, Some(options))
            .map_err(|error| fail(&self.contract, &error))?;
        let mut outputs = Vec::new();
        for (value, (name, _)) in results.into_iter().zip(self.contract.outputs) {
            let missing = || self.contract.shape_error(format!("output {name:?} did not come as numbers"));
            let value: rten_tensor::Tensor<f32> = value.try_into().map_err(|_| missing())?;
            let shape = value.shape().to_vec();
            outputs.push(Tensor::new(shape, value.to_vec()).ok_or_else(missing)?);
        }
        self.contract.check_outputs(&outputs)?;
        Ok(outputs)
    }
}

fn fail(contract: &Contract, error: &dyn std::fmt::Display) -> VisionError {
    VisionError::Inference { name: contract.model.to_owned(), driver: NAME, reason: error.to_string() }
}
