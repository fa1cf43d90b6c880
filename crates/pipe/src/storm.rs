//! Eight pipes at once under random schedules: every wait may be given up, or be interrupted, and in
//! the end every byte has come through. (Shuttle knows no weak orderings; those are loom's.)

use crate::{Flush, Interrupter, Options, Read, Reader, Writer, pipe};
use shuttle::{
    future::{block_on, spawn},
    rand::{Rng, thread_rng},
};
use std::{
    pin::pin,
    task::{Context, Waker},
};

const PAIRS: usize = 8;
/// Bytes that go through each pipe.
const BYTES: usize = 60;

/// Schedules: a hundredth of what is asked for by hand.
fn schedules() -> usize {
    if std::env::var_os("AQUEDUCT_LONG").is_some_and(|v| v == "1") { 10_000 } else { 100 }
}

fn chance(of: u32) -> bool {
    thread_rng().gen_range(0..of) == 0
}

/// Polls a future once, with a waker that wakes nobody, and drops it.
fn give_up(future: impl Future) {
    let _ = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
}

async fn write(mut writer: Writer, reader: Interrupter) {
    let mut next = 0;
    while next < BYTES {
        let count = thread_rng().gen_range(1..8).min(BYTES - next);
        let bytes: Vec<u8> = (next..next + count).map(|i| i as u8).collect();
        writer.write(&bytes).unwrap();
        if chance(4) {
            writer.rollback();
            continue;
        }
        next += count;
        if chance(3) {
            give_up(writer.flush());
        }
        if chance(4) {
            reader.interrupt();
        }
        if let Flush::Cancelled = writer.flush().await.unwrap() {
            continue;
        }
        if chance(8) {
            writer.release();
        }
    }
    writer.finish();
}

async fn read(mut reader: Reader, writer: Interrupter) {
    let mut next = 0;
    loop {
        if chance(3) {
            give_up(reader.read_at_least(20));
        }
        if chance(3) {
            give_up(reader.read());
        }
        if chance(4) {
            writer.interrupt();
        }
        let least = thread_rng().gen_range(1..20);
        let read = if chance(2) { reader.read_at_least(least).await } else { reader.read().await };
        let (view, last) = match read.unwrap() {
            Read::Eof(view) => (view, true),
            read => (read.into_view(), false),
        };
        let count = if last { view.len() } else { thread_rng().gen_range(0..=view.len()) };
        for byte in view.seq().slice(..count).to_contiguous().iter() {
            assert_eq!(usize::from(*byte), next);
            next += 1;
        }
        match chance(2) {
            true => view.need_more(count),
            false => view.consume(count),
        };
        if last {
            assert_eq!(next, BYTES);
            return;
        }
    }
}

fn storm() {
    let tasks: Vec<_> = (0..PAIRS)
        .flat_map(|i| {
            let options = Options::builder().pause(1 + i * 3).segments(64, 128).build().unwrap();
            let (writer, reader) = pipe(options);
            let interrupters = (reader.interrupter(), writer.interrupter());
            [spawn(write(writer, interrupters.0)), spawn(read(reader, interrupters.1))]
        })
        .collect();
    block_on(async {
        for task in tasks {
            task.await.unwrap();
        }
    });
}

#[test]
fn storm_of_random_schedules() {
    shuttle::check_random(storm, schedules());
}

#[test]
fn storm_of_unlikely_schedules() {
    shuttle::check_pct(storm, schedules(), 3);
}
