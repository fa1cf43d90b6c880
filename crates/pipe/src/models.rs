//! Loom models of the gates and of the pipe on them. Each names its negative twins: the same model
//! must fail with one of them switched on. A wake-up that is lost shows as a deadlock.

use crate::{
    Flush, Options, Read, Reader, Writer,
    blocking::block_on,
    gate::{CLOSED, Gate, INTERRUPT, NEVER, NONE, Raiser, Waiter, Word},
    pipe,
};
use aqueduct_slice::Slice;
use loom::{
    model,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    thread,
};
use std::{
    pin::pin,
    sync::atomic::AtomicUsize,
    task::{Context, Poll, Waker},
};

/// Sleeps until the gate's total is `target` or a flag is up.
fn wait(gate: &Gate, waiter: &mut Waiter, target: u64) -> Word {
    block_on(|context| {
        let word = gate.park(waiter, context.waker(), target);
        if word.total() < target && !word.has(CLOSED.and(INTERRUPT)) {
            return Poll::Pending;
        }
        gate.unpark();
        Poll::Ready(word)
    })
}

fn gate() -> (Arc<Gate>, Arc<Gate>, Waiter) {
    let gate = Arc::new(Gate::new());
    (gate.clone(), gate, Waiter::default())
}

// twin: park_seen_apart
// twin: park_on_a_load
// twin: park_cleared_late
#[test]
fn model_18_no_wake_up_is_lost() {
    model(|| {
        let (raised, waited, mut waiter) = gate();
        let raiser = thread::spawn(move || {
            raised.raise(1, NONE, &mut Raiser::default());
            raised.raise(1, NONE, &mut Raiser::default());
        });
        for target in [1, 2] {
            assert!(wait(&waited, &mut waiter, target).total() >= target);
        }
        raiser.join().unwrap();
    });
}

/// The payload is an atomic that orders nothing by itself.
// twin: raise_relaxed
// twin: gate_load_relaxed
#[test]
fn model_18_what_was_done_before_is_seen() {
    model(|| {
        let (raised, waited, _) = gate();
        let payload = Arc::new(AtomicU32::new(0));
        let written = payload.clone();
        // (Loom shows no stale value to the thread that made it, once that has yielded.)
        let reader = thread::spawn(move || {
            while waited.load().total() == 0 {
                thread::yield_now();
            }
            assert_eq!(payload.load(Relaxed), 7);
        });
        written.store(7, Relaxed);
        raised.raise(1, NONE, &mut Raiser::default());
        reader.join().unwrap();
    });
}

// twin: target_read_once
#[test]
fn model_18_a_wait_that_is_given_up_for_another() {
    model(|| {
        let (raised, waited, mut waiter) = gate();
        let raiser = thread::spawn(move || raised.raise(1, NONE, &mut Raiser::default()));
        if waited.park(&mut waiter, Waker::noop(), 2).total() < 1 {
            wait(&waited, &mut waiter, 1);
        }
        raiser.join().unwrap();
    });
}

// twin: park_seen_apart
// twin: park_on_a_load
#[test]
fn model_18_an_interrupt_and_a_raise_and_another_waker() {
    model(|| {
        let (raised, waited, mut waiter) = gate();
        let interrupted = raised.clone();
        let raiser = thread::spawn(move || raised.raise(1, NONE, &mut Raiser::default()));
        let other = thread::spawn(move || interrupted.nudge(INTERRUPT));
        // The first waker is never waited with: the newest is to be called.
        let _ = waited.park(&mut waiter, Waker::noop(), NEVER);
        while !wait(&waited, &mut waiter, NEVER).has(INTERRUPT) {}
        waited.clear(INTERRUPT);
        assert_eq!(wait(&waited, &mut waiter, 1).total(), 1);
        raiser.join().unwrap();
        other.join().unwrap();
    });
}

fn small_pipe(pause: usize) -> (Writer, Reader) {
    pipe(Options::builder().pause(pause).build().unwrap())
}

/// Long enough to stay a slice of its own.
const LONG: Slice = Slice::from_static(&[9; 24]);

/// Reads to the end, `most` bytes at a time.
fn read_all(reader: &mut Reader, most: usize) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        let (view, last) = match reader.read_blocking().unwrap() {
            Read::Eof(view) => (view, true),
            read => (read.into_view(), false),
        };
        let count = if last { view.len() } else { view.len().min(most) };
        all.extend_from_slice(&view.seq().slice(..count).to_contiguous());
        view.consume(count);
        if last {
            return all;
        }
    }
}

// twin: park_seen_apart
// twin: park_on_a_load
#[test]
fn model_08_write_against_read_with_pauses() {
    model(|| {
        let (mut writer, mut reader) = small_pipe(1);
        let writer = thread::spawn(move || {
            writer.write(&[1]).unwrap();
            assert_eq!(writer.flush_blocking().unwrap(), Flush::Done);
            writer.write(&[2]).unwrap();
            writer.finish();
        });
        assert_eq!(read_all(&mut reader, usize::MAX), [1, 2]);
        writer.join().unwrap();
    });
}

// twin: demand_untold
#[test]
fn model_08_a_reader_that_wants_more_resumes_the_writer() {
    model(|| {
        let (mut writer, mut reader) = small_pipe(1);
        let writer = thread::spawn(move || {
            for byte in [1, 2] {
                writer.write(&[byte]).unwrap();
                assert_eq!(writer.flush_blocking().unwrap(), Flush::Done);
            }
        });
        assert_eq!(reader.read_at_least_blocking(2).unwrap().into_view().len(), 2);
        drop(reader.read_blocking().unwrap().into_view().consume(2));
        writer.join().unwrap();
    });
}

