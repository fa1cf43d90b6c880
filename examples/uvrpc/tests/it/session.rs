//! What a peer says, in whatever pieces it comes.

use crate::wire::{
    MOST, Said, cut, dealer, envelope, frame, greeting, hear, listen, naive, open, ready,
};
use aqueduct::{Options, pipe};
use aqueduct_testkit::{Random, pattern, scale};
use uvrpc::zmtp::{GREETING, Refusal, Session};

const GOLDEN: &[u8] = b"\x94\x07\x00\xc0\xc4\x02hi";

/// A stream with all there is in it.
fn everything() -> Vec<u8> {
    [
        greeting(),
        ready(b"ROUTER", b"a name"),
        envelope(GOLDEN),
        frame(4, b"\x04PING\0\x0acontext"),
        envelope(&pattern(MOST, 1)),
        frame(4, b"\x04PONGcontext"),
        frame(4, b"\x09SUBSCRIBEall"),
        frame(1, b""),
        frame(4, b"\x04PING\0\0"),
        frame(2, GOLDEN),
        [frame(1, b""), frame(0, &[&b"\x94\xce\0\x01\0\0"[..], &[7; MOST]].concat())].concat(),
        [frame(1, b""), frame(1, b"\x94\xcc\xc8"), frame(1, &[7; MOST + 1]), frame(0, b"")]
            .concat(),
        frame(0, GOLDEN),
        [frame(1, b"x"), frame(0, GOLDEN)].concat(),
        // An id that would go on in the next frame, and the longest that there is.
        [frame(1, b""), frame(1, b"\x94"), frame(1, b""), frame(0, b"")].concat(),
        [
            frame(1, b""),
            frame(0, &[&b"\xdd\0\0\0\x04\xd3\0\0\0\0\0\0\x01\x01"[..], &[7; MOST]].concat()),
        ]
        .concat(),
        envelope(b""),
        [frame(1, &[7; 2 * MOST]), frame(0, GOLDEN)].concat(),
        envelope(GOLDEN),
    ]
    .concat()
}

#[test]
fn everything_is_understood() {
    let all = listen([&everything()[..]]);
    let expected = [
        Said::Greeted,
        Said::Ready(b"a name".to_vec()),
        Said::Envelope(GOLDEN.to_vec()),
        Said::Ping(1000),
        Said::Envelope(pattern(MOST, 1)),
        Said::Ping(0),
        Said::Envelope(GOLDEN.to_vec()),
        Said::Refused(Refusal::TooLarge, 65_536),
        Said::Refused(Refusal::Frames, 200),
        Said::Refused(Refusal::Frames, 0),
        Said::Refused(Refusal::Frames, 7),
        Said::Refused(Refusal::Frames, 0),
        Said::Refused(Refusal::TooLarge, 257),
        Said::Envelope(Vec::new()),
        Said::Refused(Refusal::TooLarge, 0),
        Said::Envelope(GOLDEN.to_vec()),
    ];
    assert_eq!(all, expected);
    assert_eq!(naive(&everything()), expected);
    assert_eq!(GREETING, *greeting());
}

#[test]
fn t19_a_stream_cut_at_every_byte_and_fed_byte_by_byte() {
    let bytes = everything();
    let whole = listen([&bytes[..]]);
    for at in 0..=bytes.len() {
        let (front, behind) = bytes.split_at(at);
        assert_eq!(listen([front, behind]), whole, "cut at {at}");
        assert_eq!(listen([front]), naive(front), "ends at {at}");
    }
    assert_eq!(listen(bytes.chunks(1)), whole);
}

/// Streams of which some bytes are others, or missing, or twice there: the same as a naive reader says.
#[test]
fn whatever_is_said_is_understood_as_by_a_naive_reader() {
    let mut random = Random::unlike_others();
    for _ in 0..scale(3000) {
        let mut bytes = open();
        let parts = everything();
        for _ in 0..random.below(6) {
            let from = 64 + random.below(parts.len() - 64);
            bytes.extend(&parts[from..(from + random.below(500)).min(parts.len())]);
        }
        for _ in 0..random.below(4) {
            let at = random.below(bytes.len());
            match random.below(3) {
                0 => bytes[at] = random.below(256) as u8,
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, random.below(8) as u8),
            }
        }
        let expected = naive(&bytes);
        assert_eq!(listen([&bytes[..]]), expected, "{bytes:?}");
        let most = [1, 20, 400][random.below(3)];
        assert_eq!(listen(cut(&mut random, &bytes, most)), expected, "{bytes:?}");
    }
}

#[test]
fn t22_lengths_that_contradict_each_other_are_refused() {
    let refused = |command: &[u8]| {
        let all = listen([&[greeting(), frame(4, command), envelope(GOLDEN)].concat()[..]]);
        assert_eq!(all, [Said::Greeted, Said::Fault], "{command:?}");
    };
    // A property that is longer than its command, or a name.
    refused(b"\x05READY\x0bSocket-Type\0\0\0\x07ROUTER");
    refused(b"\x05READY\x0bSocket-Type\xff\xff\xff\xffROUTER");
    refused(b"\x05READY\x0bSocket-Type\0\0\0\x06ROUTER\x40Identity");
    refused(b"\x05READY\x0bSocket-Type\0\0\0\x06ROUTER\x08Identity\0\0");
    refused(b"\x06READY");
    refused(b"");
    // Messages before READY, commands instead of it, peers that do not fit or want none.
    let too_early = listen([&[greeting(), envelope(GOLDEN)].concat()[..]]);
    assert_eq!(too_early, [Said::Greeted, Said::Fault]);
    refused(b"\x04PING\0\0");
    refused(b"\x05ERROR\x06reason");
    refused(b"\x05READY\x0bSocket-Type\0\0\0\x03PUB");
    refused(b"\x05READY");
    // Who speaks something else is found out by the first byte that shows it.
    for other in [&b"GET / HTTP/1.1\r\n"[..], b"\xff\0\0\0\0\0\0\0\x01\x7f\x01", b"\x01\x00"] {
        assert_eq!(listen([other]), [Said::Fault]);
    }
    let mut plain = greeting();
    plain[12..17].copy_from_slice(b"PLAIN");
    assert_eq!(listen([&plain[..17]]), [Said::Fault]);
    // Flags that mean nothing, a command that goes on.
    for flags in [5, 8, 0x80] {
        assert_eq!(listen([&[open(), vec![flags]].concat()[..]]).last(), Some(&Said::Fault));
    }
    // A PING with too much context.
    let ping = frame(4, b"\x04PING\0\x0a12345678901234567");
    assert_eq!(listen([&[open(), ping].concat()[..]]).last(), Some(&Said::Fault));
}

#[test]
fn a_message_of_a_million_frames_is_one_refusal() {
    let (mut writer, mut reader) = pipe(Options::default());
    let (mut session, mut all) = (Session::new(dealer(), MOST), Vec::new());
    assert!(hear(&mut session, &mut writer, &mut reader, &open(), &mut all));
    let frames = [frame(1, b""), frame(1, b"x")].concat().repeat(1000);
    for _ in 0..500 {
        assert!(hear(&mut session, &mut writer, &mut reader, &frames, &mut all));
        assert_eq!(reader.stats().buffered, 0);
    }
    let last = [frame(0, b"x"), envelope(GOLDEN)].concat();
    assert!(hear(&mut session, &mut writer, &mut reader, &last, &mut all));
    let expected = [Said::Refused(Refusal::Frames, 0), Said::Envelope(GOLDEN.to_vec())];
    assert_eq!(all[2..], expected);
}
