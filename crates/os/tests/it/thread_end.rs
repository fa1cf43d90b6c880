//! Threads that end while they move bytes.

use crate::sides::{Kind, ends};
use aqueduct_os::{Method, Transfer};
use aqueduct_pool::Pool;
use aqueduct_testkit::{at_thread_ends, pattern};
use std::{
    fs::File,
    io::{Read, Write},
};

/// The pipe that relays of a thread share is gone by then, or its own.
#[test]
fn t28_relays_work_within_thread_local_destructors() {
    at_thread_ends(|| {
        let ((from, feed), (arrived, to)) = (ends(Kind::Unix), ends(Kind::Unix));
        let bytes = pattern(20_000, 1);
        File::from(feed).write_all(&bytes).unwrap();
        let done = Transfer::by(Method::ThroughPipe, None).run(&from, &to).unwrap();
        assert_eq!((done.bytes, done.fallback), (20_000, None));
        drop(to);
        let mut got = Vec::new();
        File::from(arrived).read_to_end(&mut got).unwrap();
        assert_eq!(got, bytes);
    });
}

/// A ring that is made, used, and dropped with a read on its way there.
#[cfg(feature = "io-uring")]
#[test]
fn t28_rings_work_within_thread_local_destructors() {
    let pool = Pool::builder().build().unwrap();
    if let Err(refused) = aqueduct_os::uring::Ring::probe() {
        return aqueduct_testkit::skip(&refused.to_string());
    }
    let blocks = pool.clone();
    at_thread_ends(move || {
        let ring = aqueduct_os::uring::Ring::new(8).unwrap();
        let (from, feed) = ends(Kind::File);
        let bytes = pattern(9_000, 2);
        File::from(feed).write_all(&bytes).unwrap();
        let file = std::sync::Arc::new(from);
        let (read, block) = ring.read_at(&file, 0, 9_000, blocks.get(9_000)).wait();
        assert_eq!((read.unwrap(), &block[..]), (9_000, &bytes[..]));
        drop(ring.read_at(&file, 0, 9_000, blocks.get(9_000)));
    });
    assert_eq!(pool.outstanding(), 0);
}
