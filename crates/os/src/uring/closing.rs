//! A ring that is dropped while the kernel still fills blocks, and destructors that panic meanwhile.

use super::{Ring, open_direct};
use crate::sys::{Call, Fault, script};
use aqueduct_pool::Pool;
use aqueduct_slice::Slice;
use aqueduct_testkit::{panics, pattern};
use std::{
    env, fs,
    net::{TcpListener, TcpStream},
    process,
    sync::Arc,
    thread,
    time::Duration,
};

/// Bytes that cannot be dropped in peace.
struct Bad(Vec<u8>);

impl AsRef<[u8]> for Bad {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Bad {
    fn drop(&mut self) {
        panic!("an owner");
    }
}

/// A foreign owner's destructor that panics within the ring's own: what is armed still is waited for, or
/// leaked, all the same. Else the kernel would write into blocks that are somebody else's.
#[test]
fn a_panic_while_the_ring_is_dropped_frees_no_block_that_the_kernel_fills() {
    // A disk that is fast enough is done before the blocks are given out again.
    (0..5).for_each(|_| drop_with_a_bad_owner());
}

fn drop_with_a_bad_owner() {
    const LEN: usize = 1 << 20;
    const READS: usize = 256;
    let path = env::temp_dir().join(format!("aqueduct-uring-closing-{}", process::id()));
    fs::write(&path, pattern(64 * LEN, 1)).unwrap();
    fs::File::open(&path).unwrap().sync_all().unwrap();
    let (direct, fallback) = open_direct(&path).unwrap();
    fs::remove_file(&path).unwrap();
    if let Some(fallback) = fallback {
        return aqueduct_testkit::skip(&fallback.to_string());
    }
    let canary = pattern(LEN, 5);
    let (direct, ring) = (Arc::new(direct), Ring::new(1).unwrap());
    // All blocks stay with the pool, so that the next to ask gets those.
    let builder = Pool::builder().smallest_block(LEN).largest_block(LEN).alignment(4096);
    let pool = builder.keep_per_thread(1 << 30).keep_in_all(1 << 30).build().unwrap();
    let mut blocks: Vec<_> = (0..READS).map(|_| pool.get(LEN)).collect();
    blocks.iter_mut().for_each(|block| block.spare_mut().fill(0)); // so that the pages are there

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = Arc::new(TcpStream::connect(listener.local_addr().unwrap()).unwrap());
    let bad = ring.send(&client, Slice::from_owner(Bad(vec![1; 8 << 20])));
    ring.turn(0).unwrap();
    let reads: Vec<_> = (0..64)
        .cycle()
        .zip(blocks)
        .map(|(at, block)| ring.read_at(&direct, at * LEN as u64, LEN, block))
        .collect();
    ring.turn(0).unwrap();
    {
        // The kernel has no time for the cancellations.
        let _busy =
            script(|call, _| (call == Call::UringSubmit).then_some(Fault::Errno(libc::EAGAIN)));
        drop(bad);
        drop(reads);
    }
    assert!(panics(move || drop(ring)));
    let mut canaries: Vec<_> = (0..READS).map(|_| pool.get(LEN)).collect();
    let recycled = pool.outstanding();
    canaries.iter_mut().for_each(|block| block.extend_from_slice(&canary));
    thread::sleep(Duration::from_millis(300));
    assert!(
        canaries.iter().all(|block| **block == *canary),
        "the kernel wrote into blocks that had been given out again; outstanding: {recycled}"
    );
}
