//! Two threads at random: every byte that a slice shows is the stream's at its place, until it is dropped.

use aqueduct_slice::{Appender, Published, Slice, SliceMut};
use aqueduct_testkit::{Random, fewer};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// The byte at a place of the stream.
fn byte(at: u64) -> u8 {
    at.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()[6]
}

/// A slice, and where in the stream it starts.
struct Shown(u64, Slice);

impl Shown {
    fn check(&self) {
        for (i, found) in self.1.iter().enumerate() {
            let at = self.0 + i as u64;
            assert_eq!(*found, byte(at), "{i} of {} at {}", self.1.len(), self.0);
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.check();
        }
    }
}

/// A block's reading half, the place of its first byte, and what lies in front of it in the block.
struct Begun(u64, Published, Option<Shown>);

/// What lies in front of a pair in its block.
fn front(whole: &mut SliceMut, random: &mut Random, at: &mut u64) -> Shown {
    let len = 1 + random.below(60);
    let place = &mut whole.spare_mut()[..len];
    place.iter_mut().zip(*at..).for_each(|(to, at)| *to = byte(at));
    whole.commit(len);
    let front = Shown(*at, whole.split_frozen(len));
    *at += len as u64;
    front
}

/// Writes the next bytes of the stream, of which `at` are published.
fn commit(appender: &mut Appender, at: u64, len: usize) {
    let from = at + appender_pending(appender);
    let room = &mut appender.spare_mut()[..len];
    room.iter_mut().zip(from..).for_each(|(to, at)| *to = byte(at));
    appender.commit(len);
}

fn wait(appender: &Appender, most: usize) {
    (0..most).take_while(|_| !appender.is_returned()).for_each(|_| std::hint::spin_loop());
}

/// Begins a new round, if it may; perhaps with other bytes in all of its room.
fn renew(appender: &mut Appender, fill: bool) -> bool {
    let may = appender.is_returned() && appender.unpublished() == 0;
    let renewed = appender.renew();
    assert!(renewed || !may);
    if renewed && fill {
        appender.spare_mut().fill(0xDD);
    }
    renewed
}

/// A pair that has its block's end to itself.
fn go_round(appender: &mut Appender, published: &mut Published) {
    appender.renew();
    let len = appender.spare().min(9);
    appender.spare_mut()[..len].fill(0xAA);
    appender.commit(len);
    appender.publish();
    let view = published.take(usize::MAX);
    assert!(view.iter().all(|byte| *byte == 0xAA));
    drop(view);
    published.give_back(None);
}

fn give_back(published: &mut Published, last: Option<&mut Shown>) {
    let Some(last) = last else { return published.give_back(None) };
    last.check();
    published.give_back(Some(&mut last.1));
    last.check();
}

/// Two slices of one, or the same after it was two.
fn halves(mut one: Shown, random: &mut Random) -> (Shown, Option<Shown>) {
    one.check();
    let half = random.below(one.1.len() + 1);
    let back = one.1.split_off(half);
    if random.one_in(2) {
        let back = Shown(one.0 + half as u64, back);
        return (one, Some(back));
    }
    if let Ok(joined) = std::mem::take(&mut one.1).try_unsplit(back) {
        one.1 = joined;
    }
    (one, None)
}

