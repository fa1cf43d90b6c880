//! A record: its head, and an order or nothing behind it. See [`crate::log`] for the bytes.

use super::{Encoding, Logged, archive, archived, from_bincode, to_bincode};
use crate::Order;
use aqueduct::copy;
use crc32c::crc32c;

/// Bytes in front of the payload.
pub(crate) const HEAD: usize = 24;
/// The checksum's, of the head.
const SUM: usize = 4;

/// Bytes of a record.
pub(crate) const fn stride(encoding: Encoding) -> usize {
    HEAD + encoding.payload()
}

/// What stands in front of a payload. It means nothing unless the record is [`sound`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    /// Of the payload; 0 for a closing mark.
    pub(crate) length: usize,
    pub(crate) seq: u64,
    /// Up to here all was durable.
    pub(crate) mark: u64,
}

impl Head {
    pub(crate) fn of(record: &[u8]) -> Self {
        let word =
            |at| record.as_chunks::<8>().0.get(at).map_or(0, |word| u64::from_le_bytes(*word));
        Self { length: (word(0) >> 32) as usize, seq: word(1), mark: word(2) }
    }
}

/// Makes a record of its bytes: an order, or a closing mark.
pub(crate) fn put(
    record: &mut [u8],
    encoding: Encoding,
    seq: u64,
    mark: u64,
    order: Option<&Order>,
) {
    let (head, payload) = record.split_at_mut(HEAD);
    let length = match (order, encoding) {
        (None, _) => {
            payload.fill(0);
            0
        }
        (Some(order), Encoding::Archived) => {
            archive(order, payload);
            payload.len() as u64
        }
        (Some(order), Encoding::Bincode) => {
            copy(payload, &to_bincode(order));
            payload.len() as u64
        }
    };
    for (place, word) in head.as_chunks_mut::<8>().0.iter_mut().zip([length << 32, seq, mark]) {
        *place = word.to_le_bytes();
    }
    let sum = crc32c(&record[SUM..]);
    if let Some(place) = record.first_chunk_mut::<SUM>() {
        *place = sum.to_le_bytes();
    }
}

/// Whether a record is as it was made.
pub(crate) fn sound(record: &[u8]) -> bool {
    let sum = record.first_chunk::<SUM>().map(|sum| u32::from_le_bytes(*sum));
    sum.is_some_and(|sum| sum == crc32c(&record[SUM..]))
}

/// The order of a record that is sound and has one.
pub(crate) fn logged(record: &[u8], encoding: Encoding) -> Option<Logged<'_>> {
    let payload = &record[HEAD..];
    match encoding {
        Encoding::Archived => archived(payload).map(Logged::InPlace),
        Encoding::Bincode => from_bincode(payload).map(Logged::Decoded),
    }
}
