//! Claims of zero copy as scenarios in which a witness sees every memcpy of the process: each is
//! repeated, and says what the meter saw.

use std::error::Error;
use std::hint::black_box;

use aqueduct::{Pool, Slice, SliceMut, meter};
use bytes::Bytes;
use patterns::{Mode, Scenario};
use serde_json::json;

/// What one operation of most scenarios carries.
const BLOCK: usize = 4096;

/// Runs so many operations, and gives the bytes that the meter saw them copy.
type Run = fn(u64) -> Result<u64, Box<dyn Error>>;

/// The scenarios: a name, the payload of an operation (zero where it varies), and what runs it.
const SCENARIOS: [(&str, usize, Run); 10] = [
    ("freeze", BLOCK, |n| each(n, || drop(black_box(filled().freeze())))),
    ("clone", BLOCK, |n| shared(n, |slice| drop(black_box(slice.clone())))),
    ("slice", BLOCK, |n| shared(n, |slice| drop(black_box(slice.slice(100..1100))))),
    ("slice_shared.16", BLOCK, |n| shared(n, |s| drop(black_box(s.slice_shared(100..116))))),
    ("split", BLOCK, |n| {
        shared(n, |slice| {
            let mut rest = slice.clone();
            drop(black_box(rest.split_to(64)));
            drop(black_box(rest));
        })
    }),
    ("from_vec", BLOCK, |n| each(n, || drop(black_box(Slice::from(vec![7_u8; BLOCK]))))),
    ("into_bytes", BLOCK, |n| each(n, || drop(black_box(Bytes::from(filled().freeze()))))),
    ("from_bytes", BLOCK, |n| {
        let bytes = Bytes::from(vec![7_u8; BLOCK]);
        each(n, || drop(black_box(Slice::from(black_box(&bytes).clone()))))
    }),
    ("control.copy", BLOCK, |n| {
        let (from, mut to) = (vec![7_u8; BLOCK], vec![0_u8; BLOCK]);
        each(n, || aqueduct::copy(black_box(&mut to), black_box(&from)))
    }),
    ("packets.zero-copy", 0, packets),
];

/// The names, one per line.
pub fn list() {
    for (name, ..) in SCENARIOS {
        println!("{name}");
    }
}

/// Runs a scenario so many times and prints, as one line of JSON, what the meter saw.
///
/// # Errors
///
/// For a name that is not in the list, and when the scenario fails.
pub fn run(name: &str, operations: u64) -> Result<(), Box<dyn Error>> {
    let (_, payload, run) = SCENARIOS
        .into_iter()
        .find(|(known, ..)| *known == name)
        .ok_or_else(|| format!("there is no scenario {name}"))?;
    let operations = operations.max(1);
    let copied = run(operations)?;
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    let per_op = copied as f64 / operations as f64;
    println!(
        "{}",
        json!({
            "name": name,
            "operations": operations,
            "payload_bytes_per_op": payload,
            "meter_bytes_per_op": per_op,
        })
    );
    Ok(())
}

fn each(operations: u64, mut operation: impl FnMut()) -> Result<u64, Box<dyn Error>> {
    let before = meter::process();
    for _ in 0..operations {
        operation();
    }
    Ok((meter::process() - before).bytes)
}

fn shared(operations: u64, mut operation: impl FnMut(&Slice)) -> Result<u64, Box<dyn Error>> {
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

/// The packets of the capture that comes with the example, over and over.
fn packets(operations: u64) -> Result<u64, Box<dyn Error>> {
    let (mut before, mut after) = (None, meter::process());
    patterns::run_counted(Scenario::Packets, Mode::ZeroCopy, operations, &mut || {
        after = meter::process();
        before.get_or_insert(after);
    })?;
    Ok((after - before.unwrap_or(after)).bytes)
}
