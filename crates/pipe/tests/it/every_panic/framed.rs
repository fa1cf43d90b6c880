//! A pipe frame by frame.

use super::{Dice, options, sequence, slice};
use aqueduct_pipe::{FramedReader, FramedWriter, Framing, pipe};
use aqueduct_pool::Pool;
use aqueduct_sequence::{Prefix, Sequence};
use aqueduct_testkit::{Countdown, for_every_k, scale};
use std::collections::VecDeque;
use std::task::{Context, Poll};

/// What each frame has beside its bytes, as they are framed here.
const OVERHEAD: usize = 1;

/// Frames that are written and not flushed, or flushed and not read.
struct Framed<'a> {
    countdown: &'a Countdown,
    dice: Dice,
    writer: FramedWriter,
    reader: FramedReader,
    builds: bool,
    pending: VecDeque<Vec<u8>>,
    frames: VecDeque<Vec<u8>>,
}

impl Framed<'_> {
    fn step(&mut self) {
        match self.dice.roll(12) {
            0..=5 => self.write(),
            6..=7 => self.flush(),
            _ => self.read(),
        }
    }

    /// Writes a frame in one of many ways; whether that panics or not, it is there whole, or not at all.
    fn write(&mut self) {
        let (countdown, dice, writer) = (self.countdown, &mut self.dice, &mut self.writer);
        let (mut frame, mut shown) = (Vec::new(), false);
        let before = writer.position();
        countdown.survive(|| match dice.roll(if self.builds { 4 } else { 3 }) {
            0 => {
                frame = dice.bytes(100);
                writer.write(&frame).unwrap();
            }
            1 | 2 => {
                let sequence = sequence(dice, countdown);
                frame = sequence.as_ref().to_contiguous().into_owned();
                writer.push(sequence).unwrap();
            }
            _ => {
                let mut builder = writer.begin().unwrap();
                shown = true;
                let slice = slice(dice, countdown);
                frame = slice.to_vec();
                builder.push(slice).unwrap();
                if dice.roll(3) > 0 {
                    builder.end().unwrap();
                }
            }
        });
        if shown || writer.writer().unflushed() == 0 {
            self.frames.append(&mut self.pending);
        }
        match self.writer.position() - before {
            0 => {}
            more => {
                assert_eq!(more as usize, OVERHEAD + frame.len());
                self.pending.push_back(frame);
            }
        }
    }

    fn flush(&mut self) {
        self.countdown.survive(|| {
            let waker = self.countdown.waker();
            let _ = self.writer.poll_flush(&mut Context::from_waker(&waker));
        });
        if self.writer.writer().unflushed() == 0 {
            self.frames.append(&mut self.pending);
        }
    }

    /// Reads a frame in one of two ways. One that is lent, or taken with a panic, is done with.
    fn read(&mut self) {
        let (countdown, reader, frames) = (self.countdown, &mut self.reader, &mut self.frames);
        let lends = self.dice.roll(2) == 0;
        if reader.lent().is_some() {
            frames.pop_front();
        }
        let mut at =
            reader.position() + reader.lent().map_or(0, |lent| (OVERHEAD + lent.len()) as u64);
        let seen = countdown.survive(|| {
            let waker = countdown.waker();
            let mut context = Context::from_waker(&waker);
            let found = match lends {
                true => reader.poll_lend(&mut context).map_ok(|f| f.map(|f| f.to_sequence())),
                false => reader.poll_next(&mut context).map_ok(|f| f.map(Sequence::from)),
            };
            match found {
                Poll::Ready(found) => {
                    assert_eq!(&found.unwrap().unwrap(), frames.front().unwrap().as_slice());
                    true
                }
                Poll::Pending => {
                    assert!(frames.is_empty());
                    false
                }
            }
        });
        if reader.position() > at {
            let frame = frames.pop_front().unwrap();
            at += (OVERHEAD + frame.len()) as u64;
        }
        assert_eq!(reader.position(), at);
        if let Some(found) = seen {
            assert_eq!(reader.lent().is_some(), found && lends);
        }
    }
}

#[test]
fn whatever_panics_frames_are_whole_and_begin_where_they_do() {
    for seed in 0..scale(60) {
        for builds in [true, false] {
            for_every_k(|countdown| {
                let pool = Pool::new();
                let (writer, reader) = pipe(options(&pool));
                let framing = match builds {
                    true => Framing::prefixed(Prefix::U8, 250).unwrap(),
                    false => Framing::delimited([0], 250).unwrap(), // which no frame has
                };
                let mut framed = Framed {
                    countdown,
                    dice: Dice(seed as u64),
                    writer: FramedWriter::new(writer, framing.clone()).unwrap(),
                    reader: FramedReader::new(reader, framing).unwrap(),
                    builds,
                    pending: VecDeque::new(),
                    frames: VecDeque::new(),
                };
                (0..40).for_each(|_| framed.step());
                drop(framed);
                assert_eq!(pool.outstanding(), 0, "seed {seed}");
            });
        }
    }
}
