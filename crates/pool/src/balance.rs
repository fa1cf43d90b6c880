//! Tests of the books: what leases took from the budget comes back to it, whatever path a block took,
//! and nothing is kept that no setting bounds.

use crate::{Pool, core::Core, local};
use aqueduct_base::sync::{Arc, Mutex, thread};
use aqueduct_slice::Slice;
use aqueduct_testkit::{Worker, scale, stride};

const KIB: usize = 1 << 10;

/// A random number below `most`, by xorshift.
pub(crate) fn random(state: &mut u64, most: usize) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    usize::try_from(*state >> 33).unwrap() % most
}

pub(crate) fn slice(pool: &Pool, size: usize) -> Slice {
    let mut buffer = pool.get(size);
    buffer.extend_from_slice(&[7; 50]);
    buffer.freeze()
}

/// Nothing is in use or kept, and the budget is whole.
#[track_caller]
fn assert_balanced(core: &'static Core, what: &str) {
    assert_eq!(core.raw().outstanding(), 0, "{what}");
    assert_eq!(core.held(), 0, "{what}");
    assert_eq!(core.spare().count(), 0, "{what}");
    let missing = core.config().keep_in_all.wrapping_sub(core.budget().left()).cast_signed();
    assert_eq!(missing, 0, "{what}: bytes of lease that are lost, or were given twice");
}

/// Gets, frees, hands over, trims and maintains at random.
fn churn(pool: &Pool, market: &Mutex<Vec<Slice>>, seed: usize, largest: usize) {
    let mut state = 0x9E37_79B9_7F4A_7C15 ^ (seed as u64 + 1) << 20;
    let mut own = Vec::new();
    for _ in 0..scale(600) {
        match random(&mut state, 64) {
            0..24 => own.push(slice(pool, (largest >> random(&mut state, 15)).max(50))),
            24..32 if !own.is_empty() => {
                own.swap_remove(random(&mut state, own.len()));
            }
            32..46 => {
                let mut market = market.lock();
                market.extend(own.pop());
            }
            46..60 => {
                let mut market = market.lock();
                let most = market.len().min(8);
                let rest = market.len() - most;
                let taken = market.split_off(rest);
                drop(market);
                drop(taken);
            }
            60 => pool.maintain(),
            61 if random(&mut state, 8) == 0 => pool.trim(),
            62 => own.clear(),
            _ => own.truncate(own.len() / 2),
        }
    }
}

fn balance(per_thread: usize, in_all: usize, limit: Option<usize>, align: usize) {
    let what = format!("{per_thread} per thread, {in_all} in all, {limit:?}, {align}");
    let largest = 256 * KIB;
    let mut builder = Pool::builder().smallest_block(64).largest_block(largest).alignment(align);
    builder = builder.keep_per_thread(per_thread).keep_in_all(in_all);
    if let Some(limit) = limit {
        builder = builder.hard_limit(limit);
    }
    let pool = builder.build().unwrap();
    let core = pool.core();
    let market = Arc::new(Mutex::new(Vec::new()));
    let stays = Worker::<()>::new();
    for generation in 0..3 {
        let running: Vec<_> = (0..4)
            .map(|i| {
                let (pool, market) = (pool.clone(), market.clone());
                thread::spawn(move || churn(&pool, &market, generation * 8 + i, largest))
            })
            .collect();
        let (theirs, bazaar) = (pool.clone(), market.clone());
        stays.post(move |()| churn(&theirs, &bazaar, generation * 8 + 7, largest));
        churn(&pool, &market, generation * 8 + 6, largest);
        running.into_iter().for_each(|thread| thread.join().unwrap());
    }
    stays.call(|()| ()); // it is done with its churn
    let mut left = std::mem::take(&mut *market.lock());
    let half = left.split_off(left.len() / 2);
    stays.call(move |()| drop(half));
    drop(left);
    pool.trim();
    let theirs = pool.clone();
    stays.call(move |()| theirs.maintain());
    pool.trim(); // what the maintenance sent home
    assert_balanced(core, &what);
}

#[test]
fn every_lease_comes_back_whatever_a_thread_may_keep() {
    let per_thread = [0, 1, 500, 4 * KIB, 64 * KIB, 1 << 20, 64 << 20, usize::MAX];
    for per_thread in per_thread.into_iter().step_by(stride(4)) {
        for in_all in [0, 1, 1_000, 100_000, 4 << 20, usize::MAX].into_iter().step_by(stride(3)) {
            balance(per_thread, in_all, None, 64);
        }
    }
}

#[test]
fn every_lease_comes_back_at_a_hard_limit_and_with_headers_aside() {
    for limit in [600 * KIB, 4 << 20, usize::MAX].into_iter().step_by(stride(3)) {
        balance(1 << 20, 64 << 20, Some(limit), 64);
    }
    for per_thread in [0, 4 * KIB, 1 << 20].into_iter().step_by(stride(2)) {
        balance(per_thread, 64 << 20, None, 4096);
    }
}

#[test]
fn every_lease_comes_back_when_the_pool_goes_first() {
    for round in 0..scale(60) {
        let builder = Pool::builder().smallest_block(64).keep_per_thread(512 * KIB + round);
        let pool = builder.build().unwrap();
        let core = pool.core();
        let market = Arc::new(Mutex::new(Vec::new()));
        let running: Vec<_> = (0..4)
            .map(|i| {
                let (pool, market) = (pool.clone(), market.clone());
                thread::spawn(move || {
                    churn(&pool, &market, i, 256 * KIB);
                    drop(pool);
                    thread::yield_now();
                    let taken = std::mem::take(&mut *market.lock());
                    drop(taken);
                })
            })
            .collect();
        drop(pool);
        running.into_iter().for_each(|thread| thread.join().unwrap());
        thread::spawn(move || market.lock().clear()).join().unwrap();
        assert_balanced(core, &format!("round {round}"));
    }
}

