//! The count of a local group, kept in the header's link while the block is live.
//!
//! Invariants of this file:
//!
//! 1. A group is founded by the holder of the only handle on a block, so at most one exists: while
//!    it does it holds a count, and nobody else finds the block unique.
//! 2. Its members are `!Send`, so all of them are on the thread that founded it, and `link` is
//!    theirs alone (header.rs, 2). It is the number of members, as an address.
//! 3. The member that leaves last gives up the group's shared count.

use crate::{LocalSlice, raw::Raw};
use core::ptr;

/// Makes the only handle on a block, if it is on one, the first member of a group.
pub(crate) fn found(raw: &Raw) {
    set(raw, 1);
}

/// One more member.
#[inline(always)]
pub(crate) fn join(raw: &Raw) {
    // The address space ends before this sum does: each member is a handle in memory, or was
    // leaked; half of all possible counts would take centuries.
    set(raw, members(raw).wrapping_add(1));
}

/// One member less; the last gives up the block.
#[inline(always)]
pub(crate) fn leave(member: &mut LocalSlice) {
    match members(&member.raw) {
        // SAFETY: the destructor of the last member: its words are used no more, and the group's
        // count goes with it (3).
        1 => unsafe { member.raw.release() },
        more => set(&member.raw, more.wrapping_sub(1)),
    }
}

#[inline(always)]
fn members(raw: &Raw) -> usize {
    let Some(header) = raw.header() else { return 1 };
    // SAFETY: the group's count keeps the header in place (1).
    let header = unsafe { header.as_ref() };
    // SAFETY: the link of a live block is the group's, and we are on its thread (2).
    unsafe { header.link() }.addr()
}

#[inline(always)]
fn set(raw: &Raw, members: usize) {
    let Some(header) = raw.header() else { return };
    // SAFETY: the group's count keeps the header in place (1).
    let header = unsafe { header.as_ref() };
    // SAFETY: the link of a live block is the group's, and we are on its thread (2).
    unsafe { header.set_link(ptr::without_provenance_mut(members)) }
}
