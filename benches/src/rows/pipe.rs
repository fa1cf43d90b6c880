//! Bytes through a pipe on one thread: filled and drained, handed over, sent to and fro.

use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use aqueduct::{Flush, Options, Pool, Reader, Slice, SliceMut, Writer, pipe};
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::runtime::{Builder, Runtime};

use crate::measure::{NS, OURS, Row, Subject, Work};
use crate::rows::row;
use crate::target::{Bound, Target};

/// What goes into a pipe before it is drained.
const WINDOW: usize = 64 << 10;

/// A message of the game of ping-pong.
const BALL: usize = 8;

pub(super) fn rows() -> Vec<Row> {
    let fills = |id: &str, target, chunk| Row {
        id: id.into(),
        target: Target(target),
        floor: FLOOR,
        unit: NS,
        build: Box::new(move || fill(chunk)),
    };
    vec![
        fills(
            "pipe.fill.4096",
            &[Bound::Faster(2.0, "tokio-duplex"), Bound::Faster(1.2, "piper-peek")],
            4096,
        ),
        fills(
            "pipe.fill.65536",
            &[Bound::Faster(2.0, "tokio-duplex"), Bound::Faster(1.0, "piper-peek")],
            65536,
        ),
        fills("pipe.flush.64", &[Bound::Faster(1.5, "tokio-duplex")], 64),
        row("pipe.handoff", &[Bound::Median(60.0)], handoff),
        row("pipe.ping_pong", &[Bound::Median(120.0)], ping_pong),
    ]
}

/// The name of the floor of the fills: what they cost if a pipe cost nothing.
const FLOOR: &str = "one copy";

/// So many bytes at the start of a line of the cache. A copy from elsewhere takes up to half as long
/// again, which is no pipe's doing; so every entrant copies from, and to, such bytes where it is the
/// caller's choice.
fn aligned(len: usize) -> SliceMut {
    let mut bytes = Pool::global().get(len);
    bytes.resize(len, 7);
    bytes
}

fn one_copy(chunk: usize) -> Work {
    let (bytes, mut to) = (aligned(chunk), aligned(WINDOW));
    Work::each(move || {
        for part in to.chunks_exact_mut(chunk) {
            part.copy_from_slice(black_box(&bytes));
        }
        black_box(&mut to);
    })
}

/// Writes and flushes a chunk again and again, then reads all of it. Nobody has to wait, and every
/// entrant uses its calls for that.
fn fill(chunk: usize) -> Vec<Subject> {
    #[expect(clippy::cast_precision_loss, reason = "a small constant")]
    let operations = (WINDOW / chunk) as f64;
    let subjects = vec![
        Subject::new(OURS, ours_fill(chunk)),
        Subject::new("tokio-duplex", duplex_fill(chunk)).note("its reader copies"),
        Subject::new("piper-peek", piper_fill(chunk)).note("one thread's ring, no handles"),
        Subject::new(FLOOR, one_copy(chunk)),
    ];
    subjects.into_iter().map(|subject| subject.operations(operations)).collect()
}

fn ours_fill(chunk: usize) -> Work {
    let (mut writer, mut reader) = pipe(Options::default());
    let bytes = aligned(chunk);
    Work::each(move || {
        for _ in 0..WINDOW / chunk {
            writer.write(black_box(&bytes)).expect("room");
            assert!(matches!(writer.try_flush(), Ok(Some(Flush::Done))));
        }
        let view = reader.try_read().expect("a writer").expect("bytes").into_view();
        black_box(view.seq());
        let len = view.len();
        view.consume(len);
    })
}

fn duplex_fill(chunk: usize) -> Work {
    let (mut writer, mut reader) = tokio::io::duplex(WINDOW);
    let (bytes, mut to) = (aligned(chunk), aligned(WINDOW));
    Work::each(move || {
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..WINDOW / chunk {
            let written = Pin::new(&mut writer).poll_write(&mut context, black_box(&bytes));
            assert!(matches!(written, Poll::Ready(Ok(count)) if count == chunk));
        }
        let mut buffer = ReadBuf::new(&mut to);
        while buffer.remaining() > 0 {
            assert!(Pin::new(&mut reader).poll_read(&mut context, &mut buffer).is_ready());
        }
        black_box(buffer.filled());
    })
}

