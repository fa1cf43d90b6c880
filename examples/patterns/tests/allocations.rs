//! Allocations in steady state, counted by an allocator of this test's own.

#![allow(clippy::disallowed_methods, reason = "a test writes what it reads")]

use aqueduct::meter;
use aqueduct_testkit::CountingAlloc;
use patterns::capture::Capture;
use patterns::measure::count_workload;
use patterns::workload::Workload;
use patterns::{Error, Mode, Scenario, run_counted};

#[global_allocator]
static ALLOC: CountingAlloc = CountingAlloc;

/// Allocations and copied bytes of `operations` operations; this thread's, so that tests may run
/// side by side.
fn counted(workload: &mut Workload, mode: Mode, operations: u64) -> (u64, u64, u64) {
    let mut readings = Vec::with_capacity(2);
    let done = count_workload(workload, mode, operations, &mut || {
        readings.push((CountingAlloc::thread(), meter::thread()));
    });
    let (allocations, copied) = (readings[1].0 - readings[0].0, readings[1].1 - readings[0].1);
    (done.expect("sound"), allocations.allocations, copied.bytes)
}

#[test]
fn packets_of_the_real_capture() {
    let mut workload = Workload::of(Scenario::Packets).expect("bundled");
    assert_eq!(counted(&mut workload, Mode::ZeroCopy, 50_000), (50_000, 0, 0));
    let (done, allocations, bytes) = counted(&mut workload, Mode::Copying, 683 * 10);
    let seen = workload.seen().expect("a pass");
    assert_eq!(bytes, 10 * (seen.header_bytes + seen.payload_bytes));
    assert!(allocations > done, "a header each, and a payload where there is one: {allocations}");
}

/// Many blocks per pass, with records across their ends.
#[test]
fn packets_of_a_long_capture() {
    let capture = Capture::generated(20_000).expect("a temporary file");
    assert!(capture.file_len() > 5 << 20);
    let mut workload = Workload::packets(vec![capture]);
    assert_eq!(counted(&mut workload, Mode::ZeroCopy, 60_000), (60_000, 0, 0));
}

#[test]
fn pipeline() {
    let mut workload = Workload::of(Scenario::Pipeline).expect("made up");
    assert_eq!(counted(&mut workload, Mode::ZeroCopy, 3), (3, 3, 0));
    assert_eq!(counted(&mut workload, Mode::Copying, 3), (3, 9, 90 << 20));
    let done = run_counted(Scenario::Pipeline, Mode::ZeroCopy, 2, &mut || {});
    assert_eq!(done.expect("made up"), 2);
}

/// A length that lies sets no memory aside: the file, and 64 KiB for everything else.
#[test]
fn a_lie_allocates_nothing() {
    let mut file =
        Vec::from(*b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\xff\xff\0\0\x01\0\0\0");
    file.extend([0; 8]);
    file.extend(0x8000_0000_u32.to_le_bytes());
    file.extend(0x8000_0000_u32.to_le_bytes());
    file.extend([0; 20]);
    for captured in [0x8000_0000_u32, 262_144, 21] {
        file[32..36].copy_from_slice(&captured.to_le_bytes());
        let mut capture = Capture::spooled("lying", &file).expect("a temporary file");
        let before = CountingAlloc::thread();
        let block = capture.next_block().expect("the records before it");
        let end = capture.next_block();
        assert!(matches!(end, Err(Error::Capture { .. })), "{end:?}");
        let used = CountingAlloc::thread() - before;
        assert!(used.bytes <= file.len() as u64 + (64 << 10), "{used:?}");
        drop((block, end));
    }
}
