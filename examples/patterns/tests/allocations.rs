//! Allocations in steady state, counted by an allocator of this test's own.

#![allow(clippy::disallowed_methods, reason = "a test writes what it reads")]

use aqueduct::meter;
use aqueduct_testkit::CountingAlloc;
use patterns::capture::Capture;
use patterns::measure::count_workload;
use patterns::workload::Workload;
use patterns::{Error, Mode, Scenario, relay, run_counted};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Builder,
};

#[global_allocator]
static ALLOC: CountingAlloc = CountingAlloc;

/// One test at a time: they share the global pool, which lends to each thread what others do not keep.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Allocations and copied bytes of `operations` operations; this thread's.
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
    let _alone = alone();
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
    let _alone = alone();
    let capture = Capture::generated(20_000).expect("a temporary file");
    assert!(capture.file_len() > 5 << 20);
    let mut workload = Workload::packets(vec![capture]);
    assert_eq!(counted(&mut workload, Mode::ZeroCopy, 60_000), (60_000, 0, 0));
}

#[test]
fn pipeline() {
    let _alone = alone();
    let mut workload = Workload::of(Scenario::Pipeline).expect("made up");
    assert_eq!(counted(&mut workload, Mode::ZeroCopy, 3), (3, 3, 0));
    assert_eq!(counted(&mut workload, Mode::Copying, 3), (3, 9, 90 << 20));
    let done = run_counted(Scenario::Pipeline, Mode::ZeroCopy, 2, &mut || {});
    assert_eq!(done.expect("made up"), 2);
}

/// Both ends, and the relay between them, on this thread. A message takes no memory from the system but
/// in the copying mode: an array for the chunk, and one for what is made of it.
#[test]
fn messages_through_a_relay() {
    let _alone = alone();
    for (mode, each) in
        [(relay::Mode::Copying, 2), (relay::Mode::Pipe, 0), (relay::Mode::Splice, 0)]
    {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let counted = runtime.block_on(async {
            let [target, listener] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0"));
            let (target, listener) = (target.await.unwrap(), listener.await.unwrap());
            let address = listener.local_addr().unwrap();
            let options = relay::Options::new(target.local_addr().unwrap(), mode);
            let relay = tokio::spawn(relay::serve(listener, options, std::future::pending::<()>()));
            let mut client = TcpStream::connect(address).await.unwrap();
            let (mut other, _) = target.accept().await.unwrap();
            let (message, mut room) = ([7; 1000], [0; 1000]);
            let mut before = CountingAlloc::thread();
            // The first ones stock the pool.
            for number in 0..300 {
                if number == 100 {
                    before = CountingAlloc::thread();
                }
                client.write_all(&message).await.unwrap();
                other.read_exact(&mut room).await.unwrap();
            }
            let counted = CountingAlloc::thread() - before;
            relay.abort();
            counted.allocations
        });
        assert_eq!(counted, 200 * each, "{mode:?}");
    }
}

/// A length that lies sets no memory aside: the file, and 64 KiB for everything else.
#[test]
fn a_lie_allocates_nothing() {
    let _alone = alone();
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
