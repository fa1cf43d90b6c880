//! A state machine: a pipe and its oracle side by side, with short reads and writes, interrupts,
//! futures dropped after a poll, pauses, and the halves ending in any order.

use crate::oracle::{Ended, Found, Oracle};
use aqueduct_pipe::{Flush, Options, PipeError, PipeErrorKind, Read, Reader, Writer, pipe};
use aqueduct_pool::Pool;
use aqueduct_slice::Slice;
use aqueduct_testkit::{cases, pattern};
use proptest::prelude::*;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

#[derive(Clone, Debug)]
enum Op {
    Write(usize),
    Slot(usize, usize),
    Push(usize),
    Placeholder(usize),
    Rollback,
    Flush(bool),
    Drained,
    Ready(usize),
    WriterClosed,
    Release,
    InterruptFlush,
    EndWriter(Ended),
    Read(bool, Decision),
    ReadAtLeast(usize, bool, Decision),
    InterruptRead,
    ReaderClosed,
    DropReader,
}

#[derive(Clone, Debug)]
enum Decision {
    None,
    Consume(usize),
    NeedMore(usize),
    Take(usize, usize),
}

fn decision() -> impl Strategy<Value = Decision> {
    prop_oneof![
        1 => Just(Decision::None),
        3 => any::<usize>().prop_map(Decision::Consume),
        2 => any::<usize>().prop_map(Decision::NeedMore),
        2 => any::<(usize, usize)>().prop_map(|(n, m)| Decision::Take(n, m)),
    ]
}

fn ended() -> impl Strategy<Value = Ended> {
    prop_oneof![Just(Ended::Finished), Just(Ended::Failed), Just(Ended::Dropped)]
}

fn op() -> impl Strategy<Value = Op> {
    let size = prop_oneof![4 => 0..40_usize, 1 => 0..400_usize];
    prop_oneof![
        20 => size.clone().prop_map(Op::Write),
        8 => (0..100_usize, any::<usize>()).prop_map(|(n, m)| Op::Slot(n, m)),
        10 => size.clone().prop_map(Op::Push),
        4 => (0..20_usize).prop_map(Op::Placeholder),
        3 => Just(Op::Rollback),
        25 => any::<bool>().prop_map(Op::Flush),
        5 => Just(Op::Drained),
        5 => size.clone().prop_map(Op::Ready),
        2 => Just(Op::WriterClosed),
        3 => Just(Op::Release),
        4 => Just(Op::InterruptFlush),
        1 => ended().prop_map(Op::EndWriter),
        25 => (any::<bool>(), decision()).prop_map(|(p, d)| Op::Read(p, d)),
        10 => (size, any::<bool>(), decision()).prop_map(|(n, p, d)| Op::ReadAtLeast(n, p, d)),
        4 => Just(Op::InterruptRead),
        2 => Just(Op::ReaderClosed),
        1 => Just(Op::DropReader),
    ]
}

struct Machine {
    writer: Option<Writer>,
    reader: Option<Reader>,
    oracle: Oracle,
    /// Taken out, with what they must stay.
    taken: Vec<(aqueduct_sequence::Sequence, Vec<u8>)>,
    seed: usize,
}

/// What a future gives when it is polled once and dropped.
fn poll<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    }
}

fn how(error: &PipeError) -> Ended {
    match error.kind() {
        PipeErrorKind::Closed => Ended::Dropped,
        PipeErrorKind::Failed(_) => Ended::Failed,
        other => panic!("not the writer's end: {other:?}"),
    }
}

fn agree(done: &Result<Option<Flush>, PipeError>, want: Result<Option<bool>, ()>) {
    match (done, want) {
        (Ok(Some(done)), Ok(Some(want))) => assert_eq!(*done == Flush::Done, want),
        (Ok(None), Ok(None)) | (Err(_), Err(())) => {}
        _ => panic!("{done:?}, but the oracle says {want:?}"),
    }
}

