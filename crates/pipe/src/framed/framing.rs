//! [`Framing`]: how a stream is cut into frames.

use super::{FrameFault, FramingError};
use aqueduct_sequence::{Prefix, SequenceRef};
use aqueduct_slice::Slice;

/// How a stream of bytes is cut into frames, and how large one may be.
///
/// The largest frame is part of every rule and has no default: what a stranger claims is believed up
/// to there, and nothing is allocated or waited for beyond. It counts what is in the frame, without
/// prefix or delimiter.
///
/// ```
/// use aqueduct_pipe::Framing;
/// use aqueduct_sequence::Prefix;
///
/// let message = Framing::prefixed(Prefix::U24Be, 1 << 20)?;
/// let line = Framing::delimited(b"\r\n", 8000)?;
/// let sample = Framing::fixed(64)?;
/// assert!(Framing::prefixed(Prefix::Leb128, 0).is_err());
/// # Ok::<(), aqueduct_pipe::FramingError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Framing {
    pub(super) rule: Rule,
    /// Bytes of the largest frame: at least one, and with [`overhead`](Self::overhead) at most
    /// [`MOST`], so that no sum of the three overflows.
    pub(super) most: usize,
}

#[derive(Clone, Debug)]
pub(super) enum Rule {
    /// A length, which counts itself or not, and so many bytes.
    Prefixed { prefix: Prefix, inclusive: bool },
    /// All up to these bytes, of which there is at least one.
    Delimited(Slice),
    /// As many bytes as the largest frame has.
    Fixed,
}

/// No memory has more.
const MOST: usize = isize::MAX.cast_unsigned();

impl Framing {
    /// A length as `prefix` says, and so many bytes behind it: at most `most`, and at most what the
    /// prefix can say.
    ///
    /// # Errors
    ///
    /// [`FramingError::Nothing`] when `most` is zero.
    pub fn prefixed(prefix: Prefix, most: usize) -> Result<Self, FramingError> {
        Self::new(Rule::Prefixed { prefix, inclusive: false }, most)
    }

    /// As [`prefixed`](Self::prefixed), with a length that counts the prefix, too. `most` does not.
    ///
    /// # Errors
    ///
    /// [`FramingError::Nothing`] when `most` is zero, [`FramingError::Variable`] when the prefix has no
    /// fixed width.
    pub fn prefixed_inclusive(prefix: Prefix, most: usize) -> Result<Self, FramingError> {
        match prefix.width() {
            Some(_) => Self::new(Rule::Prefixed { prefix, inclusive: true }, most),
            None => Err(FramingError::Variable),
        }
    }

    /// All bytes up to the next `delimiter`, which is no part of the frame: at most `most`.
    ///
    /// # Errors
    ///
    /// [`FramingError::Nothing`] when `most` is zero, or the delimiter has no bytes.
    pub fn delimited(delimiter: impl AsRef<[u8]>, most: usize) -> Result<Self, FramingError> {
        match delimiter.as_ref() {
            [] => Err(FramingError::Nothing),
            bytes => Self::new(Rule::Delimited(Slice::copy_from_slice(bytes)), most),
        }
    }

    /// Frames of exactly `size` bytes.
    ///
    /// # Errors
    ///
    /// [`FramingError::Nothing`] when `size` is zero.
    pub fn fixed(size: usize) -> Result<Self, FramingError> {
        Self::new(Rule::Fixed, size)
    }

    fn new(rule: Rule, most: usize) -> Result<Self, FramingError> {
        if most == 0 {
            return Err(FramingError::Nothing);
        }
        let mut framing = Self { rule, most };
        let said = match framing.rule {
            Rule::Prefixed { prefix, inclusive: false } => prefix.largest(),
            Rule::Prefixed { prefix, inclusive: true } => {
                prefix.largest() - prefix.width().unwrap_or(0) as u64
            }
            Rule::Delimited(_) | Rule::Fixed => u64::MAX,
        };
        let said = usize::try_from(said).unwrap_or(usize::MAX);
        framing.most = most.min(said).min(MOST - framing.overhead());
        Ok(framing)
    }

    /// Bytes of the largest frame.
    #[must_use]
    pub fn most(&self) -> usize {
        self.most
    }

    /// The most bytes that stand before and behind a frame.
    pub(super) fn overhead(&self) -> usize {
        match &self.rule {
            Rule::Prefixed { prefix, .. } => prefix.width().unwrap_or(Prefix::LONGEST),
            Rule::Delimited(delimiter) => delimiter.len(),
            Rule::Fixed => 0,
        }
    }

    /// The most bytes that a frame takes in the pipe.
    pub(super) fn largest(&self) -> usize {
        self.overhead() + self.most
    }

    /// What stands behind each frame.
    pub(super) fn tail(&self) -> &[u8] {
        if let Rule::Delimited(delimiter) = &self.rule { delimiter } else { &[] }
    }

    /// Writes what stands before a frame of `len` bytes to the front of `to`, in `least` bytes or
    /// more, and says how many they are; `None` when `to` is too short. `len` was checked.
    pub(super) fn head(&self, len: usize, least: usize, to: &mut [u8]) -> Option<usize> {
        let Rule::Prefixed { prefix, inclusive } = self.rule else { return Some(0) };
        let own = if inclusive { prefix.width().unwrap_or(0) } else { 0 };
        prefix.encode((len + own) as u64, least, to)
    }

    /// How many bytes stand before a frame of `len` bytes. `len` was checked.
    pub(super) fn head_len(&self, len: usize) -> usize {
        self.head(len, 0, &mut [0; Prefix::LONGEST]).unwrap_or(0)
    }

    /// Whether a frame may have so many bytes.
    pub(super) fn check_len(&self, len: usize) -> Result<(), FrameFault> {
        let (given, most) = (len as u64, self.most as u64);
        match self.rule {
            Rule::Fixed if given != most => Err(FrameFault::WrongSize { given, size: most }),
            _ if given > most => Err(FrameFault::TooLarge { len: given, most }),
            _ => Ok(()),
        }
    }

    /// Whether this may be written as one frame, and is read as the same.
    pub(super) fn check(&self, frame: SequenceRef<'_>) -> Result<(), FrameFault> {
        self.check_len(frame.len())?;
        let Rule::Delimited(delimiter) = &self.rule else { return Ok(()) };
        match frame.find_slice(delimiter).or_else(|| find_early(frame, delimiter)) {
            Some(at) => Err(FrameFault::Delimiter { at: at as u64 }),
            None => Ok(()),
        }
    }
}

/// Where the delimiter would be found early, that is begin in the frame and end in what follows it:
/// possible where it ends as it begins, such as "--" behind a frame that ends with "-".
fn find_early(frame: SequenceRef<'_>, delimiter: &[u8]) -> Option<usize> {
    let (frame_len, len) = (frame.len(), delimiter.len());
    let early = |inside: &usize| {
        delimiter[*inside..] == delimiter[..len - inside] && frame.ends_with(&delimiter[..*inside])
    };
    (1..len).rev().find(early).map(|inside| frame_len - inside)
}
