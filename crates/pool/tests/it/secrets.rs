//! What an earlier user of a block wrote is never shown to a later one.

use aqueduct_pool::Pool;
use aqueduct_slice::SliceMut;
use aqueduct_testkit::{Lie, LyingReader, Worker, panics};

const SECRET: u8 = 0xee;

/// A pool whose blocks of this size were all full of secrets.
fn tainted(size: usize) -> Pool {
    let pool = Pool::builder().build().expect("the defaults");
    let blocks: Vec<SliceMut> = (0..8)
        .map(|_| {
            let mut block = pool.get(size);
            block.spare_mut().fill(SECRET);
            block.commit(block.capacity());
            block
        })
        .collect();
    drop(blocks);
    pool
}

/// A recycled block; proven to be one by the statistics and by its contents.
fn recycled(pool: &Pool, size: usize) -> SliceMut {
    let before = pool.stats();
    let mut block = pool.get(size);
    assert_eq!(pool.stats().misses, before.misses, "the test needs a recycled block");
    assert!(block.spare_mut().contains(&SECRET), "the test needs a dirty block");
    assert!(block.is_empty());
    block
}

#[test]
fn t08_a_recycled_block_shows_nothing_that_was_not_committed() {
    for size in [100, 4_000, 60_000] {
        let pool = tainted(size);
        assert_eq!(recycled(&pool, size).freeze(), b"");
        let mut block = recycled(&pool, size);
        block.extend_from_slice(b"mine");
        assert_eq!(format!("{block:?}"), "b\"mine\"");
        assert!(panics(|| block.split_frozen(5)));
        assert!(panics(|| block.split_to(5)));
        assert!(panics(|| block.advance(5)));
        let frozen = block.freeze();
        assert!(frozen.try_slice(..5).is_err());
        assert_eq!(frozen.detach(), b"mine");
        let mut again = frozen.try_into_mut().expect("alone");
        assert_eq!(again[..], *b"mine");
        again.resize(50, 0);
        assert!(!again.contains(&SECRET), "resize shows what was there");
        again.clear();
        again.extend((0..90).map(|_| 1_u8));
        assert_eq!(again.freeze(), [1; 90]);
    }
}

#[test]
fn t08_growth_headroom_and_joins_show_nothing_either() {
    let pool = tainted(1_000);
    let mut block = recycled(&pool, 1_000);
    block.extend_from_slice(&[1; 100]);
    block.advance(50);
    block.prepend(&[2; 50]).expect("fifty bytes of room");
    block.reserve(5_000);
    assert_eq!(block[..50], [2; 50]);
    assert_eq!(block[50..], [1; 50]);

    let mut front = recycled(&pool, 1_000);
    front.extend_from_slice(&[3; 10]);
    let mut back = front.split_off(20);
    back.extend_from_slice(&[4; 10]);
    // Between byte 10 and byte 20 stands what nobody committed.
    front.unsplit(back);
    assert_eq!((front.len(), front.contains(&SECRET)), (20, false));

    let mut cut = recycled(&pool, 1_000);
    cut.extend_from_slice(&[5; 30]);
    let back = cut.split_off(20);
    cut.truncate(10);
    cut.unsplit(back);
    assert_eq!(cut[..], [5; 20]);
}

#[test]
#[cfg_attr(miri, ignore = "too long")]
fn t08_a_lying_reader_shows_nothing_of_a_recycled_block() {
    for lie in Lie::ALL {
        for most in [1, 1_000, 4_000] {
            let pool = tainted(4_000);
            let mut block = recycled(&pool, 4_000);
            block.extend_from_slice(b"mine");
            let mut reader = LyingReader::new(lie);
            panics(|| block.read_from(&mut reader, most).is_ok());
            assert_eq!(block[..4], *b"mine", "{lie:?} with {most}");
            assert!(!block.contains(&SECRET), "{lie:?} with {most}");
            assert!(!block.freeze().contains(&SECRET), "{lie:?} with {most}");
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "too long")]
fn t08_with_scrub_released_memory_reads_zero() {
    for size in [100, 4_000, 60_000] {
        let pool = Pool::builder().scrub(true).build().expect("a sensible pool");
        let elsewhere = Worker::<()>::new();
        for round in 0..4 {
            let mut blocks: Vec<SliceMut> = (0..40).map(|_| pool.get(size)).collect();
            for block in &mut blocks {
                assert!(block.spare_mut().iter().all(|b| *b == 0), "round {round}, {size}");
                block.spare_mut().fill(SECRET);
                block.commit(1);
            }
            match round {
                0 => drop(blocks),
                1 => elsewhere.call(move |()| drop(blocks)),
                2 => std::thread::spawn(move || drop(blocks)).join().expect("no panic"),
                // A part keeps the block; the rest of it is scrubbed with it.
                _ => blocks.into_iter().for_each(|mut b| {
                    let part = b.split_frozen(1);
                    drop(b);
                    drop(part);
                }),
            }
        }
        let mut last = pool.get(size);
        assert!(last.spare_mut().iter().all(|b| *b == 0));
    }
}
