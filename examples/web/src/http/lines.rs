//! Where a head ends.

use super::status::{BAD, Fault};
use aqueduct::SequenceRef;
use memchr::memchr;

/// A search for the empty line at the end of a section of lines, which goes on where it stopped when
/// there was no more: each byte is looked at once, however they come.
///
/// A line ends in CR LF. A LF alone is refused: others would take it for an end, too, or not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lines {
    /// Bytes that were searched.
    pub(crate) searched: usize,
    /// How many of them belong to the line at hand.
    line: usize,
    /// Whether the last of them is a CR.
    cr: bool,
    /// Whether an empty line may come now without being the end.
    lenient: bool,
    /// Bytes of the empty line in front of a head.
    pub(crate) blank: usize,
}

impl Lines {
    /// For a head, in front of which some clients send an empty line.
    pub(crate) const HEAD: Self = Self { searched: 0, line: 0, cr: false, lenient: true, blank: 0 };
    /// For what follows a body in chunks.
    pub(crate) const TRAILERS: Self = Self { lenient: false, ..Self::HEAD };

    /// Bytes up to the end of the empty line, if it is in `bytes`; those of the last call are still at
    /// their front. Linear in what is new.
    pub(crate) fn end(&mut self, bytes: SequenceRef<'_>) -> Result<Option<usize>, Fault> {
        for piece in bytes.slice(self.searched..).segments() {
            let mut rest = piece;
            while let Some(at) = memchr(b'\n', rest) {
                let cr = if at == 0 { self.cr } else { rest[at - 1] == b'\r' };
                if !cr {
                    return Err(BAD);
                }
                rest = &rest[at + 1..];
                self.searched += at + 1;
                let empty = self.line + at + 1 == 2;
                (self.line, self.cr) = (0, false);
                match (empty, self.lenient) {
                    (true, true) => self.blank = 2,
                    (true, false) => return Ok(Some(self.searched)),
                    (false, _) => {}
                }
                self.lenient = false;
            }
            self.line += rest.len();
            self.searched += rest.len();
            self.cr = rest.last().map_or(self.cr, |last| *last == b'\r');
        }
        Ok(None)
    }
}
