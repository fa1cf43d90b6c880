//! [`Recovery`]: a log is read from its newest snapshot on, and then goes on.

use super::{
    Damage, Encoding, Log, LogError, Logged, Options, Snapshot, Storage,
    record::{Head, sound},
    segment::{self, Cursor, Found},
    snapshot, tail,
};
use std::fmt;

/// A log that is read, order by order, in place.
///
/// ```
/// use exchange::{Order, log::{Folder, Log, LogError, Options, Recovery}};
///
/// # let path = std::env::temp_dir().join(format!("exchange-doc-{}", std::process::id()));
/// # let folder = || Folder::open(&path).unwrap();
/// let mut log = Recovery::new(folder())?.log(Options::default())?;
/// log.append(&Order { seq: 1, price: 7, ..Order::default() })?;
/// log.close()?;
///
/// let mut recovery = Recovery::new(folder())?;
/// assert!(recovery.snapshot().is_none());
/// while let Some(logged) = recovery.read()? {
///     assert_eq!(logged.order().price, 7);
/// }
/// let log = recovery.log(Options::default())?;
/// assert_eq!((log.durable(), log.next()), (1, 2));
/// # drop(log);
/// # std::fs::remove_dir_all(&path).unwrap();
/// # Ok::<(), LogError>(())
/// ```
pub struct Recovery<S: Storage> {
    pub(crate) storage: S,
    snapshot: Option<Snapshot>,
    /// The first orders of the segments, ascending.
    pub(crate) segments: Vec<u64>,
    /// Which of them is read next, or now.
    index: usize,
    /// Where; none between segments, and behind one whose header is torn.
    pub(crate) cursor: Option<Cursor<S::File>>,
    /// The first order that is given.
    from: u64,
    /// The next in the log.
    pub(crate) next: u64,
    /// Up to here the log is known to be durable.
    pub(crate) marked: u64,
    /// Whether a closing mark was read last.
    pub(crate) sealed: bool,
    ended: bool,
}

impl<S: Storage> Recovery<S> {
    /// Before the first order behind the newest good snapshot.
    ///
    /// # Errors
    ///
    /// [`LogError::Io`], and [`LogError::Damaged`] where the first segments are missing.
    pub fn new(storage: S) -> Result<Self, LogError> {
        let snapshot = snapshot::newest(&storage)?;
        Self::behind(storage, snapshot)
    }

