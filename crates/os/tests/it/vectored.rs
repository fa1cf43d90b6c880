//! Vectored writes against one write of all bytes together.

use crate::sides::{Kind, nonblocking, target};
use aqueduct_os::write_all_vectored;
use aqueduct_sequence::Sequence;
use aqueduct_slice::Slice;
use aqueduct_testkit::pattern;
use proptest::prelude::*;

/// More pieces than one call takes, of lengths that are short, empty and longer than a socket's buffer.
fn pieces() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![
        proptest::collection::vec(0..40_usize, 0..40),
        proptest::collection::vec(0..9_usize, 1000..3000),
        proptest::collection::vec(0..300_000_usize, 0..6),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn pieces_arrive_in_order(
        lengths in pieces(),
        to in proptest::sample::select(&Kind::ALL),
        still: bool,
    ) {
        let parts: Vec<Vec<u8>> =
            lengths.iter().enumerate().map(|(i, &len)| pattern(len, i)).collect();
        let want = parts.concat();
        let sequence: Sequence = parts.iter().map(|part| Slice::copy_from_slice(part)).collect();
        let to = target(to);
        if still {
            nonblocking(&to.fd);
        }
        let count = write_all_vectored(sequence.as_ref()).run(&to.fd).unwrap();
        prop_assert_eq!(count, want.len() as u64);
        let slices = parts.iter().map(Vec::as_slice);
        prop_assert_eq!(write_all_vectored(slices).run(&to.fd).unwrap(), count);
        prop_assert!(to.arrived() == [&want[..], &want[..]].concat());
    }
}

#[test]
fn no_pieces_need_no_descriptor_that_takes_any() {
    let (exit, _entry) = std::io::pipe().unwrap();
    assert_eq!(write_all_vectored([]).run(&exit).unwrap(), 0);
    assert_eq!(write_all_vectored([&b""[..]; 5]).run(&exit).unwrap(), 0);
    write_all_vectored([&b"x"[..]]).run(&exit).unwrap_err();
}
