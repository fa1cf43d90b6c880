//! Every operation that reads, over every layout, against the same bytes in one piece.

use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};

use crate::machine::layouts::{Layout, alone, layouts};
use aqueduct_sequence::SequenceRef;
use aqueduct_testkit::pattern;

/// Few different bytes, so that they are found, and found more than once.
fn bytes(len: usize) -> Vec<u8> {
    pattern(len, 3).iter().map(|byte| b"ab \xc3\xa4\n"[usize::from(byte % 6)]).collect()
}

fn for_all(len: usize, test: impl Fn(&Layout, &[u8])) {
    for len in 0..=len {
        let bytes = bytes(len);
        layouts(&bytes).iter().for_each(|layout| test(layout, &bytes));
    }
}

#[test]
fn lengths_pieces_and_bytes() {
    for_all(20, |layout, flat| {
        let seq = layout.as_ref();
        assert_eq!((seq.len(), seq.is_empty()), (flat.len(), flat.is_empty()));
        assert_eq!(seq.segments().len(), seq.segment_count());
        assert_eq!(seq.segments().count(), seq.segment_count());
        assert_eq!(seq.segments().collect::<Vec<_>>().concat(), flat);
        assert_eq!(seq.segments().next().unwrap_or_default(), seq.first());
        assert_eq!(seq.segments().last().unwrap_or_default(), seq.last());
        assert_eq!(seq.is_contiguous(), seq.segment_count() < 2);
        let read: Vec<_> = (0..=flat.len()).map(|at| seq.get(at)).collect();
        assert_eq!(read, (0..=flat.len()).map(|at| flat.get(at).copied()).collect::<Vec<_>>());
    });
}

#[test]
fn searching() {
    let sets: [&[u8]; 6] = [b"", b"\n", b"b\n", b"\xa4 \n", b"zyx \xa4", b"zzzz"];
    for_all(24, |layout, flat| {
        let seq = layout.as_ref();
        for byte in [b'a', b'\n', 0xc3, b'z'] {
            assert_eq!(seq.find(byte), flat.iter().position(|b| *b == byte), "{}", layout.name);
            assert_eq!(seq.rfind(byte), flat.iter().rposition(|b| *b == byte));
            let parts: Vec<_> = seq.split(byte).map(|part| part.to_contiguous().to_vec()).collect();
            assert_eq!(parts, flat.split(|b| *b == byte).collect::<Vec<_>>());
        }
        for set in sets {
            assert_eq!(seq.find_any(set), flat.iter().position(|b| set.contains(b)));
        }
        for from in 0..flat.len() {
            for len in [1, 2, 3, 5, 9] {
                let pattern = &flat[from..flat.len().min(from + len)];
                let want = flat.windows(pattern.len()).position(|window| window == pattern);
                assert_eq!(seq.find_slice(pattern), want, "{pattern:?} in {}", layout.name);
                let wrong = [pattern, b"!"].concat();
                assert_eq!(seq.find_slice(&wrong), None);
            }
        }
        assert_eq!(seq.trim_ascii(), flat.trim_ascii());
        assert_eq!(seq.trim_ascii_start(), flat.trim_ascii_start());
        assert_eq!(seq.trim_ascii_end(), flat.trim_ascii_end());
    });
}

#[test]
fn only_white_space_trims_to_nothing() {
    for layout in layouts(b" \n\t   \r ") {
        assert!(layout.as_ref().trim_ascii().is_empty());
        assert!(layout.as_ref().trim_ascii_end().is_empty());
    }
}

#[test]
fn comparing() {
    for len in [0, 1, 7, 20] {
        let flat = bytes(len);
        let mut other = flat.clone();
        other.push(b'a');
        for a in layouts(&flat) {
            for b in layouts(&flat) {
                assert_eq!((a.as_ref(), a.to_sequence()), (b.as_ref(), b.to_sequence()));
                assert!(a.as_ref().starts_with(b.as_ref()) && a.as_ref().ends_with(b.as_ref()));
            }
            for b in layouts(&other) {
                let (a, b) = (a.as_ref(), b.as_ref());
                assert_eq!(a.cmp(&b), flat.cmp(&other));
                assert_eq!(b.partial_cmp(&a), other.partial_cmp(&flat));
                assert_eq!(b.slice(1..).cmp(&a), other[1..].cmp(&flat));
                assert!(a != b && b.starts_with(a) && !a.starts_with(b) && !a.ends_with(b));
                assert!(b.ends_with(b.slice(b.len() / 2..)));
            }
        }
    }
}

