//! [`Outbox`]: what leaves a stage, and which worker it goes to.

use super::wire::{Entry, Items, pack};
use crate::{
    Message,
    edges::{Exit, Refused, Routed},
};
use std::{cell::Cell, ops::Range, rc::Rc};

/// Which worker an edge's items go to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Route {
    Here,
    ByKey,
    To(usize),
    /// Here, or by key while the load is high.
    Moves,
}

/// Where a stage's items go: one list for each stage that they go to.
pub(super) struct Outbox {
    pub(super) lists: Vec<Items>,
    /// For each edge, its list and its route.
    pub(super) edges: Vec<(usize, Route)>,
    pub(super) here: usize,
    pub(super) peers: usize,
    /// The workers of this process.
    pub(super) own: Range<usize>,
    pub(super) pack_from: usize,
    pub(super) everywhere: Rc<Cell<bool>>,
    /// Of payload, since the stage was told to send.
    pub(super) bytes: usize,
}

impl Exit for Outbox {
    fn push(&mut self, mut routed: Routed) -> Result<usize, (Routed, Refused)> {
        let (list, route) = self.edges[routed.edge as usize];
        let worker = match route {
            Route::Here => self.here,
            Route::To(worker) => worker,
            Route::Moves if !self.everywhere.get() => self.here,
            Route::ByKey | Route::Moves => by_key(&routed.message, self.peers),
        };
        let (mut packed, mut copied) = (false, 0);
        if !self.own.contains(&worker) {
            let payload = &mut routed.message.payload;
            match pack(payload, self.pack_from) {
                Ok(smaller) => (packed, copied) = (smaller, payload.len()),
                Err(failure) => return Err((routed, Refused::Item(failure))),
            }
        }
        self.bytes += routed.message.payload.len();
        self.lists[list].entries.push(Entry { worker, packed, routed });
        Ok(copied)
    }
}

fn by_key(message: &Message, peers: usize) -> usize {
    // Less than the workers, which are counted in a usize.
    usize::try_from(message.key_hash() % peers as u64).unwrap_or(0)
}
