//! Size classes: a power of two, and a bit for a header.

/// Classes that a pool can have; lists stand in arrays of this many.
pub(crate) const MAX: usize = if cfg!(aqueduct_loom) { 4 } else { 32 };

/// The number of a size class, below [`MAX`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Class(u8);

impl Class {
    /// The class of this number.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, reason = "masked to five bits")]
    pub(crate) const fn from_bits(bits: u32) -> Self {
        Self((bits % MAX as u32) as u8)
    }

    /// An index into an array of [`MAX`], known to be in bounds.
    #[inline(always)]
    pub(crate) const fn index(self) -> usize {
        self.0 as usize % MAX
    }
}

/// The classes of a pool: `smallest << i` bytes plus `extra`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Classes {
    shift: u32,
    count: u32,
    /// The bytes beyond the power of two, and one: what a length is compared with.
    beyond: usize,
}

impl Classes {
    /// Classes from `smallest` to `largest`, powers of two of which there are at most [`MAX`], each
    /// with `extra` bytes more.
    pub(crate) fn new(smallest: usize, largest: usize, extra: usize) -> Self {
        let (shift, top) = (smallest.trailing_zeros(), largest.trailing_zeros());
        Self { shift, count: top - shift + 1, beyond: extra + 1 }
    }

    /// The smallest class whose blocks hold `len` bytes; none when `len` is above the largest.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, reason = "compared with the count before")]
    pub(crate) fn of(&self, len: usize) -> Option<Class> {
        let above = len.saturating_sub(self.beyond) >> self.shift;
        // The number of bits of `above`, without a case for zero.
        let class = (above << 1 | 1).ilog2();
        (class < self.count).then_some(Class(class as u8))
    }

    /// Bytes of data in a block of `class`.
    #[inline(always)]
    pub(crate) fn capacity(&self, class: Class) -> usize {
        (1 << (self.shift + u32::from(class.0))) + self.beyond - 1
    }

    /// Bytes of the largest block.
    pub(crate) fn largest(&self) -> usize {
        (1 << (self.shift + self.count - 1)) + self.beyond - 1
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = Class> + use<> {
        (0..self.count).map(Class::from_bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aqueduct_testkit::stride;

    #[test]
    fn the_smallest_class_that_holds_it() {
        let classes = Classes::new(256, 1 << 20, 64);
        for len in
            (0..5000).step_by(stride(97)).chain([65_535, 65_536, 65_600, 65_601, (1 << 20) + 64])
        {
            let class = classes.of(len).unwrap();
            assert!(classes.capacity(class) >= len);
            let below = classes.all().take_while(|&c| c != class).last();
            assert!(below.is_none_or(|below| classes.capacity(below) < len), "{len}");
        }
        for len in [(1 << 20) + 65, usize::MAX / 2, usize::MAX] {
            assert_eq!(classes.of(len), None);
        }
        assert_eq!(classes.largest(), (1 << 20) + 64);
    }
}
