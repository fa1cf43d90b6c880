//! Reading up to what ends a part.

use super::SequenceReader;
use crate::{ReadError, ReadFault, SequenceRef};
use memchr::memchr2;

/// What ends a part of a sequence, and how far to search for it.
///
/// ```
/// use aqueduct_sequence::{Delimiter, SequenceRef};
///
/// let mut reader = SequenceRef::from(br#"say \"hi\"" rest"#).reader();
/// let quoted = Delimiter::escaped(b'"', b'\\').within(100);
/// assert_eq!(reader.read_to(quoted)?, br#"say \"hi\""#);
/// assert_eq!(reader.read_rest(), b" rest");
/// # Ok::<(), aqueduct_sequence::ReadError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Delimiter<'d> {
    kind: Kind<'d>,
    most: usize,
}

#[derive(Clone, Copy, Debug)]
enum Kind<'d> {
    Byte(u8),
    Any(&'d [u8]),
    Pattern(&'d [u8]),
    Escaped { byte: u8, escape: u8 },
}

impl<'d> Delimiter<'d> {
    const fn new(kind: Kind<'d>) -> Self {
        Self { kind, most: usize::MAX }
    }

    /// One byte. `u8` converts into it.
    #[must_use]
    pub const fn byte(byte: u8) -> Self {
        Self::new(Kind::Byte(byte))
    }

    /// Any one of these bytes.
    #[must_use]
    pub const fn any(bytes: &'d [u8]) -> Self {
        Self::new(Kind::Any(bytes))
    }

    /// All of these bytes in a row. `&[u8]` and references to arrays convert into it. An empty one
    /// is found at once, and reads nothing.
    #[must_use]
    pub const fn pattern(bytes: &'d [u8]) -> Self {
        Self::new(Kind::Pattern(bytes))
    }

    /// A byte, but not where an escape stands before it that is not itself escaped: an odd run of
    /// escapes hides it, an even one does not. Escapes stay in what is read. An escape that equals
    /// the byte hides nothing.
    #[must_use]
    pub const fn escaped(byte: u8, escape: u8) -> Self {
        Self::new(Kind::Escaped { byte, escape })
    }

    /// The same, with at most so many bytes before it.
    #[must_use]
    pub const fn within(self, most: usize) -> Self {
        Self { most, ..self }
    }

    const fn len(&self) -> usize {
        match self.kind {
            Kind::Pattern(bytes) => bytes.len(),
            _ => 1,
        }
    }

    fn find(&self, bytes: SequenceRef<'_>) -> Option<usize> {
        match self.kind {
            Kind::Byte(byte) => bytes.find(byte),
            Kind::Any(any) => bytes.find_any(any),
            Kind::Pattern(pattern) => bytes.find_slice(pattern),
            Kind::Escaped { byte, escape } => find_escaped(bytes, byte, escape),
        }
    }
}

impl From<u8> for Delimiter<'_> {
    fn from(byte: u8) -> Self {
        Self::byte(byte)
    }
}

impl<'d> From<&'d [u8]> for Delimiter<'d> {
    fn from(pattern: &'d [u8]) -> Self {
        Self::pattern(pattern)
    }
}

impl<'d, const N: usize> From<&'d [u8; N]> for Delimiter<'d> {
    fn from(pattern: &'d [u8; N]) -> Self {
        Self::pattern(pattern)
    }
}

fn find_escaped(bytes: SequenceRef<'_>, byte: u8, escape: u8) -> Option<usize> {
    let mut rest = bytes;
    loop {
        let at = rest.find_with(|piece| memchr2(byte, escape, piece))?;
        if rest.get(at) == Some(byte) {
            return Some(bytes.len() - rest.len() + at);
        }
        // Past the escape and what it hides.
        rest = rest.window((at + 2).min(rest.len()), rest.len());
    }
}

impl<'a> SequenceReader<'a> {
    /// What lies before the delimiter; moves behind it.
    ///
    /// # Errors
    ///
    /// [`ReadFault::NotFound`] when it is not there, [`ReadFault::TooLong`] when more bytes lie
    /// before it than its maximum allows.
    pub fn read_to<'d>(
        &mut self,
        delimiter: impl Into<Delimiter<'d>>,
    ) -> Result<SequenceRef<'a>, ReadError> {
        let delimiter = delimiter.into();
        let at = self.locate(&delimiter)?;
        let read = self.unread.window(0, at);
        self.skip(at + delimiter.len());
        Ok(read)
    }

    /// What lies before the delimiter, which stays next.
    ///
    /// # Errors
    ///
    /// [`ReadFault::NotFound`] when it is not there, [`ReadFault::TooLong`] when more bytes lie
    /// before it than its maximum allows.
    pub fn read_up_to<'d>(
        &mut self,
        delimiter: impl Into<Delimiter<'d>>,
    ) -> Result<SequenceRef<'a>, ReadError> {
        let at = self.locate(&delimiter.into())?;
        self.read_slice(at)
    }

    fn locate(&self, delimiter: &Delimiter<'_>) -> Result<usize, ReadError> {
        let (left, most) = (self.remaining(), delimiter.most);
        let enough = most.saturating_add(delimiter.len());
        match delimiter.find(self.unread.window(0, left.min(enough))) {
            Some(at) => Ok(at),
            None if left < enough => Err(self.refuse(ReadFault::NotFound { searched: left })),
            None => Err(self.refuse(ReadFault::TooLong { claimed: enough as u64, most })),
        }
    }

    /// The bytes up to the first for which `goes_on` says no; all that is left, if there is none.
    #[must_use = "the bytes are lost otherwise"]
    pub fn read_while(&mut self, mut goes_on: impl FnMut(u8) -> bool) -> SequenceRef<'a> {
        let at = self.unread.find_by(|byte| !goes_on(byte)).unwrap_or(self.remaining());
        let read = self.unread.window(0, at);
        self.skip(at);
        read
    }

    /// Moves past all bytes that equal `byte`. Gives how many there were.
    pub fn advance_past(&mut self, byte: u8) -> usize {
        self.read_while(|next| next == byte).len()
    }

    /// Moves past all bytes that are among `bytes`. Gives how many there were.
    pub fn advance_past_any(&mut self, bytes: &[u8]) -> usize {
        self.read_while(|next| bytes.contains(&next)).len()
    }

    /// Whether these bytes come next. None always do.
    #[must_use]
    pub fn is_next<'p>(&self, bytes: impl Into<SequenceRef<'p>>) -> bool {
        self.unread.starts_with(bytes)
    }

    /// Moves past these bytes if they come next, and says whether they did.
    pub fn advance_if_next<'p>(&mut self, bytes: impl Into<SequenceRef<'p>>) -> bool {
        let bytes = bytes.into();
        let next = self.is_next(bytes);
        if next {
            self.skip(bytes.len());
        }
        next
    }
}
