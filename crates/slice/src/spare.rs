//! Recycled memory for the headers of foreign owners: a short list per thread, or none without std.
//!
//! Invariants of this file:
//!
//! 1. Every node on a list is a block of [`SHAPE`] that nobody else refers to, with the header in front
//!    as its last owner left it. The node that came last stands apart; the last word of each of the
//!    others is the next node, or null.
//! 2. A list is touched by its own thread only. It has no destructor, so it can be used while other
//!    thread-local values are destroyed; [`Sweep`] has one, and empties and closes the list.
//! 3. `last` is [`CLOSED`] before [`Sweep`] is set up and after it ran, and `room`, the number of other
//!    nodes that the list takes, is zero, so that nothing is put on a list that will not be swept.

use crate::header::{Header, Vtable};
use aqueduct_base::{
    block::{self, Shape},
    thread_local_const,
};
use core::{
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
    /// Null while there is none. Apart, so that a node which comes and goes costs no count and no walk.
    last: Cell<*mut Header>,
    others: Cell<*mut Header>,
    room: Cell<usize>,
}

/// In place of the last node while the list takes none. Nodes have larger addresses.
const CLOSED: *mut Header = ptr::without_provenance_mut(1);

thread_local_const! {
    static LIST: List = List {
        last: Cell::new(CLOSED),
        others: Cell::new(ptr::null_mut()),
        room: Cell::new(0),
    };
}

/// The next of the other nodes.
///
/// # Safety
///
/// `node` was made by [`take`], and nobody else refers to it.
#[inline(always)]
unsafe fn next(node: NonNull<Header>) -> NonNull<*mut Header> {
    // SAFETY: the last word of the node, which is aligned to more.
    unsafe { node.cast::<*mut Header>().add(SIZE / size_of::<*mut Header>() - 1) }
}

/// A node with a header that is ready to be live: from the list, or new.
///
/// # Panics
///
/// Or aborts, as `Vec` does, when memory is out.
#[inline]
pub(crate) fn take(vtable: &'static Vtable) -> NonNull<Header> {
    let node = LIST.try_with(|list| {
        let last = list.last.get();
        if last.addr() > CLOSED.addr() {
            list.last.set(ptr::null_mut());
            return NonNull::new(last);
        }
        let first = NonNull::new(list.others.get())?;
        // SAFETY: a node on the list is ours (1, 2).
        let next = unsafe { next(first) };
        // SAFETY: as above, and that word is the next node (1).
        list.others.set(unsafe { next.read() });
        list.room.set(list.room.get() + 1);
        Some(first)
    });
    // The list is there as long as its thread; without std there is none.
    let Some(node) = node.ok().flatten() else { return allocate(vtable) };
    // SAFETY: ours alone, and its header is as its last owner left it (1).
    unsafe { Header::revive(node, vtable) };
    node
}

#[cold]
#[inline(never)]
fn allocate(vtable: &'static Vtable) -> NonNull<Header> {
    let node = block::allocate(SHAPE).unwrap_or_else(|refused| refused.raise()).cast();
    // SAFETY: the memory is ours, and large and aligned enough.
    unsafe { node.write(Header::new(vtable, ptr::null_mut(), 0)) };
    node
}

/// Room for one more node on this thread's list.
pub(crate) struct Room<'a>(&'a List);

/// Runs `f` if there is room on this thread's list, and tells whether it did.
#[inline(always)]
pub(crate) fn if_room(f: impl FnOnce(Room<'_>)) -> bool {
    LIST.try_with(|list| {
        let room = list.last.get().is_null() || list.room.get() > 0;
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
    pub(crate) unsafe fn fill(self, node: NonNull<Header>) {
        let list = self.0;
        if list.last.get().is_null() {
            return list.last.set(node.as_ptr());
        }
        // SAFETY: the node is the caller's to give.
        let next = unsafe { next(node) };
        // SAFETY: as above.
        unsafe { next.write(list.others.get()) };
        list.others.set(node.as_ptr());
        list.room.set(list.room.get() - 1);
    }
}

/// Gives a node back where there may be no room.
///
/// # Safety
///
/// As for [`Room::fill`].
#[cold]
pub(crate) unsafe fn give(node: NonNull<Header>) {
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
    if list.last.get() == CLOSED
        && SWEEP.try_with(|sweep| !sweep.started.replace(true)).unwrap_or(false)
    {
        list.last.set(ptr::null_mut());
        list.room.set(KEEP - 1);
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
            let last = list.last.replace(CLOSED);
            if let Some(node) = NonNull::new(last).filter(|_| last != CLOSED) {
                // SAFETY: made by `take` with this shape, and now on no list (1, 2).
                unsafe { block::free(node.cast(), SHAPE) };
            }
            let mut others = list.others.replace(ptr::null_mut());
            while let Some(node) = NonNull::new(others) {
                // SAFETY: a node of our list (1, 2).
                let next = unsafe { next(node) };
                // SAFETY: as above, and that word is the next node (1).
                others = unsafe { next.read() };
                // SAFETY: made by `take` with this shape, and now on no list.
                unsafe { block::free(node.cast(), SHAPE) };
            }
        });
    }
}
