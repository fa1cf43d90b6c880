//! What lies in the slots: references, pointers, values that count their drops, callbacks that panic.

use aqueduct_ring::{Arena, Beside, Builder, Consumer, One, Producer, Wait};
use aqueduct_testkit::{Countdown, at_thread_ends, for_every_k, panics};
use std::{
    pin::pin,
    ptr::NonNull,
    sync::Arc,
    task::{Context, Wake, Waker},
};

#[test]
fn t09_references_and_pointers_as_elements() {
    let texts = [String::from("a"), String::from("b")];
    let (mut producer, mut consumer) = Builder::new(2).build::<&str, One>(|| "").unwrap();
    for round in 0..5 {
        *producer.try_claim().unwrap() = "never seen";
        let mut claim = producer.try_claim().unwrap();
        *claim = &texts[round % 2];
        claim.publish();
        assert_eq!(consumer.try_take(9).unwrap().iter_mut().next(), Some(&mut &*texts[round % 2]));
    }
    let mut values = [1_u64, 2];
    let [one, two] = &mut values;
    let pointers = [NonNull::from(one), NonNull::from(two)];
    let ring = Builder::new(1)
        .build::<(NonNull<u64>, Option<Box<u8>>), (One, One)>(|| (pointers[0], None));
    let (mut producer, (mut first, mut second)) = ring.unwrap();
    for pointer in [pointers[1], pointers[0], pointers[1]] {
        let mut claim = producer.try_claim().unwrap();
        *claim = (pointer, Some(Box::new(1)));
        claim.publish();
        for (_, number) in &mut first.try_take(1).unwrap() {
            *number = number.take().map(|number| Box::new(*number + 1));
        }
        let mut batch = second.try_take(1).unwrap();
        assert_eq!(batch.iter_mut().next(), Some(&mut (pointer, Some(Box::new(2)))));
    }
    let arena = Arena::new(1, || pointers[0]).unwrap();
    *arena.lease().unwrap() = pointers[1];
    assert_eq!(*arena.lease().unwrap(), pointers[1]);
    let zero = Builder::new(1 << 10).build::<(), One>(|| ()).unwrap();
    assert_eq!(zero.0.capacity(), 1 << 10);
}

/// Dropped with what is claimed, published, taken, given up and forgotten.
#[test]
fn t10_each_element_is_dropped_once() {
    let countdown = Countdown::new(-1);
    let make = || countdown.value(vec![0]);
    let ring = Builder::new(8).build_many::<_, (One, Beside<2>)>(make).unwrap();
    let (mut producer, (mut first, [mut left, _right])) = ring;
    let mut other = producer.clone();
    for mut claim in [producer.try_claim().unwrap(), other.try_claim().unwrap()] {
        *claim = countdown.value(vec![1]);
        claim.publish();
    }
    let mut claims = producer.try_claim_many(3).unwrap();
    claims.iter_mut().for_each(|slot| *slot = countdown.value(vec![2]));
    claims.publish(1);
    std::mem::forget(other.try_claim().unwrap());
    assert_eq!(first.try_take(2).unwrap().iter_mut().count(), 2);
    let mut batch = left.try_take(2).unwrap();
    assert_eq!(batch.iter().count(), 2);
    std::mem::forget(batch);
    drop((producer, other, first));
    assert_eq!(countdown.made_and_dropped(), (13, 5));
    drop((left, _right));
    countdown.assert_each_dropped_once();
    let arena = Arena::new(3, || countdown.value(vec![0])).unwrap();
    let _ = arena.lease().unwrap().hold();
    std::mem::forget(arena.lease());
    *arena.lease().unwrap() = countdown.value(vec![1]);
    drop(arena);
    countdown.assert_each_dropped_once();
}

#[test]
fn t15_a_maker_that_panics() {
    let calls = for_every_k(|countdown| {
        let make = || {
            countdown.tick();
            countdown.value(vec![])
        };
        drop(Builder::new(4).build::<_, (One, One)>(make));
        drop(Arena::new(4, make));
    });
    assert_eq!(calls, 16);
}

