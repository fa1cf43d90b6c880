//! What allocates, what does not, and what is left when that fails. A binary of its own: it installs an
//! allocator that counts and refuses.
#![cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
#![allow(clippy::disallowed_methods, reason = "tests copy to compare; nothing is measured here")]

use aqueduct_base::meter;
use aqueduct_sequence::{Delimiter, Prefix, SegmentList, Sequence, SequenceReader};
use aqueduct_slice::Slice;
use aqueduct_testkit::{CountingAlloc, FailingAlloc, pattern};

#[global_allocator]
static ALLOC: FailingAlloc = FailingAlloc;

/// What `work` allocates and copies on this thread.
fn spent(work: impl FnOnce()) -> (u64, u64) {
    // In this order: a thread's first look at the meter allocates its counters.
    let (copied, allocated) = (meter::thread(), CountingAlloc::thread());
    work();
    let allocated = CountingAlloc::thread() - allocated;
    (allocated.allocations, (meter::thread() - copied).bytes)
}

/// Slices of blocks of their own.
fn slices<const N: usize>(len: usize) -> [Slice; N] {
    std::array::from_fn(|seed| Slice::from(pattern(len, seed)))
}

#[test]
fn pushing_consuming_and_taking_whole_segments_allocates_nothing() {
    let blocks = slices::<16>(1000);
    let mut list = SegmentList::new();
    let round = |list: &mut SegmentList| {
        for block in &blocks {
            list.push_back(block.clone());
            list.push_back(block.slice(..700));
            list.consume(900);
            assert_eq!(list.take(50).len(), 50);
            assert_eq!(list.as_ref().len(), list.len());
        }
        // What lies behind, so that places are used again while others are in use.
        while list.len() > 5000 {
            let first = list.as_ref().first().len();
            assert_eq!(list.take(first).len(), first);
        }
    };
    (0..10).for_each(|_| round(&mut list));
    assert_eq!(spent(|| (0..1000).for_each(|_| round(&mut list))), (0, 0));
}

#[test]
fn a_segment_that_grows_and_is_used_up_allocates_nothing() {
    let block = Slice::from(pattern(100_000, 1));
    let mut list = SegmentList::from_iter([block.slice_shared(..100)]);
    let written = spent(|| {
        for at in (100..100_000).step_by(100) {
            list.consume(100);
            let grown = list.extend_last(|slice| {
                let more = block.slice_shared(at..at + 100);
                *slice = std::mem::take(slice).try_unsplit(more).expect("neighbours");
                100
            });
            assert_eq!((grown, list.len()), (100, 100));
        }
    });
    assert_eq!(written, (0, 0));
}

#[test]
fn reading_across_segments_allocates_nothing() {
    let parts = pattern(3000, 1).chunks(3).map(Slice::copy_from_slice).collect::<Vec<_>>();
    // Of three bytes each: inline, and joined up to what a handle holds.
    let sequence = Sequence::from_iter(parts);
    let read = spent(|| {
        let mut reader = sequence.as_ref().reader();
        let mut sum = 0_u64;
        let start = reader.checkpoint();
        while let Ok(word) = reader.read_u32_be() {
            sum = sum.wrapping_add(word.into());
        }
        reader.rewind(&start);
        while let Ok(word) = reader.read_u128_le() {
            sum = sum.wrapping_add(u64::from(word > 9));
        }
        reader.rewind(&start);
        while reader.read_to(Delimiter::byte(7).within(300)).is_ok() {}
        reader.rewind(&start);
        while reader.read_prefixed(Prefix::U8, 255).is_ok() {}
        reader.rewind(&start);
        while reader.read_leb128().is_ok() {}
        std::hint::black_box((sum, reader.position()));
    });
    assert_eq!(read, (0, 0));
}