/// A hasher to which it makes a difference how bytes are cut into writes.
#[derive(Default)]
struct Cut(u64);

impl Hasher for Cut {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(7) ^ u64::from(*byte));
        self.0 = self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

fn hash<H: Hasher + Default>(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = H::default();
    value.hash(&mut hasher);
    hasher.finish()
}

#[test]
fn hashes_do_not_know_of_segments() {
    for len in [0, 1, 30, 256, 257, 1000] {
        let flat = bytes(len);
        let any = RandomState::new();
        for layout in layouts(&flat) {
            let (seq, owned) = (layout.as_ref(), layout.to_sequence());
            assert_eq!(hash::<DefaultHasher>(&seq), hash::<DefaultHasher>(&flat[..]));
            assert_eq!(hash::<DefaultHasher>(&owned), hash::<DefaultHasher>(&flat[..]));
            assert_eq!(any.hash_one(seq), any.hash_one(&flat[..]));
            assert_eq!(hash::<Cut>(&seq), hash::<Cut>(&SequenceRef::from(&flat[..])));
            if len <= 256 {
                assert_eq!(hash::<Cut>(&seq), hash::<Cut>(&flat[..]));
            }
        }
    }
}

#[test]
fn text() {
    let valid = "aä€😀 z".repeat(3).into_bytes();
    for from in 0..valid.len() {
        for to in from..=valid.len() {
            let flat = &valid[from..to];
            let want = std::str::from_utf8(flat);
            for layout in layouts(flat) {
                let checked = layout.as_ref().check_utf8();
                let fault = want.map_err(|e| (e.valid_up_to(), e.error_len()));
                let got = checked.map_err(|e| (e.valid_up_to(), e.error_len()));
                assert_eq!(got, fault.map(|_| ()), "{flat:?} in {}", layout.name);
                assert_eq!(layout.as_ref().to_str().ok().as_deref(), want.ok());
                assert_eq!(layout.as_ref().to_str().err(), checked.err());
            }
        }
    }
    for flat in [&b"ab\xf0\x28\x8c\xbc"[..], b"\xed\xa0\x80", b"\xff", b"ok\xe2\x82(", b"\xc3\xc3"]
    {
        let want = std::str::from_utf8(flat).expect_err("not UTF-8");
        for layout in layouts(flat) {
            let fault = layout.as_ref().check_utf8().expect_err("not UTF-8");
            let got = (fault.valid_up_to(), fault.error_len());
            assert_eq!(got, (want.valid_up_to(), want.error_len()), "{flat:?} in {}", layout.name);
        }
    }
}

#[test]
fn pieces_for_the_kernel() {
    for_all(20, |layout, flat| {
        let seq = layout.as_ref();
        let all: Vec<u8> = seq.io_slices().flat_map(|piece| piece.to_vec()).collect();
        assert_eq!(all, flat);
        let mut few = [std::io::IoSlice::new(b"untouched"); 3];
        let filled = seq.fill_io_slices(&mut few);
        assert_eq!(filled, seq.segment_count().min(3));
        let want = seq.segments().take(3).flatten().copied().collect::<Vec<_>>();
        assert_eq!(few[..filled].iter().flat_map(|piece| piece.to_vec()).collect::<Vec<_>>(), want);
        assert!(few[filled..].iter().all(|piece| **piece == *b"untouched"));
    });
}

#[test]
fn debug_is_a_byte_string() {
    for layout in layouts(b"te\"xt\x00") {
        assert_eq!(format!("{:?}", layout.as_ref()), r#"b"te\"xt\x00""#);
        assert_eq!(format!("{:?}", layout.to_sequence()), r#"b"te\"xt\x00""#);
    }
    let list = aqueduct_sequence::SegmentList::from_iter([alone(b"a"), alone(b"b")]);
    assert_eq!(format!("{list:?}"), "b\"ab\"");
}
