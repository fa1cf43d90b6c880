//! [`Chunked`]: a body that comes in chunks.

use super::{
    LARGEST_HEAD,
    lines::Lines,
    status::{BAD, BODY_TOO_LARGE, Fault, HEAD_TOO_LARGE},
};
use aqueduct::{Sequence, View, copy};

/// Bytes of all extensions together: they say nothing here.
const MOST_EXTENSION: usize = LARGEST_HEAD;
/// Digits of a chunk's size: more would not fit.
const MOST_DIGITS: u32 = 16;
/// They are looked at by nobody, but must be such.
const MOST_TRAILERS: usize = 16;

/// A request whose body is being put together. Its chunks are consumed as they come, and nothing is set
/// aside for what a size claims.
#[derive(Debug)]
pub(crate) struct Chunked {
    pub(crate) head: Sequence,
    /// Bytes of the empty line in front of it.
    pub(crate) blank: usize,
    pub(crate) body: Vec<u8>,
    part: Part,
    /// The chunk's size so far, or what is left of it.
    left: u64,
    digits: u32,
    extension: usize,
}

/// What comes next.
#[derive(Clone, Copy, Debug)]
enum Part {
    Size,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    Trailers(Lines),
    Over,
}

impl Chunked {
    pub(crate) fn new(head: Sequence, blank: usize) -> Self {
        let (part, body) = (Part::Size, Vec::new());
        Self { head, blank, body, part, left: 0, digits: 0, extension: 0 }
    }

    /// Takes in what the view shows, and gives it back. Whether that was all of the body.
    pub(crate) fn take_in(&mut self, view: View<'_>, largest: usize) -> Result<bool, Fault> {
        let mut used = 0;
        for piece in view.seq().segments() {
            let taken = self.feed(piece, largest)?;
            used += taken;
            if taken < piece.len() {
                break;
            }
        }
        if let Part::Trailers(lines) = &mut self.part {
            let rest = view.seq().slice(used..);
            let rest = rest.slice(..rest.len().min(LARGEST_HEAD));
            match lines.end(rest)? {
                Some(end) => {
                    check(&rest.slice(..end).to_contiguous())?;
                    used += end;
                    self.part = Part::Over;
                }
                None if rest.len() == LARGEST_HEAD => return Err(HEAD_TOO_LARGE),
                None => {}
            }
        }
        let done = matches!(self.part, Part::Over);
        if done {
            view.consume(used);
        } else {
            view.need_more(used);
        }
        Ok(done)
    }

    /// Takes bytes up to the trailers. How many.
    fn feed(&mut self, bytes: &[u8], largest: usize) -> Result<usize, Fault> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            match self.part {
                Part::Data => at += self.keep(&bytes[at..]),
                Part::Trailers(_) | Part::Over => break,
                _ => {
                    self.mark(byte, largest)?;
                    at += 1;
                }
            }
        }
        Ok(at)
    }

    /// A byte between two chunks.
    fn mark(&mut self, byte: u8, largest: usize) -> Result<(), Fault> {
        self.part = match (self.part, byte) {
            (Part::Size, b'\r') if self.digits > 0 => Part::SizeLf,
            (Part::Size, b';') if self.digits > 0 => Part::Extension,
            (Part::Size, _) => {
                let digit = char::from(byte).to_digit(16).ok_or(BAD)?;
                self.digits += 1;
                if self.digits > MOST_DIGITS {
                    return Err(BAD);
                }
                self.left = self.left << 4 | u64::from(digit);
                Part::Size
            }
            (Part::Extension, b'\r') => Part::SizeLf,
            (Part::Extension, _) => {
                self.extension += 1;
                if self.extension > MOST_EXTENSION || (byte.is_ascii_control() && byte != b'\t') {
                    return Err(BAD);
                }
                Part::Extension
            }
            (Part::SizeLf, b'\n') if self.left == 0 => Part::Trailers(Lines::TRAILERS),
            (Part::SizeLf, b'\n') if self.left > (largest - self.body.len()) as u64 => {
                return Err(BODY_TOO_LARGE);
            }
            (Part::SizeLf, b'\n') => Part::Data,
            (Part::DataCr, b'\r') => Part::DataLf,
            (Part::DataLf, b'\n') => {
                self.digits = 0;
                Part::Size
            }
            _ => return Err(BAD),
        };
        Ok(())
    }

    /// Bytes of a chunk: copied, and counted. How many.
    fn keep(&mut self, bytes: &[u8]) -> usize {
        let count = usize::try_from(self.left).map_or(bytes.len(), |left| left.min(bytes.len()));
        let old = self.body.len();
        self.body.resize(old + count, 0);
        copy(&mut self.body[old..], &bytes[..count]);
        self.left -= count as u64;
        if self.left == 0 {
            self.part = Part::DataCr;
        }
        count
    }
}

/// Whether these are headers. They are dropped.
fn check(trailers: &[u8]) -> Result<(), Fault> {
    let mut room = [httparse::EMPTY_HEADER; MOST_TRAILERS];
    match httparse::parse_headers(trailers, &mut room) {
        Ok(httparse::Status::Complete((all, _))) if all == trailers.len() => Ok(()),
        Err(httparse::Error::TooManyHeaders) => Err(HEAD_TOO_LARGE),
        _ => Err(BAD),
    }
}
