//! The count of a local group, kept in the header's link while the block is live.
//!
//! Invariants of this file:
//!
//! 1. A group is founded by the holder of the only handle on a block, so at most one exists: while
//!    it does it holds a count, and nobody else finds the block unique.
//! 2. Its members are `!Send`, so all of them are on the thread that founded it, and `link` is
//!    theirs alone (header.rs, 2). It is the number of members, as an address.
//! 3. The member that leaves last gives up the group's shared count.
//! 4. The number of members does not come round: the process ends before. (So many cannot be made one
//!    after the other, but a compiler may sum up a loop that forgets them.)

use crate::{LocalSlice, header::end_the_process, raw::Raw};
use core::ptr;

/// Makes the only handle on a block, if it is on one, the first member of a group.
pub(crate) fn found(raw: &Raw) {
    set(raw, 1);
}

/// One more member.
#[inline(always)]
pub(crate) fn join(raw: &Raw) {
    let more = members(raw).wrapping_add(1);
    if more > usize::MAX / 2 {
        end_the_process(); // (4)
    }
    set(raw, more);
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

#[cfg(all(test, not(any(aqueduct_loom, aqueduct_shuttle))))]
mod tests {
    use super::*;
    use crate::SliceMut;
    use std::{env, process::Command};

    fn local() -> LocalSlice {
        let mut bytes = SliceMut::with_capacity(100);
        bytes.extend_from_slice(&[7; 100]);
        let alone = bytes.freeze().into_local();
        alone.unwrap_or_else(|_| unreachable!("nobody else has it"))
    }

    #[test]
    fn half_of_all_counts_are_members() {
        let local = local();
        set(&local.raw, usize::MAX / 2 - 1);
        std::mem::forget(local.clone());
        assert_eq!(members(&local.raw), usize::MAX / 2);
        set(&local.raw, 1);
    }

    /// It runs itself in another process.
    #[test]
    #[cfg_attr(miri, ignore = "Miri starts no process")]
    fn one_member_more_than_that_ends_the_process() {
        const NAME: &str = "AQUEDUCT_TEST_TOO_MANY_MEMBERS";
        if env::var_os(NAME).is_some() {
            let local = local();
            set(&local.raw, usize::MAX / 2);
            std::mem::forget(local.clone());
            return;
        }
        let mut again = Command::new(env::current_exe().expect("it runs"));
        again.args(["--exact", "group::tests::one_member_more_than_that_ends_the_process"]);
        let ended = again.env(NAME, "1").output().expect("it starts");
        assert_eq!(ended.status.code(), None, "{ended:?}"); // by a signal
    }
}
