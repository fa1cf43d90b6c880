//! Rows of a file, parsed where they lie in a block of the pool.
//!
//! A block ends with a row: the one that a read cut off is read to its end, byte by byte, some forty of them
//! for twenty thousand rows. So nothing is carried over to the next block, and nothing copied.

use crate::Error;
use aqueduct::{Pool, SliceMut};
use memchr::{memchr, memchr_iter, memrchr};
use std::{
    fmt,
    io::{self, Read},
};

/// What is read at a time: the pool's largest block, less the longest row.
const FILL: usize = (1 << 20) - LONGEST;
/// The longest row.
const LONGEST: usize = 1 << 10;

/// The rows of a file.
pub(crate) struct Rows<R> {
    file: R,
    name: String,
    block: SliceMut,
    /// What of the block is parsed.
    at: usize,
    line: u64,
}

impl<R> fmt::Debug for Rows<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, line) = (&self.name, self.line);
        f.debug_struct("Rows").field("name", name).field("line", &line).finish_non_exhaustive()
    }
}

impl<R: Read> Rows<R> {
    pub(crate) fn new(file: R, name: String) -> Self {
        Self { file, name, block: Pool::global().get(FILL + LONGEST), at: 0, line: 0 }
    }

    /// The next row, without the end of its line; none at the end of the file.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<Row<'_>>, Error> {
        if self.at == self.block.len() && !self.fill()? {
            return Ok(None);
        }
        self.line += 1;
        let rest = &self.block[self.at..];
        let (end, next) = memchr(b'\n', rest).map_or((rest.len(), rest.len()), |at| (at, at + 1));
        let bytes = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
        self.at += next;
        Ok(Some(Row { name: &self.name, line: self.line, bytes, at: 0 }))
    }

    /// The block's last row has no end.
    fn too_long(&self) -> Error {
        let last = memrchr(b'\n', &self.block).map_or(0, |at| at + 1);
        let line = self.line + 1 + memchr_iter(b'\n', &self.block).count() as u64;
        let (name, column) = (self.name.clone(), self.block.len() - last + 1);
        Error::Row { name, line, column, expected: "a shorter row" }
    }

    /// What is wrong where the file ends.
    pub(crate) fn fault(&self, expected: &'static str) -> Error {
        Error::Row { name: self.name.clone(), line: self.line + 1, column: 1, expected }
    }

    /// Reads the next block. False at the end of the file.
    #[cold]
    fn fill(&mut self) -> Result<bool, Error> {
        self.block.clear();
        self.at = 0;
        let mut want = FILL;
        while want > 0 {
            match self.file.read(&mut self.block.spare_mut()[..want]) {
                Ok(0) => break,
                Ok(count) => {
                    self.block.commit(count);
                    want -= count;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io(&self.name, error)),
            }
            if want == 0 && self.block.last() != Some(&b'\n') {
                if self.block.len() == FILL + LONGEST {
                    return Err(self.too_long());
                }
                want = 1;
            }
        }
        Ok(!self.block.is_empty())
    }
}

/// A row, field by field.
pub(crate) struct Row<'a> {
    name: &'a str,
    line: u64,
    pub(crate) bytes: &'a [u8],
    /// Where the next field begins.
    at: usize,
}

impl<'a> Row<'a> {
    /// The next field, if `parse` makes something of it.
    #[inline]
    pub(crate) fn field<T>(
        &mut self,
        expected: &'static str,
        parse: impl FnOnce(&'a [u8]) -> Option<T>,
    ) -> Result<T, Error> {
        // Behind the last comma.
        let Some(rest) = self.bytes.get(self.at..) else { return Err(self.fault(expected)) };
        let len = rest.iter().position(|byte| *byte == b',').unwrap_or(rest.len());
        let Some(value) = parse(&rest[..len]) else { return Err(self.fault(expected)) };
        self.at += len + 1;
        Ok(value)
    }

    /// There is no other field.
    #[inline]
    pub(crate) fn end(&self) -> Result<(), Error> {
        if self.at > self.bytes.len() { Ok(()) } else { Err(self.fault("the end of the row")) }
    }

    #[cold]
    pub(crate) fn fault(&self, expected: &'static str) -> Error {
        let (name, column) = (self.name.to_owned(), self.at.min(self.bytes.len()) + 1);
        Error::Row { name, line: self.line, column, expected }
    }
}

/// A whole number.
#[inline]
pub(crate) fn integer(text: &[u8]) -> Option<u64> {
    decimal(text, 0, false)
}

/// A number as an integer, with its point moved `digits` places to the right, and rounded.
#[inline]
pub(crate) fn fixed(text: &[u8], digits: u32) -> Option<u64> {
    decimal(text, digits, true)
}

#[inline]
fn decimal(text: &[u8], digits: u32, point: bool) -> Option<u64> {
    let mut value = 0u64;
    let (mut places, mut seen, mut up) = (None, false, false);
    for byte in text {
        match byte {
            b'0'..=b'9' => {
                let digit = u64::from(byte - b'0');
                seen = true;
                match &mut places {
                    Some(places) if *places >= digits => {
                        // The first one too many rounds, the others say nothing.
                        up |= *places == digits && digit >= 5;
                        *places += 1;
                        continue;
                    }
                    Some(places) => *places += 1,
                    None => {}
                }
                value = value.checked_mul(10)?.checked_add(digit)?;
            }
            b'.' if point && places.is_none() => places = Some(0),
            _ => return None,
        }
    }
    let missing = digits.saturating_sub(places.unwrap_or(0));
    let value = value.checked_mul(10u64.checked_pow(missing)?)?.checked_add(u64::from(up))?;
    seen.then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (text, digits, expected) in [
            ("0", 2, Some(0)),
            ("85251.66", 2, Some(8_525_166)),
            ("85251.6", 2, Some(8_525_160)),
            ("85251", 2, Some(8_525_100)),
            ("85251.", 2, Some(8_525_100)),
            (".5", 2, Some(50)),
            ("0.004673", 8, Some(467_300)),
            ("1.004", 2, Some(100)),
            ("1.005", 2, Some(101)),
            ("1.0049999999999999999999999", 2, Some(100)),
            ("1.999", 2, Some(200)),
            ("184467440737095516.15", 2, Some(u64::MAX)),
            ("184467440737095516.16", 2, None),
            ("18446744073709551616", 0, None),
            ("184467440737095516.155", 2, None),
            ("", 2, None),
            (".", 2, None),
            ("1.2.3", 2, None),
            ("-1", 2, None),
            ("+1", 2, None),
            (" 1", 2, None),
            ("1e3", 2, None),
        ] {
            assert_eq!(fixed(text.as_bytes(), digits), expected, "{text}");
        }
        assert_eq!(integer(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(integer(b"18446744073709551616"), None);
        assert_eq!(integer(b"1.0"), None);
    }
}