impl Machine {
    fn apply(&mut self, op: &Op) {
        self.seed += 1;
        match op {
            Op::Write(_) | Op::Slot(..) | Op::Push(_) | Op::Placeholder(_) => self.fill(op),
            Op::Rollback => {
                self.writer.iter_mut().for_each(Writer::rollback);
                self.oracle.unflushed.clear();
            }
            Op::Flush(polled) => self.flush(*polled),
            Op::Drained => self.drained(None),
            Op::Ready(count) => self.drained(Some(*count)),
            Op::WriterClosed => {
                let told = self.writer.as_mut().map(|writer| poll(writer.closed()).is_some());
                assert!(told.is_none_or(|told| told == self.oracle.reader_gone));
            }
            Op::Release => self.writer.iter_mut().for_each(Writer::release),
            Op::InterruptFlush => {
                if let Some(writer) = &self.writer {
                    writer.interrupter().interrupt();
                    self.oracle.flush_interrupt = true;
                }
            }
            Op::EndWriter(ended) => self.end_writer(*ended),
            Op::Read(polled, decision) => self.read(None, *polled, decision),
            Op::ReadAtLeast(least, polled, decision) => self.read(Some(*least), *polled, decision),
            Op::InterruptRead => {
                if let Some(reader) = &self.reader {
                    reader.interrupter().interrupt();
                    self.oracle.read_interrupt = true;
                }
            }
            Op::ReaderClosed => {
                let told = self.reader.as_mut().map(|reader| poll(reader.closed()).is_some());
                assert!(told.is_none_or(|told| told == self.oracle.writer.is_some()));
            }
            Op::DropReader => {
                self.reader = None;
                self.oracle.reader_gone = true;
            }
        }
        self.check();
    }

