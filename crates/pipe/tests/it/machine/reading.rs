//! What the reader does.

use super::op::{Decision, Way};
use super::oracle::{Ended, Found, Oracle};
use super::waits::{Wait, Waits, settle};
use super::{Machine, Taken};
use aqueduct_pipe::{PipeError, PipeErrorKind, Read, Reader, View};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

fn how(error: &PipeError) -> Ended {
    match error.kind() {
        PipeErrorKind::Closed => Ended::Dropped,
        PipeErrorKind::Failed(_) => Ended::Failed,
        other => panic!("not the writer's end: {other:?}"),
    }
}

/// What a read finds of that kind and in that way, if it need not wait.
fn find<'a>(
    reader: &'a mut Reader,
    waits: &mut Waits,
    (least, way): (Option<usize>, Way),
    wait: Wait,
) -> Option<Result<Read<'a>, PipeError>> {
    if way == Way::Try {
        return reader.try_read().transpose();
    }
    let waker = waits.enter(way.task());
    let mut context = Context::from_waker(&waker);
    match least {
        None => settle(waits, reader.poll_read(&mut context), wait),
        Some(least) if way == Way::Drop => {
            // When the future is dropped, nothing more is wanted.
            let found = pin!(reader.read_at_least(least)).poll(&mut context);
            let found = settle(waits, found, wait);
            waits.give_up();
            found
        }
        Some(least) => settle(waits, reader.poll_read_at_least(&mut context, least), wait),
    }
}

impl Machine {
    /// Any byte that was not examined, or at least so many.
    pub fn read(&mut self, least: Option<usize>, way: Way, decision: &Decision) {
        let Some(reader) = &mut self.reader else { return };
        // There is no form of read_at_least that only tries.
        let way = if way == Way::Try && least.is_some() { Way::Drop } else { way };
        if let Some(least) = least.filter(|least| *least > self.oracle.most) {
            let mut context = Context::from_waker(Waker::noop());
            let refused = reader.poll_read_at_least(&mut context, least);
            return assert!(matches!(refused, Poll::Ready(Err(_))), "{refused:?}");
        }
        let consumed = self.oracle.consumed;
        let wait = match least {
            None => Wait::Fresh(consumed + self.oracle.examined + 1),
            Some(least) => Wait::Enough(consumed + least),
        };
        let want = self.oracle.read(least);
        let (read, view) = match find(reader, &mut self.readers, (least, way), wait) {
            None => {
                assert_eq!(want, Found::Nothing);
                return;
            }
            Some(Err(error)) => return assert_eq!(want, Found::Error(how(&error))),
            Some(Ok(Read::Data(view))) => (Found::Data, view),
            Some(Ok(Read::Eof(view))) => (Found::Eof, view),
            Some(Ok(Read::Cancelled(view))) => (Found::Cancelled, view),
        };
        assert_eq!(read, want);
        // Who reads in another way wants no more than there is.
        self.readers.give_up();
        assert!(view.seq().segments().all(|segment| !segment.is_empty()));
        let shown = view.seq().to_contiguous();
        assert!(self.oracle.held.iter().eq(shown.iter()), "{shown:?}");
        self.digest = shown
            .iter()
            .fold(self.digest, |digest, byte| digest.rotate_left(5).wrapping_add(u64::from(*byte)));
        drop(shown);
        decide(view, decision, &mut self.oracle, &mut self.taken);
    }

    pub fn reader_closed(&mut self, task: usize) {
        let Some(reader) = &mut self.reader else { return };
        let waker = self.readers.enter(Some(task));
        let told = reader.poll_closed(&mut Context::from_waker(&waker));
        let told = settle(&mut self.readers, told, Wait::End).is_some();
        assert_eq!(told, self.oracle.writer.is_some());
    }

    pub fn end_reader(&mut self, ended: Ended) {
        let Some(reader) = self.reader.take() else { return };
        match ended {
            Ended::Failed => reader.fail("failed"),
            Ended::Finished | Ended::Dropped => drop(reader),
        }
        self.oracle.reader_gone = true;
        self.readers.forget();
    }
}

fn decide(mut view: View<'_>, decision: &Decision, oracle: &mut Oracle, taken: &mut Vec<Taken>) {
    let len = view.len();
    match *decision {
        Decision::None => {}
        Decision::Consume(n) => {
            view.consume(n % (len + 1));
            oracle.consume(n % (len + 1));
        }
        Decision::NeedMore(n) => {
            view.need_more(n % (len + 1));
            oracle.need_more(n % (len + 1));
        }
        Decision::Take(n, m) => {
            for n in [n % (len + 1), m % (len - n % (len + 1) + 1)] {
                taken.push((view.take(n), oracle.take(n)));
            }
        }
    }
}
