//! Frames that lie or are cut: every length of a sound frame made wrong.

use patterns::format::{Link, Record};
use patterns::layout::{Layout, Network, Transport};
use patterns::{Fault, FaultKind, Rule};

use crate::build::hex;

const OFFSET: u64 = 1000;

fn parse(link: Link, frame: &[u8], original: usize) -> Result<Layout, Fault> {
    let record = Record { captured: frame.len(), original, time_ns: 0 };
    Layout::parse(link, frame, &record, OFFSET)
}

/// Ethernet, IPv4, TCP with four bytes of options, five bytes.
fn tcp() -> Vec<u8> {
    hex("020000000001 020000000002 0800
         45 00 0031 0000 4000 40 06 0000 7f000001 7f000001
         0001 0002 00000000 00000000 60 10 0000 0000 0000 01010101  6162636465")
}

fn lie(at: u64, what: &'static str, rule: Rule, found: u64) -> Fault {
    Fault { offset: OFFSET + at, kind: FaultKind::Lie { what, rule, found } }
}

fn short(at: u64, what: &'static str, needed: u64, found: u64) -> Fault {
    Fault { offset: OFFSET + at, kind: FaultKind::Short { what, needed, found } }
}

#[test]
fn a_field_that_lies_is_named_with_its_place() {
    let cases: [(usize, u8, Fault); 8] = [
        (14, 0x65, lie(14, "an ip version", Rule::Exactly(4), 6)),
        (14, 0x44, lie(14, "an ipv4 header length in words", Rule::AtLeast(5), 4)),
        (14, 0x4d, lie(16, "an ipv4 total length", Rule::AtLeast(52), 49)),
        (17, 0x32, lie(16, "an ipv4 total length", Rule::AtMost(49), 50)),
        (17, 0x13, lie(16, "an ipv4 total length", Rule::AtLeast(20), 19)),
        (17, 0x20, short(34, "a tcp header", 20, 12)),
        (46, 0x40, lie(46, "a tcp header length in words", Rule::AtLeast(5), 4)),
        (46, 0xf0, short(34, "a tcp header with options", 60, 29)),
    ];
    assert_eq!(parse(Link::Ethernet, &tcp(), 63).expect("sound").payload(), 58..63);
    for (at, value, fault) in cases {
        let mut frame = tcp();
        frame[at] = value;
        assert_eq!(parse(Link::Ethernet, &frame, frame.len()), Err(fault), "{at}: {value:#x}");
    }
}

#[test]
fn ipv6_and_udp_that_lie() {
    let sound = format!(
        "60000000 0018 00 40 {:064} 1100010400000000 0001 0002 0010 0000 {}",
        0,
        "2a".repeat(8)
    );
    let sound = hex(&sound);
    assert_eq!(parse(Link::RawIp, &sound, sound.len()).expect("sound").payload(), 56..64);
    let cases = [
        (5, 0x19, lie(4, "an ipv6 payload length", Rule::AtMost(24), 25)),
        (5, 0x04, short(40, "a hop-by-hop header", 8, 4)),
        (41, 0x03, short(40, "a hop-by-hop header", 32, 24)),
        (41, 0x02, short(64, "a udp header", 8, 0)),
        (53, 0x07, lie(52, "a udp length", Rule::AtLeast(8), 7)),
        (53, 0x11, lie(52, "a udp length", Rule::AtMost(16), 17)),
    ];
    for (at, value, fault) in cases {
        let mut frame = sound.clone();
        frame[at] = value;
        assert_eq!(parse(Link::RawIp, &frame, frame.len()), Err(fault), "{at}: {value:#x}");
    }
}

/// A frame that the snapshot length cut anywhere is followed as far as it goes, and says that it is
/// cut.
#[test]
fn a_frame_cut_by_the_snapshot_length_is_no_fault() {
    let whole = tcp();
    for len in 0..whole.len() {
        let layout = parse(Link::Ethernet, &whole[..len], whole.len()).expect("cut, not lying");
        assert!(layout.cut, "{len}");
        assert_eq!(layout.header_len + layout.payload_len, len, "all that is there is handed out");
        assert_eq!(layout.network != Network::None, len >= 34, "{len}");
        assert_eq!(layout.transport != Transport::None, len >= 58, "{len}");
        let headers = [58, 34, 14, 0].into_iter().find(|end| *end <= len);
        assert_eq!(Some(layout.header_len), headers, "{len}");
    }
    // Only padding is missing: nothing that matters is cut.
    let layout = parse(Link::Ethernet, &whole, whole.len() + 9).expect("sound");
    assert!(!layout.cut);
}

/// A frame that ends early although nothing cut it lies somewhere; one whose IP packet is whole has
/// lost padding only.
#[test]
fn a_frame_short_of_its_own_lengths_is_a_fault() {
    let whole = tcp();
    for len in 1..whole.len() {
        let fault = parse(Link::Ethernet, &whole[..len], len).expect_err("short");
        assert!(fault.offset >= OFFSET && fault.offset <= OFFSET + len as u64, "{len}: {fault}");
    }
}

/// Whatever a frame says, parsing it ends, stays inside it, and does not panic.
#[test]
fn any_byte_may_change() {
    let v4 = &tcp()[14..];
    let v6 = hex(&format!(
        "60000000 0020 00 40 {:064} 2c00010400000000 1100000000000000 0001 0002 0010 0000 {}",
        0,
        "2a".repeat(8)
    ));
    let seeds = [
        (Link::Ethernet, tcp()),
        (Link::Ethernet, [&[1; 12], &hex("8100 0007 86dd")[..], &v6].concat()),
        (Link::RawIp, v6),
        (Link::Null, [&hex("02000000"), v4].concat()),
        (Link::LinuxCooked, [&[0; 14], &hex("0800")[..], v4].concat()),
    ];
    for (link, seed) in &seeds {
        parse(*link, seed, seed.len()).expect("sound before it is changed");
        for at in 0..seed.len() {
            for value in 0..=255 {
                let mut frame = seed.clone();
                frame[at] = value;
                for original in
                    [frame.len(), frame.len() + 7, usize::try_from(u32::MAX).expect("64 bits")]
                {
                    if let Ok(layout) = parse(*link, &frame, original) {
                        assert!(layout.payload().end <= frame.len());
                    }
                }
            }
        }
    }
}
