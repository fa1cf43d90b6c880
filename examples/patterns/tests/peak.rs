//! The most memory held at once. One test, since the peak is the whole process's.

use std::hint::black_box;
use std::ops::ControlFlow;

use aqueduct_testkit::CountingAlloc;
use patterns::capture::Capture;
use patterns::{packets, pipeline};

#[global_allocator]
static ALLOC: CountingAlloc = CountingAlloc;

const MIB: u64 = 1 << 20;

/// Bytes held at most while `run` runs, above what was held before.
fn peak(run: impl FnOnce()) -> u64 {
    CountingAlloc::reset_peak();
    let before = CountingAlloc::peak_bytes();
    run();
    CountingAlloc::peak_bytes() - before
}

#[test]
fn what_is_held_at_once() {
    // With the input itself, 40 MiB against 20.
    let input = pipeline::input(10 << 20);
    let copying = peak(|| drop(black_box(pipeline::copying(&input))));
    let zero_copy = peak(|| drop(black_box(pipeline::zero_copy(&input))));
    assert_eq!(copying / MIB, 30);
    assert_eq!(zero_copy / MIB, 10);

    // A capture of many blocks is read in a few of them.
    let mut capture = Capture::generated(60_000).expect("a temporary file");
    assert!(capture.file_len() > 16 * MIB);
    let reading = peak(|| {
        let flow = packets::zero_copy(&mut capture, |_| ControlFlow::Continue(()));
        assert!(flow.expect("sound").is_continue());
    });
    assert!(reading < 4 * MIB, "{reading}");
}
