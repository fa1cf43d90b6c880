//! Reading slices of which some are inline and some are not, in an order no predictor can learn.

use std::hint::black_box;
use std::ops::Deref;

use aqueduct::Slice;
use bytes::Bytes;
use byteview::ByteView;
use hipstr::HipByt;

use crate::measure::{OURS, Row, Subject, Work};
use crate::rows::row as plain_row;

/// Enough that a branch predictor does not learn the order.
const SLICES: usize = 16_000;

pub(super) fn row() -> Row {
    plain_row("slice.deref_mixed", &[], || {
        let block = vec![7; 64 << 10];
        vec![
            reading(OURS, &Slice::from(block.clone()), |h, at, n| h.slice(at..at + n)),
            reading("bytes", &Bytes::from(block.clone()), |h, at, n| h.slice(at..at + n))
                .note("never inline"),
            reading("byteview", &ByteView::new(&block), |h, at, n| h.slice(at..at + n)),
            reading("hipstr", &HipByt::from(block.clone()), |h, at, n| h.slice(at..at + n)),
        ]
    })
}

fn reading<T: Deref<Target = [u8]> + 'static>(
    key: &'static str,
    block: &T,
    slice: impl Fn(&T, usize, usize) -> T,
) -> Subject {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let slices: Vec<T> = (0..SLICES)
        .map(|i| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let len = if random >> 63 == 0 { 16 } else { 48 };
            slice(block, i * 4, len)
        })
        .collect();
    let work = Work::each(move || {
        let mut sum = 0_usize;
        for slice in black_box(&slices) {
            let bytes: &[u8] = slice;
            sum += bytes.len() + usize::from(bytes[0]);
        }
        black_box(sum);
    });
    #[expect(clippy::cast_precision_loss, reason = "a small constant")]
    Subject::new(key, work).operations(SLICES as f64)
}
