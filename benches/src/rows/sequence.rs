//! Building, cloning, reading, searching and gathering bytes in many segments.

use std::array;
use std::hint::black_box;
use std::io;

use aqueduct::{Sequence, Slice};
use buf_list::{BufList, Cursor};
use bytes::{Buf, Bytes};
use bytes_utils::SegmentedBuf;
use memchr::memchr;
use zenoh_buffers::ZBuf;
use zenoh_buffers::buffer::SplitBuffer;
use zenoh_buffers::reader::{HasReader, Reader};

use crate::measure::{NS, OURS, Row, Subject, Work};
use crate::rows::row as plain_row;
use crate::target::{Bound, Target};

const SEGMENTS: usize = 16;
const SEGMENT: usize = 4096;
const ALL: usize = SEGMENTS * SEGMENT;

/// Numbers that each lie across an end.
const STRADDLING: usize = 1024;

const MEMCHR: &str = "memchr on one slice";
const COPIES: &str = "sixteen copies";

const FLAT: &str = "of a type known when compiled";

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

fn sixteen() -> [Static; SEGMENTS] {
    let pieces = pieces([SEGMENT; SEGMENTS].into_iter());
    pieces.try_into().expect("sixteen of them")
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

/// A chain of sixteen, as flat as a chain can be, of a type known when compiled.
fn flat_chain(pieces: &[Static; SEGMENTS]) -> impl Buf + use<> {
    let two = |at: usize| pieces[at].chain(pieces[at + 1]);
    let four = |at| two(at).chain(two(at + 2));
    let eight = |at| four(at).chain(four(at + 4));
    eight(0).chain(eight(8))
}

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

/// Adds up the numbers of the pieces, one pass after another.
fn summing(
    key: &'static str,
    pieces: &[Static],
    mut pass: impl FnMut() -> u32 + 'static,
) -> Subject {
    let flat = pieces.concat();
    let words = flat.as_chunks().0;
    let sum = words.iter().fold(0_u32, |sum, word| sum.wrapping_add(u32::from_le_bytes(*word)));
    assert_eq!(pass(), sum, "{key} adds up something else");
    let work = Work::each(move || {
        black_box(pass());
    });
    #[expect(clippy::cast_precision_loss, reason = "a small constant")]
    Subject::new(key, work).operations(words.len() as f64)
}

fn sum_buf(mut buf: impl Buf) -> u32 {
    let mut sum = 0_u32;
    while buf.remaining() >= 4 {
        sum = sum.wrapping_add(buf.get_u32_le());
    }
    sum
}

/// The entrants that read either way; those that are used up are built anew for each pass.
fn reading(pieces: &[Static]) -> Vec<Subject> {
    let sequence = ours(pieces);
    let list = buf_list(pieces);
    let zbuf = zenoh(pieces);
    let segmented = segmented(pieces).into_inner();
    vec![
        summing(OURS, pieces, move || {
            let mut reader = black_box(&sequence).as_ref().reader();
            let mut sum = 0_u32;
            while let Ok(word) = reader.read_u32_le() {
                sum = sum.wrapping_add(word);
            }
            sum
        }),
        summing("segmented-buf", pieces, move || {
            sum_buf(SegmentedBuf::from(black_box(&segmented).clone()))
        }),
        summing("buf-list", pieces, move || {
            let (mut cursor, mut word, mut sum) = (Cursor::new(black_box(&list)), [0; 4], 0_u32);
            while io::Read::read_exact(&mut cursor, &mut word).is_ok() {
                sum = sum.wrapping_add(u32::from_le_bytes(word));
            }
            sum
        }),
        summing("zenoh-buffers", pieces, move || {
            let (mut reader, mut word, mut sum) = (black_box(&zbuf).reader(), [0; 4], 0_u32);
            while reader.read_exact(&mut word).is_ok() {
                sum = sum.wrapping_add(u32::from_le_bytes(word));
            }
            sum
        }),
    ]
}

fn read_within() -> Vec<Subject> {
    let mut subjects = reading(&sixteen());
    let halves = pieces([ALL / 2; 2].into_iter());
    let chained = summing("chain", &halves.clone(), move || {
        let [front, back] = *black_box(&halves[..]) else { return 0 };
        sum_buf(front.chain(back))
    });
    subjects.push(chained.note("of two, of a type known when compiled"));
    subjects
}

fn read_straddling() -> Vec<Subject> {
    let pieces = straddled();
    let mut subjects = reading(&pieces);
    let chained = summing("chain", &pieces.clone(), move || {
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

fn finding(key: &'static str, mut find: impl FnMut() -> Option<usize> + 'static) -> Subject {
    let work = Work::each(move || assert_eq!(find(), Some(ALL - 1)));
    Subject::new(key, work)
}

fn find_in<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Option<usize> {
    let mut before = 0;
    chunks.into_iter().find_map(|chunk| {
        let found = memchr(b'\n', chunk).map(|at| before + at);
        before += chunk.len();
        found
    })
}

fn find_in_buf(mut buf: impl Buf) -> Option<usize> {
    let all = buf.remaining();
    while buf.has_remaining() {
        let chunk = buf.chunk();
        match memchr(b'\n', chunk) {
            Some(at) => return Some(all - buf.remaining() + at),
            None => buf.advance(chunk.len()),
        }
    }
    None
}

/// The newline is the last byte of all.
fn find_newline() -> Vec<Subject> {
    let pieces: [Static; SEGMENTS] = array::from_fn(|at| {
        let mut piece = vec![b'x'; SEGMENT];
        piece[SEGMENT - 1] = if at == SEGMENTS - 1 { b'\n' } else { b'x' };
        &*Vec::leak(piece)
    });
    let flat = pieces.concat();
    let (sequence, list, zbuf) = (ours(&pieces), buf_list(&pieces), zenoh(&pieces));
    let segmented = segmented(&pieces).into_inner();
    vec![
        finding(OURS, move || black_box(&sequence).as_ref().find(b'\n')),
        finding(MEMCHR, move || memchr(b'\n', black_box(&flat))),
        finding("buf-list", move || find_in(black_box(&list).iter().map(Bytes::as_ref)))
            .note("a loop over its chunks"),
        finding("zenoh-buffers", move || find_in(black_box(&zbuf).slices()))
            .note("a loop over its slices"),
        finding("segmented-buf", move || {
            find_in_buf(SegmentedBuf::from(black_box(&segmented).clone()))
        })
        .note("a loop that uses it up"),
        finding("chain", move || find_in_buf(flat_chain(black_box(&pieces)))).note(FLAT),
    ]
}

fn gathering(key: &'static str, mut gather: impl FnMut(&mut [u8]) + 'static) -> Subject {
    let mut to = vec![0; ALL];
    gather(&mut to);
    assert!(to == sixteen().concat(), "{key} gathers something else");
    Subject::new(key, Work::each(move || gather(black_box(&mut to))))
}

fn gather() -> Vec<Subject> {
    let pieces = sixteen();
    let (sequence, zbuf, list) = (ours(&pieces), zenoh(&pieces), buf_list(&pieces));
    let segmented = segmented(&pieces).into_inner();
    let copied = pieces;
    vec![
        gathering(OURS, move |to| {
            black_box(black_box(&sequence).as_ref().gather(to)).unwrap_or_default();
        }),
        gathering(COPIES, move |to| {
            for (to, piece) in to.chunks_exact_mut(SEGMENT).zip(black_box(&copied)) {
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
        gathering("chain", move |to| flat_chain(black_box(&pieces)).copy_to_slice(to)).note(FLAT),
    ]
}
