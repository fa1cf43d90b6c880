//! Loom models of the return of blocks. Each names its negative twins: the same model must fail
//! with one of them switched on.
//!
//! Loom watches the links of blocks, their homes and the owners' cells: who touches one without
//! owning it, or without having been handed it over, fails the model.

use crate::{
    Pool,
    block::Block,
    class::Class,
    core::Core,
    heap::Heap,
    local,
    remote::{Batch, Pile, Stack},
};
use aqueduct_base::sync::block_on;
use aqueduct_slice::Slice;
use loom::{model, sync::Arc, thread};
use std::{
    pin::pin,
    task::{Context, Waker},
};

const SMALL: usize = 64;

/// A pool of one class, whose threads may keep eight blocks, or none.
fn pool(keep: usize) -> Pool {
    let builder = Pool::builder().smallest_block(SMALL).largest_block(SMALL);
    builder.keep_per_thread(keep * 128).keep_in_all(16 * 128).build().unwrap()
}

fn full_slice(pool: &Pool) -> Slice {
    let mut buffer = pool.get(SMALL);
    buffer.extend_from_slice(&[7; SMALL]);
    buffer.freeze()
}

/// Nothing is in use, and nothing is lost: a trim gives every block back to the system.
fn assert_all_back(pool: &Pool) {
    assert_eq!(pool.outstanding(), 0);
    pool.trim();
    assert_eq!(pool.stats().held_bytes, 0);
}

/// Blocks for a model of the stack alone, and the heap they belong to.
fn blocks(core: &'static Core) -> (&'static Heap, [Block; 3]) {
    let heap = core.registry().adopt(core);
    let block = || Block::allocate(heap, Class::from_bits(0)).unwrap();
    (heap, [block(), block(), block()])
}

// twin: remote_push_relaxed
// twin: remote_take_relaxed
#[test]
fn model_05_remote_frees_by_two_against_the_owner() {
    model(|| {
        let pool = pool(8);
        let (_, [first, second, third]) = blocks(pool.core());
        let stack = Arc::new(Stack::new());
        let pile = |block: Block| {
            let mut batch = Batch::new().unwrap();
            assert!(batch.push(block).is_ok());
            Pile::of(batch)
        };
        let push = |pile: Pile| {
            let stack = stack.clone();
            thread::spawn(move || assert!(stack.push(pile, 1, 8).is_ok()))
        };
        let pushers = [push(pile(first)), push(pile(second))];
        assert!(stack.push(pile(third), 1, 8).is_ok());
        let free = |mut batch: Box<Batch>| batch.pop().map(Block::free).is_some();
        let take = || stack.take().map(free).filter(|&freed| freed).count();
        let early = take();
        pushers.into_iter().for_each(|pusher| pusher.join().unwrap());
        assert_eq!(early + take(), 3);
    });
}

// twin: free_count_relaxed
#[test]
fn model_05_a_free_elsewhere_is_counted_after_its_get() {
    model(|| {
        let pool = pool(8);
        let (give, take) = loom::sync::mpsc::channel();
        let getter = {
            let pool = pool.clone();
            thread::spawn(move || {
                pool.maintain();
                give.send(full_slice(&pool)).unwrap();
            })
        };
        let freer = {
            let pool = pool.clone();
            thread::spawn(move || {
                pool.maintain();
                drop(take.recv().unwrap());
            })
        };
        // Never negative, whatever is seen of the other threads.
        assert!(pool.outstanding() <= 1);
        getter.join().unwrap();
        freer.join().unwrap();
        assert_eq!(pool.outstanding(), 0);
    });
}

// twin: shorter_relaxed
/// A list that was taken down again still shows what was counted before its blocks came.
#[test]
fn model_05_a_shorter_list_is_seen_after_its_gets() {
    model(|| {
        let pool = pool(8);
        let getter = {
            let pool = pool.clone();
            thread::spawn(move || {
                let three = [full_slice(&pool), full_slice(&pool), full_slice(&pool)];
                drop(three);
                let both = [full_slice(&pool), full_slice(&pool)];
                drop(both);
            })
        };
        // Never negative, whatever is seen of the other thread.
        assert!(pool.outstanding() <= 3);
        getter.join().unwrap();
        assert_eq!(pool.outstanding(), 0);
    });
}

// twin: remote_push_relaxed
#[test]
fn model_06_remote_free_against_the_owners_exit() {
    model(|| {
        let pool = pool(8);
        drop(full_slice(&pool)); // this thread has a heap already, and robs the orphan
        let own = full_slice(&pool);
        let (give, take) = loom::sync::mpsc::channel();
        let owner = {
            let pool = pool.clone();
            thread::spawn(move || {
                give.send(full_slice(&pool)).unwrap();
                local::depart();
            })
        };
        let freer = {
            let pool = pool.clone();
            thread::spawn(move || {
                pool.maintain(); // so has this one
                drop(take.recv().unwrap());
                pool.maintain();
                local::depart();
            })
        };
        drop(full_slice(&pool));
        drop(own);
        owner.join().unwrap();
        freer.join().unwrap();
        assert_all_back(&pool);
    });
}