    fn fill(&mut self, op: &Op) {
        let Some(writer) = &mut self.writer else { return };
        let oracle = &mut self.oracle;
        let (mut bytes, fits) = match op {
            Op::Write(n) | Op::Push(n) | Op::Placeholder(n) => {
                (pattern(*n, self.seed), oracle.fits(*n))
            }
            Op::Slot(n, _) => (Vec::new(), oracle.fits((*n).max(1))),
            _ => return,
        };
        let done = match op {
            Op::Write(_) => writer.write(&bytes).is_ok(),
            Op::Push(_) => writer.push(Slice::from(bytes.clone())).is_ok(),
            Op::Placeholder(n) => match writer.reserve_prefix(*n) {
                Ok(prefix) => writer.patch(&prefix, &bytes).is_ok(),
                Err(_) => false,
            },
            Op::Slot(n, m) => match writer.reserve(*n) {
                Ok(mut slot) => {
                    assert!(slot.len() >= *n);
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
        } else if oracle.reader_gone && writer.unflushed() == 0 {
            oracle.unflushed.clear(); // it was told that nobody reads any more
        }
    }

    fn flush(&mut self, polled: bool) {
        let Some(writer) = &mut self.writer else { return };
        let done = if polled { poll(writer.flush()).transpose() } else { writer.try_flush() };
        agree(&done, self.oracle.flush());
    }

    fn drained(&mut self, ready: Option<usize>) {
        let Some(writer) = &mut self.writer else { return };
        match ready {
            None => agree(&poll(writer.drained()).transpose(), self.oracle.drained()),
            Some(count) => {
                agree(&poll(writer.ready(count)).transpose(), self.oracle.ready(count));
            }
        }
    }

    fn end_writer(&mut self, ended: Ended) {
        let Some(writer) = self.writer.take() else { return };
        match ended {
            Ended::Finished => {
                writer.finish();
                let last = std::mem::take(&mut self.oracle.unflushed);
                self.oracle.held.extend(last);
            }
            Ended::Failed => writer.fail("failed"),
            Ended::Dropped => drop(writer),
        }
        self.oracle.unflushed.clear();
        self.oracle.writer = Some(ended);
    }

    fn read(&mut self, least: Option<usize>, polled: bool, decision: &Decision) {
        let Some(reader) = &mut self.reader else { return };
        if least.is_some_and(|least| least > self.oracle.most) {
            assert!(poll(reader.read_at_least(least.unwrap_or(0))).unwrap().is_err());
            return;
        }
        // There is no form of read_at_least that only tries.
        let polled = polled || least.is_some();
        let want = self.oracle.read(least);
        let found = match least {
            None if !polled => reader.try_read().transpose(),
            None => poll(reader.read()),
            Some(least) => poll(reader.read_at_least(least)),
        };
        let (read, view) = match found {
            None => {
                assert_eq!(want, Found::Nothing);
                if polled {
                    self.oracle.wait();
                }
                return;
            }
            Some(Err(error)) => return assert_eq!(want, Found::Error(how(&error))),
            Some(Ok(Read::Data(view))) => (Found::Data, view),
            Some(Ok(Read::Eof(view))) => (Found::Eof, view),
            Some(Ok(Read::Cancelled(view))) => (Found::Cancelled, view),
        };
        assert_eq!(read, want);
        assert!(view.seq().segments().all(|segment| !segment.is_empty()));
        let shown = view.seq().to_contiguous();
        assert!(self.oracle.held.iter().eq(shown.iter()), "{shown:?}");
        let len = view.len();
        match *decision {
            Decision::None => {}
            Decision::Consume(n) => {
                view.consume(n % (len + 1));
                self.oracle.consume(n % (len + 1));
            }
            Decision::NeedMore(n) => {
                view.need_more(n % (len + 1));
                self.oracle.need_more(n % (len + 1));
            }
            Decision::Take(n, m) => {
                let mut view = view;
                for n in [n % (len + 1), m % (len - n % (len + 1) + 1)] {
                    self.taken.push((view.take(n), self.oracle.take(n)));
                }
            }
        }
    }

    fn check(&self) {
        if let Some(writer) = &self.writer {
            let unflushed = self.oracle.unflushed.len() as u64;
            assert_eq!(writer.unflushed(), unflushed);
        }
        if let Some(reader) = &self.reader {
            assert_eq!(reader.stats().buffered, self.oracle.held.len() as u64);
        }
        for (sequence, want) in &self.taken {
            assert_eq!(sequence.as_ref().to_contiguous(), &want[..]);
        }
    }
}

fn run(pause: usize, resume: usize, most: Option<usize>, first: usize, ops: &[Op]) {
    let pool = Pool::builder().build().unwrap();
    let resume = resume.min(pause);
    let builder = Options::builder().pool(&pool).pause(pause).resume(resume);
    let builder = builder.segments(first, first.max(256));
    let most = most.map(|most| most + pause.max(1));
    let options = most.map_or(builder.clone(), |most| builder.max_buffered(most));
    let (writer, reader) = pipe(options.build().unwrap());
    let oracle = Oracle {
        pause: if pause == 0 { usize::MAX } else { pause },
        resume: resume.max(1),
        most: most.unwrap_or(usize::MAX),
        ..Oracle::default()
    };
    let mut machine =
        Machine { writer: Some(writer), reader: Some(reader), oracle, taken: Vec::new(), seed: 0 };
    ops.iter().for_each(|op| machine.apply(op));
    drop(machine);
    assert_eq!(pool.outstanding(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(2_000)))]

    #[test]
    fn pipe_and_oracle_agree(
        pause in prop_oneof![Just(0), 1..200_usize],
        resume in 0..200_usize,
        most in prop_oneof![2 => Just(None), 1 => (0..500_usize).prop_map(Some)],
        first in prop_oneof![Just(64_usize), Just(256), Just(4096)],
        ops in proptest::collection::vec(op(), 40),
    ) {
        run(pause, resume, most, first, &ops);
    }
}
