//! Wakers that look alike and wake different tasks.
#![cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
#![allow(unsafe_code, reason = "makes wakers by hand")]

use aqueduct_pipe::{Options, pipe};
use std::cell::Cell;
use std::task::{Context, RawWaker, RawWakerVTable, Waker};

/// Wakers whose table borrows by one numbering and owns by another: data that happen to be equal
/// under different tables are different tasks.
#[test]
fn wakers_that_only_look_alike_are_told_apart() {
    thread_local! { static WOKEN: Cell<[u32; 4]> = const { Cell::new([0; 4]) }; }
    fn woke(task: usize) {
        WOKEN.with(|woken| {
            let mut all = woken.get();
            all[task] += 1;
            woken.set(all);
        });
    }
    // A borrowed waker's data is the task's number; an owned one's is the number plus one.
    static BORROWED: RawWakerVTable = RawWakerVTable::new(
        |data| RawWaker::new(data.wrapping_byte_add(1), &OWNED),
        |data| woke(data.addr()),
        |data| woke(data.addr()),
        |_| {},
    );
    static OWNED: RawWakerVTable = RawWakerVTable::new(
        |data| RawWaker::new(data, &OWNED),
        |data| woke(data.addr() - 1),
        |data| woke(data.addr() - 1),
        |_| {},
    );
    // SAFETY: the tables never look behind the data.
    let waker = |task: usize| unsafe {
        Waker::from_raw(RawWaker::new(std::ptr::without_provenance(task), &BORROWED))
    };
    let (mut writer, mut reader) = pipe(Options::default());
    let (first, second) = (waker(1), waker(2));
    assert!(reader.poll_read(&mut Context::from_waker(&first)).is_pending());
    assert!(reader.poll_read(&mut Context::from_waker(&second)).is_pending());
    writer.write(&[1]).expect("room");
    assert!(matches!(writer.try_flush(), Ok(Some(_))));
    assert_eq!(WOKEN.with(Cell::get), [0, 0, 1, 0], "the second task waits");
}
