//! What a scrubbing pool gives back to the system, wherever it had it from.
#![cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
#![allow(missing_docs, reason = "a test binary")]

use aqueduct_pool::Pool;
use aqueduct_testkit::SearchAlloc;

#[global_allocator]
static ALLOC: SearchAlloc = SearchAlloc;

const SECRET: u8 = 0xee;

/// How many blocks with the secret in them a pool gives back when `len` bytes of it are written,
/// `more` are appended, and all is dropped.
fn leaked(scrub: bool, len: usize, more: usize) -> usize {
    SearchAlloc::found(SECRET, 1_000, || {
        let pool = Pool::builder().largest_block(4096).scrub(scrub).build().unwrap();
        let mut buffer = pool.get(len);
        buffer.resize(len, SECRET);
        buffer.resize(len + more, SECRET);
        drop(buffer.freeze());
        drop(pool);
    })
}

#[test]
fn t08_a_scrubbing_pool_gives_no_secret_to_the_system() {
    for (len, more) in [(4_000, 0), (10_000, 0), (4_000, 10_000), (10_000, 100_000)] {
        assert_eq!(leaked(true, len, more), 0, "{len} bytes and {more} more");
        assert!(leaked(false, len, more) > 0, "the search finds what is there");
    }
}

#[test]
fn t08_a_buffer_that_outlives_its_pool_is_scrubbed_as_it_grows() {
    let pool = Pool::builder().largest_block(4096).scrub(true).build().unwrap();
    let mut buffer = pool.get(2_000);
    drop(pool);
    let found = SearchAlloc::found(SECRET, 1_000, || {
        buffer.resize(2_000, SECRET);
        buffer.resize(50_000, SECRET);
        buffer.resize(500_000, SECRET);
        drop(buffer);
    });
    assert_eq!(found, 0);
}
