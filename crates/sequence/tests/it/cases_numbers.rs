//! Numbers, and what stands behind its length: behaviour 169.

use crate::machine::layouts::layouts;
use aqueduct_sequence::{Prefix, ReadError, ReadFault, SequenceReader, SequenceRef};
use aqueduct_testkit::pattern;

/// Reads one number at each offset and compares it with that of the flat bytes; and where too few
/// are left, that it is refused and nothing moves.
fn numbers<T: PartialEq + std::fmt::Debug, const N: usize>(
    from: impl Fn([u8; N]) -> T,
    read: impl Fn(&mut SequenceReader<'_>) -> Result<T, ReadError>,
) {
    let flat: Vec<u8> = pattern(40, 5).iter().map(|byte| byte.wrapping_mul(3)).collect();
    for layout in layouts(&flat) {
        for at in 0..=40 {
            let mut reader = layout.as_ref().reader();
            reader.advance(at).expect("in range");
            match flat[at..].first_chunk::<N>() {
                Some(bytes) => {
                    assert_eq!(read(&mut reader), Ok(from(*bytes)), "{} at {at}", layout.name);
                    assert_eq!(reader.position(), at + N);
                }
                None => {
                    let refused = read(&mut reader).expect_err("too few").fault();
                    assert_eq!(refused, ReadFault::Short { needed: N, left: 40 - at });
                    assert_eq!(reader.position(), at);
                }
            }
        }
    }
}

#[test]
fn case_169_numbers_of_every_width_and_order() {
    numbers(u8::from_le_bytes, |r| r.read_u8());
    numbers(i8::from_le_bytes, |r| r.read_i8());
    numbers(u16::from_le_bytes, |r| r.read_u16_le());
    numbers(u16::from_be_bytes, |r| r.read_u16_be());
    numbers(i16::from_le_bytes, |r| r.read_i16_le());
    numbers(i16::from_be_bytes, |r| r.read_i16_be());
    numbers(|[a, b, c]: [u8; 3]| u32::from_le_bytes([a, b, c, 0]), |r| r.read_u24_le());
    numbers(|[a, b, c]: [u8; 3]| u32::from_be_bytes([0, a, b, c]), |r| r.read_u24_be());
    numbers(u32::from_le_bytes, |r| r.read_u32_le());
    numbers(u32::from_be_bytes, |r| r.read_u32_be());
    numbers(i32::from_le_bytes, |r| r.read_i32_le());
    numbers(i32::from_be_bytes, |r| r.read_i32_be());
    numbers(|b: [u8; 5]| b.iter().rfold(0, |n, b| n << 8 | u64::from(*b)), |r| r.read_u40_le());
    numbers(|b: [u8; 5]| b.iter().fold(0, |n, b| n << 8 | u64::from(*b)), |r| r.read_u40_be());
    numbers(|b: [u8; 6]| b.iter().rfold(0, |n, b| n << 8 | u64::from(*b)), |r| r.read_u48_le());
    numbers(|b: [u8; 6]| b.iter().fold(0, |n, b| n << 8 | u64::from(*b)), |r| r.read_u48_be());
    numbers(|b: [u8; 7]| b.iter().rfold(0, |n, b| n << 8 | u64::from(*b)), |r| r.read_u56_le());
    numbers(|b: [u8; 7]| b.iter().fold(0, |n, b| n << 8 | u64::from(*b)), |r| r.read_u56_be());
    numbers(u64::from_le_bytes, |r| r.read_u64_le());
    numbers(u64::from_be_bytes, |r| r.read_u64_be());
    numbers(i64::from_le_bytes, |r| r.read_i64_le());
    numbers(i64::from_be_bytes, |r| r.read_i64_be());
    numbers(u128::from_le_bytes, |r| r.read_u128_le());
    numbers(u128::from_be_bytes, |r| r.read_u128_be());
    numbers(i128::from_le_bytes, |r| r.read_i128_le());
    numbers(i128::from_be_bytes, |r| r.read_i128_be());
    let bits = |result: Result<f32, ReadError>| result.map(f32::to_bits);
    numbers(u32::from_le_bytes, |r| bits(r.read_f32_le()));
    numbers(u32::from_be_bytes, |r| bits(r.read_f32_be()));
    let bits = |result: Result<f64, ReadError>| result.map(f64::to_bits);
    numbers(u64::from_le_bytes, |r| bits(r.read_f64_le()));
    numbers(u64::from_be_bytes, |r| bits(r.read_f64_be()));
}

/// A LEB128 of the value, padded to at least so many bytes.
fn leb128(mut value: u64, least: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 || bytes.len() + 1 < least {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

#[test]
fn case_169_unsigned_leb128() {
    for value in (0..64).flat_map(|bit| [(1_u64 << bit) - 1, 1 << bit, u64::MAX >> bit]) {
        for least in [1, 3, 10] {
            let bytes = [leb128(value, least), b"!".to_vec()].concat();
            for layout in layouts(&bytes) {
                let mut reader = layout.as_ref().reader();
                assert_eq!(reader.read_leb128(), Ok(value), "{}", layout.name);
                assert_eq!(reader.read_rest(), b"!");
                for cut in 0..bytes.len() - 1 {
                    let mut reader = layout.as_ref().slice(..cut).reader();
                    let refused = reader.read_leb128().expect_err("cut").fault();
                    assert_eq!(refused, ReadFault::Short { needed: cut + 1, left: cut });
                }
            }
        }
    }
    for bytes in [[0xff; 9].as_slice(), &[0x80; 12]].map(|b| [b, &[2]].concat()) {
        let mut reader = SequenceRef::from(&bytes[..]).reader();
        let refused = reader.read_leb128().expect_err("too large");
        assert_eq!((refused.fault(), refused.is_incomplete()), (ReadFault::Overflow, false));
        assert_eq!(reader.position(), 0);
    }
}

#[test]
fn case_169_signed_leb128() {
    let table: [(&[u8], i64); 8] = [
        (&[0x00], 0),
        (&[0x7f], -1),
        (&[0x3f], 63),
        (&[0x40], -64),
        (&[0x80, 0x01], 128),
        (&[0xff, 0x7e], -129),
        (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00], i64::MAX),
        (&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f], i64::MIN),
    ];
    for (bytes, want) in table {
        for layout in layouts(bytes) {
            let mut reader = layout.as_ref().reader();
            assert_eq!(reader.read_signed_leb128(), Ok(want), "{}", layout.name);
            assert!(reader.is_at_end());
        }
    }
    let mut too_large =
        SequenceRef::from(&[0x80, 128, 128, 128, 128, 128, 128, 128, 128, 1]).reader();
    assert_eq!(too_large.read_signed_leb128().map_err(|e| e.fault()), Err(ReadFault::Overflow));
}

#[test]
fn case_169_quic_integers() {
    let table: [(&[u8], u64); 5] = [
        (&[0x25], 37),
        (&[0x40, 0x25], 37),
        (&[0x7b, 0xbd], 15_293),
        (&[0x9d, 0x7f, 0x3e, 0x7d], 494_878_333),
        (&[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c], 151_288_809_941_952_652),
    ];
    for (bytes, want) in table {
        for layout in layouts(bytes) {
            let mut reader = layout.as_ref().reader();
            assert_eq!(reader.read_quic(), Ok(want), "{}", layout.name);
            for cut in 0..bytes.len() {
                let mut reader = layout.as_ref().slice(..cut).reader();
                assert!(reader.read_quic().is_err());
                assert_eq!(reader.position(), 0);
            }
        }
    }
}

#[test]
fn case_169_slices_behind_their_length() {
    use Prefix::{
        Leb128, Quic, U8, U16Be, U16Le, U24Be, U24Le, U32Be, U32Le, U40Be, U40Le, U48Be, U48Le,
        U56Be, U56Le, U64Be, U64Le,
    };
    let table: [(Prefix, &[u8]); 17] = [
        (U8, &[5]),
        (U16Le, &[5, 0]),
        (U16Be, &[0, 5]),
        (U24Le, &[5, 0, 0]),
        (U24Be, &[0, 0, 5]),
        (U32Le, &[5, 0, 0, 0]),
        (U32Be, &[0, 0, 0, 5]),
        (U40Le, &[5, 0, 0, 0, 0]),
        (U40Be, &[0, 0, 0, 0, 5]),
        (U48Le, &[5, 0, 0, 0, 0, 0]),
        (U48Be, &[0, 0, 0, 0, 0, 5]),
        (U56Le, &[5, 0, 0, 0, 0, 0, 0]),
        (U56Be, &[0, 0, 0, 0, 0, 0, 5]),
        (U64Le, &[5, 0, 0, 0, 0, 0, 0, 0]),
        (U64Be, &[0, 0, 0, 0, 0, 0, 0, 5]),
        (Leb128, &[0x85, 0]),
        (Quic, &[0x40, 5]),
    ];
    for (prefix, head) in table {
        let bytes = [head, b"hello, more"].concat();
        for layout in layouts(&bytes) {
            let seq = layout.as_ref();
            let mut reader = seq.reader();
            assert_eq!(reader.read_prefixed(prefix, 5).expect("is there"), b"hello", "{prefix:?}");
            assert_eq!(reader.read_rest(), b", more");
            let mut reader = seq.reader();
            let long = reader.read_prefixed(prefix, 4).expect_err("five are too many");
            assert_eq!(long.fault(), ReadFault::TooLong { claimed: 5, most: 4 });
            assert_eq!((long.at(), reader.position()), (0, 0));
            for cut in 0..head.len() + 5 {
                let mut reader = seq.slice(..cut).reader();
                let short = reader.read_prefixed(prefix, 5).expect_err("cut");
                assert!(short.is_incomplete() && reader.position() == 0, "{prefix:?} at {cut}");
                if cut >= head.len() {
                    let needed = head.len() + 5;
                    assert_eq!(short.fault(), ReadFault::Short { needed, left: cut });
                }
            }
        }
    }
}

#[test]
fn case_169_a_length_of_2_to_the_63_is_refused() {
    for claimed in [1 << 63, u64::MAX] {
        let bytes = claimed.to_be_bytes();
        let mut reader = SequenceRef::from(&bytes).reader();
        let refused = reader.read_prefixed(Prefix::U64Be, 1 << 20).expect_err("absurd");
        assert_eq!(refused.fault(), ReadFault::TooLong { claimed, most: 1 << 20 });
        let refused = reader.read_prefixed(Prefix::U64Be, usize::MAX).expect_err("absurd");
        assert!(refused.is_incomplete() && reader.position() == 0);
    }
}

#[test]
fn a_prefix_writes_what_it_reads() {
    use Prefix::{
        Leb128, Quic, U8, U16Be, U16Le, U24Be, U24Le, U32Be, U32Le, U40Be, U40Le, U48Be, U48Le,
        U56Be, U56Le, U64Be, U64Le,
    };
    for prefix in [
        U8, U16Le, U16Be, U24Le, U24Be, U32Le, U32Be, U40Le, U40Be, U48Le, U48Be, U56Le, U56Be,
        U64Le, U64Be, Leb128, Quic,
    ] {
        let largest = prefix.largest();
        let around = (0..64).flat_map(|bits| [(1_u64 << bits) - 1, 1 << bits, (1 << bits) + 1]);
        for length in around.chain([0, largest - 1, largest]).filter(|length| *length <= largest) {
            for least in 0..=8 {
                let mut room = [0xee; Prefix::LONGEST + 1];
                let width = prefix.encode(length, least, &mut room).expect("it can say it");
                assert_eq!(prefix.width().unwrap_or(width), width);
                assert!(width >= least || prefix.width().is_some());
                assert_eq!(room[width], 0xee, "nothing behind it is written");
                let mut reader = SequenceRef::from(&room[..]).reader();
                assert_eq!(reader.read_length(prefix), Ok(length), "{prefix:?} in {width}");
                assert_eq!(reader.position(), width);
                // In less room it is not written at all.
                let mut short = [0xee; Prefix::LONGEST];
                assert_eq!(prefix.encode(length, least, &mut short[..width - 1]), None);
                assert_eq!(short, [0xee; Prefix::LONGEST]);
            }
        }
        if let Some(more) = largest.checked_add(1) {
            assert_eq!(prefix.encode(more, 0, &mut [0; Prefix::LONGEST]), None);
        }
    }
    assert_eq!(Leb128.encode(1, 11, &mut [0; 20]), None, "no longer than what is read");
    assert_eq!(Quic.encode(1, 9, &mut [0; 20]), None);
}

#[test]
fn a_prefix_is_never_padded_beyond_what_it_can_be() {
    let mut room = [0; 64];
    for prefix in [Prefix::Quic, Prefix::Leb128] {
        for least in [11, 64, usize::MAX / 2, usize::MAX / 2 + 2, usize::MAX] {
            assert_eq!(prefix.encode(1, least, &mut room), None, "{prefix:?}, {least}");
        }
    }
}

#[test]
fn a_signed_leb128_of_more_than_ten_bytes_is_refused() {
    for last in [0x00, 0x7f] {
        let mut long = vec![0x80; 9];
        long.extend([0xff, last]);
        let refused = SequenceRef::from(&long[..]).reader().read_signed_leb128().unwrap_err();
        assert_eq!(refused.fault(), ReadFault::Overflow);
    }
}
