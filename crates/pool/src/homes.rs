//! Tests of where blocks live: on which list, in which heap, by which slot.

use crate::{Pool, balance::slice, heap::Heap, list::List, local};
use aqueduct_base::sync::{atomic::Ordering::Relaxed, thread};

/// While a thread lives, others leave its blocks for it to collect; for nobody they leave none.
#[test]
fn blocks_go_home_where_somebody_will_collect_them() {
    let pool = Pool::builder().smallest_block(64).build().unwrap();
    let core = pool.core();
    let caps = || -> Vec<usize> {
        core.registry()
            .with_all(|all| all.iter().map(|heap| heap.remote_cap.load(Relaxed)).collect())
    };
    let share = core.remote_share();
    assert!(share > 0);
    drop(slice(&pool, 64));
    for _ in 0..2 {
        let theirs = pool.clone();
        let within = move || {
            let kept = slice(&theirs, 64);
            (kept, theirs.core().registry().with_all(<[_]>::len))
        };
        let (kept, heaps) = thread::spawn(within).join().unwrap();
        assert_eq!(heaps, 2, "an orphan is adopted");
        assert_eq!(caps(), [share, share], "it may still be adopted with what is on its way");
        pool.trim();
        assert_eq!(caps(), [share, 0], "nobody is there");
        drop(kept);
        assert_eq!(pool.outstanding(), 0);
    }
}

/// From the first byte of the first of them to the last byte of the last.
#[test]
fn a_heap_knows_its_lists_by_their_addresses() {
    let (one, other) = (Pool::new(), Pool::new());
    drop((slice(&one, 64), slice(&other, 64)));
    let heap_of = |pool: &Pool| pool.core().registry().with_all(|all| all[0]);
    let (heap, stranger) = (heap_of(&one), heap_of(&other));
    for class in one.core().classes().all() {
        assert!(Heap::has(heap, heap.list(class)) && !Heap::has(stranger, heap.list(class)));
    }
    let first: *const List = &raw const heap.lists[0];
    let behind = first.wrapping_add(heap.lists.len());
    assert!(Heap::has(heap, first) && Heap::has(heap, behind.wrapping_byte_sub(1)));
    assert!(!Heap::has(heap, first.wrapping_byte_sub(1)) && !Heap::has(heap, behind));
}

/// What a thread's lease has room for is not handed to the lists that all share.
#[test]
fn a_list_grows_while_there_is_a_lease_for_it() {
    let pool = Pool::builder().smallest_block(64).build().unwrap();
    drop((0..500).map(|_| slice(&pool, 64)).collect::<Vec<_>>());
    let heap = pool.core().registry().with_all(|all| all[0]);
    assert_eq!(heap.lists.iter().map(List::kept).sum::<usize>(), 500);
}

/// So that threads which use both in turns need not look for either.
#[test]
fn pools_of_two_numbers_have_a_slot_each() {
    let one = Pool::new();
    let more = [Pool::new(), Pool::new()];
    let apart = |it: &&Pool| it.core().slot() % local::SLOTS != one.core().slot() % local::SLOTS;
    let other = more.iter().find(apart).expect("they are counted");
    drop((slice(&one, 64), slice(other, 64)));
    assert!(local::mine(one.core()).is_some() && local::mine(other.core()).is_some());
}

/// A block that dies on its own thread does not travel, though another pool has taken the slot.
#[test]
fn pools_that_take_turns_with_a_slot_send_nothing() {
    let one = Pool::new();
    let more: Vec<Pool> = (0..=local::SLOTS).map(|_| Pool::new()).collect();
    let same = |it: &&Pool| it.core().slot() % local::SLOTS == one.core().slot() % local::SLOTS;
    let other = more.iter().find(same).expect("there are more than slots");
    for _ in 0..3 {
        let block = slice(&one, 64);
        drop(slice(other, 64));
        assert!(local::mine(one.core()).is_none(), "the other one is in the slot");
        drop(block);
    }
    for pool in [&one, other] {
        assert_eq!((pool.stats().remote_frees, pool.outstanding()), (0, 0));
    }
}
