//! Building, cloning, reading, searching and gathering bytes in many segments.

use std::hint::black_box;
use std::io;

use aqueduct::{Sequence, Slice};
use buf_list::{BufList, Cursor};
use bytes::{Buf, Bytes};
use bytes_utils::SegmentedBuf;
use memchr::memchr;
use zenoh_buffers::ZBuf;
use zenoh_buffers::reader::{HasReader, Reader};

use crate::measure::{NS, OURS, Row, Subject, Work};
use crate::rows::row as plain_row;
use crate::target::{Bound, Target};

const SEGMENTS: usize = 16;
const SEGMENT: usize = 4096;
const ALL: usize = SEGMENTS * SEGMENT;

/// Numbers of four bytes in all segments.
const WORDS: usize = ALL / 4;

/// Numbers that each lie across an end.
const STRADDLING: usize = 1024;

const MEMCHR: &str = "memchr on one slice";
const COPIES: &str = "sixteen copies";

pub(super) fn rows() -> Vec<Row> {
    let floor = |id: &str, target, floor, build: fn() -> Vec<Subject>| Row {
        id: id.into(),
        target: Target(target),
        floor,
        unit: NS,
        build: Box::new(build),
    };
    vec![
        plain_row("sequence.build16", &[Bound::Median(60.0)], build16),
        plain_row("sequence.clone16", &[Bound::Median(12.0)], clone16),
        plain_row("sequence.read_u32.within", &[Bound::Median(0.7)], read_within),
        plain_row("sequence.read_u32.straddle", &[Bound::Median(4.0)], read_straddling),
        floor("sequence.find_newline.65536", &[Bound::Within(1.25, MEMCHR)], MEMCHR, find_newline),
        floor("sequence.gather.65536", &[Bound::Within(1.1, COPIES)], COPIES, gather),
    ]
}

type Static = &'static [u8];

/// Static memory in pieces of these lengths, none of which continues another.
fn pieces(lengths: impl Iterator<Item = usize>) -> Vec<Static> {
    let bytes = (0_u8..=249).cycle();
    lengths.map(|len| &*Vec::leak(bytes.clone().take(len).collect())).collect()
}

fn sixteen() -> Vec<Static> {
    pieces([SEGMENT; SEGMENTS].into_iter())
}

/// Every number but the first two bytes of the first and the last two of the last lies in two pieces.
fn straddled() -> Vec<Static> {
    let inner = std::iter::repeat_n(4, STRADDLING - 1);
    pieces(std::iter::once(2).chain(inner).chain(std::iter::once(2)))
}

fn ours(pieces: &[Static]) -> Sequence {
    pieces.iter().map(|piece| Slice::from_static(piece)).collect()
}

fn segmented(pieces: &[Static]) -> SegmentedBuf<Static> {
    pieces.iter().copied().collect()
}

fn buf_list(pieces: &[Static]) -> BufList {
    pieces.iter().map(|piece| Bytes::from_static(piece)).collect()
}

fn zenoh(pieces: &[Static]) -> ZBuf {
    let mut list = ZBuf::empty();
    pieces.iter().for_each(|piece| list.push_zslice(piece.to_vec().into()));
    list
}

/// A chain whose length is known at run time only.
fn chain(pieces: &[Static]) -> Box<dyn Buf> {
    let (first, others) = pieces.split_first().unwrap_or((&EMPTY, &[]));
    let chained = |chain: Box<dyn Buf>, piece: &Static| -> Box<dyn Buf> {
        Box::new(chain.chain(Bytes::from_static(piece)))
    };
    others.iter().fold(Box::new(Bytes::from_static(first)), chained)
}

const EMPTY: Static = &[];

