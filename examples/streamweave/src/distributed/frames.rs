//! [`Frames`]: how far a stream of timely's messages is, and how much of it a slab has room for.
//!
//! Timely receives into slabs, and copies what it has of a message when a slab is full before the message
//! is whole. So none is let in where one as long as the longest before has no room: the rest of the slab is
//! then *padded* with a message to nobody.

use std::{ops::Range, panic};

/// In front of each of timely's messages: channel, source, first target, last target and one, length,
/// number; each of eight bytes. One of zeros alone is the last.
const HEAD: usize = 48;
/// The shortest message.
const SHORTEST: usize = HEAD + 1;
/// The longest message. A lie takes no memory before that much has come.
const LONGEST: u64 = 1 << 40;
/// Bytes that come at a time at most until a longer message was seen: what begins behind the first long one,
/// before its length is known, may have no room.
const AT_ONCE: u64 = 64 << 10;
/// What is missing of a message is filled up to this length.
const FILLED: u64 = 64 << 20;

/// How far a stream of messages is.
#[derive(Clone, Debug)]
pub(super) struct Frames {
    head: [u8; HEAD],
    /// Bytes of a head that are here.
    filled: usize,
    /// Bytes of a message that are still to come.
    left: u64,
    pub(super) ended: bool,
    /// Workers at both ends.
    theirs: Range<u64>,
    own: Range<u64>,
    /// The longest message so far, with its head.
    longest: u64,
    /// A slab has just begun.
    fresh: bool,
}

impl Frames {
    /// At the beginning, between workers that they have and own ones.
    pub(super) fn new(theirs: Range<u64>, own: Range<u64>) -> Self {
        let (head, filled, left, longest) = ([0; HEAD], 0, 0, 0);
        Self { head, filled, left, ended: false, theirs, own, longest, fresh: true }
    }

    /// What is missing of the head or message that is begun, or of the next head.
    fn missing(&self) -> u64 {
        if self.left > 0 { self.left } else { (HEAD - self.filled) as u64 }
    }

    /// Bytes that may come into the rest of a slab, so that no message begins there that is not longer than
    /// all before and yet has no room; `None` when that rest is to be padded.
    pub(super) fn room(&self, rest: usize) -> Option<usize> {
        // What is left over behind the last message has room for the padding.
        let need = self.longest.saturating_add(SHORTEST as u64);
        let free = (rest as u64).checked_sub(need);
        let between = self.left == 0 && self.filled == 0 && !self.ended;
        // A slab that was padded whole would be followed by others.
        if between && free.is_none() && rest >= SHORTEST && !self.fresh {
            return None;
        }
        let most = free.unwrap_or(0).min(self.longest.max(AT_ONCE));
        let most = self.missing().max(most).min(rest as u64);
        // At most the rest.
        Some(usize::try_from(most).unwrap_or(rest))
    }

    /// Makes the rest of a slab a message to nobody. Its body is left as it is.
    pub(super) fn pad(&mut self, rest: &mut [u8]) -> usize {
        let length = (rest.len() - HEAD) as u64;
        let head = rest[..HEAD].chunks_exact_mut(8);
        for (word, number) in head.zip([0, 0, 0, 0, length, 0]) {
            word.iter_mut().zip(number.to_be_bytes()).for_each(|(to, byte)| *to = byte);
        }
        self.fresh = true;
        rest.len()
    }

    /// After a read, which may have filled the slab: bytes of a message that the next slab begins with.
    pub(super) fn filled(&mut self, slab: bool) -> usize {
        self.fresh = slab;
        let here = match self.left {
            0 => self.filled as u64,
            left => HEAD as u64 + self.word(4) - left,
        };
        // It stands in a slab.
        if slab { usize::try_from(here).unwrap_or(usize::MAX) } else { 0 }
    }

    /// Goes over bytes that have come, and says whether messages can be like that.
    pub(super) fn go(&mut self, mut bytes: &[u8]) -> Result<(), &'static str> {
        while !bytes.is_empty() {
            if self.ended {
                return Err("there is more behind its end");
            }
            let most = usize::try_from(self.missing()).unwrap_or(usize::MAX);
            let (some, rest) = bytes.split_at(most.min(bytes.len()));
            bytes = rest;
            if self.left > 0 {
                self.left -= some.len() as u64;
                continue;
            }
            self.head[self.filled..].iter_mut().zip(some).for_each(|(to, byte)| *to = *byte);
            self.filled += some.len();
            if self.filled == HEAD {
                self.filled = 0;
                self.checked()?;
            }
        }
        Ok(())
    }

    fn word(&self, at: usize) -> u64 {
        self.head[8 * at..8 * at + 8].iter().fold(0, |n, byte| n << 8 | u64::from(*byte))
    }

    fn checked(&mut self) -> Result<(), &'static str> {
        let [source, first, behind, length] = [1, 2, 3, 4].map(|at| self.word(at));
        (self.left, self.ended) = (length, length == 0);
        match length {
            0 if self.head == [0; HEAD] => return Ok(()),
            0 => return Err("a message without a length"),
            _ if length > LONGEST => return Err("a message of more than a tebibyte"),
            _ if !self.theirs.contains(&source) => {
                return Err("a message of a worker that it does not have");
            }
            _ if first >= behind || first < self.own.start || behind > self.own.end => {
                return Err("a message to workers that are not here");
            }
            _ => {}
        }
        self.longest = self.longest.max(HEAD as u64 + length);
        Ok(())
    }

    /// Zeros that bring a stream that was cut off to its end, some at a time; 0 at the end.
    pub(super) fn fill(&mut self, buffer: &mut [u8]) -> usize {
        if self.ended {
            return 0;
        }
        if self.left > FILLED {
            // Ends this thread without a word: all is said.
            panic::resume_unwind(Box::new("cut off in a long message"));
        }
        let most = usize::try_from(self.missing()).unwrap_or(usize::MAX).min(buffer.len());
        buffer[..most].fill(0);
        // A head that was cut off may be any: nobody is left to whom it matters.
        let _ = self.go(&buffer[..most]);
        most
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests make what they compare")]
mod tests {
    use super::*;

    #[test]
    fn t19_messages_cut_at_every_byte_are_known_and_filled_up() {
        let head = |length: u64| [7, 1, 2, 4, length, 9].map(u64::to_be_bytes).concat();
        let whole = [head(5), vec![1; 5], head(300), vec![2; 300], vec![0; HEAD]].concat();
        let frames = || Frames::new(0..2, 2..4);
        for cut in 0..=whole.len() {
            let (mut at_once, mut by_byte) = (frames(), frames());
            assert_eq!(at_once.go(&whole[..cut]), Ok(()));
            assert!(whole[..cut].chunks(1).all(|byte| by_byte.go(byte).is_ok()));
            assert_eq!(at_once.ended, cut == whole.len());
            let same = |frames: &Frames| (frames.filled, frames.left, frames.ended);
            assert_eq!(same(&at_once), same(&by_byte));
            let mut filled = 0;
            loop {
                match at_once.fill(&mut [1; 20]) {
                    0 => break,
                    more => filled += more,
                }
            }
            assert!(at_once.ended && filled < 1000, "{cut}: {filled}");
        }
        assert!(frames().go(&[whole, vec![0]].concat()).is_err());
    }
}
