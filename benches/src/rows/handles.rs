//! Cloning, slicing, splitting and making handles.

use std::hint::black_box;

use aqueduct::{LocalSlice, Pool, Slice};
use arc_slice::layout::{ArcLayout, VecLayout};
use arc_slice::{ArcBytes, inlined::SmallArcSlice};
use bytes::Bytes;
use byteview::ByteView;
use hipstr::{HipByt, LocalHipByt};
use tendril::{Atomic, ByteTendril, Tendril};

use crate::measure::{NS, OURS, Row, Subject, Work};
use crate::rows::row;
use crate::target::{Bound, Target};

type AtomicTendril = Tendril<tendril::fmt::Bytes, Atomic>;

/// An arc-slice that can take over a vector without copying it.
type AnyArcBytes = ArcBytes<VecLayout>;

const VEC_ALONE: &str = "Vec alone";

/// Our block in these rows: a pool's, filled.
fn block(len: usize) -> Slice {
    let mut block = Pool::global().get(len);
    block.resize(len, 7);
    block.freeze()
}

fn local_block() -> LocalSlice {
    let unshared = block(4096).into_local();
    unshared.unwrap_or_else(|_| unreachable!("nobody else has the new block"))
}

/// What a block holds in these rows.
fn payload() -> Vec<u8> {
    vec![7; 4096]
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        row("slice.clone_drop", &[Bound::Within(1.05, "arc-slice")], clone_drop),
        row("local.clone_drop", &[Bound::Median(1.5)], local_clone_drop),
        row("slice.slice_drop.1000", &[Bound::Within(1.05, "arc-slice")], || slice_drop(100, 1100)),
        row("slice.slice_drop.16", &[Bound::Median(2.5)], || slice_drop(100, 116)),
        row("slice.split_to.64", &[Bound::Within(1.05, "arc-slice")], split_to),
        row("slice.copy_drop.16", &[Bound::Median(2.5)], copy_drop),
        Row {
            id: "slice.from_vec_clone.4096".into(),
            target: Target(&[Bound::OverFloor(14.0, VEC_ALONE)]),
            floor: VEC_ALONE,
            unit: NS,
            build: Box::new(from_vec_clone),
        },
    ]
}

/// Keeps a handle for ever. Were it dropped with its row, the compiler would see two drops and make
/// a function of them, and the timed one would pay for the call.
fn keep<T>(handle: T) -> &'static T {
    Box::leak(Box::new(handle))
}

fn cloning<T: Clone + 'static>(key: &'static str, handle: T) -> Subject {
    let handle = keep(handle);
    Subject::new(key, Work::make(move || black_box(handle).clone()))
}

fn clone_drop() -> Vec<Subject> {
    vec![
        cloning(OURS, block(4096)),
        cloning("arc-slice", ArcBytes::<ArcLayout>::from_slice(&payload())),
        cloning("bytes", Bytes::from(payload())),
        cloning("byteview", ByteView::new(&payload())),
        cloning("hipstr", HipByt::from(payload())),
        cloning("ntex-bytes", ntex_bytes::Bytes::copy_from_slice(&payload())),
        cloning("tendril", AtomicTendril::from_slice(&payload())),
    ]
}

fn local_clone_drop() -> Vec<Subject> {
    vec![
        cloning(OURS, local_block()),
        cloning("hipstr", LocalHipByt::from(payload())),
        cloning("tendril", ByteTendril::from_slice(&payload())),
    ]
}

fn slicing<T: 'static>(
    key: &'static str,
    handle: T,
    (from, to): (usize, usize),
    slice: impl Fn(&T, usize, usize) -> T + 'static,
) -> Subject {
    let handle = keep(handle);
    let work = Work::make(move || slice(black_box(handle), black_box(from), black_box(to)));
    Subject::new(key, work)
}