    /// Before the first order of all, whatever snapshots there are.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn whole(storage: S) -> Result<Self, LogError> {
        Self::behind(storage, None)
    }

    fn behind(storage: S, snapshot: Option<Snapshot>) -> Result<Self, LogError> {
        let names = storage.names().map_err(LogError::io("cannot list the folder", ""))?;
        let mut segments: Vec<_> = names.iter().filter_map(|name| segment::first(name)).collect();
        segments.sort_unstable();
        let from = snapshot.as_ref().map_or(0, |snapshot| snapshot.seq).saturating_add(1);
        let before = segments.partition_point(|first| *first <= from);
        let index = match (before.checked_sub(1), segments.first()) {
            (Some(index), _) => index,
            (None, None) => 0,
            (None, Some(&found)) => {
                let missing = Damage::Missing { expected: from, found };
                return Err(LogError::damaged(&segment::name(found), 0, missing));
            }
        };
        let next = segments.get(index).map_or(1, |first| *first);
        let marked = next.saturating_sub(1);
        let cursor = None;
        Ok(Self {
            storage,
            snapshot,
            segments,
            index,
            cursor,
            from,
            next,
            marked,
            sealed: false,
            ended: false,
        })
    }

    /// What the orders that follow come behind.
    #[must_use]
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.snapshot.as_ref()
    }

    /// The next order; none at the end, be it clean or torn.
    ///
    /// # Errors
    ///
    /// [`LogError::Io`], and [`LogError::Damaged`] with segment and offset; again at the next call, unless
    /// the fault is gone.
    #[inline]
    pub fn read(&mut self) -> Result<Option<Logged<'_>>, LogError> {
        loop {
            if !self.step()? {
                return Ok(None);
            }
            if self.next > self.from {
                break;
            }
        }
        let decoded = match self.order() {
            None => return Err(self.refuse(Damage::Order)),
            Some(Logged::Decoded(order)) => Some(order),
            Some(Logged::InPlace(_)) => None,
        };
        Ok(decoded.map(Logged::Decoded).or_else(|| self.order()))
    }

    /// The order that we are behind of.
    #[inline]
    fn order(&self) -> Option<Logged<'_>> {
        self.cursor.as_ref().and_then(Cursor::order)
    }

    /// Goes on with this log: reads what is not read yet, cuts a torn end off, makes durable what may not
    /// be.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn log(mut self, options: Options) -> Result<Log<S>, LogError> {
        while self.read()?.is_some() {}
        Log::resume(self, options)
    }

    /// Goes behind the next order, if there is one.
    #[inline]
    fn step(&mut self) -> Result<bool, LogError> {
        while !self.ended {
            let last = self.is_last();
            let Some(cursor) = &mut self.cursor else {
                self.enter()?;
                continue;
            };
            let found = match cursor.look() {
                Ok(found) => found,
                Err(error) => return Err(LogError::io("cannot read", &self.name())(error)),
            };
            match found {
                Found::Record if sound(cursor.record()) => {
                    if self.check()? {
                        return Ok(true);
                    }
                }
                Found::Record => self.fault(Damage::Record)?,
                Found::Cut => self.fault(Damage::Cut)?,
                Found::End if last => self.end()?,
                Found::End => {
                    if cursor.format.synced {
                        // It was durable when the next one was begun.
                        self.marked = self.next - 1;
                    }
                    self.index += 1;
                    self.cursor = None;
                }
            }
        }
        Ok(false)
    }

    /// A sound record: whether it is an order, behind which we are then. Or a mark.
    #[inline]
    fn check(&mut self) -> Result<bool, LogError> {
        let Some(cursor) = &mut self.cursor else { return Ok(false) };
        let head = Head::of(cursor.record());
        let order = head.length != 0;
        if order && head.length != cursor.format.encoding.payload() {
            return Err(self.damaged(Damage::Order));
        }
        if head.seq != self.next || head.mark >= head.seq || head.seq == u64::MAX {
            let sequence = Damage::Sequence { expected: self.next, found: head.seq };
            return Err(self.damaged(sequence));
        }
        cursor.advance();
        self.next += u64::from(order);
        (self.marked, self.sealed) = (self.marked.max(head.mark), !order);
        Ok(order)
    }

    /// Opens the next segment.
    #[cold]
    fn enter(&mut self) -> Result<(), LogError> {
        let Some(&first) = self.segments.get(self.index) else { return self.end() };
        let name = segment::name(first);
        if first != self.next {
            let missing = Damage::Missing { expected: self.next, found: first };
            return Err(LogError::damaged(&name, 0, missing));
        }
        let opened = self.storage.open(&name).and_then(|file| Cursor::new(file, first));
        match opened.map_err(LogError::io("cannot read", &name))? {
            Ok(cursor) => {
                self.cursor = Some(cursor);
                Ok(())
            }
            Err((file, Damage::Header)) if self.is_last() => {
                let full = tail::covers(&file, 0, 0, &Encoding::ALL);
                if full.map_err(LogError::io("cannot read", &name))? {
                    return Err(LogError::damaged(&name, 0, Damage::Header));
                }
                self.end()
            }
            Err((_, damage)) => Err(LogError::damaged(&name, 0, damage)),
        }
    }

    /// Where no good record is, though the file does not end: the end, or an error.
    #[cold]
    fn fault(&mut self, damage: Damage) -> Result<(), LogError> {
        let Some(cursor) = &self.cursor else { return Ok(()) };
        if self.is_last() {
            let (from, format) = (cursor.offset + 1, cursor.format);
            // Writes that nobody syncs are seen in order, or not at all.
            let proof = if format.synced { self.next } else { 0 };
            let covers = tail::covers(&cursor.file, from, proof, &[format.encoding]);
            if !covers.map_err(LogError::io("cannot read", &self.name()))? {
                return self.end();
            }
        }
        Err(self.damaged(damage))
    }

    #[cold]
    fn end(&mut self) -> Result<(), LogError> {
        let end = self.next - 1;
        if end + 1 < self.from {
            let name = snapshot::name(self.from - 1);
            return Err(LogError::damaged(&name, 0, Damage::Short { end }));
        }
        self.ended = true;
        Ok(())
    }

    /// The order that we are behind of is wrong: we are before it again.
    #[cold]
    pub(crate) fn refuse(&mut self, damage: Damage) -> LogError {
        if let Some(cursor) = &mut self.cursor {
            cursor.retreat();
            self.next -= 1;
        }
        self.damaged(damage)
    }

    fn is_last(&self) -> bool {
        self.index + 1 >= self.segments.len()
    }

    fn name(&self) -> String {
        self.segments.get(self.index).map(|first| segment::name(*first)).unwrap_or_default()
    }

    #[cold]
    fn damaged(&self, damage: Damage) -> LogError {
        let offset = self.cursor.as_ref().map_or(0, |cursor| cursor.offset);
        LogError::damaged(&self.name(), offset, damage)
    }
}

impl<S: Storage> fmt::Debug for Recovery<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recovery").field("next", &self.next).finish_non_exhaustive()
    }
}
