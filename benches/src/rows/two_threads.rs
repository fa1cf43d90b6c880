//! Bytes through a pipe from one thread to another: what they cost is how often somebody is woken.

use std::fs;
use std::future::Future;
use std::thread;

use aqueduct::{Options, Read, Reader, Writer, pipe};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::runtime::Builder;

use crate::clock::cpu_of;
use crate::measure::{OURS, Row, Subject, Work};
use crate::target::{Bound, Target};

/// Bytes that go over in one run.
const TOTAL: usize = 64 * WINDOW;

/// What our pipe lets wait before its writer pauses, unless told otherwise.
const WINDOW: usize = 256 << 10;

/// Bytes of a write, each of which is flushed.
const CHUNK: usize = 4 << 10;

#[expect(clippy::cast_precision_loss, reason = "small constants")]
const MEGABYTES: f64 = TOTAL as f64 / 1e6;

/// Two wake-ups for each window, one of the reader and one of the writer; and one of each at the ends
/// of a run: the reader waits for its first byte, and may wait for the news that there are no more.
const WAKES: f64 = (2.0 * 64.0 + 2.0) / MEGABYTES;

/// What both threads spent.
#[derive(Clone, Copy)]
struct Spent {
    cpu_ns: u64,
    /// Times that a thread went to sleep, and was woken.
    sleeps: u64,
}

pub(super) fn rows() -> [Row; 2] {
    let row = |id: &str, unit, target, figure: fn(Spent) -> f64| Row {
        id: id.into(),
        target: Target(target),
        floor: "",
        unit,
        build: Box::new(move || subjects(figure)),
    };
    #[expect(clippy::cast_precision_loss, reason = "the figures of one run are small")]
    [
        row("pipe.two_threads.cpu_us_per_mb", "us/MB", &[], |spent| spent.cpu_ns as f64 / 1e3),
        row("pipe.two_threads.wakes_per_mb", "1/MB", &[Bound::AtMost(WAKES)], |spent| {
            spent.sleeps as f64
        }),
    ]
}

fn subjects(figure: fn(Spent) -> f64) -> Vec<Subject> {
    let subject = |key, note, run: fn() -> Spent| {
        let work = Work::Once(Box::new(move || figure(run())));
        Subject::new(key, work).note(note).operations(MEGABYTES)
    };
    vec![
        subject(OURS, "pauses at 256 KiB", || {
            let (writer, reader) = pipe(Options::default());
            both(ours_out(writer), ours_in(reader))
        }),
        subject("tokio-duplex", "of 64 KiB", || duplexed(64 << 10)),
        subject("tokio-duplex-256", "of 256 KiB", || duplexed(WINDOW)),
    ]
}

async fn ours_out(mut writer: Writer) {
    for _ in 0..TOTAL / CHUNK {
        writer.write(&[7; CHUNK]).expect("room");
        let _ = writer.flush().await.expect("a reader");
    }
    writer.finish();
}

async fn ours_in(mut reader: Reader) {
    let mut last = false;
    while !last {
        let read = reader.read().await.expect("a writer that finishes");
        last = matches!(read, Read::Eof(_));
        let view = read.into_view();
        let len = view.len();
        view.consume(len);
    }
}

fn duplexed(size: usize) -> Spent {
    async fn out(mut writer: DuplexStream) {
        for _ in 0..TOTAL / CHUNK {
            writer.write_all(&[7; CHUNK]).await.expect("a reader");
        }
    }
    async fn take_in(mut reader: DuplexStream, size: usize) {
        let (mut left, mut to) = (TOTAL, vec![0; size]);
        while left > 0 {
            left -= reader.read(&mut to).await.expect("a writer");
        }
    }
    let (writer, reader) = tokio::io::duplex(size);
    both(out(writer), take_in(reader, size))
}

/// Runs each future on a thread of its own.
fn both(
    out: impl Future<Output = ()> + Send + 'static,
    arrive: impl Future<Output = ()> + Send + 'static,
) -> Spent {
    let reader = thread::spawn(|| spent_on(arrive));
    let writer = thread::spawn(|| spent_on(out));
    let [reader, writer] = [reader, writer].map(|half| half.join().expect("no half panics"));
    Spent { cpu_ns: reader.cpu_ns + writer.cpu_ns, sleeps: reader.sleeps + writer.sleeps }
}

fn spent_on(work: impl Future<Output = ()>) -> Spent {
    let runtime = Builder::new_current_thread().build().expect("a runtime of one thread");
    let before = sleeps();
    let cpu_ns = cpu_of(|| runtime.block_on(work));
    Spent { cpu_ns, sleeps: sleeps() - before }
}

/// Times that this thread went to sleep so far; zero where the system does not say.
fn sleeps() -> u64 {
    let status = fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
}
