//! The corpora of the fuzzer, and more of their kind.

use crate::machine::{run_envelope, run_zmtp};
use aqueduct_testkit::{Random, replay, scale};

fn corpus(name: &str, target: fn(&[u8])) {
    let files = replay(name, target);
    assert!(files >= 20, "only {files} files in the corpus");
}

#[test]
fn the_corpus_of_zmtp_passes() {
    corpus("zmtp", run_zmtp);
}

#[test]
fn the_corpus_of_envelopes_passes() {
    corpus("envelope", run_envelope);
}

/// Made of what an envelope is made of, in any order.
#[test]
fn envelopes_of_any_fields_are_read_as_by_a_naive_reader() {
    const FIELDS: [&[u8]; 24] = [
        b"\x94",
        b"\xdc\0\x04",
        b"\xdd\0\0\0\x04",
        b"\x93",
        b"\x07",
        b"\xcc\x80",
        b"\xcd\x01\0",
        b"\xce\xff\xff\xff\xff",
        b"\xcf\0\0\0\0\0\0\0\x01",
        b"\xd0\x80",
        b"\xd1\0\x05",
        b"\xd2\x80\0\0\0",
        b"\xd3\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\xfc",
        b"\xa4echo",
        b"\xa0",
        b"\xd9\x02hi",
        b"\xda\0\x01x",
        b"\xdb\0\0\0\0",
        b"\xa1\xff",
        b"\xc0",
        b"\xc4\x02hi",
        b"\xc5\0\x01x",
        b"\xc6\0\0\0\0",
    ];
    let mut random = Random::unlike_others();
    for _ in 0..scale(50_000) {
        let mut bytes = vec![random.below(30) as u8, 0x94, 0x07];
        bytes.truncate(1 + random.below(3));
        (0..random.below(6)).for_each(|_| bytes.extend(FIELDS[random.below(FIELDS.len())]));
        run_envelope(&bytes);
    }
}
