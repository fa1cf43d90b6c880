//! A segment's name and header, and the place where one is read.

use super::{
    BLOCK, Damage, Encoding, Fsync, LogError, Logged, Medium, Options, block,
    record::{logged, stride},
    storage::{Storage, read_full, write_full},
};
use aqueduct::SliceMut;
use crc32c::crc32c;
use std::io;

/// The version of the format that is written, and the only one that is read.
pub const VERSION: u32 = 1;
/// Bytes of a header: records behind it are aligned as the header is.
pub(crate) const HEADER: usize = 64;

const MAGIC: u64 = u64::from_le_bytes(*b"AQORDERS");
const END: &str = ".log";

/// The name of the segment that begins with this order.
pub(crate) fn name(first: u64) -> String {
    format!("{first:020}{END}")
}

/// The first order of the segment of this name.
pub(crate) fn first(name: &str) -> Option<u64> {
    numbered(name, END).filter(|first| *first > 0)
}

/// The number of a file of ours.
pub(crate) fn numbered(name: &str, end: &str) -> Option<u64> {
    let digits = name.strip_suffix(end)?;
    let ours = digits.len() == 20 && digits.bytes().all(|digit| digit.is_ascii_digit());
    digits.parse().ok().filter(|_| ours)
}

/// What a segment's header says, beside its first order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Format {
    pub(crate) encoding: Encoding,
    /// Whether it is synced: if not, nothing in it is durable but what a mark covers.
    pub(crate) synced: bool,
    /// What its orders were taken on by: see [`Recovery::of`](super::Recovery::of).
    pub(crate) origin: u64,
}

impl Format {
    pub(crate) fn of(options: Options, origin: u64) -> Self {
        Self { encoding: options.encoding, synced: options.fsync != Fsync::Never, origin }
    }

    fn header(self, first: u64) -> [u8; HEADER] {
        let format = u64::from(self.encoding.number()) << 32 | u64::from(!self.synced) << 48;
        let mut header = [0; HEADER];
        let words = [MAGIC, u64::from(VERSION) | format, first, self.origin];
        for (place, word) in header.as_chunks_mut::<8>().0.iter_mut().zip(words) {
            *place = word.to_le_bytes();
        }
        let sum = u64::from(crc32c(&header[..32]));
        header.as_chunks_mut::<8>().0[4] = sum.to_le_bytes();
        header
    }

    /// What the header of the segment with this first order says.
    fn parse(found: &[u8], first: u64) -> Result<Self, Damage> {
        // A header that is cut says nothing.
        let [magic, version, _, origin, ..] = *found.as_chunks::<8>().0 else {
            return Err(Damage::Header);
        };
        let origin = u64::from_le_bytes(origin);
        if found.len() == HEADER && u64::from_le_bytes(magic) == MAGIC {
            #[allow(clippy::cast_possible_truncation, reason = "the lower half is the version")]
            let version = u64::from_le_bytes(version) as u32;
            if version != VERSION {
                return Err(Damage::Version(version));
            }
        }
        let formats = Encoding::ALL
            .map(|encoding| [true, false].map(|synced| Self { encoding, synced, origin }));
        let known = formats.into_iter().flatten().find(|format| found == format.header(first));
        known.ok_or(Damage::Header)
    }
}

/// A new segment. Its header is durable before anything stands behind it, and its name.
pub(crate) fn begin<S: Storage>(
    storage: &S,
    first: u64,
    format: Format,
) -> Result<S::File, LogError> {
    let name = name(first);
    let begin = || {
        let mut file = storage.create(&name)?;
        write_full(&mut file, &format.header(first), 0)?;
        Ok(file)
    };
    let mut file = begin().map_err(LogError::io("cannot begin", &name))?;
    if format.synced {
        let synced = file.sync().and_then(|()| storage.sync());
        synced.map_err(|source| LogError::Sync { file: name, source })?;
    }
    Ok(file)
}

/// Where a segment is read: a block of it at a time, of whole records.
#[derive(Debug)]
pub(crate) struct Cursor<F> {
    pub(crate) file: F,
    pub(crate) first: u64,
    pub(crate) format: Format,
    /// Where the record is in the file.
    pub(crate) offset: u64,
    block: SliceMut,
    /// Where the record is in the block.
    at: usize,
}

/// What stands at a [`Cursor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Record,
    /// Less than a record.
    Cut,
    End,
}

impl<F: Medium> Cursor<F> {
    /// Before the first record; or what is wrong with the header, and the file.
    pub(crate) fn new(file: F, first: u64) -> io::Result<Result<Self, (F, Damage)>> {
        let mut found = [0; HEADER];
        let count = read_full(&file, &mut found, 0)?;
        Ok(match Format::parse(&found[..count], first) {
            Ok(format) => {
                let (offset, block) = (HEADER as u64, block());
                Ok(Self { file, first, format, offset, block, at: 0 })
            }
            Err(damage) => Err((file, damage)),
        })
    }

    /// Looks at the record; reads on where the block has no more.
    #[inline]
    pub(crate) fn look(&mut self) -> io::Result<Found> {
        let stride = stride(self.format.encoding);
        if self.block.len() - self.at < stride {
            // The rest of a record, if there is one, is read again: nothing is moved.
            self.block.clear();
            self.at = 0;
            let whole = BLOCK - BLOCK % stride;
            let room = &mut self.block.spare_mut()[..whole];
            let count = read_full(&self.file, room, self.offset)?;
            self.block.commit(count);
        }
        Ok(match self.block.len() - self.at {
            0 => Found::End,
            left if left < stride => Found::Cut,
            _ => Found::Record,
        })
    }

    /// The record that was [looked](Self::look) at.
    #[inline]
    pub(crate) fn record(&self) -> &[u8] {
        &self.block[self.at..][..stride(self.format.encoding)]
    }

    /// Goes behind it.
    #[inline]
    pub(crate) fn advance(&mut self) {
        self.at += stride(self.format.encoding);
        self.offset += stride(self.format.encoding) as u64;
    }

    /// Goes before it again, which is still in its block.
    pub(crate) fn retreat(&mut self) {
        self.at -= stride(self.format.encoding);
        self.offset -= stride(self.format.encoding) as u64;
    }

    /// The order of the record before, unless there is none in it.
    #[inline]
    pub(crate) fn order(&self) -> Option<Logged<'_>> {
        logged(&self.block[self.at - stride(self.format.encoding)..self.at], self.format.encoding)
    }
}
