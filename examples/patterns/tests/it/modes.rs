//! Both modes give the same packets; in one of them nothing moves.

use std::ops::ControlFlow;

use aqueduct::{Slice, meter};
use patterns::capture::Capture;
use patterns::generate;
use patterns::measure::{Budget, count_workload, measure_workload};
use patterns::packets;
use patterns::workload::Workload;
use patterns::{Error, Mode, Scenario};

use crate::build::{PLAIN, Style, packets as all, read};

/// The bundled capture's bytes in another style.
fn transcode(style: Style) -> Vec<u8> {
    let bytes = include_bytes!("../../data/loopback-http.pcap");
    let mut out = style.header();
    let mut at = 24;
    while at < bytes.len() {
        let word = |i: usize| {
            u32::from_le_bytes(bytes[at + i..at + i + 4].try_into().expect("four bytes"))
        };
        let (seconds, micros, captured, original) = (word(0), word(4), word(8) as usize, word(12));
        let fraction = if style.nanoseconds { micros * 1000 } else { micros };
        let frame = &bytes[at + 16..at + 16 + captured];
        out.extend(style.record(seconds, fraction, original, frame));
        at += 16 + captured;
    }
    out
}

#[test]
fn the_real_capture_reads_alike_in_both_modes_and_all_four_forms() {
    let (expected, fault) = read(include_bytes!("../../data/loopback-http.pcap"));
    assert_eq!((expected.len(), fault), (683, None));
    for (big_endian, nanoseconds) in [(false, false), (false, true), (true, false), (true, true)] {
        let style = Style { big_endian, nanoseconds, ..PLAIN };
        let (seen, fault) = read(&transcode(style));
        assert_eq!(fault, None);
        assert!(seen == expected, "{style:?}");
    }
}

#[test]
fn a_generated_capture_reads_alike_in_both_modes() {
    // Longer than a block, so that records cross the places where blocks break.
    let mut bytes = Vec::new();
    generate::capture(12_000, &mut bytes).expect("a Vec takes all");
    assert!(bytes.len() > 3 << 20);
    let (seen, fault) = read(&bytes);
    assert_eq!((seen.len(), fault), (12_000, None));
    assert!(seen.iter().any(|p| p.header.len() + p.payload.len() < p.original), "none is cut");
    let carried: usize = seen.iter().map(|p| p.header.len() + p.payload.len()).sum();
    assert!(carried <= bytes.len());
}

/// Blocks that break at every possible place in a record: frames of the largest size, shifted byte
/// by byte.
#[test]
fn long_records_across_blocks() {
    let long = vec![0xee; 262_144];
    // From 262,026 on, what the first fill cuts is the header of the third record, byte by byte.
    for shift in [0, 1, 16, 8_000, 100_000].into_iter().chain(262_024..262_044) {
        let mut file = PLAIN.header();
        let first = vec![0x11; 14 + shift];
        file.extend(PLAIN.record(0, 0, u32::try_from(first.len()).expect("short"), &first));
        for _ in 0..9 {
            file.extend(PLAIN.record(0, 0, 262_144, &long));
        }
        let (seen, fault) = read(&file);
        assert_eq!((seen.len(), fault), (10, None), "{shift}");
        assert!(seen[1..].iter().all(|p| p.payload == long[14..]), "{shift}");
        // Cut in the last record: all others come, and the fault names the last.
        let (seen, fault) = read(&file[..file.len() - 1]);
        assert_eq!(seen.len(), 9, "{shift}");
        let fault = fault.expect("cut").to_string();
        assert!(fault.ends_with("expected a frame of 262144 bytes, found 262143"), "{fault}");
    }
}

/// Every byte of a whole capture, found in the blocks where it was read: no payload lies anywhere
/// else.
#[test]
fn every_payload_lies_in_its_block() {
    let mut bytes = Vec::new();
    generate::capture(12_000, &mut bytes).expect("a Vec takes all");
    let mut capture = Capture::spooled("generated", &bytes).expect("a temporary file");
    let mut kept: Vec<(u64, Slice)> = Vec::new();
    let before = meter::thread();
    let _ = packets::zero_copy(&mut capture, |packet| {
        let header = packet.header.bytes();
        if !packet.payload.is_empty() {
            // The header is on loan from the block, and the payload follows it there.
            assert_eq!(header.as_ptr_range().end, packet.payload.as_ptr());
            assert!(!packet.payload.is_inline());
            assert!(packet.payload.pinned_bytes() >= packet.payload.len());
            kept.push((packet.offset + header.len() as u64, packet.payload));
        }
        ControlFlow::Continue(())
    })
    .expect("sound");
    assert_eq!((meter::thread() - before).bytes, 0);
    // They outlive the capture and its blocks' handles.
    drop(capture);
    for (offset, payload) in kept {
        let offset = usize::try_from(offset).expect("a short file");
        assert_eq!(&bytes[offset..offset + payload.len()], payload.as_slice());
    }
}

#[test]
fn the_meter_tells_the_modes_apart() {
    let mut workload = Workload::of(Scenario::Packets).expect("bundled");
    let zero = measure_workload(&mut workload, Mode::ZeroCopy, Budget::Rounds(3), &mut |_| {});
    let zero = zero.expect("sound");
    assert_eq!(zero.operations, 3 * 683);
    assert_eq!(
        (zero.bytes_copied_per_op, zero.copies_per_op, zero.inlined_per_op),
        (0.0, 0.0, 0.0)
    );
    let seen = workload.seen().expect("a pass");

    let copying = measure_workload(&mut workload, Mode::Copying, Budget::Rounds(3), &mut |_| {});
    let copying = copying.expect("sound");
    assert_eq!(workload.seen(), Some(seen), "same packets, same marks");
    let bytes = (seen.header_bytes + seen.payload_bytes) as f64 / seen.packets as f64;
    assert!((copying.bytes_copied_per_op - bytes).abs() < 1e-9);
    assert!(copying.p50_ns > 0.0 && copying.p99_ns >= copying.p50_ns);
}

#[test]
fn counted_runs_do_what_they_say() {
    let mut calls = 0;
    let mut workload = Workload::of(Scenario::Packets).expect("bundled");
    let done = count_workload(&mut workload, Mode::ZeroCopy, 1000, &mut || calls += 1);
    assert_eq!((done.expect("sound"), calls), (1000, 2));
    let empty = Capture::spooled("empty", &PLAIN.file(&[])).expect("a temporary file");
    let mut workload = Workload::packets(vec![empty]);
    let end = count_workload(&mut workload, Mode::Copying, 1, &mut || {});
    assert!(matches!(end, Err(Error::Nothing { .. })));
}

#[test]
fn stopping_early_is_no_error() {
    let mut capture = Capture::bundled().expect("bundled");
    let mut left = 5;
    let flow = packets::zero_copy(&mut capture, |_| {
        left -= 1;
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!(flow.expect("sound"), ControlFlow::Break(()));
    // The next reading starts over.
    assert_eq!(all(&mut capture, Mode::Copying).0.len(), 683);
}