fn slice_drop(from: usize, to: usize) -> Vec<Subject> {
    let range = (from, to);
    let tendril_range = |bound: usize| u32::try_from(bound).unwrap_or(u32::MAX);
    vec![
        slicing(OURS, block(4096), range, |h, a, b| h.slice(a..b)),
        slicing("arc-slice", ArcBytes::<ArcLayout>::from_slice(&payload()), range, |h, a, b| {
            h.subslice(a..b)
        }),
        slicing("bytes", Bytes::from(payload()), range, |h, a, b| h.slice(a..b)),
        slicing("byteview", ByteView::new(&payload()), range, |h, a, b| h.slice(a..b)),
        slicing("hipstr", HipByt::from(payload()), range, |h, a, b| h.slice(a..b)),
        slicing("ntex-bytes", ntex_bytes::Bytes::copy_from_slice(&payload()), range, |h, a, b| {
            h.slice(a..b)
        }),
        slicing("tendril", AtomicTendril::from_slice(&payload()), range, move |h, a, b| {
            h.subtendril(tendril_range(a), tendril_range(b - a))
        }),
    ]
}

/// Splits 64 bytes off the front again and again; the whole is cloned anew every 16,384 splits.
fn splitting<T: Clone + AsRef<[u8]> + 'static>(
    key: &'static str,
    whole: T,
    split: impl Fn(&mut T, usize) -> T + 'static,
) -> Subject {
    let mut rest = whole.clone();
    let work = Work::make(move || {
        if rest.as_ref().len() < 64 {
            rest = whole.clone();
        }
        split(&mut rest, black_box(64))
    });
    Subject::new(key, work)
}

fn split_to() -> Vec<Subject> {
    let large = || vec![7_u8; 1 << 20];
    vec![
        splitting(OURS, block(1 << 20), Slice::split_to),
        splitting("arc-slice", ArcBytes::<ArcLayout>::from_slice(&large()), ArcBytes::split_to),
        splitting("bytes", Bytes::from(large()), Bytes::split_to),
        splitting(
            "ntex-bytes",
            ntex_bytes::Bytes::copy_from_slice(&large()),
            ntex_bytes::Bytes::split_to,
        ),
    ]
}

fn copying<T: 'static>(key: &'static str, copy: impl Fn(&[u8]) -> T + 'static) -> Subject {
    let bytes = [7_u8; 16];
    Subject::new(key, Work::make(move || copy(black_box(bytes.as_slice()))))
}

fn copy_drop() -> Vec<Subject> {
    vec![
        copying(OURS, Slice::copy_from_slice),
        copying("arc-slice", SmallArcSlice::<[u8], ArcLayout>::from_slice),
        copying("bytes", Bytes::copy_from_slice),
        copying("byteview", ByteView::new),
        copying("hipstr", |bytes| HipByt::from(bytes).into_owned()),
        copying("ntex-bytes", ntex_bytes::Bytes::copy_from_slice),
        copying("tendril", AtomicTendril::from_slice),
    ]
}

/// A vector with room for 4096 bytes and a few in it, which is cheaper than to fill it all.
fn fresh_vec() -> Vec<u8> {
    let mut vec = Vec::with_capacity(black_box(4096));
    vec.resize(64, 7);
    vec
}

fn taking_over<T: Clone + 'static>(
    key: &'static str,
    from_vec: impl Fn(Vec<u8>) -> T + 'static,
) -> Subject {
    let work = Work::each(move || {
        let handle = from_vec(fresh_vec());
        let clone = black_box(&handle).clone();
        black_box(&clone);
    });
    Subject::new(key, work)
}

/// Only the crates that take a vector over; the others copy it.
fn from_vec_clone() -> Vec<Subject> {
    vec![
        taking_over(OURS, Slice::from),
        taking_over("arc-slice", AnyArcBytes::from),
        taking_over("bytes", Bytes::from),
        taking_over("hipstr", HipByt::from),
        Subject::new(VEC_ALONE, Work::make(fresh_vec)),
    ]
}
