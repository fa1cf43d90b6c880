//! Nothing is allocated in steady state, and nothing is copied on hand-off: a binary of its own, since
//! it counts every allocation.
#![cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
#![allow(missing_docs, unreachable_pub, reason = "a test binary")]

use aqueduct_base::meter;
use aqueduct_pipe::{Flush, Options, Reader, Writer, pipe};
use aqueduct_slice::Slice;
use aqueduct_testkit::CountingAlloc;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

#[global_allocator]
static ALLOC: CountingAlloc = CountingAlloc;

/// Wakes nobody, and is known again, as `Waker::noop` is not always.
struct Sleepy;
impl Wake for Sleepy {
    fn wake(self: Arc<Self>) {}
    fn wake_by_ref(self: &Arc<Self>) {}
}

fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("it waits"),
    }
}

/// Allocations, and payload bytes copied, of a thousand rounds after ten thousand others.
fn cost(mut round: impl FnMut()) -> (u64, u64) {
    (0..10_000).for_each(|_| round());
    let copied = meter::thread(); // whose first reading allocates
    let allocations = CountingAlloc::thread();
    (0..1_000).for_each(|_| round());
    let allocations = CountingAlloc::thread() - allocations;
    (allocations.allocations, (meter::thread() - copied).bytes)
}

fn copies(bytes: u64) -> u64 {
    if cfg!(feature = "meter") { bytes } else { 0 }
}

fn cycle(writer: &mut Writer, reader: &mut Reader, bytes: &[u8]) {
    writer.write(bytes).unwrap();
    assert_eq!(now(writer.flush()).unwrap(), Flush::Done);
    let view = now(reader.read()).unwrap().into_view();
    let len = view.len();
    view.consume(len);
}

#[test]
fn writing_flushing_reading_and_consuming_allocates_nothing() {
    for size in [1, 64, 4096, 65_536, 100_000] {
        let (mut writer, mut reader) = pipe(Options::default());
        let bytes = vec![7; size];
        let cost = cost(|| cycle(&mut writer, &mut reader, &bytes));
        assert_eq!(cost, (0, copies(1_000 * size as u64)), "{size} bytes at a time");
    }
}

#[test]
fn handing_over_allocates_and_copies_nothing() {
    let (mut writer, mut reader) = pipe(Options::default());
    let mut slice = Some(Slice::from(vec![7; 4096]));
    let cost = cost(|| {
        writer.push(slice.take().unwrap()).unwrap();
        assert_eq!(now(writer.flush()).unwrap(), Flush::Done);
        let mut view = now(reader.read()).unwrap().into_view();
        slice = Some(view.take(4096).into_slice());
        view.consume(0);
    });
    assert_eq!(cost, (0, 0));
}

#[test]
fn handing_over_between_headers_copies_the_headers() {
    let (mut writer, mut reader) = pipe(Options::default());
    let body = Slice::from(vec![7; 4096]);
    let cost = cost(|| {
        for _ in 0..10 {
            let prefix = writer.reserve_prefix(4).unwrap();
            writer.push(body.clone()).unwrap();
            writer.patch(&prefix, &4096_u32.to_le_bytes()).unwrap();
        }
        assert_eq!(now(writer.flush()).unwrap(), Flush::Done);
        let view = now(reader.read()).unwrap().into_view();
        assert_eq!(view.len(), 41_000);
        view.consume(41_000);
    });
    assert_eq!(cost, (0, copies(1_000 * 40)));
}

#[test]
fn waiting_and_waking_allocates_nothing() {
    let (mut writer, mut reader) = pipe(Options::builder().pause(100).build().unwrap());
    let waker = Waker::from(Arc::new(Sleepy));
    let mut context = Context::from_waker(&waker);
    let cost = cost(|| {
        assert!(reader.poll_read(&mut context).is_pending());
        writer.write(&[7; 100]).unwrap();
        assert!(writer.poll_flush(&mut context).is_pending());
        now(reader.read()).unwrap().into_view().consume(100);
        assert!(writer.poll_flush(&mut context).is_ready());
    });
    assert_eq!(cost, (0, copies(100_000)));
}

/// A burst of entries leaves room for more of them behind, on each of the three ways: bounded.
#[test]
fn after_a_burst_of_slices_no_room_for_as_many_is_kept() {
    let (mut writer, mut reader) = pipe(Options::builder().pause(0).build().unwrap());
    let slice = Slice::from(vec![7; 100]);
    let mut round = |count: usize| {
        for _ in 0..count {
            writer.push(slice.clone()).unwrap();
        }
        assert_eq!(now(writer.flush()).unwrap(), Flush::Done);
        let view = now(reader.read()).unwrap().into_view();
        assert_eq!(view.len(), count * 100);
        view.consume(count * 100);
    };
    round(1);
    let before = CountingAlloc::thread();
    round(200_000);
    let kept = (CountingAlloc::thread() - before).live_bytes();
    assert!(kept < 256 << 10, "{kept} bytes");
}

#[test]
fn from_a_stream_through_two_pipes_to_a_stream_costs_nothing() {
    let (mut writer, mut reader) = pipe(Options::default());
    let (mut to, mut end) = pipe(Options::default());
    let (mut source, mut sink) = (tokio::io::repeat(7), tokio::io::sink());
    let waker = Waker::from(Arc::new(Sleepy));
    let cost = cost(|| {
        let filled = now(writer.fill_from(&mut source)).unwrap();
        let copied = pin!(reader.copy_to(&mut to)).poll(&mut Context::from_waker(&waker));
        assert!(copied.is_pending(), "the writer may write more");
        let mut drained = 0;
        while drained < filled {
            drained += now(end.drain_to(&mut sink)).unwrap();
        }
    });
    assert_eq!(cost, (0, 0));
}

/// Slices that are flushed behind one that is not read yet, and others that are taken back.
#[test]
fn a_writer_keeps_few_places_of_its_largest_burst() {
    let slice = Slice::from(vec![7; 64]);
    for taken_back in [false, true] {
        let (mut writer, mut reader) = pipe(Options::default());
        let before = CountingAlloc::thread();
        writer.push(slice.clone()).unwrap();
        assert_eq!(writer.try_flush().unwrap(), Some(Flush::Done));
        (0..100_000).for_each(|_| writer.push(slice.clone()).unwrap());
        if taken_back {
            writer.rollback();
        }
        let _ = writer.try_flush().unwrap();
        let view = now(reader.read()).unwrap().into_view();
        let len = view.len();
        assert_eq!(len, if taken_back { 64 } else { 6_400_064 });
        view.consume(len);
        let kept = (CountingAlloc::thread() - before).live_bytes();
        // Each of the queues on the way to the reader may keep 48 KiB.
        assert!(kept < 256 << 10, "{kept} bytes, taken back: {taken_back}");
    }
}
