//! Loom models of the pipe. Each names its negative twins: the same model must fail with one of them
//! switched on. A wake-up that is lost shows as a deadlock.

use crate::{Flush, Options, Read, Reader, Writer, pipe};
use aqueduct_base::sync::block_on;
use aqueduct_slice::Slice;
use loom::{model, thread};
use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Waker},
};

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
// twin: looked_before
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
        reader.read_blocking().unwrap().into_view().consume(2);
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

// twin: consumed_late
#[test]
fn model_08_room_is_waited_for() {
    model(|| {
        let options = Options::builder().pause(0).max_buffered(2).build().unwrap();
        let (mut writer, mut reader) = pipe(options);
        writer.write(&[1, 2]).unwrap();
        assert_eq!(writer.flush_blocking().unwrap(), Flush::Done);
        let reads = thread::spawn(move || {
            reader.read_blocking().unwrap().into_view().consume(1);
            reader
        });
        assert_eq!(writer.ready_blocking(1).unwrap(), Flush::Done);
        writer.write(&[3]).unwrap();
        drop(reads.join().unwrap());
    });
}

/// Whether the bytes come before the wait begins or while it does.
// twin: wish_stays
#[test]
fn model_08_a_read_that_has_found_bytes_wants_no_more() {
    model(|| {
        let (mut writer, mut reader) = small_pipe(1);
        let reads = thread::spawn(move || {
            let _ = reader.poll_read(&mut Context::from_waker(Waker::noop())).is_ready();
            reader
        });
        writer.write(&[1]).unwrap();
        let _ = writer.try_flush().unwrap();
        let reader = reads.join().unwrap();
        assert_eq!(writer.try_flush().unwrap(), None, "nothing was examined");
        drop(reader);
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

struct Counted(Arc<AtomicUsize>);

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
        let drops = Arc::new(AtomicUsize::new(0));
        let interrupter = reader.interrupter();
        let counted = Counted(Arc::clone(&drops));
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

// twin: looked_before
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

// twin: looked_before
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

/// Whether the wait that stands beside is over at once, later, or not before the end.
// twin: others_given_up
#[test]
fn model_12_the_end_against_a_wait_beside_it_that_is_over() {
    model(|| {
        let (mut writer, mut reader) = small_pipe(0);
        writer.write(&[1]).unwrap();
        let _ = writer.try_flush().unwrap();
        let reads = thread::spawn(move || {
            reader.read_blocking().unwrap().into_view().consume(1);
        });
        block_on(|context| {
            let closed = writer.poll_closed(context);
            let _ = writer.poll_drained(context).is_ready();
            closed
        });
        reads.join().unwrap();
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

/// The writer goes on from the front of its block only when what was taken of it is gone, too.
// twin: returned_while_shown
#[test]
fn model_17_what_was_taken_is_not_written_again() {
    model(|| {
        let (mut writer, mut reader) = small_pipe(1);
        let writer = thread::spawn(move || {
            for byte in [1, 2] {
                writer.write(&[byte; 25]).unwrap();
                assert_eq!(writer.flush_blocking().unwrap(), Flush::Done);
            }
        });
        let mut view = reader.read_blocking().unwrap().into_view();
        let taken = view.take(24);
        view.consume(1);
        let mut view = reader.read_blocking().unwrap().into_view();
        assert_eq!((taken, view.take(25)), ([1; 24].to_vec().into(), [2; 25].to_vec().into()));
        writer.join().unwrap();
    });
}
