//! Getting blocks and giving them back.

use std::hint::black_box;

use crate::blocks::{
    AqueductBlocks, ArcSliceBlocks, BytesBlocks, DefaultBlocks, HipstrBlocks, LocalOpoolBlocks,
    NtexBlocks, OpoolBlocks, Source, TendrilBlocks, VecBlocks, ZeropoolBlocks,
};
use crate::crossing::crossing;
use crate::measure::{NS, Row, Subject, Work};
use crate::target::{Bound, Target};

const SIZES: [usize; 3] = [256, 4096, LARGEST];
const LARGEST: usize = 65536;

/// Blocks alive at once in the `live64` rows.
const LIVE: usize = 64;

/// Frees one large block, as any program that has run for a while has done: it raises the bound at
/// which glibc gives the end of its heap back to the system, which else costs Vec, and who is built
/// on it, a microsecond per block.
pub(crate) fn age_heap() {
    drop(black_box(vec![1_u8; 16 << 20]));
}

pub(super) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    rows.extend(SIZES.map(|size| Row {
        id: format!("pool.get_freeze_drop.{size}"),
        target: Target(&[Bound::Median(3.0), Bound::Faster(7.5, "bytes")]),
        floor: "",
        unit: NS,
        build: Box::new(move || get_freeze_drop(size)),
    }));
    rows.extend(SIZES.map(|size| Row {
        id: format!("pool.live64.{size}"),
        target: Target(&[Bound::Median(4.5)]),
        floor: "",
        unit: NS,
        build: Box::new(move || live64(size)),
    }));
    rows.push(Row {
        id: "pool.live64_default.65536".into(),
        target: Target(&[]),
        floor: "",
        unit: NS,
        build: Box::new(|| live64_default(LARGEST)),
    });
    rows.push(Row {
        id: "pool.cross_thread.4096".into(),
        target: Target(&[Bound::Minimum(20.0), Bound::Faster(5.0, "bytes")]),
        floor: "",
        unit: NS,
        build: Box::new(|| cross_thread(4096)),
    });
    rows
}

/// The same entrants for every row that stays on one thread.
macro_rules! one_thread {
    ($entrant:ident, $size:expr) => {{
        age_heap();
        vec![
            $entrant::<AqueductBlocks>($size),
            $entrant::<ArcSliceBlocks>($size),
            $entrant::<BytesBlocks>($size),
            $entrant::<HipstrBlocks>($size),
            $entrant::<NtexBlocks>($size),
            $entrant::<LocalOpoolBlocks>($size),
            $entrant::<TendrilBlocks>($size),
            $entrant::<VecBlocks>($size),
            $entrant::<ZeropoolBlocks>($size),
        ]
    }};
}

fn get_freeze_drop(size: usize) -> Vec<Subject> {
    fn entrant<S: Source>(size: usize) -> Subject {
        let source = S::new(size);
        Subject::new(S::KEY, Work::make(move || source.get())).note(S::NOTE)
    }
    one_thread!(entrant, size)
}

fn live64(size: usize) -> Vec<Subject> {
    one_thread!(live, size)
}

/// What the other row's pool is set up to avoid: more alive at once than a thread may keep.
fn live64_default(size: usize) -> Vec<Subject> {
    age_heap();
    vec![live::<DefaultBlocks>(size), live::<BytesBlocks>(size), live::<VecBlocks>(size)]
}

/// Gets blocks until all are alive, and drops them all.
fn live<S: Source>(size: usize) -> Subject {
    let source = S::new(size);
    let mut held = Vec::with_capacity(LIVE);
    let work = Work::each(move || {
        for _ in 0..LIVE {
            held.push(source.get());
        }
        black_box(&mut held).clear();
    });
    #[expect(clippy::cast_precision_loss, reason = "a small constant")]
    Subject::new(S::KEY, work).note(S::NOTE).operations(LIVE as f64)
}

fn cross_thread(size: usize) -> Vec<Subject> {
    age_heap();
    vec![
        crossing::<AqueductBlocks>(size),
        crossing::<ArcSliceBlocks>(size),
        crossing::<BytesBlocks>(size),
        crossing::<NtexBlocks>(size),
        crossing::<OpoolBlocks>(size),
        crossing::<VecBlocks>(size),
        crossing::<ZeropoolBlocks>(size),
    ]
}
