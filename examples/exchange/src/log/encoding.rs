//! An order as bytes, in both ways; what the benches measure.

use crate::{ArchivedOrder, Order};
use aqueduct::meter;
use rkyv::{
    api::{low, serialize_using},
    rancor::Failure,
    ser::writer::Buffer,
};
use std::fmt;

const _: () = assert!(size_of::<ArchivedOrder>() == 64 && align_of::<ArchivedOrder>() == 8);

/// An order in a log, as it was read.
#[derive(Clone, Copy)]
pub enum Logged<'a> {
    /// In the block that the segment was read into, validated.
    InPlace(&'a ArchivedOrder),
    /// Decoded, by bincode.
    Decoded(Order),
}

impl Logged<'_> {
    /// The order itself: for a slot, or to be kept.
    #[must_use]
    #[inline]
    pub fn order(&self) -> Order {
        match self {
            Self::InPlace(archived) => restored(archived),
            Self::Decoded(order) => *order,
        }
    }
}

impl fmt::Debug for Logged<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.order().fmt(f)
    }
}

/// The order of one that was validated before, field by field out of where it lies.
#[must_use]
#[inline]
pub fn restored(archived: &ArchivedOrder) -> Order {
    let Ok(order) = low::deserialize::<Order, std::convert::Infallible>(archived);
    order
}

/// Writes an order where it is to be. Nothing is allocated, and no buffer stands between.
///
/// # Panics
///
/// When there is less room than 64 bytes, or the room is not aligned to 8.
// Not inlined elsewhere: what rkyv derives is not, and would be called there, and its bytes moved once more.
pub fn archive(order: &Order, room: &mut [u8]) {
    let mut buffer = Buffer::from(room);
    let at = serialize_using::<_, Failure>(order, &mut buffer);
    assert_eq!(at, Ok(0), "an order has 64 bytes");
}

/// Validates 64 bytes, aligned to 8, as an order, which is read where it is. None if they are none.
#[must_use]
#[inline]
pub fn archived(bytes: &[u8]) -> Option<&ArchivedOrder> {
    low::access::<ArchivedOrder, Failure>(bytes).ok()
}

/// A vector with the order in it: bincode's copy, counted.
#[must_use]
pub fn to_bincode(order: &Order) -> Vec<u8> {
    // Numbers and unit variants have a form each, and a vector takes all that there is.
    let bytes = bincode::serialize(order).unwrap_or_default();
    meter::count_copy(bytes.len());
    bytes
}

/// The order in these bytes, copied out, which is counted. None if there is none.
#[must_use]
pub fn from_bincode(bytes: &[u8]) -> Option<Order> {
    meter::count_copy(bytes.len());
    bincode::deserialize(bytes).ok()
}