fn building<T>(key: &'static str, build: fn(&[Static]) -> T) -> Subject
where
    T: 'static,
{
    let pieces = sixteen();
    Subject::new(key, Work::make(move || build(black_box(&pieces))))
}

/// Handles of static memory, so that making and dropping them costs next to nothing and building is
/// what counts.
fn build16() -> Vec<Subject> {
    vec![
        building(OURS, ours),
        building("chain", chain).note("boxed: as long as run time says"),
        building("segmented-buf", |pieces| {
            pieces.iter().map(|piece| Bytes::from_static(piece)).collect::<SegmentedBuf<_>>()
        }),
        building("buf-list", buf_list),
    ]
}

/// Slices with a count, since what is cloned is shared.
fn clone16() -> Vec<Subject> {
    let blocks = || [0; SEGMENTS].map(|_: u8| vec![7_u8; SEGMENT]);
    let ours: Sequence = blocks().into_iter().map(Slice::from).collect();
    let list: BufList = blocks().into_iter().map(Bytes::from).collect();
    let mut zenoh = ZBuf::empty();
    blocks().into_iter().for_each(|block| zenoh.push_zslice(block.into()));
    vec![
        Subject::new(OURS, Work::make(move || black_box(&ours).clone())),
        Subject::new("buf-list", Work::make(move || black_box(&list).clone()))
            .note("a count for each segment"),
        Subject::new("zenoh-buffers", Work::make(move || black_box(&zenoh).clone()))
            .note("a count for each segment"),
    ]
}

/// Adds up so many numbers, one pass after another.
fn summing(key: &'static str, count: usize, mut pass: impl FnMut() -> u32 + 'static) -> Subject {
    let work = Work::each(move || {
        black_box(pass());
    });
    #[expect(clippy::cast_precision_loss, reason = "a small constant")]
    Subject::new(key, work).operations(count as f64)
}

fn sum_buf(mut buf: impl Buf) -> u32 {
    let mut sum = 0_u32;
    while buf.remaining() >= 4 {
        sum = sum.wrapping_add(buf.get_u32_le());
    }
    sum
}

/// The entrants that read either way; those that are used up are built anew for each pass.
fn reading(pieces: Vec<Static>, count: usize) -> Vec<Subject> {
    let sequence = ours(&pieces);
    let list = buf_list(&pieces);
    let zbuf = zenoh(&pieces);
    let segmented = segmented(&pieces).into_inner();
    vec![
        summing(OURS, count, move || {
            let mut reader = black_box(&sequence).as_ref().reader();
            let mut sum = 0_u32;
            while let Ok(word) = reader.read_u32_le() {
                sum = sum.wrapping_add(word);
            }
            sum
        }),
        summing("segmented-buf", count, move || {
            sum_buf(SegmentedBuf::from(black_box(&segmented).clone()))
        }),
        summing("buf-list", count, move || {
            let (mut cursor, mut word, mut sum) = (Cursor::new(black_box(&list)), [0; 4], 0_u32);
            while io::Read::read_exact(&mut cursor, &mut word).is_ok() {
                sum = sum.wrapping_add(u32::from_le_bytes(word));
            }
            sum
        }),
        summing("zenoh-buffers", count, move || {
            let (mut reader, mut word, mut sum) = (black_box(&zbuf).reader(), [0; 4], 0_u32);
            while reader.read_exact(&mut word).is_ok() {
                sum = sum.wrapping_add(u32::from_le_bytes(word));
            }
            sum
        }),
    ]
}

fn read_within() -> Vec<Subject> {
    let mut subjects = reading(sixteen(), WORDS);
    let halves = pieces([ALL / 2; 2].into_iter());
    let chained = summing("chain", WORDS, move || {
        let [front, back] = *black_box(&halves[..]) else { return 0 };
        sum_buf(front.chain(back))
    });
    subjects.push(chained.note("of two, of a type known when compiled"));
    subjects
}

fn read_straddling() -> Vec<Subject> {
    let mut subjects = reading(straddled(), STRADDLING);
    let pieces = straddled();
    let chained = summing("chain", STRADDLING, move || {
        let mut sum = 0_u32;
        for pair in black_box(&pieces).windows(2) {
            let (front, back) = (pair[0], pair[1]);
            sum = sum.wrapping_add(front[front.len() - 2..].chain(&back[..2]).get_u32_le());
        }
        sum
    });
    subjects.push(chained.note("of two, made for each number"));
    subjects
}

/// The newline is the last byte of all.
fn find_newline() -> Vec<Subject> {
    let mut pieces: Vec<Static> = Vec::new();
    for at in 0..SEGMENTS {
        let mut piece = vec![b'x'; SEGMENT];
        piece[SEGMENT - 1] = if at == SEGMENTS - 1 { b'\n' } else { b'x' };
        pieces.push(Vec::leak(piece));
    }
    let flat = pieces.concat();
    let (sequence, list) = (ours(&pieces), buf_list(&pieces));
    vec![
        Subject::new(OURS, Work::make(move || black_box(&sequence).as_ref().find(b'\n'))),
        Subject::new(MEMCHR, Work::make(move || memchr(b'\n', black_box(&flat)))),
        Subject::new(
            "buf-list",
            Work::make(move || {
                let mut before = 0;
                black_box(&list).iter().find_map(|chunk| {
                    let found = memchr(b'\n', chunk).map(|at| before + at);
                    before += chunk.len();
                    found
                })
            }),
        )
        .note("a loop over its chunks"),
    ]
}

fn gathering(key: &'static str, mut gather: impl FnMut(&mut [u8]) + 'static) -> Subject {
    let mut to = vec![0; ALL];
    Subject::new(key, Work::each(move || gather(black_box(&mut to))))
}

fn gather() -> Vec<Subject> {
    let pieces = sixteen();
    let (sequence, zbuf, list) = (ours(&pieces), zenoh(&pieces), buf_list(&pieces));
    let segmented = segmented(&pieces).into_inner();
    let chained = pieces.clone();
    vec![
        gathering(OURS, move |to| {
            black_box(black_box(&sequence).as_ref().gather(to)).unwrap_or_default();
        }),
        gathering(COPIES, move |to| {
            for (to, piece) in to.chunks_exact_mut(SEGMENT).zip(black_box(&pieces)) {
                to.copy_from_slice(piece);
            }
        }),
        gathering("zenoh-buffers", move |to| {
            black_box(black_box(&zbuf).reader().read_exact(to)).unwrap_or_default();
        }),
        gathering("segmented-buf", move |to| {
            SegmentedBuf::from(black_box(&segmented).clone()).copy_to_slice(to);
        }),
        gathering("buf-list", move |to| {
            let mut cursor = Cursor::new(black_box(&list));
            black_box(io::Read::read_exact(&mut cursor, to)).unwrap_or_default();
        }),
        gathering("chain", move |to| chain(black_box(&chained)).copy_to_slice(to)),
    ]
}
