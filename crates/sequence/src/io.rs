//! `Read`, `BufRead` and `Seek` of std for a reader, vectored writing of what it reads.

use crate::{NotUtf8, ReadError, SequenceReader, SequenceRef};
use std::io::{self, BufRead, ErrorKind, IoSlice, Read, Seek, SeekFrom};

impl<'a> SequenceRef<'a> {
    /// The pieces for a vectored write.
    pub fn io_slices(self) -> impl Iterator<Item = IoSlice<'a>> {
        self.segments().map(IoSlice::new)
    }

    /// Puts the pieces, or as many of them as fit, into `to` for a vectored write. Gives how many.
    #[must_use]
    pub fn fill_io_slices(self, to: &mut [IoSlice<'a>]) -> usize {
        to.iter_mut().zip(self.io_slices()).map(|(to, piece)| *to = piece).count()
    }
}

impl From<ReadError> for io::Error {
    /// `UnexpectedEof` where bytes are missing, `InvalidData` where what is there is wrong.
    fn from(refused: ReadError) -> Self {
        let kind =
            if refused.is_incomplete() { ErrorKind::UnexpectedEof } else { ErrorKind::InvalidData };
        Self::new(kind, refused)
    }
}

impl From<NotUtf8> for io::Error {
    /// `InvalidData`.
    fn from(refused: NotUtf8) -> Self {
        Self::new(ErrorKind::InvalidData, refused)
    }
}

impl Read for SequenceReader<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = to.len().min(self.remaining());
        self.read_into(&mut to[..count])?;
        Ok(count)
    }

    /// As every read of a sequence: one that fails moves nothing.
    fn read_exact(&mut self, to: &mut [u8]) -> io::Result<()> {
        Ok(self.read_into(to)?)
    }
}

impl BufRead for SequenceReader<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Ok(self.chunk())
    }

    fn consume(&mut self, count: usize) {
        self.skip(count.min(self.remaining()));
    }
}

impl Seek for SequenceReader<'_> {
    /// Within the sequence. Takes the logarithm of the number of segments.
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let len = self.sequence().len() as u64;
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(by) => len.checked_add_signed(by),
            SeekFrom::Current(by) => (self.position() as u64).checked_add_signed(by),
        };
        let Some(position) = position.and_then(|position| usize::try_from(position).ok()) else {
            return Err(io::Error::new(ErrorKind::InvalidInput, "a position before the start"));
        };
        self.seek_to(position)
            .map_err(|refused| io::Error::new(ErrorKind::InvalidInput, refused))?;
        Ok(position as u64)
    }
}
