//! A kernel that refuses, that answers late, and destructors that come back.

use super::{
    Op, Ring,
    attacks::{BLOCK, World, check},
};
use crate::{
    ZeroCopyAnswer, ZeroCopyChoice,
    sys::{Call, Fault, script, uring::Key},
};
use aqueduct_sequence::Sequence;
use aqueduct_slice::{Slice, SliceMut};
use aqueduct_testkit::{pattern, skip};
use std::{
    fs::File,
    io::{self, Write},
    mem,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::Arc,
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};
use tokio::runtime::Builder;

/// A world, or a line that says why there is none.
fn world() -> Option<World> {
    match World::new(&Slice::from(pattern(BLOCK, 3))) {
        Err(refused) if refused.kind() == io::ErrorKind::Unsupported => {
            skip(&refused.to_string());
            None
        }
        world => Some(world.unwrap()),
    }
}

#[test]
fn t27_a_stale_completion_is_ignored() {
    let Some(mut world) = world() else { return };
    let first = world.ring.read_at(&world.file, 0, BLOCK, world.block());
    let stale = first.key.unwrap();
    assert_eq!(first.wait().0.unwrap(), BLOCK);
    let second = world.ring.read(&world.pipe.0, BLOCK, world.block());
    let same_slot = |key: Key| key.to_bits() & u64::from(u32::MAX);
    assert_eq!(same_slot(second.key.unwrap()), same_slot(stale));
    for key in [stale, Key::from_bits(stale.to_bits() | 0xffff), Key::from_bits(u64::MAX)] {
        world.ring.core.borrow_mut().post(key);
    }
    world.ring.core.borrow_mut().submit(3, None).unwrap();
    world.ring.turn(0).unwrap();
    world.nudge();
    let (read, block) = second.wait();
    assert_eq!((read.unwrap(), &block[..]), (100, &[7; 100][..]));
}

/// Has the first so many submissions fail.
fn refuse(mut times: usize, number: i32) -> impl Sized {
    script(move |call, _| {
        let refused = call == Call::UringSubmit && times > 0;
        times = times.saturating_sub(1);
        refused.then_some(Fault::Errno(number))
    })
}

#[test]
fn a_kernel_without_time_is_asked_again() {
    let Some(world) = world() else { return };
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    for number in [libc::EAGAIN, libc::EBUSY, libc::EINTR] {
        for times in [1, 2, 7] {
            let read = || world.ring.read_at(&world.file, BLOCK as u64, BLOCK, world.block());
            let _refused = refuse(times, number);
            let (result, block) = read().wait();
            assert_eq!((result.unwrap(), &block[..8]), (BLOCK, &expected()[..8]));
            let _refused = refuse(times, number);
            let (result, block) = runtime.block_on(world.ring.run_until(read())).unwrap();
            assert_eq!((result.unwrap(), &block[..8]), (BLOCK, &expected()[..8]));
        }
    }
}

/// The second block of the file.
fn expected() -> Vec<u8> {
    pattern(2 * BLOCK, 1).split_off(BLOCK)
}

#[test]
fn a_kernel_that_fails_loses_the_block_and_no_more() {
    let Some(mut world) = world() else { return };
    let lost = {
        let _refused = refuse(usize::MAX, libc::EIO);
        world.ring.read_at(&world.file, 0, BLOCK, world.block()).wait()
    };
    assert_eq!(lost.0.unwrap_err().raw_os_error(), Some(libc::EIO));
    assert_eq!(lost.1.capacity(), 0);
    check(&mut world, "failed");
    let (read, block) = world.ring.read_at(&world.file, BLOCK as u64, BLOCK, world.block()).wait();
    assert_eq!((read.unwrap(), &block[..]), (BLOCK, &expected()[..]));
    drop(block);
    let pool = world.pool.clone();
    drop(world);
    assert_eq!(pool.outstanding(), 0);
}

#[test]
fn a_future_that_nobody_drives_says_so() {
    let Some(world) = world() else { return };
    world.ring.drivers.set(0);
    let mut op = Box::pin(world.ring.read(&world.pipe.0, BLOCK, world.block()));
    let Poll::Ready((result, _)) = op.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("it would wait for ever")
    };
    assert!(result.unwrap_err().to_string().contains("run_until"));
    let mut receive = world.provided.receive(&world.socket.0);
    let mut next = Box::pin(receive.next());
    let Poll::Ready(next) = next.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("it would wait for ever")
    };
    assert!(next.is_err());
}

