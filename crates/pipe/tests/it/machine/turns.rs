//! What goes through tokio's traits, in a turn of a task that has just begun or is over.

use super::Machine;
use super::op::Way;
use super::oracle::Found;
use super::waits::{Wait, Waits};
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::{Builder, Runtime};
use tokio::task::{coop, yield_now};

thread_local!(static RUNTIME: Runtime = Builder::new_current_thread().build().expect("a runtime"));

/// Takes the step in a turn in which nothing more may be done: it must do nothing, and wake its task
/// for the next.
fn in_spent_turn<T>(mut step: impl FnMut(&mut Context<'_>) -> Poll<T>) {
    let mut task = Waits::default();
    let waker = task.enter(Some(0));
    task.begin(Wait::End);
    let mut context = Context::from_waker(&waker);
    let turn = async {
        poll_fn(|context| {
            while let Poll::Ready(turn) = coop::poll_proceed(context) {
                turn.made_progress();
            }
            Poll::Ready(())
        })
        .await;
        assert!(step(&mut context).is_pending(), "it took its turn for its own");
        yield_now().await;
    };
    RUNTIME.with(|runtime| runtime.block_on(turn));
    assert_eq!(task.lost(|_| true), None, "its next turn does not come");
}

impl Machine {
    pub fn copy_in(&mut self, count: usize, way: Way, spent: bool) {
        let Some(writer) = &mut self.writer else { return };
        let bytes = aqueduct_testkit::pattern(count, self.seed);
        let mut writer = Pin::new(writer);
        if spent {
            return in_spent_turn(|context| writer.as_mut().poll_write(context, &bytes));
        }
        let waker = self.writers.enter(way.task());
        let done = writer.poll_write(&mut Context::from_waker(&waker), &bytes);
        let oracle = &mut self.oracle;
        let room = oracle.flushed() + oracle.unflushed.len() + 1;
        let (want, wait) = match oracle.flush() {
            Ok(Some(true)) => (oracle.ready(1), Wait::Room(room.saturating_sub(oracle.most))),
            other => (other, Wait::Resumed),
        };
        match (done, want) {
            (Poll::Pending, Ok(None)) => self.writers.begin(wait),
            (Poll::Ready(Ok(done)), Ok(Some(true))) => {
                assert_eq!(done, count.min(oracle.pause).min(oracle.most - oracle.held.len()));
                oracle.held.extend(&bytes[..done]);
            }
            (Poll::Ready(Err(_)), Ok(Some(false)) | Err(())) => {}
            (done, want) => panic!("{done:?}, but the oracle says {want:?}"),
        }
    }

    pub fn copy_out(&mut self, room: usize, way: Way, spent: bool) {
        let Some(reader) = &mut self.reader else { return };
        let mut reader = Pin::new(reader);
        let mut bytes = vec![0; room];
        let mut to = ReadBuf::new(&mut bytes);
        if spent {
            return in_spent_turn(|context| reader.as_mut().poll_read(context, &mut to));
        }
        let waker = self.readers.enter(way.task());
        let done: Poll<io::Result<()>> =
            reader.poll_read(&mut Context::from_waker(&waker), &mut to);
        match (done, self.oracle.read(Some(1))) {
            (Poll::Pending, Found::Nothing) => {
                self.readers.begin(Wait::Enough(self.oracle.consumed + 1));
            }
            (Poll::Ready(Ok(())), Found::Data | Found::Eof) => {
                self.readers.give_up();
                let count = room.min(self.oracle.held.len());
                let want = if count > 0 { self.oracle.consume(count) } else { Vec::new() };
                assert_eq!(to.filled(), want);
            }
            (Poll::Ready(Err(_)), Found::Cancelled) => self.readers.give_up(),
            (Poll::Ready(Err(_)), Found::Error(_)) => {}
            (done, want) => panic!("{done:?}, but the oracle says {want:?}"),
        }
    }
}
