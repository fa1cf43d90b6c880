//! Reading: a few reads in a row from some place on, each compared with what the plain bytes hold
//! there.

use aqueduct_sequence::{Delimiter, Prefix, ReadError, SequenceReader, SequenceRef};
use aqueduct_testkit::Step;

use super::{Op, World};

/// All of them.
pub const OPS: &[Op] = &[
    ("read", read_sequence),
    ("read_more", read_sequence),
    ("read_list", read_list),
    ("read_list_more", read_list),
];

/// Reads in a row.
const READS: usize = 6;

fn read_sequence(w: &mut World, step: Step) {
    if let Some(i) = w.pick(step.who) {
        let (sequence, model) = &w.sequences[i];
        read(sequence.as_ref(), model, step);
    }
}

fn read_list(w: &mut World, step: Step) {
    read(w.list.as_ref(), &w.listed, step);
}

/// The reader and the place in the plain bytes where it must be.
struct Reading<'a> {
    reader: SequenceReader<'a>,
    flat: &'a [u8],
    at: usize,
}

fn read<'a>(seq: SequenceRef<'a>, flat: &'a [u8], step: Step) {
    let at = step.place(flat.len());
    let mut reading = Reading { reader: seq.reader(), flat, at };
    reading.reader.seek_to(at).expect("in range");
    let mut choice = usize::from(step.other) + 256 * usize::from(step.x);
    for _ in 0..READS {
        let (mark, before) = (reading.reader.checkpoint(), reading.at);
        reading.one(choice % 16, choice / 16 % 30);
        reading.check();
        if choice.is_multiple_of(5) {
            reading.reader.rewind(&mark);
            reading.at = before;
            reading.check();
        }
        choice = choice / 3 + 7;
    }
}

impl<'a> Reading<'a> {
    fn left(&self) -> &'a [u8] {
        &self.flat[self.at..]
    }

    fn check(&self) {
        assert_eq!(self.reader.position(), self.at);
        assert_eq!(self.reader.remaining(), self.left().len());
        assert!(self.left().starts_with(self.reader.chunk()));
        assert_eq!(self.reader.chunk().is_empty(), self.left().is_empty());
        assert_eq!(self.reader.peek(), self.left().first().copied());
    }

    /// What a read of `count` bytes must give; moves past them.
    fn expect(&mut self, count: usize) -> Option<&'a [u8]> {
        let read = self.left().get(..count)?;
        self.at += count;
        Some(read)
    }

    /// A number, against the sum of its bytes where they stand.
    fn number<T: Into<u128>>(
        &mut self,
        size: usize,
        big: bool,
        read: impl Fn(&mut SequenceReader<'a>) -> Result<T, ReadError>,
    ) {
        let got = read(&mut self.reader).ok().map(Into::into);
        let want = self.expect(size).map(|bytes| {
            let join = |number: u128, byte: &u8| number << 8 | u128::from(*byte);
            if big { bytes.iter().fold(0, join) } else { bytes.iter().rfold(0, join) }
        });
        assert_eq!(got, want);
    }

    fn one(&mut self, what: usize, n: usize) {
        match what {
            0 => self.number(1, true, SequenceReader::read_u8),
            1 => self.number(2, false, SequenceReader::read_u16_le),
            2 => self.number(3, true, SequenceReader::read_u24_be),
            3 => self.number(4, false, SequenceReader::read_u32_le),
            4 => self.number(6, true, SequenceReader::read_u48_be),
            5 => self.number(8, false, SequenceReader::read_u64_le),
            6 => self.number(16, true, SequenceReader::read_u128_be),
            7 => {
                let got = self.reader.read_slice(n).ok();
                assert_eq!(got, self.expect(n).map(SequenceRef::from));
            }
            8 => assert_eq!(self.reader.advance(n).is_ok(), self.expect(n).is_some()),
            9 => self.delimited(n),
            10 => self.pattern(n),
            11 => self.limited(n),
            12 => self.prefixed(n),
            13 => self.skipped(n),
            14 => self.copied(n),
            _ => self.at = self.flat.len() - self.reader.read_rest().len() + self.left().len(),
        }
    }

    fn delimited(&mut self, n: usize) {
        let any = [(n % 11) as u8, (n / 2 % 11) as u8];
        let got = self.reader.read_to(Delimiter::any(&any)).ok();
        let at = self.left().iter().position(|byte| any.contains(byte));
        assert_eq!(got, at.map(|at| SequenceRef::from(&self.left()[..at])));
        self.at += at.map_or(0, |at| at + 1);
    }

    fn pattern(&mut self, n: usize) {
        let from = (self.at + n).min(self.flat.len());
        let pattern = &self.flat[from..self.flat.len().min(from + 1 + n % 5)];
        let got = self.reader.read_up_to(pattern).ok();
        let at = match pattern.len() {
            0 => Some(0),
            len => self.left().windows(len).position(|window| window == pattern),
        };
        assert_eq!(got, at.map(|at| SequenceRef::from(&self.left()[..at])));
        self.at += at.unwrap_or(0);
    }

    fn limited(&mut self, n: usize) {
        let byte = (n % 11) as u8;
        let got = self.reader.read_to(Delimiter::from(byte).within(n));
        let at = self.left().iter().position(|b| *b == byte);
        match at.filter(|at| *at <= n) {
            Some(at) => {
                assert_eq!(got.expect("within"), self.left()[..at]);
                self.at += at + 1;
            }
            None => {
                let refused = got.expect_err("absent, or too far");
                assert_eq!(refused.is_incomplete(), self.left().len() <= n);
            }
        }
    }

    fn prefixed(&mut self, most: usize) {
        let got = self.reader.read_prefixed(Prefix::U8, most).ok();
        let len = self.left().first().map(|len| usize::from(*len)).filter(|len| *len <= most);
        let want = len.and_then(|len| self.left().get(1..1 + len));
        assert_eq!(got, want.map(SequenceRef::from));
        self.at += want.map_or(0, |read| read.len() + 1);
    }

    fn skipped(&mut self, n: usize) {
        let any = [(n % 11) as u8, 3, 7];
        let want = self.left().iter().take_while(|byte| any.contains(byte)).count();
        assert_eq!(self.reader.advance_past_any(&any), want);
        self.at += want;
    }

    fn copied(&mut self, n: usize) {
        let mut to = vec![0; n];
        let got = self.reader.read_into(&mut to).is_ok();
        let want = self.expect(n);
        assert_eq!((got, want.is_none_or(|want| want == to)), (want.is_some(), true));
    }
}
