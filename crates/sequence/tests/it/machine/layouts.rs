//! The same bytes in every way that they can lie.

use aqueduct_sequence::{Sequence, SequenceRef};
use aqueduct_slice::Slice;

/// Bytes in one layout.
pub struct Layout {
    pub name: &'static str,
    kind: Kind,
}

enum Kind {
    Flat(Vec<u8>),
    Owned(Sequence),
}

impl Layout {
    pub fn as_ref(&self) -> SequenceRef<'_> {
        match &self.kind {
            Kind::Flat(bytes) => SequenceRef::from(&bytes[..]),
            Kind::Owned(sequence) => sequence.as_ref(),
        }
    }

    pub fn to_sequence(&self) -> Sequence {
        self.as_ref().to_sequence()
    }
}

/// A slice with a block of its own, which joins no other.
pub fn alone(bytes: &[u8]) -> Slice {
    Slice::from_owner(bytes.to_vec())
}

/// Pieces of these lengths, over and over, each in a block of its own; zero is an empty slice.
pub fn pieces(bytes: &[u8], lengths: &[usize]) -> Sequence {
    let mut rest = bytes;
    let mut lengths = lengths.iter().cycle();
    let mut slices = Vec::new();
    while !rest.is_empty() {
        let at = lengths.next().copied().unwrap_or(1).min(rest.len());
        let (piece, behind) = rest.split_at(at);
        slices.push(alone(piece));
        rest = behind;
    }
    Sequence::from_iter(slices)
}

/// Pieces of one block, in which they lie back to front, so that none continues another.
pub fn block(bytes: &[u8]) -> Sequence {
    let backwards: Vec<u8> = bytes.rchunks(4).flatten().copied().collect();
    let block = Slice::from(backwards);
    let mut parts: Vec<Slice> = Vec::new();
    let mut at = 0;
    for chunk in bytes.rchunks(4) {
        parts.push(block.slice_shared(at..at + chunk.len()));
        at += chunk.len();
    }
    Sequence::from_iter(parts.into_iter().rev())
}

/// The six layouts.
pub fn layouts(bytes: &[u8]) -> Vec<Layout> {
    let owned = |name, sequence| Layout { name, kind: Kind::Owned(sequence) };
    vec![
        Layout { name: "array", kind: Kind::Flat(bytes.to_vec()) },
        owned("one segment", pieces(bytes, &[bytes.len().max(1)])),
        owned("many segments", pieces(bytes, &[3, 5, 1, 8])),
        owned("segments of one byte", pieces(bytes, &[1])),
        owned("with empty ones", pieces(bytes, &[0, 4, 0, 0, 2])),
        owned("one block", block(bytes)),
    ]
}

#[test]
fn layouts_lie_as_they_say() {
    let bytes: Vec<u8> = (0..50).collect();
    let all = layouts(&bytes);
    let counts: Vec<_> = all.iter().map(|layout| layout.as_ref().segment_count()).collect();
    assert_eq!(counts, [1, 1, 12, 50, 17, 13]);
    for layout in all {
        assert_eq!(layout.as_ref(), bytes, "{}", layout.name);
        assert!(layout.as_ref().segments().all(|piece| !piece.is_empty()), "{}", layout.name);
    }
}
