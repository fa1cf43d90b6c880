//! What the writer does.

use super::Machine;
use super::op::{Op, Way};
use super::oracle::Ended;
use super::waits::{Wait, settle};
use aqueduct_pipe::{Flush, PipeError};
use aqueduct_sequence::Sequence;
use aqueduct_slice::Slice;
use aqueduct_testkit::pattern;
use std::mem::take;
use std::task::Context;

fn agree(done: &Option<Result<Flush, PipeError>>, want: Result<Option<bool>, ()>) {
    match (done, want) {
        (Some(Ok(done)), Ok(Some(want))) => assert_eq!(*done == Flush::Done, want),
        (None, Ok(None)) | (Some(Err(_)), Err(())) => {}
        _ => panic!("{done:?}, but the oracle says {want:?}"),
    }
}

impl Machine {
    pub fn fill(&mut self, op: &Op) {
        let Some(writer) = &mut self.writer else { return };
        let oracle = &mut self.oracle;
        let (mut bytes, fits) = match *op {
            Op::Write(n) | Op::Push(n) | Op::Pieces(n, _) | Op::Placeholder(n) => {
                (pattern(n, self.seed), oracle.fits(n))
            }
            Op::Slot(n, _) => (Vec::new(), oracle.fits(n.max(1))),
            _ => return,
        };
        let done = match *op {
            Op::Write(_) => writer.write(&bytes).is_ok(),
            Op::Push(_) => writer.push(Slice::from(bytes.clone())).is_ok(),
            Op::Pieces(_, piece) => {
                let pieces = bytes.chunks(piece).map(Slice::copy_from_slice);
                writer.push_sequence(pieces.collect::<Sequence>()).is_ok()
            }
            Op::Placeholder(n) => match writer.reserve_prefix(n) {
                Ok(prefix) => writer.patch(&prefix, &bytes).is_ok(),
                Err(_) => false,
            },
            Op::Slot(n, m) => match writer.reserve(n) {
                Ok(mut slot) => {
                    assert!(slot.len() >= n);
                    bytes = pattern(m % (slot.len().min(200) + 1), self.seed);
                    slot.room()[..bytes.len()].copy_from_slice(&bytes);
                    slot.commit(bytes.len());
                    true
                }
                Err(_) => false,
            },
            _ => false,
        };
        // A prefix asks for room for one byte at least.
        let tight = matches!(op, Op::Placeholder(0)) && !oracle.fits(1);
        assert!(done == fits || oracle.reader_gone || tight, "{op:?}: {done}");
        if done {
            oracle.unflushed.extend(bytes);
        } else if oracle.reader_gone {
            // It may have been told that nobody reads any more, with some of it written.
            let kept = usize::try_from(writer.unflushed()).expect("few");
            oracle.unflushed.extend(bytes);
            oracle.unflushed.truncate(kept);
        }
    }

    pub fn flush(&mut self, way: Way) {
        let Some(writer) = &mut self.writer else { return };
        let done = if way == Way::Try {
            writer.try_flush().transpose()
        } else {
            let waker = self.writers.enter(way.task());
            let polled = writer.poll_flush(&mut Context::from_waker(&waker));
            settle(&mut self.writers, polled, Wait::Resumed)
        };
        agree(&done, self.oracle.flush());
    }

    pub fn drained(&mut self, way: Way) {
        let Some(writer) = &mut self.writer else { return };
        let waker = self.writers.enter(way.task());
        let polled = writer.poll_drained(&mut Context::from_waker(&waker));
        let done = settle(&mut self.writers, polled, Wait::Consumed(self.oracle.flushed()));
        agree(&done, self.oracle.drained());
    }

    pub fn ready(&mut self, count: usize, way: Way) {
        let Some(writer) = &mut self.writer else { return };
        let waker = self.writers.enter(way.task());
        let polled = writer.poll_ready(&mut Context::from_waker(&waker), count);
        let end = self.oracle.flushed() + self.oracle.unflushed.len() + count;
        let wait = Wait::Room(end.saturating_sub(self.oracle.most));
        let done = settle(&mut self.writers, polled, wait);
        agree(&done, self.oracle.ready(count));
    }

    pub fn writer_closed(&mut self, task: usize) {
        let Some(writer) = &mut self.writer else { return };
        let waker = self.writers.enter(Some(task));
        let told = writer.poll_closed(&mut Context::from_waker(&waker));
        let told = settle(&mut self.writers, told, Wait::End).is_some();
        assert_eq!(told, self.oracle.reader_gone);
    }

    pub fn end_writer(&mut self, ended: Ended) {
        let Some(writer) = self.writer.take() else { return };
        match ended {
            Ended::Finished => {
                writer.finish();
                let last = take(&mut self.oracle.unflushed);
                self.oracle.held.extend(last);
            }
            Ended::Failed => writer.fail("failed"),
            Ended::Dropped => drop(writer),
        }
        self.oracle.unflushed.clear();
        self.oracle.writer = Some(ended);
        self.writers.forget();
    }
}
