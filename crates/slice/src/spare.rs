//! Recycled memory for the headers of foreign owners: a short list per thread.
//!
//! Invariants of this file:
//!
//! 1. Every node on a list is a block of [`SHAPE`] that nobody else refers to; its first word is
//!    the next node, or null.
//! 2. A list is touched by its own thread only. It has no destructor, so it can be used while other
//!    thread-local values are destroyed; [`Sweep`] has one, and empties and closes the list.
//! 3. `room` is how many more nodes the list takes: zero before [`Sweep`] is set up and after it
//!    ran, so that nothing is put on a list that will not be swept.

use aqueduct_base::{
    block::{self, Shape},
    thread_local_const,
};
use std::{
    cell::Cell,
    ptr::{self, NonNull},
};

/// Bytes of a node: a header, and an owner of at most as much again.
pub(crate) const SIZE: usize = 64;
/// The alignment of a node, and so the strictest of an owner in it.
pub(crate) const ALIGN: usize = 16;
/// Nodes that a thread keeps: 4 KiB.
const KEEP: usize = 64;

const SHAPE: Shape = match Shape::new(0, SIZE, ALIGN) {
    Ok(shape) => shape,
    Err(_) => panic!("64 bytes can be had"),
};

struct List {
    first: Cell<*mut *mut ()>,
    room: Cell<usize>,
}

thread_local_const! {
    static LIST: List = List { first: Cell::new(ptr::null_mut()), room: Cell::new(0) };
}

/// A node: from the list, or new.
///
/// # Panics
///
/// Or aborts, as `Vec` does, when memory is out.
#[inline]
pub(crate) fn take() -> NonNull<()> {
    let node = LIST.with(|list| {
        let first = NonNull::new(list.first.get())?;
        // SAFETY: a node on the list is ours, and its first word is the next one (1, 2).
        let next = unsafe { first.read() };
        list.first.set(next.cast());
        list.room.set(list.room.get() + 1);
        Some(first.cast())
    });
    node.unwrap_or_else(allocate)
}

#[cold]
#[inline(never)]
fn allocate() -> NonNull<()> {
    block::allocate(SHAPE).unwrap_or_else(|refused| refused.raise()).cast()
}

/// Room for one more node on this thread's list.
pub(crate) struct Room<'a>(&'a List);

/// Runs `f` if there is room on this thread's list, and tells whether it did.
#[inline(always)]
pub(crate) fn if_room(f: impl FnOnce(Room<'_>)) -> bool {
    LIST.try_with(|list| {
        let room = list.room.get() > 0;
        if room {
            f(Room(list));
        }
        room
    })
    .unwrap_or(false)
}

impl Room<'_> {
    /// Gives a node back.
    ///
    /// # Safety
    ///
    /// `node` came from [`take`], and nothing refers to it any more.
    #[inline(always)]
    pub(crate) unsafe fn fill(self, node: NonNull<()>) {
        let (list, node) = (self.0, node.cast::<*mut ()>());
        // SAFETY: the node is the caller's to give, and at least a word long.
        unsafe { node.write(list.first.get().cast()) };
        list.first.set(node.as_ptr());
        list.room.set(list.room.get() - 1);
    }
}

/// Gives a node back where there may be no room.
///
/// # Safety
///
/// As for [`Room::fill`].
#[cold]
pub(crate) unsafe fn give(node: NonNull<()>) {
    let _ = LIST.try_with(open);
    // SAFETY: the caller's to give; and the closure runs once, if it does.
    let kept = if_room(|room| unsafe { room.fill(node) });
    if !kept {
        // SAFETY: made by `take` with this shape; the caller refers to it no more.
        unsafe { block::free(node.cast(), SHAPE) }
    }
}

/// Makes room on a list that never had any, unless its thread is ending.
fn open(list: &List) {
    if list.room.get() == 0
        && list.first.get().is_null()
        && SWEEP.try_with(|sweep| !sweep.started.replace(true)).unwrap_or(false)
    {
        list.room.set(KEEP);
    }
}

struct Sweep {
    started: Cell<bool>,
}

thread_local_const! {
    static SWEEP: Sweep = Sweep { started: Cell::new(false) };
}

impl Drop for Sweep {
    fn drop(&mut self) {
        let _ = LIST.try_with(|list| {
            list.room.set(0);
            let mut next = list.first.replace(ptr::null_mut());
            while let Some(node) = NonNull::new(next) {
                // SAFETY: a node of our list, whose first word is the next one (1, 2).
                next = unsafe { node.read() }.cast();
                // SAFETY: made by `take` with this shape, and now on no list.
                unsafe { block::free(node.cast(), SHAPE) };
            }
        });
    }
}