/// Old contents are dropped when they are written over, and that may panic in the midst of a claim, a batch
/// or a lease.
#[test]
fn t15_elements_that_panic_when_they_are_dropped() {
    for_every_k(|countdown| {
        let make = || countdown.value(vec![0]);
        let (mut producer, (mut first, mut second)) =
            Builder::new(2).build_many::<_, (One, One)>(make).unwrap();
        for _ in 0..3 {
            countdown.survive(|| {
                let mut claims = producer.try_claim_many(2).unwrap();
                claims.iter_mut().for_each(|slot| *slot = countdown.value(vec![1]));
                claims.publish(2);
            });
            while countdown
                .survive(|| {
                    let Ok(mut batch) = first.try_take(2) else { return };
                    batch.iter_mut().for_each(|slot| *slot = countdown.value(vec![2]));
                })
                .is_none()
            {}
            if let Ok(mut batch) = second.try_take(2) {
                assert!(batch.iter_mut().all(|slot| slot.as_bytes() == [2]));
            }
        }
        let arena = Arena::new(1, make).unwrap();
        countdown.survive(|| *arena.lease().unwrap() = countdown.value(vec![1]));
        assert_eq!(arena.free(), 1);
    });
}

trait Bytes {
    fn as_bytes(&self) -> Vec<u8>;
}

impl Bytes for aqueduct_testkit::Tracked {
    /// Without a callback.
    fn as_bytes(&self) -> Vec<u8> {
        let text = format!("{self:?}");
        let bytes = text.rsplit("bytes: [").next().unwrap().split(']').next().unwrap();
        bytes.split(',').filter_map(|byte| byte.trim().parse().ok()).collect()
    }
}

/// A destructor that runs in the midst of a panic works as at any other time; only the batch and the claim
/// that the panic itself dropped are not done with.
#[test]
fn t15_a_destructor_publishes_and_takes_while_its_thread_panics() {
    struct Rest<'r>(Producer<u8>, Consumer<u8>, &'r mut Vec<u8>);
    impl Drop for Rest<'_> {
        fn drop(&mut self) {
            let mut claim = self.0.try_claim().unwrap();
            *claim = 3;
            claim.publish();
            for _ in 0..2 {
                let mut batch = self.1.try_take(2).unwrap();
                self.2.extend(batch.iter_mut().map(|number| *number));
            }
        }
    }
    let (mut producer, consumer) = Builder::new(4).build::<u8, One>(|| 0).unwrap();
    let mut claims = producer.try_claim_many(3).unwrap();
    claims.iter_mut().zip(0..).for_each(|(slot, number)| *slot = number);
    claims.publish(3);
    let mut seen = Vec::new();
    assert!(panics(|| {
        let mut rest = Rest(producer, consumer, &mut seen);
        let mut claim = rest.0.try_claim().unwrap();
        *claim = 9;
        let mut batch = rest.1.try_take(2).unwrap();
        assert_eq!(batch.iter_mut().count(), 2);
        panic!("on purpose");
    }));
    assert_eq!(seen, [0, 1, 2, 3]);
}

struct Alarm(Countdown);

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.0.tick();
    }
}

/// Whoever's waker panics, those of all others are called, and what was published stays so.
#[test]
fn t15_wakers_that_panic() {
    let calls = for_every_k(|countdown| {
        let (mut producer, ([mut left, mut right], mut last)) =
            Builder::new(1).build_many::<u8, (Beside<2>, One)>(|| 0).unwrap();
        let mut other = producer.clone();
        let wakers = [0; 4].map(|_| Arc::new(Alarm(countdown.clone())));
        let [one, two, three, four] = wakers.each_ref().map(|alarm| Waker::from(alarm.clone()));
        assert!(pin!(left.take_async(1)).poll(&mut Context::from_waker(&one)).is_pending());
        assert!(pin!(right.take_async(1)).poll(&mut Context::from_waker(&two)).is_pending());
        assert!(pin!(last.take_async(1)).poll(&mut Context::from_waker(&three)).is_pending());
        drop([one, two, three]);
        assert_eq!(Arc::strong_count(&wakers[0]), 2);
        countdown.survive(|| producer.try_claim().unwrap().publish());
        assert_eq!(wakers.each_ref().map(Arc::strong_count), [1, 1, 2, 2], "two are woken");
        assert!(pin!(other.claim_async()).poll(&mut Context::from_waker(&four)).is_pending());
        drop(four);
        assert_eq!(left.try_take(1).unwrap().iter().count(), 1);
        // The end of a place rings all bells.
        countdown.survive(|| drop(right));
        assert_eq!(wakers.each_ref().map(Arc::strong_count), [1; 4], "and all others");
        assert!(last.take(1).is_err());
    });
    assert_eq!(calls, 4);
}

