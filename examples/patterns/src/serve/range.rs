//! Which part of a file a request wants.

use std::ops::Range;

/// What a `Range` header asks for of a file of some length (RFC 9110, 14.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of it: the header asks for several parts, in another unit, or for nothing that makes sense.
    Whole,
    Part(Range<u64>),
    /// Nothing that the file has.
    Outside,
}

pub(super) fn wanted(header: &[u8], len: u64) -> Wanted {
    let Some((first, last)) = spec(header) else { return Wanted::Whole };
    let range = match (first, last) {
        (Some(first), Some(last)) if last < first => return Wanted::Whole,
        (Some(first), last) => first..last.map_or(len, |last| last.saturating_add(1).min(len)),
        (None, Some(count)) => len.saturating_sub(count)..len,
        (None, None) => return Wanted::Whole,
    };
    if range.is_empty() { Wanted::Outside } else { Wanted::Part(range) }
}

/// The two numbers of `bytes=FIRST-LAST`, where either may be left out.
fn spec(header: &[u8]) -> Option<(Option<u64>, Option<u64>)> {
    let (unit, spec) = str::from_utf8(header).ok()?.split_once('=')?;
    let (first, last) = spec.trim().split_once('-')?;
    unit.trim().eq_ignore_ascii_case("bytes").then_some(())?;
    Some((number(first)?, number(last)?))
}

/// Nothing, or digits; what no file reaches is as good as the largest number.
fn number(digits: &str) -> Option<Option<u64>> {
    if digits.is_empty() {
        return Some(None);
    }
    let sound = digits.bytes().all(|byte| byte.is_ascii_digit());
    sound.then(|| Some(digits.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::{Wanted::*, wanted};

    #[test]
    fn ranges_are_read_as_the_standard_has_them() {
        for (header, len, want) in [
            ("bytes=0-0", 10, Part(0..1)),
            ("bytes=0-499", 1000, Part(0..500)),
            ("bytes=500-999", 1000, Part(500..1000)),
            ("bytes=500-", 1000, Part(500..1000)),
            ("bytes=-500", 1000, Part(500..1000)),
            ("bytes=-5000", 1000, Part(0..1000)),
            ("bytes=990-2000", 1000, Part(990..1000)),
            ("BYTES = 1-2", 10, Part(1..3)),
            ("bytes=9-99999999999999999999999", 10, Part(9..10)),
            ("bytes=0-18446744073709551615", 10, Part(0..10)),
            ("bytes=10-", 10, Outside),
            ("bytes=10-20", 10, Outside),
            ("bytes=99999999999999999999999-", 10, Outside),
            ("bytes=-0", 10, Outside),
            ("bytes=0-", 0, Outside),
            ("bytes=-1", 0, Outside),
            ("bytes=2-1", 10, Whole),
            ("bytes=-", 10, Whole),
            ("bytes=1", 10, Whole),
            ("bytes=0-1,4-5", 10, Whole),
            ("bytes=a-b", 10, Whole),
            ("bytes=+1-2", 10, Whole),
            ("bytes=1--2", 10, Whole),
            ("lines=1-2", 10, Whole),
            ("", 10, Whole),
        ] {
            assert_eq!(wanted(header.as_bytes(), len), want, "{header} of {len}");
        }
        assert_eq!(wanted(b"bytes=\xff-", 10), Whole);
    }
}
