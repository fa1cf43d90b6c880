//! [`Log`]: where orders are appended.

use super::{
    BLOCK, Fsync, LogError, Medium, Options, Recovery, Storage, block,
    record::{put, stride},
    segment::{self, Cursor, Format, HEADER},
    snapshot,
    storage::write_full,
    tail,
};
use crate::Order;
use aqueduct::SliceMut;
use std::{fmt, io, time::Instant};

/// A log that orders are appended to: see the [module](crate::log). Made by [`Recovery::log`].
pub struct Log<S: Storage> {
    storage: S,
    options: Options,
    file: S::File,
    /// The first order of the segment.
    first: u64,
    /// Where in the segment the block goes.
    offset: u64,
    /// Records that are not written.
    block: SliceMut,
    /// The order that is appended next.
    next: u64,
    /// The last order that is written.
    written: u64,
    /// The last order that [`Fsync`] answers for.
    durable: u64,
    /// The last order that outlives the machine, whatever `Fsync` says.
    mark: u64,
    /// Whether the log ends with a closing mark.
    sealed: bool,
    /// When the first order was appended that is not durable.
    waiting: Option<Instant>,
    /// Whether there may be something behind `offset`.
    torn: bool,
    /// Whether the block goes to a new segment, of which there may be something already.
    full: bool,
    closed: bool,
}

impl<S: Storage> Log<S> {
    /// Goes on where a log ends.
    pub(crate) fn resume(recovery: Recovery<S>, options: Options) -> Result<Self, LogError> {
        let Recovery { storage, segments, mut cursor, next, marked, sealed, .. } = recovery;
        snapshot::sweep(&storage)?;
        let (end, format) = (next - 1, Format::of(options));
        let mut from = 0;
        if let Some(cursor) = &mut cursor {
            let name = segment::name(cursor.first);
            // Also where nothing is behind it: whoever cut it last may not have come to the sync.
            cursor.file.set_size(cursor.offset).map_err(LogError::io("cannot cut", &name))?;
            // No closing mark stands among orders that are not durable, unless nothing was synced.
            if cursor.format.synced {
                let unsure = (end - marked) * stride(cursor.format.encoding) as u64;
                from = cursor.offset.saturating_sub(unsure);
            }
        }
        tail::settle(&storage, &segments, marked, from)?;
        // A segment without orders is begun anew: nobody knows whether its header was ever synced.
        let fits = |cursor: &Cursor<_>| cursor.format == format && cursor.offset > HEADER as u64;
        let (file, first, offset) = match cursor.filter(fits) {
            Some(cursor) => (cursor.file, cursor.first, cursor.offset),
            None => (segment::begin(&storage, next, format)?, next, HEADER as u64),
        };
        Ok(Self {
            storage,
            options,
            file,
            first,
            offset,
            block: block(),
            next,
            written: end,
            durable: end,
            mark: end,
            sealed,
            waiting: None,
            torn: false,
            full: false,
            closed: false,
        })
    }

