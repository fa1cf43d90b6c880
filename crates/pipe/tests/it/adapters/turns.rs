//! A task of tokio's that always finds something to do in a pipe lets the others run.

use super::run;
use aqueduct_pipe::{FramedReader, FramedWriter, Framing, Options, Reader, Writer, pipe};
use aqueduct_sequence::{Prefix, Sequence};
use aqueduct_slice::Slice;
use futures_core::Stream;
use futures_sink::Sink;
use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};

/// Enough for everybody's turn.
const MANY: usize = 100_000;

/// Whether another future of the same task had its turn while this one did a step over and over.
fn lets_others_run(mut step: impl AsyncFnMut() -> bool) -> bool {
    run(async {
        let ran = Cell::new(false);
        let other = async {
            tokio::task::yield_now().await;
            ran.set(true);
        };
        let working = async {
            for _ in 0..MANY {
                if ran.get() || !step().await {
                    break;
                }
            }
            ran.get()
        };
        tokio::join!(working, other).0
    })
}

fn reader() -> Reader {
    Reader::from(Sequence::from(vec![7; MANY]))
}

fn writer() -> (Writer, Reader) {
    pipe(Options::builder().pause(0).build().unwrap())
}

#[test]
fn a_task_that_always_finds_bytes_lets_tokios_others_run() {
    // What stands where the pipe may stand does.
    let (mut near, mut far) = tokio::io::duplex(MANY);
    assert!(run(near.write_all(&[7; MANY])).is_ok());
    assert!(lets_others_run(async || far.read_u8().await.is_ok()));
    let mut from = reader();
    assert!(lets_others_run(async || from.read_u8().await.is_ok()), "it read all in one go");
    assert!(lets_others_run(async || {
        let shown = from.fill_buf().await.is_ok();
        AsyncBufReadExt::consume(&mut from, 1);
        shown
    }));
}

#[test]
fn a_task_that_always_finds_room_lets_tokios_others_run() {
    let (mut to, _reader) = writer();
    assert!(lets_others_run(async || to.write_all(b"x").await.is_ok()));
    assert!(lets_others_run(async || {
        let mut sink: Pin<&mut Writer> = Pin::new(&mut to);
        let ready = poll_fn(|context| Sink::<Slice>::poll_ready(sink.as_mut(), context));
        ready.await.is_ok() && sink.start_send(Slice::new()).is_ok()
    }));
}

#[test]
fn a_task_that_moves_bytes_lets_tokios_others_run() {
    let (mut to, mut from) = writer();
    assert!(lets_others_run(async || to.fill_from(&mut &b"x"[..]).await.is_ok()));
    drop(to);
    assert!(from.try_read().is_ok());
    let (mut near, mut far) = writer();
    assert!(lets_others_run(async || {
        near.write(b"x").unwrap();
        let _ = near.flush().await;
        far.drain_to(&mut Vec::new()).await.is_ok()
    }));
    let (mut to, _over) = writer();
    assert!(lets_others_run(async || {
        Reader::from(Sequence::from(vec![1])).copy_to(&mut to).await.is_ok()
    }));
}

#[test]
fn a_task_that_always_finds_slices_or_frames_lets_tokios_others_run() {
    let slices = (0..MANY).map(|_| Slice::from(vec![1; 100]));
    let mut from = Reader::from(slices.collect::<Sequence>());
    assert!(lets_others_run(async || {
        poll_fn(|context| Pin::new(&mut from).poll_next(context)).await.is_some()
    }));
    let framing = Framing::prefixed(Prefix::U8, 9).unwrap();
    let frames = Reader::from(Sequence::from(vec![0; MANY]));
    let mut frames = FramedReader::new(frames, framing.clone()).unwrap();
    assert!(lets_others_run(async || {
        poll_fn(|context| Stream::poll_next(Pin::new(&mut frames), context)).await.is_some()
    }));
    let (to, _reader) = writer();
    let mut to = FramedWriter::new(to, framing).unwrap();
    assert!(lets_others_run(async || {
        let mut sink: Pin<&mut FramedWriter> = Pin::new(&mut to);
        poll_fn(|context| Sink::<Slice>::poll_ready(sink.as_mut(), context)).await.is_ok()
    }));
}
