//! Both halves on threads of their own, at random: what is lent, and what was taken, is the stream's at
//! its place for as long as it is there, however often the blocks are written again.

use aqueduct_pipe::{Options, Read, Reader, Writer, pipe};
use aqueduct_pool::Pool;
use aqueduct_sequence::Sequence;
use aqueduct_testkit::Random;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Mostly short.
fn len(random: &mut Random) -> usize {
    let most = [30, 200, 3000, 20_000][random.below(4)];
    random.below(most) + 1
}

fn byte(at: u64) -> u8 {
    (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 53) as u8
}

fn bytes(at: u64, len: usize) -> Vec<u8> {
    (at..at + len as u64).map(byte).collect()
}

struct Taken(u64, Sequence);

impl Drop for Taken {
    fn drop(&mut self) {
        if !thread::panicking() {
            let shows = self.1.as_ref().to_contiguous();
            assert!(bytes(self.0, shows.len()) == *shows, "{} from {}", shows.len(), self.0);
        }
    }
}

fn write(mut writer: Writer, backs: &Receiver<Taken>, seed: u64, steps: usize) -> u64 {
    let mut random = Random::new(seed);
    let (mut at, mut flushed) = (0_u64, 0);
    let mut prefixes = Vec::new();
    for _ in 0..steps {
        match random.below(16) {
            0..5 => {
                let len = len(&mut random);
                writer.write(&bytes(at, len)).unwrap();
                at += len as u64;
            }
            5 | 6 => {
                let mut slot = writer.reserve(len(&mut random)).unwrap();
                let len = random.below(slot.len().min(9000) + 1);
                slot.room()[..len].copy_from_slice(&bytes(at, len));
                if random.one_in(2) {
                    slot.room()[len..].fill(0xDD);
                }
                if !random.one_in(5) {
                    slot.commit(len);
                    at += len as u64;
                }
            }
            7 => {
                let len = len(&mut random);
                writer.push(bytes(at, len)).unwrap();
                at += len as u64;
            }
            8 => {
                let len = random.below(40);
                prefixes.push((at, writer.reserve_prefix(len).unwrap()));
                at += len as u64;
            }
            9 if random.one_in(3) => {
                writer.rollback();
                prefixes.clear();
                at = flushed;
            }
            10 => writer.release(),
            11 => drop(backs.try_iter().collect::<Vec<_>>()),
            _ => {
                for (at, prefix) in prefixes.drain(..) {
                    writer.patch(&prefix, &bytes(at, prefix.len())).unwrap();
                }
                if writer.flush_blocking().is_err() {
                    return flushed;
                }
                flushed = at;
            }
        }
    }
    for (at, prefix) in prefixes.drain(..) {
        writer.patch(&prefix, &bytes(at, prefix.len())).unwrap();
    }
    writer.finish();
    at
}

fn read(mut reader: Reader, back: &Sender<Taken>, seed: u64) -> u64 {
    let mut random = Random::new(seed);
    let mut at = 0;
    let mut kept: Vec<Taken> = Vec::new();
    let mut hold = 0;
    loop {
        let read = match random.below(4) {
            0 => match reader.try_read().unwrap() {
                Some(read) => read,
                None => continue,
            },
            _ => reader.read_blocking().unwrap(),
        };
        let (mut view, last) = match read {
            Read::Eof(view) => (view, true),
            read => (read.into_view(), false),
        };
        let shows = view.seq().to_contiguous().into_owned();
        assert!(bytes(at, shows.len()) == shows, "{} from {at}", shows.len());
        if random.one_in(50) {
            hold = random.below(3) * random.below(30);
        }
        let most = if random.one_in(3) { random.below(view.len() + 1) } else { view.len() };
        if random.one_in(if hold == 0 { 9 } else { 2 }) {
            kept.push(Taken(at, view.take(most)));
        } else if random.one_in(2) {
            view.need_more(most);
        } else {
            view.consume(most);
        }
        at += most as u64;
        while kept.len() > hold {
            let one = kept.swap_remove(random.below(kept.len()));
            if random.one_in(2) {
                let _ = back.send(one);
            }
        }
        if last && most == shows.len() {
            return at;
        }
    }
}

/// For so many seconds as `AQUEDUCT_STORM` says.
#[test]
fn two_threads_at_random_lend_and_take_what_was_written() {
    let asked = std::env::var("AQUEDUCT_STORM").ok().and_then(|secs| secs.parse().ok());
    let time = asked.map_or(Duration::from_millis(300), Duration::from_secs);
    let until = Instant::now() + time;
    let mut random = Random::unlike_others();
    let (mut all, mut gets, mut pipes) = (0, 0, 0);
    while Instant::now() < until {
        let pool = Pool::new();
        let first = [64, 4096, 8192, 65536][random.below(4)];
        let pause = [1, 500, 65536][random.below(3)];
        let options = Options::builder().pool(&pool).segments(first, 65536).pause(pause).resume(1);
        let (writer, reader) = pipe(options.build().unwrap());
        let (back, backs) = channel();
        let (one, two) = (random.seed(), random.seed());
        let writes = thread::spawn(move || write(writer, &backs, one, 3000));
        let seen = read(reader, &back, two);
        assert_eq!(seen, writes.join().unwrap(), "seeds {one} {two}");
        let stats = pool.stats();
        assert_eq!(pool.outstanding(), 0);
        (all, gets, pipes) = (all + seen, gets + stats.gets, pipes + 1);
    }
    println!("{pipes} pipes, {all} bytes, {gets} blocks");
}