#[test]
fn what_does_not_end_is_leaked_with_its_ring() {
    let Some(mut world) = world() else { return };
    let pool = world.pool.clone();
    let op = world.ring.read(&world.pipe.0, BLOCK, world.block());
    world.ring.turn(0).unwrap();
    let writer = mem::replace(&mut world.pipe.1, io::pipe().unwrap().1);
    {
        let _refused = refuse(usize::MAX, libc::EIO);
        drop((op, world));
    }
    // One operation, one block: nothing receives into those of the group.
    assert_eq!(pool.outstanding(), 1);
    let canary = pattern(BLOCK, 5);
    let mut canaries: Vec<_> = (0..24).map(|_| pool.get(BLOCK)).collect();
    canaries.iter_mut().for_each(|block| block.extend_from_slice(&canary));
    (&writer).write_all(&[7; 100]).unwrap();
    thread::sleep(Duration::from_millis(2));
    assert!(canaries.iter().all(|block| **block == *canary));
}

#[test]
fn a_stream_that_does_not_end_is_leaked_with_its_blocks() {
    let Some(world) = world() else { return };
    let pool = world.pool.clone();
    let other = world.ring.provide(&pool, 2, BLOCK).unwrap();
    let receive = world.provided.receive(&world.socket.0);
    world.ring.turn(0).unwrap();
    {
        let _refused = refuse(usize::MAX, libc::EIO);
        drop((receive, other, world));
    }
    // The group's four, and neither the other's nor those that are registered.
    assert_eq!(pool.outstanding(), 4);
}

#[test]
fn what_cannot_be_sent_without_a_copy_is_sent_with_one() {
    let Some(mut world) = world() else { return };
    let choice = ZeroCopyChoice { least: 1, local: true };
    let sent = world.sent.clone();
    // Linux 6.0 and 6.1 do not know the flag that has them say whether they copied.
    for (number, answer) in [
        (libc::ENOBUFS, ZeroCopyAnswer::None),
        (libc::ENOMEM, ZeroCopyAnswer::None),
        (libc::EINVAL, ZeroCopyAnswer::Unsupported),
        (libc::EOPNOTSUPP, ZeroCopyAnswer::Unsupported),
    ] {
        let sender = world.ring.sender_with_choice(&world.socket.0, choice);
        if sender.answer() != ZeroCopyAnswer::None {
            return skip("no SEND_ZC");
        }
        let op = sender.send(sent.clone());
        let effect = world.ring.core.borrow_mut().pretend(op.key.unwrap(), -number);
        effect.run();
        assert_eq!(op.wait().unwrap(), sent.len());
        assert_eq!(sender.answer(), answer, "after {number}");
        world.nudge();
    }
}

#[test]
fn an_error_between_two_calls_keeps_what_was_sent() {
    let Some(world) = world() else { return };
    let start = || {
        let slices: Sequence = (0..2000).map(|_| world.sent.slice(..1)).collect();
        world.ring.send_all(&world.socket.0, slices)
    };
    let pretend = |op: &Op<_>, result| {
        let effect = world.ring.core.borrow_mut().pretend(op.key.unwrap(), result);
        effect.run();
    };
    let op = start();
    pretend(&op, 1024);
    pretend(&op, -libc::ECONNRESET);
    assert_eq!(op.wait().unwrap(), 1024);
    let op = start();
    pretend(&op, -libc::ECONNRESET);
    assert_eq!(op.wait().unwrap_err().raw_os_error(), Some(libc::ECONNRESET));
    let op = start();
    pretend(&op, 1024);
    pretend(&op, 900);
    pretend(&op, 76);
    assert_eq!(op.wait().unwrap(), 2000);
}

/// A file whose destructor uses the ring that had it.
struct Returning(File, Ring);

impl AsFd for Returning {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Drop for Returning {
    fn drop(&mut self) {
        let other = Arc::new(File::open("/dev/zero").unwrap());
        let (read, block) = self.1.read(&other, 10, SliceMut::with_capacity(10)).wait();
        assert_eq!((read.unwrap(), &block[..]), (10, &[0; 10][..]));
    }
}

#[test]
#[allow(clippy::arc_with_non_send_sync, reason = "of a thread, as the ring")]
fn destructors_may_use_the_ring() {
    let Some(world) = world() else { return };
    let file = || Arc::new(Returning(world.file.try_clone().unwrap(), world.ring.clone()));
    let start = || world.ring.read_at(&file(), 0, BLOCK, world.block());
    assert_eq!(start().wait().0.unwrap(), BLOCK);
    drop(start());
    let op = start();
    world.ring.turn(0).unwrap();
    drop(op);
    let reader = world.pipe.0.try_clone().unwrap();
    let reader = Arc::new(Returning(File::from(OwnedFd::from(reader)), world.ring.clone()));
    let op = world.ring.read(&reader, BLOCK, world.block());
    drop(reader);
    world.ring.turn(0).unwrap();
    drop(op);
    world.ring.core.borrow_mut().submit(1, Some(Duration::from_millis(5))).unwrap();
    world.ring.turn(0).unwrap();
}
