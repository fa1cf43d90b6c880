//! The odd allocator, installed.
use aqueduct_testkit::OddAlloc;

#[global_allocator]
static ALLOC: OddAlloc = OddAlloc;

#[test]
fn bytes_start_at_odd_addresses_and_words_do_not() {
    let mut v = vec![1_u8; 10];
    for n in 1..100 {
        v.resize(n * 10, 1);
        assert_eq!(v.as_ptr().addr() % 2, 1);
        assert!(v.iter().all(|b| *b == 1));
    }
    let words = Vec::from_iter([1_u64; 4]);
    assert_eq!(words.as_ptr().addr() % 8, 0);
}
