//! Claims of zero copy as scenarios in which a witness sees every memcpy of the process: each is
//! repeated, and says what the meter saw.

mod exchange;
mod relay;
mod serve;
mod streamweave;
mod uvrpc;
mod web;

use std::error::Error;
use std::hint::black_box;
use std::io;

use aqueduct::{
    FrameError, FramedReader, FramedWriter, Framing, Options, Pool, Prefix, SegmentList, Sequence,
    Slice, SliceMut, meter, pipe,
};
use bytes::Bytes;
use patterns::measure::count_workload;
use patterns::workload::Workload;
use patterns::{Mode, Scenario};
use serde_json::json;

use crate::out::say;
use crate::ports::Mode as Way;

/// What one operation of most scenarios carries.
const BLOCK: usize = 4096;

/// Runs so many operations, or some more where they only come in batches.
type Run = fn(u64) -> Result<Ran, Box<dyn Error>>;

/// What a scenario did.
struct Ran {
    operations: u64,
    /// Bytes that went through all operations together.
    payload: u64,
    /// Bytes that the meter saw them copy.
    copied: u64,
}

/// The scenarios by name. Those that begin with `control.` copy, and must be seen to.
const SCENARIOS: [(&str, Run); 34] = [
    ("freeze", |n| each(n, || drop(black_box(filled().freeze())))),
    ("clone", |n| shared(n, |slice| drop(black_box(slice.clone())))),
    ("slice", |n| shared(n, |slice| drop(black_box(slice.slice(100..1100))))),
    ("slice_shared.16", |n| shared(n, |s| drop(black_box(s.slice_shared(100..116))))),
    ("split", |n| {
        shared(n, |slice| {
            let mut rest = slice.clone();
            drop(black_box(rest.split_to(64)));
            drop(black_box(rest));
        })
    }),
    ("from_vec", |n| each(n, || drop(black_box(Slice::from(vec![7_u8; BLOCK]))))),
    ("into_bytes", |n| each(n, || drop(black_box(Bytes::from(filled().freeze()))))),
    ("from_bytes", |n| {
        let bytes = Bytes::from(vec![7_u8; BLOCK]);
        each(n, || drop(black_box(Slice::from(black_box(&bytes).clone()))))
    }),
    ("sequence.take", |n| {
        let mut list = SegmentList::new();
        shared(n, move |slice| {
            list.push_back(slice.clone());
            list.push_back(slice.slice(..1000));
            drop(black_box(list.take(list.len() - 500)));
            list.consume(500);
        })
    }),
    ("sequence.frames", |n| {
        let frame = [&[0, 0, 16, 0][..], &[7; BLOCK]].concat();
        let (head, rest) = frame.split_at(2);
        let frame = Sequence::from_iter([head, rest].map(|part| Slice::from(part.to_vec())));
        each(n, || {
            let mut reader = black_box(&frame).as_ref().reader();
            drop(black_box(reader.read_prefixed(Prefix::U32Be, BLOCK).map(Sequence::from)));
        })
    }),
    ("sequence.read_u32.straddle", straddling),
    ("pipe.handoff", handed_over),
    ("pipe.frame.next", |n| framed(n, |reader| Ok(reader.next_blocking()?.map_or(0, |f| f.len())))),
    ("pipe.frame.lend", |n| framed(n, |reader| Ok(reader.lend_blocking()?.map_or(0, |f| f.len())))),
    ("control.copy", |n| {
        let (from, mut to) = (vec![7_u8; BLOCK], vec![0_u8; BLOCK]);
        each(n, || aqueduct::copy(black_box(&mut to), black_box(&from)))
    }),
    ("packets.zero-copy", |n| packets(Mode::ZeroCopy, n)),
    ("control.packets.copying", |n| packets(Mode::Copying, n)),
    ("web.get", |n| web::gets(::web::Mode::ZeroCopy, n)),
    ("web.post", |n| web::posts(::web::Mode::ZeroCopy, n)),
    ("control.web.get.copying", |n| web::gets(::web::Mode::Copying, n)),
    ("control.web.post.copying", |n| web::posts(::web::Mode::Copying, n)),
    ("relay.pipe", |n| relay::messages(relay::Mode::Pipe, n)),
    ("relay.splice", |n| relay::messages(relay::Mode::Splice, n)),
    ("serve.sendfile", |n| serve::blocks(serve::Way::Sendfile, n)),
    ("serve.mapped", |n| serve::blocks(serve::Way::Mapped, n)),
    ("serve.pooled", |n| serve::blocks(serve::Way::Pooled, n)),
    ("exchange.order", exchange::orders),
    // From 500 bytes to 3,000, and from 32,000 to 192,000, by the witness's two runs.
    ("uvrpc.call.1024", |n| uvrpc::calls(Way::ZeroCopy, n / 4, 0)),
    ("uvrpc.call.102400", |n| uvrpc::calls(Way::ZeroCopy, n * 16, 0)),
    ("control.uvrpc.call.copying", |n| uvrpc::calls(Way::Copying, n / 4, 0)),
    ("streamweave.fan-out", streamweave::fan_out),
    ("streamweave.remote", streamweave::remote),
    ("control.streamweave.cloning", streamweave::cloning),
    ("control.relay.copying", |n| relay::messages(relay::Mode::Copying, n)),
];

