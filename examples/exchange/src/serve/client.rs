//! [`Client`]: one connection, as the desk sees it.

use super::{
    message::Message,
    wire::{Form, Requests},
};
use aqueduct::{Sequence, Writer};
use std::rc::Rc;
use tokio::{sync::Notify, task::AbortHandle};

/// One connection.
pub(super) struct Client {
    pub(super) requests: Requests,
    /// What it is told; none when that is all.
    output: Option<Writer>,
    /// What it is told and was not shown waits for this order to be durable.
    after: u64,
    /// There is something of the kind: it is in the list of those.
    pub(super) is_told: bool,
    /// It is in the inbox.
    pub(super) is_queued: bool,
    /// What it asks next waits for all stages to come to rest.
    pub(super) asks: bool,
    /// What it asks next waits for it to read its answers.
    pub(super) is_paused: bool,
    /// It asks no more, or is not listened to any more.
    pub(super) is_over: bool,
    /// It is told no more.
    pub(super) is_done: bool,
    /// It hears of every trade.
    pub(super) trades: bool,
    /// It sees so many prices of this market.
    pub(super) depth: Option<(u32, u16)>,
    pub(super) task: Option<AbortHandle>,
    /// Its socket is read from again.
    pub(super) room: Rc<Notify>,
}

impl Client {
    pub(super) fn new(output: Writer) -> Self {
        Self {
            requests: Requests::default(),
            output: Some(output),
            after: 0,
            is_told: false,
            is_queued: false,
            asks: false,
            is_paused: false,
            is_over: false,
            is_done: false,
            trades: false,
            depth: None,
            task: None,
            room: Rc::default(),
        }
    }

    pub(super) fn form(&self) -> Form {
        self.requests.form()
    }

    /// Bytes that it was told and the system has not taken.
    #[inline]
    pub(super) fn backlog(&self) -> usize {
        let bytes = self.output.as_ref().map_or(0, |out| out.stats().buffered + out.unflushed());
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }

    /// Whether something that it asked is not done, or not told, or not read.
    pub(super) fn waits(&self) -> bool {
        self.is_queued || self.asks || self.is_paused || self.is_told || self.backlog() > 0
    }

    /// Tells it something that hangs on order `after`. Who is gone hears nothing.
    #[inline]
    pub(super) fn tell(&mut self, message: &Message<'_>, after: u64) {
        let form = self.form();
        if let Some(output) = &mut self.output
            && message.write(form, output).is_err()
        {
            self.give_up();
        }
        self.after = self.after.max(after);
    }

    /// The same of what others are told, too: it is made once.
    pub(super) fn show(&mut self, shared: Sequence, after: u64) {
        if let Some(output) = &mut self.output
            && output.push_sequence(shared).is_err()
        {
            self.give_up();
        }
        self.after = self.after.max(after);
    }

    /// There is no memory for what it is told: nothing may come behind that, so it is told no more, and reads
    /// so from the end. What it asked before is done.
    #[cold]
    fn give_up(&mut self) {
        self.is_over = true;
        if let Some(output) = self.output.take() {
            output.fail("no memory for an answer");
        }
    }

    /// Sends what it was told, if all of it is durable.
    pub(super) fn flush(&mut self, durable: u64) -> bool {
        if self.after > durable {
            return false;
        }
        if let Some(output) = &mut self.output {
            let _ = output.try_flush();
        }
        if self.is_done
            && let Some(output) = self.output.take()
        {
            output.finish();
        }
        true
    }

    /// Holds no memory for answers while there are none.
    pub(super) fn release(&mut self) {
        if let Some(output) = &mut self.output {
            output.release();
        }
    }
}
