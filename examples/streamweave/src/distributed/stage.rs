//! [`Part`]: a stage behind others, as an operator of timely's.

use super::{
    outbox::Outbox,
    wire::{Items, Spread},
};
use crate::{Error, executor::Run, segment::Segment};
use std::{cell::RefCell, rc::Rc};
use timely::{
    container::CapacityContainerBuilder,
    dataflow::{
        ProbeHandle, Scope, Stream,
        channels::pact::DistributorPact,
        operators::{
            CapabilityTrait, InputCapability, Probe,
            generic::{OutputBuilder, builder_rc::OperatorBuilder},
        },
    },
};

pub(super) type Lists = CapacityContainerBuilder<Items>;

/// A stage behind others: a timely operator.
pub(super) struct Part {
    pub(super) segment: Segment<Outbox>,
    pub(super) failed: Rc<RefCell<Option<Error>>>,
    pub(super) run: Run,
}

impl Part {
    /// The streams to the stages behind it.
    pub(super) fn build<'s>(
        mut self,
        scope: Scope<'s, u64>,
        inputs: Vec<(usize, Stream<'s, u64, Items>)>,
        behind: Vec<usize>,
        probe: &ProbeHandle<u64>,
    ) -> Vec<(usize, Stream<'s, u64, Items>)> {
        let mut builder = OperatorBuilder::new("stage".to_owned(), scope);
        let mut inputs: Vec<_> = inputs
            .into_iter()
            .map(|(_, stream)| builder.new_input(stream, DistributorPact(Spread::over)))
            .collect();
        let (mut outputs, mut streams) = (Vec::new(), Vec::new());
        for to in &behind {
            let (output, stream) = builder.new_output();
            outputs.push(OutputBuilder::<u64, Lists>::from(output));
            streams.push((*to, stream));
        }
        // What leads nowhere still says how far it is.
        let (_end, end) = builder.new_output::<Vec<()>>();
        end.probe_with(probe);
        builder.build(move |capabilities| {
            let mut held = Some(capabilities);
            move |frontiers| {
                for input in &mut inputs {
                    input.for_each(|time, items| {
                        self.take(items);
                        self.give(&mut outputs, &time);
                    });
                }
                let before = frontiers.iter().filter_map(|f| f.frontier().first().copied()).min();
                match (before, &mut held) {
                    (Some(time), Some(held)) => {
                        held.iter_mut().for_each(|own| own.downgrade(&time))
                    }
                    (None, Some(own)) => {
                        if self.failed.borrow().is_none() {
                            let ended = self.segment.end();
                            self.note(ended);
                            for (list, output) in outputs.iter_mut().enumerate() {
                                let items = &mut self.segment.exit().lists[list];
                                send(output, items, &own[list]);
                            }
                            self.segment.publish(&self.run.metrics);
                        }
                        held = None;
                    }
                    _ => {}
                }
            }
        });
        streams
    }

    fn take(&mut self, items: &mut Items) {
        if let Some(why) = items.damage.take() {
            self.note(Err(Error::Cluster(format!("what a peer sent is damaged: {why}"))));
        }
        if self.failed.borrow().is_none() {
            let mut entries = items.entries.drain(..);
            let done = entries.try_for_each(|entry| self.segment.accept(entry.routed));
            self.note(done);
        }
        self.segment.publish(&self.run.metrics);
    }

    fn give(&mut self, outputs: &mut [OutputBuilder<u64, Lists>], time: &InputCapability<u64>) {
        for (output, items) in outputs.iter_mut().zip(&mut self.segment.exit().lists) {
            send(output, items, time);
        }
    }

    fn note(&self, done: Result<(), Error>) {
        if let Err(error) = done {
            self.failed.borrow_mut().get_or_insert(error);
        }
    }
}

fn send(
    output: &mut OutputBuilder<u64, Lists>,
    items: &mut Items,
    time: &impl CapabilityTrait<u64>,
) {
    if !items.entries.is_empty() {
        output.activate().session_with_builder(time).give_container(items);
        items.entries.clear();
    }
}