fn piper_fill(chunk: usize) -> Work {
    let (mut reader, mut writer) = piper::pipe(WINDOW);
    let bytes = aligned(chunk);
    Work::each(move || {
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..WINDOW / chunk {
            assert_eq!(writer.try_fill(black_box(&bytes)), chunk);
        }
        let mut left = WINDOW;
        while left > 0 {
            assert!(reader.poll(&mut context).is_ready());
            let count = black_box(reader.peek_buf()).len();
            reader.consume(count);
            left -= count;
        }
    })
}

/// One slice goes round: pushed, flushed, read and taken out.
fn handoff() -> Vec<Subject> {
    let (mut writer, mut reader) = pipe(Options::default());
    let mut slice = Slice::from(vec![7; 4096]);
    let ours = Work::each(move || {
        writer.push(std::mem::take(&mut slice)).expect("room");
        assert!(matches!(writer.try_flush(), Ok(Some(Flush::Done))));
        let mut view = reader.try_read().expect("a writer").expect("a slice").into_view();
        let len = view.len();
        slice = view.take(len).into_slice();
    });
    let (sender, mut receiver) = tokio::sync::mpsc::channel(16);
    let mut bytes = Bytes::from(vec![7; 4096]);
    let mpsc = Work::each(move || {
        sender.try_send(std::mem::take(&mut bytes)).expect("room");
        bytes = receiver.try_recv().expect("what was sent");
    });
    vec![
        Subject::new(OURS, ours),
        Subject::new("mpsc", mpsc).note("tokio's, of Bytes; no bytes are counted"),
    ]
}

/// Two tasks on one thread: each waits for the other's message before it sends its own.
fn ping_pong() -> Vec<Subject> {
    let subjects = vec![ours_ping_pong(), simplex_ping_pong()];
    subjects.into_iter().map(|subject| subject.operations(2.0)).collect()
}

fn runtime() -> Runtime {
    Builder::new_current_thread().build().expect("a runtime of one thread")
}

async fn send(writer: &mut Writer) -> bool {
    writer.write(&[7; BALL]).is_ok() && writer.flush().await.is_ok()
}

async fn receive(reader: &mut Reader) -> bool {
    match reader.read().await {
        Ok(read) => {
            read.into_view().consume(BALL);
            true
        }
        Err(_) => false,
    }
}

fn ours_ping_pong() -> Subject {
    let runtime = runtime();
    let (mut there, mut arrives) = pipe(Options::default());
    let (mut back, mut returns) = pipe(Options::default());
    runtime.spawn(async move { while receive(&mut arrives).await && send(&mut back).await {} });
    let work = move |rounds| {
        runtime.block_on(async {
            for _ in 0..rounds {
                assert!(send(&mut there).await && receive(&mut returns).await);
            }
        });
    };
    Subject::new(OURS, Work::Here(Box::new(work)))
}

fn simplex_ping_pong() -> Subject {
    let runtime = runtime();
    let (mut arrives, mut there) = tokio::io::simplex(WINDOW);
    let (mut returns, mut back) = tokio::io::simplex(WINDOW);
    runtime.spawn(async move {
        let mut ball = [0; BALL];
        while arrives.read_exact(&mut ball).await.is_ok() && back.write_all(&ball).await.is_ok() {}
    });
    let work = move |rounds| {
        runtime.block_on(async {
            let mut ball = [7; BALL];
            for _ in 0..rounds {
                there.write_all(&ball).await.expect("a reader");
                returns.read_exact(&mut ball).await.expect("a writer");
            }
        });
    };
    Subject::new("tokio-simplex", Work::Here(Box::new(work)))
}
