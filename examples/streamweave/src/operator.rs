//! What a graph is made of: [`Source`]s, [`Operator`]s, and what happens when one fails.

use crate::{
    Failure, Message, copying,
    edges::{Count, Pending, Wire},
};
use std::{fmt, sync::Arc};

/// Where messages come from.
pub trait Source: Send {
    /// The next one. May wait a little, so that the run can be stopped meanwhile.
    ///
    /// # Errors
    ///
    /// What the source's policy decides about.
    fn next(&mut self) -> Result<Next, Failure>;
}

/// What a source has.
#[derive(Debug)]
pub enum Next {
    /// A message.
    Item(Message),
    /// Nothing yet.
    Idle,
    /// Nothing any more.
    End,
}

/// Where messages go: one trait for all nodes but sources, and for all modes.
pub trait Operator: Send {
    /// Takes a message from an input. What it emits goes on only when it returns `Ok`, so that a second
    /// try doubles nothing.
    ///
    /// # Errors
    ///
    /// What the node's policy decides about.
    fn on_item(
        &mut self,
        port: usize,
        message: Message,
        out: &mut Outputs<'_>,
    ) -> Result<(), Failure>;

    /// Nothing more will come: gives what it still holds.
    ///
    /// # Errors
    ///
    /// As [`on_item`](Self::on_item).
    fn on_end(&mut self, _out: &mut Outputs<'_>) -> Result<(), Failure> {
        Ok(())
    }
}

/// Where a node's messages go.
#[derive(Debug)]
pub struct Outputs<'a> {
    pub(crate) stack: &'a mut Vec<Pending>,
    pub(crate) ports: &'a [Vec<Wire>],
    pub(crate) counts: &'a mut [Count],
    pub(crate) travel: Travel,
}

/// How messages cross edges within a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Travel {
    Move,
    Clone,
    Json,
}

impl Outputs<'_> {
    /// Sends a message to all that the port leads to: one payload, however many they are.
    ///
    /// # Errors
    ///
    /// When the node has no such port, and in the copying mode those of the payload's codec.
    #[inline]
    pub fn emit(&mut self, port: usize, message: Message) -> Result<(), Failure> {
        let Some(wires) = self.ports.get(port) else {
            return Err(Failure::new(format!("no output {port}")).of(Some(message)));
        };
        match wires.as_slice() {
            [] => Ok(()),
            [wire] if self.travel == Travel::Move => {
                self.put(wire, message);
                Ok(())
            }
            [others @ .., last] => {
                for wire in others {
                    self.travel(wire, message.clone())?;
                }
                self.travel(last, message)
            }
        }
    }

    fn travel(&mut self, wire: &Wire, mut message: Message) -> Result<(), Failure> {
        if self.travel != Travel::Move {
            let count = &mut self.counts[wire.edge as usize];
            message = copying::travel(&message, self.travel == Travel::Json, count)?;
        }
        self.put(wire, message);
        Ok(())
    }

    /// The one move of each item on each edge.
    #[inline(always)]
    fn put(&mut self, wire: &Wire, message: Message) {
        let count = &mut self.counts[wire.edge as usize];
        count.items += 1;
        count.bytes += message.payload.len() as u64;
        self.stack.push(Pending { to: wire.to, port: wire.port, message });
    }
}

/// What to do about an item that a node refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// End the run.
    Stop,
    /// Go on with the next one.
    Skip,
    /// Try this one again.
    Retry,
}

/// Decides, given what happened and how many times the item was tried again.
pub type Decide = dyn Fn(&Failure, u32) -> Action + Send + Sync;

/// What a node does about failures.
#[derive(Clone, Default)]
pub enum Policy {
    /// Ends the run.
    #[default]
    Stop,
    /// Goes on without the item.
    Skip,
    /// Tries so many times again, and then ends the run.
    Retry(u32),
    /// As the function says.
    Custom(Arc<Decide>),
}

impl Policy {
    pub(crate) fn decide(&self, failure: &Failure, tried: u32) -> Action {
        let action = match self {
            Self::Retry(times) if tried < *times && !failure.is_lost() => Action::Retry,
            Self::Stop | Self::Retry(_) => Action::Stop,
            Self::Skip => Action::Skip,
            Self::Custom(decide) => decide(failure, tried),
        };
        if action == Action::Skip && failure.is_unwritten() { Action::Stop } else { action }
    }

    /// Whether the item is still wanted once its node has failed: a handle is kept for that.
    pub(crate) fn keeps(&self) -> bool {
        matches!(self, Self::Retry(_) | Self::Custom(_))
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stop => f.write_str("stop"),
            Self::Skip => f.write_str("skip"),
            Self::Retry(times) => write!(f, "retry {times}"),
            Self::Custom(_) => f.write_str("custom"),
        }
    }
}
