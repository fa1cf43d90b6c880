//! Starts the threads, one after the other at each place, and watches.

use crate::{
    ledger::{Ledger, Plant},
    parcel::Maker,
    worker::{Message, Place, work},
};
use aqueduct::{
    Pool,
    ring::{Arena, Builder, Consumer, Exclusive, Many, One, Producer},
};
use aqueduct_testkit::{Random, resident_bytes};
use std::{
    fs,
    sync::{Arc, atomic::Ordering::Relaxed},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

const THREADS: usize = 8;
/// How long one of them lives, up to a half more: they do not end together.
const LIFE: u64 = 1_000;
const LOOK: Duration = Duration::from_millis(50);

pub struct Settings {
    pub length: Duration,
    /// After this time memory must not grow by more than a fifth. None where the run is too short.
    pub rested: Option<Duration>,
    /// How often a line is printed, and between what times the largest figures are compared.
    pub line: Duration,
    pub plant: Option<Plant>,
}

/// Runs it all. The error is what was wrong.
pub fn run(settings: &Settings) -> Result<(), String> {
    let descriptors = descriptors();
    let ledger = Arc::new(Ledger::new(settings.plant));
    let pools = pools().map_err(|e| format!("a pool: {e}"))?;
    let maker = Arc::new(Maker { pools, ledger: Arc::clone(&ledger) });
    let places = places(&maker).map_err(|e| format!("a ring: {e}"))?;
    let mut watch =
        Watch { maker: &maker, settings, since: Instant::now(), now: Memory::default() };
    watch.threads(places);
    watch.look();
    watch.line();
    // The threads are joined, their places dropped with all that was on its way.
    for pool in &maker.pools {
        pool.trim();
        let stats = pool.stats();
        if stats.outstanding > 0 || stats.held_bytes > 0 {
            ledger.fault(format!("a pool at the end: {stats:?}"));
        }
    }
    let alive = ledger.alive.load(Relaxed);
    if alive > 0 {
        ledger.fault(format!("{alive} parcels or owners were never dropped"));
    }
    let open = self::descriptors();
    if open > descriptors {
        ledger.fault(format!("{open} descriptors at the end, {descriptors} at the start"));
    }
    let faults = ledger.faults();
    let shown: Vec<String> = faults.iter().take(10).cloned().collect();
    if faults.is_empty() { Ok(()) } else { Err(shown.join("\n")) }
}

/// One of each kind: with room, aligned and scrubbed, and with a limit that is reached.
fn pools() -> Result<[Pool; 3], aqueduct::PoolBuildError> {
    Ok([
        Pool::builder().build()?,
        Pool::builder().alignment(4096).scrub(true).build()?,
        Pool::builder().hard_limit(2 << 20).build()?,
    ])
}

/// Each place sends to two others, and each ring has two who send.
fn places(maker: &Arc<Maker>) -> Result<Vec<Place>, aqueduct::ring::BuildError> {
    let arena = Arc::new(Arena::new(64, || None)?);
    let mut inlets: Vec<Consumer<Option<Message>, Exclusive>> = Vec::new();
    let mut outlets: Vec<Producer<Option<Message>, Many>> = Vec::new();
    for _ in 0..THREADS {
        let (outlet, (inlet,)) = Builder::new(32).build_many::<_, (One,)>(|| None)?;
        inlets.push(inlet);
        outlets.push(outlet);
    }
    let place = |(at, inlet): (usize, _)| Place {
        inlet,
        outlets: [1, 3].map(|step| outlets[(at + step) % THREADS].clone()),
        arena: Arc::clone(&arena),
        maker: Arc::clone(maker),
    };
    Ok(inlets.into_iter().enumerate().map(place).collect())
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

/// The most that was seen.
#[derive(Clone, Copy, Debug, Default)]
struct Memory {
    resident: usize,
    held: usize,
}

struct Watch<'a> {
    maker: &'a Maker,
    settings: &'a Settings,
    since: Instant,
    /// Since the last line.
    now: Memory,
}

impl Watch<'_> {
    fn threads(&mut self, places: Vec<Place>) {
        let mut random = Random::unlike_others();
        let mut start = |place: Place| -> JoinHandle<Place> {
            let (seed, life) = (random.seed(), LIFE + random.below(500) as u64);
            thread::spawn(move || work(place, seed, Instant::now() + Duration::from_millis(life)))
        };
        let mut threads: Vec<_> = places.into_iter().map(&mut start).collect();
        let (mut next, mut rested) = (self.settings.line, None);
        while self.since.elapsed() < self.settings.length && !self.ledger().over.load(Relaxed) {
            thread::sleep(LOOK);
            for at in (0..threads.len()).rev() {
                if threads[at].is_finished() {
                    // Another in its place; one that panicked leaves none.
                    let place = self.join(threads.swap_remove(at));
                    threads.extend(place.map(&mut start));
                }
            }
            self.look();
            if self.since.elapsed() >= next {
                next += self.settings.line;
                self.line();
                self.judge(&mut rested);
            }
        }
        self.ledger().over.store(true, Relaxed);
        for thread in threads {
            drop(self.join(thread));
        }
    }

    fn ledger(&self) -> &Ledger {
        &self.maker.ledger
    }

    fn join(&self, thread: JoinHandle<Place>) -> Option<Place> {
        let place = thread.join();
        if place.is_err() {
            self.ledger().fault("a thread panicked".to_owned());
        }
        place.ok()
    }

    fn look(&mut self) {
        let held: u64 = self.maker.pools.iter().map(|pool| pool.stats().held_bytes).sum();
        self.now.held = self.now.held.max(usize::try_from(held).unwrap_or(usize::MAX));
        self.now.resident = self.now.resident.max(resident_bytes().unwrap_or(0));
    }

    fn line(&self) {
        let ledger = self.ledger();
        let tallies = [&ledger.parcels, &ledger.pipes, &ledger.threads];
        let [parcels, pipes, threads] = tallies.map(|tally| tally.load(Relaxed));
        let outstanding: u64 = self.maker.pools.iter().map(Pool::outstanding).sum();
        println!(
            "{:>6.0} s: {parcels} parcels, {} MiB checked, {threads} threads, {pipes} pipes, {} moved by \
             the kernel, {} by io_uring; at most {} KiB resident, {} KiB in the pools; now {outstanding} \
             blocks out, {} descriptors",
            self.since.elapsed().as_secs_f64(),
            ledger.checked.load(Relaxed) >> 20,
            ledger.moved.load(Relaxed),
            ledger.by_uring.load(Relaxed),
            self.now.resident >> 10,
            self.now.held >> 10,
            descriptors(),
        );
    }

    /// Compares the most of this line with the most of the line at which all was at rest.
    fn judge(&mut self, rested: &mut Option<Memory>) {
        let now = std::mem::take(&mut self.now);
        if self.settings.rested.is_none_or(|after| self.since.elapsed() < after) {
            return;
        }
        let then = *rested.get_or_insert(now);
        let figures =
            [("resident", now.resident, then.resident), ("in the pools", now.held, then.held)];
        for (what, now, then) in figures {
            if now > then / 5 * 6 {
                self.ledger().fault(format!("memory {what} grew from {then} to {now} bytes"));
            }
        }
    }
}
