//! Operators with several inputs or outputs: merge, broadcast, round robin, by key.

use crate::{
    ANY, BuildError, Failure, Make, Message, Node, Operator, Outputs, Parameters, Place, Port,
    function::{Work, boxed, pass, stateless},
};
use std::sync::Arc;

pub(crate) const ALL: &[(&str, Make)] = &[
    ("merge", merge),
    ("broadcast", broadcast),
    ("round-robin", round_robin),
    ("partition", partition),
];

/// The most inputs or outputs of a node.
const MOST: usize = 1024;

/// As many ports as a parameter says.
fn ports(parameters: &mut Parameters, name: &str) -> Result<Vec<Port>, BuildError> {
    let count = parameters.count(name)?;
    if count > MOST {
        return Err(parameters.bad(&format!("{name:?} is at most {MOST}")));
    }
    Ok((0..count).map(|at| Port::new(at.to_string(), ANY)).collect())
}

fn router(
    parameters: &mut Parameters,
    make: impl Fn(usize) -> Box<dyn Operator> + Send + Sync + 'static,
) -> Result<Node, BuildError> {
    let outputs = ports(parameters, "outputs")?;
    let count = outputs.len();
    let make = Arc::new(move || -> Result<Box<dyn Operator>, Failure> { Ok(make(count)) });
    Ok(Node { outputs, ..Node::operator(parameters.name(), ANY, ANY, make) })
}

fn merge(parameters: &mut Parameters) -> Result<Node, BuildError> {
    let inputs = ports(parameters, "inputs")?;
    Ok(Node { inputs, ..Node::operator(parameters.name(), ANY, ANY, stateless(pass)) })
}

/// Each message to all.
fn broadcast(parameters: &mut Parameters) -> Result<Node, BuildError> {
    router(parameters, |outputs| {
        boxed(move |message: Message, out: &mut Outputs<'_>| {
            for port in 1..outputs {
                out.emit(port, message.clone())?;
            }
            out.emit(0, message)
        })
    })
}

/// Each message to the next, in turn.
fn round_robin(parameters: &mut Parameters) -> Result<Node, BuildError> {
    let node = router(parameters, |outputs| {
        let mut turn = 0;
        boxed(move |message: Message, out: &mut Outputs<'_>| {
            out.emit(turn, message)?;
            turn = (turn + 1) % outputs;
            Ok(())
        })
    })?;
    Ok(Node { place: Place::On(0), in_order: true, ..node })
}

/// All messages of a key to the same.
fn partition(parameters: &mut Parameters) -> Result<Node, BuildError> {
    router(parameters, |outputs| boxed(partitioned(outputs as u64)))
}

fn partitioned(outputs: u64) -> impl Work {
    // Other bits than those by which workers are chosen.
    move |message: Message, out: &mut Outputs<'_>| {
        let port = message.key_hash().rotate_left(32) % outputs;
        out.emit(usize::try_from(port)?, message)
    }
}
