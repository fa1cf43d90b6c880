//! What sequences keep alive: what they show, and what a list holds that another one shares.

use crate::machine::layouts::alone;
use aqueduct_sequence::Sequence;
use aqueduct_slice::Slice;
use aqueduct_testkit::{cases, fewer, pattern};
use proptest::prelude::*;
use std::{
    collections::BTreeSet,
    ops::Range,
    sync::{Arc, Mutex},
};

#[test]
fn a_queue_holds_what_it_shows() {
    let block = || Slice::from(vec![0; 4096]);
    let mut queue = Sequence::from_iter((0..4).map(|_| block()));
    for _ in 0..fewer(2_000) {
        queue.push(block());
        queue.push(block());
        drop(queue.split_to(8192));
        assert!(queue.pinned_bytes() <= 6 * 4096, "{}", queue.pinned_bytes());
    }
    assert_eq!(queue.len(), 4 * 4096);
}

#[test]
fn who_is_left_alone_lets_go_of_what_was_cut_while_there_were_others() {
    let ways: [fn(&mut Sequence); 4] = [
        |sequence| sequence.advance(1),
        |sequence| sequence.truncate(199),
        |sequence| drop(sequence.split_to(1)),
        |sequence| sequence.push(alone(b"more")),
    ];
    for touch in ways {
        let slices: Vec<_> = (0..6).map(|seed| alone(&pattern(100, seed))).collect();
        let mut sequence = Sequence::from_iter(slices.iter().cloned());
        let other = sequence.clone();
        sequence.advance(200);
        sequence.truncate(200);
        drop(other);
        touch(&mut sequence);
        let held: Vec<_> = slices.iter().map(|slice| !slice.is_unique()).collect();
        assert_eq!(held, [false, false, true, true, false, false]);
    }
}

/// Numbers of the owners that live.
type Living = Arc<Mutex<BTreeSet<u32>>>;

/// Bytes that are known to live until nobody holds them.
struct Owner {
    bytes: Vec<u8>,
    number: u32,
    living: Living,
}

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.living.lock().expect("nobody panics").remove(&self.number);
    }
}

/// A sequence, whose each byte is, and which list it may share with others.
struct Handle {
    sequence: Sequence,
    owners: Vec<u32>,
    list: usize,
}

impl Handle {
    fn shows(&self) -> BTreeSet<u32> {
        self.owners.iter().copied().collect()
    }
}

/// The oracle: what each list may hold. One that a single handle is left on holds what that showed when it was
/// last changed.
#[derive(Default)]
struct World {
    handles: Vec<Handle>,
    lists: Vec<BTreeSet<u32>>,
    made: u32,
    living: Living,
}

/// More handles than this, and the oldest dies.
const MOST: usize = 5;

impl World {
    /// Bytes of an owner that nobody had before.
    fn owner(&mut self, len: usize) -> (Slice, Vec<u32>) {
        self.made += 1;
        let (number, living) = (self.made, Arc::clone(&self.living));
        living.lock().expect("nobody panics").insert(number);
        (Slice::from_owner(Owner { bytes: vec![7; len], number, living }), vec![number; len])
    }

    /// Keeps a part of what is on a list.
    fn keep(&mut self, sequence: Sequence, owners: Vec<u32>, list: usize) {
        self.handles.push(Handle { sequence, owners, list });
        let last = self.handles.len() - 1;
        if self.handles[last].shows().len() < 2 {
            self.part(last); // it needs no list
        }
        if self.handles.len() > MOST {
            drop(self.handles.remove(0));
        }
    }

    /// Gives a handle a list that holds what it shows.
    fn part(&mut self, i: usize) {
        self.lists.push(self.handles[i].shows());
        self.handles[i].list = self.lists.len() - 1;
    }

    /// A handle was changed: if nobody shares its list, that holds what it shows.
    fn changed(&mut self, i: usize) {
        let list = self.handles[i].list;
        let sharing = self.handles.iter().filter(|handle| handle.list == list).count();
        if sharing == 1 || self.handles[i].shows().len() < 2 {
            self.part(i);
        }
    }

    /// Takes a part off, which is kept or not.
    fn split(&mut self, i: usize, off: Range<usize>, kept: bool) {
        let handle = &mut self.handles[i];
        let sequence = match off.start {
            0 => handle.sequence.split_to(off.end),
            at => handle.sequence.split_off(at),
        };
        let (owners, list) = (handle.owners.drain(off).collect(), handle.list);
        // Both were there for a moment.
        self.handles.push(Handle { sequence, owners, list });
        self.changed(i);
        let Some(part) = self.handles.pop().filter(|_| kept) else { return };
        self.keep(part.sequence, part.owners, part.list);
    }

    fn step(&mut self, (op, who, place): (u8, u8, u16)) {
        let Some(i) = usize::from(who).checked_rem(self.handles.len()) else {
            let (slice, owners) = self.owner(100);
            self.lists.push(BTreeSet::new());
            return self.keep(Sequence::from(slice), owners, self.lists.len() - 1);
        };
        let len = self.handles[i].owners.len();
        let at = usize::from(place) % (len + 1);
        match op {
            0..4 => {
                let (slice, owners) = self.owner(24 + usize::from(place) % 100);
                let handle = &mut self.handles[i];
                handle.sequence.push(slice);
                handle.owners.extend(owners);
                self.part(i);
            }
            4 | 5 => {
                self.handles[i].sequence.advance(at);
                self.handles[i].owners.drain(..at);
                self.changed(i);
            }
            6 if at < len => {
                self.handles[i].sequence.truncate(at);
                self.handles[i].owners.truncate(at);
                self.changed(i);
            }
            7 | 8 => self.split(i, 0..at, op == 7),
            9 | 10 if at > 0 => self.split(i, at..len, op == 9),
            11 => {
                let (handle, range) = (&self.handles[i], at / 2..at);
                let (part, owners) = (handle.sequence.slice(range.clone()), &handle.owners[range]);
                let (owners, list) = (owners.to_vec(), handle.list);
                self.keep(part, owners, list);
            }
            12 => {
                let handle = &self.handles[i];
                let (all, owners, list) =
                    (handle.sequence.clone(), handle.owners.clone(), handle.list);
                self.keep(all, owners, list);
            }
            _ => drop(self.handles.swap_remove(i)),
        }
    }

    fn check(&self) {
        let held: BTreeSet<u32> =
            self.handles.iter().flat_map(|handle| &self.lists[handle.list]).copied().collect();
        // The owners take the lock when they die, also of a failed test.
        let living = self.living.lock().expect("nobody panics").clone();
        let leaked: Vec<_> = living.difference(&held).collect();
        assert!(leaked.is_empty(), "nobody shows, and no shared list holds, {leaked:?}");
        assert!(self.handles.iter().all(|handle| handle.sequence.len() == handle.owners.len()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(1_000), ..Default::default() })]

    #[test]
    fn no_list_holds_what_only_handles_that_are_gone_showed(
        script in prop::collection::vec((0..16_u8, any::<u8>(), any::<u16>()), 1..80)
    ) {
        let mut world = World::default();
        for step in script {
            world.step(step);
            world.check();
        }
    }
}
