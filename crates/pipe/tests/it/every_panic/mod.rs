//! Owners and wakers of which any call may panic, in any operation: the books still say exactly which
//! bytes there are, and nothing is left at the end.

use aqueduct_pipe::Options;
use aqueduct_pool::Pool;
use aqueduct_sequence::Sequence;
use aqueduct_slice::Slice;
use aqueduct_testkit::{Countdown, pattern};

mod framed;
mod plain;

/// What a scenario does next: the same for every `k`.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let len = self.roll(most) + 1;
        pattern(len, self.roll(200))
    }
}

fn options(pool: &Pool) -> Options {
    Options::builder().pool(pool).segments(128, 256).pause(300).resume(100).build().unwrap()
}

/// A slice with an owner, short or long, or with none; perhaps cut, so that its few bytes move.
fn slice(dice: &mut Dice, countdown: &Countdown) -> Slice {
    let bytes = dice.bytes(60);
    match dice.roll(4) {
        0 => bytes.into(),
        _ => Slice::from_owner(countdown.value(bytes)),
    }
}

fn sequence(dice: &mut Dice, countdown: &Countdown) -> Sequence {
    let mut whole: Sequence = (0..dice.roll(4)).map(|_| slice(dice, countdown)).collect();
    if dice.roll(3) == 0 {
        let shared = whole.clone(); // so that what is outside the window is still there
        whole.advance(dice.roll(whole.len() + 1));
        drop(shared);
    }
    whole
}
