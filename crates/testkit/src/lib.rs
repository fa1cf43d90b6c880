//! What Aqueduct's tests share: a naive oracle, hostile allocators, callbacks that panic, readers
//! that lie, threads that hold handles.
//!
//! Knows no Aqueduct crate, so every one of them can have it as a dev-dependency.
#![deny(unsafe_code)]
#![allow(clippy::disallowed_methods, reason = "an oracle copies; nothing here is measured")]

#[allow(unsafe_code, reason = "implements GlobalAlloc")]
mod count;
mod countdown;
#[allow(unsafe_code, reason = "implements GlobalAlloc")]
mod fail;
mod limits;
mod lying;
mod messages;
#[allow(unsafe_code, reason = "implements GlobalAlloc")]
mod odd;
pub mod oracle;
mod probe;
mod process;
mod python;
mod script;
#[allow(unsafe_code, reason = "implements GlobalAlloc")]
mod search;
mod serving;
mod starved;
mod strace;
#[allow(unsafe_code, reason = "implements GlobalAlloc")]
mod thread_count;
mod thread_end;
mod worker;

pub use count::{CountingAlloc, Tally};
pub use countdown::{Countdown, Tracked, for_every_k};
pub use fail::FailingAlloc;
pub use limits::{Limit, check_limits};
pub use lying::{Lie, LyingReader};
pub use messages::may_compare_messages;
pub use odd::OddAlloc;
pub use process::Process;
pub use python::python;
pub use script::{Step, replay, steps, traced};
pub use search::SearchAlloc;
pub use serving::Serving;
pub use starved::{Starved, all_but, for_every_allocation};
pub use strace::{Faults, Traced, converse, hide_dates, injected, injections, may_trace};
pub use thread_count::ThreadCountingAlloc;
pub use thread_end::at_thread_ends;
pub use worker::Worker;

use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How often to do a thing: [`fewer`] of `n`, or a hundred times as often when `AQUEDUCT_LONG=1`.
#[must_use]
pub fn scale(n: usize) -> usize {
    let n = fewer(n);
    if std::env::var_os("AQUEDUCT_LONG").is_some_and(|v| v == "1") { n * 100 } else { n }
}

/// How many cases of a property to try: [`scale`] of `n`, or two under Miri.
#[must_use]
pub fn cases(n: usize) -> u32 {
    let cases = if cfg!(miri) { 2 } else { scale(n) };
    u32::try_from(cases).unwrap_or(u32::MAX)
}

/// `n`, or under Miri, which is some thousand times slower, a hundredth of it: one at least, forty at
/// the most.
#[must_use]
pub const fn fewer(n: usize) -> usize {
    let few = n.div_ceil(100);
    match cfg!(miri) {
        true if few > 40 => 40,
        true => few,
        false => n,
    }
}

/// How far apart to take the values of a range that a test goes through: `n` under Miri, else one.
#[must_use]
pub const fn stride(n: usize) -> usize {
    if cfg!(miri) { n } else { 1 }
}

static SKIPPED: AtomicUsize = AtomicUsize::new(0);

/// Says in one line that a test could not run here, and why; counted by [`skipped`].
pub fn skip(why: &str) {
    // Relaxed: a tally that orders nothing.
    SKIPPED.fetch_add(1, Ordering::Relaxed);
    let test = std::thread::current();
    // Not by a macro: the harness would keep what a test prints that passes.
    let _ = writeln!(std::io::stderr(), "skipped: {}: {why}", test.name().unwrap_or("a thread"));
}

/// How many tests of this process called [`skip`].
#[must_use]
pub fn skipped() -> usize {
    SKIPPED.load(Ordering::Relaxed)
}

/// `n` bytes that differ from those of other seeds at nearly every place; none is 0.
#[must_use]
pub fn pattern(n: usize, seed: usize) -> Vec<u8> {
    // By pieces of a table, since Miri takes its time over every byte that is computed.
    let mut bytes = Vec::with_capacity(n);
    let mut from = seed % PERIOD * 31 % PERIOD * 36 % PERIOD; // 36 times 7 is 1 modulo 251
    while bytes.len() < n {
        let end = PERIOD.min(from + n - bytes.len());
        bytes.extend_from_slice(&TABLE[from..end]);
        from = 0;
    }
    bytes
}

/// After so many bytes a pattern repeats.
const PERIOD: usize = 251;

/// The pattern of seed 0.
#[allow(clippy::cast_possible_truncation, reason = "at most 251")]
const TABLE: [u8; PERIOD] = {
    let (mut table, mut i) = ([0; PERIOD], 0);
    while i < PERIOD {
        table[i] = (i * 7 % PERIOD + 1) as u8;
        i += 1;
    }
    table
};

/// Numbers at random, the same for the same seed: xorshift64.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Zero counts as one.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.max(1))
    }

    /// One that no run had before, which says what it is.
    #[must_use]
    pub fn unlike_others() -> Self {
        let seed = RandomState::new().hash_one(0);
        println!("seed {seed}");
        Self::new(seed)
    }

    /// A number from zero on, below `of`.
    pub fn below(&mut self, of: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        #[allow(clippy::cast_possible_truncation, reason = "any bits will do")]
        let bits = (self.0 >> 20) as usize;
        bits % of
    }

    /// True once in so many times.
    pub fn one_in(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }

    /// A seed for another.
    pub fn seed(&mut self) -> u64 {
        self.below(usize::MAX);
        self.0
    }
}

/// Resident memory of this process in bytes, where the system tells.
#[must_use]
pub fn resident_bytes() -> Option<usize> {
    resident_bytes_of(std::process::id())
}

/// Resident memory of the process of this number in bytes, where the system tells. AddressSanitizer keeps
/// what is freed, so under it the figure would say nothing.
#[must_use]
pub fn resident_bytes_of(process: u32) -> Option<usize> {
    if sanitized() {
        return None;
    }
    let statm = std::fs::read_to_string(format!("/proc/{process}/statm")).ok()?;
    let pages: usize = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

/// Whether this is a run of `cargo xtask sanitize`, by AddressSanitizer.
#[must_use]
pub fn sanitized() -> bool {
    std::env::var_os("ASAN_OPTIONS").is_some()
}

/// Whether `f` panics. The panic's message is printed as usual.
pub fn panics<R>(f: impl FnOnce() -> R) -> bool {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).is_err()
}

#[cfg(test)]
mod tests {
    #[test]
    fn patterns_have_no_zero_and_differ() {
        let (a, b) = (super::pattern(600, 1), super::pattern(600, 2));
        assert!(!a.contains(&0));
        assert!(a.iter().zip(&b).all(|(x, y)| x != y));
        assert!(b.iter().enumerate().all(|(i, x)| usize::from(*x) == (i * 7 + 2 * 31) % 251 + 1));
    }

    #[test]
    fn a_skip_is_counted() {
        let before = super::skipped();
        super::skip("this test shows a skip");
        assert!(super::skipped() > before);
    }
}
