//! Captures that lie or are cut.

use patterns::capture::Capture;
use patterns::measure::count_workload;
use patterns::workload::Workload;
use patterns::{FaultKind, Mode, Rule};

use crate::build::{PLAIN, Style, hex, read};

fn frame() -> Vec<u8> {
    hex("020000000001 020000000002 0800
         45 00 0020 0000 4000 40 11 0000 7f000001 7f000001  0001 0002 000c 0000 61626364")
}

#[test]
fn all_four_magic_numbers() {
    for (big_endian, nanoseconds) in [(false, false), (false, true), (true, false), (true, true)] {
        let style = Style { big_endian, nanoseconds, ..PLAIN };
        let mut file = style.header();
        file.extend(style.record(1_700_000_000, 123_456, 46, &frame()));
        let (seen, fault) = read(&file);
        assert_eq!(fault, None);
        let unit = if nanoseconds { 1 } else { 1000 };
        assert_eq!(seen[0].time_ns, 1_700_000_000_000_000_000 + 123_456 * unit, "{style:?}");
        assert_eq!((seen[0].payload.as_slice(), seen[0].offset), (&b"abcd"[..], 40));
    }
}

/// A file cut at any byte gives the records before the cut; then it ends well at a boundary, and
/// with a fault that names the cut structure elsewhere.
#[test]
fn cut_at_every_byte() {
    let frame = frame();
    let file = PLAIN.file(&[&frame, &frame, &frame]);
    let boundaries = [24, 86, 148, 210];
    for len in 0..=file.len() {
        let (seen, fault) = read(&file[..len]);
        let whole = boundaries.iter().filter(|end| **end <= len).count();
        assert_eq!(seen.len(), whole.saturating_sub(1), "{len}");
        if boundaries.contains(&len) {
            assert_eq!(fault, None, "{len}");
            continue;
        }
        let fault = fault.expect("a cut");
        let FaultKind::Short { what, needed, found } = fault.kind else { panic!("{fault}") };
        assert_eq!(fault.offset + found, len as u64, "{fault}");
        match what {
            "a file header" => assert_eq!((fault.offset, needed), (0, 24)),
            "a record header" => assert_eq!(needed, 16),
            "a frame" => assert_eq!(needed, 46),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn what_is_no_pcap_is_refused_by_name() {
    let pcapng = hex("0a0d0d0a 1c000000 4d3c2b1a 01000000 ffffffffffffffff 1c000000");
    assert_eq!(read(&pcapng).1.map(|f| (f.offset, f.kind)), Some((0, FaultKind::PcapNg)));
    let text = read(b"GET / HTTP/1.1\r\n\r\n").1.expect("refused");
    assert_eq!((text.offset, text.kind), (0, FaultKind::Magic(0x2054_4547)));

    let mut old = PLAIN.file(&[]);
    old[4] = 1;
    let fault = read(&old).1.expect("refused").to_string();
    assert_eq!(fault, "at byte 4: expected a major version of 2, found 1");
    let wifi = Style { link: 105, ..PLAIN }.file(&[]);
    let fault = read(&wifi).1.expect("refused");
    assert_eq!((fault.offset, fault.kind), (20, FaultKind::LinkType(105)));
    // The upper bits tell of checksums behind the frames.
    let checksums = Style { link: 0x2400_0001, ..PLAIN }.file(&[&frame()]);
    assert_eq!(read(&checksums).1, None);
}

/// A record that claims more than can be is refused for its claim; all before it is handed out.
#[test]
fn a_captured_length_that_lies() {
    let cases = [
        (1 << 31, 1 << 31, 262_144),
        (u32::MAX, u32::MAX, 262_144),
        (262_145, 262_145, 262_144),
        (47, 46, 46),
    ];
    for (captured, original, limit) in cases {
        let mut file = PLAIN.file(&[&frame()]);
        let words = [0, 0, captured, original];
        file.extend(words.into_iter().flat_map(|word| PLAIN.word(word)));
        file.extend(frame());
        let (seen, fault) = read(&file);
        assert_eq!(seen.len(), 1);
        let fault = fault.expect("refused");
        let rule = Rule::AtMost(limit);
        let found = u64::from(captured);
        assert_eq!(fault.offset, 94);
        assert_eq!(fault.kind, FaultKind::Lie { what: "a captured length", rule, found });
    }
    // Within the limit, but more than the file has.
    let mut file = PLAIN.file(&[]);
    file.extend([0, 0, 200_000, 200_000].into_iter().flat_map(|word| PLAIN.word(word)));
    file.extend(frame());
    let fault = read(&file).1.expect("refused").to_string();
    assert_eq!(fault, "at byte 40: expected a frame of 200000 bytes, found 46");
}

/// A fault inside a frame tells its place in the file.
#[test]
fn a_lie_in_the_second_frame() {
    let mut bad = frame();
    bad[16] = 0xff;
    let (seen, fault) = read(&PLAIN.file(&[&frame(), &bad, &frame()]));
    assert_eq!(seen.len(), 1);
    let text = "at byte 118: expected an ipv4 total length of at most 32, found 65312";
    assert_eq!(fault.expect("refused").to_string(), text);
}

/// A record may hold nothing of its frame: a packet without payload, cut if the frame had any bytes.
#[test]
fn a_record_of_no_captured_bytes_is_a_packet() {
    for link in [0, 1, 101, 113] {
        let style = Style { link, ..PLAIN };
        let mut file = style.header();
        for original in [0, 1, 46, u32::MAX] {
            file.extend(style.record(7, 9, original, &[]));
        }
        // The last ends the file where a frame would begin.
        let (seen, fault) = read(&file);
        assert_eq!(fault, None, "link type {link}");
        let originals: Vec<_> = seen.iter().map(|packet| packet.original).collect();
        assert_eq!(originals, [0, 1, 46, 0xffff_ffff]);
        assert!(seen.iter().all(|packet| packet.header.is_empty() && packet.payload.is_empty()));
    }
    let mut file = PLAIN.file(&[&frame(), &[], &frame()]);
    file.extend(PLAIN.record(7, 9, 46, &[]));
    file.extend(PLAIN.record(7, 9, 46, &frame()));
    let (seen, fault) = read(&file);
    assert_eq!(fault, None);
    let payloads: Vec<_> = seen.iter().map(|packet| packet.payload.as_slice()).collect();
    assert_eq!(payloads, [&b"abcd"[..], b"", b"abcd", b"", b"abcd"], "those beside them are read");

    for mode in [Mode::Copying, Mode::ZeroCopy] {
        let capture = Capture::spooled("test", &file).expect("a temporary file");
        let mut workload = Workload::packets(vec![capture]);
        let done = count_workload(&mut workload, mode, 5, &mut || {}).expect("legal");
        let seen = workload.seen().expect("a pass");
        assert_eq!(
            (done, seen.packets, seen.udp, seen.other, seen.cut),
            (5, 5, 3, 2, 1),
            "{mode:?}"
        );
    }
}

#[test]
fn no_packets_is_no_fault() {
    assert_eq!(read(&PLAIN.file(&[])), (vec![], None));
}