    /// The sequence number of the order that is appended next.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.next
    }

    /// The last order that outlives what [`Fsync`] says; 0 before the first. Never less than before.
    #[must_use]
    pub fn durable(&self) -> u64 {
        self.durable
    }

    /// How it is written.
    #[must_use]
    pub fn options(&self) -> Options {
        self.options
    }

    /// How many orders can be appended before anything must be written.
    #[must_use]
    #[inline]
    pub fn room(&self) -> usize {
        (BLOCK - self.block.len()) / stride(self.options.encoding)
    }

    /// Takes an order: encodes it where it is written from. Writes only where the block is full.
    ///
    /// # Errors
    ///
    /// The order is not taken: [`LogError::Io`], after which it, or another, may be tried again;
    /// [`LogError::OutOfOrder`]; [`LogError::Closed`], from [`LogError::Sync`] on.
    #[inline]
    pub fn append(&mut self, order: &Order) -> Result<(), LogError> {
        if self.closed {
            return Err(LogError::Closed);
        }
        if order.seq != self.next {
            return Err(LogError::OutOfOrder { expected: self.next, found: order.seq });
        }
        if self.block.len() + stride(self.options.encoding) > BLOCK {
            self.write()?;
        }
        self.put(Some(order));
        self.next += 1;
        if self.waiting.is_none() && matches!(self.options.fsync, Fsync::Group { .. }) {
            self.waiting = Some(Instant::now());
        }
        Ok(())
    }

    /// Writes what was appended, and makes it durable: all of it, if [`Fsync`] says that it is time.
    ///
    /// # Errors
    ///
    /// [`LogError::Io`]; what was appended is kept, and the next commit, or write, tries again. [`LogError::Sync`], and
    /// from then on [`LogError::Closed`].
    #[inline]
    pub fn commit(&mut self) -> Result<(), LogError> {
        match self.options.fsync {
            Fsync::Never => self.write(),
            Fsync::Each => self.sync(),
            Fsync::Group { every, orders } => {
                let Some(since) = self.waiting else { return Ok(()) };
                if self.next - 1 - self.durable >= orders || since.elapsed() >= every {
                    self.sync()
                } else {
                    Ok(())
                }
            }
        }
    }

    /// Writes what was appended and makes it durable, whatever the time; with [`Fsync::Never`] it is only
    /// written.
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit).
    pub fn sync(&mut self) -> Result<(), LogError> {
        self.write()?;
        if self.durable < self.written { self.sync_file() } else { Ok(()) }
    }

    /// Makes all durable, and ends the log with a mark that covers it: from then on damage anywhere before it
    /// cannot be taken for an end.
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit).
    pub fn close(mut self) -> Result<(), LogError> {
        self.sync()?;
        // A new segment that could not be begun says that this one is whole as it is.
        if !self.sealed && self.next > 1 && !self.full {
            self.put(None);
            self.write_block()?;
            self.sync_file()?;
        }
        Ok(())
    }

    /// Writes the state behind order `seq`, durably and whole or not at all, whatever [`Fsync`] says. Keeps
    /// the newest snapshot and the one before it.
    ///
    /// # Errors
    ///
    /// [`LogError::NotDurable`] if the log may lose that order; [`LogError::Io`], after which the snapshots
    /// before are as they were, and the log too.
    pub fn snapshot(&mut self, seq: u64, bytes: &[u8]) -> Result<(), LogError> {
        if seq > self.durable {
            return Err(LogError::NotDurable { seq, durable: self.durable });
        }
        snapshot::write(&self.storage, seq, bytes)
    }

    #[inline]
    fn put(&mut self, order: Option<&Order>) {
        let stride = stride(self.options.encoding);
        let record = &mut self.block.spare_mut()[..stride];
        put(record, self.options.encoding, self.next, self.mark, order);
        self.sealed = order.is_none();
        self.block.commit(stride);
    }

    /// Writes what was appended, in a new segment if this one is full.
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit).
    pub fn write(&mut self) -> Result<(), LogError> {
        if self.closed {
            return Err(LogError::Closed);
        }
        if self.block.is_empty() {
            return Ok(());
        }
        self.full |= self.offset > HEADER as u64
            && self.offset + self.block.len() as u64 > self.options.segment;
        if self.full {
            self.rotate()?;
        }
        self.write_block()
    }

    fn write_block(&mut self) -> Result<(), LogError> {
        self.cut()?;
        if let Err(error) = write_full(&mut self.file, &self.block, self.offset) {
            self.torn = true;
            return Err(self.cannot("cannot write", error));
        }
        self.offset += self.block.len() as u64;
        self.block.clear();
        self.written = self.next - 1;
        if self.options.fsync == Fsync::Never {
            self.durable = self.written;
        }
        Ok(())
    }

    /// Cuts off what a write left that failed: it takes room, and may be of an order that was not taken.
    fn cut(&mut self) -> Result<(), LogError> {
        if self.torn {
            let cut = self.file.set_size(self.offset);
            cut.map_err(|error| self.cannot("cannot cut", error))?;
            self.torn = false;
        }
        Ok(())
    }

    fn sync_file(&mut self) -> Result<(), LogError> {
        if self.options.fsync == Fsync::Never {
            return Ok(());
        }
        if let Err(source) = self.file.sync() {
            self.closed = true;
            return Err(LogError::Sync { file: segment::name(self.first), source });
        }
        (self.durable, self.mark) = (self.written, self.written);
        if self.block.is_empty() {
            self.waiting = None;
        }
        Ok(())
    }

    /// Begins the segment that the block goes to.
    #[cold]
    fn rotate(&mut self) -> Result<(), LogError> {
        self.cut()?;
        self.sync_file()?;
        let first = self.written + 1;
        let begun = segment::begin(&self.storage, first, Format::of(self.options));
        let file = begun.inspect_err(|error| {
            self.closed = matches!(error, LogError::Sync { .. });
        })?;
        (self.file, self.first, self.offset, self.full) = (file, first, HEADER as u64, false);
        Ok(())
    }

    #[cold]
    fn cannot(&self, doing: &'static str, error: io::Error) -> LogError {
        LogError::io(doing, &segment::name(self.first))(error)
    }
}

impl<S: Storage> fmt::Debug for Log<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { next, written, durable, closed, .. } = self;
        let mut log = f.debug_struct("Log");
        log.field("next", next).field("written", written).field("durable", durable);
        log.field("closed", closed).finish_non_exhaustive()
    }
}
