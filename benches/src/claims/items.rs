//! Document 003 on what items are made of: strings, bytes, allocations, and work on many bytes.

use std::collections::HashSet;
use std::hint::black_box;
use std::sync::Arc;

use ::streamweave::{Binary, Codec, Failure, Json};
use aqueduct::{Interner, Str};

use super::streamweave::claim;
use super::{medians, percent, ratio};
use crate::measure::{Effort, Subject, Work};
use crate::report::Claim;

/// A source as messages name it, too long for a handle.
const SOURCE: &str = "plant-7/line-3/temperature/raw-12";
const MESSAGES: usize = 1_000;
/// Nodes that hold a message's metadata at once.
const HOLDERS: usize = 10;

pub(super) fn all(effort: Effort) -> Vec<Claim> {
    // Only bytes are encoded here, which no codec refuses.
    let written = written().unwrap_or_default();
    let strings = Strings::new();
    vec![strings.shared(), strings.interned(), binary(written), allocation(effort), bulk(effort)]
}

/// Bytes that the sources of all messages take, as handles and as blocks.
struct Strings {
    cloned: usize,
    shared: usize,
    interned: usize,
    ours: usize,
}

impl Strings {
    fn new() -> Self {
        const COUNTS: usize = 2 * size_of::<usize>();
        let (handles, text) = (MESSAGES * HOLDERS, SOURCE.len());
        let mut interner = Interner::new();
        let kept: Vec<Str> = (0..MESSAGES).map(|_| interner.intern(SOURCE)).collect();
        let blocks = kept.iter().map(|name| name.as_ptr()).collect::<HashSet<_>>().len();
        Self {
            cloned: handles * (size_of::<String>() + text),
            shared: handles * size_of::<Arc<str>>() + MESSAGES * (COUNTS + text),
            interned: handles * size_of::<Arc<str>>() + blocks * (COUNTS + text),
            ours: handles * size_of::<Str>() + blocks * text,
        }
    }

    fn shared(&self) -> Claim {
        let saved = saved(self.shared, self.cloned);
        claim(
            "string-heavy workloads: 40-70% less memory by Arc<str>",
            saved >= 40.0,
            format!("{saved:.0}% less where {HOLDERS} hold each, {:.0}% where two do", two()),
            "reckoned from the sizes of handles, counts and a text of 33 bytes, each message with one of its \
             own, without what an allocator adds; holds if 40% are saved with ten holders",
        )
    }

    fn interned(&self) -> Claim {
        let (more, ours) = (saved(self.interned, self.shared), saved(self.ours, self.cloned));
        claim(
            "string interning: a further 20-40% less for repeated strings",
            more >= 20.0,
            format!("{more:.0}% less than Arc<str>; of ours, {ours:.0}% less than of String"),
            "the same, a thousand messages of one source; a Str's handle is 24 bytes where that of an Arc<str> \
             is 16, and takes a text of up to 23 without a block; blocks counted by their addresses; holds if \
             20% are saved",
        )
    }
}

/// What a handle more saves: a String's text each, or the one of both.
fn two() -> f64 {
    let [string, shared] = [size_of::<String>(), size_of::<Arc<str>>()];
    let text = SOURCE.len();
    saved(2 * shared + 2 * size_of::<usize>() + text, 2 * (string + text))
}

fn saved(now: usize, before: usize) -> f64 {
    percent(1.0 - ratio(now as u64, before as u64))
}

/// Every byte 256 times: as the binary serializer writes them, as base64, as JSON's numbers.
fn written() -> Result<[usize; 3], Failure> {
    let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(64 << 10).collect();
    let base64 = 4 * bytes.len().div_ceil(3) + "\"\"".len();
    Ok([Binary::encode(&bytes)?.len(), base64, Json::encode(&bytes)?.len()])
}

fn binary([binary, base64, numbers]: [usize; 3]) -> Claim {
    let [least, most] = [base64, numbers].map(|text| saved(binary, text));
    claim(
        "binary data: 80-95% less memory",
        most >= 80.0,
        format!("{most:.0}% less than JSON's list of numbers, {least:.0}% less than base64"),
        "64 KiB of all values, as serde's binary form and as JSON write them; holds if 80% are saved against \
         either. In process nothing is written at all: see the claims on memory",
    )
}

fn allocation(effort: Effort) -> Claim {
    const SIZES: [(&str, usize); 3] = [("64", 64), ("4096", 4096), ("65536", 65_536)];
    let work = |size| Work::make(move || Vec::<u8>::with_capacity(black_box(size)));
    let subjects = SIZES.map(|(key, size)| Subject::new(key, work(size)));
    let median = medians("claims.allocation", subjects.into(), effort);
    let [small, middle, large] = SIZES.map(|(key, _)| median(key));
    claim(
        "each allocation costs 10-50 ns of malloc",
        [small, middle, large].into_iter().all(|ns| (10.0..=50.0).contains(&ns)),
        format!("{small:.0} ns for 64 bytes, {middle:.0} for 4 KiB, {large:.0} for 64 KiB"),
        "the system's allocator on one thread, freed at once and so always warm; medians; holds if all three \
         lie in the range",
    )
}

fn bulk(effort: Effort) -> Claim {
    let mut line = vec![b'.'; 64 << 10];
    line.push(b'\n');
    let other = line.clone();
    let simd = Work::make(move || memchr::memchr(b'\n', black_box(&line)));
    let each = Work::make(move || black_box(&other).iter().position(|&byte| byte == b'\n'));
    let subjects = vec![Subject::new("memchr", simd), Subject::new("byte by byte", each)];
    let median = medians("claims.bulk", subjects, effort);
    let times = median("byte by byte") / median("memchr");
    claim(
        "SIMD: 4-8x for bulk data processing",
        times >= 4.0,
        format!("{times:.1}x"),
        "the end of a line of 64 KiB, by memchr, as the sources of lines find it, and byte by byte; holds from \
         four times on. What handles do to a payload no instruction makes faster: they do not touch it",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_a_naive_reckoning() {
        let strings = Strings::new();
        // 24 + 33, ten times; ten handles, two counts and one text; the same with one text for all.
        assert_eq!((strings.cloned, strings.shared), (570_000, 209_000));
        assert_eq!((strings.interned, strings.ours), (160_049, 240_033));
        assert_eq!([strings.shared(), strings.interned()].map(|it| it.verdict), ["holds"; 2]);
        let digits: usize = (0..=255_usize).map(|byte| byte.to_string().len()).sum();
        let numbers = 256 * (digits + 256) + 1;
        assert_eq!(written().unwrap(), [8 + 65_536, 87_386, numbers]);
    }

    #[test]
    fn verdicts_follow_the_figures() {
        assert_eq!(binary([20, 30, 100]).verdict, "holds");
        assert_eq!(binary([21, 30, 100]).verdict, "does not hold");
    }
}