#[test]
fn searching_and_comparing_allocate_nothing() {
    let parts =
        pattern(3000, 1).chunks(30).map(|part| Slice::from(part.to_vec())).collect::<Vec<_>>();
    let (sequence, flat) = (Sequence::from_iter(parts), pattern(3000, 1));
    let searched = spent(|| {
        let seq = sequence.as_ref();
        assert_eq!(
            seq.find_slice(&flat[1000..1050]),
            flat.windows(50).position(|w| w == &flat[1000..1050])
        );
        assert_eq!((seq.find(0), seq.rfind(0), seq.find_any(b"\0\0\0\0")), (None, None, None));
        assert!(seq == flat && seq.ends_with(&flat[500..]) && seq.check_utf8().is_err());
        assert_eq!(seq.split(flat[9]).map(|part| part.len() + 1).sum::<usize>(), 3001);
    });
    assert_eq!(searched, (0, 0));
}

#[test]
fn handing_over_one_segment_allocates_nothing() {
    let [block] = slices::<1>(4096);
    let mut list = SegmentList::new();
    let mut handed = || {
        list.push_back(block.clone());
        let taken = list.take(4096);
        let other = taken.clone();
        drop(taken);
        assert_eq!(other.slice(100..).into_slice().len(), 3996);
    };
    handed();
    assert_eq!(spent(|| (0..1000).for_each(|_| handed())), (0, 0));
}

#[test]
fn several_segments_take_one_list_and_nothing_per_segment() {
    let parts = slices::<16>(100);
    let build = || Sequence::from_iter(parts.iter().cloned());
    let counted = spent(|| drop(build()));
    assert_eq!(counted, (2, 0), "the list, and the count around it");
    let sequence = build();
    let shared = spent(|| {
        let clone = sequence.clone();
        let mut reader = SequenceReader::new(clone.as_ref());
        reader.advance(150).expect("in range");
        assert_eq!(clone.slice(50..1500).len(), 1450);
    });
    assert_eq!(shared, (0, 0));
}

/// Places of slices that were consumed are used again, and what is cut off the end leaves room for what follows.
#[test]
fn a_sequence_that_is_pushed_to_and_consumed_allocates_nothing() {
    let parts = slices::<16>(100);
    let mut queue = Sequence::from_iter(parts.iter().cloned());
    let turn = |queue: &mut Sequence| {
        parts.iter().for_each(|part| queue.push(part.clone()));
        queue.advance(1000);
        drop(queue.split_to(450));
        queue.truncate(queue.len() - 150);
    };
    (0..10).for_each(|_| turn(&mut queue));
    assert_eq!(spent(|| (0..1000).for_each(|_| turn(&mut queue))), (0, 0));
    assert_eq!(queue.len(), 1600);
}

/// There is no form of these that returns an error; but what reads, cuts, takes and lets go needs no memory, so
/// it works where there is none.
#[test]
fn t02_what_reads_and_cuts_needs_no_memory() {
    let (blocks, bytes) = (slices::<8>(1000), slices::<8>(1000).concat());
    let mut sequence = Sequence::from_iter(blocks.clone());
    let mut list = SegmentList::from_iter(blocks);
    // The first allocation of any of these would end the process.
    FailingAlloc::arm(0);
    let shared = sequence.clone();
    let front = sequence.split_to(2500);
    let back = sequence.split_off(4000);
    sequence.advance(600);
    sequence.truncate(3000);
    assert_eq!(sequence, bytes[3100..6100]);
    assert_eq!((front.as_ref(), back.slice(100..)), (bytes[..2500].into(), shared.slice(6600..)));
    let mut reader = sequence.as_ref().reader();
    assert!(reader.read_u64_be().is_ok() && reader.read_to(Delimiter::byte(0)).is_err());
    assert!(sequence.as_ref().find_slice(&bytes[3950..4060]).is_some());
    assert!(sequence.as_ref().check_utf8().is_err());
    assert_eq!(list.take(700), bytes[..700]);
    list.consume(2000);
    assert_eq!(list.as_ref(), bytes[2700..]);
    drop((list, sequence, front, back, shared));
    assert!(!FailingAlloc::disarm(), "something allocates");
}
