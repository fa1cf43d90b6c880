//! What a review found in the adapters.

use crate::common::{Wakes, flush, once};
use aqueduct_pipe::{Blocking, Options, Read, Reader, Writer, pipe};
use aqueduct_pool::Pool;
use aqueduct_slice::Slice;
use futures_sink::Sink;
use std::cell::Cell;
use std::io::{self, ErrorKind, Read as _};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// A sink that takes everything, and flushes as it is told.
#[derive(Default)]
struct Flusher {
    got: Vec<u8>,
    flushed: usize,
    /// Answers to the next flushes; `None` waits.
    answers: Vec<Option<ErrorKind>>,
}

impl AsyncWrite for Flusher {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        from: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.got.extend_from_slice(from);
        Poll::Ready(Ok(from.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.answers.pop() {
            Some(Some(kind)) => Poll::Ready(Err(kind.into())),
            Some(None) => Poll::Pending,
            None => {
                self.flushed = self.got.len();
                Poll::Ready(Ok(()))
            }
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn run<T>(test: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(test)
}

#[test]
fn an_interrupt_ends_a_drain_whose_sink_still_flushes_at_the_end() {
    let (writer, mut reader) = pipe(Options::default());
    writer.finish();
    let mut sink = Flusher { answers: vec![None; 10], ..Flusher::default() };
    let interrupter = reader.interrupter();
    let (wakes, waker) = Wakes::new();
    let mut draining = pin!(reader.drain_to(&mut sink));
    assert!(draining.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    interrupter.interrupt();
    assert_eq!(wakes.count(), 1, "nobody was woken");
    assert!(matches!(draining.poll(&mut Context::from_waker(&waker)), Poll::Ready(Err(_))));
}

#[test]
fn a_sink_is_flushed_before_a_drain_ends_with_the_writers_error() {
    let (mut writer, mut reader) = pipe(Options::default());
    let mut sink = Flusher::default();
    assert!(!flush(&mut writer, b"all of it"));
    drop(writer);
    assert!(matches!(once(reader.drain_to(&mut sink)), Poll::Ready(Ok(9))));
    assert!(matches!(once(reader.drain_to(&mut sink)), Poll::Ready(Err(_))));
    assert_eq!(sink.flushed, 9);
}

#[test]
fn a_flush_of_a_sink_that_the_system_interrupted_is_repeated() {
    let (mut writer, mut reader) = pipe(Options::default());
    let answers = vec![Some(ErrorKind::Interrupted)];
    let mut sink = Flusher { answers, ..Flusher::default() };
    assert!(!flush(&mut writer, b"some"));
    assert!(matches!(once(reader.drain_to(&mut sink)), Poll::Ready(Ok(4))));
    assert!(once(reader.drain_to(&mut sink)).is_pending(), "the pipe has nothing for the sink");
}

#[test]
fn a_writer_that_failed_with_interrupted_does_not_make_std_read_for_ever() {
    /// Gives up where `read_to_end` would not.
    struct Patient(Blocking<Reader>, usize);
    impl io::Read for Patient {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            self.1 += 1;
            if self.1 > 100 { Err(ErrorKind::TimedOut.into()) } else { self.0.read(to) }
        }
    }
    let (writer, reader) = pipe(Options::default());
    writer.fail(io::Error::from(ErrorKind::Interrupted));
    let ended = Patient(Blocking(reader), 0).read_to_end(&mut Vec::new());
    let ended = ended.expect_err("the writer failed");
    assert_ne!(ended.kind(), ErrorKind::TimedOut, "it was asked a hundred times and more");
}

#[test]
fn a_writer_that_failed_with_interrupted_does_not_make_fill_from_spin() {
    let (writer, mut source) = pipe(Options::default());
    writer.fail(io::Error::from(ErrorKind::Interrupted));
    let (mut writer, _reader) = pipe(Options::default());
    let (wakes, waker) = Wakes::new();
    let mut filling = pin!(writer.fill_from(&mut source));
    for _ in 0..100 {
        if filling.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            return;
        }
    }
    panic!("it woke itself {} times and never ended", wakes.count());
}

/// Whether another future of the same task had its turn while this one always found bytes.
fn lets_others_run(mut from: impl AsyncRead + Unpin) -> bool {
    run(async {
        let ran = Cell::new(false);
        let other = async {
            tokio::task::yield_now().await;
            ran.set(true);
        };
        let reading = async {
            while !ran.get() && from.read_u8().await.is_ok() {}
            ran.get()
        };
        tokio::join!(reading, other).0
    })
}

#[test]
fn a_task_that_always_finds_bytes_lets_tokios_others_run() {
    let bytes = vec![7; 100_000];
    // What stands where the pipe may stand does.
    let (mut near, far) = tokio::io::duplex(bytes.len());
    assert!(run(near.write_all(&bytes)).is_ok());
    assert!(lets_others_run(far));
    let reader = Reader::from(aqueduct_sequence::Sequence::from(bytes));
    assert!(lets_others_run(reader), "it read 100,000 times in one go");
}

#[test]
fn a_reader_that_waits_for_the_end_holds_no_block() {
    let pool = Pool::new();
    let (mut writer, mut reader) = pipe(Options::builder().pool(&pool).build().unwrap());
    assert!(!flush(&mut writer, b"a message"));
    let Some(Read::Data(view)) = reader.try_read().unwrap() else { panic!("there is data") };
    view.consume(9);
    assert!(once(reader.closed()).is_pending());
    writer.release();
    assert!(once(reader.closed()).is_pending());
    assert_eq!(pool.outstanding(), 0);
}

/// Both can be polled: `poll_read`, `poll_closed`. A half has room for one waker.
#[test]
fn a_poll_for_the_end_does_not_lose_the_wait_for_bytes() {
    let (mut writer, mut reader) = pipe(Options::default());
    let (wakes, waker) = Wakes::new();
    let mut context = Context::from_waker(&waker);
    assert!(reader.poll_read(&mut context).is_pending());
    assert!(reader.poll_closed(&mut context).is_pending());
    assert!(!flush(&mut writer, b"bytes"));
    assert_eq!(wakes.count(), 1, "nobody was woken");
}

#[test]
fn a_poll_for_the_readers_end_does_not_lose_the_wait_of_a_flush() {
    let (mut writer, mut reader) = crate::common::paced(64, 32);
    let (wakes, waker) = Wakes::new();
    let mut context = Context::from_waker(&waker);
    writer.write(&[1; 64]).unwrap();
    assert!(writer.poll_flush(&mut context).is_pending());
    assert!(writer.poll_closed(&mut context).is_pending());
    let Some(Read::Data(view)) = reader.try_read().unwrap() else { panic!("there is data") };
    view.consume(64);
    assert_eq!(wakes.count(), 1, "nobody was woken");
}

/// `Sink`: "until `poll_ready` gives `Ready(Ok(()))`" is the only thing that a sender can wait for.
#[test]
fn a_sink_that_said_it_is_ready_takes_a_slice_that_the_pipe_can_hold() {
    let options = Options::builder().max_buffered(1000).build().unwrap();
    let (mut writer, _reader) = pipe(options);
    let mut context = Context::from_waker(std::task::Waker::noop());
    let mut sink: Pin<&mut Writer> = Pin::new(&mut writer);
    for _ in 0..2 {
        match Sink::<Slice>::poll_ready(sink.as_mut(), &mut context) {
            Poll::Ready(ready) => ready.unwrap(),
            Poll::Pending => return, // until there is room
        }
        sink.as_mut().start_send(Slice::from(vec![1; 600])).expect("it was ready");
    }
}

/// "Sleeps while the reader has enough": an interrupt ends one sleep, and is no error.
#[test]
fn a_std_writer_whose_sleep_was_interrupted_waits_for_room_next() {
    let options = Options::builder().pause(1000).max_buffered(1000).build().unwrap();
    let (writer, reader) = pipe(options);
    writer.interrupter().interrupt();
    let mut writer = Blocking(writer);
    assert_eq!(io::Write::write(&mut writer, &[1; 1000]).unwrap(), 1000);
    let reading = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(50));
        let mut all = Vec::new();
        Blocking(reader).read_to_end(&mut all).map(|_| all.len())
    });
    let written = io::Write::write(&mut writer, &[2; 10]);
    writer.0.finish();
    assert_eq!(written.expect("the reader makes room"), 10);
    assert_eq!(reading.join().unwrap().unwrap(), 1010);
}
