//! Readers that break the promises of `io::Read`, as far as safe code can.

use std::io::{self, Read};

/// How a [`LyingReader`] lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// Answers one more than the buffer holds.
    MoreThanBuffer,
    /// Answers `usize::MAX`.
    Endless,
    /// Fills half of the buffer and says that all of it was filled.
    MoreThanFilled,
    /// Fills nothing and says that all of it was filled.
    FillsNothing,
    /// Answers 0 for ever, although there would be more.
    NothingForever,
    /// Answers `Interrupted` so often, then reads on.
    Interrupted(u32),
    /// Reads well, and fails with an error after so many bytes.
    ErrorAfter(usize),
    /// Scribbles over all of the buffer, and answers 1.
    Scribbles,
    /// Panics in the middle of the call, with half of the buffer filled.
    Panics,
    /// No lie: gives its bytes, one per call.
    OneByteEach,
}

impl Lie {
    /// All of them.
    pub const ALL: [Lie; 10] = [
        Lie::MoreThanBuffer,
        Lie::Endless,
        Lie::MoreThanFilled,
        Lie::FillsNothing,
        Lie::NothingForever,
        Lie::Interrupted(3),
        Lie::ErrorAfter(10),
        Lie::Scribbles,
        Lie::Panics,
        Lie::OneByteEach,
    ];
}

/// A reader that gives `0x11` for as long as it is asked, and lies in one way.
#[derive(Debug)]
pub struct LyingReader {
    lie: Lie,
    calls: u32,
    given: usize,
}

impl LyingReader {
    /// The only byte that an honest read gives.
    pub const HONEST: u8 = 0x11;
    /// What [`Lie::Scribbles`] leaves where it did not answer for.
    pub const SCRIBBLE: u8 = 0x99;

    /// A reader with this lie.
    #[must_use]
    pub fn new(lie: Lie) -> LyingReader {
        LyingReader { lie, calls: 0, given: 0 }
    }

    /// How often it was called.
    #[must_use]
    pub fn calls(&self) -> u32 {
        self.calls
    }

    fn fill(&mut self, buf: &mut [u8], n: usize) -> usize {
        let n = n.min(buf.len());
        buf[..n].fill(Self::HONEST);
        self.given += n;
        n
    }
}

impl Read for LyingReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.calls += 1;
        let (len, half) = (buf.len(), buf.len() / 2);
        match self.lie {
            Lie::MoreThanBuffer => Ok(self.fill(buf, len) + 1),
            Lie::Endless => Ok(usize::MAX),
            Lie::MoreThanFilled => {
                self.fill(buf, half);
                Ok(len)
            }
            Lie::FillsNothing => Ok(len),
            Lie::NothingForever => Ok(0),
            Lie::Interrupted(times) if self.calls <= times => {
                Err(io::ErrorKind::Interrupted.into())
            }
            Lie::Interrupted(_) => Ok(self.fill(buf, len)),
            Lie::ErrorAfter(limit) if self.given >= limit => {
                Err(io::Error::other("the reader failed in the middle"))
            }
            Lie::ErrorAfter(limit) => {
                let left = limit - self.given;
                Ok(self.fill(buf, left))
            }
            Lie::Scribbles => {
                buf.fill(Self::SCRIBBLE);
                Ok(self.fill(buf, 1))
            }
            Lie::Panics => {
                self.fill(buf, half);
                panic!("the reader panics in the middle of a read");
            }
            Lie::OneByteEach => Ok(self.fill(buf, 1)),
        }
    }
}