// twin: remote_take_relaxed
#[test]
fn model_06_adoption_against_a_remote_free() {
    model(|| {
        let pool = pool(8);
        drop(full_slice(&pool)); // this thread has a heap already, and adopts no other
        let slice = {
            let pool = pool.clone();
            let first = thread::spawn(move || {
                let slice = full_slice(&pool);
                drop(full_slice(&pool)); // stays on the list of the heap that is handed over
                local::depart();
                slice
            });
            first.join().unwrap()
        };
        let heir = {
            let pool = pool.clone();
            thread::spawn(move || {
                let both = [full_slice(&pool), full_slice(&pool)];
                drop(both);
                local::depart();
            })
        };
        drop(slice);
        pool.maintain();
        heir.join().unwrap();
        assert_all_back(&pool);
    });
}

// twin: end_asked_early
/// A pool ends while a thread does: whichever is last gives back what that thread kept.
#[test]
fn model_06_the_pools_end_against_a_threads() {
    model(|| {
        let pool = pool(8);
        let core = pool.core();
        let ends = {
            let pool = pool.clone();
            thread::spawn(move || {
                drop(full_slice(&pool));
                drop(pool);
                local::depart();
            })
        };
        drop(pool);
        ends.join().unwrap();
        assert_eq!(core.held(), 0);
    });
}

// twin: remote_take_relaxed
#[test]
fn model_07_trim_against_get_against_remote_free() {
    model(|| {
        let pool = pool(8);
        let (first, second) = (full_slice(&pool), full_slice(&pool));
        let freer = thread::spawn(move || {
            drop(first);
            local::depart();
        });
        let trimmer = {
            let pool = pool.clone();
            thread::spawn(move || {
                pool.trim();
                local::depart();
            })
        };
        drop(second);
        drop(full_slice(&pool));
        freer.join().unwrap();
        trimmer.join().unwrap();
        assert_all_back(&pool);
    });
}

// twin: waiter_looks_once
#[test]
fn model_07_a_block_that_comes_back_wakes_who_waits() {
    model(|| {
        let builder = Pool::builder().smallest_block(4096).largest_block(4096);
        let pool = builder.hard_limit(6000).build().unwrap(); // one block
        let only = pool.try_get(4096).unwrap();
        let waiter = {
            let pool = pool.clone();
            thread::spawn(move || {
                drop(pool.get_blocking(4096).unwrap());
                local::depart();
            })
        };
        drop(only);
        waiter.join().unwrap();
        assert_all_back(&pool);
    });
}

// twin: waiter_looks_once
#[test]
fn model_07_a_large_block_that_comes_back_serves_a_small_wait_and_a_large_one() {
    model(|| {
        let builder = Pool::builder().smallest_block(2048).largest_block(4096);
        let pool = builder.hard_limit(6000).build().unwrap(); // one large block or two small ones
        let only = pool.try_get(4096).unwrap();
        let [small, large] = [2048, 4096].map(|size| {
            let pool = pool.clone();
            thread::spawn(move || {
                drop(pool.get_blocking(size).unwrap());
                local::depart();
            })
        });
        drop(only);
        small.join().unwrap();
        large.join().unwrap();
        assert_all_back(&pool);
    });
}

// twin: served_wakes_nobody
/// Two preemptions at the most, which take two seconds: four do not end in two minutes.
#[test]
fn model_07_a_large_block_that_comes_back_serves_three_small_waits() {
    let mut bounded = model::Builder::new();
    (bounded.preemption_bound, bounded.max_branches) = (Some(2), 20_000);
    bounded.check(|| {
        let builder = Pool::builder().smallest_block(1024).largest_block(4096);
        let pool = builder.hard_limit(4500).build().unwrap(); // one large block or three small ones
        let only = pool.try_get(4096).unwrap();
        let mut first = pin!(pool.get_async(1024));
        let mut context = Context::from_waker(Waker::noop());
        assert!(first.as_mut().poll(&mut context).is_pending());
        let others = [(); 2].map(|()| {
            let pool = pool.clone();
            thread::spawn(move || {
                let block = pool.get_blocking(1024).unwrap();
                local::depart();
                block
            })
        });
        drop(only);
        let first = block_on(|context| first.as_mut().poll(context)).unwrap();
        drop((first, others.map(|other| other.join().unwrap())));
        assert_all_back(&pool);
    });
}

/// A heap is used again under another thread; the slot of the thread that gave it up is stale.
// twin: exit_keeps_slot
// twin: exit_keeps_last
#[test]
fn model_16_a_stale_slot_is_refused() {
    model(|| {
        let pool = pool(8);
        let first = {
            let pool = pool.clone();
            thread::spawn(move || {
                drop(full_slice(&pool));
                let slice = full_slice(&pool); // by the quick way, which remembers the list
                local::depart();
                drop(slice); // as a thread-local value would, destroyed after the departure
            })
        };
        let heir = {
            let pool = pool.clone();
            thread::spawn(move || {
                drop(full_slice(&pool));
                local::depart();
            })
        };
        first.join().unwrap();
        heir.join().unwrap();
        assert_eq!(pool.outstanding(), 0);
    });
}
