//! [`LocalSlice`]: a plain count for one thread.

use crate::{
    RangeError, Slice,
    error::resolve,
    group,
    raw::{INLINE, Raw, into_raw},
};
use core::{marker::PhantomData, ops::RangeBounds};

/// A slice whose handles count without atomics, for work within one thread.
///
/// A unique [`Slice`] becomes one with [`Slice::into_local`]; from then on its clones are a *local
/// group*, which holds one shared count together. [`to_shared`](Self::to_shared) makes a `Slice`
/// again, for another thread or for keeps.
///
/// ```
/// use aqueduct_slice::Slice;
///
/// let slice = Slice::from(vec![1; 100]);
/// let local = slice.into_local().expect("no other handle");
/// let part = local.slice(10..90); // no atomic
/// assert_eq!(part.len(), 80);
/// let shared = local.to_shared();
/// std::thread::spawn(move || assert_eq!(shared.len(), 100));
/// ```
///
/// ```compile_fail,E0277
/// let local = aqueduct_slice::Slice::new().into_local().unwrap();
/// std::thread::spawn(move || drop(local));
/// ```
pub struct LocalSlice {
    pub(crate) raw: Raw,
    /// The count in the group is no atomic.
    pub(crate) not_send: PhantomData<*const ()>,
}

impl LocalSlice {
    pub(crate) fn from_unique(slice: Slice) -> Result<Self, Slice> {
        if slice.raw.header().is_some() && !slice.raw.is_unique() {
            return Err(slice);
        }
        let raw = into_raw!(slice);
        group::found(&raw);
        Ok(Self { raw, not_send: PhantomData })
    }

    /// Bytes in the slice.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.as_slice().len()
    }

    /// Whether there are none.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes.
    #[must_use]
    #[inline(always)]
    pub fn as_slice(&self) -> &[u8] {
        self.raw.as_slice()
    }

    /// The bytes of `range`: inline when they are few, else one more handle of the group. Constant
    /// time, no atomic.
    ///
    /// # Panics
    ///
    /// When `range` does not lie within the slice.
    #[must_use]
    #[inline]
    pub fn slice(&self, range: impl RangeBounds<usize>) -> Self {
        self.try_slice(range).unwrap_or_else(|refused| refused.raise())
    }

    /// As [`slice`](Self::slice), without a panic.
    ///
    /// # Errors
    ///
    /// [`RangeError`] when `range` does not lie within the slice.
    #[inline]
    pub fn try_slice(&self, range: impl RangeBounds<usize>) -> Result<Self, RangeError> {
        let (start, end) = resolve(range, self.len())?;
        let raw = if self.raw.is_inline() || end - start <= INLINE {
            self.raw.part(start, end)
        } else {
            group::join(&self.raw);
            self.raw.narrowed(start, end - start)
        };
        Ok(Self { raw, not_send: PhantomData })
    }

    /// A [`Slice`] of the same bytes, with a shared count of its own. Constant time, one atomic.
    #[must_use]
    pub fn to_shared(&self) -> Slice {
        Slice { raw: self.raw.duplicate() }
    }
}

impl Clone for LocalSlice {
    #[inline]
    fn clone(&self) -> Self {
        group::join(&self.raw);
        Self { raw: self.raw, not_send: PhantomData }
    }
}

impl Drop for LocalSlice {
    #[inline]
    fn drop(&mut self) {
        group::leave(self);
    }
}
