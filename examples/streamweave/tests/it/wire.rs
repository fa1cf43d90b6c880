//! The corpus of the fuzzer, and more of its kind.

use crate::wire_machine::run_bytes;
use aqueduct::Slice;
use aqueduct_testkit::{Random, replay, scale};
use streamweave::{Id, Message, Meta, fuzzed};

#[test]
fn the_corpus_of_what_peers_send_passes() {
    let files = replay("streamweave_wire", |bytes| {
        run_bytes(bytes);
    });
    assert!(files >= 10, "only {files} files in the corpus");
}

/// Items of all kinds, as one peer sends them to another.
fn sound(count: u64) -> Vec<u8> {
    let meta = Meta::default().with_source("a source of more than 23 bytes").with_key("k");
    let items: Vec<_> = (0..count)
        .map(|n| {
            let payload = Slice::from(vec![b'a' + (n % 26) as u8; (n * n) as usize % 200]);
            let own = meta.clone().with_id(Id::Sequence(n)).with_header("h", "v");
            let meta = [Meta::default(), meta.clone(), own][n as usize % 3].clone();
            (n as u32, Message { meta, sequence: n, ..Message::new(payload) })
        })
        .collect();
    fuzzed::write(&items, 100)
}

#[test]
fn items_with_any_changes_are_read_or_refused() {
    let mut random = Random::new(7);
    for _ in 0..scale(3000) {
        let mut bytes = sound(random.below(12) as u64);
        for _ in 0..random.below(4) {
            let at = random.below(bytes.len());
            bytes[at] = random.seed() as u8;
        }
        bytes.insert(0, random.seed() as u8 & !1);
        run_bytes(&bytes);
    }
}
