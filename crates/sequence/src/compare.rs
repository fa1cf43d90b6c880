//! Equality, order and hash as bytes: how they are cut into segments never shows.

use crate::{Sequence, SequenceRef};
use alloc::vec::Vec;
use aqueduct_base::copy;
use aqueduct_slice::Slice;
use core::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
};

/// Bytes given to a hasher at once.
const HASHED: usize = 256;

impl SequenceRef<'_> {
    /// Whether it begins with these bytes.
    #[must_use]
    pub fn starts_with<'p>(self, prefix: impl Into<SequenceRef<'p>>) -> bool {
        self.has_prefix(prefix.into())
    }

    /// Whether it ends with these bytes.
    #[must_use]
    pub fn ends_with<'p>(self, suffix: impl Into<SequenceRef<'p>>) -> bool {
        let suffix = suffix.into();
        let from = self.len().checked_sub(suffix.len());
        from.is_some_and(|from| self.window(from, self.len()) == suffix)
    }

    pub(crate) fn has_prefix(mut self, mut prefix: SequenceRef<'_>) -> bool {
        if prefix.len() > self.len() {
            return false;
        }
        while !prefix.is_empty() {
            let common = self.head.len().min(prefix.head.len());
            if self.head[..common] != prefix.head[..common] {
                return false;
            }
            self.skip_in_head(common);
            prefix.skip_in_head(common);
        }
        true
    }

    fn compare(mut self, mut other: SequenceRef<'_>) -> Ordering {
        loop {
            let common = self.head.len().min(other.head.len());
            if common == 0 {
                return self.len().cmp(&other.len());
            }
            match self.head[..common].cmp(&other.head[..common]) {
                Ordering::Equal => {}
                unequal => return unequal,
            }
            self.skip_in_head(common);
            other.skip_in_head(common);
        }
    }
}

impl Eq for SequenceRef<'_> {}

impl PartialEq for SequenceRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.compare(*other) == Ordering::Equal
    }
}

impl PartialOrd for SequenceRef<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SequenceRef<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.compare(*other)
    }
}

impl Hash for SequenceRef<'_> {
    /// Equal bytes have equal hashes, with any hasher and however they lie in segments. The hash
    /// equals that of the same `[u8]` up to 256 bytes; beyond that with hashers to which it is one
    /// how bytes are cut into writes, as it is to std's.
    ///
    /// What lies across the end of a segment is put together on the stack, and counted as copied.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let mut rest = *self;
        state.write_usize(rest.len());
        while !rest.is_empty() {
            let count = rest.len().min(HASHED);
            if count <= rest.head.len() {
                state.write(&rest.head[..count]);
                rest.skip_in_head(count);
                continue;
            }
            let mut block = [0; HASHED];
            let mut filled = 0;
            while filled < count {
                let here = rest.head.len().min(count - filled);
                copy(&mut block[filled..filled + here], &rest.head[..here]);
                rest.skip_in_head(here);
                filled += here;
            }
            state.write(&block[..count]);
        }
    }
}

impl fmt::Debug for SequenceRef<'_> {
    /// As one byte string: `b"text\x00"`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("b\"")?;
        self.segments().try_for_each(|piece| write!(f, "{}", piece.escape_ascii()))?;
        f.write_str("\"")
    }
}

impl Eq for Sequence {}

impl PartialEq for Sequence {
    fn eq(&self, other: &Self) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl PartialOrd for Sequence {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Sequence {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_ref().compare(other.as_ref())
    }
}

impl Hash for Sequence {
    /// As [`SequenceRef`]'s.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_ref().hash(state);
    }
}

impl fmt::Debug for Sequence {
    /// As one byte string: `b"text\x00"`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl PartialEq<SequenceRef<'_>> for Sequence {
    fn eq(&self, other: &SequenceRef<'_>) -> bool {
        self.as_ref() == *other
    }
}

impl PartialEq<Sequence> for SequenceRef<'_> {
    fn eq(&self, other: &Sequence) -> bool {
        *self == other.as_ref()
    }
}

macro_rules! equals {
    ($([$($generic:tt)*] $flat:ty),*) => {$(
        impl<$($generic)*> PartialEq<$flat> for Sequence {
            fn eq(&self, other: &$flat) -> bool {
                self.as_ref() == SequenceRef::from(&other[..])
            }
        }

        impl<$($generic)*> PartialEq<$flat> for SequenceRef<'_> {
            fn eq(&self, other: &$flat) -> bool {
                *self == SequenceRef::from(&other[..])
            }
        }
    )*};
}

equals!([] [u8], [] &[u8], [] Vec<u8>, [] Slice, [const N: usize] [u8; N], [const N: usize] &[u8; N]);