/// The names, one per line.
///
/// # Errors
///
/// When they cannot be printed.
pub fn list() -> io::Result<()> {
    SCENARIOS.iter().try_for_each(|(name, _)| say(name))
}

/// Runs a scenario so many times and prints, as one line of JSON, what the meter saw.
///
/// # Errors
///
/// For a name that is not in the list, and when the scenario fails.
pub fn run(name: &str, operations: u64) -> Result<(), Box<dyn Error>> {
    let (_, run) = SCENARIOS
        .into_iter()
        .find(|(known, _)| *known == name)
        .ok_or_else(|| format!("there is no scenario {name}"))?;
    let ran = run(operations.max(1))?;
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    let per_op = |bytes: u64| bytes as f64 / ran.operations as f64;
    say(json!({
        "name": name,
        "operations": ran.operations,
        "payload_bytes_per_op": per_op(ran.payload),
        "meter_bytes_per_op": per_op(ran.copied),
    }))?;
    Ok(())
}

fn each(operations: u64, mut operation: impl FnMut()) -> Result<Ran, Box<dyn Error>> {
    let before = meter::process();
    for _ in 0..operations {
        operation();
    }
    let copied = (meter::process() - before).bytes;
    Ok(Ran { operations, payload: operations * BLOCK as u64, copied })
}

fn shared(operations: u64, mut operation: impl FnMut(&Slice)) -> Result<Ran, Box<dyn Error>> {
    let slice = filled().freeze();
    each(operations, || operation(black_box(&slice)))
}

/// A pooled block, filled in place.
fn filled() -> SliceMut {
    let mut block = Pool::global().get(BLOCK);
    block.spare_mut()[..BLOCK].fill(7);
    block.commit(BLOCK);
    block
}

/// Integers that lie across the ends of segments, read from front to back.
fn straddling(operations: u64) -> Result<Ran, Box<dyn Error>> {
    let parts = filled().freeze();
    let parts = (0..BLOCK / 62).map(|i| parts.slice_shared(62 * i + i % 2..62 * (i + 1)));
    let sequence: Sequence = parts.collect();
    let mut reader = sequence.as_ref().reader();
    each(operations, || {
        while reader.read_u32_be().map(black_box).is_ok() {}
        reader = black_box(&sequence).as_ref().reader();
    })
}

/// A slice that goes through a pipe by its handle.
fn handed_over(operations: u64) -> Result<Ran, Box<dyn Error>> {
    let (mut writer, mut reader) = pipe(Options::default());
    let slice = filled().freeze();
    let mut hand_over = || -> Result<(), Box<dyn Error>> {
        writer.push(black_box(&slice).clone())?;
        writer.try_flush()?;
        let mut view = reader.try_read()?.ok_or("nothing is there")?.into_view();
        drop(black_box(view.take(BLOCK)));
        Ok(())
    };
    let mut outcome = Ok(());
    let ran = each(operations, || {
        if outcome.is_ok() {
            outcome = hand_over();
        }
    });
    outcome.and(ran)
}

