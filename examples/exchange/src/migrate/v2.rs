//! The original's log, version 2: read as a stream, record by record.
//!
//! A record is a header of 20 bytes, little-endian: payload length `u16`, type `u8`, version `u8`, epoch
//! `u32`, sequence number `u64`, CRC32 (IEEE) of the payload. The payload is bincode 1 with fixed integers.
//! Numbers go up by one within an epoch and begin anew with the next; the version is the same in all of a
//! file.

use super::{Fault, MigrateError};
use crate::{
    Action, Kind, Order, Side, TimeInForce,
    log::{Medium, read_full},
};
use aqueduct::{Pool, SliceMut};
use example_common::open_regular;
use serde::Deserialize;
use std::{fmt, fs::File, io, path::Path};

const HEADER: usize = 20;
const ORDER: usize = 47;
const CANCEL: usize = 16;
/// Bytes that are read at once.
const BLOCK: usize = 1 << 20;

/// Type 1.
#[derive(Deserialize)]
struct OldOrder {
    order: u64,
    user: u64,
    symbol: u32,
    price: u64,
    qty: u64,
    side: u8,
    kind: u8,
    tif: u8,
    ingested_at: u64,
}

/// Type 2.
#[derive(Deserialize)]
struct OldCancel {
    order: u64,
    user: u64,
}

struct Header {
    length: usize,
    kind: u8,
    version: u8,
    epoch: u32,
    seq: u64,
    sum: u32,
}

impl Header {
    fn of(bytes: [u8; HEADER]) -> Self {
        let [a, b, kind, version, e0, e1, e2, e3, s0, s1, s2, s3, s4, s5, s6, s7, c0, c1, c2, c3] =
            bytes;
        Self {
            length: usize::from(u16::from_le_bytes([a, b])),
            kind,
            version,
            epoch: u32::from_le_bytes([e0, e1, e2, e3]),
            seq: u64::from_le_bytes([s0, s1, s2, s3, s4, s5, s6, s7]),
            sum: u32::from_le_bytes([c0, c1, c2, c3]),
        }
    }
}

/// An old log on its way.
pub struct Old<F = File> {
    file: F,
    name: String,
    block: SliceMut,
    /// Where the next record is: in the block, and in the file.
    at: usize,
    offset: u64,
    /// Orders that were read.
    count: u64,
    /// Of the record before: version, epoch, number.
    before: Option<(u8, u32, u64)>,
}

impl Old {
    /// The old log at `path`.
    ///
    /// # Errors
    ///
    /// [`MigrateError::Io`], also where it is no regular file.
    pub fn open(path: &Path) -> Result<Self, MigrateError> {
        let name = path.display().to_string();
        let file =
            open_regular(path).map_err(|source| MigrateError::Io { name: name.clone(), source })?;
        Ok(Self::new(file, name))
    }
}

impl<F: Medium> Old<F> {
    /// The old log in `file`; `name` is its name in errors.
    #[must_use]
    pub fn new(file: F, name: String) -> Self {
        let block = Pool::global().get(BLOCK);
        Self { file, name, block, at: 0, offset: 0, count: 0, before: None }
    }

    pub(super) fn size(&self) -> Result<u64, MigrateError> {
        self.file.size().map_err(|source| MigrateError::Io { name: self.name.clone(), source })
    }

    /// Where the next record is in the file.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The next order or cancel, numbered by its place; none at the end of the file.
    ///
    /// # Errors
    ///
    /// [`MigrateError::Io`], and [`MigrateError::Damaged`] with the record's offset, again at the next call.
    pub fn read(&mut self) -> Result<Option<Order>, MigrateError> {
        if self.block.len() - self.at < HEADER + ORDER {
            self.fill().map_err(|source| MigrateError::Io { name: self.name.clone(), source })?;
        }
        let rest = &self.block[self.at..];
        let (mut order, header) = match parse(rest, self.before) {
            Ok(None) => return Ok(None),
            Ok(Some(parsed)) => parsed,
            Err(fault) => {
                return Err(MigrateError::Damaged {
                    name: self.name.clone(),
                    offset: self.offset,
                    fault,
                });
            }
        };
        self.before = Some((header.version, header.epoch, header.seq));
        self.count += 1;
        order.seq = self.count;
        self.at += HEADER + header.length;
        self.offset += (HEADER + header.length) as u64;
        Ok(Some(order))
    }

    /// A block from the record on; what was there of it is read again, and nothing is moved.
    fn fill(&mut self) -> io::Result<()> {
        self.block.clear();
        self.at = 0;
        let count = read_full(&self.file, &mut self.block.spare_mut()[..BLOCK], self.offset)?;
        self.block.commit(count);
        Ok(())
    }
}

impl<F> fmt::Debug for Old<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Old").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The record that these bytes begin with.
fn parse(bytes: &[u8], before: Option<(u8, u32, u64)>) -> Result<Option<(Order, Header)>, Fault> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let (header, payload) = bytes.split_first_chunk::<HEADER>().ok_or(Fault::Cut)?;
    let header = Header::of(*header);
    let length = match header.kind {
        1 => ORDER,
        2 => CANCEL,
        other => return Err(Fault::Type(other)),
    };
    if header.length != length {
        return Err(Fault::Length { expected: length, found: header.length });
    }
    if let Some((version, epoch, seq)) = before {
        if header.version != version {
            return Err(Fault::Version { expected: version, found: header.version });
        }
        let follows = if header.epoch == epoch {
            Some(header.seq) == seq.checked_add(1)
        } else {
            header.epoch > epoch
        };
        if !follows {
            return Err(Fault::Sequence { epoch: header.epoch, found: header.seq });
        }
    }
    let payload = payload.get(..length).ok_or(Fault::Cut)?;
    if crc32fast::hash(payload) != header.sum {
        return Err(Fault::Checksum);
    }
    Ok(Some((decode(header.kind, payload)?, header)))
}

fn decode(kind: u8, payload: &[u8]) -> Result<Order, Fault> {
    if kind == 2 {
        let OldCancel { order, user } = read(payload)?;
        return Ok(Order { id: order, user, action: Action::Cancel, ..Order::default() });
    }
    let old: OldOrder = read(payload)?;
    Ok(Order {
        id: old.order,
        user: old.user,
        symbol: old.symbol,
        price: old.price,
        qty: old.qty,
        at: old.ingested_at,
        side: one_of("side", old.side, [Side::Buy, Side::Sell])?,
        kind: one_of("order type", old.kind, [Kind::Limit, Kind::Market])?,
        tif: one_of("time in force", old.tif, [TimeInForce::Gtc, TimeInForce::Ioc])?,
        ..Order::default()
    })
}

fn read<'a, T: Deserialize<'a>>(payload: &'a [u8]) -> Result<T, Fault> {
    // It has the length of the type, whose every field is a number.
    bincode::deserialize(payload).map_err(|_| Fault::Cut)
}

fn one_of<T: Copy>(what: &'static str, found: u8, of: [T; 2]) -> Result<T, Fault> {
    of.get(usize::from(found)).copied().ok_or(Fault::Value { what, found })
}
