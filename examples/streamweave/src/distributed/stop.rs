//! [`Stop`]: the wish that sources end, which the workers of all processes share.

use super::{
    alone::Nothing,
    stage::Lists,
    wire::{Entry, Items, Spread},
};
use crate::{
    Message,
    edges::Routed,
    executor::{Control, Wish},
};
use std::sync::Arc;
use timely::dataflow::{
    InputHandle, ProbeHandle, Scope,
    channels::pact::DistributorPact,
    operators::{Probe, generic::operator::Operator},
};

/// One worker's end of it.
pub(super) struct Stop {
    /// At 0 while this worker has sources.
    input: InputHandle<u64, Lists>,
    /// At 0 while any worker has.
    sources: ProbeHandle<u64>,
    told: bool,
}

impl Stop {
    pub(super) fn new(scope: Scope<'_, u64>, control: Arc<Control>) -> Self {
        let (mut input, sources) = (InputHandle::new_with_builder(), ProbeHandle::new());
        let heard = input.to_stream(scope).unary::<Nothing, _, _, _>(
            DistributorPact(Spread::over),
            "stop",
            move |_, _| move |input, _| input.for_each(|_, _| control.ask(Wish::Drain)),
        );
        heard.probe_with(&sources);
        Self { input, sources, told: false }
    }

    /// This worker's sources have ended: says whether those of all have. Asks all to end theirs, once, if so
    /// many workers are to be asked.
    pub(super) fn ended(&mut self, asked: bool, workers: usize) -> bool {
        self.input.advance_to(1);
        if asked && !self.told {
            let entry = |worker| {
                let routed = Routed { edge: 0, message: Message::default() };
                Entry { worker, packed: false, routed }
            };
            let entries = (0..workers).map(entry).collect();
            self.input.send_batch(&mut Items { entries, damage: None });
            self.input.flush();
            self.told = true;
        }
        !self.sources.less_than(&1)
    }
}
