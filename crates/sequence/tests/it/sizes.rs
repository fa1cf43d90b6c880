//! Absurd sizes, and what crosses threads.

use crate::machine::layouts::{layouts, pieces};
use aqueduct_sequence::{
    Checkpoint, Delimiter, IntoSlices, NotUtf8, Prefix, ReadError, SegmentList, Segments, Sequence,
    SequenceReader, SequenceRef, Split,
};
use aqueduct_slice::Slice;
use aqueduct_testkit::{panics, pattern, stride};

#[test]
fn t01_sizes_that_would_wrap() {
    let flat = pattern(9, 1);
    let absurd = (0..64).step_by(stride(16)).flat_map(|k| {
        [usize::MAX - k, isize::MAX as usize - k, (isize::MAX as usize).saturating_add(k)]
    });
    for size in absurd {
        for layout in layouts(&flat) {
            for at in [0, 1, 5] {
                let seq = layout.as_ref().slice(at..);
                let mut owned = seq.to_sequence();
                assert!(seq.try_slice(size..).is_err() && seq.try_slice(..size).is_err());
                assert!(seq.try_slice(1..=size).is_err() && owned.try_slice(size..).is_err());
                assert_eq!((seq.get(size), seq.reader().peek_at(size)), (None, None));
                let mut reader = seq.reader();
                assert!(reader.advance(size).is_err() && reader.read_slice(size).is_err());
                assert!(reader.seek_to(size).is_err() && reader.peek_slice(size).is_err());
                assert!(reader.read_to(Delimiter::byte(0).within(size)).is_err());
                let _ = reader.read_prefixed(Prefix::Leb128, size);
                owned.truncate(size);
                assert_eq!(owned, flat[at..]);
            }
        }
        let mut sequence = pieces(&flat, &[2]);
        assert!(panics(|| sequence.advance(size)));
        assert!(panics(|| sequence.split_off(size)));
        let mut list = SegmentList::from_iter(sequence.clone());
        assert!(panics(|| list.consume(size)) && panics(|| list.take(size)));
        assert_eq!((list.as_ref_up_to(size), sequence.as_ref()), (list.as_ref(), list.as_ref()));
    }
}

#[test]
fn t03_empty_and_one_byte() {
    for flat in [&b""[..], b"x"] {
        for layout in layouts(flat) {
            let (seq, mut owned) = (layout.as_ref(), layout.to_sequence());
            assert_eq!(
                (seq.find(b'x'), seq.rfind(b'x')),
                (flat.first().and(Some(0)), seq.find(b'x'))
            );
            assert_eq!((seq.find_slice(b"xy"), seq.find_slice(b"")), (None, Some(0)));
            assert_eq!((seq.split(b'x').count(), seq.check_utf8()), (1 + flat.len(), Ok(())));
            assert_eq!(
                (seq.to_slice(), seq.to_contiguous()),
                (Slice::copy_from_slice(flat), flat.into())
            );
            assert_eq!(owned.split_to(0).len() + owned.split_off(flat.len()).len(), 0);
            owned.append(owned.clone());
            assert_eq!(owned, flat.repeat(2));
            let mut list = SegmentList::from_iter(owned);
            assert_eq!(
                (list.take(0).len(), list.take(flat.len())),
                (0, Sequence::from(flat.to_vec()))
            );
            list.consume(flat.len());
            assert!(list.is_empty());
        }
    }
}

#[test]
fn t25_what_may_cross_threads() {
    fn both<T: Send + Sync>() {}
    both::<Sequence>();
    both::<SequenceRef<'_>>();
    both::<SequenceReader<'_>>();
    both::<Checkpoint<'_>>();
    both::<SegmentList>();
    both::<Segments<'_>>();
    both::<Split<'_>>();
    both::<IntoSlices>();
    both::<Delimiter<'_>>();
    both::<ReadError>();
    both::<NotUtf8>();
}
