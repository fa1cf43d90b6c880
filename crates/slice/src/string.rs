//! [`Str`]: a slice known to be UTF-8.

use crate::{Slice, Utf8Error, error::resolve};
use alloc::string::String;
use core::{borrow::Borrow, fmt, ops::Deref, ops::RangeBounds, str};

/// A [`Slice`] known to be UTF-8: a string that is cheap to clone, to slice and to send, and that
/// lives in the handle when it is short.
///
/// ```
/// use aqueduct_slice::{Slice, Str};
///
/// let line = Slice::from_static(b"content-type: text/plain");
/// let name = Str::from_utf8(line.slice(..12))?;
/// assert_eq!(name, "content-type");
/// # Ok::<(), aqueduct_slice::Utf8Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Str {
    // Invariant 1: these bytes are UTF-8. They cannot change.
    slice: Slice,
}

impl Str {
    /// An empty string.
    #[must_use]
    pub const fn new() -> Self {
        Self { slice: Slice::new() }
    }

    /// A static string, without a count.
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        Self { slice: Slice::from_static(text.as_bytes()) }
    }

    /// Checks `slice`, in linear time, and takes it over without copying.
    ///
    /// # Errors
    ///
    /// [`Utf8Error`], with the slice and the place of the first fault.
    pub fn from_utf8(slice: Slice) -> Result<Self, Utf8Error> {
        match str::from_utf8(&slice) {
            Ok(_) => Ok(Self { slice }),
            Err(error) => Err(Utf8Error { slice, error }),
        }
    }

    /// The text.
    #[must_use]
    #[inline]
    pub fn as_str(&self) -> &str {
        // SAFETY: checked when it was made (1).
        unsafe { str::from_utf8_unchecked(&self.slice) }
    }

    /// The text of `range`, as [`Slice::slice`]. Constant time.
    ///
    /// # Panics
    ///
    /// When `range` does not lie within the text, or cuts a character.
    #[must_use]
    pub fn slice(&self, range: impl RangeBounds<usize>) -> Self {
        let (start, end) = match resolve(range, self.slice.len()) {
            Ok(range) => range,
            Err(refused) => refused.raise(),
        };
        // Panics where this is no boundary, so (1) holds for the part.
        let _ = &self.as_str()[start..end];
        Self { slice: self.slice.slice(start..end) }
    }

    /// The bytes of the text.
    #[must_use]
    pub fn into_slice(self) -> Slice {
        self.slice
    }
}

impl Deref for Str {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Str {
    fn as_ref(&self) -> &str {
        self
    }
}

impl AsRef<[u8]> for Str {
    fn as_ref(&self) -> &[u8] {
        &self.slice
    }
}

impl Borrow<str> for Str {
    fn borrow(&self) -> &str {
        self
    }
}

impl From<&str> for Str {
    /// Copies the text; inline when it is short.
    fn from(text: &str) -> Self {
        Self { slice: Slice::copy_from_slice(text.as_bytes()) }
    }
}

impl From<String> for Str {
    /// Takes the string over, without copying.
    fn from(text: String) -> Self {
        Self { slice: Slice::from(text) }
    }
}

impl TryFrom<Slice> for Str {
    type Error = Utf8Error;

    fn try_from(slice: Slice) -> Result<Self, Utf8Error> {
        Self::from_utf8(slice)
    }
}

impl From<Str> for Slice {
    fn from(text: Str) -> Self {
        text.slice
    }
}

impl fmt::Display for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

impl fmt::Debug for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
