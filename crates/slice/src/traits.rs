//! What a handle has in common with the `[u8]` or `str` that it derefs to: equality, order, hash.

use crate::{LocalSlice, Slice, SliceMut, Str};
use alloc::{string::String, vec::Vec};
use core::{
    borrow::{Borrow, BorrowMut},
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    ops::Deref,
    panic::{RefUnwindSafe, UnwindSafe},
};

macro_rules! as_target {
    ($handle:ty, $target:ty $(, $other:ty)*) => {
        impl Eq for $handle {}

        impl PartialEq for $handle {
            #[inline]
            fn eq(&self, other: &Self) -> bool {
                **self == **other
            }
        }

        impl PartialOrd for $handle {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $handle {
            fn cmp(&self, other: &Self) -> Ordering {
                (**self).cmp(&**other)
            }
        }

        impl Hash for $handle {
            fn hash<H: Hasher>(&self, state: &mut H) {
                (**self).hash(state);
            }
        }

        as_target!(@other $handle: $target, $($other),*);
        impl PartialEq<&$target> for $handle {
            fn eq(&self, other: &&$target) -> bool {
                **self == **other
            }
        }
        impl PartialEq<$handle> for &$target {
            fn eq(&self, other: &$handle) -> bool {
                **self == **other
            }
        }
    };
    (@other $handle:ty: $($other:ty),*) => {
        $(impl PartialEq<$other> for $handle {
            fn eq(&self, other: &$other) -> bool {
                **self == other[..]
            }
        }
        impl PartialEq<$handle> for $other {
            fn eq(&self, other: &$handle) -> bool {
                self[..] == **other
            }
        })*
    };
}

as_target!(Slice, [u8], Vec<u8>);
as_target!(SliceMut, [u8], Vec<u8>);
as_target!(LocalSlice, [u8], Vec<u8>);
as_target!(Str, str, String);

macro_rules! as_bytes {
    ($($handle:ty),*) => {$(
        impl AsRef<[u8]> for $handle {
            #[inline]
            fn as_ref(&self) -> &[u8] {
                self
            }
        }

        impl Borrow<[u8]> for $handle {
            fn borrow(&self) -> &[u8] {
                self
            }
        }

        impl<const N: usize> PartialEq<[u8; N]> for $handle {
            fn eq(&self, other: &[u8; N]) -> bool {
                **self == other[..]
            }
        }

        impl<const N: usize> PartialEq<&[u8; N]> for $handle {
            fn eq(&self, other: &&[u8; N]) -> bool {
                **self == other[..]
            }
        }

        impl fmt::Debug for $handle {
            /// As a byte string: `b"text\x00"`.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "b\"{}\"", self.escape_ascii())
            }
        }

        impl<'a> IntoIterator for &'a $handle {
            type Item = &'a u8;
            type IntoIter = core::slice::Iter<'a, u8>;

            fn into_iter(self) -> Self::IntoIter {
                self.iter()
            }
        }
    )*};
}

as_bytes!(Slice, SliceMut, LocalSlice);

impl Deref for Slice {
    type Target = [u8];

    #[inline(always)]
    fn deref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl Deref for LocalSlice {
    type Target = [u8];

    #[inline(always)]
    fn deref(&self) -> &[u8] {
        self.as_slice()
    }
}

// A panic leaves the bytes as they are: nobody writes to what is shared, and what is one's own is bytes in any
// state. The counts are moved on by single steps.
impl UnwindSafe for Slice {}
impl RefUnwindSafe for Slice {}
impl UnwindSafe for SliceMut {}
impl RefUnwindSafe for SliceMut {}

impl AsMut<[u8]> for SliceMut {
    fn as_mut(&mut self) -> &mut [u8] {
        self
    }
}

impl BorrowMut<[u8]> for SliceMut {
    fn borrow_mut(&mut self) -> &mut [u8] {
        self
    }
}

impl<'a> Extend<&'a u8> for SliceMut {
    fn extend<I: IntoIterator<Item = &'a u8>>(&mut self, bytes: I) {
        self.extend(bytes.into_iter().copied());
    }
}

impl FromIterator<u8> for SliceMut {
    fn from_iter<I: IntoIterator<Item = u8>>(bytes: I) -> Self {
        let mut buffer = Self::new();
        buffer.extend(bytes);
        buffer
    }
}

impl FromIterator<u8> for Slice {
    fn from_iter<I: IntoIterator<Item = u8>>(bytes: I) -> Self {
        SliceMut::from_iter(bytes).freeze()
    }
}
