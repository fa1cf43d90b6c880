//! A pipe's own halves.

use super::{Dice, options, sequence, slice};
use aqueduct_pipe::{Read, Reader, Writer, pipe};
use aqueduct_pool::Pool;
use aqueduct_sequence::Sequence;
use aqueduct_testkit::{Countdown, for_every_k, scale};
use std::pin::pin;
use std::task::{Context, Poll};

/// A pipe, and what must be in it.
struct Plain<'a> {
    countdown: &'a Countdown,
    dice: Dice,
    writer: Option<Writer>,
    reader: Option<Reader>,
    /// All that was flushed, and where the reader is in it.
    stream: Vec<u8>,
    consumed: usize,
    /// What is written and not flushed.
    pending: Vec<u8>,
    taken: Vec<Sequence>,
}

impl Plain<'_> {
    fn step(&mut self) {
        match self.dice.roll(16) {
            0..=5 => self.write(),
            6..=7 => self.flush(),
            8 => self.roll_back(),
            9..=12 => self.read(),
            13 => drop(self.countdown.survive(|| self.taken.pop())),
            14 => self.wait(),
            _ => self.release(),
        }
        if let Some(writer) = &self.writer {
            assert_eq!(writer.unflushed(), self.pending.len() as u64);
            let left = (self.stream.len() - self.consumed) as u64;
            assert_eq!(writer.stats().buffered, left);
        }
    }

    /// Writes in one of many ways; whether that panics or not, it is all there or nothing is.
    fn write(&mut self) {
        let Some(writer) = &mut self.writer else { return };
        let (countdown, dice) = (self.countdown, &mut self.dice);
        let mut bytes = Vec::new();
        let done = countdown.survive(|| match dice.roll(4) {
            0 => {
                bytes = dice.bytes(200);
                writer.write(&bytes).unwrap();
            }
            1 => {
                bytes = dice.bytes(100);
                let prefix = writer.reserve_prefix(bytes.len()).unwrap();
                writer.patch(&prefix, &bytes).unwrap();
            }
            2 => {
                let slice = slice(dice, countdown);
                bytes = slice.to_vec();
                writer.push(slice).unwrap();
            }
            _ => {
                let sequence = sequence(dice, countdown);
                bytes = sequence.as_ref().to_contiguous().into_owned();
                writer.push_sequence(sequence).unwrap();
            }
        });
        if writer.unflushed() > self.pending.len() as u64 || done.is_some() {
            self.pending.extend(bytes);
        }
    }

    fn flush(&mut self) {
        let Some(writer) = &mut self.writer else { return };
        let waits = self.dice.roll(2) == 0;
        self.countdown.survive(|| {
            let waker = self.countdown.waker();
            let mut context = Context::from_waker(&waker);
            let failed = match waits {
                true => matches!(writer.poll_flush(&mut context), Poll::Ready(Err(_))),
                false => writer.try_flush().is_err(),
            };
            assert_eq!(failed, self.reader.is_none());
        });
        let flushed = writer.unflushed() == 0;
        if flushed && self.reader.is_some() {
            self.stream.append(&mut self.pending);
        } else if flushed {
            self.pending.clear();
        }
    }

    fn roll_back(&mut self) {
        let Some(writer) = &mut self.writer else { return };
        self.countdown.survive(|| writer.rollback());
        self.pending.clear();
    }

    /// Reads, and decides in one of many ways; whether that panics or not, so many are consumed.
    fn read(&mut self) {
        let Some(reader) = &mut self.reader else { return };
        let here = &self.stream[self.consumed..];
        let (how, count) = (self.dice.roll(4), self.dice.roll(here.len() + 1));
        let decided = self.countdown.survive(|| {
            let Ok(Some(read)) = reader.try_read() else { return false };
            assert_eq!(read.into_view().seq(), here);
            true
        });
        if decided != Some(true) {
            return;
        }
        let taken = self.countdown.survive(|| {
            let mut view = reader.try_read().unwrap().unwrap().into_view();
            match how {
                0 | 1 => drop(view.consume(count)),
                2 => drop(view.need_more(count)),
                _ => return Some(view.take(count)),
            }
            None
        });
        if let Some(Some(taken)) = taken {
            assert_eq!(taken, here[..count]);
            self.taken.push(taken);
        }
        self.consumed += count;
    }

    /// Waits with a waker that is new, for bytes or for the end.
    fn wait(&mut self) {
        let (countdown, dice) = (self.countdown, &mut self.dice);
        countdown.survive(|| {
            let waker = countdown.waker();
            let mut context = Context::from_waker(&waker);
            match (dice.roll(4), &mut self.writer, &mut self.reader) {
                (0, Some(writer), _) => _ = writer.poll_closed(&mut context),
                (1, Some(writer), _) => _ = writer.poll_drained(&mut context),
                (2, _, Some(reader)) => _ = reader.poll_closed(&mut context),
                (3, _, Some(reader)) => _ = reader.poll_read_at_least(&mut context, 400).map(drop),
                _ => {}
            }
        });
    }

    fn release(&mut self) {
        let Some(writer) = &mut self.writer else { return };
        self.countdown.survive(|| writer.release());
    }

    /// Ends both halves, in one order or the other.
    fn end(&mut self) {
        let (countdown, finishes) = (self.countdown, self.dice.roll(2) == 0);
        if self.dice.roll(3) == 0 {
            countdown.survive(|| drop(self.reader.take()));
        }
        let writer = self.writer.take().unwrap();
        countdown.survive(|| if finishes { writer.finish() } else { drop(writer) });
        if finishes && self.reader.is_some() {
            self.stream.append(&mut self.pending);
        }
        while let Some(reader) = &mut self.reader {
            let here = &self.stream[self.consumed..];
            let last = countdown.survive(|| match reader.try_read() {
                Ok(Some(Read::Eof(view))) => {
                    assert!(finishes);
                    assert_eq!(view.seq(), here);
                }
                Ok(read) => assert_eq!(read.unwrap().into_view().seq(), here),
                Err(_) => assert!(!finishes),
            });
            if last.is_some() {
                countdown.survive(|| drop(self.reader.take()));
            }
        }
        while !self.taken.is_empty() {
            countdown.survive(|| self.taken.pop());
        }
    }
}

#[test]
fn whatever_panics_a_pipe_gives_what_its_books_say() {
    for seed in 0..scale(60) {
        for_every_k(|countdown| {
            // Each block that comes back wakes who waits for one that there is no room for.
            let pool = Pool::builder().largest_block(1 << 16).hard_limit(100_000).build().unwrap();
            let held = pool.get(40_000);
            let mut waiting = Some(pool.get_async(40_000));
            let (writer, reader) = pipe(options(&pool));
            let mut plain = Plain {
                countdown,
                dice: Dice(seed as u64),
                writer: Some(writer),
                reader: Some(reader),
                stream: Vec::new(),
                consumed: 0,
                pending: Vec::new(),
                taken: Vec::new(),
            };
            for _ in 0..40 {
                let waker = countdown.waker();
                countdown.survive(|| {
                    let mut context = Context::from_waker(&waker);
                    waiting.as_mut().is_some_and(|get| pin!(get).poll(&mut context).is_ready())
                });
                countdown.survive(|| drop(waker));
                plain.step();
            }
            plain.end();
            drop(plain);
            countdown.survive(|| drop(waiting.take()));
            drop(held);
            assert_eq!(pool.outstanding(), 0, "seed {seed}");
        });
    }
}
