//! Bytes through a pipe from one thread to another: what they cost is how often somebody is woken.

use std::fs;
use std::future::Future;
use std::hint::black_box;
use std::thread;

use tokio::runtime::Builder;
use tokio::task::unconstrained;

use crate::clock::cpu_of;
use crate::measure::{Row, Subject, Work};
use crate::pipes::{AsyncRing, Duplex, Ours, Piper, PiperPeek, Simplex, Waits, aligned, see};
use crate::target::{Bound, Target};

/// Bytes that go over in one run.
const TOTAL: usize = 64 * WINDOW;

/// What our pipe lets wait before its writer pauses, unless told otherwise; so the others have as much
/// room.
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
    let small = subject::<Duplex>(figure, WINDOW / 4);
    vec![
        subject::<Ours>(figure, WINDOW),
        subject::<Duplex>(figure, WINDOW),
        Subject { key: "tokio-duplex-64", note: "of 64 KiB, as is usual", ..small },
        subject::<Simplex>(figure, WINDOW),
        subject::<Piper>(figure, WINDOW),
        subject::<PiperPeek>(figure, WINDOW),
        subject::<AsyncRing>(figure, WINDOW),
    ]
}

fn subject<P: Waits>(figure: fn(Spent) -> f64, room: usize) -> Subject {
    let work = Work::Once(Box::new(move || figure(run::<P>(room))));
    Subject::new(P::KEY, work).note(P::NOTE).operations(MEGABYTES)
}

/// Sends everything through a new pipe, of which every byte was used before: the first touch of a
/// page is dear, and no pipe's doing.
fn run<P: Waits>(room: usize) -> Spent {
    let (mut writer, mut reader) = P::new(room);
    let bytes = aligned(CHUNK);
    for _ in 0..room / CHUNK {
        // Ours says no to the last, since it pauses there, and has it all the same.
        let _ = P::put(&mut writer, &bytes);
    }
    assert_eq!(P::drain(&mut reader, see), room);
    both(
        async move {
            for _ in 0..TOTAL / CHUNK {
                assert!(P::send(&mut writer, black_box(&bytes)).await);
            }
            P::end(writer);
        },
        async move {
            let mut left = TOTAL;
            loop {
                match P::receive(&mut reader, see).await {
                    0 => break,
                    count => left -= count,
                }
            }
            assert_eq!(left, 0);
        },
    )
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

/// Without the budget of a task, which would make those of tokio yield now and then, and no other.
fn spent_on(work: impl Future<Output = ()>) -> Spent {
    let runtime = Builder::new_current_thread().build().expect("a runtime of one thread");
    let before = sleeps();
    let cpu_ns = cpu_of(|| runtime.block_on(unconstrained(work)));
    Spent { cpu_ns, sleeps: sleeps() - before }
}

/// Times that this thread went to sleep so far; zero where the system does not say.
fn sleeps() -> u64 {
    let status = fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
}
