//! What framing allocates, and what it does not. A binary of its own: it installs a counting allocator.
#![cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]

use aqueduct_base::meter;
use aqueduct_pipe::{FrameFault, FramedReader, FramedWriter, Framing, Options, Read, pipe};
use aqueduct_sequence::Prefix;
use aqueduct_slice::Slice;
use aqueduct_testkit::{CountingAlloc, pattern};

#[global_allocator]
static ALLOC: CountingAlloc = CountingAlloc;

/// What `work` allocates and copies on this thread.
fn spent(work: impl FnOnce()) -> (u64, u64) {
    // In this order: a thread's first look at the meter allocates its counters.
    let (copied, allocated) = (meter::thread(), CountingAlloc::thread());
    work();
    let allocated = CountingAlloc::thread() - allocated;
    (allocated.allocations, (meter::thread() - copied).bytes)
}

#[test]
fn frames_that_are_handed_over_and_lie_in_one_segment_allocate_and_copy_nothing() {
    for framing in [
        Framing::prefixed(Prefix::U32Be, 1000),
        Framing::prefixed(Prefix::Leb128, 1000),
        Framing::fixed(1000),
    ] {
        let framing = framing.expect("a rule");
        let (writer, reader) = pipe(Options::default());
        let mut writer = FramedWriter::new(writer, framing.clone()).expect("no limit");
        let mut reader = FramedReader::new(reader, framing).expect("no limit");
        let block = Slice::from(pattern(1000, 1));
        let mut round = || {
            writer.push(block.clone()).expect("it fits");
            writer.try_flush().expect("the reader is there");
            assert_eq!(reader.next_blocking().expect("sound").expect("a frame").len(), 1000);
            writer.push(block.clone()).expect("it fits");
            writer.try_flush().expect("the reader is there");
            assert_eq!(reader.lend_blocking().expect("sound").expect("a frame").len(), 1000);
        };
        // Enough of them to have gone once through every block that takes turns for the prefixes.
        (0..50_000).for_each(|_| round());
        assert_eq!(spent(|| (0..10_000).for_each(|_| round())), (0, 0));
    }
}

#[test]
fn t18_a_length_of_two_to_the_63rd_takes_no_memory() {
    for (prefix, claim) in [
        (Prefix::U64Be, (1_u64 << 63).to_be_bytes()),
        (Prefix::U64Le, (1_u64 << 62).to_le_bytes()),
        (Prefix::U64Be, u64::MAX.to_be_bytes()),
        (Prefix::Quic, u64::MAX.to_be_bytes()),
    ] {
        // What is believed least, and what is believed whatever it is.
        for most in [1000, usize::MAX] {
            let (mut writer, reader) = pipe(Options::default());
            let framing = Framing::prefixed(prefix, most).expect("a rule");
            let mut reader = FramedReader::new(reader, framing).expect("no limit");
            writer.write(&claim).expect("there is room");
            writer.write(b"and some of it").expect("there is room");
            writer.finish();
            let before = CountingAlloc::thread();
            let error = reader.next_blocking().expect_err("never all there");
            // The reader's first list of segments, and no more.
            assert!((CountingAlloc::thread() - before).bytes < 512);
            assert!(matches!(
                error.fault(),
                FrameFault::TooLarge { .. } | FrameFault::UnexpectedEof { have: 22, .. }
            ));
            let mut reader = reader.into_inner();
            let Ok(Some(Read::Eof(view))) = reader.try_read() else {
                panic!("the writer finished")
            };
            assert_eq!(view.len(), 22, "all of it is still there");
        }
    }
}
