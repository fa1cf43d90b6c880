//! Bytes through a pipe on one thread: filled and drained, handed over, sent to and fro.

use std::hint::black_box;
use std::mem;

use aqueduct::{Flush, Options, Slice, pipe};
use async_ringbuf::AsyncHeapRb;
use async_ringbuf::traits::{Consumer, Producer, Split};
use bytes::Bytes;
use crossbeam_queue::ArrayQueue;
use rtrb::RingBuffer;
use tokio::runtime::Builder;
use tokio::sync::mpsc;

use crate::measure::{NS, OURS, Row, Subject, Work};
use crate::pipes::{
    AsyncRing, BipBuffer, Duplex, Ours, Pipe, Piper, PiperPeek, Rtrb, Simplex, Waits, aligned, see,
};
use crate::rows::row;
use crate::target::{Bound, Target};

/// What goes into a pipe before it is drained.
const WINDOW: usize = 64 << 10;

/// A message of the game of ping-pong.
const BALL: [u8; 8] = [7; 8];

/// The length of what is handed over.
const HANDED: usize = 4096;

/// Handles that a channel of them has room for.
const PLACES: usize = 16;

pub(super) fn rows() -> Vec<Row> {
    let filled = |id: &str, target, chunk| Row {
        id: id.into(),
        target: Target(target),
        floor: FLOOR,
        unit: NS,
        build: Box::new(move || fills(chunk)),
    };
    vec![
        filled(
            "pipe.fill.4096",
            &[Bound::Faster(2.0, "tokio-duplex"), Bound::Faster(1.2, "piper-peek")],
            4096,
        ),
        filled(
            "pipe.fill.65536",
            &[Bound::Faster(2.0, "tokio-duplex"), Bound::Faster(1.0, "piper-peek")],
            65536,
        ),
        filled("pipe.flush.64", &[Bound::Faster(1.5, "tokio-duplex")], 64),
        row("pipe.handoff", &[Bound::Median(60.0)], handoff),
        row("pipe.ping_pong", &[Bound::Median(120.0)], ping_pongs),
    ]
}

/// The name of the floor of the fills: what they cost if a pipe cost nothing.
const FLOOR: &str = "one copy";

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
fn fills(chunk: usize) -> Vec<Subject> {
    let subjects = vec![
        fill::<Ours>(chunk),
        fill::<Duplex>(chunk),
        fill::<Simplex>(chunk),
        fill::<Piper>(chunk),
        fill::<PiperPeek>(chunk),
        fill::<AsyncRing>(chunk),
        fill::<Rtrb>(chunk),
        fill::<BipBuffer>(chunk),
        Subject::new(FLOOR, one_copy(chunk)),
    ];
    #[expect(clippy::cast_precision_loss, reason = "a small constant")]
    let operations = (WINDOW / chunk) as f64;
    subjects.into_iter().map(|subject| subject.operations(operations)).collect()
}

fn fill<P: Pipe>(chunk: usize) -> Subject {
    let (mut writer, mut reader) = P::new(WINDOW);
    let bytes = aligned(chunk);
    let work = Work::each(move || {
        for _ in 0..WINDOW / chunk {
            assert!(P::put(&mut writer, black_box(&bytes)));
        }
        assert_eq!(P::drain(&mut reader, see), WINDOW);
    });
    Subject::new(P::KEY, work).note(P::NOTE)
}

/// One handle of 4 KiB goes round: pushed, flushed, read and taken out.
fn handoff() -> Vec<Subject> {
    let (mut writer, mut reader) = pipe(Options::default());
    let mut slice = Slice::from(vec![7; HANDED]);
    let ours = Work::each(move || {
        writer.push(mem::take(&mut slice)).expect("room");
        assert!(matches!(writer.try_flush(), Ok(Some(Flush::Done))));
        let mut view = reader.try_read().expect("a writer").expect("a slice").into_view();
        slice = view.take(HANDED).into_slice();
    });
    let (sender, mut receiver) = mpsc::channel(PLACES);
    let (mut put, mut take) = AsyncHeapRb::new(PLACES).split();
    let (mut push, mut pop) = RingBuffer::new(PLACES);
    let queue = ArrayQueue::new(PLACES);
    let queued = move |bytes| {
        queue.push(bytes).ok()?;
        queue.pop()
    };
    vec![
        Subject::new(OURS, ours),
        round("mpsc", move |bytes| {
            sender.try_send(bytes).ok()?;
            receiver.try_recv().ok()
        })
        .note("tokio's, of Bytes; no bytes are counted"),
        round("async-ringbuf", move |bytes| {
            put.try_push(bytes).ok()?;
            take.try_pop()
        })
        .note("of Bytes; no bytes are counted"),
        round("rtrb", move |bytes| {
            push.push(bytes).ok()?;
            pop.pop().ok()
        })
        .note("of Bytes; no bytes are counted, and nobody can wait"),
        round("array-queue", queued).note("of Bytes; no bytes are counted, and nobody can wait"),
    ]
}

/// `Bytes` through a channel of handles, again and again.
fn round(key: &'static str, mut through: impl FnMut(Bytes) -> Option<Bytes> + 'static) -> Subject {
    let mut bytes = Bytes::from(vec![7; HANDED]);
    let work = Work::each(move || {
        bytes = through(mem::take(&mut bytes)).expect("what was sent");
        assert_eq!(bytes.len(), HANDED);
    });
    Subject::new(key, work)
}

/// Two tasks on one thread: each waits for the other's message before it sends its own.
fn ping_pongs() -> Vec<Subject> {
    let subjects = vec![
        ping_pong::<Ours>(),
        ping_pong::<Duplex>(),
        ping_pong::<Simplex>(),
        ping_pong::<Piper>(),
        ping_pong::<PiperPeek>(),
        ping_pong::<AsyncRing>(),
    ];
    subjects.into_iter().map(|subject| subject.operations(2.0)).collect()
}

fn ping_pong<P: Waits>() -> Subject {
    let runtime = Builder::new_current_thread().build().expect("a runtime of one thread");
    let (mut there, mut arrives) = P::new(WINDOW);
    let (mut back, mut returns) = P::new(WINDOW);
    runtime.spawn(async move {
        while P::receive(&mut arrives, see).await == BALL.len() && P::send(&mut back, &BALL).await {
        }
    });
    let work = move |rounds| {
        runtime.block_on(async {
            for _ in 0..rounds {
                assert!(P::send(&mut there, black_box(&BALL)).await);
                assert_eq!(P::receive(&mut returns, see).await, BALL.len());
            }
        });
    };
    Subject::new(P::KEY, Work::Here(Box::new(work))).note(P::NOTE)
}