/// Its end is a callback: the last to hold one runs it.
struct Frail(Countdown);

impl Wake for Frail {
    fn wake(self: Arc<Self>) {}
}

impl Drop for Frail {
    fn drop(&mut self) {
        self.0.tick();
    }
}

/// Whenever a waker panics as it is dropped, what was published is seen, and who is gone is missed.
#[test]
fn t15_wakers_that_panic_when_they_are_dropped() {
    let calls = for_every_k(|countdown| {
        let (mut producer, mut consumer) = Builder::new(1).build_many::<u8, One>(|| 0).unwrap();
        let mut other = producer.clone();
        for _ in 0..2 {
            // The second takes the first one's place.
            countdown.survive(|| {
                let waker = Waker::from(Arc::new(Frail(countdown.clone())));
                let polled =
                    pin!(consumer.take_async(1)).poll(&mut Context::from_waker(&waker)).is_ready();
                assert!(!polled);
            });
        }
        countdown.survive(|| producer.claim().unwrap().publish());
        for producer in [&mut producer, &mut other] {
            countdown.survive(|| {
                let waker = Waker::from(Arc::new(Frail(countdown.clone())));
                let polled =
                    pin!(producer.claim_async()).poll(&mut Context::from_waker(&waker)).is_ready();
                assert!(!polled);
            });
        }
        assert_eq!(consumer.try_take(9).unwrap().len(), 1);
        countdown.survive(|| drop(other));
        countdown.survive(|| assert_eq!(consumer.take(1).unwrap().iter_mut().count(), 1));
        countdown.survive(|| {
            let waker = Waker::from(Arc::new(Frail(countdown.clone())));
            let polled =
                pin!(consumer.take_async(1)).poll(&mut Context::from_waker(&waker)).is_ready();
            assert!(!polled);
        });
        countdown.survive(|| drop(consumer));
        producer.claim().unwrap().publish();
        assert!(producer.claim().is_err());
    });
    assert_eq!(calls, 5);
}

/// Sleeping for another thread, too.
#[test]
fn t28_rings_and_arenas_work_within_thread_local_destructors() {
    let arena = Arc::new(Arena::new(2, || 0_u64).unwrap());
    at_thread_ends(move || {
        let (mut producer, mut consumer) =
            Builder::new(4).wait(Wait::Park).build::<u64, One>(|| 0).unwrap();
        let other = std::thread::spawn(move || {
            for value in 1..=100 {
                let mut claim = producer.claim().unwrap();
                *claim = value;
                claim.publish();
            }
        });
        let mut sum = 0;
        while let Ok(mut batch) = consumer.take(8) {
            sum += batch.iter_mut().map(|value| *value).sum::<u64>();
        }
        other.join().unwrap();
        assert_eq!(sum, 5_050);
        let mut lease = arena.lease().unwrap();
        *lease = sum;
        let handle = lease.hold();
        assert_eq!(*arena.claim(handle).unwrap(), sum);
    });
}

/// Exact where there is one producer. One of several may have given slots up, which are passed.
#[test]
fn a_batch_says_how_many_are_left() {
    let ring = Builder::new(8).build::<_, (One, Beside<2>)>(|| 7).unwrap();
    let (mut producer, (mut first, [mut left, _right])) = ring;
    producer.try_claim_many(5).unwrap().publish(5);
    let mut batch = first.try_take(5).unwrap();
    let mut values = batch.iter_mut();
    for rest in (0..5).rev() {
        assert_eq!(values.next(), Some(&mut 7));
        assert_eq!(values.size_hint(), (rest, Some(rest)));
    }
    drop(batch);
    let mut batch = left.try_take(4).unwrap();
    let mut values = batch.iter();
    for rest in (0..4).rev() {
        assert_eq!(values.next(), Some(&7));
        assert_eq!(values.size_hint(), (rest, Some(rest)));
    }

    let (mut producer, (mut only,)) = Builder::new(8).build_many::<_, (One,)>(|| 7).unwrap();
    producer.try_claim_many(5).unwrap().publish(3);
    let mut batch = only.try_take(5).unwrap();
    assert_eq!(batch.iter_mut().size_hint(), (0, Some(5)));
    assert_eq!(batch.iter_mut().count(), 3);
}
