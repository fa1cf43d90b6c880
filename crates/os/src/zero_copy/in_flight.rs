//! [`InFlight`]: what the kernel may still read.

use crate::sys::zero_copy::Notification;
use aqueduct_base::sync::Mutex;
use aqueduct_sequence::Sequence;
use std::{collections::VecDeque, mem};

/// The calls that the kernel is not done with, each with what it sends.
///
/// 1. `calls[i]` has the number `oldest + i`, modulo 2^32. The kernel gives numbers in the order of the
///    calls that succeed with the flag, from zero on.
/// 2. A call's data is held until a notification names its number. It is what the call was made from,
///    never narrowed: a part that is short enough would be moved inline, and let go of the block.
///    What is dropped with calls in it is leaked: somebody else's bytes would go to this peer.
/// 3. There are fewer than 2^31 calls: the kernel keeps at least a byte of queue for each.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    oldest: u32,
    calls: VecDeque<Sent>,
}

/// What is never let go, where a leak checker finds it.
static LEAKED: Mutex<Vec<VecDeque<Sent>>> = Mutex::new(Vec::new());

#[derive(Debug)]
struct Sent {
    data: Sequence,
    done: bool,
}

impl InFlight {
    /// As if so many calls had been made and were done with.
    #[cfg(test)]
    pub(super) fn starting_at(oldest: u32) -> Self {
        Self { oldest, calls: VecDeque::new() }
    }

    /// Calls that the kernel is not done with, or that wait for one before them.
    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Holds what the call sends that has just taken the next number.
    pub(super) fn hold(&mut self, data: Sequence) {
        self.calls.push_back(Sent { data, done: false });
    }

    /// Lets go of what the kernel is done with. Numbers that are not in flight are ignored.
    ///
    /// An owner's destructor may panic here. What it keeps from being dropped is marked, and dropped by
    /// the next [`release`](Self::release).
    pub(super) fn complete(&mut self, said: Notification) {
        let start = i64::from(said.first.wrapping_sub(self.oldest).cast_signed());
        let end = start + i64::from(said.last.wrapping_sub(said.first)) + 1;
        let within = |place: i64| match usize::try_from(place) {
            Ok(place) => place.min(self.calls.len()),
            Err(_) => 0, // before the oldest
        };
        let done = within(start)..within(end);
        self.calls.range_mut(done.clone()).for_each(|call| call.done = true);
        self.calls.range_mut(done).for_each(|call| drop(mem::take(&mut call.data)));
        self.release();
    }

    /// Takes off the front what is done.
    pub(super) fn release(&mut self) {
        while self.calls.front().is_some_and(|call| call.done) {
            self.oldest = self.oldest.wrapping_add(1);
            drop(self.calls.pop_front());
        }
    }
}

impl Drop for InFlight {
    /// Whatever has made it be dropped.
    fn drop(&mut self) {
        let calls = mem::take(&mut self.calls);
        if !calls.is_empty() {
            LEAKED.lock().push(calls);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aqueduct_slice::Slice;
    use aqueduct_testkit::{Random, panics};
    use std::{collections::BTreeMap, sync::Arc};

    /// Owners that are seen to be dropped, by number, as a naive model of what is in flight.
    struct Model {
        in_flight: InFlight,
        next: u32,
        held: BTreeMap<u32, Arc<[u8; 64]>>,
        done: Vec<Arc<[u8; 64]>>,
    }

    struct Owner(Arc<[u8; 64]>);

    impl AsRef<[u8]> for Owner {
        fn as_ref(&self) -> &[u8] {
            &*self.0
        }
    }

    impl Model {
        fn starting_at(next: u32) -> Self {
            let in_flight = InFlight::starting_at(next);
            Self { in_flight, next, held: BTreeMap::new(), done: Vec::new() }
        }

        fn send(&mut self) {
            let bytes = Arc::new([7; 64]);
            self.in_flight.hold(Sequence::from(Slice::from_owner(Owner(Arc::clone(&bytes)))));
            self.held.insert(self.next, bytes);
            self.next = self.next.wrapping_add(1);
        }

        /// A range of numbers of at most a few thousand.
        fn complete(&mut self, first: u32, last: u32) {
            self.in_flight.complete(Notification { first, last, copied: false });
            let mut number = first;
            loop {
                self.done.extend(self.held.remove(&number));
                if number == last {
                    break;
                }
                number = number.wrapping_add(1);
            }
            self.check();
        }

        fn check(&self) {
            assert!(self.held.values().all(|bytes| Arc::strong_count(bytes) == 2), "let go early");
            assert!(self.done.iter().all(|bytes| Arc::strong_count(bytes) == 1), "kept");
            assert_eq!(self.in_flight.is_empty(), self.held.is_empty());
        }
    }

    #[test]
    fn numbers_wrap_around() {
        let mut model = Model::starting_at(u32::MAX - 2);
        (0..6).for_each(|_| model.send());
        model.complete(u32::MAX - 2, u32::MAX - 2);
        model.complete(u32::MAX, 1); // across zero, and out of order
        assert_eq!(model.in_flight.len(), 5);
        model.complete(u32::MAX - 1, u32::MAX - 1);
        assert_eq!(model.in_flight.len(), 1);
        model.complete(2, 2);
        model.send();
        model.complete(3, 3);
    }

    #[test]
    fn numbers_that_are_not_in_flight_are_ignored() {
        let mut model = Model::starting_at(10);
        (0..4).for_each(|_| model.send());
        model.complete(0, 9); // before the oldest
        model.complete(14, 20); // not yet given
        assert_eq!(model.in_flight.len(), 4);
        model.complete(5, 11); // in part
        model.complete(5, 11); // twice
        assert_eq!(model.in_flight.len(), 2);
        model.complete(12, 30);
        model.complete(0, 30);
    }

    #[test]
    fn any_order_of_ranges_lets_go_of_what_they_name() {
        let mut random = Random::unlike_others();
        for _ in 0..300 {
            let mut model = Model::starting_at(u32::MAX - u32::try_from(random.below(40)).unwrap());
            for _ in 0..60 {
                let offset = i32::try_from(random.below(40)).unwrap() - 30;
                let first = model.next.wrapping_add_signed(offset);
                match random.below(3) {
                    0 => model.complete(first, first.wrapping_add(u32::from(random.one_in(2)) * 5)),
                    _ => model.send(),
                }
            }
            let next = model.next;
            model.complete(next.wrapping_sub(100), next);
            assert_eq!(model.in_flight.oldest, next);
        }
    }

    #[test]
    fn an_owner_that_panics_keeps_no_other() {
        struct Bad;
        impl AsRef<[u8]> for Bad {
            fn as_ref(&self) -> &[u8] {
                &[1; 64]
            }
        }
        impl Drop for Bad {
            fn drop(&mut self) {
                panic!("an owner");
            }
        }
        let mut model = Model::starting_at(0);
        model.send();
        model.in_flight.hold(Sequence::from(Slice::from_owner(Bad)));
        model.next += 1;
        model.send();
        let all = Notification { first: 0, last: 2, copied: false };
        assert!(panics(|| model.in_flight.complete(all)));
        model.in_flight.release();
        model.done.extend(mem::take(&mut model.held).into_values());
        model.check();
    }
}