// twin: consumed_late
#[test]
fn model_08_drained_waits_for_the_last_byte() {
    model(|| {
        let (mut writer, mut reader) = small_pipe(0);
        writer.write(&[1]).unwrap();
        assert_eq!(writer.flush_blocking().unwrap(), Flush::Done);
        let reads = thread::spawn(move || {
            reader.read_blocking().unwrap().into_view().need_more(0);
            reader.read_at_least_blocking(1).unwrap().into_view().consume(1);
            reader
        });
        assert_eq!(block_on(|context| writer.poll_drained(context)).unwrap(), Flush::Done);
        let reader = reads.join().unwrap();
        assert_eq!(reader.stats().buffered, 0);
    });
}

// twin: consumed_late
// twin: park_seen_apart
#[test]
fn model_08_who_writes_to_a_full_pipe_waits_for_room() {
    model(|| {
        let options = Options::builder().pause(0).max_buffered(1);
        let (mut writer, mut reader) = pipe(options.build().unwrap());
        writer.write(&[1]).unwrap();
        assert_eq!(writer.flush_blocking().unwrap(), Flush::Done);
        let reads = thread::spawn(move || {
            reader.read_blocking().unwrap().into_view().consume(1);
            reader
        });
        assert_eq!(block_on(|context| writer.poll_room(context)).unwrap(), 1);
        drop(reads.join().unwrap());
    });
}

// twin: raiser_keeps
#[test]
fn model_09_who_woke_one_waker_wakes_the_next() {
    model(|| {
        let (gate, raised, mut waiter) = gate();
        let raiser = thread::spawn(move || {
            let mut raiser = Raiser::default();
            raised.raise(1, NONE, &mut raiser);
            raised.raise(1, NONE, &mut raiser);
        });
        let _ = gate.park(&mut waiter, Waker::noop(), 1);
        assert_eq!(wait(&gate, &mut waiter, 2).total(), 2);
        raiser.join().unwrap();
    });
}

// twin: waker_kept
#[test]
fn model_09_polled_dropped_and_polled_with_another_waker() {
    model(|| {
        let (mut writer, mut reader) = small_pipe(0);
        let writer = thread::spawn(move || {
            writer.write(&[1]).unwrap();
            let _ = writer.try_flush().unwrap();
            writer
        });
        {
            let read = pin!(reader.read());
            let _ = read.poll(&mut Context::from_waker(Waker::noop())).is_ready();
        }
        assert_eq!(reader.read_blocking().unwrap().into_view().len(), 1);
        drop(writer.join().unwrap());
    });
}

struct Counted(std::sync::Arc<AtomicUsize>);

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &[7; 32]
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// Freed when the halves are gone, whoever else still knows the pipe.
// twin: inbox_open
#[test]
fn model_10_closed_from_both_ends_with_a_write_in_flight() {
    model(|| {
        let (mut writer, mut reader) = small_pipe(0);
        let drops = std::sync::Arc::new(AtomicUsize::new(0));
        let interrupter = reader.interrupter();
        let counted = Counted(std::sync::Arc::clone(&drops));
        let writer = thread::spawn(move || {
            writer.push(Slice::from_owner(counted)).unwrap();
            let _ = writer.try_flush();
        });
        drop(reader.try_read());
        drop(reader);
        writer.join().unwrap();
        assert_eq!(drops.load(Relaxed), 1);
        drop(interrupter);
    });
}

// twin: park_on_a_load
#[test]
fn model_11_an_interrupt_against_a_flush() {
    model(|| {
        let (mut writer, reader) = small_pipe(1);
        let interrupter = writer.interrupter();
        let other = thread::spawn(move || interrupter.interrupt());
        writer.write(&[1]).unwrap();
        assert_eq!(writer.flush_blocking().unwrap(), Flush::Cancelled);
        other.join().unwrap();
        assert_eq!(reader.stats().buffered, 1);
    });
}

// twin: park_on_a_load
// twin: park_seen_apart
#[test]
fn model_12_the_end_against_a_read_against_an_interrupt() {
    model(|| {
        let (mut writer, mut reader) = small_pipe(0);
        let interrupter = reader.interrupter();
        let other = thread::spawn(move || interrupter.interrupt());
        let writer = thread::spawn(move || {
            writer.write(&[1]).unwrap();
            writer.finish();
        });
        assert_eq!(read_all(&mut reader, usize::MAX), [1]);
        writer.join().unwrap();
        other.join().unwrap();
    });
}

// twin: post_ignored
#[test]
fn model_15_pieces_are_appended_while_the_front_is_read() {
    model(|| {
        let (mut writer, mut reader) = small_pipe(0);
        let writer = thread::spawn(move || {
            writer.write(&[1]).unwrap();
            writer.push(LONG).unwrap();
            writer.write(&[2]).unwrap();
            let _ = writer.try_flush().unwrap();
            writer.write(&[3]).unwrap();
            writer.finish();
        });
        let want: Vec<u8> = [&[1][..], &[9; 24], &[2, 3]].concat();
        assert_eq!(read_all(&mut reader, 20), want);
        writer.join().unwrap();
    });
}

/// What is posted for a later flush may be in the inbox before that flush's total is seen.
// twin: post_ignored
#[test]
fn model_15_a_later_post_is_taken_in_before_its_time() {
    model(|| {
        let (mut writer, mut reader) = small_pipe(0);
        let writer = thread::spawn(move || {
            writer.write(&[1]).unwrap();
            let _ = writer.try_flush().unwrap();
            writer.push(LONG).unwrap();
            writer.finish();
        });
        let want: Vec<u8> = [&[1][..], &[9; 24]].concat();
        assert_eq!(read_all(&mut reader, usize::MAX), want);
        writer.join().unwrap();
    });
}