#[test]
fn a_closed_pool_keeps_nothing_that_dies_later() {
    for elsewhere in [false, true] {
        let pool = Pool::builder().keep_per_thread(300 * KIB + usize::from(elsewhere));
        let pool = pool.build().unwrap();
        let core = pool.core();
        let blocks: Vec<_> = (0..20).map(|_| slice(&pool, 4 * KIB)).collect();
        drop(pool);
        let other = Worker::<()>::new();
        if elsewhere {
            other.call(move |()| drop(blocks));
        } else {
            drop(blocks);
        }
        assert_eq!(core.held(), 0, "elsewhere: {elsewhere}");
    }
}

#[test]
#[cfg_attr(miri, ignore = "too long: it counts what piles up")]
fn empty_batches_do_not_gather_on_idle_threads() {
    let pool = Pool::builder().smallest_block(64).keep_per_thread((1 << 20) + 64).build().unwrap();
    let pump = Worker::<()>::new();
    let idle: Vec<Worker<()>> = (0..16).map(|_| Worker::new()).collect();
    for worker in &idle {
        // As many batches of one block as the return stack of this thread takes.
        let blocks: Vec<_> = (0..2_000).map(|_| slice(&pool, 64)).collect();
        let theirs = pool.clone();
        pump.call(move |()| {
            for block in blocks {
                drop(block);
                theirs.maintain();
            }
        });
        // They come home, and this thread leaves their batches for others.
        let many: Vec<_> = (0..3_000).map(|_| slice(&pool, 64)).collect();
        let one = slice(&pool, 64);
        worker.call(move |()| drop(one));
        drop(many);
    }
    let core = pool.core();
    let kept = |worker: &Worker<()>| {
        worker.call(move |()| local::mine(core).map_or(0, crate::owner::Owner::spare_batches))
    };
    let gathered: usize = idle.iter().map(kept).sum();
    assert!(gathered <= 16 * 64, "{gathered} empty batches with idle threads");
}

/// As [`empty_batches_do_not_gather_on_idle_threads`], of those that are everybody's.
#[test]
#[cfg_attr(miri, ignore = "too long: it counts what piles up")]
fn empty_batches_of_everybody_are_few() {
    let pool = Pool::builder().smallest_block(64).keep_per_thread((1 << 20) + 128).build().unwrap();
    let pump = Worker::<()>::new();
    let blocks: Vec<_> = (0..2_000).map(|_| slice(&pool, 64)).collect();
    let theirs = pool.clone();
    pump.call(move |()| {
        for block in blocks {
            drop(block);
            theirs.maintain();
        }
    });
    drop((0..3_000).map(|_| slice(&pool, 64)).collect::<Vec<_>>());
    let spare = pool.core().spare().count();
    assert!(spare <= 64, "{spare} empty batches that nothing needs");
}

#[test]
fn lists_of_none_one_and_two_places() {
    // Half is for lists: so many blocks of 128 bytes.
    for places in (0..4).step_by(stride(2)) {
        let builder = Pool::builder().smallest_block(64).largest_block(128);
        let pool = builder.keep_per_thread(places * 256).keep_in_all(1 << 20).build().unwrap();
        let core = pool.core();
        for count in 0..6 {
            for small in 0..=count {
                let mut blocks: Vec<_> = (0..small).map(|_| slice(&pool, 64)).collect();
                blocks.extend((small..count).map(|_| slice(&pool, 192)));
                assert_eq!(pool.outstanding(), count as u64);
                while !blocks.is_empty() {
                    drop(blocks.remove(blocks.len() / 2));
                    assert_eq!(pool.outstanding(), blocks.len() as u64);
                    let owner = local::mine(core).unwrap();
                    let on_lists: usize = core
                        .classes()
                        .all()
                        .map(|c| owner.list(c).cap() * core.classes().capacity(c))
                        .sum();
                    assert!(on_lists <= core.lists_share(), "{on_lists} at {places} places");
                    assert_eq!(on_lists, owner.own(|own| own.lease));
                }
            }
        }
        pool.trim();
        assert_balanced(core, &format!("{places} places"));
    }
}

/// A header of 256 bytes and a payload of 4 KiB, say, whose classes are four apart.
#[test]
fn blocks_of_two_classes_in_turn_travel_in_batches() {
    let pool = Pool::builder().keep_per_thread((1 << 20) + 192).build().unwrap();
    let core = pool.core();
    let blocks: Vec<_> = (0..48).map(|i| slice(&pool, [256, 4_096][i % 2])).collect();
    let other = Worker::<()>::new();
    let theirs = pool.clone();
    other.call(move |()| {
        drop(blocks);
        theirs.maintain();
    });
    let home = local::mine(core).unwrap().heap();
    let mut batches = 0;
    for mut batch in core.take_remote(home) {
        batches += 1;
        while let Some(block) = batch.pop() {
            core.shelve(block.class(), crate::chain::Chain::of(block));
        }
    }
    assert!(batches <= 8, "{batches} batches for 48 blocks");
}