/// A frame, of a slice behind its length, that goes through a pipe.
fn framed(
    operations: u64,
    mut read: impl FnMut(&mut FramedReader) -> Result<usize, FrameError>,
) -> Result<Ran, Box<dyn Error>> {
    let (writer, reader) = pipe(Options::default());
    let framing = Framing::prefixed(Prefix::U32Be, BLOCK)?;
    let mut writer = FramedWriter::new(writer, framing.clone())?;
    let mut reader = FramedReader::new(reader, framing)?;
    let slice = filled().freeze();
    let mut pass = || -> Result<(), Box<dyn Error>> {
        writer.push(black_box(&slice).clone())?;
        writer.try_flush()?;
        match black_box(read(&mut reader)?) {
            BLOCK => Ok(()),
            other => Err(format!("a frame of {other} bytes").into()),
        }
    };
    let mut outcome = Ok(());
    let ran = each(operations, || {
        if outcome.is_ok() {
            outcome = pass();
        }
    });
    outcome.and(ran)
}

/// The packets of the capture that comes with the example, over and over. Packets differ, so only
/// whole passes are run: then two runs of different length have the same bytes per packet.
fn packets(mode: Mode, operations: u64) -> Result<Ran, Box<dyn Error>> {
    let mut workload = Workload::of(Scenario::Packets)?;
    count_workload(&mut workload, mode, 1, &mut || {})?;
    let seen = workload.seen().ok_or("nothing was seen of the capture")?;
    let wanted = operations.next_multiple_of(seen.packets);
    let (mut before, mut after) = (None, meter::thread());
    let operations = count_workload(&mut workload, mode, wanted, &mut || {
        after = meter::thread();
        before.get_or_insert(after);
    })?;
    let passes = operations / seen.packets;
    Ok(Ran {
        operations,
        payload: passes * (seen.header_bytes + seen.payload_bytes),
        copied: (after - before.unwrap_or(after)).bytes,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use super::*;

    /// The meter counts for the whole process: one at a time.
    fn alone() -> MutexGuard<'static, ()> {
        static ALONE: Mutex<()> = Mutex::new(());
        ALONE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[test]
    fn calls_are_copied_eight_times_in_the_copying_mode_alone() {
        let _alone = alone();
        let ran = |mode| uvrpc::calls(mode, 3000, uvrpc::BEFORE).expect("a server");
        assert_eq!(ran(Way::ZeroCopy).copied, 0);
        let control = ran(Way::Copying);
        assert_eq!(control.copied / control.payload, 8);
    }

    /// Into a buffer, into strings, and those into fields.
    #[test]
    fn requests_are_copied_in_the_copying_mode_alone() {
        let _alone = alone();
        for requests in [web::gets, web::posts] {
            let ran = |mode| requests(mode, 3000).expect("sound requests");
            let (claim, control) = (ran(::web::Mode::ZeroCopy), ran(::web::Mode::Copying));
            assert_eq!((claim.operations, claim.copied), (300_000, 0));
            assert!(control.copied >= 2 * control.payload, "{}", control.copied);
        }
    }

    /// The copying mode would disturb those who look at all threads' counters.
    #[test]
    fn orders_are_not_copied() {
        let _alone = alone();
        let ran = exchange::orders(3000).expect("orders");
        assert_eq!((ran.operations, ran.copied), (3000, 0));
    }

    #[test]
    fn items_are_copied_where_the_edges_clone_alone() {
        let _alone = alone();
        let copied = |run: Run| run(3000).expect("items").copied;
        assert_eq!(copied(streamweave::fan_out), 0);
        assert_eq!(copied(streamweave::remote), 3000 * BLOCK as u64);
        assert_eq!(copied(streamweave::cloning), 3 * 3000 * BLOCK as u64);
    }

    #[test]
    fn messages_are_copied_in_the_copying_mode_alone() {
        let _alone = alone();
        let copied = |mode| relay::messages(mode, 200).expect("a relay").copied;
        assert_eq!((copied(relay::Mode::Pipe), copied(relay::Mode::Splice)), (0, 0));
        assert_eq!(copied(relay::Mode::Copying), 2 * 200 * BLOCK as u64);
    }

    #[test]
    fn the_control_copies_all_that_the_claim_only_passes_on() {
        let _alone = alone();
        let ran = |mode| packets(mode, 1000).expect("the capture is sound");
        let (claim, control) = (ran(Mode::ZeroCopy), ran(Mode::Copying));
        assert_eq!((claim.operations, claim.copied), (2 * 683, 0));
        assert!(claim.payload > 0);
        assert_eq!((control.operations, control.payload), (claim.operations, claim.payload));
        assert_eq!(control.copied, control.payload);
    }
}
