//! UTF-8 across segments.

use crate::SequenceRef;
use alloc::{borrow::Cow, string::String};
use core::{error::Error, fmt, str};

/// The bytes of the longest character.
const LONGEST: usize = 4;

/// Bytes that are not UTF-8, with the place of the first fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotUtf8 {
    at: usize,
    len: Option<usize>,
}

impl NotUtf8 {
    /// Where the first fault is: all before it is UTF-8.
    #[must_use]
    pub const fn valid_up_to(&self) -> usize {
        self.at
    }

    /// How many bytes are wrong; `None` when a character is cut off by the end.
    #[must_use]
    pub const fn error_len(&self) -> Option<usize> {
        self.len
    }
}

impl fmt::Display for NotUtf8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.len {
            Some(len) => write!(f, "{len} bytes that are not UTF-8, at {}", self.at),
            None => write!(f, "a character cut off by the end, at {}", self.at),
        }
    }
}

impl Error for NotUtf8 {}

impl<'a> SequenceRef<'a> {
    /// Whether all of it is UTF-8. A character may lie in several segments. Linear; copies nothing.
    ///
    /// # Errors
    ///
    /// [`NotUtf8`] with the place of the first fault, as std's check of the same bytes in one piece
    /// would find it.
    pub fn check_utf8(self) -> Result<(), NotUtf8> {
        let mut rest = self;
        while !rest.is_empty() {
            let Err(fault) = str::from_utf8(rest.head) else {
                rest.skip_head();
                continue;
            };
            // Wrong, or cut by the end of the segment: what the next bytes say, from as many segments
            // as a character may lie in.
            rest = rest.window(fault.valid_up_to(), rest.len());
            let at = self.len() - rest.len();
            let mut character = [0; LONGEST];
            let pieces = rest.segments().flatten();
            let filled = character.iter_mut().zip(pieces).map(|(to, from)| *to = *from).count();
            rest = rest.window(checked(&character[..filled], at)?, rest.len());
        }
        Ok(())
    }

    /// The text, borrowed when it lies in one segment, else copied, and counted.
    ///
    /// # Errors
    ///
    /// [`NotUtf8`] with the place of the first fault.
    pub fn to_str(self) -> Result<Cow<'a, str>, NotUtf8> {
        let fault =
            |fault: str::Utf8Error| NotUtf8 { at: fault.valid_up_to(), len: fault.error_len() };
        match self.to_contiguous() {
            Cow::Borrowed(bytes) => str::from_utf8(bytes).map(Cow::Borrowed).map_err(fault),
            Cow::Owned(bytes) => match String::from_utf8(bytes) {
                Ok(text) => Ok(Cow::Owned(text)),
                Err(refused) => Err(fault(refused.utf8_error())),
            },
        }
    }
}

/// How many of these bytes, which begin with a character, are UTF-8: at least that character.
fn checked(bytes: &[u8], at: usize) -> Result<usize, NotUtf8> {
    match str::from_utf8(bytes) {
        Ok(_) => Ok(bytes.len()),
        Err(fault) if fault.valid_up_to() > 0 => Ok(fault.valid_up_to()),
        Err(fault) => Err(NotUtf8 { at, len: fault.error_len() }),
    }
}