fn write(to: &Sender<Begun>, from: &Receiver<Shown>, seed: u64, until: Instant) -> (u64, u64) {
    let mut random = Random::new(seed);
    let (mut at, mut rounds) = (0_u64, 0);
    let mut kept = Vec::new();
    while Instant::now() < until {
        let mut whole = SliceMut::with_capacity(300 + random.below(6000));
        let front = random.one_in(2).then(|| front(&mut whole, &mut random, &mut at));
        let mut behind = random.one_in(3).then(|| whole.split_off(150));
        // Another pair in the same block, for a while.
        let mut other = (random.one_in(4) && behind.is_some()).then(|| {
            let rest = behind.take().unwrap_or_default();
            Appender::new(rest)
        });
        let (mut appender, published) = Appender::new(whole);
        if to.send(Begun(at, published, front)).is_err() {
            break;
        }
        for _ in 0..random.below(fewer(4_000)) {
            match random.below(12) {
                0..3 => {
                    let len = random.below(200).min(appender.spare());
                    commit(&mut appender, at, len);
                }
                3..6 => {
                    at += appender_pending(&appender);
                    appender.publish();
                }
                6 if random.one_in(4) => {
                    appender.unpublished_mut().fill(0xEE);
                    appender.rollback();
                }
                7..9 => {
                    if random.one_in(2) {
                        at += appender_pending(&appender);
                        appender.publish();
                        kept.extend(from.try_iter());
                        if random.one_in(2) {
                            kept.clear();
                        }
                        wait(&appender, random.below(fewer(3_000)));
                    }
                    rounds += u64::from(renew(&mut appender, random.one_in(2)));
                }
                9 => kept.extend(from.try_iter()),
                10 => {
                    behind.iter_mut().for_each(|behind| behind.spare_mut().fill(0xBB));
                    other
                        .iter_mut()
                        .for_each(|(appender, published)| go_round(appender, published));
                    if random.one_in(4) {
                        (behind, other) = (None, None);
                    }
                }
                _ => {
                    if !kept.is_empty() {
                        let one: Shown = kept.swap_remove(random.below(kept.len()));
                        let again = Shown(one.0, one.1.clone());
                        drop(one);
                        again.check();
                    }
                    if kept.len() > random.below(40) {
                        kept.clear();
                    }
                }
            }
        }
        kept.extend(from.try_iter());
    }
    (at, rounds)
}

fn appender_pending(appender: &Appender) -> u64 {
    appender.unpublished() as u64
}

fn read(from: &Receiver<Begun>, to: &Sender<Shown>, seed: u64) -> u64 {
    let mut random = Random::new(seed);
    let mut seen = 0;
    let mut shown: Vec<Shown> = Vec::new();
    while let Ok(Begun(first, mut published, front)) = from.recv() {
        let mut at = first;
        // The last slice, which may be longer, and ends at `at`.
        let mut last: Option<Shown> = front;
        while !published.is_over() {
            match random.below(10) {
                0..2 => {
                    let len = random.below(300);
                    let view = published.take(len);
                    let len = view.len() as u64;
                    shown.extend(last.replace(Shown(at, view)));
                    at += len;
                }
                2..5 => {
                    if let Some(last) = &mut last {
                        if last.1.is_empty() {
                            last.0 = at;
                        }
                        at += published.extend(&mut last.1, random.below(500)) as u64;
                    }
                }
                5 => shown.extend(last.take()),
                6 => {
                    if random.one_in(2) {
                        // Keeps up.
                        shown.clear();
                        last = last.take().filter(|_| random.one_in(2));
                        let view = published.take(usize::MAX);
                        let len = view.len() as u64;
                        drop(Shown(at, view));
                        at += len;
                    }
                    let last = last.as_mut().filter(|_| random.one_in(2));
                    let one = last.or(shown.last_mut().filter(|_| random.one_in(3)));
                    give_back(&mut published, one);
                }
                7 => {
                    if let Some(one) = shown.pop() {
                        let (one, back) = halves(one, &mut random);
                        shown.extend(back);
                        let _ = to.send(one);
                    }
                }
                8 => {
                    if let Some(one) = shown.last().filter(|_| random.one_in(6)) {
                        let _ = to.send(Shown(one.0, one.1.clone()));
                    }
                }
                _ => {
                    if shown.len() > random.below(12) {
                        shown.clear();
                    }
                }
            }
        }
        seen = at;
        if random.one_in(2) {
            drop(published);
        }
        shown.extend(last);
    }
    seen
}

/// For so many seconds as `AQUEDUCT_STORM` says.
#[test]
fn two_threads_at_random_see_what_was_written() {
    let asked = std::env::var("AQUEDUCT_STORM").ok().and_then(|secs| secs.parse().ok());
    // By Miri's own clock, on which a step takes some thousand times as long.
    let short = Duration::from_millis(if cfg!(miri) { 3_000 } else { 300 });
    let time = asked.map_or(short, Duration::from_secs);
    let mut random = Random::unlike_others();
    let (one, two) = (random.seed(), random.seed());
    let until = Instant::now() + time;
    let (begun, begins) = channel();
    let (back, backs) = channel();
    let writer = thread::spawn(move || write(&begun, &backs, one, until));
    let seen = read(&begins, &back, two);
    let (written, rounds) = writer.join().unwrap();
    assert!(seen <= written);
    println!("{written} bytes, {rounds} rounds");
    assert!(rounds > 0 || cfg!(miri), "it proves nothing");
}
