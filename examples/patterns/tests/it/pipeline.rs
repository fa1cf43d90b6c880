//! Three stages, either way.

use aqueduct::meter;
use patterns::pipeline::{copying, input, zero_copy};

#[test]
fn both_modes_give_the_same() {
    for len in [0, 1, 23, 24, 1000, 10 << 20] {
        let input = input(len);
        let arrays = copying(&input);
        assert_eq!(arrays, zero_copy(&input).as_slice(), "{len}");
        let by_hand = |b: &u8| (b ^ 0x5a).wrapping_add(17).rotate_left(3);
        assert!(arrays.iter().eq(input.iter().map(by_hand).collect::<Vec<_>>().iter()), "{len}");
    }
}

#[test]
fn three_copies_against_none() {
    let input = input(100_000);
    let before = meter::thread();
    let arrays = copying(&input);
    let copied = meter::thread() - before;
    assert_eq!((copied.bytes, copied.copies), (300_000, 3));
    let before = meter::thread();
    let one = zero_copy(&input);
    let copied = meter::thread() - before;
    assert_eq!((copied.bytes, copied.copies), (0, 0));
    assert_eq!(arrays.len(), one.len());
}
