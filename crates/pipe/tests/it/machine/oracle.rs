//! The naive model of a pipe: one queue of bytes, and the thresholds as the contract says them.

use super::waits::Wait;
use std::collections::VecDeque;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Finished,
    Failed,
    Dropped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Data,
    Eof,
    Cancelled,
    Nothing,
    Error(Ended),
}

/// What a pipe holds, and what was said about it.
#[derive(Clone, Debug, Default)]
pub struct Oracle {
    pub pause: usize,
    pub resume: usize,
    pub most: usize,
    pub unflushed: Vec<u8>,
    /// Flushed and not consumed.
    pub held: VecDeque<u8>,
    /// How many were consumed before those.
    pub consumed: usize,
    /// How many of those were examined without success.
    pub examined: usize,
    /// How many of those the writer was told of.
    pub told: usize,
    pub paused: bool,
    pub read_interrupt: bool,
    pub flush_interrupt: bool,
    pub writer: Option<Ended>,
    pub reader_gone: bool,
    /// Up to which total a read wants that waits.
    pub wanted: usize,
}

impl Oracle {
    pub fn fits(&self, more: usize) -> bool {
        self.held.len() + self.unflushed.len() + more <= self.most
    }

    /// Whether the flush is done, is cancelled, waits (`None`), or failed.
    pub fn flush(&mut self) -> Result<Option<bool>, ()> {
        // Of a reader that is gone nothing is ever consumed.
        self.held.extend(std::mem::take(&mut self.unflushed));
        if self.reader_gone {
            return Err(());
        }
        if std::mem::take(&mut self.flush_interrupt) {
            return Ok(Some(false));
        }
        let waiting = self.held.len() - self.told;
        let limit = if self.paused { self.resume } else { self.pause };
        self.paused = waiting >= limit && !self.wants_more();
        Ok((!self.paused).then_some(true))
    }

    /// As a flush, for the wait until all that is flushed is consumed. What is consumed already is not
    /// undone by an interrupt, which waits for another wait, or by a reader that goes.
    pub fn drained(&mut self) -> Result<Option<bool>, ()> {
        if self.held.is_empty() {
            return Ok(Some(true));
        }
        if self.reader_gone {
            self.unflushed.clear(); // it is told that nobody reads any more
            return Err(());
        }
        Ok(std::mem::take(&mut self.flush_interrupt).then_some(false))
    }

    /// The same for the wait until `count` more bytes fit.
    pub fn ready(&mut self, count: usize) -> Result<Option<bool>, ()> {
        match self.fits(count) {
            _ if self.unflushed.len() + count > self.most => Err(()),
            true => Ok(Some(true)),
            false => self.drained().and_then(|done| match done {
                // Whom all of it does not suffice makes no room.
                None if self.kept() => Err(()),
                done => Ok(done),
            }),
        }
    }

    /// Whether a read waits that what is flushed does not suffice.
    pub fn wants_more(&self) -> bool {
        self.wanted > self.flushed()
    }

    /// Whether the reader keeps all that there is, and waits for more.
    pub fn kept(&self) -> bool {
        self.wants_more() || self.told >= self.held.len()
    }

    /// How much was flushed since the beginning.
    pub fn flushed(&self) -> usize {
        self.consumed + self.held.len()
    }

    /// Whether the wait of a reader is over.
    pub fn read_due(&self, wait: Wait) -> bool {
        match wait {
            Wait::End => self.writer.is_some(),
            _ if self.read_interrupt || self.writer.is_some() => true,
            Wait::Fresh(total) | Wait::Enough(total) => self.flushed() >= total,
            other => unreachable!("no reader waits for {other:?}"),
        }
    }

    /// Whether the wait of a writer is over.
    pub fn write_due(&self, wait: Wait) -> bool {
        match wait {
            Wait::End => self.reader_gone,
            _ if self.flush_interrupt || self.reader_gone => true,
            Wait::Resumed => self.wants_more() || self.held.len() - self.told < self.resume,
            Wait::Consumed(total) => self.consumed >= total,
            Wait::Room(total) => self.consumed >= total || self.kept(),
            other => unreachable!("no writer waits for {other:?}"),
        }
    }

    /// What a read finds that wants `least` bytes, or any that were not examined.
    pub fn read(&mut self, least: Option<usize>) -> Found {
        if std::mem::take(&mut self.read_interrupt) {
            return Found::Cancelled;
        }
        let enough = match least {
            None => self.held.len() > self.examined,
            Some(least) => self.held.len() >= least,
        };
        match self.writer {
            Some(Ended::Finished) => Found::Eof,
            _ if enough => Found::Data,
            Some(ended) => Found::Error(ended),
            None => Found::Nothing,
        }
    }

    pub fn consume(&mut self, count: usize) -> Vec<u8> {
        self.told = self.told.max(count) - count;
        self.examined = 0;
        self.consumed += count;
        self.held.drain(..count).collect()
    }

    pub fn need_more(&mut self, consumed: usize) {
        self.consume(consumed);
        self.examined = self.held.len();
        self.told = self.held.len();
    }

    /// Taken bytes are consumed; what was examined of the rest stays examined.
    pub fn take(&mut self, count: usize) -> Vec<u8> {
        let examined = self.examined.max(count) - count;
        let taken = self.consume(count);
        self.examined = examined;
        taken
    }
}
