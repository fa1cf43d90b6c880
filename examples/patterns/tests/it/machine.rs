//! Captures of any bytes: read in both modes, against a naive reader, and cut anywhere.
//!
//! The fuzz target and the replay of its corpus run this same code.

use crate::build::{Style, read};

/// A record as the format says it, and where its frame begins in the file.
struct Naive<'a> {
    offset: usize,
    time_ns: u64,
    original: usize,
    frame: &'a [u8],
}

/// The records behind a sound header, and whether the file ends with the last of them.
fn naive(style: Style, file: &[u8]) -> (Vec<Naive<'_>>, bool) {
    let (mut records, mut offset) = (Vec::new(), 24);
    loop {
        let words: Vec<u32> = file[offset..]
            .chunks_exact(4)
            .take(4)
            .map(|word| {
                let word: [u8; 4] = word.try_into().expect("four bytes");
                let order = if style.big_endian { u32::from_be_bytes } else { u32::from_le_bytes };
                order(word)
            })
            .collect();
        let &[seconds, fraction, captured, original] = &words[..] else {
            return (records, offset == file.len());
        };
        offset += 16;
        let (captured, original) = (captured as usize, original as usize);
        let frame = file[offset..].get(..captured);
        let Some(frame) = frame.filter(|_| captured <= original && captured <= 262_144) else {
            return (records, false);
        };
        let unit = if style.nanoseconds { 1 } else { 1_000 };
        let time_ns = u64::from(seconds) * 1_000_000_000 + u64::from(fraction) * unit;
        records.push(Naive { offset, time_ns, original, frame });
        offset += captured;
    }
}

/// The function that the fuzzer calls: a byte for the header, two for where the file is cut, then what
/// follows the header, or for one kind the whole file.
pub fn run_bytes(bytes: &[u8]) -> usize {
    let Some(([kind, a, b], rest)) = bytes.split_first_chunk() else { return 0 };
    let link = [1, 0, 101, 113][usize::from(kind >> 2) % 4];
    let style = Style { big_endian: kind & 1 > 0, nanoseconds: kind & 2 > 0, link };
    if *kind >= 0xf0 {
        return read(rest).0.len();
    }
    let file = [&style.header(), rest].concat();
    let (seen, fault) = read(&file);
    let (records, clean) = naive(style, &file);
    for (packet, record) in seen.iter().zip(&records) {
        let found = (packet.offset, packet.time_ns, packet.original);
        assert_eq!(found, (record.offset as u64, record.time_ns, record.original));
        let parts = [&packet.header[..], &packet.payload].concat();
        assert!(record.frame.starts_with(&parts), "other bytes than the frame's");
    }
    match (fault, records.get(seen.len())) {
        (None, next) => assert!(next.is_none() && clean, "records are missing"),
        // A header inside the frame lies.
        (Some(fault), Some(record)) => {
            let (begin, len) = (record.offset as u64, record.frame.len() as u64);
            assert!((begin..=begin + len).contains(&fault.offset), "{fault}");
        }
        (Some(fault), None) => assert!(seen.len() == records.len() && !clean, "{fault}"),
    }
    let cut = usize::from(u16::from_le_bytes([*a, *b])) % (file.len() + 1);
    let (first, _) = read(&file[..cut]);
    assert!(seen.starts_with(&first), "a cut file shows what the whole does not");
    seen.len()
}
